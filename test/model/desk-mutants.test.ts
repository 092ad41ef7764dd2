import { describe, expect, it } from 'vitest';
import { deskMutants, huntDesk } from './desk-mutants.ts';

/** Scenes within which each fault must be found. */
const budget = 1500;

describe('The model of queues finds', () => {
  it('nothing in a desk without a fault', async () => {
    expect(await huntDesk({ name: 'none', file: 'desk.ts', from: 'newDesk(epoch', to: 'newDesk(epoch' }, budget)).toBeNull();
  });

  it.each(deskMutants)('$name', async (mutant) => {
    expect(await huntDesk(mutant, budget)).toMatch(/^Broken: /);
  });
});
