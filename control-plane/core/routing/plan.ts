/**
 * A plan: the steps one call takes and which step follows which outcome, compiled when the call arrives and pinned
 * for its life; one call's plan may be added to while it runs (call/extend-plan.ts). `explain` shows `reasons`; the call runs `steps`. Same value, so the two cannot disagree.
 */
import type { Fallback, QueueId, StrategyName } from '../queue/config.ts';
import type { CallId, StepId } from '../ids.ts';
import type { EpochMs, Ms } from '../time.ts';
import type { AccountId, AgentAction, DeviceId, DialTarget, E164, Media, UserId } from './config.ts';
import type { NightSetting } from './night.ts';
import type { Supervised } from './supervision.ts';

export interface Plan {
  readonly version: 1;
  /** Of the way that the call goes, as it was compiled when it arrived (seal.ts). */
  readonly hash: string;
  readonly account: { readonly id: AccountId; readonly name: string };
  readonly number: { readonly e164: E164; readonly label: string };
  /** More was dialled than `number` shows, a PIN: nothing that is written of the call is to have it. */
  readonly secret?: true;
  readonly wrongPin?: WrongPin;
  readonly first: StepId;
  /** Where a call goes that the plan has led in circles for too long (call/flow.ts); it fails where absent. */
  readonly last?: StepId;
  readonly steps: Readonly<Record<StepId, Step>>;
  readonly reasons: readonly Reason[];
  readonly maxCallMs: Ms;
  /** Of the number that was dialled. */
  readonly tags?: readonly string[];
  /** It calls back who waited in a queue. */
  readonly callback?: PlannedCallback;
}

export interface PlannedCallback {
  readonly id: string;
  /** The call in which it was asked for; null where it was none. */
  readonly of: CallId | null;
  /** Which try this is. */
  readonly attempt: number;
}

/** A PIN was dialled that was not taken. */
export interface WrongPin {
  /** Whose phone it was dialled on. */
  readonly user: string;
  /** Its extension. */
  readonly phone: string;
  /** unknown: nobody has it. too-many: so many were unknown that none is looked at. */
  readonly why: 'unknown' | 'too-many';
}

export interface Reason {
  /** What was considered: a step's id, or a feature that was passed over. */
  readonly subject: string;
  readonly taken: boolean;
  readonly why: string;
}

export type Step = AnnouncementStep | RingStep | MenuStep | QueueStep | SettingStep | SuperviseStep | VoicemailStep | HangUpStep;

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
  /** Dialled in the middle of a call, to whose plan this step was added. */
  readonly extension?: string;
  readonly attempts: readonly Attempt[];
  /** The round's own timer, which no answer clears. */
  readonly ringMs: Ms;
  /** Heard by one who answered after another had won. */
  readonly taken: readonly Media[];
  readonly on: { readonly noAnswer: StepId };
  /** Who accepts is served from here on, from this step, and whoever the call began with is let go: a callback. */
  readonly serve?: StepId;
  /** Not of the plan as it was compiled: the call came to want it (call/extend-plan.ts). */
  readonly added?: true;
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

/** Q1 to Q5. The caller waits; who is offered the call is decided by the account's desk (core/queue). */
export interface QueueStep {
  readonly kind: 'queue';
  readonly queue: QueueId;
  /** Of two who wait in a queue the higher is served first. */
  readonly priority: number;
  /** The agent is looked for who had this caller last. */
  readonly sticky: boolean;
  /** Heard once, on joining. */
  readonly greeting: readonly Media[];
  /** Over and over, while nothing else is heard. */
  readonly music: readonly Media[];
  /** Said so often, one after the other. */
  readonly messages?: { readonly everyMs: Ms; readonly media: readonly (readonly Media[])[] };
  /** With it the caller leaves. */
  readonly exitKey?: string;
  /** Q6. */
  readonly callback?: QueueCallback;
  /** The place of a caller who had one already, and was called back. */
  readonly enteredAt?: EpochMs;
  /** Why the caller is not, or no more, in the queue. `closed`: there is no such queue any more. `callback`: is called back, and hears so. */
  readonly on: { readonly callback?: StepId; readonly exitKey: StepId; readonly full: StepId; readonly empty: StepId; readonly maxWait: StepId; readonly closed: StepId };
  /** For explain alone. */
  readonly shown?: ShownQueue;
}

export interface QueueCallback {
  /** Pressed once it asks, pressed again it confirms. */
  readonly key: string;
  /** That is called; null where the caller's may not be, or there is none. */
  readonly number: E164 | null;
  /** Heard after the key, and where it cannot be done. */
  readonly asks: readonly Media[];
  readonly sorry: readonly Media[];
}

/** A queue as it was when the call arrived. The desk goes by what it is now. */
export interface ShownQueue {
  readonly name: string;
  readonly strategy: StrategyName;
  /** Of sticky. */
  readonly fallback: Fallback | null;
  /** The first agents of each tier, of so many in all, and from when on they are asked. */
  readonly tiers: readonly { readonly afterMs: Ms; readonly agents: readonly UserId[]; readonly of: number }[];
}

/** M6, Q2: sets what the code that was dialled is for. Nothing comes before it in a plan. */
export interface SettingStep {
  readonly kind: 'setting';
  readonly setting: Setting;
  /** Who dialled the code. */
  readonly note: string;
  readonly on: { readonly set: StepId; readonly notSet: StepId };
}

export type Setting =
  | { readonly of: 'night-switch'; readonly to: NightSetting }
  /** `phone`: on which it was dialled. */
  | { readonly of: 'agent'; readonly action: AgentAction; readonly agent: UserId; readonly phone: DeviceId };

/** Q8: who calls is a supervisor, and hears another call. Nothing comes before it in a plan, and nothing follows. */
export interface SuperviseStep extends Supervised {
  readonly kind: 'supervise';
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
