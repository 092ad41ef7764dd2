/** Figures out of rounds: by rate and path, as a table and as JSON. */
import { cpus, loadavg } from 'node:os';
import { paths, type Path } from './clinic.ts';
import type { Memory } from './memory.ts';
import type { Round } from './round.ts';

export interface Figures {
  readonly path: Path;
  readonly rate: number;
  readonly calls: number;
  readonly failed: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly retransmissions: number;
  readonly asteriskCpuMsPerCall: number;
  readonly controllerCpuMsPerCall: number | null;
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
  readonly switchVersion: string;
  readonly figures: readonly Figures[];
  /** The highest rate at which no call failed, by path; 0 when there was none. */
  readonly cleanRate: Readonly<Record<Path, number>>;
  readonly memory: Memory | null;
  readonly target: { readonly p99LimitMs: number; readonly p99Ms: number; readonly failed: number; readonly met: boolean } | null;
  /** What must never be: a call that was taken without exactly one record, something left behind. */
  readonly faults: readonly string[];
}

const targetRate = 100;
/** Taken before the first call: what else this machine does. */
const loadBefore = loadavg()[0] ?? 0;

export function reportOf(rounds: readonly Round[], memory: Memory | null, switchVersion: string): Report {
  const rates = [...new Set(rounds.map(({ rate }) => rate))].sort((a, b) => a - b);
  const figures = rates.flatMap((rate) => paths.map((path) => figuresOf(rounds.filter((round) => round.rate === rate && round.path === path), path, rate)));
  const find = (path: Path, rate: number): Figures | undefined => figures.find((one) => one.path === path && one.rate === rate);
  const [native, frontdesk] = [find('native', targetRate), find('frontdesk', targetRate)];
  const p99LimitMs = native === undefined ? 0 : 3 * native.p99Ms + 8;
  const clean = (path: Path): number => Math.max(0, ...figures.filter((one) => one.path === path && one.failed === 0).map(({ rate }) => rate));
  return {
    at: new Date().toISOString(),
    machine: `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'processor'}, Node ${process.versions.node}`,
    loadBefore, switchVersion, figures, memory,
    cleanRate: { native: clean('native'), frontdesk: clean('frontdesk') },
    target: native === undefined || frontdesk === undefined ? null
      : { p99LimitMs, p99Ms: frontdesk.p99Ms, failed: frontdesk.failed, met: frontdesk.failed === 0 && frontdesk.p99Ms <= p99LimitMs },
    faults: rounds.flatMap(faultsOf),
  };
}

function figuresOf(rounds: readonly Round[], path: Path, rate: number): Figures {
  const sum = (value: (round: Round) => number): number => rounds.reduce((total, round) => total + value(round), 0);
  const calls = sum((round) => round.calls);
  const setUp = rounds.flatMap(({ setUpMs }) => setUpMs).sort((a, b) => a - b);
  const ours = path === 'frontdesk';
  return {
    path, rate, calls, failed: sum((round) => round.failed), p50Ms: quantile(setUp, 0.5), p99Ms: quantile(setUp, 0.99), maxMs: quantile(setUp, 1),
    retransmissions: sum(({ counts }) => counts.caller.retransmissions + counts.rings.retransmissions + counts.answers.retransmissions),
    asteriskCpuMsPerCall: sum((round) => round.asteriskCpuMs) / calls,
    controllerCpuMsPerCall: ours ? sum((round) => round.controllerCpuMs) / calls : null,
    loopDelayP99Ms: ours ? Math.max(...rounds.map((round) => round.loopDelayP99Ms)) : null,
    commandsPerCall: ours ? sum((round) => round.commands) / calls : null,
    eventsPerCall: ours ? sum((round) => round.events) / calls : null,
    cdrs: sum((round) => round.cdrs),
  };
}

function faultsOf(round: Round): readonly string[] {
  const where = `${round.path} at ${round.rate}/s`;
  return [
    ...(round.cdrs === round.offered ? [] : [`${where}: ${round.cdrs} CDRs of ${round.offered} calls taken`]),
    ...(round.cdrsTwice === 0 ? [] : [`${where}: ${round.cdrsTwice} calls have more than one CDR`]),
    ...(round.left.length === 0 ? [] : [`${where}: ${round.left.length} things left, such as ${round.left[0]}`]),
  ];
}

/** Nearest rank; of sorted values. */
function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * q) - 1)] ?? Number.NaN;
}

export function tableOf(report: Report): string {
  const head = ['calls/s', 'path', 'calls', 'failed', 'p50 ms', 'p99 ms', 'max ms', 'resent', 'Asterisk ms/call', 'controller ms/call', 'loop p99 ms', 'commands', 'events', 'CDRs'];
  const rows = report.figures.map((one) => [
    String(one.rate), one.path, String(one.calls), String(one.failed), fixed(one.p50Ms, 1), fixed(one.p99Ms, 1), fixed(one.maxMs, 1), String(one.retransmissions),
    fixed(one.asteriskCpuMsPerCall, 2), fixed(one.controllerCpuMsPerCall, 2), fixed(one.loopDelayP99Ms, 1), fixed(one.commandsPerCall, 1), fixed(one.eventsPerCall, 1),
    one.path === 'native' ? '–' : String(one.cdrs),
  ]);
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string => cells.map((cell, column) => (column === 1 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join('  ');
  const { memory, target } = report;
  return [
    `${report.machine}; load before the start ${fixed(report.loadBefore, 1)}`, `Asterisk ${report.switchVersion}; set-up is INVITE to 200, two phones rung, ulaw, no RTP`, '',
    line(head), ...rows.map(line), '',
    `without a failed call: native ${report.cleanRate.native}/s, frontdesk ${report.cleanRate.frontdesk}/s`,
    ...(memory === null ? [] : [`a live call holds ${fixed(memory.bytesPerCall / 1024, 1)} KB of ${memory.calls} (heap ${megabytes(memory.idleBytes)} idle, ${megabytes(memory.liveBytes)} live, ${megabytes(memory.afterBytes)} afterwards; resident ${megabytes(memory.idleResidentBytes)} and ${megabytes(memory.liveResidentBytes)})`]),
    ...(target === null ? [] : [`target at ${targetRate}/s: ${target.met ? 'met' : 'MISSED'} (${target.failed} failed, p99 ${fixed(target.p99Ms, 1)} ms of at most 3 × native + 8 = ${fixed(target.p99LimitMs, 1)} ms)`]),
    ...report.faults.map((fault) => `FAULT ${fault}`),
  ].join('\n');
}

function fixed(value: number | null, digits: number): string {
  return value === null || Number.isNaN(value) ? '–' : value.toFixed(digits);
}

function megabytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(0)} MB`;
}
