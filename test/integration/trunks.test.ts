// Trunks made, changed and removed on a running switch; carriers are SIPp, and a second Asterisk where it must register or encrypt.
import { mkdtempSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Socket } from 'node:net';
import { createServer } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ensureTlsFiles } from '../../control-plane/local-stack/self-made-certificate.ts';
import { cacheDirFor, findTool } from '../../control-plane/local-stack/local-stack.ts';
import type { Command } from '../../control-plane/local-stack/processes.ts';
import type { SwitchDevice, SwitchTrunk, TrunkState } from '../../control-plane/media/switch-setup.ts';
import { answersAfter, unavailable } from '../support/behaviour.ts';
import type { SipCall } from '../support/sip-call.ts';
import { type Party, type Place, register, startCallee, startCaller } from '../support/sip-party.ts';
import { freeUdpPort, ownLoopbackAddress } from '../support/sipp.ts';
import { openAsteriskSide, openFreeSwitchSide, type TrunkSide } from '../support/trunk-side.ts';
import { until } from '../support/until.ts';

const folder = mkdtempSync(join(tmpdir(), 'frontdesk-trunks-'));
const parties: Party[] = [];
const onFreeSwitch = process.env['FRONTDESK_TEST_SWITCH'] === 'freeswitch';
/** FreeSWITCH asks a trunk every five seconds at the most. */
const askedWithin = onFreeSwitch ? 15_000 : 8_000;
let program: Command;
let clinic: TrunkSide;
/** An Asterisk always. */
let carrier: TrunkSide;

const trunk = (more: Partial<SwitchTrunk> & Pick<SwitchTrunk, 'host' | 'port'>): SwitchTrunk => ({
  id: 'trunk', transport: 'udp', register: true, match: [], codecs: ['ulaw', 'alaw'], dtmf: 'rfc4733', srtp: false, nat: true, qualifySeconds: 0, ...more,
});
const credentials = { username: 'clinic-7', password: 'carrier-password' };
const registering = (more: Partial<SwitchTrunk> = {}): SwitchTrunk => trunk({ ...carrier.sip, credentials, ...more });
const secure = (to: TrunkSide, more: Partial<SwitchTrunk> = {}): SwitchTrunk => trunk({ host: to.sip.host, port: to.tls.port, transport: 'tls', srtp: true, ...more });
const phone = (id: string, password: string): SwitchDevice => ({ id, password, callerId: { name: `Phone ${id}`, number: id } });

const place = async (host: string, port?: number): Promise<Place> => {
  const own = join(folder, `party-${parties.length}-${Date.now()}`);
  mkdirSync(own, { recursive: true });
  return { program, folder: own, local: { host, port: port ?? (await freeUdpPort(host)) }, remote: clinic.sip };
};
const keep = (party: Party): Party => {
  parties.push(party);
  return party;
};
const answering = async (host: string, port?: number): Promise<Party> => keep(await startCallee(await place(host, port), `carrier at ${host}`, 'mobile', answersAfter(20)));
const calling = async (host: string): Promise<SipCall> => keep(await startCaller(await place(host), { to: '+12025550110', from: '+12025550187' })).nextCall();

const hasUp = async (count = 1): Promise<boolean> => (await clinic.control.channels()).filter(({ state }) => state === 'Up').length === count;
const isChallenged = (call: SipCall): boolean => call.messages.some(({ status }) => status === 401 || status === 407);
const isOffered = (): boolean => clinic.offered.some(({ number }) => number === '+12025550187');
const expectState = (state: TrunkState, within = 6_000): Promise<unknown> =>
  until(async () => (await clinic.admin.trunkHealth())[0]?.state === state, { describe: `the trunk is ${state}`, within, everyMs: 50 });
const sdpOf = (call: SipCall): readonly string[] => (call.messages.find(({ method }) => method === 'INVITE')?.body ?? '').split(/\r?\n/);

