// Trunks made, changed and removed on a running switch; carriers are SIPp, and a second Asterisk where it must register or encrypt.
import { mkdtempSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type LocalStack, type RunningAsterisk, startLocalStack } from '../../control-plane/local-stack/local-stack.ts';
import { createAsteriskAdmin, nothingProvisioned, type Provisioned, type SwitchAdmin } from '../../control-plane/media/asterisk/admin/asterisk-admin.ts';
import { type AriClient, connectAri } from '../../control-plane/media/asterisk/ari/ari-client.ts';
import type { SwitchDevice, SwitchSetup, SwitchTrunk, TrunkState } from '../../control-plane/media/switch-setup.ts';
import { answersAfter, unavailable } from '../support/behaviour.ts';
import type { SipCall } from '../support/sip-call.ts';
import { type Party, type Place, register, startCallee, startCaller } from '../support/sip-party.ts';
import { freeUdpPort, ownLoopbackAddress } from '../support/sipp.ts';
import { until } from '../support/until.ts';

interface Switch {
  readonly stack: LocalStack;
  readonly asterisk: RunningAsterisk;
  readonly client: AriClient;
  readonly admin: SwitchAdmin;
  /** The callers of calls that were offered to controllers. */
  readonly offered: string[];
  provisioned: Provisioned;
}

const folder = mkdtempSync(join(tmpdir(), 'frontdesk-trunks-'));
const parties: Party[] = [];
let clinic: Switch;
let carrier: Switch;

const quiet = (): void => undefined;

/** Our side; the carrier's is one that claims each call and answers it. */
const open = async (name: string, bind: string, authorities: readonly string[]): Promise<Switch> => {
  const stack = await startLocalStack({ dataDir: join(folder, name), bind, authorities, need: { asterisk: true, redis: false }, tools: ['sipp'], progress: () => undefined });
  const { asterisk } = stack;
  if (asterisk === undefined) throw new Error('no switch');
  const offered: string[] = [];
  const app = `frontdesk-${name}`;
  let client: AriClient | undefined;
  const connected = await connectAri({
    url: asterisk.url, app, eventFilter: ['StasisStart'], onLink: quiet, log: { info: quiet, warn: quiet, error: quiet },
    onEvent: (event) => {
      if (event.type === 'CallBroadcast') {
        offered.push(event.channel.caller.number);
        if (name === 'carrier') void client?.request('events.claimChannel', { channelId: event.channel.id, application: app });
      }
      if (event.type === 'StasisStart' && event.args[0] === 'inbound') void client?.request('channels.answer', { channelId: event.channel.id });
    },
  });
  if (!connected.ok) throw new Error(connected.message);
  client = connected.client;
  return { stack, asterisk, client, admin: createAsteriskAdmin(client, asterisk.url), offered, provisioned: nothingProvisioned };
};

const trunk = (more: Partial<SwitchTrunk> & Pick<SwitchTrunk, 'host' | 'port'>): SwitchTrunk => ({
  id: 'trunk', transport: 'udp', register: true, match: [], codecs: ['ulaw', 'alaw'], dtmf: 'rfc4733', srtp: false, nat: true, qualifySeconds: 0, ...more,
});
const credentials = { username: 'clinic-7', password: 'carrier-password' };
const registering = (more: Partial<SwitchTrunk> = {}): SwitchTrunk => trunk({ host: carrier.asterisk.sipHost, port: carrier.asterisk.sipPort, credentials, ...more });
const secure = (to: Switch, more: Partial<SwitchTrunk> = {}): SwitchTrunk => trunk({ host: to.asterisk.sipHost, port: to.asterisk.tls.port, transport: 'tls', srtp: true, ...more });
const setup = (trunks: readonly SwitchTrunk[], devices: readonly SwitchDevice[] = []): SwitchSetup =>
  ({ trunks, devices, failsafes: new Map(), emergency: { callerId: '', location: '', trunks: trunks.map(({ id }) => id) } });
const phone = (id: string, password: string): SwitchDevice => ({ id, password, callerId: { name: `Phone ${id}`, number: id } });

