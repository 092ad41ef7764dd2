/**
 * `frontdesk demo`: serves, and shows one real call. SIPp plays the world outside: a patient and a doctor's mobile
 * behind a carrier, and the desk phones, which register as real ones do. Afterwards it goes on serving.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from '../local-stack/processes.ts';
import { StartError, type Frontdesk } from '../main.ts';
import { createLog } from '../telemetry/log.ts';
import { describeFact } from '../telemetry/timeline.ts';
import { stopInTime, untilTold } from './lifetime.ts';
import { say } from './say.ts';
import { configOrError, serve } from './start.ts';
import { noArguments } from './usage-error.ts';

const scenarios = join(import.meta.dirname, 'demo');
/** From the plan's carrier to the caller's hang-up, with a slow machine in mind. */
const callWithinMs = 60_000;

export async function demo(args: readonly string[]): Promise<number> {
  noArguments(args);
  // a demo is over when it is told so
  const config = { ...configOrError(), drainMs: 0 };
  if (config.asteriskUrl !== undefined || config.freeswitchUrl !== undefined) throw new StartError('The demo plays phones and carrier to an Asterisk of its own: leave ASTERISK_URL and FREESWITCH_URL empty, or use `frontdesk start`.');
  // Standard output has the timeline; what an operator must know goes beside it.
  const log = createLog({ level: config.logLevel ?? 'warn', numbers: config.logNumbers, destination: process.stderr });
  const frontdesk = await serve(config, log, ['sipp'], true);
  const told = untilTold();
  const world = new World();
  let ending = false;
  let shown: boolean | null = null;
  try {
    const showing = show(frontdesk, world, config.dataDir).then(() => true, (error: unknown) => {
      if (!ending) say(`The demo call failed: ${error instanceof Error ? error.message : String(error)}`);
      return false;
    });
    shown = await Promise.race([showing, told.then(() => null)]);
    ending = true;
    await world.end();
    if (shown !== null) {
      say('\nServing. Ctrl-C stops everything that was started here.');
      await told;
    }
  } finally {
    await world.end();
  }
  const stopped = await stopInTime(frontdesk, config.drainMs);
  return shown === false ? 1 : stopped;
}

async function show(frontdesk: Frontdesk, world: World, dataDir: string): Promise<void> {
  const asterisk = frontdesk.stack?.asterisk;
  const [clinic] = frontdesk.clinics();
  const number = clinic?.account.numbers[0];
  const carrier = clinic?.trunks[0];
  if (asterisk === undefined || clinic === undefined || number === undefined || carrier === undefined || frontdesk.stack === undefined) {
    throw new StartError('The demo needs the local Asterisk, and a plan with a number and a trunk; `frontdesk start` serves without.');
  }
  if (!carrier.host.startsWith('127.')) throw new StartError(`The demo plays the carrier itself, so the trunk's host must be a loopback address, not ${carrier.host}.`);
  world.use(await frontdesk.stack.tool('sipp'), join(dataDir, 'demo'), `${asterisk.sipHost === '0.0.0.0' ? '127.0.0.1' : asterisk.sipHost}:${asterisk.sipPort}`);

  for (const { sipUser, password } of clinic.phones) {
    const port = await freePort('127.0.0.1');
    // From the port it listens on, as phones do: the switch calls back where the registration came from.
    await world.finish(await world.play('register', {
      ip: '127.0.0.1', port, fields: [sipUser, `[authentication username=${sipUser} password=${password}]`],
    }));
    await world.play('desk-phone', { ip: '127.0.0.1', port, service: sipUser });
  }
  say(`\n${clinic.phones.length} desk phones are registered; ${clinic.account.name} gets a call.\n`);
  await world.play('mobile', { ip: carrier.host, port: carrier.port, service: 'mobile' });

  const over = new Promise<void>((resolve) => {
    const names = new Map<string, string>();
    let startedAt = 0;
    const stop = frontdesk.controller.observe({
      onFact: (_call, fact, at) => {
        if (fact.type === 'CallStarted') startedAt = at;
        if (fact.type === 'LegDialed') names.set(fact.legId, fact.label);
        if (fact.type === 'StepEntered') return;
        process.stdout.write(`${((at - startedAt) / 1000).toFixed(2).padStart(6)} s  ${describeFact(fact, names)}\n`);
      },
      onCdr: (cdr) => {
        const by = cdr.legs.find((leg) => leg.legId === cdr.answeredBy);
        const talked = cdr.answeredAt === null || cdr.endedAt === null ? '' : `, talked ${((cdr.endedAt - cdr.answeredAt) / 1000).toFixed(1)} s`;
        process.stdout.write(`          CDR           ${cdr.disposition ?? 'open'}${by === undefined ? '' : ` by ${by.label}`}${talked}; ${cdr.legs.length} legs: ${cdr.legs.map((leg) => `${leg.label} ${leg.disposition ?? 'open'}`).join(', ')}\n`);
        stop();
        resolve();
      },
    });
  });
  const caller = await world.play('caller', { ip: carrier.host, fields: ['+12025550187', number.e164, 'Ada Reyes'] });
  await Promise.race([Promise.all([world.finish(caller), over]), world.tooLate(callWithinMs)]);
}

