/**
 * API keys: `fd_<id>_<secret>`, of which only the SHA-256 of the secret is kept (the secret has 192 random bits, so
 * a slow hash would add nothing). Keys are held in memory, so that reads go on while the database is away.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
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
  /** The key of an Authorization header. Null when it is none of ours, or expired. Rejects with StoreAwayError when no list was ever had. */
  authenticate(authorization: string | undefined): Promise<ApiKey | null>;
  /** Whether a key found earlier still works. */
  stillValid(key: ApiKey): Promise<boolean>;
  /** After a change made here. */
  forget(): void;
}

export function createKeyring(options: { readonly keys: KeyStore; readonly now: () => EpochMs; readonly cacheMs: Ms; readonly log: Log }): Keyring {
  const { keys, now, cacheMs, log } = options;
  let known: ReadonlyMap<string, ApiKey> | null = null;
  let askedAt = -Infinity;
  let loading: Promise<void> | null = null;
  const usedAt = new Map<string, EpochMs>();

  const trouble = (error: unknown): void => { log.warn({ error: String(error) }, 'The database could not be asked about API keys'); };
  const load = (): Promise<void> => {
    const asked = keys.list().then((list) => {
      // a list asked for before a change may come after it
      if (asked === loading) known = new Map(list.map((key) => [key.id, key]));
    }).finally(() => { if (asked === loading) loading = null; });
    asked.catch(trouble);
    askedAt = now();
    loading = asked;
    return asked;
  };
  const current = async (): Promise<ReadonlyMap<string, ApiKey>> => {
    if (known === null) await (loading ?? load());
    else {
      if (now() - askedAt >= cacheMs) load().catch(() => undefined);
      const left = patienceMs - (now() - askedAt);
      if (loading !== null && left > 0) await Promise.race([loading.catch(() => undefined), wait(left)]);
    }
    return known ?? new Map();
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
    forget: () => {
      askedAt = -Infinity;
      loading = null;
    },
  };
}

function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

function wait(ms: Ms): Promise<void> {
  return new Promise((resolve) => { setTimeout(resolve, ms).unref(); });
}
