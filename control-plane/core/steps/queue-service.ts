/** What becomes of offers, of the agent who has the call, and of the place in the queue; the desk is told. */
import type { Call, Leg, OpenOffer, Visit } from '../call/call.ts';
import type { DeskMessage } from '../call/commands.ts';
import { change, command, fact, legOf, legsOf, type Draft } from '../call/draft.ts';
import type { QueueLeaveWhy } from '../call/facts.ts';
import type { VisitMark } from '../call/mark.ts';
import { isTrying } from '../call/leg-life.ts';
import { isOffer, type LegId } from '../ids.ts';
import type { OfferId } from '../queue/desk.ts';
import { wait } from './queue-hearing.ts';

/** The switch knows of a later moment than we do, and not what rang for an offer: that is ended (call/adopt.ts). */
export function visitAsSeen(draft: Draft, { service, ...seen }: VisitMark): void {
  const { visit, visits } = draft.call;
  if (visits < seen.n) {
    visitOver(draft);
    fact(draft, { type: 'QueueJoined', step: seen.step, queue: seen.queue, visit: seen.n });
  } else offersLost(draft, service?.offerId);
  const known = visit?.n === seen.n ? visit : null;
  if (service !== undefined && known?.service?.offerId !== service.offerId) {
    fact(draft, { type: 'OfferEnded', offerId: service.offerId, agent: service.agent, outcome: 'accepted', why: 'accepted' });
  }
  change(draft, { visits: Math.max(visits, seen.n), visit: { ...seen, held: false, offers: {}, service: service ?? null } });
}

/** The switch has the call in a later place, which is no queue or another visit; how this one ended was not seen. */
export function visitOver(draft: Draft): void {
  const { id: callId, visit } = draft.call;
  if (visit === null) return;
  offersLost(draft, undefined);
  if (visit.service !== null) {
    const { offerId, connectedAt } = visit.service;
    tell(draft, connectedAt === null ? { type: 'OfferBridgeFailed', offerId, lost: 'caller' } : { type: 'AgentReleased', offerId });
    if (connectedAt === null) left(draft, 'lost');
  } else {
    tell(draft, { type: 'CallLeft', callId, visit: visit.n, why: 'routed' });
    left(draft, 'lost');
  }
  change(draft, { visit: null });
}

function offersLost(draft: Draft, except: OfferId | undefined): void {
  for (const [offerId, { agent }] of Object.entries(draft.call.visit?.offers ?? {})) {
    if (offerId === except) continue;
    tell(draft, { type: 'OfferCanceled', offerId, left: false });
    fact(draft, { type: 'OfferEnded', offerId, agent, outcome: 'lost', why: 'nothing of it was seen' });
    setOffer(draft, offerId, null);
  }
}

/** The two talk. */
export function serviceConnected(draft: Draft): void {
  const { visit } = draft.call;
  if (visit === null || visit.service === null || visit.service.connectedAt !== null) return;
  change(draft, { visit: { ...visit, service: { ...visit.service, connectedAt: draft.now } } });
  tell(draft, { type: 'OfferConnected', offerId: visit.service.offerId });
  fact(draft, { type: 'QueueLeft', queue: visit.queue, visit: visit.n, why: 'connected', waitedMs: Math.max(0, draft.now - visit.joinedAt) });
}

/** The agent was lost before the bridge: the caller waits on. False where the call was not with one. */
export function backToQueue(draft: Draft, winner: LegId): boolean {
  const { visit } = draft.call;
  const service = visit?.service ?? null;
  if (visit === null || service === null || service.legId !== winner || service.connectedAt !== null) return false;
  tell(draft, { type: 'OfferBridgeFailed', offerId: service.offerId, lost: legOf(draft, winner)?.phase === 'ended' ? 'agent' : 'neither' });
  fact(draft, { type: 'OfferEnded', offerId: service.offerId, agent: service.agent, outcome: 'lost', why: 'gone before the two talked' });
  change(draft, { visit: { ...visit, service: null } });
  wait(draft, visit.step, []);
  return true;
}

/** After every event: offers of which nothing rings any more, agents who are done, callers who are gone. */
export function settleQueue(draft: Draft): void {
  const { visit, phase } = draft.call;
  if (visit === null) return;
  if (phase === 'ending' || phase === 'ended') {
    over(draft, visit);
    return;
  }
  if (visit.service !== null) {
    const leg = legOf(draft, visit.service.legId);
    if (visit.service.connectedAt === null || (leg !== undefined && leg.phase !== 'ended' && leg.phase !== 'ending')) return;
    // Who was called and has the call since the caller transferred it is still an agent on a call.
    if (leg === undefined && draft.call.caller.legId === visit.service.legId) return;
    tell(draft, { type: 'AgentReleased', offerId: visit.service.offerId });
    change(draft, { visit: null });
    return;
  }
  for (const [offerId, offer] of Object.entries(visit.offers)) settleOffer(draft, offerId, offer);
}

