import { callIdOf } from '../../core/ids.ts';
import type { MediaCommand } from '../../core/call/commands.ts';
import { guardMs } from '../../core/call/timers.ts';
import { sipName } from '../../core/routing/sip-name.ts';
import { second } from '../../core/time.ts';
import { callerText } from '../caller-text.ts';
import { identityText } from '../identity.ts';
import type { CommandResult } from '../media-driver.ts';
import type { EslClient } from './esl/esl-client.ts';
import type { EslFailure, EslResult } from './esl/esl-result.ts';
import { harmless, originateVariables } from './esl/esl-text.ts';
import { setGuard } from './guard.ts';
import { isBeforeTheInvite } from './hang-up-cause.ts';
import { listLeg, unlistLeg } from './leg-list.ts';
import type { Leg, Legs } from './legs.ts';
import { shownName } from './shown-name.ts';
import { domain, profile } from './sip-profile.ts';
import { identityVariable, ofCalledLegs, peerVariable, phoneVariable, writtenIdentity } from './variables.ts';

type Originate = Extract<MediaCommand, { type: 'OriginateLeg' }>;

/** What may stand in a dial string: anything else could name another technology, or an option of it. */
const safeName = /^[A-Za-z0-9_.+*#-]{1,64}$/;
const contactOf = /^sofia\/[\w.-]+\/[^,\s]+$/;

/**
 * The switch makes a leg and dials it in one. So what can be known before is asked before, and a hang-up that comes in between
 * prevents the dial. The leg goes on without its controller: answered, it waits.
 */
export async function originateLeg(esl: EslClient, legs: Legs, app: string, command: Originate): Promise<CommandResult> {
  const { legId } = command;
  if (legs.get(legId) !== undefined) return failed('rejected', false, 'The id of the leg is in use.');
  const leg = legs.of(legId);
  const [place, taken] = await Promise.all([dialString(esl, command), esl.api('uuid_exists', { leg: legId }, { order: callIdOf(legId) })]);
  const refused = !place.ok ? place : !taken.ok ? taken : taken.text === 'true' ? rejected('The id of the leg is in use.') : undefined;
  if (refused !== undefined || !place.ok) {
    legs.delete(legId);
    return refused === undefined ? failed('rejected', false, '') : failed(refused.error, false, refused.message);
  }
  return leg.asked === undefined ? dial(esl, legs, leg, app, command, place.text) : failed('gone', false, 'The leg was hung up before it was dialled.');
}

async function dialString(esl: EslClient, { target, trunk, legId }: Originate): Promise<EslResult> {
  const name = target.kind === 'device' ? target.device : trunk;
  const named = name === undefined ? '' : sipName(target.sipPrefix, name);
  if (!safeName.test(named)) return rejected('The device or trunk has a name that cannot be dialled.');
  if (target.kind !== 'device') return safeName.test(target.number) ? { ok: true, text: `sofia/gateway/${named}/${target.number}` } : rejected('The number cannot be dialled.');
  const found = await esl.api('sofia_contact', { phone: `${profile}/${named}@${domain}` }, { order: callIdOf(legId) });
  if (!found.ok) return found;
  // A device is one phone: the first.
  const contact = found.text.split(',')[0] ?? '';
  return contactOf.test(contact) ? { ok: true, text: contact } : rejected('The phone is not registered.');
}

async function dial(esl: EslClient, legs: Legs, leg: Leg, app: string, command: Originate, place: string): Promise<CommandResult> {
  const callId = callIdOf(leg.id);
  const number = callerText(command.callerId.number, 40);
  const { name } = command.callerId;
  leg.peer = command.servedLeg ?? callId;
  leg.mayTransfer = command.target.kind === 'device';
  const ringSeconds = Math.max(1, Math.ceil(command.ringMs / second));
  const variables = originateVariables({
    ...ofCalledLegs(leg.id),
    [identityVariable(leg.id, callId)]: writtenIdentity(identityText(callId, app, command.mark)),
    [peerVariable]: leg.peer,
    ...(command.target.kind === 'device' ? { [phoneVariable]: sipName(command.target.sipPrefix, command.target.device) } : {}),
    // Early media is no answer.
    ignore_early_media: 'true',
    originate_timeout: String(ringSeconds),
    ...(number === '' ? {} : { origination_caller_id_number: harmless(number), origination_caller_id_name: shownName(name === '' ? number : name) }),
  });
  if (!variables.ok) {
    legs.delete(leg.id);
    return failed('rejected', false, variables.message);
  }
  const made = Promise.withResolvers<CommandResult>();
  leg.originate = {
    made: () => { made.resolve({ ok: true }); },
    lost: () => { made.resolve(failed('unreachable', true, 'The link to the switch was lost while the leg was dialled.')); },
  };
  void setGuard(esl, leg, guardMs);
  void listLeg(esl, leg.id, callId);
  void esl.bgapi('originate', { place: { raw: `${variables.text}${place}` }, next: '&park()' }, { order: callId, timeoutMs: (ringSeconds + 10) * second }).then((result) => {
    made.resolve(settled(esl, legs, leg, result));
  });
  const result = await made.promise;
  leg.originate = undefined;
  return result;
}

/** The originate's own end, for one that the switch made no leg for: the others are told of by the leg's events. */
function settled(esl: EslClient, legs: Legs, leg: Leg, result: EslResult): CommandResult {
  if (result.ok) {
    // The id was in use after all, and the switch took another.
    if (result.text !== leg.id) void esl.api('uuid_kill', { leg: result.text }, { order: callIdOf(leg.id) });
    return result.text === leg.id ? { ok: true } : failed('rejected', true, 'The id of the leg is in use.');
  }
  if (leg.originate !== undefined) {
    legs.delete(leg.id);
    void unlistLeg(esl, leg.id);
  }
  return failed(result.error, result.sent && !isBeforeTheInvite(result.reply ?? ''), result.message);
}

function rejected(message: string): EslFailure {
  return { ok: false, error: 'rejected', message, sent: false };
}

function failed(error: EslFailure['error'], mayHaveReachedCarrier: boolean, detail: string): CommandResult {
  return { ok: false, error, mayHaveReachedCarrier, detail };
}
