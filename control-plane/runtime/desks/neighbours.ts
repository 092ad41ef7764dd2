/** Which other controllers live, and whose calls may be nobody's just now. */
import { second, type Ms } from '../../core/time.ts';
import type { Clock } from '../clock.ts';
import type { Lease } from '../lease.ts';
import { limboMs } from './measured-calls.ts';

export interface Neighbours {
  /** What is not as it was at the last look. One that has come is told of once more, when what was under way then has arrived or is lost. */
  look(): { readonly lost: boolean; readonly gained: boolean };
  /** None while the store is away. */
  others(): readonly string[];
  /** Those that are to say what they have. */
  asked(): readonly string[];
  /** One has gone, or this one has started, so short a time ago that its calls may not be another's yet. */
  lostLately(): boolean;
  away(): void;
  back(): void;
}

/** What a desk and a call say to each other is under way for less. */
const arrivedMs: Ms = 1.5 * second;
/** With the store back, others may be about to say that they live. */
const awaitedMs: Ms = 1.5 * second;

export function createNeighbours(clock: Clock, lease: Pick<Lease, 'away' | 'others'> | null): Neighbours {
  let known: readonly string[] = [];
  let lostAt = clock.monotonic();
  let isAway = false;
  let gainedAt = Infinity;
  let awaited: { readonly names: readonly string[]; readonly until: Ms } = { names: [], until: 0 };
  const others = (): readonly string[] => (lease === null || lease.away() ? [] : lease.others());
  return {
    others,
    look: () => {
      const live = others();
      // Who cannot be heard of is not gone.
      const lost = !isAway && known.some((name) => !live.includes(name));
      const now = clock.monotonic();
      const isNew = live.some((name) => !known.includes(name));
      const gained = isNew || now >= gainedAt + arrivedMs;
      if (gained) gainedAt = isNew ? now : Infinity;
      if (lost) lostAt = now;
      known = live;
      return { lost, gained };
    },
    asked: () => [...new Set([...others(), ...(clock.monotonic() < awaited.until ? awaited.names : [])])],
    lostLately: () => clock.monotonic() - lostAt < limboMs,
    away: () => {
      isAway = true;
      awaited = { names: known, until: 0 };
    },
    back: () => {
      isAway = false;
      awaited = { ...awaited, until: clock.monotonic() + awaitedMs };
    },
  };
}
