/**
 * The client's own promises, against a websocket server that behaves badly on purpose. What Asterisk itself
 * does is not claimed here but in `ari-client-switch.test.ts`.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import { connectAri } from '../../control-plane/media/asterisk/ari/ari-client.ts';
import type { AriClient, AriLink, AriOptions } from '../../control-plane/media/asterisk/ari/ari-client.ts';
import { hasRestOverWebSocket } from '../../control-plane/media/asterisk/ari/check-switch.ts';
import { decodeFrame } from '../../control-plane/media/asterisk/ari/decode-frame.ts';
import type { SwitchEvent } from '../../control-plane/media/asterisk/ari/decode-frame.ts';
import { fuzzBudget } from '../support/fuzz.ts';

const password = 'p-ss%word';
const opened: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close();
});

interface Request { readonly request_id: string; readonly method: string; readonly uri: string; readonly message_body?: string }
type Answer = (request: Request, socket: WebSocket) => void;

const ok: Answer = ({ request_id, uri }, socket) => {
  socket.send(JSON.stringify({ type: 'RESTResponse', request_id, status_code: 200, reason_phrase: 'OK', uri, message_body: '{}' }));
};
const silence: Answer = () => undefined;

/** A switch of one port; `answer` serves everything but the filter, which is always accepted. */
async function rogueSwitch(options: { answer?: Answer; info?: { status: number; body: string }; port?: number; autoPong?: boolean; filterAnswer?: Answer; refuseUpgrade?: boolean } = {}) {
  const http = createServer((_, response) => {
    const { status, body } = options.info ?? { status: 200, body: JSON.stringify({ system: { version: '22.10.1' } }) };
    response.writeHead(status).end(body);
  });
  const server = new WebSocketServer({ server: http, autoPong: options.autoPong ?? true, verifyClient: () => options.refuseUpgrade !== true });
  const seen: Request[] = [];
  const sockets: WebSocket[] = [];
  const authorizations: (string | undefined)[] = [];
  server.on('connection', (socket, upgrade) => {
    sockets.push(socket);
    authorizations.push(upgrade.headers.authorization);
    socket.on('error', () => undefined);
    socket.on('message', (data: Buffer) => {
      const request = JSON.parse(data.toString()) as Request;
      if (request.uri.endsWith('eventFilter')) {
        (options.filterAnswer ?? ok)(request, socket);
        return;
      }
      seen.push(request);
      (options.answer ?? ok)(request, socket);
    });
  });
  await new Promise<void>((resolve) => { http.listen(options.port ?? 0, '127.0.0.1', resolve); });
  const { port } = http.address() as AddressInfo;
  const stop = async (): Promise<void> => {
    for (const socket of server.clients) socket.terminate();
    server.close();
    http.closeAllConnections();
    await new Promise((resolve) => { http.close(resolve); });
  };
  opened.push(stop);
  return { port, seen, sockets, authorizations, stop, broadcast: (data: string | Uint8Array) => { for (const socket of server.clients) socket.send(data, { binary: false }); } };
}

async function attach(port: number, options: Partial<AriOptions> = {}) {
  const events: SwitchEvent[] = [];
  const links: AriLink[] = [];
  const logged: string[] = [];
  const note = (fields: object, message: string): void => { logged.push(`${message} ${JSON.stringify(fields)}`); };
  const result = await connectAri({
    url: `http://frontdesk:${encodeURIComponent(password)}@127.0.0.1:${port}`, app: 'frontdesk-test', eventFilter: ['StasisStart'],
    onEvent: (event) => { events.push(event); }, onLink: (link) => { links.push(link); },
    log: { info: note, warn: note, error: note }, backOff: { firstMs: 5, maxMs: 20 }, ...options,
  });
  const client: AriClient | undefined = result.ok ? result.client : undefined;
  if (client !== undefined) opened.push(async () => client.close());
  return { result, events, links, logged, get client() { if (client === undefined) throw new Error(JSON.stringify(result)); return client; } };
}

