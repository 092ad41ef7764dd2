/** Rounds as a table and as JSON, and whether they were without loss. */
import { cpus, loadavg } from 'node:os';
import type { Ms } from '../../control-plane/core/time.ts';
import { waitingStages } from './ledger.ts';
import type { Round } from './round.ts';

export interface Report {
  readonly at: string;
  readonly machine: string;
  /** Processes that wanted a processor in the last minute. */
  readonly load: number;
  /** With its version. */
  readonly switch: string;
  readonly rate: number;
  readonly controllers: number;
  readonly rounds: readonly Round[];
  /** Nothing dropped, misrouted, missing, double, left over or otherwise wrong. */
  readonly clean: boolean;
}

const losses = ['dropped', 'misrouted', 'missing', 'double', 'wrong', 'left', 'others'] as const;

/** Each with its kind in front; empty for a round without loss. */
export const lossesOf = (round: Round): readonly string[] => losses.flatMap((kind) => round[kind].map((what) => `${kind}: ${what}`));

export function reportOf(rounds: readonly Round[], run: Pick<Report, 'rate' | 'controllers' | 'switch'>): Report {
  return {
    at: new Date().toISOString(), machine: `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'processor'}, Node ${process.versions.node}`, load: loadavg()[0] ?? 0,
    ...run, rounds, clean: rounds.every((round) => lossesOf(round).length === 0),
  };
}

const seconds = (ms: Ms | null): string => (ms === null ? 'never' : (ms / 1000).toFixed(1));

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

export function tableOf(report: Report): string {
  const head = ['fault', 'lasts s', 'calls up', ...waitingStages, 'dropped', 'misrouted', 'CDRs missing', 'double', 'wrong', 'left over', 'turns', 'commandable after s', 'waited for CPU', 'new calls meanwhile'];
  const rows = report.rounds.map((round) => {
    const all = Object.values(round.newCalls).reduce((sum, n) => sum + n, 0);
    const { failsafe = 0, refused = 0, nowhere = 0 } = round.newCalls;
    const served = all - failsafe - refused - nowhere;
    const others = Object.entries({ failsafe, refused, nowhere }).filter(([, n]) => n > 0).map(([where, n]) => `${n} ${where}`);
    const late = round.failsafeMs === null ? '' : ` (rang within ${round.failsafeMs} ms)`;
    return [
      round.title, seconds(round.faultMs), round.up, ...waitingStages.map((stage) => round.stages[stage]), round.dropped.length, round.misrouted.length, round.missing.length, round.double.length,
      round.wrong.length, round.left.length, round.first.turns.join(', '), seconds(round.commandableMs), round.waitedForCpu === null ? '' : `${Math.round(100 * round.waitedForCpu)} %`, `${all}: ${[`${served} as dialled`, ...others].join(', ')}${late}`,
    ].map(String);
  });
  return [
    `${report.rate} calls/s, ${report.controllers} controllers, ${report.switch}, ${report.machine}`, '',
    line(head), line(head.map(() => '---')), ...rows.map(line),
  ].join('\n');
}
