// The package cache: Debian packages fetched without installing them, as any user.
//
// `ensurePackages(cacheDir, sets, progress)` returns a tree that holds the named sets, fetching what is
// missing. Throws LocalStackError; never falls back to unverified packages. apt does the resolving, the
// downloading, the resuming and the checking, against a private state directory with an empty status file,
// so the tree needs nothing of the host's libraries and changes nothing on the host.
//
// Layout: <cacheDir>/apt (index, archives), <cacheDir>/trees/<generation>/root, <cacheDir>/current.json.
// A generation is one state of the archive: sets added later come from the same index, so that libraries
// match. When the archive has moved on and a package is gone, a new generation is begun beside the old one,
// which a running switch may still be using.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Apt, AptFailure, type Archive } from './apt.ts';
import { waitForLock } from './data-dir.ts';
import { diskError, errorCode, LocalStackError } from './errors.ts';
import { run } from './processes.ts';

export const PACKAGE_SETS = {
  asterisk: ['asterisk', 'asterisk-core-sounds-en-gsm', 'asterisk-moh-opsound-gsm'],
  redis: ['redis-server'],
  flite: ['flite'],
  sipp: ['sip-tester'],
  'espeak-ng': ['espeak-ng'],
  // For tests alone: a start without DATABASE_URL has its database in the process.
  postgres: ['postgresql'],
} as const;
export type PackageSet = keyof typeof PACKAGE_SETS;

export type Progress = (line: string) => void;

interface Stamp {
  sets: string[];
  files: string[];
}

const readJson = (path: string): unknown => {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
};

const writeJson = (path: string, value: unknown): void => {
  writeFileSync(`${path}.new`, JSON.stringify(value));
  renameSync(`${path}.new`, path);
};

const isStamp = (value: unknown): value is Stamp =>
  typeof value === 'object' && value !== null && 'sets' in value && Array.isArray(value.sets) && 'files' in value && Array.isArray(value.files);

const readStamp = (treeDir: string): Stamp => {
  const value = readJson(join(treeDir, 'stamp.json'));
  return isStamp(value) ? value : { sets: [], files: [] };
};

const currentGeneration = (cacheDir: string): string | undefined => {
  const value = readJson(join(cacheDir, 'current.json'));
  return typeof value === 'object' && value !== null && 'generation' in value && typeof value.generation === 'string'
    ? value.generation
    : undefined;
};

const treeDirOf = (cacheDir: string, generation: string): string => join(cacheDir, 'trees', generation);

/** The root of the tree if it already holds all of `sets`: the warm path, without a lock or a process. */
const complete = (cacheDir: string, sets: readonly PackageSet[]): string | undefined => {
  const generation = currentGeneration(cacheDir);
  if (generation === undefined) return undefined;
  const treeDir = treeDirOf(cacheDir, generation);
  const stamp = readStamp(treeDir);
  return sets.every((set) => stamp.sets.includes(set)) ? join(treeDir, 'root') : undefined;
};

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(0);

const link = (target: string, path: string): void => {
  try {
    symlinkSync(target, path);
  } catch (error) {
    if (errorCode(error) !== 'EEXIST' && errorCode(error) !== 'ENOENT') throw error;
  }
};

/** What the packages' post-install scripts would have done, as far as our programs need it. */
const finish = (root: string): void => {
  link('en_US_f_Allison', join(root, 'usr/share/asterisk/sounds/en'));
};

const UNPACKERS = 2;

