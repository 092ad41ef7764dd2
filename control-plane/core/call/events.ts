/**
 * What happens to a call. Past tense. Each comes from the switch (LegEvent), the clock, the executor (a command
 * that failed) or the runtime (adoption, what was asked of it). `transition` accepts any of them in any phase.
 */
import type { BridgeId, CallId, LegId, PromptId, RecordingId, StepId, TimerId } from '../ids.ts';
import type { Cause } from '../cause.ts';
import type { Ms } from '../time.ts';
import type { DeskCommand } from '../queue/commands.ts';
import type { Media } from '../routing/config.ts';
import type { RingStep, Step } from '../routing/plan.ts';
import type { SupervisionMode } from '../routing/supervision.ts';
import type { MediaCommand } from './commands.ts';
import type { CallMark, LegMark } from './mark.ts';

export interface Offer {
  readonly callId: CallId;
  readonly dialled: string;
  readonly origin: 'trunk' | 'phone';
  /** The phone that calls, by its name on the switch; absent where no phone does. */
  readonly phone?: string;
  readonly caller: { readonly number: string; readonly name: string };
  /** The call was with a controller before, which did not renew its guard. */
  readonly orphan: boolean;
}

/** Events of one call that come from the switch. Its legs have its ids, but for one that has come to it from another call (`TakeLeg`). */
export type LegEvent =
  | { readonly type: 'LegRinging'; readonly legId: LegId }
  | { readonly type: 'LegAnswered'; readonly legId: LegId }
  /** The switch has no such leg any more; exactly once per leg, unless it was lost with the link. */
  | { readonly type: 'LegEnded'; readonly legId: LegId; readonly cause: Cause }
  | { readonly type: 'LegDigit'; readonly legId: LegId; readonly digit: string }
  | { readonly type: 'LegHeld'; readonly legId: LegId }
  | { readonly type: 'LegUnheld'; readonly legId: LegId }
  /** A phone asks by REFER (RFC 3515) to transfer who it talks with; it waits for `AnswerTransfer`, and nothing has changed. */
  | { readonly type: 'TransferAsked'; readonly legId: LegId; readonly to: string; readonly consulted?: Consulted }
  | { readonly type: 'PromptFinished'; readonly legId: LegId; readonly promptId: PromptId; readonly ok: boolean }
  | { readonly type: 'LegBridged'; readonly legId: LegId; readonly bridgeId: BridgeId }
  | { readonly type: 'LegUnbridged'; readonly legId: LegId; readonly bridgeId: BridgeId }
  | { readonly type: 'RecordingStarted'; readonly recordingId: RecordingId }
  /** `durationMs` is null where its end was not seen. */
  | { readonly type: 'RecordingFinished'; readonly recordingId: RecordingId; readonly durationMs: Ms | null }
  | { readonly type: 'RecordingFailed'; readonly recordingId: RecordingId };

/** With Replaces (RFC 3891): the phone talks with `to` in another call, and the two others are to talk. */
export interface Consulted {
  /** Who is to have the call, and by which phone. */
  readonly legId: LegId;
  readonly phone: string;
  /** The leg of the phone that transfers in that other call. */
  readonly by: LegId;
  readonly callId: CallId;
}

export type CommandError = 'gone' | 'not-ready' | 'rejected' | 'timeout' | 'unreachable';

export type CallEvent =
  | { readonly type: 'CallOffered' }
  | LegEvent
  | { readonly type: 'TimerFired'; readonly id: TimerId }
  /** `order`: destinations by id, the first to ring first; one that is not in it is skipped. */
  | { readonly type: 'DestinationsOrdered'; readonly step: StepId; readonly order: readonly string[]; readonly why: string }
  /** `ok` false: it is as it was, or it cannot be told; `why` says so. */
  | { readonly type: 'SettingSettled'; readonly step: StepId; readonly ok: boolean; readonly why: string }
  | {
      readonly type: 'CommandFailed';
      readonly command: MediaCommand;
      readonly error: CommandError;
      /** Another trunk must not be tried. */
      readonly mayHaveReachedCarrier: boolean;
    }
  /** The answer to `PlanExtension`: steps to add to the call's plan, and the first of them; null, and why, where there are none. */
  | {
      readonly type: 'ExtensionPlanned';
      readonly request: StepId;
      readonly steps: Readonly<Record<StepId, Step>>;
      readonly first: StepId | null;
      readonly why: string;
    }
  /** Of a supervision. */
  | { readonly type: 'ModeAsked'; readonly mode: SupervisionMode }
  /** The answer to `KeepCallback`. `ok` false: nothing is kept, and nobody will be called back. */
  | { readonly type: 'CallbackKept'; readonly id: string; readonly visit: number; readonly number: string; readonly ok: boolean }
  /** Another call, `supervision`, hears this one, asked for by the key `by`; `mode` null: no more. May come again, or not at all. */
  | { readonly type: 'SupervisionTold'; readonly supervision: CallId; readonly by: string; readonly mode: SupervisionMode | null }
  /** What the desk of the call's account asks of it. */
  | { readonly type: 'DeskSaid'; readonly said: DeskWord }
  /** What the switch had of this call after a time in which events may have been missed. */
  | {
      readonly type: 'CallAdopted';
      readonly seen: CallOnSwitch;
      /** The step it is in, where that was added to the plan and is not known any more. */
      readonly steps?: Readonly<Record<StepId, Step>>;
    };

/**
 * A desk's command as it comes to its call: an offer with the ring step that rings the agent, compiled by the configuration
 * of this moment (null: no device of theirs can be rung), a position with the words that say it.
 */
export type DeskWord =
  | Extract<DeskCommand, { type: 'HoldPlace' | 'LeaveQueue' | 'ConnectOffer' | 'WithdrawOffer' }>
  | (Extract<DeskCommand, { type: 'OfferCall' }> & { readonly ring: RingStep | null })
  | (Extract<DeskCommand, { type: 'TellPosition' }> & { readonly media: readonly Media[] });

/** One call as the switch has it. */
export interface CallOnSwitch {
  readonly caller: CallerOnSwitch | null;
  readonly legs: readonly LegOnSwitch[];
  readonly bridges: readonly { readonly bridgeId: BridgeId; readonly legIds: readonly LegId[] }[];
  /** Of the recordings the call may know, those still running. */
  readonly recordings: readonly RecordingId[];
}

export interface CallerOnSwitch {
  /** Absent: the call's own id. Another once the caller has transferred who they had called. */
  readonly legId?: LegId;
  readonly answered: boolean;
  readonly number: string;
  readonly name: string;
  readonly mark: CallMark | null;
}

export interface LegOnSwitch {
  readonly legId: LegId;
  readonly state: 'dialing' | 'ringing' | 'answered';
  readonly createdAt: number;
  readonly mark: LegMark | null;
}
