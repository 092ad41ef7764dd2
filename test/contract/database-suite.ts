/** The one contract of the database: on a server, and in the process. */
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CdrQueueVisit } from '../../control-plane/core/cdr/cdr.ts';
import { CursorError, StoreAwayError, TakenError, type Page } from '../../control-plane/store/ports.ts';
import { migrateDown, migrateUp, ownMigrations } from '../../control-plane/store/postgres/migrate.ts';
import type { SqlDatabase } from '../../control-plane/store/postgres/open-database.ts';
import { until } from '../support/until.ts';
import { account, cdr, device, mobile, number, set, without, type DatabaseFixture, type DatabasePlace } from './database-fixture.ts';

/** Every item of a list, page by page. */
async function all<T>(page: (cursor: { readonly cursor?: string; readonly limit: number }) => Promise<Page<T>>, limit: number): Promise<T[]> {
  const items: T[] = [];
  for (let cursor: { cursor?: string } = {}; ;) {
    const { items: some, next } = await page({ ...cursor, limit });
    items.push(...some);
    if (next === null) return items;
    cursor = { cursor: next };
  }
}

const visit = (queue: string, joinedAt: number): CdrQueueVisit => ({ queue, joinedAt, leftAt: joinedAt + 5, outcome: 'abandoned', agent: null, offers: [] });

