import { describe, expect, test } from 'vitest';
import { given } from './support/given.ts';
import { inPhase, phases } from './support/phases.ts';
import { desk, mobile, planOf } from './support/plans.ts';

const one = planOf([desk(1)]);
const connected = () => given(one).offered().legAnswers(1).bridged();

test('the announcement plays after our answer and before anything rings', () => {
  const call = given(planOf([desk(1)], { announcement: true })).offered();
  expect(call.asked()).toEqual(['AnswerLeg caller', 'PlayPrompt caller file:recorded-line']);
  expect(call.promptEnds().asked()).toEqual(['RingLeg caller', 'OriginateLeg l2']);
});

test('nobody answers: greeting, beep, recording, hang-up', () => {
  const call = given(one).offered().timer('round');
  expect(call.asked()).toEqual(['HangUpLeg l1 no-answer', 'AnswerLeg caller', 'PlayPrompt caller file:greeting']);
  expect(call.promptEnds().asked()).toEqual(['PlayPrompt caller tone:beep']);
  expect(call.promptEnds().asked()).toEqual(['StartRecording caller']);
  expect(call.recordingEnds(8000).asked()).toEqual(['HangUpLeg caller normal']);
  expect(call.allEnds().cdr).toMatchObject({ disposition: 'no-answer', endedBy: 'frontdesk', voicemail: { durationMs: 8000 } });
});

test('a message whose end is never heard of keeps its place in the record', () => {
  const call = given(one).offered().timer('round').promptEnds().promptEnds();
  call.when({ type: 'RecordingStarted', recordingId: call.call.recording ?? '' }).callerHangsUp().legEnds(1);
  call.timer('ending').timer('ending').timer('ending');
  expect(call.cdr).toMatchObject({ endedAt: call.now, voicemail: { durationMs: null } });
});

test('a message of which is known that it has ended, and not when, is kept, and the call goes on', () => {
  const call = given(one).offered().timer('round').promptEnds().promptEnds().recordingEnds(null);
  expect(call.asked()).toEqual(['HangUpLeg caller normal']);
  expect(call.every('VoicemailRecorded')).toMatchObject([{ durationMs: null }]);
  expect(call.every('VoicemailFailed')).toEqual([]);
  expect(call.allEnds().cdr.voicemail).toMatchObject({ durationMs: null });
});

describe.each(phases.filter((phase) => phase !== 'ended'))('The caller hangs up while the call is %s', (phase) => {
  test('nothing is left, and the call ends once', () => {
    const call = inPhase[phase]().callerHangsUp();
    const asked = call.everyCommand('HangUpLeg').map((command) => command.legId);
    expect(Object.values(call.call.legs).filter((leg) => leg.phase !== 'ended' && !asked.includes(leg.id))).toEqual([]);
    call.allEnds();
    expect(call.call).toMatchObject({ phase: 'ended', timers: {} });
    expect(call.every('CallEnded')).toHaveLength(1);
  });

  test('and no end is ever heard of: after three requests all is taken for lost', () => {
    const call = inPhase[phase]().callerHangsUp();
    for (let i = 0; i < 3 && call.call.phase !== 'ended'; i++) call.timer('ending');
    expect(call.call).toMatchObject({ phase: 'ended', timers: {} });
  });
});

test('a timer that was cancelled is ignored, and one armed anew waits for its new time', () => {
  expect(given(one).offered().legAnswers(1).when({ type: 'TimerFired', id: 'round' }).commands).toEqual([]);
  const call = given(planOf([mobile()])).offered().legAnswers(1).when({ type: 'TimerFired', id: 'screening:c7--l1' });
  expect(call.phases()).toEqual(['screening']);
  expect(call.commands.map((command) => command.type)).toEqual(['StartTimer']);
});

test('a prompt nobody waits for changes nothing', () => {
  const call = given(one).offered().when({ type: 'PromptFinished', legId: 'c7', promptId: 'c7--p99', ok: true });
  expect([call.commands, call.facts]).toEqual([[], []]);
});

