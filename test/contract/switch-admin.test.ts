/** What every switch does for Frontdesk beside calls, held to each kind alike. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { supervisionId, syntheticId, testId } from '../../control-plane/core/ids.ts';
import type { LegEvent, Offer } from '../../control-plane/core/call/events.ts';
import { connectEsl } from '../../control-plane/media/freeswitch/esl/esl-client.ts';
import type { SwitchDriver, SwitchLogin } from '../../control-plane/media/switch-admin.ts';
import type { SwitchDevice, SwitchNote, SwitchSetup, SwitchTrunk } from '../../control-plane/media/switch-setup.ts';
import { answersAfter } from '../support/behaviour.ts';
import { driverOf } from '../support/driver-of.ts';
import { withoutFreeSwitch } from '../support/freeswitch.ts';
import { guess, type Guesses } from '../support/guesser.ts';
import { openSite, SITE_START_MS, type Site } from '../support/site.ts';
import { ownLoopbackAddress } from '../support/sipp.ts';
import { until } from '../support/until.ts';

if (withoutFreeSwitch !== undefined) process.stderr.write(`Skipped: what FreeSWITCH does beside calls. ${withoutFreeSwitch}.\n`);

const phone = (id: string, password = `phone-${id}-secret`): SwitchDevice => ({ id, password, callerId: { name: `Desk ${id}`, number: id }, emergency: { callerId: '+12025550100', location: '12 Main St; room 4 & more' } });

describe.each([
  { kind: 'asterisk', name: 'An Asterisk', absent: undefined },
  { kind: 'freeswitch', name: 'A FreeSWITCH', absent: withoutFreeSwitch },
] as const)('$name', { timeout: 40_000 }, ({ kind, absent }) => {
  describe.skipIf(absent !== undefined)('that Frontdesk is attached to', () => {
    let site: Site;
    let driver: SwitchDriver;
    let provisioned: object | null = null;
    const offers: Offer[] = [];
    const events: LegEvent[] = [];

    const attach = async (): Promise<SwitchDriver> => {
      const attached = driverOf(site, 'admin');
      await attached.start({ onOffer: (offer) => { offers.push(offer); }, onLegEvent: (_, event) => { events.push(event); }, onLink: () => undefined });
      return attached;
    };
    const trunk = (more: Partial<SwitchTrunk> = {}): SwitchTrunk => ({
      id: 'carrier', ...site.trunkAddress('carrier'), transport: 'udp', register: false, match: [], codecs: ['ulaw', 'alaw'], dtmf: 'rfc4733', srtp: false, nat: true, qualifySeconds: 0, ...more,
    });
    const setup = (more: Partial<SwitchSetup> = {}): SwitchSetup => ({
      devices: [phone('101'), phone('102'), phone('103')], trunks: [trunk()], failsafes: new Map([['12025550110', { number: '+12025550399' }]]), emergency: { callerId: '+12025550100', location: '', trunks: ['carrier'] }, ...more,
    });
    const provision = async (wanted: SwitchSetup = setup(), extent: 'everything' | 'changes' = 'changes'): Promise<void> => {
      // through JSON, as a controller keeps it
      provisioned = JSON.parse(JSON.stringify(await driver.admin.provision(wanted, provisioned, extent))) as object;
    };
    const offered = (is: (offer: Offer) => boolean): Promise<Offer> => until(() => offers.find(is), { describe: 'the call is offered' });
    const fromCarrier = (from: string, trunkName = 'carrier') => site.call({ from, to: '+12025550110' }, trunkName);

    const from = (address: string, password: string, more: Partial<Guesses> = {}): Promise<number | undefined> => guess({ remote: site.sip, from: address, user: '101', password, ...more }).then(([answer]) => answer);

    beforeAll(async () => {
      site = await openSite({ switch: kind, trunks: ['carrier', 'other'] });
      driver = await attach();
    }, SITE_START_MS);
    afterEach(async () => {
      await site.switch.clear();
      await site.afterTest();
      driver.accept(true);
      offers.length = 0;
      events.length = 0;
    });
    afterAll(async () => {
      await driver?.stop();
      await site?.close();
    });

    test('knows where a phone is once it has logged in, and nowhere when it is taken away', async () => {
      await provision();
      const party = await site.phone('101', undefined, { mayBeShutOut: true });
      const [there, away, third] = await driver.admin.registrations();
      expect(there).toMatchObject({ device: '101', contacts: [{ address: `${party.address.host}:${party.address.port}` }] });
      expect(there?.contacts[0]?.expiresAt).toBeGreaterThan(Date.now() + 200_000);
      expect(away).toEqual({ device: '102', contacts: [] });
      expect(await driver.admin.glimpse()).toEqual([{ ...there, contacts: there?.contacts.map((one) => ({ ...one, expiresAt: expect.any(Number) as number })) }, away, third]);
      await provision(setup({ devices: [phone('102')] }));
      await expect(site.phone('101')).rejects.toThrow(/403|401|404/);
      await provision();
      expect((await driver.admin.registrations())[0]?.contacts).toEqual([]);
    });

    test('takes another password at once', async () => {
      await provision(setup({ devices: [phone('101', 'another-secret-1')] }));
      await expect(site.phone('101')).rejects.toThrow(/403|401/);
      await site.phone('101', undefined, { password: 'another-secret-1', mayBeShutOut: true });
      await provision();
    });

    test('takes calls from the addresses of a trunk and from no other, changed while a call is up', async () => {
      const other = site.trunkAddress('other').host;
      await provision(setup({ trunks: [trunk({ match: [other] })] }));
      const first = await fromCarrier('+13035550001');
      await offered(({ caller }) => caller.number === '+13035550001');
      await fromCarrier('+13035550002', 'other');
      await offered(({ caller }) => caller.number === '+13035550002');
      await provision();
      const refused = await fromCarrier('+13035550003', 'other');
      await until(() => refused.call.messages.some(({ status }) => status === 401 || status === 407), { describe: 'the stranger is asked for a password' });
      expect(first.call.state()).toBe('ringing');
      expect(offers.some(({ caller }) => caller.number === '+13035550003')).toBe(false);
    });

    test('calls over a trunk that moves where it is now, and the call that is up goes on', async () => {
      const [here, there] = [await site.carrier(answersAfter(20)), await site.carrier(answersAfter(20), 'other')];
      await provision();
      const caller = await fromCarrier('+13035550004');
      const { callId } = await offered(({ caller: from }) => from.number === '+13035550004');
      const dial = (n: number): Promise<{ readonly ok: boolean }> => driver.execute({
        type: 'OriginateLeg', legId: `${callId}--l${n}`, target: { kind: 'external', number: '+12025550399', trunks: ['carrier'] }, trunk: 'carrier', callerId: { number: '+12025550110', name: '' }, ringMs: 10_000, mark: { v: 1, trunk: 0, step: 's1', attempt: 0 },
      });
      expect(await dial(1)).toEqual({ ok: true });
      const call = await here.nextCall();
      await call.connected();
      await provision(setup({ trunks: [trunk({ ...site.trunkAddress('other'), match: [site.trunkAddress('carrier').host] })] }));
      expect(await dial(2)).toEqual({ ok: true });
      await (await there.nextCall()).connected();
      expect([call.state(), caller.call.state()]).toEqual(['connected', 'ringing']);
    });

    test('says nothing of a trunk that is not asked', async () => {
      await provision();
      expect(await driver.admin.trunkHealth()).toMatchObject([{ trunk: 'carrier', state: 'unknown', roundTripMs: null }]);
      expect(await driver.admin.trunkAddresses()).toEqual([site.trunkAddress('carrier').host]);
    });

    test('rings the failsafe and calls for help with nobody there, also after its restart, and tells of it later', async () => {
      await site.needsOwnSwitch();
      await provision();
      await driver.stop();
      await site.restart();
      const carrier = await site.carrier(answersAfter(20, { hangUpAfterMs: 300 }));
      const began = performance.now();
      const lost = await fromCarrier('+13035550005');
      const failsafe = await carrier.nextCall();
      expect(performance.now() - began).toBeLessThan(1_500);
      expect(failsafe.messages[0]?.startLine).toContain('+12025550399');
      await lost.call.ended();
      await (await site.callFromPhone('101', { to: '911' })).call.ended();
      const help = await carrier.nextCall();
      expect([help.callerId().number, help.header('x-dispatchable-location')]).toEqual(['+12025550100', '12 Main St; room 4 & more']);

      driver = await attach();
      const notes: SwitchNote[] = [];
      await until(async () => {
        await driver.admin.takeNotes(async (note) => { notes.push(note); });
        return notes.length >= 2;
      }, { describe: 'both notes are there' });
      // a switch notes whole seconds, and two of one second come in any order
      expect(notes.toSorted((a, b) => a.kind.localeCompare(b.kind))).toMatchObject([
        { kind: 'emergency', from: '101', dialled: '911', outcome: 'ANSWER', trunk: 'carrier' },
        { kind: 'failsafe', from: 'trunk', dialled: '+12025550110', outcome: 'ANSWER' },
      ]);
      expect(notes.map(({ at }) => at)).toEqual(notes.map(({ at }) => at).toSorted((a, b) => a - b));
      await driver.admin.takeNotes(async (note) => { notes.push(note); });
      expect(notes).toHaveLength(2);
    });

    test('places calls to ourselves, and for admins, as a carrier would', async () => {
      await provision();
      const ours = syntheticId('abcdef012345', 'admin');
      expect(await driver.admin.callOurselves(ours)).toBe('placed');
      expect(await offered(({ callId }) => callId === ours)).toMatchObject({ origin: 'trunk', orphan: false });
      const asked = testId('abcdef012345', 'admin');
      expect(await driver.admin.callAsTest({ callId: asked, dialled: '+12025550110', caller: { number: '+12025550199', name: 'Frontdesk test' }, said: 'tone:beep' })).toBe('placed');
      expect(await offered(({ callId }) => callId === asked)).toMatchObject({ origin: 'trunk', dialled: '+12025550110', caller: { number: '+12025550199', name: 'Frontdesk test' } });
      await driver.admin.endTest(asked);
      await until(() => events.some((event) => event.type === 'LegEnded' && event.legId === asked), { describe: 'the test call has ended' });
    });

    describe('asked who logs in, and told whom to refuse', () => {
      const heard: SwitchLogin[] = [];
      const [stranger, neighbour] = [ownLoopbackAddress(), ownLoopbackAddress()];
      const later = Date.now() + 3_600_000;
      const right = phone('101').password;
      const heardOf = (login: Partial<SwitchLogin>): Promise<unknown> => until(async () => {
        const { logins, problem } = await driver.admin.logins();
        expect(problem).toBeNull();
        heard.push(...logins);
        return heard.some((one) => Object.entries(login).every(([name, value]) => one[name as keyof SwitchLogin] === value));
      }, { describe: `it is told of ${JSON.stringify(login)}: ${JSON.stringify(heard)}` });

      beforeEach(async () => {
        await provision();
        await driver.admin.logins();
        heard.length = 0;
      });
      afterEach(() => driver.admin.ban([]));

      test('tells who has proved a password and who has not, to register or to call, and whose it was', async () => {
        for (const method of ['REGISTER', 'INVITE'] as const) {
          await from(stranger, right, { method });
          await heardOf({ kind: 'proven', address: stranger, endpoint: '101' });
          await from(stranger, 'guessed-wrong-1', { method });
          await heardOf({ kind: 'failed', address: stranger, endpoint: '101' });
          await from(stranger, 'guessed-wrong-1', { method, user: '9999' });
          await heardOf({ kind: 'failed', address: stranger, endpoint: '<unknown>' });
          // who asks without a password, or with one only after another request, has not failed
          expect(heard.splice(0)).toHaveLength(3);
        }
      });

      test('tells nobody by another request whether a password is right, or tells of it', async () => {
        for (const method of ['SUBSCRIBE', 'MESSAGE'] as const) {
          const answers = [await from(stranger, right, { method }), await from(stranger, 'guessed-wrong-2', { method })];
          if (answers[0] !== answers[1]) await heardOf({ kind: 'failed', address: stranger });
        }
        expect(heard.every(({ address }) => address === stranger)).toBe(true);
      });

      test('names the address that guesses, whatever it writes into its headers', async () => {
        const forged = `x",RemoteAddress="IPV4/UDP/${neighbour}/5060",network-ip: ${neighbour}`;
        for (const name of ['User-Agent', 'X-network-ip', 'network-ip', 'ip', 'X-ip', 'Subject']) await from(stranger, 'guessed-wrong-3', { more: [`${name}: ${forged}`] });
        await until(async () => {
          heard.push(...(await driver.admin.logins()).logins);
          return heard.length >= 6;
        }, { describe: 'all are told' });
        expect(new Set(heard.map(({ kind: what, address }) => `${what} ${address}`))).toEqual(new Set([`failed ${stranger}`]));
      });

      test('refuses at once, and from any port, and with the right password, whom it is told to, and nobody else, until it is told otherwise', async () => {
        expect([await from(stranger, right), await from(neighbour, right)]).toEqual([200, 200]);
        await driver.admin.ban([{ address: stranger, until: later }, { address: '198.51.100.9', until: later }, { address: '2001:db8:0:7::/64', until: later }]);
        for (const method of ['REGISTER', 'INVITE', 'REGISTER'] as const) expect(await from(stranger, right, { method })).toBe(403);
        expect(await from(stranger, right, { more: [`ip: ${neighbour}`, `X-ip: ${neighbour}`] })).toBe(403);
        expect(await from(neighbour, right)).toBe(200);
        await driver.admin.ban([{ address: '198.51.100.9', until: later }]);
        expect(await from(stranger, right)).toBe(200);
      });

      test('leaves the bans of another controller alone', async () => {
        const other = driverOf(site, 'other');
        await other.start({ onOffer: () => undefined, onLegEvent: () => undefined, onLink: () => undefined });
        try {
          await other.admin.ban([{ address: stranger, until: later }]);
          await driver.admin.ban([{ address: neighbour, until: later }]);
          await driver.admin.ban([]);
          expect([await from(stranger, right), await from(neighbour, right)]).toEqual([403, 200]);
          await other.admin.ban([]);
          expect(await from(stranger, right)).toBe(200);
        } finally {
          await other.stop();
        }
      });

      test.runIf(kind === 'freeswitch')('keeps a ban with nobody there, over a restart and no longer than its time', async () => {
        await site.needsOwnSwitch();
        await driver.admin.ban([{ address: stranger, until: later }, { address: neighbour, until: Date.now() }]);
        await driver.stop();
        await site.restart();
        expect([await from(stranger, right), await from(neighbour, right)]).toEqual([403, 200]);
        driver = await attach();
        await provision();
      });

      test.runIf(kind === 'freeswitch')('knows what is banned with an address of IPv6', async () => {
        await driver.admin.ban([{ address: '2001:db8:0:7::/64', until: later }, { address: '1:2:3:4::/64', until: later }, { address: '198.51.100.9', until: later }]);
        const connected = await connectEsl({ url: site.switchUrl, events: [], onEvent: () => undefined, onLink: () => undefined, log: { info: () => undefined, warn: () => undefined, error: () => undefined } });
        if (!connected.ok) throw new Error(connected.message);
        const isBanned = async (address: string): Promise<string> => {
          const answer = await connected.client.api('lua', { code: { raw: `~local kept = require("kept") stream:write(tostring(kept.isBanned("${address}"))) kept.close()` } });
          return answer.ok ? answer.text : answer.message;
        };
        try {
          for (const address of ['2001:db8:0:7::1', '2001:db8::7:0:0:0:1', '2001:0DB8:0:7:1:2:3:4%eth0', '1:2:3:4::', '1:2:3:4:5:6:198.51.100.7', '198.51.100.9', '::ffff:198.51.100.9']) expect([address, await isBanned(address)]).toEqual([address, 'true']);
          for (const address of ['2001:db8:0:8::1', '2001:db8::7', '::1', '::', '1:2:3::4', '::1:2:3:4', '98.51.100.9', '198.51.100.90']) expect([address, await isBanned(address)]).toEqual([address, 'false']);
        } finally {
          await connected.client.close();
        }
      });
    });

    test('rings a supervisor’s phone, whose call begins with the answer', async () => {
      await provision();
      const party = await site.phone('102');
      const id = supervisionId('abcdef012345', 'admin');
      expect(await driver.admin.callSupervisor({ callId: id, phone: '102', extension: '102', shown: { number: '102', name: 'Supervision: listen' }, ringMs: 10_000, besides: 'another' })).toBe('rings');
      const call = await party.nextCall();
      expect(call.callerId()).toEqual({ number: '102', name: 'Supervision: listen' });
      expect(offers).toEqual([]);
      await call.answer();
      expect(await offered(({ callId }) => callId === id)).toMatchObject({ origin: 'phone', phone: '102', caller: { number: '102' } });
      expect(await driver.admin.endSupervisor(id)).toBe(true);
      await call.ended();
      expect(await driver.admin.endSupervisor(id)).toBe(false);
      await expect(driver.admin.callSupervisor({ callId: supervisionId('abcdef012346', 'admin'), phone: '103', extension: '103', shown: { number: '103', name: '' }, ringMs: 1_000, besides: 'another' })).rejects.toThrow(/phone 103/);
    });
  });
});
