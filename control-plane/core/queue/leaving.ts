/** How a call comes to be in a queue no more without having been answered. */
import type { CallId } from '../ids.ts';
import type { LeaveWhy, Place, WaitingCall } from './desk.ts';
import { command, fact, type Draft } from './draft.ts';
import { findWaiting, isOver, overBy, remember, remove } from './line.ts';
import { endService, withdrawAllOf } from './offers.ts';

export function leave(draft: Draft, call: WaitingCall, why: LeaveWhy): void {
  withdrawAllOf(draft, call, 'canceled', 'call-left');
  remove(draft, call);
  gone(draft, call, why);
}

/** By a rule: the call is told so, and goes on elsewhere. */
export function sendOn(draft: Draft, call: WaitingCall, why: LeaveWhy): void {
  leave(draft, call, why);
  command(draft, { type: 'LeaveQueue', callId: call.callId, visit: call.visit, queue: call.queue, why, ...keyOfCallback(call) });
}

/** Whether this visit is over. A call that was sent on and says that it waits has not heard so. */
export function toldAgain(draft: Draft, { callId, visit, queue, callback = null }: Pick<Place, 'callId' | 'visit' | 'queue'> & Partial<Pick<Place, 'callback'>>): boolean {
  const why = overBy(draft, callId, visit);
  if (why !== null && byRule.has(why)) command(draft, { type: 'LeaveQueue', callId, visit, queue, why, ...keyOfCallback({ callback }) });
  return why !== null;
}

export function keyOfCallback({ callback }: Pick<Place, 'callback'>): { readonly key?: string } {
  return callback === null ? {} : { key: callback.key };
}

const byRule: ReadonlySet<LeaveWhy> = new Set<LeaveWhy>(['full', 'empty', 'max-wait', 'closed', 'called-again', 'already-held']);

function gone(draft: Draft, { callId, visit, queue, priority, enteredAt, joinedAt, number, sticky, callback }: Place, why: LeaveWhy): void {
  remember(draft, callId, visit, why, { callId, visit, queue, priority, enteredAt, joinedAt, number, sticky, callback });
  fact(draft, { type: 'CallLeft', callId, queue, why, waitedMs: Math.max(0, draft.now - joinedAt) });
}

/** A callback has nobody on the line who could hang up; a key or the plan may end it all the same. */
export function callLeft(draft: Draft, callId: CallId, visit: number, why: 'abandoned' | 'exit-key' | 'routed'): void {
  const call = findWaiting(draft, callId);
  if (call !== undefined) {
    if (visit >= call.visit && !(call.callback !== null && why === 'abandoned')) leave(draft, call, why);
    return;
  }
  const agent = Object.values(draft.agents).find(({ service }) => service?.place.callId === callId && service.connectedAt === null);
  if (agent !== undefined && agent.service !== null) {
    const { offerId, place } = agent.service;
    if (visit < place.visit) return;
    endService(draft, agent.service, 'call-left');
    command(draft, { type: 'WithdrawOffer', offerId, callId, why: 'call-left' });
    gone(draft, place, why);
    return;
  }
  // Its join is still to come, or has been lost.
  if (!isOver(draft, callId, visit)) remember(draft, callId, visit, why, null);
}
