/**
 * The queue step (Q1 to Q6). The caller waits and hears music; the desk of the account (core/queue) decides who is offered
 * the call. An offer rings an agent's devices by a ring step of its own, which is added to the plan under the offer's id.
 * Who accepts waits for the desk's word and is connected as after any ring; one who is lost before the bridge leaves the
 * caller in the place it had.
 *
 *   queued ─an offer─> rings ─accepted─> said to the desk ─its word─> connecting ─> connected
 *     ^ │                │                                                │
 *     │ └─ key, limit    └─ not taken ─────────> queued <──── lost ───────┘
 *
 * What is said to the desk may be lost. The join and the acceptance, on which somebody waits, are said until they are
 * answered; a desk that never answers an acceptance is not waited for: the two of them are there.
 */
import type { Cause } from '../cause.ts';
import type { Leg, Visit } from '../call/call.ts';
import { cancelTimer, change, command, fact, legOf, legsOf, moveLeg, startTimer, stepOf, type Draft } from '../call/draft.ts';
import type { CallEvent, DeskWord } from '../call/events.ts';
import { addSteps, removeSteps } from '../call/extend-plan.ts';
import type { OfferEnd, QueueLeaveWhy } from '../call/facts.ts';
import { answerCaller, cancelLegTimers, dial, dismiss, hangUp, isTrying } from '../call/leg-life.ts';
import { acceptLimitMs, confirmWithinMs, deskTimer, doublePressMs, messageTimer, musicTimer, offerMarginMs, promptTimer, sayAgainMs, stillHereMs } from '../call/timers.ts';
import type { StepId } from '../ids.ts';
import type { OfferId } from '../queue/desk.ts';
import type { QueueStep } from '../routing/plan.ts';
import { inQueue, say, wait } from './queue-hearing.ts';
import { left, legsOfOffer, setOffer, tell, visitOver } from './queue-service.ts';
import { startConnecting } from './whisper.ts';

export function enterQueue(draft: Draft, id: StepId, step: QueueStep): void {
  answerCaller(draft);
  // Whoever is served now had been an agent's, or was the agent: that is over.
  visitOver(draft);
  const { offer: { caller: { number } }, visits } = draft.call;
  const n = visits + 1;
  const known = number === '' ? null : number;
  const visit: Visit = {
    n, step: id, queue: step.queue, priority: step.priority, enteredAt: step.enteredAt ?? draft.now, joinedAt: draft.now, number: known, sticky: step.sticky ? known : null, held: false, offers: {}, service: null,
  };
  change(draft, { visit, visits: n });
  fact(draft, { type: 'QueueJoined', step: id, queue: step.queue, visit: n });
  wait(draft, id, step.greeting);
  join(draft);
}

function join(draft: Draft): void {
  const { id: callId, visit } = draft.call;
  if (visit === null) return;
  const { n, queue, priority, enteredAt, joinedAt, number, sticky } = visit;
  tell(draft, { type: 'CallJoined', place: { callId, visit: n, queue, priority, enteredAt, joinedAt, number, sticky }, offers: Object.keys(visit.offers) });
  startTimer(draft, deskTimer, draft.now + sayAgainMs);
}

/**
 * After an outage: the desk may have changed, and nobody knows what it has heard. An agent who has accepted has waited for as
 * long as the outage was, and the desk that heard of it may be gone: its word is not waited for any more.
 */
export function resumeQueue(draft: Draft): void {
  const { visit } = draft.call;
  if (visit === null) return;
  const there = Object.entries(visit.offers).filter(([, { accepted }]) => accepted !== null && legOf(draft, accepted.legId)?.phase === 'accepted');
  const [first] = there.toSorted(([, a], [, b]) => (a.accepted?.at ?? 0) - (b.accepted?.at ?? 0));
  if (first !== undefined) {
    tell(draft, { type: 'OfferAccepted', offerId: first[0] });
    connect(draft, first[0]);
    return;
  }
  change(draft, { visit: { ...visit, held: false } });
  wait(draft, visit.step, []);
  sayAgain(draft);
  keepCallback(draft);
}

