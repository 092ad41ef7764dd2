// How to run what the tree holds, and which programs of the host are used instead.
//
// A program of the tree runs through the tree's own dynamic loader and library path: the host's libraries,
// older or newer, are never mixed in, and nothing needs to be installed.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { architecture } from './apt.ts';
import { type Command, findOnPath, run } from './processes.ts';

const LOADERS = ['ld-linux-x86-64.so.2', 'ld-linux-aarch64.so.1'];

/** The command for a program of the tree, named by its path below the tree's root. */
export const treeProgram = (root: string, path: string): Command => {
  const { triplet } = architecture();
  const libraries = join(root, 'usr/lib', triplet);
  const loader = LOADERS.map((name) => join(libraries, name)).find((candidate) => existsSync(candidate)) ?? join(libraries, 'ld.so');
  return {
    command: loader,
    args: ['--library-path', `${libraries}:${join(libraries, 'pulseaudio')}:${join(root, 'usr/lib')}`, join(root, path)],
    env: {
      GCONV_PATH: join(libraries, 'gconv'),
      OPENSSL_MODULES: join(libraries, 'ossl-modules'),
      // The host's OpenSSL configuration may name providers the tree has not.
      OPENSSL_CONF: '/dev/null',
      TERMINFO_DIRS: `${join(root, 'usr/lib/terminfo')}:${join(root, 'usr/share/terminfo')}:/lib/terminfo:/usr/share/terminfo`,
      ESPEAK_DATA_PATH: libraries,
    },
  };
};

export interface SwitchInstall {
  program: Command;
  version: string;
  moduleDir: string;
  shareDir: string;
  mohDir: string;
}

const versionOf = async (program: Command): Promise<string> => {
  const { stdout } = await run(program, ['-V'], { timeoutMs: 10_000 });
  return /^Asterisk (\S+)/m.exec(stdout)?.[1]?.replace(/[+~].*/, '') ?? '';
};

export const treeSwitch = async (root: string): Promise<SwitchInstall> => {
  const program = treeProgram(root, 'usr/sbin/asterisk');
  return {
    program,
    version: await versionOf(program),
    moduleDir: join(root, 'usr/lib', architecture().triplet, 'asterisk/modules'),
    shareDir: join(root, 'usr/share/asterisk'),
    mohDir: join(root, 'usr/share/asterisk/moh'),
  };
};

const OLDEST_MAJOR = 22;

/** An Asterisk 22 or newer on PATH with the modules Frontdesk needs; says why when one is passed over. */
export const hostSwitch = async (progress: (line: string) => void): Promise<SwitchInstall | undefined> => {
  const path = findOnPath('asterisk');
  if (path === undefined) return undefined;
  const program: Command = { command: path, args: [] };
  const version = await versionOf(program);
  if (!(Number.parseInt(version, 10) >= OLDEST_MAJOR)) {
    progress(`Ignoring ${path}: it is Asterisk ${version || 'of unknown version'}, and Frontdesk needs ${OLDEST_MAJOR} or newer. Using its own.`);
    return undefined;
  }
  const prefix = dirname(dirname(path));
  const moduleDir = [
    join(prefix, 'lib', process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu', 'asterisk/modules'),
    join(prefix, 'lib64/asterisk/modules'),
    join(prefix, 'lib/asterisk/modules'),
  ].find((dir) => existsSync(join(dir, 'app_stasis_broadcast.so')));
  if (moduleDir === undefined) {
    progress(`Ignoring ${path}: it has no StasisBroadcast (app_stasis_broadcast.so). Using an Asterisk of Frontdesk's own.`);
    return undefined;
  }
  const shareDir = [join(prefix, 'share/asterisk'), '/var/lib/asterisk'].find((dir) => existsSync(join(dir, 'sounds'))) ?? '/var/lib/asterisk';
  const mohDir = [join(shareDir, 'moh'), '/var/lib/asterisk/moh'].find((dir) => existsSync(dir)) ?? join(shareDir, 'moh');
  return { program, version, moduleDir, shareDir, mohDir };
};

export const hostRedis = async (progress: (line: string) => void): Promise<Command | undefined> => {
  const path = findOnPath('redis-server');
  if (path === undefined) return undefined;
  const { stdout } = await run({ command: path, args: [] }, ['--version'], { timeoutMs: 10_000 });
  const version = /v=(\d+)/.exec(stdout)?.[1];
  if (Number(version) >= 6) return { command: path, args: [] };
  progress(`Ignoring ${path}: it is Redis ${version ?? 'of unknown version'}, and Frontdesk needs 6 or newer. Using its own.`);
  return undefined;
};
