/**
 * `frontdesk replay <journal> ... [--call <id>]`: runs recorded calls again through today's core and compares every
 * decision. A journal is one call's export (a record a line), or a segment of the data directory's `journals/`; of a
 * call that went on into the next hour give both segments. Lines that cannot be read are named, and what can be
 * judged is judged all the same. Exit code 0 only when every call asked for decides the same.
 */
import { readFile } from 'node:fs/promises';
import { StartError } from '../main.ts';
import { replay } from '../runtime/replay.ts';
import type { JournalRecord } from '../store/ports.ts';
import { describeFact } from '../telemetry/timeline.ts';
import { say } from './say.ts';
import { argumentsOf, UsageError } from './usage-error.ts';

interface Recorded {
  readonly records: JournalRecord[];
  /** Of the first record that should be there and is not. */
  missing?: number;
}

export async function replayJournal(args: readonly string[]): Promise<number> {
  const { values, positionals } = argumentsOf(args, { call: { type: 'string' } });
  if (positionals.length === 0) throw new UsageError('Which journal? For example: frontdesk replay .frontdesk/journals/2026-11-21T10.ndjson');
  const calls = new Map<string, Recorded>();
  let damaged = 0;
  for (const file of positionals) damaged += readInto(calls, file, await readJournal(file));
  const wanted = values.call === undefined ? [...calls.keys()] : [values.call];
  if (wanted.length === 0 && damaged === 0) throw new StartError(`${positionals.join(', ')} has no call in it.`);
  let differ = 0;
  for (const id of wanted) {
    const recorded = calls.get(id);
    if (recorded === undefined) throw new StartError(`There is no call ${id} in ${positionals.join(', ')}; there are: ${[...calls.keys()].slice(0, 20).join(', ') || 'none'}.`);
    if (!print(id, recorded)) differ += 1;
  }
  process.stdout.write(`${wanted.length} ${wanted.length === 1 ? 'call' : 'calls'} replayed, ${differ} not the same${damaged === 0 ? '' : `, ${damaged} damaged ${damaged === 1 ? 'line' : 'lines'}`}\n`);
  return differ === 0 && damaged === 0 ? 0 : 1;
}

async function readJournal(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const why = code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a directory: name the segments in it' : (code ?? String(error));
    throw new StartError(`${file} cannot be read: ${why}.`, { cause: error });
  }
}

/** Returns how many lines could not be read. */
function readInto(calls: Map<string, Recorded>, file: string, text: string): number {
  let damaged = 0;
  let exported: string | undefined;
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const parsed = parseLine(line);
    if (parsed === null) {
      damaged += 1;
      say(`${file}:${index + 1} is not a journal's record: the journal is damaged there.`);
      continue;
    }
    if (parsed.record.kind === 'opened') exported = parsed.record.offer.callId;
    const id = parsed.callId ?? exported ?? 'unknown';
    const recorded = calls.get(id) ?? { records: [] };
    calls.set(id, recorded);
    // In a segment records are numbered: one seen twice was written again after a failed write.
    if (parsed.seq === undefined || parsed.seq === recorded.records.length) recorded.records.push(parsed.record);
    else if (parsed.seq > recorded.records.length) recorded.missing ??= recorded.records.length;
  }
  return damaged;
}

function parseLine(line: string): { readonly callId?: string; readonly seq?: number; readonly record: JournalRecord } | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  if (isRecord(value)) return { record: value };
  const { callId, seq, record } = value as { readonly callId?: unknown; readonly seq?: unknown; readonly record?: unknown };
  return typeof callId === 'string' && typeof seq === 'number' && isRecord(record) ? { callId, seq, record } : null;
}

/** As deep as replaying relies on; what is wrong deeper shows as another decision. */
function isRecord(value: unknown): value is JournalRecord {
  if (typeof value !== 'object' || value === null || !('kind' in value) || !('at' in value) || typeof value.at !== 'number') return false;
  const has = (name: string): boolean => typeof (value as Readonly<Record<string, unknown>>)[name] === 'object' && (value as Readonly<Record<string, unknown>>)[name] !== null;
  if (value.kind === 'opened') return has('offer') && has('plan');
  return value.kind === 'step' && has('event') && has('commands') && has('facts');
}

function print(id: string, { records, missing }: Recorded): boolean {
  const result = replay(records);
  if (result === null) {
    process.stdout.write(`${id}: the journal does not begin with the call's opening; give the segment before it too.\n`);
    return false;
  }
  const verdict = result.matches ? 'same decisions' : `decides otherwise: ${JSON.stringify(result.firstDifference)}`;
  process.stdout.write(`${id}: ${verdict}${missing === undefined ? '' : `; record ${missing} is missing, and what follows it is not judged`}\n`);
  const names = new Map<string, string>();
  for (const { at, fact } of result.facts) {
    if (fact.type === 'LegDialed') names.set(fact.legId, fact.label);
    process.stdout.write(`  ${new Date(at).toISOString()}  ${describeFact(fact, names)}\n`);
  }
  return result.matches && missing === undefined;
}
