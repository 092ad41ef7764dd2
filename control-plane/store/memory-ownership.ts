/** Ownership of calls without a server, for simulations: one `sharedOwners` is what Redis is to several controllers. */
import type { CallId } from '../core/ids.ts';
import type { Ms } from '../core/time.ts';
import { StoreAwayError, type Ownership } from './ports.ts';

export interface SharedOwners {
  of(controller: string): Ownership;
  /** As a server that is stopped, and one that comes back, with or without what it knew. */
  away(): void;
  back(options: { readonly empty: boolean }): void;
}

export function sharedOwners({ now, leaseMs, settleMs = 3 * leaseMs }: { readonly now: () => Ms; readonly leaseMs: Ms; readonly settleMs?: Ms }): SharedOwners {
  const leases = new Map<string, { token: number; ends: Ms; heldSince: Ms }>();
  const owners = new Map<CallId, string>();
  const over = new Set<CallId>();
  const tellers = new Set<() => void>();
  let [fence, since, isAway] = [0, now(), false];
  const there = (): void => {
    if (isAway) throw new StoreAwayError('The store is away.', false);
  };
  const lives = (controller: string): boolean => (leases.get(controller)?.ends ?? -1) >= now();

  const of = (controller: string): Ownership => {
    const mine = new Set<CallId>();
    const ended = new Set<CallId>();
    const finished = new Set<CallId>();
    let held: number | null = null;
    const holds = (token: number): boolean => leases.get(controller)?.token === token && lives(controller);
    const tell = (): void => {
      if (isAway || held === null || !holds(held)) return;
      for (const callId of ended) {
        if ((owners.get(callId) ?? controller) !== controller) continue;
        owners.delete(callId);
        over.add(callId);
      }
      ended.clear();
    };
    tellers.add(tell);
    const isSettled = (): boolean => now() - Math.max(since, leases.get(controller)?.heldSince ?? now()) >= settleMs;
    const own = (callId: CallId): CallId => {
      owners.set(callId, controller);
      mine.add(callId);
      ended.delete(callId);
      return callId;
    };
    return {
      renew: async (given) => {
        there();
        if ((leases.get(controller)?.ends ?? 0) > now() + leaseMs) {
          // The clock was set back: all times begin anew.
          since = now();
          for (const [name, { token, ends, heldSince }] of leases) leases.set(name, { token, ends: Math.min(ends, now() + leaseMs), heldSince: Math.min(heldSince, now()) });
        }
        const lease = leases.get(controller);
        if (given !== null) {
          if (lease !== undefined && lease.token !== given) return { held: false, why: 'replaced' };
          if (lease === undefined || !lives(controller)) return { held: false, why: 'lapsed' };
        }
        const token = given ?? (fence += 1);
        leases.set(controller, { token, ends: now() + leaseMs, heldSince: given === null ? now() : (lease?.heldSince ?? now()) });
        if (held !== token) for (const callId of finished) ended.add(callId);
        held = token;
        tell();
        const others = [...leases.keys()].filter((other) => other !== controller && lives(other));
        return {
          held: true, token, others, storeAt: now(), lapsed: [...leases.keys()].filter((other) => !lives(other)),
          leads: others.every((other) => (leases.get(other)?.token ?? 0) > token),
        };
      },
      begin: (callId) => {
        mine.add(callId);
        ended.delete(callId);
        if (!isAway && held !== null && holds(held)) owners.set(callId, controller);
      },
      end: (callId) => {
        mine.delete(callId);
        ended.add(callId);
        finished.add(callId);
        tell();
      },
      giveBack: (callId) => {
        mine.delete(callId);
        if (!isAway && owners.get(callId) === controller) owners.delete(callId);
      },
      lose: (callId) => { mine.delete(callId); },
      claim: async (token, calls) => {
        there();
        if (!holds(token)) throw new Error('The lease is not held.');
        const settled = isSettled();
        const mineNow = calls.filter(({ callId, believed }) => {
          if (over.has(callId)) return false;
          const owner = owners.get(callId);
          const whose = owner ?? believed ?? '';
          return whose === controller || (settled && !lives(whose));
        });
        return { mine: new Set(mineNow.map(({ callId }) => own(callId))), over: new Set(calls.map(({ callId }) => callId).filter((callId) => over.has(callId))), settled };
      },
      take: async (token, from, atMost) => {
        there();
        if (!holds(token) || from === controller || !isSettled() || lives(from)) return [];
        const all = [...owners].filter(([, owner]) => owner === from).map(([callId]) => callId);
        if (all.length <= atMost) leases.delete(from);
        return all.slice(0, atMost).map(own);
      },
      orphans: async () => {
        there();
        return [...owners.values()].filter((owner) => leases.has(owner) && !lives(owner)).length;
      },
      list: async (token) => {
        there();
        return holds(token) ? [...owners].filter(([, owner]) => owner === controller).map(([callId]) => callId) : [];
      },
      leave: async (token) => {
        there();
        tell();
        held = null;
        if (leases.get(controller)?.token === token) leases.set(controller, { token, ends: -1, heldSince: now() });
      },
      stop: () => {
        held = null;
        tellers.delete(tell);
      },
    };
  };
  return {
    of,
    away: () => { isAway = true; },
    back: ({ empty }) => {
      isAway = false;
      if (empty) {
        leases.clear();
        owners.clear();
        over.clear();
        since = now();
      }
      for (const tell of tellers) tell();
    },
  };
}
