/** Who is banned for guessing SIP passwords and who never is, with a switch that only remembers what it is told. */
import { appendFileSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bannedOf, contains } from '../../control-plane/bans/addresses.ts';
import { countFailures } from '../../control-plane/bans/failures.ts';
import { keepBans, type BanLimits, type KeptBans } from '../../control-plane/bans/keep-bans.ts';
import { createAddressBans } from '../../control-plane/media/asterisk/admin/address-bans.ts';
import { followSecurityLog, readSecurityLine, type SecurityLog } from '../../control-plane/media/asterisk/admin/security-log.ts';
import type { SwitchLogin } from '../../control-plane/media/switch-admin.ts';
import { until } from '../support/until.ts';

const head = '[2026-11-21 17:49:43.467] SECURITY[22637] res_security_log.c: ';
const common = 'EventTV="2026-11-21T17:49:43.465+0000",Severity="Error",Service="PJSIP",EventVersion="1"';
const failed = (address: string, { callId = '76-a', endpoint = '101', nonce = '1795283383/84945e', response = '2c3d' } = {}): string =>
  `${head}SecurityEvent="ChallengeResponseFailed",${common},AccountID="${endpoint}",SessionID="${callId}",LocalAddress="IPV4/UDP/127.0.0.1/12972",RemoteAddress="IPV4/UDP/${address}/58693",Challenge="${nonce}",Response="${response}",ExpectedResponse=""`;
const proven = (address: string): string => `${head}SecurityEvent="SuccessfulAuth",${common},AccountID="101",SessionID="x",LocalAddress="IPV4/TCP/127.0.0.1/5060",RemoteAddress="IPV4/TCP/${address}/5060",UsingPassword="1"`;

describe('A line of the security log', () => {
  test('tells who failed and who proved a password; all else tells nothing', () => {
    expect(readSecurityLine(failed('198.51.100.9'))).toEqual({ kind: 'failed', address: '198.51.100.9', endpoint: '101' });
    expect(readSecurityLine(proven('198.51.100.9'))).toEqual({ kind: 'proven', address: '198.51.100.9', endpoint: '101' });
    for (const line of ['', head, failed('198.51.100.9').slice(0, -20), `${failed('198.51.100.9')}"`, failed('198.51.100.9').replace('ChallengeResponseFailed', 'ChallengeSent'), ` ${failed('198.51.100.9')}`, failed('not-an-address')]) {
      expect(readSecurityLine(line)).toBeUndefined();
    }
  });

  test('names the true address, whatever address the caller wrote into its Call-ID, nonce or response', () => {
    const forged = '",LocalAddress="IPV4/UDP/127.0.0.1/1",RemoteAddress="IPV4/UDP/203.0.113.1/5060",Challenge="a",Response="b",ExpectedResponse="';
    const escaped = forged.replaceAll('"', '\\"');
    for (const line of [failed('198.51.100.9', { callId: forged }), failed('198.51.100.9', { nonce: escaped }), failed('198.51.100.9', { response: escaped })]) {
      expect(readSecurityLine(line)?.address).toBe('198.51.100.9');
    }
    // the switch cuts what is longer, and the caller may choose where
    expect(readSecurityLine(failed('198.51.100.9', { callId: `${'x'.repeat(8000)}${forged}` }))).toBeUndefined();
  });
});

const addresses = async (log: SecurityLog): Promise<readonly string[]> => (await log.read()).map(({ address }) => address);

