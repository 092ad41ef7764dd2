/**
 * What happens to a call. Past tense. Each comes from the switch (LegEvent), the clock, the executor (a command
 * that failed) or the runtime (adoption, a plan or an order that was asked for). `transition` accepts any of them in any phase.
 */
import type { BridgeId, CallId, LegId, PromptId, RecordingId, StepId, TimerId } from '../ids.ts';
import type { Cause } from '../cause.ts';
import type { Ms } from '../time.ts';
import type { Step } from '../routing/plan.ts';
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

/** Events of one call that come from the switch. The call is named by the ids (`callIdOf`). */
export type LegEvent =
  | { readonly type: 'LegRinging'; readonly legId: LegId }
  | { readonly type: 'LegAnswered'; readonly legId: LegId }
  /** The switch has no such leg any more; exactly once per leg, unless it was lost with the link. */
  | { readonly type: 'LegEnded'; readonly legId: LegId; readonly cause: Cause }
  | { readonly type: 'LegDigit'; readonly legId: LegId; readonly digit: string }
  | { readonly type: 'LegHeld'; readonly legId: LegId }
  | { readonly type: 'LegUnheld'; readonly legId: LegId }
  /** A phone asked to transfer by REFER (RFC 3515); the endpoint refuses it, so nothing has changed. */
  | { readonly type: 'TransferRefused'; readonly legId: LegId }
  | { readonly type: 'PromptFinished'; readonly legId: LegId; readonly promptId: PromptId; readonly ok: boolean }
  | { readonly type: 'LegBridged'; readonly legId: LegId; readonly bridgeId: BridgeId }
  | { readonly type: 'LegUnbridged'; readonly legId: LegId; readonly bridgeId: BridgeId }
  | { readonly type: 'RecordingStarted'; readonly recordingId: RecordingId }
  | { readonly type: 'RecordingFinished'; readonly recordingId: RecordingId; readonly durationMs: Ms }
  | { readonly type: 'RecordingFailed'; readonly recordingId: RecordingId };

export type CommandError = 'gone' | 'not-ready' | 'rejected' | 'timeout' | 'unreachable';

export type CallEvent =
  | { readonly type: 'CallOffered' }
  | LegEvent
  | { readonly type: 'TimerFired'; readonly id: TimerId }
  /** `order`: destinations by id, the first to ring first; one that is not in it is skipped. */
  | { readonly type: 'DestinationsOrdered'; readonly step: StepId; readonly order: readonly string[]; readonly why: string }
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
  /** What the switch had of this call after a time in which events may have been missed. */
  | { readonly type: 'CallAdopted'; readonly seen: CallOnSwitch };

/** One call as the switch has it. */
export interface CallOnSwitch {
  readonly caller: CallerOnSwitch | null;
  readonly legs: readonly LegOnSwitch[];
  readonly bridges: readonly { readonly bridgeId: BridgeId; readonly legIds: readonly LegId[] }[];
  /** Of the recordings the call may know, those still running. */
  readonly recordings: readonly RecordingId[];
}

export interface CallerOnSwitch {
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
