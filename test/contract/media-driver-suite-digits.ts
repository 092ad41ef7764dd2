/** The part of the contract about keys that a far end is sent. */
import { expect, it } from 'vitest';
import { digitMs, digitsMs } from '../../control-plane/core/call/digits.ts';
import { extensionMarginMs } from '../../control-plane/core/call/timers.ts';
import { ownedId } from '../../control-plane/core/ids.ts';
import type { ContractFixture } from './media-driver-fixture.ts';
import type { ContractSteps } from './media-driver-steps.ts';

/** Clocks of switch, phone and test tick in frames of 20 ms. */
const frameMs = 25;

export function digitSentences(fix: () => ContractFixture, steps: ContractSteps): void {
  const { execute, must, event, offered, ringing, answered, answeredCaller } = steps;

  it('sends keys to who has answered after a delay, in order and with their pauses, within the time that they are said to take', async () => {
    const { callId } = await answeredCaller();
    const { legId, phone } = await answered(callId, 1, 'reception');
    const [digits, delayMs] = ['20w4W#', 600];
    const began = fix().now();
    await must({ type: 'SendDigits', legId, digits, delayMs });
    const keys = await fix().until('four keys', () => (phone.keys().length >= 4 ? phone.keys() : undefined));
    expect(keys.map(({ key }) => key).join('')).toBe('204#');
    const [two = 0, zero = 0, four = 0, pound = 0] = keys.map(({ at }) => at - began);
    expect(two).toBeGreaterThanOrEqual(delayMs - frameMs);
    expect(zero - two).toBeGreaterThanOrEqual(digitsMs('2') - frameMs);
    expect(four - zero).toBeGreaterThanOrEqual(digitsMs('0w') - frameMs);
    expect(pound - four).toBeGreaterThanOrEqual(digitsMs('4W') - frameMs);
    expect(pound + digitMs).toBeLessThan(delayMs + digitsMs(digits) + extensionMarginMs);
    // The leg has nothing else to do by then.
    await fix().pass(Math.max(0, delayMs + digitsMs(digits) + extensionMarginMs - (fix().now() - began)));
    const asked = fix().now();
    await must({ type: 'BridgeLegs', bridgeId: ownedId(callId, 'b', 2), legIds: [callId, legId] });
    await event('LegBridged', legId);
    expect(fix().now() - asked).toBeLessThan(digitsMs('2'));
  });

  it('sends no more keys to who has hung up', async () => {
    const { callId } = await offered();
    const { legId, phone } = await answered(callId, 1, 'reception');
    await must({ type: 'SendDigits', legId, digits: '123456789', delayMs: 0 });
    await fix().until('the first key', () => (phone.keys().length > 0 ? true : undefined));
    await phone.hangUp();
    await event('LegEnded', legId);
    expect(phone.keys().length).toBeLessThan(9);
  });

  it('sends no keys to who has not answered, then or later', async () => {
    const { callId } = await offered();
    const { legId, phone } = await ringing(callId, 1, 'reception');
    expect(await execute({ type: 'SendDigits', legId, digits: '12', delayMs: 0 })).toMatchObject({ ok: false, error: 'not-ready' });
    await phone.answer();
    await event('LegAnswered', legId);
    await fix().pass(300);
    expect(phone.keys()).toEqual([]);
  });

  it('cannot send keys to a leg that is gone', async () => {
    const { callId } = await offered();
    expect(await execute({ type: 'SendDigits', legId: ownedId(callId, 'l', 9), digits: '1', delayMs: 0 })).toMatchObject({ ok: false, error: 'gone' });
  });
}
