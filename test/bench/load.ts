/** SIPp under load: one process plays many calls of one scenario, and its own counters say what went wrong. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ownsPort } from '../../control-plane/local-stack/ports.ts';
import { isAlive, startChild, type Command } from '../../control-plane/local-stack/processes.ts';
import { until } from '../support/until.ts';

export type Role = 'caller' | 'caller-gives-up' | 'phone-answers' | 'phone-rings';

export interface LoadOptions {
  readonly program: Command;
  readonly role: Role;
  readonly values: Readonly<Record<string, string | number>>;
  readonly local: { readonly host: string; readonly port: number };
  readonly remote: { readonly host: string; readonly port: number };
  /** Made here; holds the traces of this process alone. */
  readonly folder: string;
  /** A caller places this many calls at this rate and ends; a phone takes what comes. */
  readonly calls?: { readonly count: number; readonly perSecond: number };
  /** A call whose other side says nothing for longer has failed. */
  readonly patienceMs?: number;
}

/** SIPp's final counters. */
export interface LoadCounts {
  readonly calls: number;
  readonly successful: number;
  readonly failed: number;
  /** Requests and responses that had to be sent again: not failures, but the switch was late. */
  readonly retransmissions: number;
  readonly timeouts: number;
  readonly unexpected: number;
}

export interface LoadResult {
  readonly counts: LoadCounts;
  /** Set-up times in ms, a value for each answered call. */
  readonly setUpMs: readonly number[];
  /** What SIPp held against the calls, a line each. */
  readonly errors: readonly string[];
}

export interface Load {
  /** A caller's end; it has placed all its calls and each is over. */
  readonly finished: Promise<string>;
  /** Lets the calls in progress end for up to `graceMs`, and reads the counters. */
  end(graceMs: number): Promise<LoadResult>;
}

const columns = {
  incoming: 'IncomingCall(C)', outgoing: 'OutgoingCall(C)', successful: 'SuccessfulCall(C)', failed: 'FailedCall(C)', retransmissions: 'Retransmissions(C)',
  maxRetransmissions: 'FailedMaxUDPRetrans(C)', timeouts: 'FailedTimeoutOnRecv(C)', unexpected: 'FailedUnexpectedMessage(C)',
} as const;

export async function startLoad(options: LoadOptions): Promise<Load> {
  const { program, role, local, remote, folder, calls, patienceMs = 20_000 } = options;
  mkdirSync(folder, { recursive: true });
  const scenario = join(folder, `${role}.xml`);
  const text = readFileSync(join(import.meta.dirname, 'scenarios', `${role}.xml`), 'utf8');
  writeFileSync(scenario, text.replace(/\{\{(\w+)\}\}/g, (_, key: string) => String(options.values[key])));
  const child = await startChild(
    program,
    [
      `${remote.host}:${remote.port}`, '-sf', scenario, '-i', local.host, '-p', String(local.port), '-bind_local', '-nostdin', '-timer_resol', '1',
      '-trace_stat', '-stf', 'counts.csv', '-fd', '1', '-trace_rtt', '-rtt_freq', '1000', '-trace_err', '-error_file', 'errors.log',
      '-recv_timeout', String(Math.round(patienceMs)), '-buff_size', '8388608', '-l', '5000',
      ...(calls === undefined ? [] : ['-m', String(calls.count), '-r', String(calls.perSecond)]),
    ],
    join(folder, 'output.log'),
    folder,
  );
  await until(() => child.ended() !== undefined || ownsPort(child.id.pid, 'udp', local.port), { describe: `SIPp (${role}) holds ${local.host}:${local.port}`, everyMs: 5 });
  return {
    finished: child.exited,
    end: async (graceMs) => {
      if (isAlive(child.id)) {
        // SIPp finishes its calls and writes its counters on SIGUSR1.
        process.kill(child.id.pid, 'SIGUSR1');
        const timer = setTimeout(() => { void child.stop(1000); }, graceMs);
        await child.exited;
        clearTimeout(timer);
      }
      return { counts: readCounts(join(folder, 'counts.csv')), setUpMs: role === 'caller' ? readSetUp(folder) : [], errors: readErrors(folder) };
    },
  };
}

function readCounts(file: string): LoadCounts {
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  const names = (lines[0] ?? '').split(';');
  const last = (lines.at(-1) ?? '').split(';');
  const read = (name: keyof typeof columns): number => {
    const at = names.indexOf(columns[name]);
    if (at < 0) throw new Error(`SIPp counts no ${columns[name]}`);
    return Number(last[at]);
  };
  return {
    calls: read('incoming') + read('outgoing'), successful: read('successful'), failed: read('failed'), retransmissions: read('retransmissions'),
    timeouts: read('timeouts') + read('maxRetransmissions'), unexpected: read('unexpected'),
  };
}

function readSetUp(folder: string): readonly number[] {
  const file = readdirSync(folder).find((name) => name.endsWith('_rtt.csv'));
  if (file === undefined) return [];
  return readFileSync(join(folder, file), 'utf8').trim().split('\n').slice(1).map((line) => Number(line.split(';')[1])).filter(Number.isFinite);
}

function readErrors(folder: string): readonly string[] {
  const text = readdirSync(folder).filter((name) => name.startsWith('errors')).map((name) => readFileSync(join(folder, name), 'latin1')).join('');
  // each begins with its time; what follows is the message it is about
  return text.split('\n').filter((line) => /^\d{4}-\d\d-\d\d\t/.test(line)).map((line) => line.slice(0, 240));
}