const dtmf = (digit: string): string => JSON.stringify({
  type: 'ChannelDtmfReceived', application: 'frontdesk-test', timestamp: '', digit, duration_ms: 100,
  channel: { id: 'leg-1', name: '', state: 'Up', caller: { name: '', number: '' }, connected: { name: '', number: '' }, dialplan: { context: '', exten: '', priority: 1 }, creationtime: '', language: 'en' },
});
const digits = (events: readonly SwitchEvent[]): string => events.map((event) => (event.type === 'ChannelDtmfReceived' ? event.digit : '?')).join('');

describe('Requests are bounded and settle once', () => {
  test('no more leave than may be unanswered, they leave in order, and the one beyond the queue is rejected at once', async () => {
    const held: (() => void)[] = [];
    const server = await rogueSwitch({ answer: (request, socket) => { held.push(() => { ok(request, socket); }); } });
    const { client } = await attach(server.port, { limits: { maxInFlight: 2, maxQueued: 3 } });
    const results = Array.from({ length: 6 }, async (_, index) => client.request('channels.answer', { channelId: `leg-${index}` }));
    expect(await results[5]).toMatchObject({ ok: false, error: 'rejected', sent: false });
    await expect.poll(() => held.length).toBe(2);
    for (let answered = 0; answered < 5; answered += 1) {
      await expect.poll(() => held.length).toBeGreaterThan(answered);
      expect(server.seen.length - answered).toBeLessThanOrEqual(2);
      held[answered]?.();
    }
    expect((await Promise.all(results.slice(0, 5))).every(({ ok: good }) => good)).toBe(true);
    expect(server.seen.map(({ uri }) => uri)).toEqual([0, 1, 2, 3, 4].map((index) => `channels/leg-${index}/answer`));
  });

  test('a switch that never answers costs each request its deadline, those never sent say so, and a late reply settles nothing twice', async () => {
    const server = await rogueSwitch({ answer: silence });
    const { client } = await attach(server.port, { limits: { maxInFlight: 1, maxQueued: 5, requestTimeoutMs: 40 } });
    const [sent, waiting] = await Promise.all([client.request('channels.list'), client.request('bridges.list', {}, { timeoutMs: 30 })]);
    expect(sent).toMatchObject({ ok: false, error: 'timeout', sent: true });
    expect(waiting).toMatchObject({ ok: false, error: 'timeout', sent: false });
    for (const request of server.seen) for (const socket of server.sockets) ok(request, socket);
    await expect.poll(() => client.stats().lateReplies).toBe(server.seen.length);
    expect(client.stats()).toMatchObject({ inFlight: 0, queued: 0, timeouts: 2 });
  });

  test('one request too long for the switch is rejected alone and the link lives on', async () => {
    const server = await rogueSwitch();
    const { client } = await attach(server.port);
    const long = { variables: { NAME: 'ü'.repeat(31_000) }, channelId: 'leg-1' };
    expect(await client.request('channels.setChannelVars', long)).toMatchObject({ ok: false, error: 'rejected', sent: false });
    expect(await client.request('channels.list')).toMatchObject({ ok: true });
  });

  test('an empty id does not become another path, and half a surrogate does not throw', async () => {
    const server = await rogueSwitch();
    const { client } = await attach(server.port);
    expect(await client.request('channels.hangup', { channelId: '' })).toMatchObject({ ok: false, error: 'rejected', sent: false });
    expect(await client.request('channels.hangup', { channelId: 'a/\uD800' })).toMatchObject({ ok: true });
    expect(server.seen.map(({ uri }) => uri)).toEqual(['channels/a%2F%EF%BF%BD']);
  });
});

