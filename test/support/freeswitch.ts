/**
 * The FreeSWITCH of a test file: one of its own from FREESWITCH_HOME, with our configuration, on a loopback address that nobody
 * else has; or the one of FREESWITCH_ESL_URL, which runs already, for tests alone, on a loopback address of this machine and
 * with our configuration. It is in no Debian suite, so tests that need it run where one is given.
 */
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startChild, type Child } from '../../control-plane/local-stack/processes.ts';
import { renderFreeSwitch } from '../../control-plane/local-stack/render-freeswitch.ts';
import { ensureTlsFiles } from '../../control-plane/local-stack/self-made-certificate.ts';
import { ownLoopbackAddress } from './sipp.ts';
import { skipHere } from './skip-here.ts';
import { until } from './until.ts';

const home = process.env['FREESWITCH_HOME'] ?? '';
const running = process.env['FREESWITCH_ESL_URL'] ?? '';

/** Why the tests that need one are skipped; undefined where they run. */
export const withoutFreeSwitch: string | undefined = home !== '' ? (existsSync(join(home, 'bin/freeswitch')) ? undefined : `There is no bin/freeswitch in FREESWITCH_HOME (${home})`)
  : running === '' ? 'Neither FREESWITCH_HOME names where a FreeSWITCH is installed, nor FREESWITCH_ESL_URL one that runs' : undefined;

/** Why what ends the switch is skipped; undefined where it is the tests' own. */
export const withoutOwnFreeSwitch: string | undefined = withoutFreeSwitch ?? (home === '' ? 'The FreeSWITCH of FREESWITCH_ESL_URL is not ours to end' : undefined);

export interface FreeSwitch {
  /** `freeswitch://:password@host:port` */
  readonly url: string;
  readonly sipHost: string;
  readonly sipPort: number;
  /** SIP over TLS; `certificate` is a file. */
  readonly tls: { readonly port: number; readonly certificate: string };
  readonly soundsDir: string;
  readonly recordingsDir: string;
  readonly logFile: string;
  readonly pid: number;
  /** One command of the event socket, and what the switch says: none of the product's code, so that a fault there cannot hide itself. */
  ask(command: string): Promise<string>;
  /** A phone that may log in, by its name. */
  createPhone(phone: { readonly id: string; readonly password: string }): Promise<void>;
  /** A carrier that calls from an address. */
  createTrunk(trunk: { readonly id: string; readonly host: string; readonly port: number }): Promise<void>;
  /** What is kept under a name of a family, as names and texts; undefined where there is nothing. */
  kept(family: string, key: string): Promise<Readonly<Record<string, string>> | undefined>;
  keep(family: string, key: string, fields: Readonly<Record<string, string>>): Promise<void>;
  /** Calls of carriers to a number are bridged to registered phones by the switch alone, whichever answers first. */
  dialNatively(number: string, phones: readonly string[]): Promise<void>;
  /** SIGKILL, and waits until it is gone. Skips the test where it is not ours. */
  kill(): Promise<void>;
  /** It ends, where it has not, and starts again, with what it keeps on disk and at the same ports. Skips the test where it is not ours. */
  restart(): Promise<void>;
  /** One that is not ours goes on, and knows no phone and no carrier any more. */
  stop(): Promise<void>;
}

const password = 'of-the-tests';
/** The domain and realm of configuration/sip.xml. */
const realm = 'frontdesk';
const sipPort = 5060;
const eslPort = 8021;
/**
 * Apart from those of Asterisk (ports.ts), which takes its own at every address of the machine: FreeSWITCH takes a port when it
 * offers audio and binds it when that is answered, and ends the leg if another has it by then.
 */
const rtpPorts = { from: 61_000, to: 65_534 };

interface FreeSwitchOptions {
  /** Of its log; `debug` costs it a good part of its time. */
  readonly logLevel?: 'debug' | 'warning';
  /** Who may sign carriers' certificates, as PEM; nobody by default. */
  readonly authorities?: readonly string[];
}

/** The options are of one of the tests' own. Throws, in a sentence, where there is none. */
export async function startFreeSwitch(options: FreeSwitchOptions = {}): Promise<FreeSwitch> {
  if (withoutFreeSwitch !== undefined) throw new Error(`There is no FreeSWITCH to start: ${withoutFreeSwitch}.`);
  return home === '' ? attachToRunning(running) : startOwn(options);
}

