/** Which agents are there: for joining, staying, tiers and the estimate of waits. */
import type { EpochMs } from '../time.ts';
import type { AgentId, Presence, QueueAgent, QueueConfig } from './config.ts';
import type { CallId } from '../ids.ts';
import { callOfOffer, type Agent, type AgentState } from './desk.ts';

/** The measured state. On a call is who has one, whatever way it came, and who has accepted one. */
export function stateOf(agent: Agent, now: EpochMs): AgentState {
  if (agent.service !== null || callsBeside(agent, now).length > 0) return 'on-call';
  if (agent.offer !== null || isClearing(agent, now)) return 'offered';
  return agent.wrapUpUntil > now ? 'wrap-up' : 'idle';
}

/** A call that rings for an offer is the offer's, until nothing of it rings any more. Any other keeps the agent from it, and from the next. */
export function callsBeside(agent: Agent, now: EpochMs): readonly CallId[] {
  const { calls, offer, clearing } = agent;
  if (calls.length === 0) return calls;
  return calls.filter((callId) => (offer === null || callId !== callOfOffer(offer)) && !(isClearing(agent, now) && callId === clearing?.callId));
}

export function isClearing({ clearing }: Agent, now: EpochMs): boolean {
  return clearing !== null && clearing.until > now;
}

export function isFree(agent: Agent, now: EpochMs): boolean {
  const asks = agent.status === 'available' || (agent.status === 'on-demand' && agent.ready);
  return asks && agent.devices.length > 0 && agent.restUntil <= now && stateOf(agent, now) === 'idle';
}

export function isPresent(agent: Agent, presence: Presence, now: EpochMs): boolean {
  switch (presence) {
    case 'logged-in':
      return agent.status !== 'offline' && agent.devices.length > 0;
    case 'available':
      return (agent.status === 'available' || agent.status === 'on-demand') && agent.devices.length > 0;
    case 'free':
      return isFree(agent, now);
  }
}

type Agents = Readonly<Record<AgentId, Agent>>;

export function somebodyOf(listed: readonly QueueAgent[], agents: Agents, presence: Presence, now: EpochMs): boolean {
  return listed.some(({ agent: id }) => {
    const agent = agents[id];
    return agent !== undefined && isPresent(agent, presence, now);
  });
}

export function somebodyIn({ tiers }: QueueConfig, agents: Agents, presence: Presence, now: EpochMs): boolean {
  return tiers.some((tier) => somebodyOf(tier.agents, agents, presence, now));
}

/** After how long a wait each tier has joined. One with nobody available is not waited for. */
export function tiersJoinAfter({ tiers }: QueueConfig, agents: Agents, now: EpochMs): readonly number[] {
  let after = 0;
  return tiers.map((tier) => {
    const joins = after;
    if (somebodyOf(tier.agents, agents, 'available', now)) after += tier.delayMs;
    return joins;
  });
}
