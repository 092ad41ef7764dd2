/**
 * The example of two clinics behind one number, rung: by day through menus three deep and by extension, by night to the
 * answering service, and on the patients' line by the precedence. Hours are moved to where the test is.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { Cdr } from '../../control-plane/core/cdr/cdr.ts';
import { answersAfter } from '../support/behaviour.ts';
import { cdrsIn } from '../support/controller-data.ts';
import { openSite, passwordOf, SITE_START_MS, type Site } from '../support/site.ts';
import { until } from '../support/until.ts';

const [MAIN, PATIENTS] = ['+12065550180', '+12065550181'];
const [NURSE, DOCTOR, OUTSIDE] = [700, 900, 1_100];
const everyDay = [{ days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], from: '00:00', to: '24:00' }];
/** By day and by night, each at a site of its own, for most of both is prompts. */
let sites: readonly [Site, Site];

beforeAll(async () => { sites = await Promise.all([openSite({ trunks: ['lakeside-carrier'] }), openSite({ trunks: ['lakeside-carrier'] })]); }, SITE_START_MS);
afterAll(() => Promise.all(sites.map((site) => site.close())));

interface Example {
  trunks: { host: string; port?: number }[];
  users: { devices: { extension: string; password?: string }[] }[];
  schedules: { week: object[]; breaks?: object; holidays?: object; closures?: object }[];
}

/** The example with this carrier and these phones, its office open at all times or never. Settles with its data directory. */
async function serve(site: Site, open: boolean): Promise<string> {
  const example = parse(readFileSync(join(import.meta.dirname, '../../dialplans/lakeside-clinics.yaml'), 'utf8'), { schema: 'failsafe' }) as Example;
  Object.assign(example.trunks[0] ?? {}, site.trunkAddress('lakeside-carrier'));
  for (const device of example.users.flatMap(({ devices }) => devices)) device.password = passwordOf(device.extension);
  for (const schedule of example.schedules) {
    for (const field of ['breaks', 'holidays', 'closures'] as const) delete schedule[field];
    schedule.week = open ? everyDay : [];
  }
  const planFile = join(site.folder, 'lakeside.yaml');
  writeFileSync(planFile, JSON.stringify(example));
  const dataDir = join(site.folder, 'data');
  await site.startController({ planFile, dataDir });
  return dataDir;
}

const recordOf = (dataDir: string, from: string): Promise<Cdr> => until(() => cdrsIn(dataDir).find(({ caller }) => caller.number === from), { describe: `the record of the call from ${from} is written`, within: 5_000 });

test.concurrent('by day callers reach a nurse through three menus, a doctor by her extension, and the company on the patients’ line', async () => {
  const [site] = sites;
  const dataDir = await serve(site, true);
  await Promise.all([site.phone('301', answersAfter(50, { sound: NURSE })), site.phone('302', answersAfter(50, { sound: NURSE })), site.phone('312', answersAfter(50, { sound: DOCTOR }))]);
  await site.carrier(answersAfter(50, { sound: OUTSIDE, press: { keys: '1', afterMs: 500 } }), 'lakeside-carrier');
  const reach = async (from: string, to: string, keys: string, hz: number): Promise<Cdr> => {
    const caller = await site.call({ from, to });
    if (keys !== '') {
      await caller.call.connected();
      await caller.call.press(keys);
    }
    await until(() => caller.call.hears(hz), { describe: `${from} is connected`, within: 15_000 });
    await caller.call.hangUp();
    return recordOf(dataDir, from);
  };
  const [nurse, doctor, company] = await Promise.all([reach('+13035550101', MAIN, '121', NURSE), reach('+13035550102', MAIN, '312', DOCTOR), reach('+13035550103', PATIENTS, '', OUTSIDE)]);
  expect(nurse).toMatchObject({ disposition: 'answered', tags: ['main-line'], menus: [{ step: 'menu.main', keys: '1' }, { step: 'menu.appointments', keys: '2' }, { step: 'menu.changes', keys: '1', to: 'ring-group.nurses' }] });
  expect(nurse.legs).toHaveLength(1);
  expect(doctor).toMatchObject({ disposition: 'answered', menus: [{ keys: '312', outcome: 'extension' }], legs: [{ user: 'dr-lind', disposition: 'answered' }] });
  expect(company).toMatchObject({ disposition: 'answered', tags: [], legs: [{ label: 'company', target: { number: '+12065550199' }, disposition: 'answered' }] });
  await site.afterTest();
}, 90_000);

test.concurrent('by night the answering service has the call, tagged as after hours', async () => {
  const [, site] = sites;
  const dataDir = await serve(site, false);
  const service = await site.carrier(answersAfter(50, { sound: OUTSIDE }), 'lakeside-carrier');
  const caller = await site.call({ from: '+13035550104', to: MAIN, sound: 350 });
  const call = await service.nextCall(10_000);
  expect(call.header('To')).toContain('+12065550190');
  await until(() => caller.call.hears(OUTSIDE) && call.hears(350), { describe: 'caller and service hear each other, once it is dialled through', within: 15_000 });
  await caller.call.hangUp();
  expect(await recordOf(dataDir, '+13035550104')).toMatchObject({ disposition: 'answered', menus: [], tags: ['main-line', 'after-hours'], legs: [{ label: 'Answering service', disposition: 'answered' }] });
  await site.afterTest();
}, 90_000);
