/** The hang-up step: we end the call. Its disposition says how routing went. */
import { causes } from '../cause.ts';
import type { Draft } from '../call/draft.ts';
import { endCall, routedTo } from '../call/ending.ts';
import type { HangUpStep } from '../routing/plan.ts';

export function enterHangUp(draft: Draft, step: HangUpStep): void {
  const { cause } = step;
  endCall(draft, cause, cause === 'unallocated' || cause === 'declined' ? causes[cause].disposition : routedTo(draft), 'frontdesk');
}
