/**
 * Contacts as a CSV file (RFC 4180, UTF-8), in and out: columns `number`, `name`, `owner`, `tags` and `field.<name>` in
 * any order, the header first. A contact is one line, so each line is judged by itself and all that are wrong are named.
 *
 * Spreadsheets take a value that begins with = + - or @ for a formula. It is given as it is, or for a spreadsheet with
 * the ' before it that marks a text there; that mark is taken off again when it comes back.
 */
import { parse, CsvError } from 'csv-parse/sync';
import { problemsOf, type Problem } from '../configuration/check.ts';
import type { Contact, E164 } from '../core/routing/config.ts';
import type { KeptContact } from './contact-book.ts';
import { contactDocument, contactOf, isFieldName, mostFields } from './document.ts';

/** add: contacts come to what the file's columns say, others stay. replace: the account has those of the file and no others. */
export type ImportMode = 'add' | 'replace';

export interface FileRow {
  readonly line: number;
  readonly number: E164;
  readonly contact: Contact;
}

/** Which columns the file has beside `number` and `name`. */
export interface FileColumns {
  readonly owner: boolean;
  readonly tags: boolean;
  readonly fields: readonly string[];
}

export interface ContactFile {
  readonly columns: FileColumns;
  readonly rows: readonly FileRow[];
}

export type ReadFile =
  | { readonly ok: true; readonly file: ContactFile }
  /** `lines` are wrong; of their problems the first, and how many there are more. */
  | { readonly ok: false; readonly lines: number; readonly problems: readonly Problem[]; readonly more: number };

export const mostRows = 200_000;
const mostProblems = 100;
/** Read without a pause. */
const bytesAtOnce = 16_384;
const newline = 0x0a;
const marked = /^'(?=[=+\-@'])/;
const formula = /^[=+\-@]/;

/** `hasUser`: of the account. Lets others go on between two pieces. */
export async function readContactFile(bytes: Uint8Array, hasUser: (id: string) => boolean): Promise<ReadFile> {
  const problems: Problem[] = [];
  let more = 0;
  const wrong = new Set<number>();
  const rows: FileRow[] = [];
  const lineOf = new Map<E164, number>();
  let header: Header | undefined;
  const say = (line: number, column: string, message: string): void => {
    wrong.add(line);
    if (problems.length === mostProblems) more += 1;
    else problems.push({ path: [`line ${line}`, ...(column === '' ? [] : [column])].join(' '), message });
  };
  const take = (line: number, cells: readonly string[], { columns, names }: Header): void => {
    const document: Record<string, unknown> = {};
    const fields: Record<string, string> = {};
    for (const [i, name] of names.entries()) {
      const value = (cells[i] ?? '').replace(marked, '');
      if (value === '') continue;
      if (name.startsWith('field.')) fields[name.slice('field.'.length)] = value;
      else document[name] = name === 'tags' ? value.split(';').map((one) => one.trim()).filter((one) => one !== '') : value;
    }
    const parsed = contactDocument.safeParse({ ...document, ...(columns.fields.length === 0 ? {} : { fields }) }, { reportInput: true });
    if (!parsed.success) {
      for (const { path, message } of problemsOf(parsed.error)) say(line, path.replace(/^fields\./, 'field.'), path === 'number' && typeof document['number'] === 'string' ? `“${document['number']}” ${message} No country code is guessed.` : message);
      return;
    }
    const { number, ...contact } = parsed.data;
    const first = lineOf.get(number);
    if (first !== undefined) say(line, 'number', `${number} is on line ${first} already. Keep one of the two.`);
    else if (contact.owner !== undefined && !hasUser(contact.owner)) say(line, 'owner', `there is no user “${contact.owner}”. Create it first, or correct the id.`);
    else rows.push({ line, number, contact: contactOf(contact) });
    if (first === undefined) lineOf.set(number, line);
  };

  let line = 0;
  for (const piece of piecesOf(bytes)) {
    const text = textOf(piece);
    if (typeof text === 'number') return nothingOf(line + text, [{ path: '', message: 'is not UTF-8. Save the file as “CSV UTF-8”.' }]);
    for (const { cells, why } of recordsOf(text)) {
      line += 1;
      if (why === undefined && cells.every((cell) => cell === '')) continue;
      if (header === undefined) {
        const found = why === undefined ? headerOf(cells) : { problems: [{ path: '', message: why }] };
        if ('problems' in found) return nothingOf(line, found.problems);
        header = found;
      } else if (why !== undefined) say(line, '', why);
      else if (cells.length !== header.names.length) say(line, '', `has ${cells.length} ${cells.length === 1 ? 'value' : 'values'}, and the header has ${header.names.length}. Put a value that has a comma in it in double quotes.`);
      else take(line, cells, header);
      if (rows.length > mostRows) return nothingOf(line, [{ path: '', message: `is one contact more than the ${mostRows.toLocaleString('en')} that an account may have.` }]);
    }
    await new Promise((resolve) => { setImmediate(resolve); });
  }
  if (header === undefined) return nothingOf(1, [{ path: '', message: 'must be the header, with the columns number and name.' }]);
  if (wrong.size > 0) return { ok: false, lines: wrong.size, problems, more };
  return { ok: true, file: { columns: header.columns, rows } };
}

