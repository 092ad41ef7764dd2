/**
 * The configuration that routing reads: plain data, already validated at the edge (a plan file now, the API later).
 * Durations are milliseconds, numbers E.164 (`+15551230001`), media are references a driver can play.
 */
import { minute, second, type EpochMs, type Ms } from '../time.ts';
import type { QueueConfig, QueueId } from '../queue/config.ts';
import type { OutboundRules } from './outbound-guard.ts';
import type { NightSetting, NightSwitch } from './night.ts';
import type { RingPattern } from './plan.ts';
import type { Router } from './router.ts';
import type { Rates } from './rate.ts';
import type { LocalTime, Schedule } from './schedule.ts';
import type { AgentState, Geo } from './conditions.ts';
import type { MenuId, ReceivingNumberId, RingGroupId, RouterId, Target } from './targets.ts';

export type E164 = string;
export type AccountId = string;
export type UserId = string;
export type DeviceId = string;
export type TrunkId = string;
export type ScheduleId = string;

/**
 * What a driver can play. `file:` is a path without extension, `sound:` a prompt every switch brings under that
 * name, `tone:` one of the few tones each driver must be able to make.
 */
export type ToneName = 'accept' | 'beep';
export type Media = `file:${string}` | `sound:${string}` | `tone:${ToneName}`;

/** off: answering is accepting. external: only legs that leave over a trunk are asked for a key. every: all are. */
export type CallConnect = 'off' | 'external' | 'every';

export interface Device {
  readonly id: DeviceId;
  readonly label: string;
  readonly target: DialTarget;
  /** Stops ringing this device earlier than the number's own timeout. */
  readonly ringMs?: Ms;
}

/** `sipPrefix`: the account's, of the names that device and trunks have on the switch (sip-name.ts); absent for bare names. */
export type DialTarget =
  | { readonly kind: 'device'; readonly device: DeviceId; readonly sipPrefix?: string }
  /** Over the first of these trunks that takes it. */
  | { readonly kind: 'external'; readonly number: E164; readonly trunks: readonly TrunkId[]; readonly sipPrefix?: string };

export interface User {
  readonly id: UserId;
  readonly name: string;
  readonly devices: readonly Device[];
  /** Where calls for this user go when the account's precedence comes to it (`number-user`, `contact-owner`). */
  readonly forward?: Forward;
  /** Of calls that ring this user. */
  readonly recording?: RecordingRule;
  /** Heard by callers whose call was for this user alone. */
  readonly greeting?: Message;
  /** Dialled behind an agent's code on any phone of the account. */
  readonly pin?: string;
}

/** An external number that takes calls: rung over the first of these trunks that takes it. */
export interface Forward {
  readonly number: E164;
  readonly trunks: readonly TrunkId[];
  /** The tracking number's own where absent, and never longer. */
  readonly ringMs?: Ms;
  /** The tracking number's own where absent. */
  readonly callConnect?: CallConnect;
}

/** Played or spoken: the text, or the media where there is no text or its audio is not ready. */
export interface Message {
  readonly text?: string;
  readonly media?: Media;
}

/**
 * Whether calls are recorded. The strongest word among account, number and user wins: `never`, then `force`, then
 * `no` and `yes`, of which the nearest to the call (user, number, account) decides. Nobody's word: not recorded.
 */
export type RecordingRule = 'force' | 'yes' | 'no' | 'never';

/** Callers an account will not talk to. */
export interface Blocked {
  readonly numbers: readonly E164[];
  /** Callers who show no number, too. */
  readonly anonymous: boolean;
  /** reject: refused unanswered, as declined. voicemail: the number's, without ringing. message: played, then hung up. */
  readonly action: 'reject' | 'voicemail' | 'message';
  readonly message?: Message;
}

/** Someone known to an account, by the number they call from. */
export interface Contact {
  readonly name: string;
  /** The user who looks after them. */
  readonly owner?: UserId;
  readonly tags?: readonly string[];
  /** What else the account keeps of them, by name: ask with `Object.hasOwn`. */
  readonly fields?: Readonly<Record<string, string>>;
}

/** What may take a call to a number, instead of the devices of its users. */
export type PrecedenceEntry = 'company' | 'number-forward' | 'number-user' | 'contact-owner';

/** D1: an external number that many tracking numbers may lead to. */
export interface ReceivingNumber {
  readonly id: ReceivingNumberId;
  readonly label: string;
  readonly number: E164;
  readonly trunks: readonly TrunkId[];
  /** D2: digits sent after the answer, `w` half a second of pause and `W` a second; and how long before the first of them. */
  readonly dialExtension?: { readonly digits: string; readonly delayMs: Ms };
  /** D3: the tracking number's own wins. */
  readonly whisper?: Message;
  /** D5: a call that is led here is tagged by whether this schedule is open. */
  readonly taggingHours?: ScheduleId;
  /** The tracking number's own where absent. */
  readonly callConnect?: CallConnect;
  /** D4: how long it rings; the tracking number's own where absent. */
  readonly ringMs?: Ms;
  /** D4: on busy, no answer or anything else but an acceptance. */
  readonly noAnswer?: Target;
}

