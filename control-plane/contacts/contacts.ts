/**
 * The contacts as everybody in the process sees them: all in memory, written to the database and followed from there by
 * what has changed. Calls and reads never touch the database, and a copy on the disk lets a controller start without it.
 *
 * A write is checked against what has been read so far; the store refuses it when the account has others by then, and
 * it is checked again. What is written is taken into memory in pieces, so that many at once do not hold up calls.
 */
import type { Problem } from '../configuration/check.ts';
import type { WriteResult } from '../configuration/configuration.ts';
import type { ObjectKey } from '../configuration/objects.ts';
import type { Contact, E164 } from '../core/routing/config.ts';
import type { EpochMs, Ms } from '../core/time.ts';
import type { ContactPlace, ContactSet, ContactStore } from '../store/ports.ts';
import type { Log } from '../telemetry/log.ts';
import { createContactBook, placeOf, type ContactBook, type KeptContact } from './contact-book.ts';
import { keepContactsCopy, type CopiedRow } from './contacts-copy.ts';
import { afterImport, type ContactFile, type ImportMode } from './contact-file.ts';
import { isSame } from './document.ts';

export type ContactRefusal = Extract<WriteResult, { ok: false }>;

/** A contact as it is to be: `version` is what the writer has seen, null where there must be none. `body` null deletes. */
export interface ContactDraft {
  readonly account: string;
  readonly number: E164;
  readonly version: number | null;
  readonly body: Contact | null;
}

export interface ContactFilter {
  /** Words or digits anywhere in the name or the number. */
  readonly q?: string | undefined;
  readonly number?: string | undefined;
  readonly name?: string | undefined;
  readonly owner?: string | undefined;
  readonly tag?: string | undefined;
}

export interface ImportCounts {
  readonly created: number;
  readonly replaced: number;
  readonly deleted: number;
  readonly unchanged: number;
}

export interface Contacts {
  /** What a call is looked up with: one step, in memory. */
  readonly contactOf: (account: string, number: E164) => KeptContact | undefined;
  /** In order; the list is never changed. */
  numbers(account: string): readonly E164[];
  /** By number, of those after `after`: whether there are more is told. */
  list(account: string, filter: ContactFilter, page: { readonly after: string; readonly limit: number }): Promise<{ readonly items: readonly KeptContact[]; readonly more: boolean }>;
  /** Rejects with StoreAwayError; nothing has changed in memory then. */
  write(draft: ContactDraft): Promise<{ readonly ok: true; readonly before: KeptContact | undefined } | ContactRefusal>;
  /** All of the file or nothing. A problem's path is its line. Rejects as `write`. */
  import(account: string, file: ContactFile, mode: ImportMode): Promise<(ImportCounts & { readonly ok: true }) | ContactRefusal>;
  /** What would be left behind: what of an object that is to be deleted contacts say. */
  usersOf(deleted: ObjectKey): readonly Problem[];
  /** Reads all from the database, or what has changed since. Rejects with StoreAwayError. */
  catchUp(): Promise<void>;
  /** One sentence while all that is known is the copy, else null. */
  problem(): string | null;
  stop(): Promise<void>;
}

export interface ContactsOptions {
  readonly store: ContactStore;
  readonly copyFile: string;
  /** What the copy has, and of when it is; absent where there is none. */
  readonly copied?: { readonly book: ContactBook; readonly at: Date } | undefined;
  readonly hasUser: (account: string, id: string) => boolean;
  readonly log: Log;
}

export const mostContacts = 200_000;
/** Races between writers end after a few rounds; more is a fault of the store. */
const mostRounds = 20;
const againMs: Ms = 5000;
/** Read, and taken in, without a pause. */
const atOnce = 2000;
/** Looked at without a pause: a millisecond's work. */
const lookedAtOnce = 5000;

type Decided = ContactRefusal | { readonly ok: true; readonly writes: ContactSet['writes']; readonly unknownOwners: (owners: readonly string[]) => ContactRefusal };

