/**
 * The switch dies with calls on it, and starts again. Its calls are lost, which nobody can mend; the controller is
 * not: it says so, writes each call's record once, and takes the next call.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writePlan } from '../support/clinic-plan.ts';
import { cdrsIn, openLiveCalls } from '../support/controller-data.ts';
import type { Controller } from '../support/controller.ts';
import type { Party } from '../support/sip-party.ts';
import { openSite, SITE_START_MS, type Caller, type Site } from '../support/site.ts';
import { until } from '../support/until.ts';

const MAIN = '+12025550601';
const VOICEMAIL = '+12025550602';
let site: Site;
let controller: Controller;
let phone: Party;
let live: ReturnType<typeof openLiveCalls>;
const dataDir = (): string => join(site.folder, 'controller');

beforeAll(async () => {
  site = await openSite();
  live = openLiveCalls(site.redisUrl);
  const planFile = writePlan(site, {
    file: 'plan.yaml', trunks: ['carrier'],
    numbers: [{ e164: MAIN, rings: ['101'], timeoutSeconds: 60 }, { e164: VOICEMAIL, voicemail: { greeting: { sound: 'beep' }, silenceSeconds: 60 } }],
  });
  controller = await site.startController({ planFile, dataDir: dataDir() });
  phone = await site.phone('101');
}, SITE_START_MS);

afterAll(async () => {
  live.close();
  await site.close();
});

const isReady = async (): Promise<boolean> => (await fetch(`${controller.httpUrl}/readyz`)).status === 200;

const phases = async (): Promise<string[]> => (await live.read()).map((call) => call.phase).toSorted();
const records = (): string[] => cdrsIn(dataDir()).map((cdr) => `${cdr.caller.number} ${cdr.disposition}`).toSorted();

const talk = async (from: string): Promise<Caller> => {
  const caller = await site.call({ from, to: MAIN, sound: 500 });
  const call = await until(() => phone.calls.find((one) => one.callerId().number === from), { describe: `the call of ${from} reaches the phone` });
  await call.answer();
  call.play(700);
  await until(() => call.hears(500) && caller.call.hears(700), { describe: 'both hear each other' });
  return caller;
};

test('The switch is killed and starts again: each lost call has one record, and new calls work', { timeout: 60_000 }, async () => {
  await site.needsOwnSwitch();
  const lost = ['+13035558001', '+13035558002', '+13035558003'] as const;
  const callers = [await talk(lost[0]), await site.call({ from: lost[1], to: MAIN }), await site.call({ from: lost[2], to: VOICEMAIL, sound: 500 })];
  await until(async () => (await phases()).join() === 'connected,recording,ringing', { describe: 'a call talks, one rings, one leaves a message' });

  site.killSwitch();
  await until(async () => !(await isReady()), { describe: 'readiness fails' });
  await site.restart();
  const backAt = performance.now();
  await until(isReady, { describe: 'readiness is back', within: 15_000 });
  process.stdout.write(`with the switch back the controller was ready after ${Math.round(performance.now() - backAt)} ms\n`);
  await until(() => records().length >= lost.length, { describe: 'each lost call has its record', within: 12_000 });
  // nobody told the parties: theirs is to find out
  await Promise.all(callers.map((caller) => caller.stop()));
  await site.expectNothingLeft();

  const next = await talk('+13035558004');
  await next.call.hangUp();
  await until(() => records().length > lost.length, { describe: 'the next call has its record' });
  expect(records()).toEqual([`${lost[0]} answered`, `${lost[1]} canceled`, `${lost[2]} no-answer`, '+13035558004 answered']);
  await site.expectNothingLeft();
  expect(controller.alive()).toBe(true);
  expect(controller.output()).not.toMatch(/could not be continued|replays differently/);
});
