/**
 * The desk against what was found: after another controller has taken it over, knowing it wholly, in part or not at all,
 * and now and then in between, since messages are lost. What was found is true of the moment it was asked for (`asOf`);
 * what the desk has heard since is newer and stays. What the desk has of before and nobody has found is no more.
 */
import { second, type Ms } from '../time.ts';
import type { AgentId } from './config.ts';
import type { Agent, AgentRecord, OfferId, Place, Service, WaitingCall } from './desk.ts';
import type { Found } from './events.ts';
import { measured, takeDevices } from './agents.ts';
import { callbackRequested, isHeldElsewhere } from './callback.ts';
import { agentOf, changeAgent, command, fact, offerOf, queueOf, setAgent, setOffer, type Draft } from './draft.ts';
import { keyOfCallback, leave, toldAgain } from './leaving.ts';
import { changeWaiting, compare, findWaiting, insert, overBy, remember, remove } from './line.ts';
import { endOffer, endService, lostSightOf, withdraw, withdrawAllOf } from './offers.ts';
import { backInPlace, firstTold, released, serving } from './service.ts';

export function rebuilt(draft: Draft, found: Found): void {
  if (found.epoch < draft.epoch) return;
  draft.epoch = found.epoch;
  draft.phase = 'open';
  for (const record of found.agents) agentFound(draft, record);
  takeDevices(draft);
  endServices(draft, found);
  endOffers(draft, found);
  callsFound(draft, found.calls.toSorted(compare));
  endCalls(draft, found);
  for (const service of found.services) serviceFound(draft, service);
  // Whose phone rang when the desk was left may be free by now.
  for (const { id, n, calls } of found.agents) measured(draft, id, { n, calls });
  for (const offer of found.offers) offerFound(draft, offer);
  fact(draft, { type: 'DeskRebuilt', calls: found.calls.length, offers: found.offers.length, agents: found.agents.length });
}

/** Of what two have written the later, and of delays the longer. Of whom the desk has only read in a queue's list it knows nothing. */
function agentFound(draft: Draft, record: AgentRecord): void {
  const known = agentOf(draft, record.id);
  const isKnown = known.statusAt > 0 || known.devicesAt > 0;
  const merged: Agent = {
    ...known,
    ...(isKnown ? {} : { missed: record.missed, idleSince: record.idleSince }),
    ...(record.statusAt > known.statusAt ? { status: record.status, statusAt: record.statusAt, ready: record.ready } : {}),
    ...(record.devicesAt > known.devicesAt ? { devices: record.devices, devicesAt: record.devicesAt } : {}),
    wrapUpUntil: Math.max(known.wrapUpUntil, record.wrapUpUntil),
    restUntil: Math.max(known.restUntil, record.restUntil),
    taken: mostTaken(known.taken, record.taken),
  };
  setAgent(draft, merged);
}

function mostTaken(a: AgentRecord['taken'], b: AgentRecord['taken']): AgentRecord['taken'] {
  return Object.fromEntries([...new Set([...Object.keys(a), ...Object.keys(b)])].map((queue) => {
    return [queue, { calls: Math.max(a[queue]?.calls ?? 0, b[queue]?.calls ?? 0), lastAt: Math.max(a[queue]?.lastAt ?? 0, b[queue]?.lastAt ?? 0) }];
  }));
}

function endServices(draft: Draft, { asOf, services, offers, calls }: Found): void {
  for (const { service } of Object.values(draft.agents)) {
    if (service === null || service.acceptedAt > asOf || services.some(({ offerId }) => offerId === service.offerId)) continue;
    // Accepted, and not told yet that it may be connected.
    if (service.connectedAt === null && offers.some(({ offerId }) => offerId === service.offerId)) continue;
    if (service.connectedAt !== null) {
      released(draft, service.offerId, lostSightOf);
      continue;
    }
    endService(draft, service, lostSightOf);
    if (calls.some((one) => isOf(one, service.place))) backInPlace(draft, service);
    else fact(draft, { type: 'CallLeft', callId: service.place.callId, queue: service.place.queue, why: 'lost', waitedMs: Math.max(0, draft.now - service.place.joinedAt) });
  }
}

/** An offer is on its way to its call for so long: kept with its agent, and told over the network. */
const underWayMs: Ms = second;

function endOffers(draft: Draft, { asOf, offers, services }: Found): void {
  const found = new Set([...offers, ...services].map(({ offerId }) => offerId));
  for (const offer of Object.values(draft.offers)) {
    // Of a callback no call knows.
    const isCallback = findWaiting(draft, offer.callId)?.callback != null;
    if (offer.offeredAt + underWayMs <= asOf && !found.has(offer.offerId) && !isCallback) withdraw(draft, offer, 'canceled', lostSightOf);
  }
}

/** There may be thousands: each is looked up, not looked for. */
function callsFound(draft: Draft, places: readonly Place[]): void {
  const served = new Set(Object.values(draft.agents).flatMap(({ service }) => (service === null ? [] : [keyOf(service.place)])));
  let waiting = waitingCalls(draft);
  const done = new Set<string>();
  for (const place of places) {
    // Two controllers may both believe that they have it.
    callFound(draft, place, done.has(place.callId) ? findWaiting(draft, place.callId) : waiting.get(place.callId), served);
    done.add(place.callId);
    // What is held for a callback may have taken the place of others.
    if (place.callback !== null) waiting = waitingCalls(draft);
  }
}

