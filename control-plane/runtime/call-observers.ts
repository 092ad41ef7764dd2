/** Who is told of a controller's calls. A throwing observer harms nobody. */
import type { Call } from '../core/call/call.ts';
import type { CallFact } from '../core/call/facts.ts';
import type { Cdr } from '../core/cdr/cdr.ts';
import type { EpochMs } from '../core/time.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';

export interface CallObserver {
  /** The call is not as it was, or is no more. */
  onStep?(call: Call): void;
  onFact?(call: Call, fact: CallFact, at: EpochMs): void;
  /** The record is finished, and on its way to the archive. */
  onCdr?(cdr: Cdr): void;
  /** Another controller has the call: no more is heard of it here. Its record is as far as it had come. */
  onLeft?(call: Call, cdr: Cdr): void;
}

export interface CallObservers {
  /** Returns the function that ends the observation. */
  readonly observe: (observer: CallObserver) => () => void;
  readonly tell: (say: (observer: CallObserver) => void) => void;
}

export function createCallObservers({ log, metrics }: { readonly log: Log; readonly metrics: Metrics }): CallObservers {
  const observers = new Set<CallObserver>();
  return {
    observe: (observer) => {
      observers.add(observer);
      return () => { observers.delete(observer); };
    },
    tell: (say) => {
      for (const observer of observers) {
        try {
          say(observer);
        } catch (error) {
          metrics.count('observer_errors_total');
          log.error({ error: String(error) }, 'An observer of calls failed');
        }
      }
    },
  };
}
