/**
 * The configuration of a running Frontdesk: from the database, or from the copy on the disk while it cannot be
 * reached; plan files taken in; and what it means for routing and the switch, always as it is now.
 */
import { readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Config } from './config.ts';
import { onNewYear, yearOf } from './hours/year-turn.ts';
import { createConfiguration, readCopy, type Configuration } from './configuration/configuration.ts';
import { clinicsOf, type ClinicConfig } from './configuration/clinics.ts';
import { warningsOf, warningsOfWritten } from './configuration/warnings.ts';
import type { Contacts } from './contacts/contacts.ts';
import { importPlans, type TakeInAudio } from './import-plan.ts';
import type { LateDatabase } from './late-database.ts';
import { openContacts } from './open-contacts.ts';
import type { AudioFiles } from './store/media-files/audio-files.ts';
import { loadPlanFiles, type PlanConfig } from './store/plan-files/load.ts';
import { formatProblems } from './store/plan-files/problems.ts';
import type { Log } from './telemetry/log.ts';

export interface RunningConfiguration {
  readonly configuration: Configuration;
  readonly contacts: Contacts;
  /** The same array until something changes. */
  clinics(): readonly ClinicConfig[];
  /** After `clinics` gives the new. */
  onChange(changed: () => void): void;
  /** Settles when what is known has come from the database, and is not just the copy. */
  readonly settled: Promise<void>;
  /** One sentence while all that is known is the copy, else null. */
  problem(): string | null;
  stop(): Promise<void>;
}

export interface OpenOptions {
  readonly config: Config;
  readonly database: LateDatabase;
  readonly audioFiles: AudioFiles;
  readonly log: Log;
  /** Read before, so that a wrong plan leaves nothing started. */
  readonly plan: PlanConfig | undefined;
  /** A start that cannot succeed, for the person who started it. */
  readonly refuse: (message: string) => Error;
}

/** Rejects with `refuse` when plans do not fit, or when there is neither database nor copy. */
export async function openConfiguration({ config, database, audioFiles, log, plan, refuse }: OpenOptions): Promise<RunningConfiguration> {
  const copyFile = join(config.dataDir, 'configuration.json');
  const copy = await readCopy(copyFile);
  if (copy === undefined) await database.firstTry.catch((error: unknown) => { throw refuse(error instanceof Error ? error.message : String(error)); });
  const contacts = await openContacts({
    dataDir: config.dataDir, store: database.contacts, configured: copy === undefined ? undefined : { snapshot: copy, file: copyFile }, log,
    hasUser: (account, id) => configuration.get({ account, kind: 'user', id }) !== undefined,
  });
  const configuration = createConfiguration({
    store: database.config, snapshot: copy ?? (await database.config.load()), copyFile, fromCopy: copy !== undefined, log, usersElsewhere: (deleted) => contacts.usersOf(deleted),
    warningsFor: warningsOfWritten,
  });
  let copyOf = copy === undefined ? null : (await stat(copyFile)).mtime;
  const settled = Promise.withResolvers<void>();
  if (copyOf === null) settled.resolve();

  const meaning = (): readonly ClinicConfig[] => clinicsOf(configuration.current().objects.values(), (account, _, { sha256 }) => audioFiles.media(account, sha256), yearOf(Date.now()));
  let clinics = meaning();
  const listeners: (() => void)[] = [];
  const renew = (): void => {
    clinics = meaning();
    for (const listener of listeners) listener();
  };
  configuration.onChange(() => {
    copyOf = null;
    settled.resolve();
    renew();
  });
  const stopYears = onNewYear(renew);

  const takeIn: TakeInAudio = async (account, _, path) => {
    const upload = await audioFiles.upload(account, basename(path), await readFile(path));
    if (!upload.ok) throw refuse(`${path}: ${upload.message}`);
    return { name: basename(path).slice(0, 60), durationMs: upload.durationMs, sha256: upload.sha256 };
  };
  const importNow = async ({ plans }: PlanConfig): Promise<void> => {
    const { written, problems } = await importPlans(plans, configuration, config.dataDir, takeIn);
    if (problems.length > 0) throw refuse(`The plan does not fit what is configured:\n${problems.join('\n')}`);
    if (written > 0) log.info({ plans: config.planFiles, objects: written }, 'The plan was taken in');
  };
  // An example is of no interest to a system that has a configuration.
  if (plan !== undefined && (!config.planIsExample || (copy === undefined && configuration.current().objects.size === 0))) {
    if (copy === undefined) await importNow(plan);
    else void database.opened.then(() => importNow(plan)).catch((error: unknown) => { log.error({ error: String(error) }, 'The plan could not be taken in: calls are routed as before'); });
  }
  for (const warning of warningsOf(clinics)) log.warn({}, warning);
  return {
    configuration,
    contacts,
    clinics: () => clinics,
    onChange: (changed) => { listeners.push(changed); },
    settled: settled.promise,
    problem: () => (copyOf === null ? null : `Calls are routed by the copy of the configuration on the disk, of ${copyOf.toISOString()}, until the database is back.`),
    stop: async () => {
      stopYears();
      await contacts.stop();
      await configuration.stop();
    },
  };
}

/** The plans that were named; the example only where it is wanted. Rejects with `refuse` when one is wrong. */
export async function readPlans(config: Config, withExample: boolean, refuse: OpenOptions['refuse']): Promise<PlanConfig | undefined> {
  if (config.planIsExample && !withExample) return undefined;
  const loaded = await loadPlanFiles(config.planFiles);
  if (!loaded.ok) throw refuse(formatProblems(loaded.problems));
  return loaded.config;
}
