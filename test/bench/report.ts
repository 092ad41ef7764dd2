/** Figures out of rounds: by rate and way, as a table and as JSON. */
import { cpus, loadavg } from 'node:os';
import { adoptionTable, type Adoption } from './adopt.ts';
import type { CompileFigures } from './compile.ts';
import type { ContactFigures } from './contacts.ts';
import type { Memory } from './memory.ts';
import { queueTable, type QueueReport } from './queue.ts';
import type { Round } from './round.ts';
import { simulatedTable, type SimulatedFigures } from './simulated-queue.ts';
import { soakTable, type Soak } from './soak.ts';
import { fixed, megabytes, tableOf } from './table.ts';

export interface Figures {
  readonly way: string;
  readonly rate: number;
  readonly calls: number;
  readonly failed: number;
  readonly rungOnce: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Against native of the same rate. */
  readonly p99Ratio: number | null;
  readonly retransmissions: number;
  readonly switchCpuMsPerCall: number;
  /** Null for native, and so below. */
  readonly controllerCpuMsPerCall: number | null;
  readonly redisCpuMsPerCall: number | null;
  readonly redisCommandsPerCall: number | null;
  readonly loopDelayP99Ms: number | null;
  readonly commandsPerCall: number | null;
  readonly eventsPerCall: number | null;
  readonly cdrs: number;
}

export interface Report {
  readonly at: string;
  readonly machine: string;
  /** Processes that wanted a processor in the minute before. Near 0, or the figures tell of other programs too. */
  readonly loadBefore: number;
  /** With its version; null where none took part. */
  readonly switchName: string | null;
  /** How many a call of the rounds rang. */
  readonly phones: 1 | 2;
  readonly figures: readonly Figures[];
  /** The highest rate at which no call failed, by way; 0 when there was none. */
  readonly cleanRate: Readonly<Record<string, number>>;
  readonly memory: Memory | null;
  readonly queues: readonly QueueReport[];
  readonly simulated: readonly SimulatedFigures[];
  readonly adoptions: readonly Adoption[];
  readonly soak: Soak | null;
  readonly compile: CompileFigures | null;
  readonly contacts: ContactFigures | null;
  readonly target: { readonly p99LimitMs: number; readonly p99Ms: number; readonly failed: number; readonly met: boolean } | null;
  /** What must never be: a call that was taken without exactly one record, something left behind. */
  readonly faults: readonly string[];
}

const targetRate = 100;
/** Taken before the first call: what else this machine does. */
const loadBefore = loadavg()[0] ?? 0;

/** `some`: what was measured beside the rounds. */
export function reportOf(rounds: readonly Round[], some: Partial<Pick<Report, 'switchName' | 'phones' | 'memory' | 'queues' | 'simulated' | 'adoptions' | 'soak' | 'compile' | 'contacts'>>): Report {
  const rest = { switchName: null, phones: 2 as const, memory: null, queues: [], simulated: [], adoptions: [], soak: null, compile: null, contacts: null, ...some };
  const rates = [...new Set(rounds.map(({ rate }) => rate))].sort((a, b) => a - b);
  const ways = [...new Set(rounds.map(({ way }) => way))];
  const figures = rates.flatMap((rate) => {
    const native = p99Of(rounds.filter((round) => round.rate === rate && round.native));
    return ways.map((way) => figuresOf(rounds.filter((round) => round.rate === rate && round.way === way), native));
  });
  const find = (way: string): Figures | undefined => figures.find((one) => one.way === way && one.rate === targetRate);
  const [native, frontdesk] = [find('native'), find('frontdesk')];
  const p99LimitMs = native === undefined ? 0 : 3 * native.p99Ms + 8;
  return {
    at: new Date().toISOString(),
    machine: `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'processor'}, Node ${process.versions.node}`,
    loadBefore, figures, ...rest,
    cleanRate: Object.fromEntries(ways.map((way) => [way, Math.max(0, ...figures.filter((one) => one.way === way && one.failed === 0).map(({ rate }) => rate))])),
    target: native === undefined || frontdesk === undefined ? null
      : { p99LimitMs, p99Ms: frontdesk.p99Ms, failed: frontdesk.failed, met: frontdesk.failed === 0 && frontdesk.p99Ms <= p99LimitMs },
    faults: [...rounds.flatMap(faultsOf), ...rest.queues.flatMap(({ faults }) => faults), ...rest.adoptions.flatMap(({ faults }) => faults), ...(rest.soak?.faults ?? [])],
  };
}

function figuresOf(rounds: readonly Round[], nativeP99: number): Figures {
  const sum = (value: (round: Round) => number): number => rounds.reduce((total, round) => total + value(round), 0);
  const calls = sum((round) => round.calls);
  const setUp = rounds.flatMap(({ setUpMs }) => setUpMs).sort((a, b) => a - b);
  const [first] = rounds;
  const perCall = (value: (round: Round) => number): number | null => (first?.native === true ? null : sum(value) / calls);
  return {
    way: first?.way ?? '', rate: first?.rate ?? 0, calls, failed: sum((round) => round.failed), rungOnce: sum((round) => round.rungOnce), p50Ms: quantile(setUp, 0.5), p99Ms: quantile(setUp, 0.99), maxMs: quantile(setUp, 1),
    p99Ratio: first?.native === true || nativeP99 === 0 ? null : quantile(setUp, 0.99) / nativeP99,
    retransmissions: sum(({ counts }) => counts.caller.retransmissions + counts.rings.retransmissions + counts.answers.retransmissions),
    switchCpuMsPerCall: sum((round) => round.switchCpuMs) / calls,
    controllerCpuMsPerCall: perCall((round) => round.controllerCpuMs), redisCpuMsPerCall: perCall((round) => round.redisCpuMs), redisCommandsPerCall: perCall((round) => round.redisCommands),
    loopDelayP99Ms: first?.native === true ? null : Math.max(...rounds.map((round) => round.loopDelayP99Ms)),
    commandsPerCall: perCall((round) => round.commands), eventsPerCall: perCall((round) => round.events),
    cdrs: sum((round) => round.cdrs),
  };
}

