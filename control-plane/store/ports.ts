/**
 * What the runtime needs of the stores. Implementations: redis/ (live state), files/ (journals and CDRs in the data
 * directory). None is ever waited for on a call's path.
 */
import type { CallId } from '../core/ids.ts';
import type { EpochMs } from '../core/time.ts';
import type { CallCommand } from '../core/call/commands.ts';
import type { CallEvent, Offer } from '../core/call/events.ts';
import type { CallFact } from '../core/call/facts.ts';
import type { Plan } from '../core/routing/plan.ts';
import type { Cdr } from '../core/cdr/cdr.ts';

/** A journal is one `opened` and then one `step` per event, in order; replaying the events gives the same commands. */
export type JournalRecord =
  | { readonly kind: 'opened'; readonly at: EpochMs; readonly offer: Offer; readonly plan: Plan; readonly controller: string }
  | {
      readonly kind: 'step';
      readonly at: EpochMs;
      readonly event: CallEvent;
      readonly commands: readonly CallCommand[];
      readonly facts: readonly CallFact[];
    };

/** Journals of live calls, shared between controllers. A hint: it may lack the last 200 ms, or be empty. */
export interface LiveJournals {
  /** Returns at once; records are sent pipelined, and dropped with a metric when the store is away too long. */
  append(callId: CallId, record: JournalRecord): void;
  /** Empty when nothing is known of the call. Rejects when the store is away. */
  read(callId: CallId): Promise<readonly JournalRecord[]>;
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
  flush(): Promise<void>;
}
