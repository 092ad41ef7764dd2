/**
 * Reading journals back. A segment holds one hour of all calls, a line per record:
 * `{"callId":"…","seq":0,"record":{…}}`. Reading goes over recent segments only and is bounded; lines that cannot be
 * read are passed over, and a call keeps its records up to the first that is missing.
 */
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { CallId } from '../../core/ids.ts';
import type { JournalRecord } from '../ports.ts';

/** More than the longest call is long, within what can be read in seconds. */
const recentFiles = 26;
const recentBytes = 1_000_000_000;

interface Line {
  readonly callId: CallId;
  readonly seq: number;
  readonly record: JournalRecord;
}

const head = /^\{"callId":"([^"\\]*)",/;

/** Files of a folder by name, the oldest first, as many of the newest as are recent; empty when there is no folder. */
export async function recent(dir: string): Promise<readonly string[]> {
  let names: string[];
  try {
    names = await readdir(dir);
  } catch {
    return [];
  }
  const chosen: string[] = [];
  let bytes = 0;
  for (const name of names.filter((one) => one.endsWith('.ndjson')).sort().toReversed().slice(0, recentFiles)) {
    const path = join(dir, name);
    bytes += (await stat(path)).size;
    if (chosen.length > 0 && bytes > recentBytes) break;
    chosen.unshift(path);
  }
  return chosen;
}

/** The call a line is about, without parsing what may be kilobytes; null for a line that is none. */
function callIdOfLine(line: string): CallId | null {
  return head.exec(line)?.[1] ?? null;
}

/** Call ids named at the beginning of each line, in order. */
export async function* callIds(paths: readonly string[]): AsyncGenerator<CallId> {
  for await (const line of linesOf(paths)) {
    const callId = callIdOfLine(line);
    if (callId !== null) yield callId;
  }
}

/** Records of the calls asked for, each call's from its first on and without a gap. */
export async function readJournals(paths: readonly string[], wanted: (callId: CallId) => boolean): Promise<ReadonlyMap<CallId, readonly JournalRecord[]>> {
  const found = new Map<CallId, JournalRecord[]>();
  for await (const line of linesOf(paths)) {
    const callId = callIdOfLine(line);
    if (callId === null || !wanted(callId)) continue;
    const parsed = parse(line);
    if (parsed === null) continue;
    const records = found.get(callId) ?? [];
    // One seen twice was written again after a failed write; one beyond the next follows a hole.
    if (parsed.seq === records.length) records.push(parsed.record);
    if (records.length > 0) found.set(callId, records);
  }
  return found;
}

function parse(line: string): Line | null {
  try {
    return JSON.parse(line) as Line;
  } catch {
    return null;
  }
}

async function* linesOf(paths: readonly string[]): AsyncGenerator<string> {
  for (const path of paths) {
    const lines = createInterface({ input: createReadStream(path, { encoding: 'utf8', highWaterMark: 1 << 20 }), crlfDelay: Infinity });
    for await (const line of lines) yield line;
  }
}
