/**
 * What a desk asks for. A command that names a call goes to the controller that has it; one that is lost is made good by
 * a deadline of the desk or by the next `Rebuilt`, and each may be carried out twice.
 */
import type { CallId } from '../ids.ts';
import type { EpochMs, Ms } from '../time.ts';
import type { AgentId, DeviceId, QueueId } from './config.ts';
import type { Callback, LeaveWhy, OfferId, Status } from './desk.ts';

/** Why an offer is not to be accepted any more. */
export type WithdrawWhy = 'taken' | 'not-heard-of' | 'call-left' | 'agent-left' | 'agent-on-call' | 'queue-changed' | 'unknown' | 'over';

export type DeskCommand =
  /** The answer to a join: the place to keep, for a rebuilt desk. */
  | { readonly type: 'HoldPlace'; readonly callId: CallId; readonly visit: number; readonly queue: QueueId; readonly enteredAt: EpochMs; readonly position: number }
  /** The place is given up: the call goes on as its plan says for this. `key`: of a callback, which is over. */
  | { readonly type: 'LeaveQueue'; readonly callId: CallId; readonly visit: number; readonly queue: QueueId; readonly why: LeaveWhy; readonly key?: string }
  /**
   * Rings the devices for so long. With `callback` that number is called, and the agent kept for it: answered by
   * `CallbackTried`, or by a call from that number, which joins in the place.
   */
  | {
      readonly type: 'OfferCall';
      readonly offerId: OfferId;
      readonly callId: CallId;
      readonly visit: number;
      readonly queue: QueueId;
      readonly agent: AgentId;
      readonly devices: readonly DeviceId[];
      readonly ringMs: Ms;
      readonly callback: Callback | null;
    }
  /** The agent who accepted has the call: answers `OfferAccepted`. */
  | { readonly type: 'ConnectOffer'; readonly offerId: OfferId; readonly callId: CallId; readonly agent: AgentId }
  /** Whatever rings or was answered for it is dropped; the caller waits on. */
  | { readonly type: 'WithdrawOffer'; readonly offerId: OfferId; readonly callId: CallId; readonly why: WithdrawWhy }
  /** `position` 1 is next. No estimate is null. */
  | { readonly type: 'TellPosition'; readonly callId: CallId; readonly visit: number; readonly position: number; readonly estimatedWaitMs: Ms | null }
  /** A status that the agent did not choose, to be kept with the agent's record. */
  | { readonly type: 'KeepStatus'; readonly agent: AgentId; readonly status: Status; readonly at: EpochMs }
  /** There is one timer: set anew, it takes the place of the last. */
  | { readonly type: 'StartTimer'; readonly at: EpochMs };
