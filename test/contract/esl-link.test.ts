/** The link that the client keeps, against an event socket that behaves badly on purpose. */
import { describe, expect, test } from 'vitest';
import { isSupported } from '../../control-plane/media/freeswitch/esl/check-switch.ts';
import type { EslClient } from '../../control-plane/media/freeswitch/esl/esl-client.ts';
import { apiResponse, commandReply, recorded, type EslAnswer, type EslCommand } from '../support/esl-server.ts';
import { stays, until } from '../support/until.ts';
import { attach, digits, dtmf, password, startSwitch } from './esl-fixture.ts';

const hush: EslAnswer = ({ line }) => (line.startsWith('api uuid') ? null : undefined);

describe('The link', () => {
  test('asks for what it needs, with names of modules last, and is up before the first event', async () => {
    const order: string[] = [];
    const server = await startSwitch({ answer: ({ line }) => {
      if (!line.startsWith('event ')) return undefined;
      queueMicrotask(() => { server.broadcast(dtmf('1')); });
      return undefined;
    } });
    const { client } = await attach(server.url, {
      subclasses: ['sofia::register'],
      onLink: (link, given) => { order.push(link.state); expect(given.version).toContain('1.11.1'); },
      onEvent: (event) => { order.push(digits([event])); },
    });
    await expect.poll(() => order).toEqual(['up', '1']);
    expect(server.commands('event')).toHaveLength(1);
    expect(server.commands('event')[0]?.line).toMatch(/^event json BACKGROUND_JOB CHANNEL_EXECUTE_COMPLETE CHANNEL_HANGUP_COMPLETE DTMF CUSTOM frontdesk::\w+ sofia::register$/);
    expect(recorded('the Core-UUID').toString()).toContain(client.coreUuid);
  });

  test.each(['the connection for events', 'a connection for commands'])('settles all that waits as unreachable when %s is lost, refuses while down, and comes back subscribed', async (which) => {
    const server = await startSwitch({ answer: ({ line }) => (/^(api uuid|bgapi)/.test(line) ? null : undefined) });
    const { client, states, links } = await attach(server.url);
    const lost = [client.api('uuid_kill', { uuid: 'a' }), client.bgapi('originate', { leg: 'a' }, { timeoutMs: 60_000 }), client.execute('a', 'park', '', { timeoutMs: 60_000 })];
    await expect.poll(() => server.seen.filter(({ line }) => /^(api uuid|bgapi|sendmsg)/.test(line)).length).toBe(3);
    const victim = [...server.sockets].find((socket) => server.listeners.has(socket) === (which === 'the connection for events'));
    victim?.destroy();
    for (const result of lost) expect(await result).toMatchObject({ ok: false, error: 'unreachable', sent: true });
    await expect.poll(states).toContain('down');
    await expect.poll(states).toEqual(['up', 'down', 'up']);
    expect(links[2]).toEqual({ state: 'up', restarted: false });
    expect(server.commands('event')).toHaveLength(2);
    expect(server.sockets.size).toBe(3);
    await expect.poll(() => client.stats()).toMatchObject({ connects: 2, inFlight: 0, awaited: 0 });
    server.broadcast(dtmf('5'));
    expect(await client.api('status')).toMatchObject({ ok: true });
  });

  test('settles at once also what is asked for in the moment of its loss', async () => {
    const server = await startSwitch();
    const { client, states } = await attach(server.url, { limits: { commandTimeoutMs: 2000 } });
    const results = new Set<string>();
    const enough = new AbortController();
    const ask = async (): Promise<void> => {
      for (let i = 0; !enough.signal.aborted; i += 1) {
        const result = await client.api('status', {}, { order: String(i) });
        results.add(result.ok ? 'ok' : result.error);
        await new Promise((resolve) => { setImmediate(resolve); });
      }
    };
    const askers = Array.from({ length: 5 }, ask);
    for (let losses = 1; losses <= 8; losses += 1) {
      for (const socket of [...server.sockets].filter((each) => !server.listeners.has(each)).slice(0, 1)) socket.destroy();
      await expect.poll(() => states().filter((state) => state === 'up').length, { interval: 5 }).toBe(1 + losses);
    }
    enough.abort();
    await Promise.all(askers);
    expect([...results].toSorted((a, b) => a.localeCompare(b))).toEqual(['ok', 'unreachable']);
  });

  test('refuses while there is none, goes on trying, and knows a switch that was restarted from one that was away', async () => {
    const server = await startSwitch();
    const { client, states, links, logged } = await attach(server.url);
    await server.stop();
    await expect.poll(async () => client.api('status')).toMatchObject({ ok: false, error: 'unreachable', sent: false });
    await expect.poll(() => logged.filter((line) => line.startsWith('The switch cannot be reached')).length).toBeGreaterThan(2);
    const tries = logged.flatMap((line) => (line.startsWith('The switch cannot be reached') ? [Number(/"tries":(\d+)/.exec(line)?.[1])] : []));
    expect(tries.slice(0, 3), 'said the less often the longer it goes on').toEqual([2, 4, 8]);
    const second = await startSwitch({ port: server.port, coreUuid: 'core-2' });
    await expect.poll(states).toEqual(['up', 'down', 'up']);
    expect(links[2]).toEqual({ state: 'up', restarted: true });
    expect(client.coreUuid).toBe('core-2');
    await second.stop();
    await startSwitch({ port: server.port, coreUuid: 'core-2' });
    await expect.poll(() => links.at(-1)).toEqual({ state: 'up', restarted: false });
    await expect.poll(states).toEqual(['up', 'down', 'up', 'down', 'up']);
  });

  test('ends when an event was lost on the way, since others were too', async () => {
    const server = await startSwitch({ echoMarks: (mark) => !mark.endsWith(' 4') });
    const { states, logged } = await attach(server.url, { commandConnections: 1, liveness: { markEveryMs: 10 } });
    await expect.poll(() => states().slice(0, 3)).toEqual(['up', 'down', 'up']);
    expect(logged.join('\n')).toContain('events were lost on the way');
  });

  test('is not ended by a mark for which there was no room', async () => {
    const held: (() => void)[] = [];
    const server = await startSwitch({ answer: ({ line }, socket) => {
      if (!line.startsWith('api uuid')) return undefined;
      held.push(() => { socket.write(apiResponse('+OK\n')); });
      return null;
    } });
    const { client, states } = await attach(server.url, { commandConnections: 1, limits: { maxInFlight: 1, maxQueued: 1 }, liveness: { markEveryMs: 5 } });
    const kill = client.api('uuid_kill', { uuid: 'a' });
    await until(() => held.length === 1 && client.stats().queued === 1, { describe: 'a mark waits behind the command' });
    await stays(() => client.stats().queued === 1, { describe: 'no other has room', forMs: 30 });
    held[0]?.();
    expect(await kill).toMatchObject({ ok: true });
    const lag = client.stats().eventLagMs;
    await until(() => client.stats().eventLagMs !== lag, { describe: 'marks come back' });
    expect(await client.api('status')).toMatchObject({ ok: true });
    expect(states()).toEqual(['up']);
  });

  test.each([
    ['its events stop while commands are answered', { echoMarks: () => false }, 'late'],
    ['its commands are not answered while events flow', { answer: ({ line }: EslCommand) => (line.startsWith('sendevent') ? null : undefined) }, 'no reply'],
  ] as const)('is found dead when %s', async (_, options, words) => {
    const server = await startSwitch(options);
    const { states, logged } = await attach(server.url, { liveness: { markEveryMs: 10, deadAfterMs: 50 } });
    await expect.poll(() => states().slice(0, 3)).toEqual(['up', 'down', 'up']);
    expect(logged.join('\n')).toContain(words);
  });

  test('ends when a command gets the reply of another', async () => {
    const server = await startSwitch({ answer: ({ line }) => (line.startsWith('sendmsg') ? apiResponse('+OK\n') : undefined) });
    const { client, states } = await attach(server.url, { limits: { commandTimeoutMs: 60_000 } });
    expect(await client.execute('leg-1', 'park', '', { timeoutMs: 60_000 })).toMatchObject({ ok: false, error: 'unreachable', sent: true });
    await expect.poll(states).toEqual(['up', 'down', 'up']);
  });

  test('ends when the switch says goodbye, and when it answers what was not asked', async () => {
    const server = await startSwitch();
    const { states, logged } = await attach(server.url);
    server.broadcast('Content-Type: text/disconnect-notice\nContent-Length: 41\n\nkilled listener because of lost events\n\n\n');
    await expect.poll(states).toEqual(['up', 'down', 'up']);
    expect(logged.join('\n')).toContain('killed listener because of lost events');
    server.broadcast(recorded('the end of the module'));
    await expect.poll(states).toEqual(['up', 'down', 'up', 'down', 'up']);
    expect(logged.join('\n')).toContain('The system is being shut down');
    server.broadcast(recorded('an end'));
    await expect.poll(states).toEqual(['up', 'down', 'up', 'down', 'up', 'down', 'up']);
    expect(logged.join('\n')).toContain('answered what was not asked');
  });

  test.each([
    ['up', async (client: EslClient) => { await expect.poll(() => client.stats().connects).toBe(1); }],
    ['down', async (client: EslClient, stop: () => Promise<void>) => { await stop(); await expect.poll(async () => (await client.api('status')).ok).toBe(false); }],
  ])('closed while %s settles everything and leaves nothing open', async (_, reach) => {
    const server = await startSwitch({ answer: hush });
    const { client, links } = await attach(server.url);
    const pending = [client.api('uuid_kill', { uuid: 'a' }), client.execute('a', 'park', '', { timeoutMs: 60_000 })];
    await reach(client, server.stop);
    const before = [...links];
    await Promise.all([client.close(), client.close()]);
    for (const result of pending) expect(await result).toMatchObject({ ok: false, error: 'unreachable' });
    expect(client.stats()).toMatchObject({ inFlight: 0, queued: 0, awaited: 0 });
    expect(links.slice(before.length)).toEqual([]);
    await expect.poll(() => server.sockets.size).toBe(0);
  });

  test('wakes the switch for its events while something is going on, and no longer', async () => {
    const server = await startSwitch();
    const { client } = await attach(server.url, { nudgeEveryMs: 1, liveness: { markEveryMs: 100_000 } });
    let bytes = '';
    for (const socket of server.listeners) socket.on('data', (data: Buffer) => { bytes += data.toString(); });
    await client.api('status');
    await expect.poll(() => bytes).toMatch(/^\n\n+$/);
    let last = '';
    await expect.poll(() => last === (last = bytes), { interval: 100, timeout: 5000 }).toBe(true);
  });
});

