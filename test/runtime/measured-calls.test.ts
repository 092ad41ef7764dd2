/** Who is in which calls, by reports that come late, of controllers that die, and of calls that are over. */
import { describe, expect, it } from 'vitest';
import { createMeasuredCalls, limboMs, type MeasuredCalls } from '../../control-plane/runtime/desks/measured-calls.ts';
import type { MeasuredCall } from '../../control-plane/runtime/desks/messages.ts';
import { createVirtualClock, type VirtualClock } from '../support/virtual-clock.ts';

const account = 'clinic';
const inCall = (callId: string, user: string, offer: string | null = null): MeasuredCall => ({ account, callId, offer, users: [user], devices: [`phone-of-${user}`] });
const offer = 'c0--o1.1';
interface Story extends MeasuredCalls {
  readonly clock: VirtualClock;
  of(agent: string): readonly string[];
}
const open = (): Story => {
  const clock = createVirtualClock();
  const measured = createMeasuredCalls(clock);
  return { ...measured, clock, of: (agent) => measured.callsOf(account, agent, []) };
};

describe('An agent', () => {
  it('is in the calls of all controllers, by name or by phone', () => {
    const measured = open();
    measured.heard('one', 1, [inCall('c0', 'ana')]);
    measured.heard('two', 1, [inCall('c1', 'ana'), inCall('c2', 'ben')]);
    expect([measured.of('ana'), measured.callsOf(account, 'cleo', ['phone-of-ben']), measured.callsOf('other', 'ana', [])]).toEqual([['c0', 'c1'], ['c2'], []]);
  });

  it('is in no call by a report that comes after a later one', () => {
    const measured = open();
    measured.heard('one', 1_000, [inCall('c0', 'ana')]);
    measured.heard('one', 1_002, []);
    measured.heard('one', 1_001, [inCall('c0', 'ana')]);
    expect(measured.of('ana')).toEqual([]);
  });

  it('is in a call by the report of a controller that has begun anew with a clock that was set back', () => {
    const measured = open();
    measured.heard('one', 10_000_000, []);
    measured.heard('one', 1_000, [inCall('c0', 'ana')]);
    expect(measured.of('ana')).toEqual(['c0']);
  });
});

describe('An offer that is over', () => {
  it('has its agent in no call, whoever said so before, and whoever says so late', () => {
    const measured = open();
    measured.heard('dead', 1, [inCall('c0', 'ana', offer)]);
    measured.believed([inCall('c0', 'ana'), inCall('c0', 'ben'), inCall('c9', 'ana')]);
    measured.live([], limboMs);
    measured.over(offer, 'ana');
    expect([measured.of('ana'), measured.of('ben')]).toEqual([['c9'], ['c0']]);
    measured.heard('late', 1, [inCall('c0', 'ana', offer)]);
    expect(measured.of('ana')).toEqual(['c9']);
  });

  it('takes nobody out of the call who is in it by another offer, or by none', () => {
    const measured = open();
    measured.over(offer, 'ana');
    measured.heard('one', 1, [inCall('c0', 'ana', 'c0--o1.2'), inCall('c0', 'ben')]);
    expect([measured.of('ana'), measured.of('ben')]).toEqual([['c0'], ['c0']]);
  });

  it('is believed again when it is measured for longer than any report could be late', async () => {
    const measured = open();
    measured.over(offer, 'ana');
    await measured.clock.pass(60_000);
    measured.over('c1--o1.1', null);
    measured.heard('one', 1, [inCall('c0', 'ana', offer)]);
    expect(measured.of('ana')).toEqual(['c0']);
  });
});

describe('The calls of a controller that is gone', () => {
  it('count on until another has them, who knows better, or for as long as that may take', async () => {
    const measured = open();
    measured.heard('one', 1, []);
    measured.heard('two', 1, [inCall('c0', 'ana'), inCall('c1', 'ben')]);
    measured.live(['one'], limboMs);
    expect([measured.of('ana'), measured.of('ben')]).toEqual([['c0'], ['c1']]);
    measured.heard('one', 2, [inCall('c0', 'ana')]);
    measured.heard('one', 3, []);
    expect([measured.of('ana'), measured.of('ben')]).toEqual([[], ['c1']]);
    await measured.clock.pass(limboMs);
    measured.live(['one'], limboMs);
    expect(measured.of('ben')).toEqual([]);
  });
});
