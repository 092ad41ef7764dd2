/** A plan as a graph: what may follow each step, and the order in which a call meets them. */
import type { StepId } from '../ids.ts';
import type { Plan, Step } from './plan.ts';

/** A way out of a step. `connected`: caller and callee talk, and the plan is done. `extension`: the phone that was dialled rings. */
export type Exit = { readonly on: string } & ({ readonly to: StepId } | { readonly end: 'connected' | 'extension' });

export function exitsOf(step: Step): readonly Exit[] {
  switch (step.kind) {
    case 'announcement':
    case 'voicemail':
      return [{ on: 'done', to: step.on.done }];
    case 'ring':
      return [step.serve === undefined ? { on: 'accepted', end: 'connected' } : { on: 'accepted', to: step.serve }, { on: 'no answer', to: step.on.noAnswer }];
    case 'menu':
      return [
        ...Object.entries(step.options).map(([key, to]) => ({ on: `key ${key}`, to })),
        ...(step.extensions === undefined ? [] : [{ on: 'an extension', end: 'extension' as const }, { on: 'no answer there', to: step.on.noAnswer }]),
        { on: 'no key', to: step.on.noKey },
        { on: 'wrong keys', to: step.on.invalid },
      ];
    case 'queue':
      return [
        { on: 'accepted', end: 'connected' },
        ...(step.callback === undefined || step.callback.number === null || step.on.callback === undefined ? [] : [{ on: `key ${step.callback.key}, and again`, to: step.on.callback }]),
        ...(step.exitKey === undefined ? [] : [{ on: `key ${step.exitKey}`, to: step.on.exitKey }]),
        { on: 'no room', to: step.on.full }, { on: 'nobody there', to: step.on.empty }, { on: 'waited too long', to: step.on.maxWait }, { on: 'no such queue', to: step.on.closed },
      ];
    case 'setting':
      return [{ on: 'set', to: step.on.set }, { on: 'not set', to: step.on.notSet }];
    case 'supervise':
    case 'hang-up':
      return [];
  }
}

/** Every step that a call can reach, the first of all first. One that others lead to stands after all of them, but for ways back. */
export function inOrder(plan: Plan): readonly (readonly [StepId, Step])[] {
  const seen = new Set<StepId>();
  const from = (start: StepId): readonly [StepId, Step][] => {
    const found: [StepId, Step][] = [];
    const visit = (id: StepId): void => {
      const step = plan.steps[id];
      if (step === undefined || seen.has(id)) return;
      seen.add(id);
      for (const exit of exitsOf(step).toReversed()) if ('to' in exit) visit(exit.to);
      found.unshift([id, step]);
    };
    visit(start);
    return found;
  };
  const usual = from(plan.first);
  return plan.last === undefined ? usual : [...usual, ...from(plan.last)];
}
