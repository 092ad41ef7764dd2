/**
 * `frontdesk doctor`: what this machine has and lacks for serving: Node, file limits, ports, the clock, disk, the
 * switch's version and modules, Redis, the database. One line each; exit code 1 when something stops calls.
 */
import { access, constants, readFile, stat, statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { existsSync } from 'node:fs';
import type { Config } from '../config.ts';
import { count } from '../core/routing/words.ts';
import { askServer } from '../store/postgres/open-database.ts';
import { connectRedis } from '../store/redis/connect.ts';
import { loadPlanFiles } from '../store/plan-files/load.ts';
import { formatProblems } from '../store/plan-files/problems.ts';
import { theSwitch } from './doctor-switch.ts';
import { quiet, type Finding } from './finding.ts';
import { configOrError } from './start.ts';
import { noArguments } from './usage-error.ts';

/** 17 descriptors per recorded two-leg call, for 1,000 of them, and room. */
const wantedFiles = 20_000;
const wantedFreeBytes = 2_000_000_000;

export async function doctor(args: readonly string[]): Promise<number> {
  noArguments(args);
  const config = configOrError();
  const findings = (await Promise.all([node(), files(), disk(config), clock(), httpPort(config), plan(config), theSwitch(config), redis(config), database(config)])).flat();
  for (const { what, state, text } of findings) process.stdout.write(`${mark[state]} ${what.padEnd(9)} ${text}\n`);
  return findings.some((finding) => finding.state === 'stops calls') ? 1 : 0;
}

const mark = { ok: 'ok  ', warning: 'warn', 'stops calls': 'FAIL' } as const;

async function node(): Promise<Finding> {
  const major = Number(process.versions.node.split('.')[0]);
  return major >= 24
    ? { what: 'node', state: 'ok', text: process.version }
    : { what: 'node', state: 'stops calls', text: `${process.version}: 24 or newer is needed; npm scripts bring it (npm start).` };
}

async function files(): Promise<Finding> {
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '');
  const soft = /Max open files\s+(\d+|unlimited)\s+(\d+|unlimited)/.exec(limits);
  if (soft === null) return { what: 'files', state: 'warning', text: 'The limit on open files cannot be read on this system.' };
  const hard = soft[2] === 'unlimited' ? Infinity : Number(soft[2]);
  return hard >= wantedFiles
    ? { what: 'files', state: 'ok', text: `${soft[2]} may be open` }
    : { what: 'files', state: 'warning', text: `only ${soft[2]} may be open, about ${Math.floor(hard / 17)} recorded calls: raise it (ulimit -n ${wantedFiles}).` };
}

async function disk(config: Config): Promise<Finding> {
  let dir = config.dataDir;
  while (!existsSync(dir) && dir !== dirname(dir)) dir = dirname(dir);
  if (!(await stat(dir)).isDirectory()) return { what: 'disk', state: 'stops calls', text: `${dir} is not a directory: set FRONTDESK_DATA_DIR to another.` };
  const writable = await access(dir, constants.W_OK | constants.X_OK).then(() => true, () => false);
  if (!writable) return { what: 'disk', state: 'stops calls', text: `${dir} cannot be written by this user: set FRONTDESK_DATA_DIR to another.` };
  const { bavail, bsize } = await statfs(dir);
  const free = bavail * bsize;
  const text = `${(free / 1e9).toFixed(1)} GB free for ${config.dataDir}`;
  return { what: 'disk', state: free >= wantedFreeBytes ? 'ok' : 'warning', text: free >= wantedFreeBytes ? text : `${text}: recordings and journals need room.` };
}

/** Guards and rings run on the monotonic clock; records carry the wall clock, and a stopped one makes them useless. */
async function clock(): Promise<Finding> {
  const synchronised = existsSync('/run/systemd/timesync/synchronized') || existsSync('/var/lib/chrony/drift') || existsSync('/var/lib/ntpsec/ntp.drift');
  const now = new Date().toISOString();
  if (Date.now() < Date.UTC(2026, 0, 1)) return { what: 'clock', state: 'stops calls', text: `says ${now}, which is in the past: set it.` };
  return synchronised
    ? { what: 'clock', state: 'ok', text: `${now}, kept by a time service` }
    : { what: 'clock', state: 'warning', text: `${now}; no time service seen (systemd-timesyncd, chrony, ntpsec): records may carry wrong times.` };
}

async function httpPort(config: Config): Promise<Finding> {
  const free = await new Promise<boolean>((resolve) => {
    const server = createServer();
    server.once('error', () => { resolve(false); });
    server.listen(config.httpPort, '127.0.0.1', () => { server.close(() => { resolve(true); }); });
  });
  return free
    ? { what: 'ports', state: 'ok', text: `HTTP ${config.httpPort} is free` }
    : { what: 'ports', state: 'warning', text: `HTTP ${config.httpPort} is in use (by a running Frontdesk?): set FRONTDESK_HTTP_PORT to another.` };
}

async function plan(config: Config): Promise<Finding> {
  const loaded = await loadPlanFiles(config.planFiles);
  if (!loaded.ok) return { what: 'plan', state: 'stops calls', text: `\n${formatProblems(loaded.problems)}` };
  const numbers = loaded.config.clinics.reduce((sum, clinic) => sum + clinic.account.numbers.length, 0);
  return { what: 'plan', state: 'ok', text: `${config.planFiles.join(', ')}: ${count(numbers, 'number')}, ${count(loaded.config.warnings.length, 'warning')}` };
}

/** Without it a start goes by the copy of the configuration, where an earlier one has left that. */
async function database({ databaseUrl, dataDir }: Config): Promise<Finding> {
  if (databaseUrl === undefined) return { what: 'database', state: 'ok', text: `in ${dataDir} (set DATABASE_URL for a Postgres of yours)` };
  try {
    await askServer(databaseUrl, quiet);
    return { what: 'database', state: 'ok', text: 'answers' };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return existsSync(join(dataDir, 'configuration.json'))
      ? { what: 'database', state: 'warning', text: `${why} Calls are routed by the copy of the configuration on the disk, and nothing can be changed.` }
      : { what: 'database', state: 'stops calls', text: `${why} There is no copy of the configuration in ${dataDir}, so Frontdesk cannot start.` };
  }
}

async function redis(config: Config): Promise<Finding> {
  if (config.redisUrl === undefined) return { what: 'redis', state: 'ok', text: 'the local stack starts one (set REDIS_URL to look at yours)' };
  const client = connectRedis(config.redisUrl, quiet);
  try {
    await new Promise<void>((resolve, reject) => {
      client.once('ready', () => { resolve(); });
      client.once('error', reject);
    });
    return { what: 'redis', state: 'ok', text: 'answers' };
  } catch (error) {
    return { what: 'redis', state: 'warning', text: `does not answer (${error instanceof Error ? error.message : String(error)}); calls go on without it, but a second controller could not take them over.` };
  } finally {
    client.disconnect();
  }
}
