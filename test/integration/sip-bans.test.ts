/**
 * Guesses of SIP passwords against a real switch: what the guesser is answered, who is not harmed by it, and how a ban
 * ends. A ban acts on the next password, and holds after a restart of the switch.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { keepBans } from '../../control-plane/bans/keep-bans.ts';
import { firstKeyOf, openApi, type Api } from '../support/api.ts';
import { rings } from '../support/behaviour.ts';
import { openClinic, type Clinic } from '../support/clinic.ts';
import { driverOf } from '../support/driver-of.ts';
import { guess, type Guesses } from '../support/guesser.ts';
import { ownLoopbackAddress } from '../support/sipp.ts';
import { openSite, passwordOf, SITE_START_MS, type Site } from '../support/site.ts';
import { until } from '../support/until.ts';

const DESK = '+15550130';
const SPARED = ownLoopbackAddress();
const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
/** Asterisk's goes to a file; FreeSWITCH tells it as it happens. */
const securityLog = (site: Site): Readonly<Record<string, string>> => (site.onFreeSwitch ? {} : { FRONTDESK_SECURITY_LOG: site.asterisk.securityLog });
interface SipBan { readonly address: string; readonly failures: number; readonly endpoint: string; readonly since: number; readonly until: number }

describe('A controller', () => {
  let site: Site;
  let clinic: Clinic;
  let api: Api;
  /** Of a password that is wrong: an Asterisk asks once more. */
  let wrong: number;

  beforeAll(async () => {
    site = await openSite();
    wrong = site.onFreeSwitch ? 403 : 401;
    clinic = await openClinic(site, { users: [{ id: 'ann', devices: [{ extension: '101' }, { extension: '102' }] }], numbers: [{ e164: DESK, users: ['ann'], callConnect: 'off' }] }, {}, { ...securityLog(site), FRONTDESK_NEVER_BAN: SPARED });
    api = openApi(() => clinic.controller.httpUrl, firstKeyOf(clinic.controller));
  }, SITE_START_MS);
  afterAll(() => site.close());

  const from = (address: string, user: string, password: string, times: number, method: Guesses['method'] = 'REGISTER'): Promise<readonly number[]> =>
    guess({ remote: site.sip, from: address, user, password, times, method });
  const bans = async (): Promise<readonly SipBan[]> => (await api.get<{ items: readonly SipBan[] }>('/sip-bans')).items;
  const isBanned = (address: string, wanted = true): Promise<unknown> => until(async () => (await bans()).some((ban) => ban.address === address) === wanted, { describe: `${address} is ${wanted ? '' : 'no longer '}banned` });
  const notices = (): string => readFileSync(join(clinic.dataDir, 'notices.ndjson'), 'utf8');

  test.each([['a password', '101', 'REGISTER'], ['an extension', '9999', 'REGISTER'], ['a password by calling', '101', 'INVITE']] as const)('refuses who guesses %s, unread from the tenth on, and nobody else', async (_, user, method) => {
    const guesser = ownLoopbackAddress();
    const desk = await site.phone('101', rings());
    const began = Date.now();
    expect(await from(guesser, user, 'guessed-wrong-1', 10, method)).toEqual(Array.from({ length: 10 }, () => wrong));
    await isBanned(guesser);
    // even with the right password, and whatever the request
    await until(async () => (await from(guesser, '102', passwordOf('102'), 1))[0] === 403, { describe: 'the switch knows of it' });
    expect(await from(guesser, '101', passwordOf('101'), 1)).toEqual([403]);
    expect(await from(guesser, '101', passwordOf('101'), 1, 'INVITE')).toEqual([403]);
    const ban = (await bans()).find(({ address }) => address === guesser);
    expect(ban).toMatchObject({ failures: 10, endpoint: user === '101' ? '101' : '<unknown>' });
    expect((ban?.until ?? 0) - (ban?.since ?? 0)).toBe(3_600_000);
    expect(ban?.since).toBeGreaterThan(began);
    expect(notices()).toMatch(new RegExp(`"kind":"guesses".*10 wrong SIP passwords came from ${guesser}`));

    const caller = await clinic.call(DESK);
    const ring = await desk.nextCall();
    await ring.answer();
    await caller.call.connected();
    await caller.call.hangUp();
    await ring.ended();
    await api.write('DELETE', `/sip-bans/${guesser}`);
    expect(await from(guesser, '101', passwordOf('101'), 1)).toEqual([200]);
    expect((await api.ask('DELETE', `/sip-bans/${guesser}`)).status).toBe(404);
    await site.afterTest();
  });

  test('does not shut out an address where a phone is, nor one that the operator has named', async () => {
    const phone = await site.phone('102', rings());
    for (const address of [phone.address.host, SPARED]) {
      expect(await from(address, '101', 'guessed-wrong-2', 12)).toEqual(Array.from({ length: 12 }, () => wrong));
      await until(() => notices().includes(`came from ${address} `), { describe: `a notice tells of ${address}` });
    }
    expect([...notices().matchAll(/It is not banned: ([^.]*)\./g)].map(([, why]) => why)).toEqual(['a phone is registered from there', 'FRONTDESK_NEVER_BAN names it']);
    expect(await bans()).toEqual([]);
    await site.afterTest();
  });

  test('bans again after its own restart and after one of the switch', async () => {
    await site.needsOwnSwitch();
    const guesser = ownLoopbackAddress();
    await from(guesser, '101', 'guessed-wrong-3', 10);
    await isBanned(guesser);
    await site.restart();
    // an Asterisk is told anew, and till then a password that is right would speak for the address; a FreeSWITCH keeps it
    await until(async () => (await from(guesser, '101', site.onFreeSwitch ? passwordOf('101') : 'guessed-wrong-3', 1))[0] === 403, { describe: 'the switch that was restarted bans it', within: 20_000 });

    await clinic.controller.stop();
    const again = await site.startController({ planFile: '', dataDir: clinic.dataDir, env: securityLog(site) });
    const restarted = openApi(() => again.httpUrl, firstKeyOf(clinic.controller));
    expect((await restarted.get<{ items: readonly SipBan[] }>('/sip-bans')).items).toMatchObject([{ address: guesser }]);
    await restarted.write('DELETE', `/sip-bans/${guesser}`);
    expect(await from(guesser, '101', passwordOf('101'), 1)).toEqual([200]);
  });
});

