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

/** Longer waits overflow `setTimeout` (to 1 ms); they are waited for in parts. */
const longestTimeoutMs = 2 ** 31 - 1;

export function realClock(): Clock {
  const origin = Date.now() - performance.now();
  const now = (): EpochMs => Math.floor(origin + performance.now());
  return {
    now,
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
