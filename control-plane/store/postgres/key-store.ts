/** API keys: hashes, never secrets. */
import type { ApiKey, KeyStore, Role } from '../ports.ts';
import type { Row, Sql } from './sql.ts';

interface KeyRow extends Row {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly account: string | null;
  readonly hash: string;
  readonly created_at: number;
  readonly last_used_at: number | null;
  readonly expires_at: number | null;
}

const columns = 'id, name, role, account, hash, created_at, last_used_at, expires_at';

export function keyStore(sql: Sql): KeyStore {
  return {
    list: async () => (await sql.query<KeyRow>(`select ${columns} from api_keys order by created_at, id`)).map(keyOf),
    add: async (key) => {
      await sql.query(`insert into api_keys (${columns}) values ($1, $2, $3, $4, $5, $6, $7, $8)`, [
        key.id, key.name, key.role, key.account, key.hash, key.createdAt, key.lastUsedAt, key.expiresAt,
      ]);
    },
    remove: async (id) => (await sql.query('delete from api_keys where id = $1 returning id', [id])).length > 0,
    used: async (id, at) => {
      await sql.query('update api_keys set last_used_at = $2 where id = $1 and (last_used_at is null or last_used_at < $2)', [id, at]);
    },
  };
}

function keyOf({ id, name, role, account, hash, created_at: createdAt, last_used_at: lastUsedAt, expires_at: expiresAt }: KeyRow): ApiKey {
  return { id, name, role, account, hash, createdAt, lastUsedAt, expiresAt };
}
