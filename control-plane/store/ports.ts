/**
 * What the runtime needs of the stores. Implementations: redis/ (live state), files/ (journals and CDRs in the data
 * directory). None is ever waited for on a call's path.
 */
import type { CallId } from '../core/ids.ts';
import type { EpochMs, Ms } from '../core/time.ts';
import type { CallCommand } from '../core/call/commands.ts';
import type { CallEvent, Offer } from '../core/call/events.ts';
import type { CallFact } from '../core/call/facts.ts';
import type { AgentId } from '../core/queue/config.ts';
import type { AgentRecord, AgentState, OfferId } from '../core/queue/desk.ts';
import type { Party } from '../core/routing/destinations.ts';
import type { Plan } from '../core/routing/plan.ts';
import type { Cdr, CdrQueueVisit } from '../core/cdr/cdr.ts';
import type { Change, ConfigObject, Snapshot, Write } from '../configuration/objects.ts';
import type { CallbackStore } from './callback-ports.ts';
import type { WebhookStore } from './event-ports.ts';
import type { Contact, E164 } from '../core/routing/config.ts';

/**
 * A journal is one `opened` and then one `step` per event, in order; replaying the events gives the same commands. A call
 * that was begun anew from its marks has another `opened`, and what is before it is of the past. `v` is the version of
 * what follows (core/call/version.ts), written by each controller that takes the call up.
 */
export type JournalRecord =
  | { readonly kind: 'opened'; readonly v?: number; readonly at: EpochMs; readonly offer: Offer; readonly plan: Plan; readonly controller: string }
  | {
      readonly kind: 'step';
      readonly v?: number;
      readonly at: EpochMs;
      readonly event: CallEvent;
      readonly commands: readonly CallCommand[];
      readonly facts: readonly CallFact[];
    };

/** Journals of live calls, shared between controllers. A hint: it may lack the last 200 ms, or be empty. */
export interface LiveJournals {
  /** Returns at once; records are sent pipelined, and dropped with a metric when the store is away too long. */
  append(callId: CallId, record: JournalRecord): void;
  /** Of any call, whoever has it; empty when nothing is known of it. Rejects when the store is away. */
  read(callId: CallId): Promise<readonly JournalRecord[]>;
  /** As `read`, by who has the call from now on: what it appends comes after that, and nothing of what it appended when it had the call before. */
  takeUp(callId: CallId): Promise<readonly JournalRecord[]>;
  /** Another controller has the call, and goes on with its journal: nothing more is added from here. */
  letGo(callId: CallId): void;
  /** Ids of calls with a journal here. */
  list(): Promise<readonly CallId[]>;
  /** The call is over, and its CDR is safe. */
  close(callId: CallId): void;
  /** Settles when all that was appended has been sent. */
  flush(): Promise<void>;
}

/** Journals and CDRs on this machine's disk, kept after the call. */
export interface CallArchive {
  append(callId: CallId, record: JournalRecord): void;
  read(callId: CallId): Promise<readonly JournalRecord[]>;
  /** Ids of recent calls with a journal here and no CDR: cut short by a crash, or live. */
  listOpen(): Promise<readonly CallId[]>;
  /** Exactly one CDR per call: a second for the same call is ignored and reported. */
  writeCdr(cdr: Cdr): Promise<void>;
  hasCdr(callId: CallId): Promise<boolean>;
  /** Another controller has the call, or has finished it: its journal here is of the past. One that comes back goes on. */
  letGo(callId: CallId): void;
  flush(): Promise<void>;
}

/** Changes made by one request: all take effect or none. */
export interface ChangeSet {
  readonly writes: readonly Write[];
  /** The revision that was checked: the set is refused when the configuration is another by now. */
  readonly base: number;
  readonly actor: string;
  readonly at: EpochMs;
  readonly undoes?: number;
}

export type ChangeResult =
  | { readonly ok: true; readonly revision: number; readonly objects: readonly ConfigObject[]; readonly changes: readonly Change[] }
  /** Somebody else was first: load again, check again. */
  | { readonly ok: false; readonly revision: number };

/** Rejections of the stores below, when it cannot be reached or is out of time. What was asked may have happened only when `mayHaveHappened`. */
export class StoreAwayError extends Error {
  override readonly name = 'StoreAwayError';
  readonly mayHaveHappened: boolean;
  constructor(message: string, mayHaveHappened: boolean, cause?: unknown) {
    super(message, { cause });
    this.mayHaveHappened = mayHaveHappened;
  }
}

