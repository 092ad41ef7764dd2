/**
 * An upgrade while people talk: two controllers are restarted one after the other, and nobody is dropped. A lone one
 * that is told to stop waits for its calls, where it is to. And two builds side by side: a call that a newer one has is
 * never ended for not being understood.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { stateVersion } from '../../control-plane/core/call/version.ts';
import type { Cdr } from '../../control-plane/core/cdr/cdr.ts';
import { rings } from '../support/behaviour.ts';
import { writePlan } from '../support/clinic-plan.ts';
import { cdrsIn } from '../support/controller-data.ts';
import type { Controller } from '../support/controller.ts';
import type { SipCall } from '../support/sip-call.ts';
import { openSite, SITE_START_MS, type Caller, type Site } from '../support/site.ts';
import { stays, until } from '../support/until.ts';

const rows = [0, 1, 2] as const;
const names = ['one', 'two'] as const;
type Name = (typeof names)[number];
let site: Site;
let redis: Redis;
let planFile: string;
let running: Partial<Record<Name, Controller>> = {};
let series = 0;

const dataDir = (name: Name): string => join(site.folder, name);
const start = async (name: Name, env: Readonly<Record<string, string>> = {}): Promise<Controller> => {
  mkdirSync(dataDir(name), { recursive: true });
  const controller = await site.startController({ planFile, instance: name, dataDir: dataDir(name), env });
  running[name] = controller;
  return controller;
};
const owners = async (): Promise<readonly string[]> => Object.values(await redis.hgetall('fd:owners'));
const cdrOf = (from: string): readonly Cdr[] => names.flatMap((name) => cdrsIn(dataDir(name))).filter(({ caller }) => caller.number === from);
const readiness = async (controller: Controller): Promise<{ readonly status: number; readonly reasons: readonly string[]; readonly draining: boolean; readonly takesOver: boolean }> => {
  const response = await fetch(`${controller.httpUrl}/readyz`);
  return { status: response.status, ...((await response.json()) as { readonly reasons: readonly string[]; readonly draining: boolean; readonly takesOver: boolean }) };
};

/** The log of a name goes on over its restarts. */
const sinceStart = (controller: Controller): string => controller.output().split('Serving. Ctrl-C').at(-1) ?? '';
const takesOver = (controller: Controller): Promise<unknown> => until(async () => (await readiness(controller)).takesOver, { describe: 'it would take calls over', within: 8_000, everyMs: 50 });

interface Talk { readonly from: string; readonly caller: Caller; readonly callee: SipCall }
const talk = async (i: number): Promise<Talk> => {
  series += 1;
  const from = `+1303555${String(7500 + series)}`;
  const phone = await site.phone(`10${i}`, rings());
  const caller = await site.call({ from, to: `+1202555018${i}` });
  const callee = await until(() => phone.calls.find((call) => call.callerId().number === from), { describe: `phone ${i} is rung`, within: 8_000 });
  await callee.answer();
  await until(() => caller.call.state() === 'connected' && callee.state() === 'connected', { describe: 'they talk', within: 8_000 });
  return { from, caller, callee };
};
const talks = ({ caller, callee }: Talk): boolean => caller.call.state() === 'connected' && callee.state() === 'connected';
const endsWithOneRecord = async ({ from, caller, callee }: Talk): Promise<void> => {
  await callee.hangUp();
  await caller.call.ended();
  await until(() => cdrOf(from).length > 0, { describe: `the call of ${from} has its record`, within: 8_000 });
  expect(cdrOf(from)).toMatchObject([{ disposition: 'answered', endedBy: 'callee' }]);
};

/** As a newer build would write of it: in its journal, or in its marks on the switch too. */
const journalIsOf = async (v: number): Promise<void> => {
  const [callId = ''] = await redis.smembers('fd:calls');
  const key = `fd:{${callId}}:journal`;
  await redis.lset(key, 0, JSON.stringify({ ...(JSON.parse((await redis.lindex(key, 0)) ?? '') as object), v }));
};
const madeNewer = async (marks: boolean): Promise<void> => {
  await journalIsOf(stateVersion + 1);
  if (!marks) return;
  for (const { id } of await site.switch.channels()) {
    const written = await site.switch.identityOf(id);
    if (written === undefined) continue;
    const identity = JSON.parse(written) as { readonly mark: object };
    await site.switch.writeIdentity(id, JSON.stringify({ ...identity, mark: { ...identity.mark, v: stateVersion + 1 } }));
  }
};

beforeAll(async () => {
  site = await openSite();
  redis = new Redis(site.redisUrl);
  planFile = writePlan(site, { file: 'plan.yaml', trunks: ['carrier'], numbers: rows.map((i) => ({ e164: `+1202555018${i}`, rings: [`10${i}`], timeoutSeconds: 60 })) });
}, SITE_START_MS);
beforeEach(() => redis.flushall());
afterEach(async () => {
  try {
    await site.afterTest();
  } finally {
    await Promise.all(Object.values(running).map((controller) => controller.kill()));
    running = {};
  }
}, 30_000);
afterAll(async () => {
  redis.disconnect();
  await site.close();
});

