/**
 * Sends records of calls from the archive's files, `cdrs/<day>.ndjson`, to the database: in order, until each has
 * arrived, over outages and restarts. How far a file was sent is kept in the database in the same transaction as the
 * records, so each arrives once, and a database that is new or was restored is sent what it lacks. Nothing in the
 * files is changed; a line that is no record, or that the database refuses, is passed over and reported.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cdr } from '../../core/cdr/cdr.ts';
import type { Ms } from '../../core/time.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { StoreAwayError } from '../ports.ts';
import type { SpooledCdrStore, SpoolMark } from './cdr-store.ts';

export interface CdrSpool {
  /** Records that are in files and not known to be in the database. */
  pending(): number;
  /** Lines passed over since the start. */
  skipped(): number;
  /** One sentence while records do not get through, else null. */
  problem(): string | null;
  /** Looks soon: a record was written. */
  wake(): void;
  /** Settles when nothing is on its way; what is pending is sent after the next start. */
  stop(): Promise<void>;
}

export interface CdrSpoolOptions {
  /** The data directory, as the archive has it. */
  readonly dir: string;
  readonly store: Pick<SpooledCdrStore, 'addFromSpool' | 'sentOf'>;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Between looks for new lines. */
  readonly everyMs?: Ms;
  /** Of the first wait after a failure; it doubles up to 40 times as much. */
  readonly backOffMs?: Ms;
  /** Bytes read and sent at once; a line may be longer. */
  readonly batchBytes?: number;
}

/** A file as far as it is known here; places in bytes. */
interface SpoolFile {
  readonly name: string;
  /** All before it is in the database. */
  sent: number;
  /** All before it is counted in `lines`: the end of the last complete line seen. */
  counted: number;
  /** Complete lines between the two. */
  lines: number;
}

interface Line {
  readonly cdr: Cdr | null;
  /** Where the next line begins. */
  readonly end: number;
}

const newline = 0x0a;
/** What is written so soon after a look goes with the next: a transaction costs as much for one record as for many. */
const gatherMs: Ms = 250;
/** No record of a call is near it; a file of something else must not fill the memory. */
const longestLine = 16_000_000;