beforeAll(async () => {
  carrier = await openAsteriskSide({ name: 'carrier', folder, bind: ownLoopbackAddress(), authorities: [] });
  const ours = { name: 'clinic', authorities: [readFileSync(carrier.tls.certificate, 'utf8')] };
  clinic = await (onFreeSwitch ? openFreeSwitchSide(ours) : openAsteriskSide({ ...ours, folder, bind: ownLoopbackAddress() }));
  program = await findTool('sipp', cacheDirFor({ dataDir: '.frontdesk' }), () => undefined);
}, 180_000);
afterEach(async () => {
  await Promise.all([clinic.control.clear(), carrier.control.clear()]);
  await Promise.all(parties.splice(0).map((party) => party.stop()));
  await Promise.all([clinic.provision([]), carrier.provision([])]);
  clinic.offered.length = 0;
});
afterAll(async () => {
  await Promise.all([clinic, carrier].map((side) => side?.stop()));
  rmSync(folder, { recursive: true, force: true });
});

describe('a trunk known by its address', () => {
  test('brings calls from its host and from each further address, and from nowhere else', async () => {
    const [host, second, third, stranger] = Array.from({ length: 4 }, ownLoopbackAddress) as [string, string, string, string];
    await clinic.provision([trunk({ host, port: 5060, match: [second, `${third}/32`] })]);
    for (const address of [host, second, third]) {
      clinic.offered.length = 0;
      await calling(address);
      await until(isOffered, { describe: `the call from ${address} is offered` });
    }
    clinic.offered.length = 0;
    const refused = await calling(stranger);
    await until(() => isChallenged(refused), { describe: 'the stranger is challenged' });
    await clinic.provision([trunk({ host, port: 5060, match: [third] })]);
    const former = await calling(second);
    await until(() => isChallenged(former), { describe: 'an address taken off the list is challenged' });
    expect(clinic.offered).toEqual([]);
  });

  test('of two clinics with one carrier brings the calls of both, and each calls over its own', async () => {
    const host = ownLoopbackAddress();
    const party = await answering(host);
    await clinic.provision([trunk({ ...party.address }), trunk({ id: 'south.trunk', ...party.address })]);
    await calling(host);
    await until(isOffered, { describe: 'the call is offered' });
    await clinic.control.clear();
    for (const over of ['trunk', 'south.trunk']) await clinic.dial(over);
    await until(() => hasUp(2), { describe: 'the carrier has answered both' });
    expect(party.calls).toHaveLength(2);
    await clinic.provision([trunk({ id: 'south.trunk', ...party.address })]);
    clinic.offered.length = 0;
    await calling(host);
    await until(() => clinic.offered.length > 0, { describe: 'the one that is left brings calls' });
  });

  test('offers its codecs in its order, and its DTMF mode', async () => {
    const host = ownLoopbackAddress();
    const party = await answering(host);
    const offerOf = async (more: Partial<SwitchTrunk>): Promise<readonly string[]> => {
      await clinic.provision([trunk({ host, port: party.address.port, ...more })]);
      await clinic.dial();
      const call = await party.nextCall();
      await clinic.control.clear();
      await call.ended();
      return sdpOf(call);
    };
    const first = await offerOf({ codecs: ['g722', 'alaw', 'ulaw'] });
    expect(first.find((line) => line.startsWith('m=audio'))).toMatch(/RTP\/AVP 9 8 0 101$/);
    expect(first.find((line) => line.includes('telephone-event'))).toBe('a=rtpmap:101 telephone-event/8000');
    // the next call, from what the switch was told a moment ago
    const second = await offerOf({ codecs: ['ulaw', 'g722'], dtmf: 'inband' });
    expect(second.find((line) => line.startsWith('m=audio'))).toMatch(/RTP\/AVP 0 9$/);
    expect(second.some((line) => line.includes('telephone-event'))).toBe(false);
  });

  test('is seen unreachable when it no longer answers OPTIONS, and reachable when it does again', async () => {
    const host = ownLoopbackAddress();
    const party = await answering(host);
    await clinic.provision([trunk({ host, port: party.address.port, qualifySeconds: 1 })]);
    await expectState('reachable', askedWithin);
    const [before] = await clinic.admin.trunkHealth();
    expect(before?.roundTripMs).toBeGreaterThan(0);
    await party.stop();
    await expectState('unreachable', askedWithin);
    const [gone] = await clinic.admin.trunkHealth();
    expect(gone?.since).toBeGreaterThan(before?.since ?? Infinity);
    expect(gone?.roundTripMs).toBeNull();
    await answering(host, party.address.port);
    await expectState('reachable', askedWithin);
  });

  test('is called for 911 though it does not answer OPTIONS, when no other trunk takes the call', async () => {
    const [host, other] = [ownLoopbackAddress(), ownLoopbackAddress()];
    const port = await freeUdpPort(host);
    const refusing = keep(await startCallee(await place(other), 'other carrier', 'mobile', unavailable));
    await clinic.provision([trunk({ host, port, qualifySeconds: onFreeSwitch ? 5 : 3600 }), trunk({ id: 'other', ...refusing.address })], [phone('101', 'password')]);
    await expectState('unreachable', askedWithin);
    await expect(clinic.dial()).rejects.toThrow(/Allocation failed|GATEWAY/);
    const party = await answering(host, port);
    const caller = keep(await startCaller(await place(ownLoopbackAddress()), { to: '911', from: '101', password: 'password' }));
    await (await party.nextCall()).connected();
    expect(refusing.calls).toHaveLength(1);
    await caller.stop();
  });

  test('keeps the addresses it had while its name cannot be looked up', async () => {
    const address = ownLoopbackAddress();
    await clinic.provision([trunk({ host: 'localhost', port: 5060, match: [address] })]);
    await clinic.provision([trunk({ host: 'no-such-carrier.invalid', port: 5060 })]);
    await calling(address);
    await until(() => clinic.offered.length > 0, { describe: 'the call is offered' });
    expect(await clinic.addressesOf('trunk')).toContain('127.0.0.1');
  });

  test('that is not asked is neither reachable nor unreachable', async () => {
    await clinic.provision([trunk({ host: ownLoopbackAddress(), port: 5060 })]);
    expect(await clinic.admin.trunkHealth()).toMatchObject([{ trunk: 'trunk', state: 'unknown', roundTripMs: null }]);
  });
});

