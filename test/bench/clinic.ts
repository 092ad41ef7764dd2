/**
 * What is measured: a switch, a Redis, and controllers with the product's defaults, and two extensions. The same two
 * phones can be reached past the controllers, by `Dial()` or `bridge`.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Redis } from 'ioredis';
import { cdrsIn } from '../support/controller-data.ts';
import type { Controller } from '../support/controller.ts';
import { firstKeyOf, openPremises, type Premises, type SwitchKind } from '../support/premises.ts';
import { freeUdpPort } from '../support/sipp.ts';
import { until } from '../support/until.ts';
import { startLoad, type Load } from './load.ts';

/** Rung first where two are rung, so that both ring whoever is quicker. */
const ringing = { extension: '201', password: 'bench-ringing-4711', role: 'phone-rings' } as const;
const answering = { extension: '202', password: 'bench-answering-4711', role: 'phone-answers' } as const;

export const numbers = {
  /** Rings the phones that are measured. */
  frontdesk: '+12025550110',
  /** Rings the same, past the controllers. */
  native: '+12025550111',
  /** Rings the phone that nobody answers. */
  unanswered: '+12025550112',
  voicemail: '+12025550113',
} as const;

/** As much of the readiness page as is of use here; of several controllers the sums, and the worst delay. */
export interface Readiness {
  readonly calls: number;
  readonly commandsInFlight: number;
  readonly eventLoopDelayMs: { readonly p99: number; readonly max: number };
  readonly metrics: Readonly<Record<string, number>>;
}

export interface Phones {
  readonly rings: Load;
  readonly answers: Load;
}

export interface Seat {
  readonly name: string;
  readonly dataDir: string;
  /** Null while it is dead. */
  process: Controller | null;
  apiKey: string;
}

export interface CallsOptions {
  readonly folder: string;
  readonly role?: 'caller' | 'caller-gives-up';
  readonly to: string;
  /** Of a caller that gives up: how long it lets it ring. */
  readonly talkMs: number;
  readonly count: number;
  readonly perSecond: number;
}

export interface Clinic extends Pick<Premises, 'admin' | 'switchName' | 'switchPid' | 'redis' | 'folder' | 'close'> {
  readonly seats: readonly Seat[];
  readonly phonesRung: 1 | 2;
  /** Starts the controller of a seat. */
  start(seat: Seat): Promise<Controller>;
  /** Of the controllers that live. */
  readonly pids: () => readonly number[];
  /** `patienceMs`: how long they wait for the other side to hang up. */
  startPhones(folder: string, patienceMs?: number): Promise<Phones>;
  startCalls(options: CallsOptions): Promise<Load>;
  readiness(): Promise<Readiness>;
  /** Ids of calls, one per CDR written so far. */
  cdrs(): readonly string[];
  /** `INFO` of Redis: the numbers of a section by name. */
  readonly redisInfo: (section: string) => Promise<ReadonlyMap<string, string>>;
  readonly ask: Redis;
  /** On the switch, in Redis and in the controllers; empty when nothing is left of any call. */
  whatIsLeft(): Promise<readonly string[]>;
}

export interface ClinicOptions {
  /** Seats; they share the switch and Redis. */
  readonly controllers: 1 | 2;
  /** How many of them have a controller from the beginning; all by default. */
  readonly started?: number;
  /** How many ring for a call: the one that answers, and another; 2 by default. */
  readonly phones?: 1 | 2;
  /** Loaded into each controller before all else: a module of this folder. */
  readonly preload?: string;
  /** An Asterisk by default. */
  readonly switch?: SwitchKind;
  readonly progress: (line: string) => void;
}

const names = ['one', 'two'] as const;

const rung = (phones: 1 | 2): readonly { readonly extension: string }[] => (phones === 1 ? [answering] : [ringing, answering]);

const plan = (carrierHost: string, phones: 1 | 2): string => `
account: { id: bench, name: Bench Dental }
trunks:
  - { id: carrier, host: ${carrierHost}, port: 5090 }
users:
${[ringing, answering].map(({ extension, password }) => `  - { id: user-${extension}, name: User ${extension}, devices: [{ extension: "${extension}", password: "${password}" }] }`).join('\n')}
numbers:
  - { e164: ${numbers.frontdesk}, name: Main line, users: [${rung(phones).map(({ extension }) => `user-${extension}`).join(', ')}], timeoutSeconds: 30, callConnect: external }
  - { e164: ${numbers.unanswered}, name: Back office, users: [user-${ringing.extension}], timeoutSeconds: 30, callConnect: external }
  - { e164: ${numbers.voicemail}, name: After hours, voicemail: { greeting: { sound: vm-goodbye } } }
`;

