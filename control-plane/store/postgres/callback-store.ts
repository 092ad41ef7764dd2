/** Callbacks: each step of one is a single statement that says what it follows on. */
import type { EpochMs } from '../../core/time.ts';
import type { AskedCallback, CallbackOutcome, CallbackStore, CallbackTry, KeptCallback } from '../callback-ports.ts';
import { Conditions, pageOf, seqCursor } from './page.ts';
import { json, type Row, type Sql } from './sql.ts';

interface CallbackRow extends Row {
  readonly seq: number;
  readonly asked: AskedCallback;
  readonly state: KeptCallback['state'];
  readonly tries: readonly CallbackTry[];
  readonly not_before: EpochMs;
  readonly outcome: CallbackOutcome | null;
  readonly ended_at: EpochMs | null;
}

const columns = 'seq, asked, state, tries, not_before, outcome, ended_at';

export function callbackStore(sql: Sql): CallbackStore {
  const one = async (where: string, values: readonly unknown[]): Promise<KeptCallback | null> => {
    const [row] = await sql.query<CallbackRow>(`select ${columns} from callbacks where ${where}`, values);
    return row === undefined ? null : callbackOf(row);
  };
  return {
    keep: async (asked) => {
      const { account, id, queue } = asked;
      await sql.query(
        `insert into callbacks (account, id, queue, asked, state, tries, not_before) values ($1, $2, $3, $4, 'waiting', '[]', 0)
         on conflict (account, id) do nothing`,
        [account, id, queue, json(asked)],
      );
      return (await one('account = $1 and id = $2', [account, id]))?.state !== 'over';
    },
    open: async () => (await sql.query<CallbackRow>(`select ${columns} from callbacks where state <> 'over' order by seq`)).map(callbackOf),
    get: (account, id) => one('account = $1 and id = $2', [account, id]),
    triedBy: (call) => one('calling = $1', [call]),
    begin: async ({ account, id, tries, call, at }) => {
      const made: CallbackTry = { call, at, endedAt: null, outcome: null };
      const begun = await sql.query(
        `update callbacks set state = 'calling', calling = $3, tries = tries || $4::jsonb
         where account = $1 and id = $2 and state = 'waiting' and jsonb_array_length(tries) = $5 returning seq`,
        [account, id, call, json([made]), tries],
      );
      return begun.length > 0;
    },
    ended: async (call, { at, outcome, again, over }) => {
      await sql.query(
        `update callbacks set state = $2, calling = null, not_before = $3, outcome = $4, ended_at = $5,
           tries = (tries - -1) || jsonb_build_array((tries -> -1) || $6::jsonb)
         where calling = $1`,
        [call, again === null ? 'over' : 'waiting', again ?? 0, over, again === null ? at : null, json({ endedAt: at, outcome })],
      );
    },
    over: async (account, id, outcome, at) => {
      const ended = await sql.query(
        `update callbacks set state = 'over', outcome = $3, ended_at = $4 where account = $1 and id = $2 and state <> 'over' returning seq`,
        [account, id, outcome, at],
      );
      return ended.length > 0;
    },
    list: async ({ account, queue, open }, page) => {
      const where = new Conditions().add('account = ?', account).add('queue = ?', queue).add('seq < ?', seqCursor(page.cursor)).add("(state <> 'over') = ?", open);
      const limit = where.value(page.limit + 1);
      const rows = await sql.query<CallbackRow>(`select ${columns} from callbacks ${where.text} order by seq desc limit ${limit}`, where.values);
      return pageOf(rows, page.limit, callbackOf, (row) => String(row.seq));
    },
    removeBefore: async (at, account) => {
      const where = new Conditions().add("state = 'over' and ended_at < ?", at).add('account = ?', account);
      return (await sql.query(`delete from callbacks ${where.text} returning seq`, where.values)).length;
    },
  };
}

function callbackOf({ asked, state, tries, not_before: notBefore, outcome, ended_at: endedAt }: CallbackRow): KeptCallback {
  return { ...asked, state, tries, notBefore, outcome, endedAt };
}
