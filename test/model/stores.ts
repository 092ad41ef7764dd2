/** Journals and CDRs that outlive a controller of the model; what a dead one still tries to write is dropped. */
import type { Cdr } from '../../control-plane/core/cdr/cdr.ts';
import type { CallId } from '../../control-plane/core/ids.ts';
import type { CallArchive, JournalRecord, LiveJournals } from '../../control-plane/store/ports.ts';

export interface Disk {
  readonly live: Map<CallId, JournalRecord[]>;
  readonly archive: Map<CallId, JournalRecord[]>;
  readonly cdrs: Cdr[];
}

export function createDisk(): Disk {
  return { live: new Map(), archive: new Map(), cdrs: [] };
}

/** What a crash left of the journals: the first `keep` records of each. A finished call keeps its own. */
export function truncate(disk: Disk, keep: number): void {
  for (const journals of [disk.live, disk.archive]) {
    for (const [callId, records] of journals) {
      if (disk.cdrs.some((cdr) => cdr.callId === callId)) continue;
      records.splice(keep);
      if (records.length === 0) journals.delete(callId);
    }
  }
}

const read = (from: Map<CallId, JournalRecord[]>) => (callId: CallId) => Promise.resolve([...(from.get(callId) ?? [])]);

export function storesOf(disk: Disk, alive: () => boolean): { readonly live: LiveJournals; readonly archive: CallArchive } {
  const append = (to: Map<CallId, JournalRecord[]>) => (callId: CallId, record: JournalRecord): void => {
    if (!alive()) return;
    const records = to.get(callId);
    if (records === undefined) to.set(callId, [record]);
    else records.push(record);
  };
  const hasCdr = (callId: CallId): boolean => disk.cdrs.some((cdr) => cdr.callId === callId);
  return {
    live: {
      append: append(disk.live),
      read: read(disk.live),
      takeUp: read(disk.live),
      letGo: () => undefined,
      list: () => Promise.resolve([...disk.live.keys()]),
      close: (callId) => void (alive() && disk.live.delete(callId)),
      flush: () => Promise.resolve(),
    },
    archive: {
      append: append(disk.archive),
      read: read(disk.archive),
      writeCdr(cdr) {
        if (alive()) disk.cdrs.push(cdr);
        return Promise.resolve();
      },
      hasCdr: (callId) => Promise.resolve(hasCdr(callId)),
      // one disk for all
      letGo: () => undefined,
      listOpen: () => Promise.resolve([...disk.archive.keys()].filter((callId) => !hasCdr(callId))),
      flush: () => Promise.resolve(),
    },
  };
}
