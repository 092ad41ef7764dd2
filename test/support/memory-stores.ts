/** The database's ports in memory, for tests of what stands on them. `away` makes every store reject. */
import { keyText, type Change, type ConfigObject } from '../../control-plane/configuration/objects.ts';
import { isSupervision } from '../../control-plane/core/ids.ts';
import type { Cdr } from '../../control-plane/core/cdr/cdr.ts';
import type { WebhookStore } from '../../control-plane/store/event-ports.ts';
import { memoryWebhooks } from './memory-events.ts';
import { pageOf } from './memory-page.ts';
import { StoreAwayError, type ApiKey, type AuditEntry, type AuditStore, type CdrStore, type ConfigStore, type ContactRow, type ContactStore, type IdempotencyStore, type KeyStore } from '../../control-plane/store/ports.ts';

export interface MemoryStores {
  away: boolean;
  /** What the stores have, to be looked at. */
  readonly entries: AuditEntry[];
  readonly config: ConfigStore;
  readonly keys: KeyStore;
  readonly audit: AuditStore;
  readonly idempotency: IdempotencyStore;
  readonly cdrs: CdrStore;
  readonly contacts: ContactStore;
  readonly webhooks: WebhookStore;
}

export function memoryStores(now: () => number = Date.now): MemoryStores {
  const history: Change[] = [];
  const entries: AuditEntry[] = [];
  const keys = new Map<string, ApiKey>();
  const cdrs = new Map<string, Cdr>();
  const used = new Map<string, { fingerprint: string; done: { status: number; headers: Readonly<Record<string, string>>; body: string } | null }>();
  const there = (): void => { if (stores.away) throw new StoreAwayError('The database is away', false); };

  const stores: MemoryStores = {
    away: false,
    entries,
    config: memoryConfigStore({ history, now, there }),
    keys: {
      list: async () => { there(); return [...keys.values()]; },
      add: async (key) => { there(); keys.set(key.id, key); },
      remove: async (id) => { there(); return keys.delete(id); },
      used: async (id, at) => {
        there();
        const key = keys.get(id);
        if (key !== undefined) keys.set(id, { ...key, lastUsedAt: at });
      },
    },
    audit: {
      write: async (entry) => { there(); entries.push(entry); },
      list: async ({ account, action, subject }, page) => {
        there();
        return pageOf(entries.toReversed().filter((one) => (account ?? one.account) === one.account && (action ?? one.action) === one.action && (subject ?? one.subject) === one.subject), page);
      },
    },
    idempotency: {
      begin: async ({ actor, key, fingerprint }) => {
        there();
        const name = `${actor} ${key}`;
        const known = used.get(name);
        if (known === undefined) {
          used.set(name, { fingerprint, done: null });
          return { state: 'new' };
        }
        return known.done === null ? { state: 'pending', fingerprint: known.fingerprint } : { state: 'done', fingerprint: known.fingerprint, ...known.done };
      },
      finish: async ({ actor, key, status, headers, body }) => {
        there();
        const known = used.get(`${actor} ${key}`);
        if (known !== undefined) known.done = { status, headers, body };
      },
      abandon: async ({ actor, key }) => { there(); used.delete(`${actor} ${key}`); },
    },
    cdrs: {
      add: async (list) => { there(); for (const cdr of list) if (!cdrs.has(cdr.callId)) cdrs.set(cdr.callId, cdr); },
      get: async (callId) => { there(); return cdrs.get(callId) ?? null; },
      search: async ({ account, caller, dialled, disposition, from, to, supervisions }, page) => {
        there();
        const found = [...cdrs.values()].filter((one) => (account ?? one.account) === one.account && one.caller.number.includes(caller ?? '') && (dialled === undefined || one.dialled.replace('+', '') === dialled.replace('+', ''))
          && (disposition ?? one.disposition) === one.disposition && one.startedAt >= (from ?? 0) && one.startedAt <= (to ?? Infinity) && (supervisions !== false || !isSupervision(one.callId)));
        return pageOf(found.sort((a, b) => b.startedAt - a.startedAt), page);
      },
      removeBefore: async (account, at) => {
        there();
        const old = [...cdrs.values()].filter((one) => one.account === account && one.startedAt < at);
        for (const one of old) cdrs.delete(one.callId);
        return old.length;
      },
      queueVisits: async ({ account, queue, from, to }, page) => {
        there();
        const visits = [...cdrs.values()].filter((one) => one.account === account).flatMap(({ queues }) => queues).filter((visit) => visit.queue === queue && visit.joinedAt >= from && visit.joinedAt < to);
        return pageOf(visits.sort((a, b) => a.joinedAt - b.joinedAt), page);
      },
      callers: async (page) => {
        there();
        return pageOf([...cdrs.values()].sort((a, b) => b.startedAt - a.startedAt).map(({ account, caller: { number }, startedAt: at }) => ({ account, number, at })), page);
      },
    },
    contacts: memoryContactStore(there),
    webhooks: memoryWebhooks(there),
  };
  return stores;
}

function memoryConfigStore({ history, now, there }: { readonly history: Change[]; readonly now: () => number; readonly there: () => void }): ConfigStore {
  const objects = new Map<string, ConfigObject>();
  let revision = 0;
  return {
    load: async () => { there(); return { revision, objects: [...objects.values()] }; },
    apply: async ({ writes, base, actor, at, undoes }) => {
      there();
      if (base !== revision) return { ok: false, revision };
      revision += 1;
      const changes = writes.map(({ account, kind, id, body }, i): Change => ({ account, kind, id, seq: history.length + i + 1, revision, at, actor, before: objects.get(keyText({ account, kind, id }))?.body ?? null, after: body, undoes: undoes ?? null }));
      history.push(...changes);
      const written: ConfigObject[] = [];
      for (const { account, kind, id, version, body } of writes) {
        const key = keyText({ account, kind, id });
        const object = { account, kind, id, version: (version ?? 0) + 1, createdAt: objects.get(key)?.createdAt ?? now(), updatedAt: now(), body } as ConfigObject;
        if (body === null) objects.delete(key);
        else {
          objects.set(key, object);
          written.push(object);
        }
      }
      return { ok: true, revision, objects: written, changes };
    },
    changes: async ({ account, kind, id, seq }, page) => {
      there();
      return pageOf(history.toReversed().filter((one) => (account ?? one.account) === one.account && (kind ?? one.kind) === one.kind && (id ?? one.id) === one.id && (seq ?? one.seq) === one.seq), page);
    },
    watch: () => () => undefined,
  };
}

const placeOf = (row: Pick<ContactRow, 'revision' | 'account' | 'number'>): string => `${String(row.revision).padStart(9, '0')} ${row.account} ${row.number}`;

function memoryContactStore(there: () => void): ContactStore {
  const rows = new Map<string, ContactRow>();
  let revision = 1;
  return {
    read: async (place, limit) => {
      there();
      const after = place === null ? '' : placeOf(place);
      return [...rows.values()].filter((row) => placeOf(row) > after).sort((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1)).slice(0, limit);
    },
    apply: async ({ account, writes, base, at }) => {
      there();
      if ([...rows.values()].some((row) => row.account === account && placeOf(row) > placeOf(base))) return { ok: false, why: 'overtaken' };
      revision += 1;
      for (const { number, body } of writes) {
        const before = rows.get(`${account} ${number}`);
        const made = before?.body === null ? undefined : before;
        rows.set(`${account} ${number}`, { account, number, version: (made?.version ?? 0) + 1, createdAt: made?.createdAt ?? at, updatedAt: at, revision, body });
      }
      return { ok: true, revision };
    },
    watch: () => () => undefined,
  };
}
