/**
 * What a transition decided or learnt, in the words of the field: the timeline an operator reads, and all that a CDR
 * is folded from. A fact never causes anything; commands do.
 */
import type { BridgeId, CallId, LegId, RecordingId, StepId } from '../ids.ts';
import type { Cause, Disposition } from '../cause.ts';
import type { AgentId, QueueId } from '../queue/config.ts';
import type { OfferId, OfferOutcome } from '../queue/desk.ts';
import type { EpochMs, Ms } from '../time.ts';
import type { DialTarget } from '../routing/config.ts';
import type { Setting, Step } from '../routing/plan.ts';
import type { SupervisionMode } from '../routing/supervision.ts';

export type EndedBy = 'caller' | 'callee' | 'frontdesk' | 'switch';

export type MenuOutcome = 'option' | 'extension' | 'noKey' | 'invalid' | 'left';

/** blind: the phone is gone before anybody answers. attended: it has talked with who is to have the call. */
export type TransferKind = 'blind' | 'attended';

/**
 * answered: by who was wanted. returned: by who had transferred, rung again. no-answer: by neither, and the call went its
 * no-answer way. canceled: who was transferred left first.
 */
export type TransferOutcome = 'answered' | 'returned' | 'no-answer' | 'canceled';

/** `lost`: how it ended was not seen. */
export type QueueLeaveWhy = 'connected' | 'abandoned' | 'exit-key' | 'callback' | 'full' | 'empty' | 'max-wait' | 'closed' | 'lost';
/** What became of an offer, as its call saw it: `lost` had accepted, and was gone before the two talked. */
export type OfferEnd = OfferOutcome | 'lost';

