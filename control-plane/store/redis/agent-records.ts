/** What desks keep in Redis: agents' records in `fd:desks:agents:<account>`, what they remember beside in `fd:desks:memory:<account>`, and the epoch of those that may write it. */
import type { Redis } from 'ioredis';
import { hour, type Ms } from '../../core/time.ts';
import type { AgentRecords, KeptAgent } from '../ports.ts';
import { redisScript } from './scripts.ts';

const epochKey = 'fd:desks:epoch';
const agentsKey = (account: string): string => `fd:desks:agents:${account}`;
/** Who was away for longer begins as one of whom nothing is known. */
const keptMs: Ms = 90 * 24 * hour;
const memoryKey = (account: string): string => `fd:desks:memory:${account}`;
const rememberedMs: Ms = 30 * 24 * hour;

export function redisAgentRecords(redis: Redis): AgentRecords {
  const [begin, keep, remember] = [redisScript(redis, 'begin-desks'), redisScript(redis, 'keep-agents'), redisScript(redis, 'keep-memory')];
  return {
    begin: async (atLeast) => {
      const [epoch, before] = (await begin([epochKey], [atLeast])) as readonly [number, number];
      return { epoch, before };
    },
    read: async (account) => Object.values(await redis.hgetall(agentsKey(account))).map((text) => JSON.parse(text) as KeptAgent),
    keep: async (epoch, account, agents) => (await keep([epochKey, agentsKey(account)], [epoch, keptMs, ...agents.flatMap((agent) => [agent.id, JSON.stringify(agent)])])) === 1,
    recall: async (account) => new Map(Object.entries(await redis.hgetall(memoryKey(account)))),
    remember: async (epoch, account, changed, forgotten) => (await remember([epochKey, memoryKey(account)], [epoch, rememberedMs, forgotten.length, ...forgotten, ...[...changed].flat()])) === 1,
  };
}
