/** Routers, hours and the night switch on a real switch: each call goes where its caller, the time, or a code on a phone leads it, and its record says why. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Cdr } from '../../control-plane/core/cdr/cdr.ts';
import type { Plan } from '../../control-plane/core/routing/plan.ts';
import { firstKeyOf, openApi, type Api } from '../support/api.ts';
import { answersAfter } from '../support/behaviour.ts';
import { cdrsIn } from '../support/controller-data.ts';
import { keptRecording } from '../support/kept-recording.ts';
import { openSite, passwordOf, SITE_START_MS, type Site } from '../support/site.ts';
import { isSilent } from '../support/tone.ts';
import { stays, until } from '../support/until.ts';

const [NEARBY, WITHHELD, LETTERS, KNOWN, OTHERS, DRAWN, CLOSED] = ['40', '41', '42', '43', '44', '45', '46'].map((last) => `+120255501${last}`) as [string, string, string, string, string, string, string];
const [ANN, BOB] = [700, 900];
const PATIENT = '+13035550177';
const [ann, bob] = [{ to: 'user', id: 'ann' }, { to: 'user', id: 'bob' }];
let site: Site;
let api: Api;
const dataDir = (): string => join(site.folder, 'controller');

const plan = (): object => ({
  account: { id: 'clinic', name: 'The Clinic', timezone: 'UTC', night: { codes: { open: '*20', closed: '*28' }, users: ['ann'], closed: bob } },
  trunks: [{ id: 'carrier', ...site.trunkAddress('carrier') }],
  users: [['ann', '401'], ['bob', '402']].map(([id = '', extension = '']) => ({ id, name: id, devices: [{ extension, label: 'desk', password: passwordOf(extension) }] })),
  schedules: [{ id: 'never', name: 'Never', week: [] }],
  routers: [
    { id: 'geo', name: 'By place', geo: [{ areaCodes: ['303'], target: ann }], default: bob },
    { id: 'rules', name: 'By contact', rules: [{ name: 'regulars', when: { all: [{ field: 'contact.tags', has: 'regular' }, { not: { field: 'schedule.never', is: 'open' } }] }, target: ann }], default: bob },
    { id: 'weighted', name: 'By weight', weighted: [{ weight: '1000', until: '2020-01-01T00:00:00Z', target: ann }, { weight: '1', target: bob }], default: { to: 'hang-up' } },
  ],
  numbers: [
    ...[NEARBY, WITHHELD, LETTERS].map((e164) => ({ e164, route: { to: 'router', id: 'geo' } })), ...[KNOWN, OTHERS].map((e164) => ({ e164, route: { to: 'router', id: 'rules' } })),
    { e164: DRAWN, route: { to: 'router', id: 'weighted' } }, { e164: CLOSED, users: ['ann'], hours: { schedule: 'never' }, voicemail: { greeting: { sound: 'beep' } } },
  ].map((number) => ({ name: 'Line', callConnect: 'off', ...number })),
});

beforeAll(async () => {
  site = await openSite();
  const planFile = join(site.folder, 'plan.yaml');
  writeFileSync(planFile, JSON.stringify(plan()));
  const controller = await site.startController({ planFile, dataDir: dataDir() });
  api = openApi(() => controller.httpUrl, firstKeyOf(controller));
  await api.write('POST', '/accounts/clinic/contacts', { number: PATIENT, name: 'A patient', tags: ['regular'] });
}, SITE_START_MS);
afterEach(() => site.afterTest());
afterAll(() => site.close());

const phones = (): Promise<unknown> => Promise.all([site.phone('401', answersAfter(20, { sound: ANN })), site.phone('402', answersAfter(20, { sound: BOB }))]);
const recordOf = (from: string, to: string): Promise<Cdr> => until(() => cdrsIn(dataDir()).findLast(({ caller, dialled }) => caller.number === from && dialled === to), { describe: `the record of the call from ${from} to ${to} is written`, within: 5_000 });
const whyOf = async ({ callId }: Cdr): Promise<readonly string[]> => {
  const { json } = await until(async () => {
    const answer = await api.ask('GET', `/accounts/clinic/calls/${callId}/journal`);
    return answer.status === 200 ? answer : undefined;
  }, { describe: `the call ${callId} is in the database` });
  const [opened] = (json as { items: readonly { plan?: Plan }[] }).items;
  return opened?.plan?.reasons.filter(({ taken }) => taken).map(({ why }) => why) ?? [];
};
/** Who takes the call, and why. */
const reach = async (from: string, to: string, hz: number): Promise<string> => {
  const caller = await site.call({ from, to });
  await until(() => caller.call.hears(hz), { describe: `the call from ${from} to ${to} is connected`, within: 8_000 });
  await caller.call.hangUp();
  const cdr = await recordOf(from, to);
  expect(cdr).toMatchObject({ disposition: 'answered', legs: [{ disposition: 'answered' }] });
  return `${cdr.legs[0]?.user ?? 'nobody'}: ${(await whyOf(cdr)).join('; ')}`;
};
const leaveMessage = async (from: string): Promise<Cdr> => {
  const caller = await site.call({ from, to: CLOSED, sound: 350 });
  await caller.call.connected();
  await stays(() => caller.call.state() === 'connected', { describe: 'the caller talks', forMs: 1_500 });
  await caller.call.hangUp();
  return recordOf(from, CLOSED);
};

