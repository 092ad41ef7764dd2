/** What stays of calls: their records in the database, their recordings encrypted, all for as long as it is to be kept. */
import { join } from 'node:path';
import { collectRecordings } from './collect-recordings.ts';
import type { Config } from '../config.ts';
import type { ClinicConfig } from '../configuration/clinics.ts';
import type { Cdr } from '../core/cdr/cdr.ts';
import { onlyUser } from '../core/routing/greeting.ts';
import { listLocked } from './list-locked.ts';
import type { LateDatabase } from '../late-database.ts';
import type { StoredRecordings } from '../media/switch-admin.ts';
import type { Notices } from '../notify/notices.ts';
import type { RunningConfiguration } from '../open-configuration.ts';
import type { Controller } from '../runtime/controller.ts';
import type { CallArchive } from '../store/ports.ts';
import { readMediaKeys } from '../store/media-files/media-keys.ts';
import type { Recording } from '../store/media-files/recording.ts';
import { openRecordings, type Recordings } from '../store/media-files/recordings.ts';
import { applyRetention } from '../store/media-files/retention.ts';
import { openVault } from '../store/media-files/vault.ts';
import { startCdrSpool } from '../store/postgres/cdr-spool.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { DiskWatch } from './watch-disk.ts';

interface KeepOptions {
  readonly config: Config;
  readonly database: LateDatabase;
  readonly controller: Controller;
  readonly archive: Pick<CallArchive, 'hasCdr'>;
  readonly disk: DiskWatch;
  readonly stored: StoredRecordings;
  readonly notices: Notices;
  readonly running: RunningConfiguration;
  /** A message can be listened to from now on. */
  readonly onVoicemail: (recording: Recording) => void;
  readonly log: Log;
  readonly metrics: Metrics;
}

export interface KeptCalls {
  readonly recordings: Recordings;
  /** Once the controller has taken up the calls on the switch. */
  fetchLeftBehind(): void;
  problems(): readonly string[];
  stop(): Promise<void>;
}

const retentionEveryMs = 3_600_000;
/** Those that are over. */
const callbacksKeptMs = 30 * 86_400_000;

export async function keepCalls({ config, database, controller, archive, disk, stored, notices, running, onVoicemail, log, metrics }: KeepOptions): Promise<KeptCalls> {
  const { dataDir } = config;
  const keys = await readMediaKeys({ current: config.mediaKey, old: config.oldMediaKeys.join(','), dir: dataDir });
  const recordings = await openRecordings({ vault: await openVault({ dir: join(dataDir, 'recordings'), keys }), log, refusal: () => disk.problem() });
  const spool = startCdrSpool({ dir: dataDir, store: database.cdrs, log, metrics });
  const collector = collectRecordings({
    stored, recordings, dataDir, log,
    isLive: (callId) => controller.calls().some((call) => call.id === callId),
    findCdr: (callId) => database.cdrs.get(callId),
    isOwn: (callId) => archive.hasCdr(callId),
    // twice would be two recordings and two notices: not while it is not certain who leads
    bringsOthers: () => controller.leads() && !controller.storeIsAway(),
    onTakenIn: (recording, cdr) => {
      if (recording.kind !== 'voicemail') return;
      onVoicemail(recording);
      void notices.give(noticeOf(recording, cdr, running)).then(() => notices.send());
    },
  });
  const unobserve = controller.observe({
    onFact: (_, fact) => {
      if (fact.type === 'CallRecordingFailed' || (fact.type === 'CallRecordingEnded' && fact.early === true)) disk.look();
    },
    onCdr: (cdr) => {
      for (const { recordingId, failed, cut } of cdr.recordings) {
        if (failed) log.error({ call: cdr.callId, recording: recordingId }, 'A call that was to be recorded was not; its record says so');
        else if (cut) log.error({ call: cdr.callId, recording: recordingId }, 'A recording was cut before its call ended; what there is of it is kept, and the call\'s record says so');
      }
      spool.wake();
      collector.collect(cdr);
    },
  });

  const stopListing = listLocked({ recordings, findCdr: (callId) => database.cdrs.get(callId), log });
  const retain = async (): Promise<void> => {
    const clinics = running.clinics();
    for (const { account, retention } of clinics) {
      const others = (recording: Recording): boolean => recording.account !== account.id;
      await applyRetention({
        now: Date.now(), recordings, dir: dataDir, log, keep: others,
        settings: { ...given('recordingDays', retention.recordingDays), ...given('voicemailDays', retention.voicemailDays) },
      });
    }
    const days = daysOfSharedFiles(clinics);
    await applyRetention({ now: Date.now(), recordings, dir: dataDir, log, settings: { ...given('journalDays', days), ...given('cdrDays', days) } });
    // the database is everybody's; twice is no harm
    if (!controller.leads() && !controller.storeIsAway()) return;
    await database.callbacks.removeBefore(Date.now() - callbacksKeptMs);
    for (const { account, retention } of clinics) {
      if (retention.callDays === undefined) continue;
      const before = Date.now() - retention.callDays * 86_400_000;
      await database.cdrs.removeBefore(account.id, before);
      await database.callbacks.removeBefore(before, account.id);
    }
  };
  let retaining: Promise<void> = Promise.resolve();
  let stopping = false;
  const retainNow = (): void => {
    // a copy may lack that somebody wants to keep more
    if (stopping || running.problem() !== null) return;
    retaining = retaining.then(retain).catch((error: unknown) => { log.warn({ error: String(error) }, 'What is due could not be removed; tried again in an hour'); });
  };
  void running.settled.then(retainNow);
  const retentionTimer = setInterval(retainNow, retentionEveryMs);
  return {
    recordings,
    fetchLeftBehind: () => { collector.start(); },
    problems: () => [disk.problem(), recordings.problem(), collector.problem(), spool.problem()].filter((problem) => problem !== null),
    stop: async () => {
      unobserve();
      stopListing();
      clearInterval(retentionTimer);
      stopping = true;
      await retaining;
      await collector.stop();
      await recordings.close();
      await spool.stop();
    },
  };
}

/** Journals and records of all accounts lie in the same files: the longest of their times counts, and one without a limit keeps all. */
function daysOfSharedFiles(clinics: readonly ClinicConfig[]): number | undefined {
  const days = clinics.map(({ retention }) => retention.callDays ?? Infinity);
  const longest = Math.max(...days);
  return days.length === 0 || longest === Infinity ? undefined : longest;
}

function given<K extends string>(name: K, days: number | undefined): { readonly [P in K]?: number } {
  return days === undefined ? {} : ({ [name]: days } as { readonly [P in K]: number });
}

function noticeOf(recording: Recording, cdr: Cdr, running: RunningConfiguration) {
  const clinic = running.clinics().find(({ account }) => account.id === recording.account);
  const user = clinic?.account.users.find(({ id }) => id === onlyUser(cdr.legs));
  const caller = cdr.caller.number === '' ? 'a caller without a number' : cdr.caller.number;
  return {
    at: new Date(recording.at).toISOString(), kind: 'voicemail' as const, call: cdr.callId, notify: [...new Set([...(clinic?.voicemailNotify.get(recording.number) ?? []), ...(clinic?.userVoicemailNotify.get(user?.id ?? '') ?? [])])],
    sentence: `${caller} left a message of ${Math.round(recording.durationMs / 1000)} s for ${user === undefined ? '' : `${user.name} at `}${cdr.number.label} (${recording.number}). Listen to it as voicemail ${recording.recordingId} of ${recording.account}.`,
  };
}