function faultsOf(round: Round): readonly string[] {
  const where = `${round.way} at ${round.rate}/s`;
  return [
    ...(round.cdrs === round.offered ? [] : [`${where}: ${round.cdrs} CDRs of ${round.offered} calls taken`]),
    ...(round.cdrsTwice === 0 ? [] : [`${where}: ${round.cdrsTwice} calls have more than one CDR`]),
    ...(round.left.length === 0 ? [] : [`${where}: ${round.left.length} things left, such as ${round.left[0]}`]),
    ...(round.way === 'unshared' && round.redisCommands > round.calls ? [`${where}: it speaks to Redis all the same, so it is no measure of anything`] : []),
  ];
}

const p99Of = (rounds: readonly Round[]): number => quantile(rounds.flatMap(({ setUpMs }) => setUpMs).sort((a, b) => a - b), 0.99);

/** Nearest rank; of sorted values. */
function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * q) - 1)] ?? Number.NaN;
}

export function textOf(report: Report): string {
  const { memory, target, cleanRate, compile, contacts } = report;
  return [
    `${report.machine}; load before the start ${fixed(report.loadBefore, 1)}`,
    ...(report.switchName === null ? [] : [`${report.switchName}${report.queues.length > 0 ? '' : `; set-up is INVITE to 200, ${report.phones === 1 ? 'one phone' : 'two phones'} rung, ulaw, no RTP`}`]),
    ...(report.figures.length === 0 ? [] : ['', ...figuresTable(report.figures), '', `without a failed call: ${Object.entries(cleanRate).map(([way, rate]) => `${way} ${rate}/s`).join(', ')}`]),
    ...(memory === null ? [] : [`a live call holds ${fixed(memory.bytesPerCall / 1024, 1)} KB of ${memory.calls} (heap ${megabytes(memory.idleBytes)} idle, ${megabytes(memory.liveBytes)} live, ${megabytes(memory.afterBytes)} afterwards; resident ${megabytes(memory.idleResidentBytes)} and ${megabytes(memory.liveResidentBytes)})`]),
    ...(target === null ? [] : [`target at ${targetRate}/s: ${target.met ? 'met' : 'MISSED'} (${target.failed} failed, p99 ${fixed(target.p99Ms, 1)} ms of at most 3 × native + 8 = ${fixed(target.p99LimitMs, 1)} ms)`]),
    ...report.queues.flatMap((one) => ['', ...queueTable(one)]),
    ...(report.simulated.length === 0 ? [] : ['', ...simulatedTable(report.simulated)]),
    ...(report.adoptions.length === 0 ? [] : ['', ...adoptionTable(report.adoptions)]),
    ...(report.soak === null ? [] : ['', ...soakTable(report.soak)]),
    ...(compile === null ? [] : [`${compile.calls} plans of ${fixed(compile.steps.mean, 1)} steps, ${compile.steps.most} at most: p50 ${fixed(compile.microseconds.p50, 0)} µs, p99 ${fixed(compile.microseconds.p99, 0)} µs, at most ${fixed(compile.microseconds.max, 0)} µs; the largest as the first of a process ${fixed(compile.first.ofProcess, 0)} µs, as the first after a change ${fixed(compile.first.afterChange, 0)} µs`]),
    ...(contacts === null ? [] : [`${contacts.contacts} contacts: a file of ${fixed(contacts.fileBytes / 1e6, 1)} MB read in ${fixed(contacts.readMs / 1000, 2)} s and taken in ${fixed(contacts.takeMs / 1000, 2)} s, the event loop held up for ${fixed(contacts.longestPauseMs, 0)} ms at most, resident ${megabytes(contacts.residentBytes.before)} before and ${megabytes(contacts.residentBytes.peak)} at most; each holds ${fixed(contacts.bytesEach, 0)} bytes, a look-up takes ${fixed(contacts.lookUpNs, 0)} ns`]),
    ...report.faults.map((fault) => `FAULT ${fault}`),
  ].join('\n');
}

const figuresTable = (figures: readonly Figures[]): readonly string[] => tableOf(
  ['way', 'calls/s', 'calls', 'failed', 'rung once', 'p50 ms', 'p99 ms', '× native', 'max ms', 'resent', 'switch ms/call', 'controller ms/call', 'Redis ms/call', 'Redis commands', 'loop p99 ms', 'commands', 'events', 'CDRs'],
  figures.map((one) => [
    one.way, String(one.rate), String(one.calls), String(one.failed), String(one.rungOnce), fixed(one.p50Ms, 1), fixed(one.p99Ms, 1), fixed(one.p99Ratio, 1), fixed(one.maxMs, 1), String(one.retransmissions),
    fixed(one.switchCpuMsPerCall, 2), fixed(one.controllerCpuMsPerCall, 2), fixed(one.redisCpuMsPerCall, 2), fixed(one.redisCommandsPerCall, 1), fixed(one.loopDelayP99Ms, 1),
    fixed(one.commandsPerCall, 1), fixed(one.eventsPerCall, 1), one.controllerCpuMsPerCall === null ? '–' : String(one.cdrs),
  ]),
);
