import { describe, expect, test } from 'vitest';
import { given } from './support/given.ts';
import { desk, mobile, planOf } from './support/plans.ts';

const clinic = planOf([desk(1), desk(2), desk(3), mobile()]);
const wins = (story: ReturnType<typeof given>): readonly string[] => story.every('LegAccepted').filter((one) => one.won).map((one) => one.legId);

const whispering = () => given(planOf([desk(1, { whisper: ['file:who'] })])).offered().legAnswers(1);

describe('Three desk phones and a mobile with call connect ring', () => {
  test('the mobile’s voicemail answers: the desk phones go on ringing, one wins, and the mobile is told', () => {
    const call = given(clinic).offered().legRings(1).legRings(2).legRings(3).legRings(4).after(1000).legAnswers(4);
    expect(call.asked()).toEqual(['PlayPrompt l4 file:who file:press-1']);
    expect(call.phases()).toEqual(['ringing', 'ringing', 'ringing', 'screening']);
    expect(call.call.timers).toHaveProperty('round');
    call.promptEnds(4).after(2000).legAnswers(2);
    expect(call.asked()).toEqual([
      'HangUpLeg l1 answered-elsewhere', 'HangUpLeg l3 answered-elsewhere', 'PlayPrompt l4 file:taken',
      'AnswerLeg caller', 'SetGuard caller', 'SetGuard l2', 'BridgeLegs caller l2',
    ]);
    call.bridged().promptEnds(4);
    expect(call.asked()).toEqual(['HangUpLeg l4 answered-elsewhere']);
    expect(call.call.phase).toBe('connected');
  });

  test('two press their key at once: one wins, both acceptances are told, the other hears that the call was taken', () => {
    const call = given(planOf([mobile(), mobile()])).offered().legAnswers(1).legAnswers(2).legPresses(2, '1');
    expect(call.asked()).toContain('PlayPrompt l1 file:taken');
    call.legPresses(1, '1');
    expect(call.every('LegAccepted').map((one) => [one.legId, one.won])).toEqual([['c7--l2', true], ['c7--l1', false]]);
    expect(call.asked()).toEqual([]);
    expect(call.call).toMatchObject({ phase: 'connecting', winner: 'c7--l2' });
  });

  test('two answer at once: the answer that crosses our hang-up is told as an acceptance, and changes nothing', () => {
    const call = given(clinic).offered().legAnswers(1).legAnswers(2);
    expect(wins(call)).toEqual(['c7--l1']);
    expect(call.facts).toContainEqual({ type: 'LegAccepted', legId: 'c7--l2', won: false });
    expect(call.asked()).toEqual([]);
  });

  test('an answer that crosses the end of the round is no acceptance after another’s', () => {
    const call = given(clinic).offered().timer('round').legAnswers(1);
    expect(call.told()).toEqual(['LegPickedUp']);
  });

  test('another key than the one asked for accepts nothing', () => {
    const call = given(clinic).offered().legAnswers(4).legPresses(4, '9');
    expect(call.call.phase).toBe('ringing');
  });

  test('no key in time: the mobile is declined, and the desk phones go on ringing', () => {
    const call = given(clinic).offered().legAnswers(4).timer('screening:c7--l4');
    expect(call.asked()).toEqual(['HangUpLeg l4 not-accepted']);
    expect(call.call.phase).toBe('ringing');
    call.legEnds(4);
    expect(call.facts).toEqual([{ type: 'LegEnded', legId: 'c7--l4', cause: 'not-accepted', disposition: 'declined' }]);
  });

  test('the question that cannot be played is asked by tone', () => {
    const call = given(clinic).offered().legAnswers(4).fails('PlayPrompt').timer('ask-again:c7--l4');
    expect(call.asked()).toEqual(['PlayPrompt l4 tone:accept']);
  });

  test('a phone’s own time is up: it stops, the others ring on', () => {
    const call = given(clinic).offered().legRings(1).timer('leg:c7--l1');
    expect(call.asked()).toEqual(['HangUpLeg l1 no-answer']);
    expect(call.call.phase).toBe('ringing');
  });
});

describe('The whisper', () => {
  test('plays to the winner before the bridge', () => {
    const call = whispering();
    expect(call.asked()).toEqual(['PlayPrompt l1 file:who']);
    expect(call.promptEnds(1).asked()).toEqual(['AnswerLeg caller', 'SetGuard caller', 'SetGuard l1', 'BridgeLegs caller l1']);
  });

  test('a hang-up during it declines, and routing goes on', () => {
    const call = whispering().legEnds(1);
    expect(call.facts).toContainEqual({ type: 'LegEnded', legId: 'c7--l1', cause: 'not-accepted', disposition: 'declined' });
    expect(call.call.phase).toBe('greeting');
  });

  test('one whose end is not heard of is stopped, and the call is connected', () => {
    expect(whispering().timer('whisper').asked()).toContain('BridgeLegs caller l1');
  });
});

describe('Another trunk', () => {
  const external = planOf([mobile()]);

  test('is tried where nobody can have been reached', () => {
    expect(given(external).offered().legEnds(1, 'congestion').asked()).toEqual(['OriginateLeg l2 t2']);
    expect(given(external).offered().fails('OriginateLeg').asked()).toEqual(['OriginateLeg l2 t2']);
  });

  test.each([
    ['it was busy', given(external).offered().legEnds(1, 'busy')],
    ['it had rung', given(external).offered().legRings(1).legEnds(1, 'congestion')],
    ['the request may have reached the carrier', given(external).offered().fails('OriginateLeg', 'rejected', true)],
    ['nobody knows what became of the request', given(external).offered().fails('OriginateLeg', 'timeout')],
  ])('is not tried when %s', (_why, call) => {
    expect(call.everyCommand('OriginateLeg')).toHaveLength(1);
    expect(call.call.phase).toBe('greeting');
  });

  test('a request without a reply whose leg is being hung up goes on being hung up', () => {
    const call = given(external).offered().timer('round').fails('OriginateLeg', 'timeout');
    expect(call.phases()).toEqual(['ending']);
    expect(call.timer('hang-up:c7--l1').asked()).toEqual(['HangUpLeg l1 no-answer']);
  });
});
