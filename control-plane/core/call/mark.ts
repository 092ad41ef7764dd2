/**
 * What the switch keeps of a call for us, so that a controller that knows nothing else (Redis empty, journal lost)
 * can go on with it. Written with each leg at its creation, and with the caller's leg on each change of place.
 */
import type { StepId, BridgeId, RecordingId } from '../ids.ts';
import type { EpochMs } from '../time.ts';

export interface CallMark {
  readonly v: 1;
  readonly dialled: string;
  readonly plan: string;
  readonly startedAt: EpochMs;
  /** The step the call is in, with what of it cannot be seen on the switch. */
  readonly step: StepId | null;
  readonly place: 'offered' | 'announcing' | 'ringing' | 'connecting' | 'connected' | 'greeting' | 'beeping' | 'recording' | 'ending';
  readonly bridge?: BridgeId;
  readonly recording?: RecordingId;
  /** Ids up to this number may be in use. */
  readonly n: number;
}

export interface LegMark {
  readonly v: 1;
  readonly step: StepId;
  readonly attempt: number;
  /** Index of the trunk in use, for an external target. */
  readonly trunk: number;
}
