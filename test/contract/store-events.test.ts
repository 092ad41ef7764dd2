/** The streams of events and those who follow them: the same in memory, for tests, and in a real Redis. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { LiveEvent, NewEvent } from '../../control-plane/events/catalogue.ts';
import { createEventFeed, hasPlace, placeOfId, type EventFeed, type EventReader } from '../../control-plane/events/feed.ts';
import { createPublisher } from '../../control-plane/events/publisher.ts';
import { startLocalStack, type LocalStack } from '../../control-plane/local-stack/local-stack.ts';
import type { EventLog } from '../../control-plane/store/event-ports.ts';
import { connectRedis } from '../../control-plane/store/redis/connect.ts';
import { redisEventLog } from '../../control-plane/store/redis/event-log.ts';
import { createMetrics } from '../../control-plane/telemetry/metrics.ts';
import { silent } from '../runtime/sample-call.ts';
import { memoryEventLog } from '../support/memory-events.ts';
import { until } from '../support/until.ts';

interface Place {
  store(): EventLog;
  /** The store loses all it knew. */
  empty(): Promise<void>;
  /** Keeps so few of the account's events. */
  trim(account: string, keep: number): Promise<void>;
}

const event = (agent: string, account = 'north'): NewEvent => ({ at: 1000, account, type: 'agent.state', data: { agent, state: 'idle' } });
const wordOf = (one: LiveEvent): string => (one.type === 'agent.state' ? one.data.agent : one.type === 'gap' ? `gap ${one.data.why}` : one.type);

/** Reads on and on. */
function gather(reader: EventReader): { readonly events: LiveEvent[]; words(): readonly string[]; has(count: number): Promise<readonly string[]> } {
  const events: LiveEvent[] = [];
  void (async () => {
    for (let some = await reader.next(); some.length > 0; some = await reader.next()) events.push(...some);
  })().catch(() => undefined);
  const words = (): readonly string[] => events.map(wordOf);
  return { events, words, has: (count) => until(() => (events.length >= count ? words() : null), { describe: `${count} events are read; there are ${words().join(', ')}` }) };
}

