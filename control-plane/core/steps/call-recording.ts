/**
 * The recording of a call: both voices, from the bridge to its end. Where it is announced, it starts only when both
 * have heard the announcement to its end: nobody is recorded unawares because a prompt failed. A recording that fails
 * is a fact and nothing more: the call goes on as it would have.
 */
import { change, command, fact, legOf, newId, type Draft } from '../call/draft.ts';
import type { CallOnSwitch } from '../call/events.ts';
import { attemptOf } from '../call/leg-life.ts';
import { isCallRecording, type LegId, type RecordingId } from '../ids.ts';
import type { Ms } from '../time.ts';

/** This party has heard the announcement out. */
export function announced(draft: Draft, legId: LegId): void {
  if (draft.call.announcedTo.includes(legId)) return;
  change(draft, { announcedTo: [...draft.call.announcedTo, legId] });
  fact(draft, { type: 'RecordingAnnounced', legId });
}

/** Both talk: from here on they are recorded, if the plan says so. */
export function startCallRecording(draft: Draft): void {
  const { call } = draft;
  if (call.phase !== 'connected' || call.callRecording !== null) return;
  const winner = legOf(draft, call.winner);
  const recording = winner === undefined ? undefined : attemptOf(draft, winner)?.recording;
  if (recording === undefined) return;
  if (recording.announced && !(call.announcedTo.includes(call.caller.legId) && call.announcedTo.includes(call.winner))) {
    fact(draft, { type: 'CallNotRecorded', why: 'not-announced' });
    return;
  }
  const id = newId(draft, 'c');
  change(draft, { callRecording: { id, started: false } });
  command(draft, { type: 'StartCallRecording', recordingId: id, caller: call.caller.legId, callee: call.winner });
}

/** Asks for its end, which is when the switch says so. */
export function stopCallRecording(draft: Draft): void {
  const { callRecording } = draft.call;
  if (callRecording !== null) command(draft, { type: 'StopRecording', recordingId: callRecording.id });
}

export function callRecordingStarted(draft: Draft, recordingId: RecordingId): void {
  const { callRecording } = draft.call;
  if (callRecording?.id !== recordingId || callRecording.started) return;
  change(draft, { callRecording: { id: recordingId, started: true } });
  fact(draft, { type: 'CallRecordingStarted', recordingId });
}

/** `durationMs` is null where its end was not seen. */
export function callRecordingEnded(draft: Draft, recordingId: RecordingId, durationMs: Ms | null): void {
  if (draft.call.callRecording?.id !== recordingId) return;
  change(draft, { callRecording: null });
  fact(draft, { type: 'CallRecordingEnded', recordingId, durationMs, ...(draft.call.phase === 'connected' ? { early: true } : {}) });
}

export function callRecordingFailed(draft: Draft, recordingId: RecordingId): void {
  if (draft.call.callRecording?.id !== recordingId) return;
  change(draft, { callRecording: null });
  fact(draft, { type: 'CallRecordingFailed', recordingId });
}

/** Set against what runs on the switch: one that ended unseen, one whose start was not seen, one we know nothing of. */
export function callRecordingAsSeen(draft: Draft, seen: CallOnSwitch): void {
  const { callRecording: known } = draft.call;
  const running = seen.recordings.filter(isCallRecording);
  if (known !== null && !running.includes(known.id)) {
    // Half of it may have been begun.
    stopCallRecording(draft);
    callRecordingEnded(draft, known.id, null);
  }
  for (const id of running) {
    if (draft.call.callRecording === null && draft.call.phase !== 'ending') change(draft, { callRecording: { id, started: false } });
    if (draft.call.callRecording?.id === id) callRecordingStarted(draft, id);
    else command(draft, { type: 'StopRecording', recordingId: id });
  }
}
