/**
 * The contacts on the disk, for a start without the database: a JSON object a line, later lines of a contact win, one
 * with a null body takes it out. What is written is added at the end; when that has made the file twice as long as it
 * need be, it is written anew beside and renamed. Nothing here is ever waited for.
 */
import { createReadStream } from 'node:fs';
import { appendFile, stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { writeAtomically } from '../store/media-files/atomic-file.ts';
import type { ContactRow } from '../store/ports.ts';
import type { Log } from '../telemetry/log.ts';
import { createContactBook, type ContactBook } from './contact-book.ts';

export type CopiedRow = Omit<ContactRow, 'revision'>;

export interface ContactsCopy {
  /** These were written. */
  add(rows: readonly CopiedRow[]): void;
  /** All is another by now. */
  rewrite(): void;
  /** Settles when the file has what it was told of, or could not be written. */
  written(): Promise<void>;
}

const linesAtOnce = 500;
/** More than this are sooner written with all the rest. */
const mostAdded = 10_000;

/** `book` as it is whenever the file is written anew. `lines`: how many it has already. */
export function keepContactsCopy({ file, book, log }: { readonly file: string; readonly book: () => ContactBook; readonly log: Log }): ContactsCopy {
  let added: string[] = [];
  let whole = false;
  let surplus = 0;
  let running = false;
  let writing: Promise<void> = Promise.resolve();

  const write = async (): Promise<void> => {
    while (whole || added.length > 0) {
      if (whole) {
        // what is added from now on follows in the new file; some of it may be in it already
        [whole, added, surplus] = [false, [], 0];
        await writeAtomically(file, linesOf(book()));
      } else {
        const some = added.splice(0, linesAtOnce);
        await appendFile(file, some.join(''), { mode: 0o600 });
        surplus += some.length;
      }
    }
  };
  const run = (): void => {
    if (running) return;
    running = true;
    writing = write().catch((error: unknown) => {
      // the next change finds a file that lacks this one
      [whole, added, surplus] = [false, [], Infinity];
      log.warn({ error: String(error) }, 'The copy of the contacts on the disk could not be written; a start without the database would have older ones');
    }).finally(() => { running = false; });
  };

  return {
    add: (rows) => {
      if (rows.length === 0) return;
      if (surplus + added.length + rows.length > mostAdded + size(book())) whole = true;
      if (!whole) for (const row of rows) added.push(lineOf(row));
      run();
    },
    rewrite: () => {
      whole = true;
      run();
    },
    written: async () => {
      await writing;
    },
  };
}

export interface FoundCopy {
  readonly book: ContactBook;
  readonly at: Date;
}

/** What an earlier run left; undefined when there is none that can be read. A line cut by a crash is passed over. */
export async function readContactsCopy(file: string): Promise<FoundCopy | undefined> {
  try {
    const { mtime: at } = await stat(file);
    const book = createContactBook();
    let rows: CopiedRow[] = [];
    for await (const line of createInterface({ input: createReadStream(file, { encoding: 'utf8' }), crlfDelay: Infinity })) {
      const row = rowOf(line);
      if (row !== undefined) rows.push(row);
      if (rows.length < mostAdded) continue;
      book.set(rows);
      rows = [];
    }
    book.set(rows);
    return { book, at };
  } catch {
    return undefined;
  }
}

/** Written piece by piece; what changes meanwhile is in it or not, and is added later. */
async function* linesOf(book: ContactBook): AsyncGenerator<Buffer> {
  for (const account of book.accounts()) {
    const numbers = book.numbers(account);
    for (let from = 0; from < numbers.length; from += linesAtOnce) {
      const lines = numbers.slice(from, from + linesAtOnce).flatMap((number) => {
        const kept = book.get(account, number);
        if (kept === undefined) return [];
        const { number: _, version, createdAt, updatedAt, ...body } = kept;
        return [lineOf({ account, number, version, createdAt, updatedAt, body })];
      });
      yield Buffer.from(lines.join(''));
    }
  }
}

function lineOf({ account, number, version, createdAt, updatedAt, body }: CopiedRow): string {
  return `${JSON.stringify({ account, number, version, createdAt, updatedAt, body })}\n`;
}

function rowOf(line: string): CopiedRow | undefined {
  try {
    const row = JSON.parse(line) as Partial<CopiedRow> | null;
    return typeof row?.account === 'string' && typeof row.number === 'string' && row.body !== undefined ? (row as CopiedRow) : undefined;
  } catch {
    return undefined;
  }
}

function size(book: ContactBook): number {
  return book.accounts().reduce((sum, account) => sum + book.count(account), 0);
}
