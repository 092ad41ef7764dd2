/** Turns without a server, for simulations. */
import { minute, type Ms } from '../core/time.ts';
import { StoreAwayError, type Turns } from './ports.ts';

export interface SharedTurns extends Turns {
  away(): void;
  back(options: { readonly empty: boolean }): void;
}

export function sharedTurns({ now, rememberMs = minute }: { readonly now: () => Ms; readonly rememberMs?: Ms }): SharedTurns {
  const last = new Map<string, number>();
  const given = new Map<string, { readonly turn: number; readonly until: Ms }>();
  let isAway = false;
  return {
    take: async (group, asker, lastSeen) => {
      if (isAway) throw new StoreAwayError('The store is away.', false);
      const known = given.get(`${group} ${asker}`);
      if (known !== undefined && known.until >= now()) return known.turn;
      const turn = Math.max(lastSeen, last.get(group) ?? 0) + 1;
      last.set(group, turn);
      given.set(`${group} ${asker}`, { turn, until: now() + rememberMs });
      return turn;
    },
    away: () => { isAway = true; },
    back: ({ empty }) => {
      isAway = false;
      if (!empty) return;
      last.clear();
      given.clear();
    },
  };
}
