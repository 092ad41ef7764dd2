/**
 * A Postgres server of the tests' own: from the package cache, on loopback, its data in a directory that goes with it.
 * Postgres refuses to run as root; there it runs as `nobody`, from a copy, for it cannot
 * read the cache in root's home.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { chownSync, closeSync, cpSync, existsSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { Client } from 'pg';
import { cacheDirFor } from '../../control-plane/local-stack/local-stack.ts';
import { ensurePackages } from '../../control-plane/local-stack/packages.ts';
import { freePort } from '../../control-plane/local-stack/ports.ts';
import { run, type Command } from '../../control-plane/local-stack/processes.ts';
import { treeProgram } from '../../control-plane/local-stack/programs.ts';
import { until } from './until.ts';

export interface PostgresServer {
  /** A new, empty database. */
  createDatabase(): Promise<string>;
  /** The same server's URL with another user, password or database. */
  url(parts?: { readonly user?: string; readonly password?: string; readonly database?: string }): string;
  /** As the superuser, in the database `postgres` or the one of `url`. */
  ask(text: string, url?: string): Promise<readonly Record<string, unknown>[]>;
  /** `fast` rolls back what is under way; `immediate` is a crash. */
  stop(mode?: 'fast' | 'immediate'): Promise<void>;
  /** It takes connections and questions, and answers nothing, as on a machine whose disk hangs; until `thaw`. */
  freeze(): void;
  thaw(): void;
  /** On the same port, with the same data. */
  start(): Promise<void>;
  /** Stops it and removes its data. */
  dispose(): Promise<void>;
}

const nobody = 65_534;
const isRoot = process.getuid?.() === 0;
const password = 'of-the-tests';

