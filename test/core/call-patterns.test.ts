import { describe, expect, test } from 'vitest';
import type { Attempt, RingPattern } from '../../control-plane/core/routing/plan.ts';
import { given, type Story } from './support/given.ts';
import { desk, mobile, planOf, walkOf } from './support/plans.ts';

const walks = ['sequential', 'round-robin', 'least-connected'] as const;

/** Three desks by default, in this order whatever the pattern. */
const begun = (pattern: RingPattern, attempts: readonly Attempt[] = [desk(1), desk(2), desk(3)]): Story => {
  const call = given(walkOf(pattern, attempts)).offered();
  return call.call.phase === 'ordering' ? call.ordered(...new Set(attempts.map(({ user }) => user))) : call;
};
const dialled = (call: Story): readonly string[] => call.every('LegDialed').map(({ label }) => label);

const refusals: readonly (readonly [string, (call: Story) => Story])[] = [
  ['is busy', (call) => call.legRings(1).legEnds(1, 'busy')],
  ['declines', (call) => call.legRings(1).legEnds(1, 'declined')],
  ['does not answer in its time', (call) => call.legRings(1).timer('leg:c7--l2')],
  ['is not there', (call) => call.legEnds(1, 'absent')],
  ['cannot be dialled', (call) => call.fails('OriginateLeg', 'rejected')],
  ['may or may not have been dialled', (call) => call.fails('OriginateLeg', 'timeout')],
];

const legTimer = (call: Story, n: number): string => `leg:${call.legId(n)}`;

