/**
 * Appends lines to dated files: gathered in memory, written every 200 ms or sooner by `flush`, one write per file.
 * A disk that is full or broken stops nothing: lines wait up to a bound, are tried again, and `problem` says why.
 * A line cut by a crash is ended before the next one, so it spoils itself alone.
 */
import { mkdir, open, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Ms } from '../../core/time.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Metrics } from '../../telemetry/metrics.ts';

export interface Appender {
  /** False when the line was dropped: the disk has failed for too long. */
  append(line: string): boolean;
  /** Settles when all lines so far are written, or have failed to be just now. */
  flush(): Promise<void>;
  /** Settles when this line, the last appended, is on disk. */
  written(): Promise<void>;
  /** One sentence while writing fails, else null. */
  problem(): string | null;
  /** Writes what it can and closes the file. */
  close(): Promise<void>;
}

export interface AppenderOptions {
  /** The file for a line appended now. */
  readonly path: () => string;
  readonly log: Log;
  readonly metrics: Metrics;
  /** After each write, asks the disk to keep it: for records that exist nowhere else. */
  readonly sync?: boolean;
  readonly everyMs?: Ms;
  /** Characters that may wait. */
  readonly maxBuffered?: number;
}

interface Chunk {
  readonly path: string;
  lines: string[];
}

const retryMs: Ms = 1000;

export function createAppender(options: AppenderOptions): Appender {
  const { log, metrics } = options;
  const everyMs = options.everyMs ?? 200;
  const maxBuffered = options.maxBuffered ?? 64_000_000;
  let chunks: Chunk[] = [];
  /** Bytes of the chunk that is being written, from the first that is not on disk. */
  let current: { readonly path: string; rest: Buffer } | null = null;
  let file: { readonly path: string; readonly handle: FileHandle } | null = null;
  let buffered = 0;
  let timer: NodeJS.Timeout | null = null;
  let running: Promise<void> | null = null;
  let trouble: string | null = null;
  let appended = 0;
  let stored = 0;
  let waiters: { readonly upTo: number; readonly resolve: () => void }[] = [];

  const schedule = (ms: Ms): void => {
    timer ??= setTimeout(() => {
      timer = null;
      void run();
    }, ms);
  };

  const run = (): Promise<void> => {
    running ??= work().finally(() => {
      running = null;
      if (chunks.length > 0 || current !== null) schedule(trouble === null ? everyMs : retryMs);
    });
    return running;
  };

  const work = async (): Promise<void> => {
    try {
      for (;;) {
        if (current === null) {
          const chunk = chunks.shift();
          if (chunk === undefined) break;
          const text = chunk.lines.join('');
          buffered -= text.length;
          current = { path: chunk.path, rest: Buffer.from(text) };
          chunkLines = chunk.lines.length;
        }
        await writeOut(current);
        current = null;
        stored += chunkLines;
        waiters = waiters.filter((waiter) => {
          if (waiter.upTo > stored) return true;
          waiter.resolve();
          return false;
        });
      }
      if (trouble !== null) log.info({}, 'The data directory can be written again');
      trouble = null;
    } catch (error) {
      metrics.count('archive_errors_total');
      const reason = error instanceof Error ? error.message : String(error);
      if (trouble === null) log.error({ error: reason }, 'The data directory cannot be written; calls go on, records wait in memory');
      trouble = `The data directory cannot be written: ${reason}`;
      await closeFile();
    }
  };
  let chunkLines = 0;

  const writeOut = async (chunk: { readonly path: string; rest: Buffer }): Promise<void> => {
    const handle = await opened(chunk.path);
    while (chunk.rest.length > 0) {
      const { bytesWritten } = await handle.write(chunk.rest);
      metrics.count('archive_bytes_total', bytesWritten);
      chunk.rest = chunk.rest.subarray(bytesWritten);
    }
    if (options.sync === true) await handle.datasync();
  };

  const opened = async (path: string): Promise<FileHandle> => {
    if (file?.path === path) return file.handle;
    await closeFile();
    await mkdir(dirname(path), { recursive: true });
    const handle = await open(path, 'a+', 0o600);
    const { size } = await handle.stat();
    const last = Buffer.alloc(1);
    if (size > 0) await handle.read(last, 0, 1, size - 1);
    file = { path, handle };
    // Within one process a cut line is continued from where the write stopped; after a crash it is ended here.
    if (size > 0 && last[0] !== 0x0a && !continuing.has(path)) await handle.write('\n');
    continuing.add(path);
    return handle;
  };
  const continuing = new Set<string>();

  const closeFile = async (): Promise<void> => {
    const old = file;
    file = null;
    await old?.handle.close().catch(() => undefined);
  };

  return {
    append: (line) => {
      if (buffered + line.length > maxBuffered) {
        metrics.count('archive_dropped_total');
        return false;
      }
      const path = options.path();
      const chunk = chunks.at(-1);
      if (chunk?.path === path) chunk.lines.push(line);
      else chunks.push({ path, lines: [line] });
      buffered += line.length;
      appended++;
      schedule(trouble === null ? everyMs : retryMs);
      return true;
    },
    flush: async () => {
      // A run under way may have passed the newest lines by.
      await running;
      await run();
    },
    written: () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      waiters.push({ upTo: appended, resolve });
      return promise;
    },
    problem: () => trouble,
    close: async () => {
      await running;
      await run();
      if (timer !== null) clearTimeout(timer);
      timer = null;
      await closeFile();
    },
  };
}
