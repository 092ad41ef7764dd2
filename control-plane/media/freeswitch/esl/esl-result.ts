/**
 * @public
 * - `gone`: the channel does not exist (any more).
 * - `rejected`: the switch, or this client before sending, refuses; `reply` has the switch's own words.
 * - `timeout`: no reply, or no result, within the deadline.
 * - `unreachable`: no link, or it was lost before the result.
 */
export type EslError = 'gone' | 'rejected' | 'timeout' | 'unreachable';

export interface EslFailure {
  readonly ok: false;
  readonly error: EslError;
  /** What the switch said, when it did: `USER_BUSY` of a failed originate. */
  readonly reply?: string;
  readonly message: string;
  /** The command has left, so the switch may have obeyed it, whatever the error says. */
  readonly sent: boolean;
}

/** A command settles exactly once with one of these; its promise never rejects. `text`: what was said after `+OK`, or all of it. */
export type EslResult = { readonly ok: true; readonly text: string } | EslFailure;

/** What the switch says of a channel that it does not have (mod_commands, mod_event_socket). */
const noChannel = /^(?:no such (?:channel|session)|(?:cannot locate|cannot find|unable to find) session|invalid (?:session id|uuid))/i;

/** Reads `+OK …`, `-ERR …`, `-USAGE: …` or the plain text that some commands answer with. */
export function readReply(what: string, raw: string): EslResult {
  const text = raw.replace(/\n$/, '');
  const [, sign = '', rest = ''] = /^([+-])(?:OK|ERR|USAGE)\b:?[ ]*([^]*)$/.exec(text) ?? [];
  if (sign === '') return { ok: true, text };
  if (sign === '+') return { ok: true, text: rest };
  return { ok: false, error: noChannel.test(rest) ? 'gone' : 'rejected', reply: rest, message: `${what}: ${text}`, sent: true };
}