async function startOwn({ logLevel = 'debug', authorities = [] }: FreeSwitchOptions): Promise<FreeSwitch> {
  const dir = mkdtempSync(join(tmpdir(), 'frontdesk-freeswitch-'));
  const host = ownLoopbackAddress();
  const folder = (name: string): string => {
    const path = join(dir, name);
    mkdirSync(path, { recursive: true, mode: 0o700 });
    return path;
  };
  const [logDir, recordingsDir, soundsDir] = [folder('log'), folder('recordings'), folder('sounds')];
  renderFreeSwitch(join(import.meta.dirname, '../../freeswitch'), {
    etcDir: join(dir, 'etc'), logDir, recordingsDir, soundsDir, systemName: 'tests', logLevel,
    esl: { bind: host, port: eslPort, password }, sip: { bind: host, port: sipPort }, rtp: rtpPorts,
  });
  const certs = folder('certs');
  const tls = ensureTlsFiles(certs, host, sipPort + 1, authorities);
  writeFileSync(join(certs, 'agent.pem'), `${readFileSync(tls.certificate, 'utf8')}${readFileSync(tls.key, 'utf8')}`, { mode: 0o600 });
  writeFileSync(join(certs, 'cafile.pem'), authorities.length === 0 ? readFileSync(tls.certificate, 'utf8') : authorities.join('\n'));
  const options = Object.entries({
    conf: join(dir, 'etc'), log: logDir, db: folder('db'), run: folder('run'), temp: folder('temp'), storage: folder('storage'), cache: folder('cache'), certs,
    scripts: join(dir, 'etc/scripts'), recordings: recordingsDir, sounds: soundsDir, mod: join(home, 'lib/freeswitch/mod'),
  }).flatMap(([name, path]) => [`-${name}`, path]);
  const ask = (command: string): Promise<string> => askSwitch({ host, port: eslPort, password }, command);
  const start = async (): Promise<Child> => {
    const started = await startChild({ command: join(home, 'bin/freeswitch'), args: [] }, ['-nonat', '-nf', '-nc', '-nocal', ...options], join(dir, 'output'), dir);
    await until(async () => {
      if (started.ended() !== undefined) throw new Error(`FreeSWITCH ended: ${started.ended()}\n${readFileSync(join(dir, 'output'), 'latin1').slice(-2000)}`);
      return (await ask('sofia status').catch(() => '')).includes('RUNNING');
    }, { describe: 'FreeSWITCH has started', within: 30_000, everyMs: 50 });
    return started;
  };
  let child = await start();

  return {
    url: `freeswitch://:${password}@${host}:${eslPort}`,
    sipHost: host, sipPort, tls: { port: tls.port, certificate: tls.certificate }, soundsDir, recordingsDir, logFile: join(logDir, 'freeswitch.log'),
    get pid() { return child.id.pid; },
    ask, ...memoryOf(ask),
    kill: async () => {
      process.kill(child.id.pid, 'SIGKILL');
      await child.exited;
    },
    dialNatively: async (number, phones) => {
      const [file, places] = [join(dir, 'etc/dialplan.xml'), phones.map((phone) => `sofia/frontdesk/${phone}%${realm}`).join()];
      const extension = `<extension name="native"><condition field="destination_number" expression="^${number.replace('+', String.raw`\+`)}$"><action application="set" data="hangup_after_bridge=true"/><action application="bridge" data="${places}"/></condition></extension>`;
      writeFileSync(file, readFileSync(file, 'utf8').replace('<context name="from-trunk">', (context) => `${context}\n  ${extension}`));
      const answer = await ask('reloadxml');
      if (!answer.startsWith('+OK')) throw new Error(`The native extension could not be added: ${answer}`);
    },
    restart: async () => {
      await child.stop(5_000);
      child = await start();
    },
    stop: async () => {
      await child.stop(5_000);
      if (process.env['FRONTDESK_KEEP_TRACES'] === undefined) rmSync(dir, { recursive: true, force: true });
    },
  };
}

/**
 * Throws, in a sentence, where the tests cannot use it: they call it from many addresses of loopback, hang up everybody, and empty
 * what it keeps. Test files that share it run one after the other (vitest.config.ts).
 */
