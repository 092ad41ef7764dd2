/** Figures of queues, from controller to controller as far as they could be kept; and how many offers ended how, here. */
import type { DeskFact } from '../../core/queue/facts.ts';
import type { QueueConfig, QueueId } from '../../core/queue/config.ts';
import type { OfferOutcome } from '../../core/queue/desk.ts';
import { countFact, noFigures, sumOf, type QueueFigures } from '../../core/queue/figures.ts';
import type { EpochMs } from '../../core/time.ts';

export interface DeskFigures {
  count(fact: DeskFact): void;
  of(queue: QueueId): QueueFigures;
  offers(): Iterable<{ readonly queue: QueueId; readonly outcome: OfferOutcome; readonly count: number }>;
  since(): EpochMs;
  /** `now` as it is. */
  kept(now: EpochMs): KeptFigures;
  /** What was counted before, once; null: nothing is known of it. */
  goOn(before: KeptFigures | null): void;
}

/** As the controller leaves them to the next that runs the desk. */
export interface KeptFigures {
  readonly since: EpochMs;
  readonly at: EpochMs;
  readonly queues: Readonly<Record<QueueId, QueueFigures>>;
}

export function createDeskFigures(begunAt: EpochMs, queues: () => readonly QueueConfig[]): DeskFigures {
  const figures = new Map<QueueId, QueueFigures>();
  const offers = new Map<string, { readonly queue: QueueId; readonly outcome: OfferOutcome; count: number }>();
  const of = (id: QueueId): QueueFigures => figures.get(id) ?? noFigures;
  let since = begunAt;
  let goesOn = false;
  return {
    count: (fact) => {
      if (!('queue' in fact)) return;
      const config = queues().find(({ id }) => id === fact.queue);
      if (config !== undefined) figures.set(config.id, countFact(of(config.id), fact, config));
      if (fact.type !== 'OfferEnded') return;
      const key = `${fact.queue} ${fact.outcome}`;
      const known = offers.get(key);
      if (known === undefined) offers.set(key, { queue: fact.queue, outcome: fact.outcome, count: 1 });
      else known.count += 1;
    },
    of,
    offers: () => offers.values(),
    since: () => since,
    kept: (now) => ({ since, at: now, queues: Object.fromEntries([...figures].map(([id, counted]) => [id, waitIsOver(counted)])) }),
    goOn: (before) => {
      if (goesOn) return;
      goesOn = true;
      if (before === null) return;
      since = Math.min(since, before.since);
      for (const [id, counted] of Object.entries(before.queues)) figures.set(id, sumOf(counted, of(id)));
    },
  };
}

/** Who waits still enters anew, at the desk of whoever goes on with these. */
function waitIsOver(figures: QueueFigures): QueueFigures {
  const { answered, abandoned, sentOn } = figures;
  return { ...figures, entered: answered + abandoned + sentOn };
}
