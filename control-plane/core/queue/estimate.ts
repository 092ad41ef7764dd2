/**
 * How long a caller will wait, as told to them:
 *
 *   position × mean time of the last calls ÷ agents there
 *
 * The time of a call is from its acceptance to the end of the agent's wrap-up, over the last twenty of the queue. There is
 * who is available, busy or not; who serves several queues in which somebody waits counts in each for their part of it. With
 * every agent busy a call ends every mean time ÷ agents, and each end takes one from the head of the line. At most an hour
 * is told. Nothing is, before a call of the queue has ended, or with nobody there.
 */
import { hour, type EpochMs, type Ms } from '../time.ts';
import type { AgentId, QueueId } from './config.ts';
import type { Desk } from './desk.ts';
import { isPresent } from './presence.ts';

const most: Ms = hour;

/** Made once for a moment: the estimate for each position of each queue. */
export function estimates({ queues, agents }: Pick<Desk, 'queues' | 'agents'>, now: EpochMs): (queue: QueueId, position: number) => Ms | null {
  const inQueues = new Map<AgentId, number>();
  for (const { config, waiting } of Object.values(queues)) {
    if (waiting.length > 0) for (const { agent } of config.tiers.flatMap((tier) => tier.agents)) inQueues.set(agent, (inQueues.get(agent) ?? 0) + 1);
  }
  const perPlace = new Map<QueueId, Ms | null>();
  const placeOf = (id: QueueId): Ms | null => {
    const { config, handled } = queues[id] ?? {};
    if (config === undefined || handled === undefined || handled.length === 0) return null;
    let there = 0;
    for (const { agent: one } of config.tiers.flatMap((tier) => tier.agents)) {
      const agent = agents[one];
      if (agent !== undefined && isPresent(agent, 'available', now)) there += 1 / Math.max(1, inQueues.get(one) ?? 0);
    }
    return there === 0 ? null : handled.reduce((sum, ms) => sum + ms, 0) / handled.length / there;
  };
  return (id, position) => {
    if (!perPlace.has(id)) perPlace.set(id, placeOf(id));
    const each = perPlace.get(id) ?? null;
    return each === null ? null : Math.min(most, Math.round(position * each));
  };
}
