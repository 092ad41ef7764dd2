/**
 * `node test/bench/desk.ts`: how long a desk takes for an event at 200 agents and 2,000 waiting calls, and how far the
 * estimate of waits is from what callers then wait. Single-threaded, no network; the figures are in docs/decisions/0022.
 */
import type { QueueConfig, StrategyName } from '../../control-plane/core/queue/config.ts';
import { newDesk, type Desk } from '../../control-plane/core/queue/desk.ts';
import type { DeskEvent } from '../../control-plane/core/queue/events.ts';
import { estimates } from '../../control-plane/core/queue/estimate.ts';
import { transition, type DeskTransition } from '../../control-plane/core/queue/transition.ts';

let state = 1;
const random = (): number => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
};

function queue(id: string, strategy: StrategyName, agents: readonly string[], announced: boolean): QueueConfig {
  const half = agents.length >> 1;
  return {
    id, strategy, fallback: 'longest-idle', stickyWaitMs: 5000, tiers: [agents.slice(0, half), agents.slice(half)].map((tier) => ({ agents: tier.map((agent) => ({ agent, share: 1 })), delayMs: 20_000 })),
    weight: 1, offerMs: 15_000, wrapUpMs: 0, rejectDelayMs: 5000, busyDelayMs: 5000, noAnswerDelayMs: 5000, pauseAfterMissed: 3, maxWaitMs: 3_600_000, maxLength: null, maxCallbackMs: null,
    joinNeeds: 'logged-in', stayNeeds: 'logged-in', stayMs: 30_000, serviceLevelMs: 20_000, announce: announced ? { firstMs: 30_000, everyMs: 30_000 } : null,
  };
}

function opened(configs: readonly QueueConfig[], agents: readonly string[], now: number): Desk {
  const said: DeskEvent[] = [
    { type: 'QueuesConfigured', queues: configs }, { type: 'Rebuilt', found: { epoch: 1, asOf: 0, calls: [], offers: [], services: [], agents: [] } },
    ...agents.flatMap((agent): DeskEvent[] => [{ type: 'AgentLoggedIn', agent, devices: [agent], at: 1 }, { type: 'AgentStatusChosen', agent, status: 'available', at: 1 }]),
  ];
  return said.reduce((desk, event) => transition(desk, event, { now, random: random() }).desk, newDesk(1));
}

const joined = (callId: string, id: string, now: number): DeskEvent => ({ type: 'CallJoined', place: { callId, visit: 1, queue: id, priority: 0, enteredAt: now, joinedAt: now, number: `+1202555${callId}`, sticky: `+1202555${callId}` } });

function speed(strategy: StrategyName, waiting: number): string {
  const agents = Array.from({ length: 200 }, (_, i) => `agent-${i}`);
  // ten queues, everybody in three of them
  const configs = Array.from({ length: 10 }, (_, q) => queue(`q${q}`, strategy, agents.filter((_, i) => [i % 10, (i * 3 + 1) % 10, (i * 7 + 2) % 10].includes(q)), true));
  let now = 1_000_000;
  let desk = opened(configs, agents, now);
  const times = new Map<string, number[]>();
  const hear = (event: DeskEvent, timed: boolean): DeskTransition => {
    const begin = performance.now();
    const after = transition(desk, event, { now, random: random() });
    if (timed) times.set(event.type, [...(times.get(event.type) ?? []), performance.now() - begin]);
    desk = after.desk;
    return after;
  };
  const take = (after: DeskTransition, timed: boolean): void => {
    for (const { offerId } of after.commands.flatMap((one) => (one.type === 'OfferCall' ? [one] : []))) {
      if (!(offerId in desk.offers)) continue;
      const accepted = hear({ type: 'OfferAccepted', offerId }, timed);
      clear(accepted, timed);
      hear({ type: 'OfferConnected', offerId }, timed);
    }
  };
  const clear = ({ commands }: DeskTransition, timed: boolean): void => {
    for (const one of commands) if (one.type === 'WithdrawOffer') take(hear({ type: 'OfferCleared', offerId: one.offerId }, timed), timed);
  };
  let calls = 0;
  const join = (timed: boolean): void => take(hear(joined(String(calls), `q${calls++ % 10}`, now), timed), timed);
  while (Object.values(desk.queues).reduce((sum, one) => sum + one.waiting.length, 0) < waiting) {
    now += 10;
    join(false);
    if (desk.alarmAt !== null && desk.alarmAt <= now) take(hear({ type: 'TimerFired' }, false), false);
  }
  for (let i = 0; i < 2000; i++) {
    now += 10;
    if (desk.alarmAt !== null && desk.alarmAt <= now) take(hear({ type: 'TimerFired' }, true), true);
    const busy = Object.values(desk.agents).find(({ service }, n) => service !== null && n >= i % 200);
    if (busy !== undefined && busy.service !== null) take(hear({ type: 'AgentReleased', offerId: busy.service.offerId }, true), true);
    join(true);
  }
  const line = [...times].map(([type, all]) => {
    const sorted = all.toSorted((a, b) => a - b);
    return `${type} ${(sorted[sorted.length >> 1] ?? 0).toFixed(2)} / ${(sorted[Math.floor(sorted.length * 0.99)] ?? 0).toFixed(2)}`;
  });
  return `${strategy}, ${waiting} waiting: p50 / p99 ms: ${line.join(', ')}; ${Math.round(JSON.stringify(desk).length / 1024)} KB`;
}

