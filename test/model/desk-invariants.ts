/** What is true of every desk after every event, worked out anew and in the plainest way from what it holds. */
import { isDeepStrictEqual } from 'node:util';
import type { QueueConfig } from '../../control-plane/core/queue/config.ts';
import type { Agent, Desk, WaitingCall } from '../../control-plane/core/queue/desk.ts';
import type { DeskEvent } from '../../control-plane/core/queue/events.ts';
import type { DeskTransition } from '../../control-plane/core/queue/transition.ts';
import { must } from './invariants.ts';

/** What the desk has said so far, kept beside it. */
export interface Ledger {
  check(before: Desk, event: DeskEvent, after: DeskTransition, now: number): void;
  /** Its owner has been told of it. */
  offered(offerId: string): void;
  wasOffered(offerId: string): boolean;
  /** Another desk goes on, from an earlier state of this one or from none. */
  forget(desk: Desk | null, records: boolean): void;
}

export function createLedger(): Ledger {
  const told = new Set<string>();
  let open = new Map<string, string>();
  let ended = new Set<string>();
  let wrapUp = new Map<string, number>();
  let rests = new Map<string, number>();
  let entered = new Map<string, number>();
  let over = new Set<string>();
  /** Offers of whose talk the end was said. */
  let released = new Set<string>();
  return {
    offered: (offerId) => void told.add(offerId),
    wasOffered: (offerId) => told.has(offerId),
    forget(desk, records) {
      open = new Map(Object.values(desk?.offers ?? {}).map(({ offerId, agent }) => [offerId, agent]));
      ended = new Set((desk?.ended ?? []).flatMap(({ offerId, why }) => (why === 'unknown' ? [] : [offerId])));
      entered = new Map();
      over = new Set();
      released = new Set([...released].filter((offerId) => desk?.ended.some((one) => one.offerId === offerId && one.why !== 'accepted' && one.why !== 'unknown') === true));
      if (records) return;
      wrapUp = new Map(Object.values(desk?.agents ?? {}).map(({ id, wrapUpUntil }) => [id, wrapUpUntil]));
      rests = new Map(Object.values(desk?.agents ?? {}).map(({ id, restUntil }) => [id, restUntil]));
    },
    check(before, event, after, now) {
      const { desk, facts, commands } = after;
      if (event.type === 'AgentReady') {
        wrapUp.delete(event.agent);
        rests.delete(event.agent);
      }
      if (event.type === 'AgentReleased' && !(event.offerId in desk.offers)) released.add(event.offerId);
      for (const { id, service } of Object.values(desk.agents)) must(service === null || !released.has(service.offerId), 'a talk that is over is not found again', { id, service });
      if (event.type === 'Rebuilt') {
        const made = facts.flatMap((fact) => (fact.type === 'OfferMade' ? [fact.offerId] : []));
        for (const { offerId, agent } of Object.values(desk.offers)) {
          if (offerId in before.offers || made.includes(offerId)) continue;
          must(!ended.has(offerId), 'an offer that has ended is not taken up again', offerId);
          open.set(offerId, agent);
        }
      }
      for (const fact of facts) {
        if (fact.type === 'OfferEnded') {
          must(!ended.has(fact.offerId), 'an offer ends once', fact);
          // Of which nobody knew; found again it is open again.
          if (fact.why !== 'unknown') ended.add(fact.offerId);
          open.delete(fact.offerId);
          const config = before.queues[fact.queue]?.config;
          const delayMs = fact.outcome === 'timed-out' || fact.why === 'unreachable' || fact.why === 'not-heard-of' ? config?.noAnswerDelayMs : fact.outcome !== 'rejected' ? 0 : fact.why === 'busy' ? config?.busyDelayMs : config?.rejectDelayMs;
          rests.set(fact.agent, Math.max(rests.get(fact.agent) ?? 0, now + (delayMs ?? 0)));
        }
        if (fact.type === 'ServiceEnded') {
          const config = before.queues[fact.queue]?.config;
          const own = config?.tiers.flatMap(({ agents }) => agents).find(({ agent }) => agent === fact.agent)?.wrapUpMs;
          wrapUp.set(fact.agent, Math.max(wrapUp.get(fact.agent) ?? 0, now + (own ?? config?.wrapUpMs ?? 0)));
        }
        if (fact.type === 'OfferMade') {
          must(![...open.values()].includes(fact.agent), 'an agent has one offer at a time', fact);
          must((wrapUp.get(fact.agent) ?? 0) <= now, 'nobody is offered a call in wrap-up', { ...fact, until: wrapUp.get(fact.agent), now });
          must((rests.get(fact.agent) ?? 0) <= now, 'nobody is asked again before the delay is over', { ...fact, until: rests.get(fact.agent), now });
          open.set(fact.offerId, fact.agent);
          const callback = desk.queues[fact.queue]?.waiting.find(({ callId }) => callId === fact.callId)?.callback;
          must((callback?.notBefore ?? 0) <= now, 'nobody is called back before the pause is over', { ...fact, callback, now });
        }
        if (fact.type === 'CallEntered') {
          must(fact.regained || event.type !== 'CallJoined' || !over.has(fact.callId), 'a join that comes late brings nobody back', fact);
          entered.set(fact.callId, fact.enteredAt);
        }
        if (fact.type === 'CallConnected' || fact.type === 'JoinRefused' || (fact.type === 'CallLeft' && fact.why !== 'lost')) over.add(fact.callId);
        if (fact.type === 'CallRequeued') {
          const call = desk.queues[fact.queue]?.waiting.find(({ callId }) => callId === fact.callId);
          const was = entered.get(fact.callId);
          must(call === undefined || was === undefined || call.enteredAt === was, 'a call that comes back has the place it had', { call, was });
        }
      }
      must(isDeepStrictEqual([...open.keys()].toSorted(), Object.keys(desk.offers).toSorted()), 'every offer that was made ends, and is told', { open: [...open.keys()], offers: Object.keys(desk.offers), event: event.type });
      checkMessage(before, event, after);
      checkHolds(desk);
      checkLines(desk);
      if (desk.phase === 'open') {
        checkServed(before, desk, now);
        checkNotPassedOver(before, after, now);
        checkTimer(desk, now);
      }
      for (const command of commands) if (command.type === 'TellPosition') must((command.estimatedWaitMs ?? 0) <= 3_600_000, 'no wait of more than an hour is told', command);
    },
  };
}

