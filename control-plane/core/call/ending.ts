/** The end of a call: everything it has on the switch is asked to end, and it is over when all of it has. */
import type { Cause, Disposition } from '../cause.ts';
import { cancelAllTimers, change, command, fact, goTo, legsOf, startTimer, type Draft } from './draft.ts';
import type { EndedBy } from './facts.ts';
import { endLeg, hangUp } from './leg-life.ts';
import { endingTimer, hangUpAgainMs, hangUpTries } from './timers.ts';

export function endCall(draft: Draft, cause: Cause, disposition: Disposition, by: EndedBy): void {
  const call = draft.call;
  if (call.phase === 'ending' || call.phase === 'ended') return;
  for (const leg of legsOf(draft)) {
    hangUp(draft, leg, leg.phase === 'bridged' ? 'normal' : 'canceled');
  }
  if (call.phase === 'connecting' || call.phase === 'connected') command(draft, { type: 'DestroyBridge', bridgeId: call.bridgeId });
  hangUpCaller(draft, cause);
  cancelAllTimers(draft);
  goTo(draft, { phase: 'ending', cause, disposition, by, tries: 1 });
  startTimer(draft, endingTimer, draft.now + hangUpAgainMs);
  finishWhenNothingIsLeft(draft);
}

function hangUpCaller(draft: Draft, cause: Cause): void {
  const { caller, id } = draft.call;
  if (caller.phase === 'ended') return;
  change(draft, { caller: { phase: 'ending' } });
  command(draft, { type: 'HangUpLeg', legId: id, cause });
}

/** Some end was not heard of: asks for all of them again, and after three times takes what is left for lost. */
export function endAgain(draft: Draft): void {
  const call = draft.call;
  if (call.phase !== 'ending') return;
  if (call.tries >= hangUpTries) {
    for (const leg of legsOf(draft)) endLeg(draft, leg, 'lost');
    if (call.recording !== null) fact(draft, { type: 'VoicemailFailed' });
    change(draft, { caller: { phase: 'ended' }, recording: null });
    finishWhenNothingIsLeft(draft);
    return;
  }
  for (const leg of legsOf(draft)) {
    if (leg.phase === 'ending') command(draft, { type: 'HangUpLeg', legId: leg.id, cause: leg.cause });
  }
  hangUpCaller(draft, call.cause);
  if (call.recording !== null) command(draft, { type: 'StopRecording', recordingId: call.recording });
  goTo(draft, { phase: 'ending', cause: call.cause, disposition: call.disposition, by: call.by, tries: call.tries + 1 });
  startTimer(draft, endingTimer, draft.now + hangUpAgainMs);
}

export function finishWhenNothingIsLeft(draft: Draft): void {
  const call = draft.call;
  if (call.phase !== 'ending' || call.caller.phase !== 'ended' || call.recording !== null) return;
  if (legsOf(draft).some((leg) => leg.phase !== 'ended')) return;
  cancelAllTimers(draft);
  fact(draft, { type: 'CallEnded', cause: call.cause, disposition: call.disposition, by: call.by });
  goTo(draft, { phase: 'ended' });
}
