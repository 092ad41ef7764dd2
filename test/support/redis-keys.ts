/** What the product keeps in Redis, by name. */
import { Redis } from 'ioredis';

export interface RedisKeys {
  /** Every key of a call: its journal, the index while any call is in it. */
  ofCalls(): Promise<readonly string[]>;
  /** The live journals, each a list of records as text. */
  journals(): Promise<readonly (readonly string[])[]>;
  /** The disaster of a Redis that came back empty. */
  empty(): Promise<void>;
  close(): void;
}

export const openRedisKeys = (url: string): RedisKeys => {
  const redis = new Redis(url, { maxRetriesPerRequest: 2 });
  // the tests that stop Redis see it in what they ask for
  redis.on('error', () => undefined);
  return {
    ofCalls: async () => {
      const found = new Set<string>();
      let cursor = '0';
      do {
        const [next, keys] = await redis.scan(cursor, 'MATCH', 'fd:*', 'COUNT', 1_000);
        for (const key of keys) found.add(key);
        cursor = next;
      } while (cursor !== '0');
      return [...found].filter((key) => key === 'fd:calls' || key.startsWith('fd:{'));
    },
    journals: async () => Promise.all((await redis.smembers('fd:calls')).map((callId) => redis.lrange(`fd:{${callId}}:journal`, 0, -1))),
    empty: async () => {
      await redis.flushall();
    },
    close: () => redis.disconnect(),
  };
};