const provision = async (on: Switch, trunks: readonly SwitchTrunk[], devices: readonly SwitchDevice[] = []): Promise<void> => {
  // through JSON, as a controller keeps it
  on.provisioned = JSON.parse(JSON.stringify(await on.admin.provision(setup(trunks, devices), on.provisioned, 'changes'))) as Provisioned;
};

const place = async (host: string, port?: number): Promise<Place> => {
  const own = join(folder, `party-${parties.length}-${Date.now()}`);
  mkdirSync(own, { recursive: true });
  return { program: await clinic.stack.tool('sipp'), folder: own, local: { host, port: port ?? (await freeUdpPort(host)) }, remote: { host: clinic.asterisk.sipHost, port: clinic.asterisk.sipPort } };
};
const keep = (party: Party): Party => {
  parties.push(party);
  return party;
};
const answering = async (host: string, port?: number): Promise<Party> => keep(await startCallee(await place(host, port), `carrier at ${host}`, 'mobile', answersAfter(20)));
const calling = async (host: string): Promise<SipCall> => keep(await startCaller(await place(host), { to: '+12025550110', from: '+12025550187' })).nextCall();

/** A call from our switch to a number behind the trunk; its channel's id. */
const dial = async (more: { readonly endpoint?: string } = {}): Promise<string> => {
  const result = await clinic.client.request('channels.originate', { endpoint: more.endpoint ?? 'PJSIP/+12025550199@trunk', app: 'frontdesk-clinic', callerId: '+12025550110', timeout: 10 });
  if (!result.ok) throw new Error(result.message);
  return result.body.id;
};
const hangUp = async (on: Switch): Promise<void> => {
  const all = await on.client.request('channels.list');
  if (all.ok) await Promise.all(all.body.map(({ id }) => on.client.request('channels.hangup', { channelId: id })));
};
const channelsOf = async (on: Switch): Promise<readonly { readonly id: string; readonly state: string; readonly caller: { readonly name: string } }[]> => {
  const all = await on.client.request('channels.list');
  return all.ok ? all.body : [];
};
const variable = async (on: Switch, channelId: string, name: string): Promise<string> => {
  const read = await on.client.request('channels.getChannelVar', { channelId, variable: name });
  return read.ok ? read.body.value : read.message;
};
const expectState = (state: TrunkState, within = 6_000): Promise<unknown> =>
  until(async () => (await clinic.admin.trunkHealth())[0]?.state === state, { describe: `the trunk is ${state}`, within, everyMs: 50 });
const sdpOf = (call: SipCall): readonly string[] => (call.messages.find(({ method }) => method === 'INVITE')?.body ?? '').split(/\r?\n/);

beforeAll(async () => {
  carrier = await open('carrier', ownLoopbackAddress(), []);
  clinic = await open('clinic', ownLoopbackAddress(), [readFileSync(carrier.asterisk.tls.certificate, 'utf8')]);
}, 180_000);
afterEach(async () => {
  await Promise.all([hangUp(clinic), hangUp(carrier)]);
  await Promise.all(parties.splice(0).map((party) => party.stop()));
  await Promise.all([provision(clinic, []), provision(carrier, [])]);
  clinic.offered.length = 0;
});
afterAll(async () => {
  await Promise.all([clinic, carrier].map(async ({ client, stack }) => {
    await client.close();
    await stack.stop();
  }));
  rmSync(folder, { recursive: true, force: true });
});

