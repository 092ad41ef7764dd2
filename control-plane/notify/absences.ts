/**
 * Phones and trunks that are gone (P5): each was there once, and has not been for the account's grace time. Told once,
 * and once when it is back. What never was there is not missed; of what the switch does not know nothing is concluded.
 * Pure: `Watched` is all that is remembered, and is kept over restarts.
 */
import type { EpochMs, Ms } from '../core/time.ts';
import type { AbsenceAlert, Registration } from '../http/ports.ts';

/** By account, kind and id, of everything that was ever seen there. */
export type Watched = Readonly<Record<string, Watch>>;

interface Watch {
  /** First seen absent then; null while it is there. */
  readonly goneSince: EpochMs | null;
  /** That it is gone has been told. */
  readonly told: boolean;
}

export interface Absence extends Pick<AbsenceAlert, 'state' | 'goneSince'> {
  readonly registration: Registration;
}

export interface Looked {
  /** The same object when nothing is other than before. */
  readonly watched: Watched;
  /** To be told now. */
  readonly absences: readonly Absence[];
}

/** One look at all that is configured: what is not among `registrations` is forgotten. */
export function look(before: Watched, registrations: readonly Registration[], graceMs: (account: string) => Ms, now: EpochMs): Looked {
  const watched: Record<string, Watch> = {};
  for (const registration of registrations) {
    const key = `${registration.account}/${registration.kind}/${registration.id}`;
    const known = Object.hasOwn(before, key) ? before[key] : undefined;
    const next = seen(known, registration, graceMs(registration.account), now);
    if (next !== undefined) watched[key] = next;
  }
  return same(before, watched) ? { watched: before, absences: [] } : { watched, absences: toldBetween(before, watched, registrations, now) };
}

/** What was told between two looks, by whoever told it. */
export function toldBetween(before: Watched, after: Watched, registrations: readonly Registration[], now: EpochMs): readonly Absence[] {
  return registrations.flatMap((registration) => {
    const key = `${registration.account}/${registration.kind}/${registration.id}`;
    const known = Object.hasOwn(before, key) ? before[key] : undefined;
    const next = Object.hasOwn(after, key) ? after[key] : undefined;
    if (next === undefined || next.told === (known?.told ?? false)) return [];
    return [{ registration, state: next.told ? 'gone' : 'back', goneSince: (next.told ? next.goneSince : known?.goneSince) ?? now } as const];
  });
}

function seen(known: Watch | undefined, { state }: Registration, graceMs: Ms, now: EpochMs): Watch | undefined {
  switch (state) {
    case 'registered':
    case 'reachable':
      return known?.goneSince === null ? known : { goneSince: null, told: false };
    case 'unknown':
      return known;
    case 'unregistered':
    case 'rejected':
    case 'unreachable': {
      if (known === undefined || known.told) return known;
      const goneSince = known.goneSince ?? now;
      const told = now - goneSince >= graceMs;
      return known.goneSince === goneSince && !told ? known : { goneSince, told };
    }
  }
}

function same(one: Watched, other: Watched): boolean {
  const keys = Object.keys(one);
  return keys.length === Object.keys(other).length && keys.every((key) => one[key] === other[key]);
}
