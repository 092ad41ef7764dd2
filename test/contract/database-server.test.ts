import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase, type DatabaseOptions, type SqlDatabase } from '../../control-plane/store/postgres/open-database.ts';
import { startCdrSpool } from '../../control-plane/store/postgres/cdr-spool.ts';
import { serverSql } from '../../control-plane/store/postgres/server-sql.ts';
import type { Sql } from '../../control-plane/store/postgres/sql.ts';
import { openFileArchive } from '../../control-plane/store/files/call-archive.ts';
import { createMetrics } from '../../control-plane/telemetry/metrics.ts';
import { silent } from '../runtime/sample-call.ts';
import { postgresServer, type PostgresServer } from '../support/postgres-server.ts';
import { until } from '../support/until.ts';
import { account, cdr, set, type DatabaseFixture } from './database-fixture.ts';
import { contactsContract } from './database-contacts-suite.ts';
import { spoolContract } from './database-spool-suite.ts';
import { databaseContract } from './database-suite.ts';
import { callbacksContract } from './database-callbacks-suite.ts';
import { webhooksContract } from './database-webhooks-suite.ts';

let server: PostgresServer;
beforeAll(async () => { server = await postgresServer(); }, 300_000);
afterAll(() => server.dispose());

const onServer: DatabaseFixture = {
  name: 'on a server',
  place: async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'frontdesk-database-'));
    const url = await server.createDatabase();
    const opened: (SqlDatabase | Sql)[] = [];
    const keep = <T extends SqlDatabase | Sql>(one: T): T => {
      opened.push(one);
      return one;
    };
    return {
      dataDir,
      open: async () => keep(await openDatabase({ url, dataDir, log: silent })),
      sql: (options = {}) => Promise.resolve(keep(serverSql({ url, log: silent, ...options }))),
      slow: 'select pg_sleep(600)',
      dispose: async () => {
        for (const one of opened) await one.close();
        await rm(dataDir, { recursive: true, force: true });
      },
    };
  },
  dispose: () => Promise.resolve(),
};

const isCommit = (from: string, bytes: Buffer): boolean => from === 'controller' && bytes.includes('commit\0');

describe('the database on a server', () => {
  databaseContract(() => onServer);
  spoolContract(() => onServer);
  contactsContract(() => onServer);
  webhooksContract(() => onServer);
  callbacksContract(() => onServer);
});

