/**
 * Brings what the switch recorded to where it is kept, encrypted: after each call, and what an earlier run left behind.
 * Of several controllers it is the one that wrote the call's record; what stays there for ten minutes all the same is
 * brought by the one that leads. A part leaves the switch when its encrypted copy is safe, so a crash at any moment loses nothing.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cdr } from '../core/cdr/cdr.ts';
import { callIdOf, isCallRecording, type CallId } from '../core/ids.ts';
import { minute, type Ms } from '../core/time.ts';
import type { StoredRecordings } from '../media/switch-admin.ts';
import type { RecordedPart } from '../store/media-files/call-audio.ts';
import type { Recording } from '../store/media-files/recording.ts';
import type { NewRecording, Recordings } from '../store/media-files/recordings.ts';
import type { Log } from '../telemetry/log.ts';

export interface CollectorOptions {
  readonly stored: StoredRecordings;
  readonly recordings: Pick<Recordings, 'get' | 'takeIn'>;
  readonly dataDir: string;
  readonly isLive: (callId: CallId) => boolean;
  /** The record of a call that has ended; null when none is known yet. */
  readonly findCdr: (callId: CallId) => Promise<Cdr | null>;
  /** This controller wrote the call's record. */
  readonly isOwn: (callId: CallId) => Promise<boolean>;
  /** Others' are to be brought as well, once they are left behind. */
  readonly bringsOthers: () => boolean;
  /** A recording is safe, and was not before. */
  readonly onTakenIn: (recording: Recording, cdr: Cdr) => void;
  readonly log: Log;
}

export interface Collector {
  /** Begins to look for what is left from before: when the switch is known to serve, and the calls on it to be taken up. */
  start(): void;
  /** A call has ended. */
  collect(cdr: Cdr): void;
  /** Null, or a sentence: recordings stay on the switch, and why. */
  problem(): string | null;
  stop(): Promise<void>;
}

/** Between looks for what no call of ours has told of. */
const everyMs: Ms = 30_000;
const againMs: Ms = 5000;
/** By then who wrote the record would have brought it. */
const leftBehindMs: Ms = 10 * minute;
const mostUntaken = 1000;
const partName = /^(.+--[rc]\d+)(?:-(caller|callee))?$/;

export function collectRecordings(options: CollectorOptions): Collector {
  const { stored, recordings, dataDir, isLive, findCdr, isOwn, bringsOthers, onTakenIn, log } = options;
  const incoming = join(dataDir, 'incoming');
  /** Of calls that have ended and whose recordings are not safe yet: their records may wait for the database as well. */
  const untaken = new Map<CallId, Cdr>();
  let problem: string | null = null;
  let stopping = false;
  let queue: Promise<void> = Promise.resolve();
  const enqueue = (work: () => Promise<void>): void => {
    queue = queue.then(() => (stopping ? undefined : work())).catch((error: unknown) => {
      problem = `Recordings stay on the switch: ${error instanceof Error ? error.message : String(error)}`;
      log.warn({ error: String(error) }, 'Recordings could not be brought from the switch; tried again');
    });
  };

  /** Null, or what is wrong with this one alone; throws what keeps others from being brought as well. */
  async function takeIn(cdr: Cdr, recordingId: string, names: readonly string[]): Promise<string | null> {
    await mkdir(incoming, { recursive: true, mode: 0o700 });
    const parts: RecordedPart[] = [];
    const fileOf = (name: string): string => join(incoming, `${name}.wav`);
    try {
      for (const name of names) {
        const side = partName.exec(name)?.[2];
        if (await stored.fetch(name, fileOf(name))) parts.push({ channel: side === 'caller' || side === 'callee' ? side : 'mixed', wav: fileOf(name) });
      }
      if (parts.length > 0) {
        const known = recordings.get(recordingId) !== undefined;
        const taken = await recordings.takeIn({ ...aboutRecording(cdr, recordingId), parts });
        if (!taken.ok && taken.reason === 'unreadable') return taken.message;
        if (!taken.ok && taken.reason !== 'empty') throw new Error(taken.message);
        if (taken.ok && !known) onTakenIn(taken.recording, cdr);
      }
      for (const name of names) await stored.remove(name);
      return null;
    } finally {
      // also of one that came half: it is not encrypted
      for (const name of names) await rm(fileOf(name), { force: true });
    }
  }

  async function unclaimed(callId: CallId): Promise<Cdr | null> {
    const own = await isOwn(callId);
    if (!own && !bringsOthers()) return null;
    const cdr = await findCdr(callId);
    return own || (cdr?.endedAt ?? Infinity) <= Date.now() - leftBehindMs ? cdr : null;
  }

  async function collectAll(wanted?: Cdr): Promise<void> {
    const calls = wanted === undefined ? [...untaken.keys()] : [wanted.callId];
    const byRecording = new Map<string, string[]>();
    for (const name of await stored.list()) {
      const recordingId = partName.exec(name)?.[1];
      if (recordingId === undefined || (wanted !== undefined && callIdOf(recordingId) !== wanted.callId)) continue;
      byRecording.set(recordingId, [...(byRecording.get(recordingId) ?? []), name]);
    }
    const unreadable: string[] = [];
    for (const [recordingId, names] of byRecording) {
      const callId = callIdOf(recordingId);
      if (stopping || isLive(callId)) continue;
      const cdr = wanted ?? untaken.get(callId) ?? (await unclaimed(callId));
      const wrong = cdr === null ? null : await takeIn(cdr, recordingId, names);
      if (wrong !== null) unreadable.push(`${recordingId}: ${wrong}`);
    }
    if (unreadable.length > 0) throw new Error(unreadable.join(' '));
    // of one call it says nothing about what others have left there
    if (wanted === undefined) problem = null;
    for (const callId of calls) if (!stopping && !isLive(callId)) untaken.delete(callId);
  }

  let timer: NodeJS.Timeout | undefined;
  let lookedAt = -Infinity;
  const look = (): void => {
    if (problem === null && performance.now() - lookedAt < everyMs) return;
    lookedAt = performance.now();
    enqueue(() => collectAll());
  };
  return {
    start: () => {
      look();
      timer = setInterval(look, againMs);
    },
    collect: (cdr) => {
      if (cdr.voicemail === null && cdr.recordings.length === 0) return;
      // the others are found in the database when they are looked for
      if (untaken.size < mostUntaken) untaken.set(cdr.callId, cdr);
      enqueue(() => collectAll(cdr));
    },
    problem: () => problem,
    stop: async () => {
      stopping = true;
      clearInterval(timer);
      await queue;
    },
  };
}

/** What a call's record tells of a recording of it. */
export function aboutRecording(cdr: Cdr, recordingId: string): Omit<NewRecording, 'parts'> {
  const started = cdr.recordings.find((recording) => recording.recordingId === recordingId)?.startedAt;
  return {
    recordingId, kind: isCallRecording(recordingId) ? 'call' : 'voicemail', account: cdr.account, callId: cdr.callId,
    number: cdr.number.e164, caller: cdr.caller.number, at: started ?? cdr.startedAt,
  };
}
