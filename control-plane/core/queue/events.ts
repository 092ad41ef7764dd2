/**
 * What a desk hears. Messages come from other controllers: twice, late, in another order, or not at all. Each says what
 * it is about by an id that is used once (a visit, an offer) or by when it was (`at`, `n`), so that one that is out of
 * date is recognised and changes nothing.
 */
import type { CallId } from '../ids.ts';
import type { EpochMs } from '../time.ts';
import type { AgentId, DeviceId, QueueConfig } from './config.ts';
import type { AgentRecord, Offer, OfferId, Place, Service, Status } from './desk.ts';
import type { DeskMemory } from './memory.ts';

/** As measured: all live calls of the agent. `n` grows from report to report, also from one measurer to the next. */
export interface Measured {
  readonly n: number;
  readonly calls: readonly CallId[];
}

/** What was found of a desk: by asking every call, and in the agents' records. */
export interface Found {
  /** Of the lease: an older one is late. */
  readonly epoch: number;
  /** When it was asked, by the desk's clock: what the desk has heard since is newer. */
  readonly asOf: EpochMs;
  /** Those that wait, those on offer among them, and callbacks. */
  readonly calls: readonly Place[];
  /** All callbacks are among them; absent where those that are kept could not be asked for. */
  readonly callbacksKnown?: true;
  readonly offers: readonly Offer[];
  /** Accepted, or connected already. */
  readonly services: readonly Service[];
  readonly agents: readonly (AgentRecord & Measured)[];
}

export type DeskEvent =
  /** All queues of the account, anew. */
  | { readonly type: 'QueuesConfigured'; readonly queues: readonly QueueConfig[] }
  /** Said again while it waits. `offers`: those that it knows; absent, it does not say. */
  | { readonly type: 'CallJoined'; readonly place: Omit<Place, 'callback'>; readonly offers?: readonly OfferId[] }
  | { readonly type: 'CallLeft'; readonly callId: CallId; readonly visit: number; readonly why: 'abandoned' | 'exit-key' | 'routed' }
  | { readonly type: 'CallbackRequested'; readonly callId: CallId; readonly visit: number; readonly key: string; readonly number: string }
  /** The number of a callback was called, and nobody was reached: the agent is as before, and it is tried again at `again`, or never. */
  | { readonly type: 'CallbackTried'; readonly callId: CallId; readonly visit: number; readonly again: EpochMs | null }
  /** The agent wants it: connected only once `ConnectOffer` says so. */
  | { readonly type: 'OfferAccepted'; readonly offerId: OfferId }
  /** `unreachable`: no device could be rung. */
  | { readonly type: 'OfferRejected'; readonly offerId: OfferId; readonly why: 'declined' | 'busy' | 'unreachable' }
  /** It rang its time. */
  | { readonly type: 'OfferTimedOut'; readonly offerId: OfferId }
  /** By the call's side. `left`: because the caller has. */
  | { readonly type: 'OfferCanceled'; readonly offerId: OfferId; readonly left: boolean }
  /** Nothing rings any more for one that was taken back. */
  | { readonly type: 'OfferCleared'; readonly offerId: OfferId }
  | { readonly type: 'OfferConnected'; readonly offerId: OfferId }
  /** Accepted, and never connected. `lost`: who was gone. */
  | { readonly type: 'OfferBridgeFailed'; readonly offerId: OfferId; readonly lost: 'agent' | 'caller' | 'neither' }
  /** The agent's part in the call of this offer is over. */
  | { readonly type: 'AgentReleased'; readonly offerId: OfferId }
  | { readonly type: 'AgentStatusChosen'; readonly agent: AgentId; readonly status: Status; readonly at: EpochMs }
  | { readonly type: 'AgentLoggedIn'; readonly agent: AgentId; readonly devices: readonly DeviceId[]; readonly at: EpochMs }
  /** Done with wrap-up and with waiting after a rejection; on demand: wants the next call. */
  | { readonly type: 'AgentReady'; readonly agent: AgentId }
  | ({ readonly type: 'AgentMeasured'; readonly agent: AgentId } & Measured)
  | { readonly type: 'TimerFired' }
  /** By the desk of before. */
  | ({ readonly type: 'Remembered' } & DeskMemory)
  | { readonly type: 'Rebuilt'; readonly found: Found };
