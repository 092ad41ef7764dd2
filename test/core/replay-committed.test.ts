/**
 * Calls that earlier builds handled on a real switch decide the same today. Each file of test/replay is one call's
 * journal, a record a line, as it was written then: a change of the core that would drop or reroute the calls live at
 * an update shows here. A file is changed only where its decision was wrong, or where a command says more than it did
 * (`MarkCall` its call), never to make this pass.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { replay } from '../../control-plane/runtime/replay.ts';
import { recordOf } from '../../control-plane/store/record-line.ts';

const folder = join(import.meta.dirname, '../replay');
const names = readdirSync(folder).filter((name) => name.endsWith('.ndjson'));
const recordsOf = (name: string) => readFileSync(join(folder, name), 'utf8').trim().split('\n').map(recordOf);

test('There are calls to replay', () => {
  expect(names).toEqual(expect.arrayContaining(['menu.ndjson', 'recording.ndjson', 'ring-and-answer.ndjson', 'screening.ndjson', 'voicemail.ndjson']));
});

test.each(names)('%s decides as it did', (name) => {
  const result = replay(recordsOf(name));
  expect(result?.firstDifference).toBeUndefined();
  expect([result?.matches, result?.call.phase]).toEqual([true, 'ended']);
});

test.each([
  ['ring-and-answer.ndjson', 'answered', 'phone 102'],
  ['screening.ndjson', 'answered', 'mobile'],
  ['voicemail.ndjson', 'no-answer', undefined],
  ['recording.ndjson', 'answered', 'desk'],
  ['menu.ndjson', 'answered', 'phone 102'],
])('%s: the record says %s', (name, disposition, by) => {
  const cdr = replay(recordsOf(name))?.cdr;
  expect([cdr?.disposition, cdr?.legs.find((leg) => leg.legId === cdr.answeredBy)?.label]).toEqual([disposition, by]);
});

test.each(names)('%s cut anywhere is still the same call so far', (name) => {
  const records = recordsOf(name);
  for (let length = 1; length <= records.length; length += 1) expect(replay(records.slice(0, length))?.firstDifference).toBeUndefined();
});
