/** Where a channel keeps its identity, and what the dialplan reads of it. */
import { callIdOf, type CallId, type LegId } from '../../core/ids.ts';
import { readIdentity, type Identity } from '../identity.ts';

/** That of the call which the channel's id is of, and that of the call which has taken it: neither overwrites the other, however late. */
const ownVariable = 'FRONTDESK';
const takenVariable = 'FRONTDESK_TAKEN';

export function identityVariable(legId: LegId, callId: CallId): string {
  return callIdOf(legId) === callId ? ownVariable : takenVariable;
}

/** Reads both; no JSON text has a tab in it. */
export const bothIdentities = `EVAL(\${${takenVariable}}\t\${${ownVariable}})`;

/** Set on a trunk's leg before its dial: one that is made and not dialled looks the same as one that does not ring yet. */
export const dialledVariable = 'FRONTDESK_DIALLED';

/** Who ends with this leg once both have been in one bridge; read by the dialplan's fd-over. */
export const peerVariable = 'FD_PEER';

/** The application a leg goes back to when the dialplan has taken it out; read by fd-over too. */
export const appVariable = 'FD_APP';

/** Of the value of `bothIdentities`: that of the call which has taken the channel first. */
export function readIdentities(text: string): readonly Identity[] {
  return text.split('\t').filter((one) => one !== '').map(readIdentity);
}

/**
 * The variable to *read* in order to write one. ARI's own write waits for the channel's thread, and so for the end of
 * its prompt or recording, and with it waits every request behind it on the websocket (tried: five seconds). A read
 * does not wait, and reading the dialplan function SET(name=value) sets. Its value is taken as it is: no expansion.
 */
export function setByReading(name: string, value: string): string {
  return `SET(${name}=${value})`;
}
