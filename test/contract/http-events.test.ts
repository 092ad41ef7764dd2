/** The events of an account over a real socket: who may follow, what is told, resuming, and readers who do not read. */
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { NewEvent } from '../../control-plane/events/catalogue.ts';
import { startApi, type KeyName, type TestApi } from './http-fixture.ts';
import { stays, until } from '../support/until.ts';

let server: TestApi;
const limits = { keepAliveMs: 50, unreadBytes: 100_000, unreadMs: 300, streams: 5 };
beforeEach(async () => { server = await startApi({ limits }); });
afterEach(() => server.stop());

interface Following {
  readonly status: number;
  text(): string;
  /** Ids and words of the events so far. */
  told(): readonly (readonly [string | null, string, string])[];
  has(count: number): Promise<readonly string[]>;
  ended(): boolean;
  close(): void;
}

async function follow(query = '', { key = 'northReader', account = 'north', lastEventId }: { key?: KeyName; account?: string; lastEventId?: string } = {}): Promise<Following> {
  const abort = new AbortController();
  const response = await fetch(`${server.url}/api/v1/accounts/${account}/events${query}`, { signal: abort.signal, headers: { authorization: `Bearer ${server.secrets[key]}`, ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }) } });
  let text = '';
  let rest = '';
  let ended = false;
  const told: (readonly [string | null, string, string])[] = [];
  const take = (block: string): void => {
    const [, id = null] = /^id: (.*)$/m.exec(block) ?? [];
    const [, type] = /^event: (.*)$/m.exec(block) ?? [];
    text += `${block.slice(0, 500)}\n\n`;
    if (type === undefined) return;
    const { data } = JSON.parse(/^data: (.*)$/m.exec(block)?.[1] ?? '{}') as { readonly data: { readonly agent?: string } };
    told.push([id, type, data.agent ?? '']);
  };
  void (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      const blocks = (rest + decoder.decode(chunk, { stream: true })).split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) take(block);
    }
  })().catch(() => undefined).finally(() => { ended = true; });
  const words = (): readonly string[] => told.map(([, type, agent]) => (agent === '' ? type : agent));
  const following: Following = { status: response.status, text: () => text, told: () => told, has: (count) => until(() => (told.length >= count ? words() : null), { describe: `${count} events are told; told are ${words().slice(-5).join(', ')}` }), ended: () => ended, close: () => { abort.abort(); } };
  if (response.status === 200) await until(() => text.includes('retry: '), { describe: 'the stream is open' });
  return following;
}

const event = (agent: string, account = 'north'): NewEvent => ({ at: 1000, account, type: 'agent.state', data: { agent, state: 'idle' } });
const status = (agent: string): NewEvent => ({ at: 1000, account: 'north', type: 'agent.status', data: { agent, status: 'break', by: 'agent' } });

