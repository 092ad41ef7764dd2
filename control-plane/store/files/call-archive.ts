/**
 * Journals and CDRs in the data directory, kept after the call:
 *
 *   journals/2026-11-21T10.ndjson   a line per record of all calls of that hour (UTC)
 *   cdrs/2026-11-21.ndjson          a line per call
 *
 * One file for many calls, since a file per call would cost more than the call. Nothing is ever rewritten.
 */
import { basename, join } from 'node:path';
import type { CallId } from '../../core/ids.ts';
import type { EpochMs, Ms } from '../../core/time.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { CallArchive, JournalRecord } from '../ports.ts';
import { recordText } from '../record-line.ts';
import { createAppender } from './appender.ts';
import { callIds, readJournals, recent } from './journal-files.ts';

export interface FileArchive extends CallArchive {
  /** One call's journal as NDJSON, a record per line, as `frontdesk replay` reads it; empty when it is not known. */
  exportJournal(callId: CallId): Promise<string>;
  /** One sentence while the disk does not take what is written, else null. */
  problem(): string | null;
  /** Writes what it can and lets go of the files. */
  stop(): Promise<void>;
}

export interface FileArchiveOptions {
  /** The data directory; made when missing. */
  readonly dir: string;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Which file is today's. */
  readonly now?: () => EpochMs;
  readonly everyMs?: Ms;
  readonly maxBuffered?: number;
}

/** Ids of calls with a CDR kept in memory: more than can be alive at a crash. Two sets, the older one dropped. */
const rememberedCdrs = 200_000;

/** More than others have at a time. */
const rememberedGone = 20_000;

/** Reads which calls have a CDR, then resolves. */
export async function openFileArchive(options: FileArchiveOptions): Promise<FileArchive> {
  const { dir, log, metrics } = options;
  const now = options.now ?? Date.now;
  const journalDir = join(dir, 'journals');
  const cdrDir = join(dir, 'cdrs');
  const bounds = {
    ...(options.everyMs === undefined ? {} : { everyMs: options.everyMs }),
    ...(options.maxBuffered === undefined ? {} : { maxBuffered: options.maxBuffered }),
  };
  // ISO time up to the hour, and to the day; found once per hour, not once per record.
  let named = { until: 0, hour: '', day: '' };
  const names = (): typeof named => {
    const at = now();
    if (at >= named.until || at < named.until - 3_600_000) {
      const iso = new Date(at).toISOString();
      named = { until: (Math.floor(at / 3_600_000) + 1) * 3_600_000, hour: join(journalDir, `${iso.slice(0, 13)}.ndjson`), day: join(cdrDir, `${iso.slice(0, 10)}.ndjson`) };
    }
    return named;
  };
  const journals = createAppender({ path: () => names().hour, log, metrics, ...bounds });
  const cdrs = createAppender({ path: () => names().day, log, metrics, sync: true, ...bounds });

  let ended = new Set<CallId>();
  let endedBefore = new Set<CallId>();
  const rememberEnded = (callId: CallId): void => {
    ended.add(callId);
    if (ended.size < rememberedCdrs) return;
    endedBefore = ended;
    ended = new Set();
  };
  const hasEnded = (callId: CallId): boolean => ended.has(callId) || endedBefore.has(callId);
  // As far back as journals are looked at, or a call of long ago would seem to be without its record.
  const firstDay = basename((await recent(journalDir))[0] ?? '').slice(0, 10);
  for await (const callId of callIds((await recent(cdrDir)).filter((path) => basename(path).slice(0, 10) >= firstDay))) rememberEnded(callId);

  /** Next index per live call; null when its journal cannot be continued. */
  const next = new Map<CallId, number | null>();
  /** Calls that are another controller's now, with what was next here: one that comes back is written after that, from its opening on. */
  const gone = new Map<CallId, number | null>();
  const nextOf = (callId: CallId): number | null => {
    const index = next.has(callId) ? next.get(callId) : gone.get(callId);
    return index === undefined ? 0 : index;
  };
  /** Journals cut short by the last crash, read in one go when the first is asked for. */
  let cut: Promise<ReadonlyMap<CallId, readonly JournalRecord[]>> | null = null;
  const readCut = (): NonNullable<typeof cut> => {
    cut ??= recent(journalDir).then((paths) => readJournals(paths, (callId) => !hasEnded(callId) && !next.has(callId)));
    return cut;
  };

  const find = async (callId: CallId): Promise<readonly JournalRecord[]> => {
    if (!next.has(callId) && !hasEnded(callId)) return (await readCut()).get(callId) ?? [];
    await journals.flush();
    return (await readJournals(await recent(journalDir), (one) => one === callId)).get(callId) ?? [];
  };

  return {
    append: (callId, record) => {
      const seq = nextOf(callId);
      gone.delete(callId);
      if (seq === null) {
        metrics.count('archive_dropped_total');
        return;
      }
      const taken = journals.append(`{"callId":${JSON.stringify(callId)},"seq":${seq},"record":${recordText(record)}}\n`);
      next.set(callId, taken ? seq + 1 : null);
    },
    read: async (callId) => {
      try {
        const records = await find(callId);
        // Of an earlier process: what comes now continues it.
        if (!next.has(callId) && !hasEnded(callId) && records.length > 0) next.set(callId, records.length);
        return records;
      } catch (error) {
        if (!next.has(callId)) next.set(callId, null);
        throw error;
      }
    },
    listOpen: async () => {
      const open = new Set([...(await readCut()).keys(), ...next.keys()]);
      return [...open].filter((callId) => !hasEnded(callId) && !gone.has(callId));
    },
    writeCdr: async (cdr) => {
      if (hasEnded(cdr.callId)) {
        metrics.count('cdrs_duplicate_total');
        log.error({ call: cdr.callId }, 'A second record for the same call was refused');
        return;
      }
      // The call comes first in the line: that is how a start finds which calls have one.
      const { callId, ...rest } = cdr;
      if (!cdrs.append(`${JSON.stringify({ callId, ...rest })}\n`)) throw new Error('the disk has failed for too long, and no more records can wait in memory');
      rememberEnded(callId);
      next.delete(callId);
      await cdrs.written();
      metrics.count('cdrs_written_total');
    },
    hasCdr: (callId) => Promise.resolve(hasEnded(callId)),
    letGo: (callId) => {
      gone.set(callId, nextOf(callId));
      const [oldest] = gone.keys();
      if (gone.size > rememberedGone && oldest !== undefined) gone.delete(oldest);
      next.delete(callId);
    },
    flush: async () => {
      await Promise.all([journals.flush(), cdrs.flush()]);
    },
    exportJournal: async (callId) => {
      const records = await find(callId);
      return records.map((record) => `${JSON.stringify(record)}\n`).join('');
    },
    problem: () => cdrs.problem() ?? journals.problem(),
    stop: async () => {
      await Promise.all([journals.close(), cdrs.close()]);
    },
  };
}
