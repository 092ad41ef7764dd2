/** What a desk decided or learnt: what an operator is shown, and all that the figures are folded from (figures.ts). */
import type { CallId } from '../ids.ts';
import type { EpochMs, Ms } from '../time.ts';
import type { AgentId, QueueId } from './config.ts';
import type { AgentState, LeaveWhy, OfferId, OfferOutcome, Status } from './desk.ts';

export type DeskFact =
  /** `regained`: in the place of a call that had left. */
  | { readonly type: 'CallEntered'; readonly callId: CallId; readonly queue: QueueId; readonly enteredAt: EpochMs; readonly regained: boolean }
  | { readonly type: 'JoinRefused'; readonly callId: CallId; readonly queue: QueueId; readonly why: 'full' | 'empty' | 'closed' }
  | { readonly type: 'CallLeft'; readonly callId: CallId; readonly queue: QueueId; readonly why: LeaveWhy; readonly waitedMs: Ms }
  /** Back in its place after an agent had accepted it. */
  | { readonly type: 'CallRequeued'; readonly callId: CallId; readonly queue: QueueId; readonly agent: AgentId }
  | { readonly type: 'CallbackHeld'; readonly callId: CallId; readonly queue: QueueId; readonly key: string }
  /** The number was called, and nobody was reached. */
  | { readonly type: 'CallbackTried'; readonly callId: CallId; readonly queue: QueueId; readonly again: EpochMs | null }
  | { readonly type: 'OfferMade'; readonly offerId: OfferId; readonly callId: CallId; readonly queue: QueueId; readonly agent: AgentId }
  | { readonly type: 'OfferEnded'; readonly offerId: OfferId; readonly callId: CallId; readonly queue: QueueId; readonly agent: AgentId; readonly outcome: OfferOutcome; readonly why: string }
  /** Accepted too late: what had become of the offer, and when. Null: nothing is known of it any more. */
  | { readonly type: 'AcceptRefused'; readonly offerId: OfferId; readonly outcome: OfferOutcome | null; readonly why: string; readonly endedAt: EpochMs | null }
  | { readonly type: 'CallConnected'; readonly callId: CallId; readonly queue: QueueId; readonly agent: AgentId; readonly waitedMs: Ms }
  | { readonly type: 'ServiceEnded'; readonly callId: CallId; readonly queue: QueueId; readonly agent: AgentId; readonly talkedMs: Ms }
  /** `missed`: by the desk, after so many offers that were not answered. */
  | { readonly type: 'AgentStatusChanged'; readonly agent: AgentId; readonly status: Status; readonly by: 'agent' | 'missed' }
  | { readonly type: 'AgentStateChanged'; readonly agent: AgentId; readonly state: AgentState }
  | { readonly type: 'DeskRebuilt'; readonly calls: number; readonly offers: number; readonly agents: number };
