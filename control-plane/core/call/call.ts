/**
 * The state of a call and of its legs: plain JSON, a union by phase, complete (a copy of it is all another
 * controller needs).
 *
 *   offered ─> announcing ─> menu ─> ringing ─> connecting ─> connected ──────> ending ─> ended
 *                                      │            │                             ^
 *                            no answer ├────────────┘ hang-up in the whisper      │
 *                                      └> greeting ─> beeping ─> recording ───────┘
 *
 * Which step comes first, and which follows, is the plan's word: this is the longest way, and a menu may come after any
 * other. A supervision is in `supervising` from its first event to its end. A code of the night switch goes from `setting`, where its change is waited for, to `announcing`. Before `ringing` comes `ordering`, where it is asked who is rung first; after a hang-up in the whisper `ringing`
 * again, while others are left to ring. Every place may go to `ending` at once (the caller left, the plan leads no
 * further), and to the place the
 * switch is in by adoption.
 *
 * A callee's leg:  dialing ─> ringing ─> extending ─> screening ─> accepted ─> bridged ─> ending ─> ended
 *                                  │         │           └─> dismissed (another won: told so, then hung up)
 *                                  └─────────┴─> accepted (without call connect its answer is its acceptance)
 *
 * An answered leg only wins by being accepted, and only winning stops the others.
 */
import type { BridgeId, CallId, LegId, PromptId, RecordingId, StepId, TimerId } from '../ids.ts';
import type { Cause, Disposition } from '../cause.ts';
import type { EpochMs } from '../time.ts';
import type { Media } from '../routing/config.ts';
import type { AgentId } from '../queue/config.ts';
import type { OfferId, Place as DeskPlace } from '../queue/desk.ts';
import type { Attempt, Plan } from '../routing/plan.ts';
import type { PlanExtension } from './commands.ts';
import type { Consulted, Offer } from './events.ts';
import type { EndedBy, TransferKind } from './facts.ts';

export interface CallBase {
  readonly version: 1;
  readonly id: CallId;
  readonly plan: Plan;
  readonly offer: Offer;
  readonly startedAt: EpochMs;
  /** Who is served. The caller, whose leg has the call's id; once the caller has transferred the call, the one they had called. */
  readonly caller: Caller;
  /** Callees' legs, ended ones too, by id in order of creation. */
  readonly legs: Readonly<Record<LegId, Leg>>;
  /** The recording of a message that is open on the switch. */
  readonly recording: RecordingId | null;
  /** The recording of both voices that is open, or asked for. */
  readonly callRecording: { readonly id: RecordingId; readonly started: boolean } | null;
  /** Who has heard to the end that the call is recorded. */
  readonly announcedTo: readonly LegId[];
  /** When two first talked. */
  readonly answeredAt: EpochMs | null;
  /** The last one. */
  readonly transfer: Transfer | null;
  /** Asked for, and not answered yet. */
  readonly planning: PlanExtension | null;
  /** Null before the first queue, and once the call has left one. */
  readonly visit: Visit | null;
  /** How often the call has joined a queue. */
  readonly visits: number;
  /** Keys of the caller that no menu has asked for yet. */
  readonly typed: string;
  /** Steps entered so far. */
  readonly stepsTaken: number;
  /** Armed timers; one that fires and is not here is ignored. */
  readonly timers: Readonly<Record<TimerId, EpochMs>>;
  /** The last number given to an id. */
  readonly n: number;
}

/** The call waits in a queue, or is with an agent whom it got there. In the plan, an offer's ring step has the offer's id. */
export interface Visit extends Omit<DeskPlace, 'callId' | 'visit' | 'callback'> {
  /** Which time this is that the call waits. */
  readonly n: number;
  readonly step: StepId;
  /** The desk has said that it holds the place. */
  readonly held: boolean;
  /** Open ones, with what rings. */
  readonly offers: Readonly<Record<OfferId, OpenOffer>>;
  readonly service: Service | null;
  /** Q6: the caller has been asked whether to be called back. */
  readonly callback?: AskedCallback;
}

export interface AskedCallback {
  readonly askedAt: EpochMs;
  /** Confirmed, and being kept under this id; null until then. */
  readonly id: string | null;
}

export interface OpenOffer {
  readonly agent: AgentId;
  readonly offeredAt: EpochMs;
  /** Given up by the desk if it has heard nothing by then. */
  readonly deadline: EpochMs;
  /** Has accepted, and waits for the desk's word since then. */
  readonly accepted: { readonly legId: LegId; readonly at: EpochMs } | null;
}

export interface Service {
  readonly offerId: OfferId;
  readonly agent: AgentId;
  readonly legId: LegId;
  readonly acceptedAt: EpochMs;
  readonly connectedAt: EpochMs | null;
}

export interface Caller {
  readonly phase: 'waiting' | 'answered' | 'ending' | 'ended';
  readonly legId: LegId;
  /** How they were rung; of one who was called. */
  readonly attempt?: Attempt;
}

