import { describe, expect, test } from 'vitest';
import { given, type Story } from './support/given.ts';
import { planOfSupervision } from './support/plans.ts';

const supervising = (): Story => given(planOfSupervision()).offered().legAnswers(1).bridged();
const modesOf = (call: Story): readonly string[] => call.cdr.supervision?.periods.map(({ mode, from, to }) => `${mode} ${to === null ? 'on' : to - from}`) ?? [];

describe('A supervisor who has answered', () => {
  test('gets a leg that hears the agent, and is bridged with it once it is there', () => {
    const call = given(planOfSupervision('coach')).offered();
    expect(call.asked()).toEqual(['AnswerLeg caller', 'SuperviseLeg l2']);
    expect(call.everyCommand('SuperviseLeg')).toMatchObject([{ supervised: 'c3--l1', mode: 'coach' }]);
    expect(call.legAnswers(1).asked()).toEqual(['BridgeLegs caller l2']);
    expect(modesOf(call)).toEqual([]);
    expect(call.bridged().told()).toEqual(['Supervising']);
    expect(modesOf(call)).toEqual(['coach on']);
  });

  test('changes the mode by keys: a new leg takes the place of the old one once it is there', () => {
    const call = supervising().after(3000).callerPresses('6');
    expect(call.asked()).toEqual(['SuperviseLeg l3']);
    expect(call.legAnswers(2).asked()).toEqual(['HangUpLeg l2 normal', 'BridgeLegs l3']);
    call.bridged().legEnds(1);
    expect(call.call).toMatchObject({ phase: 'supervising', spy: call.legId(2) });
    expect(call.everyCommand('SuperviseLeg').map(({ mode }) => mode)).toEqual(['listen', 'barge']);
    expect(modesOf(call)).toEqual(['listen 3000', 'barge on']);
  });

  test('is asked nothing anew by the key of the mode that is on, or by one that means nothing', () => {
    const call = supervising();
    expect(call.callerPresses('4').asked()).toEqual([]);
    expect(call.callerPresses('1#').asked()).toEqual([]);
    expect(call.when({ type: 'ModeAsked', mode: 'listen' }).asked()).toEqual([]);
    expect(call.when({ type: 'ModeAsked', mode: 'coach' }).asked()).toEqual(['SuperviseLeg l3']);
  });

  test('who changes their mind has the last mode that was asked for, whichever leg is there first', () => {
    const call = supervising().callerPresses('56');
    expect(call.legAnswers(2).asked()).toEqual(['HangUpLeg l3 canceled']);
    expect(call.legAnswers(3).asked()).toEqual(['HangUpLeg l2 normal', 'BridgeLegs l4']);
    call.bridged();
    expect(modesOf(call)).toEqual(['listen 0', 'barge on']);
  });

  test('goes on as before when the switch refuses another mode, or does not bridge it', () => {
    const refused = supervising().callerPresses('5').fails('SuperviseLeg', 'rejected');
    expect(refused.call).toMatchObject({ phase: 'supervising', spy: refused.legId(1) });
    const both = supervising().callerPresses('56').fails('SuperviseLeg', 'rejected');
    expect(both.asked()).toEqual(['HangUpLeg l3 canceled']);
    expect(both.call).toMatchObject({ phase: 'supervising', spy: both.legId(1) });
    const late = supervising().callerPresses('5').timer('connect');
    expect(late.asked()).toEqual(['HangUpLeg l3 temporary-failure']);
    expect(late.call).toMatchObject({ phase: 'supervising', spy: late.legId(1) });
    expect(late.callerPresses('5').asked()).toEqual(['SuperviseLeg l4']);
  });

  test('is put back who came out of the bridge and lives', () => {
    const call = supervising();
    const bridgeId = 'bridgeId' in call.call ? call.call.bridgeId : '';
    call.when({ type: 'LegUnbridged', legId: call.call.id, bridgeId });
    expect(call.timer(`rejoin:${call.call.id}`).asked()).toEqual(['BridgeLegs caller l2']);
    call.when({ type: 'LegUnbridged', legId: call.legId(1), bridgeId }).when({ type: 'LegBridged', legId: call.legId(1), bridgeId });
    expect(Object.keys(call.call.timers)).toEqual(['max-call']);
  });
});