function suite(open: () => Promise<Place>): void {
  const feeds: EventFeed[] = [];
  const publishers = new Map<EventLog, number>();
  afterEach(async () => { for (const feed of feeds.splice(0)) await feed.stop(); });
  const feedOf = (store: EventLog): EventFeed => {
    const feed = createEventFeed({ store, log: silent });
    feeds.push(feed);
    return feed;
  };
  const add = async (store: EventLog, ...events: readonly NewEvent[]): Promise<void> => {
    const n = publishers.get(store) ?? 0;
    publishers.set(store, n + events.length);
    await store.append('one', events.map((one, i) => ({ n: n + i + 1, event: one })));
  };

  it('gives events back in order, each with an id that grows, and to each account its own', async () => {
    const store = (await open()).store();
    await add(store, event('a'), event('x', 'south'), event('b'));
    const kept = (await store.read('north', '0-0', 10)).map(({ event: one }) => (typeof one === 'string' ? one : wordOf(one)));
    expect(kept).toEqual(['began', 'a', 'b']);
    const ends = await store.ends('north');
    const all = await store.read('north', '0-0', 10);
    expect([ends?.first.event, ends?.last]).toEqual(['began', all.at(-1)?.id]);
    expect([await store.read('north', all[1]?.id ?? '', 10), await store.ends('nobody')]).toEqual([all.slice(2), null]);
  });

  it('adds what is sent again only once', async () => {
    const store = (await open()).store();
    const batch = ['a', 'b', 'c'].map((word, i) => ({ n: i + 1, event: event(word) }));
    await store.append('one', batch.slice(0, 2));
    await store.append('one', batch);
    await store.append('two', batch.slice(0, 1));
    expect((await store.read('north', '0-0', 10)).flatMap(({ event: one }) => (typeof one === 'string' ? [] : [wordOf(one)]))).toEqual(['a', 'b', 'c', 'a']);
  });

  it('tells everybody who follows, of the account they follow, from now on', async () => {
    const store = (await open()).store();
    await add(store, event('before'));
    const feed = feedOf(store);
    const [one, two, south] = [gather(await feed.open('north', null)), gather(await feed.open('north', null)), gather(await feed.open('south', null))];
    await add(store, event('a'), event('x', 'south'), event('b'));
    expect([await one.has(2), await two.has(2), await south.has(1)]).toEqual([['a', 'b'], ['a', 'b'], ['x']]);
  });

  it('goes on after the event that is named, with another controller', async () => {
    const place = await open();
    const store = place.store();
    await add(store, ...Array.from({ length: 300 }, (_, i) => event(`e${i}`)));
    const first = gather(await feedOf(store).open('north', '0-0'));
    await first.has(300);
    const after = first.events[120]?.id ?? '';
    const again = gather(await feedOf(place.store()).open('north', placeOfId(after)));
    await add(store, event('new'));
    expect(await again.has(180)).toEqual([...Array.from({ length: 179 }, (_, i) => `e${121 + i}`), 'new']);
  });

  it('tells a gap to who comes back for what is no longer kept, and then what is', async () => {
    const place = await open();
    const store = place.store();
    await add(store, event('a'), event('b'), event('c'), event('d'));
    const [, a, b] = await store.read('north', '0-0', 10);
    await place.trim('north', 2);
    const feed = feedOf(store);
    const late = gather(await feed.open('north', a?.id ?? ''));
    expect(await late.has(3)).toEqual(['gap trimmed', 'c', 'd']);
    expect(hasPlace(late.events[0] as LiveEvent)).toBe(false);
    expect(placeOfId(late.events[0]?.id ?? '')).toBe(a?.id);
    const beginning = gather(await feed.open('north', '0-0'));
    expect((await beginning.has(3))[0]).toBe('gap trimmed');
    // the very next of what it had is there
    const [c] = await store.read('north', b?.id ?? '', 1);
    expect(await gather(await feed.open('north', c?.id ?? '')).has(1)).toEqual(['d']);
  });

  it('tells a gap to who followed while the store lost its memory, and to who comes back', async () => {
    const place = await open();
    const store = place.store();
    await add(store, event('a'));
    const feed = feedOf(store);
    const follower = gather(await feed.open('north', null));
    await add(store, event('b'));
    await follower.has(1);
    const had = follower.events[0]?.id ?? '';
    await place.empty();
    await add(place.store(), event('c'));
    expect(await follower.has(3)).toEqual(['b', 'gap began', 'c']);
    const back = gather(await feedOf(place.store()).open('north', had));
    expect(await back.has(2)).toEqual(['gap began', 'c']);
  });

  it('tells no gap to the first who follow a new account', async () => {
    const store = (await open()).store();
    const follower = gather(await feedOf(store).open('fresh', null));
    await add(store, event('a', 'fresh'));
    expect(await follower.has(1)).toEqual(['a']);
  });

  it('costs no reading for who has left, and ends who waits', async () => {
    const store = (await open()).store();
    const feed = feedOf(store);
    const reader = await feed.open('north', null);
    const waiting = reader.next();
    reader.close();
    reader.close();
    expect(await waiting).toEqual([]);
    const other = await feed.open('north', null);
    const more = other.next();
    await add(store, event('a'));
    expect((await more).map(wordOf)).toEqual(['a']);
  });
}

describe('events in memory', () => {
  suite(async () => {
    const log = memoryEventLog();
    return { store: () => log, empty: async () => { log.empty(1_763_750_000_000); }, trim: async (account, keep) => { log.trim(account, keep); } };
  });
});

