/** The configuration against a real database: what is refused, with every problem and the way out, and what is seen by others. */
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createConfiguration, readCopy, type Configuration, type Draft, type WriteResult } from '../../control-plane/configuration/configuration.ts';
import { clinicsOf } from '../../control-plane/configuration/clinics.ts';
import { openDatabase } from '../../control-plane/store/postgres/open-database.ts';
import type { Database } from '../../control-plane/store/ports.ts';
import type { Log } from '../../control-plane/telemetry/log.ts';
import { memoryStores } from '../support/memory-stores.ts';
import { until } from '../support/until.ts';

const quiet = () => undefined;
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet } as unknown as Log;
let folder: string;
let database: Database;
let copies = 0;
const opened: Configuration[] = [];

const open = async (): Promise<{ readonly configuration: Configuration; readonly copyFile: string }> => {
  const copyFile = join(folder, `copy-${(copies += 1)}.json`);
  const configuration = createConfiguration({ store: database.config, snapshot: await database.config.load(), copyFile, log });
  opened.push(configuration);
  return { configuration, copyFile };
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'frontdesk-configuration-'));
  database = await openDatabase({ dataDir: folder, log });
}, 60_000);
afterAll(async () => {
  for (const configuration of opened) await configuration.stop();
  await database.close();
  rmSync(folder, { recursive: true, force: true });
});

const draft = (account: string, kind: Draft['kind'], id: string, body: unknown, version: number | null = null): Draft => ({ account, kind, id, version, body });
let clinics = 0;
/** An account of its own with a trunk, a user, a phone and a number. */
const clinic = async (configuration: Configuration): Promise<{ readonly account: string; readonly e164: string; readonly extension: string }> => {
  const n = (clinics += 1);
  const account = `clinic-${n}`;
  const [e164, extension] = [`+1202555${String(n).padStart(4, '0')}`, String(1000 + n)];
  const written = await configuration.write([
    draft(account, 'account', account, { name: `Clinic ${n}` }),
    draft(account, 'trunk', 'carrier', { host: '192.0.2.1' }),
    draft(account, 'trunk', '70', { host: '192.0.2.2' }),
    draft(account, 'user', 'ann', { name: 'Ann' }),
    draft(account, 'device', 'desk', { user: 'ann', extension }),
    draft(account, 'number', 'main', { e164, name: 'Main', users: ['ann'] }),
  ], 'test');
  expect(written).toMatchObject({ ok: true });
  return { account, e164, extension };
};
const told = (result: WriteResult): readonly string[] => (result.ok ? ['written'] : [result.reason, ...result.problems.map(({ path, message }) => `${path}: ${message}`)]);