/** D6 to D9: destinations that a call rings by a pattern. */
export interface RingGroup {
  readonly id: RingGroupId;
  readonly name: string;
  readonly pattern: RingPattern;
  readonly destinations: readonly RingDestination[];
  /** Of the whole round; the tracking number's own where absent. */
  readonly ringMs?: Ms;
  /** When the round is over. Where absent, that of the first destination that has one. */
  readonly noAnswer?: Target;
}

export interface RingDestination {
  readonly target: Extract<Target, { to: 'receiving-number' | 'user' }>;
  readonly delayMs?: Ms;
  readonly ringMs?: Ms;
}

/** M1. */
export interface Menu {
  readonly id: MenuId;
  readonly name: string;
  readonly prompt: Message;
  readonly invalidPrompt?: Message;
  /** By key: `0` to `9`, `*`, `#`. */
  readonly options: Readonly<Record<string, Target>>;
  readonly dialByExtension: boolean;
  /** How often the prompt is played in all. */
  readonly tries: number;
  readonly waitMs: Ms;
  readonly betweenKeysMs: Ms;
  /** No key after the last try; the number's no-answer routing where absent. */
  readonly noKey?: Target;
  /** Keys that lead nowhere at the last try; as `noKey` where absent. */
  readonly invalid?: Target;
}

/** Q1 to Q5: callers wait, and agents are offered them. Who is offered which call is decided at the account's desk (core/queue). */
export interface Queue {
  readonly id: QueueId;
  readonly name: string;
  readonly desk: QueueConfig;
  /** Of callers whose target does not say; the higher is served first. */
  readonly priority: number;
  /** Heard once, on joining. */
  readonly greeting?: Message;
  /** Ours where absent. */
  readonly music?: Message;
  readonly messages?: { readonly everyMs: Ms; readonly say: readonly Message[] };
  /** The key with which a caller leaves, and where to. */
  readonly exit?: { readonly key: string; readonly target: Target };
  /** Q6. */
  readonly callback?: Callback;
  /** Where callers go whom it does not take, or does not keep; the tracking number's no-answer routing where absent. */
  readonly full?: Target;
  readonly empty?: Target;
  readonly maxWait?: Target;
  readonly closed?: Target;
  /** Heard by agents; the tracking number's own where absent. */
  readonly whisper?: Message;
  /** The tracking number's own where absent. */
  readonly callConnect?: CallConnect;
}

/** How callers of a queue are called back; for how long their place is kept is the desk's to know. */
export interface Callback {
  /** With which a caller asks for it. */
  readonly key: string;
  /** Tries in all. */
  readonly attempts: number;
  /** From the end of a try to the next. */
  readonly pauseMs: Ms;
  readonly ringMs: Ms;
  /** In this order, over the first that takes it. */
  readonly trunks: readonly TrunkId[];
}

export interface Voicemail {
  /** The account's where absent. */
  readonly greeting?: Message;
  readonly maxMs: Ms;
  readonly silenceMs: Ms;
}

export interface TrackingNumber {
  readonly e164: E164;
  readonly label: string;
  /** N11: users rung together, at most seven, with whatever the precedence picks. */
  readonly users: readonly UserId[];
  /** R1: whose number it is, for `number-user` and `contact-owner`; the only one of `users` where absent. */
  readonly user?: UserId;
  /** Takes the calls, instead of the account's precedence. */
  readonly route?: Target;
  /** Where calls go while the schedule is closed. */
  readonly hours?: { readonly schedule: ScheduleId; readonly closed: Target };
  /** Of every call to it, in its record. */
  readonly tags?: readonly string[];
  /** Takes calls that nobody accepts, before voicemail. */
  readonly noAnswer?: Target;
  /** How long the number rings before no-answer routing. */
  readonly ringMs: Ms;
  readonly announcement?: Media;
  /** Spoken instead of `announcement`; passed over while its audio is not ready. */
  readonly announcementText?: string;
  /** Spoken text with placeholders (whisper.ts); the media that says it is a fact of the call, made before it is needed. */
  readonly whisper?: string;
  /** Recorded audio instead of a text. */
  readonly whisperFile?: Media;
  readonly callConnect: CallConnect;
  /** The key that accepts; any key when absent. */
  readonly acceptKey?: string;
  readonly voicemail?: Voicemail;
  /** Rung by the switch itself when no controller answers. */
  readonly failsafe?: E164;
  /** The callee sees the number that was dialled; the caller's otherwise. */
  readonly passCalledNumber?: boolean;
  /** Takes the calls to this number, when the account's precedence comes to it. */
  readonly forward?: Forward;
  readonly recording?: RecordingRule;
  /** Heard by the caller before ringing and by the callee before the bridge, when the call is to be recorded. */
  readonly recordingAnnouncement?: Message;
}

