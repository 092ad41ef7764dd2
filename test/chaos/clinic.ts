/**
 * What is struck: one Asterisk, one Redis, one Postgres, and controllers that share them, each a process of its own with
 * a data directory of its own. The first reaches the switch through a wire that can be cut.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { Ms } from '../../control-plane/core/time.ts';
import type { Cdr } from '../../control-plane/core/cdr/cdr.ts';
import { startLocalStack, type LocalStack, type RunningAsterisk } from '../../control-plane/local-stack/local-stack.ts';
import type { Command } from '../../control-plane/local-stack/processes.ts';
import { wav } from '../support/clinic.ts';
import { cdrsIn } from '../support/controller-data.ts';
import { startController, type Controller } from '../support/controller.ts';
import { postgresServer, type PostgresServer } from '../support/postgres-server.ts';
import { openRedisKeys } from '../support/redis-keys.ts';
import { register } from '../support/sip-party.ts';
import { freeUdpPort, ownLoopbackAddress } from '../support/sipp.ts';
import { connectSwitch, type SwitchAdmin } from '../support/switch-admin.ts';
import { until } from '../support/until.ts';
import { kindsOf, passwordOf, planOf, waitOf, type Kind } from './kinds.ts';
import type { Address } from './parties.ts';
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

export interface Clinic {
  readonly asterisk: RunningAsterisk;
  readonly admin: SwitchAdmin;
  readonly sipp: Command;
  readonly postgres: PostgresServer;
  readonly kinds: readonly Kind[];
  readonly phones: ReadonlyMap<string, Address>;
  readonly carrier: Address;
  readonly seats: readonly Seat[];
  readonly root: string;
  /** Works at every controller: they share their database. */
  readonly apiKey: string;
  /** Starts the controller of a seat, in its own data directory or another. */
  start(seat: Seat, dataDir?: string): Promise<Controller>;
  readonly redis: {
    readonly url: string;
    stop(): Promise<void>;
    /** `empty` takes what it kept on its disk. */
    start(options?: { readonly empty: boolean }): Promise<void>;
  };
  /** Of all calls so far: how many rows Postgres has for each caller's number. */
  rowsByCaller(): Promise<ReadonlyMap<string, number>>;
  /** Records as the controllers' own disks have them. */
  cdrsOnDisk(): readonly Cdr[];
  /** On the switch and in Redis: empty when nothing is left of any call. */
  whatIsLeft(): Promise<readonly string[]>;
  close(): Promise<void>;
}

export interface ClinicOptions {
  readonly controllers: number;
  readonly lengthMs: Ms;
  readonly progress: (line: string) => void;
}

const names = ['one', 'two', 'three', 'four', 'five', 'six'] as const;
export const mostControllers = names.length;