function waitingCalls(draft: Draft): ReadonlyMap<string, WaitingCall> {
  return new Map(Object.values(draft.queues).flatMap(({ waiting }) => waiting.map((call) => [call.callId, call] as const)));
}

function callFound(draft: Draft, place: Place, known: WaitingCall | undefined, served: ReadonlySet<string>): void {
  if (known !== undefined && known.visit >= place.visit) {
    // Whoever keeps the callback knows of it; the desk may not.
    if (known.visit === place.visit && known.callback === null && place.callback !== null) callbackRequested(draft, { type: 'CallbackRequested', callId: place.callId, visit: place.visit, ...place.callback });
    else if (known.visit === place.visit && place.callback !== null) changeWaiting(draft, known, { callback: place.callback });
    return;
  }
  const queue = queueOf(draft, place.queue);
  // Its caller's hang-up was heard of, and the request for a callback was not.
  if (place.callback !== null && overBy(draft, place.callId, place.visit) === 'abandoned') draft.left = draft.left.filter(({ callId }) => callId !== place.callId);
  if (toldAgain(draft, place) || served.has(keyOf(place))) return;
  if (known !== undefined) leave(draft, known, 'routed');
  const isHeld = place.callback !== null && isHeldElsewhere(draft, place.callback.key, place.callId);
  if (queue === undefined || isHeld) {
    const why = isHeld ? 'already-held' : 'closed';
    remember(draft, place.callId, place.visit, why, null);
    command(draft, { type: 'LeaveQueue', callId: place.callId, visit: place.visit, queue: place.queue, why, ...keyOfCallback(place) });
    return;
  }
  const call: WaitingCall = { ...place, heardAt: draft.now, offers: [], passedBy: [], tellAt: firstTold(draft, place.callback !== null, queue.config.announce?.firstMs) };
  insert(draft, call);
  fact(draft, { type: 'CallEntered', callId: place.callId, queue: place.queue, enteredAt: place.enteredAt, regained: false });
}

/** A callback is nobody's call: where those that are kept could not be asked for, the desk alone may know of it. */
function endCalls(draft: Draft, { asOf, calls, callbacksKnown }: Found): void {
  const found = new Set(calls.map(keyOf));
  for (const call of Object.values(draft.queues).flatMap(({ waiting }) => waiting)) {
    if (call.heardAt <= asOf && (call.callback === null || callbacksKnown === true) && !found.has(keyOf(call))) leave(draft, call, 'lost');
  }
}

function serviceFound(draft: Draft, found: Service): void {
  const { offerId, agent: id, place } = found;
  const known = serving(draft, offerId);
  if (known !== undefined) {
    if (known.service.connectedAt === null && found.connectedAt !== null) changeAgent(draft, id, { service: { ...known.service, connectedAt: found.connectedAt } });
    return;
  }
  const agent = agentOf(draft, id);
  // It ended after it was seen, or what it began with had been given up.
  if (isEnded(draft, offerId) || agent.service !== null) {
    if (found.connectedAt === null) command(draft, { type: 'WithdrawOffer', offerId, callId: place.callId, why: 'over' });
    return;
  }
  const offer = offerOf(draft, offerId);
  if (offer !== undefined) endOffer(draft, offer, 'accepted', 'accepted', false);
  if (agent.offer !== null && agent.offer !== offerId) giveUp(draft, agent.id);
  const call = findWaiting(draft, place.callId);
  if (call !== undefined) {
    withdrawAllOf(draft, call, 'rescinded', 'taken');
    remove(draft, call);
  }
  changeAgent(draft, id, { offer: null, service: found });
}

/** One that the desk does not know it takes up, if it would have been made: one to an agent, one to a call but for ring-all. */
function offerFound(draft: Draft, found: Found['offers'][number]): void {
  const { offerId, callId, agent: id, queue } = found;
  if (offerOf(draft, offerId) !== undefined || serving(draft, offerId) !== undefined) return;
  const agent = agentOf(draft, id);
  const call = findWaiting(draft, callId);
  const more = queueOf(draft, queue)?.config.strategy === 'ring-all';
  const isBusy = agent.offer !== null || agent.service !== null || agent.calls.some((one) => one !== callId);
  if (call === undefined || call.queue !== queue || isEnded(draft, offerId) || isBusy || (call.offers.length > 0 && !more)) {
    command(draft, { type: 'WithdrawOffer', offerId, callId, why: 'over' });
    return;
  }
  setOffer(draft, offerId, found);
  changeAgent(draft, id, { offer: offerId });
  changeWaiting(draft, call, { offers: [...call.offers, offerId] });
}

/** One that was only lost sight of has not: it may be found again. */
function isEnded(draft: Draft, offerId: OfferId): boolean {
  return draft.ended.some((one) => one.offerId === offerId && one.why !== lostSightOf);
}

function giveUp(draft: Draft, id: AgentId): void {
  const offer = offerOf(draft, agentOf(draft, id).offer ?? '');
  if (offer !== undefined) withdraw(draft, offer, 'rescinded', 'agent-on-call');
}

function isOf(a: Place, b: Place): boolean {
  return a.callId === b.callId && a.visit === b.visit;
}

function keyOf({ callId, visit }: Place): string {
  return `${callId} ${visit}`;
}