/** What an agent does by dialling a code. */
export const agentActions = ['logIn', 'logOut', 'break', 'available'] as const;
export type AgentAction = (typeof agentActions)[number];

/** Users one number rings at once. */
export const maxUsers = 7;
/** What a number has that says nothing about voicemail. */
export const defaultVoicemail: Voicemail = { maxMs: 3 * minute, silenceMs: 10 * second };
/** The switch's own "leave a message after the tone". */
export const standardGreeting: Media = 'sound:vm-intro';

/** M6: what the night switch is set to, and where calls go then. */
export interface Night {
  readonly is?: NightSwitch;
  readonly closed?: Target;
  readonly emergency?: Target;
  /** Dialled on a phone of the account, they set it. */
  readonly codes?: readonly { readonly code: string; readonly setting: NightSetting }[];
  /** Whose phones may dial them; all of the account where absent. */
  readonly users?: readonly UserId[];
}

export interface Account {
  readonly id: AccountId;
  readonly name: string;
  /** Of the names its phones and trunks have on the switch; absent for bare names. */
  readonly sipPrefix?: string;
  readonly users: readonly User[];
  readonly numbers: readonly TrackingNumber[];
  readonly receivingNumbers?: ReadonlyMap<ReceivingNumberId, ReceivingNumber>;
  readonly ringGroups?: ReadonlyMap<RingGroupId, RingGroup>;
  readonly menus?: ReadonlyMap<MenuId, Menu>;
  readonly queues?: ReadonlyMap<QueueId, Queue>;
  readonly routers?: ReadonlyMap<RouterId, Router<Target>>;
  /** IANA name: of what is asked of the time without a schedule; UTC where absent. */
  readonly timezone?: string;
  /** M6: how it is set, and where calls go then; a mode without a target is no different from any other time. */
  readonly night?: Night;
  /** Dialled on a phone, for whoever is at it. */
  readonly agentCodes?: readonly { readonly code: string; readonly action: AgentAction }[];
  /** Where its calls may go over trunks, and how many at once. */
  readonly outbound: OutboundRules;
  readonly blocked?: Blocked;
  /** The company's own number for calls, when the precedence comes to it. */
  readonly company?: Forward;
  /** The first of these that is configured takes the call; `defaultPrecedence` where absent. */
  readonly precedence?: readonly PrecedenceEntry[];
  readonly recording?: RecordingRule;
  /** Of the business: for numbers that have none. */
  readonly greeting?: Message;
  /** D12: what a minute costs. */
  readonly rates?: Rates;
  /** By id. */
  readonly schedules?: ReadonlyMap<ScheduleId, Schedule>;
}

export const precedencePresets = {
  'company-first': ['company', 'number-forward', 'number-user'],
  'owner-first': ['contact-owner', 'number-forward', 'company'],
} as const satisfies Readonly<Record<string, readonly PrecedenceEntry[]>>;

/** Where none of it is set, the users' devices ring. */
export const defaultPrecedence: readonly PrecedenceEntry[] = precedencePresets['company-first'];

/** What a compiler needs beside the configuration, known when the call arrives. */
export interface CallFacts {
  readonly dialled: string;
  readonly callerNumber: string;
  readonly callerName: string;
  /** When the call began: what depends on the time is as it was then. */
  readonly at: EpochMs;
  /** Chooses among shares, the same for a call whenever its plan is compiled. */
  readonly callId: string;
  /** Where a number is, as far as that is known. */
  readonly placeOf?: (account: AccountId, number: E164) => Geo;
  /** Agents of an account as they are now, each with the phones on which it is logged in. */
  readonly loggedIn?: (account: AccountId) => readonly { readonly agent: UserId; readonly devices: readonly DeviceId[] }[];
  /** On the phones of this user too many wrong PINs were dialled lately. */
  readonly pinsRefused?: (account: AccountId, user: UserId) => boolean;
  /** Of the phones of a user, now. */
  readonly agent?: (account: AccountId, user: UserId) => AgentState;
  /** What clock and calendar said then, in a time zone. */
  readonly localTime: (timezone: string) => LocalTime;
  /** Calls of an account that are out over trunks, or about to be: see `callsOut`. */
  readonly callsOut: (account: AccountId) => number;
  /** Whom an account knows by a number; out of memory, since the call waits. */
  readonly contact: (account: AccountId, number: E164) => Contact | undefined;
  /** When a number called an account before this call, as far as that is remembered. */
  readonly lastCallAt?: (account: AccountId, number: E164) => EpochMs | undefined;
  /** The audio that says a text (part of a whisper, an announcement, a greeting), if it is ready. */
  readonly whisperMedia: (text: string) => Media | undefined;
  /** What callers hear who wait in a queue that has no music of its own. */
  readonly holdMusic?: Media;
}