/** Begins to send in the background. */
export function startCdrSpool(options: CdrSpoolOptions): CdrSpool {
  const { store, log, metrics } = options;
  const folder = join(options.dir, 'cdrs');
  const everyMs = options.everyMs ?? 500;
  const backOffMs = options.backOffMs ?? 250;
  const batchBytes = options.batchBytes ?? 500_000;
  const files = new Map<string, SpoolFile>();
  let spool: string | null = null;
  let skipped = 0;
  let failures = 0;
  let trouble: string | null = null;
  const ending = new AbortController();
  const { signal } = ending;
  let woken = false;
  /** It looks, or has just looked, or waits after a failure. */
  let resting = false;
  let running: Promise<void> | null = null;
  let timer: NodeJS.Timeout | null = null;

  /** What is in the database decides where to go on; asked again after each failure, for it may be another by then. */
  const knowFiles = async (): Promise<string> => {
    if (spool !== null) return spool;
    const id = await spoolId(options.dir);
    const marks = new Map((await store.sentOf(id)).map((mark) => [mark.file, mark.sent]));
    for (const file of files.values()) {
      const sent = marks.get(file.name) ?? 0;
      if (sent !== file.sent) files.set(file.name, { name: file.name, sent, counted: sent, lines: 0 });
    }
    for (const [name, sent] of marks) if (!files.has(name)) files.set(name, { name, sent, counted: sent, lines: 0 });
    spool = id;
    return id;
  };

  const count = async (): Promise<void> => {
    const names = await fileNames(folder);
    // one that was kept for as long as it is to be was removed
    for (const name of files.keys()) if (!names.includes(name)) files.delete(name);
    for (const name of names) {
      const file = files.get(name) ?? { name, sent: 0, counted: 0, lines: 0 };
      files.set(name, file);
      const { size } = await stat(join(folder, name));
      if (size < file.counted) {
        // Another file by the same name: what the database has of it is left as it is.
        log.warn({ file: name }, 'A file of call records has become shorter; it is sent from its beginning');
        Object.assign(file, { sent: 0, counted: 0, lines: 0 });
      }
      while (size > file.counted && !signal.aborted) {
        const bytes = await readAt(join(folder, name), file.counted, Math.min(batchBytes, size - file.counted));
        const end = bytes.lastIndexOf(newline) + 1;
        if (end === 0) break;
        file.lines += bytes.subarray(0, end).reduce((sum, byte) => (byte === newline ? sum + 1 : sum), 0);
        file.counted += end;
      }
    }
  };

  const send = async (id: string): Promise<void> => {
    for (const file of [...files.values()].sort((a, b) => (a.name < b.name ? -1 : 1))) {
      while (file.lines > 0 && !signal.aborted) {
        const lines = linesOf(await readAt(join(folder, file.name), file.sent, Math.min(batchBytes, file.counted - file.sent)), file.sent);
        if (lines.length === 0) break;
        try {
          await arrive(id, file, lines);
        } catch (error) {
          if (error instanceof StoreAwayError) throw error;
          // One of them is refused: alone each tells which.
          for (const line of lines) await arriveAlone(id, file, line);
        }
      }
    }
  };

  const arrive = async (id: string, file: SpoolFile, lines: readonly Line[]): Promise<void> => {
    const cdrs = lines.flatMap(({ cdr }) => (cdr === null ? [] : [cdr]));
    const mark: SpoolMark = { spool: id, file: file.name, sent: lines.at(-1)?.end ?? file.sent };
    await store.addFromSpool(cdrs, mark);
    for (const line of lines) if (line.cdr === null) report(file, 'it is no record');
    file.sent = mark.sent;
    file.lines -= lines.length;
  };

  const arriveAlone = async (id: string, file: SpoolFile, line: Line): Promise<void> => {
    try {
      await arrive(id, file, [line]);
    } catch (error) {
      if (error instanceof StoreAwayError) throw error;
      await store.addFromSpool([], { spool: id, file: file.name, sent: line.end });
      report(file, error instanceof Error ? error.message : String(error));
      file.sent = line.end;
      file.lines--;
    }
  };

  const report = (file: SpoolFile, reason: string): void => {
    skipped++;
    log.error({ file: file.name, byte: file.sent, error: reason }, 'A line of the call records cannot be stored; it is passed over');
  };

  const work = async (): Promise<void> => {
    try {
      // Counted first, so that what waits is known while the database is away.
      await count();
      await send(await knowFiles());
      if (trouble !== null) log.info({}, 'Records of calls arrive in the database again');
      trouble = null;
      failures = 0;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (trouble === null) log.warn({ error: reason }, 'Records of calls do not get to the database; they wait in their files');
      trouble = `Records of calls wait in their files: ${reason}`;
      failures++;
      spool = null;
    }
  };

  const lookAfter = (ms: Ms, look: () => void): void => {
    if (signal.aborted) return;
    timer = setTimeout(() => {
      timer = null;
      look();
    }, ms);
  };
  const look = (): void => {
    woken = false;
    resting = true;
    running = work().finally(() => {
      running = null;
      if (failures > 0) lookAfter(backOffMs * Math.min(40, 2 ** (failures - 1)) * (0.5 + Math.random() / 2), look);
      else lookAfter(Math.min(gatherMs, everyMs), rested);
    });
  };
  const rested = (): void => {
    if (woken) look();
    else {
      resting = false;
      lookAfter(everyMs, look);
    }
  };
  const wake = (): void => {
    woken = true;
    if (signal.aborted || resting) return;
    if (timer !== null) clearTimeout(timer);
    look();
  };

  const pending = (): number => [...files.values()].reduce((sum, file) => sum + file.lines, 0);
  metrics.gauge('cdr_spool_pending', pending);
  metrics.gauge('cdr_spool_skipped', () => skipped);
  look();
  return {
    pending,
    skipped: () => skipped,
    problem: () => trouble,
    wake,
    stop: async () => {
      ending.abort();
      if (timer !== null) clearTimeout(timer);
      await running;
    },
  };
}

/** Names the data directory in the database; made with the first record that is sent. */
async function spoolId(dir: string): Promise<string> {
  const path = join(dir, 'spool-id');
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await writeFile(path, `${randomUUID()}\n`, { flag: 'wx', mode: 0o600 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  const id = (await readFile(path, 'utf8')).trim();
  if (id !== '') return id;
  // Cut by a crash when it was made.
  await writeFile(path, `${randomUUID()}\n`, { mode: 0o600 });
  return (await readFile(path, 'utf8')).trim();
}

async function fileNames(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).filter((name) => name.endsWith('.ndjson')).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** From `offset` on, `bytes` of it, or as many as hold a complete line; fewer at the file's end. */
async function readAt(path: string, offset: number, bytes: number): Promise<Buffer> {
  const handle = await open(path, 'r');
  try {
    for (let length = bytes; ; length *= 2) {
      const buffer = Buffer.alloc(length);
      const { bytesRead } = await handle.read(buffer, 0, length, offset);
      const read = buffer.subarray(0, bytesRead);
      if (bytesRead < length || read.includes(newline) || length > longestLine) return read;
    }
  } finally {
    await handle.close();
  }
}

/** The complete lines of what was read at `offset`. */
function linesOf(bytes: Buffer, offset: number): readonly Line[] {
  const lines: Line[] = [];
  let begin = 0;
  for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline, begin)) {
    lines.push({ cdr: cdrOf(bytes.toString('utf8', begin, end)), end: offset + end + 1 });
    begin = end + 1;
  }
  return lines;
}

/** What the search needs of a record must be there; the rest is kept as it is. */
function cdrOf(line: string): Cdr | null {
  try {
    const cdr = JSON.parse(line) as Partial<Cdr> | null;
    const whole = typeof cdr?.callId === 'string' && typeof cdr.account === 'string' && Number.isSafeInteger(cdr.startedAt)
      && typeof cdr.caller?.number === 'string' && typeof cdr.dialled === 'string';
    return whole ? (cdr as Cdr) : null;
  } catch {
    return null;
  }
}
