/** One round: a busy clinic, one fault, recovery, and then the books are closed. */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { join } from 'node:path';
import type { EpochMs, Ms } from '../../control-plane/core/time.ts';
import { monitorEventLoop } from '../../control-plane/telemetry/event-loop.ts';
import { until } from '../support/until.ts';
import type { Clinic } from './clinic.ts';
import { faults, type Fault, type FaultName } from './faults.ts';
import { createLedger, droppedBecause, isFailsafe, leftUnheard, stageAt, waitingStages, whereTo, wrongLegs, type Entry, type Ledger, type Stage } from './ledger.ts';
import { startParties } from './parties.ts';
import { startWatch } from './watch.ts';

export interface RoundOptions {
  readonly fault: FaultName;
  /** From 1: callers of different rounds have different numbers. */
  readonly number: number;
  readonly rate: number;
  readonly up: number;
  readonly say: (line: string) => void;
}

export interface Round {
  readonly fault: FaultName;
  readonly title: string;
  readonly calls: number;
  /** At the first blow. */
  readonly up: number;
  readonly stages: Readonly<Record<Stage, number>>;
  readonly faultMs: Ms;
  /** From the first blow until every call up was commandable, for good; null when that did not come about. */
  readonly commandableMs: Ms | null;
  /** The looks that found calls which were not. */
  readonly looks: readonly string[];
  /** From the first blow until all was commandable again, and where they went. */
  readonly newCalls: Readonly<Record<string, number>>;
  /** The longest that a new call waited for the failsafe to ring. */
  readonly failsafeMs: Ms | null;
  readonly dropped: readonly string[];
  readonly misrouted: readonly string[];
  readonly missing: readonly string[];
  readonly double: readonly string[];
  /** Calls of which two controllers wrote a record on their disks, where the second cannot know of the first; Postgres keeps one. */
  readonly writtenTwice: readonly string[];
  /** Phones that were picked up and put down while nobody could connect them. */
  readonly leftUnheard: number;
  readonly left: readonly string[];
  /** Anything else that must not be. */
  readonly others: readonly string[];
  /** Of the round, how long some process of this machine waited for a processor; null where the kernel does not say. */
  readonly waitedForCpu: number | null;
  /** How late this process was at worst: what it saw of the controllers may be as much too late. */
  readonly harnessLateMs: Ms;
  /** What SIPp held against its scenarios. */
  readonly sippErrors: readonly string[];
}

/** How long the load goes on after the fault is mended. */
const afterMs: Ms = 4000;
const commandableWithin: Ms = 45_000;
const leftWithin: Ms = 12_000;
const recordsWithin: Ms = 30_000;
const failsafeRingsWithin: Ms = 1000;

export const lengthOf = ({ rate, up }: { readonly rate: number; readonly up: number }): Ms => Math.max(6000, Math.round((1050 * up) / rate));

export async function playRound(clinic: Clinic, options: RoundOptions): Promise<Round> {
  const { number, rate, up, say } = options;
  const fault: Fault = faults[options.fault];
  const lengthMs = lengthOf(options);
  const ledger = createLedger();
  const parties = await startParties({
    program: clinic.sipp, folder: join(clinic.root, `round-${number}`), remote: clinic.remote,
    phones: clinic.phones, carrier: clinic.carrier, kinds: clinic.kinds, ledger, round: number, rate, lengthMs,
  });
  let sippErrors: readonly string[] = [];
  const [loop, pressure, began] = [monitorEventLoop(), cpuPressureMs(), performance.now()];
  try {
    await busy(ledger, up, lengthMs).catch(() => { say(`  only ${ledger.up().length} calls are up`); });
    const watch = startWatch(clinic, ledger);
    let times: Times;
    try {
      times = await struck(clinic, fault, watch, say);
    } finally {
      await watch.stop();
    }
    const forgotten = watch.wrong();
    await delay(afterMs);
    const late = await parties.finish(lengthMs + 45_000);
    const left = await nothingLeft(clinic);
    const entries = ledger.entries();
    const { missing, double, writtenTwice } = await records(clinic, entries, fault.nobodyThere === true ? times : null);
    sippErrors = await parties.stop();
    const stages = stagesAt(entries, times.struckAt);
    const outage = { from: times.struckAt, to: Math.max(times.mendedAt, times.wellAt ?? Infinity) };
    const fresh = entries.filter(({ invitedAt }) => invitedAt >= times.struckAt && invitedAt <= Math.max(times.mendedAt, times.wellAt ?? 0));
    const failsafeWaits = fresh.flatMap(({ invitedAt, legs }) => legs.filter(isFailsafe).map((leg) => leg.invitedAt - invitedAt));
    return {
      fault: options.fault, title: fault.title, calls: entries.length,
      up: Object.values(stages).reduce((sum, n) => sum + n, 0), stages,
      faultMs: times.mendedAt - times.struckAt, commandableMs: times.wellAt === null ? null : Math.max(0, times.wellAt - times.struckAt),
      looks: watch.looks(),
      newCalls: count(fresh.map(whereTo)), failsafeMs: failsafeWaits.length === 0 ? null : Math.round(Math.max(...failsafeWaits)),
      dropped: entries.flatMap((entry) => tell(entry, droppedBecause(entry, outage))),
      misrouted: [...entries.flatMap((entry) => misroutes(entry, fault, times)), ...ledger.strays()],
      missing, double, writtenTwice, left, sippErrors,
      waitedForCpu: pressure === null ? null : Math.round((100 * ((cpuPressureMs() ?? 0) - pressure)) / (performance.now() - began)) / 100, harnessLateMs: Math.round(loop.read().maxMs),
      leftUnheard: entries.filter((entry) => leftUnheard(entry, outage)).length,
      others: [
        ...(times.wellAt === null ? forgotten.map((what) => `not commandable: ${what}`) : []),
        ...late.map((kind) => `callers (${kind}) were not done`),
        ...(fault.nobodyThere === true ? failsafeWaits.filter((ms) => ms > failsafeRingsWithin).map((ms) => `the failsafe rang only after ${Math.round(ms)} ms`) : []),
      ],
    };
  } finally {
    loop.stop();
    await parties.stop();
    await clinic.admin.clear();
  }
}

