/** The short form of `npm run chaos`: a clinic with two controllers and some thirty calls is struck, and no call is lost. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openClinic, type Clinic } from '../chaos/clinic.ts';
import type { FaultName } from '../chaos/faults.ts';
import { waitingStages } from '../chaos/ledger.ts';
import { lossesOf } from '../chaos/report.ts';
import { lengthOf, playRound } from '../chaos/round.ts';
import { SITE_START_MS } from '../support/site.ts';

const load = { rate: 5, up: 30 } as const;
const struck: readonly FaultName[] = ['kill', 'redis-empty'];
let clinic: Clinic;

beforeAll(async () => {
  clinic = await openClinic({ switch: process.env['FRONTDESK_TEST_SWITCH'] === 'freeswitch' ? 'freeswitch' : 'asterisk', controllers: 2, lengthMs: lengthOf(load), progress: () => undefined });
}, SITE_START_MS);
afterAll(() => clinic.close());

describe('With some thirty calls up, a third of which wait', () => {
  test.each(struck.map((fault, index) => ({ fault, number: index + 1 })))('no call is lost, misrouted, recorded twice or left over: $fault', async ({ fault, number }) => {
    const round = await playRound(clinic, { ...load, fault, number, say: () => undefined });
    expect(round.up).toBeGreaterThanOrEqual(load.up / 2);
    expect(waitingStages.reduce((sum, stage) => sum + round.stages[stage], 0)).toBeGreaterThanOrEqual(round.up / 3 - 1);
    expect(lossesOf(round)).toEqual([]);
    expect(round.commandableMs).toBeLessThan(15_000);
  }, 90_000);
});
