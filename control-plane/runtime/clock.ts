/**
 * The one clock of the runtime. `now()` is epoch milliseconds that never go back or jump: the wall clock is read
 * once, at start, and the monotonic clock is added to it, so a corrected system clock ends no ring early.
 */
import type { EpochMs, Ms } from '../core/time.ts';

export type CancelTimer = () => void;

export interface Clock {
  now(): EpochMs;
  /** From an arbitrary start; for measuring and for leases. */
  monotonic(): Ms;
  /** Runs `fn` once, never within this call, at or after `at`; a time already past means as soon as possible. */
  setTimer(at: EpochMs, fn: () => void): CancelTimer;
}

/** Of this machine: a call is timed by `now()`, and opening hours by the clock on the wall. */
export interface WallClock extends Clock {
  /** What the wall clock says when this one says `at`: something else where the system clock was set since the start, or the machine slept. */
  wallAt(at: EpochMs): EpochMs;
  /** Null, or a sentence: the two are apart. */
  problem(): string | null;
}

/** A call is timed no worse by less. */
const apartMs: Ms = 10_000;
/** Longer waits overflow `setTimeout` (to 1 ms); they are waited for in parts. */
const longestTimeoutMs = 2 ** 31 - 1;

export function realClock(): WallClock {
  const origin = Date.now() - performance.now();
  const now = (): EpochMs => Math.floor(origin + performance.now());
  const wallAt = (at: EpochMs): EpochMs => at + Date.now() - now();
  return {
    now, wallAt,
    problem: () => {
      const aheadMs = wallAt(0);
      return Math.abs(aheadMs) < apartMs ? null : `The clock of this machine was set by ${Math.round(aheadMs / 1000)} s since Frontdesk started, or the machine slept: opening hours go by the clock as it is now, records of calls and waiting times by the old one. Restart Frontdesk.`;
    },
    monotonic: () => performance.now(),
    setTimer: (at, fn) => {
      let handle: NodeJS.Timeout;
      const arm = (): void => {
        handle = setTimeout(() => {
          // setTimeout may run up to a millisecond early, and stops short of a long wait.
          if (now() < at) arm();
          else fn();
        }, Math.min(Math.max(0, at - now()), longestTimeoutMs));
      };
      arm();
      return () => { clearTimeout(handle); };
    },
  };
}
