/**
 * What a transition decided or learnt, in the words of the field: the timeline an operator reads, and all that a CDR
 * is folded from. A fact never causes anything; commands do.
 */
import type { BridgeId, LegId, RecordingId, StepId } from '../ids.ts';
import type { Cause, Disposition } from '../cause.ts';
import type { EpochMs, Ms } from '../time.ts';
import type { DialTarget } from '../routing/config.ts';
import type { Step } from '../routing/plan.ts';

export type EndedBy = 'caller' | 'callee' | 'frontdesk' | 'switch';

export type MenuOutcome = 'option' | 'extension' | 'noKey' | 'invalid' | 'left';

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
  /** In which order the destinations of a ring step are rung, and why so. */
  | { readonly type: 'DestinationsOrdered'; readonly step: StepId; readonly order: readonly string[]; readonly why: string }
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
  | { readonly type: 'TransferRefused'; readonly legId: LegId }
  | { readonly type: 'LegEnded'; readonly legId: LegId; readonly cause: Cause; readonly disposition: Disposition }
  | { readonly type: 'RingEnded'; readonly step: StepId; readonly outcome: 'noAnswer' }
  | { readonly type: 'VoicemailStarted'; readonly recordingId: RecordingId }
  | { readonly type: 'VoicemailRecorded'; readonly recordingId: RecordingId; readonly durationMs: Ms }
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