/** One queue, calls of random length (exponential), callers as patient as need be; the load is of the agents' time. */
function estimateError(agentCount: number, load: number, exponential: boolean): string {
  const agents = Array.from({ length: agentCount }, (_, i) => `agent-${i}`);
  const meanMs = 180_000;
  let now = 1_000_000;
  let desk = opened([queue('q', 'longest-idle', agents, false)], agents, now);
  const agenda: { at: number; event: DeskEvent | null }[] = [];
  const plan = (at: number, event: DeskEvent | null): void => {
    const i = agenda.findIndex((one) => one.at > at);
    agenda.splice(i < 0 ? agenda.length : i, 0, { at, event });
  };
  const told = new Map<string, { readonly at: number; readonly estimate: number }>();
  const errors: { readonly estimate: number; readonly waited: number }[] = [];
  const take = (after: DeskTransition): void => {
    desk = after.desk;
    for (const one of after.commands) {
      if (one.type !== 'OfferCall' || !(one.offerId in desk.offers)) continue;
      const was = told.get(one.callId);
      if (was !== undefined) errors.push({ estimate: was.estimate, waited: now - was.at });
      for (const type of ['OfferAccepted', 'OfferConnected'] as const) desk = transition(desk, { type, offerId: one.offerId }, { now, random: random() }).desk;
      plan(now + (exponential ? -Math.log(1 - random()) * meanMs : meanMs * (0.7 + 0.6 * random())), { type: 'AgentReleased', offerId: one.offerId });
    }
  };
  plan(now, null);
  for (let calls = 0; calls < 6000;) {
    const next = agenda.shift();
    if (next === undefined) break;
    now = Math.max(now, Math.round(next.at));
    if (next.event !== null) {
      take(transition(desk, next.event, { now, random: random() }));
      continue;
    }
    const callId = String(calls++);
    take(transition(desk, joined(callId, 'q', now), { now, random: random() }));
    const position = desk.queues['q']?.waiting.findIndex((one) => one.callId === callId) ?? -1;
    const estimate = estimates(desk, now)('q', position + 1);
    if (position >= 0 && estimate !== null) told.set(callId, { at: now, estimate });
    // Once the line is long the load falls to what keeps it.
    const factor = (desk.queues['q']?.waiting.length ?? 0) > agentCount * 2 ? 0.9 : load;
    plan(now + (-Math.log(1 - random()) * meanMs) / agentCount / factor, null);
  }
  const off = errors.map(({ estimate, waited }) => estimate - waited).toSorted((a, b) => a - b);
  const at = (share: number): string => ((off[Math.floor(off.length * share)] ?? 0) / 1000).toFixed(0);
  const waited = errors.reduce((sum, one) => sum + one.waited, 0) / errors.length / 1000;
  return `${agentCount} agents, calls of 180 s (${exponential ? 'exponential' : '±30 %'}): ${errors.length} who waited, ${waited.toFixed(0)} s on average; estimate − wait, s: p10 ${at(0.1)}, median ${at(0.5)}, p90 ${at(0.9)}`;
}

for (const strategy of ['longest-idle', 'weighted', 'ring-all', 'sticky'] as const) console.log(speed(strategy, 2000));
console.log(speed('longest-idle', 20));
for (const agentCount of [3, 20]) for (const exponential of [true, false]) console.log(estimateError(agentCount, 1.1, exponential));
