/**
 * What is struck: one Asterisk, one Redis, one Postgres, and controllers that share them, each with a data directory of
 * its own. The first reaches the switch through a wire that can be cut.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Ms } from '../../control-plane/core/time.ts';
import type { Cdr } from '../../control-plane/core/cdr/cdr.ts';
import { wav } from '../support/clinic.ts';
import { cdrsIn } from '../support/controller-data.ts';
import type { Controller } from '../support/controller.ts';
import { postgresServer, type PostgresServer } from '../support/postgres-server.ts';
import { firstKeyOf, openPremises, type Address, type Premises } from '../support/premises.ts';
import { freeUdpPort } from '../support/sipp.ts';
import { kindsOf, passwordOf, planOf, waitOf, type Kind } from './kinds.ts';
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

export interface Clinic extends Pick<Premises, 'asterisk' | 'admin' | 'sipp' | 'remote' | 'redis' | 'root' | 'whatIsLeft' | 'close'> {
  readonly postgres: PostgresServer;
  readonly kinds: readonly Kind[];
  readonly phones: ReadonlyMap<string, Address>;
  readonly carrier: Address;
  readonly seats: readonly Seat[];
  /** Works at every controller: they share their database. */
  readonly apiKey: string;
  /** Starts the controller of a seat, in its own data directory or another. */
  start(seat: Seat, dataDir?: string): Promise<Controller>;
  /** Of all calls so far: how many rows Postgres has for each caller's number. */
  rowsByCaller(): Promise<ReadonlyMap<string, number>>;
  /** Records as the controllers' own disks have them. */
  cdrsOnDisk(): readonly Cdr[];
}

export interface ClinicOptions {
  readonly controllers: number;
  readonly lengthMs: Ms;
  readonly progress: (line: string) => void;
}

const names = ['one', 'two', 'three', 'four', 'five', 'six'] as const;
export const mostControllers = names.length;

export async function openClinic(options: ClinicOptions): Promise<Clinic> {
  const premises = await openPremises('chaos', options.progress);
  try {
    return await furnish(premises, options);
  } catch (error) {
    await premises.close();
    throw error;
  }
}

async function furnish(premises: Premises, { controllers, lengthMs }: ClinicOptions): Promise<Clinic> {
  const { root, asterisk, carrierHost } = premises;
  const postgres = await postgresServer();
  premises.atClose(() => postgres.dispose());
  const database = await postgres.createDatabase();

  const kinds = kindsOf(lengthMs);
  const carrier = { host: carrierHost, port: await freeUdpPort(carrierHost) };
  const announcement = join(root, 'announcement.wav');
  writeFileSync(announcement, wav(1000, waitOf(lengthMs) / 1000));
  const planFile = join(root, 'plan.yaml');
  writeFileSync(planFile, planOf(kinds, carrier, 'announcement.wav'));

  const seats: Seat[] = [];
  for (const name of names.slice(0, controllers)) {
    const wire = name === names[0] ? await startWire(asterisk.url) : null;
    premises.atClose(async () => { await wire?.close(); });
    seats.push({ name, wire, process: null, dataDir: join(root, name) });
  }
  const all = new Set<Controller>();
  const dataDirs = new Set<string>();
  const start = async (seat: Seat, dataDir = seat.dataDir): Promise<Controller> => {
    const started = await premises.startController({ asteriskUrl: seat.wire?.url ?? asterisk.url, planFile, dataDir, instance: seat.name, env: { DATABASE_URL: database, NODE_ENV: 'production' } });
    all.add(started);
    dataDirs.add(dataDir);
    Object.assign(seat, { process: started, dataDir });
    return started;
  };
  for (const seat of seats) await start(seat);

  const phones = new Map<string, Address>();
  for (const { phone } of kinds) {
    if (phone === null || phone.device.startsWith('+')) continue;
    phones.set(phone.device, await premises.registerPhone(phone.device, passwordOf(phone.device)));
  }

  return {
    ...premises, postgres, kinds, phones, carrier, seats, apiKey: firstKeyOf(all), start,
    rowsByCaller: async () => {
      const rows = await postgres.ask("select record->'caller'->>'number' as caller, count(*)::int as n from cdrs group by 1", database);
      return new Map(rows.map((row) => [String(row['caller']), Number(row['n'])]));
    },
    cdrsOnDisk: () => [...dataDirs].flatMap(cdrsIn),
  };
}
