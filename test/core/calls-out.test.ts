/** What an account's limit of calls over trunks counts, from a call's arrival to its end. */
import { expect, it } from 'vitest';
import type { Call } from '../../control-plane/core/call/call.ts';
import { newCall } from '../../control-plane/core/call/call.ts';
import { callsOut } from '../../control-plane/core/call/calls-out.ts';
import { transition } from '../../control-plane/core/call/transition.ts';
import { compile } from '../../control-plane/core/routing/compile.ts';
import { callFrom, clinic } from './routing-fixture.ts';
import { desk, menu, mobile, planOfMenus, walkOf } from './support/plans.ts';

const offer: Call['offer'] = { callId: 'a', caller: { number: '+13125550177', name: '' }, dialled: '+12025550110', origin: 'trunk', orphan: false };
const at = (call: Call, event: Parameters<typeof transition>[1]): Call => transition(call, event, { now: 1 }).call;
const mobileOf = (call: Call): string => Object.values(call.legs).find(({ attempt }) => attempt === 2)?.id ?? '';

it('a call counts from its arrival, while its mobile rings, and while the mobile has it', () => {
  const arrived = newCall(offer, compile(clinic(), callFrom()), 0);
  const ringing = at(arrived, { type: 'CallOffered' });
  const answered = at(at(ringing, { type: 'LegAnswered', legId: mobileOf(ringing) }), { type: 'LegDigit', legId: mobileOf(ringing), digit: '1' });
  expect([arrived, ringing, answered].map((call) => callsOut([call], 'c1'))).toEqual([1, 1, 1]);
  expect([callsOut([arrived, ringing, answered], 'c1'), callsOut([arrived], 'c2')]).toEqual([3, 0]);
});

it('a call that a desk phone has, or whose mobile is gone, does not count', () => {
  const ringing = at(newCall(offer, compile(clinic(), callFrom()), 0), { type: 'CallOffered' });
  expect(callsOut([at(ringing, { type: 'LegEnded', legId: mobileOf(ringing), cause: 'busy' })], 'c1')).toBe(0);
});

it('a call in a menu counts for what a key may dial', () => {
  const call = at(newCall(offer, planOfMenus({ menu: menu('menu', { 1: 'ring', 2: 'voicemail' }) }, { steps: { ring: { kind: 'ring', pattern: 'simultaneous', attempts: [mobile()], ringMs: 9000, taken: [], on: { noAnswer: 'voicemail' } } } }), 0), { type: 'CallOffered' });
  const press = (digit: string): Call => at(call, { type: 'LegDigit', legId: 'a', digit });
  expect([call, press('1'), press('2')].map((one) => [one.phase, callsOut([one], 'c1')])).toEqual([['menu', 1], ['ringing', 1], ['greeting', 0]]);
});

it('a call that rings one destination after the other counts for the most that ring at once, and those who are to be rung', () => {
  const plan = walkOf('round-robin', [desk(1), mobile({ user: 'u2' }), mobile({ user: 'u2', delayMs: 3000 }), mobile({ user: 'u3' })]);
  const ordering = at(newCall({ ...offer, callId: 'a' }, plan, 0), { type: 'CallOffered' });
  const ringing = at(ordering, { type: 'DestinationsOrdered', step: 'ring', order: ['u1', 'u2', 'u3'], why: '' });
  const next = at(ringing, { type: 'LegEnded', legId: 'a--l2', cause: 'busy' });
  const last = at(transition(next, { type: 'LegEnded', legId: 'a--l3', cause: 'busy' }, { now: 1 }).call, { type: 'TimerFired', id: 'delay:2' });
  expect([ordering, ringing, next].map((call) => [call.phase, callsOut([call], 'c1')])).toEqual([['ordering', 2], ['ringing', 2], ['ringing', 2]]);
  expect(callsOut([last], 'c1')).toBe(1);
  expect(callsOut([newCall(offer, plan, 0)], 'c1')).toBe(2);
});

it('one call rings no more mobiles than the limit has left', () => {
  const account = clinic({ users: ['ben'] });
  const full = { ...account, outbound: { ...account.outbound, concurrentCalls: 3 } };
  const mobiles = (out: number): readonly string[] => compile(full, callFrom({ callsOut: () => out })).reasons.filter(({ subject }) => subject === 'outbound').map(({ why }) => why);
  expect(mobiles(2)).toEqual([]);
  expect(mobiles(3)).toEqual(['Ben, mobile: calls out over trunks now: 3; allowed at once: 3.']);
});

it('a number that nobody may be called for goes to voicemail, and says so', () => {
  const account = clinic({ users: [], forward: { number: '+442071838750', trunks: ['t1'] } });
  const plan = compile(account, callFrom());
  expect(plan.first).toBe('voicemail');
  expect(plan.reasons).toContainEqual({ subject: 'outbound', taken: false, why: 'forward: +442071838750 is in GB; calls are allowed to US.' });
  expect(plan.reasons).toContainEqual({ subject: 'ring', taken: false, why: 'none of its phones may be called' });
});
