/** Audio at rest: what was put in comes out, by any range; what was changed on the disk does not. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, open, readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assert, asyncProperty, integer, nat } from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import type { OpenDraft } from '../../control-plane/store/media-files/atomic-file.ts';
import { mediaKeyId, readMediaKeys, type MediaKeys } from '../../control-plane/store/media-files/media-keys.ts';
import { openVault, type ByteRange, type Vault } from '../../control-plane/store/media-files/vault.ts';
import { VaultError } from '../../control-plane/store/media-files/vault-format.ts';

const [oneKey, otherKey] = [randomBytes(32), randomBytes(32)];
const keysOf = (current: Buffer, ...older: readonly Buffer[]): MediaKeys => ({
  currentId: mediaKeyId(current), byId: new Map([current, ...older].map((key) => [mediaKeyId(key), key])), generated: false,
});
const chunk = 65_536;

let dir: string;
let vault: Vault;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'frontdesk-vault-'));
  vault = await openVault({ dir, keys: keysOf(oneKey) });
});
afterEach(async () => { await rm(dir, { recursive: true, force: true }); });

async function bytesOf(id: string, range?: ByteRange, from: Vault = vault): Promise<Buffer> {
  const file = await from.open(id);
  const pieces: Buffer[] = [];
  for await (const piece of file.read(range)) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

async function problemOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(() => null, (reason: unknown) => reason);
  return error instanceof VaultError ? error.problem : `no such problem: ${String(error)}`;
}

async function* inPieces(whole: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < whole.length; at += size) yield whole.subarray(at, at + size);
}

async function filesHeld(): Promise<number> {
  const links = await Promise.all((await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')));
  return links.filter((link) => link.startsWith(dir)).length;
}

describe('an encrypted file', () => {
  test.each([0, 1, 1000, chunk - 1, chunk, chunk + 1, 2 * chunk, 200_000])('of %i bytes comes back as it was, with what describes it', async (size) => {
    const plain = randomBytes(size);
    expect(await vault.put('a', inPieces(plain, 7000), { caller: 'Ines' })).toEqual({ size });
    const file = await vault.open('a');
    expect([file.size, file.meta]).toEqual([size, { caller: 'Ines' }]);
    expect((await bytesOf('a')).equals(plain)).toBe(true);
  });

  it('gives any range of its bytes', async () => {
    const plain = randomBytes(3 * chunk + 500);
    await vault.put('a', plain);
    const file = await vault.open('a');
    await assert(asyncProperty(nat(plain.length + 10), nat(plain.length + 10), async (start, end) => {
      const pieces: Buffer[] = [];
      for await (const piece of file.read({ start, end })) pieces.push(piece as Buffer);
      return Buffer.concat(pieces).equals(plain.subarray(start, Math.max(start, end)));
    }), { numRuns: 300 });
    expect((await bytesOf('a', { start: 100_000 })).equals(plain.subarray(100_000))).toBe(true);
  });

  it('is let go of when a listener stops half way', async () => {
    await vault.put('a', randomBytes(10 * chunk));
    const file = await vault.open('a');
    const stream = file.read();
    await once(stream, 'readable');
    expect(await filesHeld()).toBe(1);
    stream.destroy();
    await once(stream, 'close');
    expect(await filesHeld()).toBe(0);
  });

  it('tells nothing of its content to whoever has the disk', async () => {
    await vault.put('a', Buffer.from('the caller said a secret'), { caller: '+12025550187' });
    const raw = (await readFile(join(dir, 'a.fdv'))).toString('latin1');
    expect(raw).not.toMatch(/secret|2025550187/);
    expect((await stat(join(dir, 'a.fdv'))).mode & 0o777).toBe(0o600);
  });

  it('is refused when any byte of it was changed', async () => {
    await vault.put('a', randomBytes(chunk + 300), { n: 1 });
    const whole = await readFile(join(dir, 'a.fdv'));
    const refused = async (at: number, bit: number): Promise<string> => {
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] ?? 0) ^ (1 << bit);
      await writeFile(join(dir, 'a.fdv'), changed);
      return problemOf(bytesOf('a'));
    };
    const ends = [...Array(60).keys(), ...Array.from({ length: 400 }, (_, i) => whole.length - 1 - i)];
    // A changed key id names a key that nobody has.
    for (const at of ends) expect(await refused(at, at % 8)).toBe(at >= 4 && at < 12 ? 'key-missing' : 'damaged');
    await assert(asyncProperty(integer({ min: 12, max: whole.length - 1 }), nat(7), async (at, bit) => (await refused(at, bit)) === 'damaged'), { numRuns: 200 });
  });

  it('is refused when it was cut, wherever, or has something behind it', async () => {
    await vault.put('a', randomBytes(2 * chunk), { n: 1 });
    const whole = await readFile(join(dir, 'a.fdv'));
    const meta = whole.subarray(32 + 2 * (chunk + 16));
    const variants = [
      ...[0, 10, 32, 40, 32 + chunk + 16, whole.length - 1, whole.length - 4].map((length) => whole.subarray(0, length)),
      // Without its last chunk, but with its end.
      Buffer.concat([whole.subarray(0, 32 + chunk + 16), meta]),
      Buffer.concat([whole, Buffer.alloc(1)]),
    ];
    for (const variant of variants) {
      await writeFile(join(dir, 'a.fdv'), variant);
      expect(await problemOf(bytesOf('a'))).toBe('damaged');
    }
  });

  it('is refused when its chunks changed places, or came from another file', async () => {
    await vault.put('a', randomBytes(2 * chunk));
    await vault.put('b', randomBytes(2 * chunk));
    const [a, b] = [await readFile(join(dir, 'a.fdv')), await readFile(join(dir, 'b.fdv'))];
    const [first, second, end] = [32, 32 + chunk + 16, 32 + 2 * (chunk + 16)];
    await writeFile(join(dir, 'a.fdv'), Buffer.concat([a.subarray(0, first), a.subarray(second, end), a.subarray(first, second), a.subarray(end)]));
    expect(await problemOf(bytesOf('a'))).toBe('damaged');
    await writeFile(join(dir, 'a.fdv'), Buffer.concat([a.subarray(0, second), b.subarray(second, end), a.subarray(end)]));
    expect(await problemOf(bytesOf('a'))).toBe('damaged');
  });

  it('can be replaced, listed and removed', async () => {
    await vault.put('a', Buffer.from('one'));
    const before = await vault.open('a');
    await vault.put('a', Buffer.from('two'));
    await vault.put('b', Buffer.from('three'));
    expect((await bytesOf('a')).toString()).toBe('two');
    expect(await problemOf(before.read().toArray())).toBe('damaged');
    expect([...(await vault.list())].sort()).toEqual(['a', 'b']);
    await vault.remove('a');
    await vault.remove('a');
    expect(await problemOf(vault.open('a'))).toBe('not-found');
    expect(await problemOf(vault.open('../../etc/passwd'))).toBe('not-found');
  });
});

describe('keys', () => {
  it('can be changed: the older one still reads, the newer one writes', async () => {
    await vault.put('old', Buffer.from('before'));
    const rotated = await openVault({ dir, keys: keysOf(otherKey, oneKey) });
    await rotated.put('new', Buffer.from('after'));
    expect((await bytesOf('old', {}, rotated)).toString()).toBe('before');
    const without = await openVault({ dir, keys: keysOf(otherKey) });
    expect((await bytesOf('new', {}, without)).toString()).toBe('after');
    const raw = await readFile(join(dir, 'old.fdv'));
    await expect(without.open('old')).rejects.toThrow(`needs the key ${mediaKeyId(oneKey)}`);
    expect(await problemOf(without.open('old'))).toBe('key-missing');
    expect((await readFile(join(dir, 'old.fdv'))).equals(raw)).toBe(true);
  });

  it('are made when none is given, and kept for their owner alone', async () => {
    const made = await readMediaKeys({ dir });
    expect(made.generated).toBe(true);
    expect((await stat(join(dir, 'media.key'))).mode & 0o777).toBe(0o600);
    const again = await readMediaKeys({ dir });
    expect([again.currentId, again.generated]).toEqual([made.currentId, false]);
    const given = await readMediaKeys({ dir, current: otherKey.toString('hex'), old: `${oneKey.toString('base64')}, ` });
    expect(given.currentId).toBe(mediaKeyId(otherKey));
    expect([...given.byId.keys()].sort()).toEqual([made.currentId, mediaKeyId(oneKey), mediaKeyId(otherKey)].sort());
  });

  it('that are none are refused by the name of their setting, and not quoted', async () => {
    const wrong = readMediaKeys({ dir, current: 'hunter2' });
    await expect(wrong).rejects.toThrow(/FRONTDESK_MEDIA_KEY must hold 32 bytes/);
    await expect(wrong).rejects.not.toThrow(/hunter2/);
  });
});

/** A disk that takes so many bytes of each file. */
const failingAfter = (bytes: number, code: string): OpenDraft => async (path) => {
  const file = await open(path, 'wx');
  let written = 0;
  return {
    writeFile: async (data) => {
      written += data.length;
      if (written > bytes) throw Object.assign(new Error(`${code}: write`), { code });
      await file.writeFile(data);
    },
    sync: () => file.sync(),
    close: () => file.close(),
  };
};

