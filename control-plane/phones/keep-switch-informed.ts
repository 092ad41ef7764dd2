/**
 * Writes to the switch what it must know by itself, and collects what it noted while alone: at start, and again
 * each time the link comes back; notes every few seconds, since an emergency call is noted while it goes on.
 *
 * Of several controllers all write, the same; the one that leads takes the notes. While the store that says who leads is
 * away each takes them: an emergency that is told twice is better than one that is not told.
 */
import type { Config } from '../config.ts';
import type { ProvisionedFiles } from './provisioned-files.ts';
import type { SwitchDriver } from '../media/switch-admin.ts';
import type { SwitchNote } from '../media/switch-setup.ts';
import { noticeOf, type Notice, type Notices } from '../notify/notices.ts';
import { rememberTold } from '../notify/told.ts';
import type { ClinicConfig } from '../configuration/clinics.ts';
import type { Controller } from '../runtime/controller.ts';
import type { SharedMemory } from '../store/ports.ts';
import { switchSetupOf, whoseNote } from './switch-setup-of.ts';
import type { Log } from '../telemetry/log.ts';

interface Informing {
  readonly config: Config;
  readonly log: Log;
  /** As they are now. */
  readonly clinics: () => readonly ClinicConfig[];
  readonly driver: SwitchDriver;
  /** What was written to the switch. */
  readonly provisioned: ProvisionedFiles;
  readonly notices: Notices;
  readonly controller: Pick<Controller, 'leads' | 'storeIsAway'>;
  readonly memory: SharedMemory;
}

export interface SwitchInforming {
  /** What is wrong with it now, a sentence each. */
  problems(): readonly string[];
  /** The configuration is another: the switch is told at once. */
  changed(): void;
  stop(): Promise<void>;
}

const notesEveryMs = 5000;

/** Rejects with a sentence when the switch does not take what it must know at the first time. */
export async function keepSwitchInformed({ config, log, clinics, driver, provisioned, notices, controller, memory }: Informing): Promise<SwitchInforming> {
  const notice = (taken: SwitchNote): Notice => {
    const { note, clinic, location } = whoseNote(taken, clinics());
    // An emergency nobody can place is told to everybody; all else to those it concerns alone.
    const told = clinic !== undefined ? [clinic] : note.kind === 'emergency' || clinics().length === 1 ? clinics() : [];
    return noticeOf(note, told.flatMap(({ emergency }) => emergency?.notify ?? []), location);
  };
  const told = rememberTold(memory, 'emergencies');
  const take = async (note: SwitchNote): Promise<void> => {
    // of a call that goes on: given to each controller that comes to lead
    const key = note.outcome === 'STARTED' ? `${note.at} ${note.from} ${note.dialled}` : null;
    if (key !== null && (await told.has(key))) return;
    await notices.give(notice(note));
    if (key !== null) await told.add(key);
  };
  let problem: string | null = null;
  let informedAt = -1;
  let informedOf: readonly ClinicConfig[] = [];
  let busy: Promise<void> | null = null;

  const sayOfTransfers = async (): Promise<void> => {
    const transfers = await driver.admin.transfers(config.transfers);
    if (!transfers.allowed && config.transfers !== 'off') log.warn({ why: transfers.why }, 'Phones cannot transfer calls on this switch');
  };

  const inform = async (): Promise<void> => {
    const connects = driver.connects();
    if (driver.health().link === 'up') {
      try {
        const wanted = clinics();
        if (informedAt !== connects || informedOf !== wanted) {
          const now = await driver.admin.provision({ ...switchSetupOf(wanted), transfers: config.transfers }, await provisioned.read());
          await provisioned.write(now);
          if (informedAt < 0) await sayOfTransfers();
          informedAt = connects;
          informedOf = wanted;
        }
        if (controller.leads() || controller.storeIsAway()) await driver.admin.takeNotes(take);
        problem = null;
      } catch (error) {
        problem = error instanceof Error ? error.message : String(error);
        log.error({ error: problem }, 'The switch could not be told of phones, trunks and failsafes, or its notes not be read; tried again');
      }
    }
    void notices.send();
  };
  await inform();
  if (problem !== null) throw new Error(problem);
  const next = (): void => { busy ??= inform().finally(() => { busy = null; }); };
  const timer = setInterval(next, notesEveryMs);
  return {
    problems: () => [
      ...(problem === null ? [] : [problem]),
      ...(notices.unsent() === 0 ? [] : [`${notices.unsent()} notices wait for the mail server.`]),
      ...(clinics().some(({ emergency }) => (emergency?.notify.length ?? 0) > 0) && config.smtpUrl === undefined ? ['The plan names people to notify of emergency calls, but FRONTDESK_SMTP_URL is not set: notices are only logged.'] : []),
    ],
    changed() {
      if (busy === null) next();
      else void busy.then(next);
    },
    async stop() {
      clearInterval(timer);
      await busy;
    },
  };
}
