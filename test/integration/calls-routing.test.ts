/** Who gets a call and what they see, on a real switch: the dialled number shown, calls forwarded, callers turned away. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Account, Blocked, TrackingNumber } from '../../control-plane/core/routing/config.ts';
import { defaultOutboundRules, type OutboundRules } from '../../control-plane/core/routing/outbound-guard.ts';
import { serve, type Served } from '../support/account.ts';
import { answersAfter, rings } from '../support/behaviour.ts';
import { wav } from '../support/clinic.ts';
import { openSite, SITE_START_MS, type Site } from '../support/site.ts';
import { until } from '../support/until.ts';

const PLAIN = '+15550301';
const PASSING = '+15550302';
const FORWARDED = '+15550303';
const CALLER = '+15551111';
const BLOCKED = '+15556666';
const MOBILE = '+12025550199';
const MESSAGE_HZ = 1_000;
let site: Site;
let served: Served;
let message: `file:${string}`;

const number = (e164: string, more: Partial<TrackingNumber> = {}): TrackingNumber =>
  ({ e164, label: 'Reception', users: ['ann'], ringMs: 20_000, callConnect: 'off', voicemail: { maxMs: 10_000, silenceMs: 5_000 }, ...more });

const account = (blocked: Partial<Blocked> = {}, outbound: Partial<OutboundRules> = {}): Account => {
  return {
    id: 'clinic', name: 'The Clinic', outbound: { ...defaultOutboundRules('US'), ...outbound },
    users: [{ id: 'ann', name: 'Ann', devices: [{ id: '101', label: 'desk', target: { kind: 'device', device: '101' } }] }],
    numbers: [number(PLAIN), number(PASSING, { passCalledNumber: true }), number(FORWARDED, { users: [], user: 'ann', forward: { number: MOBILE, trunks: ['carrier'] } })],
    blocked: { numbers: [BLOCKED], anonymous: true, action: 'reject', ...blocked },
  };
};

beforeAll(async () => {
  site = await openSite({ createTrunks: true });
  message = `file:${join(site.folder, 'message')}`;
  writeFileSync(`${message.slice('file:'.length)}.wav`, wav(MESSAGE_HZ, 1));
}, SITE_START_MS);
afterEach(async () => {
  await site.afterTest();
  await served.stop();
});
afterAll(() => site.close());

describe('The callee sees', () => {
  test.each([[PLAIN, CALLER], [PASSING, PASSING]])('of a call to %s the number %s', async (to, shown) => {
    served = await serve(site, account());
    const desk = await site.phone('101', rings(), { create: true });
    const caller = await site.call({ from: CALLER, name: 'Ada', to });
    const call = await desk.nextCall();
    expect(call.callerId()).toMatchObject({ number: shown, name: 'Ada' });
    expect([shown, undefined]).toContain(call.assertedId()?.number);
    await caller.call.hangUp();
    expect(await served.cdr()).toMatchObject({ caller: { number: CALLER }, dialled: to });
  });
});

describe('A forwarded number', () => {
  test('rings the external number over the trunk, and not the phones of the user whose number it is', async () => {
    served = await serve(site, account());
    const desk = await site.phone('101', rings(), { create: true });
    const mobile = await site.carrier(answersAfter(50, { sound: 700 }));
    const caller = await site.call({ from: CALLER, to: FORWARDED, sound: 350 });
    const cell = await mobile.nextCall();
    await until(() => caller.call.hears(700) && cell.hears(350), { describe: 'caller and mobile hear each other' });
    expect([cell.header('To')?.includes(MOBILE), desk.calls.length]).toEqual([true, 0]);
    await cell.hangUp();
    expect(await served.cdr()).toMatchObject({ disposition: 'answered', legs: [{ user: '', label: 'forward', target: { kind: 'external', number: MOBILE }, trunk: 'carrier', disposition: 'answered' }] });
  });
});

describe('A call over a trunk', () => {
  test('is not made to a country that is not allowed: the caller leaves a message', async () => {
    served = await serve(site, account({}, { countries: ['NL'] }));
    const mobile = await site.carrier(answersAfter(50));
    const caller = await site.call({ from: CALLER, to: FORWARDED });
    await caller.call.connected(2_000);
    expect([served.call()?.phase, mobile.calls.length]).toEqual(['greeting', 0]);
    expect(served.call()?.plan.reasons).toContainEqual({ subject: 'outbound', taken: false, why: `forward: ${MOBILE} is in US; calls are allowed to NL.` });
    await caller.call.hangUp();
    expect(await served.cdr()).toMatchObject({ disposition: 'no-answer', legs: [] });
  });

  test('is made while the limit allows, and again once one has ended', async () => {
    served = await serve(site, account({}, { concurrentCalls: 1 }));
    const mobile = await site.carrier(answersAfter(50));
    const first = await site.call({ from: CALLER, to: FORWARDED });
    await first.call.connected();
    const second = await site.call({ from: '+15551112', to: FORWARDED });
    await until(() => served.calls().some(({ phase }) => phase === 'greeting'), { describe: 'the second caller is greeted by voicemail' });
    expect(mobile.calls).toHaveLength(1);
    expect(served.calls().find(({ phase }) => phase === 'greeting')?.plan.reasons).toContainEqual({ subject: 'outbound', taken: false, why: 'forward: calls out over trunks now: 1; allowed at once: 1.' });
    await first.call.hangUp();
    await second.call.hangUp();
    expect(new Set([(await served.cdr()).disposition, (await served.cdr()).disposition])).toEqual(new Set(['answered', 'no-answer']));
    const third = await site.call({ from: CALLER, to: FORWARDED });
    await third.call.connected();
    await until(() => served.call()?.phase === 'connected', { describe: 'the third call is connected' });
    await third.call.hangUp();
    expect((await served.cdr()).disposition).toBe('answered');
  });
});

describe('A blocked caller', () => {
  test.each([['their number', BLOCKED], ['showing none', 'anonymous']])('known by %s is refused unanswered, as declined, and no phone rings', async (_, from) => {
    served = await serve(site, account());
    const desk = await site.phone('101', rings(), { create: true });
    const caller = await site.call({ from, to: PLAIN });
    await caller.call.ended();
    expect([caller.call.endedBy(), caller.call.status()]).toEqual(['switch', site.onFreeSwitch ? 603 : 403]);
    expect(desk.calls).toHaveLength(0);
    expect(await served.cdr()).toMatchObject({ disposition: 'declined', cause: 'declined', endedBy: 'frontdesk', pickedUpAt: null, legs: [] });
  });

  test('hears a message and is hung up', async () => {
    served = await serve(site, account({ action: 'message', message: { media: message } }));
    const desk = await site.phone('101', rings(), { create: true });
    const caller = await site.call({ from: BLOCKED, to: PLAIN });
    await until(() => caller.call.hears(MESSAGE_HZ), { describe: 'the caller hears the message' });
    await caller.call.ended();
    expect([caller.call.endedBy(), desk.calls.length]).toEqual(['switch', 0]);
    expect(await served.cdr()).toMatchObject({ disposition: 'declined', announcementAt: expect.any(Number), legs: [] });
  });

  test('goes straight to voicemail', async () => {
    served = await serve(site, account({ action: 'voicemail' }));
    const desk = await site.phone('101', rings(), { create: true });
    const caller = await site.call({ from: BLOCKED, to: PLAIN });
    await caller.call.connected(2_000);
    expect(served.call()?.phase).toBe('greeting');
    await caller.call.hangUp();
    expect(desk.calls).toHaveLength(0);
    expect(await served.cdr()).toMatchObject({ disposition: 'no-answer', endedBy: 'caller', legs: [] });
  });
});