describe('The security log', () => {
  let folder: string;
  beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'frontdesk-bans-')); });
  afterEach(() => { rmSync(folder, { recursive: true, force: true }); });

  test('is read from its end on, each line once, in halves too, and again from the start when it was emptied', async () => {
    const file = join(folder, 'security.log');
    writeFileSync(file, `${failed('192.0.2.1')}\n`);
    const log = followSecurityLog(file);
    expect(await addresses(log)).toEqual([]);
    appendFileSync(file, `${failed('192.0.2.2')}\n${failed('192.0.2.3').slice(0, 100)}`);
    expect(await addresses(log)).toEqual(['192.0.2.2']);
    appendFileSync(file, `${failed('192.0.2.3').slice(100)}\n`);
    expect(await addresses(log)).toEqual(['192.0.2.3']);
    writeFileSync(file, `${failed('192.0.2.4')}\n`);
    expect(await addresses(log)).toEqual(['192.0.2.4']);
    rmSync(file);
    await expect(log.read()).rejects.toThrow('ENOENT');
  });

  test('that cannot be read is no answer, but a reason why logins may be missing', async () => {
    const ari = { request: () => Promise.reject(new Error('nobody is asked')) };
    const file = join(folder, 'security.log');
    const bans = createAddressBans(ari, 'main', file);
    expect(await bans.logins()).toEqual({ logins: [], problem: expect.stringMatching(/^ENOENT.*security\.log/) as string });
    writeFileSync(file, `${failed('192.0.2.4')}\n`);
    expect(await bans.logins()).toEqual({ logins: [{ kind: 'failed', address: '192.0.2.4', endpoint: '101' }], problem: null });
    expect(await createAddressBans(ari, 'main', undefined).logins()).toEqual({ logins: [], problem: null });
  });

  test('is emptied once it is large, and nothing of it is lost', async () => {
    const file = join(folder, 'security.log');
    writeFileSync(file, '');
    const log = followSecurityLog(file, 100_000);
    const line = `${failed('192.0.2.2')}\n`;
    appendFileSync(file, line.repeat(200));
    expect(await addresses(log)).toHaveLength(200);
    appendFileSync(file, line.repeat(200));
    expect([await addresses(log), statSync(file).size]).toEqual([Array.from({ length: 200 }, () => '192.0.2.2'), 0]);
    appendFileSync(file, `${failed('192.0.2.5')}\n`);
    expect(await addresses(log)).toEqual(['192.0.2.5']);
  });
});

test('Of IPv6 a house has a network, and is banned and spared as one', () => {
  expect(['198.51.100.9', '::ffff:198.51.100.9', '2001:db8:0:7::1', '2001:db8::7:0:0:0:1', '::1', 'fe80::1%eth0', 'sip', ''].map(bannedOf))
    .toEqual(['198.51.100.9', '198.51.100.9', '2001:db8:0:7::/64', '2001:db8:0:7::/64', '0:0:0:0::/64', 'fe80:0:0:0::/64', undefined, undefined]);
  expect(contains(['203.0.113.0/24', '2001:db8:0:7::99', '2001:db9::/32', 'nonsense'], '203.0.113.77')).toBe(true);
  expect(contains(['::1', '127.0.0.1'], '192.0.2.9')).toBe(false);
  expect(['2001:db8:0:7::/64', '2001:db9:5:5::/64', '2001:db8:0:8::/64', '203.0.114.1'].map((one) => contains(['203.0.113.0/24', '2001:db8:0:7::99', '2001:db9::/32'], one))).toEqual([true, true, false, false]);
});

test('Failures count within a time that moves along, and ten thousand addresses are remembered at most', () => {
  const failures = countFailures(3, 1000);
  expect([0, 900, 1100, 1200].map((at) => failures.count('a', at))).toEqual([false, false, false, true]);
  expect([failures.of('a', 1200), failures.of('a', 2150)]).toEqual([3, 1]);
  failures.forget('a');
  expect(failures.count('a', 1300)).toBe(false);
  for (let i = 0; i < 10_000; i += 1) failures.count(`b${i}`, 1300);
  expect([failures.of('a', 1300), failures.of('b9999', 1300)]).toEqual([0, 1]);
});