export async function postgresServer(): Promise<PostgresServer> {
  const cached = await ensurePackages(cacheDirFor({ dataDir: '.frontdesk' }), ['postgres'], (line) => { process.stderr.write(`${line}\n`); });
  const version = readdirSync(join(cached, 'usr/lib/postgresql')).toSorted().at(-1) ?? '';
  const bin = `usr/lib/postgresql/${version}/bin`;
  const dir = mkdtempSync(join(tmpdir(), 'frontdesk-postgres-'));
  const root = isRoot ? await copyOf(cached, version, join(dir, 'root')) : cached;
  const data = join(dir, 'data');
  const secret = join(dir, 'password');
  mkdirSync(data, { mode: 0o700 });
  writeFileSync(secret, password, { mode: 0o600 });
  if (isRoot) for (const path of [dir, data, secret]) chownSync(path, nobody, nobody);

  const server = asOrdinary(treeProgram(root, `${bin}/postgres`));
  await makeCluster(root, version, dir, data, secret);

  const port = await freePort('127.0.0.1', ['tcp'], []);
  if (port === undefined) throw new Error('There is no free port for Postgres');
  const url: PostgresServer['url'] = ({ user = 'postgres', password: given = password, database = 'postgres' } = {}) => `postgres://${user}:${given}@127.0.0.1:${port}/${database}`;
  const logFile = join(dir, 'log');
  let child: ChildProcess | null = null;
  let databases = 0;

  const ask: PostgresServer['ask'] = async (text, at = url()) => {
    const client = new Client({ connectionString: at });
    client.on('error', () => {});
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(text)).rows;
    } finally {
      await client.end();
    }
  };
  const start = async (): Promise<void> => {
    const log = openSync(logFile, 'a', 0o600);
    child = spawn(server.command, [...server.args, '-D', data, '-p', String(port), '-h', '127.0.0.1', '-k', '', '-c', 'fsync=off'], {
      cwd: dir, env: { ...process.env, LC_ALL: 'C.UTF-8', ...server.env }, stdio: ['ignore', log, log], detached: true,
    });
    closeSync(log);
    await until(() => {
      if (child?.exitCode !== null) throw new Error(readFileSync(logFile, 'utf8'));
      return ask('select 1');
    }, { describe: 'Postgres answers', within: 30_000, everyMs: 50 });
  };
  const stop: PostgresServer['stop'] = async (mode = 'fast') => {
    const old = child;
    child = null;
    if (old === null || old.exitCode !== null) return;
    const gone = new Promise((resolve) => { old.once('exit', resolve); });
    old.kill(mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
    await gone;
  };
  const signalAll = (name: 'SIGSTOP' | 'SIGCONT'): void => {
    const pid = child?.pid;
    if (pid === undefined) return;
    for (const one of [pid, ...childrenOf(pid)]) {
      try {
        process.kill(one, name);
      } catch {
        // it ended by itself meanwhile
      }
    }
  };
  await start();
  return {
    createDatabase: async () => {
      const name = `test_${++databases}`;
      await ask(`create database ${name}`);
      return url({ database: name });
    },
    url,
    ask,
    start,
    stop,
    freeze: () => { signalAll('SIGSTOP'); },
    thaw: () => { signalAll('SIGCONT'); },
    dispose: async () => {
      signalAll('SIGCONT');
      const children = child?.pid === undefined ? [] : childrenOf(child.pid);
      await stop('immediate');
      // they may write a moment longer
      await until(() => children.every((one) => !existsSync(`/proc/${one}`)), { describe: 'all of Postgres has ended', within: 10_000 });
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

const childrenOf = (pid: number): readonly number[] =>
  readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).filter((one) => {
    try {
      const stat = readFileSync(`/proc/${one}/stat`, 'utf8');
      return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === pid;
    } catch {
      return false;
    }
  });

/** As another user when we are root, and ended with us. */
function asOrdinary({ command, args, env }: Command): Command {
  const other = ['--reuid', String(nobody), '--regid', String(nobody), '--clear-groups'];
  return {
    command: 'setpriv',
    args: [...(isRoot ? other : []), '--pdeathsig', 'INT', '--', command, ...args],
    ...(env === undefined ? {} : { env }),
  };
}

/** What Postgres is made of, the libraries it names included. */
async function copyOf(root: string, version: string, to: string): Promise<string> {
  const postgres = treeProgram(root, `usr/lib/postgresql/${version}/bin/postgres`);
  const listed = await run({ ...postgres, args: ['--list', ...postgres.args] }, [], { timeoutMs: 10_000 });
  const libraries = [...listed.stdout.matchAll(/=> (\S+)/g)].map(([, path]) => path ?? '').concat(postgres.command);
  const parts = [`usr/lib/postgresql/${version}/lib`, `usr/share/postgresql/${version}`, ...['postgres', 'initdb'].map((name) => `usr/lib/postgresql/${version}/bin/${name}`), ...libraries.map((path) => relative(root, path))];
  for (const part of parts) cpSync(join(root, part), join(to, part), { recursive: true, dereference: true });
  return to;
}

/** initdb runs the `postgres` beside itself, which needs the tree's loader: it is made to believe it stands in `dir`. */
async function makeCluster(root: string, version: string, dir: string, data: string, secret: string): Promise<void> {
  const bin = `usr/lib/postgresql/${version}/bin`;
  const beside = join(dir, 'bin');
  mkdirSync(beside);
  for (const name of ['postgres', 'initdb']) {
    const { command, args } = treeProgram(root, `${bin}/${name}`);
    writeFileSync(join(beside, name), `#!/bin/sh\nexec ${[command, ...args].map((part) => `'${part.replaceAll("'", String.raw`'\''`)}'`).join(' ')} "$@"\n`, { mode: 0o755 });
  }
  const initdb = treeProgram(root, `${bin}/initdb`);
  const options = ['-D', data, '-L', join(root, `usr/share/postgresql/${version}`), '-U', 'postgres', '--pwfile', secret, '-A', 'scram-sha-256', '-E', 'UTF8', '--locale', 'C.UTF-8', '--no-sync'];
  const made = await run(asOrdinary({ ...initdb, args: ['--argv0', join(beside, 'initdb'), ...initdb.args] }), options, { timeoutMs: 120_000, cwd: dir });
  if (made.code !== 0) throw new Error(`initdb failed: ${made.stdout}${made.stderr}`);
}
