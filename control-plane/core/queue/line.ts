/** The line of a queue: who waits, in the order in which they are to be served. */
import type { CallId } from '../ids.ts';
import type { Ms } from '../time.ts';
import type { QueueId } from './config.ts';
import type { LeaveWhy, Place, WaitingCall } from './desk.ts';
import { queueOf, setQueue, type Draft } from './draft.ts';

/** For how long late messages are recognised, and a caller who hung up has the place again by ringing again. */
export const rememberMs: Ms = 60_000;

type Order = Pick<Place, 'priority' | 'enteredAt' | 'callId'>;

/** Below 0: `a` is served first. Of two that entered in the same millisecond, by their ids: the same for whoever compares. */
export function compare(a: Order, b: Order): number {
  return b.priority - a.priority || a.enteredAt - b.enteredAt || (a.callId < b.callId ? -1 : a.callId > b.callId ? 1 : 0);
}

/** Where the call is, or would be. */
function indexIn(line: readonly WaitingCall[], call: Order): number {
  let [from, to] = [0, line.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    const one = line[middle];
    if (one !== undefined && compare(one, call) < 0) from = middle + 1;
    else to = middle;
  }
  return from;
}

function ownLine(draft: Draft, id: QueueId): WaitingCall[] {
  const line = queueOf(draft, id)?.waiting ?? [];
  if (draft.ownLines.has(id)) return line as WaitingCall[];
  const own = [...line];
  setQueue(draft, id, { waiting: own });
  draft.ownLines.add(id);
  return own;
}

export function findWaiting(draft: Draft, callId: CallId): WaitingCall | undefined {
  for (const { waiting } of Object.values(draft.queues)) {
    const call = waiting.find((one) => one.callId === callId);
    if (call !== undefined) return call;
  }
  return undefined;
}

export function insert(draft: Draft, call: WaitingCall): void {
  const line = ownLine(draft, call.queue);
  line.splice(indexIn(line, call), 0, call);
}

/** Its place does not change. */
export function changeWaiting(draft: Draft, call: WaitingCall, fields: Partial<Omit<WaitingCall, keyof Order | 'queue'>>): void {
  const line = ownLine(draft, call.queue);
  const index = indexIn(line, call);
  const now = line[index];
  if (now?.callId === call.callId) line[index] = { ...now, ...fields };
}

export function remove(draft: Draft, call: WaitingCall): void {
  const line = ownLine(draft, call.queue);
  const index = indexIn(line, call);
  if (line[index]?.callId === call.callId) line.splice(index, 1);
}

/** 1 is next. */
export function positionOf(draft: Draft, call: Place): number {
  return indexIn(queueOf(draft, call.queue)?.waiting ?? [], call) + 1;
}

export function remember(draft: Draft, callId: CallId, visit: number, why: LeaveWhy, place: Place | null): void {
  draft.left = [...draft.left, { callId, visit, why, leftAt: draft.now, place }];
}

/** What is older than anybody may still speak of. */
export function forget(draft: Draft): void {
  const since = draft.now - rememberMs;
  const oldest = draft.left[0];
  if (oldest !== undefined && oldest.leftAt < since) draft.left = draft.left.filter(({ leftAt }) => leftAt >= since);
  const first = draft.ended[0];
  if (first !== undefined && first.endedAt < since) draft.ended = draft.ended.filter(({ endedAt }) => endedAt >= since);
}

/** Whether a message of this visit comes after its end. One that was only lost sight of may be found again. */
export function isOver(draft: Draft, callId: CallId, visit: number): boolean {
  return overBy(draft, callId, visit) !== null;
}

/** By what it ended; null where it has not, as far as is known. */
export function overBy(draft: Draft, callId: CallId, visit: number): LeaveWhy | null {
  return draft.left.find((one) => one.callId === callId && one.visit >= visit && one.why !== 'lost')?.why ?? null;
}