/** A number is in use, perhaps by another account: they are the whole system's. Or an extension, by its own account. */
export class TakenError extends Error {
  override readonly name = 'TakenError';
  readonly field: 'e164' | 'extension';
  readonly value: string;
  constructor(field: 'e164' | 'extension', value: string, cause?: unknown) {
    super(`${field} ${value} is in use`, { cause });
    this.field = field;
    this.value = value;
  }
}

/** Contacts name the user, or belong to the account, that is to be deleted. */
export class InUseError extends Error {
  override readonly name = 'InUseError';
}

/** A cursor that no page of this list gave. */
export class CursorError extends Error {
  override readonly name = 'CursorError';
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Give it to get the next page; null after the last. */
  readonly next: string | null;
}

/** Configuration, its history, and who may change it. Rejects with StoreAwayError; lists of pages with CursorError. */
export interface ConfigStore {
  load(): Promise<Snapshot>;
  /** Rejects with TakenError when numbers or extensions would be there twice, with InUseError when contacts would be left behind. */
  apply(set: ChangeSet): Promise<ChangeResult>;
  /** Newest first. */
  changes(filter: { readonly account?: string; readonly kind?: string; readonly id?: string; readonly seq?: number }, page: { readonly cursor?: string; readonly limit: number }): Promise<Page<Change>>;
  /** Calls back with each new revision, whoever made it, within a second; also after a lost connection. Returns what ends it. */
  watch(onRevision: (revision: number) => void): () => void;
}

/** A contact as it was written. */
export interface ContactRow {
  readonly account: string;
  /** Its id in the account. */
  readonly number: E164;
  /** 1 when created, one more with each change. */
  readonly version: number;
  readonly createdAt: EpochMs;
  readonly updatedAt: EpochMs;
  /** Of all contacts of the system: one more with each change, which may be of many. */
  readonly revision: number;
  /** Null: it was deleted, and is kept for those who follow. */
  readonly body: Contact | null;
}

/** How far the contacts have been read: all of earlier revisions, and of this one all up to this contact. */
export type ContactPlace = Pick<ContactRow, 'revision' | 'account' | 'number'>;

/** Changes of the contacts of one account: all take effect or none. */
export interface ContactSet {
  readonly account: string;
  /** Each contact once. */
  readonly writes: readonly Pick<ContactRow, 'number' | 'body'>[];
  /** What they were checked against: the set is refused when the account has others by now. */
  readonly base: ContactPlace;
  readonly at: EpochMs;
}

export type ContactResult =
  | { readonly ok: true; readonly revision: number }
  /** overtaken: read on, check again. unknown: there is no such account, or these are no users of it. */
  | { readonly ok: false; readonly why: 'overtaken' }
  | { readonly ok: false; readonly why: 'unknown'; readonly owners: readonly string[] };

/** Contacts of all accounts: too many to be read whole at each change. Rejects with StoreAwayError. */
export interface ContactStore {
  /** In the order of their revisions, what was written after `place`; all from the beginning when it is null. */
  read(place: ContactPlace | null, limit: number): Promise<readonly ContactRow[]>;
  apply(set: ContactSet): Promise<ContactResult>;
  /** Calls back with each new revision, as ConfigStore.watch. */
  watch(onRevision: (revision: number) => void): () => void;
}

/** `supervisor`: may read, and supervise calls. */
export type Role = 'agency-admin' | 'account-admin' | 'supervisor' | 'read-only';

export interface ApiKey {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  /** Null for the whole agency. */
  readonly account: string | null;
  /** SHA-256 of the secret, hex. */
  readonly hash: string;
  readonly createdAt: EpochMs;
  readonly lastUsedAt: EpochMs | null;
  readonly expiresAt: EpochMs | null;
}

export interface KeyStore {
  list(): Promise<readonly ApiKey[]>;
  add(key: ApiKey): Promise<void>;
  /** False when there was none. */
  remove(id: string): Promise<boolean>;
  used(id: string, at: EpochMs): Promise<void>;
}

export interface AuditEntry {
  readonly at: EpochMs;
  readonly actor: string;
  readonly account: string | null;
  /** `recording.read`, `key.create`, `number.update`. */
  readonly action: string;
  readonly subject: string;
  readonly outcome: 'ok' | 'refused';
  readonly address: string;
  readonly details: Readonly<Record<string, unknown>>;
}

