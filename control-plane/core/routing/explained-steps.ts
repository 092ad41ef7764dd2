/** A plan as a list to read: its steps in order, why each is there, whom it rings and what may follow. */
import type { StepId } from '../ids.ts';
import type { Ms } from '../time.ts';
import type { E164, TrunkId } from './config.ts';
import { exitsOf, inOrder } from './plan-graph.ts';
import type { Attempt, Plan, RingPattern, ShownQueue, Step } from './plan.ts';

export interface ExplainedStep {
  readonly id: StepId;
  readonly kind: Step['kind'];
  readonly why: readonly string[];
  /** Of a ring; null of every other step. */
  readonly pattern: RingPattern | null;
  readonly legs: readonly ExplainedLeg[];
  /** Of a queue, whose agents are rung as the desk says; null of every other step. */
  readonly queue: (Partial<ShownQueue> & { readonly id: string; readonly priority: number }) | null;
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
  /** All of one turn ring together, after those of the turn before. By turns or fewest calls, the call decides which is the first. */
  readonly turn: number;
  /** From the beginning of its turn. */
  readonly delayMs: Ms;
  readonly ringMs: Ms;
  /** The caller ID that the phone shows. */
  readonly shows: { readonly number: string; readonly name: string };
  /** Must be pressed before the call is connected, `any` or one; null: an answer accepts. */
  readonly key: string | null;
  /** Dialled so long after the far end has answered; null: none. */
  readonly dialExtension: { readonly digits: string; readonly delayMs: Ms } | null;
  readonly recorded: boolean;
}

export function explainedSteps(plan: Plan): readonly ExplainedStep[] {
  return inOrder(plan).map(([id, step]) => ({
    id, kind: step.kind,
    why: plan.reasons.filter(({ subject, taken }) => subject === id && taken).map(({ why }) => why),
    pattern: step.kind === 'ring' ? step.pattern : null,
    legs: step.kind === 'ring' ? legsOf(step) : [],
    queue: step.kind === 'queue' ? { id: step.queue, priority: step.priority, ...step.shown } : null,
    next: exitsOf(step).map((exit) => ({ on: exit.on, to: 'to' in exit ? exit.to : null })),
  }));
}

function legsOf({ pattern, attempts }: Extract<Step, { kind: 'ring' }>): readonly ExplainedLeg[] {
  const turns = new Map<string, number>();
  return attempts.map((attempt, i) => {
    const destination = pattern === 'simultaneous' ? '' : (attempt.destination ?? `#${i}`);
    const turn = turns.get(destination) ?? turns.size + 1;
    turns.set(destination, turn);
    return legOf(attempt, turn);
  });
}

function legOf({ user, label, target, delayMs = 0, ringMs, callerId, screening, dialExtension, recording }: Attempt, turn: number): ExplainedLeg {
  return {
    user: user === '' ? null : user, label,
    ...(target.kind === 'device' ? { extension: target.device, number: null, trunks: [] } : { extension: null, number: target.number, trunks: target.trunks }),
    turn, delayMs, ringMs, shows: callerId, key: screening?.key ?? null, dialExtension: dialExtension ?? null, recorded: recording !== undefined,
  };
}
