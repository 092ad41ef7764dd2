/** The plan of the call that a controller makes to itself: it is answered, hears a tone, and is hung up. Of no account. */
import { contentHash } from '../core/ids.ts';
import type { Plan } from '../core/routing/plan.ts';
import { minute } from '../core/time.ts';

const content = {
  account: { id: '', name: '' },
  number: { e164: '#0000', label: 'synthetic call' },
  first: 'announcement',
  steps: { announcement: { kind: 'announcement', media: ['tone:beep'], on: { done: 'over' } }, over: { kind: 'hang-up', cause: 'normal' } },
  reasons: [{ subject: 'announcement', taken: true, why: 'Frontdesk made this call to itself, to see that calls are served' }],
  maxCallMs: minute,
} as const;

export const syntheticPlan: Plan = { version: 1, hash: contentHash(content), ...content };
