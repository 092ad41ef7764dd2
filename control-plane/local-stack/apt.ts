// apt with a private state directory: nothing of the host's package state is read or written, no root needed.
//
// `Apt.open` throws LocalStackError where there is no apt, dpkg-deb or supported processor. `update`, `resolve`
// and `download` throw AptFailure, whose `explained()` is the sentence for the user.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LocalStackError, WAY_OUT } from './errors.ts';
import { findOnPath, run, type RunResult } from './processes.ts';

const MIRROR = 'http://deb.debian.org/debian';
const SUITE = 'forky';

/** Debian's own keyring package, for hosts that have no Debian keyring. Checked by hash before it is opened. */
const KEYRING_PACKAGE = {
  path: 'pool/main/d/debian-archive-keyring/debian-archive-keyring_2025.1_all.deb',
  sha256: '9ea7778e443144ca490668737a8ab22dd3e748bb99e805e22ec055abeb3c7fac',
};
// .gpg first: apt before 2.9 takes a .pgp for a file of unknown type.
const KEYRING_NAMES = ['usr/share/keyrings/debian-archive-keyring.gpg', 'usr/share/keyrings/debian-archive-keyring.pgp'];

const ARCHITECTURES: Readonly<Record<string, { debian: string; triplet: string }>> = {
  x64: { debian: 'amd64', triplet: 'x86_64-linux-gnu' },
  arm64: { debian: 'arm64', triplet: 'aarch64-linux-gnu' },
};

/** Debian's names for this processor; throws 'unsupported-host' for one we do not serve. */
export const architecture = (): { debian: string; triplet: string } => {
  const found = ARCHITECTURES[process.arch];
  if (process.platform !== 'linux' || found === undefined) {
    throw new LocalStackError(
      'unsupported-host',
      `Frontdesk cannot bring its own Asterisk to ${process.platform} on ${process.arch}: it serves Linux on x64 and arm64. ${WAY_OUT}`,
    );
  }
  return found;
};

export interface Archive {
  /** The file's name in the archive directory. */
  file: string;
  size: number;
}

const UNTRUSTED = /NO_PUBKEY|couldn't be verified|could not be verified|is not signed|BADSIG|EXPKEYSIG|REVKEYSIG|Missing key|not available: OpenPGP/i;
const DISK_FULL = /no space left|enough free space|disk quota/i;

export class AptFailure extends Error {
  readonly output: string;

  constructor(step: string, output: string) {
    super(`apt could not ${step}`);
    this.name = 'AptFailure';
    this.output = output;
  }

  get untrusted(): boolean {
    return UNTRUSTED.test(this.output);
  }

  explained(): LocalStackError {
    const detail = this.output.split('\n').find((line) => line.startsWith('E: ') || line.startsWith('W: '))?.slice(3) ?? this.message;
    if (DISK_FULL.test(this.output)) {
      return new LocalStackError('disk', 'The disk that holds the package cache is full. Free about 700 MB and start again.', { cause: this });
    }
    if (this.untrusted) {
      return new LocalStackError('untrusted', `The signature of Debian's package index does not verify (${detail}), so nothing was fetched. ${WAY_OUT}`, { cause: this });
    }
    return new LocalStackError('no-network', `Cannot fetch Asterisk and Redis from ${MIRROR} (${detail}). ${WAY_OUT}`, { cause: this });
  }
}

const quote = (path: string): string => `"${path}"`;

const configuration = (dir: string, arch: string): string => `
Dir::Etc::sourcelist ${quote(join(dir, 'sources.list'))};
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State ${quote(dir)};
Dir::State::status ${quote(join(dir, 'status'))};
Dir::State::extended_states ${quote(join(dir, 'extended_states'))};
Dir::State::lists ${quote(join(dir, 'lists'))};
Dir::Cache ${quote(dir)};
Dir::Cache::archives ${quote(join(dir, 'archives'))};
Dir::Cache::pkgcache ${quote(join(dir, 'pkgcache.bin'))};
Dir::Cache::srcpkgcache ${quote(join(dir, 'srcpkgcache.bin'))};
Dir::Log ${quote(dir)};
APT::Architecture "${arch}";
#clear APT::Architectures;
APT::Architectures { "${arch}"; };
APT::Default-Release "";
APT::Install-Recommends "false";
APT::Install-Suggests "false";
// The cache belongs to this user; a second user to download as could not write to it.
APT::Sandbox::User "root";
APT::Update::Error-Mode "any";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Pre-Install-Pkgs;
#clear DPkg::Post-Invoke;
// A mirror may lag or be frozen. Its signature still has to verify.
Acquire::Check-Valid-Until "false";
Acquire::AllowInsecureRepositories "false";
Acquire::AllowDowngradeToInsecureRepositories "false";
APT::Get::AllowUnauthenticated "false";
Acquire::Languages "none";
Acquire::PDiffs "false";
Acquire::Retries "2";
Acquire::http::Timeout "20";
`;

