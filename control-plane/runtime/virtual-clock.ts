/**
 * A clock that stands still until told, and then goes deadline by deadline, so a test of an hour-long call takes a
 * millisecond and every order of timers is repeatable. Timers of one deadline run in the order they were armed.
 */
import type { EpochMs } from '../core/time.ts';
import type { Clock } from './clock.ts';

export interface VirtualClock extends Clock {
  /** Goes to the next deadline and runs all that is due then; false when no timer is armed. */
  advanceToNext(): boolean;
  /** Goes to `at`, stopping at each deadline on the way. */
  advanceTo(at: EpochMs): void;
  /** The next deadline, null when no timer is armed. */
  nextAt(): EpochMs | null;
  /** Timers armed. */
  pending(): number;
}

interface Armed {
  readonly at: EpochMs;
  readonly order: number;
  readonly fn: () => void;
}

export function virtualClock(startAt: EpochMs = 1_800_000_000_000): VirtualClock {
  let time = startAt;
  let orders = 0;
  const armed = new Set<Armed>();

  const due = (): Armed | null => {
    let first: Armed | null = null;
    for (const timer of armed) {
      if (first === null || timer.at < first.at || (timer.at === first.at && timer.order < first.order)) first = timer;
    }
    return first;
  };

  const advanceToNext = (): boolean => {
    let next = due();
    if (next === null) return false;
    time = Math.max(time, next.at);
    // A timer armed for now by one that runs now belongs to this deadline, but after a bound: a loop must not hang.
    const last = orders + 1000;
    while (next !== null && next.at <= time && next.order <= last) {
      armed.delete(next);
      next.fn();
      next = due();
    }
    return true;
  };

  return {
    now: () => time,
    monotonic: () => time - startAt,
    setTimer: (at, fn) => {
      const timer: Armed = { at, order: orders++, fn };
      armed.add(timer);
      return () => { armed.delete(timer); };
    },
    advanceToNext,
    advanceTo: (at) => {
      for (let next = due(); next !== null && next.at <= at; next = due()) advanceToNext();
      time = Math.max(time, at);
    },
    nextAt: () => due()?.at ?? null,
    pending: () => armed.size,
  };
}
