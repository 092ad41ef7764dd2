/**
 * Opens the database of the configuration, the audit trail and the records of calls: a server's with a URL, else the
 * one in the data directory, whose lock (of the whole directory) the caller holds.
 */
import { join } from 'node:path';
import type { Ms } from '../../core/time.ts';
import type { Log } from '../../telemetry/log.ts';
import { StoreAwayError, type Database } from '../ports.ts';
import { auditStore } from './audit-store.ts';
import { callbackStore } from './callback-store.ts';
import { cdrStore, type SpooledCdrStore } from './cdr-store.ts';
import { configStore } from './config-store.ts';
import { contactStore } from './contact-store.ts';
import { embeddedSql } from './embedded-sql.ts';
import { idempotencyStore } from './idempotency-store.ts';
import { keyStore } from './key-store.ts';
import { MigrationError, migrateUp, ownMigrations } from './migrate.ts';
import { openRevisionFeed } from './revision-feed.ts';
import { codeOf, serverSql } from './server-sql.ts';
import { webhookStore } from './webhook-store.ts';
import { SqlError, type Row, type Sql } from './sql.ts';

export interface DatabaseOptions {
  /** `postgres://user:password@host:port/database`; absent for the database in the data directory. */
  readonly url?: string | undefined;
  readonly dataDir: string;
  /** Where a new database of the data directory may be kept to be copied. */
  readonly templates?: string | undefined;
  readonly log: Log;
  /** Of one statement; 5 s when absent. */
  readonly deadlineMs?: Ms;
  /** Between looks at the revision; 1 s when absent. */
  readonly pollMs?: Ms;
}

export interface SqlDatabase extends Database {
  readonly cdrs: SpooledCdrStore;
}

/** The message is one sentence for who starts the program. */
export class DatabaseOpenError extends Error {
  override readonly name = 'DatabaseOpenError';
}

const oldestServer = 14;

/** Resolves when its tables are as this program needs them. Rejects with DatabaseOpenError alone. */
export async function openDatabase(options: DatabaseOptions): Promise<SqlDatabase> {
  const { url, log } = options;
  const deadline = options.deadlineMs === undefined ? {} : { deadlineMs: options.deadlineMs };
  const dir = join(options.dataDir, 'database');
  const where = url === undefined ? `in ${dir}` : `at ${placeOf(url)}`;
  let sql: Sql | null = null;
  try {
    sql = url === undefined ? await embeddedSql({ dir, templates: options.templates, log, ...deadline }) : serverSql({ url, log, ...deadline });
    if (url !== undefined) await checkVersion(sql, where);
    return await databaseOn(sql, log, options.pollMs);
  } catch (error) {
    await sql?.close();
    throw new DatabaseOpenError(url === undefined ? embeddedSentence(error, where) : serverSentence(error, where), { cause: error });
  }
}

/** Whether the server of `url` can be used, changing nothing. Rejects with DatabaseOpenError alone. */
export async function askServer(url: string, log: Log): Promise<void> {
  const where = `at ${placeOf(url)}`;
  const sql = serverSql({ url, log });
  try {
    await checkVersion(sql, where);
  } catch (error) {
    throw new DatabaseOpenError(serverSentence(error, where), { cause: error });
  } finally {
    await sql.close();
  }
}

/** Brings the tables up to date; rejects as migrateUp. Closing it closes `sql`. */
export async function databaseOn(sql: Sql, log: Log, pollMs: Ms = 1000): Promise<SqlDatabase> {
  const applied = await migrateUp(sql, ownMigrations());
  if (applied.length > 0) log.info({ migrations: applied }, 'The database has new tables');
  const feed = await openRevisionFeed(sql, pollMs);
  return {
    config: configStore(sql, feed),
    keys: keyStore(sql),
    audit: auditStore(sql),
    idempotency: idempotencyStore(sql),
    cdrs: cdrStore(sql),
    contacts: contactStore(sql, feed),
    webhooks: webhookStore(sql),
    callbacks: callbackStore(sql),
    problem: () => sql.problem(),
    close: async () => {
      feed.stop();
      await sql.close();
    },
  };
}

interface VersionRow extends Row {
  readonly server_version_num: string;
}

async function checkVersion(sql: Sql, where: string): Promise<void> {
  const [row] = await sql.query<VersionRow>('show server_version_num');
  const major = Math.floor(Number(row?.server_version_num ?? 0) / 10_000);
  if (major < oldestServer) throw new DatabaseOpenError(`The database ${where} is Postgres ${major}, and Frontdesk needs ${oldestServer} or newer.`);
}

/** Host, port and database: what of the URL is no secret. */
function placeOf(url: string): string {
  if (!URL.canParse(url)) return 'DATABASE_URL';
  const { host, pathname } = new URL(url);
  return `${host}${pathname}`;
}

function serverSentence(error: unknown, where: string): string {
  if (error instanceof DatabaseOpenError || error instanceof MigrationError) return error.message;
  const code = error instanceof SqlError ? error.code : codeOf(error instanceof StoreAwayError ? error.cause : error);
  switch (code) {
    case '28P01':
    case '28000':
      return `The database ${where} refuses the user or password of DATABASE_URL.`;
    case '3D000':
      return `There is no such database ${where}: create it, or correct DATABASE_URL.`;
    case '42501':
      return `The user of DATABASE_URL may not make tables in the database ${where}: make it the owner of the database.`;
    case '57P03':
      return `The database ${where} is starting or stopping: try again when it is up.`;
    default:
      return `The database ${where} cannot be reached (${reasonOf(error)}): check DATABASE_URL, and that the server runs.`;
  }
}

function embeddedSentence(error: unknown, where: string): string {
  if (error instanceof MigrationError) return error.message;
  const reason = reasonOf(error);
  if (reason.includes('is in use by')) return `The database ${where} is in use by another Frontdesk: stop it, or choose another data directory.`;
  return `The database ${where} cannot be opened (${reason}): restore the directory from a backup, or move it away to begin with an empty one.`;
}

function reasonOf(error: unknown): string {
  if (error instanceof StoreAwayError && error.cause !== undefined) return reasonOf(error.cause);
  if (error instanceof AggregateError && error.message === '') return error.errors.map(reasonOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}
