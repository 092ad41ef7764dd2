/** How many calls are out over trunks: what an account's limit counts (O4). */
import type { AccountId } from '../routing/config.ts';
import type { RingStep } from '../routing/plan.ts';
import type { Call } from './call.ts';

/** Legs over trunks that calls of the account hold, and those that calls on their way to a ring are about to make. */
export function callsOut(calls: Iterable<Call>, account: AccountId): number {
  let out = 0;
  for (const call of calls) {
    if (call.plan.account.id === account) out += outOf(call);
  }
  return out;
}

function outOf(call: Call): number {
  const steps = Object.values(call.plan.steps).filter((step): step is RingStep => step.kind === 'ring');
  // Nobody has been dialled yet: what the plan will dial at once is spoken for.
  if (call.phase === 'offered' || call.phase === 'announcing' || call.phase === 'menu') {
    return Math.max(0, ...steps.map((step) => step.attempts.filter(({ target }) => target.kind === 'external').length));
  }
  return Object.values(call.legs).filter((leg) => {
    const step = call.plan.steps[leg.step];
    return leg.phase !== 'ended' && step?.kind === 'ring' && step.attempts[leg.attempt]?.target.kind === 'external';
  }).length;
}
