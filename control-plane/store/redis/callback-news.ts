/** What became of callbacks and is not in the database yet, in Redis: `fd:callbacks:news`, a hash. */
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { callbackOutcomes, type CallbackNews, type CallbackNewsStore } from '../callback-ports.ts';

const key = 'fd:callbacks:news';

const newsSchema: z.ZodType<CallbackNews> = z.discriminatedUnion('type', [
  z.object({ type: z.literal('tried'), at: z.number(), call: z.string(), outcome: z.string() }),
  z.object({ type: z.literal('over'), at: z.number(), account: z.string(), id: z.string(), outcome: z.enum(callbackOutcomes) }),
]);

export function redisCallbackNews(redis: Redis): CallbackNewsStore {
  return {
    put: async (name, news) => { await redis.hsetnx(key, name, JSON.stringify(news)); },
    all: async () => new Map(Object.entries(await redis.hgetall(key)).flatMap(([name, text]) => {
      const news = newsOf(text);
      return news === null ? [] : [[name, news] as const];
    })),
    remove: async (name) => { await redis.hdel(key, name); },
  };
}

/** What another release says otherwise waits for one that understands it. */
function newsOf(text: string): CallbackNews | null {
  try {
    return newsSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
