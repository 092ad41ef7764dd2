/** Hunts for a broken invariant: `node hunt.ts RUNS SEED`. Exit 0: none found; 3: found, and printed shrunk. Used against mutants too. */
import * as fc from 'fast-check';
import { Broken } from './invariants.ts';
import { scenario } from './scenario.ts';
import { run, type Visits } from './world.ts';

const [runs = '300', seed = '1', shrink = ''] = process.argv.slice(2);
const visits: Visits = new Map();
const result = await fc.check(fc.asyncProperty(scenario, (one) => run(one, visits)), { numRuns: Number(runs), seed: Number(seed), ...(shrink === 'shrink' ? {} : { endOnFailure: true }) });
if (result.failed) {
  const error = result.errorInstance;
  console.log(JSON.stringify(result.counterexample?.[0]));
  console.log(error instanceof Broken ? error.message : error);
  process.exit(3);
}
console.log(`${result.numRuns} scenarios, no broken invariant`);
