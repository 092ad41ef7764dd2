/** Two switches as one beside calls: phones, trunks, who logs in, calls of our own, recordings. */
import { describe, expect, it, vi } from 'vitest';
import { supervisionId, syntheticId } from '../../control-plane/core/ids.ts';
import { type MediaHandlers } from '../../control-plane/media/media-driver.ts';
import { type AdminSide } from '../../control-plane/media/side-by-side/compose-admins.ts';
import { sideBySide } from '../../control-plane/media/side-by-side/side-by-side.ts';
import type { BesideAnother, SeenLogins, StoredRecordings, SupervisorCall, SwitchAdmin } from '../../control-plane/media/switch-admin.ts';
import type { DeviceRegistration, SwitchSetup, SwitchTrunk, TrunkHealth } from '../../control-plane/media/switch-setup.ts';
import { until } from '../support/until.ts';

const trunk = (id: string, more: Partial<SwitchTrunk> = {}): SwitchTrunk => ({ id, host: '192.0.2.1', port: 5060, transport: 'udp', register: false, match: [], codecs: ['ulaw'], dtmf: 'rfc4733', srtp: false, nat: true, qualifySeconds: 0, ...more });
const setup: SwitchSetup = {
  devices: ['101', '102'].map((id) => ({ id, password: 'x', callerId: { name: '', number: id } })), failsafes: new Map(), emergency: { callerId: '', location: '', trunks: [] },
  trunks: [trunk('plain'), trunk('registers', { register: true }), trunk('there', { register: true, switch: 'freeswitch' })],
};

