/** What is changed over the API is so on the switch, without a restart: phones, passwords, and where a number leads. */
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { firstKeyOf, openApi, type Api } from '../support/api.ts';
import { rings } from '../support/behaviour.ts';
import type { Controller } from '../support/controller.ts';
import type { Party } from '../support/sip-party.ts';
import { openSite, passwordOf, SITE_START_MS, type Site } from '../support/site.ts';
import { until } from '../support/until.ts';

const NUMBER = '+12025550161';
let site: Site;
let controller: Controller;
let api: Api;

beforeAll(async () => {
  site = await openSite();
  controller = await site.startController({ planFile: '', dataDir: join(site.folder, 'controller') });
  api = openApi(() => controller.httpUrl, firstKeyOf(controller));
  await api.write('POST', '/accounts', { id: 'clinic', name: 'The Clinic' });
  await api.write('POST', '/accounts/clinic/trunks', { id: 'lab', ...site.trunkAddress('carrier'), register: false });
  for (const [user, extension] of [['ann', '401'], ['bob', '402']] as const) {
    await api.write('POST', '/accounts/clinic/users', { id: user, name: user });
    await api.write('POST', '/accounts/clinic/devices', { id: `desk-${user}`, user, extension, password: passwordOf(extension) });
  }
  await api.write('POST', '/accounts/clinic/numbers', { id: 'main', e164: NUMBER, name: 'Main', users: ['ann'], callConnect: 'off' });
}, SITE_START_MS);
afterEach(() => site.afterTest());
afterAll(() => site.close());

/** As a phone does: again and again, until it is let in. */
const registers = (extension: string, password = passwordOf(extension)): Promise<Party> =>
  until(() => site.phone(extension, rings(), { password, mayBeShutOut: true }), { describe: `${extension} registers`, within: 10_000 });
const isRefused = (extension: string, password = passwordOf(extension)): Promise<unknown> =>
  until(async () => {
    const refusal = await site.phone(extension, rings(), { password, mayBeShutOut: true }).then(() => undefined, (error: unknown) => String(error));
    return refusal?.includes('could not register') === true ? refusal : undefined;
  }, { describe: `${extension} is not let in`, within: 10_000 });
const stateOf = async (extension: string): Promise<unknown> =>
  (await api.get<{ items: readonly { id: string; state: string }[] }>('/registrations?account=clinic')).items.find(({ id }) => id === extension)?.state;

/** Which of the two the next call rings. */
const nextCallReaches = async (from: string, phones: readonly Party[]): Promise<readonly string[]> => {
  const before = phones.map(({ calls }) => calls.length);
  const caller = await site.call({ from, to: NUMBER, sound: 620 });
  const ringing = (): readonly Party[] => phones.filter(({ calls }, i) => calls.length > (before[i] ?? 0));
  await until(() => ringing().length > 0, { describe: 'a phone rings', within: 8_000 });
  const reached = ringing();
  const call = reached[0]?.calls.at(-1);
  await call?.answer();
  await until(() => call?.hears(620) === true, { describe: 'they are connected' });
  await caller.call.hangUp();
  await call?.ended();
  return phones.filter(({ calls }, i) => calls.length > (before[i] ?? 0)).map(({ name }) => name);
};

describe('A change over the API', () => {
  test('lets a new phone register, and no longer when it is deleted', async () => {
    await isRefused('403');
    await api.write('POST', '/accounts/clinic/devices', { id: 'new', user: 'ann', extension: '403', password: passwordOf('403') });
    await registers('403');
    await until(async () => (await stateOf('403')) === 'registered', { describe: 'the API shows it' });
    await api.write('DELETE', '/accounts/clinic/devices/new');
    await isRefused('403');
    expect(await stateOf('403')).toBeUndefined();
    expect(await site.switch.isRegistered('403')).toBe(false);
  });

  test('of a password shuts the old one out', async () => {
    await api.write('PATCH', '/accounts/clinic/devices/desk-bob', { password: 'another-secret-of-402' });
    await registers('402', 'another-secret-of-402');
    await isRefused('402');
    await api.write('PATCH', '/accounts/clinic/devices/desk-bob', { password: passwordOf('402') });
    await registers('402');
    expect(await stateOf('402')).toBe('registered');
  });

  test('of where a number leads holds for the next call, and one that goes on is left alone', async () => {
    const [ann, bob] = [await registers('401'), await registers('402')];
    expect(await nextCallReaches('+13035550161', [ann, bob])).toEqual(['phone 401']);
    const talking = await site.call({ from: '+13035550162', to: NUMBER, sound: 620 });
    const answered = await until(() => ann.calls[1], { describe: '401 rings', within: 8_000 });
    await answered.answer();
    await until(() => answered.hears(620), { describe: 'they are connected' });

    await api.write('PATCH', '/accounts/clinic/numbers/main', { users: ['bob'] });
    const { text } = await api.get<{ text: string }>('/accounts/clinic/numbers/main/explain');
    expect(text).toContain('402');
    expect(await nextCallReaches('+13035550163', [ann, bob])).toEqual(['phone 402']);
    expect([answered.state(), answered.hears(620)]).toEqual(['connected', true]);
    await talking.call.hangUp();
    await answered.ended();

    await api.write('PATCH', '/accounts/clinic/numbers/main', { users: ['ann', 'bob'] });
    expect(await nextCallReaches('+13035550164', [ann, bob])).toEqual(['phone 401', 'phone 402']);
  });

  test('of a number takes it out of service, and brings it back', async () => {
    const ann = await registers('401');
    await api.write('PATCH', '/accounts/clinic/numbers/main', { e164: '+12025550162', users: ['ann'] });
    const old = await site.call({ from: '+13035550165', to: NUMBER });
    await old.call.ended(10_000);
    expect(old.call.status()).toBe(404);
    const now = await site.call({ from: '+13035550166', to: '+12025550162', sound: 620 });
    const call = await ann.nextCall();
    await call.answer();
    await until(() => call.hears(620), { describe: 'they are connected' });
    await now.call.hangUp();
    await api.write('PATCH', '/accounts/clinic/numbers/main', { e164: NUMBER });
    expect(await nextCallReaches('+13035550167', [ann])).toEqual(['phone 401']);
  });
});