/** By one of the two who talk (steps/transfer.ts). */
export interface Transfer {
  readonly kind: TransferKind;
  readonly by: LegId;
  readonly to: string;
  /** Who is there already. */
  readonly consulted?: Consulted;
  /** asked: where it leads is being compiled. over: also one that was refused. */
  readonly phase: 'asked' | 'under-way' | 'over';
  /** The steps that ring who is wanted, and after that who has transferred. */
  readonly ring: StepId;
  readonly recall: StepId | null;
}

export type Place =
  | { readonly phase: 'offered' }
  | { readonly phase: 'announcing'; readonly step: StepId; readonly promptId: PromptId }
  /** `promptId` is what the caller hears, null while a key is waited for; `digits` are the keys of this try, `tries` how often it was asked. */
  /** `hears`: in `promptId`, which is null for a moment between two; after it come the words of `toSay`, or music. `said`: messages so far. */
  | { readonly phase: 'queued'; readonly step: StepId; readonly promptId: PromptId | null; readonly hears: 'words' | 'music'; readonly toSay: readonly Media[]; readonly said: number }
  | { readonly phase: 'menu'; readonly step: StepId; readonly promptId: PromptId | null; readonly digits: string; readonly tries: number }
  /** The night switch is being set; the caller hears ringing. */
  | { readonly phase: 'setting'; readonly step: StepId }
  /** The caller hears ringing already. */
  | { readonly phase: 'ordering'; readonly step: StepId }
  /** `next`: destinations that follow the one that rings, by their places in the step's list (destinations.ts). */
  | { readonly phase: 'ringing'; readonly step: StepId; readonly next: readonly number[] }
  /** `next` are rung if the winner is lost and the round's time is not over. */
  | { readonly phase: 'connecting'; readonly step: StepId; readonly winner: LegId; readonly bridgeId: BridgeId; readonly joined: readonly LegId[]; readonly next: readonly number[] }
  | { readonly phase: 'connected'; readonly step: StepId; readonly winner: LegId; readonly bridgeId: BridgeId }
  /** `spy` is the leg by which the supervisor hears, in the mode that was asked for last: bridged, or on the way there. */
  | { readonly phase: 'supervising'; readonly step: StepId; readonly bridgeId: BridgeId; readonly spy: LegId }
  | { readonly phase: 'greeting'; readonly step: StepId; readonly promptId: PromptId }
  | { readonly phase: 'beeping'; readonly step: StepId; readonly promptId: PromptId }
  | { readonly phase: 'recording'; readonly step: StepId; readonly recordingId: RecordingId }
  /** Waits for what is still on the switch: legs, and a recording being closed. */
  | { readonly phase: 'ending'; readonly cause: Cause; readonly disposition: Disposition; readonly by: EndedBy; readonly tries: number }
  | { readonly phase: 'ended' };

export type Call = CallBase & Place;
export type CallPhase = Place['phase'];
export type CallIn<P extends CallPhase> = CallBase & Extract<Place, { phase: P }>;

export interface LegBase {
  readonly id: LegId;
  readonly step: StepId;
  /** Of its step's list; of a supervision, the place of its mode in `supervisionModes`. */
  readonly attempt: number;
  readonly trunk: number;
  readonly held: boolean;
}

export type LegPlace =
  | { readonly phase: 'dialing' }
  | { readonly phase: 'ringing' }
  /** Answered by a switchboard, to which the extension is being dialled. */
  | { readonly phase: 'extending' }
  /** Asked for a key; `promptId` is what it hears, null between two rounds of it; by tone once the prompt has failed. */
  | { readonly phase: 'screening'; readonly promptId: PromptId | null; readonly toneOnly: boolean }
  /** Has the call; `promptId` is the whisper it hears before the bridge. */
  | { readonly phase: 'accepted'; readonly promptId: PromptId | null }
  | { readonly phase: 'bridged' }
  | { readonly phase: 'dismissed'; readonly promptId: PromptId }
  /** Hang-up asked for; `cause` is why we asked. */
  | { readonly phase: 'ending'; readonly cause: Cause; readonly tries: number }
  | { readonly phase: 'ended'; readonly cause: Cause };

export type Leg = LegBase & LegPlace;

/** A call as it arrives, before its first event; without what is to be known to nobody. */
export function newCall(offer: Offer, plan: Plan, startedAt: EpochMs): Call {
  return { version: 1, id: offer.callId, plan, offer: plan.secret === true ? { ...offer, dialled: plan.number.e164 } : offer, startedAt, caller: { phase: 'waiting', legId: offer.callId }, legs: {}, recording: null, callRecording: null, announcedTo: [], answeredAt: null, transfer: null, planning: null, visit: null, visits: 0, typed: '', stepsTaken: 0, timers: {}, n: 0, phase: 'offered' };
}