export async function openClinic(options: ClinicOptions): Promise<Clinic> {
  const root = mkdtempSync(join(tmpdir(), 'frontdesk-chaos-'));
  const undo: (() => Promise<unknown> | void)[] = [() => { if (process.env['FRONTDESK_KEEP_TRACES'] === undefined) rmSync(root, { recursive: true, force: true }); }];
  const close = async (): Promise<void> => {
    for (const step of undo.splice(0).toReversed()) await step();
  };
  try {
    return await open();
  } catch (error) {
    await close();
    throw error;
  }

  async function open(): Promise<Clinic> {
    const { progress } = options;
    const stack = await startLocalStack({ dataDir: join(root, 'switch'), need: { asterisk: true, redis: false }, tools: ['sipp', 'flite'], progress });
    undo.push(() => stack.stop());
    const postgres = await postgresServer();
    undo.push(() => postgres.dispose());
    const database = await postgres.createDatabase();
    const redis = await redisOf(join(root, 'redis'), progress, undo);
    const { asterisk } = stack;
    if (asterisk === undefined) throw new Error('There is no switch');
    const sipp = await stack.tool('sipp');

    const kinds = kindsOf(options.lengthMs);
    const [phoneHost, carrierHost] = [ownLoopbackAddress(), ownLoopbackAddress()];
    const carrier = { host: carrierHost, port: await freeUdpPort(carrierHost) };
    const announcement = join(root, 'announcement.wav');
    writeFileSync(announcement, wav(1000, waitOf(options.lengthMs) / 1000));
    const planFile = join(root, 'plan.yaml');
    writeFileSync(planFile, planOf(kinds, carrier, 'announcement.wav'));

    const seats: Seat[] = [];
    for (const name of names.slice(0, options.controllers)) {
      const wire = name === names[0] ? await startWire(asterisk.url) : null;
      undo.push(async () => { await wire?.close(); });
      seats.push({ name, wire, process: null, dataDir: join(root, name) });
    }
    const all = new Set<Controller>();
    const dataDirs = new Set<string>();
    undo.push(() => Promise.all([...all].map((controller) => controller.stop())));
    const start = async (seat: Seat, dataDir = seat.dataDir): Promise<Controller> => {
      const folder = join(root, `logs-${seat.name}-${all.size}`);
      mkdirSync(folder);
      const started = await startController({ asteriskUrl: seat.wire?.url ?? asterisk.url, redisUrl: redis.url, planFile, dataDir, folder, instance: seat.name, env: { DATABASE_URL: database, NODE_ENV: 'production' } });
      all.add(started);
      dataDirs.add(dataDir);
      Object.assign(seat, { process: started, dataDir });
      return started;
    };
    for (const seat of seats) await start(seat);
    const apiKey = [...all].map((controller) => /\bfd_[0-9a-f]{12}_[0-9a-f]{48}\b/.exec(controller.output())?.[0]).find((key) => key !== undefined);
    if (apiKey === undefined) throw new Error('No controller has shown the first key');

    const remote = { host: asterisk.sipHost, port: asterisk.sipPort };
    const phones = new Map<string, Address>();
    for (const { phone } of kinds) {
      if (phone === null || phone.device.startsWith('+')) continue;
      const local = { host: phoneHost, port: await freeUdpPort(phoneHost) };
      const folder = join(root, `phone-${phone.device}`);
      mkdirSync(folder);
      await until(() => register({ program: sipp, folder, local, remote }, phone.device, passwordOf(phone.device), 7200).then(() => true), { describe: `phone ${phone.device} registers`, within: 10_000, everyMs: 200 });
      phones.set(phone.device, local);
    }
    const admin = connectSwitch(asterisk.url, (command) => asterisk.cli(command));

    return {
      asterisk, admin, sipp, postgres, kinds, phones, carrier, seats, root, apiKey, start, redis, close,
      rowsByCaller: async () => {
        const rows = await postgres.ask("select record->'caller'->>'number' as caller, count(*)::int as n from cdrs group by 1", database);
        return new Map(rows.map((row) => [String(row['caller']), Number(row['n'])]));
      },
      cdrsOnDisk: () => [...dataDirs].flatMap(cdrsIn),
      whatIsLeft: async () => {
        const keys = openRedisKeys(redis.url);
        const asked = new Redis(redis.url, { maxRetriesPerRequest: 2 });
        asked.on('error', () => undefined);
        try {
          return [
            ...(await admin.channels()).map(({ name, state }) => `channel ${name} (${state})`),
            ...(await admin.bridges()).map(({ id }) => `bridge ${id}`),
            ...(await keys.ofCalls()).map((key) => `Redis key ${key}`),
            ...Object.entries(await asked.hgetall('fd:owners')).map(([callId, owner]) => `owner ${owner} of ${callId}`),
          ];
        } finally {
          keys.close();
          asked.disconnect();
        }
      },
    };
  }
}

/** A Redis that goes and comes back at its port. */
async function redisOf(dir: string, progress: (line: string) => void, undo: (() => Promise<unknown> | void)[]): Promise<Clinic['redis']> {
  const run = (): Promise<LocalStack> => startLocalStack({ dataDir: dir, need: { asterisk: false, redis: true }, progress });
  let stack: LocalStack | null = await run();
  const url = stack.redis?.url ?? '';
  const stop = async (): Promise<void> => {
    await stack?.stop();
    stack = null;
  };
  undo.push(stop);
  return {
    url, stop,
    start: async ({ empty } = { empty: false }) => {
      if (empty) rmSync(join(dir, 'local-stack', 'redis'), { recursive: true, force: true });
      stack ??= await run();
      if (stack.redis?.url !== url) throw new Error('Redis came back elsewhere');
    },
  };
}
