/** Agents on a real switch: codes that they dial on a desk phone, a desk that is shared, and phones that log in who has them. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Cdr } from '../../control-plane/core/cdr/cdr.ts';
import { firstKeyOf, openApi, type Api } from '../support/api.ts';
import { answersAfter, rings } from '../support/behaviour.ts';
import { openClinic, type Clinic } from '../support/clinic.ts';
import { cdrsIn, noticesIn } from '../support/controller-data.ts';
import { openSite, SITE_START_MS, type Site } from '../support/site.ts';
import { isSilent } from '../support/tone.ts';
import { until } from '../support/until.ts';

const FRONT = '+12025550210';
const [DESK, OWN] = ['101', '102'] as const;
const PIN = '481516';
let site: Site;
let clinic: Clinic;
let api: Api;

const open = (): Promise<Clinic> => openClinic(site, {
  account: { agentCodes: { logIn: '*41', logOut: '*42', break: '*43', available: '*44' } },
  users: [{ id: 'ann', devices: [{ extension: DESK }] }, { id: 'bob', pin: PIN, devices: [{ extension: OWN }] }],
  queues: [{ id: 'front', name: 'Front', strategy: 'ring-all', agents: [{ user: 'ann' }, { user: 'bob' }], wrapUpSeconds: 0, joinNeeds: 'nobody', stayNeeds: 'nobody' }],
  numbers: [{ e164: FRONT, route: { to: 'queue', id: 'front' }, users: [], callConnect: 'off', voicemail: 'off' }],
});

beforeAll(async () => {
  site = await openSite();
  clinic = await open();
  api = openApi(() => clinic.controller.httpUrl, firstKeyOf(clinic.controller));
}, SITE_START_MS);
afterEach(async () => {
  await site.afterTest();
  await clinic.expectNothingLeft();
});
afterAll(() => site.close());

interface Seen { readonly status: string; readonly devices: readonly string[] }
const agent = (id: string): Promise<Seen> => api.get(`/accounts/test-clinic/agents/${id}`);
const codesDialled = (): readonly Cdr[] => cdrsIn(clinic.dataDir).filter(({ origin }) => origin === 'phone');
/** Until something was heard; the record of the call. */
const dial = async (phone: string, code: string): Promise<Cdr> => {
  const before = codesDialled().length;
  const caller = await site.callFromPhone(phone, { to: code });
  await until(() => !isSilent(caller.call.audio()?.heard(200) ?? new Int16Array(0)), { describe: `${phone} hears what became of ${code}`, within: 5_000 });
  await caller.call.hangUp();
  return until(() => codesDialled()[before], { describe: `there is a record of ${code}` });
};
/** Who took a call to the queue. */
const takenBy = async (): Promise<string | null | undefined> => {
  const caller = await clinic.call(FRONT);
  await until(async () => (await clinic.stateOf(caller)).phase === 'connected' || undefined, { describe: 'an agent has the caller' });
  await caller.call.hangUp();
  return (await clinic.cdrOf(caller)).queues[0]?.agent;
};

test('a code on the phone logs its user in, takes a break and ends it, and logs out: each is heard, and offers ring accordingly', async () => {
  await site.phone(DESK, answersAfter(50));
  expect((await dial(DESK, '*43'))).toMatchObject({ agentCode: null, number: { label: 'agent, break' } });
  expect(await dial(DESK, '*41')).toMatchObject({ number: { e164: '*41', label: 'agent, log in' }, agentCode: { agent: 'ann', action: 'logIn', ok: true } });
  expect(await agent('ann')).toMatchObject({ status: 'available', devices: [DESK] });
  expect(await takenBy()).toBe('ann');
  await dial(DESK, '*43');
  expect(await agent('ann')).toMatchObject({ status: 'break', devices: [DESK] });
  await dial(DESK, '*44');
  expect(await agent('ann')).toMatchObject({ status: 'available' });
  await dial(DESK, '*42');
  expect(await agent('ann')).toMatchObject({ devices: [] });
  expect((await api.get<{ items: readonly object[] }>('/audit-log?subject=test-clinic/agent/ann')).items[0]).toMatchObject({ actor: `phone ${DESK}`, action: 'agent.log-out' });
});

test('with a PIN another logs in on the phone, and whoever had it is logged out of it; the PIN is in no record', async () => {
  await site.phone(DESK, answersAfter(50));
  await dial(DESK, '*41');
  expect(await dial(DESK, '*41*9999')).toMatchObject({ agentCode: null, dialled: '*41*' });
  const record = await dial(DESK, `*41*${PIN}`);
  expect(record).toMatchObject({ dialled: '*41*', agentCode: { agent: 'bob', action: 'logIn', ok: true } });
  expect(JSON.stringify([record, clinic.journals().get(record.callId), clinic.controller.output()])).not.toContain(PIN);
  expect([await agent('ann'), await agent('bob')]).toMatchObject([{ devices: [] }, { devices: [DESK] }]);
  expect(await takenBy()).toBe('bob');
  // Of who is there, and not of whose phone it is.
  expect(await dial(DESK, '*42')).toMatchObject({ agentCode: { agent: 'bob', action: 'logOut', ok: true } });
  expect(await agent('bob')).toMatchObject({ devices: [] });
});

test('after five wrong PINs a right one is refused on that phone, also by a controller that starts after a kill, and a code without a PIN is not', async () => {
  const guesses = await Promise.all([1111, 2222, 3333, 4444, 5555].map((pin) => site.callFromPhone(DESK, { to: `*41*${pin}` })));
  for (const { call } of guesses) await call.ended();
  await until(() => noticesIn(clinic.dataDir).some(({ kind }) => kind === 'pins'), { describe: 'it is noticed' });
  expect(await dial(DESK, `*41*${PIN}`)).toMatchObject({ agentCode: null, dialled: '*41*' });
  await clinic.controller.kill();
  clinic = await open();
  expect(await dial(DESK, `*41*${PIN}`)).toMatchObject({ agentCode: null });
  expect(await dial(DESK, '*41')).toMatchObject({ agentCode: { agent: 'ann', ok: true } });
  expect(await dial(OWN, `*41*${PIN}`)).toMatchObject({ agentCode: { agent: 'bob', ok: true } });
  for (const agentId of ['ann', 'bob']) await api.ask('DELETE', `/accounts/test-clinic/agents/${agentId}/devices`);
});

test('where agents log in by registration, a phone that registers logs its user in, and out once it has gone; a break stays one', async () => {
  await api.write('PATCH', '/accounts/test-clinic', { agentLogin: 'registration', alerts: { graceSeconds: 1 } });
  await api.write('PUT', '/accounts/test-clinic/agents/ann/status', { status: 'break' });
  await Promise.all([site.phone(DESK, rings()), site.phone(OWN, answersAfter(50))]);
  await until(async () => (await agent('ann')).devices.length > 0 && (await agent('bob')).devices.length > 0, { describe: 'both are logged in', within: 10_000 });
  expect([await agent('ann'), await agent('bob')]).toMatchObject([{ status: 'break', devices: [DESK] }, { status: 'available', devices: [OWN] }]);
  expect(await takenBy()).toBe('bob');
  // Takes their registrations back.
  await site.afterTest();
  await until(async () => (await agent('ann')).devices.length + (await agent('bob')).devices.length === 0, { describe: 'both are logged out', within: 10_000 });
  expect(await agent('ann')).toMatchObject({ status: 'break' });
});
