/** The part of the contract about recordings of calls: both voices, from the bridge to its end. */
/* oxlint-disable vitest/expect-expect -- waiting for an event is the assertion */
import { expect, it } from 'vitest';
import { ownedId, type CallId, type LegId } from '../../control-plane/core/ids.ts';
import type { Caller, ContractFixture } from './media-driver-fixture.ts';
import type { ContractSteps } from './media-driver-steps.ts';

export function recordingSentences(fix: () => ContractFixture, steps: ContractSteps): void {
  const { execute, must, awaited, event, types, answeredCaller, answered } = steps;

  const talking = async (): Promise<{ readonly callId: CallId; readonly caller: Caller; readonly legId: LegId; readonly recordingId: string }> => {
    const { callId, caller } = await answeredCaller();
    const { legId } = await answered(callId, 1, 'reception');
    await must({ type: 'BridgeLegs', bridgeId: ownedId(callId, 'b', 2), legIds: [callId, legId] });
    await event('LegBridged', callId);
    await event('LegBridged', legId);
    return { callId, caller, legId, recordingId: ownedId(callId, 'c', 3) };
  };
  const recorded = async (): Promise<Awaited<ReturnType<typeof talking>>> => {
    const call = await talking();
    await must({ type: 'StartCallRecording', recordingId: call.recordingId, caller: call.callId, callee: call.legId });
    await event('RecordingStarted', call.recordingId);
    return call;
  };

  it('records both who talk until it is stopped, and they talk on', async () => {
    const { callId, legId, recordingId } = await recorded();
    await must({ type: 'StopRecording', recordingId });
    await event('RecordingFinished', recordingId);
    expect([types(callId).at(-1), types(legId).at(-1)]).toEqual(['LegBridged', 'LegBridged']);
  });

  it('ends the recording of a call when one of the two leaves', async () => {
    const { callId, caller, recordingId } = await recorded();
    await caller.hangUp();
    await event('RecordingFinished', recordingId);
    await event('LegEnded', callId);
  });

  it('cannot record one who is gone', async () => {
    const { callId, recordingId } = await talking();
    expect(await execute({ type: 'StartCallRecording', recordingId, caller: callId, callee: ownedId(callId, 'l', 9) })).toMatchObject({ ok: false, error: 'gone' });
    await fix().pass(200);
    expect((await awaited('what is left', fix().leftovers())).filter((id) => id.includes(recordingId))).toEqual([]);
  });

  it('knows nothing of a recording of a call that is gone', async () => {
    const { callId } = await answeredCaller();
    expect(await execute({ type: 'StopRecording', recordingId: ownedId(callId, 'c', 1) })).toMatchObject({ ok: false, error: 'gone' });
  });

  it('goes on recording a call through the loss of the link, shows it in the snapshot, and tells its end after it was adopted', async () => {
    const { callId, recordingId } = await recorded();
    await fix().cutLink();
    await fix().pass(200);
    await fix().restoreLink();
    await fix().until('the link', () => fix().heard.findLast((one) => one.kind === 'link')?.state === 'up' || undefined);
    const snapshot = await awaited('the snapshot', fix().driver.snapshot());
    expect(snapshot.calls).toMatchObject([{ callId, legs: [{}], recordings: [recordingId] }]);
    await awaited('the adoption', fix().driver.adopt(callId, snapshot));
    await must({ type: 'StopRecording', recordingId });
    await event('RecordingFinished', recordingId);
  });
}
