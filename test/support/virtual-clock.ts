/**
 * Time that stands still until a test moves it, from deadline to deadline, so a test of an hour-long call takes a
 * millisecond and every order of timers is repeatable. Timers of one deadline fire in the order they were set.
 */
import type { Clock } from '../../control-plane/runtime/clock.ts';

interface Timer {
  readonly at: number;
  readonly seq: number;
  readonly fn: () => void;
}

export interface VirtualClock extends Clock {
  /** Fires the next timer, if there is one by `until`; tells whether it did. */
  step(until?: number): boolean;
  /** Fires all timers of the next `ms`, letting promises settle after each. */
  pass(ms: number): Promise<void>;
  /** How many timers are armed. */
  armed(): number;
}

export function createVirtualClock(start = 1_700_000_000_000): VirtualClock {
  let now = start;
  let seq = 0;
  const heap: Timer[] = [];

  const before = (a: Timer, b: Timer): boolean => a.at < b.at || (a.at === b.at && a.seq < b.seq);

  return {
    now: () => now,
    monotonic: () => now - start,
    setTimer(at, fn) {
      const timer: Timer = { at: Math.max(at, now), seq: seq++, fn };
      // Sorted, latest first: most timers are near, and few are armed at once.
      let i = heap.length;
      for (let next = heap[i - 1]; next !== undefined && before(next, timer); next = heap[i - 1]) i--;
      heap.splice(i, 0, timer);
      return () => {
        const at = heap.indexOf(timer);
        if (at >= 0) heap.splice(at, 1);
      };
    },
    step(until = Infinity) {
      const next = heap.at(-1);
      if (next === undefined || next.at > until) return false;
      heap.pop();
      now = next.at;
      next.fn();
      return true;
    },
    async pass(ms) {
      const until = now + ms;
      await settled();
      while (this.step(until)) await settled();
      now = until;
    },
    armed: () => heap.length,
  };
}

/** After this, whatever could go on without time passing has gone on. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
