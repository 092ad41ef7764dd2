// Starts one Asterisk from a rendered configuration and waits until calls can reach it.
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as delay } from 'node:timers/promises';
import { LocalStackError, WAY_OUT } from './errors.ts';
import { freePort, isFree, ownsPort, RTP_PORTS } from './ports.ts';
import { type Child, type Run, run, startChild } from './processes.ts';
import type { SwitchInstall } from './programs.ts';
import { renderConfig, securityLogOf, type TlsFiles, type Trunk } from './render.ts';
import { ensureTlsFiles } from './self-made-certificate.ts';
import type { StackState } from './state.ts';

const TEMPLATES = fileURLToPath(new URL('../../asterisk/', import.meta.url));
const ARI_USER = 'frontdesk';
const ATTEMPTS = 5;
const READY_WITHIN_MS = 30_000;

export interface AsteriskOptions {
  dir: string;
  bind: string;
  externalAddress?: string;
  sipPort?: number;
  /** Who may sign carriers' certificates, beyond the authorities everybody trusts: PEM. */
  authorities?: readonly string[];
  trunks: readonly Trunk[];
}

export interface RunningAsterisk {
  /** http://user:password@127.0.0.1:port; ARI is at /ari below it. */
  url: string;
  /** Where phones and carriers on this machine reach it, UDP and TCP. */
  sipHost: string;
  sipPort: number;
  /** SIP over TLS, with a certificate that nobody has signed but ourselves: `certificate` is its file. */
  tls: { port: number; certificate: string };
  version: string;
  /** Another one after each `again`. */
  readonly pid: number;
  /** Recordings are in its `recording` folder. */
  spoolDir: string;
  /** A writable folder for audio; play with the media URI sound:<soundsDir>/<file without suffix>. */
  soundsDir: string;
  logFile: string;
  /** Who proved a SIP password, and who did not. */
  securityLog: string;
  /** Runs one console command (`asterisk -rx`) and returns what it printed. */
  cli(command: string): Promise<string>;
}

const openFileLimit = (): number => {
  const hard = /^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  return Math.min(Number(hard) || 65_536, 65_536);
};

const isLoopback = (address: string): boolean => address.startsWith('127.') || address === '::1' || address === 'localhost';
const ANY_ADDRESS = ['0.0.0.0', '::'];

interface Ports { http: number; sip: number; tls: number }

const choosePorts = async (options: AsteriskOptions, state: StackState, retry: boolean): Promise<Ports> => {
  const both = ['udp', 'tcp'] as const;
  let sip = options.sipPort;
  if (sip !== undefined) {
    if (!(await isFree(options.bind, sip, both))) {
      throw new LocalStackError('ports', `SIP port ${sip} on ${options.bind} is in use or not ours to open. Free it or choose another (FRONTDESK_SIP_PORT).`);
    }
  } else {
    // Real phones are configured with a port: the one of last time, or the standard one.
    for (const port of [state.ports.sip, isLoopback(options.bind) ? undefined : 5060]) {
      if (!retry && sip === undefined && port !== undefined && (await isFree(options.bind, port, both))) sip = port;
    }
    sip ??= await freePort(options.bind, both, []);
  }
  const remembered = state.ports.http;
  const http =
    !retry && remembered !== undefined && (await isFree('127.0.0.1', remembered, ['tcp']))
      ? remembered
      : await freePort('127.0.0.1', ['tcp'], sip === undefined ? [] : [sip]);
  // 5061 beside 5060 (RFC 3261 section 19.1.2)
  const beside = state.ports.tls ?? (sip ?? 0) + 1;
  const tls = !retry && beside !== http && (await isFree(options.bind, beside, ['tcp'])) ? beside : await freePort(options.bind, ['tcp'], [sip ?? 0, http ?? 0]);
  if (sip === undefined || http === undefined || tls === undefined) {
    throw new LocalStackError('ports', `Found no free port to listen on at ${options.bind}. Check that FRONTDESK_BIND is an address of this machine.`);
  }
  return { http, sip, tls };
};

const lastLines = (file: string): string => {
  try {
    return readFileSync(file, 'utf8').trim().split('\n').slice(-3).join(' | ').slice(-600);
  } catch {
    return '';
  }
};

const answersAri = async (http: number, password: string): Promise<boolean> => {
  try {
    const response = await fetch(`http://127.0.0.1:${http}/ari/asterisk/info?only=status`, {
      headers: { authorization: `Basic ${Buffer.from(`${ARI_USER}:${password}`).toString('base64')}` },
      signal: AbortSignal.timeout(2_000),
    });
    await response.arrayBuffer();
    return response.status === 200;
  } catch {
    return false;
  }
};

const needFree = async (bind: string, { http, sip, tls }: Ports): Promise<void> => {
  for (const [host, port, transports] of [[bind, sip, ['udp', 'tcp']], [bind, tls, ['tcp']], ['127.0.0.1', http, ['tcp']]] as const) {
    if (!(await isFree(host, port, transports))) throw new LocalStackError('ports', `Its port ${port} on ${host} is in use by another program.`);
  }
};

