/**
 * Two controllers on one switch and one database: what only one may do is done by one. People are told once, of an
 * emergency call and of a phone that is gone, also where the one that told is killed before it is back; a message is
 * fetched by who had its call. And what is changed with one is so with the other at once.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Cdr } from '../../control-plane/core/cdr/cdr.ts';
import { firstKeyOf, openApi, type Api } from '../support/api.ts';
import { answersAfter, rings } from '../support/behaviour.ts';
import { cdrsIn, noticesIn } from '../support/controller-data.ts';
import type { Controller } from '../support/controller.ts';
import { postgresServer, type PostgresServer } from '../support/postgres-server.ts';
import { openSite, SITE_START_MS, type Site } from '../support/site.ts';
import { stays, until } from '../support/until.ts';

const NUMBER = '+12025550120';
const names = ['elder', 'younger'] as const;
type Name = (typeof names)[number];
let site: Site;
let postgres: PostgresServer;
let databaseUrl: string;
let controllers: Record<Name, Controller>;
/** Of the younger. */
let api: Api;
let elderApi: Api;
let password: string;

const dataDir = (name: string): string => join(site.folder, name);
const start = (name: string, env: Readonly<Record<string, string>>): Promise<Controller> => {
  mkdirSync(dataDir(name), { recursive: true });
  return site.startController({ planFile: '', instance: name, dataDir: dataDir(name), env });
};
const startName = (name: Name): Promise<Controller> => start(name, { DATABASE_URL: databaseUrl });
/** Of both, the oldest first: who told, and what. */
const told = (kind: string): readonly string[] =>
  names.flatMap((name) => noticesIn(dataDir(name)).filter((notice) => notice.kind === kind).map((notice) => ({ ...notice, name }))).toSorted((a, b) => (a.at < b.at ? -1 : 1)).map(({ name, sentence }) => `${name}: ${sentence}`);
const isTold = (kind: string, count: number): Promise<unknown> => until(() => told(kind).length >= count, { describe: `${count} are told ${kind}; told are ${told(kind).join(' | ')}`, within: 30_000, everyMs: 50 });
/** Who has the record of a call with a message. */
const owners = (): readonly Name[] => names.flatMap((name) => cdrsIn(dataDir(name)).filter(({ voicemail }) => voicemail !== null).map(() => name));

const moved = ({ tags }: Cdr): boolean => tags.includes('moved');

beforeAll(async () => {
  [site, postgres] = await Promise.all([openSite(), postgresServer()]);
  databaseUrl = await postgres.createDatabase();
  const elder = await startName('elder');
  api = openApi(() => controllers.younger.httpUrl, firstKeyOf(elder));
  elderApi = openApi(() => controllers.elder.httpUrl, firstKeyOf(elder));
  controllers = { elder, younger: await startName('younger') };
  await api.write('POST', '/accounts', { id: 'clinic', name: 'The Clinic', alerts: { notify: ['desk@clinic.example'], graceSeconds: 1 } });
  await api.write('POST', '/accounts/clinic/trunks', { id: 'lab', ...site.trunkAddress('carrier'), register: false });
  await api.write('PATCH', '/accounts/clinic', { emergency: { location: 'Suite 4', address: '12 Main St', callerId: NUMBER, trunks: ['lab'], notify: ['desk@clinic.example'] } });
  await api.write('POST', '/accounts/clinic/users', { id: 'ann', name: 'Ann' });
  await api.write('POST', '/accounts/clinic/devices', { id: 'desk', user: 'ann', extension: '401', label: 'desk' });
  await api.write('POST', '/accounts/clinic/numbers', { id: 'main', e164: NUMBER, name: 'Main', users: [], voicemail: { greeting: { sound: 'beep' } } });
  ({ password } = await api.get<{ readonly password: string }>('/accounts/clinic/devices/desk/credentials'));
  await until(async () => site.switch.knows('401'), { describe: 'the switch knows the phone' });
}, SITE_START_MS);
afterAll(async () => {
  await site.close();
  await postgres.dispose();
});

test('an emergency call is told once while it goes on and once when it is over, by the one that leads', async () => {
  const centre = await site.carrier(answersAfter(50));
  const caller = await site.callFromPhone('401', { to: '911', password });
  const call = await centre.nextCall();
  await isTold('emergency', 1);
  // longer than both take to look
  await stays(() => told('emergency').length === 1, { describe: 'it is told once', forMs: 6_000 });
  await call.hangUp();
  await caller.call.ended();
  await isTold('emergency', 2);
  await centre.stop();
  expect(told('emergency')).toEqual([expect.stringMatching(/^elder: Emergency call: 911 .* under way/), expect.stringMatching(/^elder: Emergency call: 911 .* answered over lab/)]);
}, 60_000);

