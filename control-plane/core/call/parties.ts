/** Who is in calls: what the pattern least-connected counts. */
import { partyOf, type Party } from '../routing/destinations.ts';
import type { Call, Leg } from './call.ts';

/** Whom a leg keeps: its user, and the number it was dialled to, which another attempt may be for. */
export function partiesOfLeg(call: Call, leg: Leg): readonly Party[] {
  const step = call.plan.steps[leg.step];
  const attempt = step?.kind === 'ring' ? step.attempts[leg.attempt] : undefined;
  if (attempt === undefined) return [];
  const { account } = call.plan;
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
  return kept;
}