async function attachToRunning(given: string): Promise<FreeSwitch> {
  const url = new URL(given);
  const socket = { host: url.hostname, port: Number(url.port === '' ? eslPort : url.port), password: decodeURIComponent(url.password) };
  const ask = (command: string): Promise<string> => askSwitch(socket, command);
  const [profile, calls, recordingsDir, soundsDir, logDir] = await Promise.all([
    ask('sofia xmlstatus profile frontdesk'), ask('show channels count'), ask('global_getvar recordings_dir'), ask('global_getvar sound_prefix'), ask('global_getvar log_dir'),
  ]);
  const [, sipHost = ''] = /<sip-ip>([\d.]+)</.exec(profile) ?? [];
  const [, sip = ''] = /<bind-url>sip:[^:]*:(\d+)/.exec(profile) ?? [];
  if (sipHost === '') throw new Error('The FreeSWITCH of FREESWITCH_ESL_URL has no SIP profile “frontdesk”: it must have the configuration of freeswitch/.');
  if (!sipHost.startsWith('127.')) throw new Error(`The FreeSWITCH of FREESWITCH_ESL_URL takes SIP at ${sipHost}: tests need one on loopback, since a carrier is known by its address.`);
  if (!calls.startsWith('0 total')) throw new Error(`The FreeSWITCH of FREESWITCH_ESL_URL has calls (${calls}): tests would hang them up.`);
  for (const folder of [recordingsDir, soundsDir]) accessSync(folder, constants.R_OK | constants.W_OK);

  const forget = async (): Promise<void> => {
    for (const family of families) {
      const [, ...entries] = (await ask(`lua store.lua list ${family}`)).split('\n');
      for (const entry of entries) {
        const [key = ''] = entry.split(' ');
        await ask(`lua store.lua remove ${family} ${key}`);
        if (family === 'fd-phone') await ask(`sofia profile frontdesk flush_inbound_reg ${key}@${realm}`);
        if (family === 'fd-trunk') await ask(`sofia profile frontdesk killgw ${key}`);
      }
    }
    await ask('reloadacl');
  };
  await forget();
  return {
    url: given, sipHost, sipPort: Number(sip), soundsDir, recordingsDir, logFile: join(logDir, 'freeswitch.log'),
    get pid(): number { throw new Error(withoutOwnFreeSwitch); },
    get tls(): FreeSwitch['tls'] { throw new Error(withoutOwnFreeSwitch); },
    ask, ...memoryOf(ask),
    kill: () => skipHere(withoutOwnFreeSwitch ?? ''),
    dialNatively: () => Promise.reject(new Error('The dialplan of the FreeSWITCH of FREESWITCH_ESL_URL is not ours to write')),
    restart: () => skipHere(withoutOwnFreeSwitch ?? ''),
    stop: forget,
  };
}

/** What controllers and tests write to the switch (freeswitch/README.md). */
const families = ['fd-phone', 'fd-trunk', 'fd-trunks', 'fd-failsafe', 'fd-emergency', 'fd-emergency-log', 'fd-failsafe-log', 'fd-ban'];

/** What the switch keeps, read and written as its scripts do. */
function memoryOf(ask: FreeSwitch['ask']): Pick<FreeSwitch, 'keep' | 'kept' | 'createPhone' | 'createTrunk'> {
  const keep: FreeSwitch['keep'] = async (family, key, fields) => {
    const text = Object.entries(fields).map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&');
    await ask(`db insert/${family}/${key}/${text}`);
  };
  return {
    keep,
    kept: async (family, key) => {
      const text = await ask(`db select/${family}/${key}`);
      return text === '' || text.startsWith('-ERR') ? undefined : Object.fromEntries(text.split('&').map((field) => field.split('=').map(decodeURIComponent)) as [string, string][]);
    },
    createPhone: async ({ id, password: secret }) => {
      await keep('fd-phone', id, { a1: createHash('md5').update(`${id}:${realm}:${secret}`).digest('hex'), number: id, name: `Phone ${id}` });
    },
    createTrunk: async ({ id, host: at, port }) => {
      await keep('fd-trunk', id, { host: at, port: String(port), match: `${at}/32` });
      await ask('reloadacl');
      await ask('sofia profile frontdesk rescan');
    },
  };
}

/** Waits for the prompt to log in, logs in, asks once, and hangs up. */
function askSwitch({ host, port, password: secret }: { readonly host: string; readonly port: number; readonly password: string }, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    let received = '';
    socket.setNoDelay(true).setTimeout(10_000, () => socket.destroy(new Error('The switch does not answer')));
    socket.setEncoding('latin1').on('data', (data: string) => {
      received += data;
      const answer = /Content-Type: api\/response\nContent-Length: (\d+)\n\n([^]*)$/.exec(received);
      if (answer === null || (answer[2] ?? '').length < Number(answer[1])) return;
      resolve(Buffer.from((answer[2] ?? '').slice(0, Number(answer[1])), 'latin1').toString().trim());
      socket.destroy();
    });
    socket.once('connect', () => { socket.write(`auth ${secret}\n\napi ${command}\n\n`); });
    socket.once('error', reject).once('close', () => { reject(new Error('The switch hung up')); });
  });
}
