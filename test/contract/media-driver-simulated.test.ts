/* oxlint-disable vitest/no-standalone-expect -- heardInTest runs at the end of each test */
import { describe, expect, it } from 'vitest';
import { mediaDriverContract } from './media-driver-suite.ts';
import { besideAnother, simulated } from './media-driver-simulated.ts';
import { committedTraces, sameUpToOrder, traceOf } from './traces.ts';

const real = committedTraces();

mediaDriverContract({
  ...simulated,
  heardInTest(test, heard) {
    const mine = traceOf(heard);
    for (const trace of real.filter((one) => one.test === test)) {
      expect(sameUpToOrder(mine, trace.events), `the ${trace.switch} switch said ${JSON.stringify(trace.events)}, the simulated one ${JSON.stringify(mine)}`).toBe(true);
    }
  },
});

for (const factory of besideAnother) mediaDriverContract(factory);

describe('Traces', () => {
  const rings = ['LegRinging', 'l1'] as const;
  const answers = ['LegAnswered', 'l1'] as const;
  const leaves = ['LegEnded', 'caller', 'normal'] as const;

  it('of two legs may interleave in any way', () => {
    expect(sameUpToOrder([rings, leaves, answers], [rings, answers, leaves])).toBe(true);
  });

  it('of one leg keep their order', () => {
    expect(sameUpToOrder([rings, answers], [answers, rings])).toBe(false);
  });
});
