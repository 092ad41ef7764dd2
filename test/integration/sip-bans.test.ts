/**
 * Guesses of SIP passwords against a real switch: what the guesser is answered, who is not harmed by it, and how a ban
 * ends. A ban acts on the next packet, and a switch that was restarted is told again.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { keepBans } from '../../control-plane/bans/keep-bans.ts';
import { createAsteriskDriver } from '../../control-plane/media/asterisk/asterisk-driver.ts';
import { startLocalStack, type LocalStack } from '../../control-plane/local-stack/local-stack.ts';
import type { Command } from '../../control-plane/local-stack/processes.ts';
import { firstKeyOf, openApi, type Api } from '../support/api.ts';
import { rings } from '../support/behaviour.ts';
import { openClinic, type Clinic } from '../support/clinic.ts';
import { guess } from '../support/guesser.ts';
import { register } from '../support/sip-party.ts';
import { freeUdpPort, ownLoopbackAddress } from '../support/sipp.ts';
import { openSite, passwordOf, SITE_START_MS, type Site } from '../support/site.ts';
import { connectSwitch } from '../support/switch-admin.ts';
import { until } from '../support/until.ts';

const DESK = '+15550130';
const SPARED = ownLoopbackAddress();
const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
interface SipBan { readonly address: string; readonly failures: number; readonly endpoint: string; readonly since: number; readonly until: number }

describe('A controller', () => {
  let site: Site;
  let clinic: Clinic;
  let sipp: Command;
  let tools: LocalStack;
  let api: Api;

  beforeAll(async () => {
    site = await openSite({ switch: 'asterisk' });
    tools = await startLocalStack({ dataDir: join(site.folder, 'tools'), need: { asterisk: false, redis: false }, progress: () => undefined });
    sipp = await tools.tool('sipp');
    clinic = await openClinic(site, { users: [{ id: 'ann', devices: [{ extension: '101' }, { extension: '102' }] }], numbers: [{ e164: DESK, users: ['ann'], callConnect: 'off' }] }, {}, { FRONTDESK_SECURITY_LOG: site.asterisk.securityLog, FRONTDESK_NEVER_BAN: SPARED });
    api = openApi(() => clinic.controller.httpUrl, firstKeyOf(clinic.controller));
  }, SITE_START_MS);
  afterAll(async () => {
    await tools.stop();
    await site.close();
  });

  const from = (address: string, user: string, password: string, times: number): Promise<readonly number[]> =>
    guess({ program: sipp, folder: site.folder, remote: site.sip, from: address, user, password, times });
  const bans = async (): Promise<readonly SipBan[]> => (await api.get<{ items: readonly SipBan[] }>('/sip-bans')).items;
  const isBanned = (address: string, wanted = true): Promise<unknown> => until(async () => (await bans()).some((ban) => ban.address === address) === wanted, { describe: `${address} is ${wanted ? '' : 'no longer '}banned` });
  const notices = (): string => readFileSync(join(clinic.dataDir, 'notices.ndjson'), 'utf8');

  test.each([['a password', '101'], ['an extension', '9999']])('refuses who guesses %s, unread from the tenth on, and nobody else', async (_, user) => {
    const guesser = ownLoopbackAddress();
    const desk = await site.phone('101', rings());
    const began = Date.now();
    expect(await from(guesser, user, 'guessed-wrong-1', 10)).toEqual(Array.from({ length: 10 }, () => 401));
    await isBanned(guesser);
    // even with the right password, and whatever the request
    expect(await from(guesser, '101', passwordOf('101'), 1)).toEqual([403]);
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
      expect(await from(address, '101', 'guessed-wrong-2', 12)).toEqual(Array.from({ length: 12 }, () => 401));
      await until(() => notices().includes(`came from ${address} `), { describe: `a notice tells of ${address}` });
    }
    expect([...notices().matchAll(/It is not banned: ([^.]*)\./g)].map(([, why]) => why)).toEqual(['a phone is registered from there', 'FRONTDESK_NEVER_BAN names it']);
    expect(await bans()).toEqual([]);
    await site.afterTest();
  });

  test('bans again after its own restart and after one of the switch', async () => {
    const guesser = ownLoopbackAddress();
    await from(guesser, '101', 'guessed-wrong-3', 10);
    await isBanned(guesser);
    await site.restart();
    // a password that is right would speak for the address
    await until(async () => (await from(guesser, '101', 'guessed-wrong-3', 1))[0] === 403, { describe: 'the switch that was restarted bans it', within: 20_000 });

    await clinic.controller.stop();
    const again = await site.startController({ planFile: '', dataDir: clinic.dataDir, env: { FRONTDESK_SECURITY_LOG: site.asterisk.securityLog } });
    const restarted = openApi(() => again.httpUrl, firstKeyOf(clinic.controller));
    expect((await restarted.get<{ items: readonly SipBan[] }>('/sip-bans')).items).toMatchObject([{ address: guesser }]);
    await restarted.write('DELETE', `/sip-bans/${guesser}`);
    expect(await from(guesser, '101', passwordOf('101'), 1)).toEqual([200]);
  });
});

test('A ban ends with its time', async () => {
  const site = await openSite({ switch: 'asterisk' });
  const driver = createAsteriskDriver({ url: site.asterisk.url, instance: 'bans', log: quiet });
  const tools = await startLocalStack({ dataDir: join(site.folder, 'tools'), need: { asterisk: false, redis: false }, progress: () => undefined });
  let now = Date.now();
  const banMs = 60_000;
  try {
    await driver.start({ onOffer: () => undefined, onLegEvent: () => undefined, onLink: () => undefined });
    const bans = await keepBans({ dataDir: site.folder, securityLog: site.asterisk.securityLog, never: [], driver, notices: { give: async () => undefined }, log: quiet, limits: { failures: 3, banMs }, now: () => now });
    try {
      await connectSwitch(site.asterisk.url, (command) => site.asterisk.cli(command)).createPhone({ id: '101', password: passwordOf('101') });
      const [program, guesser, other] = [await tools.tool('sipp'), ownLoopbackAddress(), ownLoopbackAddress()];
      const remote = site.sip;
      const from = (password: string, times: number) => guess({ program, folder: site.folder, remote, from: guesser, user: '101', password, times });
      expect(await from('guessed-wrong-4', 3)).toEqual([401, 401, 401]);
      await until(() => bans.list().length === 1, { describe: 'it is banned' });
      expect(await from(passwordOf('101'), 1)).toEqual([403]);
      await register({ program, folder: site.folder, remote, local: { host: other, port: await freeUdpPort(other) } }, '101', passwordOf('101'), 60);
      now += banMs;
      await until(() => bans.list().length === 0, { describe: 'its time is over' });
      expect(await from(passwordOf('101'), 1)).toEqual([200]);
    } finally {
      await bans.stop();
    }
  } finally {
    await driver.stop();
    await tools.stop();
    await site.close();
  }
}, SITE_START_MS);
