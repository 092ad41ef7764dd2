/**
 * What the client relies on in FreeSWITCH itself, shown by a real one: each sentence here is a claim that the driver
 * builds on. FREESWITCH_HOME names where one is installed, or FREESWITCH_ESL_URL one that runs; without either nothing is
 * shown, and that is said.
 */
import * as fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { headerOf, type EslEvent } from '../../control-plane/media/freeswitch/esl/decode-frame.ts';
import { connectEsl, type EslClient, type EslLink, type EslOptions } from '../../control-plane/media/freeswitch/esl/esl-client.ts';
import { harmless, originateVariables, unfit, variableList } from '../../control-plane/media/freeswitch/esl/esl-text.ts';
import { exchanges } from '../support/esl-server.ts';
import { startFreeSwitch, withoutFreeSwitch, type FreeSwitch } from '../support/freeswitch.ts';
import { startLinkProxy } from '../support/link-proxy.ts';
import { until } from '../support/until.ts';

if (withoutFreeSwitch !== undefined) process.stderr.write(`Skipped: what FreeSWITCH itself does on its event socket. ${withoutFreeSwitch}.\n`);

let freeswitch: FreeSwitch | undefined;
let url = '';
const clients: EslClient[] = [];
let made = 0;

beforeAll(async () => {
  if (withoutFreeSwitch !== undefined) return;
  freeswitch = await startFreeSwitch();
  ({ url } = freeswitch);
});

afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
});

afterAll(async () => {
  await freeswitch?.stop();
});

const quiet = (): void => undefined;

async function attach(options: Partial<EslOptions> = {}) {
  const events: EslEvent[] = [];
  const links: EslLink[] = [];
  const result = await connectEsl({
    url, events: ['CHANNEL_ANSWER', 'CHANNEL_PARK', 'CHANNEL_BRIDGE', 'CHANNEL_EXECUTE', 'DTMF'], onEvent: (event) => { events.push(event); }, onLink: (link) => { links.push(link); },
    log: { info: quiet, warn: quiet, error: quiet }, backOff: { firstMs: 5, maxMs: 100 }, ...options,
  });
  if (!result.ok) throw new Error(result.message);
  clients.push(result.client);
  const of = (leg: string): readonly string[] => events.filter((event) => headerOf(event, 'Unique-ID') === leg).map(({ name }) => name);
  return { client: result.client, events, links, of };
}

/** A channel without SIP, answered and parked. */
async function park(client: EslClient, variables: Readonly<Record<string, string>> = {}): Promise<string> {
  const leg = `esl-${process.pid}-${made += 1}`;
  const written = originateVariables({ origination_uuid: leg, ...variables });
  if (!written.ok) throw new Error(written.message);
  expect(await client.bgapi('originate', { leg: `${written.text}null/x`, action: '&park()' }, { timeoutMs: 5000, order: leg })).toEqual({ ok: true, text: leg });
  return leg;
}

const kill = async (client: EslClient, leg: string): Promise<void> => {
  expect(await client.api('uuid_kill', { uuid: leg }, { order: leg })).toMatchObject({ ok: true });
};

/** Letters that mean something to the switch come up more often than by chance. */
const nasty = fc.constantFrom('\\', "'", '"', ',', ';', '=', ' ', '{', '}', '[', ']', '^^', '|', '&', '(', ')', '<', '>', '%', '$', 'n', 's', 'r', 't', 'ü', '🙂', 'a', '0');
const values = fc.array(nasty, { minLength: 1, maxLength: 10 }).map((letters) => letters.join('')).filter((value) => unfit(value) === undefined);

