/** What the API needs of the rest, beside the stores and the configuration. Implementations are given by main.ts. */
import type { Readable } from 'node:stream';
import type { Configuration } from '../configuration/configuration.ts';
import type { ConfigObject } from '../configuration/objects.ts';
import type { ReadinessPoint } from '../configuration/readiness.ts';
import type { Contacts } from '../contacts/contacts.ts';
import type { CallId, LegId, RecordingId } from '../core/ids.ts';
import type { EpochMs, Ms } from '../core/time.ts';
import type { Cdr } from '../core/cdr/cdr.ts';
import type { AgentRecord, AgentState, OfferId, Status, WaitingCall } from '../core/queue/desk.ts';
import type { QueueFigures } from '../core/queue/figures.ts';
import type { Plan } from '../core/routing/plan.ts';
import type { RateOfCalls } from '../core/routing/rate.ts';
import type { SupervisionMode } from '../core/routing/supervision.ts';
import type { EventFeed } from '../events/feed.ts';
import type { ScheduleAt } from '../hours/schedule-at.ts';
import type { CallbackStore, KeptCallback } from '../store/callback-ports.ts';
import type { WebhookStore } from '../store/event-ports.ts';
import type { AuditStore, CdrStore, ConfigStore, IdempotencyStore, JournalRecord, KeyStore, Page } from '../store/ports.ts';
import type { Log } from '../telemetry/log.ts';

/** A call that is going on: its record as far as it has come, and the phase it is in. */
export interface LiveCall extends Cdr {
  readonly phase: string;
}

export interface CallChange {
  /** left: another controller has it now. */
  readonly type: 'started' | 'changed' | 'ended' | 'left';
  readonly call: LiveCall;
  /** Nothing but who hears it has changed. */
  readonly ofSupervision?: true;
}

export interface Calls {
  live(): readonly LiveCall[];
  get(callId: CallId): LiveCall | undefined;
  /** Of a live call or a past one; empty when nothing is kept of it. */
  journal(callId: CallId): Promise<readonly JournalRecord[]>;
  /** Called after each change of a live call, in order; must return at once. Returns what ends it. */
  onChange(changed: (change: CallChange) => void): () => void;
}

/** Bytes `start` to `end`, both included. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** Audio as a client hears it: decrypted, with its true size. */
export interface AudioContent {
  /** `audio/wav` or `audio/mpeg`. */
  readonly type: string;
  readonly bytes: number;
  /** Ends with an error when the rest cannot be read; the answer is cut off then. */
  read(range?: ByteRange): Readable;
}

/** The audio is there and cannot be given: its key is missing, or it is damaged. `message` is for the admin; nothing has been touched. */
export class AudioUnavailableError extends Error {
  override readonly name = 'AudioUnavailableError';
}

export interface Recording {
  readonly id: RecordingId;
  readonly account: string;
  readonly kind: 'recording' | 'voicemail';
  readonly callId: CallId;
  /** The number of ours that was called. */
  readonly number: string;
  readonly caller: string;
  readonly at: EpochMs;
  readonly durationMs: Ms | null;
  readonly bytes: number;
}

export interface RecordingFilter {
  readonly account: string;
  readonly kind: Recording['kind'];
  readonly callId?: CallId;
  readonly number?: string;
  readonly from?: EpochMs;
  readonly to?: EpochMs;
}

export interface Recordings {
  /** Newest first. */
  list(filter: RecordingFilter, page: { readonly cursor?: string; readonly limit: number }): Promise<Page<Recording>>;
  get(account: string, kind: Recording['kind'], id: RecordingId): Promise<Recording | null>;
  /** Null when there is none. Rejects with AudioUnavailableError. */
  open(account: string, kind: Recording['kind'], id: RecordingId): Promise<AudioContent | null>;
  /** False when there was none. */
  remove(account: string, kind: Recording['kind'], id: RecordingId): Promise<boolean>;
}

export type Upload =
  | { readonly ok: true; readonly durationMs: Ms; readonly sha256: string }
  /** A sentence: why this is no audio that can be played, and the way out. */
  | { readonly ok: false; readonly message: string };

/** Uploaded audio, kept by the SHA-256 of its content. The objects that name it are configuration. */
export interface AudioFiles {
  /** Decodes, converts and keeps. The same bytes again are the same file. */
  upload(account: string, name: string, bytes: Uint8Array): Promise<Upload>;
  open(account: string, sha256: string): Promise<AudioContent | null>;
  remove(account: string, sha256: string): Promise<void>;
}

/** Whether a phone or a carrier can be reached, as the switch sees it. */
export interface Registration {
  readonly account: string;
  readonly kind: 'device' | 'trunk';
  /** Of the device or trunk. */
  readonly id: string;
  /** reachable: a carrier that answers OPTIONS, and needs no registration. unknown: it is not asked. */
  readonly state: 'registered' | 'unregistered' | 'rejected' | 'reachable' | 'unreachable' | 'unknown';
  /** SIP URI it is reached at. */
  readonly contact: string | null;
  readonly userAgent: string | null;
  /** When it was first seen so by this controller. */
  readonly since: EpochMs | null;
  readonly roundTripMs: Ms | null;
}

