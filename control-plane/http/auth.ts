/**
 * API keys: `fd_<id>_<secret>`, of which only the SHA-256 of the secret is kept (the secret has 192 random bits, so
 * a slow hash would add nothing). Keys are held in memory, so that reads go on while the database is away, and copied to
 * the disk, so that they do after a restart too (docs/decisions/0012-keys-while-the-database-is-away.md).
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import type { EpochMs, Ms } from '../core/time.ts';
import type { ApiKey, KeyStore, Role } from '../store/ports.ts';
import type { Log } from '../telemetry/log.ts';

const written = /^fd_([0-9a-f]{12})_([0-9a-f]{48})$/;
const usedEveryMs: Ms = 60_000;
/** How long a request waits for a newer list before it goes on with the one that is there. */
const patienceMs: Ms = 500;

export interface NewKey {
  readonly key: ApiKey;
  /** Shown once. */
  readonly secret: string;
}

export function newKey(of: { readonly name: string; readonly role: Role; readonly account: string | null; readonly expiresAt: EpochMs | null }, at: EpochMs): NewKey {
  const id = randomBytes(6).toString('hex');
  const secret = randomBytes(24).toString('hex');
  return { key: { id, ...of, hash: hashOf(secret), createdAt: at, lastUsedAt: null }, secret: `fd_${id}_${secret}` };
}

/**
 * The secret of an agency admin who can get in when nobody else can: null when there is a key of one that works, unless
 * another is `wanted`. Rejects with StoreAwayError.
 */
export async function createAdminKey(keys: KeyStore, { wanted = false, at = Date.now() }: { readonly wanted?: boolean; readonly at?: EpochMs } = {}): Promise<string | null> {
  const works = ({ role, expiresAt }: ApiKey): boolean => role === 'agency-admin' && (expiresAt === null || expiresAt > at);
  if (!wanted && (await keys.list()).some(works)) return null;
  const { key, secret } = newKey({ name: `Made at the start of ${new Date(at).toISOString().slice(0, 10)}`, role: 'agency-admin', account: null, expiresAt: null }, at);
  await keys.add(key);
  return secret;
}

export interface Keyring {
  /** The key of an Authorization header. Null when it is none of ours, or expired. Rejects with StoreAwayError when no list was ever had, and there is no copy. */
  authenticate(authorization: string | undefined): Promise<ApiKey | null>;
  /** Whether a key found earlier still works. */
  stillValid(key: ApiKey): Promise<boolean>;
  /** A key made here, once it is in the database: it works from now on. Never rejects. */
  added(key: ApiKey): Promise<void>;
  /** Keys removed here, once they are out of the database: they do not work from now on, nor after a restart. Never rejects. */
  removed(ids: readonly string[]): Promise<void>;
}

export interface KeyringOptions {
  readonly keys: KeyStore;
  readonly now: () => EpochMs;
  readonly cacheMs: Ms;
  /** Hashes and rights of the keys, for a start without the database; none is kept without a name. */
  readonly copyFile?: string | undefined;
  readonly log: Log;
}

export function createKeyring(options: KeyringOptions): Keyring {
  const { keys, now, cacheMs, copyFile, log } = options;
  let known: ReadonlyMap<string, ApiKey> | null = null;
  let askedAt = -Infinity;
  let loading: Promise<void> | null = null;
  const usedAt = new Map<string, EpochMs>();
  let copied = '';
  let copying: Promise<void> = Promise.resolve();

  const know = (list: Iterable<ApiKey>): Promise<void> => {
    known = new Map([...list].map((key) => [key.id, key]));
    // when a key was used changes every minute, and lets nobody in
    const text = JSON.stringify([...known.values()].map((key) => ({ ...key, lastUsedAt: null })));
    if (copyFile === undefined || text === copied) return copying;
    copied = text;
    copying = copying.then(() => writeCopy(copyFile, text)).catch((error: unknown) => {
      copied = '';
      log.warn({ error: String(error) }, 'The copy of the API keys on the disk could not be written; a start without the database would have older ones');
    });
    return copying;
  };
  const trouble = (error: unknown): void => { log.warn({ error: String(error) }, 'The database could not be asked about API keys'); };
  const load = (): Promise<void> => {
    const asked = keys.list().then((list) => {
      // a list asked for before a change may come after it
      if (asked === loading) void know(list);
    }).finally(() => { if (asked === loading) loading = null; });
    asked.catch(trouble);
    askedAt = now();
    loading = asked;
    return asked;
  };
  const current = async (): Promise<ReadonlyMap<string, ApiKey>> => {
    if (known === null) {
      try {
        await (loading ?? load());
      } catch (error) {
        // filled by another request meanwhile, perhaps
        known ??= await readCopy(copyFile);
        if (known === null) throw error;
      }
    } else {
      if (now() - askedAt >= cacheMs) load().catch(() => undefined);
      const left = patienceMs - (now() - askedAt);
      if (loading !== null && left > 0) await Promise.race([loading.catch(() => undefined), wait(left)]);
    }
    return known ?? new Map();
  };
  /** A list that is on its way may lack the change. */
  const askAgain = (): void => {
    askedAt = -Infinity;
    loading = null;
  };
  const valid = (key: ApiKey | undefined): key is ApiKey => key !== undefined && (key.expiresAt === null || key.expiresAt > now());

  return {
    authenticate: async (authorization) => {
      const [, scheme, token] = /^(\S+) +(\S+) *$/.exec(authorization ?? '') ?? [];
      const [, id = '', secret = ''] = scheme?.toLowerCase() === 'bearer' ? (written.exec(token ?? '') ?? []) : [];
      if (id === '') return null;
      const key = (await current()).get(id);
      const same = timingSafeEqual(Buffer.from(hashOf(secret), 'hex'), Buffer.from(key?.hash ?? hashOf(''), 'hex'));
      if (!same || !valid(key)) return null;
      if (now() - (usedAt.get(id) ?? -Infinity) >= usedEveryMs) {
        usedAt.set(id, now());
        keys.used(id, now()).catch(trouble);
      }
      return key;
    },
    stillValid: async (key) => {
      const there = (await current()).get(key.id);
      return valid(there) && there.hash === key.hash;
    },
    added: (key) => {
      askAgain();
      return known === null ? Promise.resolve() : know([...known.values(), key]);
    },
    removed: (ids) => {
      askAgain();
      return known === null ? Promise.resolve() : know([...known.values()].filter(({ id }) => !ids.includes(id)));
    },
  };
}

async function writeCopy(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text, { mode: 0o600 });
  await rename(`${file}.new`, file);
}

/** Null when there is none that can be read. */
async function readCopy(file: string | undefined): Promise<ReadonlyMap<string, ApiKey> | null> {
  try {
    return file === undefined ? null : new Map((JSON.parse(await readFile(file, 'utf8')) as readonly ApiKey[]).map((key) => [key.id, key]));
  } catch {
    return null;
  }
}

function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

function wait(ms: Ms): Promise<void> {
  return new Promise((resolve) => { setTimeout(resolve, ms).unref(); });
}