describe('A start that cannot work is refused with a sentence', () => {
  test.each([
    ['a wrong password', { password: 'another' }, 'unauthorized', 'refuses the password'],
    ['a FreeSWITCH too old', { version: '1.8.7+git~20190908' }, 'too-old', 'version 1.8.7'],
    ['an address that is not allowed', { greeting: recorded('a rejection') }, 'turned-away', 'apply-inbound-acl'],
    ['a web server', { greeting: 'HTTP/1.1 400 Bad Request\nConnection: close\n\n' }, 'not-freeswitch', 'event_socket.conf.xml'],
    ['a server that says nothing', { greeting: '' }, 'unreachable', 'did not ask for a password'],
    ['a password that is never answered', { answer: () => null }, 'unreachable', 'does not answer commands'],
    ['a switch without its commands', { answer: ({ line }: EslCommand) => (line.startsWith('api') ? apiResponse('-ERR version Command not found!\n') : undefined) }, 'not-freeswitch', 'mod_commands'],
    ['events that are not allowed', { answer: ({ line }: EslCommand) => (line.startsWith('event') ? commandReply('-ERR permission denied') : undefined) }, 'unreachable', 'permission denied'],
  ] as const)('%s', async (_, options, reason, words) => {
    const server = await startSwitch(options);
    const { result, logged, links } = await attach(`freeswitch://:${encodeURIComponent(password)}@127.0.0.1:${server.port}`, { liveness: { connectTimeoutMs: 200 } });
    expect(result).toMatchObject({ ok: false, reason });
    expect(JSON.stringify(result)).toContain(words);
    expect(JSON.stringify([result, logged])).not.toContain(password);
    expect(links).toEqual([]);
    await expect.poll(() => server.sockets.size).toBe(0);
  });

  test('nobody at the port, or no address at all', async () => {
    const server = await startSwitch();
    await server.stop();
    expect((await attach(server.url)).result).toMatchObject({ ok: false, reason: 'unreachable', message: expect.stringContaining('ECONNREFUSED') });
    for (const url of ['', 'freeswitch', 'http://:secret@c', 'freeswitch://127.0.0.1:8021', 'freeswitch://user:secret@127.0.0.1', 'freeswitch://:secret%0Aapi@127.0.0.1', 'freeswitch://:secret@']) {
      const { result } = await attach(url);
      expect(result).toMatchObject({ ok: false, reason: 'bad-address' });
      expect(JSON.stringify(result)).not.toContain('secret');
    }
  });

  test('FreeSWITCH is supported from 1.10 on', () => {
    expect(['1.10.0-release', '1.10.12-release+git~20240802T210227Z', '1.11.1', '2.0.0', 'GIT-master'].filter((version) => !isSupported(version))).toEqual([]);
    expect(['1.8.7', '1.6.20~64bit', '0.9.1', '1.9.0'].filter(isSupported)).toEqual([]);
  });
});