describe('An upgrade', () => {
  test('of two controllers, one after the other: who talks goes on talking, who calls meanwhile is served', async () => {
    await start('one');
    const calls = [await talk(1)];
    await takesOver(await start('two'));
    calls.push(await talk(0));
    const ringing = await site.phone('102', rings());
    const late = await site.call({ from: '+13035557590', to: '+12025550182' });
    const lateCallee = await ringing.nextCall();
    for (const name of names) {
      const other = name === 'one' ? 'two' : 'one';
      const controller = running[name];
      if (controller === undefined) throw new Error('nobody to stop');
      const began = performance.now();
      const stopped = controller.stop();
      await until(async () => (await owners()).every((owner) => owner === other), { describe: 'the other has all calls', within: 2_000 });
      const took = performance.now() - began;
      console.log(`all calls of ${name} had another controller ${Math.round(took)} ms after it was told to stop`);
      await stopped;
      expect(controller.ended()).toBe('exit code 0');
      calls.push(await talk(0));
      await takesOver(await start(name));
      await stays(() => calls.every(talks), { describe: 'all go on talking', forMs: 1_000 });
    }
    expect((await owners()).length).toBe(5);
    await lateCallee.answer();
    await late.call.connected();
    await until(async () => (await site.redis.journals()).filter((journal) => journal.some((record) => record.includes('"LegConnected"'))).length === 5, { describe: 'they all talk' });
    await lateCallee.hangUp();
    await late.call.ended();
    for (const call of calls) await endsWithOneRecord(call);
  }, 120_000);
});

describe('A lone controller that is told to stop', () => {
  test('waits for its calls as long as it is to, takes no new one, says so, and ends with 0', async () => {
    const controller = await start('one', { FRONTDESK_DRAIN_SECONDS: '60' });
    const call = await talk(0);
    const stopped = controller.stop(30_000);
    await until(async () => (await readiness(controller)).draining, { describe: 'it says that it drains' });
    expect(await readiness(controller)).toMatchObject({ status: 503, reasons: [expect.stringContaining('it takes no new calls, and the 1 it has have up to 60 s to end')] });
    const refused = await site.call({ from: '+13035557591', to: '+12025550181' });
    await refused.call.ended(8_000);
    expect(refused.call.status()).not.toBe(200);
    expect([talks(call), controller.alive()]).toEqual([true, true]);
    await endsWithOneRecord(call);
    await stopped;
    expect(controller.ended()).toBe('exit code 0');
  }, 60_000);

  test('hands them over to one that comes meanwhile', async () => {
    const controller = await start('one', { FRONTDESK_DRAIN_SECONDS: '60' });
    const call = await talk(0);
    const stopped = controller.stop(30_000);
    await until(async () => (await readiness(controller)).draining, { describe: 'it says that it drains' });
    await start('two');
    await stopped;
    expect(controller.ended()).toBe('exit code 0');
    await until(async () => (await owners()).every((owner) => owner === 'two'), { describe: 'the other has the call', within: 10_000 });
    expect(talks(call)).toBe(true);
    await endsWithOneRecord(call);
  }, 60_000);
});

describe('A call of a newer build', () => {
  const newer = 'of a newer version of Frontdesk than this';
  test('whose marks can be read goes on with this one', async () => {
    const controller = await start('one');
    const call = await talk(0);
    await until(async () => (await site.redis.journals()).flat().some((record) => record.includes('"LegConnected"')), { describe: 'the journal says that they talk' });
    await controller.kill();
    await madeNewer(false);
    const second = await start('two');
    await until(() => sinceStart(second).includes(newer), { describe: 'it says what it found', within: 15_000 });
    await until(async () => (await owners()).includes('two'), { describe: 'it has the call' });
    await stays(() => talks(call), { describe: 'they go on talking', forMs: 1_000 });
    await endsWithOneRecord(call);
    expect(cdrOf(call.from)).toMatchObject([{ reconstructed: true }]);
  }, 60_000);

  test('whose marks it cannot read is left alone: they talk, hang up when they like, and the newer build writes the record', async () => {
    const controller = await start('one');
    const call = await talk(0);
    await until(async () => (await site.redis.journals()).flat().some((record) => record.includes('"LegConnected"')), { describe: 'the journal says that they talk' });
    await controller.kill();
    await madeNewer(true);
    const second = await start('two');
    await until(() => sinceStart(second).includes(newer), { describe: 'it says what it found', within: 15_000 });
    expect(sinceStart(second)).toContain('start one of the newer version');
    // longer than the next look at what is whose
    await stays(() => talks(call), { describe: 'they go on talking', forMs: 6_000 });
    expect(await owners()).toEqual([]);
    await call.callee.hangUp();
    await call.caller.call.ended();
    expect(cdrOf(call.from)).toEqual([]);
    // the upgrade is finished: for the build that starts now it is no newer version
    await second.kill();
    await journalIsOf(stateVersion);
    await start('one');
    await until(() => cdrOf(call.from).length > 0, { describe: 'the call has its record', within: 10_000 });
    expect(cdrOf(call.from)).toMatchObject([{ disposition: 'answered' }]);
  }, 90_000);
});
