/**
 * The answer to a phone's REFER. The switch would transfer by itself; the dialplan has the question wait for a controller instead,
 * and the switch tells the phone what it is told. A REFER takes who talked with the phone to fd-refer: a no connects the two again.
 * One with Replaces makes a call of its own, to fd-replaces, which is answered or ended, and leaves all who talk where they are.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { callIdOf, type LegId } from '../../core/ids.ts';
import { second } from '../../core/time.ts';
import type { EslClient } from './esl/esl-client.ts';
import type { EslResult } from './esl/esl-result.ts';
import { peerVariable } from './variables.ts';

export interface Referred {
  /** The leg that waits in the dialplan: who talked with the phone, or with Replaces one that asks for nobody. */
  readonly waiting: LegId;
  readonly replaces: boolean;
  /** The phone's leg. */
  readonly by: LegId;
}

/**
 * Of the phone's leg: what the switch writes there last before it sends the yes of a REFER with Replaces (`nightmare_xfer_thread_run`
 * of mod_sofia). No event tells of either.
 */
const disposition = { name: 'endpoint_disposition', told: 'ATTENDED_TRANSFER' } as const;
const toldWithinMs = 2 * second;
const lookEveryMs = 5;

/** Settles when the phone has been told. `left`: who talked with it, and is not to end when it is let go. */
export async function answerRefer(esl: EslClient, { waiting, replaces, by }: Referred, accepted: boolean, left: readonly LegId[] = []): Promise<EslResult> {
  // Before what the leg is to hear next.
  const order = callIdOf(waiting);
  if (accepted) for (const leg of left) void esl.api('uuid_setvar', { leg, name: peerVariable }, { order });
  if (!replaces) return esl.execute(waiting, 'blind_transfer_ack', String(accepted), { timeoutMs: 2 * second, order });
  if (!accepted) return esl.api('uuid_kill', { leg: waiting, cause: 'CALL_REJECTED' }, { order });
  // Of a transfer before this one.
  void esl.api('uuid_setvar', { leg: by, name: disposition.name }, { order });
  const answered = await esl.api('uuid_answer', { leg: waiting }, { order });
  if (answered.ok) await phoneTold(esl, by, order);
  return answered;
}

/** Or it has left. */
async function phoneTold(esl: EslClient, leg: LegId, order: string): Promise<void> {
  for (const until = performance.now() + toldWithinMs; performance.now() < until; await delay(lookEveryMs)) {
    const written = await esl.api('uuid_getvar', { leg, name: disposition.name }, { order });
    if (!written.ok || written.text === disposition.told) return;
  }
}
