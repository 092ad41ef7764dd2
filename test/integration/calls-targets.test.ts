/** Where a route leads, on a real switch: receiving numbers one after the other, and users beside what the precedence picks. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Account, ReceivingNumber, TrackingNumber } from '../../control-plane/core/routing/config.ts';
import { defaultOutboundRules } from '../../control-plane/core/routing/outbound-guard.ts';
import { serve, type Served } from '../support/account.ts';
import { answersAfter, busy, rings, unavailable } from '../support/behaviour.ts';
import { openSite, SITE_START_MS, type Site } from '../support/site.ts';
import { until } from '../support/until.ts';

const CHAINED = '+15550401';
const TOGETHER = '+15550402';
const CALLER = '+15551111';
let site: Site;
let served: Served;

const number = (e164: string, more: Partial<TrackingNumber>): TrackingNumber => ({ e164, label: 'Reception', users: [], ringMs: 20_000, callConnect: 'off', voicemail: { maxMs: 10_000, silenceMs: 5_000 }, ...more });
const receiving = (id: string, last: string, next?: string): [string, ReceivingNumber] => [id, {
  id, label: `At ${id}`, number: `+120255501${last}`, trunks: [id], ringMs: 5_000, ...(next === undefined ? {} : { noAnswer: { to: 'receiving-number', id: next } as const }),
}];

const account: Account = {
  id: 'clinic', name: 'The Clinic', outbound: defaultOutboundRules('US'),
  users: [{ id: 'ann', name: 'Ann', devices: [{ id: '101', label: 'desk', target: { kind: 'device', device: '101' } }] }],
  receivingNumbers: new Map([receiving('first', '41', 'second'), receiving('second', '42', 'third'), receiving('third', '43')]),
  company: { number: '+12025550144', trunks: ['first'] },
  numbers: [number(CHAINED, { route: { to: 'receiving-number', id: 'first' } }), number(TOGETHER, { users: ['ann'] })],
};

beforeAll(async () => { site = await openSite({ createTrunks: true, trunks: ['carrier', 'first', 'second', 'third'] }); }, SITE_START_MS);
afterEach(async () => {
  await site.afterTest();
  await served.stop();
});
afterAll(() => site.close());

describe('No-answer routing over three receiving numbers', () => {
  test('goes on when the first is busy and the second does not answer, and the third has the call', async () => {
    served = await serve(site, account);
    const [first, second, third] = [await site.carrier(busy, 'first'), await site.carrier(rings(), 'second'), await site.carrier(answersAfter(50, { sound: 700 }), 'third')];
    const caller = await site.call({ from: CALLER, to: CHAINED, sound: 350 });
    const taken = await third.nextCall(8_000);
    await until(() => caller.call.hears(700) && taken.hears(350), { describe: 'caller and the third hear each other' });
    expect([first.calls.length, second.calls.length, third.calls.length]).toEqual([1, 1, 1]);
    await caller.call.hangUp();
    expect(await served.cdr()).toMatchObject({
      disposition: 'answered',
      legs: [{ label: 'At first', disposition: 'busy' }, { label: 'At second', disposition: 'no-answer' }, { label: 'At third', disposition: 'answered' }],
    });
  });

  test('ends in voicemail when none can be reached', async () => {
    served = await serve(site, account);
    await site.carrier(unavailable, 'first');
    await site.carrier(busy, 'second');
    await site.carrier(unavailable, 'third');
    const caller = await site.call({ from: CALLER, to: CHAINED });
    await caller.call.connected(3_000);
    expect(served.call()).toMatchObject({ phase: 'greeting', step: 'voicemail' });
    await caller.call.hangUp();
    expect((await served.cdr()).legs.map(({ disposition }) => disposition)).toEqual(['unreachable', 'busy', 'unreachable']);
  });
});

test('The number’s users ring together with the company, which the precedence picks, and one of them takes the call', async () => {
  served = await serve(site, account);
  const desk = await site.phone('101', rings(), { create: true });
  const company = await site.carrier(rings(), 'first');
  const caller = await site.call({ from: CALLER, to: TOGETHER });
  const [at, elsewhere] = [await desk.nextCall(), await company.nextCall()];
  await at.answer();
  await elsewhere.ended();
  await until(() => served.call()?.phase === 'connected', { describe: 'they are connected' });
  await caller.call.hangUp();
  expect(await served.cdr()).toMatchObject({ disposition: 'answered' });
});
