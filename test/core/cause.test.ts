import { expect, test } from 'vitest';
import { causeOfQ850, causes, type Cause } from '../../control-plane/core/cause.ts';

const ours: readonly Cause[] = ['canceled', 'not-accepted', 'transferred', 'lost'];

test('every Q.850 number means something', () => {
  for (let q850 = 0; q850 <= 127; q850++) expect(causes).toHaveProperty(causeOfQ850(q850));
});

test.each((Object.keys(causes) as Cause[]).filter((cause) => !ours.includes(cause)))('%s goes to Q.850 and back', (cause) => {
  expect(causeOfQ850(causes[cause].q850)).toBe(cause);
});

// RFC 3398 sections 7.2.4.1 and 8.2.6.1.
test.each([[17, 486, 'busy'], [1, 404, 'unallocated'], [18, 408, 'no-response'], [28, 484, 'invalid-number'], [27, 502, 'out-of-order'], [34, 503, 'congestion']] as const)(
  'Q.850 %i is SIP %i, %s', (q850, sip, cause) => {
    expect(causeOfQ850(q850)).toBe(cause);
    expect(causes[cause].sip).toBe(sip);
  },
);

test('what may have rung is never tried over another trunk', () => {
  expect((Object.keys(causes) as Cause[]).filter((cause) => !causes[cause].mayHaveRung)).toEqual(
    ['absent', 'out-of-order', 'invalid-number', 'unallocated', 'congestion', 'temporary-failure', 'incompatible'],
  );
});
