/** Fuzzing within a time: each run tries other values, and says by which seed they can be tried again. */

/** Set it to the seed that was printed. */
const given = process.env['FRONTDESK_FUZZ_SEED'];

export interface FuzzBudget {
  readonly seed: number;
  /** For fast-check: as many runs as the time allows. */
  readonly parameters: { readonly seed: number; readonly numRuns: number; readonly interruptAfterTimeLimit: number; readonly markInterruptAsFailure: false };
}

/** Prints the seed. `mostMs` of runs. */
export const fuzzBudget = (what: string, mostMs: number, numRuns = 1_000_000): FuzzBudget => {
  const seed = given === undefined ? Date.now() % 2_147_483_647 : Number(given);
  process.stderr.write(`${what}: FRONTDESK_FUZZ_SEED=${seed}\n`);
  return { seed, parameters: { seed, numRuns, interruptAfterTimeLimit: mostMs, markInterruptAsFailure: false } };
};
