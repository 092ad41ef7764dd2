/** How a call comes into a queue: at the end, in the place of a call it follows, or not at all. */
import { second, type Ms } from '../time.ts';
import type { OfferId, WaitingCall, Place } from './desk.ts';
import { command, fact, offerOf, queueOf, type Draft } from './draft.ts';
import { leave, sendOn, toldAgain } from './leaving.ts';
import { findWaiting, insert, positionOf, remember, rememberMs } from './line.ts';
import { awaitCleared, lostSightOf, withdraw } from './offers.ts';
import { somebodyIn } from './presence.ts';
import { firstTold } from './service.ts';

/** A call that says after this that it waits was let in by a desk that is no more. */
const letInAfterMs: Ms = 5 * second;
/** On the way to its call for so long; one that takes longer is made again. */
const underWayMs: Ms = 300;

export function callJoined(draft: Draft, joins: Omit<Place, 'callback'>, offers?: readonly OfferId[]): void {
  const { callId, visit, queue: id } = joins;
  const known = findWaiting(draft, callId);
  if (known !== undefined && known.visit >= visit) {
    if (known.visit !== visit) return;
    if (known.callback !== null) {
      // It has not heard that it is to be called back.
      command(draft, { type: 'LeaveQueue', callId, visit, queue: id, why: 'callback' });
      return;
    }
    if (offers !== undefined) endUnknown(draft, known, offers);
    hold(draft, findWaiting(draft, callId) ?? known);
    return;
  }
  if (toldAgain(draft, joins) || Object.values(draft.agents).some(({ service }) => service?.place.callId === callId && service.place.visit >= visit)) return;
  // Its leaving was not heard of.
  if (known !== undefined) leave(draft, known, 'routed');
  const queue = queueOf(draft, id);
  if (queue === undefined) {
    refuse(draft, joins, 'closed');
    return;
  }
  const regained = regain(draft, joins);
  // Who was called back, or has regained a place, has been let in.
  const hasPlace = regained !== null || joins.enteredAt < joins.joinedAt;
  if (!hasPlace && draft.phase === 'open' && draft.now - joins.joinedAt < letInAfterMs) {
    const { joinNeeds, maxLength } = queue.config;
    if (joinNeeds !== null && !somebodyIn(queue.config, draft.agents, joinNeeds, draft.now)) {
      refuse(draft, joins, 'empty');
      return;
    }
    if (maxLength !== null && queue.waiting.length >= maxLength) {
      refuse(draft, joins, 'full');
      return;
    }
  }
  const call: WaitingCall = { ...joins, ...regained, callback: null, heardAt: draft.now, offers: [], passedBy: [], tellAt: firstTold(draft, false, queue.config.announce?.firstMs) };
  insert(draft, call);
  fact(draft, { type: 'CallEntered', callId, queue: id, enteredAt: call.enteredAt, regained: regained !== null });
  hold(draft, call);
}

/** What it does not know went with whoever had the call, or is on its way: then it is met by its withdrawal. */
function endUnknown(draft: Draft, call: WaitingCall, known: readonly OfferId[]): void {
  for (const offerId of call.offers) {
    const offer = offerOf(draft, offerId);
    if (offer === undefined || known.includes(offerId) || draft.now < offer.offeredAt + underWayMs) continue;
    withdraw(draft, offer, 'canceled', lostSightOf);
    awaitCleared(draft, offer);
  }
}

function hold(draft: Draft, call: WaitingCall): void {
  const { callId, visit, queue, enteredAt } = call;
  command(draft, { type: 'HoldPlace', callId, visit, queue, enteredAt, position: positionOf(draft, call) });
}

function refuse(draft: Draft, { callId, visit, queue }: Omit<Place, 'callback'>, why: 'full' | 'empty' | 'closed'): void {
  fact(draft, { type: 'JoinRefused', callId, queue, why });
  remember(draft, callId, visit, why, null);
  command(draft, { type: 'LeaveQueue', callId, visit, queue, why });
}

/** The place that waits for this number: of a callback, or of a call that hung up a moment ago. It is had once. */
function regain(draft: Draft, { queue, number, enteredAt, priority }: Omit<Place, 'callback'>): Pick<Place, 'enteredAt' | 'priority'> | null {
  if (number === null) return null;
  const held = queueOf(draft, queue)?.waiting.find((one) => one.callback !== null && (one.callback.number === number || one.number === number));
  if (held !== undefined) {
    sendOn(draft, held, 'called-again');
    return { enteredAt: held.enteredAt, priority: Math.max(priority, held.priority) };
  }
  const index = draft.left.findIndex(({ why, place, leftAt }) => why === 'abandoned' && place?.queue === queue && place.number === number && leftAt >= draft.now - rememberMs);
  const place = draft.left[index]?.place;
  if (place === null || place === undefined) return null;
  draft.left = draft.left.map((one, i) => (i === index ? { ...one, place: null } : one));
  return { enteredAt: Math.min(place.enteredAt, enteredAt), priority: Math.max(priority, place.priority) };
}
