/** A desk in a test: what it hears, what it says, and a clock that goes from deadline to deadline. */
import type { DeskCommand } from '../../../control-plane/core/queue/commands.ts';
import type { QueueConfig } from '../../../control-plane/core/queue/config.ts';
import { newDesk, type AgentState, type Desk, type Place } from '../../../control-plane/core/queue/desk.ts';
import type { DeskEvent, Found } from '../../../control-plane/core/queue/events.ts';
import type { DeskFact } from '../../../control-plane/core/queue/facts.ts';
import { transition } from '../../../control-plane/core/queue/transition.ts';

/** One tier, longest idle, and no limits; in seconds where a test says nothing. */
export function queue(change: Partial<QueueConfig> & { readonly agents?: readonly string[] } = {}): QueueConfig {
  const { agents = ['ana', 'ben', 'cleo'], ...rest } = change;
  return {
    id: 'front', strategy: 'top-down', fallback: 'longest-idle', stickyWaitMs: 0, tiers: [{ agents: agents.map((agent) => ({ agent, share: 1 })), delayMs: 0 }], weight: 1,
    offerMs: 15_000, wrapUpMs: 0, rejectDelayMs: 0, busyDelayMs: 0, noAnswerDelayMs: 0, pauseAfterMissed: null, maxWaitMs: null, maxLength: null, maxCallbackMs: null,
    joinNeeds: null, stayNeeds: null, stayMs: 0, serviceLevelMs: 20_000, announce: null, ...rest,
  };
}

export interface DeskStory {
  readonly desk: () => Desk;
  readonly now: () => number;
  /** Of the last event, or of all since the last wait began. */
  readonly commands: () => readonly DeskCommand[];
  readonly facts: () => readonly DeskFact[];
  readonly allFacts: () => readonly DeskFact[];
  readonly hears: (event: DeskEvent, random?: number) => DeskStory;
  readonly waits: (ms: number) => DeskStory;
  readonly joins: (callId: string, change?: Partial<Omit<Place, 'callback'>>) => DeskStory;
  readonly leaves: (callId: string, why?: 'abandoned' | 'exit-key' | 'routed') => DeskStory;
  /** From now on what is taken back rings until the test says that it is cleared. */
  readonly ringsOn: () => DeskStory;
  /** Available, with a phone; or on a break, or gone. */
  readonly comes: (...agents: readonly string[]) => DeskStory;
  readonly takesABreak: (agent: string) => DeskStory;
  readonly goes: (agent: string) => DeskStory;
  /** By whoever is offered it, or by this agent. */
  readonly accepts: (callId: string, agent?: string) => DeskStory;
  readonly declines: (callId: string, why?: 'declined' | 'busy' | 'unreachable') => DeskStory;
  readonly ringsOut: (callId: string) => DeskStory;
  /** Accepted and connected. */
  readonly talks: (callId: string) => DeskStory;
  readonly ends: (agent: string) => DeskStory;
  readonly isMeasured: (agent: string, ...calls: readonly string[]) => DeskStory;
  readonly isFound: (found?: Partial<Found>) => DeskStory;
  /** Offers that are out: `call → agent`. */
  readonly offered: () => readonly string[];
  readonly line: (queue?: string) => readonly string[];
  readonly stateOf: (agent: string) => AgentState | undefined;
  readonly offerOf: (callId: string, agent?: string) => string;
}

export function deskOf(configs: readonly QueueConfig[] = [queue()], from: Desk = newDesk(1), begin = 1_000_000): DeskStory {
  let desk = from;
  let now = begin;
  let n = 0;
  let ringsOn = false;
  let [commands, facts]: [DeskCommand[], DeskFact[]] = [[], []];
  const allFacts: DeskFact[] = [];
  const apply = (event: DeskEvent, random = 0): void => {
    const after = transition(desk, event, { now, random });
    desk = after.desk;
    commands.push(...after.commands);
    facts.push(...after.facts);
    allFacts.push(...after.facts);
    if (!ringsOn) for (const one of after.commands) if (one.type === 'WithdrawOffer') apply({ type: 'OfferCleared', offerId: one.offerId });
  };
  const hears = (event: DeskEvent, random?: number): DeskStory => {
    [commands, facts] = [[], []];
    apply(event, random);
    return story;
  };
  const offerOf = (callId: string, agent?: string): string => {
    const offer = Object.values(desk.offers).find((one) => one.callId === callId && (agent === undefined || one.agent === agent));
    if (offer === undefined) throw new Error(`${callId} is not offered; ${JSON.stringify(desk.offers)}`);
    return offer.offerId;
  };
  const status = (agent: string, chosen: 'available' | 'break' | 'offline'): DeskStory => hears({ type: 'AgentStatusChosen', agent, status: chosen, at: now * 10 + n++ });
  const story: DeskStory = {
    desk: () => desk,
    now: () => now,
    commands: () => commands,
    facts: () => facts,
    allFacts: () => allFacts,
    hears,
    waits(ms) {
      [commands, facts] = [[], []];
      const until = now + ms;
      while (desk.alarmAt !== null && desk.alarmAt <= until) {
        now = Math.max(now, desk.alarmAt);
        apply({ type: 'TimerFired' });
      }
      now = until;
      return story;
    },
    ringsOn() {
      ringsOn = true;
      return story;
    },
    joins: (callId, change = {}) => hears({ type: 'CallJoined', place: { callId, visit: 1, queue: 'front', priority: 0, enteredAt: now, joinedAt: now, number: null, sticky: null, ...change } }),
    leaves: (callId, why = 'abandoned') => hears({ type: 'CallLeft', callId, visit: 1, why }),
    comes(...agents) {
      for (const agent of agents) {
        hears({ type: 'AgentLoggedIn', agent, devices: [`${agent}-phone`], at: now * 10 + n++ });
        status(agent, 'available');
      }
      return story;
    },
    takesABreak: (agent) => status(agent, 'break'),
    goes: (agent) => status(agent, 'offline'),
    accepts: (callId, agent) => hears({ type: 'OfferAccepted', offerId: offerOf(callId, agent) }),
    declines: (callId, why = 'declined') => hears({ type: 'OfferRejected', offerId: offerOf(callId), why }),
    ringsOut: (callId) => hears({ type: 'OfferTimedOut', offerId: offerOf(callId) }),
    talks(callId) {
      const offerId = offerOf(callId);
      hears({ type: 'OfferAccepted', offerId });
      return hears({ type: 'OfferConnected', offerId });
    },
    ends: (agent) => hears({ type: 'AgentReleased', offerId: desk.agents[agent]?.service?.offerId ?? 'none' }),
    isMeasured: (agent, ...calls) => hears({ type: 'AgentMeasured', agent, n: ++n, calls }),
    isFound: (found = {}) => hears({ type: 'Rebuilt', found: { epoch: desk.epoch, asOf: now, calls: [], offers: [], services: [], agents: [], ...found } }),
    offered: () => Object.values(desk.offers).map(({ callId, agent }) => `${callId} → ${agent}`),
    line: (id = 'front') => desk.queues[id]?.waiting.map(({ callId }) => callId) ?? [],
    stateOf: (agent) => desk.agents[agent]?.state,
    offerOf,
  };
  hears({ type: 'QueuesConfigured', queues: configs });
  return story;
}

/** Open for work, with everybody there. */
export function openDesk(configs: readonly QueueConfig[] = [queue()], agents: readonly string[] = ['ana', 'ben', 'cleo']): DeskStory {
  return deskOf(configs).isFound().comes(...agents);
}