export interface AuditStore {
  write(entry: AuditEntry): Promise<void>;
  /** Newest first. */
  list(filter: { readonly account?: string; readonly action?: string; readonly subject?: string }, page: { readonly cursor?: string; readonly limit: number }): Promise<Page<AuditEntry>>;
}

/** What was answered to a request with an idempotency key, kept 24 h. */
export interface IdempotencyStore {
  /** Takes the key, or tells what it was used for: `pending` while that request still runs. */
  begin(entry: { readonly actor: string; readonly key: string; readonly fingerprint: string; readonly at: EpochMs }): Promise<
    { readonly state: 'new' } | { readonly state: 'pending'; readonly fingerprint: string } | { readonly state: 'done'; readonly fingerprint: string; readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string }
  >;
  finish(entry: { readonly actor: string; readonly key: string; readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string }): Promise<void>;
  /** The request did nothing: the key is free again. */
  abandon(entry: { readonly actor: string; readonly key: string }): Promise<void>;
}

export interface CallFilter {
  readonly account?: string;
  /** Digits anywhere in the caller's number. */
  readonly caller?: string;
  readonly dialled?: string;
  readonly disposition?: string;
  readonly from?: EpochMs;
  readonly to?: EpochMs;
  /** Without calls of supervisors. */
  readonly supervisions?: false;
}

/** CDRs for search. The files of the archive are the spool: a record is sent from there until it has arrived. */
export interface CdrStore {
  /** Records that are there already are left as they are: each arrives once, however often it is sent. */
  add(cdrs: readonly Cdr[]): Promise<void>;
  get(callId: CallId): Promise<Cdr | null>;
  /** Newest first. */
  search(filter: CallFilter, page: { readonly cursor?: string; readonly limit: number }): Promise<Page<Cdr>>;
  removeBefore(account: string, at: EpochMs): Promise<number>;
  /** Who called whom and when, newest first; callers who showed no telephone number are left out. */
  callers(page: { readonly cursor?: string; readonly limit: number }): Promise<Page<CallerSeen>>;
  /** Of calls that are over: each time that one waited in the queue, by when it joined. */
  queueVisits(filter: VisitFilter, page: { readonly cursor?: string; readonly limit: number }): Promise<Page<CdrQueueVisit>>;
}

export interface VisitFilter {
  readonly account: string;
  readonly queue: string;
  /** Who joined from then on, and before `to`. */
  readonly from: EpochMs;
  readonly to: EpochMs;
}

export interface CallerSeen {
  readonly account: string;
  readonly number: E164;
  readonly at: EpochMs;
}

/** One database with all of the above. */
export interface Database {
  readonly config: ConfigStore;
  readonly keys: KeyStore;
  readonly audit: AuditStore;
  readonly idempotency: IdempotencyStore;
  readonly cdrs: CdrStore;
  readonly contacts: ContactStore;
  readonly webhooks: WebhookStore;
  readonly callbacks: CallbackStore;
  /** Null, or a sentence: why it cannot be used just now. */
  problem(): string | null;
  close(): Promise<void>;
}

/**
 * Who looks after which call, among the controllers of one switch. A controller that lives has a lease; one whose lease
 * has lapsed has lost the right to its calls, and each of them goes to whoever takes it first.
 */
export interface Ownership {
  /**
   * Holds the lease on; `null` asks for one anew, which ends that of an earlier process of this name: then calls are to be
   * claimed again, since the store may have lost its memory. Rejects when the store is away.
   */
  renew(token: number | null): Promise<Renewed>;
  /** This controller has the call: noted soon, not waited for. */
  begin(callId: CallId): void;
  /** The call is over, and its record safe: nobody needs to finish it. */
  end(callId: CallId): void;
  /** Nothing is known of the call here: it is nobody's again. */
  giveBack(callId: CallId): void;
  /** Another controller has the call. */
  lose(callId: CallId): void;
  /** Those of these calls that are this controller's now: its own, and what nobody who lives had. Rejects when the store is away, or the lease is not held: then it says nothing of whose they are. */
  claim(token: number, calls: readonly { readonly callId: CallId; /** By what the switch says; null when it does not say. */ readonly believed: string | null }[]): Promise<Claimed>;
  /** At most so many calls of a lapsed controller, this one's from now on. Rejects when the store is away. */
  take(token: number, from: string, atMost: number): Promise<readonly CallId[]>;
  /** How many calls controllers have whose lease has lapsed: nobody has taken them yet. Rejects when the store is away. */
  orphans(): Promise<number>;
  /** What the store says is this controller's: an earlier process of its name may have left it. Rejects when the store is away. */
  list(token: number): Promise<readonly CallId[]>;
  /** Ends the lease: others may take what is left. Rejects when the store is away. */
  leave(token: number): Promise<void>;
  /** Nothing more is told. */
  stop(): void;
}