describe('A configuration', () => {
  test('is written whole, with defaults and a password for the phone, and means a clinic', async () => {
    const { configuration, copyFile } = await open();
    const { account, e164, extension } = await clinic(configuration);
    const password = configuration.get({ account, kind: 'device', id: 'desk' })?.body.password ?? '';
    expect(password).toMatch(/^[A-Za-z2-9]{20}$/);
    const found = clinicsOf(configuration.current().objects.values(), () => 'sound:beep').find((one) => one.account.id === account);
    expect(found?.account.numbers).toMatchObject([{ e164, ringMs: 60_000, callConnect: 'external', users: ['ann'] }]);
    expect(found?.phones).toEqual([{ extension, sipUser: extension, user: 'ann', label: `phone ${extension}`, password }]);
    await configuration.stop();
    expect(await readCopy(copyFile)).toEqual({ revision: configuration.current().revision, objects: [...configuration.current().objects.values()] });
    expect(statSync(copyFile).mode & 0o777).toBe(0o600);
    expect(readFileSync(copyFile, 'utf8')).toContain(password);
  });

  test('keeps the password of a phone that is changed without one', async () => {
    const { configuration } = await open();
    const { account, extension } = await clinic(configuration);
    const before = configuration.get({ account, kind: 'device', id: 'desk' });
    expect(told(await configuration.write([draft(account, 'device', 'desk', { user: 'ann', extension, label: 'reception' }, 1)], 'test'))).toEqual(['written']);
    const after = configuration.get({ account, kind: 'device', id: 'desk' });
    expect(after).toMatchObject({ version: 2, body: { label: 'reception', password: before?.body.password } });
  });

  test('refuses every field that is wrong at once, and changes nothing', async () => {
    const { configuration } = await open();
    const { account } = await clinic(configuration);
    const before = configuration.current();
    const result = await configuration.write([draft(account, 'number', 'second', { e164: '202 555', name: '', timeoutSeconds: 0, users: ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'], colour: 'red' })], 'test');
    expect(told(result)).toEqual([
      'invalid',
      'e164: is not an E.164 number. Write it with + and country code, without spaces: +12025550123.',
      'name: must not be empty.',
      'users: rings at most 7 users.',
      'timeoutSeconds: must be whole seconds from 1 to 600.',
      'colour: is not a known field. Remove it, or correct its name.',
    ]);
    expect(configuration.current()).toBe(before);
  });

  test.each<[string, (site: { account: string; e164: string; extension: string }) => Draft, string]>([
    ['a user that is not there', ({ account }) => draft(account, 'number', 'x', { e164: '+12025559001', name: 'X', users: ['bob'] }), 'users[0]: there is no user “bob”. Create it first, or correct the id.'],
    ['a forward to a number of this system', ({ account, e164 }) => draft(account, 'number', 'x', { e164: '+12025559001', name: 'X', forward: e164 }), 'is a number of this system: the call would come straight back. Give a number outside of it.'],
    ['a number that is in use', ({ account, e164 }) => draft(account, 'number', 'x', { e164, name: 'X' }), 'is in use already. Choose another.'],
    ['an extension that is in use', ({ account, extension }) => draft(account, 'device', 'x', { user: 'ann', extension }), 'is in use already. Choose another.'],
    ['an extension that is the id of a trunk', ({ account }) => draft(account, 'device', 'x', { user: 'ann', extension: '70' }), 'extension: Extension 70 is in use already. Choose another.'],
    ['an emergency number as an extension', ({ account }) => draft(account, 'device', 'x', { user: 'ann', extension: '911' }), 'extension: 911 is an emergency number. Use another extension.'],
    ['SRTP whose keys travel in the clear', ({ account }) => draft(account, 'trunk', 'x', { host: 'sip.example', srtp: true }), ': srtp needs transport tls. Its keys would travel in the clear: set transport to tls, or srtp to false.'],
    ['a switch that there is not', ({ account }) => draft(account, 'trunk', 'x', { host: 'sip.example', switch: 'yate' }), 'switch: must be one of: asterisk, freeswitch'],
    ['an account that is not there', () => draft('nobody', 'user', 'x', { name: 'X' }), ': belongs to no account. Create the account first.'],
    ['a forward to another country', ({ account }) => draft(account, 'user', 'x', { name: 'X', forward: '+442071838750' }), 'forward: +442071838750 is in GB; calls are allowed to US. Give another number, or add the country to outbound.countries of the account.'],
    ['a premium number as a failsafe', ({ account }) => draft(account, 'number', 'x', { e164: '+12025559001', name: 'X', failsafe: '+19005550123' }), 'failsafe: +19005550123 is a premium number of North America, and premium numbers are not allowed. Give another number, or set outbound.premium of the account to true.'],
    ['a number with a digit too few', ({ account }) => draft(account, 'user', 'x', { name: 'X', forward: '+1202555012' }), 'forward: +1202555012 is not a complete international number. Correct it.'],
    ['audio of two kinds', ({ account }) => draft(account, 'number', 'x', { e164: '+12025559001', name: 'X', announcement: { text: 'Hello', sound: 'beep' } }), 'announcement: must be one of text, audio and sound. Keep one of the three.'],
  ])('refuses %s', async (_, make, problem) => {
    const { configuration } = await open();
    const result = await configuration.write([make(await clinic(configuration))], 'test');
    expect(told(result)[0]).toBe('invalid');
    expect(told(result).join('\n')).toContain(problem);
  });

  test('refuses to delete what is in use, naming each user of it; together they go', async () => {
    const { configuration } = await open();
    const { account } = await clinic(configuration);
    const gone = (kind: Draft['kind'], id: string): Draft => draft(account, kind, id, null, 1);
    expect(told(await configuration.write([gone('user', 'ann')], 'test'))).toEqual(['in-use', 'device/desk user: uses the user “ann”. Change it first.', 'number/main users[0]: uses the user “ann”. Change it first.']);
    expect(told(await configuration.write([gone('user', 'ann'), gone('device', 'desk'), gone('number', 'main')], 'test'))).toEqual(['written']);
  });

  test('refuses to forbid a country that a phone is in, naming the phone; allowed together, it is written', async () => {
    const { configuration } = await open();
    const { account } = await clinic(configuration);
    const abroad = draft(account, 'user', 'kit', { name: 'Kit', forward: '+442071838750' });
    const open44 = draft(account, 'account', account, { name: 'Clinic', outbound: { countries: ['US', 'GB'] } }, 1);
    expect(told(await configuration.write([open44, abroad], 'test'))).toEqual(['written']);
    const shut = await configuration.write([draft(account, 'account', account, { name: 'Clinic' }, 2)], 'test');
    expect(told(shut)[0]).toBe('invalid');
    expect(told(shut)[1]).toContain('user/kit');
  });

  test('tells an account nothing of another', async () => {
    const { configuration } = await open();
    const [one, other] = [await clinic(configuration), await clinic(configuration)];
    const outside = '+12025559777';
    expect(told(await configuration.write([draft(one.account, 'user', 'bob', { name: 'Bob', forward: outside })], 'test'))).toEqual(['written']);
    const result = await configuration.write([draft(other.account, 'number', 'taken', { e164: outside, name: 'Taken' })], 'test');
    expect(told(result)).toEqual(['invalid', ': is in use elsewhere in this system. Choose another.']);
  });

  test('has its own extensions and trunk ids in each account, and says nothing of another’s', async () => {
    const { configuration } = await open();
    const [one, other] = [await clinic(configuration), await clinic(configuration)];
    expect(told(await configuration.write([draft(other.account, 'device', 'same', { user: 'ann', extension: one.extension })], 'test'))).toEqual(['written']);
    expect(configuration.list('trunk').filter(({ id }) => id === 'carrier').length).toBeGreaterThan(1);
    const again = await configuration.write([draft(other.account, 'device', 'again', { user: 'ann', extension: one.extension })], 'test');
    expect(told(again)).toEqual(['invalid', `extension: Extension ${one.extension} is in use already. Choose another.`]);
  });

  test('gives an account no prefix while no other is without, then one of its id, and keeps it', async () => {
    const { configuration } = await open();
    const prefixOf = (id: string): string | undefined => configuration.get({ account: id, kind: 'account', id })?.body.sipPrefix;
    await clinic(configuration);
    const long = 'a-clinic-with-a-long-name';
    const made = [long, `${long}-2`, `${long}-3`].map((id) => draft(id, 'account', id, { name: 'Long' }));
    expect(told(await configuration.write(made, 'test'))).toEqual(['written']);
    expect([prefixOf('clinic-1'), ...made.map(({ id }) => prefixOf(id))]).toEqual(['', 'a-clinic-with-a', 'a-clinic-with--2', 'a-clinic-with--3']);
    expect(told(await configuration.write([draft(long, 'account', long, { name: 'Longer' }, 1)], 'test'))).toEqual(['written']);
    expect(prefixOf(long)).toBe('a-clinic-with-a');
    expect(told(await configuration.write([draft(long, 'account', long, { name: 'Longer', sipPrefix: 'UP' }, 2)], 'test')).join()).toContain('sipPrefix: is not a usable prefix.');
  });

  test('leaves the empty prefix to the account of the same change that asks for it', async () => {
    const { configuration } = await open();
    const without = configuration.list('account').find(({ body }) => body.sipPrefix === '');
    if (without === undefined) throw new Error('an account has the empty prefix');
    const named = draft(without.account, 'account', without.id, { ...without.body, sipPrefix: 'named' }, without.version);
    expect(told(await configuration.write([named, draft('one-1', 'account', 'one-1', { name: 'One' }), draft('one-2', 'account', 'one-2', { name: 'Two', sipPrefix: '' })], 'test'))).toEqual(['written']);
    expect(['one-1', 'one-2'].map((id) => configuration.get({ account: id, kind: 'account', id })?.body.sipPrefix)).toEqual(['one-1', '']);
  });

  test('has each prefix once, and warns whom a change of it leaves without a phone', async () => {
    const { configuration } = await open();
    const [one, other] = [await clinic(configuration), await clinic(configuration)];
    const written = (sipPrefix: string): Draft => draft(one.account, 'account', one.account, { name: 'Renamed', sipPrefix }, 1);
    expect(told(await configuration.write([written(other.account)], 'test'))).toEqual(['invalid', `sipPrefix: The prefix ${other.account} is in use already. Choose another.`]);
    const result = await configuration.write([written('renamed')], 'test');
    expect(result.ok ? result.warnings : told(result)).toEqual([
      `The SIP user names of the phones of ${one.account} have changed, ${one.account}.${one.extension} to renamed.${one.extension}. Enter the new ones in the phones: until then they cannot be reached and cannot call, 911 included.`,
    ]);
  });

  test('of before there were prefixes goes on with the names it has: bare ones, shared', async () => {
    const store = memoryStores().config;
    const at = { version: null } as const;
    const account = (id: string) => ({ account: id, kind: 'account', id, ...at, body: { name: id, timezone: 'America/New_York', country: 'US' } }) as const;
    const user = (of: string) => ({ account: of, kind: 'user', id: 'ann', ...at, body: { name: 'Ann' } }) as const;
    await store.apply({ base: 0, actor: 'test', at: 0, writes: [account('old-1'), account('old-2'), user('old-1'), user('old-2')] });
    const configuration = createConfiguration({ store, snapshot: await store.load(), copyFile: join(folder, 'old.json'), log });
    opened.push(configuration);
    const phone = (of: string, extension: string): Draft => draft(of, 'device', 'desk', { user: 'ann', extension });
    expect(told(await configuration.write([phone('old-1', '101'), phone('old-2', '102')], 'test'))).toEqual(['written']);
    expect(clinicsOf(configuration.current().objects.values(), () => 'sound:beep').flatMap(({ phones }) => phones.map(({ sipUser }) => sipUser))).toEqual(['101', '102']);
    expect(told(await configuration.write([draft('old-1', 'device', 'two', { user: 'ann', extension: '102' })], 'test'))[0]).toBe('invalid');
    expect(told(await configuration.write([draft('new', 'account', 'new', { name: 'New' }), draft('new', 'user', 'ann', { name: 'Ann' }), phone('new', '101')], 'test'))).toEqual(['written']);
    expect(configuration.get({ account: 'new', kind: 'account', id: 'new' })?.body.sipPrefix).toBe('new');
    const own = (sipPrefix: string): Draft => draft('old-2', 'account', 'old-2', { name: 'old-2', sipPrefix }, 1);
    expect(told(await configuration.write([own('')], 'test'))).toEqual(['invalid', 'sipPrefix: The empty prefix is in use already. Choose another.']);
    expect(told(await configuration.write([own('old')], 'test'))).toEqual(['written']);
  });

  test('is another’s within a second, and a version that was overtaken is refused', async () => {
    const [{ configuration: mine }, { configuration: theirs }] = [await open(), await open()];
    const { account } = await clinic(mine);
    await until(() => theirs.get({ account, kind: 'number', id: 'main' }) !== undefined, { describe: 'the other controller has the number', within: 2_000 });
    expect(told(await theirs.write([draft(account, 'user', 'ann', { name: 'Ann B.' }, 1)], 'test'))).toEqual(['written']);
    const late = await mine.write([draft(account, 'user', 'ann', { name: 'Ann C.' }, 1)], 'test');
    expect(told(late)[0]).toBe('stale');
    expect(mine.get({ account, kind: 'user', id: 'ann' })?.body.name).toBe('Ann B.');
  });

  test('is written by many at once without a lost change', async () => {
    const both = [(await open()).configuration, (await open()).configuration] as const;
    const { account } = await clinic(both[0]);
    await until(() => both.every((configuration) => configuration.get({ account, kind: 'account', id: account }) !== undefined), { describe: 'both know the account', within: 2_000 });
    const results = await Promise.all(Array.from({ length: 30 }, (_, i) => both[i % 2 === 0 ? 0 : 1].write([draft(account, 'user', `user-${i}`, { name: `User ${i}` })], 'test')));
    expect(results.every(({ ok }) => ok)).toBe(true);
    await until(() => both.every((configuration) => configuration.list('user', account).length === 31), { describe: 'both have all', within: 2_000 });
  });
});