describe('The link', () => {
  test('is up only once the filter is set, and events from before that wait for it in their order', async () => {
    const server = await rogueSwitch({ filterAnswer: (request, socket) => {
      socket.send(dtmf('1'));
      socket.send(dtmf('2'));
      ok(request, socket);
      socket.send(dtmf('3'));
    } });
    const order: string[] = [];
    const { client } = await attach(server.port, {
      onLink: (link, given) => { order.push(link); expect(given.app).toBe('frontdesk-test'); },
      onEvent: (event) => { order.push(digits([event])); },
    });
    await expect.poll(() => order).toEqual(['up', '1', '2', '3']);
    expect(client.version).toBe('22.10.1');
    expect(server.authorizations).toEqual([`Basic ${btoa(`frontdesk:${password}`)}`]);
  });

  test('settles what was in flight as unreachable when it is lost, refuses while down, and comes back with the filter', async () => {
    const filters: Request[] = [];
    const server = await rogueSwitch({ answer: silence, filterAnswer: (request, socket) => { filters.push(request); ok(request, socket); } });
    const { client, links } = await attach(server.port);
    const lost = client.request('channels.list');
    await expect.poll(() => server.seen.length).toBe(1);
    server.sockets[0]?.terminate();
    expect(await lost).toMatchObject({ ok: false, error: 'unreachable', sent: true });
    expect(await client.request('channels.list')).toMatchObject({ ok: false, error: 'unreachable', sent: false });
    await expect.poll(() => links).toEqual(['up', 'down', 'up']);
    expect(filters.map(({ uri, message_body }) => ({ uri, message_body }))).toEqual([1, 2].map(() => ({
      uri: 'applications/frontdesk-test/eventFilter',
      message_body: JSON.stringify({ allowed: ['RESTResponse', 'CallBroadcast', 'ApplicationReplaced', 'StasisStart'].map((type) => ({ type })) }),
    })));
  });

  test('goes on trying while the switch is away, and is told down once', async () => {
    const server = await rogueSwitch();
    const { links, logged } = await attach(server.port);
    await server.stop();
    await expect.poll(() => logged.filter((line) => line.startsWith('The switch cannot be reached')).length).toBeGreaterThan(2);
    const tries = logged.flatMap((line) => (line.startsWith('The switch cannot be reached') ? [Number(/"tries":(\d+)/.exec(line)?.[1])] : []));
    expect(tries.slice(0, 3), 'said the less often the longer it goes on').toEqual([2, 4, 8]);
    await rogueSwitch({ port: server.port });
    await expect.poll(() => links).toEqual(['up', 'down', 'up']);
  });

  test('half dead, with the socket open and nobody there, is found by the missing pong', async () => {
    const server = await rogueSwitch({ autoPong: false });
    const { links, logged } = await attach(server.port, { liveness: { pingEveryMs: 10, deadAfterMs: 50 } });
    await expect.poll(() => links.slice(0, 3)).toEqual(['up', 'down', 'up']);
    expect(logged.join('\n')).toContain('nothing was heard for 50 ms');
  });

  test('taken over by another process lets no command out and does not come back', async () => {
    const server = await rogueSwitch({ answer: silence });
    const { client, links } = await attach(server.port);
    const pending = client.request('channels.list');
    await expect.poll(() => server.seen.length).toBe(1);
    server.broadcast(JSON.stringify({ type: 'ApplicationReplaced', application: 'frontdesk-test', timestamp: '' }));
    expect(await pending).toMatchObject({ ok: false, error: 'unreachable' });
    expect(await client.request('channels.hangup', { channelId: 'leg-1' })).toMatchObject({ ok: false, error: 'unreachable', sent: false });
    await expect.poll(() => server.sockets[0]?.readyState).toBe(3);
    expect(links).toEqual(['up', 'replaced']);
    expect(server.sockets.length).toBe(1);
  });

  test.each([
    ['up', async (client: AriClient) => { await expect.poll(() => client.stats().connects).toBe(1); }],
    ['down', async (client: AriClient, stop: () => Promise<void>) => { await stop(); await expect.poll(async () => (await client.request('channels.list')).ok).toBe(false); }],
  ])('closed while %s settles every request and leaves nothing open', async (_, reach) => {
    const server = await rogueSwitch({ answer: silence });
    const { client, links } = await attach(server.port);
    const pending = client.request('bridges.list');
    await reach(client, server.stop);
    const before = [...links];
    await Promise.all([client.close(), client.close()]);
    expect(await pending).toMatchObject({ ok: false, error: 'unreachable' });
    expect(client.stats()).toMatchObject({ inFlight: 0, queued: 0 });
    expect(links.slice(before.length)).toEqual([]);
    expect(server.sockets.every(({ readyState }) => readyState >= 2)).toBe(true);
  });
});

