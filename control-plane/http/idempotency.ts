/**
 * Idempotency keys (draft-ietf-httpapi-idempotency-key-header): the same POST again is answered the same again, for a
 * day. A request that was refused has done nothing, and frees its key.
 */
import { createHash } from 'node:crypto';
import type { EpochMs } from '../core/time.ts';
import { StoreAwayError, type IdempotencyStore } from '../store/ports.ts';
import type { Log } from '../telemetry/log.ts';
import { HttpProblem } from './problem.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Asked {
  /** Id of the API key. */
  readonly actor: string;
  /** The Idempotency-Key header. */
  readonly key: string;
  readonly target: string;
  readonly bytes: Buffer;
}

const usable = /^[\x21-\x7e]{1,200}$/;

/** Runs `work` once for a key; `replayed` when its answer was given earlier. Throws 400, 409 or 422. */
export async function onceFor(store: IdempotencyStore, asked: Asked, now: () => EpochMs, log: Log, work: () => Promise<Answer>): Promise<Answer & { readonly replayed: boolean }> {
  const { actor, key, target, bytes } = asked;
  if (!usable.test(key)) throw new HttpProblem(400, 'The Idempotency-Key must be 1 to 200 visible ASCII characters.');
  const fingerprint = createHash('sha256').update(target).update('\0').update(bytes).digest('hex');
  const begun = await store.begin({ actor, key, fingerprint, at: now() });
  if (begun.state !== 'new') {
    if (begun.fingerprint !== fingerprint) throw new HttpProblem(422, 'This Idempotency-Key was used for another request: take a new one for each.');
    if (begun.state === 'pending') throw new HttpProblem(409, 'A request with this Idempotency-Key is still running, or its outcome is not known: look whether it happened, and take a new key if not.', { headers: { 'retry-after': '1' } });
    return { status: begun.status, headers: begun.headers, body: begun.body, replayed: true };
  }
  const trouble = (error: unknown): void => { log.warn({ error: String(error) }, 'An idempotency key could not be settled'); };
  try {
    const answer = await work();
    await store.finish({ actor, key, ...answer }).catch(trouble);
    return { ...answer, replayed: false };
  } catch (error) {
    // Whether it happened is not known: a second try must not happen blindly.
    if (!(error instanceof StoreAwayError && error.mayHaveHappened)) await store.abandon({ actor, key }).catch(trouble);
    throw error;
  }
}
