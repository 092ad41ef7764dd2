/** A transition in the making. What it changes is copied once, and then changed in place: a desk may hold thousands. */
import type { EpochMs } from '../time.ts';
import type { AgentId, QueueId } from './config.ts';
import type { DeskCommand } from './commands.ts';
import { newAgent, type Agent, type Desk, type EndedOffer, type LeftCall, type Offer, type OfferId, type Queue } from './desk.ts';
import type { DeskFact } from './facts.ts';

export interface Context {
  readonly now: EpochMs;
  /** At least 0, below 1; drawn anew for each event. */
  readonly random: number;
}

export interface Draft {
  readonly now: EpochMs;
  readonly random: () => number;
  readonly before: Desk;
  epoch: number;
  phase: Desk['phase'];
  queues: Readonly<Record<QueueId, Queue>>;
  agents: Readonly<Record<AgentId, Agent>>;
  offers: Readonly<Record<OfferId, Offer>>;
  ended: readonly EndedOffer[];
  left: readonly LeftCall[];
  lastAgents: Desk['lastAgents'];
  alarmAt: EpochMs | null;
  n: number;
  /** Queues whose line is a copy of this draft's already. */
  readonly ownLines: Set<QueueId>;
  readonly commands: DeskCommand[];
  readonly facts: DeskFact[];
}

export function draftOf(desk: Desk, ctx: Context): Draft {
  const { epoch, phase, queues, agents, offers, ended, left, lastAgents, alarmAt, n } = desk;
  return { now: ctx.now, random: generator(ctx.random), before: desk, epoch, phase, queues, agents, offers, ended, left, lastAgents, alarmAt, n, ownLines: new Set(), commands: [], facts: [] };
}

export function deskOf({ epoch, phase, queues, agents, offers, ended, left, lastAgents, alarmAt, n }: Draft): Desk {
  return { version: 1, epoch, phase, queues, agents, offers, ended, left, lastAgents, alarmAt, n };
}

/** As many numbers as are wanted from the one that came with the event (mulberry32, 32 bits of state). */
function generator(random: number): () => number {
  let state = Math.floor(random * 2 ** 32);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function queueOf(draft: Draft, id: QueueId): Queue | undefined {
  return Object.hasOwn(draft.queues, id) ? draft.queues[id] : undefined;
}

export function setQueue(draft: Draft, id: QueueId, fields: Partial<Queue>): void {
  const queue = queueOf(draft, id);
  if (queue === undefined) return;
  if (draft.queues === draft.before.queues) draft.queues = { ...draft.queues };
  (draft.queues as Record<QueueId, Queue>)[id] = { ...queue, ...fields };
}

/** One of whom nothing has been heard yet is made. */
export function agentOf(draft: Draft, id: AgentId): Agent {
  return (Object.hasOwn(draft.agents, id) ? draft.agents[id] : undefined) ?? newAgent(id, draft.now);
}

export function setAgent(draft: Draft, agent: Agent): void {
  if (draft.agents === draft.before.agents) draft.agents = { ...draft.agents };
  (draft.agents as Record<AgentId, Agent>)[agent.id] = agent;
}

export function changeAgent(draft: Draft, id: AgentId, fields: Partial<Agent>): void {
  setAgent(draft, { ...agentOf(draft, id), ...fields });
}

export function offerOf(draft: Draft, id: OfferId): Offer | undefined {
  return Object.hasOwn(draft.offers, id) ? draft.offers[id] : undefined;
}

/** Open offers, this one among them or not. */
export function setOffer(draft: Draft, id: OfferId, offer: Offer | null): void {
  if (draft.offers === draft.before.offers) draft.offers = { ...draft.offers };
  if (offer === null) delete (draft.offers as Record<OfferId, Offer>)[id];
  else (draft.offers as Record<OfferId, Offer>)[id] = offer;
}

export function command(draft: Draft, value: DeskCommand): void {
  draft.commands.push(value);
}

export function fact(draft: Draft, value: DeskFact): void {
  draft.facts.push(value);
}
