/**
 * What the client relies on in Asterisk itself, shown by a real one: each sentence here is a claim that the
 * driver builds on. The calls come from a SIP peer of a few lines, since it must also send what no SIP stack would.
 */
import { createSocket } from 'node:dgram';
import type { Socket as UdpSocket } from 'node:dgram';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startLocalStack } from '../../control-plane/local-stack/local-stack.ts';
import type { LocalStack } from '../../control-plane/local-stack/local-stack.ts';
import { connectAri } from '../../control-plane/media/asterisk/ari/ari-client.ts';
import type { AriClient, AriLink } from '../../control-plane/media/asterisk/ari/ari-client.ts';
import { ariTypesFrom } from '../../control-plane/media/asterisk/ari/ari-types.generated.ts';
import { connectLanes } from '../../control-plane/media/asterisk/ari/ari-lanes.ts';
import type { SwitchEvent } from '../../control-plane/media/asterisk/ari/decode-frame.ts';
import { generateAriTypes } from '../../control-plane/media/asterisk/ari/generate.ts';
import { missingModules } from '../../control-plane/media/asterisk/ari/missing-modules.ts';
import { startLinkProxy } from '../support/link-proxy.ts';

const app = 'frontdesk-ari-client';
const dataDir = mkdtempSync(join(tmpdir(), 'frontdesk-ari-'));
let carrier: UdpSocket;
let stack: LocalStack;
let url: string;
const clients: AriClient[] = [];
let calls = 0;

beforeAll(async () => {
  carrier = createSocket('udp4');
  await new Promise<void>((resolve) => { carrier.bind(0, '127.0.0.1', resolve); });
  // The carrier of these tests rings for ever: it answers OPTIONS and INVITE with nothing but 180.
  carrier.on('message', (message, from) => {
    const lines = message.toString('latin1').split('\r\n');
    if (lines[0]?.startsWith('INVITE ') !== true) return;
    const copied = lines.filter((line) => /^(via|from|call-id|cseq):/i.test(line));
    const to = lines.find((line) => /^to:/i.test(line)) ?? '';
    carrier.send(['SIP/2.0 180 Ringing', ...copied, `${to};tag=carrier`, 'Content-Length: 0', '', ''].join('\r\n'), from.port, from.address);
  });
  stack = await startLocalStack({
    dataDir, need: { asterisk: true, redis: false }, progress: () => undefined,
    trunks: [{ id: 'carrier', host: '127.0.0.1', port: carrier.address().port }],
  });
  url = stack.asterisk?.url ?? '';
}, 180_000);

afterEach(async () => {
  for (const client of clients.splice(0)) {
    const channels = await client.request('channels.list');
    if (channels.ok) await Promise.all(channels.body.map(async ({ id }) => client.request('channels.hangup', { channelId: id })));
    const bridges = await client.request('bridges.list');
    if (bridges.ok) await Promise.all(bridges.body.map(async ({ id }) => client.request('bridges.destroy', { bridgeId: id })));
    await client.close();
  }
});