/** With an agent, or on the way to one. */
export function resumeService(draft: Draft): void {
  const service = draft.call.visit?.service ?? null;
  if (service === null) return;
  tell(draft, { type: 'OfferAccepted', offerId: service.offerId });
  if (service.connectedAt !== null) tell(draft, { type: 'OfferConnected', offerId: service.offerId });
}

/** Whatever the desk has not answered, and after a while what it has. */
export function sayAgain(draft: Draft): void {
  const { visit, phase } = draft.call;
  if (visit === null || phase !== 'queued') return;
  const offers = Object.entries(visit.offers);
  if (!visit.held || offers.every(([, { accepted }]) => accepted === null)) join(draft);
  for (const [offerId, { accepted }] of offers) {
    if (accepted === null) continue;
    tell(draft, { type: 'OfferAccepted', offerId });
    if (accepted.at + acceptLimitMs <= draft.now) {
      connect(draft, offerId);
      return;
    }
    startTimer(draft, deskTimer, draft.now + sayAgainMs);
  }
}

export function deskSaid(draft: Draft, said: DeskWord): void {
  const { visit, phase } = draft.call;
  switch (said.type) {
    case 'HoldPlace':
      if (visit === null || visit.n !== said.visit) return;
      change(draft, { visit: { ...visit, held: true, enteredAt: said.enteredAt } });
      if (phase === 'queued' && Object.values(visit.offers).every(({ accepted }) => accepted === null)) startTimer(draft, deskTimer, draft.now + stillHereMs);
      return;
    case 'LeaveQueue':
      if (phase === 'queued' && visit !== null && visit.n === said.visit) sentOn(draft, said.why);
      return;
    case 'OfferCall':
      offered(draft, said);
      return;
    case 'ConnectOffer':
      if (visit?.service?.offerId === said.offerId) return;
      if (visit?.offers[said.offerId]?.accepted != null && phase === 'queued') connect(draft, said.offerId);
      else tell(draft, { type: 'OfferBridgeFailed', offerId: said.offerId, lost: 'agent' });
      return;
    case 'WithdrawOffer':
      if (visit?.offers[said.offerId] !== undefined) drop(draft, said.offerId, said.why === 'taken' ? 'answered-elsewhere' : 'canceled', 'rescinded', said.why);
      // What rings still says so itself once it is over.
      if (legsOfOffer(draft, said.offerId).every((leg) => leg.phase === 'ended')) tell(draft, { type: 'OfferCleared', offerId: said.offerId });
      return;
    case 'TellPosition':
      if (visit?.n === said.visit) say(draft, said.media);
  }
}

function sentOn(draft: Draft, why: Extract<DeskWord, { type: 'LeaveQueue' }>['why']): void {
  const { visit } = draft.call;
  const step = visit === null ? undefined : stepOf(draft, visit.step);
  if (step?.kind !== 'queue') return;
  if (why === 'full' || why === 'empty') leave(draft, why, step.on[why]);
  else if (why === 'callback') leave(draft, why, step.on.callback ?? step.on.closed);
  else if (why === 'max-wait') leave(draft, why, step.on.maxWait);
  else leave(draft, 'closed', step.on.closed);
}

/** `to` follows in the plan. */
function leave(draft: Draft, why: QueueLeaveWhy, to: StepId): void {
  const { visit, phase } = draft.call;
  if (visit === null || phase !== 'queued') return;
  for (const offerId of Object.keys(visit.offers)) drop(draft, offerId, 'canceled', 'canceled', 'the caller has left the queue');
  for (const timer of [deskTimer, messageTimer, musicTimer, promptTimer]) cancelTimer(draft, timer);
  if (draft.call.phase === 'queued' && draft.call.promptId !== null) command(draft, { type: 'StopPrompt', promptId: draft.call.promptId });
  left(draft, why);
  draft.outcome = { to };
}

