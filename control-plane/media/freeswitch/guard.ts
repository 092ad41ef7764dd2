import { callIdOf } from '../../core/ids.ts';
import { second, type Ms } from '../../core/time.ts';
import type { EslClient } from './esl/esl-client.ts';
import type { EslResult } from './esl/esl-result.ts';
import type { Leg } from './legs.ts';

/**
 * What the switch does with a leg that nobody has looked after: a caller is offered again, another is ended. A task of the
 * switch's scheduler, which knows whole seconds; it goes with the leg, whose id its group has.
 */
export async function setGuard(esl: EslClient, leg: Leg, ms: Ms): Promise<EslResult> {
  const order = callIdOf(leg.id);
  void esl.api('sched_del', { task: leg.id }, { order });
  const deed = leg.isCaller ? `uuid_transfer ${leg.id} 1 XML fd-offer` : `uuid_kill ${leg.id} NORMAL_CLEARING`;
  return esl.api('sched_api', { at: `+${Math.max(1, Math.ceil(ms / second))}`, group: leg.id, deed: { raw: deed } }, { order });
}
