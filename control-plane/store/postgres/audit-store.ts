/** Who did what, and who was refused. Entries are added and read, never changed. */
import type { AuditEntry, AuditStore } from '../ports.ts';
import { Conditions, pageOf, seqCursor } from './page.ts';
import { clean, json, type Row, type Sql } from './sql.ts';

interface AuditRow extends Row, AuditEntry {
  readonly seq: number;
}

export function auditStore(sql: Sql): AuditStore {
  return {
    write: async ({ at, actor, account, action, subject, outcome, address, details }) => {
      await sql.query('insert into audit (at, actor, account, action, subject, outcome, address, details) values ($1, $2, $3, $4, $5, $6, $7, $8)', [
        at, clean(actor), account, action, clean(subject), outcome, clean(address), json(details),
      ]);
    },
    list: async (filter, page) => {
      const where = new Conditions()
        .add('account = ?', filter.account).add('action = ?', filter.action).add('subject = ?', filter.subject)
        .add('seq < ?', seqCursor(page.cursor));
      const limit = where.value(page.limit + 1);
      const rows = await sql.query<AuditRow>(`select seq, at, actor, account, action, subject, outcome, address, details from audit ${where.text} order by seq desc limit ${limit}`, where.values);
      return pageOf(rows, page.limit, entryOf, (row) => String(row.seq));
    },
  };
}

function entryOf({ at, actor, account, action, subject, outcome, address, details }: AuditRow): AuditEntry {
  return { at, actor, account, action, subject, outcome, address, details };
}