/** A phone or trunk that was there is gone for longer than the account’s grace time, or is back from that. */
export interface AbsenceAlert {
  readonly account: string;
  readonly kind: Registration['kind'];
  /** Of the device or trunk. */
  readonly id: string;
  readonly state: 'gone' | 'back';
  readonly at: EpochMs;
  readonly goneSince: EpochMs;
  readonly sentence: string;
}

export type RegistrationChange =
  /** Seen otherwise than before, be it for a moment. */
  | { readonly type: 'registration'; readonly registration: Registration }
  | { readonly type: 'alert'; readonly alert: AbsenceAlert };

export interface Registrations {
  /** Of all accounts, asked anew. Rejects when the switch cannot be asked. */
  list(): Promise<readonly Registration[]>;
  /** Called after each change that is seen; must return at once. Returns what ends it. */
  onChange(changed: (change: RegistrationChange) => void): () => void;
}

/** An address whose SIP requests the switch refuses unread, for guessing passwords. */
export interface SipBan {
  /** An IPv4 address, or a network of IPv6 as `address/64`. */
  readonly address: string;
  readonly since: EpochMs;
  readonly until: EpochMs;
  /** Wrong passwords that led to it. */
  readonly failures: number;
  /** What was tried last, as the switch names it: a phone, or `<unknown>`. */
  readonly endpoint: string;
}

export interface SipBans {
  list(): readonly SipBan[];
  /** False when it was not banned. Rejects with a sentence when the switch cannot be told now; it is as soon as it can. */
  lift(address: string): Promise<boolean>;
}

/** A call to a number that an admin asked for, as far as it has come. */
export interface TestCall {
  readonly callId: CallId;
  readonly at: EpochMs;
  /** The number that the phones are shown. */
  readonly caller: string;
  readonly endedAt: EpochMs | null;
  /** Null while nobody has. */
  readonly answered: boolean | null;
  readonly rang: readonly {
    readonly user: string | null;
    readonly label: string;
    readonly extension: string | null;
    readonly number: string | null;
    readonly answeredAfterMs: Ms | null;
    readonly talked: boolean;
    readonly disposition: string | null;
  }[];
  readonly talkedMs: Ms | null;
  /** RTP packets from and to the phone that answered, soon after; null when they were not counted. */
  readonly audio: { readonly received: number; readonly sent: number } | null;
  readonly sentence: string;
}

export type PlacedTest =
  | { readonly ok: true; readonly call: TestCall }
  /** away: no call can be placed. busy: one to this number is under way. `sentence` is for the admin. */
  | { readonly ok: false; readonly why: 'away' | 'busy' | 'too-many'; readonly sentence: string };

export interface TestCalls {
  /** Resolves when it has come in as a call, or cannot. */
  place(test: { readonly account: string; readonly number: string; readonly caller: string }): Promise<PlacedTest>;
  /** The last to this number; null when nothing is known of one. */
  last(account: string, number: string): Promise<TestCall | null>;
}

/** An agent as the desk of the account has them. */
export interface AgentNow extends AgentRecord {
  readonly state: AgentState;
  readonly stateSince: EpochMs;
  readonly offer: OfferId | null;
  /** Live ones, whatever way they came. */
  readonly calls: readonly CallId[];
}

export interface QueueNow {
  /** First in line first. */
  readonly waiting: readonly WaitingCall[];
  readonly figures: QueueFigures;
  /** When the figures begin. */
  readonly since: EpochMs;
}

/** The desk cannot be asked now, and nothing was changed; `message` is for the admin. */
export class DeskAwayError extends Error {
  override readonly name = 'DeskAwayError';
}

/**
 * The desks of all accounts, whichever controller runs them. Devices are named as routing has them: a desk phone by its
 * extension. Each rejects with DeskAwayError; what is changed is seen by the next question.
 */
export interface Desks {
  /** Those of whom anything has been heard. */
  agents(account: string): Promise<readonly AgentNow[]>;
  /** Null where the desk has no such queue. */
  queue(account: string, id: string): Promise<QueueNow | null>;
  chooseStatus(account: string, agent: string, status: Status): Promise<void>;
  logIn(account: string, agent: string, devices: readonly string[]): Promise<void>;
  logOut(account: string, agent: string): Promise<void>;
  /** Done with wrap-up; on demand: wants the next call. */
  ready(account: string, agent: string): Promise<void>;
}

/** A supervisor's phone that rings to hear a call, or hears it. */
export interface Supervision {
  /** Of the supervisor's own call. */
  readonly id: CallId;
  readonly account: string;
  readonly call: CallId;
  readonly leg: LegId;
  readonly mode: SupervisionMode;
  /** Its extension. */
  readonly phone: string;
  /** Id of the API key that asked for it. */
  readonly by: string;
  readonly state: 'ringing' | 'on';
  readonly since: EpochMs | null;
}