describe('Kept bans', () => {
  const CLINIC = '198.51.100.4';
  let folder: string;
  let kept: KeptBans | undefined;
  let now: number;
  let banned: Set<string>;
  let connects: number;
  let link: 'up' | 'down';
  let trunks: string[];
  let phones: string[];
  let said: string[];
  let tried: SwitchLogin[];
  let missing: string | null;
  const limits: Partial<BanLimits> = { failures: 3, banMs: 60_000, most: 2, lookEveryMs: 5 };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'frontdesk-bans-'));
    [tried, missing] = [[], null];
    [now, connects, link, banned, trunks, phones, said] = [1_000_000, 1, 'up', new Set(), ['203.0.113.0/28'], [], []];
  });
  afterEach(async () => {
    await kept?.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  const open = async (never: readonly string[] = []): Promise<KeptBans> => {
    await kept?.stop();
    kept = await keepBans({
      dataDir: folder, never, limits, now: () => now,
      driver: {
        connects: () => connects, health: () => ({ link, version: '22', inFlight: 0 }),
        admin: {
          logins: async () => ({ logins: tried.splice(0), problem: missing }),
          ban: async (these) => { banned = new Set(these.map(({ address }) => address)); }, trunkAddresses: async () => trunks,
          registrations: async () => phones.map((address) => ({ device: '101', contacts: [{ address: `${address}:5060`, userAgent: '', expiresAt: 0, since: 0 }] })),
        },
      },
      notices: { give: async ({ sentence }) => { said.push(sentence); } },
      log: { debug: () => undefined, info: (_, sentence) => { said.push(sentence); }, warn: () => undefined, error: (_, sentence) => { said.push(sentence); } },
    });
    return kept;
  };
  const guesses = (address: string, times = 3): void => { tried.push(...Array.from({ length: times }, () => ({ kind: 'failed', address, endpoint: '101' }) as const)); };
  const says = (words: string): Promise<unknown> => until(() => said.some((one) => one.includes(words)), { describe: `it says “${words}”: ${said.join(' | ')}`, within: 2_000 });
  const bansAre = (...these: readonly string[]): Promise<unknown> => until(() => [...banned].sort().join() === [...these].sort().join(), { describe: `banned are ${these.join()}: ${said.join(' | ')} ${kept?.problem() ?? ''}`, within: 2_000 });

  test('come with the third wrong password, end with their time, and outlive a restart of the controller and of the switch', async () => {
    await open();
    guesses('192.0.2.8', 2);
    guesses('192.0.2.9');
    await bansAre('192.0.2.9');
    expect(kept?.list()).toEqual([{ address: '192.0.2.9', since: now, until: now + 60_000, failures: 3, endpoint: '101' }]);
    await says('3 wrong SIP passwords came from 192.0.2.9 within 10 minutes, the last for 101. It is banned until');

    banned.clear();
    connects += 1;
    await bansAre('192.0.2.9');
    banned.clear();
    await open();
    await bansAre('192.0.2.9');
    now += 60_001;
    await bansAre();
    expect(kept?.list()).toEqual([]);
  });

  test('wait while the link is down, and are lifted by hand at once', async () => {
    link = 'down';
    await open();
    guesses('192.0.2.9');
    now += 1;
    await until(() => kept?.problem() === null, { describe: 'it looks on' });
    expect(banned.size).toBe(0);
    link = 'up';
    await bansAre('192.0.2.9');
    expect(await kept?.lift('192.0.2.9')).toBe(true);
    expect([await kept?.lift('192.0.2.9'), banned.size]).toEqual([false, 0]);
    guesses('192.0.2.9');
    await bansAre('192.0.2.9');
  });

  test('never hit a trunk, a phone that is registered or was lately, an address that is named, or this machine; each is told once', async () => {
    phones = ['198.51.100.5'];
    await open(['192.0.2.64/28']);
    tried.push({ kind: 'proven', address: CLINIC, endpoint: '101' });
    for (let again = 0; again < 2; again += 1) for (const address of [CLINIC, '198.51.100.5', '203.0.113.7', '192.0.2.66', '127.0.0.1']) guesses(address);
    guesses('192.0.2.9');
    await bansAre('192.0.2.9');
    for (const why of ['a phone has logged in from there', 'a phone is registered from there', 'a trunk is there', 'FRONTDESK_NEVER_BAN names it', 'it is this machine']) expect(said.filter((one) => one.includes(why))).toHaveLength(1);

    // known for a month, over a restart too
    await open();
    now += 29 * 86_400_000;
    guesses(CLINIC);
    await says(`came from ${CLINIC}`);
    expect(banned.has(CLINIC)).toBe(false);
    now += 2 * 86_400_000;
    guesses(CLINIC);
    await bansAre(CLINIC);
  });

  test('of an address that a trunk is given end at once', async () => {
    await open();
    guesses('192.0.2.9');
    await bansAre('192.0.2.9');
    trunks.push('192.0.2.9');
    kept?.changed();
    await bansAre();
    expect(kept?.list()).toEqual([]);
  });

  test('are no more than the switch should look through: the oldest goes', async () => {
    await open();
    for (const address of ['192.0.2.7', '192.0.2.8', '192.0.2.9']) {
      now += 1;
      guesses(address);
      await until(() => banned.has(address), { describe: `${address} is banned` });
    }
    await bansAre('192.0.2.8', '192.0.2.9');
    expect(kept?.list()).toHaveLength(2);
  });

  test('go on where some logins are missing, and that is said until they are there', async () => {
    missing = 'ENOENT: no such file';
    await open();
    await until(() => kept?.problem() === 'Guesses of SIP passwords are not noticed, or not banned: ENOENT: no such file', { describe: 'it says so' });
    guesses('192.0.2.9');
    await bansAre('192.0.2.9');
    expect(kept?.problem()).not.toBeNull();
    missing = null;
    await until(() => kept?.problem() === null, { describe: 'none is missing' });
    expect(kept?.list()).toHaveLength(1);
  });
});
