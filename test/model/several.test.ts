/** Two controllers, and what may happen to them and to the store between them: see several.ts. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { faults, runSeveral, several } from './several.ts';

const runs = Number(process.env['MODEL_RUNS'] ?? 1_000);
const seed = Number(process.env['MODEL_SEED'] ?? Date.now() % 2 ** 31);

describe('Two controllers on one switch', { timeout: 240_000 }, () => {
  it(`lose no call and write each record once (${runs} scenarios)`, async () => {
    console.log(`MODEL_SEED=${seed}`);
    await expect(fc.assert(fc.asyncProperty(several, (one) => runSeveral(one)), { numRuns: runs, seed })).resolves.toBeUndefined();
  });

  it.each(faults)('are found out when one %s', async (fault) => {
    const result = await fc.check(fc.asyncProperty(several, (one) => runSeveral(one, fault)), { numRuns: 600, seed: 5, endOnFailure: true });
    expect(result.failed).toBe(true);
  });
});
