/**
 * SQL to a Postgres server. What hangs is given up twice: by the server (`statement_timeout`), and a little later
 * here, for a server that does not answer at all. A connection that failed is never used again.
 */
import { Socket } from 'node:net';
import { Client, Pool, TypeOverrides, types as builtIn, type ClientConfig, type PoolClient } from 'pg';
import type { Ms } from '../../core/time.ts';
import type { Log } from '../../telemetry/log.ts';
import { StoreAwayError } from '../ports.ts';
import { away, isAway, isStopped, onlyReads, SqlError, type Queries, type Row, type Sql } from './sql.ts';

export interface ServerSqlOptions {
  /** `postgres://user:password@host:port/database?sslmode=…`; it is not logged. */
  readonly url: string;
  readonly log: Log;
  /** Of one statement. */
  readonly deadlineMs?: Ms;
  readonly maxConnections?: number;
}

/** What the server has to roll back in, after its own deadline and before ours. */
const graceMs: Ms = 1000;
const connectMs: Ms = 5000;
const longestBackOffMs: Ms = 2000;
/** Times and counts are far below 2^53. */
const types = new TypeOverrides();
types.setTypeParser(builtIn.builtins.INT8, Number);

/** Connects when it is first asked. */
export function serverSql(options: ServerSqlOptions): Sql {
  const { url, log } = options;
  const deadlineMs = options.deadlineMs ?? 5000;
  /** Of all connections: to end those whose server says nothing any more. */
  const sockets = new Set<Socket>();
  const settings: ClientConfig = {
    connectionString: url,
    application_name: 'frontdesk',
    connectionTimeoutMillis: connectMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    statement_timeout: deadlineMs,
    query_timeout: deadlineMs + graceMs,
    idle_in_transaction_session_timeout: deadlineMs * 4,
    types,
    stream: () => {
      const socket = new Socket();
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      return socket;
    },
  };
  const pool = new Pool({ ...settings, max: options.maxConnections ?? 8, idleTimeoutMillis: 60_000 });
  let trouble: string | null = null;
  let closed = false;
  const listeners = new Set<{ stop(): void }>();

  const failed = (reason: string): void => {
    if (trouble === null && !closed) log.error({ error: reason }, 'The database is away; calls go on, changes wait');
    trouble = `The database cannot be used: ${reason}`;
  };
  const answered = (): void => {
    if (trouble !== null) log.info({}, 'The database is back');
    trouble = null;
  };
  // An idle connection that was lost: the next question finds out whether the server is there.
  pool.on('error', (error) => { log.debug({ error: error.message }, 'An idle connection to the database was lost'); });

  const connect = async (): Promise<PoolClient> => {
    if (closed) throw away('it was closed', false);
    try {
      const client = await pool.connect();
      client.on('error', ignore);
      return client;
    } catch (error) {
      failed(messageOf(error));
      throw away(messageOf(error), false, error);
    }
  };

  const ask = async <R extends Row>(client: PoolClient, text: string, values: readonly unknown[] | undefined, mayHaveHappened: boolean, withinMs?: Ms): Promise<readonly R[]> => {
    try {
      const limit = withinMs === undefined ? {} : { query_timeout: withinMs + graceMs };
      const result = await client.query<R>({ text, ...(values === undefined ? {} : { values: [...values] }), ...limit });
      answered();
      return result.rows;
    } catch (error) {
      const code = codeOf(error);
      if (code !== '' && !isAway(code)) throw new SqlError(messageOf(error), code, fieldOf(error, 'constraint'), fieldOf(error, 'detail'), error);
      const stopped = isStopped(code);
      if (!stopped) failed(messageOf(error));
      throw away(stopped ? `${messageOf(error)} (${text.trim().slice(0, 40)} …)` : messageOf(error), mayHaveHappened && !stopped, error);
    }
  };

  const once = async <R extends Row>(text: string, values?: readonly unknown[]): Promise<readonly R[]> => {
    const client = await connect();
    let broken = false;
    try {
      return await ask<R>(client, text, values, !onlyReads(text));
    } catch (error) {
      broken = isBroken(error);
      throw error;
    } finally {
      release(client, broken);
    }
  };

  const transaction = async <T>(work: (queries: Queries) => Promise<T>, withinMs?: Ms): Promise<T> => {
    const client = await connect();
    let broken = false;
    const within: Queries = {
      query: (text, values) => ask(client, text, values, false, withinMs),
      script: async (text) => { await ask(client, text, undefined, false, withinMs); },
    };
    try {
      await within.script('begin');
      if (withinMs !== undefined) await within.query(`set local statement_timeout = ${Math.trunc(withinMs)}`);
      const result = await work(within);
      await ask(client, 'commit', undefined, true);
      return result;
    } catch (error) {
      broken = error instanceof StoreAwayError && isBroken(error);
      if (!broken) await ask(client, 'rollback', undefined, false).catch(() => { broken = true; });
      throw error;
    } finally {
      release(client, broken);
    }
  };

  return {
    query: once,
    script: async (text) => { await once(text); },
    transaction,
    listen: (channel, onNotice) => {
      const listener = listenTo(settings, channel, onNotice, log);
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
        listener.stop();
      };
    },
    problem: () => trouble,
    close: async () => {
      if (closed) return;
      closed = true;
      for (const listener of listeners) listener.stop();
      const patience = setTimeout(() => { for (const socket of sockets) socket.destroy(); }, graceMs);
      await pool.end();
      clearTimeout(patience);
    },
  };
}

