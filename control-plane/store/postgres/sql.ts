/**
 * SQL as the stores speak it, to a Postgres server (server-sql.ts) or to the one in this process (embedded-sql.ts).
 * bigint comes as number, jsonb parsed; values of jsonb are given as text (`json()`), lists as one jsonb value.
 */
import type { Ms } from '../../core/time.ts';
import { StoreAwayError } from '../ports.ts';

export type Row = Readonly<Record<string, unknown>>;

export interface Queries {
  /**
   * One statement. Rejects with SqlError when Postgres refuses it, with StoreAwayError when it cannot be reached, has
   * no room or did not answer within the deadline; the connection, or the worker, is given up then.
   */
  query<R extends Row>(text: string, values?: readonly unknown[]): Promise<readonly R[]>;
  /** Several statements without values. */
  script(text: string): Promise<void>;
}

export interface Sql extends Queries {
  /** Commits when `work` resolves; rolls back and rejects as it does otherwise. `deadlineMs` is for each statement. */
  transaction<T>(work: (queries: Queries) => Promise<T>, deadlineMs?: Ms): Promise<T>;
  /** Calls back when another client of the database has notified the channel, and after each reconnect. */
  listen(channel: string, onNotice: () => void): () => void;
  /** Null, or a sentence: why it did not answer the last time it was asked. */
  problem(): string | null;
  close(): Promise<void>;
}

/** Postgres answered, and refused. */
export class SqlError extends Error {
  override readonly name = 'SqlError';
  /** SQLSTATE: Postgres' manual, appendix A. */
  readonly code: string;
  readonly constraint: string;
  readonly detail: string;
  constructor(message: string, code: string, constraint = '', detail = '', cause?: unknown) {
    super(message, { cause });
    this.code = code;
    this.constraint = constraint;
    this.detail = detail;
  }
}

/**
 * Classes of SQLSTATE that say nothing about what was asked: connection, resources, operator's intervention, the
 * system, a damaged database; and a lock or a deadline that was not had in time, a server that only reads.
 */
const awayClasses: ReadonlySet<string> = new Set(['08', '53', '57', '58', 'XX']);
const awayCodes: ReadonlySet<string> = new Set(['40001', '40P01', '55P03', '25006', '25P03', '25P04']);

export function isAway(code: string): boolean {
  return awayClasses.has(code.slice(0, 2)) || awayCodes.has(code);
}

/** A statement that was stopped, and rolled back, by its deadline or a lock: the connection is as good as before. */
export function isStopped(code: string): boolean {
  return code === '57014' || code.startsWith('40') || code === '55P03' || code === '25006';
}

/** A statement that changes nothing whether or not its answer was lost. */
export function onlyReads(text: string): boolean {
  return /^\s*(select|show)\b/i.test(text);
}

/** For a value of type jsonb, which takes neither U+0000 nor half a surrogate pair; both come in callers' names. */
export function json(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => (typeof part === 'string' ? clean(part) : part));
}

/** Text as Postgres can keep it. */
export function clean(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\uFFFD');
}

export function away(reason: string, mayHaveHappened: boolean, cause?: unknown): StoreAwayError {
  return new StoreAwayError(`The database cannot be used: ${reason}`, mayHaveHappened, cause);
}
