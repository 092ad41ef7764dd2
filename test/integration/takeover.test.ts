/**
 * Two controllers on one switch. One is killed, or stopped for a while, with calls in every place: the other has them
 * within two seconds, no caller notices, and each call has one record.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Cdr } from '../../control-plane/core/cdr/cdr.ts';
import { rings } from '../support/behaviour.ts';
import { writePlan, type NumberInPlan } from '../support/clinic-plan.ts';
import { cdrsIn } from '../support/controller-data.ts';
import type { Controller } from '../support/controller.ts';
import type { SipCall } from '../support/sip-call.ts';
import type { Party } from '../support/sip-party.ts';
import { openSite, SITE_START_MS, type Caller, type Site } from '../support/site.ts';
import { stays, until } from '../support/until.ts';

const names = ['one', 'two'] as const;
type Name = (typeof names)[number];
const rows = Array.from({ length: 8 }, (_, i) => i);
const plan: readonly NumberInPlan[] = rows.flatMap((i) => [
  { e164: `+1202555030${i}`, rings: [`10${i}`], timeoutSeconds: 60 },
  { e164: `+1202555031${i}`, voicemail: { greeting: { sound: 'demo-congrats' } } },
]);
let site: Site;
let redis: Redis;
let planFile: string;
let controllers: Record<Name, Controller>;
let series = 0;

const dataDir = (name: Name): string => join(site.folder, name);
const start = (name: Name): Promise<Controller> => {
  mkdirSync(join(site.folder, `logs-${name}`), { recursive: true });
  return site.startController({ planFile, instance: name, dataDir: dataDir(name) });
};
const owners = (): Promise<Record<string, string>> => redis.hgetall('fd:owners');
const ownedBy = async (name: Name): Promise<number> => Object.values(await owners()).filter((owner) => owner === name).length;
const cdrs = (): readonly Cdr[] => names.flatMap((name) => cdrsIn(dataDir(name)));

interface Talk {
  readonly from: string;
  readonly caller: Caller;
  readonly callee: SipCall;
  /** Which row: each has tones of its own. */
  readonly i: number;
}
const hearEachOther = ({ caller, callee, i }: Talk): boolean => caller.call.hears(500 + 20 * i) && callee.hears(900 + 20 * i);

interface Clinic {
  readonly phones: readonly Party[];
  readonly talking: readonly Talk[];
  readonly ringing: readonly Talk[];
  readonly greeted: readonly { readonly from: string; readonly caller: Caller }[];
}

/** Eight calls: some talk, some ring, and as many hear a greeting; shared by the controllers as chance will have it. */
const busyClinic = async (): Promise<Clinic> => {
  series += 1;
  const from = (kind: number, i: number): string => `+1303555${series}${kind}${String(i).padStart(2, '0')}`;
  const phones = await Promise.all(rows.map((i) => site.phone(`10${i}`, rings({ sound: 500 + 20 * i }))));
  const called = await Promise.all(rows.map(async (i) => {
    const caller = await site.call({ from: from(1, i), to: `+1202555030${i}`, sound: 900 + 20 * i });
    const callee = await until(() => phones[i]?.calls.find((call) => call.callerId().number === from(1, i)), { describe: `phone ${i} is rung`, within: 8_000 });
    await callee.ringing();
    return { from: from(1, i), caller, callee, i };
  }));
  const talking = called.slice(0, 4);
  await Promise.all(talking.map(({ callee }) => callee.answer()));
  await until(() => talking.every(hearEachOther), { describe: 'they talk', within: 10_000 });
  const greeted = await Promise.all(rows.map(async (i) => {
    const caller = await site.call({ from: from(2, i), to: `+1202555031${i}` });
    await caller.call.connected();
    return { from: from(2, i), caller };
  }));
  await until(async () => Object.keys(await owners()).length === 16, { describe: 'all have owners' });
  return { phones, talking, ringing: called.slice(4), greeted };
};

/** Every call goes on to its end, and has one record that says so. */
const finish = async ({ talking, ringing, greeted }: Clinic): Promise<void> => {
  await Promise.all(ringing.map(({ callee }) => callee.answer()));
  // who hangs up before the two are in the bridge has not talked
  await until(() => ringing.every(hearEachOther), { describe: 'those that rang talk', within: 10_000 });
  await Promise.all([...talking, ...ringing].map(({ callee }) => callee.hangUp()));
  await Promise.all([...talking, ...ringing].map(({ caller }) => caller.call.ended()));
  await Promise.all(greeted.map(({ caller }) => caller.call.hangUp()));
  const numbers = [...talking, ...ringing, ...greeted].map(({ from }) => from);
  await until(() => numbers.every((from) => cdrs().some(({ caller }) => caller.number === from)), { describe: 'every call has a record', within: 8_000 });
  const own = cdrs().filter(({ caller }) => numbers.includes(caller.number));
  expect(own.map(({ caller }) => caller.number).toSorted((a, b) => (a < b ? -1 : 1))).toEqual(numbers.toSorted((a, b) => (a < b ? -1 : 1)));
  for (const { from } of [...talking, ...ringing]) expect(own.find(({ caller }) => caller.number === from)).toMatchObject({ disposition: 'answered', endedBy: 'callee' });
  for (const { from } of greeted) expect(own.find(({ caller }) => caller.number === from)).toMatchObject({ disposition: 'no-answer', endedBy: 'caller' });
  await until(async () => Object.keys(await owners()).length === 0, { describe: 'no call has an owner any more' });
};

