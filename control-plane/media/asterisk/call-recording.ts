/**
 * The recording of a call: a snoop channel on each leg, which hears what that leg says, recorded to a file of its own.
 * A snoop keeps its leg from nothing, ends with it, and outlives its controller. A track, its snoop channel and its
 * file have one name: `<recordingId>-caller`, `<recordingId>-callee`.
 */
import { callIdOf, type LegId, type RecordingId } from '../../core/ids.ts';
import type { MediaCommand } from '../../core/call/commands.ts';
import type { LegEvent } from '../../core/call/events.ts';
import type { AriClient } from './ari/ari-client.ts';
import type { AriResult } from './ari/ari-result.ts';
import type { TellLeg } from './leg-events.ts';

/** Args of a snoop channel in StasisStart. */
export const trackArgument = 'track';
const track = /^(.+--c\d+)-(?:caller|callee)$/;

export function recordingOfTrack(name: string): RecordingId | undefined {
  return track.exec(name)?.[1];
}

export function tracksOf(recordingId: RecordingId): readonly [caller: string, callee: string] {
  return [`${recordingId}-caller`, `${recordingId}-callee`];
}

/** How far the tracks of a recording are, by name; none of one that is over. */
type Tracks = Map<string, 'opening' | 'running' | 'ended'>;

/** What must be remembered of call recordings while they last: two tracks are told of as one recording. */
export interface CallRecordings {
  start(ari: AriClient, command: Extract<MediaCommand, { type: 'StartCallRecording' }>): Promise<AriResult<unknown>>;
  stop(ari: AriClient, recordingId: RecordingId): Promise<AriResult<unknown>>;
  /** The snoop channel is in our application, and can be recorded now. */
  entered(ari: AriClient, name: string): void;
  started(name: string): void;
  /** `durationMs` is null for one that failed. */
  closed(ari: AriClient, name: string, durationMs: number | null): void;
  /** Events may be missed from here on. */
  linkLost(): void;
  /** What the switch records of calls that are this controller's, whoever began it: of others no end would be told here. */
  asSeen(running: readonly RecordingId[]): void;
}

export function createCallRecordings(tell: TellLeg): CallRecordings {
  const recordings = new Map<RecordingId, { readonly tracks: Tracks; longestMs: number }>();

  const say = (recordingId: RecordingId, event: LegEvent): void => { tell(callIdOf(recordingId), event); };
  const fail = (ari: AriClient, recordingId: RecordingId): void => {
    if (!recordings.delete(recordingId)) return;
    void endSnoops(ari, recordingId);
    say(recordingId, { type: 'RecordingFailed', recordingId });
  };

  return {
    async start(ari, { recordingId, caller, callee }) {
      const names = tracksOf(recordingId);
      recordings.set(recordingId, { tracks: new Map(names.map((name) => [name, 'opening'])), longestMs: 0 });
      const [one, other] = await Promise.all([snoop(ari, caller, names[0]), snoop(ari, callee, names[1])]);
      if (one.ok && other.ok) return one;
      if (recordings.delete(recordingId)) void endSnoops(ari, recordingId);
      return one.ok ? other : one;
    },
    stop: (ari, recordingId) => endSnoops(ari, recordingId),
    entered(ari, name) {
      const recordingId = recordingOfTrack(name);
      if (recordingId === undefined) return;
      void ari.request('channels.record', { channelId: name, name, format: 'wav', ifExists: 'fail', terminateOn: 'none' }).then((reply) => {
        // The link's loss is seen to when it is back.
        if (!reply.ok && reply.error !== 'unreachable') fail(ari, recordingId);
      });
    },
    started(name) {
      const recordingId = recordingOfTrack(name);
      const recording = recordingId === undefined ? undefined : recordings.get(recordingId);
      if (recordingId === undefined || recording?.tracks.get(name) !== 'opening') return;
      recording.tracks.set(name, 'running');
      if ([...recording.tracks.values()].every((state) => state === 'running')) say(recordingId, { type: 'RecordingStarted', recordingId });
    },
    closed(ari, name, durationMs) {
      const recordingId = recordingOfTrack(name);
      const recording = recordingId === undefined ? undefined : recordings.get(recordingId);
      if (recordingId === undefined || recording === undefined) return;
      if (durationMs === null) {
        fail(ari, recordingId);
        return;
      }
      recording.tracks.set(name, 'ended');
      recording.longestMs = Math.max(recording.longestMs, durationMs);
      // One voice alone is no recording of a call.
      if ([...recording.tracks.values()].some((state) => state !== 'ended')) {
        void endSnoops(ari, recordingId);
        return;
      }
      recordings.delete(recordingId);
      const { longestMs } = recording;
      void (longestMs > 0 ? Promise.resolve(true) : areStored(ari, recordingId)).then((stored) => {
        say(recordingId, stored ? { type: 'RecordingFinished', recordingId, durationMs: longestMs } : { type: 'RecordingFailed', recordingId });
      });
    },
    linkLost: () => { recordings.clear(); },
    asSeen(running) {
      for (const id of running) if (!recordings.has(id)) recordings.set(id, { tracks: new Map(tracksOf(id).map((name) => [name, 'running'])), longestMs: 0 });
    },
  };
}

function snoop(ari: AriClient, legId: LegId, name: string): Promise<AriResult<unknown>> {
  return ari.request('channels.snoopChannelWithId', { channelId: legId, snoopId: name, spy: 'in', app: ari.app, appArgs: trackArgument });
}

/** A track that could not be written starts, and finishes at once with a length of 0, as a short one does (tried). */
async function areStored(ari: AriClient, recordingId: RecordingId): Promise<boolean> {
  const replies = await Promise.all(tracksOf(recordingId).map((recordingName) => ari.request('recordings.getStored', { recordingName })));
  return replies.every((reply) => reply.ok || reply.error !== 'gone');
}

/** Their recordings end with them, in order. */
async function endSnoops(ari: AriClient, recordingId: RecordingId): Promise<AriResult<unknown>> {
  const [caller, callee] = tracksOf(recordingId);
  const [one, other] = await Promise.all([ari.request('channels.hangup', { channelId: caller }), ari.request('channels.hangup', { channelId: callee })]);
  // One that is gone need not be ended; one that could not be reached is not.
  return !one.ok && (other.ok || other.error !== 'gone') ? other : one;
}
