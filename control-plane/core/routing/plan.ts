/**
 * A plan: the steps one call takes and which step follows which outcome, compiled when the call arrives and pinned
 * for its life; one call's plan may be added to while it runs (call/extend-plan.ts). `explain` shows `reasons`; the call runs `steps`. Same value, so the two cannot disagree.
 */
import type { StepId } from '../ids.ts';
import type { Ms } from '../time.ts';
import type { AccountId, DialTarget, E164, Media, UserId } from './config.ts';

export interface Plan {
  readonly version: 1;
  /** Of everything below, as it was compiled when the call arrived. */
  readonly hash: string;
  readonly account: { readonly id: AccountId; readonly name: string };
  readonly number: { readonly e164: E164; readonly label: string };
  readonly first: StepId;
  /** Where a call goes that the plan has led in circles for too long (call/flow.ts); it fails where absent. */
  readonly last?: StepId;
  readonly steps: Readonly<Record<StepId, Step>>;
  readonly reasons: readonly Reason[];
  readonly maxCallMs: Ms;
  /** Of the number that was dialled. */
  readonly tags?: readonly string[];
}

export interface Reason {
  /** What was considered: a step's id, or a feature that was passed over. */
  readonly subject: string;
  readonly taken: boolean;
  readonly why: string;
}

export type Step = AnnouncementStep | RingStep | MenuStep | VoicemailStep | HangUpStep;

export interface AnnouncementStep {
  readonly kind: 'announcement';
  readonly media: readonly Media[];
  /** The last of it says that the call is recorded. */
  readonly announcesRecording?: true;
  readonly on: { readonly done: StepId };
}

export interface RingStep {
  readonly kind: 'ring';
  /**
   * simultaneous: all attempts at once. The others walk from one destination to the next until one accepts:
   * sequential as listed, round-robin from the one whose turn it is, least-connected from the one with fewest live calls.
   */
  readonly pattern: RingPattern;
  /** Whose turns are counted, over all calls of the system: with round-robin and least-connected. */
  readonly group?: string;
  readonly attempts: readonly Attempt[];
  /** The round's own timer, which no answer clears. */
  readonly ringMs: Ms;
  /** Heard by one who answered after another had won. */
  readonly taken: readonly Media[];
  readonly on: { readonly noAnswer: StepId };
}

export type RingPattern = 'simultaneous' | 'round-robin' | 'sequential' | 'least-connected';

/** One try of one device. */
export interface Attempt {
  /** What a pattern walks over: attempts of the same destination, as the devices of one user, ring together. Absent: each is one of its own. */
  readonly destination?: string;
  /** From the start of the round, or with a pattern that walks from the destination's turn. */
  readonly delayMs?: Ms;
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
  /** What the call is tagged with once this is dialled (D5). */
  readonly tags?: readonly string[];
  /** Dialled once the far end has answered (D2), before anything else: an extension behind its switchboard. */
  readonly dialExtension?: { readonly digits: string; readonly delayMs: Ms };
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

/** M1. The caller hears the prompt and presses keys; a key during the prompt stops it. */
export interface MenuStep {
  readonly kind: 'menu';
  readonly prompt: readonly Media[];
  /** Heard before the prompt is repeated, after keys that lead nowhere. */
  readonly invalid: readonly Media[];
  /** What follows a key. */
  readonly options: Readonly<Record<string, StepId>>;
  /** Extensions of the account may be dialled: what they begin with, and how long they are. */
  readonly extensions?: { readonly firstDigits: string; readonly shortest: number; readonly longest: number };
  /** How often the prompt is played in all. */
  readonly tries: number;
  /** For the first key, from the end of the prompt. */
  readonly waitMs: Ms;
  /** For the next key, where an extension may follow. */
  readonly betweenKeysMs: Ms;
  /** After the last try: no key at all, or keys that led nowhere. After any: nobody answered at the extension that was dialled. */
  readonly on: { readonly noKey: StepId; readonly invalid: StepId; readonly noAnswer: StepId };
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
