/**
 * An encrypted file, as it lies on the disk (AES-256-GCM, NIST SP 800-38D; chunked as in Hoang et al., "Online
 * Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance", STREAM):
 *
 *   header   "FDV" and the version 1 · 8 bytes key id · 16 bytes salt · 4 bytes size of a chunk
 *   chunks   64 KiB each, the last shorter, each followed by its tag of 16 bytes
 *   meta     JSON with its tag
 *   footer   4 bytes length of the JSON
 *
 * HKDF (RFC 5869) makes of key and salt a key and the first 8 bytes of nonces for this file alone; the rest of a
 * nonce is the chunk's number. What authenticates a chunk includes the header, its number and what it is. The meta's
 * includes the size of all, so a file that was cut, extended or pieced together does not open.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

export type VaultProblem =
  | 'not-found' | 'key-missing' | 'damaged'
  /** Of writing: nothing was changed. */
  | 'disk-full' | 'unwritable';

/** What a caller can tell apart; the message is a sentence for the log. */
export class VaultError extends Error {
  override readonly name = 'VaultError';
  readonly problem: VaultProblem;
  constructor(problem: VaultProblem, message: string, options?: ErrorOptions) {
    super(message, options);
    this.problem = problem;
  }
}

export const chunkBytes = 65_536;
export const tagBytes = 16;
export const headerBytes = 32;
export const footerBytes = 4;
/** Of the JSON; bounds what is read before anything is authenticated. */
export const longestMeta = 65_536;

const magic = Buffer.from('FDV\x01', 'latin1');
/** No chunk has it: files end before. */
const metaNumber = 0xffff_ffff;
const longestFile = (metaNumber - 1) * chunkBytes;

export interface Sealer {
  readonly header: Buffer;
  /** In order, from the first on. */
  chunk(plain: Uint8Array): Buffer;
  /** Meta and footer, after the last chunk. Throws when the JSON is too long. */
  end(meta: unknown): Buffer;
}

export interface Opener {
  /** Throws 'damaged' for what is not that chunk of that file. */
  chunk(number: number, sealed: Buffer): Buffer;
  meta(sealed: Buffer, size: number): unknown;
}

export function createSealer(keyId: string, key: Buffer): Sealer {
  const header = Buffer.concat([magic, Buffer.from(keyId, 'hex'), randomBytes(16), uint32(chunkBytes)]);
  const file = deriveFileKey(key, header);
  let [number, size] = [0, 0];
  return {
    header,
    chunk: (plain) => {
      size += plain.length;
      if (size > longestFile) throw new VaultError('unwritable', 'The file is longer than can be encrypted in one piece.');
      return seal(file, number, chunkAad(header, number++), plain);
    },
    end: (meta) => {
      const json = Buffer.from(JSON.stringify(meta));
      if (json.length > longestMeta) throw new VaultError('unwritable', `What describes the file has ${json.length} bytes, more than ${longestMeta}.`);
      return Buffer.concat([seal(file, metaNumber, metaAad(header, size), json), uint32(json.length)]);
    },
  };
}

/** The id of the key that a file was encrypted with; throws 'damaged' when it is no such file. */
export function keyIdOf(header: Buffer): string {
  const isOurs = header.length === headerBytes && header.subarray(0, 4).equals(magic) && header.readUInt32BE(28) === chunkBytes;
  if (!isOurs) throw new VaultError('damaged', 'it does not begin like an encrypted file of this version');
  return header.toString('hex', 4, 12);
}

export function createOpener(header: Buffer, key: Buffer): Opener {
  const file = deriveFileKey(key, header);
  return {
    chunk: (number, sealed) => unseal(file, number, chunkAad(header, number), sealed),
    meta: (sealed, size) => JSON.parse(unseal(file, metaNumber, metaAad(header, size), sealed).toString()) as unknown,
  };
}

interface FileKey {
  readonly key: Buffer;
  readonly prefix: Buffer;
}

function deriveFileKey(key: Buffer, header: Buffer): FileKey {
  const bytes = Buffer.from(hkdfSync('sha256', key, header.subarray(12, 28), 'frontdesk media file', 40));
  return { key: bytes.subarray(0, 32), prefix: bytes.subarray(32) };
}

function seal({ key, prefix }: FileKey, number: number, aad: Buffer, plain: Uint8Array): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, Buffer.concat([prefix, uint32(number)]));
  cipher.setAAD(aad);
  return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

function unseal({ key, prefix }: FileKey, number: number, aad: Buffer, sealed: Buffer): Buffer {
  const split = sealed.length - tagBytes;
  if (split < 0) throw new VaultError('damaged', 'it was cut');
  const decipher = createDecipheriv('aes-256-gcm', key, Buffer.concat([prefix, uint32(number)]), { authTagLength: tagBytes });
  decipher.setAAD(aad);
  decipher.setAuthTag(sealed.subarray(split));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(0, split)), decipher.final()]);
  } catch (error) {
    throw new VaultError('damaged', 'its content was changed', { cause: error });
  }
}

function chunkAad(header: Buffer, number: number): Buffer {
  return Buffer.concat([header, Buffer.from('chunk'), uint32(number)]);
}

function metaAad(header: Buffer, size: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(size));
  return Buffer.concat([header, Buffer.from('meta'), bytes]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