describe.skipIf(withoutFreeSwitch !== undefined)('FreeSWITCH, through its event socket', () => {
  test('answers as it did when it was recorded', async () => {
    const { client } = await attach();
    const recorded = exchanges.filter(({ sent }) => /^api (?!version|global_getvar|uuid_bridge fd1|uuid_kill fd1|show)/.test(sent ?? ''));
    expect(recorded.length).toBeGreaterThanOrEqual(3);
    for (const { sent = '', received } of recorded) {
      const [, command = '', rest = ''] = /^api (\S+) ?(.*)/.exec(sent) ?? [];
      const answer = await client.api(command, { rest: { raw: rest } });
      expect(received).toContain(answer.ok ? answer.text : answer.reply);
    }
    expect(client.coreUuid).toMatch(/^[\da-f-]{36}$/);
  });

  test('gives variables back as they were written, whatever is in them', async () => {
    const { client } = await attach();
    const sample = fc.sample(values, { numRuns: 60, seed: 7 });
    const given = Object.fromEntries(sample.map((value, i) => [`fd_${i}`, value]));
    // What an originate cannot carry it refuses, and it is set later.
    const early = Object.fromEntries(Object.entries(given).filter(([name, value]) => originateVariables({ [name]: value }).ok));
    const leg = await park(client, early);
    const read = async (): Promise<Record<string, string>> => {
      const dump = await client.api('uuid_dump', { uuid: leg, format: 'json' });
      return dump.ok ? JSON.parse(dump.text) as Record<string, string> : {};
    };
    const first = await read();
    expect(Object.fromEntries(Object.keys(early).map((name) => [name, first[`variable_${name}`]]))).toEqual(early);
    expect(Object.keys(early).length).toBeGreaterThan(40);

    const turned = Object.fromEntries(Object.entries(given).map(([name, value]) => [name, `${value}.${value}`]));
    const list = variableList(turned);
    if (!list.ok) throw new Error(list.message);
    expect(await client.api('uuid_setvar_multi', { uuid: leg, variables: { raw: list.text } })).toMatchObject({ ok: true });
    const second = await read();
    expect(Object.fromEntries(Object.keys(turned).map((name) => [name, second[`variable_${name}`]]))).toEqual(turned);

    for (const value of sample.slice(0, 20)) {
      expect(await client.api('uuid_setvar', { uuid: leg, name: 'fd_one', value }, { order: leg })).toMatchObject({ ok: true });
      expect(await client.api('uuid_getvar', { uuid: leg, name: 'fd_one' }, { order: leg })).toEqual({ ok: true, text: value });
    }
    await kill(client, leg);
  });

  test('takes any caller made harmless for a name', async () => {
    const { client } = await attach();
    for (const name of ['${system(true)}', 'reload mod_event_socket', '}{', 'ARRAY::a|:b', 'a:_:b', 'x\r\n\r\napi shutdown']) {
      const leg = await park(client, { origination_caller_id_name: harmless(name) });
      expect(await client.api('uuid_getvar', { uuid: leg, name: 'origination_caller_id_name' })).toMatchObject({ ok: true, text: harmless(name) });
      await kill(client, leg);
    }
    expect(client.stats().connects).toBe(1);
  });

  test('has an application wait for the one before it, and names each by the id that was given', async () => {
    const { client, events } = await attach();
    const leg = await park(client);
    const order: string[] = [];
    const run = async (argument: string, id: string) => {
      const result = await client.execute(leg, 'playback', argument, { timeoutMs: 5000, id });
      order.push(id);
      return result;
    };
    const results = await Promise.all([run('tone_stream://%(200,0,350)', 'first'), run('tone_stream://%(100,0,350)', 'second')]);
    expect(results).toEqual([{ ok: true, text: 'FILE PLAYED' }, { ok: true, text: 'FILE PLAYED' }]);
    expect(order).toEqual(['first', 'second']);
    const told = events.filter((event) => ['first', 'second'].includes(headerOf(event, 'Application-UUID') ?? '')).map((event) => `${event.name} ${headerOf(event, 'Application-UUID')}`);
    expect(told).toEqual(['CHANNEL_EXECUTE first', 'CHANNEL_EXECUTE_COMPLETE first', 'CHANNEL_EXECUTE second', 'CHANNEL_EXECUTE_COMPLETE second']);
    await kill(client, leg);
  });

  test('accepts an application that does not exist, and ends the call with it', async () => {
    const { client } = await attach();
    const leg = await park(client);
    expect(await client.execute(leg, 'nonsense', '', { timeoutMs: 5000 })).toMatchObject({ ok: false, error: 'gone', sent: true });
    expect(await client.api('uuid_exists', { uuid: leg })).toEqual({ ok: true, text: 'false' });
    expect(await client.execute(leg, 'park', '', { timeoutMs: 5000 })).toMatchObject({ ok: false, error: 'gone' });
  });

  test('ends a wait for an application with the call', async () => {
    const { client } = await attach();
    const leg = await park(client);
    const playing = client.execute(leg, 'playback', 'tone_stream://%(60000,0,350)', { timeoutMs: 30_000 });
    await kill(client, leg);
    // The application is told to have ended before the channel is; either is an end.
    const result = await playing;
    expect(result.ok || result.error === 'gone').toBe(true);
    expect(client.stats().awaited).toBe(0);
  });

  test('gives a channel another id where the one asked for is in use', async () => {
    const { client, events } = await attach();
    const leg = await park(client);
    const variables = originateVariables({ origination_uuid: leg });
    const second = await client.bgapi('originate', { leg: `${variables.ok ? variables.text : ''}null/x`, action: '&park()' }, { timeoutMs: 5000 });
    expect(second).toMatchObject({ ok: true, text: expect.stringMatching(/^[\da-f-]{36}$/) });
    const other = second.ok ? second.text : '';
    expect(other).not.toBe(leg);
    expect(await client.api('uuid_bridge', { one: leg, other })).toMatchObject({ ok: true });
    await until(() => events.some(({ name }) => name === 'CHANNEL_BRIDGE'), { describe: 'the two are bridged' });
    await kill(client, leg);
    await client.api('uuid_kill', { uuid: other });
  });

  test('carries a thousand jobs at once, and settles each', async () => {
    const { client } = await attach();
    const results = await Promise.all(Array.from({ length: 1000 }, async (_, i) => client.bgapi('uuid_exists', { uuid: `nobody-${i}` }, { timeoutMs: 20_000, order: String(i) })));
    expect(results.every((result) => result.ok && result.text === 'false')).toBe(true);
    expect(client.stats()).toMatchObject({ awaited: 0, inFlight: 0, timeouts: 0, badFrames: 0 });
  });

  test('keeps calls through a cable that was cut, and is known for the same switch', async () => {
    const cable = await startLinkProxy(url);
    const { client, links } = await attach({ url: cable.url });
    const leg = await park(client);
    cable.cut();
    cable.mend();
    await until(() => links.length === 3, { describe: 'the link is up again' });
    expect(links.map(({ state }) => state)).toEqual(['up', 'down', 'up']);
    expect(links[2]).toEqual({ state: 'up', restarted: false });
    expect(await client.api('uuid_exists', { uuid: leg })).toEqual({ ok: true, text: 'true' });
    await kill(client, leg);
    await client.close();
    await cable.close();
  });

  test('refuses a wrong password, and says so', async () => {
    const result = await connectEsl({ url: url.replace(/:\/\/:[^@]*@/, '://:wrong@'), events: [], onEvent: quiet, onLink: quiet, log: { info: quiet, warn: quiet, error: quiet } });
    expect(result).toMatchObject({ ok: false, reason: 'unauthorized', message: expect.stringContaining('event_socket.conf.xml') });
  });

  test('is known for restarted after it was ended', async () => {
    const { client, links } = await attach();
    const before = client.coreUuid;
    await freeswitch?.restart();
    await until(() => links.length === 3, { describe: 'the link is up again', within: 20_000 });
    expect(links[2]).toEqual({ state: 'up', restarted: true });
    expect(client.coreUuid).not.toBe(before);
    await kill(client, await park(client));
  });
});
