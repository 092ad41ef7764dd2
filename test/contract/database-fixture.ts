/** What the suites of the database need of a place to run in, and small objects to put there. */
import type { Kind } from '../../control-plane/configuration/documents.ts';
import type { Write } from '../../control-plane/configuration/objects.ts';
import { emptyCdr, type Cdr } from '../../control-plane/core/cdr/cdr.ts';
import type { ChangeSet } from '../../control-plane/store/ports.ts';
import type { SqlDatabase } from '../../control-plane/store/postgres/open-database.ts';
import type { Sql } from '../../control-plane/store/postgres/sql.ts';
import { onePhonePlan } from '../runtime/sample-call.ts';

export interface DatabaseFixture {
  readonly name: string;
  /** A new and empty database. */
  place(): Promise<DatabasePlace>;
  dispose(): Promise<void>;
}

export interface DatabasePlace {
  /** A data directory of its own. */
  readonly dataDir: string;
  /** One at a time, of both. */
  open(): Promise<SqlDatabase>;
  sql(options?: { readonly deadlineMs?: number }): Promise<Sql>;
  /** A statement that takes far longer than any deadline of a test. */
  readonly slow: string;
  /** Closes what was opened. */
  dispose(): Promise<void>;
}

export const account = (id: string): Write => ({ account: id, kind: 'account', id, version: null, body: { name: id, timezone: 'America/New_York', country: 'US' } });

export const user = (id: string): Write => ({ account: 'clinic', kind: 'user', id, version: null, body: { name: id } });

export const number = (id: string, e164: string, version: number | null = null): Write => ({ account: 'clinic', kind: 'number', id, version, body: { e164, name: id } });

export const device = (id: string, extension: string, of = 'clinic'): Write => ({ account: of, kind: 'device', id, version: null, body: { user: 'ann', extension } });

export const mobile = (id: string, e164: string): Write => ({ account: 'clinic', kind: 'device', id, version: null, body: { user: 'ann', mobile: e164 } });

export const without = (account: string, kind: Kind, id: string, version: number): Write => ({ account, kind, id, version, body: null });

export const set = (base: number, ...writes: readonly Write[]): ChangeSet => ({ writes, base, actor: 'key-1', at: 1_763_740_000_000 + base });

export const cdr = (callId: string, about: Partial<Cdr> = {}): Cdr => ({ ...emptyCdr(callId, onePhonePlan), startedAt: 1_763_740_000_000, caller: { number: '+15559870001', name: 'Pat' }, dialled: '+15551230000', disposition: 'answered', ...about });
