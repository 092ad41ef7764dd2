/**
 * The command line as a person or a supervisor runs it: a process of its own, its exit code, and the two streams apart.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive, startTimeOf, type ProcessId } from '../../control-plane/local-stack/processes.ts';
import { until } from './until.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const ENTRY = join(ROOT, 'control-plane/cli/frontdesk.ts');

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Cli {
  readonly child: ChildProcess;
  stdout(): string;
  stderr(): string;
  readonly ended: Promise<Ended>;
  /** Of the address it names on standard error once it serves. */
  readyUrl(withinMs?: number): Promise<string>;
}

type Env = Readonly<Record<string, string>>;

/** Only what is given of Frontdesk's settings, and the example's plan: those of the shell that runs the tests do not reach it. */
const environment = (env: Env): Record<string, string | undefined> => {
  const clean = Object.entries(process.env).filter(([name]) => !name.startsWith('FRONTDESK_') && name !== 'ASTERISK_URL' && name !== 'FREESWITCH_URL' && name !== 'REDIS_URL');
  return { ...Object.fromEntries(clean), FRONTDESK_HTTP_PORT: '0', FRONTDESK_PLAN: join(ROOT, 'dialplans/riverside-dental.yaml'), ...env };
};

/** Everything any process started here has printed: a secret must be in none of it. */
export const printed: string[] = [];
const running = new Set<ChildProcess>();

export const startCli = (args: readonly string[], env: Env = {}, through: readonly string[] = []): Cli => {
  const [command, ...before] = [...through, process.execPath, ENTRY];
  const child = spawn(command ?? process.execPath, [...before, ...args], { cwd: ROOT, env: environment(env), stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => { stdout += text; });
  child.stderr.setEncoding('utf8').on('data', (text: string) => { stderr += text; });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      running.delete(child);
      printed.push(stdout, stderr);
      resolve({ code, stdout, stderr });
    });
  });
  return {
    child,
    ended,
    stdout: () => stdout,
    stderr: () => stderr,
    readyUrl: (within = 30_000) => until(
      () => {
        if (child.exitCode !== null) throw new Error(`It ended with ${child.exitCode}: ${stderr}`);
        const origin = /API on (http:\S+)\/api\/docs/.exec(stderr)?.[1];
        return origin === undefined ? undefined : `${origin}/readyz`;
      },
      { describe: 'it says where its readiness is', within, everyMs: 25 },
    ),
  };
};

/** Runs a command to its end. */
export const runCli = (args: readonly string[], env: Env = {}): Promise<Ended> => startCli(args, env).ended;

/** For afterEach: what a failed test left running. */
export const killLeftCli = (): void => {
  for (const child of running) child.kill('SIGKILL');
};

/** One sentence for a person: a line or a few, and nothing of a program's insides. */
export const isSentence = (text: string): boolean => /^[^\n]{20,600}[.?]\n$/.test(text) && !/\n\s+at |Error:|node:internal|\{/.test(text);

/** Processes of the local stack of this data directory: it is on their command line, or they work in it. */
export const stackProcesses = (dataDir: string): readonly ProcessId[] =>
  readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid).flatMap((name): ProcessId[] => {
    try {
      if (!`${readFileSync(`/proc/${name}/cmdline`, 'utf8')} ${readlinkSync(`/proc/${name}/cwd`)}`.includes(`${dataDir}/`)) return [];
    } catch {
      return [];
    }
    const startTime = startTimeOf(Number(name));
    return startTime === undefined ? [] : [{ pid: Number(name), startTime }];
  });

export const allGone = async (processes: readonly ProcessId[]): Promise<void> => {
  await until(() => !processes.some(isAlive), { describe: 'the processes it started are gone', within: 10_000 });
};

/** After a refused start: no process of this data directory, and its locks given back. */
export const leftBehind = (dataDir: string): readonly string[] => [
  ...stackProcesses(dataDir).map(({ pid }) => `process ${pid}: ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')}`),
  ...['frontdesk.lock', 'local-stack/local-stack.lock'].filter((name) => existsSync(join(dataDir, name))),
];