const undisturbed = ({ talking }: Clinic, forMs: number): Promise<void> =>
  stays(() => talking.every(({ caller, callee }) => caller.call.state() === 'connected' && callee.state() === 'connected'), { describe: 'who talks goes on talking', forMs });

beforeAll(async () => {
  site = await openSite();
  redis = new Redis(site.redisUrl);
  planFile = writePlan(site, { file: 'plan.yaml', trunks: ['carrier'], numbers: plan });
  controllers = { one: await start('one'), two: await start('two') };
}, SITE_START_MS);
afterEach(() => site.afterTest(), 30_000);
afterAll(async () => {
  redis.disconnect();
  await site.close();
});

const reasons = async (): Promise<string> => ((await (await fetch(`${controllers.two.httpUrl}/readyz`)).json()) as { readonly reasons: readonly string[] }).reasons.join(' ');

describe('Two controllers', () => {
  test('share the calls; one is killed, and the other has all of them at once', async () => {
    const clinic = await busyClinic();
    expect(await ownedBy('one')).toBeGreaterThan(0);
    expect(await ownedBy('two')).toBeGreaterThan(0);
    const killedAt = performance.now();
    await controllers.one.kill();
    await until(async () => (await ownedBy('two')) === 16, { describe: 'the other has all calls', within: 4_000 });
    await until(() => !/"calls":0/.test(controllers.two.output()), { describe: 'it has logged' });
    console.log(`every call had an owner again ${Math.round(performance.now() - killedAt)} ms after the kill`);
    await undisturbed(clinic, 500);
    await finish(clinic);
    controllers.one = await start('one');
  }, 60_000);

  test('one is stopped for ten seconds and goes on: its calls are another’s by then, and it lets go of them', async () => {
    const clinic = await busyClinic();
    expect(await ownedBy('one')).toBeGreaterThan(0);
    process.kill(controllers.one.pid, 'SIGSTOP');
    await until(async () => (await ownedBy('two')) === 16, { describe: 'the other has all calls', within: 4_000 });
    await undisturbed(clinic, 3_000);
    process.kill(controllers.one.pid, 'SIGCONT');
    await until(() => controllers.one.output().includes('Another controller has taken this call'), { describe: 'it lets go', within: 8_000 });
    await undisturbed(clinic, 1_000);
    expect(await ownedBy('two')).toBe(16);
    await finish(clinic);
  }, 60_000);

  test('one leaves in order: its calls go to the other', async () => {
    const clinic = await busyClinic();
    await controllers.one.stop();
    await until(async () => (await ownedBy('two')) === 16, { describe: 'the other has all calls', within: 4_000 });
    await undisturbed(clinic, 500);
    await finish(clinic);
    expect(cdrsIn(dataDir('two')).length).toBeGreaterThan(0);
    controllers.one = await start('one');
  }, 60_000);

  test('go on when Redis takes no writes, and say what is wrong with it', async () => {
    await redis.replicaof('127.0.0.1', 1);
    await until(async () => /cannot be renewed \(.*READONLY.*Make Redis take writes again/.test(await reasons()), { describe: 'readiness says so', within: 5_000 });
    const phone = await site.phone('100', rings({ sound: 500 }));
    const caller = await site.call({ from: '+13035559001', to: '+12025550300', sound: 900 });
    const callee = await phone.nextCall();
    await callee.answer();
    await until(() => caller.call.hears(500) && callee.hears(900), { describe: 'they talk', within: 8_000 });
    await redis.replicaof('NO', 'ONE');
    await until(async () => !(await reasons()).includes('READONLY'), { describe: 'all is well', within: 5_000 });
    await stays(() => caller.call.state() === 'connected' && callee.state() === 'connected', { describe: 'they go on talking', forMs: 1_000 });
    await callee.hangUp();
    await until(() => cdrs().filter((cdr) => cdr.caller.number === '+13035559001').length === 1, { describe: 'the call has one record', within: 8_000 });
    expect(cdrs().find((cdr) => cdr.caller.number === '+13035559001')).toMatchObject({ disposition: 'answered', endedBy: 'callee' });
    await until(async () => Object.keys(await owners()).length === 0, { describe: 'no call has an owner any more', within: 8_000 });
  }, 60_000);
});
