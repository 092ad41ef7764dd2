/**
 * `frontdesk replay <journal> [--call <id>]`: runs a recorded call again through today's core and compares every
 * decision. The journal is one call's export (a record a line), or a segment of the data directory's `journals/`.
 */
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { StartError } from '../main.ts';
import { replay } from '../runtime/replay.ts';
import type { JournalRecord } from '../store/ports.ts';
import { describeFact } from '../telemetry/timeline.ts';

export async function replayJournal(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args: [...args], options: { call: { type: 'string' } }, allowPositionals: true, strict: false });
  const [file] = positionals;
  if (file === undefined) throw new StartError('Which journal? For example: frontdesk replay .frontdesk/journals/2026-11-21T10.ndjson');
  const calls = callsIn(file, await readJournal(file));
  const wanted = values.call === undefined ? [...calls.keys()] : [String(values.call)];
  let differ = 0;
  for (const id of wanted) {
    const records = calls.get(id);
    if (records === undefined) throw new StartError(`${file} has no call ${id}. It has: ${[...calls.keys()].slice(0, 20).join(', ')}`);
    if (!print(id, records)) differ += 1;
  }
  process.stdout.write(`${wanted.length} calls replayed, ${differ} differ\n`);
  return differ === 0 ? 0 : 1;
}

async function readJournal(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new StartError(`${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'}).`, { cause: error });
  }
}

function callsIn(file: string, text: string): Map<string, JournalRecord[]> {
  const calls = new Map<string, JournalRecord[]>();
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    let parsed: { readonly callId?: string; readonly record?: JournalRecord };
    try {
      parsed = JSON.parse(line) as typeof parsed;
    } catch {
      throw new StartError(`${file}:${index + 1} is not JSON: the journal is damaged there.`);
    }
    const record = parsed.record ?? (parsed as unknown as JournalRecord);
    const id = parsed.callId ?? (record.kind === 'opened' ? record.offer.callId : ([...calls.keys()].at(-1) ?? 'unknown'));
    const records = calls.get(id);
    if (records === undefined) calls.set(id, [record]);
    else records.push(record);
  }
  return calls;
}

function print(id: string, records: readonly JournalRecord[]): boolean {
  const result = replay(records);
  if (result === null) {
    process.stdout.write(`${id}: the journal does not begin with the call's opening; give the segment before it too.\n`);
    return false;
  }
  process.stdout.write(`${id}: ${result.matches ? 'same decisions' : `decides otherwise: ${JSON.stringify(result.firstDifference)}`}\n`);
  const names = new Map<string, string>();
  for (const { at, fact } of result.facts) {
    if (fact.type === 'LegDialed') names.set(fact.legId, fact.label);
    process.stdout.write(`  ${new Date(at).toISOString()}  ${describeFact(fact, names)}\n`);
  }
  return result.matches;
}
