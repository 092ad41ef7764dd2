/** Webhooks: how far each has come, and the events that were given up. */
import type { EpochMs } from '../../core/time.ts';
import type { LiveEvent } from '../../events/catalogue.ts';
import type { DeadLetter, DeadLetterFilter, WebhookState, WebhookStore } from '../event-ports.ts';
import { Conditions, pageOf, seqCursor } from './page.ts';
import { clean, json, type Queries, type Row, type Sql } from './sql.ts';

interface StateRow extends Row {
  readonly account: string;
  readonly webhook: string;
  readonly cursor_ms: number;
  readonly cursor_n: number;
  readonly failing_since: EpochMs | null;
  readonly trouble: string | null;
  readonly delivered_at: EpochMs | null;
  readonly disabled_at: EpochMs | null;
}

interface LetterRow extends Row {
  readonly seq: number;
  readonly account: string;
  readonly webhook: string;
  readonly event: LiveEvent;
  readonly attempts: number;
  readonly why: string;
  readonly died_at: EpochMs;
  readonly replay_at: EpochMs | null;
}

const letterColumns = 'seq, account, webhook, event, attempts, why, died_at, replay_at';

export function webhookStore(sql: Sql): WebhookStore {
  return {
    states: async () => (await sql.query<StateRow>('select account, webhook, cursor_ms, cursor_n, failing_since, trouble, delivered_at, disabled_at from webhook_states order by account, webhook')).map(stateOf),
    save: (state) => save(sql, state),
    forget: async (account, webhook) => {
      await sql.transaction(async (queries) => {
        await queries.query('delete from webhook_states where account = $1 and webhook = $2', [account, webhook]);
        await queries.query('delete from webhook_dead_letters where account = $1 and webhook = $2', [account, webhook]);
      });
    },
    bury: async ({ account, webhook, event, attempts, why, diedAt }, state) => {
      await sql.transaction(async (queries) => {
        await queries.query(
          `insert into webhook_dead_letters (account, webhook, event_id, at, event, attempts, why, died_at) values ($1, $2, $3, $4, $5, $6, $7, $8)
           on conflict (account, webhook, event_id) do nothing`,
          [account, webhook, event.id, event.at, json(event), attempts, clean(why), diedAt],
        );
        await save(queries, state);
      });
    },
    deadLetters: async (filter, page) => {
      const where = conditionsOf(filter).add('seq < ?', seqCursor(page.cursor));
      const limit = where.value(page.limit + 1);
      const rows = await sql.query<LetterRow>(`select ${letterColumns} from webhook_dead_letters ${where.text} order by seq desc limit ${limit}`, where.values);
      return pageOf(rows, page.limit, letterOf, (row) => String(row.seq));
    },
    replay: async (filter, at) => {
      const where = conditionsOf(filter);
      const now = where.value(at);
      return (await sql.query(`update webhook_dead_letters set replay_at = coalesce(replay_at, ${now}) ${where.text} returning seq`, where.values)).length;
    },
    toReplay: async (limit) => (await sql.query<LetterRow>(`select ${letterColumns} from webhook_dead_letters where replay_at is not null order by at, seq limit $1`, [limit])).map(letterOf),
    replayed: async (seq, why) => {
      if (why === null) await sql.query('delete from webhook_dead_letters where seq = $1', [seq]);
      else await sql.query('update webhook_dead_letters set replay_at = null, attempts = attempts + 1, why = $2 where seq = $1', [seq, clean(why)]);
    },
    removeBefore: async (at) => (await sql.query('delete from webhook_dead_letters where died_at < $1 returning seq', [at])).length,
  };
}

async function save(sql: Queries, { account, webhook, cursor, failingSince, trouble, deliveredAt, disabledAt }: WebhookState): Promise<void> {
  const [ms = 0, n = 0] = cursor.split('-').map(Number);
  await sql.query(
    `insert into webhook_states as s (account, webhook, cursor_ms, cursor_n, failing_since, trouble, delivered_at, disabled_at) values ($1, $2, $3, $4, $5, $6, $7, $8)
     on conflict (account, webhook) do update set
       cursor_n = case when (excluded.cursor_ms, excluded.cursor_n) > (s.cursor_ms, s.cursor_n) then excluded.cursor_n else s.cursor_n end,
       cursor_ms = greatest(excluded.cursor_ms, s.cursor_ms),
       failing_since = excluded.failing_since, trouble = excluded.trouble, delivered_at = excluded.delivered_at, disabled_at = excluded.disabled_at`,
    [account, webhook, ms, n, failingSince, trouble === null ? null : clean(trouble), deliveredAt, disabledAt],
  );
}

function conditionsOf({ account, webhook, from, to, seq }: DeadLetterFilter): Conditions {
  return new Conditions().add('account = ?', account).add('webhook = ?', webhook).add('at >= ?', from).add('at <= ?', to).add('seq = ?', seq);
}

function stateOf(row: StateRow): WebhookState {
  const { account, webhook, cursor_ms: ms, cursor_n: n, failing_since: failingSince, trouble, delivered_at: deliveredAt, disabled_at: disabledAt } = row;
  return { account, webhook, cursor: `${ms}-${n}`, failingSince, trouble, deliveredAt, disabledAt };
}

function letterOf({ seq, account, webhook, event, attempts, why, died_at: diedAt, replay_at: replayAt }: LetterRow): DeadLetter {
  return { seq, account, webhook, event, attempts, why, diedAt, replayAt };
}
