/** Configuration and its history. Every change takes the lock of the revision's row, so there is one at a time. */
import { randomUUID } from 'node:crypto';
import type { Change, ConfigObject, ObjectKey, Write } from '../../configuration/objects.ts';
import { keyText } from '../../configuration/objects.ts';
import { InUseError, StoreAwayError, TakenError, type ChangeResult, type ChangeSet, type ConfigStore } from '../ports.ts';
import { Conditions, pageOf, seqCursor } from './page.ts';
import { revisionChannel, type RevisionFeed } from './revision-feed.ts';
import { json, SqlError, type Queries, type Row, type Sql } from './sql.ts';

type Body = Change['before'];

interface ObjectRow extends Row {
  readonly account: string;
  readonly kind: ObjectKey['kind'];
  readonly id: string;
  readonly version: number;
  readonly created_at: number;
  readonly updated_at: number;
  readonly body: NonNullable<Body>;
}

interface ChangeRow extends Row, Change {}

interface RevisionRow extends Row {
  readonly revision: number;
  readonly last_seq: number;
}

const objectColumns = 'account, kind, id, version, created_at, updated_at, body';
const changeColumns = 'seq, revision, at, actor, account, kind, id, before, after, undoes';
/** The lists of a change set travel as one value each. */
const objectsIn = 'jsonb_to_recordset($1::jsonb) as w (account text, kind text, id text, version integer, created_at bigint, updated_at bigint, body jsonb)';
const changesIn = 'jsonb_to_recordset($1::jsonb) as c (seq bigint, revision bigint, at bigint, actor text, account text, kind text, id text, before jsonb, after jsonb, undoes bigint)';

export function configStore(sql: Sql, feed: RevisionFeed): ConfigStore {
  return {
    load: () =>
      sql.transaction(async (queries) => {
        // Both of the same moment, without keeping changes out.
        await queries.query('set transaction isolation level repeatable read read only');
        const [row] = await queries.query<RevisionRow>('select revision from revision');
        const rows = await queries.query<ObjectRow>(`select ${objectColumns} from objects order by account, kind, id`);
        return { revision: row?.revision ?? 0, objects: rows.map(objectOf) };
      }),
    apply: async (set) => {
      const keys = new Set(set.writes.map(keyText));
      if (keys.size !== set.writes.length) throw new Error('A change set writes each object once');
      const token = randomUUID();
      let hoped: ChangeResult | null = null;
      try {
        const result = await sql.transaction(async (queries) => (hoped = await write(queries, set, token)));
        feed.wake();
        return result;
      } catch (error) {
        if (error instanceof Refused) return { ok: false, revision: error.revision };
        if (!(error instanceof StoreAwayError) || !error.mayHaveHappened || hoped === null) throw takenOr(error);
        if (!(await hasHappened(sql, set, token, error))) throw new StoreAwayError(error.message, false, error);
        feed.wake();
        return hoped;
      }
    },
    changes: async (filter, page) => {
      const where = new Conditions()
        .add('account = ?', filter.account).add('kind = ?', filter.kind).add('id = ?', filter.id).add('seq = ?', filter.seq)
        .add('seq < ?', seqCursor(page.cursor));
      const limit = where.value(page.limit + 1);
      const rows = await sql.query<ChangeRow>(`select ${changeColumns} from changes ${where.text} order by seq desc limit ${limit}`, where.values);
      return pageOf(rows, page.limit, changeOf, (row) => String(row.seq));
    },
    watch: (onRevision) => feed.watch('configuration', onRevision),
  };
}

/** Takes the transaction back: another was first. */
class Refused extends Error {
  readonly revision: number;
  constructor(revision: number) {
    super('The configuration is another by now');
    this.revision = revision;
  }
}

