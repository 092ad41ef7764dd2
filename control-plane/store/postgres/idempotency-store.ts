/**
 * What requests with an idempotency key were answered. The insert decides who has a key, so of two requests at once
 * one wins. A request that is `pending` for longer than any request takes died with its controller: its key is free.
 */
import type { Ms } from '../../core/time.ts';
import { hour, minute } from '../../core/time.ts';
import type { IdempotencyStore } from '../ports.ts';
import { clean, json, type Row, type Sql } from './sql.ts';

const keptMs: Ms = 24 * hour;
const longestRequestMs: Ms = 10 * minute;
const sweepEveryMs: Ms = hour;

interface EntryRow extends Row {
  readonly fingerprint: string;
  readonly status: number | null;
  readonly headers: Readonly<Record<string, string>> | null;
  readonly body: string | null;
}

export function idempotencyStore(sql: Sql): IdempotencyStore {
  let sweptAt = 0;

  const sweep = async (at: number): Promise<void> => {
    if (at - sweptAt < sweepEveryMs) return;
    sweptAt = at;
    await sql.query('delete from idempotency where at < $1', [at - keptMs]);
  };

  return {
    begin: async ({ actor, key, fingerprint, at }) => {
      await sweep(at);
      for (;;) {
        const taken = await sql.query(
          `insert into idempotency as one (actor, key, fingerprint, at) values ($1, $2, $3, $4)
           on conflict (actor, key) do update set fingerprint = excluded.fingerprint, at = excluded.at, status = null, headers = null, body = null
           where one.at < $5 or (one.status is null and one.at < $6)
           returning true as taken`,
          [clean(actor), clean(key), fingerprint, at, at - keptMs, at - longestRequestMs],
        );
        if (taken.length > 0) return { state: 'new' };
        const [row] = await sql.query<EntryRow>('select fingerprint, status, headers, body from idempotency where actor = $1 and key = $2', [clean(actor), clean(key)]);
        // Given up between the two: try to take it again.
        if (row === undefined) continue;
        if (row.status === null) return { state: 'pending', fingerprint: row.fingerprint };
        return { state: 'done', fingerprint: row.fingerprint, status: row.status, headers: row.headers ?? {}, body: row.body ?? '' };
      }
    },
    finish: async ({ actor, key, status, headers, body }) => {
      await sql.query('update idempotency set status = $3, headers = $4, body = $5 where actor = $1 and key = $2', [clean(actor), clean(key), status, json(headers), clean(body)]);
    },
    abandon: async ({ actor, key }) => {
      await sql.query('delete from idempotency where actor = $1 and key = $2 and status is null', [clean(actor), clean(key)]);
    },
  };
}
