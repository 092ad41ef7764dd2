/**
 * Voicemail: greeting, beep, record. What cannot be played is passed over; the recording ends by its length, by
 * silence, or with the caller. Its start and end are what the switch reports, never what it replied.
 */
import { cancelTimer, change, command, fact, goTo, newId, startTimer, type Draft } from '../call/draft.ts';
import type { CallFact } from '../call/facts.ts';
import { answerCaller } from '../call/leg-life.ts';
import { promptLimitMs, promptTimer, recordMarginMs, recordTimer } from '../call/timers.ts';
import type { RecordingId, StepId } from '../ids.ts';
import type { VoicemailStep } from '../routing/plan.ts';
import type { Ms } from '../time.ts';

export function enterVoicemail(draft: Draft, id: StepId, step: VoicemailStep): void {
  answerCaller(draft);
  const promptId = newId(draft, 'p');
  goTo(draft, { phase: 'greeting', step: id, promptId });
  command(draft, { type: 'PlayPrompt', legId: draft.call.caller.legId, promptId, media: step.greeting });
  startTimer(draft, promptTimer, draft.now + promptLimitMs);
}

export function startBeep(draft: Draft, step: StepId): void {
  const promptId = newId(draft, 'p');
  goTo(draft, { phase: 'beeping', step, promptId });
  command(draft, { type: 'PlayPrompt', legId: draft.call.caller.legId, promptId, media: ['tone:beep'] });
  startTimer(draft, promptTimer, draft.now + promptLimitMs);
}

export function voicemailPromptFinished(draft: Draft): void {
  const call = draft.call;
  if (call.phase === 'greeting') startBeep(draft, call.step);
  else if (call.phase === 'beeping') startRecording(draft, call.step);
}

function startRecording(draft: Draft, id: StepId): void {
  const step = draft.call.plan.steps[id];
  cancelTimer(draft, promptTimer);
  if (step?.kind !== 'voicemail') {
    draft.outcome = 'done';
    return;
  }
  const recordingId = newId(draft, 'r');
  goTo(draft, { phase: 'recording', step: id, recordingId });
  change(draft, { recording: recordingId });
  command(draft, { type: 'StartRecording', recordingId, legId: draft.call.caller.legId, maxMs: step.maxMs, silenceMs: step.silenceMs });
  startTimer(draft, recordTimer, draft.now + step.maxMs + recordMarginMs);
}

export function recordingStarted(draft: Draft, recordingId: RecordingId): void {
  if (draft.call.recording === recordingId) fact(draft, { type: 'VoicemailStarted', recordingId });
}

/** `durationMs` is null where its end was not seen. */
export function recordingFinished(draft: Draft, recordingId: RecordingId, durationMs: Ms | null): void {
  recordingClosed(draft, recordingId, { type: 'VoicemailRecorded', recordingId, durationMs });
}

export function recordingFailed(draft: Draft, recordingId: RecordingId): void {
  recordingClosed(draft, recordingId, { type: 'VoicemailFailed' });
}

function recordingClosed(draft: Draft, recordingId: RecordingId, how: CallFact): void {
  if (draft.call.recording !== recordingId) return;
  change(draft, { recording: null });
  fact(draft, how);
  afterRecording(draft);
}

export function recordingTimedOut(draft: Draft): void {
  const call = draft.call;
  if (call.phase !== 'recording') return;
  command(draft, { type: 'StopRecording', recordingId: call.recordingId });
  afterRecording(draft);
}

function afterRecording(draft: Draft): void {
  const call = draft.call;
  if (call.phase !== 'recording') return;
  cancelTimer(draft, recordTimer);
  draft.outcome = 'done';
}
