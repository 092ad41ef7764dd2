/**
 * A call's plan is pinned, and may be added to while the call runs: somebody dials an extension in the middle of it. The
 * steps are compiled outside, by the configuration of that moment, and come in by an event that carries them, so a
 * journal has all of the plan its call ran by.
 */
import type { StepId } from '../ids.ts';
import { change, command, type Draft } from './draft.ts';
import type { CallEvent } from './events.ts';

/** A later request takes the place of one that has not been answered. */
export function askForExtension(draft: Draft, extension: string, noAnswer: StepId): void {
  const n = draft.call.n + 1;
  change(draft, { n, planning: { type: 'PlanExtension', request: `extension-${n}`, extension, noAnswer } });
  askAgainForExtension(draft);
}

/** Its answer may have been lost with the controller that gave it. */
export function askAgainForExtension(draft: Draft): void {
  if (draft.call.planning !== null) command(draft, draft.call.planning);
}

/** Adds the steps. False when this is not the answer that is waited for: then it changes nothing. */
export function extendPlan(draft: Draft, { request, steps }: Extract<CallEvent, { type: 'ExtensionPlanned' }>): boolean {
  const { plan, planning } = draft.call;
  if (planning?.request !== request) return false;
  // A step that is there stays as it is: the call may be in it.
  change(draft, { planning: null, plan: { ...plan, steps: { ...steps, ...plan.steps } } });
  return true;
}
