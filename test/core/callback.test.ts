/** Q6 on the side of the call: a caller asks to be called back, and the call that calls back. */
import { describe, expect, it } from 'vitest';
import type { DeskWord } from '../../control-plane/core/call/events.ts';
import { callsOut } from '../../control-plane/core/call/calls-out.ts';
import { deskViewOf } from '../../control-plane/core/call/desk-view.ts';
import type { Plan, QueueCallback } from '../../control-plane/core/routing/plan.ts';
import { given, type Story } from './support/given.ts';
import { desk, planOfQueue, ringOf } from './support/plans.ts';

const id = 'c7';
const number = '+13125550177';
const callback: QueueCallback = { key: '2', number, asks: ['file:asks'], sorry: ['file:sorry'] };
const plan = (change: Partial<QueueCallback> = {}): Plan => {
  const base = planOfQueue({ callback: { ...callback, ...change } });
  const queue = base.steps['queue'];
  return queue?.kind === 'queue' ? { ...base, steps: { ...base.steps, queue: { ...queue, on: { ...queue.on, callback: 'exit' } } } } : base;
};
const says = (story: Story, said: DeskWord): Story => story.when({ type: 'DeskSaid', said });
const waiting = (of: Plan = plan()): Story => says(given(of).offered(), { type: 'HoldPlace', callId: id, visit: 1, queue: 'front', enteredAt: 1, position: 1 }).promptEnds();
/** The question is heard, from its beginning. */
const asked = (story = waiting()): Story => story.callerPresses('2').promptEnds().after(1000);
const kept = (story: Story, ok = true): Story => {
  const { id: of } = story.everyCommand('KeepCallback').at(-1) ?? expect.fail('nothing was asked for');
  return story.when({ type: 'CallbackKept', id: of, visit: 1, number, ok });
};
const heard = (story: Story): readonly string[] => story.asked().filter((one) => one.startsWith('PlayPrompt caller'));
const told = (story: Story): readonly string[] => story.commands.flatMap((one) => (one.type === 'TellDesk' ? [one.message.type] : one.type === 'KeepCallback' || one.type === 'DropCallback' ? [one.type] : []));
const offered = (story: Story): Story => says(story, { type: 'OfferCall', offerId: `${id}--o1.1`, callId: id, visit: 1, queue: 'front', agent: 'ana', devices: [], ringMs: 15_000, callback: null, ring: ringOf([desk(1)]) });

const calling = (): Plan => {
  const base = planOfQueue({ enteredAt: 5, greeting: [] });
  const attempt = { user: '', label: 'who is called back', target: { kind: 'external', number, trunks: ['t1', 't2'] }, ringMs: 20_000, callerId: { number: '+12025550110', name: '' }, whisper: [], screening: { key: '1', prompt: ['file:press-1'], waitMs: 10_000 } } as const;
  return { ...base, first: 'callback', callback: { id: 'cb', of: 'c3', attempt: 2 }, steps: { ...base.steps, callback: { kind: 'ring', pattern: 'simultaneous', attempts: [attempt], ringMs: 30_000, taken: [], serve: 'queue', on: { noAnswer: 'hang-up' } } } };
};
const answered = (): Story => given(calling()).offered().legRings(1).legAnswers(1);

