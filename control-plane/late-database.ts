/**
 * A database that may open later than the controller starts: calls are routed from the copy of the configuration
 * meanwhile, writes say that it is away. It is tried again until it opens.
 */
import type { Ms } from './core/time.ts';
import { StoreAwayError } from './store/ports.ts';
import type { SqlDatabase } from './store/postgres/open-database.ts';
import type { Log } from './telemetry/log.ts';

export interface LateDatabase extends SqlDatabase {
  /** Settles with the first try: rejects with its error, and the tries go on. */
  readonly firstTry: Promise<SqlDatabase>;
  /** Settles when it is open. */
  readonly opened: Promise<SqlDatabase>;
}

const patienceMs: Ms = 3000;
const againMs: Ms = 5000;
/** No revision of anything: whoever watches reads it anew. */
const unknownRevision = -1;

export function lateDatabase(open: () => Promise<SqlDatabase>, log: Log): LateDatabase {
  let database: SqlDatabase | null = null;
  let why: string | null = 'The database is being opened.';
  let failed = false;
  let closing = false;
  let timer: NodeJS.Timeout | undefined;
  const opened = Promise.withResolvers<SqlDatabase>();

  const attempt = async (): Promise<SqlDatabase> => {
    try {
      database = await open();
    } catch (error) {
      why = error instanceof Error ? error.message : String(error);
      failed = true;
      if (!closing) timer = setTimeout(() => { void attempt().catch(() => undefined); }, againMs);
      throw error;
    }
    if (closing) await database.close();
    else if (timer !== undefined) log.info({}, 'The database is open');
    why = null;
    opened.resolve(database);
    return database;
  };
  const firstTry = attempt();
  firstTry.catch((error: unknown) => { log.warn({ error: String(error) }, 'The database cannot be opened; tried again'); });

  /** One that is about to open is waited for a little; of one that could not be opened it is said at once. */
  async function now(): Promise<SqlDatabase> {
    if (database !== null) return database;
    if (failed) throw new StoreAwayError(why ?? 'The database is away.', false);
    let patience: NodeJS.Timeout | undefined;
    const waited = await Promise.race([opened.promise, new Promise<null>((resolve) => { patience = setTimeout(() => { resolve(null); }, patienceMs); })]);
    clearTimeout(patience);
    if (waited === null) throw new StoreAwayError(why ?? 'The database is away.', false);
    return waited;
  }

  type Watch = (onRevision: (revision: number) => void) => () => void;
  const watching = (storeOf: (db: SqlDatabase) => { readonly watch: Watch }): Watch => (onRevision) => {
    let unwatch: (() => void) | null = null;
    let over = false;
    void opened.promise.then((db) => {
      if (over) return;
      unwatch = storeOf(db).watch(onRevision);
      onRevision(unknownRevision);
    });
    return () => {
      over = true;
      unwatch?.();
    };
  };

  return {
    firstTry,
    opened: opened.promise,
    config: {
      load: async () => (await now()).config.load(),
      apply: async (set) => (await now()).config.apply(set),
      changes: async (filter, page) => (await now()).config.changes(filter, page),
      watch: watching((db) => db.config),
    },
    keys: {
      list: async () => (await now()).keys.list(),
      add: async (key) => (await now()).keys.add(key),
      remove: async (id) => (await now()).keys.remove(id),
      used: async (id, at) => (await now()).keys.used(id, at),
    },
    audit: {
      write: async (entry) => (await now()).audit.write(entry),
      list: async (filter, page) => (await now()).audit.list(filter, page),
    },
    idempotency: {
      begin: async (entry) => (await now()).idempotency.begin(entry),
      finish: async (entry) => (await now()).idempotency.finish(entry),
      abandon: async (entry) => (await now()).idempotency.abandon(entry),
    },
    cdrs: {
      add: async (cdrs) => (await now()).cdrs.add(cdrs),
      addFromSpool: async (cdrs, mark) => (await now()).cdrs.addFromSpool(cdrs, mark),
      sentOf: async (spool) => (await now()).cdrs.sentOf(spool),
      get: async (callId) => (await now()).cdrs.get(callId),
      search: async (filter, page) => (await now()).cdrs.search(filter, page),
      removeBefore: async (account, at) => (await now()).cdrs.removeBefore(account, at),
      callers: async (page) => (await now()).cdrs.callers(page),
      queueVisits: async (filter, page) => (await now()).cdrs.queueVisits(filter, page),
    },
    contacts: {
      read: async (place, limit) => (await now()).contacts.read(place, limit),
      apply: async (set) => (await now()).contacts.apply(set),
      watch: watching((db) => db.contacts),
    },
    callbacks: {
      keep: async (callback) => (await now()).callbacks.keep(callback),
      open: async () => (await now()).callbacks.open(),
      get: async (account, id) => (await now()).callbacks.get(account, id),
      triedBy: async (call) => (await now()).callbacks.triedBy(call),
      begin: async (taken) => (await now()).callbacks.begin(taken),
      ended: async (call, end) => (await now()).callbacks.ended(call, end),
      over: async (account, id, outcome, at) => (await now()).callbacks.over(account, id, outcome, at),
      list: async (filter, page) => (await now()).callbacks.list(filter, page),
      removeBefore: async (at, account) => (await now()).callbacks.removeBefore(at, account),
    },
    webhooks: {
      states: async () => (await now()).webhooks.states(),
      save: async (state) => (await now()).webhooks.save(state),
      forget: async (account, webhook) => (await now()).webhooks.forget(account, webhook),
      bury: async (letter, state) => (await now()).webhooks.bury(letter, state),
      deadLetters: async (filter, page) => (await now()).webhooks.deadLetters(filter, page),
      replay: async (filter, at) => (await now()).webhooks.replay(filter, at),
      toReplay: async (limit) => (await now()).webhooks.toReplay(limit),
      replayed: async (seq, why) => (await now()).webhooks.replayed(seq, why),
      removeBefore: async (at) => (await now()).webhooks.removeBefore(at),
    },
    problem: () => database?.problem() ?? why,
    close: async () => {
      closing = true;
      clearTimeout(timer);
      await firstTry.catch(() => undefined);
      await database?.close();
    },
  };
}
