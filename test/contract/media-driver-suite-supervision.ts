/** The part of the contract about legs that hear another. Who hears whom is listened to in test/integration/supervision.test.ts. */
import { expect, it } from 'vitest';
import { ownedId, type CallId, type LegId } from '../../control-plane/core/ids.ts';
import type { SupervisionMode } from '../../control-plane/core/routing/supervision.ts';
import type { ContractFixture } from './media-driver-fixture.ts';
import type { ContractSteps } from './media-driver-steps.ts';

export function supervisionSentences(fix: () => ContractFixture, steps: ContractSteps): void {
  const { execute, must, awaited, event, types, answered, answeredCaller } = steps;

  /** A leg of the caller's call that hears the phone. */
  const supervised = async (mode: SupervisionMode = 'coach'): Promise<{ readonly callId: CallId; readonly legId: LegId; readonly spy: LegId; readonly hangUp: () => Promise<void> }> => {
    const { callId } = await answeredCaller();
    const { legId, phone } = await answered(callId, 1, 'reception');
    const spy = ownedId(callId, 'l', 2);
    await must({ type: 'SuperviseLeg', legId: spy, supervised: legId, mode, mark: { v: 1, step: 'supervise', attempt: 1, trunk: 0 } });
    await event('LegAnswered', spy);
    return { callId, legId, spy, hangUp: () => phone.hangUp() };
  };

  it('says of a leg that supervises another that it is answered, then bridged, and that it ends with the other', async () => {
    const { callId, legId, spy, hangUp } = await supervised();
    await must({ type: 'BridgeLegs', bridgeId: ownedId(callId, 'b', 3), legIds: [callId, spy] });
    await event('LegBridged', spy);
    await event('LegBridged', callId);
    expect(types(legId)).toEqual(['LegRinging', 'LegAnswered']);
    await hangUp();
    await event('LegEnded', legId);
    await event('LegEnded', spy);
    expect(types(callId).at(-1)).toBe('LegBridged');
  });

  it('lets go of a leg that supervises another, which notices nothing', async () => {
    const { legId, spy } = await supervised('barge');
    await must({ type: 'HangUpLeg', legId: spy, cause: 'normal' });
    await event('LegEnded', spy);
    await fix().pass(100);
    expect(types(legId)).toEqual(['LegRinging', 'LegAnswered']);
  });

  it('cannot supervise a leg that is gone, nor under an id in use', async () => {
    const { callId, legId, spy } = await supervised('listen');
    const mark = { v: 1, step: 'supervise', attempt: 0, trunk: 0 } as const;
    expect(await execute({ type: 'SuperviseLeg', legId: spy, supervised: legId, mode: 'listen', mark })).toMatchObject({ ok: false, error: 'rejected' });
    expect(await execute({ type: 'SuperviseLeg', legId: ownedId(callId, 'l', 3), supervised: ownedId(callId, 'l', 9), mode: 'listen', mark })).toMatchObject({ ok: false, error: 'gone' });
  });

  it('ends a leg that supervises another when its guard was not renewed, and the other stays', async () => {
    const { legId, spy } = await supervised();
    await must({ type: 'SetGuard', legId: spy, ms: 1000 });
    await event('LegEnded', spy);
    expect(types(legId)).toEqual(['LegRinging', 'LegAnswered']);
  });

  it('keeps a leg that supervises another through the loss of the link, with its mark, to be adopted and commanded', async () => {
    const { callId, legId, spy } = await supervised();
    await fix().cutLink();
    await fix().pass(200);
    await fix().restoreLink();
    await fix().until('the link', () => fix().heard.findLast((one) => one.kind === 'link')?.state === 'up' || undefined);
    const snapshot = await awaited('the snapshot', fix().driver.snapshot());
    const seen = snapshot.calls.find((one) => one.callId === callId)?.legs.toSorted((a, b) => (a.legId < b.legId ? -1 : 1));
    expect(seen).toMatchObject([{ legId }, { legId: spy, state: 'answered', mark: { step: 'supervise', attempt: 1 } }]);
    await awaited('the adoption', fix().driver.adopt(callId, snapshot));
    await must({ type: 'BridgeLegs', bridgeId: ownedId(callId, 'b', 3), legIds: [callId, spy] });
    await event('LegBridged', spy);
    await must({ type: 'HangUpLeg', legId: spy, cause: 'normal' });
    await event('LegEnded', spy);
  });
}