interface StartedAsterisk {
  child: Child;
  asterisk: RunningAsterisk;
  ports: Ports;
  /** Once it has ended: one start from the same configuration, at the same ports. Rejects with LocalStackError. */
  again: () => Promise<Child>;
}

/** Throws LocalStackError. */
export const startAsterisk = async (install: SwitchInstall, options: AsteriskOptions, state: StackState, { started, signal }: Run): Promise<StartedAsterisk> => {
  const part = (name: string): string => {
    const path = join(options.dir, name);
    mkdirSync(path, { recursive: true, mode: 0o700 });
    return path;
  };
  mkdirSync(join(options.dir, 'state/keys'), { recursive: true, mode: 0o700 });
  const [etcDir, stateDir, spoolDir, logDir, soundsDir] = [part('etc'), part('state'), part('spool'), part('log'), part('sounds')];
  mkdirSync(join(spoolDir, 'recording'), { recursive: true });
  // A unix socket's path is limited to 107 bytes, and the console's socket lies in the run directory.
  const ownRunDir = join(options.dir, 'run');
  const runDir = Buffer.byteLength(ownRunDir) > 90 ? mkdtempSync(join(tmpdir(), 'frontdesk-')) : part('run');
  const consoleLog = join(logDir, 'console.log');
  const configFile = join(etcDir, 'asterisk.conf');
  const cli = async (command: string): Promise<string> =>
    (await run(install.program, ['-C', configFile, '-rx', command], { timeoutMs: 10_000 })).stdout;

  const configure = (ports: Ports): TlsFiles => {
    const tls = ensureTlsFiles(join(stateDir, 'keys'), options.bind, ports.tls, options.authorities ?? []);
    renderConfig(TEMPLATES, {
      etcDir, stateDir, spoolDir, runDir, logDir,
      moduleDir: install.moduleDir,
      shareDir: install.shareDir,
      mohDir: install.mohDir,
      systemName: state.systemName,
      maxFiles: openFileLimit(),
      httpPort: ports.http,
      ariUser: ARI_USER,
      ariPassword: state.ariPassword,
      sipBind: options.bind,
      sipPort: ports.sip,
      rtp: RTP_PORTS,
      ...(options.externalAddress === undefined ? {} : { externalAddress: options.externalAddress }),
      tls,
      trunks: options.trunks,
    });
    return tls;
  };

  /** One that calls can reach, or why there is none. */
  const launch = async (ports: Ports): Promise<Child | string> => {
    signal.throwIfAborted();
    rmSync(join(runDir, 'asterisk.ctl'), { force: true });
    const child = await startChild(install.program, ['-C', configFile, '-f'], consoleLog, options.dir);
    started(child);
    const until = performance.now() + READY_WITHIN_MS;
    const ownsSip = (): boolean => ownsPort(child.id.pid, 'udp', ports.sip) && ownsPort(child.id.pid, 'tcp', ports.sip);
    let answered = false;
    while (!answered && child.ended() === undefined && !signal.aborted && performance.now() < until) {
      answered = await answersAri(ports.http, state.ariPassword);
      if (!answered) await delay(25);
    }
    if (answered && (await cli('core waitfullybooted')).includes('fully booted') && ownsSip()) return child;
    const trouble = child.ended() ?? (answered ? `it did not get its SIP port ${ports.sip}` : 'ARI did not answer');
    await child.stop(2_000);
    return `${trouble}; ${lastLines(consoleLog)}`;
  };
  const notStarted = (trouble: string): LocalStackError =>
    new LocalStackError('start-failed', `Asterisk ${install.version} did not start (${trouble}). Its log is ${join(logDir, 'messages.log')}. ${WAY_OUT}`);

  let trouble = '';
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const ports = await choosePorts(options, state, attempt > 0);
    const tls = configure(ports);
    const launched = await launch(ports);
    if (typeof launched !== 'string') {
      let child = launched;
      const asterisk: RunningAsterisk = {
        url: `http://${ARI_USER}:${state.ariPassword}@127.0.0.1:${ports.http}`,
        sipHost: ANY_ADDRESS.includes(options.bind) ? '127.0.0.1' : options.bind,
        sipPort: ports.sip,
        tls: { port: ports.tls, certificate: tls.certificate },
        version: install.version,
        get pid() { return child.id.pid; },
        spoolDir,
        soundsDir,
        logFile: join(logDir, 'messages.log'),
        securityLog: securityLogOf(logDir),
        cli,
      };
      const again = async (): Promise<Child> => {
        await needFree(options.bind, ports);
        const next = await launch(ports);
        if (typeof next === 'string') throw notStarted(next);
        child = next;
        return next;
      };
      return { child, asterisk, ports, again };
    }
    trouble = launched;
    // A port given by the user is not negotiable, and trying it again finds the same.
    if (options.sipPort !== undefined) break;
  }
  throw notStarted(trouble);
};