describe('A start that cannot work is refused with a sentence', () => {
  test.each([
    ['a wrong password', { info: { status: 401, body: '{}' } }, 'unauthorized', 'user name or password'],
    ['an Asterisk too old', { info: { status: 200, body: JSON.stringify({ system: { version: '20.13.2' } }) } }, 'too-old', 'version 20.13.2'],
    ['something that is no Asterisk', { info: { status: 200, body: '<html>' } }, 'not-asterisk', 'ari.conf'],
    ['a refused websocket', { refuseUpgrade: true }, 'unreachable', 'user name or password'],
    ['a switch that never answers on the websocket', { filterAnswer: silence }, 'unreachable', 'event filter'],
  ] as const)('%s', async (_, options, reason, words) => {
    const server = await rogueSwitch(options);
    const { result, logged } = await attach(server.port, { liveness: { connectTimeoutMs: 200 } });
    expect(result).toMatchObject({ ok: false, reason });
    expect(JSON.stringify(result)).toContain(words);
    expect(JSON.stringify([result, logged])).not.toContain(password);
  });

  test('nobody at the port, or no address at all', async () => {
    const server = await rogueSwitch();
    await server.stop();
    expect((await attach(server.port)).result).toMatchObject({ ok: false, reason: 'unreachable' });
    for (const url of ['', 'asterisk', 'ftp://a:b@c', 'http://127.0.0.1:8088', 'http://:secret@127.0.0.1']) {
      const { result } = await attach(0, { url });
      expect(result).toMatchObject({ ok: false, reason: 'bad-address' });
      expect(JSON.stringify(result)).not.toContain('secret');
    }
  });

  test('requests on the websocket came with 20.14, 21.9 and 22.4', () => {
    const versions = ['20.14.0', '21.9.1', '22.4.0', '22.10.1+dfsg', '23.0.0', 'certified-22.8-cert1', 'GIT-master-1a2b3c'];
    expect(versions.filter(hasRestOverWebSocket)).toEqual(versions);
    expect(['18.26.4', '20.13.2', '21.8.9', '22.3.0', 'certified/20.7-cert6'].filter(hasRestOverWebSocket)).toEqual([]);
  });
});

