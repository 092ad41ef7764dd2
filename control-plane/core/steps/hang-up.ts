/** The hang-up step: we end the call. Its disposition says how routing went. */
import type { Draft } from '../call/draft.ts';
import { endCall, routedTo } from '../call/ending.ts';
import type { HangUpStep } from '../routing/plan.ts';

export function enterHangUp(draft: Draft, step: HangUpStep): void {
  endCall(draft, step.cause, step.cause === 'unallocated' ? 'failed' : routedTo(draft), 'frontdesk');
}
