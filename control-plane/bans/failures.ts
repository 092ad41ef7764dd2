/** Counts wrong passwords by address, within a time that moves along. */
import type { EpochMs, Ms } from '../core/time.ts';

export interface Failures {
  /** Counts one. True when there are now as many as an address may have. */
  count(address: string, now: EpochMs): boolean;
  /** Within the time that counts. */
  of(address: string, now: EpochMs): number;
  forget(address: string): void;
}

/** More addresses than this at once are an attack from everywhere; those that failed longest ago are forgotten. */
const mostAddresses = 10_000;

export function countFailures(limit: number, withinMs: Ms): Failures {
  const times = new Map<string, readonly EpochMs[]>();
  const recent = (address: string, now: EpochMs): readonly EpochMs[] => (times.get(address) ?? []).filter((at) => at > now - withinMs);
  return {
    count(address, now) {
      const counted = [...recent(address, now), now].slice(-limit);
      times.delete(address);
      times.set(address, counted);
      const [oldest] = times.keys();
      if (times.size > mostAddresses && oldest !== undefined) times.delete(oldest);
      return counted.length >= limit;
    },
    of: (address, now) => recent(address, now).length,
    forget: (address) => { times.delete(address); },
  };
}