/** A connection of its own for notices, made again for as long as it takes. */
function listenTo(settings: ClientConfig, channel: string, onNotice: () => void, log: Log): { stop(): void } {
  let stopped = false;
  let client: Client | null = null;
  let timer: NodeJS.Timeout | null = null;
  let failures = 0;
  let socket: Socket | null = null;

  const again = (): void => {
    client = null;
    if (stopped || timer !== null) return;
    failures++;
    timer = setTimeout(() => {
      timer = null;
      void connect();
    }, Math.min(longestBackOffMs, 50 * 2 ** Math.min(failures, 6)) * (0.5 + Math.random() / 2));
  };

  const connect = async (): Promise<void> => {
    const line = new Socket();
    const mine = new Client({ ...settings, stream: () => line });
    socket = line;
    client = mine;
    mine.on('notification', onNotice);
    mine.on('error', (error) => { log.debug({ error: error.message }, 'The connection for notices was lost'); });
    mine.on('end', () => { if (client === mine) again(); });
    try {
      await mine.connect();
      await mine.query(`listen ${mine.escapeIdentifier(channel)}`);
      failures = 0;
      // What was said meanwhile is lost.
      onNotice();
    } catch {
      line.destroy();
      if (client === mine) again();
    }
  };
  void connect();

  return {
    stop: () => {
      stopped = true;
      if (timer !== null) clearTimeout(timer);
      client = null;
      socket?.destroy();
    },
  };
}

function release(client: PoolClient, broken: boolean): void {
  client.off('error', ignore);
  client.release(broken);
}

/** The connection is broken unless Postgres answered and goes on with it. */
function isBroken(error: unknown): boolean {
  return !(error instanceof SqlError || (error instanceof StoreAwayError && isStopped(codeOf(error.cause))));
}

function ignore(): void {
  // Said by the query that was under way, or found by the next.
}

/** SQLSTATE, or empty: errors of the socket have codes too (`ECONNRESET`), which are no SQLSTATE. */
export function codeOf(error: unknown): string {
  const code = fieldOf(error, 'code');
  return /^[0-9A-Z]{5}$/.test(code) ? code : '';
}

function fieldOf(error: unknown, name: string): string {
  const value: unknown = typeof error === 'object' && error !== null ? (error as Record<string, unknown>)[name] : undefined;
  return typeof value === 'string' ? value : '';
}

function messageOf(error: unknown): string {
  // Node says nothing itself when each address of a name failed.
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}
