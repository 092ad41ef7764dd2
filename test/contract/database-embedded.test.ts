import { cp, mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { StoreAwayError } from '../../control-plane/store/ports.ts';
import { embeddedSql } from '../../control-plane/store/postgres/embedded-sql.ts';
import { openDatabase, type SqlDatabase } from '../../control-plane/store/postgres/open-database.ts';
import type { Sql } from '../../control-plane/store/postgres/sql.ts';
import { silent } from '../runtime/sample-call.ts';
import { account, set, type DatabaseFixture, type DatabasePlace } from './database-fixture.ts';
import { spoolContract } from './database-spool-suite.ts';
import { databaseContract } from './database-suite.ts';

async function emptied(dataDir: string): Promise<boolean> {
  try {
    const sql = await embeddedSql({ dir: join(dataDir, 'database'), log: silent });
    await sql.script('drop schema public cascade; create schema public');
    await sql.close();
    for (const name of ['cdrs', 'journals', 'spool-id']) await rm(join(dataDir, name), { recursive: true, force: true });
    return true;
  } catch {
    // A test has damaged it.
    await rm(dataDir, { recursive: true, force: true });
    return false;
  }
}

/** Copies of one that was made once, emptied and used again: making one takes seconds. */
async function embedded(): Promise<DatabaseFixture> {
  const dir = await mkdtemp(join(tmpdir(), 'frontdesk-embedded-'));
  const empty = join(dir, 'empty');
  await (await embeddedSql({ dir: empty, log: silent })).close();
  let places = 0;
  const used: string[] = [];
  const emptyPlace = async (): Promise<string> => {
    const last = used.pop();
    if (last !== undefined && (await emptied(last))) return last;
    const dataDir = join(dir, `data-${++places}`);
    await cp(empty, join(dataDir, 'database'), { recursive: true });
    return dataDir;
  };
  return {
    name: 'in the process',
    place: async () => {
      const dataDir = await emptyPlace();
      const opened: (SqlDatabase | Sql)[] = [];
      const keep = <T extends SqlDatabase | Sql>(one: T): T => {
        opened.push(one);
        return one;
      };
      return {
        dataDir,
        open: async () => keep(await openDatabase({ dataDir, log: silent })),
        sql: async (options = {}) => keep(await embeddedSql({ dir: join(dataDir, 'database'), log: silent, ...options })),
        slow: 'select count(*) from generate_series(1, 1000000000)',
        dispose: async () => {
          for (const one of opened) await one.close();
          used.push(dataDir);
        },
      };
    },
    dispose: () => rm(dir, { recursive: true, force: true }),
  };
}

describe('the database in the process', () => {
  let fixture: DatabaseFixture;
  beforeAll(async () => { fixture = await embedded(); }, 120_000);
  databaseContract(() => fixture);
  spoolContract(() => fixture);

  const inPlace = async (test: (place: DatabasePlace) => Promise<void>): Promise<void> => {
    const place = await fixture.place();
    try {
      await test(place);
    } finally {
      await place.dispose();
    }
  };

  it('is opened by one at a time', () =>
    inPlace(async (place) => {
      const db = await place.open();
      await expect(place.open()).rejects.toThrow('is in use by another Frontdesk');
      await db.close();
      await (await place.open()).close();
    }));

  it('has after a worker that was ended all that it had answered', () =>
    inPlace(async (place) => {
      const sql = await place.sql({ deadlineMs: 300 });
      await sql.script('create table kept (id int)');
      for (let round = 0; round < 3; round++) {
        await sql.query('insert into kept values ($1)', [round]);
        await expect(sql.query(place.slow)).rejects.toThrow('no answer within');
      }
      expect(await sql.query('select id from kept order by id')).toEqual([{ id: 0 }, { id: 1 }, { id: 2 }]);
    }));

  it('keeps others waiting no longer than the deadline, and loses nobody else’s answer', () =>
    inPlace(async (place) => {
      const sql = await place.sql({ deadlineMs: 1000 });
      const [slow, next] = await Promise.allSettled([sql.query(place.slow), sql.query('select 1 as one')]);
      expect(slow.status).toBe('rejected');
      expect(next.status === 'fulfilled' || next.reason).toSatisfy((outcome) => outcome === true || (outcome instanceof StoreAwayError && !outcome.mayHaveHappened));
      expect(await sql.query('select 1 as one')).toEqual([{ one: 1 }]);
    }));

  it('says what to do about a damaged directory', () =>
    inPlace(async (place) => {
      const db = await place.open();
      await db.config.apply(set(0, account('clinic')));
      await db.close();
      const dir = join(place.dataDir, 'database');
      await truncate(join(dir, 'global', 'pg_control'), 10);
      await expect(place.open()).rejects.toThrow(/^The database in .* cannot be opened .*: restore the directory from a backup/);
      for (const name of await readdir(dir)) await rm(join(dir, name), { recursive: true });
      await writeFile(join(dir, 'PG_VERSION'), 'nonsense');
      await expect(place.open()).rejects.toThrow('cannot be opened');
    }), 120_000);
});
