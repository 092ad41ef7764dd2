/** How many calls are out over trunks: what an account's limit counts (O4). */
import { remembered } from '../remembered.ts';
import type { AccountId } from '../routing/config.ts';
import { destinationsOf } from '../routing/destinations.ts';
import type { Plan, RingStep } from '../routing/plan.ts';
import type { Call } from './call.ts';
import { delayedAttemptOf } from './timers.ts';

/** Legs over trunks that calls of the account hold, and those that calls on their way to a ring are about to make. */
export function callsOut(calls: Iterable<Call>, account: AccountId): number {
  let out = 0;
  for (const call of calls) {
    if (call.plan.account.id === account) out += outOf(call);
  }
  return out;
}

function outOf(call: Call): number {
  // Nobody has been dialled yet: what the plan will dial at once is spoken for.
  if (call.phase === 'offered' || call.phase === 'announcing' || call.phase === 'menu') return mostOut(call.plan.steps);
  // Who is served may be one who was called.
  const served = call.caller.phase !== 'ended' && call.caller.attempt?.target.kind === 'external' ? 1 : 0;
  const legs = served + Object.values(call.legs).filter((leg) => leg.phase !== 'ended' && isOut(ringStepOf(call, leg.step), leg.attempt)).length;
  if (call.phase === 'ordering') return Math.max(legs, ...outByDestination(ringStepOf(call, call.step)));
  if (call.phase !== 'ringing' && call.phase !== 'connecting') return legs;
  const { step, next } = call;
  const delayed = Object.keys(call.timers).map(delayedAttemptOf).filter((attempt) => attempt !== undefined && isOut(ringStepOf(call, step), attempt)).length;
  const byDestination = outByDestination(ringStepOf(call, step));
  return Math.max(legs + delayed, ...next.map((place) => byDestination[place] ?? 0));
}

/** The most that any step dials at once. Each call that comes asks this of all that have not rung yet. */
const mostOut = remembered((steps: Plan['steps']) => Math.max(0, ...Object.values(steps).flatMap((step) => (step.kind === 'ring' ? outByDestination(step) : []))));

/** Of each destination of a ring step: one rings after the other. */
function outByDestination(step: RingStep | undefined): readonly number[] {
  return step === undefined ? [] : destinationsOf(step).map(({ attempts }) => attempts.filter((attempt) => isOut(step, attempt)).length);
}

function ringStepOf(call: Call, id: string): RingStep | undefined {
  const step = call.plan.steps[id];
  return step?.kind === 'ring' ? step : undefined;
}

function isOut(step: RingStep | undefined, attempt: number): boolean {
  return step?.attempts[attempt]?.target.kind === 'external';
}
