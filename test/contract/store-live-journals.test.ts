import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startLocalStack, type LocalStack } from '../../control-plane/local-stack/local-stack.ts';
import { memoryJournals } from '../../control-plane/store/memory-journals.ts';
import type { CallerSeen, LiveJournals } from '../../control-plane/store/ports.ts';
import { connectRedis } from '../../control-plane/store/redis/connect.ts';
import { redisCallerNews } from '../../control-plane/store/redis/caller-news.ts';
import { redisJournals, type RedisJournals } from '../../control-plane/store/redis/live-journals.ts';
import { createMetrics } from '../../control-plane/telemetry/metrics.ts';
import { openingOf, silent, stepAt } from '../runtime/sample-call.ts';
import { until } from '../support/until.ts';

function suite(make: () => LiveJournals): void {
  it('gives a call back as it was written, in order', async () => {
    const journals = make();
    const records = [openingOf('c1'), ...Array.from({ length: 30 }, (_, i) => stepAt(i))];
    for (const record of records) journals.append('c1', record);
    journals.append('c2', openingOf('c2'));
    await journals.flush();
    expect(await journals.read('c1')).toEqual(records);
    expect([...(await journals.list())].sort()).toEqual(['c1', 'c2']);
    journals.close('c1');
    journals.close('c2');
    await journals.flush();
  });

  it('knows nothing of a call that is over, and lists it no more', async () => {
    const journals = make();
    journals.append('c3', openingOf('c3'));
    await journals.flush();
    journals.close('c3');
    await journals.flush();
    expect(await journals.read('c3')).toEqual([]);
    expect(await journals.list()).toEqual([]);
  });

  it('forgets a call that ends before its journal has left', async () => {
    const journals = make();
    journals.append('c4', openingOf('c4'));
    journals.close('c4');
    await journals.flush();
    expect(await journals.read('c4')).toEqual([]);
  });
}

describe('live journals in memory', () => {
  suite(() => memoryJournals());
});

const seen = (at: number): CallerSeen => ({ account: 'clinic', number: '+13035550001', at });

