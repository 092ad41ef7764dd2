/** What Redis has carried out, by `INFO commandstats`: those inside scripts too. */
import type { Redis } from 'ioredis';

export interface RedisUse {
  readonly calls: ReadonlyMap<string, number>;
  total(): number;
  since(before: RedisUse): RedisUse;
}

export async function redisUse(redis: Redis): Promise<RedisUse> {
  const calls = new Map<string, number>();
  for (const line of (await redis.info('commandstats')).split('\r\n')) {
    const [, name, n] = /^cmdstat_([^:]+):calls=(\d+)/.exec(line) ?? [];
    if (name !== undefined && name !== 'info') calls.set(name, Number(n));
  }
  return useOf(calls);
}

const useOf = (calls: ReadonlyMap<string, number>): RedisUse => ({
  calls,
  total: () => [...calls.values()].reduce((sum, n) => sum + n, 0),
  since: (before) => useOf(new Map([...calls].map(([name, n]) => [name, n - (before.calls.get(name) ?? 0)]))),
});
