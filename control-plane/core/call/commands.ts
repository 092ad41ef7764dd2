/** What a call asks for. Imperative; carried out by the runtime (timers, plans, orders, the night switch) or a media driver (all others). */
import type { BridgeId, CallId, LegId, PromptId, RecordingId, StepId, TimerId } from '../ids.ts';
import type { Cause } from '../cause.ts';
import type { EpochMs, Ms } from '../time.ts';
import type { DialTarget, Media } from '../routing/config.ts';
import type { Party } from '../routing/destinations.ts';
import type { RingPattern, Setting } from '../routing/plan.ts';
import type { SupervisionMode } from '../routing/supervision.ts';
import type { DeskEvent } from '../queue/events.ts';
import type { CallMark, LegMark } from './mark.ts';

export type MediaCommand =
  | { readonly type: 'AnswerLeg'; readonly legId: LegId }
  /** The caller hears ringing: 180 before the answer, a tone after it. */
  | { readonly type: 'RingLeg'; readonly legId: LegId }
  | {
      readonly type: 'OriginateLeg';
      readonly legId: LegId;
      /** `trunk` is set for an external target: the one of its trunks to use. */
      readonly target: DialTarget;
      readonly trunk?: string;
      readonly callerId: { readonly number: string; readonly name: string };
      /** The switch itself stops ringing after this, so a dead controller rings nobody for ever. */
      readonly ringMs: Ms;
      readonly mark: LegMark;
      /** Whom it is rung for, where that is not the caller. */
      readonly servedLeg?: LegId;
    }
  /**
   * Makes a leg that hears all that another hears and says, and speaks by the mode: to nobody, to that one alone, or to who
   * talks with it too. It is answered (`LegAnswered`) once it can be bridged, has the guard of a leg, and ends with the other.
   */
  | { readonly type: 'SuperviseLeg'; readonly legId: LegId; readonly supervised: LegId; readonly mode: SupervisionMode; readonly mark: LegMark }
  | { readonly type: 'HangUpLeg'; readonly legId: LegId; readonly cause: Cause }
  | { readonly type: 'PlayPrompt'; readonly legId: LegId; readonly promptId: PromptId; readonly media: readonly Media[] }
  | { readonly type: 'StopPrompt'; readonly promptId: PromptId }
  /** Keys for the far end of an answered leg, after a delay; how long they take: digits.ts. Their end is not told. */
  | { readonly type: 'SendDigits'; readonly legId: LegId; readonly digits: string; readonly delayMs: Ms }
  /** Makes the bridge when it does not exist and puts the legs in. */
  | { readonly type: 'BridgeLegs'; readonly bridgeId: BridgeId; readonly legIds: readonly LegId[] }
  | { readonly type: 'DestroyBridge'; readonly bridgeId: BridgeId }
  | {
      readonly type: 'StartRecording';
      readonly recordingId: RecordingId;
      readonly legId: LegId;
      readonly maxMs: Ms;
      readonly silenceMs: Ms;
    }
  /**
   * Records what each of the two says, on a track of its own, until it is stopped or one of them leaves. Neither leg is
   * kept from anything by it. Tracks are named `<recordingId>-caller` and `<recordingId>-callee`.
   */
  | { readonly type: 'StartCallRecording'; readonly recordingId: RecordingId; readonly caller: LegId; readonly callee: LegId }
  /** Of either kind. */
  | { readonly type: 'StopRecording'; readonly recordingId: RecordingId }
  /** The switch ends the leg by itself unless the guard is renewed within this time. */
  | { readonly type: 'SetGuard'; readonly legId: LegId; readonly ms: Ms }
  /**
   * The answer to a phone's REFER. Accepted: what the phone does from here on, hang up above all, is no longer for who it
   * talked with. What becomes of its leg is for another command.
   */
  | { readonly type: 'AnswerTransfer'; readonly legId: LegId; readonly accepted: boolean }
  /**
   * A leg of another call, or its caller's, is of this call from its next bridge on, and its events come here; the other
   * call sees it in that bridge, and lets it go. `from` was with it, and no longer ends it.
   */
  | { readonly type: 'TakeLeg'; readonly legId: LegId; readonly callId: CallId; readonly from: LegId; readonly servedLeg: LegId; readonly mark: LegMark }
  /** The call's identity and place, kept on the switch with the leg that is served, and apart from what a call says that has taken it. */
  | { readonly type: 'MarkCall'; readonly legId: LegId; readonly callId: CallId; readonly mark: CallMark };

export type TimerCommand =
  | { readonly type: 'StartTimer'; readonly id: TimerId; readonly at: EpochMs }
  | { readonly type: 'CancelTimer'; readonly id: TimerId };

/**
 * Asks for the steps that ring an extension of the call's account, by the configuration of this moment. Answered by
 * `ExtensionPlanned`, of the same request.
 */
export interface PlanExtension {
  readonly type: 'PlanExtension';
  /** Unique within the call: the step that rings has it for its id. */
  readonly request: StepId;
  readonly extension: string;
  /** Shown there; the call's caller where absent. */
  readonly callerId?: { readonly number: string; readonly name: string };
  /** The step that follows when nobody there answers. */
  readonly noAnswer: StepId;
}

/** Answered by `DestinationsOrdered`: who is rung first is decided over all calls of the system. */
export interface OrderCommand {
  readonly type: 'OrderDestinations';
  readonly step: StepId;
  readonly pattern: RingPattern;
  readonly group: string;
  readonly destinations: readonly OrderedDestination[];
}

export interface OrderedDestination {
  readonly id: string;
  readonly parties: readonly Party[];
}

/** Answered by `SettingSettled`, once it is known what became of it. Asked again, it is the same change again. */
export interface ChangeSetting {
  readonly type: 'ChangeSetting';
  readonly step: StepId;
  readonly setting: Setting;
  /** Who dialled, for those who see it set. */
  readonly note: string;
}

/** Answered by `CallbackKept` once it is kept where it outlives every controller. Asked again, it is the same callback. */
export interface KeepCallback {
  readonly type: 'KeepCallback';
  readonly id: string;
  readonly number: string;
}

/** The caller has been served after all. */
export interface DropCallback {
  readonly type: 'DropCallback';
  readonly id: string;
}

/** For the desk of the call's account. What is lost is said again, or made good by the desk (core/queue/events.ts). */
export interface TellDesk {
  readonly type: 'TellDesk';
  readonly message: DeskMessage;
}

/** What a call has to say to a desk. */
export type DeskMessage = Extract<
  DeskEvent,
  { type: 'CallJoined' | 'CallLeft' | 'CallbackRequested' | 'CallbackTried' | 'OfferAccepted' | 'OfferRejected' | 'OfferTimedOut' | 'OfferCanceled' | 'OfferCleared' | 'OfferConnected' | 'OfferBridgeFailed' | 'AgentReleased' }
>;

export type CallCommand = TellDesk | KeepCallback | DropCallback | MediaCommand | TimerCommand | PlanExtension | OrderCommand | ChangeSetting;
