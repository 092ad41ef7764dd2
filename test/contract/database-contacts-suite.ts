/** The contract of the store of contacts: on a server, and in the process. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ContactPlace, ContactRow, ContactSet } from '../../control-plane/store/ports.ts';
import { migrateDown, migrateUp, ownMigrations } from '../../control-plane/store/postgres/migrate.ts';
import type { SqlDatabase } from '../../control-plane/store/postgres/open-database.ts';
import { until } from '../support/until.ts';
import { account, cdr, set, user, without, type DatabaseFixture, type DatabasePlace } from './database-fixture.ts';

const beginning: ContactPlace = { revision: 0, account: '', number: '' };
const n = (i: number): string => `+1202${String(5_550_000 + i)}`;
const contacts = (base: ContactPlace, writes: ContactSet['writes'], of = 'clinic'): ContactSet => ({ account: of, writes, base, at: 1_763_740_000_000 + base.revision });
const named = (i: number, owner?: string): ContactSet['writes'][number] => ({ number: n(i), body: { name: `Patient ${i}`, ...(owner === undefined ? {} : { owner }) } });

/** As who follows reads it. */
async function readAll(db: SqlDatabase, place: ContactPlace | null, limit = 3): Promise<ContactRow[]> {
  const rows: ContactRow[] = [];
  for (let at = place; ;) {
    const some = await db.contacts.read(at, limit);
    rows.push(...some);
    if (some.length < limit) return rows;
    at = some.at(-1) ?? at;
  }
}
const lastOf = (rows: readonly ContactRow[]): ContactPlace => rows.at(-1) ?? beginning;

