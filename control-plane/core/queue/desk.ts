/**
 * All queues of an account as one: who waits, who is there to answer, and what is offered to whom. Plain JSON.
 *
 * A call:   joined ─> waiting ─> offered ─> accepted ─> connected        (then it is the agent's, and no longer here)
 *              │         │ ^        │           │
 *              │         │ └────────┴───────────┘  not accepted, or the bridge failed: back to the place it had
 *              │         ├─> a callback, which keeps the place while nobody is on the line
 *              └─────────┴─> left: abandoned, by a key, too long, nobody there, …
 *
 * An offer: offered ─> accepted | rejected | timed-out | canceled | rescinded, one of them, once.
 *
 * One that is canceled or rescinded may ring for some milliseconds still: until it does not, its agent is offered nothing.
 *
 * An agent: the *status* is chosen (available, on-demand, break, offline). The *state* is measured: idle, offered,
 * on-call, wrap-up.
 *
 * The place of a call is its priority and the time it entered, never a number that is counted: whoever hears of the
 * same calls, in whatever order, has them in the same order.
 */
import type { CallId } from '../ids.ts';
import type { EpochMs, Ms } from '../time.ts';
import type { AgentId, DeviceId, QueueConfig, QueueId } from './config.ts';

/** `<callId>--o<epoch>.<n>`. */
export type OfferId = string;

export function callOfOffer(offerId: OfferId): CallId {
  return offerId.slice(0, Math.max(0, offerId.lastIndexOf('--o')));
}

/** What a call's own state carries while it waits: all that is needed to have it in its place again. */
export interface Place {
  readonly callId: CallId;
  /** Which time this is that the call waits: its own count. A message of an earlier visit is late. */
  readonly visit: number;
  readonly queue: QueueId;
  /** Higher is served first. */
  readonly priority: number;
  /** The place: of equal priority the earliest is served first. Older than `joinedAt` where a place was regained. */
  readonly enteredAt: EpochMs;
  readonly joinedAt: EpochMs;
  /** Null where it is withheld. */
  readonly number: string | null;
  /** By which the agent is known who had the caller last; null: nobody is looked for. */
  readonly sticky: string | null;
  /** The caller has hung up, and is to be called back in the place. */
  readonly callback: Callback | null;
}

export interface Callback {
  /** Two requests with one key are one. */
  readonly key: string;
  readonly number: string;
  /** Not tried before this: nobody answered the last time. */
  readonly notBefore: EpochMs;
}

export interface WaitingCall extends Place {
  /** By our clock. */
  readonly heardAt: EpochMs;
  /** Open ones; more than one with `ring-all` alone. */
  readonly offers: readonly OfferId[];
  /** Who has had it offered and did not take it: asked again once everybody else has been. */
  readonly passedBy: readonly AgentId[];
  readonly tellAt: EpochMs | null;
}

export interface Queue {
  readonly config: QueueConfig;
  /** First in line first. Those who are offered are among them, those who are accepted are not. */
  readonly waiting: readonly WaitingCall[];
  /** `round-robin`: who was asked last. */
  readonly lastAsked: AgentId | null;
  /** `weighted`: what each is owed. */
  readonly credit: Readonly<Record<AgentId, number>>;
  /** How long the last calls kept their agents, wrap-up included; newest last. */
  readonly handled: readonly Ms[];
  /** Since when nobody has been present whom `stayNeeds` asks for. */
  readonly emptySince: EpochMs | null;
}

export type Status = 'available' | 'on-demand' | 'break' | 'offline';
export type AgentState = 'idle' | 'offered' | 'on-call' | 'wrap-up';

/** What is known of an agent beside live calls; kept, and told again when the desk is rebuilt. */
export interface AgentRecord {
  readonly id: AgentId;
  readonly status: Status;
  /** When it was chosen: of two messages the later holds. */
  readonly statusAt: EpochMs;
  /** On which the agent is logged in. */
  readonly devices: readonly DeviceId[];
  readonly devicesAt: EpochMs;
  /** `on-demand`: has asked for the next call. */
  readonly ready: boolean;
  readonly wrapUpUntil: EpochMs;
  /** Not asked before this, after an offer that was not taken. */
  readonly restUntil: EpochMs;
  /** One after the other. */
  readonly missed: number;
  /** Since when there was neither a call, nor wrap-up, nor an offer let pass. */
  readonly idleSince: EpochMs;
  /** Calls of each queue that were connected to this agent, and when the last of them ended. */
  readonly taken: Readonly<Record<QueueId, { readonly calls: number; readonly lastAt: EpochMs }>>;
}

