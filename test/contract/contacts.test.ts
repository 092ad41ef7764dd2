/** The contacts in memory, against a real database: written, followed, copied to the disk, and known without the database. */
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createContactBook } from '../../control-plane/contacts/contact-book.ts';
import { readContactsCopy } from '../../control-plane/contacts/contacts-copy.ts';
import { createContacts, type Contacts, type ContactDraft, type ContactsOptions } from '../../control-plane/contacts/contacts.ts';
import type { ContactFile } from '../../control-plane/contacts/contact-file.ts';
import { openContacts } from '../../control-plane/open-contacts.ts';
import { openDatabase, type SqlDatabase } from '../../control-plane/store/postgres/open-database.ts';
import { StoreAwayError, type ContactRow, type ContactStore } from '../../control-plane/store/ports.ts';
import { silent } from '../runtime/sample-call.ts';
import { memoryStores } from '../support/memory-stores.ts';
import { until } from '../support/until.ts';
import { account, set, user } from './database-fixture.ts';

let folder: string;
let database: SqlDatabase;
const opened: Contacts[] = [];
let copies = 0;

const open = (options: Partial<ContactsOptions> = {}): Contacts => {
  const contacts = createContacts({ store: database.contacts, copyFile: join(folder, `copy-${(copies += 1)}.ndjson`), hasUser: (_, id) => id === 'ann', log: silent, ...options });
  opened.push(contacts);
  return contacts;
};
const copyOf = (n = copies): string => join(folder, `copy-${n}.ndjson`);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'frontdesk-contacts-'));
  database = await openDatabase({ dataDir: folder, log: silent });
  await database.config.apply(set(0, account('clinic'), account('other'), account('many'), account('race'), user('ann')));
}, 60_000);
afterAll(async () => {
  for (const contacts of opened) await contacts.stop();
  await database.close();
  rmSync(folder, { recursive: true, force: true });
});

const n = (i: number): string => `+1303${String(5_000_000 + i)}`;
const draft = (number: string, body: ContactDraft['body'], version: number | null = null, of = 'clinic'): ContactDraft => ({ account: of, number, version, body });
const fileOf = (count: number, name = 'Patient'): ContactFile => ({
  columns: { owner: false, tags: false, fields: [] }, rows: Array.from({ length: count }, (_, i) => ({ line: i + 2, number: n((i * 7919) % count), contact: { name: `${name} ${i}` } })),
});
const rowsOf = (count: number): readonly Omit<ContactRow, 'revision'>[] =>
  Array.from({ length: count }, (_, i) => ({ account: 'clinic', number: n((i * 7919) % count), version: 1, createdAt: 0, updatedAt: 0, body: { name: `Patient ${i}` } }));
const away: ContactStore = {
  read: () => Promise.reject(new StoreAwayError('away', false)), apply: () => Promise.reject(new StoreAwayError('away', false)), watch: () => () => undefined,
};

/** One store that is put in another's place, and tells of a revision, when the test says so. */
const switching = (first: ContactStore) => {
  const watchers = new Set<(revision: number) => void>();
  let now = first;
  const store: ContactStore = {
    read: (...asked) => now.read(...asked), apply: (...asked) => now.apply(...asked),
    watch: (onRevision) => {
      watchers.add(onRevision);
      return () => { watchers.delete(onRevision); };
    },
  };
  return {
    store,
    to: (next: ContactStore, revision: number): void => {
      now = next;
      for (const watcher of watchers) watcher(revision);
    },
  };
};

/** How often `work` looks into a map, and how often it goes through a list or a map. */
const counted = (work: () => void): { readonly gets: number; readonly walks: number } => {
  const count = { gets: 0, walks: 0 };
  const counting = <T extends object>(of: T, name: keyof T, what: keyof typeof count): (() => void) => {
    const own = of[name] as (...given: unknown[]) => unknown;
    Object.assign(of, { [name](this: unknown, ...given: unknown[]) { count[what] += 1; return Reflect.apply(own, this, given); } });
    return () => { Object.assign(of, { [name]: own }); };
  };
  const ends = [counting(Map.prototype, 'get', 'gets'), counting(Map.prototype, Symbol.iterator, 'walks'), counting(Array.prototype, Symbol.iterator, 'walks'), counting(Array.prototype, 'find', 'walks')];
  try {
    work();
    return { ...count };
  } finally {
    ends.map((end) => { end(); });
  }
};