/** Whose turn it is, in a group of destinations: counted over all calls of the system. */
export interface Turns {
  /**
   * One more than the last turn, counted on from `lastSeen`, the last that the asker knows of, where the store has
   * forgotten. Who asks again within a minute has the same turn. Rejects when the store is away.
   */
  take(group: string, asker: string, lastSeen: number): Promise<number>;
}

/** Live calls of a party, and in how many of them it has picked up. */
export interface Kept {
  readonly calls: number;
  readonly talking: number;
}

/** Whom the calls of each controller keep. What a controller told counts until it tells again, or its lease would be over. */
export interface SharedOccupancy {
  /** `ended`: parties of whom a call has ended since it last told, and how long ago. Rejects when the store is away. */
  exchange(
    told: { readonly kept: ReadonlyMap<Party, Kept>; readonly ended: ReadonlyMap<Party, Ms> },
    asked: readonly Party[],
  ): Promise<{ readonly others: readonly ReadonlyMap<Party, Kept>[]; /** Of those asked about; 0 when not known. */ readonly endedAt: ReadonlyMap<Party, EpochMs> }>;
}

/** What controllers of one switch tell each other in passing: small texts by name. Rejects when the store is away. */
export interface SharedMemory {
  /** Null when nothing is known: the store may have lost it. */
  read(name: string): Promise<string | null>;
  write(name: string, text: string): Promise<void>;
}

/** Who calls, told among the controllers of one switch as it happens. Best effort: what is said while one does not listen, it never hears. */
export interface CallerNews {
  tell(seen: CallerSeen): void;
  /** Returns what ends it. */
  listen(heard: (seen: CallerSeen) => void): () => void;
}

/** What controllers of one switch say to each other of their desks or of supervisions, as it happens. Best effort, as CallerNews. */
export interface ControllerLink {
  /** To one controller; null: to all others. Who says it does not hear it. */
  say(to: string | null, text: string): void;
  /** Returns what ends it. */
  listen(heard: (text: string) => void): () => void;
}

/** An agent as the desk leaves it to whoever runs the desk next. */
export interface KeptAgent extends AgentRecord {
  readonly state: AgentState;
  readonly stateSince: EpochMs;
  /** Reserved for this offer. */
  readonly offer: OfferId | null;
  /** Live ones, the one on offer among them. */
  readonly calls: readonly CallId[];
}

/** Agents' records, and who may write them: the desks that began last. Rejects when the store is away. */
export interface AgentRecords {
  /** The epoch of desks that begin: above the one `before` it (0: none is known of), and at least this. Desks of before write nothing from now on. */
  begin(atLeast: number): Promise<{ readonly epoch: number; readonly before: number }>;
  /** `unreadable`: agents of whom something is kept that is no such record; all, where nothing of the account can be read by anybody. */
  read(account: string): Promise<{ readonly agents: readonly KeptAgent[]; readonly unreadable: readonly AgentId[] | 'all' }>;
  /** False: desks of a later epoch have begun, and nothing was written, so no agent of these is reserved. */
  keep(epoch: number, account: string, agents: readonly KeptAgent[]): Promise<boolean>;
  /** What a desk is to know of those who are not there: texts, by name. */
  recall(account: string): Promise<ReadonlyMap<string, string>>;
  /** False: as `keep`. */
  remember(epoch: number, account: string, changed: ReadonlyMap<string, string>, forgotten: readonly string[]): Promise<boolean>;
}

export interface Claimed {
  readonly mine: ReadonlySet<CallId>;
  /** Whoever had them has finished them. */
  readonly over: ReadonlySet<CallId>;
  /** No: the store has lost its memory lately, and calls without an owner were left alone. Ask again. */
  readonly settled: boolean;
}

export type Renewed =
  /** `leads`: the eldest of those that live. `others` live as well; `lapsed`: controllers that no longer do. `storeAt`: by the store's clock. */
  | { readonly held: true; readonly token: number; readonly leads: boolean; readonly others: readonly string[]; readonly lapsed: readonly string[]; readonly storeAt: EpochMs }
  /** `lapsed`: it came too late, and calls may be another's. `replaced`: another process has this name. */
  | { readonly held: false; readonly why: 'lapsed' | 'replaced' };
