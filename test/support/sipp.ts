/**
 * One SIPp process: a scenario, an address, and the trace of everything it sent and received.
 *
 * SIPp never outlives the test: `stop` ends it, and the kernel does when the test process dies (processes.ts).
 */
import { createSocket } from 'node:dgram';
import { randomInt } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isFree, ownsPort } from '../../control-plane/local-stack/ports.ts';
import { type Command, isAlive, startChild } from '../../control-plane/local-stack/processes.ts';
import { fillScenario, type ScenarioName, type ScenarioValues } from './scenario.ts';
import type { SipMessage } from './sip-message.ts';
import { followTrace, type SipTrace } from './sip-trace.ts';
import { addEvidence, until } from './until.ts';

export interface SippOptions {
  readonly program: Command;
  readonly scenario: ScenarioName;
  readonly values: ScenarioValues;
  /** Where it listens and sends from. */
  readonly local: { readonly host: string; readonly port: number };
  /** The switch. */
  readonly remote: { readonly host: string; readonly port: number };
  /** An existing folder; the process makes one of its own inside. */
  readonly folder: string;
  /** Shown in failures: "phone 101". */
  readonly name: string;
  /** Calls after which it ends; a phone that is called goes on until stopped. */
  readonly calls?: number;
  readonly extraArguments?: readonly string[];
  readonly onMessage?: (message: SipMessage) => void;
}

export interface SippExit {
  readonly ok: boolean;
  readonly reason: string;
  /** What SIPp held against the scenario: its error file. */
  readonly errors: string;
}

export interface Sipp {
  readonly trace: SipTrace;
  readonly exited: Promise<SippExit>;
  readonly local: SippOptions['local'];
  /** No new calls; it ends by itself when those in progress have ended. */
  finish(): void;
  /** Sends this straight to SIPp's port, not through the switch; nothing once it was stopped. */
  tell(datagram: string): void;
  stop(): Promise<SippExit>;
}

const handedOut = new Set<string>();

/**
 * Never the same twice, since what was found free is bound only later. Below 6000: there SIPp takes ports for media,
 * from 8888 on for its own control, and the switch for audio, on every address, while a party comes and goes.
 */
export const freeUdpPort = async (host: string): Promise<number> => {
  for (let tries = 0; tries < 1000; tries += 1) {
    const port = randomInt(2_000, 6_000);
    const address = `${host}:${port}`;
    if (handedOut.has(address)) continue;
    handedOut.add(address);
    if (await isFree(host, port, ['udp'])) return port;
  }
  throw new Error(`No free UDP port on ${host}`);
};

/** The whole of 127/8 is this machine; an address of one's own keeps the ports of others out of the way. */
export const ownLoopbackAddress = (): string => `127.${randomInt(16, 240)}.${randomInt(1, 250)}.${randomInt(2, 250)}`;

const sketch = (message: SipMessage): string => `${new Date(message.at).toISOString().slice(11, 23)} ${message.direction === 'sent' ? '->' : '<-'} ${message.startLine}`;

/** Resolves once SIPp holds its port, or for a caller has ended before that was seen. */
export const startSipp = async (options: SippOptions): Promise<Sipp> => {
  const { local, remote, name } = options;
  const folder = join(options.folder, `${name.replaceAll(/[^A-Za-z0-9]+/g, '-')}-${local.port}-${options.scenario}`);
  mkdirSync(folder, { recursive: true });
  const [scenarioFile, traceFile] = [join(folder, 'scenario.xml'), join(folder, 'messages.log')];
  writeFileSync(scenarioFile, fillScenario(options.scenario, options.values), 'latin1');
  const child = await startChild(
    options.program,
    [
      `${remote.host}:${remote.port}`, '-sf', scenarioFile, '-i', local.host, '-p', String(local.port), '-bind_local', '-nostdin',
      '-trace_msg', '-message_file', traceFile, '-trace_err', '-error_file', join(folder, 'errors.log'),
      // OPTIONS, NOTIFY and UPDATE are answered with 200, as any phone does
      '-aa', '-timer_resol', '1',
      ...(options.calls === undefined ? [] : ['-m', String(options.calls)]),
      ...(options.extraArguments ?? []),
    ],
    join(folder, 'output.log'),
    folder,
  );
  const trace = followTrace(traceFile, options.onMessage ?? (() => undefined));
  const removeEvidence = addEvidence(() => `SIP of ${name}${child.ended() === undefined ? '' : ` (ended: ${child.ended()})`}:\n${trace.messages.slice(-16).map(sketch).join('\n')}`);
  const errors = (): string => {
    const files = readdirSync(folder).filter((file) => file.startsWith('errors'));
    return files.map((file) => readFileSync(join(folder, file), 'latin1')).join('').trim();
  };
  const exited = child.exited.then((reason): SippExit => {
    trace.read();
    return { ok: reason === 'exit code 0', reason, errors: errors() };
  });
  // SIPp answers to where the last datagram came from, so a command makes this socket its way to the switch: it passes
  // on whatever comes, both ways, as a NAT would.
  const teller = createSocket('udp4');
  teller.on('error', () => undefined);
  teller.on('message', (datagram, from) => {
    const to = from.port === local.port && from.address === local.host ? remote : local;
    teller.send(datagram, to.port, to.host, () => undefined);
  });
  await new Promise<void>((resolve) => {
    teller.bind(0, local.host, resolve);
  });
  let stopped: Promise<SippExit> | undefined;
  const end = async (): Promise<SippExit> => {
    // SIPp finishes its calls on SIGTERM and may take long over it
    await child.stop(100);
    trace.stop();
    removeEvidence();
    teller.close();
    return exited;
  };
  const stop = (): Promise<SippExit> => (stopped ??= end());
  try {
    await until(() => child.ended() !== undefined || ownsPort(child.id.pid, 'udp', local.port), { describe: `SIPp of ${name} holds ${local.host}:${local.port}`, everyMs: 5 });
    // exit code 1 is a call that failed, which a test may want; above it, SIPp could not run the scenario at all
    if (child.ended() !== undefined && !['exit code 0', 'exit code 1'].includes(child.ended() ?? '')) {
      throw new Error(`SIPp of ${name} did not start: ${child.ended()}\n${errors()}\n${readFileSync(join(folder, 'output.log'), 'latin1').slice(-600)}`);
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    trace,
    exited,
    local,
    finish: () => {
      if (isAlive(child.id)) process.kill(child.id.pid, 'SIGUSR1');
    },
    tell: (datagram) => {
      if (stopped !== undefined) return;
      teller.send(Buffer.from(datagram, 'latin1'), local.port, local.host, () => undefined);
    },
    stop,
  };
};
