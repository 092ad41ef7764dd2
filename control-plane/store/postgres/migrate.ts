/**
 * Brings a database's tables to what this program knows. Migrations are SQL files read in order,
 * `0001-name.up.sql` with its `0001-name.down.sql`; each is applied once, all of a start in one transaction, under a
 * lock so that two controllers that start together do not race. What was applied is kept with its checksum.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { Ms } from '../../core/time.ts';
import type { Queries, Row, Sql } from './sql.ts';

export interface Migration {
  /** `0001-configuration-and-calls` */
  readonly name: string;
  readonly up: string;
  readonly down: string;
}

/** The database and this program do not belong together; the message says which is to change. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError';
}

/** A large table may take its time, and another controller may be at it already. */
const migrationMs: Ms = 600_000;
/** Any number that others do not use: of this program's advisory lock. */
const lockKey = 4_027_233_101;
const folder = new URL('migrations/', import.meta.url);

/** Those of this program, in order. */
export function ownMigrations(): readonly Migration[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.up.sql'))
    .sort()
    .map((file) => {
      const name = file.slice(0, -'.up.sql'.length);
      return { name, up: readFileSync(new URL(file, folder), 'utf8'), down: readFileSync(new URL(`${name}.down.sql`, folder), 'utf8') };
    });
}

/** Applies what is missing; the names of those. Rejects with MigrationError, StoreAwayError or SqlError; nothing has changed then. */
export function migrateUp(sql: Sql, migrations: readonly Migration[]): Promise<readonly string[]> {
  return sql.transaction(async (queries) => {
    const applied = await appliedTo(queries);
    check(applied, migrations);
    const missing = migrations.slice(applied.length);
    for (const migration of missing) {
      await queries.script(migration.up);
      await queries.query('insert into migrations (name, checksum, at) values ($1, $2, $3)', [migration.name, checksumOf(migration), Date.now()]);
    }
    return missing.map(({ name }) => name);
  }, migrationMs);
}

/** Takes back all after the first `keep`, the last first, with what they hold; the names of those. Rejects as migrateUp. */
export function migrateDown(sql: Sql, migrations: readonly Migration[], keep: number): Promise<readonly string[]> {
  return sql.transaction(async (queries) => {
    const applied = await appliedTo(queries);
    check(applied, migrations);
    const surplus = migrations.slice(keep, applied.length).toReversed();
    for (const migration of surplus) {
      await queries.script(migration.down);
      await queries.query('delete from migrations where name = $1', [migration.name]);
    }
    return surplus.map(({ name }) => name);
  }, migrationMs);
}

interface Applied extends Row {
  readonly name: string;
  readonly checksum: string;
}

async function appliedTo(queries: Queries): Promise<readonly Applied[]> {
  await queries.query(`select pg_advisory_xact_lock(${lockKey})`);
  await queries.query('create table if not exists migrations (name text collate "C" primary key, checksum text not null, at bigint not null)');
  return queries.query<Applied>('select name, checksum from migrations order by name');
}

function check(applied: readonly Applied[], migrations: readonly Migration[]): void {
  for (const [index, one] of applied.entries()) {
    const known = migrations[index];
    if (known === undefined) throw new MigrationError(`The database was made by a newer Frontdesk: it has the migration ${one.name}, which this program does not know. Run the newer program, or restore a backup of before.`);
    if (known.name !== one.name) throw new MigrationError(`The database has the migration ${one.name} where this program has ${known.name}. Run the program that made the database.`);
    if (checksumOf(known) !== one.checksum) throw new MigrationError(`The migration ${one.name} was changed after the database had it. Restore its file, and write a new migration instead.`);
  }
}

function checksumOf(migration: Migration): string {
  return createHash('sha256').update(migration.up).digest('hex');
}