export class Apt {
  readonly archiveDir: string;
  readonly #dir: string;
  readonly #keyrings: string[];

  private constructor(dir: string, keyrings: string[]) {
    this.#dir = dir;
    this.#keyrings = keyrings;
    this.archiveDir = join(dir, 'archives');
  }

  static async open(dir: string, progress: (line: string) => void): Promise<Apt> {
    const { debian } = architecture();
    for (const program of ['apt-get', 'dpkg-deb']) {
      if (findOnPath(program) === undefined) {
        throw new LocalStackError('unsupported-host', `Frontdesk fetches Asterisk with apt, and this host has no ${program}. ${WAY_OUT}`);
      }
    }
    for (const part of ['lists/partial', 'archives/partial']) mkdirSync(join(dir, part), { recursive: true, mode: 0o700 });
    writeFileSync(join(dir, 'status'), '');
    writeFileSync(join(dir, 'apt.conf'), configuration(dir, debian));
    const keyrings = KEYRING_NAMES.map((name) => join('/', name)).filter((path) => existsSync(path));
    const apt = new Apt(dir, keyrings);
    const [host] = keyrings;
    apt.#trust(host ?? (await apt.#pinnedKeyring(progress)));
    return apt;
  }

  /** Reads the index anew; returns the signed text that names this state of the archive. */
  async update(): Promise<string> {
    try {
      await this.#update();
    } catch (error) {
      if (!(error instanceof AptFailure) || !error.untrusted || this.#keyrings.length === 0) throw error;
      // An old host's keyring may not know the key of today's testing; the pinned one does.
      this.#trust(await this.#pinnedKeyring(() => {}));
      await this.#update();
    }
    const release = readdirSync(join(this.#dir, 'lists')).find((name) => name.endsWith(`_${SUITE}_InRelease`));
    if (release === undefined) throw new AptFailure('read the package index', '');
    return readFileSync(join(this.#dir, 'lists', release), 'utf8');
  }

  async resolve(packages: readonly string[]): Promise<Archive[]> {
    const { stdout } = await this.#get('resolve the packages', ['install', '-y', '--print-uris', ...packages]);
    return [...stdout.matchAll(/^'[^']+' (\S+) (\d+) /gm)].map(([, file, size]) => ({ file: file ?? '', size: Number(size) }));
  }

  /** Fetches what is not in the archive directory yet; apt resumes partial files and checks every hash. */
  async download(packages: readonly string[]): Promise<void> {
    await this.#get('fetch the packages', ['install', '-y', '-q', '--download-only', ...packages]);
  }

  async #update(): Promise<void> {
    await this.#get('read the package index', ['update', '-q']);
  }

  async #get(step: string, args: string[]): Promise<RunResult> {
    const result = await run({ command: 'apt-get', args: ['-c', join(this.#dir, 'apt.conf')] }, args, { timeoutMs: 900_000, cwd: '/' });
    if (result.code !== 0) throw new AptFailure(step, result.stderr);
    return result;
  }

  #trust(keyring: string): void {
    writeFileSync(join(this.#dir, 'sources.list'), `deb [signed-by=${keyring}] ${MIRROR} ${SUITE} main\n`);
  }

  async #pinnedKeyring(progress: (line: string) => void): Promise<string> {
    const keyDir = join(this.#dir, 'keyring');
    const file = join(keyDir, 'keyring.deb');
    mkdirSync(keyDir, { recursive: true });
    const sound = (): boolean => existsSync(file) && createHash('sha256').update(readFileSync(file)).digest('hex') === KEYRING_PACKAGE.sha256;
    if (!sound()) {
      progress("Fetching Debian's archive key");
      rmSync(file, { force: true });
      // apt's own downloader, for it honours the host's proxy
      const helper = { command: '/usr/lib/apt/apt-helper', args: ['-c', join(this.#dir, 'apt.conf')] };
      const fetched = await run(helper, ['download-file', `${MIRROR}/${KEYRING_PACKAGE.path}`, file, `SHA256:${KEYRING_PACKAGE.sha256}`], { timeoutMs: 60_000, cwd: '/' });
      if (!sound()) {
        rmSync(file, { force: true });
        if (/hash sum mismatch/i.test(fetched.stderr) || fetched.code === 0) {
          throw new LocalStackError('untrusted', `The fetched Debian archive key is not the pinned one, so it was thrown away. ${WAY_OUT}`);
        }
        throw new AptFailure("fetch Debian's archive key", fetched.stderr).explained();
      }
    }
    await run({ command: 'dpkg-deb', args: [] }, ['-x', file, keyDir], { timeoutMs: 20_000 });
    const found = KEYRING_NAMES.map((name) => join(keyDir, name)).find((path) => existsSync(path));
    if (found === undefined) throw new LocalStackError('untrusted', `Debian's archive key could not be unpacked. ${WAY_OUT}`);
    return found;
  }
}