/** Whether the key is one that the queue takes. */
export function queueDigit(draft: Draft, digit: string): boolean {
  const queued = inQueue(draft);
  if (queued?.step.callback?.key === digit) return callbackKey(draft, digit);
  if (queued === undefined || queued.step.exitKey !== digit) return false;
  const { call, visit, step } = queued;
  fact(draft, { type: 'KeyPressed', legId: call.caller.legId, digit });
  tell(draft, { type: 'CallLeft', callId: call.id, visit: visit.n, why: 'exit-key' });
  leave(draft, 'exit-key', step.on.exitKey);
  return true;
}

/**
 * Q6: pressed once the caller hears which number is called back, pressed again that is kept. It is told to the desk, and the
 * caller let go, once it is kept where no controller's death can lose it; until then the caller waits as before.
 */
function callbackKey(draft: Draft, digit: string): boolean {
  const { call, visit, step } = inQueue(draft) ?? {};
  const callback = step?.callback;
  if (call === undefined || visit === undefined || callback === undefined) return false;
  fact(draft, { type: 'KeyPressed', legId: call.caller.legId, digit });
  if (callback.number === null) {
    say(draft, callback.sorry);
    return true;
  }
  const asked = visit.callback;
  // Somebody is on the way to the caller, or the answer is.
  if ((asked?.id ?? null) !== null || Object.values(visit.offers).some(({ accepted }) => accepted !== null)) return true;
  if (asked === undefined || asked.askedAt + confirmWithinMs < draft.now) {
    change(draft, { visit: { ...visit, callback: { askedAt: draft.now, id: null } } });
    say(draft, callback.asks);
  } else if (call.toSay.length === 0 && asked.askedAt + doublePressMs <= draft.now) {
    const n = call.n + 1;
    change(draft, { n, visit: { ...visit, callback: { ...asked, id: `${call.id}-q${n}` } } });
    keepCallback(draft);
  }
  return true;
}

/** Asked for again, it is the same. */
function keepCallback(draft: Draft): void {
  const { visit, step } = inQueue(draft) ?? {};
  const id = visit?.callback?.id ?? null;
  const number = step?.callback?.number ?? null;
  if (visit !== undefined && id !== null && number !== null) command(draft, { type: 'KeepCallback', id, number });
}

export function callbackKept(draft: Draft, { id, visit: n, number, ok }: Extract<CallEvent, { type: 'CallbackKept' }>): void {
  const { id: callId, phase, answeredAt } = draft.call;
  const { visit, step } = inQueue(draft) ?? {};
  const isAsked = visit !== undefined && visit.callback?.id === id;
  const isServed = answeredAt !== null || phase === 'connecting' || (isAsked && Object.values(visit.offers).some(({ accepted }) => accepted !== null));
  if (isServed) {
    if (isAsked) change(draft, { visit: withoutCallback(visit) });
    if (ok) command(draft, { type: 'DropCallback', id });
    return;
  }
  if (!isAsked || step === undefined) {
    // Who has hung up meanwhile, or gone elsewhere, has asked for it all the same. Said twice it is the same.
    if (ok) tell(draft, { type: 'CallbackRequested', callId, visit: n, key: id, number });
    return;
  }
  fact(draft, { type: 'CallbackKept', id, number, ok });
  if (!ok) {
    change(draft, { visit: withoutCallback(visit) });
    say(draft, step.callback?.sorry ?? []);
    return;
  }
  tell(draft, { type: 'CallbackRequested', callId, visit: n, key: id, number });
  leave(draft, 'callback', step.on.callback ?? step.on.closed);
}

function withoutCallback({ callback: _asked, ...visit }: Visit): Visit {
  return visit;
}

