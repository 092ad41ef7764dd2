/** A plan as a list to read: its steps in order, why each is there, whom it rings and what may follow. */
import type { StepId } from '../ids.ts';
import type { Ms } from '../time.ts';
import type { E164, TrunkId } from './config.ts';
import { exitsOf, inOrder } from './plan-graph.ts';
import type { Attempt, Plan, Step } from './plan.ts';

export interface ExplainedStep {
  readonly id: StepId;
  readonly kind: Step['kind'];
  readonly why: readonly string[];
  readonly legs: readonly ExplainedLeg[];
  /** `to` null: no step of the plan; the caller talks to the one who accepted, or the phone rings whose extension was dialled. */
  readonly next: readonly { readonly on: string; readonly to: StepId | null }[];
}

export interface ExplainedLeg {
  readonly user: string | null;
  readonly label: string;
  /** One of the two is null. */
  readonly extension: string | null;
  readonly number: E164 | null;
  /** The first of them that takes the call. */
  readonly trunks: readonly TrunkId[];
  readonly ringMs: Ms;
  /** The caller ID that the phone shows. */
  readonly shows: { readonly number: string; readonly name: string };
  /** Must be pressed before the call is connected, `any` or one; null: an answer accepts. */
  readonly key: string | null;
  readonly recorded: boolean;
}

export function explainedSteps(plan: Plan): readonly ExplainedStep[] {
  return inOrder(plan).map(([id, step]) => ({
    id, kind: step.kind,
    why: plan.reasons.filter(({ subject, taken }) => subject === id && taken).map(({ why }) => why),
    legs: step.kind === 'ring' ? step.attempts.map(legOf) : [],
    next: exitsOf(step).map((exit) => ({ on: exit.on, to: 'to' in exit ? exit.to : null })),
  }));
}

function legOf({ user, label, target, ringMs, callerId, screening, recording }: Attempt): ExplainedLeg {
  return {
    user: user === '' ? null : user, label,
    ...(target.kind === 'device' ? { extension: target.device, number: null, trunks: [] } : { extension: null, number: target.number, trunks: target.trunks }),
    ringMs, shows: callerId, key: screening?.key ?? null, recorded: recording !== undefined,
  };
}
