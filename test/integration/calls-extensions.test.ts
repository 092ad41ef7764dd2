/**
 * Extensions of the plan on the switch: there as soon as the controller serves, gone with the plan that had them, and
 * kept by the switch when it starts again while no controller lives.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { answersAfter } from '../support/behaviour.ts';
import { openClinic, type Clinic, type ClinicPlan } from '../support/clinic.ts';
import { openSite, SITE_START_MS, type Site } from '../support/site.ts';
import { until } from '../support/until.ts';

const NUMBER = '+15550140';
let site: Site;

beforeAll(async () => {
  site = await openSite();
}, SITE_START_MS);
afterAll(() => site.close());

const withExtensions = (...extensions: readonly string[]): ClinicPlan => ({
  users: extensions.map((extension) => ({ id: `user-${extension}`, devices: [{ extension }] })),
  numbers: [{ e164: NUMBER, users: extensions.map((extension) => `user-${extension}`), callConnect: 'off' }],
});

const expectCallReaches = async (clinic: Clinic, extension: string): Promise<void> => {
  const caller = await clinic.call(NUMBER);
  await caller.call.connected();
  // a hang-up before the switch has told that both are in the bridge is no end of a talk
  await until(async () => (await clinic.stateOf(caller)).phase === 'connected', { describe: 'they talk' });
  await caller.call.hangUp();
  expect(await clinic.cdrOf(caller)).toMatchObject({ disposition: 'answered' });
  const cdr = await clinic.cdrOf(caller);
  expect(cdr.legs.find(({ legId }) => legId === cdr.answeredBy)?.user).toBe(`user-${extension}`);
  await clinic.expectNothingLeft();
};

test('an extension of the plan registers and rings as soon as the controller is ready', async () => {
  const clinic = await openClinic(site, withExtensions('101', '102'));
  await site.phone('101', answersAfter(20));
  await expectCallReaches(clinic, '101');
  await site.afterTest();

  // a phone that knows the name and not the password is none
  await expect(site.phone('102', answersAfter(20), { password: 'not-the-password' })).rejects.toThrow('could not register');
  expect(await site.switch.isRegistered('102')).toBe(false);
  await clinic.controller.stop();
});

test('extensions survive a restart of the switch with no controller, and so does the phone’s registration', async () => {
  await site.needsOwnSwitch();
  const clinic = await openClinic(site, withExtensions('101', '102'));
  await site.phone('101', answersAfter(20));
  await clinic.controller.stop();
  await site.restart();
  expect(await site.switch.isRegistered('101')).toBe(true);
  await site.phone('102', answersAfter(5_000));
  expect(await site.switch.isRegistered('102')).toBe(true);

  const again = await openClinic(site, withExtensions('101', '102'));
  await expectCallReaches(again, '101');
  await site.afterTest();
  await again.controller.stop();
});

test('a controller whose switch starts again serves on: the next call is its', async () => {
  await site.needsOwnSwitch();
  const clinic = await openClinic(site, withExtensions('101'));
  await site.phone('101', answersAfter(20));
  await expectCallReaches(clinic, '101');
  await site.restart();
  const ready = async (): Promise<boolean> => (await fetch(`${clinic.controller.httpUrl}/readyz`)).ok;
  await until(ready, { describe: 'the controller is ready again', within: 15_000 });
  expect(clinic.controller.alive()).toBe(true);
  await expectCallReaches(clinic, '101');
  await site.afterTest();
  await clinic.controller.stop();
});

test('a plan without an extension takes it from the switch, and brings a new one', async () => {
  const clinic = await openClinic(site, withExtensions('101', '103'));
  // a controller that has served before serves by what it knows, until its database is open and the plan taken in
  await until(async () => site.switch.knows('103'), { describe: 'the switch knows the new one', within: 15_000 });
  await expect(site.phone('102')).rejects.toThrow('could not register');
  await site.phone('103', answersAfter(20));
  await expectCallReaches(clinic, '103');
  await site.afterTest();
});
