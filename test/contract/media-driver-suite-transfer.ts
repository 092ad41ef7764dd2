/** The part of the contract about phones that transfer (REFER), and about calls that become one. Who hears whom is listened to in test/integration/transfer.test.ts. */
/* oxlint-disable vitest/expect-expect -- waiting for an event is the assertion */
import { expect, it } from 'vitest';
import { ownedId, type CallId, type LegId } from '../../control-plane/core/ids.ts';
import type { Caller, ContractFixture, Phone } from './media-driver-fixture.ts';
import type { ContractSteps } from './media-driver-steps.ts';

export function transferSentences(fix: () => ContractFixture, steps: ContractSteps): void {
  const { must, awaited, event, types, answeredCaller, answeredNext, ringing, answered, mark } = steps;

  const bridged = async (callId: CallId, legId: LegId): Promise<void> => {
    await must({ type: 'BridgeLegs', bridgeId: ownedId(callId, 'b', 2), legIds: [callId, legId] });
    await event('LegBridged', callId);
    await event('LegBridged', legId);
  };

  /** A phone that talks has called another number, and is answered. */
  const consulting = async (phone: Phone): Promise<{ readonly consultation: Caller; readonly other: CallId }> => {
    const consultation = await phone.call('103');
    const other = await answeredNext();
    expect(fix().heard.findLast((one) => one.kind === 'offer')).toMatchObject({ callId: other, offer: { origin: 'phone', phone: 'reception', dialled: '103' } });
    return { consultation, other };
  };

  it.each([[true, 'yes'], [false, 'no']] as const)('tells of a phone that asks for a transfer, and the phone of the answer, while they talk on (accepted: %s)', async (accepted, told) => {
    const { callId } = await answeredCaller();
    const { legId, phone } = await answered(callId, 1, 'reception');
    await must({ type: 'BridgeLegs', bridgeId: ownedId(callId, 'b', 2), legIds: [callId, legId] });
    await event('LegBridged', legId);
    await phone.transfer('102');
    expect(await event('TransferAsked', legId)).toEqual({ type: 'TransferAsked', legId, to: '102' });
    await must({ type: 'AnswerTransfer', legId, accepted });
    expect(await fix().until('the answer', () => phone.transferred() ?? undefined)).toBe(told);
    expect([types(legId).at(-1), types(callId).at(-1)]).toEqual(['TransferAsked', 'LegBridged']);
    if (!accepted) return;
    // no longer for the one it talked with
    await phone.hangUp();
    await event('LegEnded', legId);
    await fix().pass(100);
    expect([types(legId).filter((type) => type === 'TransferAsked').length, types(callId).at(-1)]).toEqual([1, 'LegBridged']);
  });

  it.each([0, 20])('connects two of whom one asks for a transfer in that moment, and tells it no (%s ms after)', async (ms) => {
    const { callId } = await answeredCaller();
    const { legId, phone } = await answered(callId, 1, 'reception');
    await must({ type: 'BridgeLegs', bridgeId: ownedId(callId, 'b', 2), legIds: [callId, legId] });
    await fix().pass(ms);
    await phone.transfer('102');
    // a switch that cannot ask so early says no by itself
    await fix().until('the question, or its answer', () => phone.transferred() ?? (types(legId).includes('TransferAsked') || undefined));
    if (phone.transferred() === null) await must({ type: 'AnswerTransfer', legId, accepted: false });
    expect(await fix().until('the answer', () => phone.transferred() ?? undefined)).toBe('no');
    await event('LegBridged', legId);
    await event('LegBridged', callId);
  });

  it.each([[true, 'yes'], [false, 'no']] as const)('tells of a phone that asks to transfer to whom it has called meanwhile, and the phone of the answer before it is let go (accepted: %s)', async (accepted, told) => {
    const { callId } = await answeredCaller();
    const { legId, phone } = await answered(callId, 1, 'reception');
    await bridged(callId, legId);
    const { consultation, other } = await consulting(phone);
    const { legId: colleague } = await answered(other, 1, 'nurse');
    await bridged(other, colleague);
    await phone.transfer('103', consultation);
    expect(await event('TransferAsked', legId)).toEqual({ type: 'TransferAsked', legId, to: 'nurse', consulted: { legId: colleague, phone: 'nurse', by: other, callId: other } });
    const answer = must({ type: 'AnswerTransfer', legId, accepted });
    if (accepted) await must({ type: 'HangUpLeg', legId, cause: 'normal' });
    await answer;
    if (accepted) await fix().until('the phone to be let go', () => phone.ended() ?? undefined);
    expect(await fix().until('the answer', () => phone.transferred() ?? undefined)).toBe(told);
    await fix().pass(100);
    expect([callId, other, colleague].map((id) => types(id).at(-1))).toEqual(['LegBridged', 'LegBridged', 'LegBridged']);
    expect(types(legId).filter((type) => type === 'TransferAsked')).toHaveLength(1);
  });

  it('names whom a phone has dialled, of one that transfers into a call in which nobody talks with it yet', async () => {
    const { callId } = await answeredCaller();
    const { legId, phone } = await answered(callId, 1, 'reception');
    await bridged(callId, legId);
    const { consultation, other } = await consulting(phone);
    await ringing(other, 1, 'nurse');
    await phone.transfer('103', consultation);
    expect(await event('TransferAsked', legId)).toEqual({ type: 'TransferAsked', legId, to: '103' });
    await must({ type: 'AnswerTransfer', legId, accepted: false });
    expect(await fix().until('the answer', () => phone.transferred() ?? undefined)).toBe('no');
  });

  it('shows in its snapshot who is served, once the caller has transferred who they had called', async () => {
    const { callId, caller } = await answeredCaller();
    const { legId } = await answered(callId, 1, 'reception');
    await must({ type: 'MarkCall', legId, callId, mark: { ...mark, v: 3 } });
    const both = (await awaited('the snapshot', fix().driver.snapshot())).calls;
    expect(both).toMatchObject([{ callId, caller: { legId, answered: true, mark: { v: 3, dialled: '+15550001' } }, legs: [{ legId: callId, state: 'answered' }] }]);
    await caller.hangUp();
    await event('LegEnded', callId);
    expect((await awaited('the snapshot', fix().driver.snapshot())).calls).toMatchObject([{ callId, owner: fix().instance, caller: { legId }, legs: [] }]);
  });

  it('leads a leg to another call: it is told to both by its bridge, and to that one alone from then on', async () => {
    const { callId } = await answeredCaller();
    const second = await fix().incomingCall();
    const other = await answeredNext();
    const { legId, phone } = await answered(other, 1, 'nurse');
    await must({ type: 'BridgeLegs', bridgeId: ownedId(other, 'b', 2), legIds: [other, legId] });
    await event('LegBridged', legId);
    const bridgeId = ownedId(callId, 'b', 2);
    await must({ type: 'TakeLeg', legId, callId, from: other, servedLeg: callId, mark: { v: 1, step: 'extension-3', attempt: 0, trunk: 0 } });
    // the call it was of says late whom it serves
    await must({ type: 'MarkCall', legId, callId: other, mark });
    await must({ type: 'BridgeLegs', bridgeId, legIds: [callId, legId] });
    const toldTo = (type: string, of: string): readonly string[] => fix().heard.flatMap((one) => (one.kind === 'event' && one.event.type === type && Object.values(one.event).includes(of) ? [one.callId] : []));
    await fix().until('the bridge is told to both', () => (toldTo('LegBridged', bridgeId).length === 3 ? true : undefined));
    expect(toldTo('LegBridged', bridgeId).toSorted()).toEqual([callId, callId, other].toSorted());
    // who was with it has no say any more
    await second.hangUp();
    await event('LegEnded', other);
    await fix().pass(100);
    expect(types(legId)).not.toContain('LegEnded');
    const seen = await awaited('the snapshot', fix().driver.snapshot(new Set([callId, other])));
    const [taker, ...left] = seen.calls;
    expect(taker).toMatchObject({ callId, legs: [{ legId, state: 'answered', mark: { step: 'extension-3' } }], bridges: [{ bridgeId }] });
    // its bridge at most, with nobody in it
    for (const one of left) expect(one).toMatchObject({ callId: other, caller: null, legs: [] });
    await phone.hangUp();
    await event('LegEnded', legId);
    expect(toldTo('LegEnded', legId)).toEqual([callId]);
  });
}
