/** What controllers tell each other of their calls, without a server, for simulations. */
import type { Party } from '../core/routing/destinations.ts';
import type { EpochMs, Ms } from '../core/time.ts';
import { StoreAwayError, type Kept, type SharedOccupancy } from './ports.ts';

export interface OccupancyOfAll {
  of(controller: string): SharedOccupancy;
  away(): void;
  back(options: { readonly empty: boolean }): void;
}

export function occupancyOfAll({ now, lifeMs }: { readonly now: () => Ms; readonly lifeMs: Ms }): OccupancyOfAll {
  const told = new Map<string, { readonly kept: ReadonlyMap<Party, Kept>; readonly until: Ms }>();
  const ends = new Map<Party, EpochMs>();
  let isAway = false;
  return {
    of: (controller) => ({
      exchange: async ({ kept, ended }, asked) => {
        if (isAway) throw new StoreAwayError('The store is away.', false);
        const at = now();
        told.set(controller, { kept, until: at + lifeMs });
        for (const [party, agoMs] of ended) ends.set(party, Math.max(at - agoMs, ends.get(party) ?? 0));
        return {
          others: [...told].filter(([name, { until }]) => name !== controller && until >= at).map(([, one]) => one.kept),
          endedAt: new Map(asked.map((party) => [party, ends.get(party) ?? 0])),
        };
      },
    }),
    away: () => { isAway = true; },
    back: ({ empty }) => {
      isAway = false;
      if (!empty) return;
      told.clear();
      ends.clear();
    },
  };
}