describe('live journals in Redis', () => {
  let dir: string;
  let stack: LocalStack;
  let url = '';
  let admin: Redis;
  const opened: RedisJournals[] = [];
  const metrics = createMetrics();

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'frontdesk-store-'));
    stack = await startLocalStack({ dataDir: dir, need: { asterisk: false, redis: true }, progress: () => {} });
    url = stack.redis?.url ?? '';
    admin = new Redis(url);
  }, 120_000);

  afterAll(async () => {
    admin.disconnect();
    await stack.stop();
    await rm(dir, { recursive: true, force: true });
  });

  let redis: Redis;
  beforeEach(async () => {
    await admin.flushall();
    redis = connectRedis(url, silent);
    await new Promise((resolve) => { redis.once('ready', resolve); });
  });
  afterEach(() => {
    for (const journals of opened.splice(0)) journals.stop();
  });

  const make = (maxBuffered?: number, controller = 'one'): RedisJournals => {
    const journals = redisJournals({ redis, controller, log: silent, metrics, ...(maxBuffered === undefined ? {} : { maxBuffered }) });
    opened.push(journals);
    return journals;
  };
  suite(make);

  /** The connection is lost, as by a restart of Redis, and comes back by itself. */
  const cut = async (): Promise<void> => {
    const id = await redis.client('ID');
    const gone = new Promise((resolve) => { redis.once('close', resolve); });
    await admin.client('KILL', 'ID', String(id));
    await gone;
  };

  it('tells who calls to each controller that listens, also after its connections were lost, and understands nothing else', async () => {
    const news = redisCallerNews(redis, silent);
    const heard: CallerSeen[] = [];
    const end = news.listen((seen) => heard.push(seen));
    const listens = (): Promise<unknown> => until(async () => (await admin.pubsub('NUMSUB', 'fd:callers'))[1] === 1, { describe: 'it listens' });
    await listens();
    news.tell(seen(1));
    for (const text of ['null', '{', '{"account":1}']) await admin.publish('fd:callers', text);
    await until(() => heard.length > 0, { describe: 'it is heard' });
    await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await cut();
    await listens();
    await until(() => redis.status === 'ready', { describe: 'the other connection is back' });
    news.tell(seen(2));
    await until(() => heard.length > 1, { describe: 'it is heard again' });
    expect(heard).toEqual([seen(1), seen(2)]);
    end();
    await until(async () => (await admin.pubsub('NUMSUB', 'fd:callers'))[1] === 0, { describe: 'nobody listens any more' });
    expect(await admin.keys('*')).toEqual([]);
  });

  it('leaves no key behind once its calls are over', async () => {
    const journals = make();
    journals.append('k1', openingOf('k1'));
    await journals.flush();
    journals.close('k1');
    await journals.flush();
    expect(await admin.keys('*')).toEqual([]);
  });

  it('sends what was written while Redis was away, once each and in order', async () => {
    const journals = make();
    const records = [openingOf('a1'), ...Array.from({ length: 50 }, (_, i) => stepAt(i))];
    for (const [i, record] of records.entries()) {
      journals.append('a1', record);
      if (i === 20) await cut();
      if (i % 7 === 0) await new Promise((resolve) => { setImmediate(resolve); });
    }
    await new Promise((resolve) => { if (redis.status === 'ready') resolve(null); else redis.once('ready', resolve); });
    await journals.flush();
    expect(await journals.read('a1')).toEqual(records);
  });

  it('adds nothing when a request arrives twice', async () => {
    const first = make();
    first.append('t1', openingOf('t1'));
    first.append('t1', stepAt(1));
    await first.flush();
    // The same records from the same start, as after a reply that was lost.
    const again = make();
    again.append('t1', openingOf('t1'));
    again.append('t1', stepAt(1));
    again.append('t1', stepAt(2));
    await again.flush();
    expect(await again.read('t1')).toEqual([openingOf('t1'), stepAt(1), stepAt(2)]);
  });

  it('continues the journal of an earlier controller', async () => {
    const earlier = make();
    earlier.append('e1', openingOf('e1'));
    await earlier.flush();
    const later = make();
    expect(await later.takeUp('e1')).toHaveLength(1);
    later.append('e1', stepAt(2));
    await later.flush();
    expect(await later.read('e1')).toEqual([openingOf('e1'), stepAt(2)]);
  });

  it('continues a journal where it ends by now, though it was read when another controller had the call', async () => {
    const [one, two] = [make(), make(undefined, 'two')];
    one.append('r1', openingOf('r1'));
    await one.flush();
    expect(await two.read('r1')).toHaveLength(1);
    for (const at of [1, 2, 3]) one.append('r1', stepAt(at));
    await one.flush();
    await two.takeUp('r1');
    for (const at of [4, 5]) two.append('r1', stepAt(at));
    await two.flush();
    expect(await two.read('r1')).toEqual([openingOf('r1'), ...[1, 2, 3, 4, 5].map(stepAt)]);
  });

  it('continues a journal where it ends by now, when the call comes back from another controller that had it meanwhile', async () => {
    const [one, two] = [make(), make(undefined, 'two')];
    one.append('l1', openingOf('l1'));
    await one.flush();
    await two.takeUp('l1');
    for (const at of [1, 2, 3]) two.append('l1', stepAt(at));
    await two.flush();
    // Not sent before it is let go: of the past.
    one.append('l1', stepAt(9));
    one.letGo('l1');
    await one.takeUp('l1');
    for (const at of [4, 5]) one.append('l1', stepAt(at));
    await one.flush();
    expect(await one.read('l1')).toEqual([openingOf('l1'), ...[1, 2, 3, 4, 5].map(stepAt)]);
  });

  it('adds nothing to the journal of a call that another controller has by now', async () => {
    const [one, two] = [make(), make(undefined, 'two')];
    one.append('o1', openingOf('o1'));
    await one.flush();
    await admin.hset('fd:owners', 'o1', 'two');
    await two.takeUp('o1');
    two.append('o1', stepAt(1));
    await two.flush();
    for (const at of [7, 8, 9]) one.append('o1', stepAt(at));
    await one.flush();
    two.append('o1', stepAt(2));
    await two.flush();
    expect(await two.read('o1')).toEqual([openingOf('o1'), stepAt(1), stepAt(2)]);
  });

  it('writes no journal with a hole when Redis was emptied under a live call', async () => {
    const journals = make();
    journals.append('h1', openingOf('h1'));
    await journals.flush();
    await admin.flushall();
    journals.append('h1', stepAt(1));
    await journals.flush();
    expect(await journals.read('h1')).toEqual([]);
    expect(metrics.get('live_journal_gaps_total')).toBe(1);
  });

  it('keeps a beginning of each call, and memory bounded, while Redis is away', async () => {
    const bound = 20_000;
    const journals = make(bound);
    await cut();
    for (let i = 0; i < 1000; i++) journals.append('b1', i === 0 ? openingOf('b1') : stepAt(i));
    expect(metrics.read()['live_journal_buffered_characters']).toBeLessThanOrEqual(bound);
    expect(metrics.get('live_journal_dropped_total')).toBeGreaterThan(0);
    await new Promise((resolve) => { if (redis.status === 'ready') resolve(null); else redis.once('ready', resolve); });
    await journals.flush();
    const kept = await journals.read('b1');
    expect(kept.length).toBeGreaterThan(10);
    expect(kept.slice(1).map((record) => record.at)).toEqual(Array.from({ length: kept.length - 1 }, (_, i) => i + 1));
  });
});
