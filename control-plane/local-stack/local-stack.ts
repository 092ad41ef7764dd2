// The local stack: Asterisk, Redis and the tools around them, run from a package cache as any user.
//
//   const stack = await startLocalStack({ dataDir: '.frontdesk', bind: '127.0.0.1', progress: console.error,
//                                         need: { asterisk: true, redis: true }, tools: ['flite', 'sipp'] });
//   stack.asterisk?.url, stack.redis?.url, await stack.tool('sipp'), await stack.stop()
//
// Where ASTERISK_URL or REDIS_URL is given the caller sets that `need` to false: nothing is fetched or started
// for it and the field stays undefined. An Asterisk 22+ or a Redis 6+ found on PATH is used instead of ours.
//
// Lifetime: everything started here ends with `stop()`, and when this process dies in any other way the kernel
// ends it (processes.ts). What survives even that is recorded in the data directory, and the next start
// on it ends it first. A second start on the same data directory throws while the first lives.
// A controller that must be killed without its switch is pointed at a stack that another process started.
//
// SIP and RTP listen on `bind`; ARI and Redis on 127.0.0.1, always, with passwords kept in the data directory.
//
// Throws LocalStackError alone (errors.ts): a sentence for the user that names the way out.
import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { startAsterisk, type RunningAsterisk } from './asterisk-process.ts';
import { lockDataDir, type DirLock } from './data-dir.ts';
import { diskError, errorCode, LocalStackError } from './errors.ts';
import { ensurePackages, type PackageSet, type Progress } from './packages.ts';
import { type Child, type Command, endProcess, type Run } from './processes.ts';
import { hostRedis, hostSwitch, treeProgram, treeSwitch } from './programs.ts';
import { startRedis } from './redis-process.ts';
import type { Trunk } from './render.ts';
import { readState, writeState } from './state.ts';

export type ToolName = 'sipp' | 'flite' | 'espeak-ng';

export type ProgramName = 'asterisk' | 'redis';

export interface LocalStackOptions {
  dataDir: string;
  /** Default: $XDG_CACHE_HOME/frontdesk or ~/.cache/frontdesk, and a folder of the data directory where neither can be written. */
  cacheDir?: string;
  /** The address SIP and RTP listen on (FRONTDESK_BIND); 127.0.0.1 by default. */
  bind?: string;
  /** The address phones outside our network see (FRONTDESK_EXTERNAL_ADDRESS). */
  externalAddress?: string;
  /** Otherwise the port of last time, 5060 when `bind` is not loopback, or any free one. */
  sipPort?: number;
  need: { asterisk: boolean; redis: boolean };
  /** Tools to fetch along with the first download; others are fetched when asked for. */
  tools?: readonly ToolName[];
  trunks?: readonly Trunk[];
  /** Who may sign carriers' certificates, beyond the authorities everybody trusts: PEM. */
  authorities?: readonly string[];
  progress: Progress;
}

export interface LocalStack {
  readonly asterisk: RunningAsterisk | undefined;
  readonly redis: { url: string; readonly pid: number } | undefined;
  /** How to run a tool; fetches it first if need be. Give `env` to the child beside the process's own. */
  tool(name: ToolName): Promise<Command>;
  /** Calls back when a program ends without being asked to. */
  onExit(callback: (name: ProgramName, reason: string) => void): void;
  /**
   * Starts a program that has ended, once, with the same configuration, ports and folders. Resolves when it can be
   * used; rejects where it cannot, and then nothing of this try is left running.
   */
  again(name: ProgramName): Promise<void>;
  /** Ends everything, waits until it is gone, gives the data directory free. May be called twice. */
  stop(): Promise<void>;
}

const TOOL_PROGRAMS: Readonly<Record<ToolName, string>> = { sipp: 'usr/bin/sipp', flite: 'usr/bin/flite', 'espeak-ng': 'usr/bin/espeak-ng' };

/** Where packages are kept: shared between data directories unless told otherwise. */
export const cacheDirFor = (options: { readonly dataDir: string; readonly cacheDir?: string | undefined }): string => {
  if (options.cacheDir !== undefined) return resolve(options.cacheDir);
  const base = process.env['XDG_CACHE_HOME'];
  const shared = join(base !== undefined && base.startsWith('/') ? base : join(homedir(), '.cache'), 'frontdesk');
  try {
    mkdirSync(shared, { recursive: true, mode: 0o700 });
    return shared;
  } catch (error) {
    if (errorCode(error) === 'ENOSPC') throw diskError(error, shared);
    return join(resolve(options.dataDir), 'cache');
  }
};

/** How to run a tool without starting a stack, for those that only speak or only test. */
export const findTool = async (name: ToolName, cacheDir: string, progress: Progress): Promise<Command> =>
  treeProgram(await ensurePackages(cacheDir, [name], progress), TOOL_PROGRAMS[name]);

