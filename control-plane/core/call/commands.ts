/** What a call asks for. Imperative; carried out by the runtime (timers, plans, orders) or a media driver (all others). */
import type { BridgeId, LegId, PromptId, RecordingId, StepId, TimerId } from '../ids.ts';
import type { Cause } from '../cause.ts';
import type { EpochMs, Ms } from '../time.ts';
import type { DialTarget, Media } from '../routing/config.ts';
import type { Party } from '../routing/destinations.ts';
import type { RingPattern } from '../routing/plan.ts';
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
    }
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
  /** The call's identity and place, kept on the switch with the caller's leg. */
  | { readonly type: 'MarkCall'; readonly legId: LegId; readonly mark: CallMark };

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
  /** What follows when nobody there answers: a step of the plan as it is. */
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

export type CallCommand = MediaCommand | TimerCommand | PlanExtension | OrderCommand;