describe('A contact', () => {
  test('is another controller’s within a second, as are a change of it and its end; a version that was overtaken is refused', async () => {
    const [mine, theirs] = [open(), open()];
    await Promise.all([mine.catchUp(), theirs.catchUp()]);
    expect(await mine.write(draft(n(1), { name: 'Jo', owner: 'ann', tags: ['vip'] }))).toEqual({ ok: true, before: undefined });
    await until(() => theirs.contactOf('clinic', n(1))?.owner === 'ann', { describe: 'the other has the contact', within: 1_000 });
    expect(theirs.contactOf('clinic', n(1))).toEqual(mine.contactOf('clinic', n(1)));
    expect(await theirs.write(draft(n(1), { name: 'Jo Ray' }, 1))).toMatchObject({ ok: true, before: { name: 'Jo' } });
    expect(await mine.write(draft(n(1), { name: 'Late' }, 1))).toMatchObject({ ok: false, reason: 'stale' });
    expect(mine.contactOf('clinic', n(1))).toMatchObject({ name: 'Jo Ray', version: 2 });
    await mine.write(draft(n(1), null, 2));
    await until(() => theirs.contactOf('clinic', n(1)) === undefined, { describe: 'it is gone for the other', within: 1_000 });
    expect(theirs.numbers('clinic')).toEqual([]);
    expect(await theirs.write(draft(n(1), { name: 'Nobody' }, 2))).toMatchObject({ ok: false, reason: 'missing' });
  });

  test('is written by two controllers at once without a lost change', async () => {
    const both = [open(), open()] as const;
    const results = await Promise.all(Array.from({ length: 40 }, (_, i) => both[i % 2 === 0 ? 0 : 1].write(draft(n(i), { name: `Patient ${i}` }, null, 'race'))));
    expect(results.every(({ ok }) => ok)).toBe(true);
    await until(() => both.every((contacts) => contacts.numbers('race').length === 40), { describe: 'both have all', within: 2_000 });
    expect(both[0].numbers('race')).toEqual(Array.from({ length: 40 }, (_, i) => n(i)));
  });

  test('of an owner who was deleted a moment ago is refused', async () => {
    const contacts = open({ hasUser: () => true });
    expect(await contacts.write(draft(n(2), { name: 'Jo', owner: 'cy' }))).toEqual({ ok: false, reason: 'invalid', problems: [{ path: 'owner', message: 'there is no user “cy”. Create it first, or correct the id.' }] });
    const rows = [{ line: 2, number: n(2), contact: { name: 'Jo', owner: 'ann' } }, { line: 3, number: n(3), contact: { name: 'Al', owner: 'cy' } }];
    expect(await contacts.import('clinic', { columns: { owner: true, tags: false, fields: [] }, rows }, 'add')).toEqual({ ok: false, reason: 'invalid', problems: [{ path: 'line 3 owner', message: 'there is no user “cy” any more.' }] });
    expect(contacts.contactOf('clinic', n(2))).toBeUndefined();
  });
});

describe('Ten thousand contacts', () => {
  test('are imported in one change, live at another controller, and replaced by others', async () => {
    const [mine, theirs] = [open(), open()];
    await theirs.catchUp();
    expect(await mine.import('many', fileOf(10_000), 'add')).toEqual({ ok: true, created: 10_000, replaced: 0, deleted: 0, unchanged: 0 });
    expect(mine.numbers('many')).toEqual(Array.from({ length: 10_000 }, (_, i) => n(i)));
    await until(() => theirs.numbers('many').length === 10_000, { describe: 'the other has all', within: 3_000 });
    expect(theirs.contactOf('many', n(7919))).toEqual(mine.contactOf('many', n(7919)));
    expect(await theirs.import('many', fileOf(10_000), 'replace')).toEqual({ ok: true, created: 0, replaced: 0, deleted: 0, unchanged: 10_000 });
    expect(await theirs.import('many', fileOf(6_000, 'Other'), 'replace')).toMatchObject({ created: 0, replaced: 6_000, deleted: 4_000 });
    await until(() => mine.numbers('many').length === 6_000 && mine.contactOf('many', n(5_999))?.version === 2, { describe: 'the first has what is left', within: 3_000 });
    expect(mine.contactOf('many', n(9_999))).toBeUndefined();
  });

  test('are looked up in as many steps as ten', () => {
    const steps = [10, 10_000].map((count) => {
      const book = createContactBook();
      book.set(rowsOf(count));
      let found: unknown;
      const taken = counted(() => { found = book.get('clinic', n(7)); });
      expect(found).toMatchObject({ number: n(7) });
      return taken;
    });
    // its account's, and in that its own
    expect(steps).toEqual([{ gets: 2, walks: 0 }, { gets: 2, walks: 0 }]);
  });
});

