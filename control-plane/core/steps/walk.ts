/**
 * From destination to destination of a ring step: the next one's turn comes when nobody of the present one can accept any
 * more, until one has the call, all are through, or the round's time is over. Where all ring at once there is one.
 */
import type { Leg } from '../call/call.ts';
import { cancelTimer, command, fact, goTo, legsOf, ringStepOf, startTimer, type Draft } from '../call/draft.ts';
import type { LegOnSwitch } from '../call/events.ts';
import { dial, hangUp, isTrying } from '../call/leg-life.ts';
import { delayedAttemptOf, delayTimer, roundTimer } from '../call/timers.ts';
import { ordinalOf, type StepId } from '../ids.ts';
import { destinationsOf } from '../routing/destinations.ts';
import type { RingStep } from '../routing/plan.ts';

/** Rings the first of these destinations, which are named by their places in the step's list. */
export function ringInTurn(draft: Draft, id: StepId, order: readonly number[]): void {
  goTo(draft, { phase: 'ringing', step: id, next: order });
  goOnWhenNobodyIsLeft(draft);
}

/** Nobody of the present destination can accept any more: the next one's turn, or the round is over before its time. */
export function goOnWhenNobodyIsLeft(draft: Draft): void {
  const call = draft.call;
  if (call.phase !== 'ringing' || draft.outcome !== null || legsOf(draft).some(isTrying) || delays(draft).length > 0) return;
  const [now, ...next] = call.next;
  if (now === undefined) {
    leaveRing(draft, call.step);
    return;
  }
  goTo(draft, { phase: 'ringing', step: call.step, next });
  ringDestination(draft, call.step, now);
  goOnWhenNobodyIsLeft(draft);
}

function ringDestination(draft: Draft, id: StepId, place: number): void {
  const step = ringStepOf(draft, id);
  const attempts = step === undefined ? [] : (destinationsOf(step)[place]?.attempts ?? []);
  for (const index of attempts) {
    const delayMs = step?.attempts[index]?.delayMs ?? 0;
    if (delayMs === 0) dial(draft, id, index, 0);
    else delay(draft, index, draft.now + delayMs);
  }
}

/** One that would ring only when the round is over does not. */
function delay(draft: Draft, attempt: number, until: number): void {
  if (until < (draft.call.timers[roundTimer] ?? 0)) startTimer(draft, delayTimer(attempt), until);
}

export function delayOver(draft: Draft, attempt: number): void {
  const call = draft.call;
  if (call.phase === 'ringing') dial(draft, call.step, attempt, 0);
}

function delays(draft: Draft): readonly string[] {
  return Object.keys(draft.call.timers).filter((id) => delayedAttemptOf(id) !== undefined);
}

export function cancelDelays(draft: Draft): void {
  for (const id of delays(draft)) cancelTimer(draft, id);
}

/** The winner was lost before the bridge: who follows is rung, while there is time. False where nobody does. */
export function ringOn(draft: Draft): boolean {
  const call = draft.call;
  if (call.phase !== 'connecting' || call.next.length === 0 || !(roundTimer in call.timers)) return false;
  command(draft, { type: 'RingLeg', legId: call.caller.legId });
  ringInTurn(draft, call.step, call.next);
  return true;
}

/** Nobody has taken the call: the plan's no-answer routing follows. */
export function leaveRing(draft: Draft, id: StepId): void {
  cancelTimer(draft, roundTimer);
  cancelDelays(draft);
  fact(draft, { type: 'RingEnded', step: id, outcome: 'noAnswer' });
  draft.outcome = 'noAnswer';
}

/**
 * After a time in which events were missed: the destination that rings is the one that was dialled last, and those who
 * were dialled are not rung again. Who was to be rung later, of that destination, still is.
 */
export function walkAsSeen(draft: Draft, seen: readonly LegOnSwitch[]): void {
  const call = draft.call;
  const step = call.phase === 'ringing' || call.phase === 'connecting' ? ringStepOf(draft, call.step) : undefined;
  if (step === undefined || !('next' in call)) return;
  const destinations = destinationsOf(step);
  const placeOf = (leg: Leg): number => destinations.findIndex(({ attempts }) => attempts.includes(leg.attempt));
  // Those who were rung in an earlier round of the same step are no reason.
  const legs = legsOf(draft).filter((leg) => leg.step === call.step && leg.phase !== 'ended').toSorted((a, b) => ordinalOf(a.id) - ordinalOf(b.id));
  const rung = new Set(legs.map(placeOf));
  const next = call.next.filter((place) => !rung.has(place));
  if (call.phase === 'connecting') {
    goTo(draft, { phase: 'connecting', step: call.step, winner: call.winner, bridgeId: call.bridgeId, joined: call.joined, next });
    return;
  }
  goTo(draft, { phase: 'ringing', step: call.step, next });
  const last = legs.findLast(isTrying);
  if (last === undefined) return;
  for (const leg of legs) if (isTrying(leg) && placeOf(leg) !== placeOf(last)) hangUp(draft, leg, 'no-answer');
  const attempts = destinations[placeOf(last)]?.attempts ?? [];
  // Those of a destination that came before are not any more.
  for (const id of delays(draft)) if (!attempts.includes(delayedAttemptOf(id) ?? -1)) cancelTimer(draft, id);
  delaysAsSeen(draft, step, attempts, legs, seen);
}

function delaysAsSeen(draft: Draft, step: RingStep, attempts: readonly number[], legs: readonly Leg[], seen: readonly LegOnSwitch[]): void {
  const own = legs.filter((leg) => attempts.includes(leg.attempt));
  const begunAt = Math.min(draft.now, ...seen.filter(({ legId }) => own.some((leg) => leg.id === legId)).map(({ createdAt }) => createdAt));
  for (const index of attempts) {
    const delayMs = step.attempts[index]?.delayMs ?? 0;
    if (delayMs > 0 && !(delayTimer(index) in draft.call.timers) && !own.some((leg) => leg.attempt === index)) delay(draft, index, Math.max(draft.now, begunAt + delayMs));
  }
}