/** The contact after the import of a row, of one that is there already or, `there` undefined, of one that is not. */
export function afterImport({ contact }: FileRow, columns: FileColumns, there: Contact | undefined): Contact {
  if (there === undefined) return contact;
  const { owner, tags, fields } = contact;
  const kept = Object.entries(there.fields ?? {}).filter(([name]) => !columns.fields.includes(name));
  return contactOf({
    name: contact.name,
    owner: columns.owner ? owner : there.owner,
    tags: [...((columns.tags ? tags : there.tags) ?? [])],
    fields: { ...Object.fromEntries(kept), ...fields },
  });
}

/** The file in pieces, as it would be read back. `fields`: the columns of fields, in order. */
export function headerLine(fields: readonly string[]): string {
  return `${['number', 'name', 'owner', 'tags', ...fields.map((name) => `field.${name}`)].join(',')}\n`;
}

export function contactLine({ number, name, owner = '', tags = [], fields = {} }: KeptContact, columns: readonly string[], forSpreadsheet: boolean): string {
  const cells = [number, name, owner, tags.join(';'), ...columns.map((column) => (Object.hasOwn(fields, column) ? (fields[column] ?? '') : ''))];
  return `${cells.map((cell) => cellOf(cell, forSpreadsheet)).join(',')}\n`;
}

function cellOf(value: string, forSpreadsheet: boolean): string {
  const text = marked.test(value) || (forSpreadsheet && formula.test(value)) ? `'${value}` : value;
  return /[",;]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

interface Header {
  /** By position. */
  readonly names: readonly string[];
  readonly columns: FileColumns;
}

function headerOf(cells: readonly string[]): Header | { readonly problems: readonly Problem[] } {
  if (cells.length === 1 && /[;\t]/.test(cells[0] ?? '')) return { problems: [{ path: '', message: 'has its columns separated by something else than commas. Save the file with commas.' }] };
  const names = cells.map((cell) => (/^field\./i.test(cell) ? `field.${cell.slice('field.'.length)}` : cell.toLowerCase()));
  const problems: Problem[] = [];
  for (const [i, name] of names.entries()) {
    const field = name.startsWith('field.') ? name.slice('field.'.length) : undefined;
    if (field === undefined ? !['number', 'name', 'owner', 'tags'].includes(name) : !isFieldName(field)) {
      problems.push({ path: `“${cells[i]}”`, message: 'is no column. Use number, name, owner, tags and field.<name>, whose name begins with a letter and has letters, digits, _ and -, at most 32; or remove it.' });
    } else if (names.indexOf(name) < i) problems.push({ path: `“${cells[i]}”`, message: 'is there twice. Remove one.' });
  }
  for (const name of ['number', 'name']) if (!names.includes(name)) problems.push({ path: '', message: `must name the columns, and “${name}” is not among them. Add it.` });
  const fields = names.flatMap((name) => (name.startsWith('field.') ? [name.slice('field.'.length)] : []));
  if (fields.length > mostFields) problems.push({ path: '', message: `has ${fields.length} columns of fields, and a contact has at most ${mostFields}. Remove some.` });
  return problems.length > 0 ? { problems } : { names, columns: { owner: names.includes('owner'), tags: names.includes('tags'), fields } };
}

/** Whole lines, each piece about as long as is read at once. */
function* piecesOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let from = 0; from < bytes.length;) {
    const end = bytes.indexOf(newline, Math.min(from + bytesAtOnce, bytes.length));
    const to = end === -1 ? bytes.length : end + 1;
    yield bytes.subarray(from, to);
    from = to;
  }
}

/** Without a byte order mark; or which of its lines, the first being 1, is not UTF-8. */
function textOf(bytes: Uint8Array): string | number {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    let line = 1;
    for (let from = 0; from < bytes.length; line++) {
      const end = bytes.indexOf(newline, from);
      const to = end === -1 ? bytes.length : end + 1;
      // one line alone is the one
      if ((from === 0 && to === bytes.length) || typeof textOf(bytes.subarray(from, to)) === 'number') break;
      from = to;
    }
    return line;
  }
}

/** The file as a whole cannot be read, for what is on this line. */
function nothingOf(line: number, problems: readonly Problem[]): ReadFile {
  return { ok: false, lines: 1, more: 0, problems: problems.map(({ path, message }) => ({ path: [`line ${line}`, path].filter((part) => part !== '').join(' '), message })) };
}

interface Line {
  readonly cells: readonly string[];
  /** Why it is no line of a CSV file. */
  readonly why?: string;
}

/** Of each line what it has. All at once where every line is one record, else one by one, to find which is not. */
function recordsOf(text: string): readonly Line[] {
  const lines = text.split(/\r\n|\n|\r/);
  if (lines.at(-1) === '') lines.pop();
  try {
    const records = cellsOf(text);
    if (records.length === lines.length) return records.map((cells) => ({ cells }));
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
  }
  return lines.map((line) => {
    try {
      return { cells: cellsOf(line)[0] ?? [] };
    } catch (error) {
      if (!(error instanceof CsvError)) throw error;
      return { cells: [], why: 'has a double quote that is not closed, or stands inside a value. A value with quotes in it is quoted, with each of them doubled; it is one line.' };
    }
  });
}

function cellsOf(text: string): readonly (readonly string[])[] {
  return parse(text, { relax_column_count: true, trim: true });
}