export const startLocalStack = async (options: LocalStackOptions): Promise<LocalStack> => {
  const dir = join(resolve(options.dataDir), 'local-stack');
  const lock = await lockDataDir(dir, 'local-stack');
  try {
    return await startLocked(options, dir, lock);
  } catch (error) {
    lock.release();
    throw diskError(error, dir);
  }
};

const startLocked = async (options: LocalStackOptions, dir: string, lock: DirLock): Promise<LocalStack> => {
  const cacheDir = cacheDirFor(options);
  const stateFile = join(dir, 'state.json');
  const state = readState(stateFile);
  // Left by a run that was killed in a way even the kernel's signal did not reach.
  await Promise.all(Object.values(state.processes).map((id) => endProcess(id, 3_000)));
  state.processes = {};
  writeState(stateFile, state);

  const foundSwitch = options.need.asterisk ? await hostSwitch(options.progress) : undefined;
  const foundRedis = options.need.redis ? await hostRedis(options.progress) : undefined;
  const sets: PackageSet[] = [...(options.tools ?? [])];
  if (options.need.redis && foundRedis === undefined) sets.unshift('redis');
  if (options.need.asterisk && foundSwitch === undefined) sets.unshift('asterisk');
  const root = sets.length === 0 ? '' : await ensurePackages(cacheDir, sets, options.progress);

  const children = new Map<ProgramName, Child>();
  const restarts = new Map<ProgramName, () => Promise<Child>>();
  const restarting = new Set<Promise<void>>();
  const listeners: ((name: ProgramName, reason: string) => void)[] = [];
  const ending = new AbortController();
  let stopping: Promise<void> | undefined;
  const runOf = (name: ProgramName): Run => ({
    signal: ending.signal,
    started: (child) => {
      children.set(name, child);
      state.processes[name] = child.id;
      try {
        writeState(stateFile, state);
      } catch {
        // A full disk must not keep the switch from starting: the kernel ends it with us all the same.
      }
    },
  });
  const end = async (): Promise<void> => {
    ending.abort();
    // The switch first: while it still has calls, their controller may want Redis.
    await children.get('asterisk')?.stop(4_000);
    await children.get('redis')?.stop(4_000);
    await Promise.allSettled(restarting);
    state.processes = {};
    writeState(stateFile, state);
    lock.release();
  };
  const stop = (): Promise<void> => (stopping ??= end());

  const beginAsterisk = async (): Promise<RunningAsterisk | undefined> => {
    if (!options.need.asterisk) return undefined;
    const { asterisk, ports, again } = await startAsterisk(
      foundSwitch ?? (await treeSwitch(root)),
      {
        dir: join(dir, 'asterisk'),
        bind: options.bind ?? '127.0.0.1',
        trunks: options.trunks ?? [],
        ...(options.authorities === undefined ? {} : { authorities: options.authorities }),
        ...(options.externalAddress === undefined ? {} : { externalAddress: options.externalAddress }),
        ...(options.sipPort === undefined ? {} : { sipPort: options.sipPort }),
      },
      state,
      runOf('asterisk'),
    );
    Object.assign(state.ports, ports);
    restarts.set('asterisk', again);
    return asterisk;
  };
  const beginRedis = async (): Promise<LocalStack['redis']> => {
    if (!options.need.redis) return undefined;
    const { redis, port, again } = await startRedis(foundRedis ?? treeProgram(root, 'usr/bin/redis-server'), join(dir, 'redis'), state, runOf('redis'));
    state.ports.redis = port;
    restarts.set('redis', again);
    return redis;
  };
  const tellOfExit = (name: ProgramName, child: Child): void => {
    void child.exited.then((reason) => {
      if (stopping === undefined) for (const listener of listeners) listener(name, reason);
    });
  };
  const restart = async (name: ProgramName): Promise<void> => {
    try {
      const child = await restarts.get(name)?.();
      if (child !== undefined) tellOfExit(name, child);
    } catch (error) {
      await children.get(name)?.stop(2_000);
      throw diskError(error, dir);
    }
  };

  const [asterisk, redis] = await Promise.allSettled([beginAsterisk(), beginRedis()]);
  if (asterisk.status === 'rejected' || redis.status === 'rejected') {
    await stop();
    throw asterisk.status === 'rejected' ? asterisk.reason : redis.status === 'rejected' ? redis.reason : undefined;
  }
  writeState(stateFile, state);
  for (const [name, child] of children) tellOfExit(name, child);

  return {
    asterisk: asterisk.value,
    redis: redis.value,
    tool: (name) => findTool(name, cacheDir, options.progress),
    onExit: (callback) => {
      listeners.push(callback);
    },
    again: async (name) => {
      const begun = restart(name);
      restarting.add(begun);
      await begun.finally(() => restarting.delete(begun));
    },
    stop,
  };
};

export { LocalStackError };
export type { RunningAsterisk, Trunk };