/** Offers, agents and calls say the same of each other. */
function checkHolds(desk: Desk): void {
  const waiting = Object.values(desk.queues).flatMap((queue) => queue.waiting);
  for (const { offerId, agent, callId, queue } of Object.values(desk.offers)) {
    must(desk.agents[agent]?.offer === offerId, 'the offer of an agent is the one there is', { offerId, agent: desk.agents[agent] });
    const call = waiting.find((one) => one.callId === callId);
    must(call?.offers.includes(offerId) === true && call.queue === queue, 'an offer is of a call that waits', { offerId, call });
    must(call?.offers.length === 1 || (desk.queues[queue]?.config.strategy === 'ring-all' && call?.callback === null), 'one agent at a time is asked, unless all are', call);
  }
  for (const { id, offer, service, calls } of Object.values(desk.agents)) {
    must(offer === null || calls.every((callId) => callId === desk.offers[offer]?.callId), 'nobody is rung who is on a call', { id, calls });
    must(offer === null || desk.offers[offer]?.agent === id, 'an agent has an offer there is', { id, offer });
    must(offer === null || service === null, 'nobody is offered a call who has one', id);
  }
  for (const call of waiting) for (const id of call.offers) must(id in desk.offers, 'a call has offers there are', { callId: call.callId, id });
  const everywhere = [...waiting.map(({ callId }) => callId), ...Object.values(desk.agents).flatMap(({ service }) => (service === null || service.connectedAt !== null ? [] : [service.place.callId]))];
  must(new Set(everywhere).size === everywhere.length, 'a call waits once', everywhere);
  const keys = waiting.flatMap(({ callback }) => (callback === null ? [] : [callback.key]));
  must(new Set(keys).size === keys.length, 'a callback is held once', keys);
}

