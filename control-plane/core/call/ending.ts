/** The end of a call: everything it has on the switch is asked to end, and it is over when all of it has. */
import { causes, type Cause, type Disposition } from '../cause.ts';
import { stopCallRecording } from '../steps/call-recording.ts';
import { settleQueue } from '../steps/queue-service.ts';
import { cancelAllTimers, change, command, fact, goTo, legsOf, startTimer, type Draft } from './draft.ts';
import type { Leg } from './call.ts';
import type { EndedBy } from './facts.ts';
import { askToEnd, endLeg } from './leg-life.ts';
import { endingTimer, hangUpAgainMs, hangUpTries } from './timers.ts';

export function endCall(draft: Draft, cause: Cause, disposition: Disposition, by: EndedBy): void {
  const call = draft.call;
  if (call.phase === 'ending' || call.phase === 'ended') return;
  stopCallRecording(draft);
  for (const leg of legsOf(draft)) askToEnd(draft, leg, causeOfRelease(leg));
  if (call.phase === 'connecting' || call.phase === 'connected' || call.phase === 'supervising') command(draft, { type: 'DestroyBridge', bridgeId: call.bridgeId });
  hangUpCaller(draft, cause);
  cancelAllTimers(draft);
  // Who has talked was answered, whatever came after.
  goTo(draft, { phase: 'ending', cause, disposition: call.answeredAt === null ? disposition : 'answered', by, tries: 1 });
  settleQueue(draft);
  startTimer(draft, endingTimer, draft.now + hangUpAgainMs);
  finishWhenNothingIsLeft(draft);
}

function causeOfRelease(leg: Leg): Cause {
  if (leg.phase === 'bridged') return 'normal';
  return leg.phase === 'dismissed' ? 'answered-elsewhere' : 'canceled';
}

/** How routing went for a call that reached nobody: what all who were tried agree on, else nobody answered. */
export function routedTo(draft: Draft): Disposition {
  // The last try of each device counts: a trunk that failed before another took the call says nothing.
  const tried = new Map(legsOf(draft).map((leg) => [`${leg.step} ${leg.attempt}`, leg]));
  const seen = new Set([...tried.values()].map((leg) => ('cause' in leg ? causes[leg.cause].disposition : 'no-answer')));
  const [only] = seen;
  return seen.size === 1 && (only === 'busy' || only === 'declined' || only === 'unreachable') ? only : 'no-answer';
}

function hangUpCaller(draft: Draft, cause: Cause): void {
  const { caller } = draft.call;
  if (caller.phase === 'ended') return;
  change(draft, { caller: { ...caller, phase: 'ending' } });
  command(draft, { type: 'HangUpLeg', legId: caller.legId, cause });
}

/** The served leg is no more on the switch. One that was called has its line in the record. */
export function servedEnded(draft: Draft, cause: Cause): void {
  const { caller, id } = draft.call;
  if (caller.phase === 'ended') return;
  change(draft, { caller: { ...caller, phase: 'ended' } });
  if (caller.legId !== id) fact(draft, { type: 'LegEnded', legId: caller.legId, cause, disposition: 'answered' });
}

/** Some end was not heard of: asks for all of them again, and after three times takes what is left for lost. */
export function endAgain(draft: Draft): void {
  const call = draft.call;
  if (call.phase !== 'ending') return;
  if (call.tries >= hangUpTries) {
    for (const leg of legsOf(draft)) endLeg(draft, leg, 'lost');
    // A recording whose end was not heard of may hold a message: the CDR goes on naming it, its length unknown.
    servedEnded(draft, 'lost');
    change(draft, { recording: null, callRecording: null });
    finishWhenNothingIsLeft(draft);
    return;
  }
  for (const leg of legsOf(draft)) {
    if (leg.phase === 'ending') command(draft, { type: 'HangUpLeg', legId: leg.id, cause: leg.cause });
  }
  hangUpCaller(draft, call.cause);
  if (call.recording !== null) command(draft, { type: 'StopRecording', recordingId: call.recording });
  stopCallRecording(draft);
  goTo(draft, { phase: 'ending', cause: call.cause, disposition: call.disposition, by: call.by, tries: call.tries + 1 });
  startTimer(draft, endingTimer, draft.now + hangUpAgainMs);
}

/** After an outage the tries count from the start: the switch has only now been asked. */
export function endAnew(draft: Draft): void {
  const call = draft.call;
  if (call.phase !== 'ending') return;
  goTo(draft, { phase: 'ending', cause: call.cause, disposition: call.disposition, by: call.by, tries: 0 });
  endAgain(draft);
}

export function finishWhenNothingIsLeft(draft: Draft): void {
  const call = draft.call;
  if (call.phase !== 'ending' || call.caller.phase !== 'ended' || call.recording !== null || call.callRecording !== null) return;
  if (legsOf(draft).some((leg) => leg.phase !== 'ended')) return;
  cancelAllTimers(draft);
  fact(draft, { type: 'CallEnded', cause: call.cause, disposition: call.disposition, by: call.by });
  goTo(draft, { phase: 'ended' });
}
