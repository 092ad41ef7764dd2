/**
 * What a REFER with Replaces (RFC 3891) asks for: the phone's other call is found by its Call-ID among the legs that controllers
 * have on the switch, whoever's they are.
 */
import { callIdOf, type CallId, type LegId } from '../../core/ids.ts';
import type { LegEvent } from '../../core/call/events.ts';
import { deviceNamed } from '../../core/routing/sip-name.ts';
import { callerText } from '../caller-text.ts';
import type { EslClient } from './esl/esl-client.ts';
import { listedLegs } from './leg-list.ts';
import { phoneVariable } from './variables.ts';

type Asked = Pick<Extract<LegEvent, { type: 'TransferAsked' }>, 'to' | 'consulted'>;

/** As scripts/channels.lua writes it. */
export interface Replaces {
  /** The phone's leg that asks. */
  readonly legId: LegId;
  readonly sipCallId: string;
  /** The user of Refer-To. */
  readonly user: string;
}

/** Below what the client lets wait. */
const askedAtOnce = 200;

export function readReplaces(asked: string): Replaces {
  const [legId = '', sipCallId = '', user = ''] = asked.split('.').map((hex) => Buffer.from(hex, 'hex').toString());
  return { legId, sipCallId, user };
}

/** With no such call it is blind, to who is named; in one that nobody has answered yet, to whom the phone has called there. */
export async function replacedCall(esl: EslClient, { sipCallId, user }: Replaces): Promise<Asked> {
  const { calls } = await listedLegs(esl);
  const by = await dialogOf(esl, [...calls.keys()], sipCallId);
  if (by === undefined) return { to: callerText(user, 40) };
  const [other, dialled] = await Promise.all([variable(esl, by, 'bridge_uuid'), variable(esl, by, 'fd_dialled')]);
  if (other === undefined) return { to: callerText(dialled ?? '', 40) };
  const phone = await variable(esl, other, phoneVariable) ?? '';
  return { to: deviceNamed(phone).device, consulted: { legId: other, phone, by, callId: callOf(calls, by) } };
}

async function dialogOf(esl: EslClient, legIds: readonly LegId[], sipCallId: string): Promise<LegId | undefined> {
  for (let from = 0; from < legIds.length; from += askedAtOnce) {
    const some = legIds.slice(from, from + askedAtOnce);
    const found = await Promise.all(some.map((id) => variable(esl, id, 'sip_call_id')));
    const place = found.indexOf(sipCallId);
    if (place >= 0) return some[place];
  }
  return undefined;
}

async function variable(esl: EslClient, leg: LegId, name: string): Promise<string | undefined> {
  const read = await esl.api('uuid_getvar', { leg, name }, { order: callIdOf(leg) });
  return read.ok && read.text !== '_undef_' && read.text !== '' ? read.text : undefined;
}

/** One that came over from another call is listed with the one that has it now. */
function callOf(calls: ReadonlyMap<LegId, CallId>, leg: LegId): CallId {
  return calls.get(leg) ?? callIdOf(leg);
}