async function write(queries: Queries, set: ChangeSet, token: string): Promise<ChangeResult> {
  const [now] = await queries.query<RevisionRow>('select revision, last_seq from revision for update');
  if (now === undefined) throw new Error('The database has lost its revision');
  if (now.revision !== set.base) throw new Refused(now.revision);
  // All that is written is taken out first: two numbers that swap theirs are at no moment there twice.
  const rows = await queries.query<ObjectRow>(
    `delete from objects o using jsonb_to_recordset($1::jsonb) as w (account text, kind text, id text)
     where o.account = w.account and o.kind = w.kind and o.id = w.id
     returning o.account, o.kind, o.id, o.version, o.created_at, o.updated_at, o.body`,
    [json(set.writes.map(({ account, kind, id }) => ({ account, kind, id })))],
  );
  const before = new Map(rows.map((row) => [keyText(row), row]));
  if (set.writes.some((one) => (before.get(keyText(one))?.version ?? null) !== one.version)) throw new Refused(now.revision);

  // To delete what is not there changes nothing.
  const effective = set.writes.filter((one) => one.body !== null || before.has(keyText(one)));
  if (effective.length === 0) return { ok: true, revision: now.revision, objects: [], changes: [] };
  await checkContacts(queries, effective);
  const revision = now.revision + 1;
  const written = effective.flatMap((one) => rowOf(one, before.get(keyText(one)), set.at));
  const changes = effective.map((one, index): ChangeRow => ({
    seq: now.last_seq + 1 + index, revision, at: set.at, actor: set.actor, account: one.account, kind: one.kind, id: one.id,
    before: before.get(keyText(one))?.body ?? null, after: one.body, undoes: set.undoes ?? null,
  }));
  await queries.query(`insert into objects (${objectColumns}) select ${objectColumns} from ${objectsIn}`, [json(written)]);
  await queries.query(
    `insert into changes (token, ${changeColumns}) select $2, seq, revision, at, actor, account, kind, id, before, after, undoes from ${changesIn}`,
    [json(changes), token],
  );
  await queries.query('update revision set revision = $1, last_seq = $2', [revision, now.last_seq + changes.length]);
  await queries.query('select pg_notify($1, $2)', [revisionChannel, String(revision)]);
  return { ok: true, revision, objects: written.map(objectOf), changes };
}

/** Contacts are written elsewhere, and look for their owner under this lock: none is left behind. */
async function checkContacts(queries: Queries, writes: readonly Write[]): Promise<void> {
  const deleted = writes.filter(({ kind, body }) => body === null && (kind === 'user' || kind === 'account'));
  if (deleted.length === 0) return;
  const rows = await queries.query(
    `select 1 as found from contacts c join jsonb_to_recordset($1::jsonb) as d (account text, kind text, id text) on c.account = d.account and (d.kind = 'account' or c.body ->> 'owner' = d.id)
     where c.body is not null limit 1`, [json(deleted.map(({ account, kind, id }) => ({ account, kind, id })))],
  );
  if (rows.length > 0) throw new InUseError('Contacts name what is to be deleted');
}

/** Whether a change whose commit was not answered is there. Rejects with what it was given when that cannot be told. */
async function hasHappened(sql: Sql, set: ChangeSet, token: string, away: StoreAwayError): Promise<boolean> {
  try {
    return await sql.transaction(async (queries) => {
      // The lost transaction, should it still be at work, has this lock until it is over.
      await queries.query('select revision from revision for update');
      const rows = await queries.query('select 1 as found from changes where revision = $1 and token = $2 limit 1', [set.base + 1, token]);
      return rows.length > 0;
    });
  } catch {
    throw away;
  }
}

/** The way a unique index names what it refuses: `Key (account, (body ->> 'extension'::text))=(elm-street, 101) already exists.` */
function takenOr(error: unknown): unknown {
  if (!(error instanceof SqlError) || error.code !== '23505') return error;
  const field = ({ objects_number_e164: 'e164', objects_device_extension: 'extension' } as const)[error.constraint];
  return field === undefined ? error : new TakenError(field, /=\((?:.*, )?(.*)\) already exists/.exec(error.detail)?.[1] ?? '', error);
}

function rowOf({ account, kind, id, body }: Write, before: ObjectRow | undefined, at: number): ObjectRow[] {
  if (body === null) return [];
  return [{ account, kind, id, version: (before?.version ?? 0) + 1, created_at: before?.created_at ?? at, updated_at: at, body }];
}

function objectOf({ account, kind, id, version, created_at: createdAt, updated_at: updatedAt, body }: ObjectRow): ConfigObject {
  return { account, kind, id, version, createdAt, updatedAt, body } as ConfigObject;
}

function changeOf({ seq, revision, at, actor, account, kind, id, before, after, undoes }: ChangeRow): Change {
  return { seq, revision, at, actor, account, kind, id, before, after, undoes };
}
