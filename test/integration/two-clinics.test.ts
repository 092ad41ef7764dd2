/**
 * Two clinics on one switch, each with extensions 101 and 102 and a trunk “carrier”: neither rings, records, or is told
 * anything of the other's, with a controller, after its restart, and without one.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Cdr } from '../../control-plane/core/cdr/cdr.ts';
import { answersAfter, rings } from '../support/behaviour.ts';
import { noticesIn } from '../support/controller-data.ts';
import type { Controller } from '../support/controller.ts';
import type { SipCall } from '../support/sip-call.ts';
import type { Party } from '../support/sip-party.ts';
import { openSite, passwordOf, SITE_START_MS, type Caller, type Site } from '../support/site.ts';
import { stays, until } from '../support/until.ts';

const CALLER = '+13035550177';
const FAILSAFE = '+13035550911';
const MOBILE = '+13035550400';

/** `user` is what an extension logs in as; `trunk` is the site's name for what both call “carrier”. */
const clinics = {
  north: { number: '+12025550110', mobileLine: '+12025550111', at: '1 North Street', trunk: 'carrier-n', user: (extension: string) => extension },
  south: { number: '+13125550110', mobileLine: '+13125550111', at: '9 South Street', trunk: 'carrier-s', user: (extension: string) => `south.${extension}` },
} as const;
type Name = keyof typeof clinics;
const names = ['north', 'south'] as const;
const other = (name: Name): Name => (name === 'north' ? 'south' : 'north');

let site: Site;
let controller: Controller;
const keys = new Map<Name | 'agency', string>();
const dataDir = (): string => join(site.folder, 'controller');

const documentsOf = (name: Name): readonly object[] => {
  const { number, mobileLine, at, trunk, user } = clinics[name];
  const document = (kind: string, id: string, body: object): object => ({ account: name, kind, id, body });
  const line = { callConnect: 'off', failsafe: FAILSAFE, recording: 'force', voicemail: { enabled: false } };
  return [
    document('account', name, { name: `${name} clinic`, emergency: { location: 'reception', address: at, callerId: number, trunks: ['carrier'], notify: [`desk@${name}.example`] } }),
    document('trunk', 'carrier', { ...site.trunkAddress(trunk), register: false }),
    document('user', 'ann', { name: 'Ann' }),
    document('user', 'bob', { name: 'Bob' }),
    document('user', 'eve', { name: 'Eve' }),
    document('device', 'desk', { user: 'ann', extension: '101', label: 'desk', password: passwordOf(user('101')) }),
    document('device', 'lab', { user: 'bob', extension: '102', label: 'lab', password: passwordOf(user('102')) }),
    document('device', 'cell', { user: 'eve', mobile: MOBILE, label: 'cell' }),
    document('number', 'main', { ...line, e164: number, name: 'Main', users: ['ann'] }),
    document('number', 'mobile', { ...line, e164: mobileLine, name: 'Mobile', users: ['eve'] }),
  ];
};