export type CallFact =
  | {
      readonly type: 'CallStarted';
      readonly caller: { readonly number: string; readonly name: string };
      readonly dialled: string;
      readonly origin: 'trunk' | 'phone';
      readonly startedAt: EpochMs;
    }
  /** The call's earlier facts are incomplete: it was taken over from what the switch had. */
  | { readonly type: 'CallReconstructed' }
  | { readonly type: 'StepEntered'; readonly step: StepId; readonly kind: Step['kind'] }
  | { readonly type: 'CallerAnswered' }
  | { readonly type: 'AnnouncementPlayed'; readonly ok: boolean }
  | { readonly type: 'SettingAsked'; readonly setting: Setting }
  | { readonly type: 'SettingSettled'; readonly ok: boolean; readonly why: string }
  /** In which order the destinations of a ring step are rung, and why so. */
  | { readonly type: 'DestinationsOrdered'; readonly step: StepId; readonly order: readonly string[]; readonly why: string }
  /** `visit`: which time this is that the call waits. */
  | { readonly type: 'QueueJoined'; readonly step: StepId; readonly queue: QueueId; readonly visit: number }
  /** An agent is rung for it. */
  | { readonly type: 'OfferMade'; readonly offerId: OfferId; readonly agent: AgentId }
  | { readonly type: 'OfferEnded'; readonly offerId: OfferId; readonly agent: AgentId; readonly outcome: OfferEnd; readonly why: string }
  /** The caller has asked to be called back, and has confirmed it. `ok` false: it could not be kept. */
  | { readonly type: 'CallbackKept'; readonly id: string; readonly number: string; readonly ok: boolean }
  /** `connected` is the only one that the call does not go on from. `refused`: it never had a place. */
  | { readonly type: 'QueueLeft'; readonly queue: QueueId; readonly visit: number; readonly why: QueueLeaveWhy; readonly waitedMs: Ms; readonly refused?: true }
  /** The caller is a supervisor: `legId` is of another call. */
  | { readonly type: 'SupervisionAsked'; readonly callId: CallId; readonly legId: LegId; readonly mode: SupervisionMode; readonly by: string }
  /** From now on, by this leg of its own. */
  | { readonly type: 'Supervising'; readonly legId: LegId; readonly mode: SupervisionMode }
  /** This call is heard by that one, a supervision, from now on; `mode` null: no more. */
  | { readonly type: 'Supervised'; readonly supervision: CallId; readonly by: string; readonly mode: SupervisionMode | null }
  | { readonly type: 'LegDialed'; readonly legId: LegId; readonly user: string; readonly label: string; readonly target: DialTarget; readonly trunk?: string; readonly tags?: readonly string[] }
  | { readonly type: 'LegRang'; readonly legId: LegId }
  | { readonly type: 'LegPickedUp'; readonly legId: LegId }
  | { readonly type: 'ExtensionDialed'; readonly legId: LegId; readonly digits: string }
  | { readonly type: 'ScreeningAsked'; readonly legId: LegId }
  | { readonly type: 'WhisperStarted'; readonly legId: LegId }
  | { readonly type: 'KeyPressed'; readonly legId: LegId; readonly digit: string }
  /** `to` is the step they lead to; null where the caller is asked again, or has left. `why`: of an extension. */
  | { readonly type: 'MenuTried'; readonly step: StepId; readonly keys: string; readonly outcome: MenuOutcome; readonly to: StepId | null; readonly why?: string }
  /** So many that the plan leads in circles: what it has for the last follows. */
  | { readonly type: 'StepsExhausted'; readonly steps: number }
  /** `won` is false for an acceptance that came after another's. */
  | { readonly type: 'LegAccepted'; readonly legId: LegId; readonly won: boolean }
  | { readonly type: 'LegDismissed'; readonly legId: LegId }
  | { readonly type: 'LegConnected'; readonly legId: LegId; readonly bridgeId: BridgeId }
  | { readonly type: 'LegHeld'; readonly legId: LegId }
  | { readonly type: 'LegUnheld'; readonly legId: LegId }
  | { readonly type: 'TransferRefused'; readonly legId: LegId; readonly kind: TransferKind; readonly to: string; readonly why: string }
  /** `legId` has let go; who it talked with is led on. `consultation`: the call in which it was asked about. */
  | { readonly type: 'TransferStarted'; readonly legId: LegId; readonly kind: TransferKind; readonly to: string; readonly consultation?: CallId }
  | { readonly type: 'TransferEnded'; readonly outcome: TransferOutcome }
  | { readonly type: 'LegEnded'; readonly legId: LegId; readonly cause: Cause; readonly disposition: Disposition }
  /** By an attended transfer `legId` is of that call from now on; this one was its consultation, and ends. */
  | { readonly type: 'CallContinued'; readonly legId: LegId; readonly as: CallId }
  | { readonly type: 'RingEnded'; readonly step: StepId; readonly outcome: 'noAnswer' }
  | { readonly type: 'VoicemailStarted'; readonly recordingId: RecordingId }
  /** `durationMs` is null where its end was not seen. */
  | { readonly type: 'VoicemailRecorded'; readonly recordingId: RecordingId; readonly durationMs: Ms | null }
  | { readonly type: 'VoicemailFailed' }
  /** This party has heard to the end that the call is recorded. */
  | { readonly type: 'RecordingAnnounced'; readonly legId: LegId }
  | { readonly type: 'CallRecordingStarted'; readonly recordingId: RecordingId }
  /** `durationMs` is null where its end was not seen. `early`: both were still talking, and nobody had asked for it. */
  | { readonly type: 'CallRecordingEnded'; readonly recordingId: RecordingId; readonly durationMs: Ms | null; readonly early?: true }
  | { readonly type: 'CallRecordingFailed'; readonly recordingId: RecordingId }
  /** It was to be recorded; the announcement was not heard by both, so it is not. */
  | { readonly type: 'CallNotRecorded'; readonly why: 'not-announced' }
  | { readonly type: 'CallEnded'; readonly cause: Cause; readonly disposition: Disposition; readonly by: EndedBy };
