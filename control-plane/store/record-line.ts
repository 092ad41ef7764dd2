/**
 * The text of a journal record. The same record goes to the live store and to the disk one after the other, so the
 * last one is remembered and each is serialised once.
 */
import type { JournalRecord } from './ports.ts';

let lastRecord: JournalRecord | null = null;
let lastText = '';

export function recordText(record: JournalRecord): string {
  if (record !== lastRecord) {
    lastText = JSON.stringify(record);
    lastRecord = record;
  }
  return lastText;
}

export function recordOf(text: string): JournalRecord {
  return JSON.parse(text) as JournalRecord;
}
