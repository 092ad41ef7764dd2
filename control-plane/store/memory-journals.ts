/** Live journals and archive in memory: for the model test, and held to the same suite as the real ones. */
import type { CallId } from '../core/ids.ts';
import type { Cdr } from '../core/cdr/cdr.ts';
import type { CallArchive, JournalRecord, LiveJournals } from './ports.ts';
import { recordOf, recordText } from './record-line.ts';

export interface MemoryJournals extends LiveJournals {
  /** As a crash does: the call keeps its first `length` records. */
  truncate(callId: CallId, length: number): void;
  /** As a store that was emptied. */
  clear(): void;
}

export function memoryJournals(): MemoryJournals {
  const journals = new Map<CallId, string[]>();
  const read: LiveJournals['read'] = (callId) => Promise.resolve((journals.get(callId) ?? []).map(recordOf));
  return {
    append: (callId, record) => { push(journals, callId, record); },
    read,
    takeUp: read,
    letGo: () => undefined,
    list: () => Promise.resolve([...journals.keys()]),
    close: (callId) => { journals.delete(callId); },
    flush: () => Promise.resolve(),
    truncate: (callId, length) => { truncate(journals, callId, length); },
    clear: () => { journals.clear(); },
  };
}

export interface MemoryArchive extends CallArchive {
  cdrs(): readonly Cdr[];
  /** CDRs refused because their call had one. */
  duplicates(): number;
  truncate(callId: CallId, length: number): void;
}

export function memoryArchive(): MemoryArchive {
  const journals = new Map<CallId, string[]>();
  const cdrs = new Map<CallId, Cdr>();
  let duplicates = 0;
  return {
    append: (callId, record) => { push(journals, callId, record); },
    read: (callId) => Promise.resolve((journals.get(callId) ?? []).map(recordOf)),
    listOpen: () => Promise.resolve([...journals.keys()].filter((callId) => !cdrs.has(callId))),
    writeCdr: (cdr) => {
      if (cdrs.has(cdr.callId)) duplicates++;
      else cdrs.set(cdr.callId, cdr);
      return Promise.resolve();
    },
    hasCdr: (callId) => Promise.resolve(cdrs.has(callId)),
    letGo: (callId) => { journals.delete(callId); },
    flush: () => Promise.resolve(),
    cdrs: () => [...cdrs.values()],
    duplicates: () => duplicates,
    truncate: (callId, length) => { truncate(journals, callId, length); },
  };
}

function push(journals: Map<CallId, string[]>, callId: CallId, record: JournalRecord): void {
  const text = recordText(record);
  const journal = journals.get(callId);
  if (journal === undefined) journals.set(callId, [text]);
  else journal.push(text);
}

function truncate(journals: Map<CallId, string[]>, callId: CallId, length: number): void {
  const journal = journals.get(callId);
  if (journal === undefined) return;
  if (length === 0) journals.delete(callId);
  else journal.length = Math.min(journal.length, length);
}