test('a message is fetched by the one that had its call', async () => {
  const caller = await site.call({ from: '+13035557200', to: NUMBER, sound: 440 });
  await caller.call.connected();
  await stays(() => caller.call.state() === 'connected', { describe: 'the caller speaks', forMs: 2_500 });
  await caller.call.hangUp();
  await isTold('voicemail', 1);
  await until(() => owners().length > 0, { describe: 'the call has its record' });
  expect(owners()).toHaveLength(1);
  expect(told('voicemail')).toEqual([expect.stringContaining(`${owners()[0] ?? 'nobody'}: `)]);
}, 60_000);

test('a route that is changed with one is live with the other at once, and so is the night switch that a phone sets', async () => {
  await api.write('PATCH', '/accounts/clinic', { night: { codes: { closed: '*28' } } });
  await api.write('PATCH', '/accounts/clinic/numbers/main', { route: { to: 'hang-up' }, tags: ['moved'] });
  const changedAt = Date.now();
  const claimed = (): readonly Cdr[] => cdrsIn(dataDir('elder')).filter(({ dialled, startedAt }) => dialled === NUMBER && startedAt >= changedAt);
  let series = 7300;
  await until(async () => {
    await Promise.all([1, 2, 3].map(async () => {
      const caller = await site.call({ from: `+1303555${series++}`, to: NUMBER, hangUpAfterMs: 50 });
      await caller.call.ended();
    }));
    return claimed().some(moved);
  }, { describe: 'the elder has a call that goes the new way', within: 10_000 });
  const times = (calls: readonly Cdr[]): readonly number[] => calls.map(({ startedAt }) => startedAt - changedAt);
  console.log(`calls that the other controller had so many ms after the change: the old way ${times(claimed().filter((cdr) => !moved(cdr))).join(', ') || 'none'}; the new way ${times(claimed().filter(moved)).join(', ')}`);
  expect(times(claimed().filter((cdr) => !moved(cdr))).filter((ms) => ms >= 3_000)).toEqual([]);

  const code = await site.callFromPhone('401', { to: '*28', password });
  await code.call.connected(8_000);
  const saidAt = performance.now();
  await until(async () => (await Promise.all([api, elderApi].map((one) => one.ask('GET', '/accounts/clinic/night-switches/night')))).every(({ json }) => (json as { mode?: string }).mode === 'closed'), { describe: 'both have it', everyMs: 5 });
  expect(performance.now() - saidAt).toBeLessThan(3_000);
  await code.call.ended(8_000);
}, 60_000);

test('a phone that is gone is told once; the one that told is killed, and the other tells that it is back, and no more', async () => {
  await site.switch.takesShortRegistrations('401');
  await site.phone('401', rings(), { password, expires: 3 });
  await isTold('gone', 1);
  expect(told('gone')).toEqual([expect.stringMatching(/^elder: Extension 401/)]);
  await controllers.elder.kill();
  await site.phone('401', rings(), { password, expires: 300 });
  await isTold('back', 1);
  controllers.elder = await startName('elder');
  await site.afterTest();
  await isTold('gone', 2);
  await stays(() => told('gone').length === 2 && told('back').length === 1, { describe: 'nothing is told twice', forMs: 5_000 });
  expect([...told('back'), ...told('gone').slice(1)]).toEqual([expect.stringMatching(/^younger: Extension 401/), expect.stringMatching(/^younger: Extension 401/)]);
}, 90_000);

test('one without the database of the others says that it has a configuration of its own', async () => {
  const apart = await start('apart', {});
  const { reasons } = (await (await fetch(`${apart.httpUrl}/readyz`)).json()) as { readonly reasons: readonly string[] };
  expect(reasons.find((reason) => reason.startsWith('Another controller serves this switch'))).toContain('DATABASE_URL');
  expect(apart.output()).toContain('Another controller serves this switch');
  const other = (await (await fetch(`${controllers.younger.httpUrl}/readyz`)).json()) as { readonly reasons: readonly string[] };
  expect(other.reasons.filter((reason) => reason.includes('Another controller'))).toEqual([]);
}, 60_000);
