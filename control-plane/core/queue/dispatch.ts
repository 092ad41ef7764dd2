/**
 * Who is offered to whom, after every event: all calls that somebody free may serve, not the first in line alone. Calls
 * come in the order of their queue's weight, their priority, and their time of entry; to each the strategy of its queue
 * says who of the free is asked. A call that nobody free may serve is passed over, and keeps no other from being served.
 *
 * An agent may serve a call whose queue lists them, in a tier that has joined: each tier with anybody available is waited
 * for as long as it says before the next joins it. Of the tiers that have joined the first with somebody free is asked,
 * but for ring-all, which asks them all. Who has let this call pass is asked again only when all who are free have.
 */
import type { Ms } from '../time.ts';
import type { AgentId, QueueAgent, QueueId } from './config.ts';
import type { Queue, WaitingCall } from './desk.ts';
import { agentOf, queueOf, setQueue, type Draft } from './draft.ts';
import { changeWaiting, compare } from './line.ts';
import { makeOffer } from './offers.ts';
import { isFree, isPresent, tiersJoinAfter } from './presence.ts';
import { strategies } from './strategies/all.ts';
import type { Candidate, Choice } from './strategies/strategy.ts';
import { settle } from './strategies/weighted.ts';

interface Listed extends QueueAgent {
  readonly position: number;
}

/** A queue while it is gone through. */
interface Lane {
  readonly id: QueueId;
  readonly queue: Queue;
  readonly joinAfter: readonly Ms[];
  readonly lastAgents: ReadonlyMap<string, AgentId>;
  /** The line as it was; offers do not change its order. */
  readonly line: readonly WaitingCall[];
  next: number;
  /** Those who are free still, tier by tier. */
  tiers: readonly (readonly Listed[])[];
  /** Who has waited less is offered to nobody: the first of these tiers joins after it. */
  opensAfter: Ms;
}

export function dispatch(draft: Draft): void {
  const free = new Set<AgentId>();
  for (const agent of Object.values(draft.agents)) if (isFree(agent, draft.now)) free.add(agent.id);
  const all = free.size;
  if (all === 0) return;
  const used = Object.entries(draft.queues).filter(([, { waiting }]) => waiting.length > 0);
  const lastAgents = new Map(used.some(([, { config }]) => config.strategy === 'sticky') ? draft.lastAgents.map(([caller, agent]) => [caller, agent]) : []);
  const lanes = used.map(([id, queue]) => laneOf(draft, id, queue, free, lastAgents));
  for (const weight of [...new Set(lanes.map(({ queue }) => queue.config.weight))].toSorted((a, b) => b - a)) {
    let left = lanes.filter(({ queue }) => queue.config.weight === weight);
    let offered = -1;
    for (;;) {
      if (offered !== all - free.size) {
        offered = all - free.size;
        for (const lane of left) refresh(lane, free);
        left = left.filter(({ tiers }) => tiers.some((tier) => tier.length > 0));
      }
      const lane = firstOf(left);
      const call = lane?.line[lane.next];
      if (lane === undefined || call === undefined) break;
      lane.next += 1;
      offerTo(draft, lane, call, free);
    }
  }
}

function laneOf(draft: Draft, id: QueueId, queue: Queue, free: ReadonlySet<AgentId>, lastAgents: Lane['lastAgents']): Lane {
  let position = 0;
  const tiers = queue.config.tiers.map(({ agents }) => agents.map((one): Listed => ({ ...one, position: position++ })).filter(({ agent }) => free.has(agent)));
  return { id, queue, joinAfter: tiersJoinAfter(queue.config, draft.agents, draft.now), lastAgents, line: queue.waiting, next: 0, tiers, opensAfter: 0 };
}

function refresh(lane: Lane, free: ReadonlySet<AgentId>): void {
  lane.tiers = lane.tiers.map((tier) => tier.filter(({ agent }) => free.has(agent)));
  // Who had the caller last is not asked by tiers.
  lane.opensAfter = lane.queue.config.strategy === 'sticky' ? 0 : Math.min(...lane.joinAfter.filter((_, i) => (lane.tiers[i]?.length ?? 0) > 0));
}

function firstOf(lanes: readonly Lane[]): Lane | undefined {
  let first: Lane | undefined;
  for (const lane of lanes) {
    const [a, b] = [lane.line[lane.next], first?.line[first.next]];
    if (a !== undefined && (b === undefined || compare(a, b) < 0)) first = lane;
  }
  return first;
}

/** Past this a call is offered to nobody any more: it waits for the end of what is offered, and leaves. */
export function waitIsOver({ config }: Queue, call: WaitingCall, now: number): boolean {
  const until = leavesAt(config, call);
  return until !== null && until <= now;
}