describe('No frame stops the client', () => {
  test('one that cannot be read is counted and logged without its content; the next event arrives', async () => {
    const server = await rogueSwitch();
    const { client, events, logged } = await attach(server.port);
    const latin1 = Buffer.from(dtmf('#').replace('"name":""', '"name":"Jürgen"'), 'latin1');
    for (const bad of ['', 'Smith', '[]', 'null', '{}', '{"type":7}', '{"type":"StasisStart","channel":null}', '{"type":"RESTResponse"}', '{"type":"toString"}', '{"type":"__proto__"}']) server.broadcast(bad);
    server.broadcast(latin1);
    server.broadcast(dtmf('9'));
    await expect.poll(() => digits(events)).toBe('#9');
    expect(client.stats()).toMatchObject({ badFrames: 8, unknownEvents: 2 });
    expect(logged.join('\n')).not.toContain('Smith');
  });

  test('a handler that throws loses its own event alone', async () => {
    const server = await rogueSwitch();
    const heard = vi.fn<(event: SwitchEvent) => void>(() => { throw new Error('bug'); });
    const { client } = await attach(server.port, { onEvent: heard });
    server.broadcast(dtmf('1'));
    server.broadcast(dtmf('2'));
    await expect.poll(() => heard.mock.calls.length).toBe(2);
    expect(client.stats().handlerErrors).toBe(2);
    expect(await client.request('channels.list')).toMatchObject({ ok: true });
  });

  const frames = readFileSync(join(import.meta.dirname, 'ari-frames.ndjson'), 'utf8').trim().split('\n');
  const recorded = fc.constantFrom(...frames);
  /** Bytes of a real frame changed, lost or doubled, and two real frames run together. */
  const broken = fc.tuple(recorded, recorded, fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 4 }), fc.nat(), fc.nat(), fc.nat({ max: 3 })).map(([one, other, changes, from, to, how]) => {
    const frame = Buffer.from(one);
    for (const [at, byte] of changes) frame[at % frame.length] = byte;
    const [start, end] = [from % frame.length, to % frame.length].sort((a, b) => a - b);
    const pieces = [[frame], [frame.subarray(0, end)], [frame.subarray(0, start), frame.subarray(end)], [frame.subarray(0, end), Buffer.from(other).subarray(start)]][how] ?? [frame];
    return Uint8Array.from(Buffer.concat(pieces));
  });
  /** One part of a real frame, at any depth, is another thing or missing. */
  const misshapen = fc.tuple(recorded, fc.nat(), fc.oneof(fc.jsonValue(), fc.constantFrom(undefined, null, '', -1, 1e308, [], {}, '__proto__', '\ud800'))).map(([frame, where, value]) => {
    const left = { parts: where % frame.split(/[,:[{]/).length };
    const changed = JSON.stringify(JSON.parse(frame), (_, part: unknown) => {
      left.parts -= 1;
      return left.parts === -1 ? value : part;
    });
    return new TextEncoder().encode(changed ?? '');
  });
  const shaped = fc.record({ type: fc.constantFrom('StasisStart', 'RESTResponse', 'Dial', 'ChannelTransfer', 'BridgeCreated', 'Nothing'), channel: fc.jsonValue(), bridge: fc.jsonValue(), args: fc.jsonValue(), request_id: fc.jsonValue(), status_code: fc.jsonValue(), message_body: fc.jsonValue() }, { requiredKeys: ['type'] })
    .map((value) => new TextEncoder().encode(JSON.stringify(value)));
  const anyFrame = fc.oneof(fc.uint8Array({ maxLength: 300 }), broken, misshapen, shaped);

  test('the real ones can be read', () => {
    expect(frames.filter((frame) => !['event', 'reply'].includes(decodeFrame(Buffer.from(frame)).kind))).toEqual([]);
    expect(new Set(frames.map((frame) => (JSON.parse(frame) as { type: string }).type)).size).toBeGreaterThan(18);
  });

  test('whatever the bytes, decoding returns, and an event has the parts it promises', () => {
    expect(() => {
      fc.assert(fc.property(anyFrame, (data) => {
        const frame = decodeFrame(data);
        if (frame.kind !== 'event' || !('channel' in frame.event) || frame.event.channel === undefined) return true;
        return typeof frame.event.channel.id === 'string' && typeof frame.event.channel.caller === 'object';
      }), fuzzBudget('ARI frames, decoding', 3_000).parameters);
    }).not.toThrow();
  });

  test('after any burst of frames the client still hears events and sends requests', async () => {
    const server = await rogueSwitch();
    const { client, events, links } = await attach(server.port);
    await fc.assert(fc.asyncProperty(fc.array(anyFrame, { maxLength: 20 }), async (burst) => {
      for (const frame of burst) server.broadcast(frame);
      server.broadcast(dtmf('0'));
      expect(await client.request('channels.list')).toMatchObject({ ok: true });
      const last = events.at(-1);
      expect(last === undefined ? '' : digits([last])).toBe('0');
    }), fuzzBudget('ARI frames, the client', 3_000).parameters);
    expect(links).toEqual(['up']);
    // the time may be over in the middle of a burst
    await expect.poll(() => client.stats()).toMatchObject({ inFlight: 0, queued: 0, handlerErrors: 0, connects: 1 });
  });

  test('however many frames there were, nothing of them is kept', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const server = await rogueSwitch();
    const { client } = await attach(server.port, { onEvent: () => undefined, log: { info: () => undefined, warn: () => undefined, error: () => undefined } });
    const { seed } = fuzzBudget('ARI frames, memory', 0);
    const sample = fc.sample(anyFrame, { seed, numRuns: 1_000 });
    const heapAfter = async (rounds: number): Promise<number> => {
      for (let round = 0; round < rounds; round += 1) {
        for (const frame of sample) server.broadcast(frame);
        expect(await client.request('channels.list')).toMatchObject({ ok: true });
      }
      collect();
      return process.memoryUsage().heapUsed;
    };
    const before = await heapAfter(5);
    expect(((await heapAfter(20)) - before) / 1_048_576).toBeLessThan(4);
  });
});