afterAll(async () => {
  carrier.close();
  await stack.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

const quiet = (): void => undefined;
const usualEvents: readonly SwitchEvent['type'][] = ['StasisStart', 'StasisEnd', 'ChannelStateChange', 'ChannelEnteredBridge', 'Dial', 'ChannelDestroyed'];

async function attach(eventFilter = usualEvents, address = url) {
  const events: SwitchEvent[] = [];
  const links: AriLink[] = [];
  const result = await connectAri({
    url: address, app, eventFilter, onEvent: (event) => { events.push(event); }, onLink: (link) => { links.push(link); },
    log: { info: quiet, warn: quiet, error: quiet },
  });
  if (!result.ok) throw new Error(result.message);
  clients.push(result.client);
  return { client: result.client, events, links };
}

/** An INVITE with a From of one's choice, bytes as they are. */
function invite(from: string): void {
  calls += 1;
  const { port } = carrier.address();
  const body = 'v=0\r\no=x 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n';
  const message = [
    `INVITE sip:+15550100@127.0.0.1 SIP/2.0`, `Via: SIP/2.0/UDP 127.0.0.1:${port};branch=z9hG4bK-${calls}-${port}`, `From: ${from};tag=${calls}`,
    'To: <sip:+15550100@127.0.0.1>', `Call-ID: ${calls}-${port}`, 'CSeq: 1 INVITE', `Contact: <sip:x@127.0.0.1:${port}>`, 'Max-Forwards: 70',
    'Content-Type: application/sdp', `Content-Length: ${body.length}`, '', body,
  ].join('\r\n');
  carrier.send(Buffer.from(message, 'latin1'), stack.asterisk?.sipPort, '127.0.0.1');
}

/** Waits for the broadcast of a new call, claims it, and returns its channel once it is in Stasis. */
async function claimNext({ client, events }: { client: AriClient; events: SwitchEvent[] }): Promise<string> {
  const from = events.length;
  await expect.poll(() => events.slice(from).some(({ type }) => type === 'CallBroadcast'), { timeout: 5000 }).toBe(true);
  const broadcast = events.slice(from).find((event) => event.type === 'CallBroadcast');
  const channelId = broadcast?.channel.id ?? '';
  expect(await client.request('events.claimChannel', { channelId, application: app })).toMatchObject({ ok: true, status: 204 });
  await expect.poll(() => events.some((event) => event.type === 'StasisStart' && event.channel.id === channelId)).toBe(true);
  return channelId;
}

describe('The types', () => {
  test('are what the switch’s own files say', (context) => {
    const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'frontdesk');
    const restApi = ['/usr/share/asterisk/rest-api', ...globSync(join(cache, 'trees/*/root/usr/share/asterisk/rest-api'))].find((path) => existsSync(join(path, 'channels.json')));
    if (restApi === undefined || stack.asterisk?.version.includes(ariTypesFrom) !== true) {
      context.skip(`no rest-api files of Asterisk ${ariTypesFrom} here`);
      return;
    }
    const committed = readFileSync(new URL('../../control-plane/media/asterisk/ari/ari-types.generated.ts', import.meta.url), 'utf8');
    expect(committed === generateAriTypes({ restApi, asteriskVersion: ariTypesFrom }), 'generate ari-types.generated.ts again').toBe(true);
  });
});

describe('Asterisk and the client', () => {
  test('connect with filtered events; a missing module is named', async () => {
    const { client } = await attach(['StasisStart']);
    expect(client.version).toMatch(/^\d+\.\d+/);
    const application = await client.request('applications.get', { applicationName: app });
    expect(application.ok && application.body.events_allowed).toEqual(['RESTResponse', 'CallBroadcast', 'ApplicationReplaced', 'StasisStart'].map((type) => ({ type })));
    expect(await missingModules(client, ['res_ari_channels.so', 'chan_morse.so'])).toEqual({ ok: true, missing: ['chan_morse.so'] });
  });

  test('a wrong password is told apart from a wrong port', async () => {
    const options = { app, eventFilter: [], onEvent: quiet, onLink: quiet, log: { info: quiet, warn: quiet, error: quiet } };
    const wrong = new URL(url);
    wrong.password = 'no-such-password';
    expect(await connectAri({ ...options, url: wrong.href })).toMatchObject({ ok: false, reason: 'unauthorized' });
    wrong.port = '1';
    expect(await connectAri({ ...options, url: wrong.href })).toMatchObject({ ok: false, reason: 'unreachable' });
  });

  test('requests are obeyed and answered in the order they were sent, the slow ones too', async () => {
    const { client } = await attach();
    const answered: number[] = [];
    await Promise.all(Array.from({ length: 300 }, async (_, index) => {
      await (index % 50 === 0 ? client.request('asterisk.listModules') : client.request('asterisk.ping'));
      answered.push(index);
    }));
    expect(answered).toEqual(Array.from({ length: 300 }, (_, index) => index));
  });

  test('a call is broadcast, claimed, and carries the guard and its identity from its creation', async () => {
    const side = await attach();
    const { client, events } = side;
    invite('"Ann" <sip:+15550111@127.0.0.1>');
    const caller = await claimNext(side);
    expect(await client.request('events.claimChannel', { channelId: caller, application: app })).toMatchObject({ error: 'rejected', status: 409 });
    const created = await client.request('channels.create', {
      endpoint: 'PJSIP/+15550122@carrier', app, appArgs: 'leg', channelId: 'leg-1', variables: { 'TIMEOUT(absolute)': '30', FD_TEST: 'a,b "c"' },
    });
    expect(created).toMatchObject({ ok: true, body: { id: 'leg-1', state: 'Down' } });
    await expect.poll(() => events.some((event) => event.type === 'StasisStart' && event.channel.id === 'leg-1')).toBe(true);
    const variables = await client.request('channels.getChannelVars', { channelId: 'leg-1', variables: ['FD_TEST', 'TIMEOUT(absolute)'] });
    expect(variables).toMatchObject({ ok: true, body: { variables: { FD_TEST: 'a,b "c"' } } });
    const guard = await client.request('channels.getChannelVar', { channelId: 'leg-1', variable: 'TIMEOUT(absolute)' });
    expect(guard.ok && Number(guard.body.value)).toBeGreaterThan(25);
    expect(await client.request('channels.setChannelVar', { channelId: 'leg-1', variable: 'TIMEOUT(absolute)', value: '60' })).toMatchObject({ ok: true });
    expect(await client.request('channels.dial', { channelId: 'leg-1', caller, timeout: 20 })).toMatchObject({ ok: true });
    await expect.poll(() => events.some((event) => event.type === 'ChannelStateChange' && event.channel.id === 'leg-1' && event.channel.state === 'Ringing')).toBe(true);
    expect(await client.request('channels.hangup', { channelId: 'leg-1', reason_code: '26' })).toMatchObject({ ok: true });
    await expect.poll(() => events.some((event) => event.type === 'ChannelDestroyed' && event.channel.id === 'leg-1' && event.cause === 26)).toBe(true);
    expect(client.stats()).toMatchObject({ badFrames: 0, unknownEvents: 0 });
  });

  test('errors are the five that the driver knows', async () => {
    const side = await attach();
    const { client } = side;
    const leg = { endpoint: 'PJSIP/+15550122@carrier', app, channelId: 'leg-2' };
    // The answer finds the leg not in Stasis yet (409), or in it and Down (412): which one is a race.
    const [created, answered, duplicate] = await Promise.all([
      client.request('channels.create', leg), client.request('channels.answer', { channelId: 'leg-2' }), client.request('channels.create', leg),
    ]);
    expect(created).toMatchObject({ ok: true });
    expect(answered).toMatchObject({ error: 'not-ready' });
    expect(duplicate).toMatchObject({ error: 'rejected', status: 409 });
    expect(await client.request('channels.answer', { channelId: 'no-such-leg' })).toMatchObject({ error: 'gone', status: 404 });
    expect(await client.request('bridges.createWithId', { bridgeId: 'bridge-2', type: 'mixing' })).toMatchObject({ ok: true });
    expect(await client.request('bridges.addChannel', { bridgeId: 'bridge-2', channel: ['no-such-leg'] })).toMatchObject({ error: 'gone', status: 400 });
    expect(await client.request('playbacks.stop', { playbackId: 'no-such-prompt' })).toMatchObject({ error: 'gone' });
    expect(await client.request('channels.create', { ...leg, channelId: 'nul\u0000' })).toMatchObject({ error: 'rejected', status: 400 });
    expect(await client.request('channels.create', { ...leg, endpoint: 'PJSIP/nobody', channelId: 'leg-3' })).toMatchObject({ error: 'rejected' });
  });

  test('two channels enter a bridge by one request, and a prompt’s name may hold a comma', async () => {
    const side = await attach();
    const { client, events } = side;
    invite('"One" <sip:+15550111@127.0.0.1>');
    const one = await claimNext(side);
    invite('"Two" <sip:+15550112@127.0.0.1>');
    const two = await claimNext(side);
    for (const channelId of [one, two]) expect(await client.request('channels.answer', { channelId })).toMatchObject({ ok: true });
    await client.request('bridges.createWithId', { bridgeId: 'bridge-1', type: 'mixing' });
    expect(await client.request('bridges.addChannel', { bridgeId: 'bridge-1', channel: [one, two] })).toMatchObject({ ok: true });
    await expect.poll(() => events.filter(({ type }) => type === 'ChannelEnteredBridge').length).toBe(2);
    const bridge = await client.request('bridges.get', { bridgeId: 'bridge-1' });
    expect(bridge.ok && bridge.body.channels.toSorted()).toEqual([one, two].toSorted());
    const played = await client.request('bridges.playWithId', { bridgeId: 'bridge-1', playbackId: 'prompt-1', media: ['tone:1004/100,!0/100'] });
    expect(played).toMatchObject({ ok: true, body: { media_uri: 'tone:1004/100,!0/100' } });
  });

  test.each([
    ['Latin-1 bytes in the name', '"J\u00fcrgen \u00ff\u00fe" <sip:+15550113@127.0.0.1>'],
    ['4 KB of name', `"${'N'.repeat(4000)}" <sip:+15550114@127.0.0.1>`],
    ['control characters in the name', '"a\u0001\u0002\u007f" <sip:+15550115@127.0.0.1>'],
    ['CR LF written into the name', '"a%0D%0Ab\\"c" <sip:+15550116@127.0.0.1>'],
  ])('a hostile call with %s is a call like any other', async (_, from) => {
    const side = await attach();
    invite(from);
    const channelId = await claimNext(side);
    expect(await side.client.request('channels.get', { channelId })).toMatchObject({ ok: true });
    expect(await side.client.request('channels.hangup', { channelId, reason_code: '16' })).toMatchObject({ ok: true });
    expect(side.client.stats()).toMatchObject({ badFrames: 0, connects: 1 });
    expect(side.links).toEqual(['up']);
  });

  test('a link that was cut comes back with its filter, and commands work again', async () => {
    const cable = await startLinkProxy(url);
    const { client, links } = await attach(['StasisStart'], cable.url);
    cable.cut();
    cable.mend();
    await expect.poll(() => links).toEqual(['up', 'down', 'up']);
    const application = await client.request('applications.get', { applicationName: app });
    expect(application.ok && application.body.events_allowed.length).toBe(4);
    await client.close();
    await cable.close();
  });

  test('hundreds of calls are listed, and the switch lives', async () => {
    const result = await connectLanes({ url, app, eventFilter: [], onEvent: quiet, onLink: quiet, log: { info: quiet, warn: quiet, error: quiet } }, 1);
    if (!result.ok) throw new Error(result.message);
    const { client } = result;
    // As a caller may send one: then fewer calls make as long a list.
    const longName = 'Reyes '.repeat(300);
    const listed = async () => {
      const reply = await client.request('channels.list');
      if (!reply.ok) throw new Error(reply.message);
      return reply.body;
    };
    try {
      await stack.asterisk?.cli('dialplan add extension wait,1,Answer into hundreds');
      await stack.asterisk?.cli('dialplan add extension wait,2,Wait(60) into hundreds');
      await Promise.all(Array.from({ length: 150 }, () => client.request('channels.originate', { endpoint: 'Local/wait@hundreds', app, callerId: `"${longName}" <+15550100>` })));
      await expect.poll(async () => (await listed()).length, { timeout: 20_000, interval: 200 }).toBe(300);
      expect(JSON.stringify(await listed()).length).toBeGreaterThan(500_000);
      expect(await client.request('asterisk.ping')).toMatchObject({ ok: true });
    } finally {
      await Promise.all((await listed()).map(({ id }) => client.request('channels.hangup', { channelId: id })));
      await expect.poll(async () => (await listed()).length, { timeout: 10_000, interval: 100 }).toBe(0);
      await client.close();
    }
  }, 40_000);

  test('a second process of the same name ends the first', async () => {
    const { client, links } = await attach(['StasisStart']);
    const second = await attach(['StasisEnd']);
    await expect.poll(() => links).toEqual(['up', 'replaced']);
    expect(await client.request('asterisk.ping')).toMatchObject({ error: 'unreachable', sent: false });
    expect(await second.client.request('asterisk.ping')).toMatchObject({ ok: true });
  });
});
