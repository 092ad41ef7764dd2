/** Wrong PINs of agents in Redis: `fd:wrong-pins`, by when they were dialled. A call is there once. */
import type { Redis } from 'ioredis';
import type { WrongPin, WrongPinStore } from '../wrong-pin-ports.ts';

const key = 'fd:wrong-pins';

export function redisWrongPins(redis: Redis): WrongPinStore {
  return {
    add: async ({ at, ...pin }, since) => {
      await redis.multi().zadd(key, at, JSON.stringify(pin)).zremrangebyscore(key, '-inf', `(${since}`).exec();
    },
    read: async (since) => {
      const found = await redis.zrange(key, since, '+inf', 'BYSCORE', 'WITHSCORES');
      return found.flatMap((text, i) => (i % 2 === 0 ? [{ ...(JSON.parse(text) as Omit<WrongPin, 'at'>), at: Number(found[i + 1]) }] : []));
    },
  };
}
