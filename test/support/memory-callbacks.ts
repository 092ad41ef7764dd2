/** Callbacks in memory, for tests: as the database keeps them. */
import type { CallbackNews, CallbackNewsStore, CallbackStore, KeptCallback } from '../../control-plane/store/callback-ports.ts';
import { StoreAwayError } from '../../control-plane/store/ports.ts';

export interface MemoryCallbacks extends CallbackStore {
  /** In order of their asking. */
  all(): readonly KeptCallback[];
  /** Nothing is answered while it is. */
  away: boolean;
}

export function memoryCallbacks(): MemoryCallbacks {
  const kept = new Map<string, KeptCallback>();
  const there = async (): Promise<void> => {
    await Promise.resolve();
    if (store.away) throw new StoreAwayError('The database is away.', false);
  };
  const change = (one: KeptCallback | undefined, fields: Partial<KeptCallback>): boolean => {
    if (one === undefined) return false;
    kept.set(`${one.account} ${one.id}`, { ...one, ...fields });
    return true;
  };
  const calling = (call: string): KeptCallback | undefined => [...kept.values()].find(({ tries }) => tries.at(-1)?.call === call && tries.at(-1)?.endedAt === null);
  const store: MemoryCallbacks = {
    away: false,
    all: () => [...kept.values()],
    keep: async (asked) => {
      await there();
      const key = `${asked.account} ${asked.id}`;
      if (!kept.has(key)) kept.set(key, { ...asked, state: 'waiting', tries: [], notBefore: 0, outcome: null, endedAt: null });
      return kept.get(key)?.state !== 'over';
    },
    open: async () => {
      await there();
      return [...kept.values()].filter(({ state }) => state !== 'over');
    },
    get: async (account, id) => {
      await there();
      return kept.get(`${account} ${id}`) ?? null;
    },
    triedBy: async (call) => {
      await there();
      return calling(call) ?? null;
    },
    begin: async ({ account, id, tries, call, at }) => {
      await there();
      const one = kept.get(`${account} ${id}`);
      if (one?.state !== 'waiting' || one.tries.length !== tries) return false;
      return change(one, { state: 'calling', tries: [...one.tries, { call, at, endedAt: null, outcome: null }] });
    },
    ended: async (call, { at, outcome, again, over }) => {
      await there();
      const one = calling(call);
      change(one, { state: again === null ? 'over' : 'waiting', notBefore: again ?? 0, outcome: over, endedAt: again === null ? at : null, tries: one?.tries.map((tried) => (tried.call === call ? { ...tried, endedAt: at, outcome } : tried)) ?? [] });
    },
    over: async (account, id, outcome, at) => {
      await there();
      const one = kept.get(`${account} ${id}`);
      return one?.state !== 'over' && change(one, { state: 'over', outcome, endedAt: at });
    },
    list: async ({ account, queue, open }) => {
      await there();
      return { items: [...kept.values()].filter((one) => one.account === account && one.queue === queue && (open === undefined || (one.state !== 'over') === open)).toReversed(), next: null };
    },
    removeBefore: async (at, account) => {
      await there();
      const gone = [...kept].filter(([, one]) => one.endedAt !== null && one.endedAt < at && (account === undefined || one.account === account));
      for (const [key] of gone) kept.delete(key);
      return gone.length;
    },
  };
  return store;
}

/** As Redis keeps it. */
export function memoryCallbackNews(): CallbackNewsStore {
  const kept = new Map<string, CallbackNews>();
  return {
    put: async (key, news) => { if (!kept.has(key)) kept.set(key, news); },
    all: async () => new Map(kept),
    remove: async (key) => { kept.delete(key); },
  };
}
