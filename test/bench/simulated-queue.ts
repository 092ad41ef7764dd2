/**
 * Queues at a size that no machine's phones reach: 200 agents, 2,000 callers who wait, the product's controllers and desks,
 * and the simulated switch, all in this process and by the real clock. The database and the disk are left out; what
 * controllers share is in memory, or in a Redis.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Redis } from 'ioredis';
import type { ClinicConfig } from '../../control-plane/configuration/clinics.ts';
import { callsOut } from '../../control-plane/core/call/calls-out.ts';
import { compileFor } from '../../control-plane/core/routing/compile.ts';
import type { CallFacts } from '../../control-plane/core/routing/config.ts';
import { offerRing } from '../../control-plane/core/routing/offer-ring.ts';
import { second, type Ms } from '../../control-plane/core/time.ts';
import { localTime } from '../../control-plane/hours/local-time.ts';
import { startLocalStack } from '../../control-plane/local-stack/local-stack.ts';
import { healthy } from '../../control-plane/media/simulated/chance.ts';
import { createSimulatedSwitch } from '../../control-plane/media/simulated/switch.ts';
import { configureDesks, runDesks } from '../../control-plane/run-desks.ts';
import { realClock } from '../../control-plane/runtime/clock.ts';
import { createController, type Controller } from '../../control-plane/runtime/controller.ts';
import { callsHere } from '../../control-plane/runtime/desks/calls-here.ts';
import { createDesks, type Desks } from '../../control-plane/runtime/desks/desks.ts';
import { leaseMs } from '../../control-plane/runtime/lease.ts';
import { deskLinks, sharedRecords } from '../../control-plane/store/memory-desks.ts';
import { memoryJournals } from '../../control-plane/store/memory-journals.ts';
import { occupancyOfAll } from '../../control-plane/store/memory-occupancy.ts';
import { sharedOwners } from '../../control-plane/store/memory-ownership.ts';
import { loadPlans } from '../../control-plane/store/plan-files/load.ts';
import type { CallArchive, LiveJournals, Ownership, SharedOccupancy } from '../../control-plane/store/ports.ts';
import { redisJournals } from '../../control-plane/store/redis/live-journals.ts';
import { redisOccupancy } from '../../control-plane/store/redis/occupancy.ts';
import { redisOwnership } from '../../control-plane/store/redis/ownership.ts';
import { createMetrics } from '../../control-plane/telemetry/metrics.ts';
import { quantiles } from './queue.ts';
import { fixed, megabytes, tableOf } from './table.ts';

export interface SimulatedFigures {
  readonly controllers: number;
  readonly store: 'memory' | 'redis';
  readonly agents: number;
  readonly waiting: number;
  readonly calls: number;
  readonly perSecond: number;
  /** From the agent's hanging up, at the switch, to the next leg that is made for it. */
  readonly rungMs: ReturnType<typeof quantiles>;
  /** And to that leg's being in the bridge. */
  readonly connectedMs: ReturnType<typeof quantiles>;
  readonly loopDelayMs: { readonly p50: number; readonly p99: number; readonly max: number };
  /** Of this process, the switch in it: user and system. */
  readonly cpuMsPerCall: number;
  /** After a collection: with nobody, and with all who wait. */
  readonly heapBytes: { readonly idle: number; readonly waiting: number };
  readonly errors: readonly string[];
}

export interface SimulatedOptions {
  readonly agents: number;
  readonly waiting: number;
  readonly seconds: number;
  readonly talkMs: Ms;
  readonly say: (line: string) => void;
}

const account = 'bench';
const number = '+12025550110';
const queues = 10;
const music = 'sound:music';
const musicMs: Ms = 30 * second;
const device = (i: number): string => String(1001 + i);
/** Everybody is in three of the ten. */
const agentsOf = (queue: number, agents: number): readonly number[] => Array.from({ length: agents }, (_, i) => i).filter((i) => [i % 10, (i * 3 + 1) % 10, (i * 7 + 2) % 10].includes(queue));
const numberOf = (queue: number): string => `${number.slice(0, -1)}${queue}`;

