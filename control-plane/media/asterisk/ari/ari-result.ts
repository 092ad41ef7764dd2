import type { AriOperations } from './ari-types.generated.ts';

export type AriOperationId = keyof AriOperations;
export type AriParams<O extends AriOperationId> = AriOperations[O]['params'];
export type AriResponse<O extends AriOperationId> = AriOperations[O]['response'];

/**
 * @public
 * - `gone`: the channel, bridge, playback or recording does not exist (any more).
 * - `not-ready`: it exists and is not yet, or no longer, in a state to obey: not in Stasis, not answered or dialled.
 * - `rejected`: the switch, or this client before sending, refuses; the same request again will be refused again.
 * - `timeout`: no reply within the deadline.
 * - `unreachable`: no link, or it was lost before the reply.
 */
export type AriError = 'gone' | 'not-ready' | 'rejected' | 'timeout' | 'unreachable';

export interface AriFailure {
  readonly ok: false;
  readonly error: AriError;
  /** The switch's own status code, when it did reply. */
  readonly status?: number;
  readonly message: string;
  /** The request has left, so the switch may have obeyed it, whatever the error says. */
  readonly sent: boolean;
}

interface AriSuccess<Body> {
  readonly ok: true;
  readonly status: number;
  readonly body: Body;
}

/** A request settles exactly once with one of these; its promise never rejects. */
export type AriResult<Body> = AriSuccess<Body> | AriFailure;

/**
 * The class of a reply that is no 2xx. The status alone does not tell: `addChannel` answers 400 for a
 * channel that has gone, and 409 is "id already in use", "already claimed" and "not in Stasis yet".
 */
export function classifyStatus(status: number, message: string): 'gone' | 'not-ready' | 'rejected' {
  if (status === 404) return 'gone';
  if (status === 400 && /\bchannel not found\b/i.test(message)) return 'gone';
  if ((status === 409 || status === 422) && /\bnot in (a )?stasis\b/i.test(message)) return 'not-ready';
  // 412 is sent for a channel that is still Down: created, and not dialled yet.
  if (status === 412) return 'not-ready';
  return 'rejected';
}
