// Child processes that end with us, and what is known about processes by pid and start time.
//
// A pid alone is reused sooner or later, so nothing here signals a recorded process without comparing its
// start time (field 22 of /proc/<pid>/stat), and nothing is ever found by name.
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, closeSync, constants, openSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** A program with what must stand before its own arguments. */
export interface Command {
  command: string;
  args: string[];
  env?: Record<string, string>;
}

export interface ProcessId {
  pid: number;
  startTime: string;
}

export interface Child {
  readonly id: ProcessId;
  readonly exited: Promise<string>;
  /** The reason it ended, or undefined while it runs. */
  ended(): string | undefined;
  /** SIGTERM, then SIGKILL after `graceMs`; resolves when the process is gone. */
  stop(graceMs: number): Promise<void>;
}

/** How a program of the stack is run. */
export interface Run {
  /** Told of the process before it is ready, so that it can be recorded. */
  readonly started: (child: Child) => void;
  /** Aborted: no start goes on, and none begins. */
  readonly signal: AbortSignal;
}

export const startTimeOf = (pid: number): string | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie holds nothing any more.
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
};

export const isAlive = ({ pid, startTime }: ProcessId): boolean => startTimeOf(pid) === startTime;

const signal = (id: ProcessId, name: NodeJS.Signals): void => {
  if (!isAlive(id)) return;
  try {
    process.kill(id.pid, name);
  } catch {
    // It ended between the look and the signal.
  }
};

const gone = async (id: ProcessId, withinMs: number): Promise<boolean> => {
  const until = performance.now() + withinMs;
  while (isAlive(id)) {
    if (performance.now() > until) return false;
    await delay(10);
  }
  return true;
};

/** Ends a process that an earlier run of ours recorded. */
export const endProcess = async (id: ProcessId, graceMs: number): Promise<void> => {
  signal(id, 'SIGTERM');
  if (await gone(id, graceMs)) return;
  signal(id, 'SIGKILL');
  await gone(id, 5_000);
};

export const findOnPath = (name: string): string | undefined => {
  // sbin is where Debian installs the switch, and an ordinary user's PATH lacks it
  for (const dir of [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']) {
    if (dir === '') continue;
    const path = join(dir, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // not here
    }
  }
  return undefined;
};

/**
 * Starts a program whose output goes to `logFile`. The kernel sends it SIGTERM when this process dies,
 * SIGKILL included (PR_SET_PDEATHSIG through util-linux's setpriv, which Debian and Ubuntu always have).
 */
export const startChild = async (program: Command, args: string[], logFile: string, cwd: string): Promise<Child> => {
  const setpriv = findOnPath('setpriv');
  const line = [...(setpriv === undefined ? [] : [setpriv, '--pdeathsig', 'TERM', '--']), program.command, ...program.args, ...args];
  const log = openSync(logFile, 'a', 0o600);
  let child: ChildProcess;
  try {
    child = spawn(line[0] ?? '', line.slice(1), {
      cwd,
      env: { ...process.env, ...program.env },
      stdio: ['ignore', log, log],
      // Ctrl-C at the terminal goes to us alone: the switch must outlive the calls we are still ending.
      detached: true,
    });
  } finally {
    closeSync(log);
  }
  let reason: string | undefined;
  const exited = new Promise<string>((resolve) => {
    const end = (why: string): void => {
      reason ??= why;
      resolve(reason);
    };
    child.once('error', (error) => end(error.message));
    child.once('exit', (code, name) => end(name === null ? `exit code ${code}` : `signal ${name}`));
  });
  const pid = child.pid;
  if (pid === undefined) throw new Error(`Cannot run ${program.command}: ${await exited}`);
  const id = { pid, startTime: startTimeOf(pid) ?? '' };
  return {
    id,
    exited,
    ended: () => reason,
    stop: async (graceMs) => {
      signal(id, 'SIGTERM');
      const killer = setTimeout(() => signal(id, 'SIGKILL'), graceMs);
      await exited;
      clearTimeout(killer);
    },
  };
};

export interface RunResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a short-lived program to its end, bounded in time; a program that cannot start has code 127. */
export const run = (program: Command, args: string[], options: { timeoutMs: number; cwd?: string }): Promise<RunResult> =>
  new Promise((resolve) => {
    const child = spawn(program.command, [...program.args, ...args], {
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: { ...process.env, LC_ALL: 'C.UTF-8', ...program.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: options.timeoutMs,
      killSignal: 'SIGKILL',
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.once('error', (error) => resolve({ code: 127, stdout, stderr: error.message }));
    child.once('close', (code) => resolve({ code: code ?? 124, stdout, stderr }));
  });
