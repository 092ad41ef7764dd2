/** The table of routes. What is not here does not exist. */
import type { Keyring } from './auth.ts';
import type { AccountEvents } from './account-events.ts';
import type { EventStreams } from './events.ts';
import type { ApiDeps } from './ports.ts';
import type { Route } from './route.ts';
import { agentRoutes } from './routes/agents.ts';
import { audioFileRoutes } from './routes/audio-files.ts';
import { blockCallerRoute } from './routes/block-caller.ts';
import { callbackRoutes } from './routes/callbacks.ts';
import { callRoutes } from './routes/calls.ts';
import { contactFileRoutes } from './routes/contact-files.ts';
import { contactRoutes } from './routes/contacts.ts';
import { documentRoutes } from './routes/documents.ts';
import { eventRoutes } from './routes/events.ts';
import { explainRoutes } from './routes/explain.ts';
import { historyRoutes } from './routes/history.ts';
import { keyRoutes } from './routes/keys.ts';
import { collections, objectRoutes } from './routes/objects.ts';
import { readinessRoutes } from './routes/readiness.ts';
import { recordingRoutes } from './routes/recordings.ts';
import { scheduleRoutes } from './routes/schedules.ts';
import { serviceLevelRoutes } from './routes/service-levels.ts';
import { sipBanRoutes } from './routes/sip-bans.ts';
import { supervisionRoutes } from './routes/supervisions.ts';
import { webhookRoutes } from './routes/webhooks.ts';
import type { Streams } from './streams.ts';

export interface Streaming {
  readonly streams: Streams;
  /** Of this controller's calls. */
  readonly live: EventStreams;
  readonly accountEvents: AccountEvents;
}

export function apiRoutes(deps: ApiDeps, keyring: Keyring, { streams, live, accountEvents }: Streaming): readonly Route[] {
  return [
    ...collections.flatMap((collection) => objectRoutes(deps, collection, keyring)),
    ...agentRoutes(deps),
    ...serviceLevelRoutes(deps),
    ...contactFileRoutes(deps),
    ...contactRoutes(deps),
    ...audioFileRoutes(deps),
    ...callRoutes(deps, streams, live),
    ...eventRoutes(streams, accountEvents),
    ...webhookRoutes(deps),
    ...explainRoutes(deps),
    ...readinessRoutes(deps),
    blockCallerRoute(deps),
    ...supervisionRoutes(deps),
    ...recordingRoutes(deps, 'recording'),
    ...recordingRoutes(deps, 'voicemail'),
    ...historyRoutes(deps),
    ...keyRoutes(deps, keyring),
    ...documentRoutes(deps),
    ...scheduleRoutes(deps),
    ...callbackRoutes(deps),
    ...sipBanRoutes(deps),
  ];
}
