/** A plan in the making: the steps so far, why they are there, and what they are made from. */
import type { StepId } from '../ids.ts';
import type { Account, CallFacts, TrackingNumber } from './config.ts';
import type { Reason, Step } from './plan.ts';

export interface Making {
  readonly account: Account;
  readonly number: TrackingNumber;
  readonly facts: CallFacts;
  readonly steps: Record<StepId, Step>;
  readonly reasons: Reason[];
  /** Step ids by what they were made for: a target that is led to twice is one step. */
  readonly made: Map<string, StepId>;
  /** What was passed over, and what is led to instead. */
  readonly skipped: Map<StepId, StepId>;
}

/** The id of what `key` names, whose name is the first free one; `fresh` when it is still to be made. */
export function nameStep(making: Making, key: string, name: string): { readonly id: StepId; readonly fresh: boolean } {
  const known = making.made.get(key);
  if (known !== undefined) return { id: known, fresh: false };
  const taken = new Set(making.made.values());
  let id = name;
  for (let n = 2; taken.has(id); n += 1) id = `${name}-${n}`;
  making.made.set(key, id);
  return { id, fresh: true };
}

export function say(making: Making, subject: string, taken: boolean, why: string): void {
  making.reasons.push({ subject, taken, why });
}
