/** What became of callbacks, until the database has it: the same in memory, for tests, and in a real Redis. */
import { describe, expect, it } from 'vitest';
import type { CallbackNews, CallbackNewsStore } from '../../control-plane/store/callback-ports.ts';
import { redisCallbackNews } from '../../control-plane/store/redis/callback-news.ts';
import { memoryCallbackNews } from '../support/memory-callbacks.ts';
import { redisOfTests } from '../support/redis-of-tests.ts';

const reached: CallbackNews = { type: 'tried', at: 1_790_000_000_123, call: 'c1', outcome: 'reached' };
const served: CallbackNews = { type: 'over', at: 1_790_000_000_124, account: 'clinic', id: 'cb', outcome: 'served' };

function suite(open: () => Promise<CallbackNewsStore>): void {
  it('is there until it is removed, as it was said first', async () => {
    const news = await open();
    expect(await news.all()).toEqual(new Map());
    await news.put('try c1', reached);
    await news.put('try c1', { type: 'tried', at: 1, call: 'c1', outcome: 'unknown' });
    await news.put('over clinic cb', served);
    expect(await news.all()).toEqual(new Map([['try c1', reached], ['over clinic cb', served]]));
    await news.remove('try c1');
    await news.remove('try c1');
    expect(await news.all()).toEqual(new Map([['over clinic cb', served]]));
  });
}

describe('news of callbacks in memory', () => {
  suite(() => Promise.resolve(memoryCallbackNews()));
});

describe('news of callbacks in Redis', () => {
  const connect = redisOfTests();
  suite(async () => redisCallbackNews(await connect()));

  it('passes over what it does not understand', async () => {
    const redis = await connect();
    const news = redisCallbackNews(redis);
    await news.put('over clinic cb', served);
    await redis.hset('fd:callbacks:news', { cut: '{"type":"tried"', misshapen: '{"type":"tried","at":1}', nothing: 'null' });
    expect(await news.all()).toEqual(new Map([['over clinic cb', served]]));
  });
});
