import { describe, expect, it } from 'vitest';
import { hunt, mutants } from './mutants.ts';

/** Scenarios within which each fault must be found. */
const budget = 3000;

describe('The model test finds', () => {
  it.each(mutants)('$name', async (mutant) => {
    expect(await hunt(mutant, budget)).toMatchObject({ killed: true });
  });
});