/** What one message must do, or must not. */
function checkMessage(before: Desk, event: DeskEvent, { desk, facts, commands }: DeskTransition): void {
  for (const { id, measured } of Object.values(before.agents)) must((desk.agents[id]?.measured ?? measured) >= measured, 'a report that comes late is not believed', id);
  if (event.type === 'CallLeft' && event.why === 'abandoned') {
    for (const { callId, queue } of Object.values(before.queues).flatMap(({ waiting }) => waiting.filter(({ callback }) => callback !== null))) {
      const held = desk.queues[queue]?.waiting.some((one) => one.callId === callId) === true || Object.values(desk.offers).some((one) => one.callId === callId);
      must(callId !== event.callId || held, 'a callback outlives the hang-up', callId);
    }
  }
  if (event.type === 'CallJoined' && facts.some((one) => one.type === 'CallEntered')) {
    const { queue, number } = event.place;
    const held = (of: Desk): number => of.queues[queue]?.waiting.filter(({ callback }) => callback !== null && callback.number === number).length ?? 0;
    must(held(desk) === Math.max(0, held(before) - 1), 'who is on the line again is not called back beside', event.place);
  }
  if (event.type === 'OfferAccepted') {
    const accepted = Object.values(before.agents).some(({ service }) => service?.offerId === event.offerId && service.connectedAt === null) || event.offerId in before.offers;
    const answered = commands.some((one) => one.type === 'ConnectOffer' && one.offerId === event.offerId);
    must(answered === accepted, 'an acceptance is answered, also the second time', event);
  }
}

const isBefore = (a: WaitingCall, b: WaitingCall): boolean => a.priority > b.priority || (a.priority === b.priority && (a.enteredAt < b.enteredAt || (a.enteredAt === b.enteredAt && a.callId < b.callId)));

function checkLines(desk: Desk): void {
  for (const { waiting } of Object.values(desk.queues)) {
    for (const [i, call] of waiting.entries()) {
      const behind = waiting[i + 1];
      must(behind === undefined || isBefore(call, behind), 'the line is by priority and entry', waiting.map(({ callId }) => callId));
    }
  }
}

const couldBeAsked = (agent: Agent, now: number): boolean =>
  (agent.status === 'available' || (agent.status === 'on-demand' && agent.ready)) && agent.devices.length > 0 && agent.offer === null && (agent.clearing === null || agent.clearing.until <= now) && agent.service === null && agent.calls.length === 0 && agent.wrapUpUntil <= now && agent.restUntil <= now;

const isThere = (desk: Desk, agent: string): boolean => ['available', 'on-demand'].includes(desk.agents[agent]?.status ?? '') && (desk.agents[agent]?.devices.length ?? 0) > 0;

/** Tiers that have joined, as a list of agents. */
function mayServe(desk: Desk, config: QueueConfig, call: WaitingCall, now: number): readonly string[] {
  let until = 0;
  const who: string[] = [];
  for (const { agents, delayMs } of config.tiers) {
    if (Math.max(0, now - call.enteredAt) < until) break;
    who.push(...agents.map(({ agent }) => agent));
    if (agents.some(({ agent }) => isThere(desk, agent))) until += delayMs;
  }
  return who;
}

