/** A Redis server for the tests of one file, emptied after each. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { startLocalStack, type LocalStack } from '../../control-plane/local-stack/local-stack.ts';
import { connectRedis } from '../../control-plane/store/redis/connect.ts';
import { silent } from '../runtime/sample-call.ts';
import { until } from './until.ts';

/** Called within a `describe`. What it returns makes a connection, which is closed after the test. */
export function redisOfTests(): () => Promise<Redis> {
  let dir: string;
  let stack: LocalStack;
  const connections: Redis[] = [];
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'frontdesk-redis-'));
    stack = await startLocalStack({ dataDir: dir, need: { asterisk: false, redis: true }, progress: () => undefined });
  }, 120_000);
  afterEach(async () => {
    const [one] = connections;
    await one?.flushall();
    for (const redis of connections.splice(0)) redis.disconnect();
  });
  afterAll(async () => {
    await stack.stop();
    await rm(dir, { recursive: true });
  });
  return async () => {
    const redis = connectRedis(stack.redis?.url ?? '', silent);
    connections.push(redis);
    await until(() => redis.status === 'ready', { describe: 'Redis is connected' });
    return redis;
  };
}