describe('the events of an account', () => {
  it('are told with their ids, to its own keys and the agency’s, and nothing of another', async () => {
    const [own, agency] = [await follow(), await follow('', { key: 'agency' })];
    const [a, , b] = await server.events.add(event('a'), event('x', 'south'), event('b'));
    expect([await own.has(2), await agency.has(2)]).toEqual([['a', 'b'], ['a', 'b']]);
    expect(own.told()).toEqual([[a, 'agent.state', 'a'], [b, 'agent.state', 'b']]);
    expect((await follow('', { key: 'south' })).status).toBe(404);
  });

  it('can be asked for by type, and a gap is told all the same', async () => {
    await server.events.add(event('old'), event('older'));
    server.events.trim('north', 1);
    const one = await follow('?types=agent.status,call.ended&after=0');
    await server.events.add(event('a'), status('b'));
    expect(await one.has(2)).toEqual(['gap', 'b']);
    expect(one.told()[0]?.[0]).toBeNull();
    const refused = await server.ask('GET', '/accounts/north/events?types=call.ended,nonsense');
    expect([refused.status, refused.json.problems[0].path]).toEqual([400, 'types']);
  });

  it('go on after the last that a client had, also after one that it did not want', async () => {
    const first = await follow('?types=agent.status');
    const [, wanted = '', unwanted = ''] = await server.events.add(event('a'), status('b'), event('c'));
    await first.has(1);
    await until(() => first.text().includes(`\nid: ${unwanted}\n\n`), { describe: 'its place is told' });
    first.close();
    const [d] = await server.events.add(status('d'));
    const byHeader = await follow('?types=agent.status&after=0', { lastEventId: wanted });
    const byQuery = await follow(`?after=${unwanted}`);
    expect([await byHeader.has(1), await byQuery.has(1), byQuery.told()[0]?.[0]]).toEqual([['d'], ['d'], d]);
    const refused = await server.ask('GET', '/accounts/north/events', { headers: { 'last-event-id': 'yesterday' } });
    expect([refused.status, refused.json.problems[0].message]).toEqual([400, expect.stringContaining('leave it out to begin now')]);
  });

  it('are not to be had while the store is away, which is said; who follows already stays', async () => {
    const stays = await follow();
    server.events.away = true;
    const refused = await server.ask('GET', '/accounts/south/events', { key: 'south' });
    expect([refused.status, refused.headers.get('retry-after'), refused.json.detail]).toEqual([503, '5', expect.stringContaining('Redis')]);
    server.events.away = false;
    await server.events.add(event('a'));
    expect(await stays.has(1)).toEqual(['a']);
  });

  it('end when the controller stops, so that clients go elsewhere, and when the key is deleted', async () => {
    const one = await follow();
    server.api.endStreams();
    await until(() => one.ended(), { describe: 'the stream has ended' });
    const other = await follow();
    await server.ask('DELETE', `/api-keys/${server.secrets.northReader.split('_')[1] ?? ''}`);
    await until(() => other.ended(), { describe: 'the stream of the deleted key has ended' });
    expect(server.unread()).toEqual([]);
  });

  it('are told on so many streams of a key and no more, and the place of one that is left is free', async () => {
    const five = await Promise.all(Array.from({ length: 5 }, () => follow()));
    expect((await server.ask('GET', '/accounts/north/events', { key: 'northReader' })).status).toBe(429);
    five[0]?.close();
    await until(async () => (await follow()).status === 200, { describe: 'there is room again' });
  });

  it('are not begun for who asks for the head alone', async () => {
    for (const path of ['/accounts/north/events', '/events']) expect((await server.ask('HEAD', path)).headers.get('content-type')).toMatch(/^text\/event-stream/);
    expect(server.unread()).toEqual([]);
  });

  it('outlast the time that a request may take to arrive, being told that all is well', async () => {
    const one = await follow();
    await until(() => one.text().split('id: ').length > 6, { describe: 'its place is told again and again' });
    expect(one.ended()).toBe(false);
  });
});

/** Sends the request and reads nothing. */
const deaf = async (lastEventId?: string): Promise<Socket> => {
  const { port, hostname } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  socket.pause();
  await new Promise((resolve) => { socket.once('connect', resolve); });
  socket.write(`GET /api/v1/accounts/north/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${server.secrets.northReader}\r\n${lastEventId === undefined ? '' : `last-event-id: ${lastEventId}\r\n`}\r\n`);
  return socket;
};
const big = (n: number): NewEvent => event(`${n} ${'x'.repeat(20_000)}`);

describe('a client that does not read', () => {
  it('is dropped, having been given no more memory than its limit, and can resume; others are not kept waiting', async () => {
    const reader = await follow();
    const [before] = await server.events.add(event('first'));
    await reader.has(1);
    const socket = await deaf(before);
    let most = 0;
    const buffered = (): number => Math.max(...server.unread());
    await until(() => server.unread().length === 2, { describe: 'both are connected' });
    for (let n = 0; n < 2000; n += 20) {
      await server.events.add(...Array.from({ length: 20 }, (_, i) => big(n + i)));
      await reader.has(1 + n + 20);
      most = Math.max(most, buffered());
    }
    await until(() => {
      most = Math.max(most, server.unread().length === 0 ? 0 : buffered());
      return server.dropped() === 1;
    }, { describe: 'it is dropped', within: 5000 });
    // forty megabytes were told; one event above the limit is the most that waits
    expect(most).toBeLessThan(limits.unreadBytes + 25_000);
    expect(await reader.has(2001)).toHaveLength(2001);
    expect(server.unread()).toHaveLength(1);
    socket.destroy();
    const again = await follow('', { lastEventId: before ?? '' });
    expect((await again.has(2000))[1999]).toMatch(/^1999 /);
  }, 60_000);

  it('for a moment is not dropped, and misses nothing', async () => {
    const [before] = await server.events.add(event('first'));
    const socket = await deaf(before);
    await until(() => server.unread().length === 1, { describe: 'it is connected' });
    await server.events.add(...Array.from({ length: 1000 }, (_, n) => big(n)));
    await until(() => (server.unread()[0] ?? 0) > limits.unreadBytes, { describe: 'its buffer is full' });
    let text = '';
    socket.on('data', (chunk: Buffer) => { text += chunk.toString('latin1'); });
    socket.resume();
    await until(() => text.includes('"agent":"999 '), { describe: 'it has read all' });
    expect([text.split('event: agent.state').length - 1, server.dropped()]).toEqual([1000, 0]);
    await stays(() => server.unread().length === 1, { describe: 'it goes on', forMs: 400 });
    socket.destroy();
  }, 60_000);
});