/** Nobody waits for an agent who could be asked, and nobody was asked past one who comes first. */
function checkServed(before: Desk, desk: Desk, now: number): void {
  const all = Object.values(desk.queues).flatMap(({ config, waiting }) => waiting.map((call) => ({ config, call })));
  const fresh = Object.values(desk.offers).filter(({ offerId, offeredAt }) => !(offerId in before.offers) && offeredAt === now);
  for (const { config, call } of all) {
    const limit = call.callback === null ? config.maxWaitMs : config.maxCallbackMs;
    if (limit !== null && call.joinedAt + limit <= now) continue;
    if (call.callback !== null && call.callback.notBefore > now) continue;
    const held = config.strategy === 'sticky' && call.sticky !== null && now < call.joinedAt + config.stickyWaitMs;
    if (held) continue;
    const may = mayServe(desk, config, call, now);
    const free = may.filter((id) => desk.agents[id] !== undefined && couldBeAsked(desk.agents[id], now));
    const more = config.strategy === 'ring-all' && call.callback === null && call.offers.length > 0;
    if (call.offers.length === 0) must(free.length === 0, 'nobody waits while somebody is free who may serve them', { call: call.callId, free });
    if (more) must(free.every((id) => call.passedBy.includes(id)), 'all are asked where all are to be asked', { call: call.callId, free });
    if (call.offers.length > 0) continue;
    for (const offer of fresh) {
      const other = all.find((one) => one.call.callId === offer.callId);
      if (other === undefined || !may.includes(offer.agent)) continue;
      const first = config.weight > other.config.weight || (config.weight === other.config.weight && isBefore(call, other.call));
      must(!first, 'of those an agent may serve the heavier queue comes first, and then who entered first', { waits: call.callId, asked: other.call.callId, agent: offer.agent });
    }
  }
}

/** Who has let a call pass comes after everybody who has not. */
function checkNotPassedOver(before: Desk, { desk, facts }: DeskTransition, now: number): void {
  for (const fact of facts) {
    if (fact.type !== 'OfferMade') continue;
    const call = desk.queues[fact.queue]?.waiting.find(({ callId }) => callId === fact.callId);
    const was = before.queues[fact.queue]?.waiting.find(({ callId }) => callId === fact.callId);
    const config = desk.queues[fact.queue]?.config;
    if (call === undefined || was === undefined || config === undefined) continue;
    const passed = [...was.passedBy, ...facts.flatMap((one) => (one.type === 'OfferEnded' && one.callId === fact.callId && ['declined', 'busy', 'unreachable', 'no-answer', 'not-heard-of', 'canceled'].includes(one.why) ? [one.agent] : []))];
    if (!passed.includes(fact.agent)) continue;
    const fresh = mayServe(desk, config, call, now).filter((id) => !passed.includes(id) && desk.agents[id] !== undefined && couldBeAsked(desk.agents[id], now));
    const ringsOn = was.offers.some((id) => id in desk.offers);
    must(fresh.length === 0 && !ringsOn, 'who has declined is asked after those who have not', { ...fact, fresh });
  }
}

/** Whatever is due has a timer that is no later. */
function checkTimer(desk: Desk, now: number): void {
  const due: number[] = [];
  for (const { deadline } of Object.values(desk.offers)) due.push(deadline);
  for (const { wrapUpUntil, restUntil, clearing } of Object.values(desk.agents)) due.push(...[wrapUpUntil, restUntil, clearing?.until ?? 0].filter((time) => time > now));
  for (const { config, waiting } of Object.values(desk.queues)) {
    for (const call of waiting) {
      if (config.maxWaitMs !== null && call.callback === null && call.offers.length === 0) due.push(call.joinedAt + config.maxWaitMs);
      if (call.tellAt !== null) due.push(call.tellAt);
      if (call.callback !== null && call.callback.notBefore > now) due.push(call.callback.notBefore);
      const may = mayServe(desk, config, call, now);
      const later = config.tiers.find(({ agents }) => agents.some(({ agent }) => !may.includes(agent)));
      if (later !== undefined) due.push(call.enteredAt + config.tiers.slice(0, config.tiers.indexOf(later)).reduce((sum, { agents, delayMs }) => sum + (agents.some(({ agent }) => isThere(desk, agent)) ? delayMs : 0), 0));
    }
  }
  if (due.length > 0) must(desk.alarmAt !== null && desk.alarmAt <= Math.min(...due), 'whatever is due has its timer', { alarmAt: desk.alarmAt, due });
}