describe('a database server', () => {
  let url = '';
  const opened: { close(): Promise<void> }[] = [];
  const dirs: string[] = [];
  const open = async (options: Partial<DatabaseOptions> = {}): Promise<SqlDatabase> => {
    const db = await openDatabase({ url, dataDir: '/nonexistent', log: silent, ...options });
    opened.push(db);
    return db;
  };
  beforeEach(async () => { url = await server.createDatabase(); });
  afterEach(async () => {
    for (const one of opened.splice(0).toReversed()) await one.close();
    for (const dir of dirs.splice(0)) await rm(dir, { recursive: true, force: true });
  });

  /** All connections of the controllers end, as by an administrator. */
  const killBackends = (): Promise<unknown> => server.ask("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'frontdesk' and datname = current_database()", url);
  const listens = async (count: number): Promise<boolean> =>
    (await server.ask("select 1 from pg_stat_activity where application_name = 'frontdesk' and query like 'listen%' and datname = current_database()", url)).length === count;

  /** Stands between a controller and the server; `through` may change what comes from either, or end the connection with null. */
  const between = async (through: (from: 'controller' | 'server', bytes: Buffer, connection: object) => Buffer | null): Promise<string> => {
    const to = new URL(url);
    const proxy = createServer((near) => {
      const far = connect(Number(to.port), to.hostname);
      const relay = (from: 'controller' | 'server', bytes: Buffer): void => {
        const passed = through(from, bytes, near);
        if (passed !== null) (from === 'controller' ? far : near).write(passed);
        else {
          near.destroy();
          far.end();
        }
      };
      near.on('data', (bytes) => { relay('controller', bytes); }).on('close', () => far.end()).on('error', () => {});
      far.on('data', (bytes) => { relay('server', bytes); }).on('close', () => near.destroy()).on('error', () => {});
    });
    await new Promise<void>((resolve) => { proxy.listen(0, '127.0.0.1', resolve); });
    opened.push({ close: async () => { await new Promise((resolve) => { proxy.close(resolve); }); } });
    return url.replace(`:${to.port}/`, `:${(proxy.address() as AddressInfo).port}/`);
  };

  describe('refuses in one sentence', () => {
    it('a wrong password', async () => {
      await expect(open({ url: server.url({ password: 'wrong' }) })).rejects.toThrow(/^The database at 127.0.0.1:\d+\/postgres refuses the user or password of DATABASE_URL\.$/);
    });
    it('a database that is not there', async () => {
      await expect(open({ url: server.url({ database: 'nowhere' }) })).rejects.toThrow('There is no such database at 127.0.0.1');
    });
    it('a place where no server is', async () => {
      await expect(open({ url: 'postgres://a:secret@127.0.0.1:1/b' })).rejects.toThrow(/^The database at 127.0.0.1:1\/b cannot be reached \(connect ECONNREFUSED/);
      await expect(open({ url: 'postgres://a:secret@nowhere.invalid/b' })).rejects.toThrow('The database at nowhere.invalid/b cannot be reached');
    });
    it('what is no URL', async () => {
      await expect(open({ url: 'postgres//x' })).rejects.toThrow('DATABASE_URL');
    });
    it('a user who may not make tables', async () => {
      await server.ask("create role reader login password 'r'", url);
      await expect(open({ url: server.url({ user: 'reader', password: 'r', database: new URL(url).pathname.slice(1) }) })).rejects.toThrow('may not make tables');
    });
    it('a server that is too old', async () => {
      const old = await between((from, bytes) => (from === 'server' ? Buffer.from(bytes.toString('latin1').replace(/1\d00\d\d(?=C)/, '130022'), 'latin1') : bytes));
      await expect(open({ url: old })).rejects.toThrow('is Postgres 13, and Frontdesk needs 14 or newer');
    });
  });

  it('is prepared once by controllers that start together', async () => {
    const all = await Promise.all(Array.from({ length: 4 }, () => open()));
    expect(await Promise.all(all.map((db) => db.config.load()))).toEqual(all.map(() => ({ revision: 0, objects: [] })));
  });

  it('takes one of the changes that several controllers make at once', async () => {
    const all = await Promise.all(Array.from({ length: 4 }, () => open()));
    const results = await Promise.all(all.flatMap((db, index) => [db.config.apply(set(0, account(`a${index}`))), db.config.apply(set(0, account(`b${index}`)))]));
    expect(results.filter(({ ok }) => ok)).toHaveLength(1);
    expect(await server.ask('select count(*)::int as n from changes', url)).toEqual([{ n: 1 }]);
  });

  it('tells each controller of the others’ changes, by notice', async () => {
    const [one, other] = [await open({ pollMs: 600_000 }), await open({ pollMs: 600_000 })];
    await until(() => listens(2), { describe: 'both listen' });
    const seen: number[] = [];
    other.config.watch((revision) => seen.push(revision));
    await one.config.apply(set(0, account('clinic')));
    await until(() => seen.includes(1), { describe: 'the other is told', within: 1000 });
    expect(seen).toEqual([1]);
  });

  it('tells of changes also when its connections were ended', async () => {
    const one = await open();
    const seen: number[] = [];
    one.config.watch((revision) => seen.push(revision));
    await until(() => listens(1), { describe: 'it listens' });
    await killBackends();
    await server.ask('update revision set revision = 7', url);
    await until(() => seen.includes(7), { describe: 'the revision is seen', within: 2500 });
    await until(() => listens(1), { describe: 'it listens again' });
    await server.ask("update revision set revision = 8; select pg_notify('frontdesk_revision', '8')", url);
    await until(() => seen.includes(8), { describe: 'the next one too', within: 1000 });
    expect(seen).toEqual([7, 8]);
  });

  it('may stop and start: it says so, and all goes on by itself', async () => {
    const db = await open({ pollMs: 50 });
    const seen: number[] = [];
    db.config.watch((revision) => seen.push(revision));
    await db.config.apply(set(0, account('clinic')));
    await server.stop('immediate');
    try {
      await expect(db.config.apply(set(1, account('other')))).rejects.toMatchObject({ name: 'StoreAwayError', mayHaveHappened: false });
      await until(() => db.problem() !== null, { describe: 'it is known to be away' });
    } finally {
      await server.start();
    }
    await until(() => db.problem() === null, { describe: 'it is back' });
    expect(await db.config.apply(set(1, account('other')))).toMatchObject({ ok: true, revision: 2 });
    await until(() => seen.includes(2), { describe: 'the watcher is told' });
  });

  it('gives up a change that waits for a lock, and takes it later', async () => {
    const db = await open({ deadlineMs: 300 });
    const holder = serverSql({ url, log: silent });
    opened.push(holder);
    await holder.transaction(async (queries) => {
      await queries.query('select 1 from revision for update');
      await expect(db.config.apply(set(0, account('clinic')))).rejects.toMatchObject({ name: 'StoreAwayError', mayHaveHappened: false });
    });
    expect(await db.config.apply(set(0, account('clinic')))).toMatchObject({ ok: true });
  });

  it('that does not answer at all is given up', async () => {
    let silence = false;
    const db = await open({ deadlineMs: 200, url: await between((_, bytes) => (silence ? Buffer.alloc(0) : bytes)) });
    silence = true;
    await expect(db.config.load()).rejects.toMatchObject({ name: 'StoreAwayError' });
    silence = false;
    expect(await db.config.load()).toEqual({ revision: 0, objects: [] });
  });

  describe('whose answer to a commit is lost', () => {
    it('is asked whether it happened, and it did', async () => {
      let armed = false;
      let cut: object | null = null;
      const db = await open({
        url: await between((from, bytes, connection) => {
          if (cut === connection && from === 'server') return null;
          if (armed && isCommit(from, bytes)) [armed, cut] = [false, connection];
          return bytes;
        }),
      });
      armed = true;
      expect(await db.config.apply(set(0, account('clinic')))).toMatchObject({ ok: true, revision: 1 });
      expect(cut).not.toBeNull();
      expect((await db.config.load()).revision).toBe(1);
    });

    it('is asked whether it happened, and it did not', async () => {
      let cut = false;
      const db = await open({
        url: await between((from, bytes) => {
          if (!cut || !isCommit(from, bytes)) return bytes;
          cut = false;
          return null;
        }),
      });
      cut = true;
      await expect(db.config.apply(set(0, account('clinic')))).rejects.toMatchObject({ name: 'StoreAwayError', mayHaveHappened: false });
      expect((await db.config.load()).revision).toBe(0);
    });

    it('and that cannot be asked: the change may have happened', async () => {
      let armed = false;
      let cut = false;
      const db = await open({
        url: await between((from, bytes) => {
          cut ||= armed && isCommit(from, bytes);
          return cut ? null : bytes;
        }),
      });
      armed = true;
      await expect(db.config.apply(set(0, account('clinic')))).rejects.toMatchObject({ name: 'StoreAwayError', mayHaveHappened: true });
    });
  });

  it('tells each controller of the others’ contacts, by notice, and whether a change happened whose answer was lost', async () => {
    const other = await open({ pollMs: 600_000 });
    let armed = false;
    let cut: object | null = null;
    const one = await open({
      url: await between((from, bytes, connection) => {
        if (cut === connection && from === 'server') return null;
        if (armed && isCommit(from, bytes)) [armed, cut] = [false, connection];
        return bytes;
      }),
    });
    await until(() => listens(2), { describe: 'both listen' });
    const seen: number[] = [];
    other.contacts.watch((revision) => seen.push(revision));
    await one.config.apply(set(0, account('clinic')));
    armed = true;
    expect(await one.contacts.apply({ account: 'clinic', base: { revision: 1, account: '', number: '' }, at: 1, writes: [{ number: '+12025550187', body: { name: 'Jo' } }] })).toEqual({ ok: true, revision: 2 });
    expect(cut).not.toBeNull();
    await until(() => seen.includes(2), { describe: 'the other is told', within: 1000 });
    expect(await other.contacts.read(null, 9)).toMatchObject([{ number: '+12025550187' }]);
  });

  it('gets each record of a call once over an outage and a restart of the controller', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'frontdesk-spool-'));
    dirs.push(dataDir);
    const archive = await openFileArchive({ dir: dataDir, log: silent, metrics: createMetrics(), everyMs: 5 });
    const spoolOf = (db: SqlDatabase) => startCdrSpool({ dir: dataDir, store: db.cdrs, log: silent, metrics: createMetrics(), everyMs: 10, backOffMs: 20 });
    const db = await open();
    const spool = spoolOf(db);
    await archive.writeCdr(cdr('a'));
    await until(async () => spool.pending() === 0 && (await db.cdrs.get('a')) !== null, { describe: 'the first arrives' });
    await server.stop('immediate');
    try {
      for (const id of ['b', 'c']) await archive.writeCdr(cdr(id));
      await until(() => spool.pending() === 2 && spool.problem() !== null, { get describe() { return `two wait, not ${spool.pending()} (${String(spool.problem())})`; } });
      await spool.stop();
    } finally {
      await server.start();
    }
    const again = await open();
    const next = spoolOf(again);
    await archive.writeCdr(cdr('d'));
    await until(async () => (await again.cdrs.search({}, { limit: 9 })).items.length === 4, { describe: 'all arrive' });
    await until(() => next.pending() === 0, { describe: 'none waits' });
    expect((await again.cdrs.search({}, { limit: 9 })).items.map(({ callId }) => callId)).toEqual(['d', 'c', 'b', 'a']);
    expect(next.skipped()).toBe(0);
    await next.stop();
    await archive.stop();
  });
});
