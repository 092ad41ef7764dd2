/** What the API needs of the rest of a running Frontdesk, in its own terms. */
import { join } from 'node:path';
import { readinessOf } from './configuration/readiness.ts';
import { compile, findNumber } from './core/routing/compile.ts';
import type { Account, CallFacts, Media } from './core/routing/config.ts';
import type { EventFeed } from './events/feed.ts';
import { refusalOf } from './events/webhooks/addresses.ts';
import { explain, rememberTexts, withoutPlaces } from './core/routing/explain.ts';
import { rateOfNumber, rateOfPlan, rateText } from './core/routing/rate.ts';
import { localTime } from './hours/local-time.ts';
import { scheduleAt } from './hours/schedule-at.ts';
import { AudioUnavailableError, type ApiDeps, type AudioContent, type Callbacks, type Desks, type Recording, type Registrations, type SipBans, type Supervisions, type TestCalls } from './http/ports.ts';
import type { LateDatabase } from './late-database.ts';
import type { LiveCalls } from './kept-calls/live-calls.ts';
import type { RunningConfiguration } from './open-configuration.ts';
import type { AudioFiles } from './store/media-files/audio-files.ts';
import type { Recording as Kept } from './store/media-files/recording.ts';
import type { Recordings } from './store/media-files/recordings.ts';
import { VaultError } from './store/media-files/vault-format.ts';
import type { Log } from './telemetry/log.ts';
import type { Metrics } from './telemetry/metrics.ts';

export interface ApiParts {
  readonly dataDir: string;
  readonly running: RunningConfiguration;
  readonly database: LateDatabase;
  readonly calls: LiveCalls;
  readonly recordings: Recordings;
  readonly audioFiles: AudioFiles;
  readonly registrations: Registrations;
  readonly sipBans: SipBans;
  readonly testCalls: TestCalls;
  readonly desks: Desks;
  readonly supervisions: Supervisions;
  readonly callbacks: Callbacks;
  /** The audio that says a text, if it is ready. */
  readonly spoken: (text: string) => Media | undefined;
  /** Calls of an account that are out over trunks now. */
  readonly callsOut: (account: string) => number;
  /** What is known of who calls. */
  readonly known: Pick<CallFacts, 'contact' | 'lastCallAt' | 'placeOf' | 'agent' | 'holdMusic'>;
  readonly events: EventFeed;
  /** Webhooks may be in private networks, and without TLS. */
  readonly webhooksPrivate: boolean;
  readonly log: Log;
  readonly metrics: Metrics;
}

export function apiDeps({ dataDir, running, database, calls, recordings, audioFiles, registrations, sipBans, testCalls, desks, supervisions, callbacks, spoken, callsOut, known, events, webhooksPrivate, log, metrics }: ApiParts): ApiDeps {
  const { configuration, contacts } = running;
  const mine = (account: string, kind: Recording['kind'], id: string): Kept | undefined => {
    const found = recordings.get(id);
    return found?.account === account && kindOf(found) === kind ? found : undefined;
  };
  const accountsOf = (account: string): readonly Account[] => running.clinics().map((clinic) => clinic.account).filter(({ id }) => id === account);
  return {
    configuration, contacts, calls, audioFiles, registrations, sipBans, testCalls, desks, supervisions, callbacks, events, log,
    webhooks: database.webhooks, webhookRefusal: (url) => refusalOf(url, webhooksPrivate), onFollowerDropped: () => { metrics.count('event_followers_dropped_total'); },
    changes: (filter, page) => database.config.changes(filter, page),
    keys: database.keys, keysCopy: join(dataDir, 'keys.json'), audit: database.audit, idempotency: database.idempotency, cdrs: database.cdrs,
    now: () => Date.now(),
    recordings: {
      list: (filter, { cursor, limit }) => {
        const page = recordings.list({ ...filter, kind: filter.kind === 'recording' ? 'call' : 'voicemail', limit, ...(cursor === undefined ? {} : { cursor }) });
        return Promise.resolve({ items: page.recordings.map(shownRecording), next: page.cursor });
      },
      get: (account, kind, id) => {
        const found = mine(account, kind, id);
        return Promise.resolve(found === undefined ? null : shownRecording(found));
      },
      open: async (account, kind, id) => (mine(account, kind, id) === undefined ? null : openKept(recordings, id)),
      remove: async (account, kind, id) => mine(account, kind, id) !== undefined && recordings.remove(id),
    },
    schedules: {
      at: (account, id, instant) => {
        const schedule = running.clinics().find((clinic) => clinic.account.id === account)?.account.schedules?.get(id);
        return schedule === undefined ? null : scheduleAt(schedule, instant);
      },
    },
    explain: (id, dialled, { caller, at }) => {
      const found = findNumber(accountsOf(id), dialled);
      if (found === undefined) return null;
      const texts = rememberTexts(spoken);
      const uploads = new Map(configuration.list('audio', id).map((file): [string, string] => [audioFiles.media(id, file.body.sha256), file.body.name]));
      const plan = compile(found.account, { callId: `explained ${caller} ${at}`, dialled, callerNumber: caller, callerName: '', at, localTime: (timezone) => localTime(timezone, at), callsOut, whisperMedia: texts.whisperMedia, ...known });
      const rate = rateOfPlan(found.account, plan);
      const words = (media: Media): string | undefined => texts.words(media) ?? uploads.get(media);
      return { plan: withoutPlaces(plan, words), rate, text: [explain(plan, words), ...(rate === null ? [] : ['', rateText(rate)])].join('\n') };
    },
    readiness: async ({ account: id, body, updatedAt }) => {
      const clinic = running.clinics().find(({ account }) => account.id === id);
      const number = clinic?.account.numbers.find(({ e164 }) => e164 === body.e164);
      if (clinic === undefined || number === undefined) return null;
      const seen = await registrations.list().then((all) => all.filter((one) => one.account === id), (error: unknown) => (error instanceof Error ? error.message : String(error)));
      const agents = await desks.agents(id).catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
      return readinessOf({ clinic, number, agents, voice: body.capabilities?.voice, changedAt: updatedAt, seen, isSpoken: (text) => spoken(text) !== undefined, lastTest: await testCalls.last(id, number.e164) });
    },
    rate: (id, dialled) => {
      const found = findNumber(accountsOf(id), dialled);
      return found === undefined ? null : rateOfNumber(found.account, found.number);
    },
  };
}

async function openKept(recordings: Recordings, id: string): Promise<AudioContent> {
  try {
    const file = await recordings.open(id);
    // the API's ranges name their last byte, the vault's the one after it
    return { type: 'audio/wav', bytes: file.size, read: (range) => file.read(range === undefined ? undefined : { start: range.start, end: range.end + 1 }) };
  } catch (error) {
    if (error instanceof VaultError) throw new AudioUnavailableError(error.message, { cause: error });
    throw error;
  }
}

function kindOf({ kind }: Kept): Recording['kind'] {
  return kind === 'call' ? 'recording' : 'voicemail';
}

/** As the API gives it. */
export function shownRecording(kept: Kept): Recording {
  const { recordingId, account, callId, number, caller, at, durationMs, bytes } = kept;
  return { id: recordingId, account, kind: kindOf(kept), callId, number, caller, at, durationMs, bytes };
}
