/**
 * What is struck: one switch, one Redis, one Postgres, and controllers that share them, each with a data directory of
 * its own. The first reaches the switch through a wire that can be cut.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Ms } from '../../control-plane/core/time.ts';
import type { Cdr } from '../../control-plane/core/cdr/cdr.ts';
import { openApi, type Api } from '../support/api.ts';
import { wav } from '../support/clinic.ts';
import { cdrsIn, noticesIn } from '../support/controller-data.ts';
import type { Controller } from '../support/controller.ts';
import { postgresServer, type PostgresServer } from '../support/postgres-server.ts';
import { firstKeyOf, openPremises, type Address, type Premises, type SwitchKind } from '../support/premises.ts';
import { freeUdpPort } from '../support/sipp.ts';
import { agents, kindsOf, phonesOf, waitOf, type Kind, type Phones } from './kinds.ts';
import { passwordOf, planOf, userOf } from './plan.ts';
import { startWire, type Wire } from './wire.ts';

export interface Seat {
  /** Cut by one of the faults; the first controller alone speaks through it. */
  readonly wire: Wire | null;
  /** The controller's name; after the fault "one name twice" two processes have had it. */
  readonly name: string;
  /** Null while it is dead. */
  process: Controller | null;
  dataDir: string;
}

export interface Clinic extends Pick<Premises, 'switchName' | 'admin' | 'sipp' | 'remote' | 'redis' | 'root' | 'whatIsLeft' | 'close'> {
  readonly postgres: PostgresServer;
  readonly kinds: readonly Kind[];
  readonly phones: readonly (Phones & { readonly at: Address })[];
  readonly carrier: Address;
  readonly seats: readonly Seat[];
  /** Works at every controller: they share their database. */
  readonly apiKey: string;
  /** Starts the controller of a seat, in its own data directory or another. */
  start(seat: Seat, dataDir?: string): Promise<Controller>;
  /** What Postgres has of all calls so far, by the caller's number. */
  rowsByCaller(): Promise<ReadonlyMap<string, Row>>;
  /** Records as the controllers' own disks have them. */
  cdrsOnDisk(): readonly Cdr[];
  /** How many calls to each number were sent to the failsafe, as the controllers' notices have it. */
  failsafesTold(): ReadonlyMap<string, number>;
}

export interface Row {
  readonly records: number;
  /** Of one of them: who answered, by the label of the phone; null when nobody did. */
  readonly answeredBy: string | null;
}

export interface ClinicOptions {
  readonly switch: SwitchKind;
  readonly controllers: number;
  readonly lengthMs: Ms;
  readonly progress: (line: string) => void;
}

const askedOfRecords = `
  select record->'caller'->>'number' as caller, count(*)::int as records,
    max((select leg->>'label' from jsonb_array_elements(record->'legs') leg where leg->>'legId' = record->>'answeredBy' and record->>'disposition' = 'answered')) as "answeredBy"
  from cdrs group by 1`;

async function logInAgents(api: Api): Promise<void> {
  for (const one of agents) {
    const at = `/accounts/chaos/agents/${userOf(one)}`;
    await api.write('PUT', `${at}/devices`, { devices: [one] });
    await api.write('PUT', `${at}/status`, { status: 'available' });
  }
}

const names = ['one', 'two', 'three', 'four', 'five', 'six'] as const;
export const mostControllers = names.length;

export async function openClinic(options: ClinicOptions): Promise<Clinic> {
  const premises = await openPremises('chaos', options.progress, options.switch);
  try {
    return await furnish(premises, options);
  } catch (error) {
    await premises.close();
    throw error;
  }
}

async function furnish(premises: Premises, { controllers, lengthMs }: ClinicOptions): Promise<Clinic> {
  const { root, switchName, admin, sipp, remote, redis, switchUrl, carrierHost } = premises;
  const postgres = await postgresServer();
  premises.atClose(() => postgres.dispose());
  const database = await postgres.createDatabase();

  const kinds = kindsOf(lengthMs);
  const ofPhones = phonesOf(lengthMs);
  const carrier = { host: carrierHost, port: await freeUdpPort(carrierHost) };
  const announcement = join(root, 'announcement.wav');
  writeFileSync(announcement, wav(1000, waitOf(lengthMs) / 1000));
  const planFile = join(root, 'plan.yaml');
  writeFileSync(planFile, planOf({ kinds, phones: ofPhones, trunk: carrier, prompt: 'announcement.wav', lengthMs }));

  const seats: Seat[] = [];
  for (const name of names.slice(0, controllers)) {
    const wire = name === names[0] ? await startWire(switchUrl) : null;
    premises.atClose(async () => { await wire?.close(); });
    seats.push({ name, wire, process: null, dataDir: join(root, name) });
  }
  const all = new Set<Controller>();
  const dataDirs = new Set<string>();
  const start = async (seat: Seat, dataDir = seat.dataDir): Promise<Controller> => {
    const started = await premises.startController({ switchUrl: seat.wire?.url ?? switchUrl, planFile, dataDir, instance: seat.name, env: { DATABASE_URL: database, NODE_ENV: 'production' } });
    all.add(started);
    dataDirs.add(dataDir);
    Object.assign(seat, { process: started, dataDir });
    return started;
  };
  for (const seat of seats) await start(seat);

  const phones: (Phones & { readonly at: Address })[] = [];
  for (const one of ofPhones) {
    const at = await premises.freeAddress();
    for (const extension of one.extensions) await premises.registerPhone(extension, passwordOf(extension), at);
    phones.push({ ...one, at });
  }
  await logInAgents(openApi(() => seats[0]?.process?.httpUrl ?? '', firstKeyOf(all)));

  return {
    root, switchName, admin, sipp, remote, redis, postgres, kinds, phones, carrier, seats, apiKey: firstKeyOf(all), start,
    whatIsLeft: () => premises.whatIsLeft(),
    close: () => premises.close(),
    rowsByCaller: async () => {
      const rows = (await postgres.ask(askedOfRecords, database)) as unknown as readonly (Row & { readonly caller: string })[];
      return new Map(rows.map((row) => [row.caller, row]));
    },
    cdrsOnDisk: () => [...dataDirs].flatMap(cdrsIn),
    failsafesTold: () => {
      const told = new Map([...dataDirs].flatMap(noticesIn).flatMap(({ kind, call, sentence }) => (kind === 'failsafe' && call !== undefined ? [[call, /^A call to (\S+)/.exec(sentence)?.[1] ?? ''] as const] : [])));
      return new Map([...Map.groupBy(told.values(), (number) => number)].map(([number, calls]) => [number, calls.length]));
    },
  };
}