describe('A caller in a queue who presses the key for a callback', () => {
  it('hears which number it goes to, confirms by the same key, and is let go once it is kept', () => {
    const story = waiting().callerPresses('2');
    expect([story.asked(), told(story)]).toEqual([['StopPrompt'], []]);
    expect(heard(story.promptEnds())).toEqual(['PlayPrompt caller file:asks']);
    story.after(1000).callerPresses('2');
    expect([told(story), story.call.phase]).toEqual([['KeepCallback'], 'queued']);
    expect(story.everyCommand('KeepCallback')).toMatchObject([{ number }]);
    kept(story);
    expect(told(story)).toEqual(['CallbackRequested']);
    expect(story.call).toMatchObject({ phase: 'announcing', step: 'exit', visit: null });
    expect(story.cdr.queues).toMatchObject([{ outcome: 'callback', callback: story.everyCommand('KeepCallback')[0]?.id }]);
    expect(deskViewOf(story.call)).toBeNull();
  });

  it('twice by mistake, or before the question was heard, has confirmed nothing', () => {
    expect(waiting().callerPresses('22').everyCommand('KeepCallback')).toEqual([]);
    expect(waiting().callerPresses('2').promptEnds().callerPresses('2').everyCommand('KeepCallback')).toEqual([]);
  });

  it('and says nothing for half a minute is asked anew', () => {
    const story = asked().after(40_000).callerPresses('2');
    expect(story.everyCommand('KeepCallback')).toEqual([]);
    expect(story.promptEnds().after(1000).callerPresses('2').everyCommand('KeepCallback')).toHaveLength(1);
  });

  it('and confirms over and over has asked for it once', () => {
    expect(asked().callerPresses('2').after(1000).callerPresses('2').everyCommand('KeepCallback')).toHaveLength(1);
  });

  it('and cannot be called back is told so, and stays in the place', () => {
    const story = waiting(plan({ number: null })).callerPresses('2');
    expect([heard(story.promptEnds()), story.call.phase]).toEqual([['PlayPrompt caller file:sorry'], 'queued']);
    expect(story.callerPresses('2').everyCommand('KeepCallback')).toEqual([]);
  });

  it('hears that it cannot be kept, stays in the place, and may ask again', () => {
    const story = kept(asked().callerPresses('2'), false);
    expect([told(story), story.call.phase, heard(story.promptEnds())]).toEqual([[], 'queued', ['PlayPrompt caller file:sorry']]);
    story.promptEnds().callerPresses('2').promptEnds().after(1000).callerPresses('2');
    expect(new Set(story.everyCommand('KeepCallback').map((one) => one.id)).size).toBe(2);
  });

  it('and hangs up before it is kept is called back all the same', () => {
    const story = offered(asked()).callerPresses('2').callerHangsUp();
    expect(told(kept(story))).toEqual(['CallbackRequested']);
  });

  it('lets go of who rings for the call', () => {
    const story = kept(offered(asked()).callerPresses('2'));
    expect(story.asked()).toContain(`HangUpLeg l${story.legId(1).split('--l')[1]} canceled`);
    expect(story.cdr.queues).toMatchObject([{ offers: [{ outcome: 'canceled' }] }]);
  });

  it('is not called back whom an agent has accepted first', () => {
    const story = offered(asked()).callerPresses('2').legRings(1).legAnswers(1);
    kept(story);
    expect([told(story), story.call.phase]).toEqual([['DropCallback'], 'queued']);
    says(story, { type: 'ConnectOffer', offerId: `${id}--o1.1`, callId: id, agent: 'ana' });
    expect(story.call.phase).toBe('connecting');
  });

  it('says nothing more to an agent who has accepted', () => {
    const story = offered(waiting()).legRings(1).legAnswers(1).callerPresses('2').after(1000).callerPresses('2');
    expect(story.everyCommand('KeepCallback')).toEqual([]);
  });

  it('asks again after an outage, under the same id; kept twice it is one', () => {
    const story = asked().callerPresses('2').adopted();
    expect(told(story)).toContain('KeepCallback');
    expect(new Set(story.everyCommand('KeepCallback').map((one) => one.id)).size).toBe(1);
    kept(kept(story));
    expect([told(story), story.everyCommand('DropCallback')]).toEqual([['CallbackRequested'], []]);
  });

  it('of which only the desk knows is let go by its word', () => {
    const story = says(waiting(), { type: 'LeaveQueue', callId: id, visit: 1, queue: 'front', why: 'callback' });
    expect(story.call).toMatchObject({ phase: 'announcing', step: 'exit' });
  });
});

describe('A call that calls back', () => {
  it('rings who is called back, over the next trunk where one fails, and names the call in which it was asked for', () => {
    const story = given(calling()).offered().legEnds(1, 'congestion');
    expect(story.everyCommand('OriginateLeg').map(({ trunk }) => trunk)).toEqual(['t1', 't2']);
    expect(story.cdr.callback).toEqual({ id: 'cb', of: 'c3', attempt: 2 });
  });

  it('serves who answers and presses the key, in the place they had; whoever it began with is let go', () => {
    const story = answered();
    const patient = story.legId(1);
    expect(story.call.phase).toBe('ringing');
    story.legPresses(1, '1');
    expect(story.call).toMatchObject({ phase: 'queued', caller: { legId: patient, phase: 'answered' }, visit: { enteredAt: 5, joinedAt: story.now, number } });
    expect(story.everyCommand('HangUpLeg')).toMatchObject([{ legId: id, cause: 'normal' }]);
    expect(story.everyCommand('MarkCall').at(-1)).toMatchObject({ legId: patient, mark: { place: 'queued', v: 4 } });
    expect(callsOut([story.call], 'c1')).toBe(1);
    story.when({ type: 'LegEnded', legId: id, cause: 'normal' });
    expect(story.call.phase).toBe('queued');
    offered(story).when({ type: 'LegAnswered', legId: story.everyCommand('OriginateLeg').at(-1)?.legId ?? '' });
    says(story, { type: 'ConnectOffer', offerId: `${id}--o1.1`, callId: id, agent: 'ana' }).bridged();
    expect(story.call.phase).toBe('connected');
    expect(story.callerHangsUp().allEnds().cdr).toMatchObject({ disposition: 'answered', queues: [{ outcome: 'connected', agent: 'ana' }], legs: [{ legId: patient, disposition: 'answered', trunk: 't1' }, { user: 'u1', disposition: 'answered' }] });
  });

  it('goes on with who was reached when it is taken over, whatever of it is known', () => {
    const story = answered().legPresses(1, '1');
    const seen = story.onSwitch();
    expect(given(calling()).when({ type: 'CallAdopted', seen }).call).toMatchObject({ phase: 'queued', caller: { legId: story.call.caller.legId }, visit: { enteredAt: 5 } });
    expect(answered().when({ type: 'CallAdopted', seen }).call).toMatchObject({ phase: 'queued', caller: { legId: story.call.caller.legId } });
  });

  it('is over where nobody answers, or presses the key', () => {
    expect(given(calling()).offered().legRings(1).timer('round').allEnds().cdr).toMatchObject({ disposition: 'no-answer', queues: [] });
    expect(answered().timer(`screening:${answered().legId(1)}`).allEnds().cdr).toMatchObject({ queues: [], legs: [{ cause: 'not-accepted' }] });
  });
});
