/**
 * Keys that audio at rest is encrypted with: 32 bytes each, as base64 or hex. The current one encrypts; older ones
 * still decrypt, so a key is changed by moving it to the older ones. With none given, one is made at the first start
 * and kept in the data directory, `media.key`, readable by its owner only: that protects copies of the audio, not of
 * the whole directory. When a key is given later, the one made before still decrypts.
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { syncDirectory } from './atomic-file.ts';

export interface MediaKeys {
  /** Of the key that encrypts. An id is 16 hex digits of the key's hash and gives nothing of the key away. */
  readonly currentId: string;
  readonly byId: ReadonlyMap<string, Buffer>;
  /** One was made just now; what was encrypted before with a lost one cannot be read with it. */
  readonly generated: boolean;
}

export interface MediaKeySettings {
  /** FRONTDESK_MEDIA_KEY. */
  readonly current?: string | undefined;
  /** FRONTDESK_MEDIA_KEYS_OLD: any number, with commas between. */
  readonly old?: string | undefined;
  /** The data directory; made when missing. */
  readonly dir: string;
}

/** Throws a sentence that names the setting, never its value. */
export async function readMediaKeys({ current, old, dir }: MediaKeySettings): Promise<MediaKeys> {
  const file = join(dir, 'media.key');
  const given = current === undefined || current.trim() === '' ? null : parseMediaKey(current, 'FRONTDESK_MEDIA_KEY');
  const older = (old ?? '').split(',').filter((one) => one.trim() !== '').map((one) => parseMediaKey(one, 'FRONTDESK_MEDIA_KEYS_OLD'));
  const kept = await readKept(file);
  const made = given === null && kept === null ? await makeKey(file, dir) : null;
  const keys = [given, kept, made, ...older].filter((key) => key !== null);
  const [first] = keys;
  if (first === undefined) throw new Error('unreachable: a key was given, kept or made');
  return { currentId: mediaKeyId(first), byId: new Map(keys.map((key) => [mediaKeyId(key), key])), generated: made !== null };
}

/** Throws when it is not 32 bytes. */
export function parseMediaKey(text: string, setting: string): Buffer {
  const clean = text.trim();
  const isHex = /^[0-9a-f]{64}$/i.test(clean);
  if (!isHex && !/^[A-Za-z0-9+/_-]{43}=?$/.test(clean)) throw new Error(`${setting} must hold 32 bytes as base64 or hex, such as openssl rand -base64 32 prints.`);
  return Buffer.from(clean, isHex ? 'hex' : 'base64');
}

export function mediaKeyId(key: Buffer): string {
  return createHash('sha256').update('frontdesk media key\n').update(key).digest('hex').slice(0, 16);
}

async function readKept(file: string): Promise<Buffer | null> {
  try {
    return parseMediaKey(await readFile(file, 'utf8'), file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

async function makeKey(file: string, dir: string): Promise<Buffer> {
  await mkdir(dir, { recursive: true });
  const key = randomBytes(32);
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.writeFile(`${key.toString('base64')}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await syncDirectory(dir);
  return key;
}