describe('a trunk known by its address', () => {
  test('brings calls from its host and from each further address, and from nowhere else', async () => {
    const [host, second, third, stranger] = Array.from({ length: 4 }, ownLoopbackAddress) as [string, string, string, string];
    await provision(clinic, [trunk({ host, port: 5060, match: [second, `${third}/32`] })]);
    for (const address of [host, second, third]) {
      clinic.offered.length = 0;
      await calling(address);
      await until(() => clinic.offered.includes('+12025550187'), { describe: `the call from ${address} is offered` });
    }
    clinic.offered.length = 0;
    const refused = await calling(stranger);
    await until(() => refused.messages.some(({ status }) => status === 401), { describe: 'the stranger is challenged' });
    await provision(clinic, [trunk({ host, port: 5060, match: [third] })]);
    const former = await calling(second);
    await until(() => former.messages.some(({ status }) => status === 401), { describe: 'an address taken off the list is challenged' });
    expect(clinic.offered).toEqual([]);
  });

  test('of two clinics with one carrier brings the calls of both, and each calls over its own', async () => {
    const host = ownLoopbackAddress();
    const party = await answering(host);
    await provision(clinic, [trunk({ ...party.address }), trunk({ id: 'south.trunk', ...party.address })]);
    await calling(host);
    await until(() => clinic.offered.includes('+12025550187'), { describe: 'the call is offered' });
    await hangUp(clinic);
    const ids = [await dial(), await dial({ endpoint: 'PJSIP/+12025550199@south.trunk' })];
    await until(async () => (await channelsOf(clinic)).filter(({ id, state }) => ids.includes(id) && state === 'Up').length === 2, { describe: 'the carrier has answered both' });
    expect(party.calls).toHaveLength(2);
    await provision(clinic, [trunk({ id: 'south.trunk', ...party.address })]);
    clinic.offered.length = 0;
    await calling(host);
    await until(() => clinic.offered.length > 0, { describe: 'the one that is left brings calls' });
  });

  test('offers its codecs in its order, and its DTMF mode', async () => {
    const host = ownLoopbackAddress();
    const party = await answering(host);
    const offerOf = async (more: Partial<SwitchTrunk>): Promise<readonly string[]> => {
      await provision(clinic, [trunk({ host, port: party.address.port, ...more })]);
      await dial();
      const call = await party.nextCall();
      await hangUp(clinic);
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
    await provision(clinic, [trunk({ host, port: party.address.port, qualifySeconds: 1 })]);
    await expectState('reachable');
    const [before] = await clinic.admin.trunkHealth();
    expect(before?.roundTripMs).toBeGreaterThan(0);
    await party.stop();
    await expectState('unreachable', 8_000);
    const [gone] = await clinic.admin.trunkHealth();
    expect(gone?.since).toBeGreaterThan(before?.since ?? Infinity);
    expect(gone?.roundTripMs).toBeNull();
    await answering(host, party.address.port);
    await expectState('reachable', 8_000);
  });

  test('is called for 911 though it does not answer OPTIONS, when no other trunk takes the call', async () => {
    const [host, other] = [ownLoopbackAddress(), ownLoopbackAddress()];
    const port = await freeUdpPort(host);
    const refusing = keep(await startCallee(await place(other), 'other carrier', 'mobile', unavailable));
    await provision(clinic, [trunk({ host, port, qualifySeconds: 3600 }), trunk({ id: 'other', ...refusing.address })], [phone('101', 'password')]);
    await expectState('unreachable', 8_000);
    await expect(dial()).rejects.toThrow(/Allocation failed/);
    const party = await answering(host, port);
    const caller = keep(await startCaller(await place(ownLoopbackAddress()), { to: '911', from: '101', password: 'password' }));
    await (await party.nextCall()).connected();
    expect(refusing.calls).toHaveLength(1);
    await caller.stop();
  });

  test('keeps the addresses it had while its name cannot be looked up', async () => {
    const address = ownLoopbackAddress();
    await provision(clinic, [trunk({ host: 'localhost', port: 5060, match: [address] })]);
    await provision(clinic, [trunk({ host: 'no-such-carrier.invalid', port: 5060 })]);
    await calling(address);
    await until(() => clinic.offered.length > 0, { describe: 'the call is offered' });
    expect(clinic.provisioned.objects.filter(({ type }) => type === 'identify').map(({ id }) => id)).toContain('trunk~127.0.0.1');
  });

  test('that is not asked is neither reachable nor unreachable', async () => {
    await provision(clinic, [trunk({ host: ownLoopbackAddress(), port: 5060 })]);
    expect(await clinic.admin.trunkHealth()).toMatchObject([{ trunk: 'trunk', state: 'unknown', roundTripMs: null }]);
  });
});

describe('while a call over a trunk is up', () => {
  test('the trunk moves: the call goes on, and the next goes to the new host within a second', async () => {
    const [first, second] = [await answering(ownLoopbackAddress()), await answering(ownLoopbackAddress())];
    await provision(clinic, [trunk({ ...first.address })]);
    await dial();
    const call = await first.nextCall();
    await call.connected();
    const began = performance.now();
    await provision(clinic, [trunk({ ...second.address })]);
    await dial();
    const next = await second.nextCall();
    expect(performance.now() - began).toBeLessThan(1_000);
    await next.connected();
    expect(call.state()).toBe('connected');
    expect(first.calls).toHaveLength(1);
    // the switch still knows how to end it, and is told when the carrier does
    await call.hangUp();
    await until(async () => (await channelsOf(clinic)).length === 1, { describe: 'the first call has ended on the switch' });
  });

  test('the trunk is removed: the call goes on, and there is no next', async () => {
    const party = await answering(ownLoopbackAddress());
    await provision(clinic, [trunk({ ...party.address })]);
    const channel = await dial();
    const call = await party.nextCall();
    await call.connected();
    await provision(clinic, []);
    await expect(dial()).rejects.toThrow(/Allocation failed/);
    expect(call.state()).toBe('connected');
    await clinic.client.request('channels.hangup', { channelId: channel });
    await call.ended();
    expect(call.endedBy()).toBe('switch');
    expect(await clinic.asterisk.cli('database show endpoints')).toContain('0 results');
    expect(await clinic.asterisk.cli('database show identifies')).toContain('0 results');
  });
});

describe('a trunk that registers', () => {
  test('does so when it is made, and takes it back when it is removed', async () => {
    await provision(carrier, [], [phone('clinic-7', credentials.password)]);
    await provision(clinic, [registering()]);
    await expectState('registered', 10_000);
    const [device] = await carrier.admin.registrations();
    expect(device?.contacts).toMatchObject([{ address: `${clinic.asterisk.sipHost}:${clinic.asterisk.sipPort}`, userAgent: 'Frontdesk' }]);
    expect(device?.contacts[0]?.expiresAt).toBeGreaterThan(Date.now() + 600_000);
    await provision(clinic, []);
    await until(async () => (await carrier.admin.registrations())[0]?.contacts.length === 0, { describe: 'the carrier has no registration left' });
    // its password was needed once more for that, and goes with the next change
    await provision(clinic, []);
    expect(await clinic.asterisk.cli('database show auths')).toContain('0 results');
  });

  test('with the wrong password is seen rejected, and registers once it is changed', async () => {
    await provision(carrier, [], [phone('clinic-7', credentials.password)]);
    await provision(clinic, [registering({ credentials: { ...credentials, password: 'wrong' } })]);
    await expectState('rejected', 10_000);
    await provision(clinic, [registering()]);
    await expectState('registered', 10_000);
    expect((await carrier.admin.registrations())[0]?.contacts).toHaveLength(1);
  });

  test('does not when it is told not to, and answers challenges of its calls all the same', async () => {
    await provision(carrier, [], [phone('clinic-7', credentials.password)]);
    await provision(clinic, [registering({ register: false })]);
    await clinic.client.request('channels.originate', { endpoint: 'PJSIP/+12025550199@trunk', app: 'frontdesk-clinic', callerId: '<clinic-7>', timeout: 10 });
    await until(async () => (await channelsOf(clinic)).some(({ state }) => state === 'Up'), { describe: 'the carrier answers' });
    expect((await carrier.admin.registrations())[0]?.contacts).toEqual([]);
  });
});

describe('a trunk over TLS', () => {
  test('encrypts the audio of its calls, both ways', async () => {
    await provision(carrier, [secure(clinic)]);
    await provision(clinic, [secure(carrier, { qualifySeconds: 1 })]);
    await expectState('reachable');
    const ours = await dial();
    await until(async () => (await channelsOf(clinic)).some(({ state }) => state === 'Up'), { describe: 'the carrier answers' });
    const theirs = (await channelsOf(carrier))[0]?.id ?? '';
    for (const [on, channel] of [[clinic, ours], [carrier, theirs]] as const) {
      expect(await variable(on, channel, 'CHANNEL(pjsip,secure)')).toBe('1');
      expect(await variable(on, channel, 'CHANNEL(rtp,secure)')).toBe('1');
      await on.client.request('channels.play', { channelId: channel, media: ['tone:ring'] });
    }
    // a packet whose authentication fails is not counted
    for (const [on, channel] of [[clinic, ours], [carrier, theirs]] as const) {
      await until(async () => Number(await variable(on, channel, 'CHANNEL(rtcp,rxcount)')) > 20, { describe: 'encrypted audio arrives' });
    }
  });

  test('refuses a call whose audio the carrier would not encrypt', async () => {
    await provision(carrier, [secure(clinic, { srtp: false })]);
    await provision(clinic, [secure(carrier)]);
    await dial();
    await until(async () => (await channelsOf(clinic)).length === 0, { describe: 'the call has failed' });
    expect(await channelsOf(carrier)).toEqual([]);
  });

  test('is not used when the carrier cannot prove who it is', async () => {
    // the carrier trusts no certificate that nobody signed
    await provision(clinic, [secure(carrier)]);
    await provision(carrier, [secure(clinic, { qualifySeconds: 1 })]);
    await until(async () => (await carrier.admin.trunkHealth())[0]?.state === 'unreachable', { describe: 'the clinic is not trusted', within: 8_000 });
    expect(readFileSync(carrier.asterisk.logFile, 'utf8')).toMatch(/certificate/i);
  });
});

describe('a desk phone', () => {
  test('is found where it registered, with another password once it has one, and nowhere when it is gone', async () => {
    const at = await place(clinic.asterisk.sipHost);
    await provision(clinic, [], [phone('101', 'first-password'), phone('102', 'unused')]);
    await register(at, '101', 'first-password', 300);
    const [found, other] = await clinic.admin.registrations();
    expect(found).toMatchObject({ device: '101', contacts: [{ address: `${at.local.host}:${at.local.port}` }] });
    expect(found?.contacts[0]?.expiresAt).toBeLessThan(Date.now() + 301_000);
    expect(other).toEqual({ device: '102', contacts: [] });
    expect(await clinic.admin.glimpse()).toEqual([found, other]);
    await provision(clinic, [], [phone('101', 'second-password'), phone('102', 'unused')]);
    await expect(register(at, '101', 'first-password', 300)).rejects.toThrow(/could not register/);
    await register(at, '101', 'second-password', 300);
    const [again] = await clinic.admin.registrations();
    expect(again?.contacts[0]?.since).toBe(found?.contacts[0]?.since);
    await register(at, '101', 'second-password', 0);
    expect((await clinic.admin.registrations())[0]?.contacts).toEqual([]);
  });

  test('that comes and goes is glimpsed, with its address when it comes', async () => {
    const at = await place(clinic.asterisk.sipHost);
    await provision(clinic, [], [phone('101', 'password'), phone('102', 'password')]);
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
    const [before, after] = [await place(clinic.asterisk.sipHost), await place(clinic.asterisk.sipHost)];
    const phones = [phone('101', 'password')];
    await provision(clinic, [], phones);
    await register(before, '101', 'password', 300);
    clinic.provisioned = await clinic.admin.provision(setup([], phones), clinic.provisioned);
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
      await provision(clinic, [], [{ ...phone('101', 'password'), callerId: { name, number: '101' } }]);
      const caller = keep(await startCaller(await place(host), { to: '102', from: '101', password: 'password' }));
      await until(async () => (await channelsOf(clinic)).length === 1, { describe: 'the call is on the switch' });
      const called = (await channelsOf(clinic))[0]?.caller.name;
      await caller.stop();
      await hangUp(clinic);
      await until(async () => (await channelsOf(clinic)).length === 0, { describe: 'the call has ended' });
      return called;
    };
    expect(await nameOf('Front desk')).toBe('Front desk');
    expect(await nameOf('Nurses')).toBe('Nurses');
  });
});
