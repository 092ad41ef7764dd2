/** Records of calls: columns to search by, and the whole record as it was written. */
import type { Cdr, CdrQueueVisit } from '../../core/cdr/cdr.ts';
import { supervisionPrefix, type CallId } from '../../core/ids.ts';
import type { EpochMs } from '../../core/time.ts';
import { CursorError, type CdrStore } from '../ports.ts';
import { Conditions, pageOf } from './page.ts';
import { json, type Queries, type Row, type Sql } from './sql.ts';

/** How far a file of a spool was sent: all before this byte. */
export interface SpoolMark {
  /** Names the data directory. */
  readonly spool: string;
  readonly file: string;
  readonly sent: number;
}

/** A store that also keeps, together with the records, how far a spool has been sent to it. */
export interface SpooledCdrStore extends CdrStore {
  /** Both or neither. Rejects with SqlError when Postgres refuses a record. */
  addFromSpool(cdrs: readonly Cdr[], mark: SpoolMark): Promise<void>;
  sentOf(spool: string): Promise<readonly SpoolMark[]>;
}

interface CdrRow extends Row {
  readonly record: Cdr;
  readonly call_id: CallId;
  readonly started_at: EpochMs;
}

interface VisitRow extends Row {
  readonly visit: CdrQueueVisit;
  readonly joined_at: EpochMs;
  readonly call_id: CallId;
  readonly n: number;
}

interface MarkRow extends Row, SpoolMark {}

/** Rows of one delete: thousands go in milliseconds, a year's would outlast the deadline. */
const removedAtOnce = 5000;
const partLength = 3;

export function cdrStore(sql: Sql): SpooledCdrStore {
  return {
    add: async (cdrs) => {
      if (cdrs.length > 0) await insert(sql, cdrs);
    },
    addFromSpool: (cdrs, { spool, file, sent }) =>
      sql.transaction(async (queries) => {
        if (cdrs.length > 0) await insert(queries, cdrs);
        await queries.query('insert into cdr_spools (spool, file, sent) values ($1, $2, $3) on conflict (spool, file) do update set sent = excluded.sent', [spool, file, sent]);
      }),
    sentOf: async (spool) => (await sql.query<MarkRow>('select spool, file, sent from cdr_spools where spool = $1', [spool])).map(({ file, sent }) => ({ spool, file, sent })),
    get: async (callId) => (await sql.query<CdrRow>('select record from cdrs where call_id = $1', [callId]))[0]?.record ?? null,
    search: async (filter, page) => {
      const where = new Conditions()
        .add('account = ?', filter.account).add("dialled in (?, '+' || ?)", filter.dialled?.replace(/^\+/, '')).add('disposition = ?', filter.disposition)
        .add('started_at >= ?', filter.from).add('started_at < ?', filter.to).add('call_id not like ?', filter.supervisions === false ? `${supervisionPrefix}%` : undefined);
      if (filter.caller !== undefined) {
        const digits = digitsOf(filter.caller);
        const parts = partsOf(digits);
        // The index finds where all the parts are, the pattern where they stand together.
        if (parts.length > 0) where.add('caller_parts @> array(select jsonb_array_elements_text(?::jsonb))', json(parts));
        where.add("caller_digits like '%' || ?::text || '%'", digits);
      }
      if (page.cursor !== undefined) {
        const { startedAt, callId } = readCursor(page.cursor);
        const last = where.value(startedAt);
        where.add(`(started_at, call_id) < (${last}, ?)`, callId);
      }
      const limit = where.value(page.limit + 1);
      const rows = await sql.query<CdrRow>(`select record, call_id, started_at from cdrs ${where.text} order by started_at desc, call_id desc limit ${limit}`, where.values);
      return pageOf(rows, page.limit, (row) => row.record, cursorOf);
    },
    callers: async (page) => {
      // The longest and the shortest there are: ITU-T E.164, and the API's own.
      const where = new Conditions().add('length(caller_digits) between 7 and ?', 15);
      if (page.cursor !== undefined) {
        const { startedAt, callId } = readCursor(page.cursor);
        const last = where.value(startedAt);
        where.add(`(started_at, call_id) < (${last}, ?)`, callId);
      }
      const limit = where.value(page.limit + 1);
      const rows = await sql.query<Pick<CdrRow, 'call_id' | 'started_at'> & { readonly account: string; readonly caller_digits: string } & Row>(
        `select account, caller_digits, call_id, started_at from cdrs ${where.text} order by started_at desc, call_id desc limit ${limit}`, where.values,
      );
      return pageOf(rows, page.limit, (row) => ({ account: row.account, number: `+${row.caller_digits}`, at: row.started_at }), cursorOf);
    },
    queueVisits: async ({ account, queue, from, to }, page) => {
      const where = new Conditions().add('account = ?', account).add('queue = ?', queue).add('joined_at >= ?', from).add('joined_at < ?', to);
      if (page.cursor !== undefined) {
        const { joinedAt, callId, n } = readVisitCursor(page.cursor);
        const [last, call] = [where.value(joinedAt), where.value(callId)];
        where.add(`(joined_at, call_id, n) > (${last}, ${call}, ?)`, n);
      }
      const limit = where.value(page.limit + 1);
      const rows = await sql.query<VisitRow>(`select visit, joined_at, call_id, n from queue_visits ${where.text} order by joined_at, call_id, n limit ${limit}`, where.values);
      return pageOf(rows, page.limit, ({ visit }) => visit, ({ joined_at: joinedAt, call_id: callId, n }) => Buffer.from(`${joinedAt} ${n} ${callId}`).toString('base64url'));
    },
    removeBefore: async (account, at) => {
      let removed = 0;
      for (;;) {
        const rows = await sql.query(
          'delete from cdrs where call_id in (select call_id from cdrs where account = $1 and started_at < $2 limit $3) returning 1 as removed', [account, at, removedAtOnce],
        );
        removed += rows.length;
        if (rows.length < removedAtOnce) return removed;
      }
    },
  };
}

