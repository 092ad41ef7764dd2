/**
 * Encrypted files in a directory, one per id. Any range of bytes is read without decrypting the rest. A file is there
 * whole or not at all; what was changed on the disk is refused, not played. The format is in vault-format.ts, keys
 * are in media-keys.ts. Directories are of one process.
 */
import { mkdir, open, readdir, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { removeDrafts, writeAtomically, type OpenDraft } from './atomic-file.ts';
import type { MediaKeys } from './media-keys.ts';
import { chunkBytes, createOpener, createSealer, footerBytes, headerBytes, keyIdOf, longestMeta, tagBytes, VaultError, type Opener, type Sealer } from './vault-format.ts';

export interface ByteRange {
  /** The first byte, 0 when not given. */
  readonly start?: number;
  /** The byte after the last; beyond the end, or not given: to the end. */
  readonly end?: number;
}

export interface VaultFile {
  /** Bytes before encryption. */
  readonly size: number;
  /** What `put` was given, through JSON; authentic, but of an older version perhaps. */
  readonly meta: unknown;
  /**
   * The bytes of a range. The stream fails with a VaultError where the disk holds something else than was written,
   * and gives nothing of a chunk that is not authentic.
   */
  read(range?: ByteRange): Readable;
}

/** All reject with a VaultError for what is said; with the file system's error for a disk that cannot be read. */
export interface Vault {
  /**
   * Resolves when the file is safe on the disk, with its size; replaces what has the id. A function as `meta` is asked
   * after the last byte of `source`. Rejects 'disk-full' or 'unwritable', or as `source` does; then nothing changed.
   */
  put(id: string, source: Uint8Array | AsyncIterable<Uint8Array>, meta?: unknown): Promise<{ readonly size: number }>;
  /** Rejects 'not-found', 'key-missing' or 'damaged'; the file is untouched then. */
  open(id: string): Promise<VaultFile>;
  /** Bytes before encryption, as the length of the file tells without a key: not authentic. Rejects 'not-found' or 'damaged'. */
  sizeOf(id: string): Promise<number>;
  /** Of one that is not there, too. A reader who has begun reads to the end. */
  remove(id: string): Promise<void>;
  /** Ids, in no order. */
  list(): Promise<readonly string[]>;
}

export interface VaultOptions {
  /** Made when missing; readable by its owner only. */
  readonly dir: string;
  readonly keys: MediaKeys;
  /** For tests of disks that fail. */
  readonly openDraft?: OpenDraft;
}

const suffix = '.fdv';
const usableId = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,149}$/;

/** Removes what a crash left half written, then resolves. */
export async function openVault({ dir, keys, openDraft }: VaultOptions): Promise<Vault> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await removeDrafts(dir);
  const pathOf = (id: string): string => {
    if (!usableId.test(id)) throw new VaultError('not-found', `"${id.slice(0, 50)}" is no id of an encrypted file.`);
    return join(dir, `${id}${suffix}`);
  };

  return {
    put: async (id, source, meta = null) => {
      const path = pathOf(id);
      const sealer = createSealer(keys.currentId, keyOf(keys, keys.currentId, id));
      let size = 0;
      const counted = async function* counted(): AsyncGenerator<Uint8Array> {
        for await (const piece of source instanceof Uint8Array ? [source] : source) {
          size += piece.length;
          yield piece;
        }
      };
      try {
        await writeAtomically(path, sealed(sealer, counted(), meta), openDraft);
      } catch (error) {
        throw ofWriting(error, id);
      }
      return { size };
    },
    open: async (id) => {
      const path = pathOf(id);
      const found = await withFile(path, id, (handle) => readEnds(handle, keys, id));
      return { size: found.size, meta: found.meta, read: (range = {}) => Readable.from(readRange(path, id, found, range), { objectMode: false }) };
    },
    sizeOf: async (id) => (await withFile(pathOf(id), id, readSizes)).size,
    remove: (id) => rm(pathOf(id), { force: true }),
    list: async () => (await readdir(dir)).filter((name) => name.endsWith(suffix)).map((name) => name.slice(0, -suffix.length)).filter((id) => usableId.test(id)),
  };
}

async function* sealed(sealer: Sealer, source: AsyncIterable<Uint8Array>, meta: unknown): AsyncGenerator<Buffer> {
  yield sealer.header;
  let held = Buffer.alloc(0);
  for await (const piece of source) {
    held = Buffer.concat([held, piece]);
    let at = 0;
    for (; held.length - at >= chunkBytes; at += chunkBytes) yield sealer.chunk(held.subarray(at, at + chunkBytes));
    held = held.subarray(at);
  }
  if (held.length > 0) yield sealer.chunk(held);
  yield sealer.end(typeof meta === 'function' ? (meta as () => unknown)() : meta);
}