const ask = async <T>(key: Name | 'agency', method: string, path: string, body?: unknown): Promise<T> => {
  const response = await fetch(`${controller.httpUrl}/api/v1${path}`, {
    method, headers: { authorization: `Bearer ${keys.get(key) ?? ''}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) }, ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return JSON.parse(text) as T;
};
const start = async (): Promise<void> => { controller = await site.startController({ planFile: '', dataDir: dataDir() }); };

beforeAll(async () => {
  site = await openSite({ trunks: names.map((name) => clinics[name].trunk) });
  await start();
  keys.set('agency', controller.output().match(/\bfd_[0-9a-f]{12}_[0-9a-f]{48}\b/)?.[0] ?? expect.fail('the first key was not shown'));
  await ask('agency', 'POST', '/documents', { documents: names.flatMap(documentsOf) });
  await until(() => site.switch.knowsEmergencyOf('south.102'), { describe: 'the switch knows the second clinic', within: 10_000, everyMs: 50 });
  for (const name of names) keys.set(name, (await ask<{ secret: string }>('agency', 'POST', '/api-keys', { name, role: 'account-admin', account: name })).secret);
}, SITE_START_MS);
afterEach(() => site.afterTest());
afterAll(() => site.close());

/** Phones 101 and 102 of the clinic, silent until told. */
const phonesOf = (name: Name): Promise<readonly [Party, Party]> => {
  const { user } = clinics[name];
  return Promise.all([site.phone(user('101')), site.phone(user('102'))]);
};
const cdrsOf = async (name: Name): Promise<readonly Cdr[]> => (await ask<{ items: readonly Cdr[] }>(name, 'GET', `/accounts/${name}/calls`)).items;
/** The clinic's next record, newest first, once it is there. */
const nextCdr = async (name: Name, known: number): Promise<Cdr> =>
  until(async () => (await cdrsOf(name)).at(known === 0 ? -1 : -known - 1), { describe: `${name} has a record of the call`, within: 10_000 });
const talk = async (caller: Caller, callee: SipCall): Promise<void> => {
  await callee.answer();
  await until(() => caller.call.state() === 'connected' && callee.state() === 'connected', { describe: 'both are connected', within: 5_000 });
  callee.play(700);
  await until(() => caller.call.hears(700), { describe: 'both talk' });
  callee.play('silence');
};
/** 102 of the clinic rings, called by its 101. */
const ringing = async (name: Name): Promise<{ readonly caller: Caller; readonly call: SipCall }> => {
  const [, phone] = await phonesOf(name);
  const caller = await site.callFromPhone(clinics[name].user('101'), { to: '102' });
  return { caller, call: await phone.nextCall() };
};
/** Answered at once, and hung up by the one who is called. */
const answers = answersAfter(50, { hangUpAfterMs: 400 });

describe('Each of two clinics with the same extensions', () => {
  test('registers its own phones, and sees them alone', async () => {
    await expect(site.phone('south.101', rings(), { password: passwordOf('101') })).rejects.toThrow('could not register');
    for (const name of names) {
      await phonesOf(name);
      const { items } = await ask<{ items: readonly { account: string; kind: string; id: string; state: string }[] }>(name, 'GET', '/registrations');
      expect(items.map(({ account, kind, id, state }) => `${account} ${kind} ${id} ${state}`)).toEqual([`${name} trunk carrier unknown`, `${name} device 101 registered`, `${name} device 102 registered`]);
      expect(await ask(name, 'GET', `/accounts/${name}/devices/desk/credentials`)).toEqual({ username: clinics[name].user('101'), password: passwordOf(clinics[name].user('101')) });
    }
  });

  test.each(names)('has its number ring its own phone: %s, on record there alone', async (name) => {
    const [mine, ...silent] = (await Promise.all([phonesOf(name), phonesOf(other(name))])).flat() as [Party, ...Party[]];
    const before = (await cdrsOf(name)).length;
    const othersBefore = (await cdrsOf(other(name))).length;
    const caller = await site.call({ from: CALLER, to: clinics[name].number, sound: 620 }, clinics[name].trunk);
    const call = await mine.nextCall();
    await talk(caller, call);
    await until(() => call.hears(620), { describe: 'they hear each other' });
    await stays(() => call.state() === 'connected', { describe: 'some of it is recorded', forMs: 600 });
    await caller.call.hangUp();
    expect([mine.calls.length, ...silent.map(({ calls }) => calls.length)]).toEqual([1, 0, 0, 0]);

    const cdr = await nextCdr(name, before);
    expect(cdr).toMatchObject({ account: name, disposition: 'answered', legs: [{ user: 'ann', target: { kind: 'device', device: '101' } }] });
    expect(await cdrsOf(other(name))).toHaveLength(othersBefore);
    const recordings = await until(async () => {
      const { items } = await ask<{ items: readonly { callId: string }[] }>(name, 'GET', `/accounts/${name}/recordings`);
      return items.length > 0 ? items : undefined;
    }, { describe: 'the recording is there', within: 15_000 });
    expect(recordings.map(({ callId }) => callId)).toContain(cdr.callId);
    const others = await ask<{ items: readonly { callId: string }[] }>(other(name), 'GET', `/accounts/${other(name)}/recordings`);
    expect(others.items.map(({ callId }) => callId)).not.toContain(cdr.callId);
    expect(JSON.stringify(await ask(name, 'GET', `/accounts/${name}/calls/${cdr.callId}`))).not.toContain('south.');
  });

  test.each(names)('has 102 dialled on 101 ring its own 102, which shows 101: %s', async (name) => {
    const [[, mine], [, theirs]] = await Promise.all([phonesOf(name), phonesOf(other(name))]);
    const before = (await cdrsOf(name)).length;
    const caller = await site.callFromPhone(clinics[name].user('101'), { to: '102' });
    const call = await mine.nextCall();
    expect(call.callerId()).toMatchObject({ number: '101', name: 'desk' });
    await talk(caller, call);
    await caller.call.hangUp();
    await call.ended();
    expect(theirs.calls).toEqual([]);
    expect(await nextCdr(name, before)).toMatchObject({
      account: name, origin: 'phone', caller: { number: '101', name: 'desk' }, dialled: '102', number: { e164: '102', label: 'Bob, lab' },
      disposition: 'answered', legs: [{ user: 'bob', target: { kind: 'device', device: '102' } }],
    });
    expect((await cdrsOf(other(name))).filter(({ dialled, startedAt }) => dialled === '102' && startedAt >= (caller.call.at('ringing') ?? 0))).toEqual([]);
  });

  test.each(names)('calls its mobiles over its own carrier: %s', async (name) => {
    const carrier = await site.carrier(answers, clinics[name].trunk);
    const others = await site.carrier(answers, clinics[other(name)].trunk);
    const before = (await cdrsOf(name)).length;
    const caller = await site.call({ from: CALLER, to: clinics[name].mobileLine }, clinics[other(name)].trunk);
    await caller.call.ended(8_000);
    expect([carrier.calls.length, others.calls.length]).toEqual([1, 0]);
    expect(await nextCdr(name, before)).toMatchObject({ account: name, disposition: 'answered', legs: [{ trunk: 'carrier', target: { kind: 'external', trunks: ['carrier'] } }] });
    const { text } = await ask<{ text: string }>(name, 'GET', `/accounts/${name}/numbers/mobile/explain?caller=${encodeURIComponent(CALLER)}`);
    expect(text).toContain(`${MOBILE} over carrier,`);
  });

  test.each(names)('calls 911 over its own carrier, from its own place, and tells its own people: %s', async (name) => {
    const { number, at, trunk, user } = clinics[name];
    const carrier = await site.carrier(answers, trunk);
    const others = await site.carrier(answers, clinics[other(name)].trunk);
    const noticed = noticesIn(dataDir()).length;
    const caller = await site.callFromPhone(user('101'), { to: '911' });
    const call = await carrier.nextCall();
    await caller.call.ended();
    expect(call.messages[0]?.startLine).toContain('sip:911@');
    expect([call.callerId().number, call.header('x-dispatchable-location'), others.calls.length]).toEqual([number, `${at}, reception`, 0]);
    const over = await until(() => noticesIn(dataDir()).slice(noticed).find(({ sentence }) => sentence.includes('answered')), { describe: 'notice is given', within: 12_000 });
    expect(over).toMatchObject({ notify: [`desk@${name}.example`], sentence: `Emergency call: 911 was dialled from extension 101 of ${name} clinic at ${at}, reception; it was answered over carrier.` });
  });

  test.each(['kept', 'lost'] as const)('keeps its calls through the restart of the controller, journals %s', async (journals) => {
    const before = { north: (await cdrsOf('north')).length, south: (await cdrsOf('south')).length };
    // one that talks, and one that rings on while nobody lives
    const calls = { north: await ringing('north'), south: await ringing('south') };
    await talk(calls.north.caller, calls.north.call);
    await controller.kill();
    if (journals === 'lost') {
      rmSync(join(dataDir(), 'journals'), { recursive: true });
      await site.redis.empty();
    }
    await start();
    const live = await until(async () => {
      const { items } = await ask<{ items: readonly { account: string; phase: string; dialled: string }[] }>('agency', 'GET', '/live-calls');
      return items.length === 2 ? items : undefined;
    }, { describe: 'both calls were taken over', within: 5_000 });
    expect(live.map(({ account, phase, dialled }) => `${account} ${phase} ${dialled}`).toSorted()).toEqual(['north connected 102', 'south ringing 102']);
    await talk(calls.south.caller, calls.south.call);
    for (const name of names) {
      await calls[name].caller.call.hangUp();
      expect(await nextCdr(name, before[name])).toMatchObject({ account: name, disposition: 'answered', dialled: '102', ...(journals === 'lost' ? { reconstructed: true } : {}), legs: [{ target: { kind: 'device', device: '102' } }] });
    }
  });

  test.each(names)('reaches its failsafe over its own carrier when no controller lives: %s', async (name) => {
    await controller.kill();
    const [carrier, others] = [await site.carrier(answers, clinics[name].trunk), await site.carrier(answers, clinics[other(name)].trunk)];
    // known by the dialled number, whichever carrier brings it
    const caller = await site.call({ from: CALLER, to: clinics[name].number }, clinics[other(name)].trunk);
    await caller.call.ended(8_000);
    expect([carrier.calls.map((call) => call.messages[0]?.startLine.includes(FAILSAFE)), others.calls.length]).toEqual([[true], 0]);
  });
});
