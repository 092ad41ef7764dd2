/** What desks say to each other and keep, without a server, for simulations. */
import { StoreAwayError, type AgentRecords, type ControllerLink, type KeptAgent } from './ports.ts';

export interface LinksOfAll {
  of(controller: string): ControllerLink;
  /** What is said meanwhile is lost. */
  away(): void;
  back(): void;
}

export function deskLinks(): LinksOfAll {
  const listeners = new Map<string, Set<(text: string) => void>>();
  let isAway = false;
  return {
    of: (controller) => ({
      say: (to, text) => {
        if (isAway) return;
        for (const [name, those] of listeners) {
          if (name === controller || (to !== null && to !== name)) continue;
          // Never within this call.
          for (const heard of those) queueMicrotask(() => { if (those.has(heard)) heard(text); });
        }
      },
      listen: (heard) => {
        const those = listeners.get(controller) ?? new Set();
        listeners.set(controller, those);
        those.add(heard);
        return () => { those.delete(heard); };
      },
    }),
    away: () => { isAway = true; },
    back: () => { isAway = false; },
  };
}

export interface SharedRecords extends AgentRecords {
  away(): void;
  back(options: { readonly empty: boolean }): void;
}

export function sharedRecords(): SharedRecords {
  const accounts = new Map<string, Map<string, KeptAgent>>();
  const memories = new Map<string, Map<string, string>>();
  let epoch = 0;
  let isAway = false;
  const there = (): void => {
    if (isAway) throw new StoreAwayError('The store is away.', false);
  };
  return {
    begin: async (atLeast) => {
      there();
      const before = epoch;
      epoch = Math.max(before + 1, atLeast);
      return { epoch, before };
    },
    read: async (account) => {
      there();
      return { agents: [...(accounts.get(account)?.values() ?? [])], unreadable: [] };
    },
    keep: async (of, account, agents) => {
      there();
      if (of < epoch) return false;
      epoch = of;
      const kept = accounts.get(account) ?? new Map<string, KeptAgent>();
      accounts.set(account, kept);
      for (const agent of agents) kept.set(agent.id, agent);
      return true;
    },
    recall: async (account) => {
      there();
      return new Map(memories.get(account));
    },
    remember: async (of, account, changed, forgotten) => {
      there();
      if (of < epoch) return false;
      const kept = memories.get(account) ?? new Map<string, string>();
      memories.set(account, kept);
      for (const name of forgotten) kept.delete(name);
      for (const [name, text] of changed) kept.set(name, text);
      return true;
    },
    away: () => { isAway = true; },
    back: ({ empty }) => {
      isAway = false;
      if (!empty) return;
      accounts.clear();
      memories.clear();
      epoch = 0;
    },
  };
}
