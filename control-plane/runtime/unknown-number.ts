/** The plan of a call to a number nobody configured: refused as unallocated, and on record like any other. */
import type { Plan } from '../core/routing/plan.ts';
import { seal } from '../core/routing/seal.ts';
import { minute } from '../core/time.ts';

export function unknownNumberPlan(dialled: string): Plan {
  return seal({
    account: { id: '', name: '' },
    number: { e164: dialled, label: 'not configured' },
    first: 'hang-up',
    steps: { 'hang-up': { kind: 'hang-up', cause: 'unallocated' } },
    reasons: [{ subject: 'hang-up', taken: true, why: 'no number of any account is this one' }],
    maxCallMs: minute,
  });
}
