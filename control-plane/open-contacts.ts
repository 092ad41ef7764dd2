/** The contacts of a running Frontdesk: from the copy on the disk at once, and from the database as soon as it is there. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Snapshot } from './configuration/objects.ts';
import { createContactBook } from './contacts/contact-book.ts';
import { readContactsCopy, type FoundCopy } from './contacts/contacts-copy.ts';
import { createContacts, type Contacts, type ContactsOptions } from './contacts/contacts.ts';

interface OpenContacts extends Pick<ContactsOptions, 'store' | 'hasUser' | 'log'> {
  readonly dataDir: string;
  /** The copy of the configuration. Absent: the database is open, and is read before anything else. */
  readonly configured: { readonly snapshot: Snapshot; readonly file: string } | undefined;
}

/** Rejects with StoreAwayError when they must be read from the database and cannot. */
export async function openContacts({ dataDir, configured, store, hasUser, log }: OpenContacts): Promise<Contacts> {
  const copyFile = join(dataDir, 'contacts.ndjson');
  const copied = configured === undefined ? undefined : (await readContactsCopy(copyFile)) ?? (await ofConfiguration(configured));
  const contacts = createContacts({ store, copyFile, copied, hasUser, log });
  if (copied === undefined) await contacts.catchUp();
  return contacts;
}

/** A release that had no copy of the contacts had them in that of the configuration. */
async function ofConfiguration({ snapshot, file }: NonNullable<OpenContacts['configured']>): Promise<FoundCopy> {
  const book = createContactBook();
  const objects = snapshot.objects as readonly (Omit<Snapshot['objects'][number], 'kind' | 'body'> & { readonly kind: string; readonly body: Readonly<Record<string, unknown>> })[];
  book.set(objects.flatMap(({ account, kind, version, createdAt, updatedAt, body: { number, name, owner } }) =>
    (kind === 'contact' && typeof number === 'string' && typeof name === 'string' ? [{ account, number, version, createdAt, updatedAt, body: { name, ...(typeof owner === 'string' ? { owner } : {}) } }] : [])));
  return { book, at: (await stat(file)).mtime };
}