export function createContacts({ store, copyFile, copied, hasUser, log }: ContactsOptions): Contacts {
  let book: ContactBook = copied?.book ?? createContactBook();
  /** Null: nothing has been read yet, or the database is another. */
  let place: ContactPlace | null = null;
  let copyOf = copied?.at ?? null;
  let told = -1;
  let queue: Promise<unknown> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const copy = keepContactsCopy({ file: copyFile, book: () => book, log });

  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = queue.then(work);
    queue = done.catch(() => undefined);
    return done;
  };

  const readOn = async (): Promise<void> => {
    const anew = place === null;
    const into = anew ? createContactBook() : book;
    let at = place;
    for (let more = true; more;) {
      const rows = await store.read(at, atOnce);
      into.set(rows);
      if (!anew) copy.add(rows);
      const last = rows.at(-1);
      if (last !== undefined) at = { revision: last.revision, account: last.account, number: last.number };
      if (!anew) place = at;
      more = rows.length === atOnce;
    }
    if (!anew) return;
    book = into;
    place = at ?? { revision: 0, account: '', number: '' };
    copyOf = null;
    copy.rewrite();
  };

  const follow = (): void => {
    clearTimeout(timer);
    inTurn(readOn).catch((error: unknown) => {
      log.warn({ error: String(error) }, 'The changed contacts could not be read; tried again');
      clearTimeout(timer);
      if (!stopped) timer = setTimeout(follow, againMs);
    });
  };
  const unwatch = store.watch((revision) => {
    // a backup was restored; a negative one says nothing
    if (revision >= 0 && revision < told) void inTurn(async () => { place = null; });
    told = revision;
    follow();
  });

  /** What the store has taken, as it is there. */
  const take = async (account: string, writes: ContactSet['writes'], revision: number, at: EpochMs): Promise<void> => {
    let last = '';
    for (let from = 0; from < writes.length; from += atOnce) {
      if (from > 0) await pause();
      const rows = writes.slice(from, from + atOnce).map(({ number, body }): CopiedRow => {
        const there = book.get(account, number);
        if (number > last) last = number;
        return { account, number, version: (there?.version ?? 0) + 1, createdAt: there?.createdAt ?? at, updatedAt: at, body };
      });
      book.set(rows);
      copy.add(rows);
    }
    // of other accounts there may be something between
    if (place !== null && place.revision + 1 === revision) place = { revision, account, number: last };
    else follow();
  };

  /** `decide` is asked again when another controller has written to the account meanwhile. */
  const change = async (account: string, decide: () => Promise<Decided> | Decided): Promise<ContactRefusal | { readonly ok: true }> => {
    for (let round = 0; round < mostRounds; round += 1) {
      if (place === null) await readOn();
      const base = place ?? { revision: 0, account: '', number: '' };
      const decided = await decide();
      if (!decided.ok || decided.writes.length === 0) return decided;
      const at = Date.now();
      const result = await store.apply({ account, writes: decided.writes, base, at });
      if (result.ok) {
        await take(account, decided.writes, result.revision, at);
        return decided;
      }
      if (result.why === 'unknown') return decided.unknownOwners(result.owners);
      await readOn();
      // overtaken by nothing: the database is another by now
      if (place === base) place = null;
    }
    throw new Error(`The contacts of ${account} changed ${mostRounds} times while one write was checked.`);
  };

  return {
    contactOf: (account, number) => book.get(account, number),
    numbers: (account) => book.numbers(account),
    list: async (account, filter, { after, limit }) => {
      const matches = matching(filter);
      const numbers = filter.number === undefined ? book.numbers(account) : [filter.number].filter((number) => number > after);
      const items: KeptContact[] = [];
      let looked = 0;
      for (let at = placeOf(numbers, after); at < numbers.length; at++) {
        const contact = book.get(account, numbers[at] ?? '');
        if (contact !== undefined && contact.number !== after && matches(contact)) items.push(contact);
        if (items.length > limit) break;
        if (++looked % lookedAtOnce === 0) await pause();
      }
      return { items: items.slice(0, limit), more: items.length > limit };
    },
    write: (draft) => inTurn(async () => {
      let before: KeptContact | undefined;
      const result = await change(draft.account, () => {
        before = book.get(draft.account, draft.number);
        return decideOne(draft, before, book.count(draft.account), hasUser);
      });
      return result.ok ? { ok: true, before } : result;
    }),
    import: (account, file, mode) => inTurn(async () => {
      let counts: ImportCounts = { created: 0, replaced: 0, deleted: 0, unchanged: 0 };
      const result = await change(account, async () => {
        const decided = await decideMany(account, file, mode, book);
        if (decided.ok) ({ counts } = decided);
        return decided;
      });
      return result.ok ? { ok: true, ...counts } : result;
    }),
    usersOf: ({ account, kind, id }) => {
      if (kind !== 'user' && kind !== 'account') return [];
      const numbers = book.numbers(account).filter((number) => kind === 'account' || book.get(account, number)?.owner === id);
      if (numbers.length === 0) return [];
      const some = `(${[numbers.length.toLocaleString('en'), ': ', numbers.slice(0, 3).join(', '), ...(numbers.length > 3 ? [', …'] : [])].join('')})`;
      return [{ path: 'contacts', message: kind === 'account' ? `${some} belong to the account. Delete them first: import a file that has only its header, with mode=replace.` : `${some} have the user “${id}” as their owner. Give them another first.` }];
    },
    catchUp: () => inTurn(readOn),
    problem: () => (copyOf === null ? null : `Contacts are those of the copy on the disk, of ${copyOf.toISOString()}, until the database is back.`),
    stop: async () => {
      unwatch();
      stopped = true;
      clearTimeout(timer);
      await queue;
      await copy.written();
    },
  };
}