describe('A supervision ends', () => {
  test('with the agent, and says so', () => {
    const call = supervising().after(8000).legEnds(1);
    expect(call.asked()).toEqual(['DestroyBridge', 'HangUpLeg caller normal']);
    expect(call.allEnds().cdr).toMatchObject({ disposition: 'answered', endedBy: 'callee', legs: [], supervision: { callId: 'c3', legId: 'c3--l1', by: 'key1', periods: [{ mode: 'listen' }] } });
    expect(modesOf(call)).toEqual(['listen 8000']);
  });

  test('when the supervisor hangs up; the leg that heard is let go, and nobody else is touched', () => {
    const call = supervising().callerHangsUp();
    expect(call.asked()).toEqual(['HangUpLeg l2 normal', 'DestroyBridge']);
    expect(call.allEnds().cdr).toMatchObject({ disposition: 'answered', endedBy: 'caller' });
  });

  test('before it began when the agent is gone by then, or the switch refuses', () => {
    expect(given(planOfSupervision()).offered().fails('SuperviseLeg', 'gone').allEnds().cdr).toMatchObject({ disposition: 'failed', endedBy: 'callee', supervision: { periods: [] } });
    expect(given(planOfSupervision()).offered().fails('SuperviseLeg', 'rejected').allEnds().cdr).toMatchObject({ disposition: 'failed', endedBy: 'frontdesk' });
    expect(given(planOfSupervision()).offered().timer('connect').asked()).toEqual(['HangUpLeg l2 temporary-failure', 'DestroyBridge', 'HangUpLeg caller temporary-failure']);
  });

  test('once: a request that fails after the supervisor has left leaves nothing to wait for', () => {
    const call = given(planOfSupervision()).offered().callerHangsUp();
    expect(call.call.phase).toBe('ending');
    expect(call.fails('SuperviseLeg', 'gone').call.phase).toBe('ended');
  });

  test('at the longest call of who is supervised', () => {
    expect(supervising().timer('max-call').allEnds().cdr).toMatchObject({ disposition: 'answered', endedBy: 'frontdesk' });
  });
});

describe('A supervision that is taken over', () => {
  test('goes on where its leg is bridged, and is told apart from one that begins', () => {
    const call = supervising().adopted();
    expect(call.call.phase).toBe('supervising');
    expect(call.every('Supervising')).toHaveLength(1);
    expect(call.everyCommand('SuperviseLeg')).toHaveLength(1);
  });

  test('is asked for again where the request did not arrive', () => {
    const call = given(planOfSupervision('barge')).offered().adopted({ legs: [] });
    expect(call.everyCommand('SuperviseLeg').map(({ mode }) => mode)).toEqual(['barge', 'barge']);
    expect(new Set(call.everyCommand('SuperviseLeg').map(({ legId }) => legId)).size).toBe(2);
  });

  test('is in the mode that the switch has, where the journal lost the change', () => {
    const before = supervising().callerPresses('6').legAnswers(2).bridged().legEnds(1);
    const call = supervising().when({ type: 'CallAdopted', seen: before.onSwitch() });
    expect(call.call).toMatchObject({ phase: 'supervising', spy: before.legId(2) });
    expect(modesOf(call)).toEqual(['listen 0', 'barge on']);
    expect(call.callerPresses('6').asked()).toEqual([]);
  });

  test('ends when the agent has gone meanwhile', () => {
    const call = supervising().adopted({ legs: [], bridges: [] });
    expect(call.call.phase).toBe('ending');
    expect(call.allEnds().cdr).toMatchObject({ disposition: 'answered', endedBy: 'callee' });
  });

  test('lets go of a leg of a mode that was left', () => {
    const before = supervising().callerPresses('6');
    const call = before.legAnswers(2).bridged().adopted();
    expect(call.everyCommand('HangUpLeg').map(({ legId }) => legId)).toContain(call.legId(1));
  });
});
