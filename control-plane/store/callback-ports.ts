/**
 * Callbacks (Q6), in the database: there they outlive every controller, and Redis. Whoever makes a try has it alone, by
 * compare-and-set, so that nobody is called twice at once.
 *
 *   waiting ─begin─> calling ─ended─> waiting, until `notBefore` ─ … ─> over
 *      └───────────────over──────────────────────────────────────────────^
 */
import type { CallId } from '../core/ids.ts';
import type { EpochMs } from '../core/time.ts';
import type { Page } from './ports.ts';

/**
 * reached: answered, pressed the key, and waited in the queue. unanswered: after the last try. called-again: by themselves.
 * served: by an agent who was there first. expired: kept for so long. refused: the number may not be called any more.
 * closed: there is no such queue any more.
 */
export const callbackOutcomes = ['reached', 'unanswered', 'called-again', 'served', 'canceled', 'expired', 'refused', 'closed'] as const;
export type CallbackOutcome = (typeof callbackOutcomes)[number];

export interface AskedCallback {
  readonly account: string;
  readonly id: string;
  readonly queue: string;
  /** That is called. */
  readonly number: string;
  /** Of ours, that had been called. */
  readonly dialled: string;
  /** Null: it was asked for over the API. */
  readonly call: CallId | null;
  /** Which time it was that the call waited. */
  readonly visit: number;
  readonly priority: number;
  readonly enteredAt: EpochMs;
  readonly joinedAt: EpochMs;
  readonly sticky: string | null;
  readonly askedAt: EpochMs;
}

export interface CallbackTry {
  readonly call: CallId;
  readonly at: EpochMs;
  readonly endedAt: EpochMs | null;
  /** `unknown`: whoever made it died meanwhile. */
  readonly outcome: string | null;
}

export interface KeptCallback extends AskedCallback {
  readonly state: 'waiting' | 'calling' | 'over';
  readonly tries: readonly CallbackTry[];
  /** Not tried before this. */
  readonly notBefore: EpochMs;
  readonly outcome: CallbackOutcome | null;
  readonly endedAt: EpochMs | null;
}

/** tried: whoever was called was reached, or how the call ended. over: no further try is made. */
export type CallbackNews = { readonly at: EpochMs } & (
  | { readonly type: 'tried'; readonly call: CallId; readonly outcome: string }
  | { readonly type: 'over'; readonly account: string; readonly id: string; readonly outcome: CallbackOutcome });

/**
 * What became of callbacks, until the database has it: beside the controller that knows it, which may die, and for all
 * others. Each rejects when it is away.
 */
export interface CallbackNewsStore {
  /** What was said first by a key holds. */
  put(key: string, news: CallbackNews): Promise<void>;
  all(): Promise<ReadonlyMap<string, CallbackNews>>;
  remove(key: string): Promise<void>;
}

/** Each rejects when the store is away. */
export interface CallbackStore {
  /** Once for an id. False: it has been, and is over. */
  keep(callback: AskedCallback): Promise<boolean>;
  /** All that are not over, in order of their asking. */
  open(): Promise<readonly KeptCallback[]>;
  get(account: string, id: string): Promise<KeptCallback | null>;
  /** That this call tries. */
  triedBy(call: CallId): Promise<KeptCallback | null>;
  /** Takes it for one try, the next after so many. False: somebody else has it, or it is over. */
  begin(taken: { readonly account: string; readonly id: string; readonly tries: number; readonly call: CallId; readonly at: EpochMs }): Promise<boolean>;
  /** Of the try under way, once, also where it is over already. `again` null: it is over, as `over` says. */
  ended(call: CallId, end: { readonly at: EpochMs; readonly outcome: string; readonly again: EpochMs | null; readonly over: CallbackOutcome | null }): Promise<void>;
  /** No further try is made; one that is under way goes on. False: there is none, or it is over. */
  over(account: string, id: string, outcome: CallbackOutcome, at: EpochMs): Promise<boolean>;
  /** Newest first. */
  list(filter: { readonly account: string; readonly queue: string; readonly open?: boolean }, page: { readonly cursor?: string; readonly limit: number }): Promise<Page<KeptCallback>>;
  /** Those that were over by then, of one account or of all; how many. */
  removeBefore(at: EpochMs, account?: string): Promise<number>;
}
