/**
 * Who is heard, and by whom, is for keys that may supervise (docs/decisions/0025-supervision.md). For others there is no call
 * of a supervisor's, live or past, and no word of one in the calls that were heard.
 */
import type { Cdr } from '../core/cdr/cdr.ts';
import { isSupervision } from '../core/ids.ts';
import type { LiveEvent } from '../events/catalogue.ts';
import type { ApiKey, JournalRecord } from '../store/ports.ts';
import { mayDo } from './route.ts';

export function seesSupervisions(key: ApiKey): boolean {
  return mayDo(key, 'supervisor');
}

/** Null: for such a key there is no such call. */
export function withoutSupervision<T extends Pick<Cdr, 'callId' | 'supervisedBy'>>(call: T): Omit<T, 'supervisedBy'> | null {
  const { supervisedBy: _, ...rest } = call;
  return isSupervision(call.callId) ? null : rest;
}

export function callFor<T extends Pick<Cdr, 'callId' | 'supervisedBy'>>(key: ApiKey, call: T): T | Omit<T, 'supervisedBy'> | null {
  return seesSupervisions(key) ? call : withoutSupervision(call);
}

export function callsFor<T extends Pick<Cdr, 'callId' | 'supervisedBy'>>(key: ApiKey, calls: readonly T[]): readonly (T | Omit<T, 'supervisedBy'>)[] {
  return calls.flatMap((call) => callFor(key, call) ?? []);
}

export function journalFor(key: ApiKey, records: readonly JournalRecord[]): readonly JournalRecord[] {
  return seesSupervisions(key) ? records : records.filter((record) => record.kind !== 'step' || record.event.type !== 'SupervisionTold');
}

/** Null: it is not for this key. */
export function eventFor(key: ApiKey, event: LiveEvent): LiveEvent | null {
  if (seesSupervisions(key) || !('callId' in event.data)) return event;
  if (event.type !== 'call.ended') return isSupervision(event.data.callId) ? null : event;
  const { supervisedBy: _, ...data } = event.data;
  return isSupervision(data.callId) ? null : { ...event, data };
}
