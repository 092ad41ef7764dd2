/**
 * A file that is there whole or not at all, also after a crash: written beside its place, flushed to the disk, then
 * renamed.
 */
import { randomUUID } from 'node:crypto';
import { open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** What is needed of a file that is written. */
export interface DraftFile {
  /** Writes all of it. */
  writeFile(data: Uint8Array): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** Makes a file that is not there yet. */
export type OpenDraft = (path: string) => Promise<DraftFile>;

const openDraft: OpenDraft = (path) => open(path, 'wx', 0o600);

/** Rejects with what went wrong; the draft is then removed, and what was at `path` before is untouched. */
export async function writeAtomically(path: string, content: AsyncIterable<Uint8Array>, make: OpenDraft = openDraft): Promise<void> {
  const draft = join(dirname(path), `.${randomUUID()}.part`);
  try {
    const file = await make(draft);
    try {
      for await (const piece of content) await file.writeFile(piece);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  await syncDirectory(dirname(path));
}

/** Removes drafts that a crash left. Nothing may be writing there. */
export async function removeDrafts(dir: string): Promise<void> {
  for (const name of await readdir(dir)) {
    if (/^\.[0-9a-f-]{36}\.part$/.test(name)) await rm(join(dir, name), { force: true });
  }
}

/** A name is safe only when its directory is flushed too. */
export async function syncDirectory(dir: string): Promise<void> {
  const handle = await open(dir, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
