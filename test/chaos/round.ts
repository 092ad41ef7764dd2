/** One round: a busy clinic, one fault, recovery, and then the books are closed. */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { join } from 'node:path';
import type { EpochMs, Ms } from '../../control-plane/core/time.ts';
import { monitorEventLoop } from '../../control-plane/telemetry/event-loop.ts';
import { until } from '../support/until.ts';
import type { Clinic } from './clinic.ts';
import { faults, type Fault, type FaultName } from './faults.ts';
import { groups, stages as allStages, type Stage } from './kinds.ts';
import { answererOf, createLedger, droppedBecause, firstRung, isFailsafe, leftUnheard, stageAt, talkedUnseen, unclaimed, waitingStages, whereTo, wronglyRung, type Entry, type Ledger, type Outage } from './ledger.ts';
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
  /** Records that name another than the one who talked, or somebody where nobody did. */
  readonly wrong: readonly string[];
  /** Which phones of the groups were rung first, and how often. */
  readonly first: Readonly<Record<keyof typeof groups, readonly number[]>>;
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
/** What a journal may lack when its controller dies. */
const journalMs: Ms = 200;

export const lengthOf = ({ rate, up }: { readonly rate: number; readonly up: number }): Ms => Math.max(6000, Math.round((1050 * up) / rate));