export interface Agent extends AgentRecord {
  /** The state that was told last, and since when. */
  readonly state: AgentState;
  readonly stateSince: EpochMs;
  readonly offer: OfferId | null;
  /** The last one, where it was taken back and may ring still. */
  readonly clearing: Clearing | null;
  readonly service: Service | null;
  /** Live calls as measured by the report `measured`, whatever way they came: also what rings for the offer, or is being let go. */
  readonly calls: readonly CallId[];
  readonly measured: number;
}

/** Nobody rings here for another call until the call's side has said that nothing of this offer is left, or until then. */
export interface Clearing {
  readonly offerId: OfferId;
  readonly callId: CallId;
  readonly until: EpochMs;
}

/** A call that an agent has accepted. */
export interface Service {
  readonly offerId: OfferId;
  readonly agent: AgentId;
  /** As it was: with its place, should the bridge fail. */
  readonly place: Place;
  readonly acceptedAt: EpochMs;
  readonly connectedAt: EpochMs | null;
  /** Measurement has had it: once it has it no more the call is over. */
  readonly seen: boolean;
}

export interface Offer {
  readonly offerId: OfferId;
  readonly callId: CallId;
  readonly queue: QueueId;
  readonly agent: AgentId;
  readonly offeredAt: EpochMs;
  /** Not heard of by then, it is rescinded. Later than the ringing ends. */
  readonly deadline: EpochMs;
}

export type OfferOutcome = 'accepted' | 'rejected' | 'timed-out' | 'canceled' | 'rescinded';

/** Remembered for a while, for what comes late; one that was accepted anew from the end of its service. */
export interface EndedOffer {
  readonly offerId: OfferId;
  readonly outcome: OfferOutcome;
  readonly why: string;
  readonly endedAt: EpochMs;
}

/** Why a call is not in the queue any more: by its caller, by a rule, or connected. `callback`: its place is kept, and nobody is to wait on the line. */
export type LeaveWhy = 'abandoned' | 'exit-key' | 'routed' | 'callback' | 'full' | 'empty' | 'max-wait' | 'closed' | 'called-again' | 'already-held' | 'unanswered' | 'lost' | 'connected';

/** Remembered for a while: for late messages, and for a caller who rings again. */
export interface LeftCall {
  readonly callId: CallId;
  readonly visit: number;
  readonly why: LeaveWhy;
  readonly leftAt: EpochMs;
  /** Null where the call left before it was heard of, and once somebody else has the place. */
  readonly place: Place | null;
}

export interface Desk {
  readonly version: 1;
  /** Of the lease under which it is run; part of the ids it gives. */
  readonly epoch: number;
  /**
   * `taking-over`: it takes in what it hears, and offers, refuses and sends on nobody before it is told what there is
   * (`Rebuilt`). Agents' records are not to be kept from it before, since it does not know them.
   */
  readonly phase: 'taking-over' | 'open';
  readonly queues: Readonly<Record<QueueId, Queue>>;
  readonly agents: Readonly<Record<AgentId, Agent>>;
  /** Open ones. */
  readonly offers: Readonly<Record<OfferId, Offer>>;
  readonly ended: readonly EndedOffer[];
  readonly left: readonly LeftCall[];
  /** Who had which caller last and when, by sticky key; newest last. */
  readonly lastAgents: readonly (readonly [string, AgentId, EpochMs])[];
  /** For which the one timer is armed. */
  readonly alarmAt: EpochMs | null;
  /** The last number given to an offer. */
  readonly n: number;
}

export function newDesk(epoch: number): Desk {
  return { version: 1, epoch, phase: 'taking-over', queues: {}, agents: {}, offers: {}, ended: [], left: [], lastAgents: [], alarmAt: null, n: 0 };
}

/** As another controller left it, or as it was some time ago: it is told what there is before it goes on. */
export function takenOver(desk: Desk, epoch: number): Desk {
  return { ...desk, epoch, phase: 'taking-over', alarmAt: null };
}

/** An agent of whom nothing has been heard. */
export function newAgent(id: AgentId, now: EpochMs): Agent {
  return {
    id, status: 'offline', statusAt: 0, devices: [], devicesAt: 0, ready: false, wrapUpUntil: 0, restUntil: 0, missed: 0, idleSince: now, taken: {},
    state: 'idle', stateSince: now, offer: null, clearing: null, service: null, calls: [], measured: 0,
  };
}
