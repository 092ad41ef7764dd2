/**
 * Uploaded audio, as the switch plays it: `<dir>/<account>/<sha256 of the upload>.wav` (8 kHz) and `.wav16` (16 kHz),
 * 16-bit mono. Kept by content: what a live call plays is never replaced under it. Not encrypted, since the switch
 * reads these files, and callers hear them.
 */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import type { Media } from '../../core/routing/config.ts';
import { decodeAudio } from './decode-audio.ts';

export type Upload =
  | { readonly ok: true; readonly durationMs: number; readonly sha256: string; readonly warnings: readonly string[] }
  /** A sentence for whoever uploaded it. */
  | { readonly ok: false; readonly message: string };

export interface AudioFiles {
  /** The same bytes again are the same file. Rejects with errors of the disk. */
  upload(account: string, name: string, bytes: Uint8Array): Promise<Upload>;
  /** The 16 kHz WAV; null when there is none. */
  open(account: string, sha256: string): Promise<{ readonly type: string; readonly bytes: number; read(range?: { readonly start: number; readonly end: number }): Readable } | null>;
  remove(account: string, sha256: string): Promise<void>;
  media(account: string, sha256: string): Media;
}

export function createAudioFiles(dir: string): AudioFiles {
  const base = (account: string, sha256: string): string => join(dir, account, sha256);
  return {
    upload: async (account, name, bytes) => {
      const decoded = await decodeAudio(bytes);
      if (!decoded.ok) return { ok: false, message: `${name}: ${decoded.message}` };
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      const file = base(account, sha256);
      // the second is written last: with it, both are there
      if (!(await exists(`${file}.wav16`))) {
        await writeWhole(`${file}.wav`, decoded.wav);
        await writeWhole(`${file}.wav16`, decoded.wav16);
      }
      return { ok: true, durationMs: decoded.durationMs, sha256, warnings: decoded.warnings };
    },
    open: async (account, sha256) => {
      const file = `${base(account, sha256)}.wav16`;
      if (!(await exists(file))) return null;
      const { size } = await stat(file);
      return { type: 'audio/wav', bytes: size, read: (range) => createReadStream(file, range) };
    },
    remove: async (account, sha256) => {
      await Promise.all(['.wav16', '.wav'].map((ending) => rm(`${base(account, sha256)}${ending}`, { force: true })));
    },
    media: (account, sha256) => `file:${base(account, sha256)}`,
  };
}

function exists(file: string): Promise<boolean> {
  return access(file).then(() => true, () => false);
}

/** Never half a file under its name: the switch may be opening it. */
export async function writeWhole(file: string, bytes: Buffer): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const draft = `${file}.${randomUUID()}`;
  try {
    await writeFile(draft, bytes, { flush: true });
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}
