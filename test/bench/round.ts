/** One round: so many calls a second for so many seconds, by one way. */
import { numbers, settled, type Clinic, type Readiness } from './clinic.ts';
import type { LoadCounts } from './load.ts';
import { cpuMs } from './process-use.ts';
import { until } from '../support/until.ts';

/** A way of a call: past the controllers, or by those of a clinic. */
export interface Way {
  readonly name: string;
  readonly clinic: Clinic;
  readonly native: boolean;
}

export interface RoundPlan {
  readonly rate: number;
  readonly seconds: number;
}

export interface Round extends RoundPlan {
  readonly way: string;
  readonly native: boolean;
  readonly calls: number;
  /** Calls that any of the three parties saw fail, or that never came about. */
  readonly failed: number;
  /** Calls that one phone had answered before the other was rung at all. */
  readonly rungOnce: number;
  readonly setUpMs: readonly number[];
  readonly counts: Readonly<Record<'caller' | 'rings' | 'answers', LoadCounts>>;
  readonly switchCpuMs: number;
  /** Of all controllers of the clinic; native rounds show what they use when idle. */
  readonly controllerCpuMs: number;
  readonly redisCpuMs: number;
  /** Commands that Redis carried out, those inside scripts too. */
  readonly redisCommands: number;
  /** Of the last seconds of the load. */
  readonly loopDelayP99Ms: number;
  readonly commands: number;
  readonly events: number;
  readonly commandsFailed: number;
  /** Calls that Frontdesk took; one it could not claim in time is the failsafe's. */
  readonly offered: number;
  readonly cdrs: number;
  readonly cdrsTwice: number;
  readonly left: readonly string[];
  /** What SIPp held against the calls, a line each. */
  readonly errors: readonly string[];
}

/** A call is one second of talk: at the rate N, N calls are live. */
export const talkMs = 1000;
const lateMs = 30_000;

export async function playRound({ name: way, clinic, native }: Way, { rate, seconds }: RoundPlan): Promise<Round> {
  const folder = clinic.folder(`${rate}`);
  const phones = await clinic.startPhones(folder);
  const [before, cdrsBefore] = [await clinic.readiness(), new Set(clinic.cdrs())];
  const used = await useOf(clinic);
  const calls = rate * seconds;
  const caller = await clinic.startCalls({ folder: `${folder}/caller`, to: native ? numbers.native : numbers.frontdesk, talkMs, count: calls, perSecond: rate });
  // the last moment of full load: afterwards the delays of an idle loop would thin it out
  await Promise.race([new Promise((resolve) => { setTimeout(resolve, seconds * 1000); }), caller.finished]);
  const loaded = await clinic.readiness();
  await Promise.race([caller.finished, new Promise((resolve) => { setTimeout(resolve, lateMs).unref(); })]);
  const placed = await caller.end(1000);
  const left = await settled(clinic);
  const use = await useOf(clinic);
  const [rings, answers] = await Promise.all([phones.rings.end(3000), phones.answers.end(3000)]);
  const after = await clinic.readiness();
  const grown = (name: string): number => grownBy(name, before, after);
  const offered = grown('calls_offered_total');
  const cdrs = await cdrsSince(clinic, cdrsBefore, offered);
  const counts = { caller: placed.counts, rings: rings.counts, answers: answers.counts };
  return {
    way, native, rate, seconds, calls, counts, left, offered, cdrs: cdrs.length,
    failed: Math.max(calls - placed.counts.successful, placed.counts.failed, rings.counts.failed, answers.counts.failed, calls - answers.counts.successful),
    rungOnce: clinic.phonesRung === 1 ? 0 : Math.max(0, answers.counts.successful - rings.counts.successful),
    setUpMs: placed.setUpMs,
    switchCpuMs: use.switch - used.switch, controllerCpuMs: use.controllers - used.controllers, redisCpuMs: use.redis - used.redis,
    redisCommands: use.redisCommands - used.redisCommands,
    loopDelayP99Ms: loaded.eventLoopDelayMs.p99,
    commands: grown('commands_total'), events: grown('events_total'), commandsFailed: grown('commands_failed_total'),
    cdrsTwice: cdrs.length - new Set(cdrs).size,
    errors: [...placed.errors, ...rings.errors, ...answers.errors],
  };
}

async function useOf(clinic: Clinic): Promise<Readonly<Record<'switch' | 'controllers' | 'redis' | 'redisCommands', number>>> {
  const [cpu, commands] = [await clinic.redisInfo('cpu'), await clinic.redisInfo('commandstats')];
  return {
    switch: cpuMs(clinic.switchPid()),
    controllers: clinic.pids().reduce((sum, pid) => sum + cpuMs(pid), 0),
    redis: 1000 * (Number(cpu.get('used_cpu_user')) + Number(cpu.get('used_cpu_sys'))),
    redisCommands: [...commands].filter(([name]) => name !== 'cmdstat_info').reduce((sum, [, stat]) => sum + Number(/^calls=(\d+)/.exec(stat)?.[1] ?? 0), 0),
  };
}

const grownBy = (name: string, before: Readiness, after: Readiness): number => (after.metrics[name] ?? 0) - (before.metrics[name] ?? 0);

/** Records are written a moment after the call; more than expected is found out too. */
async function cdrsSince(clinic: Clinic, before: ReadonlySet<string>, expected: number): Promise<readonly string[]> {
  const fresh = (): readonly string[] => clinic.cdrs().filter((callId) => !before.has(callId));
  // What is missing all the same is told as a fault.
  await until(() => fresh().length >= expected, { describe: 'every call has its record', within: 2000 }).catch(() => undefined);
  return fresh();
}
