/** A test call that an admin asks for: a real call to the number, by the switch, which phones ring for and a person answers. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { ReadinessPoint } from '../../control-plane/configuration/readiness.ts';
import type { TestCall } from '../../control-plane/http/ports.ts';
import { firstKeyOf, openApi, type Api } from '../support/api.ts';
import { rings } from '../support/behaviour.ts';
import { openSite, SITE_START_MS, type Site } from '../support/site.ts';
import { until } from '../support/until.ts';

const NUMBER = '+12025550180';
const PATIENT = '+13035550188';
const path = '/accounts/clinic/numbers/main';
let site: Site;
let api: Api;

beforeAll(async () => {
  site = await openSite();
  const controller = await site.startController({ planFile: '' });
  api = openApi(() => controller.httpUrl, firstKeyOf(controller));
  await api.write('POST', '/accounts', { id: 'clinic', name: 'The Clinic', precedence: 'owner-first' });
  await api.write('POST', '/accounts/clinic/trunks', { id: 'lab', ...site.trunkAddress('carrier'), register: false });
  for (const [user, extension] of [['ann', '401'], ['bob', '402']]) {
    await api.write('POST', '/accounts/clinic/users', { id: user, name: user });
    await api.write('POST', '/accounts/clinic/devices', { id: extension, user, extension });
  }
  await api.write('POST', '/accounts/clinic/contacts', { number: PATIENT, name: 'A patient', owner: 'bob' });
  await api.write('POST', '/accounts/clinic/numbers', { id: 'main', e164: NUMBER, name: 'Main', users: ['ann'], callConnect: 'off', timeoutSeconds: 6, failsafe: '+13035550911' });
}, SITE_START_MS);
afterEach(() => site.afterTest());
afterAll(() => site.close());

const phone = async (extension: string) => site.phone(extension, rings({ sound: 620 }), await api.get<{ password: string }>(`/accounts/clinic/devices/${extension}/credentials`));
const ask = async (caller?: string): Promise<TestCall> => (await api.write('POST', `${path}/test-call`, caller === undefined ? {} : { caller })).json as TestCall;
const last = (describe: string, is: (call: TestCall) => boolean, within = 15_000): Promise<TestCall> => until(async () => {
  const call = await api.get<TestCall>(`${path}/test-call`);
  return is(call) ? call : undefined;
}, { describe, within, everyMs: 100 });
const states = async (): Promise<Readonly<Record<string, string>>> =>
  Object.fromEntries((await api.get<{ readonly items: readonly ReadinessPoint[] }>(`${path}/readiness`)).items.map(({ item, state }) => [item, state]));

test('rings the phone as a patient’s call does, says what it is, and is the last point of the checklist', async () => {
  expect(await states()).toEqual({
    name: 'done', route: 'done', agents: 'done', timeout: 'done', greeting: 'missing', failsafe: 'done', emergency: 'missing', trunk: 'warning', phones: 'missing', recording: 'done', voice: 'done', 'test-call': 'missing',
  });
  const desk = await phone('401');
  const asked = await ask();
  expect(asked).toMatchObject({ caller: NUMBER, endedAt: null, answered: null });
  const call = await desk.nextCall();
  expect(call.callerId()).toMatchObject({ number: NUMBER, name: 'Frontdesk test' });
  expect(await api.ask('POST', `${path}/test-call`, {})).toMatchObject({ status: 409, json: { detail: `A test call to ${NUMBER} is under way: wait for its end.` } });
  await call.answer();
  await until(() => call.state() === 'connected' && !call.hearsNothing(), { describe: 'it says what it is', within: 8_000 });
  const counted = await last('audio has been counted', ({ audio }) => audio !== null);
  expect(counted).toMatchObject({ callId: asked.callId, answered: true, endedAt: null, rang: [{ user: 'ann', extension: '401', talked: true }] });
  expect(Math.min(counted.audio?.received ?? 0, counted.audio?.sent ?? 0)).toBeGreaterThan(20);
  await call.hangUp();
  const over = await last('it is over', ({ endedAt }) => endedAt !== null);
  expect(over.sentence).toMatch(/^ann, phone 401 answered after [\d.]+ s and was connected for [\d.]+ s\. Audio came from the phone\.$/);
  expect(over.talkedMs).toBeGreaterThan(1_000);
  // the phone of the other, who may be rung for his patients, is not there yet
  expect(await states()).toMatchObject({ phones: 'warning', 'test-call': 'done' });
  const { items } = await until(async () => {
    const page = await api.get<{ readonly items: readonly { readonly callId: string; readonly origin: string; readonly disposition: string }[] }>('/accounts/clinic/calls');
    return page.items.length > 0 && page;
  }, { describe: 'it is on record like any call', within: 10_000 });
  expect(items).toMatchObject([{ callId: asked.callId, origin: 'trunk', disposition: 'answered' }]);
});

test('goes the way of the caller that is named; taken by nobody it ends before voicemail, and leaves no message', async () => {
  const [ann, bob] = [await phone('401'), await phone('402')];
  await ask(PATIENT);
  const both = await Promise.all([ann.nextCall(), bob.nextCall()]);
  expect(both.map((call) => call.callerId().number)).toEqual([PATIENT, PATIENT]);
  await both[0].reject('declined');
  const over = await last('it is over', ({ endedAt, caller }) => endedAt !== null && caller === PATIENT, 20_000);
  expect(over).toMatchObject({ answered: false, talkedMs: null, audio: null });
  expect(over.sentence).toMatch(/^Nobody took it: /);
  expect(over.rang.map(({ user, disposition }) => `${user} ${disposition}`).sort()).toEqual(['ann declined', 'bob no-answer']);
  expect(await api.get('/accounts/clinic/voicemails')).toMatchObject({ items: [] });
  expect(await states()).toMatchObject({ phones: 'done', 'test-call': 'missing' });
  const audit = await api.get<{ readonly items: readonly { readonly outcome: string }[] }>('/audit-log?action=number.test-call');
  expect(audit.items.map(({ outcome }) => outcome)).toEqual(['ok', 'refused', 'ok']);
});