test('A ban ends with its time', async () => {
  const site = await openSite();
  const driver = driverOf(site, 'bans');
  let now = Date.now();
  const banMs = 60_000;
  try {
    await driver.start({ onOffer: () => undefined, onLegEvent: () => undefined, onLink: () => undefined });
    const bans = await keepBans({ dataDir: site.folder, never: [], driver, notices: { give: async () => undefined }, log: quiet, limits: { failures: 3, banMs }, now: () => now });
    try {
      await site.switch.createPhone({ id: '101', password: passwordOf('101') });
      const [guesser, other] = [ownLoopbackAddress(), ownLoopbackAddress()];
      const from = (address: string, password: string, times: number) => guess({ remote: site.sip, from: address, user: '101', password, times });
      const wrong = site.onFreeSwitch ? 403 : 401;
      expect(await from(guesser, 'guessed-wrong-4', 3)).toEqual([wrong, wrong, wrong]);
      await until(() => bans.list().length === 1, { describe: 'it is banned' });
      await until(async () => (await from(guesser, passwordOf('101'), 1))[0] === 403, { describe: 'the switch knows of it' });
      expect(await from(other, passwordOf('101'), 1)).toEqual([200]);
      now += banMs;
      await until(() => bans.list().length === 0, { describe: 'its time is over' });
      await until(async () => (await from(guesser, passwordOf('101'), 1))[0] === 200, { describe: 'the switch knows of that, too' });
    } finally {
      await bans.stop();
    }
  } finally {
    await driver.stop();
    await site.close();
  }
}, SITE_START_MS);
