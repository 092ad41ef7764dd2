/** Who is in calls: what the pattern least-connected counts. */
import { partyOf, type Party } from '../routing/destinations.ts';
import type { Attempt } from '../routing/plan.ts';
import type { Call, Leg } from './call.ts';

/** Whom a leg keeps: its user, and the number it was dialled to, which another attempt may be for. */
export function partiesOfLeg(call: Call, leg: Leg): readonly Party[] {
  const step = call.plan.steps[leg.step];
  return partiesOfAttempt(call, step?.kind === 'ring' ? step.attempts[leg.attempt] : undefined);
}

function partiesOfAttempt({ plan: { account } }: Call, attempt: Attempt | undefined): readonly Party[] {
  if (attempt === undefined) return [];
  const party = partyOf(account.id, attempt);
  return attempt.target.kind === 'device' ? [party] : [...new Set([party, partyOf(account.id, { user: '', target: attempt.target })])];
}

/** Those a call keeps now, and whether they have picked up. */
export function partiesOf(call: Call): ReadonlyMap<Party, boolean> {
  const kept = new Map<Party, boolean>();
  for (const leg of Object.values(call.legs)) {
    if (leg.phase === 'ending' || leg.phase === 'ended') continue;
    const pickedUp = leg.phase !== 'dialing' && leg.phase !== 'ringing';
    for (const party of partiesOfLeg(call, leg)) kept.set(party, pickedUp || kept.get(party) === true);
  }
  // Who was called, and is served since the caller has transferred them.
  if (call.caller.phase !== 'ending' && call.caller.phase !== 'ended') for (const party of partiesOfAttempt(call, call.caller.attempt)) kept.set(party, true);
  return kept;
}
