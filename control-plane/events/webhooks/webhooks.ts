/**
 * All webhooks of a running Frontdesk. One controller alone delivers: whoever leads. It takes over where the last had come
 * to by what that kept; where two believe for a moment that they lead, some events are delivered twice.
 */
import type { Configuration } from '../../configuration/configuration.ts';
import type { Doc } from '../../configuration/documents.ts';
import type { ConfigObject } from '../../configuration/objects.ts';
import { hour, second, type EpochMs, type Ms } from '../../core/time.ts';
import type { DeadLetter, WebhookState, WebhookStore } from '../../store/event-ports.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { NewEvent } from '../catalogue.ts';
import type { EventFeed } from '../feed.ts';
import { patience as usualPatience, send, startDeliveries, type Deliveries, type Patience } from './deliveries.ts';
import type { Post } from './post.ts';

export interface WebhooksOptions {
  readonly configuration: Pick<Configuration, 'get' | 'list' | 'write'>;
  /** What is configured has come from the database, and is not just the copy. */
  readonly isSettled: () => boolean;
  readonly leads: () => boolean;
  readonly feed: EventFeed;
  readonly store: WebhookStore;
  readonly post: Post;
  readonly publish: (event: NewEvent) => void;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly patience?: Patience;
  readonly lookEveryMs?: Ms;
}

export interface Webhooks {
  /** A sentence for each that was disabled for failing, as far as this controller knows: whoever delivers does. */
  problems(): readonly string[];
  /** Looks at once what is to be done. */
  changed(): void;
  stop(): Promise<void>;
}

/** Dead letters go after this long. */
const keptMs: Ms = 30 * 24 * hour;
const replaysAtOnce = 50;

const keyOf = ({ account, webhook }: { readonly account: string; readonly webhook: string }): string => `${account}/${webhook}`;

export function startWebhooks(options: WebhooksOptions): Webhooks {
  const { configuration, isSettled, leads, feed, store, post, publish, log, metrics, patience = usualPatience, lookEveryMs = second } = options;
  const stopping = new AbortController();
  const running = new Map<string, Deliveries>();
  /** By webhook, as this controller knows them; null before they were read, and while another delivers. */
  let states: Map<string, WebhookState> | null = null;
  let busy: Promise<void> | null = null;
  let again = false;
  let clearedAt: EpochMs = -Infinity;

  const documentOf = (account: string, id: string): Doc<'webhook'> | undefined => configuration.get({ account, kind: 'webhook', id })?.body;

  /** The configuration first: one that could not be changed would be enabled still, and be tried again. */
  const disable = async (failing: WebhookState, why: string): Promise<void> => {
    const { account, webhook: id } = failing;
    const object = configuration.get({ account, kind: 'webhook', id });
    if (object === undefined || !object.body.enabled) return;
    const written = await configuration.write([{ account, kind: 'webhook', id, version: object.version, body: { ...object.body, enabled: false } }], 'frontdesk');
    if (!written.ok) throw new Error(`The webhook could not be disabled: ${written.reason}`);
    const disabled = { ...failing, trouble: why, disabledAt: Date.now() };
    states?.set(keyOf(failing), disabled);
    await store.save(disabled);
    metrics.count('webhooks_disabled_total');
    log.error({ account, webhook: id, why }, 'A webhook was disabled, since it does not take what it is sent');
    publish({ at: Date.now(), account, type: 'webhook.disabled', data: { webhook: id, why, failingSince: failing.failingSince } });
  };
  const start = (known: Map<string, WebhookState>, { account, id }: ConfigObject<'webhook'>): void => {
    const key = keyOf({ account, webhook: id });
    const before = known.get(key) ?? null;
    const state = before?.disabledAt == null ? before : { ...before, disabledAt: null, failingSince: null };
    if (state !== null) known.set(key, state);
    if (state !== before && state !== null) void store.save(state).catch((error: unknown) => { log.debug({ error: String(error) }, 'That a webhook was enabled again could not be kept'); });
    running.set(key, startDeliveries({ account, id, document: () => (leads() ? documentOf(account, id) : undefined), state, feed, store, post, patience, onDisable: disable, log, metrics }));
  };
  const end = async (key: string): Promise<void> => {
    const deliveries = running.get(key);
    running.delete(key);
    await deliveries?.stop();
    const state = deliveries?.state();
    // whoever disabled it knows more
    if (state != null && states !== null && states.get(key)?.disabledAt == null) states.set(key, state);
  };
  const endAll = async (): Promise<void> => { await Promise.all([...running.keys()].map(end)); };

  const forgetDeleted = async (known: Map<string, WebhookState>): Promise<void> => {
    if (!isSettled()) return;
    for (const [key, { account, webhook }] of known) {
      if (running.has(key) || documentOf(account, webhook) !== undefined) continue;
      await store.forget(account, webhook);
      known.delete(key);
    }
  };
  const replay = async (): Promise<void> => {
    const letters = Map.groupBy(await store.toReplay(replaysAtOnce), keyOf);
    await Promise.all([...letters.values()].map(async (some) => { for (const letter of some) if (!stopping.signal.aborted) await sendAgain(letter); }));
  };
  const sendAgain = async ({ seq, account, webhook, event }: DeadLetter): Promise<void> => {
    const document = documentOf(account, webhook);
    const posted = document === undefined ? null : await send(post, document, event, stopping.signal, Date.now());
    if (stopping.signal.aborted) return;
    metrics.count(posted?.ok === true ? 'webhook_deliveries_total' : 'webhook_failures_total');
    await store.replayed(seq, posted === null ? 'The webhook is gone.' : posted.ok ? null : posted.why);
  };
  const clear = async (): Promise<void> => {
    if (Date.now() - clearedAt < hour) return;
    clearedAt = Date.now();
    await store.removeBefore(Date.now() - keptMs);
  };

  const look = async (): Promise<void> => {
    if (!leads()) {
      await endAll();
      states = null;
      return;
    }
    states ??= new Map((await store.states()).map((state) => [keyOf(state), state]));
    const wanted = new Map(configuration.list('webhook').filter(({ body }) => body.enabled).map((object) => [keyOf({ account: object.account, webhook: object.id }), object]));
    await Promise.all([...running].filter(([key, deliveries]) => !wanted.has(key) || deliveries.over()).map(([key]) => end(key)));
    for (const [key, object] of wanted) if (!running.has(key)) start(states, object);
    await forgetDeleted(states);
    await replay();
    await clear();
  };
  const next = (): void => {
    if (stopping.signal.aborted) return;
    if (busy !== null) {
      again = true;
      return;
    }
    busy = look().catch((error: unknown) => { log.debug({ error: String(error) }, 'Webhooks could not be looked after; tried again'); }).finally(() => {
      busy = null;
      if (again) {
        again = false;
        next();
      }
    });
  };
  next();
  const timer = setInterval(next, lookEveryMs);

  return {
    problems: () => [...(states?.values() ?? [])].filter(({ disabledAt, account, webhook }) => disabledAt !== null && documentOf(account, webhook)?.enabled === false)
      .map(({ account, webhook, trouble }) => `The webhook ${webhook} of ${account} was disabled: ${trouble ?? 'it failed for long.'} Mend its receiver and enable it, or delete it.`),
    changed: next,
    stop: async () => {
      clearInterval(timer);
      stopping.abort();
      await busy;
      await endAll();
    },
  };
}