export function contactsContract(fixture: () => DatabaseFixture): void {
  let place: DatabasePlace;
  let db: SqlDatabase;
  beforeEach(async () => {
    place = await fixture().place();
    db = await place.open();
    await db.config.apply(set(0, account('clinic'), account('other'), user('ann'), user('bob')));
  });
  afterEach(async () => { await place.dispose(); });

  describe('contacts', () => {
    it('are read in the order they were written in, each as it is now, the deleted ones too', async () => {
      await db.contacts.apply(contacts(beginning, [2, 1, 4, 3].map((i) => named(i, 'ann'))));
      const first = await readAll(db, null);
      expect(first.map(({ number }) => number)).toEqual([1, 2, 3, 4].map(n));
      expect(first[0]).toEqual({ account: 'clinic', number: n(1), version: 1, createdAt: 1_763_740_000_000, updatedAt: 1_763_740_000_000, revision: 2, body: { name: 'Patient 1', owner: 'ann' } });
      await db.contacts.apply(contacts(lastOf(first), [{ number: n(2), body: { name: 'P\0t\uD800', tags: ['vip'], fields: { language: 'es' } } }, { number: n(4), body: null }, named(5)]));
      const more = await readAll(db, lastOf(first));
      expect(more.map(({ number, version, createdAt, updatedAt, revision, body }) => [number, version, updatedAt - createdAt, revision, body])).toEqual([
        [n(2), 2, 2, 3, { name: 'P\uFFFDt\uFFFD', tags: ['vip'], fields: { language: 'es' } }], [n(4), 2, 2, 3, null], [n(5), 1, 0, 3, { name: 'Patient 5' }],
      ]);
      expect((await readAll(db, null)).map(({ number }) => number)).toEqual([1, 3, 2, 4, 5].map(n));
      await db.contacts.apply(contacts(lastOf(more), [named(4)]));
      expect(await readAll(db, lastOf(more))).toMatchObject([{ number: n(4), version: 1, createdAt: 1_763_740_000_003 }]);
    });

    it('are written once: who has not read what came since is refused, unless that is another account’s', async () => {
      expect(await db.contacts.apply(contacts(beginning, [named(1)]))).toEqual({ ok: true, revision: 2 });
      const place = lastOf(await readAll(db, null));
      await db.contacts.apply(contacts(beginning, [named(1)], 'other'));
      expect(await db.contacts.apply(contacts(beginning, [named(2)]))).toEqual({ ok: false, why: 'overtaken' });
      expect(await db.contacts.apply(contacts(place, [named(2)]))).toEqual({ ok: true, revision: 4 });
      expect(await db.contacts.apply(contacts(place, [named(3)]))).toEqual({ ok: false, why: 'overtaken' });
      expect(await db.contacts.apply(contacts({ ...place, revision: 99 }, [named(3)]))).toEqual({ ok: false, why: 'overtaken' });
      expect((await readAll(db, null)).map(({ account: of, number }) => [of, number])).toEqual([['clinic', n(1)], ['other', n(1)], ['clinic', n(2)]]);
    });

    it('of an account or an owner who is not there are refused, all of them', async () => {
      expect(await db.contacts.apply(contacts(beginning, [named(1), named(2, 'cy'), named(3, 'ann'), named(4, 'clinic')]))).toEqual({ ok: false, why: 'unknown', owners: ['cy', 'clinic'] });
      expect(await db.contacts.apply(contacts(beginning, [named(1)], 'nobody'))).toEqual({ ok: false, why: 'unknown', owners: [] });
      expect(await readAll(db, null)).toEqual([]);
    });

    it('keep their owner and their account from being deleted', async () => {
      await db.contacts.apply(contacts(beginning, [named(1, 'ann')]));
      await expect(db.config.apply(set(1, without('clinic', 'user', 'ann', 1)))).rejects.toMatchObject({ name: 'InUseError' });
      await expect(db.config.apply(set(1, without('clinic', 'account', 'clinic', 1)))).rejects.toMatchObject({ name: 'InUseError' });
      expect((await db.config.load()).objects).toHaveLength(4);
      expect(await db.config.apply(set(1, without('clinic', 'user', 'bob', 1), without('other', 'account', 'other', 1)))).toMatchObject({ ok: true });
      await db.contacts.apply(contacts(lastOf(await readAll(db, null)), [{ number: n(1), body: null }]));
      expect(await db.config.apply(set(2, without('clinic', 'user', 'ann', 1)))).toMatchObject({ ok: true });
    });

    it('and their owner never part, whoever is first', async () => {
      for (let round = 0; round < 5; round++) {
        const { revision, objects } = await db.config.load();
        const version = objects.find(({ id }) => id === 'bob')?.version ?? null;
        if (version === null) await db.config.apply(set(revision, user('bob')));
        const base = lastOf(await readAll(db, null));
        const [made, deleted] = await Promise.all([
          db.contacts.apply(contacts(base, [named(round, 'bob')])),
          db.config.apply(set(version === null ? revision + 1 : revision, without('clinic', 'user', 'bob', version ?? 1))).then(() => 'deleted', (error: unknown) => (error as Error).name),
        ]);
        expect(['made, InUseError', 'unknown, deleted']).toContain(`${made.ok ? 'made' : made.why}, ${deleted}`);
        const left = lastOf(await readAll(db, null));
        if (made.ok) await db.contacts.apply(contacts(left, [{ number: n(round), body: null }]));
      }
    });

    it('come by the thousand in one change, and leave nothing of how', async () => {
      const many = Array.from({ length: 5_000 }, (_, i) => named(i, i % 2 === 0 ? 'ann' : undefined));
      expect(await db.contacts.apply(contacts(beginning, many))).toEqual({ ok: true, revision: 2 });
      const rows = await readAll(db, null, 2_000);
      expect([rows.length, new Set(rows.map(({ number }) => number)).size, rows.every(({ revision }) => revision === 2)]).toEqual([5_000, 5_000, true]);
      expect(await db.contacts.apply(contacts(lastOf(rows), [...many, named(9_999, 'cy')]))).toMatchObject({ why: 'unknown' });
      expect(await readAll(db, lastOf(rows))).toEqual([]);
      await db.close();
      expect(await (await place.sql()).query('select count(*) as n from contact_drafts')).toEqual([{ n: 0 }]);
    });

    it('tell who watches of each change, and the configuration nothing', async () => {
      const [seen, others]: [number[], number[]] = [[], []];
      const end = db.contacts.watch((revision) => seen.push(revision));
      db.config.watch((revision) => others.push(revision));
      await db.contacts.apply(contacts(beginning, [named(1)]));
      await until(() => seen.includes(2), { describe: 'the watcher is told', within: 1000 });
      end();
      await db.config.apply(set(1, account('third')));
      await until(() => others.includes(2), { describe: 'the watcher of the configuration is told', within: 1000 });
      expect([seen, others.filter((revision) => revision !== 1)]).toEqual([[2], [2]]);
    });

    it('that were objects of the configuration are moved, and moved back', async () => {
      await db.close();
      const sql = await place.sql();
      await migrateDown(sql, ownMigrations(), 2);
      await sql.query(`insert into objects (account, kind, id, version, created_at, updated_at, body) values ('clinic', 'contact', 'jo', 3, 7, 8, '{"number": "+12025550187", "name": "Jo", "owner": "ann"}')`);
      await migrateUp(sql, ownMigrations());
      const moved = 'select account, number, version, created_at, updated_at, revision, body from contacts';
      expect(await sql.query(moved)).toEqual([{ account: 'clinic', number: '+12025550187', version: 3, created_at: 7, updated_at: 8, revision: 1, body: { name: 'Jo', owner: 'ann' } }]);
      expect(await sql.query("select 1 from objects where kind = 'contact'")).toEqual([]);
      await migrateDown(sql, ownMigrations(), 2);
      expect(await sql.query("select id, version, body from objects where kind = 'contact'")).toEqual([{ id: '12025550187', version: 3, body: { name: 'Jo', owner: 'ann', number: '+12025550187' } }]);
      await migrateUp(sql, ownMigrations());
      expect(await sql.query(moved)).toHaveLength(1);
    });
  });

  it('callers are given newest first, in pages, those without a telephone number left out', async () => {
    const calls = [['+13035550001', 10], ['', 20], ['101', 30], ['1 (303) 555-0002', 40], ['+13035550001', 50]] as const;
    await db.cdrs.add(calls.map(([number, startedAt]) => cdr(`c${startedAt}`, { startedAt, caller: { number, name: '' } })));
    const first = await db.cdrs.callers({ limit: 2 });
    expect(first.items).toEqual([{ account: 'clinic', number: '+13035550001', at: 50 }, { account: 'clinic', number: '+13035550002', at: 40 }]);
    expect(await db.cdrs.callers({ limit: 2, cursor: first.next ?? '' })).toEqual({ items: [{ account: 'clinic', number: '+13035550001', at: 10 }], next: null });
  });
}
