/** What becomes of the facts of desks that run here: lines of the log, figures, and whoever observes them. */
import type { QueueConfig } from '../../core/queue/config.ts';
import type { DeskFact } from '../../core/queue/facts.ts';
import type { EpochMs } from '../../core/time.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { Clock } from '../clock.ts';
import { createDeskFigures, type DeskFigures } from './desk-figures.ts';
import { logFact } from './desk-log.ts';

export type DeskObserver = (account: string, fact: DeskFact, at: EpochMs) => void;

export interface ToldFacts {
  tell(account: string, fact: DeskFact): void;
  /** A throwing observer harms nobody. Returns what ends it. */
  observe(observer: DeskObserver): () => void;
  figuresOf(account: string): DeskFigures;
  /** Figures begin anew. */
  forget(): void;
}

export function createToldFacts({ clock, configs, log, metrics }: { readonly clock: Clock; readonly configs: ReadonlyMap<string, readonly QueueConfig[]>; readonly log: Log; readonly metrics: Metrics }): ToldFacts {
  const observers = new Set<DeskObserver>();
  const figures = new Map<string, DeskFigures>();
  const figuresOf = (account: string): DeskFigures => {
    const found = figures.get(account) ?? createDeskFigures(clock.now(), () => configs.get(account) ?? []);
    figures.set(account, found);
    return found;
  };
  return {
    tell: (account, fact) => {
      logFact(log, account, fact);
      figuresOf(account).count(fact);
      for (const observer of observers) {
        try {
          observer(account, fact, clock.now());
        } catch (error) {
          metrics.count('observer_errors_total');
          log.error({ account, fact: fact.type, error: String(error) }, 'An observer of desks failed');
        }
      }
    },
    observe: (observer) => {
      observers.add(observer);
      return () => { observers.delete(observer); };
    },
    figuresOf,
    forget: () => { figures.clear(); },
  };
}
