/** Supervision (Q8): a supervisor hears a call, and is heard by the agent alone, or by both. */
import type { CallId, LegId } from '../ids.ts';
import type { Ms } from '../time.ts';
import type { Plan } from './plan.ts';
import { seal } from './seal.ts';

/** Who hears the supervisor: nobody; who is supervised; both who talk. In this order a leg's mark names them. */
export const supervisionModes = ['listen', 'coach', 'barge'] as const;
export type SupervisionMode = (typeof supervisionModes)[number];

/** Which key of the supervisor's phone asks for it. */
export const supervisionKeys: Readonly<Record<SupervisionMode, string>> = { listen: '4', coach: '5', barge: '6' };

export interface Supervised {
  readonly callId: CallId;
  /** Whose ear and mouth it is: of this party, all is heard that it says and hears. */
  readonly legId: LegId;
  /** As it begins. */
  readonly mode: SupervisionMode;
  /** Who asked for it: the id of an API key. */
  readonly by: string;
}

/** Supervisions have a number that nobody can have. */
export const supervisionNumber = '#0001';

/** Of the account whose call it is. */
export function supervisionPlan(account: Plan['account'], supervised: Supervised, maxCallMs: Ms): Plan {
  return seal({
    account,
    number: { e164: supervisionNumber, label: 'supervision' },
    first: 'supervise',
    steps: { supervise: { kind: 'supervise', ...supervised } },
    reasons: [{ subject: 'supervise', taken: true, why: 'a supervisor asked for it' }],
    maxCallMs,
  });
}