const plan = (agents: number): string => `
account: { id: ${account}, name: Bench Dental }
trunks:
  - { id: carrier, host: 127.0.0.2, port: 5090 }
users:
${Array.from({ length: agents }, (_, i) => `  - { id: agent-${i}, name: Agent ${i}, devices: [{ extension: "${device(i)}", password: "bench-agent-${i}-4711" }] }`).join('\n')}
queues:
${Array.from({ length: queues }, (_, q) => `  - { id: q${q}, name: Queue ${q}, strategy: longest-idle, wrapUpSeconds: 0, maxWaitSeconds: 0, joinNeeds: nobody, stayNeeds: nobody, agents: [${agentsOf(q, agents).map((i) => `{ user: agent-${i} }`).join(', ')}] }`).join('\n')}
numbers:
${Array.from({ length: queues }, (_, q) => `  - { e164: "${numberOf(q)}", name: Line ${q}, route: { to: queue, id: q${q} }, callConnect: external }`).join('\n')}
`;

export async function measureSimulated(options: SimulatedOptions): Promise<readonly SimulatedFigures[]> {
  const loaded = await loadPlans([{ file: 'bench.yaml', text: plan(options.agents) }]);
  if (!loaded.ok) throw new Error(loaded.problems.map(({ message }) => message).join('; '));
  const all: SimulatedFigures[] = [];
  for (const controllers of [1, 2] as const) {
    for (const store of ['memory', 'redis'] as const) {
      const done = await inStore(store, options.say, (shared) => measure(loaded.config.clinics, controllers, store, shared, options));
      options.say(`${controllers} controllers, ${store}: ${done.calls} calls, connected p99 ${fixed(done.connectedMs.p99, 0)} ms`);
      all.push(done);
    }
  }
  return all;
}

interface Shared {
  journals(controller: string): LiveJournals;
  ownership(controller: string): Ownership;
  occupancy(controller: string): SharedOccupancy;
  desks(controller: string, controlled: Controller, clinics: readonly ClinicConfig[], log: Log): Desks;
}
type Log = Parameters<typeof createDesks>[0]['log'];

