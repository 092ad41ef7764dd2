/** A file of contacts comes out as it went in, whatever is written in them. */
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { afterImport, contactLine, headerLine, readContactFile, type ReadFile } from '../../control-plane/contacts/contact-file.ts';
import { contactDocument, contactOf, isSame } from '../../control-plane/contacts/document.ts';

const text = (most: number) => fc.oneof(fc.string({ unit: 'grapheme', minLength: 1, maxLength: most }), fc.constantFrom('=1+1', '-1', '+1', '@x', "'=1", "'t Hart", "''", '"', '"quoted"', ',', ';', ' a ', "'", 'a\u2028b'));
const contacts = fc.uniqueArray(fc.record({
  number: fc.integer({ min: 1_000_000, max: 9_999_999 }).map((digits) => `+1${digits}`), name: text(40), owner: fc.option(fc.constantFrom('ann', 'bob'), { nil: undefined }),
  tags: fc.uniqueArray(text(10), { maxLength: 3 }), fields: fc.dictionary(fc.constantFrom('note', 'Insurance', 'constructor', 'x-1'), text(20)),
}), { selector: ({ number }) => number, maxLength: 20 });

it('as long as the API would take it', async () => {
  let taken = 0;
  await fc.assert(fc.asyncProperty(contacts, fc.boolean(), async (some, forSpreadsheet) => {
    const kept = some.flatMap(({ owner, ...one }) => {
      const parsed = contactDocument.safeParse({ ...one, ...(owner === undefined ? {} : { owner }) });
      return parsed.success ? [{ number: parsed.data.number, ...contactOf(parsed.data), version: 1, createdAt: 0, updatedAt: 0 }] : [];
    });
    const fields = [...new Set(kept.flatMap((one) => Object.keys(one.fields ?? {})))];
    const file = [headerLine(fields), ...kept.map((one) => contactLine(one, fields, forSpreadsheet))].join('');
    const read = await readContactFile(Buffer.from(file), () => true);
    if (!read.ok) throw new Error(JSON.stringify([file, read.problems]));
    expect(read.file.rows.map(({ number }) => number)).toEqual(kept.map(({ number }) => number));
    for (const [i, row] of read.file.rows.entries()) expect([row, isSame(afterImport(row, read.file.columns, undefined), kept[i] ?? { name: '' })]).toEqual([row, true]);
    taken += kept.length;
  }), { numRuns: 300 });
  expect(taken).toBeGreaterThan(500);
});

const isSaid = ({ lines, problems }: Extract<ReadFile, { ok: false }>): boolean => lines > 0 && problems.length > 0 && problems.every(({ path }) => /^line \d+/.test(path));

it('and any bytes at all are read or refused, with the line', async () => {
  let refused = 0;
  const line = fc.oneof(fc.string(), fc.constantFrom('number,name', '+12025550187,Jo', '"', 'a,"b', ',,,', '\ufeff'));
  await fc.assert(fc.asyncProperty(fc.oneof(fc.uint8Array(), fc.array(line).map((lines) => new Uint8Array(Buffer.from(lines.join('\n'))))), async (bytes) => {
    const read = await readContactFile(bytes, () => true);
    if (read.ok) return true;
    refused += 1;
    return isSaid(read);
  }), { numRuns: 500 });
  expect(refused).toBeGreaterThan(100);
});
