/** The plan of the call that a controller makes to itself: it is answered, hears a tone, and is hung up. Of no account. */
import type { Plan } from '../core/routing/plan.ts';
import { seal } from '../core/routing/seal.ts';
import { minute } from '../core/time.ts';

export const syntheticPlan: Plan = seal({
  account: { id: '', name: '' },
  number: { e164: '#0000', label: 'synthetic call' },
  first: 'announcement',
  steps: { announcement: { kind: 'announcement', media: ['tone:beep'], on: { done: 'over' } }, over: { kind: 'hang-up', cause: 'normal' } },
  reasons: [{ subject: 'announcement', taken: true, why: 'Frontdesk made this call to itself, to see that calls are served' }],
  maxCallMs: minute,
});