test('calls go by place, by rules, by weight and by hours; who shows no number, or letters, goes the default way', async () => {
  await phones();
  const [message, ...reached] = await Promise.all([
    leaveMessage('+13035550101'),
    reach('+13035550102', NEARBY, ANN), reach('anonymous', WITHHELD, BOB), reach('front-desk', LETTERS, BOB),
    reach(PATIENT, KNOWN, ANN), reach('+13035550103', OTHERS, BOB), reach('+13035550104', DRAWN, BOB),
  ]);
  expect(reached).toEqual([
    expect.stringMatching(/^ann: .*303/), expect.stringMatching(/^bob: .*default/), expect.stringMatching(/^bob: .*default/),
    expect.stringMatching(/^ann: .*regulars/), expect.stringMatching(/^bob: .*default/), expect.stringMatching(/^bob: .*share 2 was drawn, 1 of 1/),
  ]);
  expect(message).toMatchObject({ disposition: 'no-answer', legs: [], voicemail: { durationMs: expect.any(Number) } });
  expect(await whyOf(message)).toContainEqual(expect.stringMatching(/^closed/));
  expect((await keptRecording(dataDir(), message.voicemail?.recordingId ?? 'none')).length).toBeGreaterThan(8_000);
}, 60_000);

const dial = async (extension: string, code: string, listens: 'to the end' | 'a moment'): Promise<Cdr> => {
  const caller = await site.callFromPhone(extension, { to: code });
  await until(() => !isSilent(caller.call.audio()?.heard(200) ?? new Int16Array(0)), { describe: `${extension} is told what became of ${code}`, within: 5_000 });
  if (listens === 'a moment') await caller.call.hangUp();
  await caller.call.ended(8_000);
  return recordOf(extension, code);
};
const mode = async (): Promise<unknown> => (await api.ask('GET', '/accounts/clinic/night-switches/night')).json;

test('a code on a phone sets the night switch and says so; the next call goes where that leads, until another code takes it back', async () => {
  await phones();
  expect(await dial('401', '*28', 'to the end')).toMatchObject({ account: 'clinic', origin: 'phone', nightSwitch: { setting: 'closed', ok: true }, announcementAt: expect.any(Number), endedBy: 'frontdesk' });
  expect(await mode()).toMatchObject({ mode: 'closed', note: 'dialled by ann on desk, extension 401' });
  expect(await reach('+13035550105', NEARBY, BOB)).toMatch(/^bob: .*the night switch was set to closed: dialled by ann on desk, extension 401/);
  const [, refused] = await Promise.all([dial('401', '*20', 'a moment'), dial('402', '*28', 'a moment')]);
  expect(refused).toMatchObject({ nightSwitch: null, number: { label: 'night switch, closed' } });
  expect(await mode()).toMatchObject({ mode: 'open', version: 2 });
  expect(await reach('+13035550106', NEARBY, ANN)).toMatch(/^ann: /);
  const { items } = await api.get<{ items: readonly object[] }>('/audit-log?subject=clinic/night-switch/night');
  expect(items).toMatchObject([{ actor: 'phone 401', action: 'night-switch.update', details: { dialled: '*20' } }, { actor: 'phone 401', action: 'night-switch.create', details: { dialled: '*28' } }]);
}, 60_000);
