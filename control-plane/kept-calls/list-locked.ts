/**
 * Recordings whose key is missing are listed by the records of their calls, which may arrive in the database later than
 * this starts: it is tried again, after twice the time each time, as long as some are left.
 */
import { aboutRecording } from './collect-recordings.ts';
import type { Cdr } from '../core/cdr/cdr.ts';
import { callIdOf, type CallId } from '../core/ids.ts';
import type { Ms } from '../core/time.ts';
import type { Recordings } from '../store/media-files/recordings.ts';
import type { Log } from '../telemetry/log.ts';

export interface ListLockedOptions {
  readonly recordings: Recordings;
  /** Null when there is none; rejects while it cannot be told. */
  readonly findCdr: (callId: CallId) => Promise<Cdr | null>;
  readonly log: Log;
}

const firstMs: Ms = 1000;
const longestMs: Ms = 3_600_000;

/** Returns what ends it. */
export function listLocked({ recordings, findCdr, log }: ListLockedOptions): () => void {
  let timer: NodeJS.Timeout | undefined;
  let wait = firstMs;
  let stopped = false;

  const attempt = async (): Promise<void> => {
    for (const id of recordings.locked()) {
      if (stopped) return;
      const cdr = await findCdr(callIdOf(id));
      if (cdr === null) continue;
      const recorded = cdr.voicemail?.recordingId === id ? cdr.voicemail : cdr.recordings.find(({ recordingId }) => recordingId === id);
      await recordings.describeLocked({ ...aboutRecording(cdr, id), durationMs: recorded?.durationMs ?? 0 });
    }
  };
  const run = (): void => {
    void attempt().catch((error: unknown) => { log.debug({ error: String(error) }, 'Recordings whose key is missing could not be listed yet'); }).then(() => {
      if (stopped || recordings.locked().length === 0) return;
      timer = setTimeout(run, wait);
      wait = Math.min(longestMs, wait * 2);
    });
  };
  run();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}