describe('while a call over a trunk is up', () => {
  test('the trunk moves: the call goes on, and the next goes to the new host at once', async () => {
    const [first, second] = [await answering(ownLoopbackAddress()), await answering(ownLoopbackAddress())];
    await clinic.provision([trunk({ ...first.address })]);
    await clinic.dial();
    const call = await first.nextCall();
    await call.connected();
    const began = performance.now();
    await clinic.provision([trunk({ ...second.address })]);
    await clinic.dial();
    const next = await second.nextCall();
    expect(performance.now() - began).toBeLessThan(3_000);
    await next.connected();
    expect(call.state()).toBe('connected');
    expect(first.calls).toHaveLength(1);
    // the switch still knows how to end it, and is told when the carrier does
    await call.hangUp();
    await until(async () => (await clinic.control.channels()).length === 1, { describe: 'the first call has ended on the switch' });
  });

  test('the trunk is removed: the call goes on, and there is no next', async () => {
    const party = await answering(ownLoopbackAddress());
    await clinic.provision([trunk({ ...party.address })]);
    const channel = await clinic.dial();
    const call = await party.nextCall();
    await call.connected();
    await clinic.provision([]);
    await expect(clinic.dial()).rejects.toThrow(/Allocation failed|GATEWAY/);
    expect(call.state()).toBe('connected');
    await clinic.control.hangUp(channel);
    await call.ended();
    expect(call.endedBy()).toBe('switch');
    await until(() => clinic.keepsNothing(), { describe: 'nothing of the trunk is kept' });
  });
});

