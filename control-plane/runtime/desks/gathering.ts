/** What there is: asked of every controller that lives, and waited for until all have answered, or for as long as callers can wait. */
import { second, type Ms } from '../../core/time.ts';
import type { CancelTimer, Clock } from '../clock.ts';
import type { Saying, There } from './messages.ts';

export interface Gathered {
  readonly all: readonly There[];
  /** Everybody who lives has answered, and none is finding calls just now. */
  readonly complete: boolean;
}

export interface Gathering {
  /** With what this controller has. `agents`: with their records. */
  ask(epoch: number, agents: boolean): Promise<Gathered>;
  heard(from: string, ask: number, there: There): void;
  stop(): void;
}

export interface GatheringOptions {
  readonly clock: Clock;
  /** Those that are asked. */
  readonly others: () => readonly string[];
  readonly own: (agents: boolean) => There;
  readonly say: (saying: Saying) => void;
}

const answerLimitMs: Ms = second;
/** What was lost is said again. */
const againMs: Ms = 300;

export function createGathering({ clock, others, own, say }: GatheringOptions): Gathering {
  // An answer to an earlier process of this name is to none of these.
  let n = clock.now();
  const open = new Map<number, { readonly answers: Map<string, There>; readonly look: () => void }>();
  const timers = new Set<CancelTimer>();

  return {
    ask: (epoch, agents) => new Promise((resolve) => {
      const ask = ++n;
      const answers = new Map<string, There>();
      const until = clock.now() + answerLimitMs;
      let timer: CancelTimer | null = null;
      const missing = (): readonly string[] => others().filter((name) => !answers.has(name));
      const done = (): void => {
        if (!open.delete(ask)) return;
        timer?.();
        if (timer !== null) timers.delete(timer);
        const all = [own(agents), ...answers.values()];
        resolve({ all, complete: missing().length === 0 && all.every(({ settled }) => settled) });
      };
      const look = (): void => { if (missing().length === 0) done(); };
      const askAll = (): void => {
        if (timer !== null) timers.delete(timer);
        if (clock.now() >= until) {
          done();
          return;
        }
        say({ type: 'WhatIsThere', epoch, ask, agents });
        timer = clock.setTimer(Math.min(until, clock.now() + againMs), () => {
          look();
          if (open.has(ask)) askAll();
        });
        timers.add(timer);
      };
      open.set(ask, { answers, look });
      if (others().length === 0) done();
      else askAll();
    }),
    heard: (from, ask, there) => {
      const asked = open.get(ask);
      asked?.answers.set(from, there);
      asked?.look();
    },
    stop: () => {
      for (const cancel of timers) cancel();
      timers.clear();
      open.clear();
    },
  };
}
