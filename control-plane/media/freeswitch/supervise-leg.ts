/**
 * A leg that supervises another: one end of a loopback, whose other end eavesdrops. It ends with the leg that is supervised, with
 * or without a controller, and can be bridged, guarded and marked like any other.
 */
import { callIdOf } from '../../core/ids.ts';
import type { MediaCommand } from '../../core/call/commands.ts';
import { guardMs } from '../../core/call/timers.ts';
import { second } from '../../core/time.ts';
import { identityText } from '../identity.ts';
import type { CommandResult } from '../media-driver.ts';
import type { EslClient } from './esl/esl-client.ts';
import { originateVariables } from './esl/esl-text.ts';
import { setGuard } from './guard.ts';
import { listLeg, unlistLeg } from './leg-list.ts';
import type { Legs } from './legs.ts';
import { identityVariable, ofCalledLegs, writtenIdentity } from './variables.ts';

export async function superviseLeg(esl: EslClient, legs: Legs, app: string, { legId, supervised, mode, mark }: Extract<MediaCommand, { type: 'SuperviseLeg' }>): Promise<CommandResult> {
  if (legs.get(legId) !== undefined) return { ok: false, error: 'rejected', mayHaveReachedCarrier: false, detail: 'The id of the leg is in use.' };
  const order = callIdOf(legId);
  const exists = await esl.api('uuid_exists', { leg: supervised }, { order });
  if (!exists.ok) return { ok: false, error: exists.error, mayHaveReachedCarrier: false, detail: exists.message };
  if (exists.text !== 'true') return { ok: false, error: 'gone', mayHaveReachedCarrier: false, detail: 'The leg is not on the switch.' };
  const leg = legs.of(legId);
  const variables = originateVariables({
    ...ofCalledLegs(legId),
    [identityVariable(legId, order)]: writtenIdentity(identityText(order, app, mark)),
    loopback_bowout: 'false',
    loopback_bowout_on_execute: 'false',
    loopback_export: 'fd_supervised',
    fd_supervised: supervised,
  });
  if (!variables.ok) {
    legs.delete(legId);
    return { ok: false, error: 'rejected', mayHaveReachedCarrier: false, detail: variables.message };
  }
  void setGuard(esl, leg, guardMs);
  void listLeg(esl, legId, order);
  const made = await esl.bgapi('originate', { place: { raw: `${variables.text}loopback/${mode}/fd-supervise/XML` }, next: '&park()' }, { order, timeoutMs: 10 * second });
  if (made.ok) return { ok: true };
  legs.delete(legId);
  void unlistLeg(esl, legId);
  return { ok: false, error: made.error, mayHaveReachedCarrier: false, detail: made.message };
}
