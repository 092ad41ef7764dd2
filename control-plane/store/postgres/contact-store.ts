/**
 * Contacts. A change takes the lock of the revision's row for as long as it writes, so that revisions are committed in
 * their order: who has read up to one has missed nothing before it. At its end, for a moment, it also takes that of the
 * configuration, so that no owner is deleted meanwhile.
 */
import { randomUUID } from 'node:crypto';
import { hour, type EpochMs, type Ms } from '../../core/time.ts';
import { StoreAwayError, type ContactPlace, type ContactResult, type ContactRow, type ContactSet, type ContactStore } from '../ports.ts';
import { revisionChannel, type RevisionFeed } from './revision-feed.ts';
import { away, json, type Queries, type Row, type Sql } from './sql.ts';

interface Found extends Row, Omit<ContactRow, 'createdAt' | 'updatedAt'> {
  readonly created_at: EpochMs;
  readonly updated_at: EpochMs;
}

type Applied = Extract<ContactResult, { ok: true }>;

interface RevisionRow extends Row {
  readonly revision: number;
  readonly token: string;
}

/** A larger change is sent in pieces of this size before it is made: none holds up the others, nor this process. */
const atOnce = 2000;
/** Of a statement that writes hundreds of thousands of rows. */
const longestMs: Ms = 120_000;
/** A batch that old is of a controller that died over it. */
const draftsKeptMs: Ms = hour;

const beginning: ContactPlace = { revision: 0, account: '', number: '' };
const draftsIn = 'jsonb_to_recordset($1::jsonb) as d (number text, body jsonb)';

export function contactStore(sql: Sql, feed: RevisionFeed): ContactStore {
  return {
    read: async (place, limit) => {
      const { revision, account, number } = place ?? beginning;
      const rows = await sql.query<Found>(
        `select account, number, revision, version, created_at, updated_at, body from contacts
         where (revision, account, number) > ($1, $2, $3) order by revision, account, number limit $4`,
        [revision, account, number, limit],
      );
      return rows.map(rowOf);
    },
    apply: async (set) => {
      const token = randomUUID();
      const large = set.writes.length > atOnce;
      if (large) await bring(sql, set, token);
      let hoped: Applied | null = null;
      try {
        const result = await sql.transaction(async (queries) => (hoped = await write(queries, set, token, large)), ...(large ? [longestMs] : []));
        feed.wake();
        return result;
      } catch (error) {
        if (error instanceof Refused) return error.result;
        if (!(error instanceof StoreAwayError) || !error.mayHaveHappened || hoped === null) throw error;
        if (!(await hasHappened(sql, token, hoped, error))) throw new StoreAwayError(error.message, false, error);
        feed.wake();
        return hoped;
      } finally {
        if (large) await sql.query('delete from contact_drafts where batch = $1 or at < $2', [token, set.at - draftsKeptMs]).catch(() => undefined);
      }
    },
    watch: (onRevision) => feed.watch('contacts', onRevision),
  };
}

/** Takes the transaction back. */
class Refused extends Error {
  readonly result: Extract<ContactResult, { ok: false }>;
  constructor(result: Extract<ContactResult, { ok: false }>) {
    super('The change of contacts was refused');
    this.result = result;
  }
}

async function bring(sql: Sql, { writes, at }: ContactSet, batch: string): Promise<void> {
  for (let from = 0; from < writes.length; from += atOnce) {
    await sql.query(`insert into contact_drafts (batch, at, number, body) select $2, $3, number, body from ${draftsIn}`, [json(writes.slice(from, from + atOnce)), batch, at]);
  }
}

async function write(queries: Queries, { account, writes, base, at }: ContactSet, token: string, large: boolean): Promise<Applied> {
  const [now] = await queries.query<RevisionRow>('select revision, token from contact_revision for update');
  if (now === undefined) throw new Error('The database has lost the revision of its contacts');
  const newer = await queries.query(
    'select 1 as found from contacts where (revision, account, number) > ($1, $2, $3) and account = $4 limit 1', [base.revision, base.account, base.number, account],
  );
  // A base above the revision is of a database that is another by now.
  if (newer.length > 0 || base.revision > now.revision) throw new Refused({ ok: false, why: 'overtaken' });
  const revision = now.revision + 1;
  const [put] = await queries.query<{ readonly written: number }>(
    `with put as (
       insert into contacts as c (account, number, revision, version, created_at, updated_at, body)
       select $2, number, $3, 1, $4, $4, body from ${large ? 'contact_drafts where batch = $1' : draftsIn} order by number
       on conflict (account, number) do update set
         revision = excluded.revision, version = case when c.body is null then 1 else c.version + 1 end,
         created_at = case when c.body is null then excluded.created_at else c.created_at end, updated_at = excluded.updated_at, body = excluded.body
       returning 1)
     select count(*) as written from put`,
    [large ? token : json(writes), account, revision, at],
  );
  // A server that crashed meanwhile has lost the drafts.
  if (put?.written !== writes.length) throw away(`it has ${put?.written ?? 0} of the ${writes.length} contacts that it was sent`, false);
  await checkOwners(queries, account, writes);
  await queries.query('update contact_revision set revision = $1, token = $2', [revision, token]);
  await queries.query('select pg_notify($1, $2)', [revisionChannel, String(revision)]);
  return { ok: true, revision };
}

/** Once the configuration stands still: who deletes a user looks for contacts under the same lock. */
async function checkOwners(queries: Queries, account: string, writes: ContactSet['writes']): Promise<void> {
  const bodies = writes.flatMap(({ body }) => (body === null ? [] : [body]));
  if (bodies.length === 0) return;
  const owners = [...new Set(bodies.flatMap(({ owner }) => (owner === undefined ? [] : [owner])))];
  await queries.query('select revision from revision for share');
  const there = await queries.query<{ readonly kind: string; readonly id: string }>(
    `select kind, id from objects where account = $1 and ((kind = 'account' and id = $1) or (kind = 'user' and id in (select jsonb_array_elements_text($2::jsonb))))`, [account, json(owners)],
  );
  if (there.length === owners.length + 1) return;
  const known = new Set(there.flatMap(({ kind, id }) => (kind === 'user' ? [id] : [])));
  throw new Refused({ ok: false, why: 'unknown', owners: owners.filter((owner) => !known.has(owner)) });
}

/** Whether a change whose commit was not answered is there. Rejects with what it was given when that cannot be told. */
async function hasHappened(sql: Sql, token: string, { revision }: Applied, lost: StoreAwayError): Promise<boolean> {
  try {
    return await sql.transaction(async (queries) => {
      // The lost transaction, should it still be at work, has this lock until it is over.
      const [now] = await queries.query<RevisionRow>('select revision, token from contact_revision for update');
      if (now?.token === token) return true;
      // Others have written since: whether this was before them is not known any more.
      if (now === undefined || now.revision >= revision) throw lost;
      return false;
    });
  } catch {
    throw lost;
  }
}

function rowOf({ account, number, revision, version, created_at: createdAt, updated_at: updatedAt, body }: Found): ContactRow {
  return { account, number, version, createdAt, updatedAt, revision, body };
}