async function* hangingUp(): AsyncGenerator<Buffer> {
  yield randomBytes(100_000);
  await Promise.reject(new Error('the caller hung up'));
}

describe('a disk that fails', () => {
  it('by being full leaves what was there, and nothing half written', async () => {
    await vault.put('a', Buffer.from('as it was'));
    const full = await openVault({ dir, keys: keysOf(oneKey), openDraft: failingAfter(100_000, 'ENOSPC') });
    expect(await problemOf(full.put('a', randomBytes(300_000)))).toBe('disk-full');
    expect(await problemOf(full.put('b', randomBytes(300_000)))).toBe('disk-full');
    expect((await bytesOf('a')).toString()).toBe('as it was');
    expect(await readdir(dir)).toEqual(['a.fdv']);
  });

  it('in another way is told apart', async () => {
    const readOnly = await openVault({ dir, keys: keysOf(oneKey), openDraft: failingAfter(0, 'EROFS') });
    expect(await problemOf(readOnly.put('a', randomBytes(10)))).toBe('unwritable');
  });

  it('or a source that does changes nothing', async () => {
    await expect(vault.put('a', hangingUp())).rejects.toThrow('the caller hung up');
    expect(await readdir(dir)).toEqual([]);
  });

  it('by a crash while writing is cleared up at the next start', async () => {
    await vault.put('a', Buffer.from('whole'));
    await writeFile(join(dir, '.0b2c7a1e-0000-4000-8000-000000000000.part'), 'half');
    const next = await openVault({ dir, keys: keysOf(oneKey) });
    expect(await next.list()).toEqual(['a']);
    expect(await readdir(dir)).toEqual(['a.fdv']);
  });
});
