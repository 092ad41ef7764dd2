/**
 * The deliveries of one webhook: one event after the other, each until it is taken or given up. Where it has come to is
 * kept after each, so that another controller goes on there; what it had sent and not yet noted is sent again.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { Doc } from '../../configuration/documents.ts';
import { hour, minute, second, type EpochMs, type Ms } from '../../core/time.ts';
import type { WebhookState, WebhookStore } from '../../store/event-ports.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { LiveEvent } from '../catalogue.ts';
import { hasPlace, type EventFeed } from '../feed.ts';
import type { Post, Posted } from './post.ts';
import { signedHeaders } from './sign.ts';

export interface Patience {
  /** Before the second attempt, the third, …; as many attempts as there are waits, and one. Each is varied by a fifth. */
  readonly waitsMs: readonly Ms[];
  /** Longest wait that a receiver may ask for. */
  readonly longestWaitMs: Ms;
  /** Nothing has got through for so long: the webhook is disabled. */
  readonly disableAfterMs: Ms;
  /** Until a store that was away is asked again. */
  readonly storeMs: Ms;
}

export const patience: Patience = {
  waitsMs: [2 * second, 10 * second, 30 * second, 2 * minute, 5 * minute, 10 * minute, 20 * minute],
  longestWaitMs: hour, disableAfterMs: 72 * hour, storeMs: 5 * second,
};

export interface DeliveriesOptions {
  readonly account: string;
  readonly id: string;
  /** As it is now; undefined when it is gone, or another controller's to deliver to. */
  readonly document: () => Doc<'webhook'> | undefined;
  /** Null: it begins now. */
  readonly state: WebhookState | null;
  readonly feed: EventFeed;
  readonly store: WebhookStore;
  readonly post: Post;
  readonly patience: Patience;
  /** It is to be sent nothing any more; settles when that is kept. */
  readonly onDisable: (state: WebhookState, why: string) => Promise<void>;
  readonly log: Log;
  readonly metrics: Metrics;
}

export interface Deliveries {
  state(): WebhookState | null;
  /** It was disabled, or is gone: nothing more is sent. */
  over(): boolean;
  /** What is on its way is cut off, and will be sent again. */
  stop(): Promise<void>;
}

/** Names the event for its receiver, over all accounts and attempts. */
export function webhookIdOf({ account, id }: LiveEvent): string {
  return `${account}_${id}`;
}

/** One attempt. */
export function send(post: Post, { url, secret = '' }: Doc<'webhook'>, event: LiveEvent, signal: AbortSignal, now: EpochMs): Promise<Posted> {
  const body = JSON.stringify(event);
  return post({ url, body, signal, headers: { ...signedHeaders(secret, webhookIdOf(event), now, body) } });
}

export function startDeliveries(options: DeliveriesOptions): Deliveries {
  const { account, id, document, feed, store, post, patience, onDisable, log, metrics } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  let state = options.state;
  let toSave: WebhookState | null = null;
  let saving: Promise<void> | null = null;
  let over = false;

  const stopped = (): boolean => signal.aborted;
  const pause = (ms: Ms): Promise<void> => wait(ms, undefined, { signal }).catch(() => undefined);
  /** Not waited for: one that is lost is made good by the next, or by sending again. */
  const keep = (next: WebhookState): void => {
    state = next;
    toSave = next;
    saving ??= (async () => {
      while (toSave !== null) {
        const one = toSave;
        toSave = null;
        await store.save(one).catch((error: unknown) => { log.debug({ error: String(error), account, webhook: id }, 'How far a webhook has come could not be kept'); });
      }
      saving = null;
    })();
  };
  const kept = (): Promise<void> => saving ?? Promise.resolve();
  const bury = async (event: LiveEvent, attempts: number, why: string, next: WebhookState): Promise<void> => {
    while (!stopped()) {
      try {
        await store.bury({ account, webhook: id, event, attempts, why, diedAt: Date.now() }, next);
        state = next;
        metrics.count('webhook_dead_letters_total');
        log.warn({ account, webhook: id, event: event.id, attempts, why }, 'An event was given up: the webhook did not take it. It can be sent again');
        return;
      } catch (error) {
        log.debug({ error: String(error), account, webhook: id }, 'A dead letter could not be kept; tried again');
        await pause(patience.storeMs);
      }
    }
  };
  /** True when the event is done with. */
  const deliver = async (event: LiveEvent, before: WebhookState): Promise<boolean> => {
    const next = hasPlace(event) ? { ...before, cursor: event.id } : before;
    for (let attempts = 1; !stopped(); attempts += 1) {
      const webhook = document();
      if (webhook === undefined) return false;
      if (event.type !== 'gap' && webhook.types !== undefined && !webhook.types.includes(event.type)) {
        state = { ...next, failingSince: state?.failingSince ?? null, trouble: state?.trouble ?? null };
        return true;
      }
      const posted = await send(post, webhook, event, signal, Date.now());
      if (stopped()) return false;
      if (posted.ok) {
        metrics.count('webhook_deliveries_total');
        keep({ ...next, failingSince: null, trouble: null, deliveredAt: Date.now() });
        return true;
      }
      metrics.count('webhook_failures_total');
      const failing = { failingSince: state?.failingSince ?? Date.now(), trouble: posted.why };
      if (posted.gone || Date.now() - failing.failingSince >= patience.disableAfterMs) {
        state = { ...before, ...failing };
        await onDisable(state, posted.gone ? 'It answered 410: it wants no more.' : `Nothing has got through since ${new Date(failing.failingSince).toISOString()}; the last time: ${posted.why}`);
        return false;
      }
      const waitMs = patience.waitsMs[attempts - 1];
      if (waitMs === undefined) {
        await bury(event, attempts, posted.why, { ...next, ...failing });
        return !stopped();
      }
      keep({ ...before, ...failing });
      await pause(Math.max(waitMs * (0.8 + 0.4 * Math.random()), Math.min(posted.retryAfterMs ?? 0, patience.longestWaitMs)));
    }
    return false;
  };
  const follow = async (): Promise<void> => {
    const reader = await feed.open(account, state?.cursor ?? null);
    const start = reader.place();
    const close = (): void => { reader.close(); };
    const current = (): WebhookState => state ?? { account, webhook: id, cursor: start, failingSince: null, trouble: null, deliveredAt: null, disabledAt: null };
    signal.addEventListener('abort', close, { once: true });
    try {
      if (state === null) keep(current());
      while (!stopped()) {
        const events = await reader.next();
        if (events.length === 0) return;
        for (const event of events) if (!(await deliver(event, current()))) return;
        // what nobody wanted is passed over
        keep({ ...current(), cursor: reader.place() });
      }
    } finally {
      signal.removeEventListener('abort', close);
      close();
    }
  };
  const run = (async () => {
    while (!stopped() && !over) {
      try {
        await follow();
        over = true;
      } catch (error) {
        log.debug({ error: String(error), account, webhook: id }, 'Events could not be read for a webhook; tried again');
        await pause(patience.storeMs);
      }
    }
    await kept();
  })();

  return {
    state: () => state,
    over: () => over,
    stop: async () => {
      stopping.abort();
      await run;
    },
  };
}