describe('events in Redis', () => {
  let dir: string;
  let stack: LocalStack;
  const connections: Redis[] = [];
  const connect = async (): Promise<Redis> => {
    const redis = connectRedis(stack.redis?.url ?? '', silent);
    connections.push(redis);
    await until(() => redis.status === 'ready', { describe: 'Redis is connected' });
    return redis;
  };
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'frontdesk-events-'));
    stack = await startLocalStack({ dataDir: dir, need: { asterisk: false, redis: true }, progress: () => undefined });
  }, 120_000);
  afterEach(async () => {
    await connections[0]?.flushall();
    for (const redis of connections.splice(0)) redis.disconnect();
  });
  afterAll(async () => {
    await stack.stop();
    await rm(dir, { recursive: true });
  });
  suite(async () => {
    const redis = await connect();
    return { store: () => redisEventLog({ redis }), empty: async () => { await redis.flushall(); }, trim: async (account, keep) => { await redis.xtrim(`fd:events:${account}`, 'MAXLEN', keep); } };
  });

  it('keep about as many as they are told to, for as long as they are told to', async () => {
    const redis = await connect();
    const store = redisEventLog({ redis, keep: 200, keepMs: 60_000 });
    for (let n = 1; n <= 2000; n += 100) await store.append('one', Array.from({ length: 100 }, (_, i) => ({ n: n + i, event: event(`e${n + i}`) })));
    const length = await redis.xlen('fd:events:north');
    expect([length >= 200, length < 500]).toEqual([true, true]);
    const left = await redis.pttl('fd:events:north');
    expect([left > 50_000, left <= 60_000]).toEqual([true, true]);
    const short = redisEventLog({ redis, keepMs: 300 });
    await short.append('two', Array.from({ length: 150 }, (_, i) => ({ n: i + 1, event: event('old', 'south') })));
    await until(async () => (await redis.exists('fd:events:south')) === 0, { describe: 'the stream of a quiet account is gone' });
  });

  it('are followed through a restart of Redis that keeps its memory, and of one that does not', async () => {
    const redis = await connect();
    const store = redisEventLog({ redis });
    const feed = createEventFeed({ store, log: silent });
    const follower = gather(await feed.open('north', null));
    await store.append('one', [{ n: 1, event: event('a') }]);
    await follower.has(1);
    // every connection is cut, as by a restart
    await redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await store.append('one', [{ n: 2, event: event('b') }]);
    expect(await follower.has(2)).toEqual(['a', 'b']);
    await redis.flushall();
    await redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await store.append('one', [{ n: 3, event: event('c') }]);
    await until(() => follower.words().includes('c'), { describe: 'the follower goes on' });
    expect(follower.words()).toEqual(['a', 'b', 'gap began', 'c']);
    await feed.stop();
  });

  it('wait for a Redis that is stopped and started again, and come in order', async () => {
    const redis = await connect();
    const store = redisEventLog({ redis });
    const metrics = createMetrics();
    const publisher = createPublisher({ store, log: silent, metrics });
    const feed = createEventFeed({ store, log: silent });
    const follower = gather(await feed.open('north', null));
    publisher.publish(event('e0'));
    await follower.has(1);
    await stack.stop();
    for (let n = 1; n < 300; n++) publisher.publish(event(`e${n}`));
    await until(() => metrics.read()['events_waiting'] === 299, { describe: 'they wait' });
    stack = await startLocalStack({ dataDir: dir, need: { asterisk: false, redis: true }, progress: () => undefined });
    await until(() => follower.words().includes('e299'), { describe: 'the last is told', within: 10_000 });
    // what Redis had not written to its disk it has lost, and says so
    expect(follower.words().filter((word) => word !== 'gap began')).toEqual(Array.from({ length: 300 }, (_, n) => `e${n}`));
    publisher.stop();
    await feed.stop();
  }, 60_000);

  it('use one connection that waits, whatever is followed', async () => {
    const redis = await connect();
    const feed = createEventFeed({ store: redisEventLog({ redis }), log: silent });
    const readers = await Promise.all(Array.from({ length: 60 }, (_, i) => feed.open(`account-${i % 20}`, null)));
    const gathered = readers.map(gather);
    const store = redisEventLog({ redis });
    await store.append('one', Array.from({ length: 20 }, (_, i) => ({ n: i + 1, event: event('a', `account-${i}`) })));
    await until(() => gathered.every(({ events }) => events.length === 1), { describe: 'each has its event' });
    expect(String(await redis.call('CLIENT', 'LIST', 'TYPE', 'normal')).trim().split('\n')).toHaveLength(2);
    await feed.stop();
  });
});
