/**
 * The ring step: all attempts at once, or one destination after the other (walk.ts). Who accepts first, by the order in
 * which we learn of it, has the call, and only then do the others stop. The round's timer runs from the start and no
 * answer clears it; each leg has one of its own besides.
 */
import { causes, type Cause } from '../cause.ts';
import type { Leg } from '../call/call.ts';
import { cancelTimer, command, fact, legsOf, moveLeg, ringStepOf, startTimer, type Draft } from '../call/draft.ts';
import { attemptOf, cancelLegTimers, dial, dismiss, endLeg, hangUp, isRung, isTrying, markPickedUp } from '../call/leg-life.ts';
import { serveInstead } from '../call/served.ts';
import { orderTimer, roundTimer } from '../call/timers.ts';
import type { StepId } from '../ids.ts';
import type { RingStep } from '../routing/plan.ts';
import { dialExtension } from './dial-extension.ts';
import { offerAccepted } from './queue.ts';
import { enterOrdering, isOrdered, ringListed } from './ordering.ts';
import { acceptsBy, startScreening } from './screening.ts';
import { cancelDelays, goOnWhenNobodyIsLeft, leaveRing } from './walk.ts';
import { startConnecting } from './whisper.ts';

export function enterRing(draft: Draft, id: StepId, step: RingStep): void {
  command(draft, { type: 'RingLeg', legId: draft.call.caller.legId });
  startTimer(draft, roundTimer, draft.now + step.ringMs);
  if (isOrdered(step)) enterOrdering(draft, id, step);
  else ringListed(draft, id, step, 'as listed');
}

export function legRinging(draft: Draft, leg: Leg): void {
  if (leg.phase !== 'dialing') return;
  moveLeg(draft, leg, { phase: 'ringing' });
  fact(draft, { type: 'LegRang', legId: leg.id });
}

export function legAnswered(draft: Draft, leg: Leg): void {
  const { dialExtension: extension, screening } = attemptOf(draft, leg) ?? {};
  if (leg.phase === 'ending') {
    // Its answer crossed our hang-up on the wire (RFC 3261 section 9.1): too late, but what happened is recorded.
    fact(draft, { type: 'LegPickedUp', legId: leg.id });
    if (screening === undefined && extension === undefined && leg.cause === 'answered-elsewhere') fact(draft, { type: 'LegAccepted', legId: leg.id, won: false });
    return;
  }
  if (leg.phase !== 'dialing' && leg.phase !== 'ringing') return;
  markPickedUp(draft, leg);
  if (!isRung(draft.call, leg)) {
    hangUp(draft, leg, 'answered-elsewhere');
  } else if (extension === undefined) {
    reached(draft, leg);
  } else {
    dialExtension(draft, leg, extension);
  }
}

export function extensionDialled(draft: Draft, leg: Leg): void {
  if (leg.phase === 'extending') reached(draft, leg);
}

/** Somebody is there, and accepts by having answered, or is asked to. */
function reached(draft: Draft, leg: Leg): void {
  const screening = attemptOf(draft, leg)?.screening;
  if (screening === undefined) accept(draft, leg);
  else startScreening(draft, leg, screening);
}

export function legDigit(draft: Draft, leg: Leg, digit: string): void {
  if (leg.phase !== 'screening' && leg.phase !== 'dismissed') return;
  fact(draft, { type: 'KeyPressed', legId: leg.id, digit });
  if (!acceptsBy(draft, leg, digit)) return;
  if (leg.phase === 'dismissed') {
    fact(draft, { type: 'LegAccepted', legId: leg.id, won: false });
    return;
  }
  if (leg.promptId !== null) command(draft, { type: 'StopPrompt', promptId: leg.promptId });
  accept(draft, leg);
}

/** The first acceptance wins; only now do the others stop. The round's time goes on where more could be rung. */
function accept(draft: Draft, leg: Leg): void {
  if (offerAccepted(draft, leg)) return;
  const serve = ringStepOf(draft, leg.step)?.serve;
  const next = draft.call.phase === 'ringing' ? draft.call.next : [];
  fact(draft, { type: 'LegAccepted', legId: leg.id, won: true });
  if (next.length === 0) cancelTimer(draft, roundTimer);
  cancelDelays(draft);
  cancelLegTimers(draft, leg.id);
  for (const other of legsOf(draft)) {
    if (other.id !== leg.id && isTrying(other)) dismiss(draft, other);
  }
  if (serve === undefined) startConnecting(draft, leg, next);
  else served(draft, leg, serve);
}

/** Who was called is who the rest of the plan is for. */
function served(draft: Draft, leg: Leg, next: StepId): void {
  fact(draft, { type: 'CallerAnswered' });
  cancelTimer(draft, roundTimer);
  const before = serveInstead(draft, leg);
  if (before !== undefined) hangUp(draft, before, 'normal');
  draft.outcome = { to: next };
}

/**
 * A leg of the ring has ended by itself. Another trunk is tried only where nobody can have been reached. One that is lost
 * and has not rung is dialled again: its maker died before it was dialled.
 */
export function attemptEnded(draft: Draft, leg: Leg, cause: Cause): void {
  const target = attemptOf(draft, leg)?.target;
  endLeg(draft, leg, cause);
  const next = leg.trunk + 1;
  const more = target?.kind === 'external' && target.trunks[next] !== undefined;
  const ringing = isRung(draft.call, leg);
  if (ringing && leg.phase === 'dialing' && cause === 'lost') dial(draft, leg.step, leg.attempt, leg.trunk);
  else if (ringing && more && leg.phase === 'dialing' && !causes[cause].mayHaveRung) dial(draft, leg.step, leg.attempt, next);
  goOnWhenNobodyIsLeft(draft);
}

export function legTimedOut(draft: Draft, leg: Leg): void {
  if (leg.phase === 'dialing' || leg.phase === 'ringing') hangUp(draft, leg, 'no-answer');
  goOnWhenNobodyIsLeft(draft);
}

export function roundTimedOut(draft: Draft): void {
  const call = draft.call;
  if (call.phase !== 'ringing' && call.phase !== 'ordering') return;
  for (const leg of legsOf(draft)) {
    if (isTrying(leg)) hangUp(draft, leg, leg.phase === 'screening' || leg.phase === 'extending' ? 'not-accepted' : 'no-answer');
  }
  cancelTimer(draft, orderTimer);
  leaveRing(draft, call.step);
}