export function databaseContract(fixture: () => DatabaseFixture): void {
  let place: DatabasePlace;
  beforeEach(async () => { place = await fixture().place(); });
  afterEach(async () => { await place.dispose(); });
  afterAll(async () => { await fixture().dispose(); });

  describe('its tables', () => {
    it('are made, taken back and made again', async () => {
      const sql = await place.sql();
      const names = ownMigrations().map(({ name }) => name);
      expect(await migrateUp(sql, ownMigrations())).toEqual(names);
      expect(await migrateUp(sql, ownMigrations())).toEqual([]);
      expect(await migrateDown(sql, ownMigrations(), 0)).toEqual(names.toReversed());
      expect(await sql.query("select tablename from pg_tables where schemaname = 'public' and tablename <> 'migrations'")).toEqual([]);
      expect(await migrateUp(sql, ownMigrations())).toEqual(names);
    });

    it('are not touched by a program whose migrations were changed, or that is older', async () => {
      const sql = await place.sql();
      const [first, ...others] = ownMigrations();
      if (first === undefined) throw new Error('no migration');
      await migrateUp(sql, [first, ...others]);
      await expect(migrateUp(sql, [{ ...first, up: `${first.up} ` }, ...others])).rejects.toThrow(`The migration ${first.name} was changed`);
      await expect(migrateUp(sql, [])).rejects.toThrow('made by a newer Frontdesk');
    });

    it('stay as they were when a migration fails half way', async () => {
      const sql = await place.sql();
      const bad = { name: '9999-bad', up: 'create table half (id int); select 1 / 0;', down: '' };
      await expect(migrateUp(sql, [...ownMigrations(), bad])).rejects.toThrow('division by zero');
      expect(await sql.query("select tablename from pg_tables where schemaname = 'public'")).toEqual([]);
    });
  });

  describe('a statement', () => {
    it('that takes too long is given up, and the next one is answered', async () => {
      const sql = await place.sql({ deadlineMs: 300 });
      const refused = await sql.query(place.slow).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(StoreAwayError);
      expect((refused as StoreAwayError).mayHaveHappened).toBe(false);
      await until(async () => (await sql.query('select 1 as one')).length === 1, { describe: 'the database answers again' });
      expect(sql.problem()).toBeNull();
    });

    it('that takes too long takes its transaction back', async () => {
      const sql = await place.sql({ deadlineMs: 300 });
      await sql.script('create table kept (id int)');
      await expect(sql.transaction(async (queries) => {
        await queries.query('insert into kept values (1)');
        await queries.query(place.slow);
      })).rejects.toBeInstanceOf(StoreAwayError);
      expect(await until(() => sql.query('select count(*) as n from kept'), { describe: 'the database answers again' })).toEqual([{ n: 0 }]);
    });
  });

  describe('the configuration', () => {
    let db: SqlDatabase;
    beforeEach(async () => { db = await place.open(); });

    it('begins empty, and is there when it is opened again', async () => {
      expect(await db.config.load()).toEqual({ revision: 0, objects: [] });
      await db.config.apply(set(0, account('clinic'), number('main', '+15551230000')));
      await db.close();
      db = await place.open();
      const { revision, objects } = await db.config.load();
      expect(revision).toBe(1);
      expect(objects.map(({ kind, id, version }) => [kind, id, version])).toEqual([['account', 'clinic', 1], ['number', 'main', 1]]);
    });

    it('gives each object its next version, and keeps when it was made', async () => {
      await db.config.apply(set(0, number('main', '+15551230000')));
      const result = await db.config.apply(set(1, number('main', '+15551230001', 1)));
      expect(result).toMatchObject({ ok: true, revision: 2, objects: [{ version: 2, createdAt: 1_763_740_000_000, updatedAt: 1_763_740_000_001 }] });
      expect((await db.config.load()).objects).toEqual(result.ok ? result.objects : []);
    });

    it('takes all of a change or nothing', async () => {
      await db.config.apply(set(0, number('main', '+15551230000')));
      const before = await db.config.load();
      await expect(db.config.apply(set(1, account('clinic'), without('clinic', 'number', 'main', 1), number('a', '+15551230001'), number('b', '+15551230001')))).rejects.toThrow(TakenError);
      expect(await db.config.load()).toEqual(before);
      expect((await db.config.changes({}, { limit: 10 })).items).toHaveLength(1);
    });

    it('refuses a change of a configuration that is another by now', async () => {
      await db.config.apply(set(0, account('clinic')));
      expect(await db.config.apply(set(0, account('other')))).toEqual({ ok: false, revision: 1 });
    });

    it('refuses to change what is not there as the writer saw it', async () => {
      await db.config.apply(set(0, number('main', '+15551230000')));
      for (const write of [number('main', '+15551230001'), number('main', '+15551230001', 7), number('new', '+15551230002', 1), without('clinic', 'number', 'main', 2)]) {
        expect(await db.config.apply(set(1, account('clinic'), write))).toEqual({ ok: false, revision: 1 });
      }
      expect((await db.config.load()).objects).toHaveLength(1);
    });

    it('has a number once in the whole system and an extension once in an account, and says which', async () => {
      await db.config.apply(set(0, number('main', '+15551230000'), device('desk', '101'), mobile('ann', '+15550001111'), mobile('bob', '+15550001111')));
      const taken = await db.config.apply(set(1, device('lobby', '101'))).catch((error: unknown) => error);
      expect(taken).toMatchObject({ name: 'TakenError', field: 'extension', value: '101' });
      await expect(db.config.apply(set(1, { ...number('main', '+15551230000'), account: 'other' }))).rejects.toMatchObject({ field: 'e164', value: '+15551230000' });
      expect(await db.config.apply(set(1, device('lobby', '101', 'other')))).toMatchObject({ ok: true });
    });

    it('lets two numbers swap theirs', async () => {
      await db.config.apply(set(0, number('a', '+15551230001'), number('b', '+15551230002')));
      expect(await db.config.apply(set(1, number('a', '+15551230002', 1), number('b', '+15551230001', 1)))).toMatchObject({ ok: true });
    });

    it('takes the one of many changes at once that was first', async () => {
      const results = await Promise.all(['a', 'b', 'c', 'd'].map((id) => db.config.apply(set(0, account(id)))));
      expect(results.filter(({ ok }) => ok)).toHaveLength(1);
      expect((await db.config.load()).objects).toHaveLength(1);
    });

    it('keeps every change with what was before and after, the newest first', async () => {
      await db.config.apply(set(0, account('clinic'), number('main', '+15551230000')));
      await db.config.apply({ ...set(1, without('clinic', 'number', 'main', 1)), undoes: 2 });
      const { items, next } = await db.config.changes({}, { limit: 10 });
      expect(next).toBeNull();
      expect(items.map(({ seq, revision, kind, before, after, undoes, actor }) => [seq, revision, kind, before === null, after === null, undoes, actor])).toEqual([
        [3, 2, 'number', false, true, 2, 'key-1'], [2, 1, 'number', true, false, null, 'key-1'], [1, 1, 'account', true, false, null, 'key-1'],
      ]);
      expect((await db.config.changes({ kind: 'number', id: 'main' }, { limit: 1 })).items.map(({ seq }) => seq)).toEqual([3]);
      expect((await db.config.changes({ seq: 2 }, { limit: 1 })).items).toMatchObject([{ seq: 2, after: { e164: '+15551230000' } }]);
      expect((await db.config.changes({ account: 'other' }, { limit: 1 })).items).toEqual([]);
    });

    it('gives its history in pages, each change once', async () => {
      for (let base = 0; base < 7; base++) await db.config.apply(set(base, account(`a${base}`)));
      const seqs = await all((page) => db.config.changes({}, page), 3);
      expect(seqs.map(({ seq }) => seq)).toEqual([7, 6, 5, 4, 3, 2, 1]);
      await expect(db.config.changes({}, { cursor: 'x', limit: 3 })).rejects.toThrow(CursorError);
    });

    it('tells who watches of each change, until that ends', async () => {
      const seen: number[] = [];
      const end = db.config.watch((revision) => seen.push(revision));
      await db.config.apply(set(0, account('clinic')));
      await until(() => seen.includes(1), { describe: 'the watcher is told', within: 1000 });
      end();
      const later: number[] = [];
      db.config.watch((revision) => later.push(revision));
      await db.config.apply(set(1, account('other')));
      await until(() => later.includes(2), { describe: 'the other watcher is told', within: 1000 });
      expect(seen).toEqual([1]);
    });
  });

  describe('API keys', () => {
    it('are kept until they are removed, with when they were used last', async () => {
      const db = await place.open();
      const key = { id: 'k1', name: 'Import', role: 'account-admin', account: 'clinic', hash: 'ab', createdAt: 1, lastUsedAt: null, expiresAt: 9_000_000_000_000 } as const;
      await db.keys.add(key);
      await db.keys.used('k1', 5);
      await db.keys.used('k1', 4);
      expect(await db.keys.list()).toEqual([{ ...key, lastUsedAt: 5 }]);
      expect(await db.keys.remove('k1')).toBe(true);
      expect(await db.keys.remove('k1')).toBe(false);
      expect(await db.keys.list()).toEqual([]);
    });
  });

  describe('the audit trail', () => {
    it('is read newest first, by account, action and subject', async () => {
      const db = await place.open();
      const entry = { at: 1, actor: 'k1', account: 'clinic', action: 'recording.read', subject: 'r1', outcome: 'ok', address: '::1', details: { why: 'a\0b' } } as const;
      await db.audit.write(entry);
      await db.audit.write({ ...entry, account: null, action: 'key.create', outcome: 'refused' });
      await db.audit.write({ ...entry, subject: 'r2' });
      expect((await all((page) => db.audit.list({}, page), 2)).map(({ subject, action }) => [subject, action])).toEqual([['r2', 'recording.read'], ['r1', 'key.create'], ['r1', 'recording.read']]);
      expect((await db.audit.list({ account: 'clinic', action: 'recording.read', subject: 'r1' }, { limit: 5 })).items).toEqual([{ ...entry, details: { why: 'a\uFFFDb' } }]);
    });
  });

  describe('an idempotency key', () => {
    const entry = { actor: 'k1', key: 'one', fingerprint: 'f', at: 1_763_740_000_000 };
    const answer = { actor: 'k1', key: 'one', status: 201, headers: { etag: '"1"' }, body: '{}' };

    it('is taken by one of two requests at once', async () => {
      const db = await place.open();
      const states = await Promise.all([db.idempotency.begin(entry), db.idempotency.begin({ ...entry, fingerprint: 'g' })]);
      expect(states.map(({ state }) => state).sort()).toEqual(['new', 'pending']);
    });

    it('gives the answer again, for 24 hours', async () => {
      const db = await place.open();
      await db.idempotency.begin(entry);
      await db.idempotency.finish(answer);
      expect(await db.idempotency.begin({ ...entry, fingerprint: 'g' })).toEqual({ state: 'done', fingerprint: 'f', status: 201, headers: { etag: '"1"' }, body: '{}' });
      expect(await db.idempotency.begin({ ...entry, actor: 'k2' })).toEqual({ state: 'new' });
      expect(await db.idempotency.begin({ ...entry, at: entry.at + 24 * 3_600_000 + 1 })).toEqual({ state: 'new' });
    });

    it('is free again after a request that did nothing, or that died', async () => {
      const db = await place.open();
      await db.idempotency.begin(entry);
      await db.idempotency.abandon(entry);
      expect(await db.idempotency.begin(entry)).toEqual({ state: 'new' });
      expect(await db.idempotency.begin({ ...entry, at: entry.at + 60_000 })).toMatchObject({ state: 'pending' });
      expect(await db.idempotency.begin({ ...entry, at: entry.at + 11 * 60_000 })).toEqual({ state: 'new' });
    });
  });

  describe('a record of a call', () => {
    it('sent twice is there once, as it was first', async () => {
      const db = await place.open();
      await db.cdrs.add([cdr('c1'), cdr('c2')]);
      await db.cdrs.add([cdr('c2', { dialled: '+1' }), cdr('c3'), cdr('c3')]);
      expect((await db.cdrs.search({}, { limit: 10 })).items.map(({ callId }) => callId)).toEqual(['c3', 'c2', 'c1']);
      expect(await db.cdrs.get('c2')).toEqual(cdr('c2'));
      expect(await db.cdrs.get('nobody')).toBeNull();
    });

    it('is kept also with a name that is no text', async () => {
      const db = await place.open();
      await db.cdrs.add([cdr('c1', { caller: { number: '+15550001111', name: 'P\0t\uD800' } })]);
      expect((await db.cdrs.get('c1'))?.caller.name).toBe('P\uFFFDt\uFFFD');
    });

    it('is found by each field, and by digits anywhere in the number of the caller', async () => {
      const db = await place.open();
      await db.cdrs.add([
        cdr('a', { startedAt: 10, caller: { number: '+15559870001', name: '' } }),
        cdr('b', { startedAt: 20, caller: { number: '+15559879987', name: '' }, account: 'other', disposition: 'busy' }),
        cdr('c', { startedAt: 30, caller: { number: '', name: '' }, dialled: '101', disposition: null }),
      ]);
      const found = async (filter: Parameters<SqlDatabase['cdrs']['search']>[0]): Promise<string> => (await db.cdrs.search(filter, { limit: 10 })).items.map(({ callId }) => callId).join('');
      expect(await found({ caller: '987' })).toBe('ba');
      expect(await found({ caller: '(555) 987-0001' })).toBe('a');
      expect(await found({ caller: '879987' })).toBe('b');
      expect(await found({ caller: '987555' })).toBe('');
      expect(await found({ caller: '00' })).toBe('a');
      expect(await found({ account: 'other' })).toBe('b');
      expect(await found({ dialled: '101' })).toBe('c');
      expect(await found({ dialled: '+15551230000' })).toBe('ba');
      expect(await found({ dialled: '15551230000' })).toBe('ba');
      expect(await found({ dialled: '1555123000' })).toBe('');
      expect(await found({ disposition: 'busy' })).toBe('b');
      expect(await found({ from: 10, to: 30 })).toBe('ba');
      expect(await found({ account: 'clinic', caller: '9870', from: 5, to: 11, disposition: 'answered', dialled: '+15551230000' })).toBe('a');
    });

    it('comes once in the pages of a search, also of calls that began together', async () => {
      const db = await place.open();
      await db.cdrs.add(Array.from({ length: 11 }, (_, index) => cdr(`c${String(index).padStart(2, '0')}`, { startedAt: 5 })));
      const ids = (await all((page) => db.cdrs.search({ account: 'clinic' }, page), 4)).map(({ callId }) => callId);
      expect(ids).toEqual(Array.from({ length: 11 }, (_, index) => `c${String(10 - index).padStart(2, '0')}`));
      await expect(db.cdrs.search({}, { cursor: 'x', limit: 4 })).rejects.toThrow(CursorError);
    });

    it('is found by each time that it waited in a queue, until it goes', async () => {
      const db = await place.open();
      await db.cdrs.add([cdr('a', { startedAt: 10, queues: [visit('desk', 11), visit('late', 12), visit('desk', 11)] }), cdr('b', { startedAt: 20, queues: [visit('desk', 11)] }), cdr('c'), cdr('d', { account: 'other', queues: [visit('desk', 11)] })]);
      await db.cdrs.add([cdr('a', { startedAt: 10, queues: [visit('desk', 11)] }), cdr('e', { startedAt: 20, queues: [visit('desk', 9), visit('desk', 12), visit('desk', 20)] })]);
      const visits = (from: number, to: number, queue = 'desk'): Promise<CdrQueueVisit[]> => all((page) => db.cdrs.queueVisits({ account: 'clinic', queue, from, to }, page), 2);
      expect(await visits(11, 20)).toEqual([visit('desk', 11), visit('desk', 11), visit('desk', 11), visit('desk', 12)]);
      expect(await visits(0, 100, 'late')).toEqual([visit('late', 12)]);
      await expect(db.cdrs.queueVisits({ account: 'clinic', queue: 'desk', from: 0, to: 100 }, { cursor: 'x', limit: 4 })).rejects.toThrow(CursorError);
      expect(await db.cdrs.removeBefore('clinic', 20)).toBe(1);
      expect(await visits(0, 100)).toEqual([visit('desk', 9), visit('desk', 11), visit('desk', 12), visit('desk', 20)]);
    });

    it('has its waits in queues also when it was kept before they were asked for', async () => {
      const sql = await place.sql();
      const before = ownMigrations().filter(({ name }) => name < '0006');
      await migrateUp(sql, before);
      const [waited, old] = [cdr('a', { queues: [{ queue: 'desk', joinedAt: 7, leftAt: 8, outcome: 'abandoned', agent: null, offers: [] }] }), { ...cdr('b'), queues: undefined }];
      for (const record of [waited, old]) await sql.query("insert into cdrs (call_id, account, started_at, caller_digits, caller_parts, dialled, record) values ($1, 'clinic', 5, '', '{}', '', $2::jsonb)", [record.callId, JSON.stringify(record)]);
      await migrateUp(sql, ownMigrations());
      expect(await sql.query('select call_id, n, queue, joined_at from queue_visits')).toEqual([{ call_id: 'a', n: 1, queue: 'desk', joined_at: 7 }]);
    });

    it('goes when its account keeps it no longer', async () => {
      const db = await place.open();
      await db.cdrs.add([cdr('a', { startedAt: 10 }), cdr('b', { startedAt: 20 }), cdr('c', { startedAt: 10, account: 'other' })]);
      expect(await db.cdrs.removeBefore('clinic', 20)).toBe(1);
      expect((await db.cdrs.search({}, { limit: 10 })).items.map(({ callId }) => callId)).toEqual(['b', 'c']);
    });
  });
}