function decideOne({ account, number, version, body }: ContactDraft, there: KeptContact | undefined, count: number, hasUser: ContactsOptions['hasUser']): Decided {
  const noUser = (owner: string): ContactRefusal => refuse('invalid', 'owner', `there is no user “${owner}”. Create it first, or correct the id.`);
  if (version === null && there !== undefined) return refuse('exists', 'number', `There is a contact with ${number} already.`);
  if (version !== null && there === undefined) return refuse('missing', '', `There is no contact with ${number}.`);
  if (there !== undefined && there.version !== version) return refuse('stale', '', `The contact with ${number} has changed: read it again, and repeat your change on that.`);
  if (body?.owner !== undefined && !hasUser(account, body.owner)) return noUser(body.owner);
  if (there === undefined && count >= mostContacts) return refuse('invalid', '', tooMany);
  return { ok: true, writes: [{ number, body }], unknownOwners: ([owner]) => (owner === undefined ? refuse('missing', '', noAccount) : noUser(owner)) };
}

function refuse(reason: ContactRefusal['reason'], path: string, message: string): ContactRefusal {
  return { ok: false, reason, problems: [{ path, message }] };
}

const noAccount = 'There is no such account.';
const tooMany = `An account has at most ${mostContacts.toLocaleString('en')} contacts. Delete some first.`;

/** What differs is written, and nothing else. */
async function decideMany(account: string, file: ContactFile, mode: ImportMode, book: ContactBook): Promise<ContactRefusal | (Extract<Decided, { ok: true }> & { readonly counts: ImportCounts })> {
  const writes: { readonly number: E164; readonly body: Contact | null }[] = [];
  let created = 0;
  for (const [i, row] of file.rows.entries()) {
    if (i % lookedAtOnce === lookedAtOnce - 1) await pause();
    const there = book.get(account, row.number);
    const body = afterImport(row, file.columns, mode === 'replace' ? undefined : there);
    if (there !== undefined && isSame(there, body)) continue;
    if (there === undefined) created += 1;
    writes.push({ number: row.number, body });
  }
  const written = writes.length;
  if (mode === 'replace') {
    const wanted = new Set(file.rows.map(({ number }) => number));
    for (const number of book.numbers(account)) if (!wanted.has(number)) writes.push({ number, body: null });
  }
  const counts = { created, replaced: written - created, deleted: writes.length - written, unchanged: file.rows.length - written };
  if (book.count(account) + created - counts.deleted > mostContacts) return refuse('invalid', '', tooMany);
  const unknownOwners = (owners: readonly string[]): ContactRefusal => {
    if (owners.length === 0) return refuse('missing', '', noAccount);
    const lines = file.rows.filter(({ contact }) => contact.owner !== undefined && owners.includes(contact.owner));
    return { ok: false, reason: 'invalid', problems: lines.map(({ line, contact }) => ({ path: `line ${line} owner`, message: `there is no user “${contact.owner}” any more.` })) };
  };
  return { ok: true, writes, counts, unknownOwners };
}

function matching({ q = '', name, owner, tag }: ContactFilter): (contact: KeptContact) => boolean {
  const words = q.trim().toLowerCase();
  const says = (contact: KeptContact): boolean => contact.number.includes(words) || contact.name.toLowerCase().includes(words);
  return (contact) => (name === undefined || contact.name === name) && (owner === undefined || contact.owner === owner) && (tag === undefined || contact.tags?.includes(tag) === true) && (words === '' || says(contact));
}

/** Whatever else waits comes first. */
function pause(): Promise<void> {
  return new Promise((resolve) => { setImmediate(resolve); });
}