export async function playRound(clinic: Clinic, options: RoundOptions): Promise<Round> {
  const { number, rate, up, say } = options;
  const fault: Fault = faults[options.fault];
  const lengthMs = lengthOf(options);
  const ledger = createLedger(clinic.kinds);
  const parties = await startParties({
    program: clinic.sipp, folder: join(clinic.root, `round-${number}`), remote: clinic.remote,
    phones: clinic.phones, carrier: clinic.carrier, kinds: clinic.kinds, ledger, round: number, rate, lengthMs,
  });
  let sippErrors: readonly string[] = [];
  const toldBefore = clinic.failsafesTold();
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
    const outage = { from: times.struckAt - (fault.forgets === true ? journalMs : 0), to: Math.max(times.mendedAt, times.wellAt ?? Infinity) };
    const found = await records(clinic, entries, fault, outage, toldBefore);
    sippErrors = await parties.stop();
    const stages = stagesAt(entries, times.struckAt);
    const first = { turns: firstRung(entries, 'turns', groups.turns), least: firstRung(entries, 'least', groups.least) };
    const fresh = entries.filter(({ invitedAt }) => invitedAt >= times.struckAt && invitedAt <= Math.max(times.mendedAt, times.wellAt ?? 0));
    const failsafeWaits = fresh.flatMap(({ invitedAt, legs }) => legs.filter(isFailsafe).map((leg) => leg.invitedAt - invitedAt));
    return {
      fault: options.fault, title: fault.title, calls: entries.length,
      up: Object.values(stages).reduce((sum, n) => sum + n, 0), stages,
      faultMs: times.mendedAt - times.struckAt, commandableMs: times.wellAt === null ? null : Math.max(0, times.wellAt - times.struckAt),
      looks: watch.looks(),
      newCalls: count(fresh.map(whereTo)), failsafeMs: failsafeWaits.length === 0 ? null : Math.round(Math.max(...failsafeWaits)),
      dropped: entries.flatMap((entry) => tell(entry, droppedBecause(entry, outage))),
      misrouted: [...entries.flatMap((entry) => misroutes(entry, fault, outage, times)), ...ledger.strays()],
      ...found, first, left, sippErrors,
      waitedForCpu: pressure === null ? null : Math.round((100 * ((cpuPressureMs() ?? 0) - pressure)) / (performance.now() - began)) / 100, harnessLateMs: Math.round(loop.read().maxMs),
      leftUnheard: entries.filter((entry) => leftUnheard(entry, outage)).length,
      others: [
        ...(times.wellAt === null ? forgotten.map((what) => `not commandable: ${what}`) : []),
        ...uneven(first, aloneIn(clinic, entries) + (fault.turnsForgotten === true ? 1 : 0)),
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
  const stages = Object.fromEntries(allStages.map((stage) => [stage, 0])) as Record<Stage, number>;
  for (const entry of entries) {
    const stage = stageAt(entry, at);
    if (stage !== null) stages[stage] += 1;
  }
  return stages;
}

const tell = (entry: Entry, problem: string | null): readonly string[] =>
  problem === null ? [] : [`${entry.from} (${entry.kind.name}, ${new Date(entry.invitedAt).toISOString().slice(11, 23)} to ${entry.endedAt === null ? '…' : new Date(entry.endedAt).toISOString().slice(11, 23)}): ${problem}`];

function misroutes(entry: Entry, fault: Fault, outage: Outage, { struckAt, mendedAt }: Times): readonly string[] {
  const wrong = wronglyRung(entry, fault.forgets === true, outage);
  const failsafes = entry.legs.filter(isFailsafe).filter((leg) => fault.nobodyThere !== true || leg.invitedAt < struckAt || entry.invitedAt > mendedAt);
  return [...wrong, ...failsafes.map((leg) => `it reached the failsafe after ${Math.round(leg.invitedAt - entry.invitedAt)} ms`)].flatMap((problem) => tell(entry, problem));
}

/** One row a call in Postgres, which names who talked; of a call that nobody ever had a notice instead, where there are not too many for the switch to keep. */
async function records(clinic: Clinic, entries: readonly Entry[], fault: Fault, outage: Outage, toldBefore: ReadonlyMap<string, number>): Promise<Pick<Round, 'missing' | 'double' | 'wrong' | 'writtenTwice'>> {
  const due = entries.filter((entry) => !unclaimed(entry));
  const noted = fault.nobodyThere === true ? [] : entries.filter(unclaimed);
  const untold = (): readonly Entry[] => {
    const told = clinic.failsafesTold();
    return [...Map.groupBy(noted, ({ kind }) => kind.e164)].flatMap(([number, calls]) => calls.slice((told.get(number) ?? 0) - (toldBefore.get(number) ?? 0)));
  };
  let rows = await clinic.rowsByCaller();
  await until(async () => {
    rows = await clinic.rowsByCaller();
    return due.every(({ from }) => rows.has(from)) && untold().length === 0;
  }, { describe: 'every call has a record', within: recordsWithin, everyMs: 200 }).catch(() => undefined);
  const onDisk = count(clinic.cdrsOnDisk().map(({ caller }) => caller.number));
  const wrongly = (entry: Entry): string | null => {
    const [said, seen] = [rows.get(entry.from)?.answeredBy ?? null, answererOf(entry)];
    if (!rows.has(entry.from) || entry.legs.some(isFailsafe) || leftUnheard(entry, outage) || (fault.forgets === true && talkedUnseen(entry, outage)) || said?.replace('+', '') === seen?.replace('+', '')) return null;
    return `its record says that ${said ?? 'nobody'} answered, and ${seen ?? 'nobody'} did`;
  };
  return {
    missing: [...due.filter(({ from }) => !rows.has(from)).flatMap((entry) => tell(entry, 'Postgres has no record')), ...untold().flatMap((entry) => tell(entry, 'no controller had it, and no notice says so'))],
    double: entries.filter(({ from }) => (rows.get(from)?.records ?? 0) > 1).flatMap((entry) => tell(entry, `Postgres has ${rows.get(entry.from)?.records} records`)),
    wrong: entries.flatMap((entry) => tell(entry, wrongly(entry))),
    writtenTwice: entries.filter(({ from }) => (onDisk[from] ?? 0) > 1).flatMap((entry) => tell(entry, `${onDisk[entry.from]} records were written`)),
  };
}

/** Calls whose turn a controller has counted alone, or whose record does not say: another call may have had the same. */
function aloneIn(clinic: Clinic, entries: readonly Entry[]): number {
  const counted = new Set(clinic.cdrsOnDisk().filter(({ orders }) => orders.some(({ why }) => why.startsWith('turn ') && !why.includes('alone'))).map(({ caller }) => caller.number));
  return entries.filter(({ kind, from, legs }) => kind.name === 'turns' && !legs.some(isFailsafe) && !counted.has(from)).length;
}

const says = (what: string, counts: readonly number[]): string => `${what}: its phones were rung first ${counts.join(', ')} times`;

/**
 * Turns come round evenly over all controllers; each time that they are not counted on from the last, one phone may be one
 * ahead. The least connected take about as many, since what one controller knows of another's calls is a little old.
 */
function uneven({ turns, least }: Round['first'], breaks: number): readonly string[] {
  const fair = least.reduce((sum, n) => sum + n, 0) / least.length;
  return [
    ...(Math.max(...turns) - Math.min(...turns) > 1 + breaks ? [says('turns', turns)] : []),
    ...(Math.min(...least) < Math.floor(fair / 2) ? [says('least connected', least)] : []),
  ];
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
