/** The recording of a call: after both have heard so, from the bridge to its end, and never in the way of the call. */
import { describe, expect, it } from 'vitest';
import type { Plan } from '../../control-plane/core/routing/plan.ts';
import { given, type Story } from './support/given.ts';
import { desk, mobile, planOf } from './support/plans.ts';

const recorded = planOf([desk(1, { recording: { announced: false } })]);
const plain = planOf([desk(1, { whisper: ['file:this-call-is-recorded'], recording: { announced: true } })], { announcement: true });
const announced: Plan = { ...plain, steps: { ...plain.steps, announcement: { kind: 'announcement', media: ['file:this-call-is-recorded'], announcesRecording: true, on: { done: 'ring' } } } };

const talking = (): Story => given(recorded).offered().legAnswers(1).bridged();
const idOf = (story: Story): string => story.call.callRecording?.id ?? 'none';
const recording = (): Story => {
  const story = talking();
  return story.after(20).when({ type: 'RecordingStarted', recordingId: idOf(story) });
};
const ends = (story: Story, durationMs = 4000): Story => story.when({ type: 'RecordingFinished', recordingId: idOf(story), durationMs });

describe('A recording', () => {
  it('starts when both are in the bridge, not before', () => {
    const story = given(recorded).offered().legAnswers(1);
    expect(story.everyCommand('StartCallRecording')).toEqual([]);
    expect(story.bridged().everyCommand('StartCallRecording')).toMatchObject([{ caller: 'c7', callee: story.legId(1), recordingId: 'c7--c3' }]);
  });

  it('ends with the bridge, and the record has when and how long', () => {
    const story = recording().after(4000).callerHangsUp();
    expect(story.asked()[0]).toBe('StopRecording');
    const id = idOf(story);
    ends(story).allEnds();
    expect(story.call.phase).toBe('ended');
    expect(story.cdr.recordings).toEqual([{ recordingId: id, startedAt: story.cdr.startedAt + 20, endedAt: story.cdr.startedAt + 4020, durationMs: 4000, failed: false, cut: false }]);
  });

  it('that ends while they go on talking is cut, the call goes on, and the record says so', () => {
    const story = recording().after(3000);
    ends(story, 3000);
    expect([story.call.phase, story.call.callRecording, story.told()]).toEqual(['connected', null, ['CallRecordingEnded']]);
    story.after(10_000).callerHangsUp().legEnds(1);
    expect(story.cdr.recordings).toMatchObject([{ durationMs: 3000, failed: false, cut: true }]);
  });

  it('that ends a moment before the party who hung up is not cut', () => {
    const story = ends(recording().after(4000)).after(20).callerHangsUp().legEnds(1);
    expect([story.call.phase, story.cdr.recordings[0]?.cut]).toEqual(['ended', false]);
  });

  it('whose end is not heard of is asked for again, and the call ends without it', () => {
    const story = recording().callerHangsUp().legEnds(1);
    const id = idOf(story);
    expect(story.timer('ending').asked()).toEqual(['StopRecording']);
    expect(story.timer('ending').timer('ending').call.phase).toBe('ended');
    expect(story.cdr.recordings).toMatchObject([{ recordingId: id, durationMs: null }]);
  });

  it.each([
    ['cannot start', (story: Story) => story.fails('StartCallRecording')],
    ['fails on the switch', (story: Story) => story.when({ type: 'RecordingFailed', recordingId: idOf(story) })],
    ['is given no answer', (story: Story) => story.fails('StartCallRecording', 'timeout')],
  ])('that %s changes nothing for the call, and the record says so', (_, fail) => {
    const story = fail(talking());
    expect([story.call.phase, story.call.callRecording, story.told()]).toEqual(['connected', null, ['CallRecordingFailed']]);
    expect(story.callerHangsUp().legEnds(1).call.phase).toBe('ended');
    expect(story.cdr).toMatchObject({ disposition: 'answered', recordings: [{ startedAt: null, failed: true }] });
  });
});

describe('An announced recording', () => {
  it('starts once both have heard so, and the record proves it', () => {
    const story = given(announced).offered().after(1000).promptEnds().legAnswers(1).after(1000).promptEnds(1).after(10).bridged();
    story.after(5).when({ type: 'RecordingStarted', recordingId: idOf(story) });
    const at = story.cdr.startedAt;
    expect([story.cdr.recordingAnnouncedAt, story.cdr.legs[0]?.recordingAnnouncedAt, story.cdr.recordings[0]?.startedAt]).toEqual([at + 1000, at + 2000, at + 2015]);
  });

  it('is announced to a callee who has pressed the key, too: the caller waits until it is heard', () => {
    const asked = planOf([mobile({ whisper: ['file:this-call-is-recorded'], recording: { announced: true } })], { announcement: true });
    const plan: Plan = { ...asked, steps: { ...announced.steps, ring: asked.steps['ring'] ?? asked.steps['hang-up'] } as Plan['steps'] };
    const story = given(plan).offered().promptEnds().legAnswers(1).legPresses(1, '1');
    expect(story.asked()).toContain('PlayPrompt l2 file:this-call-is-recorded');
    expect(story.promptEnds(1).bridged().everyCommand('StartCallRecording')).toHaveLength(1);
  });

  it.each([['the caller', false, true], ['the callee', true, false]])('does not start when %s has not heard so', (_, caller, callee) => {
    const story = given(announced).offered().promptEnds(undefined, caller).legAnswers(1).promptEnds(1, callee).bridged();
    expect([story.call.phase, story.everyCommand('StartCallRecording'), story.cdr.notRecorded]).toEqual(['connected', [], 'not-announced']);
  });

  it('does not start when the callee’s prompt never ended', () => {
    expect(given(announced).offered().promptEnds().legAnswers(1).timer('whisper').bridged().cdr.notRecorded).toBe('not-announced');
  });
});

describe('After an outage', () => {
  it('a recording that runs goes on, and ends with the call', () => {
    const story = recording();
    const id = idOf(story);
    story.adopted({ recordings: [id] });
    expect([idOf(story), story.everyCommand('StartCallRecording').length]).toEqual([id, 1]);
    expect(story.callerHangsUp().asked()[0]).toBe('StopRecording');
  });

  it('one that ended meanwhile is begun again', () => {
    const story = recording();
    const first = idOf(story);
    story.adopted({ recordings: [] });
    expect([story.everyCommand('StartCallRecording').length, idOf(story) === first]).toEqual([2, false]);
    expect(story.cdr.recordings).toMatchObject([{ recordingId: first, durationMs: null }]);
  });

  it('one that no journal tells of is taken up', () => {
    const story = talking();
    const seen = { ...story.onSwitch(), recordings: [idOf(story)] };
    const again = given(recorded).when({ type: 'CallAdopted', seen });
    expect([again.call.phase, idOf(again), again.everyCommand('StartCallRecording')]).toEqual(['connected', idOf(story), []]);
    expect(again.cdr.recordings).toMatchObject([{ recordingId: idOf(story) }]);
  });

  it('the caller who has heard the announcement need not hear it again', () => {
    const story = given(announced).offered().promptEnds().legAnswers(1);
    const again = given(announced).when({ type: 'CallAdopted', seen: story.onSwitch() });
    expect(again.call.announcedTo).toEqual(['c7']);
  });
});
