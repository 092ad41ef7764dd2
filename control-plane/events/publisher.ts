/**
 * Sends events to their streams. `publish` returns at once, whatever the store does: events gather for a moment and go in
 * batches, one on its way at a time, so their order is certain. While the store is away they wait, up to a bound; what has
 * no room is dropped and counted, and a `gap` stands in its place for those who follow.
 */
import { randomUUID } from 'node:crypto';
import type { Ms } from '../core/time.ts';
import type { EventLog } from '../store/event-ports.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { NewEvent } from './catalogue.ts';

export interface Publisher {
  publish(event: NewEvent): void;
  /** Settles when all has been sent, or after `withinMs`. */
  flush(withinMs: Ms): Promise<void>;
  stop(): void;
}

export interface PublisherOptions {
  readonly store: Pick<EventLog, 'append'>;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Events that wait; 20,000 when absent. */
  readonly room?: number;
}

const gatherMs: Ms = 10;
const againMs: Ms = 250;
const batch = 200;

export function createPublisher({ store, log, metrics, room = 20_000 }: PublisherOptions): Publisher {
  // of this process: another of the same name numbers anew
  const name = randomUUID();
  let waiting: { readonly n: number; readonly event: NewEvent }[] = [];
  /** By account, how many were dropped since the last that is waiting. */
  const dropped = new Map<string, number>();
  let n = 0;
  let timer: NodeJS.Timeout | null = null;
  let sending = false;
  let stopped = false;
  let away = false;
  const idle: (() => void)[] = [];
  metrics.gauge('events_waiting', () => waiting.length);

  const add = (event: NewEvent): void => {
    n += 1;
    waiting.push({ n, event });
  };
  /** The gap first, or the event would hide it. */
  const tellGap = (account: string): void => {
    const missing = dropped.get(account);
    if (missing === undefined || waiting.length >= room) return;
    dropped.delete(account);
    add({ at: Date.now(), account, type: 'gap', data: { why: 'dropped', dropped: missing } });
  };
  const publish = (event: NewEvent): void => {
    if (stopped) return;
    tellGap(event.account);
    if (waiting.length >= room) {
      if (dropped.size === 0) log.error({ waiting: waiting.length }, 'Events are dropped: Redis is away too long; those who follow are told that some are missing');
      dropped.set(event.account, (dropped.get(event.account) ?? 0) + 1);
      metrics.count('events_dropped_total');
      return;
    }
    add(event);
    sendIn(gatherMs);
  };
  const sendIn = (ms: Ms): void => {
    if (timer !== null || sending || stopped) return;
    timer = setTimeout(() => {
      timer = null;
      void send();
    }, ms);
  };
  const send = async (): Promise<void> => {
    sending = true;
    const some = waiting.slice(0, batch);
    let sent = false;
    try {
      await store.append(name, some);
      sent = true;
      if (away) log.info({}, 'Events are sent again');
      away = false;
    } catch (error) {
      if (!away) log.warn({ error: String(error) }, 'Events could not be sent; they wait and are tried again');
      away = true;
    }
    sending = false;
    if (sent) {
      waiting = waiting.slice(some.length);
      metrics.count('events_published_total', some.length);
      for (const account of dropped.keys()) tellGap(account);
    }
    if (waiting.length > 0) {
      sendIn(sent ? 0 : againMs);
      return;
    }
    for (const settle of idle.splice(0)) settle();
  };

  return {
    publish,
    flush: (withinMs) => {
      if (waiting.length === 0) return Promise.resolve();
      const { promise, resolve } = Promise.withResolvers<void>();
      const deadline = setTimeout(resolve, withinMs);
      idle.push(() => {
        clearTimeout(deadline);
        resolve();
      });
      return promise;
    },
    stop: () => {
      stopped = true;
      if (timer !== null) clearTimeout(timer);
      for (const settle of idle.splice(0)) settle();
    },
  };
}
