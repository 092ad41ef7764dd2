/** A message that a caller leaves: what the leg says, until it is silent, has said enough, or is needed elsewhere. */
import { callIdOf } from '../../core/ids.ts';
import type { MediaCommand } from '../../core/call/commands.ts';
import type { EslClient } from './esl/esl-client.ts';
import type { EslResult } from './esl/esl-result.ts';
import type { TellLeg } from './leg-events.ts';
import type { Leg } from './legs.ts';
import { silence } from './media-path.ts';
import { fill, stopPrompts, stopRun } from './prompts.ts';
import { recordLeg, stopRecording } from './record-leg.ts';
import { recordingFile } from './recordings.ts';
import { recordingVariable } from './variables.ts';

type Start = Extract<MediaCommand, { type: 'StartRecording' }>;

export async function startMessage(esl: EslClient, folder: string, leg: Leg, { recordingId, maxMs, silenceMs }: Start, tell: TellLeg): Promise<EslResult> {
  stopPrompts(esl, leg, tell);
  const recording = { id: recordingId, file: recordingFile(folder, recordingId) };
  leg.recording = recording;
  void esl.api('uuid_setvar', { leg: leg.id, name: recordingVariable, value: recordingId }, { order: callIdOf(leg.id) });
  void fill(esl, leg, silence);
  const begun = await recordLeg(esl, leg.id, recording.file, { maxMs, silenceMs });
  if (!begun.ok && leg.recording === recording) messageEnded(esl, leg);
  return begun;
}

/** Its end is told by the switch. */
export async function stopMessage(esl: EslClient, leg: Leg): Promise<EslResult> {
  if (leg.recording === undefined) return { ok: true, text: '' };
  if (leg.filled) stopRun(esl, leg);
  return stopRecording(esl, leg.id, leg.recording.file);
}

export function messageEnded(esl: EslClient, leg: Leg): void {
  leg.recording = undefined;
  if (leg.filled && leg.afterEnd === undefined) stopRun(esl, leg);
}