describe.each(walks)('A group that rings one after the other, %s', (pattern) => {

  test.each(refusals)('rings the second at once, and nobody else, when the first %s', (_why, refused) => {
    const call = begun(pattern);
    expect(dialled(call)).toEqual(['desk 1']);
    if (_why.startsWith('does not answer')) call.legRings(1).timer(legTimer(call, 1));
    else refused(call);
    expect(dialled(call)).toEqual(['desk 1', 'desk 2']);
    expect(call.call).toMatchObject({ phase: 'ringing', next: [2] });
  });

  test('rings on when one who is asked for a key presses none, or hangs up', () => {
    const screened = { screening: { key: '1', prompt: ['file:press-1'], waitMs: 10_000 } } as const;
    const silent = begun(pattern, [desk(1, screened), desk(2, screened), desk(3)]).legAnswers(1);
    expect(dialled(silent)).toEqual(['desk 1']);
    silent.timer(`screening:${silent.legId(1)}`);
    expect(dialled(silent)).toEqual(['desk 1', 'desk 2']);
    expect(dialled(silent.legAnswers(2).legEnds(2))).toEqual(['desk 1', 'desk 2', 'desk 3']);
  });

  test('rings nobody else once one has accepted', () => {
    const call = begun(pattern).legEnds(1, 'busy').legAnswers(2).bridged();
    expect(call.call).toMatchObject({ phase: 'connected', winner: call.legId(2) });
    expect(call.call.timers).not.toHaveProperty('round');
    expect(dialled(call.callerHangsUp().allEnds())).toEqual(['desk 1', 'desk 2']);
    expect(call.cdr).toMatchObject({ disposition: 'answered', legs: [{ disposition: 'busy' }, { disposition: 'answered' }] });
  });

  test('is through when all have refused: no-answer routing follows at once', () => {
    const call = begun(pattern).legEnds(1, 'busy').legEnds(2, 'declined').legEnds(3, 'busy');
    expect(call.call.phase).toBe('greeting');
    expect(call.facts).toContainEqual({ type: 'RingEnded', step: 'ring', outcome: 'noAnswer' });
  });

  test('stops when the time of the round is over, whoever is left', () => {
    const call = begun(pattern).after(5000).legEnds(1, 'busy').timer('round');
    expect(call.asked()).toContain(`HangUpLeg ${call.legId(2).replace('c7--', '')} no-answer`);
    expect(call.call.phase).toBe('greeting');
    expect(dialled(call.allEnds())).toEqual(['desk 1', 'desk 2']);
  });

  test('goes on with the next when the winner is lost in the whisper, for as long as the round lasts', () => {
    const whispered = [desk(1, { whisper: ['file:who'] }), desk(2, { whisper: ['file:who'] }), desk(3)];
    const call = begun(pattern, whispered).legAnswers(1).legEnds(1);
    expect(call.asked()).toEqual([expect.stringMatching(/^DestroyBridge/), 'RingLeg caller', expect.stringMatching(/^OriginateLeg/)]);
    expect(call.call).toMatchObject({ phase: 'ringing', next: [2] });
    expect(call.told()).not.toContain('RingEnded');
    call.legAnswers(2).timer('round').legEnds(2);
    expect(call.call.phase).toBe('greeting');
    expect(dialled(call)).toEqual(['desk 1', 'desk 2']);
  });

  test('goes on with the next when the bridge cannot be made', () => {
    const call = begun(pattern).legAnswers(1).timer('connect');
    expect(call.call).toMatchObject({ phase: 'ringing', next: [2] });
    expect(dialled(call)).toEqual(['desk 1', 'desk 2']);
  });

  test('has no-answer routing follow when the last is lost in the whisper', () => {
    const call = begun(pattern, [desk(1), desk(2, { whisper: ['file:who'] })]).legEnds(1, 'busy').legAnswers(2);
    expect(call.call.timers).not.toHaveProperty('round');
    expect(call.legEnds(2).call.phase).toBe('greeting');
  });

  test('rings all phones of a destination together, and the next destination when none of them is left', () => {
    const call = begun(pattern, [desk(1), mobile({ user: 'u1' }), desk(2)]);
    expect(dialled(call)).toEqual(['desk 1', 'mobile']);
    expect(dialled(call.legEnds(1, 'busy'))).toEqual(['desk 1', 'mobile']);
    // Over its second trunk, which is the same try of the same phone.
    expect(dialled(call.legEnds(2, 'congestion'))).toEqual(['desk 1', 'mobile', 'mobile']);
    expect(dialled(call.legEnds(3, 'busy'))).toEqual(['desk 1', 'mobile', 'mobile', 'desk 2']);
  });

  test('stops for a caller who hangs up', () => {
    const call = begun(pattern).callerHangsUp().allEnds();
    expect(call.call).toMatchObject({ phase: 'ended', timers: {} });
    expect(dialled(call)).toEqual(['desk 1']);
  });

  test('takes an answer that crosses the end of its turn for none', () => {
    const call = begun(pattern);
    call.timer(legTimer(call, 1)).legAnswers(1);
    expect(call.told()).toEqual(['LegPickedUp']);
    expect(call.call).toMatchObject({ phase: 'ringing', next: [2] });
  });
});

