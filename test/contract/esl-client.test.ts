/**
 * The client's own promises, against an event socket that behaves badly on purpose. What FreeSWITCH itself does is not
 * claimed here but in `esl-client-switch.test.ts`.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { headerOf, type EslEvent } from '../../control-plane/media/freeswitch/esl/decode-frame.ts';
import { apiResponse, commandReply, exchanges, jsonEvent, type EslCommand } from '../support/esl-server.ts';
import { fuzzBudget } from '../support/fuzz.ts';
import { anyBytes, attach, digits, dtmf, quiet, startSwitch } from './esl-fixture.ts';

const framed = (body: string, type = 'text/event-json'): string => `Content-Length: ${Buffer.byteLength(body)}\nContent-Type: ${type}\n\n${body}`;
const jobResult = (id: string, body: string): Buffer => jsonEvent({ 'Event-Name': 'BACKGROUND_JOB', 'Job-UUID': id, _body: body });
const complete = (command: EslCommand): Buffer => jsonEvent({ 'Event-Name': 'CHANNEL_EXECUTE_COMPLETE', 'Unique-ID': 'leg-1', 'Application-UUID': command.headers['Event-UUID'], 'Application-Response': 'FILE PLAYED' });

describe('Commands are bounded and settle once', () => {
  test('replies find their commands by their order, however they are cut and however many wait', async () => {
    let [text, writing] = ['', Promise.resolve()];
    const server = await startSwitch({ answer: ({ line }, socket) => {
      if (!line.startsWith('api uuid_getvar')) return undefined;
      text = apiResponse(`é${line.slice(-3)}`);
      for (const byte of Buffer.from(text)) writing = writing.then(async () => new Promise((resolve) => { socket.write(Uint8Array.of(byte), () => { resolve(); }); }));
      return null;
    } });
    const { client } = await attach(server.url, { commandConnections: 1, limits: { maxInFlight: 7 } });
    const numbers = Array.from({ length: 20 }, (_, i) => String(100 + i));
    const results = await Promise.all(numbers.map(async (name) => client.api('uuid_getvar', { uuid: 'leg-1', name })));
    expect(results).toEqual(numbers.map((name) => ({ ok: true, text: `é${name}` })));
  });

  test('no more leave than may be unanswered, and the one beyond the queue is rejected at once', async () => {
    const held: (() => void)[] = [];
    const server = await startSwitch({ answer: ({ line }, socket) => {
      if (!line.startsWith('api uuid')) return undefined;
      held.push(() => { socket.write(apiResponse('+OK\n')); });
      return null;
    } });
    const { client } = await attach(server.url, { limits: { maxInFlight: 2, maxQueued: 3 }, commandConnections: 1, liveness: { markEveryMs: 100_000 } });
    // The first mark has its reply.
    await expect.poll(() => client.stats().inFlight).toBe(0);
    const results = Array.from({ length: 6 }, async (_, i) => client.api('uuid_kill', { uuid: `leg-${i}` }));
    expect(await results[5]).toMatchObject({ ok: false, error: 'rejected', sent: false });
    for (let answered = 0; answered < 5; answered += 1) {
      await expect.poll(() => held.length).toBeGreaterThan(answered);
      expect(held.length - answered).toBeLessThanOrEqual(2);
      held[answered]?.();
    }
    expect((await Promise.all(results.slice(0, 5))).every(({ ok }) => ok)).toBe(true);
    expect(server.commands('api').map(({ line }) => line).filter((line) => line.includes('uuid_kill'))).toEqual([0, 1, 2, 3, 4].map((i) => `api uuid_kill leg-${i}`));
  });

  test('a command that times out keeps its place: the late reply is not taken for that of the next', async () => {
    let release = quiet;
    const server = await startSwitch({ answer: ({ line }, socket) => {
      if (!line.includes('slow')) return undefined;
      release = () => { socket.write(apiResponse('+OK slow one\n')); };
      return null;
    } });
    const { client } = await attach(server.url, { commandConnections: 1, limits: { maxInFlight: 8 } });
    expect(await client.api('uuid_kill', { uuid: 'slow' }, { timeoutMs: 20 })).toMatchObject({ ok: false, error: 'timeout', sent: true });
    const next = client.api('version');
    release();
    expect(await next).toMatchObject({ ok: true, text: expect.stringContaining('FreeSWITCH') });
    expect(client.stats()).toMatchObject({ timeouts: 1, lateReplies: 1 });
  });

  test('a command does not wait for the reply to the one before it to leave', async () => {
    let arrived = Promise.withResolvers<undefined>();
    const server = await startSwitch({ answer: ({ line }) => {
      if (!line.startsWith('api uuid_kill')) return undefined;
      if (line.endsWith('second')) return `${apiResponse('+OK\n')}${apiResponse('+OK\n')}`;
      arrived.resolve(undefined);
      return null;
    } });
    const { client } = await attach(server.url, { commandConnections: 1, liveness: { markEveryMs: 100_000 } });
    const waits: number[] = [];
    for (let i = 0; i < 11; i += 1) {
      // A side that has always answered soon delays its acknowledgement when it does not.
      for (let n = 0; n < 5; n += 1) await client.api('status');
      arrived = Promise.withResolvers();
      const began = performance.now();
      const first = client.api('uuid_kill', { uuid: 'first' });
      await arrived.promise;
      await Promise.all([first, client.api('uuid_kill', { uuid: 'second' })]);
      waits.push(performance.now() - began);
    }
    // Without TCP_NODELAY it is 40 ms.
    expect(waits.toSorted((a, b) => a - b)[5]).toBeLessThan(30);
  });

  test('one that was never sent says so', async () => {
    const server = await startSwitch({ answer: ({ line }) => (line.startsWith('api uuid') ? null : undefined) });
    const { client } = await attach(server.url, { commandConnections: 1, limits: { maxInFlight: 1, commandTimeoutMs: 60 }, liveness: { markEveryMs: 100_000 } });
    await expect.poll(() => client.stats().inFlight).toBe(0);
    const [sent, waiting] = await Promise.all([client.api('uuid_kill', { uuid: 'a' }), client.api('uuid_kill', { uuid: 'b' }, { timeoutMs: 30 })]);
    expect(sent).toMatchObject({ ok: false, error: 'timeout', sent: true });
    expect(waiting).toMatchObject({ ok: false, error: 'timeout', sent: false });
    expect(server.commands('api').some(({ line }) => line.endsWith(' b'))).toBe(false);
  });

  test('what the switch says becomes a class and its own words', async () => {
    const server = await startSwitch({ answer: ({ line, headers }) => {
      const exchange = exchanges.find(({ sent }) => sent?.split('\n')[0] === line);
      return exchange === undefined || headers['Job-UUID'] !== undefined ? undefined : Buffer.from(exchange.received, 'latin1');
    } });
    const { client } = await attach(server.url);
    const nobody = '00000000-0000-0000-0000-000000000000';
    expect(await client.api('uuid_kill', { uuid: nobody })).toEqual({ ok: false, error: 'gone', reply: 'No such channel!', message: 'uuid_kill: -ERR No such channel!', sent: true });
    expect(await client.execute(nobody, 'park', '', { timeoutMs: 5000 })).toMatchObject({ error: 'gone', reply: `invalid session id [${nobody}]` });
    expect(await client.api('nonsense', { x: 'x' })).toMatchObject({ error: 'rejected', reply: 'nonsense Command not found!' });
    expect(await client.api('uuid_setvar')).toMatchObject({ error: 'rejected', reply: '<uuid> <var> [value]' });
    expect(await client.api('uuid_kill', { uuid: 'fd1-leg-1', cause: 'USER_BUSY' })).toEqual({ ok: true, text: '' });
    expect(await client.api('uuid_bridge', { one: 'fd1-leg-1', other: 'fd1-leg-2' })).toEqual({ ok: true, text: 'fd1-leg-2' });
    expect(await client.api('show', { what: 'channels', as: 'as', how: 'json' })).toEqual({ ok: true, text: '{"row_count": 0}' });
  });

  test('commands of one call keep to one connection, and calls are spread over all', async () => {
    const used = new Map<string, Set<unknown>>();
    const server = await startSwitch({ answer: ({ line }, socket) => {
      if (line.startsWith('api uuid_kill ')) used.set(line, (used.get(line) ?? new Set()).add(socket));
      return undefined;
    } });
    const { client } = await attach(server.url, { commandConnections: 3 });
    const calls = Array.from({ length: 40 }, (_, i) => `call-${i}`);
    for (const uuid of [...calls, ...calls]) await client.api('uuid_kill', { uuid }, { order: uuid });
    expect([...used.values()].every((sockets) => sockets.size === 1)).toBe(true);
    expect(new Set([...used.values()].flatMap((sockets) => [...sockets])).size).toBe(3);
    expect(server.connections()).toBe(4);
  });
});

describe('A text that must not reach the switch', () => {
  test.each([
    ['a line break', 'x\n\napi shutdown', 'line break'],
    ['a carriage return', 'x\rapi shutdown', 'line break'],
    ['a NUL', 'x\0', 'NUL'],
    ['an expansion', '${system(reboot)}', 'expand'],
    ['the order that unloads the socket', 'Reload MOD_Event_Socket', 'mod_event_socket'],
  ])('%s is refused by the name of the argument, and never sent', async (_, text, words) => {
    const server = await startSwitch();
    const { client } = await attach(server.url);
    const results = await Promise.all([
      client.api('uuid_setvar', { uuid: 'leg-1', name: 'x', value: text }),
      client.bgapi('originate', { leg: { raw: text }, action: '&park()' }, { timeoutMs: 1000 }),
      client.execute('leg-1', 'set', text, { timeoutMs: 1000 }),
      client.execute(text, 'set', 'a=b', { timeoutMs: 1000 }),
    ]);
    expect(results.every((result) => !result.ok && result.error === 'rejected' && !result.sent && result.message.includes(words))).toBe(true);
    expect(results.map((result) => (result.ok ? '' : result.message.split(' its ')[1]?.split(' ')[0]))).toEqual(['value', 'leg', 'argument', 'channel']);
    expect(server.seen.filter(({ line }) => !/^(api (version|global_getvar)|event|sendevent)\b/.test(line))).toEqual([]);
    expect(client.stats().awaited).toBe(0);
  });

  test('is refused where it is a command, or longer than one may be, and the link lives on', async () => {
    const server = await startSwitch();
    const { client, links } = await attach(server.url);
    expect(await client.api('uuid_kill x\n\napi shutdown')).toMatchObject({ error: 'rejected', sent: false });
    expect(await client.api('uuid_setvar', { uuid: 'a', name: 'b', value: 'ü'.repeat(31_000) })).toMatchObject({ error: 'rejected', sent: false });
    expect(await client.api('status')).toMatchObject({ ok: true });
    expect(links).toHaveLength(1);
  });
});

describe('Background jobs and applications', () => {
  test('a job is settled by its event and by no other, also when that comes before the reply', async () => {
    const server = await startSwitch({ answer: ({ line, headers }) => {
      if (!line.startsWith('bgapi originate')) return undefined;
      server.broadcast(jobResult('0f0f-of-another-controller', '-ERR USER_BUSY\n'));
      server.broadcast(jobResult(headers['Job-UUID'] ?? '', line.includes('busy') ? '-ERR USER_BUSY\n' : '+OK leg-1\n'));
      return undefined;
    } });
    const { client } = await attach(server.url);
    const originate = async (leg: string) => client.bgapi('originate', { leg, action: '&park()' }, { timeoutMs: 5000 });
    expect(await originate('user/101')).toEqual({ ok: true, text: 'leg-1' });
    expect(await originate('user/busy')).toMatchObject({ ok: false, error: 'rejected', reply: 'USER_BUSY' });
    const ids = server.commands('bgapi').map(({ headers }) => headers['Job-UUID'] ?? '');
    expect(new Set(ids).size).toBe(2);
    // mod_event_socket keeps 36 letters of one.
    expect(ids.every((id) => id.length > 0 && id.length <= 36)).toBe(true);
    expect(client.stats().awaited).toBe(0);
  });

  test('a job whose event never comes costs its deadline, and one that is refused costs nothing', async () => {
    const server = await startSwitch({ answer: ({ line }) => (line.includes('lost') ? commandReply('+OK Job-UUID: x') : line.startsWith('bgapi') ? commandReply('-ERR permission denied') : undefined) });
    const { client } = await attach(server.url);
    expect(await client.bgapi('originate', { leg: 'lost' }, { timeoutMs: 30 })).toMatchObject({ error: 'timeout', sent: true });
    expect(await client.bgapi('originate', { leg: 'x' }, { timeoutMs: 60_000 })).toMatchObject({ error: 'rejected', reply: 'permission denied' });
    expect(client.stats()).toMatchObject({ awaited: 0, timeouts: 1 });
  });

  test('an application ends with its own event or with the channel, and is locked behind the one before', async () => {
    const server = await startSwitch({ answer: (command) => (command.line === 'sendmsg leg-9' ? commandReply('-ERR invalid session id [leg-9]') : undefined) });
    const { client, events } = await attach(server.url);
    const [one, two] = [client.execute('leg-1', 'playback', '/a b.wav', { timeoutMs: 5000 }), client.execute('leg-1', 'playback', 'c.wav', { timeoutMs: 5000 })];
    await expect.poll(() => server.commands('sendmsg').length).toBe(2);
    const [first] = server.commands('sendmsg');
    expect(first?.headers).toMatchObject({ 'call-command': 'execute', 'execute-app-name': 'playback', 'execute-app-arg': '/a b.wav', 'event-lock': 'true' });
    if (first !== undefined) server.broadcast(complete(first));
    expect(await one).toEqual({ ok: true, text: 'FILE PLAYED' });
    server.broadcast(jsonEvent({ 'Event-Name': 'CHANNEL_HANGUP_COMPLETE', 'Unique-ID': 'leg-2' }));
    await expect.poll(() => events.length).toBe(2);
    expect(client.stats().awaited).toBe(1);
    server.broadcast(jsonEvent({ 'Event-Name': 'CHANNEL_HANGUP_COMPLETE', 'Unique-ID': 'leg-1' }));
    expect(await two).toMatchObject({ ok: false, error: 'gone', sent: true });
    expect(await client.execute('leg-9', 'playback', 'd.wav', { timeoutMs: 5000 })).toMatchObject({ error: 'gone' });
    expect(await client.execute('leg-1', 'nonsense', '', { timeoutMs: 20 })).toMatchObject({ error: 'timeout', sent: true });
    expect(await client.execute('leg-1', 'park', '', { timeoutMs: 5000, until: 'queued', id: 'ours' })).toEqual({ ok: true, text: '' });
    expect(server.commands('sendmsg').at(-1)?.headers['Event-UUID']).toBe('ours');
    expect(events.map(({ name }) => name)).toEqual(['CHANNEL_EXECUTE_COMPLETE', 'CHANNEL_HANGUP_COMPLETE', 'CHANNEL_HANGUP_COMPLETE']);
    expect(client.stats().awaited).toBe(0);
  });
});

describe('No message stops the client', () => {
  test('one that cannot be read is counted and logged without its content; the next event arrives', async () => {
    const server = await startSwitch();
    const { client, events, logged } = await attach(server.url);
    const bad = ['', 'Smith', '[]', 'null', '{}', '{"Event-Name":7}', '{"Event-Name":"CHANNEL_ANSWER","Caller-Caller-ID-Name":"Smith"}', '{"Event-Name":"BACKGROUND_JOB"}', '{"Event-Name":"__proto__"}'];
    for (const body of bad) server.broadcast(framed(body));
    server.broadcast(framed('Smith', 'log/data'));
    server.broadcast(Buffer.from(dtmf('#').toString().replace('leg-1', 'J\xFCrge'), 'latin1'));
    server.broadcast(dtmf('9'));
    await expect.poll(() => digits(events)).toBe('#9');
    expect(headerOf(events[0] ?? { name: '', headers: {}, body: '' }, 'Unique-ID')).toBe('J\uFFFDrge');
    expect(client.stats()).toMatchObject({ badFrames: bad.length + 1, connects: 1 });
    expect(logged.join('\n')).not.toContain('Smith');
  });

  test('a handler that throws loses its own event alone', async () => {
    const server = await startSwitch();
    const heard = vi.fn<(event: EslEvent) => void>(() => { throw new Error('bug'); });
    const { client } = await attach(server.url, { onEvent: heard });
    server.broadcast(dtmf('1'));
    server.broadcast(dtmf('2'));
    await expect.poll(() => heard.mock.calls.length).toBe(2);
    expect(client.stats().handlerErrors).toBe(2);
    expect(await client.api('status')).toMatchObject({ ok: true });
  });

  test('after any burst of bytes it is up, hears events and sends commands', async () => {
    const server = await startSwitch();
    // A length that is too great takes what follows for its body, until the link is found dead.
    const { client, events } = await attach(server.url, { liveness: { markEveryMs: 5, deadAfterMs: 60 } });
    await fc.assert(fc.asyncProperty(fc.array(anyBytes, { maxLength: 10 }), async (burst) => {
      for (const bytes of burst) server.broadcast(bytes);
      await expect.poll(async () => {
        server.broadcast(dtmf('0'));
        return (await client.api('status')).ok && digits(events.splice(0)).endsWith('0');
      }, { interval: 2, timeout: 10_000 }).toBe(true);
    }), fuzzBudget('ESL frames, the client', 1_500).parameters);
    await expect.poll(() => client.stats()).toMatchObject({ inFlight: 0, queued: 0, awaited: 0, handlerErrors: 0 });
  });

  test('however many there were, nothing of them is kept', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const server = await startSwitch();
    const { client } = await attach(server.url, { onEvent: quiet, log: { info: quiet, warn: quiet, error: quiet } });
    const heapAfter = async (rounds: number): Promise<number> => {
      for (let round = 0; round < rounds; round += 1) {
        const before = client.stats().events;
        for (let i = 0; i < 500; i += 1) server.broadcast(dtmf(String(i)));
        const jobs = Array.from({ length: 50 }, async (_, i) => client.bgapi('originate', { leg: `x${i}` }, { timeoutMs: 60_000 }));
        expect((await Promise.all(jobs)).every(({ ok }) => ok)).toBe(true);
        await expect.poll(() => client.stats().events - before).toBeGreaterThanOrEqual(550);
      }
      server.seen.length = 0;
      collect();
      return process.memoryUsage().heapUsed;
    };
    const before = await heapAfter(5);
    expect(((await heapAfter(20)) - before) / 1_048_576).toBeLessThan(4);
  });
});