async function insert(queries: Queries, cdrs: readonly Cdr[]): Promise<void> {
  const rows = cdrs.map((record) => {
    const digits = digitsOf(record.caller.number);
    return {
      call_id: record.callId, account: record.account, started_at: record.startedAt, caller_digits: digits, caller_parts: partsOf(digits),
      dialled: record.dialled, disposition: record.disposition, record,
    };
  });
  const columns = 'call_id, account, started_at, caller_digits, caller_parts, dialled, disposition, record';
  await queries.query(
    `insert into cdrs (${columns}) select ${columns} from jsonb_to_recordset($1::jsonb)
     as c (call_id text, account text, started_at bigint, caller_digits text, caller_parts text[], dialled text, disposition text, record jsonb)
     on conflict (call_id) do nothing`,
    [json(rows)],
  );
}

function digitsOf(number: string): string {
  return number.replaceAll(/\D/g, '');
}

/** `5550` → `555`, `550`. */
function partsOf(digits: string): readonly string[] {
  const parts = new Set<string>();
  for (let at = 0; at + partLength <= digits.length; at++) parts.add(digits.slice(at, at + partLength));
  return [...parts];
}

function cursorOf({ started_at: startedAt, call_id: callId }: Pick<CdrRow, 'started_at' | 'call_id'>): string {
  return Buffer.from(`${startedAt} ${callId}`).toString('base64url');
}

function readCursor(cursor: string): { readonly startedAt: EpochMs; readonly callId: CallId } {
  const parts = /^(\d{1,15}) (.+)$/s.exec(Buffer.from(cursor, 'base64url').toString());
  if (parts?.[1] === undefined || parts[2] === undefined) throw new CursorError('The cursor is not one that a page gave.');
  return { startedAt: Number(parts[1]), callId: parts[2] };
}

function readVisitCursor(cursor: string): { readonly joinedAt: EpochMs; readonly n: number; readonly callId: CallId } {
  const parts = /^(\d{1,15}) (\d{1,6}) (.+)$/s.exec(Buffer.from(cursor, 'base64url').toString());
  if (parts?.[1] === undefined || parts[2] === undefined || parts[3] === undefined) throw new CursorError('The cursor is not one that a page gave.');
  return { joinedAt: Number(parts[1]), n: Number(parts[2]), callId: parts[3] };
}
