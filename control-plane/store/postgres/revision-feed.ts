/**
 * Tells who watches that the configuration, or the contacts, have another revision. A notice only makes it look sooner:
 * notices are lost with a connection, so the revisions are also looked at every second, which shows too whether the
 * database answers.
 */
import type { Ms } from '../../core/time.ts';
import type { Row, Sql } from './sql.ts';

export const revisionChannel = 'frontdesk_revision';

export type Watched = 'configuration' | 'contacts';

export interface RevisionFeed {
  watch(which: Watched, onRevision: (revision: number) => void): () => void;
  /** Looks now: there may be a new one. */
  wake(): void;
  /** Nothing is called any more. */
  stop(): void;
}

type Revisions = Readonly<Record<Watched, number>>;

/** Rejects when the first look fails. */
export async function openRevisionFeed(sql: Sql, everyMs: Ms): Promise<RevisionFeed> {
  const watchers: Readonly<Record<Watched, Set<(revision: number) => void>>> = { configuration: new Set(), contacts: new Set() };
  let last = await readRevisions(sql);
  const ending = new AbortController();
  const { signal } = ending;
  let woken = false;
  let looking: Promise<void> | null = null;
  let timer: NodeJS.Timeout | null = null;

  const look = async (): Promise<void> => {
    do {
      woken = false;
      // The problem is the connection's to tell; the next look comes by itself.
      const before = last;
      const now = await readRevisions(sql).catch(() => before);
      if (signal.aborted) return;
      last = now;
      for (const which of ['configuration', 'contacts'] as const) {
        // One that is lower is a backup that was restored.
        if (now[which] !== before[which]) for (const watcher of watchers[which]) watcher(now[which]);
      }
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
    watch: (which, onRevision) => {
      const watcher = (revision: number): void => { onRevision(revision); };
      watchers[which].add(watcher);
      return () => { watchers[which].delete(watcher); };
    },
    wake: run,
    stop: () => {
      ending.abort();
      unlisten();
      if (timer !== null) clearTimeout(timer);
    },
  };
}

async function readRevisions(sql: Sql): Promise<Revisions> {
  const [row] = await sql.query<Revisions & Row>('select (select revision from revision) as configuration, (select revision from contact_revision) as contacts');
  return { configuration: row?.configuration ?? 0, contacts: row?.contacts ?? 0 };
}
