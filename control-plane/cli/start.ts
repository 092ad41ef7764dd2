/** `frontdesk start`: serves until SIGINT or SIGTERM. */
import { readConfig, type Config } from '../config.ts';
import { startFrontdesk, StartError, type Frontdesk } from '../main.ts';
import type { ToolName } from '../local-stack/local-stack.ts';
import { createLog, type Log } from '../telemetry/log.ts';

export async function start(): Promise<number> {
  const config = configOrError();
  const log = createLog({ level: config.logLevel });
  const frontdesk = await serve(config, log, []);
  await untilTold();
  say('Stopping ...');
  await frontdesk.stop();
  return 0;
}

export function configOrError(): Config {
  const read = readConfig(process.env);
  if (!read.ok) throw new StartError(read.problems.join('\n'));
  return read.config;
}

/** Starts, and says in one line where what is. */
export async function serve(config: Config, log: Log, tools: readonly ToolName[]): Promise<Frontdesk> {
  const frontdesk = await startFrontdesk({ config, log, progress: say, tools });
  const asterisk = frontdesk.stack?.asterisk;
  const sip = asterisk === undefined ? '' : `, SIP on ${asterisk.sipHost}:${asterisk.sipPort}`;
  say(`Asterisk ${frontdesk.switchVersion} attached${sip}; readiness on http://127.0.0.1:${frontdesk.httpPort}/readyz`);
  for (const { account, phones } of frontdesk.clinics) {
    say(`${account.name}: ${account.numbers.map((number) => number.e164).join(', ')}; extensions ${phones.map((phone) => phone.extension).join(', ') || 'none'}`);
  }
  return frontdesk;
}

/** Progress goes to standard error, so that standard output stays for what was asked for. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

export function untilTold(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => { resolve(); });
  });
}
