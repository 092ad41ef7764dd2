/** What events need of the stores: the stream of each account in Redis; of webhooks, how far each has come and what was given up, in Postgres. */
import type { EpochMs } from '../core/time.ts';
import type { LiveEvent, NewEvent } from '../events/catalogue.ts';
import type { Page } from './ports.ts';

/** A place in a stream, as Redis has it: `<ms>-<n>`, which grow. `0-0` is before the first. */
export type StreamId = string;

/** An event in the stream of its account. began: the stream is new from here, and nothing is known of before. unread: another release wrote it. */
export interface Kept {
  readonly id: StreamId;
  readonly event: LiveEvent | 'began' | 'unread';
}

/** The streams of events, one an account. Rejects when the store is away. */
export interface EventLog {
  /** In order. `n` numbers the events of `publisher` over all batches: one that is sent again is added once. */
  append(publisher: string, events: readonly { readonly n: number; readonly event: NewEvent }[]): Promise<void>;
  /** What comes after, the oldest first. */
  read(account: string, after: StreamId, limit: number): Promise<readonly Kept[]>;
  /** The oldest and the newest that are kept; null when there are none. */
  ends(account: string): Promise<{ readonly first: Kept; readonly last: StreamId } | null>;
  /** A connection of its own that waits for many streams at once. */
  listen(): EventListening;
}

export interface EventListening {
  /** What comes after the place in each stream, as soon as something does, or `ring` is called, or some seconds have passed. One at a time. */
  next(places: ReadonlyMap<string, StreamId>): Promise<ReadonlyMap<string, readonly Kept[]>>;
  /** Ends the wait that is under way, or the next: the places have changed. */
  ring(): void;
  stop(): void;
}

/** How far the deliveries of a webhook have come. */
export interface WebhookState {
  readonly account: string;
  readonly webhook: string;
  /** All up to here has been delivered, or given up. */
  readonly cursor: StreamId;
  /** Since when nothing has got through; null while it works. */
  readonly failingSince: EpochMs | null;
  /** Of the last failure: a sentence. */
  readonly trouble: string | null;
  readonly deliveredAt: EpochMs | null;
  /** By us, since it failed for long or asked for it; null when it was not, or was enabled again since. */
  readonly disabledAt: EpochMs | null;
}

/** An event that a webhook did not take. */
export interface DeadLetter {
  /** Grows with the time of giving up. */
  readonly seq: number;
  readonly account: string;
  readonly webhook: string;
  readonly event: LiveEvent;
  readonly attempts: number;
  readonly why: string;
  readonly diedAt: EpochMs;
  /** It is to be sent again, since then. */
  readonly replayAt: EpochMs | null;
}

export interface DeadLetterFilter {
  readonly account: string;
  readonly webhook: string;
  /** When the event happened, both included. */
  readonly from?: EpochMs;
  readonly to?: EpochMs;
  readonly seq?: number;
}

/** Rejects with StoreAwayError; lists of pages with CursorError. */
export interface WebhookStore {
  states(): Promise<readonly WebhookState[]>;
  /** A cursor never goes back. */
  save(state: WebhookState): Promise<void>;
  /** Of a webhook that was deleted, with its dead letters. */
  forget(account: string, webhook: string): Promise<void>;
  /** Gives the event up, and goes on behind it. */
  bury(letter: Omit<DeadLetter, 'seq' | 'replayAt'>, state: WebhookState): Promise<void>;
  /** Newest first. */
  deadLetters(filter: DeadLetterFilter, page: { readonly cursor?: string; readonly limit: number }): Promise<Page<DeadLetter>>;
  /** Asks for these to be sent again; how many. */
  replay(filter: DeadLetterFilter, at: EpochMs): Promise<number>;
  /** Of all webhooks, those that are to be sent again, the oldest event first. */
  toReplay(limit: number): Promise<readonly DeadLetter[]>;
  /** It was sent again, and taken; or not, and stays for `why`. */
  replayed(seq: number, why: string | null): Promise<void>;
  removeBefore(at: EpochMs): Promise<number>;
}
