/**
 * SQL to the Postgres that runs in this process: PGlite in a worker. It has one connection and knows no
 * `statement_timeout`, so requests take turns here, and one that does not end is ended with the worker; the next one
 * opens the directory again, as after a crash.
 *
 * Two openers of a directory lose writes without a word. An abstract socket, which the kernel frees with the process,
 * keeps out a second one on this machine; one in another container is kept out by the lock on the data directory,
 * which its owner takes first.
 */
import { createHash } from 'node:crypto';
import { mkdir, realpath } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import type { Ms } from '../../core/time.ts';
import type { Log } from '../../telemetry/log.ts';
import { StoreAwayError } from '../ports.ts';
import { copyTemplate, dropTemplate } from './embedded-template.ts';
import { startWorker, type WorkerLink } from './embedded-worker-link.ts';
import { away, onlyReads, SqlError, type Queries, type Sql } from './sql.ts';

export interface EmbeddedSqlOptions {
  /** Made when missing. */
  readonly dir: string;
  /** Where a new database is kept to be copied; absent: each is made in place. */
  readonly templates?: string | undefined;
  readonly log: Log;
  /** Of one statement; a request also waits no longer than this for its turn. */
  readonly deadlineMs?: Ms;
}

/** A first start makes the database, which is seconds on a fast machine; one after a crash repeats its log. */
const openMs: Ms = 120_000;

async function openDirectory(dir: string, templates: string | undefined, log: Log): Promise<WorkerLink> {
  if (templates === undefined) return startWorker(dir, openMs);
  const copied = await copyTemplate(dir, templates, openMs).catch((error: unknown) => {
    log.debug({ error: String(error) }, 'There is no database to copy: one is made');
    return false;
  });
  try {
    return await startWorker(dir, openMs);
  } catch (error) {
    if (!copied) throw error;
    log.warn({ error: String(error) }, 'A copy of a new database could not be opened: one is made');
    await dropTemplate(dir, templates);
    return startWorker(dir, openMs);
  }
}

/** Rejects when the directory is in use or cannot be opened. */
export async function embeddedSql(options: EmbeddedSqlOptions): Promise<Sql> {
  const { log } = options;
  const deadlineMs = options.deadlineMs ?? 5000;
  await mkdir(options.dir, { recursive: true, mode: 0o700 });
  const dir = await realpath(options.dir);
  const lock = await lockDirectory(dir);
  let link: WorkerLink;
  try {
    link = await openDirectory(dir, options.templates, log);
  } catch (error) {
    lock.close();
    throw error;
  }
  let trouble: string | null = null;
  let closed = false;
  let busy = false;
  const queue: { readonly begin: () => void }[] = [];

  const turn = async (): Promise<void> => {
    if (closed) throw away('it was closed', false);
    if (!busy) {
      busy = true;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter = { begin: resolve };
    queue.push(waiter);
    const patience = setTimeout(() => {
      queue.splice(queue.indexOf(waiter), 1);
      reject(away(`others kept it busy for ${deadlineMs} ms`, false));
    }, deadlineMs);
    try {
      await promise;
    } finally {
      clearTimeout(patience);
    }
  };
  const done = (): void => {
    const next = queue.shift();
    if (next === undefined) busy = false;
    else next.begin();
  };

  const opened = async (): Promise<WorkerLink> => {
    if (link.alive()) return link;
    await link.end();
    link = await startWorker(dir, openMs);
    return link;
  };

  /** Runs `work` alone, on a worker that lives. */
  const alone = async <T>(work: (link: WorkerLink) => Promise<T>): Promise<T> => {
    await turn();
    try {
      if (closed) throw away('it was closed', false);
      const result = await work(await opened());
      if (trouble !== null) log.info({}, 'The database is back');
      trouble = null;
      return result;
    } catch (error) {
      if (error instanceof StoreAwayError) {
        if (trouble === null && !closed) log.error({ error: error.message }, 'The database did not answer; it is opened again');
        trouble = error.message;
      } else if (error instanceof SqlError) {
        trouble = null;
      }
      throw error;
    } finally {
      done();
    }
  };

  const transaction = <T>(work: (queries: Queries) => Promise<T>, withinMs: Ms = deadlineMs): Promise<T> =>
    alone(async (link) => {
      const within: Queries = {
        query: (text, values = []) => link.ask({ kind: 'query', text, values }, withinMs, false),
        script: async (text) => { await link.ask({ kind: 'script', text }, withinMs, false); },
      };
      try {
        await within.script('begin');
        const result = await work(within);
        await link.ask({ kind: 'script', text: 'commit' }, withinMs, true);
        return result;
      } catch (error) {
        if (link.alive()) await within.script('rollback').catch(() => link.end());
        throw error;
      }
    });

  return {
    query: (text, values = []) => alone((link) => link.ask({ kind: 'query', text, values }, deadlineMs, !onlyReads(text))),
    script: async (text) => { await alone((link) => link.ask({ kind: 'script', text }, deadlineMs, true)); },
    transaction,
    // Nobody else can write to it.
    listen: () => () => {},
    problem: () => trouble,
    close: async () => {
      if (closed) return;
      const last = turn();
      closed = true;
      // What is under way ends first; one that hangs is ended with the worker.
      await last.then(() => link.ask({ kind: 'close' }, deadlineMs, false)).catch(() => undefined);
      await link.end();
      done();
      lock.close();
    },
  };
}

function lockDirectory(dir: string): Promise<Server> {
  const { promise, resolve, reject } = Promise.withResolvers<Server>();
  const lock = createServer((socket) => { socket.destroy(); });
  lock.once('error', (error: NodeJS.ErrnoException) => {
    reject(error.code === 'EADDRINUSE' ? new Error(`the directory ${dir} is in use by another Frontdesk`) : error);
  });
  lock.listen(`\0frontdesk-database-${createHash('sha256').update(dir).digest('hex').slice(0, 32)}`, () => { resolve(lock); });
  lock.unref();
  return promise;
}
