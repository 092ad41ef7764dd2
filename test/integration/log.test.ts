/**
 * All that a controller writes, at its most talkative: no caller's or callee's number, no password and no key is in it,
 * and what is about a call has the call's id.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { firstKeyOf, openApi, type Api } from '../support/api.ts';
import { answersAfter, rejects, rings } from '../support/behaviour.ts';
import { writePlan } from '../support/clinic-plan.ts';
import { cdrsIn, noticesIn } from '../support/controller-data.ts';
import type { Controller } from '../support/controller.ts';
import { openSite, passwordOf, SITE_START_MS, type Site } from '../support/site.ts';
import { stays, until } from '../support/until.ts';

const ANSWERED = '+12025550170';
const MESSAGES = '+12025550171';
const MOBILE_LINE = '+12025550172';
const UNKNOWN = '+12025550179';
const MOBILE = '+13035554711';
const callers = { answered: '+13035557401', message: '+13035557402', mobile: '+13035557403', unknown: '+13035557404', refused: '+13035557405' } as const;
const mediaKey = '5a'.repeat(32);
const mailPassword = 'mail-s3cret';
const trunkPassword = 'trunk-s3cret';
let site: Site;
let controller: Controller;
let api: Api;
const dataDir = (): string => join(site.folder, 'controller');
const start = (numbers: 'yes' | 'no'): Promise<Controller> => site.startController({
  planFile: writePlan(site, {
    file: 'plan.yaml', trunks: ['carrier'], emergency: { location: 'Suite 4', address: '12 Main St', callerId: ANSWERED, trunks: ['carrier'], notify: ['desk@clinic.example'] },
    numbers: [
      { e164: ANSWERED, rings: ['101'] }, { e164: MESSAGES, voicemail: { greeting: { sound: 'beep' } } },
      { e164: MOBILE_LINE, rings: [MOBILE], callConnect: 'every', acceptKey: '1', timeoutSeconds: 5, voicemail: 'off' },
    ],
  }),
  dataDir: dataDir(),
  env: { FRONTDESK_LOG_LEVEL: 'debug', FRONTDESK_LOG_NUMBERS: numbers, FRONTDESK_MEDIA_KEY: mediaKey, FRONTDESK_SMTP_URL: `smtp://frontdesk:${mailPassword}@127.0.0.1:9` },
});

beforeAll(async () => {
  site = await openSite();
  controller = await start('no');
  api = openApi(() => controller.httpUrl, firstKeyOf(controller));
}, SITE_START_MS);
afterAll(() => site.close());

const recorded = (from: string): Promise<unknown> => until(() => cdrsIn(dataDir()).some(({ caller }) => caller.number === from), { describe: `the call of ${from} has its record`, within: 15_000 });
const lines = (): readonly Record<string, unknown>[] => controller.output().split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Record<string, unknown>);

test('Calls of every kind leave no number, password or key in what is written', async () => {
  const { secret } = await api.write('POST', '/api-keys', { name: 'reader', role: 'read-only', account: 'clinic' }).then(({ json }) => json as { readonly secret: string });
  await api.write('PATCH', '/accounts/clinic/trunks/carrier', { username: 'clinic', password: trunkPassword });
  await api.as(secret).get('/accounts/clinic/calls?caller=3035557401');
  await site.phone('101', answersAfter(50, { hangUpAfterMs: 300 }));
  const mobile = await site.carrier(answersAfter(50, { press: { keys: '1', afterMs: 800 }, hangUpAfterMs: 2_500 }));

  const answered = await site.call({ from: callers.answered, to: ANSWERED });
  await answered.call.ended();
  const message = await site.call({ from: callers.message, to: MESSAGES, sound: 440 });
  await message.call.connected();
  await stays(() => message.call.state() === 'connected', { describe: 'the caller speaks', forMs: 2_500 });
  await message.call.hangUp();
  const unknown = await site.call({ from: callers.unknown, to: UNKNOWN });
  await unknown.call.ended();
  const overTrunk = await site.call({ from: callers.mobile, to: MOBILE_LINE });
  await overTrunk.call.ended(12_000);
  await mobile.stop();
  await site.carrier(rejects('503 Service Unavailable'));
  const refused = await site.call({ from: callers.refused, to: MOBILE_LINE });
  await refused.call.ended(12_000);
  const emergency = await site.callFromPhone('101', { to: '911' });
  await emergency.call.ended(15_000);
  for (const from of Object.values(callers)) await recorded(from);
  await until(() => noticesIn(dataDir()).some(({ kind }) => kind === 'voicemail') && noticesIn(dataDir()).some(({ kind }) => kind === 'emergency'), { describe: 'people are told', within: 15_000 });
  await until(() => controller.output().includes('A notice could not be sent by e-mail'), { describe: 'the mail server is tried', within: 15_000 });
  await controller.stop();

  const output = controller.output();
  expect(lines().length).toBeGreaterThan(8);
  const numbers = [...Object.values(callers), ANSWERED, MESSAGES, MOBILE_LINE, UNKNOWN, MOBILE].flatMap((number) => [number.slice(1), number.slice(2)]);
  const { password } = new URL(site.switchUrl);
  const secrets = [mediaKey, mailPassword, trunkPassword, passwordOf('101'), password, secret, new URL(site.redisUrl).password].filter((one) => one !== '');
  expect([...numbers, ...secrets].filter((one) => output.includes(one))).toEqual([]);
  expect(secrets.length).toBeGreaterThan(5);
  // shown on purpose, once
  expect(output.split(firstKeyOf(controller))).toHaveLength(2);
  // so that none was looked for that could not have been there
  expect(output).toContain('xxxxxxxxx02 left a message');
}, 120_000);

test('A line that is about a call has its id, and can be followed from the record', async () => {
  const cdrs = cdrsIn(dataDir());
  for (const { callId } of cdrs) {
    const about = controller.output().split('\n').filter((line) => line.includes(callId));
    expect(about.filter((line) => (JSON.parse(line) as { call?: unknown }).call !== callId)).toEqual([]);
  }
  const of = (from: string): string | undefined => cdrs.find(({ caller }) => caller.number === from)?.callId;
  expect(lines().find(({ kind }) => kind === 'voicemail')?.['call']).toBe(of(callers.message));
  expect(lines().find(({ msg }) => String(msg).startsWith('A call came for a number that is not configured'))).toMatchObject({ call: of(callers.unknown), number: '+xxxxxxxxx79' });
  for (const line of lines().filter(({ msg }) => /^(Emergency call|A call )/.test(String(msg)))) expect(line['call']).toMatch(site.onFreeSwitch ? /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/ : /\d+\.\d+$/);
});

test('Who asks for numbers has them', async () => {
  controller = await start('yes');
  await site.phone('101', rings());
  const unknown = await site.call({ from: callers.unknown, to: UNKNOWN });
  await unknown.call.ended();
  await until(() => lines().some(({ number }) => number === UNKNOWN), { describe: 'the number is in the log' });
  expect(controller.output()).toContain(`The Clinic: ${ANSWERED}`);
  await controller.stop();
}, 60_000);