/** Calls are up, and enough of them wait. */
async function busy(ledger: Ledger, up: number, lengthMs: Ms): Promise<void> {
  await until(() => {
    const now = ledger.up();
    const waiting = now.filter((entry) => waitingStages.some((stage) => stageAt(entry, Date.now()) === stage));
    return now.length >= up && waiting.length >= now.length / 3;
  }, { describe: `${up} calls are up, a third of them waiting`, within: 2 * lengthMs + 10_000, everyMs: 50 });
}

interface Times {
  readonly struckAt: EpochMs;
  readonly mendedAt: EpochMs;
  readonly wellAt: EpochMs | null;
}

async function struck(clinic: Clinic, fault: Fault, watch: ReturnType<typeof startWatch>, say: (line: string) => void): Promise<Times> {
  const struckAt = Date.now();
  await fault.strike(clinic);
  const mendedAt = Date.now();
  const wellAt = await watch.well(2000, commandableWithin);
  if (wellAt === null) for (const line of watch.wrong().slice(0, 5)) say(`  ${line}`);
  await fault.restore(clinic);
  // Who comes back must not upset anything either.
  const wellAgain = await watch.well(1000, commandableWithin);
  return { struckAt, mendedAt, wellAt: wellAgain === null ? null : wellAt };
}

function stagesAt(entries: readonly Entry[], at: EpochMs): Record<Stage, number> {
  const stages: Record<Stage, number> = { offered: 0, ring: 0, screening: 0, announcement: 0, voicemail: 0, talk: 0 };
  for (const entry of entries) {
    const stage = stageAt(entry, at);
    if (stage !== null) stages[stage] += 1;
  }
  return stages;
}

const tell = (entry: Entry, problem: string | null): readonly string[] =>
  problem === null ? [] : [`${entry.from} (${entry.kind.name}, ${new Date(entry.invitedAt).toISOString().slice(11, 23)} to ${entry.endedAt === null ? '…' : new Date(entry.endedAt).toISOString().slice(11, 23)}): ${problem}`];

function misroutes(entry: Entry, fault: Fault, { struckAt, mendedAt }: Times): readonly string[] {
  const wrong = wrongLegs(entry).map((leg) => `it reached ${leg.device}`);
  const failsafes = entry.legs.filter(isFailsafe).filter((leg) => fault.nobodyThere !== true || leg.invitedAt < struckAt || entry.invitedAt > mendedAt);
  return [...wrong, ...failsafes.map((leg) => `it reached the failsafe after ${Math.round(leg.invitedAt - entry.invitedAt)} ms`)].flatMap((problem) => tell(entry, problem));
}

/** One row a call in Postgres; a call that nobody ever had may be without. */
async function records(clinic: Clinic, entries: readonly Entry[], nobody: Times | null): Promise<Pick<Round, 'missing' | 'double' | 'writtenTwice'>> {
  const ofFailsafe = ({ legs }: Entry): boolean => nobody !== null && legs.length > 0 && legs.every((leg) => isFailsafe(leg) && leg.invitedAt > nobody.struckAt && leg.invitedAt < nobody.mendedAt + failsafeRingsWithin);
  const due = entries.filter((entry) => !ofFailsafe(entry));
  let rows = await clinic.rowsByCaller();
  await until(async () => {
    rows = await clinic.rowsByCaller();
    return due.every(({ from }) => rows.has(from));
  }, { describe: 'every call has a record', within: recordsWithin, everyMs: 200 }).catch(() => undefined);
  const onDisk = count(clinic.cdrsOnDisk().map(({ caller }) => caller.number));
  return {
    missing: due.filter(({ from }) => !rows.has(from)).flatMap((entry) => tell(entry, 'Postgres has no record')),
    double: entries.filter(({ from }) => (rows.get(from) ?? 0) > 1).flatMap((entry) => tell(entry, `Postgres has ${rows.get(entry.from)} records`)),
    writtenTwice: entries.filter(({ from }) => (onDisk[from] ?? 0) > 1).flatMap((entry) => tell(entry, `${onDisk[entry.from]} records were written`)),
  };
}

async function nothingLeft(clinic: Clinic): Promise<readonly string[]> {
  let left: readonly string[] = [];
  await until(async () => {
    left = await clinic.whatIsLeft();
    return left.length === 0;
  }, { describe: 'nothing of any call is left', within: leftWithin, everyMs: 200 }).catch(() => undefined);
  return left;
}

/** Of /proc/pressure/cpu, "some": https://docs.kernel.org/accounting/psi.html */
function cpuPressureMs(): Ms | null {
  try {
    return Number(/some .*total=(\d+)/.exec(readFileSync('/proc/pressure/cpu', 'utf8'))?.[1] ?? 0) / 1000;
  } catch {
    return null;
  }
}

function count(names: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
