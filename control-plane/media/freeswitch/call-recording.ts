/**
 * The recording of a call: what each of the two says, recorded to a file of its own. It keeps its leg from nothing, ends with it,
 * and outlives its controller.
 */
import { callIdOf, type RecordingId } from '../../core/ids.ts';
import type { MediaCommand } from '../../core/call/commands.ts';
import type { Ms } from '../../core/time.ts';
import type { EslClient } from './esl/esl-client.ts';
import type { EslResult } from './esl/esl-result.ts';
import type { TellLeg } from './leg-events.ts';
import { recordLeg, stopRecording } from './record-leg.ts';
import { recordingFile, type Side } from './recordings.ts';
import { recordingVariable } from './variables.ts';

type Start = Extract<MediaCommand, { type: 'StartCallRecording' }>;

/** What must be remembered of call recordings while they last: two tracks are told of as one recording. */
export interface CallRecordings {
  start(esl: EslClient, folder: string, command: Start): Promise<EslResult>;
  stop(esl: EslClient, recordingId: RecordingId): Promise<EslResult>;
  started(recordingId: RecordingId, side: Side): void;
  /** `durationMs` is null where nothing could be written. */
  closed(esl: EslClient, recordingId: RecordingId, side: Side, durationMs: Ms | null): void;
  /** Events may be missed from here on. */
  linkLost(): void;
  /** What the switch records of calls that are this controller's, whoever began it: of others no end would be told here. */
  asSeen(folder: string, running: readonly Pick<Start, 'recordingId' | 'caller' | 'callee'>[]): void;
}

interface Recording extends Pick<Start, 'caller' | 'callee'> {
  readonly folder: string;
  readonly sides: Map<Side, 'opening' | 'running' | 'ended'>;
  longestMs: Ms;
}

const both: readonly Side[] = ['caller', 'callee'];

export function createCallRecordings(tell: TellLeg): CallRecordings {
  const recordings = new Map<RecordingId, Recording>();

  const onBoth = (act: typeof stopRecording, esl: EslClient, recordingId: RecordingId, recording: Recording): Promise<readonly [EslResult, EslResult]> => {
    const onOne = (side: Side): Promise<EslResult> => act(esl, recording[side], recordingFile(recording.folder, recordingId, side));
    return Promise.all([onOne('caller'), onOne('callee')]);
  };
  const stopBoth = async (esl: EslClient, recordingId: RecordingId, recording: Recording): Promise<EslResult> => {
    const [one, other] = await onBoth(stopRecording, esl, recordingId, recording);
    // One that is not recorded need not be stopped; one that could not be reached is not.
    return one.ok ? one : other;
  };

  return {
    async start(esl, folder, { recordingId, caller, callee }) {
      const recording: Recording = { folder, caller, callee, sides: new Map(both.map((side) => [side, 'opening'])), longestMs: 0 };
      recordings.set(recordingId, recording);
      for (const leg of [caller, callee]) void esl.api('uuid_setvar', { leg, name: recordingVariable, value: recordingId }, { order: callIdOf(recordingId) });
      const [one, other] = await onBoth(recordLeg, esl, recordingId, recording);
      if (one.ok && other.ok) return one;
      if (recordings.delete(recordingId)) void stopBoth(esl, recordingId, recording);
      return one.ok ? other : one;
    },
    async stop(esl, recordingId) {
      const recording = recordings.get(recordingId);
      return recording === undefined ? { ok: false, error: 'gone', message: 'There is no such recording.', sent: false } : stopBoth(esl, recordingId, recording);
    },
    started(recordingId, side) {
      const recording = recordings.get(recordingId);
      if (recording?.sides.get(side) !== 'opening') return;
      recording.sides.set(side, 'running');
      if ([...recording.sides.values()].every((state) => state === 'running')) tell(callIdOf(recordingId), { type: 'RecordingStarted', recordingId });
    },
    closed(esl, recordingId, side, durationMs) {
      const recording = recordings.get(recordingId);
      if (recording === undefined) return;
      if (durationMs === null) {
        recordings.delete(recordingId);
        void stopBoth(esl, recordingId, recording);
        tell(callIdOf(recordingId), { type: 'RecordingFailed', recordingId });
        return;
      }
      recording.sides.set(side, 'ended');
      recording.longestMs = Math.max(recording.longestMs, durationMs);
      // One voice alone is no recording of a call.
      if ([...recording.sides.values()].some((state) => state !== 'ended')) {
        void stopBoth(esl, recordingId, recording);
        return;
      }
      recordings.delete(recordingId);
      tell(callIdOf(recordingId), { type: 'RecordingFinished', recordingId, durationMs: recording.longestMs });
    },
    linkLost: () => { recordings.clear(); },
    asSeen(folder, running) {
      for (const { recordingId, caller, callee } of running) {
        if (!recordings.has(recordingId)) recordings.set(recordingId, { folder, caller, callee, sides: new Map(both.map((side) => [side, 'running'])), longestMs: 0 });
      }
    },
  };
}