async function inStore(store: 'memory' | 'redis', say: (line: string) => void, use: (shared: Shared) => Promise<SimulatedFigures>): Promise<SimulatedFigures> {
  const clock = realClock();
  const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
  if (store === 'memory') {
    const [owners, occupancies, links, records] = [sharedOwners({ now: () => clock.now(), leaseMs }), occupancyOfAll({ now: () => clock.now(), lifeMs: leaseMs }), deskLinks(), sharedRecords()];
    return use({
      journals: memoryJournals, ownership: (name) => owners.of(name), occupancy: (name) => occupancies.of(name),
      desks: (name, controller, clinics, log) => createDesks({
        controller: name, clock, lease: controller.lease, link: links.of(name), records, log, metrics: createMetrics(),
        here: callsHere({ controller, phoneOf: () => undefined, positionMedia: () => [], log, offerRing: (call, offer) => {
          const [clinic] = clinics;
          return clinic === undefined || call.visit === null ? null : offerRing(clinic.account, { ...offer, step: call.visit.step }, factsOf(controller, call.offer, clock.now()));
        } }),
      }),
    });
  }
  const dir = mkdtempSync(join(tmpdir(), 'frontdesk-bench-'));
  const stack = await startLocalStack({ dataDir: dir, need: { asterisk: false, redis: true }, progress: say });
  const connections: Redis[] = [];
  const connect = (): Redis => {
    const redis = new Redis(stack.redis?.url ?? '');
    connections.push(redis);
    return redis;
  };
  try {
    return await use({
      journals: (controller) => redisJournals({ redis: connect(), controller, log: quiet, metrics: createMetrics() }),
      ownership: (controller) => redisOwnership({ redis: connect(), controller, leaseMs, log: quiet }),
      occupancy: (controller) => redisOccupancy({ redis: connect(), controller, lifeMs: leaseMs }),
      desks: (instance, controller, clinics, log) => runDesks({ controller, instance, redis: connect(), clinics: () => clinics, factsOf: ({ offer }) => factsOf(controller, offer, clock.now()), spoken: () => undefined, log, metrics: createMetrics() }),
    });
  } finally {
    for (const redis of connections) redis.disconnect();
    await stack.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

function factsOf(controller: Controller, { callId, dialled, caller }: { readonly callId: string; readonly dialled: string; readonly caller: { readonly number: string; readonly name: string } }, at: number): CallFacts {
  return {
    callId, dialled, callerNumber: caller.number, callerName: caller.name, at, localTime: (zone) => localTime(zone, at), callsOut: (id) => callsOut(controller.calls(), id),
    contact: () => undefined, whisperMedia: () => undefined, holdMusic: music,
  };
}

/** What becomes of a record is no part of this. */
const noArchive: CallArchive = { append: () => undefined, read: async () => [], writeCdr: async () => undefined, hasCdr: async () => false, letGo: () => undefined, listOpen: async () => [], flush: async () => undefined };

async function measure(clinics: readonly ClinicConfig[], count: 1 | 2, store: 'memory' | 'redis', shared: Shared, { agents, waiting, seconds, talkMs }: SimulatedOptions): Promise<SimulatedFigures> {
  const clock = realClock();
  const errors: string[] = [];
  const log: Log = { debug: () => undefined, info: () => undefined, warn: (_, sentence) => { errors.push(sentence); }, error: (fields, sentence) => { errors.push(`${sentence} ${JSON.stringify(fields)}`); } };
  const watch = watcher();
  const sim = createSimulatedSwitch({ clock, chance: { ...healthy, pick: (n) => Math.floor(Math.random() * n), promptMs: () => musicMs, again: (event) => watch.event(event), failure: (command) => watch.command(command) } });
  const controllers = (['one', 'two'] as const).slice(0, count).map((name) => {
    let desks: Desks | null = null;
    const controller = createController({
      driver: sim.driver(name), clock, live: shared.journals(name), archive: noArchive, ownership: shared.ownership(name), occupancy: shared.occupancy(name), log, metrics: createMetrics(), controller: name,
      compilePlan: (offer, at) => compileFor(clinics.map((one) => one.account), factsOf(controller, offer, at)),
      onDesk: ({ plan: of }, message) => desks?.tell(of.account.id, message),
    });
    desks = shared.desks(name, controller, clinics, log);
    const mine = desks;
    configureDesks(mine, () => clinics);
    controller.observe({ onStep: () => { mine.changed(); } });
    return { controller, desks: mine };
  });
  for (const { controller, desks } of controllers) {
    await controller.start();
    desks.start();
  }
  const [first] = controllers;
  if (first === undefined) throw new Error('There is no controller');
  await loggedIn(first.desks, agents);
  const idle = await heap();

  // the line is there before the agents' phones are
  let n = 0;
  const call = (): void => { sim.call({ from: `+1202${String(5_560_000 + n)}`, to: numberOf(n++ % queues) }); };
  for (let i = 0; i < agents; i += 1) sim.phone(device(i), null);
  for (let i = 0; i < waiting + agents; i += 1) {
    call();
    if (i % 10 === 0) await delay(20);
  }
  watch.onEnd = (caller) => { if (caller) call(); };
  const talk = (): void => { for (let i = 0; i < agents; i += 1) sim.phone(device(i), [{ afterMs: 0, does: 'ring' }, { afterMs: 0, does: 'answer' }, { afterMs: Math.round(talkMs * (0.5 + Math.random())), does: 'hang-up' }]); };
  talk();
  const again = setInterval(talk, 200);
  // who was not there is asked again after its delay
  await delay(20 * second);
  const waitingBytes = await heap();
  await delay(talkMs);
  const loop = monitorEventLoopDelay({ resolution: 1 });
  loop.enable();
  const [cpu, began] = [process.cpuUsage(), performance.now()];
  watch.begin();
  await delay(seconds * second);
  const { rung, connected } = watch.end();
  const [used, tookMs] = [process.cpuUsage(cpu), performance.now() - began];
  loop.disable();
  clearInterval(again);
  watch.onEnd = () => undefined;
  const disappointments = [...new Set(errors)];
  // not all in one moment: they would hold up what the next measures by
  for (const [i, leg] of sim.legs().entries()) {
    sim.hangUp(leg.id);
    if (i % 10 === 0) await delay(20);
  }
  await delay(second);
  for (const { controller, desks } of controllers) {
    await desks.stop();
    await controller.stop();
  }
  return {
    controllers: count, store, agents, waiting, calls: connected.length, perSecond: (connected.length * second) / tookMs, rungMs: quantiles(rung), connectedMs: quantiles(connected),
    loopDelayMs: { p50: loop.percentile(50) / 1e6, p99: loop.percentile(99) / 1e6, max: loop.max / 1e6 }, cpuMsPerCall: (used.user + used.system) / 1000 / connected.length,
    heapBytes: { idle, waiting: waitingBytes }, errors: disappointments,
  };
}

/** The desks are a moment on the way at a start. */
async function loggedIn(desks: Desks, agents: number): Promise<void> {
  for (let i = 0; i < agents; i += 1) {
    const say = async (left: number): Promise<void> => {
      try {
        await desks.logIn(account, `agent-${i}`, [device(i)]);
        await desks.chooseStatus(account, `agent-${i}`, 'available');
      } catch (error) {
        if (left === 0) throw error;
        await say(left - 1);
      }
    };
    await say(5);
  }
}

type Command = Parameters<typeof healthy.failure>[0];
type LegEvent = Parameters<typeof healthy.again>[0];

/** What the switch is told to do, and what it tells, at the moment it is done. */
function watcher() {
  const phones = new Map<string, string>();
  const free = new Map<string, number>();
  const pending = new Map<string, number>();
  let figures: { readonly rung: number[]; readonly connected: number[] } | null = null;
  const watch = {
    onEnd: (_caller: boolean): void => undefined,
    begin: (): void => { figures = { rung: [], connected: [] }; },
    end: () => {
      const done = figures ?? { rung: [], connected: [] };
      figures = null;
      return done;
    },
    command: (command: Command): null => {
      if (command.type !== 'OriginateLeg' || command.target.kind !== 'device') return null;
      const { device: phone } = command.target;
      phones.set(command.legId, phone);
      const since = free.get(phone);
      free.delete(phone);
      if (since === undefined) return null;
      figures?.rung.push(performance.now() - since);
      pending.set(command.legId, since);
      return null;
    },
    event: (event: LegEvent): null => {
      if (event.type === 'LegBridged') {
        const since = pending.get(event.legId);
        pending.delete(event.legId);
        if (since !== undefined) figures?.connected.push(performance.now() - since);
      }
      if (event.type !== 'LegEnded') return null;
      const phone = phones.get(event.legId);
      phones.delete(event.legId);
      pending.delete(event.legId);
      if (phone !== undefined && event.cause === 'normal') free.set(phone, performance.now());
      watch.onEnd(phone === undefined);
      return null;
    },
  };
  return watch;
}

let collect: (() => void) | null = null;

async function heap(): Promise<number> {
  if (collect === null) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
  await delay(100);
  collect();
  return process.memoryUsage().heapUsed;
}

export const simulatedTable = (all: readonly SimulatedFigures[]): readonly string[] => [
  ...(all[0] === undefined ? [] : [`the simulated switch: ${all[0].agents} agents, ${all[0].waiting} wait in ${queues} queues; ms from an agent's hanging up; all in one process`]),
  ...tableOf(
    ['store', 'controllers', 'calls', 'calls/s', 'rung p50', 'p99', 'connected p50', 'p99', 'max', 'loop p50 ms', 'p99', 'max', 'CPU ms/call', 'heap idle', 'heap waiting'],
    all.map((one) => [
      one.store, String(one.controllers), String(one.calls), fixed(one.perSecond, 1), fixed(one.rungMs.p50, 0), fixed(one.rungMs.p99, 0), fixed(one.connectedMs.p50, 0), fixed(one.connectedMs.p99, 0), fixed(one.connectedMs.max, 0),
      fixed(one.loopDelayMs.p50, 1), fixed(one.loopDelayMs.p99, 1), fixed(one.loopDelayMs.max, 0), fixed(one.cpuMsPerCall, 1), megabytes(one.heapBytes.idle), megabytes(one.heapBytes.waiting),
    ]),
  ),
  ...all.flatMap(({ store, controllers, errors }) => errors.map((error) => `${store}, ${controllers}: ${error}`)),
];