describe.each(['round-robin', 'least-connected'] as const)('Before a group is rung %s', (pattern) => {
  const asking = (attempts: readonly Attempt[] = [desk(1), desk(2), desk(3)]): Story => given(walkOf(pattern, attempts)).offered();

  test('it is asked who comes first, and the caller hears ringing', () => {
    const call = asking([desk(1), mobile({ user: 'u1' }), mobile({ user: '' }), desk(3)]);
    expect(call.everyCommand('OrderDestinations')).toEqual([{
      type: 'OrderDestinations', step: 'ring', pattern, group: 'front',
      destinations: [{ id: 'u1', parties: ['c1/u1'] }, { id: '', parties: ['c1/+12025550121'] }, { id: 'u3', parties: ['c1/u3'] }],
    }]);
    expect(call.asked()).toContain('RingLeg caller');
    expect(call.call.phase).toBe('ordering');
  });

  test('the order that is told is rung, and stands in the record with its reason', () => {
    const call = asking().ordered('u3', 'u1', 'u2').legEnds(1, 'busy').legEnds(2, 'busy').legAnswers(3).bridged().callerHangsUp().allEnds();
    expect(dialled(call)).toEqual(['desk 3', 'desk 1', 'desk 2']);
    expect(call.cdr.orders).toEqual([{ step: 'ring', order: ['u3', 'u1', 'u2'], why: 'turn 4 of front' }]);
  });

  test('one that is not in the order is skipped', () => {
    const call = asking().ordered('u2').legEnds(1, 'busy');
    expect(dialled(call)).toEqual(['desk 2']);
    expect(call.call.phase).toBe('greeting');
  });

  test.each([[[]], [['nobody', 'known']], [['u1', 'u1', 'u2', 'u3']]])('the order %j rings all, each once', (order) => {
    const call = asking().ordered(...order).legEnds(1, 'busy').legEnds(2, 'busy').legEnds(3, 'busy');
    expect(dialled(call)).toEqual(['desk 1', 'desk 2', 'desk 3']);
  });

  test('no order in time: they are rung as listed, and one that comes later changes nothing', () => {
    const call = asking().timer('order').legRings(1);
    call.ordered('u3', 'u2', 'u1');
    expect([call.commands, call.facts]).toEqual([[], []]);
    expect(dialled(call)).toEqual(['desk 1']);
    expect(call.every('DestinationsOrdered')).toEqual([{ type: 'DestinationsOrdered', step: 'ring', order: ['u1', 'u2', 'u3'], why: 'as listed: no order was to be had in time' }]);
  });

  test('the order of another step is none', () => {
    const call = asking().when({ type: 'DestinationsOrdered', step: 'other', order: ['u3'], why: '' });
    expect([call.call.phase, call.commands]).toEqual(['ordering', []]);
  });

  test('a caller who hangs up meanwhile is gone, and the order comes for nobody', () => {
    const call = asking().callerHangsUp().ordered('u1', 'u2');
    expect(call.call.phase).toBe('ended');
    expect(dialled(call)).toEqual([]);
  });

  test('the time of the round may be over already, after an outage: nobody is rung', () => {
    const call = asking().timer('round');
    expect(call.call).toMatchObject({ phase: 'greeting' });
    expect(call.call.timers).not.toHaveProperty('order');
  });

  test('nobody is asked about a single destination', () => {
    const call = asking([desk(1), mobile({ user: 'u1' })]);
    expect(dialled(call)).toEqual(['desk 1', 'mobile']);
    expect([call.everyCommand('OrderDestinations'), call.cdr.orders]).toEqual([[], []]);
  });
});

test('the plan’s own order needs no asking', () => {
  const call = given(walkOf('sequential', [desk(1), desk(2)])).offered();
  expect(dialled(call)).toEqual(['desk 1']);
  expect(call.cdr.orders).toEqual([{ step: 'ring', order: ['u1', 'u2'], why: 'as listed' }]);
});

const late = () => given(planOf([desk(1), desk(2, { delayMs: 8000 })])).offered();

