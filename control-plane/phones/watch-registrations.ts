/**
 * Looks every few seconds which phones and trunks are there: tells followers of each change, and people of one that is
 * gone or back (docs/decisions/0011-phones-that-are-gone.md). A look that fails, the link being down, concludes nothing.
 *
 * Of several controllers the one that leads concludes and tells people. What it concluded is shared, with what it has
 * told, so the next one to lead goes on from there; the others tell their own followers what it told.
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClinicConfig } from '../configuration/clinics.ts';
import { minute, second, type Ms } from '../core/time.ts';
import type { AbsenceAlert, Registration, RegistrationChange, Registrations } from '../http/ports.ts';
import type { SwitchDriver } from '../media/switch-admin.ts';
import { look, toldBetween, type Absence, type Watched } from '../notify/absences.ts';
import type { Notices } from '../notify/notices.ts';
import { registrationsOf } from './registrations-of.ts';
import type { Controller } from '../runtime/controller.ts';
import type { SharedMemory } from '../store/ports.ts';
import type { Log } from '../telemetry/log.ts';

interface Watching {
  readonly dataDir: string;
  readonly log: Log;
  /** As they are now. */
  readonly clinics: () => readonly ClinicConfig[];
  readonly driver: Pick<SwitchDriver, 'admin' | 'health'>;
  readonly notices: Notices;
  readonly controller: Pick<Controller, 'leads'>;
  readonly memory: SharedMemory;
  /** After each look, on each controller. */
  readonly onLook: (registrations: readonly Registration[], now: number) => Promise<void>;
}

export interface RegistrationWatch extends Pick<Registrations, 'onChange'> {
  /** As they were seen last; empty before the first look. */
  seen(): readonly Registration[];
  stop(): Promise<void>;
}

const lookEveryMs: Ms = 2 * second;
/** A phone that moves without having been away is seen by reading everything anew. */
const readAllEveryMs: Ms = minute;
const memoryName = 'registrations';

/** What was there is remembered in the memory that controllers share, and in `registrations.json` of the data directory for when that has lost it. */
export async function watchRegistrations({ dataDir, log, clinics, driver, notices, controller, memory, onLook }: Watching): Promise<RegistrationWatch> {
  const file = join(dataDir, 'registrations.json');
  const listeners = new Set<(change: RegistrationChange) => void>();
  const tell = (change: RegistrationChange): void => { for (const listener of listeners) listener(change); };
  let watched = await readWatched(file);
  /** Of the last look, by what is compared. */
  let last: ReadonlyMap<string, string> | undefined;
  let allReadAt = -Infinity;
  let seen: readonly Registration[] = [];
  let led = false;
  let shared = true;
  let failing = false;
  let busy: Promise<void> | null = null;

  const registrations = async (configured: readonly ClinicConfig[]): Promise<readonly Registration[]> => {
    const all = performance.now() - allReadAt >= readAllEveryMs;
    const { admin } = driver;
    const found = await registrationsOf(configured, { trunkHealth: () => admin.trunkHealth(), registrations: () => (all ? admin.registrations() : admin.glimpse()) });
    if (all) allReadAt = performance.now();
    return found;
  };
  const lookNow = async (): Promise<void> => {
    if (driver.health().link !== 'up') return;
    const configured = clinics();
    const now = Date.now();
    const found = await registrations(configured);
    seen = found;
    const of = new Map(configured.map((clinic) => [clinic.account.id, clinic]));
    const told = await memory.read(memoryName).then(parsed, () => undefined);
    const leads = controller.leads();
    // What another concluded meanwhile is newer; what this one could not share is newer still.
    const known = told === undefined || (led && leads) || !shared ? watched : told;
    const looked = leads ? look(known, found, (account) => of.get(account)?.alerts.graceMs ?? Infinity, now) : { watched: known, absences: toldBetween(watched, known, found, now) };
    led = leads;
    const current = new Map(found.map((one) => [`${one.account}/${one.kind}/${one.id}`, `${one.state} ${one.contact ?? ''}`]));
    for (const one of found) {
      const key = `${one.account}/${one.kind}/${one.id}`;
      if (last !== undefined && last.get(key) !== current.get(key)) tell({ type: 'registration', registration: one });
    }
    last = current;
    for (const absence of looked.absences) {
      const clinic = of.get(absence.registration.account);
      if (clinic === undefined) continue;
      const alert = alertOf(absence, clinic, now);
      if (leads) await notices.give({ at: new Date(now).toISOString(), kind: alert.state, sentence: alert.sentence, notify: clinic.alerts.notify });
      tell({ type: 'alert', alert });
    }
    // after the notices: a crash in between tells twice rather than never
    const text = JSON.stringify(looked.watched);
    if (leads && (looked.watched !== known || told === undefined || !shared)) shared = await memory.write(memoryName, text).then(() => true, () => false);
    if (text !== JSON.stringify(watched)) {
      await writeFile(`${file}.new`, text, { mode: 0o600 });
      await rename(`${file}.new`, file);
    }
    watched = looked.watched;
    if (looked.absences.length > 0) void notices.send();
    await onLook(found, now);
  };
  const next = (): void => {
    busy ??= lookNow().then(() => { failing = false; }, (error: unknown) => {
      if (!failing) log.warn({ error: String(error) }, 'Which phones and trunks are there could not be seen; tried again');
      failing = true;
    }).finally(() => { busy = null; });
  };
  next();
  const timer = setInterval(next, lookEveryMs);
  return {
    seen: () => seen,
    onChange: (changed) => {
      listeners.add(changed);
      return () => { listeners.delete(changed); };
    },
    async stop() {
      clearInterval(timer);
      await busy;
    },
  };
}

function alertOf({ registration, state, goneSince }: Absence, clinic: ClinicConfig, at: number): AbsenceAlert {
  const { account, kind, id } = registration;
  return { account, kind, id, state, at, goneSince, sentence: `${subjectOf(registration, clinic)} ${predicateOf(registration, state, new Date(goneSince).toISOString())}` };
}

function subjectOf({ kind, id }: Registration, { account, phones }: ClinicConfig): string {
  if (kind === 'trunk') return `Trunk ${id} of ${account.name}`;
  const phone = phones.find(({ extension }) => extension === id);
  const user = account.users.find((one) => one.id === phone?.user);
  const whose = [user?.name, phone?.label].filter((part) => part !== undefined).join(', ');
  return `Extension ${id}${whose === '' ? '' : ` (${whose})`} of ${account.name}`;
}

function predicateOf({ kind, state: now }: Registration, state: Absence['state'], since: string): string {
  if (kind === 'device') return state === 'back' ? `is registered again; it was gone since ${since}.` : `is gone: it has not been registered since ${since}. Calls do not reach it.`;
  if (state === 'back') return `can be reached again; it was lost since ${since}.`;
  return now === 'rejected' ? `is lost: the carrier has not accepted its registration since ${since}.` : `is lost: the carrier has not answered OPTIONS since ${since}. No call goes over it.`;
}

async function readWatched(file: string): Promise<Watched> {
  return parsed(await readFile(file, 'utf8').catch(() => null)) ?? {};
}

function parsed(text: string | null): Watched | undefined {
  try {
    return text === null ? undefined : (JSON.parse(text) as Watched);
  } catch {
    return undefined;
  }
}
