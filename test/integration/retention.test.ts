/** What is kept of calls goes when it is due: from the database by each account's own days, from the disk by the longest. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Cdr } from '../../control-plane/core/cdr/cdr.ts';
import { openDatabase } from '../../control-plane/store/postgres/open-database.ts';
import { cdr } from '../contract/database-fixture.ts';
import { silent } from '../runtime/sample-call.ts';
import { firstKeyOf, openApi, type Api } from '../support/api.ts';
import type { Controller } from '../support/controller.ts';
import { postgresServer, type PostgresServer } from '../support/postgres-server.ts';
import { openSite, SITE_START_MS, type Site } from '../support/site.ts';
import { until } from '../support/until.ts';

const day = 86_400_000;
const now = Date.now();
let site: Site;
let postgres: PostgresServer;
let database: string;
let controller: Controller;
let api: Api;
const dataDir = (): string => join(site.folder, 'controller');
const start = (): Promise<Controller> => site.startController({ planFile: '', dataDir: dataDir(), env: { DATABASE_URL: database } });

beforeAll(async () => {
  [site, postgres] = await Promise.all([openSite(), postgresServer()]);
  database = await postgres.createDatabase();
  controller = await start();
  api = openApi(() => controller.httpUrl, firstKeyOf(controller));
}, SITE_START_MS);
afterAll(async () => {
  await site.close();
  await postgres.dispose();
});

const ages = [100, 45, 10] as const;
const dateOf = (age: number): string => new Date(now - age * day).toISOString();
const journalOf = (age: number): string => `${dateOf(age).slice(0, 13)}.ndjson`;
const recordsOf = (age: number): string => `${dateOf(age).slice(0, 10)}.ndjson`;
const callOf = (account: string, age: number): Cdr => ({ ...cdr(`${account}-${age}`), account, startedAt: now - age * day });

/** As runs of long ago left them: journals and records on the disk, the records in the database too. */
const layDown = async (accounts: readonly string[]): Promise<void> => {
  for (const folder of ['journals', 'cdrs']) mkdirSync(join(dataDir(), folder), { recursive: true });
  for (const age of ages) {
    writeFileSync(join(dataDir(), 'journals', journalOf(age)), '');
    writeFileSync(join(dataDir(), 'cdrs', recordsOf(age)), '');
  }
  const store = await openDatabase({ url: database, dataDir: site.folder, log: silent });
  await store.cdrs.add(accounts.flatMap((account) => ages.map((age) => callOf(account, age))));
  await store.close();
};
const inDatabase = async (): Promise<readonly string[]> => (await postgres.ask('select call_id from cdrs order by 1', database)).map((row) => String(row['call_id']));
const goneFromDatabase = (callId: string): Promise<unknown> =>
  until(async () => !(await inDatabase()).includes(callId), { describe: `${callId} is removed`, within: 10_000 });
const onDisk = (folder: 'journals' | 'cdrs'): readonly string[] => readdirSync(join(dataDir(), folder));

test('Soon after a start each account has what it wants to keep, and the disk what the longest wants', async () => {
  await api.write('POST', '/accounts', { id: 'short', name: 'Short', retention: { callDays: 30 } });
  await api.write('POST', '/accounts', { id: 'long', name: 'Long', retention: { callDays: 60 } });
  await controller.stop();
  await layDown(['short', 'long']);
  controller = await start();
  await goneFromDatabase('long-100');
  await goneFromDatabase('short-45');
  expect(await inDatabase()).toEqual(['long-10', 'long-45', 'short-10']);
  expect(onDisk('journals').filter((name) => ages.map(journalOf).includes(name)).toSorted()).toEqual([journalOf(45), journalOf(10)]);
  expect(onDisk('cdrs').filter((name) => ages.map(recordsOf).includes(name)).toSorted()).toEqual([recordsOf(45), recordsOf(10)]);
});

test('An account without a limit keeps the files of all, and the others’ records go from the database all the same', async () => {
  await api.write('POST', '/accounts', { id: 'unlimited', name: 'Unlimited' });
  await controller.stop();
  await layDown(['short', 'long', 'unlimited']);
  controller = await start();
  await goneFromDatabase('short-45');
  await goneFromDatabase('long-100');
  expect(await inDatabase()).toEqual(['long-10', 'long-45', 'short-10', 'unlimited-10', 'unlimited-100', 'unlimited-45']);
  expect(onDisk('journals')).toEqual(expect.arrayContaining(ages.map(journalOf)));
  expect(onDisk('cdrs')).toEqual(expect.arrayContaining(ages.map(recordsOf)));
});

test('While all that is known is the copy of the configuration nothing is removed: it may lack that somebody keeps more', async () => {
  await api.write('PATCH', '/accounts/unlimited', { retention: { callDays: 90 } });
  await controller.stop();
  await postgres.stop();
  controller = await start();
  expect(onDisk('journals')).toEqual(expect.arrayContaining(ages.map(journalOf)));
  await postgres.start();
  await until(() => !onDisk('journals').includes(journalOf(100)) && !onDisk('cdrs').includes(recordsOf(100)), { describe: 'what is due goes when the database is back', within: 15_000 });
  await goneFromDatabase('unlimited-100');
});
