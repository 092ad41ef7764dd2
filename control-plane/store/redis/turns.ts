/** Turns in Redis: `fd:turns`, and for a minute the turn that each call was given. */
import type { Redis } from 'ioredis';
import { minute, type Ms } from '../../core/time.ts';
import type { Turns } from '../ports.ts';
import { redisScript } from './scripts.ts';

export function redisTurns(redis: Redis, rememberMs: Ms = minute): Turns {
  const take = redisScript(redis, 'take-turn');
  return {
    take: async (group, asker, lastSeen) => Number(await take(['fd:turns', `fd:turn:${group}:${asker}`], [group, lastSeen, rememberMs])),
  };
}
