/** The table of routes. What is not here does not exist. */
import type { Keyring } from './auth.ts';
import type { EventStreams } from './events.ts';
import type { ApiDeps } from './ports.ts';
import type { Route } from './route.ts';
import { audioFileRoutes } from './routes/audio-files.ts';
import { blockCallerRoute } from './routes/block-caller.ts';
import { callRoutes } from './routes/calls.ts';
import { contactFileRoutes } from './routes/contact-files.ts';
import { contactRoutes } from './routes/contacts.ts';
import { documentRoutes } from './routes/documents.ts';
import { explainRoutes } from './routes/explain.ts';
import { historyRoutes } from './routes/history.ts';
import { keyRoutes } from './routes/keys.ts';
import { collections, objectRoutes } from './routes/objects.ts';
import { readinessRoutes } from './routes/readiness.ts';
import { recordingRoutes } from './routes/recordings.ts';
import { scheduleRoutes } from './routes/schedules.ts';
import { sipBanRoutes } from './routes/sip-bans.ts';

export function apiRoutes(deps: ApiDeps, keyring: Keyring, streams: EventStreams): readonly Route[] {
  return [
    ...collections.flatMap((collection) => objectRoutes(deps, collection, keyring)),
    ...contactFileRoutes(deps),
    ...contactRoutes(deps),
    ...audioFileRoutes(deps),
    ...callRoutes(deps, streams),
    ...explainRoutes(deps),
    ...readinessRoutes(deps),
    blockCallerRoute(deps),
    ...recordingRoutes(deps, 'recording'),
    ...recordingRoutes(deps, 'voicemail'),
    ...historyRoutes(deps),
    ...keyRoutes(deps, keyring),
    ...documentRoutes(deps),
    ...scheduleRoutes(deps),
    ...sipBanRoutes(deps),
  ];
}
