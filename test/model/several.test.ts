/** Two controllers, and what may happen to them and to the store between them: see several.ts. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scenario } from './scenario.ts';
import { faults, runSeveral, several, type Several } from './several.ts';
import counterexamples from './several-counterexamples.json' with { type: 'json' };

const runs = Number(process.env['MODEL_RUNS'] ?? 600);
const seed = Number(process.env['MODEL_SEED'] ?? Date.now() % 2 ** 31);

describe('Two controllers on one switch', () => {
  it.each(counterexamples as readonly { readonly name: string; readonly scenario: Several }[])('that went wrong once go well: $name', async ({ scenario: known }) => {
    await expect(runSeveral(known)).resolves.toBeUndefined();
  });

  it(`lose no call and write each record once (${runs} scenarios)`, async () => {
    console.log(`MODEL_SEED=${seed}`);
    await expect(fc.assert(fc.asyncProperty(several, (one) => runSeveral(one)), { numRuns: runs, seed })).resolves.toBeUndefined();
  });

  it('take turns evenly, whichever of them dies', async () => {
    const [desk] = fc.sample(scenario, { numRuns: 1, seed: 1 });
    if (desk === undefined) throw new Error('no scenario');
    const { queue: _queue, menu: _menu, code: _code, ...plain } = desk;
    const busy = { kind: 'device', screening: '', whisper: false, ringMs: 3000, script: [{ afterMs: 5, does: 'busy' }] } as const;
    const more = Array.from({ length: 299 }, (_, i) => ({ afterMs: 80 * i, caller: [] }));
    const kills = Array.from({ length: 5 }, (_, i) => ({ atMs: 1000 + 4500 * i, does: 'kill', whom: i % 2 === 0 ? 'one' : 'two', forMs: 1500, forgets: false }) as const);
    const calls = { ...plain, announcement: false, recording: 'off', voicemail: false, pattern: 'round-robin', phones: [busy, busy, busy], caller: [], more, breaks: [], faults: { requests: 0, twice: 0, recordings: 0, prompts: false } } as const;
    await expect(runSeveral({ calls, troubles: kills })).resolves.toBeUndefined();
  });

  it.each(faults)('are found out when one %s', async (fault) => {
    const result = await fc.check(fc.asyncProperty(several, (one) => runSeveral(one, fault)), { numRuns: 3000, seed: 2, endOnFailure: true });
    expect(result.failed).toBe(true);
  });
});