describe('The copy on the disk', () => {
  test('has what was written, one line added at a time, and is written anew when it has grown', async () => {
    const store = memoryStores().contacts;
    const file = join(folder, 'grown.ndjson');
    const lines = (): number => readFileSync(file, 'utf8').trimEnd().split('\n').length;
    await open({ store }).write(draft(n(1), { name: 'Jo' }, null, 'other'));
    const contacts = open({ store, copyFile: file });
    await contacts.catchUp();
    await until(() => existsSync(file), { describe: 'the file is there' });
    await contacts.import('clinic', fileOf(20), 'add');
    await contacts.write(draft(n(3), { name: 'Changed', fields: { note: 'x' } }, 1));
    await contacts.write(draft(n(4), null, 1));
    await contacts.stop();
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(lines()).toBe(23);
    appendFileSync(file, '{"account":"clinic","number":"+1303');
    const found = await readContactsCopy(file);
    expect(found?.book.numbers('clinic')).toEqual(contacts.numbers('clinic'));
    for (const number of contacts.numbers('clinic')) expect(found?.book.get('clinic', number)).toEqual(contacts.contactOf('clinic', number));
    const again = open({ store, copyFile: file });
    await again.import('clinic', fileOf(9_000, 'More'), 'add');
    await again.import('clinic', fileOf(9_000, 'Again'), 'add');
    await again.import('clinic', fileOf(9_000, 'Once more'), 'add');
    await again.stop();
    expect(lines()).toBeLessThan(20_000);
    expect((await readContactsCopy(file))?.book.get('clinic', n(1))).toEqual(again.contactOf('clinic', n(1)));
  });

  test('is what a controller knows that starts without the database; it changes nothing, and reads all when that is there', async () => {
    const before = open();
    await before.write(draft(n(5), { name: 'Jo', owner: 'ann' }));
    await before.stop();
    const { store, to } = switching(away);
    const contacts = open({ store, copied: await readContactsCopy(copyOf()) });
    expect(contacts.contactOf('clinic', n(5))).toMatchObject({ name: 'Jo', owner: 'ann', version: 1 });
    expect(contacts.problem()).toMatch(/^Contacts are those of the copy on the disk, of 20.*Z, until the database is back\.$/);
    await expect(contacts.write(draft(n(6), { name: 'Al' }))).rejects.toBeInstanceOf(StoreAwayError);
    expect(contacts.contactOf('clinic', n(6))).toBeUndefined();
    const other = open();
    await other.write(draft(n(7), { name: 'Bo' }));
    to(database.contacts, -1);
    await until(() => contacts.contactOf('clinic', n(7)) !== undefined, { describe: 'what was written meanwhile is known', within: 1_000 });
    expect(contacts.problem()).toBeNull();
    expect(await contacts.write(draft(n(6), { name: 'Al' }))).toMatchObject({ ok: true });
  });

  test('of a release that had contacts in the configuration is taken up', async () => {
    const file = join(folder, 'configuration.json');
    appendFileSync(file, '{}');
    const objects = [{ account: 'clinic', kind: 'contact', id: 'jo', version: 4, createdAt: 1, updatedAt: 2, body: { number: n(8), name: 'Jo', owner: 'ann' } }, { ...account('clinic'), version: 1 }];
    const contacts = await openContacts({ dataDir: join(folder, 'none'), configured: { snapshot: { revision: 1, objects: objects as never }, file }, store: away, hasUser: () => true, log: silent });
    expect(contacts.contactOf('clinic', n(8))).toEqual({ number: n(8), name: 'Jo', owner: 'ann', version: 4, createdAt: 1, updatedAt: 2 });
    await contacts.stop();
  });
});

test('A database that was restored from a backup is read anew', async () => {
  const [lost, old] = [memoryStores().contacts, memoryStores().contacts];
  const { store, to } = switching(lost);
  const contacts = open({ store });
  for (const i of [1, 2, 3]) await contacts.write(draft(n(i), { name: 'Lost' }));
  to(lost, 4);
  await old.apply({ account: 'clinic', base: { revision: 0, account: '', number: '' }, at: 1, writes: [{ number: n(9), body: { name: 'Old' } }] });
  to(old, 2);
  await until(() => contacts.contactOf('clinic', n(9)) !== undefined, { describe: 'the old one is there', within: 1_000 });
  expect(contacts.numbers('clinic')).toEqual([n(9)]);
});