export function leavesAt({ maxWaitMs, maxCallbackMs }: Queue['config'], { callback, joinedAt }: WaitingCall): number | null {
  const limit = callback === null ? maxWaitMs : maxCallbackMs;
  return limit === null ? null : joinedAt + limit;
}

function offerTo(draft: Draft, lane: Lane, call: WaitingCall, free: Set<AgentId>): void {
  // Another controller's clock may be ahead.
  const waited = Math.max(0, draft.now - call.enteredAt);
  if (waited < lane.opensAfter || (call.callback !== null && call.callback.notBefore > draft.now)) return;
  const { config } = lane.queue;
  // One agent is enough to be kept while a number is called.
  const all = config.strategy === 'ring-all' && call.callback === null;
  if ((call.offers.length > 0 && !all) || waitIsOver(lane.queue, call, draft.now)) return;
  const joined = lane.tiers.filter((_, i) => (lane.joinAfter[i] ?? 0) <= waited);
  const last = config.strategy === 'sticky' ? lastAgentOf(draft, lane, call) : null;
  if (last !== null && !call.passedBy.includes(last) && !free.has(last) && draft.now < call.joinedAt + config.stickyWaitMs) return;
  let could = whoCould(lane, joined, last, call.passedBy);
  if (could.length === 0) {
    // Everybody has let it pass who is free: once more from the beginning, but not to those alone who have while it rings elsewhere.
    if (call.passedBy.length === 0 || call.offers.length > 0) return;
    could = whoCould(lane, joined, last, []);
    if (could.length === 0) return;
    changeWaiting(draft, call, { passedBy: [] });
  }
  const candidates = could.map((one) => candidateOf(draft, lane.id, one));
  const order = strategies[config.strategy](candidates, choiceOf(draft, lane, last));
  for (const { agent } of all ? order : order.slice(0, 1)) {
    free.delete(agent);
    makeOffer(draft, call, agentOf(draft, agent));
    noteAsked(draft, lane, agent, agent === last ? [] : candidates);
  }
}

/**
 * Who may be asked for a call that these have let pass, by position: of the tiers that have joined the first with somebody
 * left, for ring-all all of them, and who had the caller last, of whatever tier.
 */
function whoCould({ queue: { config }, tiers }: Lane, joined: Lane['tiers'], last: AgentId | null, passedBy: readonly AgentId[]): readonly Listed[] {
  const passed = new Set(passedBy);
  const left = passed.size === 0 ? joined : joined.map((tier) => tier.filter(({ agent }) => !passed.has(agent)));
  const asked = config.strategy === 'ring-all' ? left.flat() : (left.find((tier) => tier.length > 0) ?? []);
  if (last === null || passed.has(last)) return asked;
  const own = tiers.flat().filter((one) => one.agent === last && !asked.includes(one));
  return own.length === 0 ? asked : [...own, ...asked].toSorted((a, b) => a.position - b.position);
}

function candidateOf(draft: Draft, queue: QueueId, { agent: id, position, share }: Listed): Candidate {
  const { idleSince, taken } = agentOf(draft, id);
  return { agent: id, position, share, idleSince, calls: taken[queue]?.calls ?? 0, lastAt: taken[queue]?.lastAt ?? 0 };
}

function choiceOf(draft: Draft, { id, queue: { config } }: Lane, lastAgent: AgentId | null): Choice {
  const { lastAsked, credit } = queueOf(draft, id) ?? { lastAsked: null, credit: {} };
  const listed = config.tiers.flatMap(({ agents }) => agents);
  return { lastAsked: listed.findIndex(({ agent }) => agent === lastAsked), credit, lastAgent, fallback: config.fallback, random: draft.random };
}

/** Who had this caller last, serves this queue and is there. */
function lastAgentOf(draft: Draft, { queue: { config }, lastAgents }: Lane, { sticky }: WaitingCall): AgentId | null {
  if (sticky === null) return null;
  const id = lastAgents.get(sticky);
  if (id === undefined || !config.tiers.some(({ agents }) => agents.some(({ agent }) => agent === id))) return null;
  return isPresent(agentOf(draft, id), 'available', draft.now) ? id : null;
}

/** What the strategies remember. Who was asked because of the caller has not had a turn for it. */
function noteAsked(draft: Draft, { id, queue: { config } }: Lane, agent: AgentId, candidates: readonly Candidate[]): void {
  if (candidates.length === 0) return;
  const credit = queueOf(draft, id)?.credit ?? {};
  const weighs = config.strategy === 'weighted' || (config.strategy === 'sticky' && config.fallback === 'weighted');
  setQueue(draft, id, { lastAsked: agent, ...(weighs ? { credit: settle(credit, candidates, agent) } : {}) });
}
