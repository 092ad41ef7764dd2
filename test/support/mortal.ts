/** A process in a simulation: it may be killed, or get no time for a while, in which what it waits for is late. */
import type { Clock } from '../../control-plane/runtime/clock.ts';

export interface Mortal {
  /** For all that it does in time. */
  readonly clock: Clock;
  /** What comes from elsewhere: late while it is stopped, and never once it is dead. */
  inTime(act: () => void): void;
  gate<T>(answer: Promise<T>): Promise<T>;
  isAlive(): boolean;
  kill(): void;
  freeze(): void;
  thaw(): void;
}

export function mortal(clock: Clock): Mortal {
  let isAlive = true;
  let late: (() => void)[] | null = null;
  let frozen: PromiseWithResolvers<void> | null = null;
  const inTime = (act: () => void): void => {
    if (!isAlive) return;
    if (late === null) act();
    else late.push(act);
  };
  return {
    clock: {
      now: () => clock.now(), monotonic: () => clock.monotonic(),
      setTimer: (at, fn) => {
        let isOff = false;
        const cancel = clock.setTimer(at, () => { inTime(() => { if (!isOff) fn(); }); });
        return () => {
          isOff = true;
          cancel();
        };
      },
    },
    inTime,
    gate: async (answer) => {
      const outcome = await answer.then((value) => () => value, (error: unknown) => () => { throw error; });
      if (frozen !== null) await frozen.promise;
      if (!isAlive) await new Promise(() => undefined);
      return outcome();
    },
    isAlive: () => isAlive,
    kill: () => { isAlive = false; },
    freeze: () => {
      late ??= [];
      frozen ??= Promise.withResolvers();
    },
    thaw: () => {
      const acts = late ?? [];
      late = null;
      frozen?.resolve();
      frozen = null;
      for (const act of acts) act();
    },
  };
}
