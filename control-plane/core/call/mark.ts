/**
 * What the switch keeps of a call for us, so that a controller that knows nothing else (Redis empty, journal lost)
 * can go on with it. Written with each leg at its creation, and with the caller's leg on each change of place.
 */
import type { BridgeId, LegId, RecordingId, StepId } from '../ids.ts';
import type { EpochMs } from '../time.ts';
import type { Service, Visit } from './call.ts';

export interface CallMark {
  readonly v: 1 | 3 | 4;
  readonly dialled: string;
  readonly plan: string;
  readonly startedAt: EpochMs;
  readonly step: StepId;
  readonly place: 'announcing' | 'menu' | 'queued' | 'ringing' | 'connecting' | 'supervising' | 'greeting' | 'recording';
  /** With `menu`: how often it was asked. */
  readonly tries?: number;
  /** With `ringing` and `connecting`, where destinations ring one after the other: those that follow, and when the round ends. */
  readonly walk?: { readonly next: readonly number[]; readonly until: EpochMs };
  /** With `connecting`: who has the call, and the bridge it is put in. */
  readonly winner?: LegId;
  /** The winner's own mark: its leg may be gone before anyone reads it there, and the record must name who talked. */
  readonly winnerMark?: LegMark;
  readonly bridge?: BridgeId;
  /** With `supervising`, beside the bridge. */
  readonly spy?: LegId;
  /** With `recording`. */
  readonly recording?: RecordingId;
  /** Where the step leads when nobody answers: of one that is not in the plan as it is compiled. */
  readonly otherwise?: StepId;
  /** The caller has heard that the call is recorded. */
  readonly announced?: true;
  /** The call waits in a queue, or is with an agent whom it got there. */
  readonly visit?: VisitMark;
  /** Of a step that was added to the plan: what leads to it again. */
  readonly added?: { readonly extension: string; readonly noAnswer: StepId };
  /** Ids up to this number may be in use. */
  readonly n: number;
}

export interface VisitMark extends Pick<Visit, 'n' | 'step' | 'queue' | 'priority' | 'enteredAt' | 'joinedAt' | 'number' | 'sticky'> {
  readonly service?: Service;
}

export interface LegMark {
  readonly v: 1;
  readonly step: StepId;
  readonly attempt: number;
  /** Index of the trunk in use, for an external target. */
  readonly trunk: number;
}