/** Unpacks archives while apt is still fetching others: one that has its final name is complete and verified. */
const unpackAsTheyArrive = async (
  archives: readonly Archive[],
  archiveDir: string,
  root: string,
  fetching: () => boolean,
  report: (packages: number, bytes: number) => void,
): Promise<void> => {
  const waiting = new Map(archives.map((archive) => [archive.file, archive.size]));
  const ready: string[] = [];
  let fetchedBytes = 0;
  const look = (): void => {
    for (const name of readdirSync(archiveDir)) {
      const size = waiting.get(name);
      if (size === undefined || statSync(join(archiveDir, name)).size !== size) continue;
      waiting.delete(name);
      ready.push(name);
      fetchedBytes += size;
    }
    report(archives.length - waiting.size, fetchedBytes);
  };
  const unpack = async (): Promise<void> => {
    for (;;) {
      const name = ready.shift();
      if (name !== undefined) {
        const result = await run({ command: 'dpkg-deb', args: [] }, ['-x', join(archiveDir, name), root], { timeoutMs: 120_000 });
        if (result.code !== 0) {
          if (/no space left|quota/i.test(result.stderr)) {
            throw new LocalStackError('disk', `The disk that holds ${root} is full. Free about 700 MB and start again.`);
          }
          // A damaged archive must not be met again at the next start.
          rmSync(join(archiveDir, name), { force: true });
          throw new LocalStackError('start-failed', `Cannot unpack ${name}: ${result.stderr.trim()}. Start again to fetch it anew.`);
        }
      } else if (waiting.size > 0 && fetching()) {
        await delay(60);
        look();
      } else {
        look();
        if (ready.length === 0) return;
      }
    }
  };
  look();
  await Promise.all(Array.from({ length: UNPACKERS }, unpack));
};

const fill = async (cacheDir: string, sets: readonly PackageSet[], apt: Apt, refresh: boolean, progress: Progress): Promise<string> => {
  let generation = currentGeneration(cacheDir);
  if (refresh || generation === undefined) {
    progress('Reading the index of Debian packages');
    generation = createHash('sha256').update(await apt.update()).digest('hex').slice(0, 12);
  }
  const treeDir = treeDirOf(cacheDir, generation);
  const root = join(treeDir, 'root');
  mkdirSync(root, { recursive: true });
  const stamp = readStamp(treeDir);
  const wanted = [...new Set([...stamp.sets, ...sets])];
  const names = wanted.flatMap((set): readonly string[] => (set in PACKAGE_SETS ? PACKAGE_SETS[set as PackageSet] : []));
  const archives = await apt.resolve(names);
  const missing = archives.filter((archive) => !stamp.files.includes(archive.file));
  const totalBytes = missing.reduce((sum, archive) => sum + archive.size, 0);

  let lastReport = 0;
  let lastCount = -1;
  const report = (count: number, bytes: number): void => {
    const now = performance.now();
    if (count === lastCount || (now - lastReport < 1_000 && count < missing.length)) return;
    lastReport = now;
    lastCount = count;
    progress(`Fetching ${sets.join(', ')}: ${count}/${missing.length} packages, ${megabytes(bytes)}/${megabytes(totalBytes)} MB`);
  };
  let fetching = true;
  const download = apt.download(names).finally(() => {
    fetching = false;
  });
  const results = await Promise.allSettled([download, unpackAsTheyArrive(missing, apt.archiveDir, root, () => fetching, report)]);
  for (const result of results) if (result.status === 'rejected') throw result.reason;

  finish(root);
  writeJson(join(treeDir, 'stamp.json'), { sets: wanted, files: [...new Set([...stamp.files, ...archives.map(({ file }) => file)])] });
  writeJson(join(cacheDir, 'current.json'), { generation });
  return root;
};

/** The root directory of a tree that holds `sets`. */
export const ensurePackages = async (cacheDir: string, sets: readonly PackageSet[], progress: Progress): Promise<string> => {
  const warm = complete(cacheDir, sets);
  if (warm !== undefined) return warm;
  const lock = await waitForLock(cacheDir, 'cache', (pid) => progress(`Waiting for process ${pid}, which is filling the same package cache`));
  try {
    const filledMeanwhile = complete(cacheDir, sets);
    if (filledMeanwhile !== undefined) return filledMeanwhile;
    const apt = await Apt.open(join(cacheDir, 'apt'), progress);
    const known = currentGeneration(cacheDir) !== undefined;
    try {
      return await fill(cacheDir, sets, apt, false, progress);
    } catch (error) {
      // Debian testing moves: an index some days old names packages that are gone.
      if (!(error instanceof AptFailure)) throw error;
      if (!known) throw error.explained();
      progress('The package index is out of date; reading it again');
      return await fill(cacheDir, sets, apt, true, progress).catch((again: unknown) => {
        throw again instanceof AptFailure ? again.explained() : again;
      });
    }
  } catch (error) {
    throw diskError(error, cacheDir);
  } finally {
    lock.release();
  }
};
