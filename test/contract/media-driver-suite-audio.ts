/** The part of the contract about what parties hear and what is recorded of them. */
/* oxlint-disable vitest/expect-expect -- waiting for an event is the assertion */
import { expect, it } from 'vitest';
import { ownedId } from '../../control-plane/core/ids.ts';
import type { MediaCommand } from '../../control-plane/core/call/commands.ts';
import type { ContractFixture } from './media-driver-fixture.ts';
import type { ContractSteps } from './media-driver-steps.ts';

export function audioSentences(fix: () => ContractFixture, steps: ContractSteps): void {
  const { execute, must, awaited, event, types, digits, finished, answeredCaller, mark } = steps;

  it('plays a prompt to its end', async () => {
    const { callId } = await answeredCaller();
    const promptId = ownedId(callId, 'p', 1);
    await must({ type: 'PlayPrompt', legId: callId, promptId, media: [fix().audio.short] });
    expect(await event('PromptFinished', promptId)).toMatchObject({ legId: callId, ok: true });
  });

  it('finishes a prompt that cannot be played as not played', async () => {
    const { callId } = await answeredCaller();
    const promptId = ownedId(callId, 'p', 1);
    await must({ type: 'PlayPrompt', legId: callId, promptId, media: [fix().audio.missing] });
    expect(await event('PromptFinished', promptId)).toMatchObject({ ok: false });
  });

  it('takes the answer of a caller who is answered for done, and does not wait for the prompt that plays', async () => {
    const { callId } = await answeredCaller();
    const promptId = ownedId(callId, 'p', 1);
    await must({ type: 'PlayPrompt', legId: callId, promptId, media: [fix().audio.long] });
    await must({ type: 'AnswerLeg', legId: callId });
    await must({ type: 'StopPrompt', promptId });
    expect(await event('PromptFinished', promptId)).toMatchObject({ legId: callId });
  });

  it('finishes a prompt that is stopped', async () => {
    const { callId } = await answeredCaller();
    const promptId = ownedId(callId, 'p', 1);
    await must({ type: 'PlayPrompt', legId: callId, promptId, media: [fix().audio.long] });
    await must({ type: 'StopPrompt', promptId });
    expect(await event('PromptFinished', promptId)).toMatchObject({ ok: true });
  });

  it('tells each key that is pressed during a prompt, in their order, and the first can stop it', async () => {
    const { callId, caller } = await answeredCaller();
    const promptId = ownedId(callId, 'p', 1);
    await must({ type: 'PlayPrompt', legId: callId, promptId, media: [fix().audio.long] });
    const pressed = caller.press('1').then(() => caller.press('#')).then(() => caller.press('3'));
    expect(await event('LegDigit', callId)).toMatchObject({ digit: '1' });
    expect(types(callId)).not.toContain('PromptFinished');
    await must({ type: 'StopPrompt', promptId });
    await event('PromptFinished', promptId);
    await awaited('the keys', pressed);
    expect(await fix().until('the last key', () => { const keys = digits(callId); return keys.length === 3 ? keys : undefined; })).toBe('1#3');
  });

  it('finishes as played a prompt that was stopped before its turn, too', async () => {
    const { callId } = await answeredCaller();
    await must({ type: 'PlayPrompt', legId: callId, promptId: ownedId(callId, 'p', 1), media: [fix().audio.long] });
    await must({ type: 'PlayPrompt', legId: callId, promptId: ownedId(callId, 'p', 2), media: [fix().audio.short] });
    await must({ type: 'StopPrompt', promptId: ownedId(callId, 'p', 2) });
    await must({ type: 'StopPrompt', promptId: ownedId(callId, 'p', 1) });
    expect(await event('PromptFinished', ownedId(callId, 'p', 2))).toMatchObject({ ok: true });
    expect(await event('PromptFinished', ownedId(callId, 'p', 1))).toMatchObject({ ok: true });
  });

  it('plays at once after the loss of the link, not when what played before has ended', async () => {
    const { callId } = await answeredCaller();
    await must({ type: 'PlayPrompt', legId: callId, promptId: ownedId(callId, 'p', 1), media: [fix().audio.long] });
    await fix().cutLink();
    await fix().until('the loss of the link', () => fix().heard.find((one) => one.kind === 'link' && one.state === 'down'));
    await fix().restoreLink();
    await fix().until('the link', () => fix().heard.findLast((one) => one.kind === 'link')?.state === 'up' || undefined);
    await execute({ type: 'StopPrompt', promptId: ownedId(callId, 'p', 1) });
    await must({ type: 'PlayPrompt', legId: callId, promptId: ownedId(callId, 'p', 2), media: [fix().audio.short] });
    expect(await event('PromptFinished', ownedId(callId, 'p', 2))).toMatchObject({ ok: true });
  });

  it('plays one prompt after the other', async () => {
    const { callId } = await answeredCaller();
    for (const n of [1, 2]) await must({ type: 'PlayPrompt', legId: callId, promptId: ownedId(callId, 'p', n), media: [fix().audio.short] });
    await event('PromptFinished', ownedId(callId, 'p', 2));
    expect(finished(callId)).toEqual([[ownedId(callId, 'p', 1), true], [ownedId(callId, 'p', 2), true]]);
  });

  it('finishes the prompts of a caller who leaves, before or after it tells so', async () => {
    const { callId, caller } = await answeredCaller();
    for (const n of [1, 2]) await must({ type: 'PlayPrompt', legId: callId, promptId: ownedId(callId, 'p', n), media: [fix().audio.long] });
    await fix().pass(100);
    await caller.hangUp();
    await event('LegEnded', callId);
    for (const n of [1, 2]) expect(await event('PromptFinished', ownedId(callId, 'p', n))).toMatchObject({ ok: false });
  });

  it('stops the prompts of a leg that is put in a bridge', async () => {
    const { callId } = await answeredCaller();
    for (const n of [1, 2]) await must({ type: 'PlayPrompt', legId: callId, promptId: ownedId(callId, 'p', n), media: [fix().audio.long] });
    await must({ type: 'BridgeLegs', bridgeId: ownedId(callId, 'b', 3), legIds: [callId] });
    await event('LegBridged', callId);
    await event('PromptFinished', ownedId(callId, 'p', 1));
    await event('PromptFinished', ownedId(callId, 'p', 2));
  });

  it('cannot play to a leg that is gone', async () => {
    const { callId } = await answeredCaller();
    const result = await execute({ type: 'PlayPrompt', legId: ownedId(callId, 'l', 1), promptId: ownedId(callId, 'p', 2), media: [fix().audio.short] });
    expect(result).toMatchObject({ ok: false, error: 'gone' });
  });

  it('records until it is stopped', async () => {
    const { callId } = await answeredCaller();
    const recordingId = ownedId(callId, 'r', 1);
    await must({ type: 'StartRecording', recordingId, legId: callId, maxMs: 60_000, silenceMs: 30_000 });
    await event('RecordingStarted', recordingId);
    await must({ type: 'StopRecording', recordingId });
    await event('RecordingFinished', recordingId);
  });

  it.each([['has nothing to say', 60_000, 1000, false], ['has said enough', 2000, 30_000, true]] as const)('stops recording by itself a caller who %s', async (_, maxMs, silenceMs, speaks) => {
    const { callId, caller } = await answeredCaller();
    const recordingId = ownedId(callId, 'r', 1);
    if (speaks) caller.speak();
    await must({ type: 'StartRecording', recordingId, legId: callId, maxMs, silenceMs });
    const { durationMs } = await event('RecordingFinished', recordingId);
    // Whole seconds of what was said: the silence at its end may have been cut off.
    expect(speaks ? [1000, 2000] : [0, 1000]).toContain(durationMs);
    expect(types(callId)).not.toContain('LegEnded');
  });

  it('stops the recording of a leg that is put in a bridge, where it is at once or when asked again', async () => {
    const { callId } = await answeredCaller();
    const recordingId = ownedId(callId, 'r', 1);
    await must({ type: 'StartRecording', recordingId, legId: callId, maxMs: 60_000, silenceMs: 30_000 });
    await event('RecordingStarted', recordingId);
    const bridge: MediaCommand = { type: 'BridgeLegs', bridgeId: ownedId(callId, 'b', 3), legIds: [callId] };
    const first = await execute(bridge);
    expect(first.ok ? undefined : first.error).toBeOneOf([undefined, 'rejected']);
    await event('RecordingFinished', recordingId);
    if (!first.ok) await must(bridge);
    await event('LegBridged', callId);
  });

  it('offers a caller who is recorded again when its guard was not renewed, and the recording ends', async () => {
    const { callId, caller } = await answeredCaller();
    const recordingId = ownedId(callId, 'r', 1);
    caller.speak();
    await must({ type: 'StartRecording', recordingId, legId: callId, maxMs: 60_000, silenceMs: 30_000 });
    await event('RecordingStarted', recordingId);
    await must({ type: 'SetGuard', legId: callId, ms: 1000 });
    expect(await fix().until('the second offer', () => fix().heard.filter((one) => one.kind === 'offer').at(1))).toMatchObject({ callId, offer: { orphan: true } });
    await fix().until('the end of the recording', () => {
      const ends = fix().heard.filter((one) => one.kind === 'event' && (one.event.type === 'RecordingFinished' || one.event.type === 'RecordingFailed'));
      return ends.length === 1 ? true : undefined;
    });
    expect(types(callId)).not.toContain('LegEnded');
    await must({ type: 'SetGuard', legId: callId, ms: 20_000 });
    await must({ type: 'PlayPrompt', legId: callId, promptId: ownedId(callId, 'p', 2), media: [fix().audio.short] });
    expect(await event('PromptFinished', ownedId(callId, 'p', 2))).toMatchObject({ ok: true });
  });

  it('goes on recording a caller through the loss of the link, shows it in the snapshot, and tells its end after it was adopted', async () => {
    const { callId, caller } = await answeredCaller();
    const recordingId = ownedId(callId, 'r', 1);
    caller.speak();
    await must({ type: 'MarkCall', legId: callId, callId, mark: { ...mark, place: 'recording', recording: recordingId } });
    await must({ type: 'StartRecording', recordingId, legId: callId, maxMs: 60_000, silenceMs: 30_000 });
    await event('RecordingStarted', recordingId);
    await fix().cutLink();
    await fix().pass(200);
    await fix().restoreLink();
    await fix().until('the link', () => fix().heard.findLast((one) => one.kind === 'link')?.state === 'up' || undefined);
    const snapshot = await awaited('the snapshot', fix().driver.snapshot());
    expect(snapshot.calls).toMatchObject([{ callId, recordings: [recordingId] }]);
    await awaited('the adoption', fix().driver.adopt(callId, snapshot));
    await must({ type: 'StopRecording', recordingId });
    await event('RecordingFinished', recordingId);
    expect(types(callId)).not.toContain('LegEnded');
  });

  it('knows nothing of a prompt, a recording or a bridge that is gone', async () => {
    const { callId } = await answeredCaller();
    expect(await execute({ type: 'StopPrompt', promptId: ownedId(callId, 'p', 1) })).toMatchObject({ ok: false, error: 'gone' });
    expect(await execute({ type: 'StopRecording', recordingId: ownedId(callId, 'r', 1) })).toMatchObject({ ok: false, error: 'gone' });
    expect(await execute({ type: 'DestroyBridge', bridgeId: ownedId(callId, 'b', 1) })).toMatchObject({ ok: false, error: 'gone' });
  });

  it.each([['a prompt', true], ['a bridge', false]] as const)('rings in the ear of an answered caller until %s', async (_, prompt) => {
    const { callId, caller } = await answeredCaller();
    await must({ type: 'RingLeg', legId: callId });
    await fix().until('the ringing tone', () => (caller.hearsRinging() ? true : undefined));
    if (prompt) {
      await must({ type: 'PlayPrompt', legId: callId, promptId: ownedId(callId, 'p', 1), media: [fix().audio.missing] });
      await event('PromptFinished', ownedId(callId, 'p', 1));
    } else {
      await must({ type: 'BridgeLegs', bridgeId: ownedId(callId, 'b', 1), legIds: [callId] });
      await event('LegBridged', callId);
    }
    // The tone lasts two seconds, of which little has passed.
    await fix().pass(400);
    expect(caller.hearsRinging()).toBe(false);
  });

  it('finishes the recording when the caller leaves', async () => {
    const { callId, caller } = await answeredCaller();
    const recordingId = ownedId(callId, 'r', 1);
    await must({ type: 'StartRecording', recordingId, legId: callId, maxMs: 60_000, silenceMs: 30_000 });
    await event('RecordingStarted', recordingId);
    await caller.hangUp();
    await event('RecordingFinished', recordingId);
    await event('LegEnded', callId);
  });
}