/** `leg` or `agent`, a user: the one who was called where both are absent. */
export interface AskedSupervision extends Pick<Supervision, 'account' | 'call' | 'mode' | 'phone' | 'by'> {
  readonly leg?: LegId;
  readonly agent?: string;
}

export type BegunSupervision =
  | { readonly ok: true; readonly supervision: Supervision }
  /** `sentence` is for the admin; with `wrong` it is about the field. */
  | { readonly ok: false; readonly why: 'away' | 'busy'; readonly sentence: string }
  | { readonly ok: false; readonly why: 'wrong'; readonly field: 'call' | 'leg' | 'agent' | 'phone'; readonly sentence: string };

export interface Supervisions {
  /** Resolves when the phone rings, or cannot. Rejects with StoreAwayError while the audit log cannot be written: then nothing rings. */
  begin(asked: AskedSupervision): Promise<BegunSupervision>;
  /** Of all controllers; of all accounts where it is null. */
  list(account: string | null): readonly Supervision[];
  /** Null when the account has no such supervision going on. */
  change(account: string, id: CallId, mode: SupervisionMode): Promise<BegunSupervision | null>;
  /** `ended` false: the account has no such supervision going on. */
  end(account: string, id: CallId): Promise<{ readonly ok: true; readonly ended: boolean } | { readonly ok: false; readonly sentence: string }>;
}

export type CallbackAsked =
  | { readonly ok: true; readonly callback: KeptCallback }
  /** `sentence` is for the admin, and about the field where there is one. */
  | { readonly ok: false; readonly field: 'number' | 'shows' | null; readonly sentence: string };

/** Each rejects with StoreAwayError while the database is away. */
export interface Callbacks extends Pick<CallbackStore, 'list'> {
  ask(asked: { readonly account: string; readonly queue: string; readonly number: string; readonly shows: string }): Promise<CallbackAsked>;
  /** False: the queue has none of this id that is not over. */
  cancel(account: string, queue: string, id: string): Promise<boolean>;
}

export interface Explained {
  readonly plan: Plan;
  /** The same in words. */
  readonly text: string;
  /** Null where the account has no prices. */
  readonly rate: RateOfCalls | null;
}

export interface Schedules {
  /** Null when the account has no such schedule. */
  at(account: string, id: string, instant: EpochMs): ScheduleAt | null;
}

export interface ApiDeps {
  readonly configuration: Configuration;
  readonly contacts: Omit<Contacts, 'stop' | 'problem' | 'catchUp' | 'usersOf'>;
  readonly changes: ConfigStore['changes'];
  readonly keys: KeyStore;
  /** File that keys are copied to, for a start without the database. */
  readonly keysCopy?: string;
  readonly audit: AuditStore;
  readonly idempotency: IdempotencyStore;
  readonly cdrs: CdrStore;
  readonly calls: Calls;
  readonly recordings: Recordings;
  readonly audioFiles: AudioFiles;
  readonly registrations: Registrations;
  readonly sipBans: SipBans;
  readonly schedules: Schedules;
  readonly testCalls: TestCalls;
  readonly desks: Desks;
  /** Of each account. */
  readonly events: EventFeed;
  /** A follower of events who did not read was dropped. */
  readonly onFollowerDropped: () => void;
  readonly webhooks: Pick<WebhookStore, 'states' | 'deadLetters' | 'replay'>;
  /** Null, or the end of a sentence: why nothing is sent to this address. */
  readonly webhookRefusal: (url: URL) => string | null;
  readonly supervisions: Supervisions;
  readonly callbacks: Callbacks;
  /** Null when the number is not in service. */
  readiness(number: ConfigObject<'number'>): Promise<readonly ReadinessPoint[] | null>;
  /** What such a call to this number would do. Null when the account's number is not in service. */
  explain(account: string, dialled: string, call: { readonly caller: string; readonly at: EpochMs }): Explained | null;
  /** Of all calls to the number; null where the account has no prices. */
  rate(account: string, dialled: string): RateOfCalls | null;
  readonly log: Log;
  readonly now: () => EpochMs;
  readonly limits?: Partial<Limits>;
}

export interface Limits {
  /** Requests of one key in a minute. */
  readonly requestsPerMinute: number;
  /** Failed authentications from one address in a minute. */
  readonly failedKeysPerMinute: number;
  /** Event streams of one key at a time. */
  readonly streams: number;
  /** A comment is sent on an event stream this often, and its key checked again. */
  readonly keepAliveMs: Ms;
  /** A reader that leaves more than this unread is dropped; of an account's events, when it is so for `unreadMs`. */
  readonly unreadBytes: number;
  readonly unreadMs: Ms;
  /** A key removed by another controller works this much longer at most, as long as the database is there. */
  readonly keyCacheMs: Ms;
}

export const defaultLimits: Limits = { requestsPerMinute: 1200, failedKeysPerMinute: 20, streams: 20, keepAliveMs: 15_000, unreadBytes: 1_048_576, unreadMs: 30_000, keyCacheMs: 5000 };
