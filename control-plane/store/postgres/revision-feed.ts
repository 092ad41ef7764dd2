/**
 * Tells who watches that the configuration has another revision. A notice only makes it look sooner: notices are lost
 * with a connection, so the revision is also looked at every second, which shows too whether the database answers.
 */
import type { Ms } from '../../core/time.ts';
import type { Row, Sql } from './sql.ts';

export const revisionChannel = 'frontdesk_revision';

export interface RevisionFeed {
  watch(onRevision: (revision: number) => void): () => void;
  /** Looks now: there may be a new one. */
  wake(): void;
  /** Nothing is called any more. */
  stop(): void;
}

interface RevisionRow extends Row {
  readonly revision: number;
}

/** Rejects when the first look fails. */
export async function openRevisionFeed(sql: Sql, everyMs: Ms): Promise<RevisionFeed> {
  const watchers = new Set<(revision: number) => void>();
  let last = await readRevision(sql);
  const ending = new AbortController();
  const { signal } = ending;
  let woken = false;
  let looking: Promise<void> | null = null;
  let timer: NodeJS.Timeout | null = null;

  const look = async (): Promise<void> => {
    do {
      woken = false;
      // The problem is the connection's to tell; the next look comes by itself.
      const revision = await readRevision(sql).catch(() => last);
      if (signal.aborted || revision === last) continue;
      // One that is lower is a backup that was restored.
      last = revision;
      for (const watcher of watchers) watcher(revision);
    } while (woken && !signal.aborted);
  };
  const run = (): void => {
    woken = true;
    if (signal.aborted || looking !== null) return;
    if (timer !== null) clearTimeout(timer);
    timer = null;
    looking = look().finally(() => {
      looking = null;
      if (!signal.aborted) timer = setTimeout(run, everyMs);
    });
  };
  timer = setTimeout(run, everyMs);
  const unlisten = sql.listen(revisionChannel, run);

  return {
    watch: (onRevision) => {
      const watcher = (revision: number): void => { onRevision(revision); };
      watchers.add(watcher);
      return () => { watchers.delete(watcher); };
    },
    wake: run,
    stop: () => {
      ending.abort();
      unlisten();
      if (timer !== null) clearTimeout(timer);
    },
  };
}

async function readRevision(sql: Sql): Promise<number> {
  const [row] = await sql.query<RevisionRow>('select revision from revision');
  return row?.revision ?? 0;
}
