/** What controllers of one switch tell each other in passing, in Redis: `fd:told:<name>`. */
import type { Redis } from 'ioredis';
import type { SharedMemory } from '../ports.ts';

const keyOf = (name: string): string => `fd:told:${name}`;

export function redisMemory(redis: Redis): SharedMemory {
  return {
    read: (name) => redis.get(keyOf(name)),
    write: async (name, text) => { await redis.set(keyOf(name), text); },
  };
}