describe('a trunk that registers', () => {
  test('does so when it is made, and takes it back when it is removed', async () => {
    await carrier.provision([], [phone('clinic-7', credentials.password)]);
    await clinic.provision([registering()]);
    await expectState('registered', 10_000);
    const [device] = await carrier.admin.registrations();
    expect(device?.contacts).toMatchObject([{ address: `${clinic.sip.host}:${clinic.sip.port}`, userAgent: 'Frontdesk' }]);
    expect(device?.contacts[0]?.expiresAt).toBeGreaterThan(Date.now() + 600_000);
    await clinic.provision([]);
    await until(async () => (await carrier.admin.registrations())[0]?.contacts.length === 0, { describe: 'the carrier has no registration left' });
    // its password was needed once more for that, and goes with the next change
    await clinic.provision([]);
    await until(() => clinic.keepsNothing(), { describe: 'nothing of the trunk is kept' });
  });

  test('with the wrong password is seen rejected, and registers once it is changed', async () => {
    await carrier.provision([], [phone('clinic-7', credentials.password)]);
    await clinic.provision([registering({ credentials: { ...credentials, password: 'wrong' } })]);
    await expectState('rejected', 10_000);
    await clinic.provision([registering()]);
    await expectState('registered', 10_000);
    expect((await carrier.admin.registrations())[0]?.contacts).toHaveLength(1);
  });

  test('does not when it is told not to, and answers challenges of its calls all the same', async () => {
    await carrier.provision([], [phone('clinic-7', credentials.password)]);
    await clinic.provision([registering({ register: false })]);
    await clinic.dial('trunk', 'clinic-7');
    await until(() => hasUp(), { describe: 'the carrier answers' });
    expect((await carrier.admin.registrations())[0]?.contacts).toEqual([]);
  });
});

describe('a trunk over TLS', () => {
  test('encrypts the audio of its calls, both ways', async () => {
    await carrier.provision([secure(clinic)]);
    await clinic.provision([secure(carrier, { qualifySeconds: 1 })]);
    await expectState('reachable', askedWithin);
    const ours = await clinic.dial();
    await until(() => hasUp(), { describe: 'the carrier answers' });
    const theirs = (await carrier.control.channels())[0]?.id ?? '';
    for (const [side, channel] of [[clinic, ours], [carrier, theirs]] as const) {
      expect(await side.isEncrypted(channel)).toBe(true);
      await side.play(channel);
    }
    for (const [side, channel] of [[clinic, ours], [carrier, theirs]] as const) {
      await until(async () => (await side.packetsIn(channel)) > 20, { describe: 'encrypted audio arrives' });
    }
  });

  test('refuses a call whose audio the carrier would not encrypt', async () => {
    await carrier.provision([secure(clinic, { srtp: false })]);
    await clinic.provision([secure(carrier)]);
    await clinic.dial().catch(() => undefined);
    await until(async () => (await clinic.control.channels()).length === 0, { describe: 'the call has failed' });
    expect(await carrier.control.channels()).toEqual([]);
  });

  test('is not used when the carrier cannot prove who it is', async () => {
    // one that nobody has signed
    const [host, port] = [ownLoopbackAddress(), 5061];
    const files = ensureTlsFiles(mkdtempSync(join(folder, 'stranger-')), host, port, []);
    let [received, closed] = ['', 0];
    const stranger = createServer({ key: readFileSync(files.key), cert: readFileSync(files.certificate) }, (socket) => { socket.on('data', (data) => { received += String(data); }).on('error', () => undefined); })
      .on('connection', (socket: Socket) => { socket.on('close', () => { closed += 1; }); });
    await new Promise<void>((resolve) => { stranger.listen(port, host, resolve); });
    try {
      await clinic.provision([trunk({ host, port, transport: 'tls', srtp: true, qualifySeconds: 1 })]);
      await until(() => closed > 0, { describe: 'the switch goes no further', within: askedWithin });
      // FreeSWITCH waits for an answer as long as SIP allows (RFC 3261 timer F)
      await expectState('unreachable', onFreeSwitch ? 45_000 : askedWithin);
      expect(received).toBe('');
    } finally {
      stranger.close();
    }
  }, 90_000);
});

