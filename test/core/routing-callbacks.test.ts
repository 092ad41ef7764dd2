/** Q6: what a caller hears of callbacks, and the plan of a call that calls back. */
import { describe, expect, it } from 'vitest';
import { callbackPlan, callbackRemainder, type CallbackDecision, type CallbackToMake } from '../../control-plane/core/routing/callback-plan.ts';
import { compile } from '../../control-plane/core/routing/compile.ts';
import type { Account, Callback, CallFacts, Queue } from '../../control-plane/core/routing/config.ts';
import { drawingOf } from '../../control-plane/core/routing/drawing.ts';
import { explain } from '../../control-plane/core/routing/explain.ts';
import type { Plan, QueueStep } from '../../control-plane/core/routing/plan.ts';
import { textsToPrepare } from '../../control-plane/core/routing/whisper.ts';
import { callFrom, clinic, queue } from './routing-fixture.ts';

const callback: Callback = { key: '2', attempts: 3, pauseMs: 300_000, ringMs: 30_000, trunks: ['t1', 't2'] };
const having = (change: Partial<Queue> = {}): Account => ({ ...clinic({ route: { to: 'queue', id: 'desk' } }), queues: new Map([['desk', queue({ callback, ...change })]]) });
const stepOf = ({ steps }: Plan): QueueStep => {
  const step = steps['queue.desk'];
  return step?.kind === 'queue' ? step : expect.fail('there is no queue');
};
const whyOf = ({ reasons }: Plan): readonly string[] => reasons.filter(({ subject }) => subject === 'queue.desk, callback').map(({ taken, why }) => `${taken ? '+' : '-'} ${why}`);
const planOf = (decision: CallbackDecision): Plan => ('plan' in decision ? decision.plan : expect.fail(decision.refused));

describe('A queue that calls back', () => {
  it('says the number digit by digit, and a goodbye before it hangs up', () => {
    const plan = compile(having(), callFrom());
    const { callback: offered, on } = stepOf(plan);
    expect(offered).toMatchObject({ key: '2', number: '+13125550177' });
    expect(offered?.asks).toEqual(['file:You can keep your place in line and be called back at', ...Array.from('3125550177', (digit) => `sound:digits/${digit}`), 'file:To confirm, press 2 again.']);
    expect(plan.steps[on.callback ?? '']).toEqual({ kind: 'announcement', media: ['file:Thank you. You will be called back when it is your turn. Goodbye.'], on: { done: 'hang-up' } });
    expect(whyOf(plan)).toEqual(['+ key 2 asks for it, to +13125550177']);
    expect(explain(plan)).toContain('key 2, and again');
    expect(drawingOf(plan).arrows.map(({ label }) => label)).toContain('key 2, and again');
  });

  it.each<readonly [string, Partial<CallFacts>, Partial<Callback>, string]>([
    ['a caller without a number', { callerNumber: '' }, {}, '- the caller shows no number that could be called.'],
    ['one of our phones', { callerNumber: '101' }, {}, '- the caller shows no number that could be called.'],
    ['a country that is not called', { callerNumber: '+442079460000' }, {}, '- +442079460000 is in GB; calls are allowed to US.'],
    ['a premium number', { callerNumber: '+19005550123' }, {}, '- +19005550123 is a premium number of North America, and premium numbers are not allowed.'],
    ['a clinic without trunks', {}, { trunks: [] }, '- there is no trunk to call over'],
  ])('tells %s that it cannot', (_who, facts, change, why) => {
    const plan = compile(having({ callback: { ...callback, ...change } }), callFrom(facts));
    expect([stepOf(plan).callback?.number, whyOf(plan)]).toEqual([null, [why]]);
  });

  it('offers nothing that it cannot say, and has it spoken beforehand', () => {
    const plan = compile(having(), callFrom({ whisperMedia: (text) => (text.startsWith('To confirm') ? undefined : `file:${text}`) }));
    expect([stepOf(plan).callback, stepOf(plan).on.callback, whyOf(plan)]).toEqual([undefined, undefined, ['- the audio that asks about it is not ready']]);
    const texts = textsToPrepare(having({ callback: { ...callback, key: '#' } }));
    expect(texts).toEqual(expect.arrayContaining(['To confirm, press pound again.', 'This is Riverside Dental. You asked to be called back. Press 1 to be connected.']));
  });
});

describe('A call that calls back', () => {
  const asked: CallbackToMake = { id: 'cb', of: 'c3', attempt: 2, queue: 'desk', number: '+13125550177', dialled: '+12025550110', priority: 4, enteredAt: 77 };

  it('shows our number, tries the trunks in order, and asks for a key before the queue', () => {
    const plan = planOf(callbackPlan(having(), asked, callFrom()));
    expect(plan).toMatchObject({ first: 'callback', callback: { id: 'cb', of: 'c3', attempt: 2 }, number: { e164: '+12025550110' } });
    expect(plan.steps['callback']).toMatchObject({
      kind: 'ring', serve: 'queue.desk', on: { noAnswer: 'hang-up-not-reached' },
      attempts: [{ target: { kind: 'external', number: '+13125550177', trunks: ['t1', 't2'] }, callerId: { number: '+12025550110' }, ringMs: 30_000, screening: { key: '1', prompt: ['file:This is Riverside Dental. You asked to be called back. Press 1 to be connected.'] } }],
    });
    expect(stepOf(plan)).toMatchObject({ priority: 4, enteredAt: 77 });
  });

  it('says that calls are recorded before the queue, where an agent’s are', () => {
    const account = { ...having(), numbers: [{ ...clinic().numbers[0], recordingAnnouncement: { text: 'Recorded.' } }], recording: 'yes' } as Account;
    const plan = planOf(callbackPlan(account, asked, callFrom()));
    expect(plan.steps['callback']).toMatchObject({ serve: 'announcement' });
    expect(plan.steps['announcement']).toMatchObject({ media: ['file:Recorded.'], announcesRecording: true, on: { done: 'queue.desk' } });
  });

  it.each<readonly [string, Account, Partial<CallFacts>, string, boolean]>([
    ['too many calls are out', having(), { callsOut: () => 10 }, 'calls out over trunks now: 10; allowed at once: 10.', true],
    ['the country is not called any more', { ...having(), outbound: { ...having().outbound, countries: ['CA'] } }, {}, '+13125550177 is in US; calls are allowed to CA.', false],
    ['the queue is gone', clinic(), {}, 'there is no queue “desk”', false],
    ['the queue calls nobody back any more', { ...clinic(), queues: new Map([['desk', queue()]]) }, {}, 'the queue “desk” calls nobody back any more', false],
  ])('is not made while or since %s', (_why, account, facts, refused, later) => {
    expect(callbackPlan(account, asked, callFrom(facts))).toEqual({ refused, later });
  });

  it('of which only the switch knows goes on in its queue, and is over where nobody was reached', () => {
    const plan = callbackRemainder(having(), callFrom());
    expect([plan.steps[plan.first], stepOf(plan).queue]).toEqual([{ kind: 'hang-up', cause: 'no-answer' }, 'desk']);
  });
});