describe('A phone that rings later', () => {

  test('is rung when its time has come, beside the others', () => {
    const call = late();
    expect(dialled(call)).toEqual(['desk 1']);
    expect(dialled(call.timer('delay:1'))).toEqual(['desk 1', 'desk 2']);
    expect(call.now - call.call.startedAt).toBe(8000);
    expect(call.legAnswers(2).asked()).toContain('HangUpLeg l1 answered-elsewhere');
  });

  test('is not rung when another has accepted before', () => {
    const call = late().legAnswers(1).bridged();
    expect(call.call.timers).not.toHaveProperty('delay:1');
    expect(dialled(call.callerHangsUp().allEnds())).toEqual(['desk 1']);
  });

  test('is waited for when all others have refused', () => {
    const call = late().legEnds(1, 'busy');
    expect(call.call.phase).toBe('ringing');
    expect(dialled(call.timer('delay:1'))).toEqual(['desk 1', 'desk 2']);
  });

  test('is not rung after the caller has left', () => {
    expect(late().callerHangsUp().call.timers).not.toHaveProperty('delay:1');
  });

  test.each([25_000, 30_000])('is not rung when that would be after the round (%i ms)', (delayMs) => {
    const call = given(planOf([desk(1), desk(2, { delayMs })])).offered().legEnds(1, 'busy');
    expect(call.call.phase).toBe('greeting');
    expect(dialled(call)).toEqual(['desk 1']);
  });

  test('in a walk it waits from the turn of its destination on', () => {
    const call = given(walkOf('sequential', [desk(1), mobile({ user: 'u1', delayMs: 5000 }), desk(2)])).offered().after(3000).legEnds(1, 'busy');
    expect(call.call.phase).toBe('ringing');
    call.timer('delay:1');
    expect([dialled(call), call.now - call.call.startedAt]).toEqual([['desk 1', 'mobile'], 5000]);
    expect(dialled(call.legEnds(2, 'busy'))).toEqual(['desk 1', 'mobile', 'desk 2']);
  });

  test('is forgotten with the turn of its destination when the winner of that is lost', () => {
    const call = given(walkOf('sequential', [desk(1, { whisper: ['file:who'] }), mobile({ user: 'u1', delayMs: 5000 }), desk(2)])).offered().legAnswers(1).legEnds(1);
    expect(dialled(call)).toEqual(['desk 1', 'desk 2']);
    expect(call.call.timers).not.toHaveProperty('delay:1');
  });
});

describe('An extension behind a switchboard', () => {
  const dialExtension = { digits: '2w04', delayMs: 2000 } as const;
  const behind = (change: Partial<Attempt> = {}) => given(planOf([desk(1, { dialExtension, ...change }), desk(2)])).offered().legAnswers(1);
  const takesMs = 2000 + 3 * 200 + 500 + 300;

  test('is dialled once the switchboard has answered, which accepts nothing yet', () => {
    const call = behind();
    expect(call.asked()).toEqual(['SendDigits l1 2w04 2000']);
    expect(call.phases()).toEqual(['extending', 'dialing']);
    expect(call.told()).toEqual(['LegPickedUp', 'ExtensionDialed']);
  });

  test('has the call when it is dialled, and not before', () => {
    const call = behind().timer('extension:c7--l1');
    expect(call.now - call.call.startedAt).toBe(takesMs);
    expect(call.call).toMatchObject({ phase: 'connecting', winner: 'c7--l1' });
  });

  test('is then asked for a key, or hears the whisper', () => {
    expect(behind({ whisper: ['file:who'] }).timer('extension:c7--l1').asked()).toContain('PlayPrompt l1 file:who');
    const screened = behind({ screening: { key: '1', prompt: ['file:press-1'], waitMs: 10_000 } }).legPresses(1, '1');
    expect([screened.phases()[0], screened.facts]).toEqual(['extending', []]);
    expect(screened.timer('extension:c7--l1').asked()).toEqual(['PlayPrompt l1 file:press-1']);
    expect(screened.legPresses(1, '1').call.phase).toBe('connecting');
  });

  test('is let go when another accepts meanwhile', () => {
    const call = behind().legAnswers(2);
    expect(call.asked()).toContain('HangUpLeg l1 answered-elsewhere');
    expect(call.call).toMatchObject({ phase: 'connecting', winner: 'c7--l2' });
  });

  test('is let go when the time of the round is over', () => {
    expect(behind().timer('round').asked()).toContain('HangUpLeg l1 not-accepted');
  });

  test('that hangs up meanwhile has declined', () => {
    const call = behind().legEnds(1);
    expect(call.facts).toEqual([{ type: 'LegEnded', legId: 'c7--l1', cause: 'not-accepted', disposition: 'declined' }]);
    expect(call.call.phase).toBe('ringing');
  });

  test('goes on when its digits could not be sent: whoever answered is there', () => {
    const call = behind().fails('SendDigits').timer('extension:c7--l1');
    expect(call.call).toMatchObject({ phase: 'connecting', winner: 'c7--l1' });
  });
});
