/**
 * What is kept for how long, and what happens when the disk becomes full. Removing is done by whoever calls, once an
 * hour or so; nothing here has a clock of its own.
 */
import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { EpochMs } from '../../core/time.ts';
import type { Log } from '../../telemetry/log.ts';
import { removeDatedFiles } from '../files/dated-files.ts';
import type { Recording } from './recording.ts';
import type { Recordings } from './recordings.ts';

/** Days, at least 1; without a value, for ever. */
export interface RetentionSettings {
  readonly recordingDays?: number;
  readonly voicemailDays?: number;
  readonly journalDays?: number;
  readonly cdrDays?: number;
}

export interface RetentionOptions {
  readonly now: EpochMs;
  readonly settings: RetentionSettings;
  readonly recordings: Recordings;
  /** The data directory, as file archives have it. */
  readonly dir: string;
  readonly log: Log;
  /** What stays whatever its age: a voicemail nobody has heard, a recording someone holds on to. */
  readonly keep?: (recording: Recording) => boolean;
}

/** How many of each were removed. */
export interface RetentionResult {
  readonly recordings: number;
  readonly voicemails: number;
  readonly journals: number;
  readonly cdrs: number;
}

const dayMs = 86_400_000;

/** Removes what is due. Never rejects: what cannot be removed is in the log and is tried again the next time. */
export async function applyRetention({ now, settings, recordings, dir, log, keep }: RetentionOptions): Promise<RetentionResult> {
  const attempt = async (days: number | undefined, what: string, remove: (before: EpochMs) => Promise<number>): Promise<number> => {
    if (days === undefined) return 0;
    try {
      const removed = await remove(now - Math.max(1, days) * dayMs);
      if (removed > 0) log.info({ what, removed, days }, 'Removed what was kept for as long as it is to be');
      return removed;
    } catch (error) {
      log.error({ what, error: error instanceof Error ? error.message : String(error) }, 'What is due could not be removed; it is tried again later');
      return 0;
    }
  };
  const kept = keep === undefined ? {} : { keep };
  return {
    recordings: await attempt(settings.recordingDays, 'recordings', (before) => recordings.removeOlderThan(before, { kind: 'call', ...kept })),
    voicemails: await attempt(settings.voicemailDays, 'voicemails', (before) => recordings.removeOlderThan(before, { kind: 'voicemail', ...kept })),
    journals: await attempt(settings.journalDays, 'journals', (before) => removeDatedFiles(join(dir, 'journals'), before, now)),
    cdrs: await attempt(settings.cdrDays, 'cdrs', (before) => removeDatedFiles(join(dir, 'cdrs'), before, now)),
  };
}

export interface DiskFloor {
  /** Free bytes, whichever of the two is more. */
  readonly bytes: number;
  /** Of the whole disk, 0 to 1. */
  readonly share: number;
}

export const defaultDiskFloor: DiskFloor = { bytes: 1_073_741_824, share: 0.02 };

export interface DiskGuard {
  /** Asks the disk; resolves with `problem()`. To be called every few seconds. */
  check(): Promise<string | null>;
  /** A sentence for readiness while too little is free, or it cannot be told; else null. No recording begins then, and calls go on. */
  problem(): string | null;
}

export interface DiskGuardOptions {
  readonly dir: string;
  readonly floor?: DiskFloor;
  /** For tests. Sizes in blocks of `bsize` bytes; `bavail`: free for whom we run as. */
  readonly statfs?: (dir: string) => Promise<{ readonly bsize: number; readonly blocks: number; readonly bavail: number }>;
}

/** Nothing is wrong until the first check. */
export function createDiskGuard({ dir, floor = defaultDiskFloor, statfs: ask = statfs }: DiskGuardOptions): DiskGuard {
  let problem: string | null = null;
  const look = async (): Promise<string | null> => {
    try {
      const { bsize, blocks, bavail } = await ask(dir);
      const wanted = Math.max(floor.bytes, blocks * bsize * floor.share);
      const free = bavail * bsize;
      return free >= wanted ? null : `Only ${mebibytes(free)} MiB are free on the disk of ${dir}, less than ${mebibytes(wanted)} MiB: calls go on, but no other is recorded, and messages stay on the switch, until space is made.`;
    } catch (error) {
      return `It cannot be told how much of the disk of ${dir} is free, so nothing is recorded: ${error instanceof Error ? error.message : String(error)}.`;
    }
  };
  return {
    check: async () => {
      problem = await look();
      return problem;
    },
    problem: () => problem,
  };
}

function mebibytes(bytes: number): number {
  return Math.floor(bytes / 1_048_576);
}