function settleOffer(draft: Draft, offerId: OfferId, { agent, accepted }: OpenOffer): void {
  if (accepted !== null) {
    if (legOf(draft, accepted.legId)?.phase === 'accepted') return;
    tell(draft, { type: 'OfferBridgeFailed', offerId, lost: 'agent' });
    tell(draft, { type: 'OfferRejected', offerId, why: 'declined' });
    setOffer(draft, offerId, null);
    fact(draft, { type: 'OfferEnded', offerId, agent, outcome: 'lost', why: 'gone before the two talked' });
    return;
  }
  const legs = legsOfOffer(draft, offerId);
  if (legs.some(isTrying)) return;
  setOffer(draft, offerId, null);
  const causes = new Set(legs.map((leg) => ('cause' in leg ? leg.cause : null)));
  if (causes.has('no-answer') && !causes.has('declined') && !causes.has('not-accepted')) {
    tell(draft, { type: 'OfferTimedOut', offerId });
    fact(draft, { type: 'OfferEnded', offerId, agent, outcome: 'timed-out', why: 'no answer' });
    return;
  }
  const why = causes.has('declined') || causes.has('not-accepted') ? 'declined' : causes.has('busy') ? 'busy' : 'unreachable';
  tell(draft, { type: 'OfferRejected', offerId, why });
  fact(draft, { type: 'OfferEnded', offerId, agent, outcome: 'rejected', why });
}

/** Of an offer that was taken back, by the desk or because the caller has left, the last leg is gone. */
export function tellCleared(draft: Draft, before: Call): void {
  const { legs, visit } = draft.call;
  if (legs === before.legs) return;
  for (const leg of Object.values(legs)) {
    if (leg.phase !== 'ended' || before.legs[leg.id]?.phase === 'ended' || !isOffer(leg.step)) continue;
    const isOpen = visit?.offers[leg.step] !== undefined || visit?.service?.offerId === leg.step;
    const all = legsOfOffer(draft, leg.step);
    if (!isOpen && all.every(({ phase }) => phase === 'ended') && all.some((one) => 'cause' in one && (one.cause === 'canceled' || one.cause === 'answered-elsewhere'))) tell(draft, { type: 'OfferCleared', offerId: leg.step });
  }
}

/** The call is ending, whichever way. */
function over(draft: Draft, { n, offers, service }: Visit): void {
  for (const [offerId, { agent }] of Object.entries(offers)) fact(draft, { type: 'OfferEnded', offerId, agent, outcome: 'canceled', why: 'the caller has left' });
  if (service === null) {
    tell(draft, { type: 'CallLeft', callId: draft.call.id, visit: n, why: 'abandoned' });
    left(draft, 'abandoned');
  } else if (service.connectedAt === null) {
    tell(draft, { type: 'OfferBridgeFailed', offerId: service.offerId, lost: 'caller' });
    fact(draft, { type: 'OfferEnded', offerId: service.offerId, agent: service.agent, outcome: 'canceled', why: 'the caller has left' });
    left(draft, 'abandoned');
  } else {
    tell(draft, { type: 'AgentReleased', offerId: service.offerId });
    change(draft, { visit: null });
  }
}

export function left(draft: Draft, why: QueueLeaveWhy): void {
  const { visit } = draft.call;
  if (visit === null) return;
  change(draft, { visit: null });
  const refused = !visit.held && (why === 'full' || why === 'empty' || why === 'closed');
  fact(draft, { type: 'QueueLeft', queue: visit.queue, visit: visit.n, why, waitedMs: Math.max(0, draft.now - visit.joinedAt), ...(refused ? { refused } : {}) });
}

export function setOffer(draft: Draft, offerId: OfferId, offer: OpenOffer | null): void {
  const { visit } = draft.call;
  if (visit === null) return;
  const { [offerId]: _was, ...others } = visit.offers;
  change(draft, { visit: { ...visit, offers: offer === null ? others : { ...others, [offerId]: offer } } });
}

export function legsOfOffer(draft: Draft, offerId: OfferId): readonly Leg[] {
  return legsOf(draft).filter(({ step }) => step === offerId);
}

export function tell(draft: Draft, message: DeskMessage): void {
  command(draft, { type: 'TellDesk', message });
}
