/**
 * The call that Frontdesk makes to itself, on a real switch: served by the one that leads, timed, and seen by nobody else;
 * when it is not served people are told, once, and when it is again.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { firstKeyOf, openApi } from '../support/api.ts';
import { ofAsteriskAlone } from '../support/asterisk-alone.ts';
import { rings } from '../support/behaviour.ts';
import { writePlan } from '../support/clinic-plan.ts';
import { cdrsIn, noticesIn } from '../support/controller-data.ts';
import type { Controller } from '../support/controller.ts';
import { openSite, SITE_START_MS, type Site } from '../support/site.ts';
import { until } from '../support/until.ts';

const NUMBER = '+12025550190';
const FAILSAFE = '+13035550911';
const names = ['elder', 'younger'] as const;
type Name = (typeof names)[number];
let site: Site;
let controllers: Record<Name, Controller>;

const dataDir = (name: Name): string => join(site.folder, name);
const start = (name: Name, planFile: string): Promise<Controller> => {
  mkdirSync(dataDir(name), { recursive: true });
  return site.startController({ planFile, instance: name, dataDir: dataDir(name), env: { FRONTDESK_SYNTHETIC_CALL: '1' } });
};
const count = async (controller: Controller, name: string): Promise<number> =>
  Number(new RegExp(`^frontdesk_${name} (\\S+)$`, 'm').exec(await (await fetch(`${controller.httpUrl}/metrics`)).text())?.[1]);
const reasons = async (controller: Controller): Promise<readonly string[]> => ((await (await fetch(`${controller.httpUrl}/readyz`)).json()) as { readonly reasons: readonly string[] }).reasons;
const told = (kind: string): readonly string[] => names.flatMap((name) => noticesIn(dataDir(name)).filter((notice) => notice.kind === kind).map(({ sentence }) => sentence));

beforeAll(async () => {
  site = await openSite();
  const planFile = writePlan(site, { file: 'plan.yaml', trunks: ['carrier'], numbers: [{ e164: NUMBER, rings: ['101'], failsafe: FAILSAFE }] });
  const elder = await start('elder', planFile);
  controllers = { elder, younger: await start('younger', planFile) };
}, SITE_START_MS);
afterEach(() => site.afterTest(), 30_000);
afterAll(() => site.close());

test('is served again and again by the one that leads, and timed', async () => {
  await until(async () => (await count(controllers.elder, 'synthetic_call_setup_seconds_count')) >= 3, { describe: 'three have been served', within: 20_000, everyMs: 100 });
  expect(await count(controllers.elder, 'synthetic_call_failures_total')).toBe(0);
  expect((await count(controllers.elder, 'synthetic_call_setup_seconds_sum')) / (await count(controllers.elder, 'synthetic_call_setup_seconds_count'))).toBeLessThan(1);
  expect([await count(controllers.younger, 'synthetic_calls_total'), await count(controllers.younger, 'calls_offered_total')]).toEqual([0, 0]);
});

test('is among nobody’s calls, and in no file', async () => {
  const api = openApi(() => controllers.elder.httpUrl, firstKeyOf(controllers.elder));
  const before = await count(controllers.elder, 'calls_ended_total');
  await until(async () => (await count(controllers.elder, 'calls_ended_total')) > before, { describe: 'another has ended', within: 10_000, everyMs: 100 });
  expect(await api.get('/accounts/clinic/calls')).toMatchObject({ items: [] });
  expect(names.flatMap((name) => cdrsIn(dataDir(name)))).toEqual([]);
});

test('that nobody claims rings no failsafe, and is no note', async () => {
  const carrier = await site.carrier(rings());
  const id = 'fdsynthetic-00.nobody';
  await site.switch.placeSyntheticCall(id);
  await until(async () => (await site.switch.channels()).every((channel) => !JSON.stringify(channel).includes(id)), { describe: 'it is over', within: 8_000 });
  const calls = await count(controllers.elder, 'synthetic_calls_total');
  // the notes of the switch have been looked at since
  await until(async () => (await count(controllers.elder, 'synthetic_calls_total')) > calls + 6, { describe: 'time has passed', within: 20_000, everyMs: 200 });
  expect([carrier.calls.length, told('failsafe')]).toEqual([0, []]);
}, 60_000);

test('that is not served twice in a row is told once, and in readiness; and so is that it goes well again', async () => {
  const mend = await site.switch.spoilSyntheticCalls();
  await until(() => told('trouble').length > 0, { describe: 'people are told', within: 60_000, everyMs: 100 });
  expect(told('trouble')).toEqual([expect.stringMatching(/^Calls may not be taken: 2 calls in a row/)]);
  expect((await reasons(controllers.elder)).find((reason) => reason.startsWith('Calls that Frontdesk makes to itself are not served'))).toBeDefined();
  await mend();
  await until(() => told('well').length > 0, { describe: 'it is told that all is well', within: 60_000, everyMs: 100 });
  expect((await reasons(controllers.elder)).filter((reason) => reason.startsWith('Calls that'))).toEqual([]);
  expect([told('trouble').length, told('well').length]).toEqual([1, 1]);
}, 150_000);

test.skipIf(ofAsteriskAlone('dialplans of before'))('of a switch whose dialplan is of before is not made, and that is no alarm', async () => {
  await site.asterisk.cli('dialplan set global FD_DIALPLAN 1');
  const older = 'The dialplan of the switch is older than Frontdesk';
  await until(async () => (await reasons(controllers.elder)).some((reason) => reason.startsWith(older)), { describe: 'it says so', within: 10_000, everyMs: 100 });
  const failures = await count(controllers.elder, 'synthetic_call_failures_total');
  await site.asterisk.cli('dialplan set global FD_DIALPLAN 2');
  await until(async () => !(await reasons(controllers.elder)).some((reason) => reason.startsWith(older)), { describe: 'calls are made again', within: 10_000, everyMs: 100 });
  expect([told('trouble').length, await count(controllers.elder, 'synthetic_call_failures_total')]).toEqual([1, failures]);
}, 60_000);