export async function openClinic(options: ClinicOptions): Promise<Clinic> {
  const premises = await openPremises('bench', options.progress, options.switch);
  try {
    return await furnish(premises, options);
  } catch (error) {
    await premises.close();
    throw error;
  }
}

async function furnish(premises: Premises, { controllers, started: atOnce = controllers, preload, phones: phonesRung = 2 }: ClinicOptions): Promise<Clinic> {
  const { root, sipp, remote, carrierHost, redis } = premises;
  const planFile = join(root, 'plan.yaml');
  writeFileSync(planFile, plan(carrierHost, phonesRung));
  const preloaded = preload === undefined ? '' : ` --import=${pathToFileURL(join(import.meta.dirname, preload)).href}`;
  const seats: readonly Seat[] = names.slice(0, controllers).map((name) => ({ name, dataDir: join(root, name), process: null, apiKey: '' }));
  const start = async (seat: Seat): Promise<Controller> => {
    const started = await premises.startController({ planFile, dataDir: seat.dataDir, instance: seat.name, env: { NODE_OPTIONS: `--inspect-port=0${preloaded}`, NODE_ENV: 'production' } });
    seat.process = started;
    if (seat.apiKey === '') seat.apiKey = await until(() => firstKeyOf([started]), { describe: 'the controller shows its first key' });
    return started;
  };
  for (const seat of seats.slice(0, atOnce)) await start(seat);
  await premises.dialNatively(numbers.native, rung(phonesRung).map(({ extension }) => extension));

  const phones = await Promise.all([ringing, answering].map(async (phone) => ({ ...phone, local: await premises.registerPhone(phone.extension, phone.password) })));
  const ask = new Redis(redis.url, { maxRetriesPerRequest: 2 });
  premises.atClose(() => { ask.disconnect(); });
  const running = (): readonly Controller[] => seats.flatMap(({ process }) => process ?? []);
  const readiness = async (): Promise<Readiness> => sumOf(await Promise.all(running().map(async ({ httpUrl }) => (await (await fetch(`${httpUrl}/readyz`)).json()) as Readiness)));

  return {
    redis, seats, start, readiness, ask, phonesRung, admin: premises.admin, switchName: premises.switchName,
    switchPid: () => premises.switchPid(), folder: (name) => premises.folder(name), close: () => premises.close(),
    pids: () => running().map(({ pid }) => pid),
    startPhones: async (folder, patienceMs) => {
      const [rings, answers] = await Promise.all(phones.map(({ role, local, extension }) => startLoad({
        program: sipp, role, values: {}, local, remote, folder: join(folder, extension), ...(patienceMs === undefined ? {} : { patienceMs }),
      })));
      if (rings === undefined || answers === undefined) throw new Error('There are two phones');
      return { rings, answers };
    },
    startCalls: async ({ folder, role = 'caller', to, talkMs, count, perSecond }) => startLoad({
      program: sipp, role, values: { to, talkMs }, local: { host: carrierHost, port: await freeUdpPort(carrierHost) }, remote, folder, calls: { count, perSecond },
    }),
    cdrs: () => seats.flatMap(({ dataDir }) => cdrsIn(dataDir)).map(({ callId }) => callId),
    redisInfo: async (section) => new Map((await ask.info(section)).split('\r\n').filter((line) => line.includes(':')).map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)])),
    whatIsLeft: async () => {
      const { calls, commandsInFlight } = await readiness();
      return [
        ...(await premises.whatIsLeft()),
        ...(calls > 0 ? [`${calls} calls in the controllers`] : []),
        ...(commandsInFlight > 0 ? [`${commandsInFlight} commands in flight`] : []),
      ];
    },
  };
}

function sumOf(all: readonly Readiness[]): Readiness {
  const metrics: Record<string, number> = {};
  for (const one of all) for (const [name, value] of Object.entries(one.metrics)) metrics[name] = (metrics[name] ?? 0) + value;
  return {
    calls: all.reduce((sum, { calls }) => sum + calls, 0), commandsInFlight: all.reduce((sum, { commandsInFlight }) => sum + commandsInFlight, 0), metrics,
    eventLoopDelayMs: { p99: Math.max(...all.map(({ eventLoopDelayMs }) => eventLoopDelayMs.p99)), max: Math.max(...all.map(({ eventLoopDelayMs }) => eventLoopDelayMs.max)) },
  };
}

/** Waits a moment for the end of what was just hung up. */
export async function settled(clinic: Clinic, within = 3000): Promise<readonly string[]> {
  let left: readonly string[] = [];
  await until(async () => {
    left = await clinic.whatIsLeft();
    return left.length === 0;
  }, { describe: 'nothing of any call is left', within, everyMs: 50 }).catch(() => undefined);
  return left;
}
