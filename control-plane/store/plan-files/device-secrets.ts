/**
 * Passwords of phones whose plan gives none: made once, at random, and kept in the data directory, so that a phone
 * that was set up stays registered.
 */
import { randomInt, randomUUID } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { PhoneConfig } from './clinic-config.ts';

export const secretsFile = 'device-secrets.json';
const secretLength = 20;
/** Without letters and digits that are mistaken for each other when typed into a phone. */
const alphabet = 'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789';

const stored = z.record(z.string(), z.string().min(12));

/**
 * The password of each phone by extension: the plan's own, the one made earlier, or a new one. Rejects when the
 * data directory cannot be written, or its file of secrets is damaged (new ones would lock every phone out).
 */
export async function devicePasswords(dataDir: string, phones: readonly PhoneConfig[]): Promise<ReadonlyMap<string, string>> {
  const file = join(dataDir, secretsFile);
  const known = await readSecrets(file);
  const made = new Map(known);
  for (const { extension, password } of phones) {
    if (password === null && !made.has(extension)) made.set(extension, newSecret());
  }
  if (made.size > known.size) await writeSecrets(file, made);
  return new Map(phones.map(({ extension, password }) => [extension, password ?? made.get(extension) ?? newSecret()]));
}

function newSecret(): string {
  return Array.from({ length: secretLength }, () => alphabet[randomInt(alphabet.length)]).join('');
}

async function readSecrets(file: string): Promise<ReadonlyMap<string, string>> {
  try {
    return new Map(Object.entries(stored.parse(JSON.parse(await readFile(file, 'utf8')))));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Map();
    throw new Error(`${file} holds the phones' passwords and cannot be read; restore it, or remove it and set every phone up again.`, { cause: error });
  }
}

async function writeSecrets(file: string, secrets: ReadonlyMap<string, string>): Promise<void> {
  const draft = `${file}.${randomUUID()}`;
  try {
    await writeFile(draft, `${JSON.stringify(Object.fromEntries(secrets), null, 2)}\n`, { mode: 0o600, flush: true });
    await rename(draft, file);
  } finally {
    await rm(draft, { force: true });
  }
}
