/** Any call, any order, any failure: see scenario.ts for what varies and invariants.ts for what holds. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import counterexamples from './counterexamples.json' with { type: 'json' };
import { scenario, type Scenario } from './scenario.ts';
import { poorlyVisited, tableOf } from './visits.ts';
import { run, type Visits } from './world.ts';

const runs = Number(process.env['MODEL_RUNS'] ?? 30_000);
const seed = Number(process.env['MODEL_SEED'] ?? Date.now() % 2 ** 31);

describe('Every generated call', () => {
  for (const { name, scenario: known } of counterexamples as readonly { readonly name: string; readonly scenario: Scenario }[]) {
    it(`that went wrong once goes well: ${name}`, async () => {
      await expect(run(known)).resolves.toBeUndefined();
    });
  }

  it(`keeps what is true of every call (${runs} scenarios)`, async () => {
    const visits: Visits = new Map();
    console.log(`MODEL_SEED=${seed}`);
    await fc.assert(fc.asyncProperty(scenario, (one) => run(one, visits)), { numRuns: runs, seed, interruptAfterTimeLimit: 280_000 });
    console.log(tableOf(visits));
    expect(poorlyVisited(visits)).toEqual([]);
  });
});
