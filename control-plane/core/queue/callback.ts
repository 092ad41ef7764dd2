/**
 * Callbacks: a caller keeps the place and hangs up, once for each key, however often it is asked for. In its turn an agent
 * is kept for it, by an offer, while the number is called; whoever answers joins as a call of that number, and so has the
 * place (joining.ts).
 */
import type { CallId } from '../ids.ts';
import type { Place } from './desk.ts';
import { fact, queueOf, type Draft } from './draft.ts';
import type { DeskEvent } from './events.ts';
import { leave, sendOn } from './leaving.ts';
import { changeWaiting, findWaiting, insert } from './line.ts';
import { withdrawAllOf } from './offers.ts';

/** By another call. */
export function isHeldElsewhere(draft: Draft, key: string, callId: CallId): boolean {
  const isHeld = (place: Place): boolean => place.callback?.key === key && place.callId !== callId;
  return Object.values(draft.queues).some(({ waiting }) => waiting.some(isHeld));
}

/** The place is kept and nobody is on the line. Also for a caller whose hang-up was heard of before the key. */
export function callbackRequested(draft: Draft, { callId, visit, key, number }: Extract<DeskEvent, { type: 'CallbackRequested' }>): void {
  const elsewhere = isHeldElsewhere(draft, key, callId);
  const call = findWaiting(draft, callId);
  if (call !== undefined) {
    if (call.visit !== visit || call.callback !== null) return;
    if (elsewhere) {
      sendOn(draft, call, 'already-held');
      return;
    }
    // The agent who is being rung would find nobody.
    withdrawAllOf(draft, call, 'canceled', 'call-left');
    changeWaiting(draft, call, { callback: { key, number, notBefore: 0 }, heardAt: draft.now, tellAt: null });
    fact(draft, { type: 'CallbackHeld', callId, queue: call.queue, key });
    return;
  }
  const left = draft.left.find((one) => one.callId === callId && one.visit === visit && one.why === 'abandoned');
  if (elsewhere || left === undefined || left.place === null || queueOf(draft, left.place.queue) === undefined) return;
  draft.left = draft.left.filter((one) => one !== left);
  insert(draft, { ...left.place, callback: { key, number, notBefore: 0 }, heardAt: draft.now, offers: [], passedBy: [], tellAt: null });
  fact(draft, { type: 'CallEntered', callId, queue: left.place.queue, enteredAt: left.place.enteredAt, regained: true });
  fact(draft, { type: 'CallbackHeld', callId, queue: left.place.queue, key });
}

/** Nobody was reached. */
export function callbackTried(draft: Draft, { callId, visit, again }: Extract<DeskEvent, { type: 'CallbackTried' }>): void {
  const call = findWaiting(draft, callId);
  if (call?.visit !== visit || call.callback === null) return;
  fact(draft, { type: 'CallbackTried', callId, queue: call.queue, again });
  if (again === null) {
    leave(draft, call, 'unanswered');
    return;
  }
  withdrawAllOf(draft, call, 'canceled', 'call-left');
  changeWaiting(draft, call, { callback: { ...call.callback, notBefore: again } });
}
