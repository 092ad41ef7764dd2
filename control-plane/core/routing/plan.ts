/**
 * A plan: the steps one call takes and which step follows which outcome, compiled when the call arrives and pinned
 * for its life. `explain` shows `reasons`; the call runs `steps`. Same value, so the two cannot disagree.
 */
import type { StepId } from '../ids.ts';
import type { Ms } from '../time.ts';
import type { AccountId, DialTarget, E164, Media, UserId } from './config.ts';

export interface Plan {
  readonly version: 1;
  /** Of everything below. */
  readonly hash: string;
  readonly account: { readonly id: AccountId; readonly name: string };
  readonly number: { readonly e164: E164; readonly label: string };
  readonly first: StepId;
  readonly steps: Readonly<Record<StepId, Step>>;
  readonly reasons: readonly Reason[];
  readonly maxCallMs: Ms;
}

export interface Reason {
  /** What was considered: a step's id, or a feature that was passed over. */
  readonly subject: string;
  readonly taken: boolean;
  readonly why: string;
}

export type Step = AnnouncementStep | RingStep | VoicemailStep | HangUpStep;

export interface AnnouncementStep {
  readonly kind: 'announcement';
  readonly media: readonly Media[];
  /** The last of it says that the call is recorded. */
  readonly announcesRecording?: true;
  readonly on: { readonly done: StepId };
}

export interface RingStep {
  readonly kind: 'ring';
  readonly pattern: 'simultaneous';
  readonly attempts: readonly Attempt[];
  /** The round's own timer, which no answer clears. */
  readonly ringMs: Ms;
  /** Heard by one who answered after another had won. */
  readonly taken: readonly Media[];
  readonly on: { readonly noAnswer: StepId };
}

/** One try of one device. */
export interface Attempt {
  readonly user: UserId;
  readonly label: string;
  readonly target: DialTarget;
  readonly ringMs: Ms;
  readonly callerId: { readonly number: string; readonly name: string };
  /** Heard by the callee alone before the bridge. */
  readonly whisper: readonly Media[];
  /**
   * The call is recorded when this attempt takes it. `announced`: only once caller and callee have heard so, the callee
   * as the last of `whisper`.
   */
  readonly recording?: { readonly announced: boolean };
  /** Asked for a key before the call is connected. */
  readonly screening?: Screening;
}

export interface Screening {
  /** `any`, or the one digit that accepts. */
  readonly key: string;
  readonly prompt: readonly Media[];
  /** From the answer; no key by then, and the leg is declined. */
  readonly waitMs: Ms;
}

export interface VoicemailStep {
  readonly kind: 'voicemail';
  readonly greeting: readonly Media[];
  readonly maxMs: Ms;
  readonly silenceMs: Ms;
  readonly on: { readonly done: StepId };
}

export interface HangUpStep {
  readonly kind: 'hang-up';
  readonly cause: 'normal' | 'busy' | 'no-answer' | 'declined' | 'unallocated';
}
