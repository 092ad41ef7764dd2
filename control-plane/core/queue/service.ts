/** A call that an agent has accepted: connected, or back in its place; and what follows when it is over. */
import type { Ms } from '../time.ts';
import { second } from '../time.ts';
import type { Agent, OfferId, Service, WaitingCall } from './desk.ts';
import { agentOf, changeAgent, command, fact, queueOf, setQueue, type Draft } from './draft.ts';
import { findWaiting, insert, isOver, remember } from './line.ts';
import { endService } from './offers.ts';
import { rest } from './outcomes.ts';

/** From the acceptance to both being connected, the whisper included. */
export const connectLimitMs: Ms = 90 * second;
/** Calls from which the mean time of a call is taken. */
const handledKept = 20;
/** Callers of whom it is known who had them last. */
export const lastAgentsKept = 2000;

export function serving(draft: Draft, offerId: OfferId): (Agent & { readonly service: Service }) | undefined {
  return Object.values(draft.agents).find((agent): agent is Agent & { readonly service: Service } => agent.service?.offerId === offerId);
}

export function offerConnected(draft: Draft, offerId: OfferId): void {
  const agent = serving(draft, offerId);
  if (agent === undefined || agent.service.connectedAt !== null) return;
  const { place } = agent.service;
  const { callId, queue, sticky } = place;
  changeAgent(draft, agent.id, {
    service: { ...agent.service, connectedAt: draft.now },
    taken: { ...agent.taken, [queue]: { calls: (agent.taken[queue]?.calls ?? 0) + 1, lastAt: agent.taken[queue]?.lastAt ?? 0 } },
  });
  if (sticky !== null) draft.lastAgents = [...draft.lastAgents.filter(([key]) => key !== sticky), [sticky, agent.id, draft.now] as const].slice(-lastAgentsKept);
  remember(draft, callId, place.visit, 'connected', null);
  fact(draft, { type: 'CallConnected', callId, queue, agent: agent.id, waitedMs: Math.max(0, draft.now - place.joinedAt) });
}

export function offerBridgeFailed(draft: Draft, offerId: OfferId, lost: 'agent' | 'caller' | 'neither', why = 'not connected'): void {
  const agent = serving(draft, offerId);
  if (agent === undefined || agent.service.connectedAt !== null) return;
  const { place } = agent.service;
  endService(draft, agent.service, why);
  if (lost === 'caller') {
    remember(draft, place.callId, place.visit, 'abandoned', place);
    fact(draft, { type: 'CallLeft', callId: place.callId, queue: place.queue, why: 'abandoned', waitedMs: Math.max(0, draft.now - place.joinedAt) });
    return;
  }
  const queue = queueOf(draft, place.queue);
  if (lost === 'agent') rest(draft, agent.id, queue?.config.rejectDelayMs ?? 0);
  backInPlace(draft, agent.service);
}

/** Where it was, which for one that was served in its turn is the head. */
export function backInPlace(draft: Draft, { agent, place }: Service): void {
  const { callId, visit, queue: id } = place;
  const queue = queueOf(draft, id);
  if (queue === undefined) {
    command(draft, { type: 'LeaveQueue', callId, visit, queue: id, why: 'closed' });
    return;
  }
  if (findWaiting(draft, callId) !== undefined || isOver(draft, callId, visit)) return;
  const call: WaitingCall = { ...place, heardAt: draft.now, offers: [], passedBy: [agent], tellAt: firstTold(draft, false, queue.config.announce?.everyMs) };
  insert(draft, call);
  fact(draft, { type: 'CallRequeued', callId, queue: id, agent });
}

export function firstTold(draft: Draft, nobodyOnTheLine: boolean, afterMs: Ms | undefined): number | null {
  return nobodyOnTheLine || afterMs === undefined ? null : draft.now + afterMs;
}

/** Once, whoever says so first: wrap-up and counts are of the service, not of the message. */
export function released(draft: Draft, offerId: OfferId, why = 'released'): void {
  if (serving(draft, offerId)?.service.connectedAt === null) offerConnected(draft, offerId);
  const agent = serving(draft, offerId);
  if (agent === undefined) return;
  const { place: { callId, queue: id }, acceptedAt, connectedAt } = agent.service;
  const queue = queueOf(draft, id);
  const listed = queue?.config.tiers.flatMap(({ agents }) => agents).find((one) => one.agent === agent.id);
  const wrapUpMs = listed?.wrapUpMs ?? queue?.config.wrapUpMs ?? 0;
  // Of two queues the longer wrap-up holds.
  const wrapUpUntil = Math.max(agent.wrapUpUntil, draft.now + wrapUpMs);
  endService(draft, agent.service, why);
  changeAgent(draft, agent.id, {
    wrapUpUntil, idleSince: Math.max(draft.now, wrapUpUntil),
    taken: { ...agentOf(draft, agent.id).taken, [id]: { calls: agent.taken[id]?.calls ?? 1, lastAt: draft.now } },
  });
  if (queue !== undefined) setQueue(draft, id, { handled: [...queue.handled, draft.now - acceptedAt + wrapUpMs].slice(-handledKept) });
  fact(draft, { type: 'ServiceEnded', callId, queue: id, agent: agent.id, talkedMs: Math.max(0, draft.now - (connectedAt ?? draft.now)) });
}
