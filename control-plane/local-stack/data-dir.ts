// Exclusive locks on a data directory, and on the package cache.
//
// `lockDataDir(dir, name)` creates the directory (mode 0700) where there is none, and takes `<dir>/<name>.lock`. It throws
// LocalStackError 'in-use', naming the pid, while a live process holds the lock, this one included. A lock
// left by a crash is taken over: its holder is known by pid *and* start time, so a reused pid does not keep
// it. `release()` is idempotent; a lock not released is stale as soon as the process is gone.
//
// Why not only O_EXCL: two starts that find the same stale lock could each remove the other's fresh one. So
// every look-and-replace happens while an abstract unix socket, which the kernel frees with its process, is bound.
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, readlinkSync, realpathSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { diskError, errorCode, LocalStackError } from './errors.ts';
import { isAlive, startTimeOf } from './processes.ts';

export interface DirLock {
  readonly path: string;
  release(): void;
}

interface Holder {
  pid: number;
  startTime: string;
  bootId: string;
  /** A pid means nothing in another container: there the heartbeat decides. */
  pidNamespace: string;
  token: string;
}

const HEARTBEAT_MS = 5_000;
const HEARTBEAT_LOST_MS = 30_000;

const tryRead = (read: () => string): string => {
  try {
    return read().trim();
  } catch {
    return '';
  }
};
const bootId = (): string => tryRead(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8'));
const pidNamespace = (): string => tryRead(() => readlinkSync('/proc/self/ns/pid'));

const readHolder = (path: string): Holder | undefined => {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return typeof value === 'object' && value !== null && 'pid' in value ? (value as Holder) : undefined;
  } catch {
    return undefined;
  }
};

const isHeld = (holder: Holder, path: string): boolean => {
  if (holder.bootId !== bootId()) return false;
  if (holder.pidNamespace === pidNamespace()) return isAlive({ pid: holder.pid, startTime: holder.startTime });
  return Date.now() - statSync(path).mtimeMs < HEARTBEAT_LOST_MS;
};

const bind = (address: string): Promise<Server | undefined> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error) => (errorCode(error) === 'EADDRINUSE' ? resolve(undefined) : reject(error)));
    server.listen(address, () => resolve(server));
  });

/** Runs `critical` while this process alone is looking at `path`. */
const exclusively = async <T>(path: string, critical: () => T): Promise<T> => {
  const address = `\0frontdesk-lock-${createHash('sha256').update(path).digest('hex').slice(0, 32)}`;
  for (;;) {
    const mutex = await bind(address);
    if (mutex === undefined) {
      await delay(5 + Math.random() * 10);
      continue;
    }
    try {
      return critical();
    } finally {
      await new Promise((resolve) => mutex.close(resolve));
    }
  }
};

/** `mkdir -p` that comes back: Node's own never does where a folder takes no new ones but says ENOENT (/proc, autofs). */
const makeDir = (dir: string): void => {
  try {
    mkdirSync(dir, { mode: 0o700 });
  } catch (error) {
    if (errorCode(error) === 'EEXIST' && statSync(dir).isDirectory()) return;
    if (errorCode(error) !== 'ENOENT' || existsSync(dirname(dir))) throw error;
    makeDir(dirname(dir));
    makeDir(dir);
  }
};

const place = (path: string, mine: Holder): Holder | undefined => {
  const found = readHolder(path);
  if (found !== undefined && isHeld(found, path)) return found;
  const draft = `${path}.${mine.token}`;
  writeFileSync(draft, JSON.stringify(mine), { mode: 0o600, flag: 'wx' });
  try {
    rmSync(path, { force: true });
    linkSync(draft, path);
  } finally {
    rmSync(draft, { force: true });
  }
  return undefined;
};

const take = async (dir: string, name: string): Promise<DirLock | Holder> => {
  try {
    // One that is there keeps its mode: it may be /tmp, and what is secret in it is in files of 0600.
    makeDir(dir);
    const path = join(realpathSync(dir), `${name}.lock`);
    const mine: Holder = {
      pid: process.pid,
      startTime: startTimeOf(process.pid) ?? '',
      bootId: bootId(),
      pidNamespace: pidNamespace(),
      token: randomUUID(),
    };
    const other = await exclusively(path, () => place(path, mine));
    if (other !== undefined) return other;
    const heartbeat = setInterval(() => {
      const now = new Date();
      try {
        utimesSync(path, now, now);
      } catch {
        // The directory was removed under us; whoever uses it will say so.
      }
    }, HEARTBEAT_MS);
    heartbeat.unref();
    return {
      path,
      release: () => {
        clearInterval(heartbeat);
        if (readHolder(path)?.token === mine.token) rmSync(path, { force: true });
      },
    };
  } catch (error) {
    throw diskError(error, dir);
  }
};

/** Takes the lock now or throws 'in-use'. */
export const lockDataDir = async (dir: string, name = 'frontdesk'): Promise<DirLock> => {
  const lock = await take(dir, name);
  if ('release' in lock) return lock;
  const who = lock.pid === process.pid ? 'this process' : `process ${lock.pid}`;
  throw new LocalStackError('in-use', `The data directory ${dir} is in use by ${who}. Stop it, or choose another data directory (FRONTDESK_DATA_DIR).`);
};

/** Waits until the holder is done or gone; `onWait` is told its pid, once. */
export const waitForLock = async (dir: string, name: string, onWait: (pid: number) => void): Promise<DirLock> => {
  for (let waited = false; ; waited = true) {
    const lock = await take(dir, name);
    if ('release' in lock) return lock;
    if (!waited) onWait(lock.pid);
    await delay(150);
  }
};