test('a leg whose end is not heard of is asked again, and then taken for lost', () => {
  const call = given(planOf([desk(1), desk(2)])).offered().timer('leg:c7--l1');
  const end = 'hang-up:c7--l1';
  expect(call.timer(end).asked()).toEqual(['HangUpLeg l1 no-answer']);
  call.timer(end).timer(end);
  expect(call.phases()[0]).toBe('ended');
});

describe('A connected call', () => {
  test('ends when the callee hangs up, and was answered', () => {
    const call = connected().legEnds(1).allEnds();
    expect(call.cdr).toMatchObject({ disposition: 'answered', endedBy: 'callee', answeredBy: 'c7--l1' });
    expect(call.cdr.legs[0]).toMatchObject({ disposition: 'answered' });
  });

  test('ends at its longest time', () => {
    expect(connected().timer('max-call').asked()).toEqual(['HangUpLeg l1 normal', 'DestroyBridge', 'HangUpLeg caller normal']);
  });

  test('is held and taken up again, and the time is counted', () => {
    const call = connected().when({ type: 'LegHeld', legId: 'c7--l1' }).after(4000).when({ type: 'LegUnheld', legId: 'c7--l1' });
    expect(call.cdr.heldMs).toBe(4000);
    expect(call.call.phase).toBe('connected');
  });

  test('puts back one who left the bridge and lives, whoever else is in it', () => {
    const call = connected().when({ type: 'LegUnbridged', legId: 'c7--l1', bridgeId: 'c7--b2' });
    call.when({ type: 'LegBridged', legId: 'c7', bridgeId: 'c7--b2' }).timer('rejoin:c7--l1');
    expect(call.asked()).toContain('BridgeLegs caller l1');
    expect(call.fails('BridgeLegs').call.timers).toHaveProperty('rejoin:c7--l1');
  });

  test('asks again for a guard that could not be raised', () => {
    const call = connected().fails('SetGuard').timer('guard:c7--l1');
    expect(call.asked()).toEqual(['SetGuard l1']);
  });
});

describe('A bridge that cannot be made', () => {
  test('releases the winner, and routing goes on', () => {
    const call = given(one).offered().legAnswers(1).fails('BridgeLegs');
    expect(call.asked().slice(0, 2)).toEqual(['HangUpLeg l1 temporary-failure', 'DestroyBridge']);
    expect(call.call.phase).toBe('greeting');
  });

  test('is given up by the connect timer', () => {
    expect(given(one).offered().legAnswers(1).timer('connect').call.phase).toBe('greeting');
  });

  test('one of an earlier winner says nothing about this one', () => {
    const call = given(one).offered().legAnswers(1);
    call.when({ type: 'CommandFailed', command: { type: 'BridgeLegs', bridgeId: 'c7--b99', legIds: [] }, error: 'rejected', mayHaveReachedCarrier: false });
    expect(call.call.phase).toBe('connecting');
  });

  test('who left it again before the other came is not connected', () => {
    const call = given(one).offered().legAnswers(1);
    const bridgeId = 'c7--b2';
    call.when({ type: 'LegBridged', legId: 'c7', bridgeId }).when({ type: 'LegUnbridged', legId: 'c7', bridgeId }).when({ type: 'LegBridged', legId: 'c7--l1', bridgeId });
    expect(call.call.phase).toBe('connecting');
  });
});

test('a prompt refused because its leg is gone rings nobody: the end is on its way', () => {
  const call = given(planOf([desk(1)], { announcement: true })).offered().fails('PlayPrompt', 'gone');
  expect(call.call.phase).toBe('announcing');
});

test('all were busy: so was the call, whoever ends it', () => {
  const call = given(one).offered().legEnds(1, 'busy').callerHangsUp();
  expect(call.cdr.disposition).toBe('busy');
});
