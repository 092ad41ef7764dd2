/**
 * A journal run again through `transition`: the same events must give the same commands and facts. This is how a
 * call comes back after its controller died, and how `frontdesk replay` turns a production call into a test.
 */
import { isDeepStrictEqual } from 'node:util';
import { newCall, type Call } from '../core/call/call.ts';
import type { CallFact } from '../core/call/facts.ts';
import { transition as theTransition } from '../core/call/transition.ts';
import { emptyCdr, foldCdr, type Cdr } from '../core/cdr/cdr.ts';
import type { EpochMs } from '../core/time.ts';
import type { JournalRecord } from '../store/ports.ts';

export interface TimedFact {
  readonly at: EpochMs;
  readonly fact: CallFact;
}

interface Difference {
  /** Index in the journal. */
  readonly record: number;
  readonly what: 'commands' | 'facts' | 'exception';
  readonly recorded: unknown;
  readonly replayed: unknown;
}

export interface Replay {
  readonly matches: boolean;
  readonly firstDifference?: Difference;
  readonly call: Call;
  readonly cdr: Cdr;
  readonly facts: readonly TimedFact[];
}

/** From the last opening on; all when there is none. */
export function sinceOpened(records: readonly JournalRecord[]): readonly JournalRecord[] {
  return records.slice(Math.max(0, records.findLastIndex(({ kind }) => kind === 'opened')));
}

/** The highest version of the records that count. */
export function versionOf(records: readonly JournalRecord[]): number {
  return Math.max(1, ...sinceOpened(records).map(({ v }) => v ?? 1));
}

/** Null when the records do not begin with the call's opening: nothing can be said of it. */
export function replay(all: readonly JournalRecord[], transition: typeof theTransition = theTransition): Replay | null {
  const records = sinceOpened(all);
  const [opened] = records;
  if (opened?.kind !== 'opened') return null;
  let call = newCall(opened.offer, opened.plan, opened.at);
  let cdr = emptyCdr(call.id, call.plan);
  const facts: TimedFact[] = [];
  let firstDifference: Difference | undefined;

  for (const [at, record] of records.entries()) {
    const index = all.length - records.length + at;
    if (record.kind === 'opened') continue;
    let happened: readonly CallFact[];
    try {
      const next = transition(call, record.event, { now: record.at });
      call = next.call;
      happened = next.facts;
      if (!same(record.commands, next.commands)) {
        firstDifference ??= { record: index, what: 'commands', recorded: record.commands, replayed: next.commands };
      } else if (!same(record.facts, next.facts)) {
        firstDifference ??= { record: index, what: 'facts', recorded: record.facts, replayed: next.facts };
      }
    } catch (error) {
      firstDifference ??= { record: index, what: 'exception', recorded: record.commands, replayed: String(error) };
      happened = record.facts;
    }
    for (const fact of happened) {
      facts.push({ at: record.at, fact });
      cdr = foldCdr(cdr, fact, record.at);
    }
  }
  return firstDifference === undefined ? { matches: true, call, cdr, facts } : { matches: false, firstDifference, call, cdr, facts };
}

/** As JSON, since that is what a journal keeps; the order of keys may differ between builds. */
function same(recorded: unknown, replayed: unknown): boolean {
  const text = JSON.stringify(replayed);
  return JSON.stringify(recorded) === text || isDeepStrictEqual(recorded, JSON.parse(text));
}