describe('What two switches know by themselves', () => {
  const kinds = ['asterisk', 'freeswitch'] as const;
  type Kind = (typeof kinds)[number];

  function open() {
    const handlers: Partial<Record<Kind, MediaHandlers>> = {};
    const asked: string[] = [];
    const given: Partial<Record<Kind, SwitchSetup>> = {};
    const supervised: { on: Kind; call: SupervisorCall }[] = [];
    const phones: Record<Kind, readonly string[]> = { asterisk: ['101'], freeswitch: ['102'] };
    const health: Record<Kind, readonly TrunkHealth[]> = { asterisk: [], freeswitch: [] };
    const recorded: Record<Kind, readonly string[]> = { asterisk: ['1700000000.1--r1'], freeswitch: ['f81d4fae-7dec-11d0-a765-00a0c91e6bf6--c1-caller'] };
    const tried: Record<Kind, SeenLogins> = { asterisk: { logins: [], problem: null }, freeswitch: { logins: [], problem: null } };
    const refuses = new Set<Kind>();
    const looked: string[] = [];
    const reaches: Record<Kind, boolean> = { asterisk: true, freeswitch: true };
    const note = (kind: Kind, what: string): void => void asked.push(`${kind} ${what}`);
    const adminOf = (kind: Kind): SwitchAdmin & BesideAnother => {
      const registrations = (): Promise<readonly DeviceRegistration[]> => Promise.resolve(setup.devices.map(({ id }) => ({ device: id, contacts: phones[kind].includes(id) ? [{ address: `192.0.2.1:${id}`, userAgent: kind, expiresAt: 0, since: kind === 'asterisk' ? 1 : 2 }] : [] })));
      return {
        provision: (wanted, before) => {
          given[kind] = wanted;
          return Promise.resolve({ kind, before });
        },
        transfers: () => Promise.resolve(kind === 'asterisk' ? { allowed: false, why: 'it is old' } : { allowed: true }),
        trunkHealth: () => Promise.resolve(health[kind]),
        trunkAddresses: () => Promise.resolve(['192.0.2.1']),
        registrations, glimpse: registrations,
        logins: () => Promise.resolve(tried[kind]),
        ban: (bans) => (refuses.has(kind) ? Promise.reject(new Error('it has no script')) : Promise.resolve(note(kind, `bans ${bans.map(({ address }) => address).join()}`))),
        takeNotes: (keep) => keep({ kind: 'failsafe', at: 1, from: kind, dialled: '', outcome: '', trunk: '' }),
        callOurselves: (callId) => Promise.resolve(note(kind, callId)).then(() => 'placed' as const),
        beginCallback: ({ callId }) => Promise.resolve(note(kind, callId)).then(() => 'begun' as const),
        callSupervisor: (call) => Promise.resolve(void supervised.push({ on: kind, call })).then(() => 'rings' as const),
        endSupervisor: (callId) => Promise.resolve(note(kind, `ends ${callId}`)).then(() => kind === 'freeswitch'),
        callAsTest: ({ callId }) => Promise.resolve(note(kind, callId)).then(() => 'placed' as const),
        endTest: (callId) => Promise.resolve(note(kind, `ends ${callId}`)),
        packetsOf: () => Promise.resolve({ received: kinds.indexOf(kind), sent: 0 }),
        process: () => Promise.resolve(kind), reaches: () => Promise.resolve(looked.push(`${kind} looks`)).then(() => reaches[kind]),
        relayed: (peer) => Promise.resolve([`leg ${peer}`]), endRelayed: (legs) => Promise.resolve(void looked.push(`${kind} ends ${legs.join()}`)),
      };
    };
    const driverOf = (kind: Kind): AdminSide['driver'] => ({
      start: (own) => {
        handlers[kind] = own;
        own.onLink('up', 'connected');
        return Promise.resolve();
      },
      accept: () => undefined, execute: () => Promise.resolve({ ok: true }), snapshot: () => Promise.resolve({ calls: [] }), adopt: () => Promise.resolve(), stop: () => Promise.resolve(),
      health: () => ({ link: 'up', inFlight: 1, version: kind === 'asterisk' ? '22.10.1' : '1.11.1' }), connects: () => 1, admin: adminOf(kind),
    });
    const recordingsOf = (kind: Kind): StoredRecordings => ({
      list: () => Promise.resolve(recorded[kind]),
      fetch: (name) => Promise.resolve(note(kind, `fetches ${name}`)).then(() => recorded[kind].includes(name)),
      remove: (name) => Promise.resolve(note(kind, `removes ${name}`)),
    });
    const sides = kinds.map((kind) => ({
      kind, name: kind, driver: driverOf(kind), recordings: recordingsOf(kind), names: (id: string) => (kind === 'asterisk' ? /^\d+\.\d+$/ : /^[0-9a-f-]{36}$/).test(id),
      over: `to-${kind === 'asterisk' ? 'freeswitch' : 'asterisk'}`, peer: trunk(`to-${kind === 'asterisk' ? 'freeswitch' : 'asterisk'}`, { host: kind === 'asterisk' ? '192.0.2.9' : '192.0.2.8' }),
    }) satisfies AdminSide & { recordings: StoredRecordings });
    const both = sideBySide(sides, { log: { warn: () => undefined } });
    return { ...both, asked, given, tried, refuses, reaches, looked, supervised, phones, health, goes: (kind: Kind) => { handlers[kind]?.onLink('down', 'lost'); }, comes: (kind: Kind) => { handlers[kind]?.onLink('up', 'connected'); } };
  }
  async function opened() {
    const one = open();
    await one.driver.start({ onOffer: () => undefined, onLegEvent: () => undefined, onLink: () => undefined });
    return one;
  }

  it('is who logs in at either, and who is banned on both', async () => {
    const { driver, tried, refuses, asked, goes } = await opened();
    tried.asterisk = { logins: [], problem: 'the log cannot be read' };
    tried.freeswitch = { logins: [{ kind: 'failed', address: '192.0.2.66', endpoint: '102' }], problem: null };
    expect(await driver.admin.logins()).toEqual({ logins: tried.freeswitch.logins, problem: 'asterisk: the log cannot be read' });
    const bans = [{ address: '192.0.2.66', until: 1 }];
    await driver.admin.ban(bans);
    expect(asked.splice(0)).toEqual(['asterisk bans 192.0.2.66', 'freeswitch bans 192.0.2.66']);
    refuses.add('asterisk');
    await expect(driver.admin.ban(bans)).rejects.toThrow('asterisk: it has no script');
    expect(asked.splice(0)).toEqual(['freeswitch bans 192.0.2.66']);
    // told when it is back
    goes('asterisk');
    await driver.admin.ban(bans);
    expect(asked).toEqual(['freeswitch bans 192.0.2.66']);
  });

  it('is the same, but that a trunk registers with one of them', async () => {
    const { driver, given } = await opened();
    const now = await driver.admin.provision(setup, { asterisk: { a: 1 } });
    expect(now).toEqual({ asterisk: { kind: 'asterisk', before: { a: 1 } }, freeswitch: { kind: 'freeswitch', before: null } });
    const registering = (kind: Kind): readonly string[] => given[kind]?.trunks.map(({ id, register }) => `${id} ${register}`) ?? [];
    expect([registering('asterisk'), registering('freeswitch')]).toEqual([['plain false', 'registers true', 'there false'], ['plain false', 'registers false', 'there true']]);
    expect(kinds.map((kind) => given[kind]?.peer?.id)).toEqual(['to-freeswitch', 'to-asterisk']);
    expect(given.freeswitch?.devices).toEqual(setup.devices);
  });

  it('is written to the one that is there, and what the other was told before is remembered', async () => {
    const { driver, goes, given } = await opened();
    goes('freeswitch');
    expect(await driver.admin.provision(setup, { asterisk: null, freeswitch: { b: 2 } })).toEqual({ asterisk: { kind: 'asterisk', before: null }, freeswitch: { b: 2 } });
    expect(given.freeswitch).toBeUndefined();
    expect(driver.problems()).toEqual([expect.stringMatching(/^freeswitch is away, .*: lost$/)]);
    expect(driver.health()).toEqual({ link: 'up', inFlight: 2, version: '22.10.1 and 1.11.1' });
  });

  it('is asked of both, and of one that is away what it said last', async () => {
    const { driver, goes, phones } = await opened();
    await driver.admin.provision(setup, null);
    const agents = async (): Promise<readonly (string | undefined)[]> => (await driver.admin.registrations()).map(({ contacts }) => contacts[0]?.userAgent);
    expect(await agents()).toEqual(['asterisk', 'freeswitch']);
    phones.freeswitch = ['101', '102'];
    expect(await agents(), 'a phone that has moved is where it came last').toEqual(['freeswitch', 'freeswitch']);
    phones.freeswitch = [];
    goes('freeswitch');
    expect(await agents()).toEqual(['freeswitch', 'freeswitch']);
    expect(await driver.admin.transfers('auto')).toEqual({ allowed: false, why: 'on asterisk, it is old' });
    expect(await driver.admin.trunkAddresses()).toEqual(['192.0.2.9', '192.0.2.8', '192.0.2.1']);
  });

  it('of a trunk: how it does where it registers, and where it does not the worse of the two', async () => {
    const { driver, health } = await opened();
    await driver.admin.provision(setup, null);
    const of = (states: readonly TrunkHealth['state'][]): readonly TrunkHealth[] => setup.trunks.map(({ id }, i) => ({ trunk: id, state: states[i] ?? 'unknown', since: 1, roundTripMs: null }));
    health.asterisk = of(['reachable', 'registered', 'unknown']);
    health.freeswitch = of(['unreachable', 'rejected', 'registered']);
    expect((await driver.admin.trunkHealth()).map(({ state }) => state)).toEqual(['unreachable', 'registered', 'registered']);
  });

  it('places a call to ourselves on each, and other calls where one is there', async () => {
    const { driver, asked, goes } = await opened();
    const ids = ['aa', 'bb'].map((unique) => syntheticId(unique, 'main'));
    for (const [i, { admin }] of driver.admin.each.entries()) await admin.callOurselves(ids[i] ?? '');
    expect(asked).toEqual([`asterisk ${ids[0]}`, `freeswitch ${ids[1]}`]);
    asked.length = 0;
    goes('asterisk');
    await driver.admin.callAsTest({ callId: 'fdtest-cc.main', dialled: '+1', caller: { number: '', name: '' }, said: 'tone:beep' });
    await driver.admin.endTest('fdtest-cc.main');
    expect(asked).toEqual(['freeswitch fdtest-cc.main', 'freeswitch ends fdtest-cc.main']);
    expect([await driver.admin.packetsOf('1700000000.1--l1'), await driver.admin.packetsOf('f81d4fae-7dec-11d0-a765-00a0c91e6bf6'), await driver.admin.packetsOf('fdtest-dd.main')]).toEqual([{ received: 0, sent: 0 }, { received: 1, sent: 0 }, null]);
    goes('freeswitch');
    await expect(driver.admin.beginCallback({ callId: 'fdcallback-ee.main', dialled: '+1', number: '+2' })).rejects.toThrow('no link');
  });

  it('rings a supervisor on the switch of the call, over the other where the phone is there', async () => {
    const { driver, supervised, asked } = await opened();
    await driver.admin.provision(setup, null);
    await driver.admin.glimpse();
    const callId = supervisionId('aa', 'main');
    const call = { callId, extension: '1', shown: { number: '1', name: '' }, ringMs: 1000, besides: 'f81d4fae-7dec-11d0-a765-00a0c91e6bf6--l1' };
    await driver.admin.callSupervisor({ ...call, phone: '102' });
    await driver.admin.callSupervisor({ ...call, phone: '101' });
    await driver.admin.callSupervisor({ ...call, phone: '102', besides: '1700000000.1' });
    expect(supervised.map(({ on, call: { over } }) => [on, over])).toEqual([['freeswitch', undefined], ['freeswitch', 'to-asterisk'], ['asterisk', 'to-freeswitch']]);
    await driver.admin.endSupervisor(callId);
    expect(asked, 'where it was placed last').toEqual([`asterisk ends ${callId}`]);
    expect(await driver.admin.endSupervisor(supervisionId('bb', 'main'))).toBe(true);
  });

  it('is asked whether the one that is away is dead, and legs to that are ended', async () => {
    const { driver, looked, goes, comes, reaches } = await opened();
    goes('freeswitch');
    await until(() => looked.length > 0, { describe: 'it is looked' });
    comes('freeswitch');
    expect(looked).toEqual(['asterisk looks']);
    reaches.freeswitch = false;
    goes('asterisk');
    await until(() => looked.length > 2, { describe: 'it is found dead' });
    expect(looked.slice(1)).toEqual(['freeswitch looks', 'freeswitch ends leg to-asterisk']);
    await driver.stop();
  });

  it('is not asked for anything any more once it is stopped', async () => {
    const { driver, looked, goes } = await opened();
    vi.useFakeTimers();
    try {
      goes('freeswitch');
      await vi.advanceTimersByTimeAsync(3000);
      expect(looked.length).toBeGreaterThan(1);
      await driver.stop();
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it('finds a recording with the switch that made it', async () => {
    const { recordings, asked, goes } = await opened();
    expect(await recordings.list()).toEqual(['1700000000.1--r1', 'f81d4fae-7dec-11d0-a765-00a0c91e6bf6--c1-caller']);
    expect(await recordings.fetch('f81d4fae-7dec-11d0-a765-00a0c91e6bf6--c1-caller', '/dev/null')).toBe(true);
    await recordings.remove('1700000000.1--r1');
    expect(await recordings.fetch('fdtest-aa.main--c1', '/dev/null')).toBe(false);
    expect(asked).toEqual(['freeswitch fetches f81d4fae-7dec-11d0-a765-00a0c91e6bf6--c1-caller', 'asterisk removes 1700000000.1--r1', 'asterisk fetches fdtest-aa.main--c1', 'freeswitch fetches fdtest-aa.main--c1']);
    goes('asterisk');
    expect(await recordings.list()).toEqual(['f81d4fae-7dec-11d0-a765-00a0c91e6bf6--c1-caller']);
  });
});
