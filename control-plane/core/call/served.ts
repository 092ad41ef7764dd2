/** Who is served: the caller, until one who was called takes that place. */
import { change, legOf, setLeg, type Draft } from './draft.ts';
import type { Leg } from './call.ts';
import { attemptOf } from './leg-life.ts';

/** The leg is served from now on; whoever was before is a leg like any other, to be let go. */
export function serveInstead(draft: Draft, leg: Leg): Leg | undefined {
  const { caller, legs: { [leg.id]: _served, ...legs } } = draft.call;
  const attempt = attemptOf(draft, leg);
  change(draft, { legs, caller: { phase: 'answered', legId: leg.id, ...(attempt === undefined ? {} : { attempt }) } });
  setLeg(draft, { id: caller.legId, step: '', attempt: -1, trunk: 0, held: false, phase: 'bridged' });
  return legOf(draft, caller.legId);
}
