import { cp, mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { StoreAwayError } from '../../control-plane/store/ports.ts';
import { embeddedSql } from '../../control-plane/store/postgres/embedded-sql.ts';
import { databaseOn, openDatabase, type SqlDatabase } from '../../control-plane/store/postgres/open-database.ts';
import type { Sql } from '../../control-plane/store/postgres/sql.ts';
import { silent } from '../runtime/sample-call.ts';
import { until } from '../support/until.ts';
import { account, set, type DatabaseFixture } from './database-fixture.ts';
import { contactsContract } from './database-contacts-suite.ts';
import { spoolContract } from './database-spool-suite.ts';
import { databaseContract } from './database-suite.ts';
import { callbacksContract } from './database-callbacks-suite.ts';
import { webhooksContract } from './database-webhooks-suite.ts';

const slow = 'select count(*) from generate_series(1, 1000000000)';

/**
 * Copies of a database that was made once: making one takes seconds. One stays open from test to test and is emptied,
 * for opening one takes a second; closing is tested on its own below.
 */
async function embedded(): Promise<DatabaseFixture> {
  const dir = await mkdtemp(join(tmpdir(), 'frontdesk-embedded-'));
  const made = join(dir, 'made');
  await (await embeddedSql({ dir: made, log: silent })).close();
  const idle: Sql[] = [];
  const all: Sql[] = [];
  let places = 0;
  const openOne = async (options: { readonly deadlineMs?: number } = {}): Promise<Sql> => {
    const place = join(dir, `place-${++places}`);
    await cp(made, place, { recursive: true });
    const sql = await embeddedSql({ dir: place, log: silent, ...options });
    all.push(sql);
    return sql;
  };
  return {
    name: 'in the process',
    place: async () => {
      const dataDir = join(dir, `data-${++places}`);
      const shared = idle.pop() ?? (await openOne());
      const opened: SqlDatabase[] = [];
      const staysOpen: Sql = { ...shared, close: () => Promise.resolve() };
      return {
        dataDir,
        open: async () => {
          const db = await databaseOn(staysOpen, silent);
          opened.push(db);
          return db;
        },
        sql: (options) => (options === undefined ? Promise.resolve(staysOpen) : openOne(options)),
        slow,
        dispose: async () => {
          for (const one of opened) await one.close();
          await shared.script('drop schema public cascade; create schema public');
          idle.push(shared);
        },
      };
    },
    dispose: async () => {
      for (const one of all) await one.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

describe('the database in the process', () => {
  let fixture: DatabaseFixture;
  beforeAll(async () => { fixture = await embedded(); }, 120_000);
  databaseContract(() => fixture);
  spoolContract(() => fixture);
  contactsContract(() => fixture);
  webhooksContract(() => fixture);
  callbacksContract(() => fixture);

});

describe('a database directory', () => {
  let templates = '';
  let dataDir = '';
  const opened: (SqlDatabase | Sql)[] = [];
  const open = async (): Promise<SqlDatabase> => {
    const db = await openDatabase({ dataDir, templates, log: silent });
    opened.push(db);
    return db;
  };
  const openSql = async (deadlineMs: number): Promise<Sql> => {
    const sql = await embeddedSql({ dir: join(dataDir, 'database'), templates, log: silent, deadlineMs });
    opened.push(sql);
    return sql;
  };
  beforeAll(async () => { templates = await mkdtemp(join(tmpdir(), 'frontdesk-templates-')); });
  afterAll(() => rm(templates, { recursive: true, force: true }));
  beforeEach(async () => { dataDir = await mkdtemp(join(tmpdir(), 'frontdesk-embedded-')); });
  afterEach(async () => {
    for (const one of opened.splice(0)) await one.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  it('is opened by one at a time, and has for the next what the last was told', async () => {
    const db = await open();
    await expect(open()).rejects.toThrow('is in use by another Frontdesk');
    await db.config.apply(set(0, account('clinic')));
    await db.close();
    expect((await (await open()).config.load()).objects).toMatchObject([{ id: 'clinic' }]);
  });

  it('has after a worker that was ended all that it had answered', async () => {
    const sql = await openSql(300);
    await sql.script('create table kept (id int)');
    for (let round = 0; round < 3; round++) {
      await until(() => sql.query('insert into kept values ($1) returning id', [round]), { describe: 'a row is added' });
      await expect(sql.query(slow)).rejects.toThrow('no answer within');
    }
    expect(await sql.query('select id from kept order by id')).toEqual([{ id: 0 }, { id: 1 }, { id: 2 }]);
  });

  it('keeps others waiting no longer than the deadline', async () => {
    const sql = await openSql(1000);
    const [first, next] = await Promise.allSettled([sql.query(slow), sql.query('select 1 as one')]);
    expect(first.status).toBe('rejected');
    expect(next.status === 'fulfilled' || next.reason).toSatisfy((outcome) => outcome === true || (outcome instanceof StoreAwayError && !outcome.mayHaveHappened));
    expect(await sql.query('select 1 as one')).toEqual([{ one: 1 }]);
  });

  it('that is damaged is refused with what to do', async () => {
    await (await open()).close();
    const dir = join(dataDir, 'database');
    await truncate(join(dir, 'global', 'pg_control'), 10);
    await expect(open()).rejects.toThrow(/^The database in .* cannot be opened .*: restore the directory from a backup/);
    for (const name of await readdir(dir)) await rm(join(dir, name), { recursive: true });
    await writeFile(join(dir, 'PG_VERSION'), 'nonsense');
    await expect(open()).rejects.toThrow('cannot be opened');
  });

  it('is copied from one made before, shares nothing with it, and is made anew where that is damaged', async () => {
    const sqlAt = (name: string): Promise<Sql> => embeddedSql({ dir: join(dataDir, name), templates, log: silent });
    const first = await sqlAt('first');
    await first.script('create table kept (id int)');
    const [template = ''] = await readdir(templates);
    expect(template).toMatch(/^pglite-\d/);
    const second = await sqlAt('second');
    await expect(second.query('select id from kept')).rejects.toThrow('does not exist');
    await Promise.all([first.close(), second.close()]);
    const again = await sqlAt('first');
    expect(await again.query('select id from kept')).toEqual([]);
    await again.close();
    await truncate(join(templates, template, 'global', 'pg_control'), 10);
    const third = await sqlAt('third');
    expect(await third.query('select 1 as one')).toEqual([{ one: 1 }]);
    await third.close();
    expect(await readdir(templates)).toEqual([]);
  });
}, 120_000);
