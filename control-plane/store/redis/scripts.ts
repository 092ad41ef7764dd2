/** The scripts of lua/, each loaded into Redis once and called by its hash. */
import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';

export type RunScript = (keys: readonly string[], args: readonly (string | number)[]) => Promise<unknown>;

/** Rejects when Redis is away. */
export function redisScript(redis: Redis, name: string): RunScript {
  const text = readFileSync(new URL(`lua/${name}.lua`, import.meta.url), 'utf8');
  let sha: string | null = null;
  return async (keys, args) => {
    sha ??= (await redis.script('LOAD', text)) as string;
    try {
      return await redis.evalsha(sha, keys.length, ...keys, ...args);
    } catch (error) {
      if (!String(error).includes('NOSCRIPT')) throw error;
      sha = null;
      return redis.eval(text, keys.length, ...keys, ...args);
    }
  };
}