interface Party {
  readonly ip: string;
  readonly port?: number;
  readonly service?: string;
  /** One line of an injection file: [field0], [field1], … */
  readonly fields?: readonly string[];
}

/** The SIPp processes of the demo; all end with `end`. */
class World {
  readonly #running = new Map<ChildProcess, string>();
  #timer: NodeJS.Timeout | undefined;
  #sipp: Command | undefined;
  #dir = '';
  #target = '';
  #count = 0;

  use(sipp: Command, dir: string, target: string): void {
    this.#sipp = sipp;
    this.#dir = dir;
    this.#target = target;
  }

  /** Starts a party; resolves when it listens. */
  async play(scenario: string, { ip, port, service, fields }: Party): Promise<ChildProcess> {
    if (this.#sipp === undefined) throw new StartError('There is no SIPp.');
    await mkdir(this.#dir, { recursive: true });
    this.#count += 1;
    const data = join(this.#dir, `party-${this.#count}.csv`);
    if (fields !== undefined) await writeFile(data, `SEQUENTIAL\n${fields.join(';')};\n`, { mode: 0o600 });
    const { command, args, env } = this.#sipp;
    const listenPort = port ?? (await freePort(ip));
    const child = spawn(command, [
      ...args, this.#target, '-sf', join(scenarios, `${scenario}.xml`), '-i', ip, '-p', String(listenPort), '-m', '1', '-nostdin', '-timeout', '90s',
      ...(service === undefined ? [] : ['-s', service]), ...(fields === undefined ? [] : ['-inf', data]),
    ], { cwd: this.#dir, env: { ...process.env, ...env, TERM: 'dumb' }, stdio: ['ignore', 'ignore', 'ignore'] });
    this.#running.set(child, scenario);
    child.once('exit', () => { this.#running.delete(child); });
    await listening(ip, listenPort, child);
    return child;
  }

  /** Resolves when the party has played its part, rejects when it could not. */
  async finish(child: ChildProcess): Promise<void> {
    const name = this.#running.get(child) ?? 'a party';
    if (child.exitCode === null) await once(child, 'exit');
    if (child.exitCode !== 0) throw new Error(`SIPp could not play “${name}” (exit ${child.exitCode}).`);
  }

  tooLate(ms: number): Promise<never> {
    return new Promise((_resolve, reject) => {
      this.#timer = setTimeout(() => { reject(new Error(`The call was not over within ${ms / 1000} s.`)); }, ms);
    });
  }

  async end(): Promise<void> {
    clearTimeout(this.#timer);
    const ends = [...this.#running.keys()].map(async (child) => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    });
    await Promise.all(ends);
  }
}

/** A UDP port nobody has at this moment. */
async function freePort(ip: string): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0, ip);
  await once(socket, 'listening');
  const { port } = socket.address();
  await new Promise<void>((resolve) => { socket.close(() => { resolve(); }); });
  return port;
}

/** Looks for the socket in the kernel's list until it is there or the process has ended. */
async function listening(ip: string, port: number, child: ChildProcess): Promise<void> {
  const wanted = `${ip.split('.').toReversed().map((part) => Number(part).toString(16).padStart(2, '0')).join('')}:${port.toString(16).padStart(4, '0')}`.toUpperCase();
  while (child.exitCode === null && child.signalCode === null) {
    if ((await readFile('/proc/net/udp', 'utf8')).includes(wanted)) return;
    await new Promise((resolve) => { setTimeout(resolve, 20); });
  }
}
