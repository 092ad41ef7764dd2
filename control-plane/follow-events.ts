/** The events of accounts in a running Frontdesk: what happens here is published, and webhooks are served. */
import type { Redis } from 'ioredis';
import { shownRecording } from './api-deps.ts';
import type { Config } from './config.ts';
import type { CallFact } from './core/call/facts.ts';
import type { Cdr } from './core/cdr/cdr.ts';
import { isSynthetic } from './core/ids.ts';
import type { DeskFact } from './core/queue/facts.ts';
import { second, type EpochMs } from './core/time.ts';
import type { NewEvent } from './events/catalogue.ts';
import { createEventFeed, type EventFeed } from './events/feed.ts';
import { eventOfEnd, eventsOfCall } from './events/of-calls.ts';
import { eventsOfDesk } from './events/of-desk.ts';
import { registrationEvents } from './events/of-registrations.ts';
import { createPublisher } from './events/publisher.ts';
import { createPost } from './events/webhooks/post.ts';
import { startWebhooks, type Webhooks } from './events/webhooks/webhooks.ts';
import type { RegistrationChange } from './http/ports.ts';
import type { LateDatabase } from './late-database.ts';
import type { RunningConfiguration } from './open-configuration.ts';
import type { Controller } from './runtime/controller.ts';
import type { Recording } from './store/media-files/recording.ts';
import { redisEventLog } from './store/redis/event-log.ts';
import type { Log } from './telemetry/log.ts';
import type { Metrics } from './telemetry/metrics.ts';

export interface Events {
  readonly feed: EventFeed;
  readonly onCallFact: (record: Cdr, fact: CallFact, at: EpochMs) => void;
  readonly onCdr: (record: Cdr) => void;
  /** Of the desks that run here. */
  readonly onDeskFact: (account: string, fact: DeskFact, at: EpochMs) => void;
  readonly publish: (event: NewEvent) => void;
  readonly onVoicemail: (recording: Recording) => void;
  /** Each controller sees all phones and trunks: the one that leads tells. */
  readonly onRegistration: (change: RegistrationChange) => void;
  serveWebhooks(): Webhooks;
  stop(): Promise<void>;
}

export interface EventsOptions {
  readonly config: Pick<Config, 'webhooksPrivate'>;
  readonly redis: Redis;
  readonly database: Pick<LateDatabase, 'webhooks'>;
  readonly running: RunningConfiguration;
  readonly controller: () => Pick<Controller, 'leads'>;
  readonly log: Log;
  readonly metrics: Metrics;
}

export function openEvents({ config, redis, database, running, controller, log, metrics }: EventsOptions): Events {
  const store = redisEventLog({ redis });
  const publisher = createPublisher({ store, log, metrics });
  const feed = createEventFeed({ store, log });
  const seen = registrationEvents();
  const publish = (events: readonly NewEvent[]): void => { for (const event of events) publisher.publish(event); };
  return {
    feed,
    onCallFact: (record, fact, at) => { publish(eventsOfCall(record, fact, at)); },
    onCdr: (record) => { if (!isSynthetic(record.callId)) publish(eventOfEnd(record)); },
    onDeskFact: (account, fact, at) => { publish(eventsOfDesk(account, fact, at)); },
    publish: (event) => { publisher.publish(event); },
    onVoicemail: (recording) => { publish([{ at: Date.now(), account: recording.account, type: 'voicemail.left', data: shownRecording(recording) }]); },
    onRegistration: (change) => {
      if (change.type !== 'registration') return;
      const events = seen(change.registration, Date.now());
      if (controller().leads()) publish(events);
    },
    serveWebhooks: () => {
      const webhooks = startWebhooks({
        configuration: running.configuration, isSettled: () => running.problem() === null, leads: () => controller().leads(), feed, store: database.webhooks,
        post: createPost({ allowPrivate: config.webhooksPrivate }), publish: (event) => { publisher.publish(event); }, log, metrics,
      });
      running.onChange(() => { webhooks.changed(); });
      return webhooks;
    },
    stop: async () => {
      await publisher.flush(second);
      publisher.stop();
      await feed.stop();
    },
  };
}
