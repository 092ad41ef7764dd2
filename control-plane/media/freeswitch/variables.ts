/** Channel variables of ours, and those of the switch that the dialplan and this driver rely on (freeswitch/README.md). */
import { callIdOf, type CallId, type LegId } from '../../core/ids.ts';
import { readIdentity, type Identity } from '../identity.ts';

/** That of the call which the leg's id is of, and that of the call which has taken it: neither overwrites the other, however late. */
const ownVariable = 'fd_identity';
const takenVariable = 'fd_taken';

export function identityVariable(legId: LegId, callId: CallId): string {
  return callIdOf(legId) === callId ? ownVariable : takenVariable;
}

/** Of `variables` of a leg: that of the call which has taken it first. */
export function identitiesOf(variables: (name: string) => string | undefined): readonly Identity[] {
  return [takenVariable, ownVariable].flatMap((name) => {
    const written = variables(name);
    return written === undefined || written === '' ? [] : [readIdentity(Buffer.from(written, 'base64url').toString())];
  });
}

/** As a value that no quoting or expansion of the switch can touch. */
export function writtenIdentity(text: string): string {
  return Buffer.from(text).toString('base64url');
}

/** Who ends with this leg once both have been in one bridge; read by the dialplan's fd-over. */
export const peerVariable = 'fd_peer';
/** The leg is a phone's, of this name; of one that calls, the directory's word. */
export const phoneVariable = 'fd_phone';
/** Who has taken the leg over last; nobody has where it is not set. */
export const handVariable = 'fd_hand';
/** The bridge the leg is in, as calls see it: the switch itself knows only two who are connected. */
export const bridgeVariable = 'fd_bridge';
/** Of the switch: whom a REFER from this leg sends elsewhere. */
export const partnerVariable = 'signal_bond';
/** The recording that the leg is in: a message, or its call's. */
export const recordingVariable = 'fd_recording';

/**
 * The switch's list of channels lags behind (tried). Legs that were called are therefore listed in mod_hash too, each with the
 * call it is of; callers by their claim.
 */
export const legList = 'fd_leg';
export const claimList = 'fd_claim';

/** Of every leg that is called; the dialplan sets the same for callers (fd-offer). */
export const ofCalledLegs = (legId: LegId): Readonly<Record<string, string>> => ({
  origination_uuid: legId,
  api_hangup_hook: `hash delete/${legList}/${legId}`,
  playback_terminators: 'none',
  // Who is left behind in a bridge stays, also when the other had put it on hold.
  transfer_after_bridge: 'left:XML:fd-over',
  hold_hangup_xfer_exten: 'left:XML:fd-over',
  force_transfer_dialplan: 'XML',
  force_transfer_context: 'fd-refer',
});