describe('a desk phone', () => {
  test('is found where it registered, with another password once it has one, and nowhere when it is gone', async () => {
    const at = await place(clinic.sip.host);
    await clinic.provision([], [phone('101', 'first-password'), phone('102', 'unused')]);
    await register(at, '101', 'first-password', 300);
    const [found, other] = await clinic.admin.registrations();
    expect(found).toMatchObject({ device: '101', contacts: [{ address: `${at.local.host}:${at.local.port}` }] });
    expect(found?.contacts[0]?.expiresAt).toBeLessThan(Date.now() + 301_000);
    expect(other).toEqual({ device: '102', contacts: [] });
    expect(await clinic.admin.glimpse()).toEqual([{ ...found, contacts: found?.contacts.map((contact) => ({ ...contact, expiresAt: expect.any(Number) as number })) }, other]);
    await clinic.provision([], [phone('101', 'second-password'), phone('102', 'unused')]);
    await expect(register(at, '101', 'first-password', 300)).rejects.toThrow(/could not register/);
    await register(at, '101', 'second-password', 300);
    const [again] = await clinic.admin.registrations();
    expect(again?.contacts[0]?.since).toBe(found?.contacts[0]?.since);
    await register(at, '101', 'second-password', 0);
    expect((await clinic.admin.registrations())[0]?.contacts).toEqual([]);
  });

  test('that comes and goes is glimpsed, with its address when it comes', async () => {
    const at = await place(clinic.sip.host);
    await clinic.provision([], [phone('101', 'password'), phone('102', 'password')]);
    const glimpsed = async (): Promise<readonly (string | undefined)[]> => (await clinic.admin.glimpse()).map(({ contacts }) => contacts[0]?.address);
    const glimpse = (addresses: readonly (string | undefined)[]): Promise<unknown> =>
      until(async () => JSON.stringify(await glimpsed()) === JSON.stringify(addresses), { describe: `phones are glimpsed at ${addresses.join(' and ')}` });
    expect(await glimpsed()).toEqual([undefined, undefined]);
    await register(at, '102', 'password', 300);
    await glimpse([undefined, `${at.local.host}:${at.local.port}`]);
    await register(at, '102', 'password', 0);
    await glimpse([undefined, undefined]);
  });

  test('that registered is gone when it takes that back, though the switch was told everything anew meanwhile', async () => {
    const [before, after] = [await place(clinic.sip.host), await place(clinic.sip.host)];
    const phones = [phone('101', 'password')];
    await clinic.provision([], phones);
    await register(before, '101', 'password', 300);
    await clinic.provisionAll([], phones);
    const addresses = async (): Promise<readonly string[]> => ((await clinic.admin.registrations())[0]?.contacts ?? []).map(({ address }) => address);
    expect(await addresses()).toEqual([`${before.local.host}:${before.local.port}`]);
    await register(after, '101', 'password', 300);
    expect(await addresses()).toEqual([`${after.local.host}:${after.local.port}`]);
    await register(after, '101', 'password', 0);
    expect(await addresses()).toEqual([]);
  });

  test('that was just made calls under its name, and under another once it has one', async () => {
    const host = ownLoopbackAddress();
    const nameOf = async (name: string): Promise<string | undefined> => {
      await clinic.provision([], [{ ...phone('101', 'password'), callerId: { name, number: '101' } }]);
      clinic.offered.length = 0;
      const caller = keep(await startCaller(await place(host), { to: '102', from: '101', password: 'password' }));
      const called = await until(() => clinic.offered[0]?.name, { describe: 'the call is offered' });
      await caller.stop();
      await clinic.control.clear();
      await until(async () => (await clinic.control.channels()).length === 0, { describe: 'the call has ended' });
      return called;
    };
    expect(await nameOf('Front desk')).toBe('Front desk');
    expect(await nameOf('Nurses')).toBe('Nurses');
  });
});
