/** Somebody on the phone blocks the caller: the call goes on, and the caller's next one is refused. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { firstKeyOf, openApi, type Api } from '../support/api.ts';
import { rings } from '../support/behaviour.ts';
import { openSite, SITE_START_MS, type Site } from '../support/site.ts';
import { until } from '../support/until.ts';

const NUMBER = '+12025550180';
const [NUISANCE, PATIENT] = ['+13035550199', '+13035550188'];
let site: Site;
let api: Api;

beforeAll(async () => {
  site = await openSite();
  const controller = await site.startController({ planFile: '' });
  api = openApi(() => controller.httpUrl, firstKeyOf(controller));
  await api.write('POST', '/accounts', { id: 'clinic', name: 'The Clinic' });
  await api.write('POST', '/accounts/clinic/trunks', { id: 'lab', ...site.trunkAddress('carrier'), register: false });
  await api.write('POST', '/accounts/clinic/users', { id: 'ann', name: 'Ann' });
  await api.write('POST', '/accounts/clinic/devices', { id: 'desk', user: 'ann', extension: '401' });
  await api.write('POST', '/accounts/clinic/numbers', { id: 'main', e164: NUMBER, name: 'Main', users: ['ann'], callConnect: 'off' });
}, SITE_START_MS);
afterEach(() => site.afterTest());
afterAll(() => site.close());

const liveCall = (): Promise<string> => until(async () => {
  const { items } = await api.get<{ items: readonly { callId: string; phase: string }[] }>('/live-calls');
  return items.find(({ phase }) => phase === 'connected')?.callId;
}, { describe: 'the call is connected' });

test('A caller who is blocked from the call is refused the next time, and others are not', async () => {
  const { password } = await api.get<{ password: string }>('/accounts/clinic/devices/desk/credentials');
  const phone = await site.phone('401', rings(), { password });
  const nuisance = await site.call({ from: NUISANCE, to: NUMBER });
  const call = await phone.nextCall();
  await call.answer();
  const callId = await liveCall();
  const { json: answer } = await api.write('POST', `/accounts/clinic/calls/${callId}/block-caller`);
  expect(answer).toMatchObject({ number: NUISANCE, added: true, action: 'reject' });
  expect([call.state(), nuisance.call.state()]).toEqual(['connected', 'connected']);
  await nuisance.call.hangUp();

  const again = await site.call({ from: NUISANCE, to: NUMBER });
  await again.call.ended();
  expect(again.call.status()).toBe(site.onFreeSwitch ? 603 : 403);
  expect(phone.calls).toHaveLength(1);
  const refused = await until(async () => {
    const { items } = await api.get<{ items: readonly object[] }>('/accounts/clinic/calls?disposition=declined');
    return items[0];
  }, { describe: 'the record of the refused call has arrived', within: 10_000 });
  expect(refused).toMatchObject({ caller: { number: NUISANCE }, cause: 'declined', legs: [] });

  const patient = await site.call({ from: PATIENT, to: NUMBER });
  await (await phone.nextCall()).answer();
  await patient.call.connected();
  await patient.call.hangUp();
});
