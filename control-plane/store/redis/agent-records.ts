/** What desks keep in Redis: agents' records in `fd:desks:agents:<account>`, what they remember beside in `fd:desks:memory:<account>`, and the epoch of those that may write it. */
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { hour, type Ms } from '../../core/time.ts';
import type { AgentRecords, KeptAgent } from '../ports.ts';
import { redisScript } from './scripts.ts';

const epochKey = 'fd:desks:epoch';
const agentsKey = (account: string): string => `fd:desks:agents:${account}`;
/** Who was away for longer begins as one of whom nothing is known. */
const keptMs: Ms = 90 * 24 * hour;
const memoryKey = (account: string): string => `fd:desks:memory:${account}`;
const rememberedMs: Ms = 30 * 24 * hour;

/** A field that records of before do not have needs a default. */
const agentSchema: z.ZodType<KeptAgent> = z.object({
  id: z.string(), status: z.enum(['available', 'on-demand', 'break', 'offline']), statusAt: z.number(), devices: z.array(z.string()), devicesAt: z.number(), ready: z.boolean(),
  wrapUpUntil: z.number(), restUntil: z.number(), missed: z.number(), idleSince: z.number(), taken: z.record(z.string(), z.object({ calls: z.number(), lastAt: z.number() })),
  state: z.enum(['idle', 'offered', 'on-call', 'wrap-up']), stateSince: z.number(), offer: z.string().nullable(), calls: z.array(z.string()),
});

export function redisAgentRecords(redis: Redis): AgentRecords {
  const [begin, keep, remember] = [redisScript(redis, 'begin-desks'), redisScript(redis, 'keep-agents'), redisScript(redis, 'keep-memory')];
  return {
    begin: async (atLeast) => {
      const [epoch, before] = (await begin([epochKey], [atLeast])) as readonly [number, number];
      return { epoch, before };
    },
    read: async (account) => {
      const texts = await redis.hgetall(agentsKey(account)).catch((error: unknown) => {
        if (error instanceof Error && error.message.startsWith('WRONGTYPE')) return null;
        throw error;
      });
      if (texts === null) return { agents: [], unreadable: 'all' };
      const all = Object.entries(texts).map(([id, text]) => ({ id, agent: agentOf(text) }));
      return { agents: all.flatMap(({ agent }) => agent ?? []), unreadable: all.flatMap(({ id, agent }) => (agent === null ? [id] : [])) };
    },
    keep: async (epoch, account, agents) => (await keep([epochKey, agentsKey(account)], [epoch, keptMs, ...agents.flatMap((agent) => [agent.id, JSON.stringify(agent)])])) === 1,
    recall: async (account) => new Map(Object.entries(await redis.hgetall(memoryKey(account)))),
    remember: async (epoch, account, changed, forgotten) => (await remember([epochKey, memoryKey(account)], [epoch, rememberedMs, forgotten.length, ...forgotten, ...[...changed].flat()])) === 1,
  };
}

function agentOf(text: string): KeptAgent | null {
  try {
    return agentSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
