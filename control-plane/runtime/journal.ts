/**
 * A call's journal across its two homes: the live store, shared and forgetful, and the archive on this disk. Both are
 * written with every record and neither is waited for, so after a crash either may be the longer, or empty.
 */
import type { CallId } from '../core/ids.ts';
import { sinceOpened } from './replay.ts';
import type { CallArchive, JournalRecord, LiveJournals } from '../store/ports.ts';
import type { Log } from '../telemetry/log.ts';

export interface Journal {
  append(callId: CallId, record: JournalRecord): void;
  /** The better of what the two stores have, and both stores brought up to it, for who has the call from now on; empty when neither knows the call. */
  recover(callId: CallId): Promise<readonly JournalRecord[]>;
  /** Calls with a journal anywhere and no end that we know of. */
  listOpen(): Promise<readonly CallId[]>;
}

export function createJournal(live: LiveJournals, archive: CallArchive, log: Log): Journal {
  const orEmpty = async <T>(what: string, read: Promise<readonly T[]>): Promise<readonly T[] | null> => {
    try {
      return await read;
    } catch (error) {
      log.warn({ error: String(error) }, `${what} cannot be read; going on with what else is known`);
      return null;
    }
  };

  return {
    append: (callId, record) => {
      live.append(callId, record);
      archive.append(callId, record);
    },
    recover: async (callId) => {
      const [shared, kept] = await Promise.all([orEmpty('The live journal', live.takeUp(callId)), orEmpty('The archive', archive.read(callId))]);
      const ours = sinceOpened(kept ?? []);
      const theirs = sinceOpened(shared ?? []);
      if (continues(ours, theirs)) {
        if (shared !== null) for (const record of ours.slice(theirs.length)) live.append(callId, record);
        return ours;
      }
      // Ours went on while another had the call: it is of the past, and theirs begins with an opening of its own.
      if (kept !== null) for (const record of continues(theirs, ours) ? theirs.slice(ours.length) : theirs) archive.append(callId, record);
      return theirs;
    },
    listOpen: async () => {
      const [shared, kept] = await Promise.all([orEmpty('The live journals', live.list()), orEmpty('The archive', archive.listOpen())]);
      return [...new Set([...(shared ?? []), ...(kept ?? [])])];
    },
  };
}

/** Whether `longer` begins as `shorter` does; judged by the last common record, since records are only appended. */
function continues(longer: readonly JournalRecord[], shorter: readonly JournalRecord[]): boolean {
  if (longer.length < shorter.length) return false;
  if (shorter.length === 0) return true;
  const last = shorter.length - 1;
  return JSON.stringify(longer[last]) === JSON.stringify(shorter[last]);
}
