/**
 * Agents of accounts that have it so (`agentLogin: registration`, Q2) are logged in on phones of their own that register,
 * and out when none on which they are logged in has been there for the grace time. Done by the controller that runs the
 * desks, which knows what agents have done themselves: of a log-in, a log-out and a phone that comes, the latest holds.
 *
 * Since when a phone is there is kept in the memory that controllers share: one that takes over, or starts anew, takes no
 * phone for one that has just come.
 */
import type { ClinicConfig } from '../configuration/clinics.ts';
import type { Agent, Desk } from '../core/queue/desk.ts';
import type { EpochMs } from '../core/time.ts';
import type { Registration } from '../http/ports.ts';
import type { Desks } from '../runtime/desks/desks.ts';
import { DesksAwayError } from '../runtime/desks/requests.ts';
import type { SharedMemory } from '../store/ports.ts';
import type { Log } from '../telemetry/log.ts';

/** By `account/extension`, of phones that are there, or have been within the grace time. */
export type Presences = Readonly<Record<string, Presence>>;

interface Presence {
  readonly since: EpochMs;
  readonly goneAt: EpochMs | null;
}

export interface Wish {
  readonly account: string;
  readonly agent: string;
  /** To be logged in on; none: to be logged out. */
  readonly devices: readonly string[];
  /** Offline until now. */
  readonly becomesAvailable: boolean;
}

type Clinic = Pick<ClinicConfig, 'account' | 'alerts' | 'agentsByRegistration'>;

/** One look at the phones of these accounts. A phone that is back within the grace time was never gone. */
export function presencesAfter(before: Presences, clinics: readonly Clinic[], registrations: readonly Registration[], now: EpochMs): Presences {
  return Object.fromEntries(registrations.flatMap(({ account, kind, id, state }): readonly (readonly [string, Presence])[] => {
    const clinic = clinics.find((one) => one.account.id === account);
    if (kind !== 'device' || clinic?.agentsByRegistration !== true) return [];
    const key = `${account}/${id}`;
    const known = Object.hasOwn(before, key) ? before[key] : undefined;
    if (state === 'registered') return [[key, known === undefined ? { since: now, goneAt: null } : { ...known, goneAt: null }]];
    const goneAt = known?.goneAt ?? now;
    return known === undefined || now - goneAt >= clinic.alerts.graceMs ? [] : [[key, { ...known, goneAt }]];
  }));
}

/** What is to be done about the agents of an account. Empty once it is. */
export function wishesOf({ account, alerts }: Clinic, presences: Presences, agents: Desk['agents'], now: EpochMs): readonly Wish[] {
  const there = (device: string): Presence | undefined => presences[`${account.id}/${device}`];
  const listed = new Set([...(account.queues?.values() ?? [])].flatMap(({ desk }) => desk.tiers.flatMap((tier) => tier.agents.map(({ agent }) => agent))));
  const taken = new Set(Object.values(agents).flatMap(({ devices }) => devices));
  return account.users.filter(({ id }) => listed.has(id)).flatMap((user): readonly Wish[] => {
    const known: Pick<Agent, 'devices' | 'devicesAt' | 'status'> = agents[user.id] ?? { devices: [], devicesAt: 0, status: 'offline' };
    const own = user.devices.flatMap(({ target }) => (target.kind === 'device' ? [target.device] : []));
    // Who is logged in on another's phone keeps it, by whatever that phone does.
    const come = own.filter((device) => !taken.has(device) && (there(device)?.since ?? 0) > known.devicesAt);
    if (come.length > 0) return [{ account: account.id, agent: user.id, devices: [...known.devices.filter((device) => there(device) !== undefined), ...come], becomesAvailable: known.status === 'offline' }];
    const isGone = known.devices.length > 0 && known.devices.every((device) => there(device) === undefined) && now - known.devicesAt >= alerts.graceMs;
    return isGone ? [{ account: account.id, agent: user.id, devices: [], becomesAvailable: false }] : [];
  });
}

export interface AgentsByRegistrationParts {
  readonly clinics: () => readonly Clinic[];
  readonly desks: Pick<Desks, 'role' | 'running' | 'logIn' | 'logOut' | 'chooseStatus'>;
  readonly memory: SharedMemory;
  readonly log: Log;
}

const memoryName = 'phones-of-agents';

/** Returns what is called after each look at what is registered. Never rejects. */
export function agentsByRegistration({ clinics, desks, memory, log }: AgentsByRegistrationParts): (registrations: readonly Registration[], now: EpochMs) => Promise<void> {
  let failing = false;
  const look = async (registrations: readonly Registration[], now: EpochMs): Promise<void> => {
    const concerned = clinics().filter((clinic) => clinic.agentsByRegistration);
    if (concerned.length === 0 || desks.role() !== 'leads') return;
    const text = await memory.read(memoryName);
    const presences = presencesAfter(text === null ? {} : (JSON.parse(text) as Presences), concerned, registrations, now);
    const after = JSON.stringify(presences);
    if (after !== text) await memory.write(memoryName, after);
    for (const clinic of concerned) {
      const desk = desks.running().find(({ account }) => account === clinic.account.id)?.desk;
      if (desk?.phase !== 'open') continue;
      for (const wish of wishesOf(clinic, presences, desk.agents, now)) await grant(wish);
    }
  };
  const grant = async ({ account, agent, devices, becomesAvailable }: Wish): Promise<void> => {
    // Before the log-in, by which the wish is granted.
    if (becomesAvailable) await desks.chooseStatus(account, agent, 'available');
    if (devices.length === 0) await desks.logOut(account, agent);
    else await desks.logIn(account, agent, devices);
    log.info({ account, agent, devices }, devices.length === 0 ? 'An agent whose phones are gone was logged out' : 'An agent was logged in on phones that registered');
  };
  return (registrations, now) => look(registrations, now).then(() => { failing = false; }, (error: unknown) => {
    if (!failing) log.warn({ error: error instanceof DesksAwayError ? error.message : String(error) }, 'Agents could not be logged in or out by what is registered; tried again');
    failing = true;
  });
}