interface Found {
  readonly header: Buffer;
  readonly opener: Opener;
  readonly size: number;
  readonly meta: unknown;
}

async function readEnds(handle: FileHandle, keys: MediaKeys, id: string): Promise<Found> {
  const header = await readAt(handle, 0, headerBytes);
  const opener = createOpener(header, keyOf(keys, keyIdOf(header), id));
  const { sealedBytes, metaBytes, size } = await readSizes(handle);
  const meta = opener.meta(await readAt(handle, headerBytes + sealedBytes, metaBytes + tagBytes), size);
  return { header, opener, size, meta };
}

async function readSizes(handle: FileHandle): Promise<{ readonly sealedBytes: number; readonly metaBytes: number; readonly size: number }> {
  const { size: fileBytes } = await handle.stat();
  const metaBytes = (await readAt(handle, fileBytes - footerBytes, footerBytes)).readUInt32BE();
  const sealedBytes = fileBytes - headerBytes - metaBytes - tagBytes - footerBytes;
  if (metaBytes > longestMeta || sealedBytes < 0) throw new VaultError('damaged', 'it was cut');
  const size = sealedBytes - Math.ceil(sealedBytes / (chunkBytes + tagBytes)) * tagBytes;
  if (size < 0) throw new VaultError('damaged', 'it was cut');
  return { sealedBytes, metaBytes, size };
}

async function* readRange(path: string, id: string, { header, opener, size }: Found, range: ByteRange): AsyncGenerator<Buffer> {
  const start = Math.max(0, range.start ?? 0);
  const end = Math.min(size, range.end ?? size);
  if (start >= end) return;
  const handle = await openFile(path, id);
  try {
    if (!(await readAt(handle, 0, headerBytes)).equals(header)) throw new VaultError('damaged', 'it was replaced since it was opened');
    for (let number = Math.floor(start / chunkBytes); number * chunkBytes < end; number++) {
      const first = number * chunkBytes;
      const bytes = Math.min(chunkBytes, size - first);
      const plain = opener.chunk(number, await readAt(handle, headerBytes + number * (chunkBytes + tagBytes), bytes + tagBytes));
      yield plain.subarray(Math.max(0, start - first), Math.min(bytes, end - first));
    }
  } catch (error) {
    throw ofReading(error, id);
  } finally {
    await handle.close();
  }
}

function keyOf(keys: MediaKeys, keyId: string, id: string): Buffer {
  const key = keys.byId.get(keyId);
  if (key === undefined) throw new VaultError('key-missing', `The encrypted file ${id} needs the key ${keyId}, which is neither in FRONTDESK_MEDIA_KEY nor in FRONTDESK_MEDIA_KEYS_OLD: add it to the latter, and start again. Nothing is lost until then.`);
  return key;
}

async function withFile<T>(path: string, id: string, use: (handle: FileHandle) => Promise<T>): Promise<T> {
  const handle = await openFile(path, id);
  try {
    return await use(handle);
  } catch (error) {
    throw ofReading(error, id);
  } finally {
    await handle.close();
  }
}

async function openFile(path: string, id: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new VaultError('not-found', `There is no encrypted file ${id}.`, { cause: error });
  }
}

async function readAt(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  if (position < 0) throw new VaultError('damaged', 'it was cut');
  const buffer = Buffer.alloc(length);
  let at = 0;
  while (at < length) {
    const { bytesRead } = await handle.read(buffer, at, length - at, position + at);
    if (bytesRead === 0) throw new VaultError('damaged', 'it was cut');
    at += bytesRead;
  }
  return buffer;
}

/** Damage is found where the file's id is not known. */
function ofReading(error: unknown, id: string): unknown {
  if (!(error instanceof VaultError) || error.problem !== 'damaged') return error;
  return new VaultError('damaged', `The encrypted file ${id} cannot be trusted: ${error.message}.`, { cause: error });
}

function ofWriting(error: unknown, id: string): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') return new VaultError('disk-full', `The disk is full: ${id} could not be encrypted and kept.`, { cause: error });
  if (code === 'EACCES' || code === 'EROFS' || code === 'EIO' || code === 'EMFILE') return new VaultError('unwritable', `${id} could not be encrypted and kept: ${message}.`, { cause: error });
  return error;
}
