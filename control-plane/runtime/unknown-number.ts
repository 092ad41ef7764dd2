/** The plan of a call to a number nobody configured: refused as unallocated, and on record like any other. */
import { contentHash } from '../core/ids.ts';
import type { Plan } from '../core/routing/plan.ts';
import { minute } from '../core/time.ts';

export function unknownNumberPlan(dialled: string): Plan {
  const content = {
    account: { id: '', name: '' },
    number: { e164: dialled, label: 'not configured' },
    first: 'hang-up',
    steps: { 'hang-up': { kind: 'hang-up', cause: 'unallocated' } },
    reasons: [{ subject: 'hang-up', taken: true, why: 'no number of any account is this one' }],
    maxCallMs: minute,
  } as const;
  return { version: 1, hash: contentHash(content), ...content };
}
