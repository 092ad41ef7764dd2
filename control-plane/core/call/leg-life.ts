/** What happens to a callee's leg whatever step it is in: dialled, hung up, dismissed, gone. */
import { causes, type Cause, type Disposition } from '../cause.ts';
import type { LegId } from '../ids.ts';
import type { Attempt } from '../routing/plan.ts';
import { plainTarget } from '../routing/sip-name.ts';
import type { Call, Leg } from './call.ts';
import { cancelTimer, change, command, fact, moveLeg, newId, ringStepOf, setLeg, startTimer, type Draft } from './draft.ts';
import { dismissedLimitMs, hangUpAgainMs, hangUpTries, legTimer, legTimers, switchRingMarginMs } from './timers.ts';

export function attemptOf(draft: Draft, leg: Leg): Attempt | undefined {
  return ringStepOf(draft, leg.step)?.attempts[leg.attempt];
}

/** Dials one attempt of a ring step, over the given trunk of its target's list. */
export function dial(draft: Draft, step: string, attemptIndex: number, trunk: number): void {
  const attempt = ringStepOf(draft, step)?.attempts[attemptIndex];
  if (attempt === undefined) return;
  const id = newId(draft, 'l');
  const via = attempt.target.kind === 'external' ? attempt.target.trunks[trunk] : undefined;
  const withTrunk = via === undefined ? {} : { trunk: via };
  setLeg(draft, { id, step, attempt: attemptIndex, trunk, held: false, phase: 'dialing' });
  fact(draft, { type: 'LegDialed', legId: id, user: attempt.user, label: attempt.label, target: plainTarget(attempt.target), ...withTrunk, ...(attempt.tags === undefined ? {} : { tags: attempt.tags }) });
  command(draft, {
    type: 'OriginateLeg',
    legId: id,
    target: attempt.target,
    ...withTrunk,
    callerId: attempt.callerId,
    ringMs: attempt.ringMs + switchRingMarginMs,
    mark: { v: 1, step, attempt: attemptIndex, trunk },
    ...(draft.call.caller.legId === draft.call.id ? {} : { servedLeg: draft.call.caller.legId }),
  });
  startTimer(draft, legTimer('leg', id), draft.now + attempt.ringMs);
}

/** Asks for the leg's end; it is over when the switch says so. */
export function hangUp(draft: Draft, leg: Leg, cause: Cause): void {
  if (leg.phase === 'ending' || leg.phase === 'ended') return;
  askToEnd(draft, leg, cause);
  startTimer(draft, legTimer('hang-up', leg.id), draft.now + hangUpAgainMs);
}

/** The same, where the call's own timer watches over the end of all its legs. */
export function askToEnd(draft: Draft, leg: Leg, cause: Cause): void {
  if (leg.phase === 'ending' || leg.phase === 'ended') return;
  cancelLegTimers(draft, leg.id);
  moveLeg(draft, leg, { phase: 'ending', cause, tries: 1 });
  command(draft, { type: 'HangUpLeg', legId: leg.id, cause });
}

/** The end asked for was not heard of: asks again, and after three times takes the leg for lost. */
export function hangUpAgain(draft: Draft, leg: Leg): void {
  if (leg.phase !== 'ending') return;
  if (leg.tries >= hangUpTries) {
    endLeg(draft, leg, 'lost');
    return;
  }
  moveLeg(draft, leg, { phase: 'ending', cause: leg.cause, tries: leg.tries + 1 });
  command(draft, { type: 'HangUpLeg', legId: leg.id, cause: leg.cause });
  startTimer(draft, legTimer('hang-up', leg.id), draft.now + hangUpAgainMs);
}

/** Someone else has the call: one who is on the line is told so before the hang-up. */
export function dismiss(draft: Draft, leg: Leg): void {
  const media = ringStepOf(draft, leg.step)?.taken ?? [];
  if (leg.phase !== 'screening' || media.length === 0) {
    hangUp(draft, leg, 'answered-elsewhere');
    return;
  }
  cancelLegTimers(draft, leg.id);
  if (leg.promptId !== null) command(draft, { type: 'StopPrompt', promptId: leg.promptId });
  const promptId = newId(draft, 'p');
  moveLeg(draft, leg, { phase: 'dismissed', promptId });
  fact(draft, { type: 'LegDismissed', legId: leg.id });
  command(draft, { type: 'PlayPrompt', legId: leg.id, promptId, media });
  startTimer(draft, legTimer('dismissed', leg.id), draft.now + dismissedLimitMs);
}

/** The leg is no more on the switch. Returns the cause its end is recorded with. */
export function endLeg(draft: Draft, leg: Leg, cause: Cause): Cause {
  if (leg.phase === 'ended') return leg.cause;
  const recorded = recordedCause(leg, cause);
  cancelLegTimers(draft, leg.id);
  moveLeg(draft, leg, { phase: 'ended', cause: recorded });
  fact(draft, { type: 'LegEnded', legId: leg.id, cause: recorded, disposition: legDisposition(leg, recorded) });
  return recorded;
}

/** Why we hung up says more than what the switch then reports; who left a prompt has declined. */
function recordedCause(leg: Leg, cause: Cause): Cause {
  switch (leg.phase) {
    case 'ending':
      return leg.cause;
    case 'extending':
    case 'screening':
    case 'accepted':
      return 'not-accepted';
    case 'dismissed':
      return 'answered-elsewhere';
    case 'bridged':
    case 'ended':
      return cause;
    case 'dialing':
    case 'ringing':
      // A normal clearing of a call that was never answered is nobody's answer.
      return cause === 'normal' ? 'no-answer' : cause;
  }
}

function legDisposition(leg: Leg, cause: Cause): Disposition {
  return leg.phase === 'bridged' ? 'answered' : causes[cause].disposition;
}

export function cancelLegTimers(draft: Draft, legId: LegId): void {
  for (const kind of legTimers) cancelTimer(draft, legTimer(kind, legId));
}

/** The call rings it: by its step, or because it is an agent's to whom the call is offered. */
export function isRung(call: Call, leg: Leg): boolean {
  return (call.phase === 'ringing' && call.step === leg.step) || (call.phase === 'queued' && call.visit?.offers[leg.step] !== undefined);
}

/** Still on the way to an acceptance. */
export function isTrying(leg: Leg): boolean {
  return leg.phase === 'dialing' || leg.phase === 'ringing' || leg.phase === 'extending' || leg.phase === 'screening';
}

export function markPickedUp(draft: Draft, leg: Leg): void {
  fact(draft, { type: 'LegPickedUp', legId: leg.id });
  cancelTimer(draft, legTimer('leg', leg.id));
}

/** Picks up for the caller, once. */
export function answerCaller(draft: Draft): void {
  const { caller } = draft.call;
  if (caller.phase !== 'waiting') return;
  change(draft, { caller: { ...caller, phase: 'answered' } });
  fact(draft, { type: 'CallerAnswered' });
  command(draft, { type: 'AnswerLeg', legId: caller.legId });
}

/** The dismissed has heard that the call was taken. */
export function dismissedOver(draft: Draft, leg: Leg): void {
  if (leg.phase === 'dismissed') hangUp(draft, leg, 'answered-elsewhere');
}
