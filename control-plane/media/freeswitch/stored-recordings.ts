/**
 * What the switch has recorded, in its own folder: FreeSWITCH hands no files out, so controllers must see that folder under the
 * same name, as they do on one machine or with a volume that both have.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { open, readdir, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { StoredRecordings } from '../switch-admin.ts';

/** `folder`: empty while the switch has not said it. */
export function storedRecordings(folder: () => string): StoredRecordings {
  const fileOf = (name: string): string => join(folder(), `${basename(name)}.wav`);
  return {
    list: async () => {
      if (folder() === '') return [];
      const files = await readdir(folder()).catch((error: unknown) => {
        throw new Error(`The folder of the switch's recordings, ${folder()}, cannot be read here: share it with this machine under the same name (${String(error)}).`);
      });
      const names = files.filter((file) => file.endsWith('.wav')).map((file) => file.slice(0, -'.wav'.length));
      const ready = await Promise.all(names.map((name) => isReady(fileOf(name))));
      return names.filter((_, i) => ready[i] === true);
    },
    fetch: async (name, file) => {
      try {
        await pipeline(createReadStream(fileOf(name)), createWriteStream(file, { mode: 0o600 }));
        return true;
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
        throw error;
      }
    },
    remove: (name) => rm(fileOf(name), { force: true }),
  };
}

/** Where the header of a WAV file has the length of its sound; the switch writes it when it closes the file. */
const lengthAt = 40;
const headerBytes = 44;

/** Whether there is anything but a header. */
export async function holdsSound(path: string): Promise<boolean> {
  return stat(path).then(({ size }) => size > headerBytes, () => false);
}

/** The switch writes once a second. One that has died will never close its files. */
const writtenWithinMs = 10_000;

/** It is not written any more. One that could not be written at all is cleared away. */
async function isReady(path: string): Promise<boolean> {
  const file = await open(path, 'r').catch(() => undefined);
  // It has gone, or cannot be read, which is said when it is fetched.
  if (file === undefined) return true;
  try {
    const { mtimeMs, size } = await file.stat();
    if (Date.now() - mtimeMs > writtenWithinMs) {
      if (size < headerBytes) await rm(path, { force: true });
      return size >= headerBytes;
    }
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, lengthAt);
    return bytesRead === 4 && buffer.readUInt32LE(0) > 0;
  } finally {
    await file.close();
  }
}
