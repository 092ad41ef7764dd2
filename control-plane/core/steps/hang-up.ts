/** The hang-up step: we end the call. Its disposition says how routing went. */
import type { Disposition } from '../cause.ts';
import { legsOf, type Draft } from '../call/draft.ts';
import { endCall } from '../call/ending.ts';
import type { HangUpStep } from '../routing/plan.ts';

export function enterHangUp(draft: Draft, step: HangUpStep): void {
  endCall(draft, step.cause, step.cause === 'unallocated' ? 'failed' : routedTo(draft), 'frontdesk');
}

/** What all who were tried agree on (all busy, all declined, …), else nobody answered. */
function routedTo(draft: Draft): Disposition {
  const seen = new Set(legsOf(draft).map((leg) => (leg.phase === 'ending' || leg.phase === 'ended' ? leg.cause : 'no-answer')));
  const [only] = seen;
  if (seen.size !== 1) return 'no-answer';
  if (only === 'busy') return 'busy';
  if (only === 'declined' || only === 'not-accepted') return 'declined';
  if (only === 'out-of-order' || only === 'absent' || only === 'congestion' || only === 'temporary-failure') return 'unreachable';
  return 'no-answer';
}
