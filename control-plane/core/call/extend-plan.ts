/**
 * A call's plan is pinned, and may be added to while the call runs: somebody dials an extension in the middle of it. The
 * steps are compiled outside, by the configuration of that moment, and come in by an event that carries them, so a
 * journal has all of the plan its call ran by.
 */
import type { StepId } from '../ids.ts';
import type { Plan, RingStep, Step } from '../routing/plan.ts';
import type { PlanExtension } from './commands.ts';
import { change, command, type Draft } from './draft.ts';
import type { CallEvent } from './events.ts';

/** A later request takes the place of one that has not been answered. */
export function askForExtension(draft: Draft, extension: string, noAnswer: StepId, callerId?: PlanExtension['callerId']): StepId {
  const n = draft.call.n + 1;
  const request = `extension-${n}`;
  change(draft, { n, planning: { type: 'PlanExtension', request, extension, noAnswer, ...(callerId === undefined ? {} : { callerId }) } });
  askAgainForExtension(draft);
  return request;
}

/** Its answer may have been lost with the controller that gave it. */
export function askAgainForExtension(draft: Draft): void {
  if (draft.call.planning !== null) command(draft, draft.call.planning);
}

/** Adds the steps. False when this is not the answer that is waited for: then it changes nothing. */
export function extendPlan(draft: Draft, { request, steps }: Extract<CallEvent, { type: 'ExtensionPlanned' }>): boolean {
  if (draft.call.planning?.request !== request) return false;
  change(draft, { planning: null });
  addSteps(draft, steps);
  return true;
}

/** A step that is there stays as it is: the call may be in it. */
export function addSteps(draft: Draft, steps: Plan['steps']): void {
  const { plan } = draft.call;
  const added = Object.entries(steps).map(([id, step]): [StepId, Step] => [id, step.kind === 'ring' ? { ...step, added: true } : step]);
  change(draft, { plan: { ...plan, steps: { ...Object.fromEntries(added), ...plan.steps } } });
}

/** Those that were added and that nothing of the call is in any more. */
export function removeSteps(draft: Draft, ids: readonly StepId[]): void {
  if (ids.length === 0) return;
  const { plan } = draft.call;
  change(draft, { plan: { ...plan, steps: Object.fromEntries(Object.entries(plan.steps).filter(([id]) => !ids.includes(id))) } });
}

/** Where a ring step leads when nobody answers, past all steps that were added. */
export function noAnswerOf({ steps, first }: Plan, id: StepId): StepId {
  const ringStep = (one: StepId): RingStep | undefined => {
    const step = Object.hasOwn(steps, one) ? steps[one] : undefined;
    return step?.kind === 'ring' ? step : undefined;
  };
  let next = ringStep(id)?.on.noAnswer ?? first;
  // No more than there are steps: they may lead in a circle.
  for (const _ of Object.keys(steps)) {
    const step = ringStep(next);
    if (step?.added === true) next = step.on.noAnswer;
  }
  return next;
}