function offered(draft: Draft, said: Extract<DeskWord, { type: 'OfferCall' }>): void {
  const { id: callId, visit, phase } = draft.call;
  const { offerId, agent, ring, ringMs } = said;
  if (visit === null || visit.n !== said.visit || phase !== 'queued') {
    const isTheirs = visit !== null && visit.n === said.visit;
    const talks = isTheirs && visit.service?.connectedAt != null;
    if (talks) tell(draft, { type: 'CallLeft', callId, visit: visit.n, why: 'routed' });
    tell(draft, { type: 'OfferCanceled', offerId, left: !isTheirs || talks });
    return;
  }
  // Said twice.
  if (visit.offers[offerId] !== undefined) return;
  if (ring === null || ring.attempts.length === 0) {
    tell(draft, { type: 'OfferRejected', offerId, why: 'unreachable' });
    return;
  }
  forgetOffers(draft);
  addSteps(draft, { [offerId]: ring });
  setOffer(draft, offerId, { agent, offeredAt: draft.now, deadline: draft.now + ringMs + offerMarginMs, accepted: null });
  fact(draft, { type: 'OfferMade', offerId, agent });
  for (const index of ring.attempts.keys()) dial(draft, offerId, index, 0);
}

/** Steps of earlier offers, of which no leg is left. */
function forgetOffers(draft: Draft): void {
  const { plan, visit } = draft.call;
  const needed = new Set([...Object.keys(visit?.offers ?? {}), ...legsOf(draft).filter(({ phase }) => phase !== 'ended').map(({ step }) => step)]);
  removeSteps(draft, Object.keys(plan.steps).filter((id) => id.startsWith(`${draft.call.id}--o`) && !needed.has(id)));
}

/** One that has been answered, and accepted where that is asked for. False where the leg rings for no offer. */
export function offerAccepted(draft: Draft, leg: Leg): boolean {
  const offer = draft.call.visit?.offers[leg.step];
  if (draft.call.phase !== 'queued' || offer === undefined) return false;
  cancelLegTimers(draft, leg.id);
  moveLeg(draft, leg, { phase: 'accepted', promptId: null });
  for (const other of legsOfOffer(draft, leg.step)) if (other.id !== leg.id && isTrying(other)) dismiss(draft, other);
  setOffer(draft, leg.step, { ...offer, accepted: { legId: leg.id, at: draft.now } });
  tell(draft, { type: 'OfferAccepted', offerId: leg.step });
  startTimer(draft, deskTimer, draft.now + sayAgainMs);
  return true;
}

/** The agent has the call: whoever else rings for it is let go. */
function connect(draft: Draft, offerId: OfferId): void {
  const { visit } = draft.call;
  const offer = visit?.offers[offerId];
  const leg = offer?.accepted == null ? undefined : legOf(draft, offer.accepted.legId);
  if (visit === null || offer?.accepted == null || leg?.phase !== 'accepted') return;
  setOffer(draft, offerId, null);
  for (const id of Object.keys(visit.offers)) if (id !== offerId) drop(draft, id, 'answered-elsewhere', 'rescinded', 'taken');
  for (const timer of [deskTimer, messageTimer, musicTimer, promptTimer]) cancelTimer(draft, timer);
  change(draft, { visit: { ...visit, held: true, offers: {}, service: { offerId, agent: offer.agent, legId: leg.id, acceptedAt: offer.accepted.at, connectedAt: null } } });
  fact(draft, { type: 'LegAccepted', legId: leg.id, won: true });
  fact(draft, { type: 'OfferEnded', offerId, agent: offer.agent, outcome: 'accepted', why: 'accepted' });
  startConnecting(draft, leg, []);
}

/** Stops what rings for it. The desk is not told: it says so, or has been told. */
function drop(draft: Draft, offerId: OfferId, cause: Cause, outcome: OfferEnd, why: string): void {
  const offer = draft.call.visit?.offers[offerId];
  if (offer === undefined) return;
  setOffer(draft, offerId, null);
  for (const leg of legsOfOffer(draft, offerId)) {
    if (cause === 'answered-elsewhere' && isTrying(leg)) dismiss(draft, leg);
    else hangUp(draft, leg, cause);
  }
  fact(draft, { type: 'OfferEnded', offerId, agent: offer.agent, outcome, why });
}
