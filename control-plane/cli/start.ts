/** `frontdesk start`: serves until SIGINT, SIGTERM or SIGHUP. Standard output has the log, a JSON object a line. */
import { readConfig, type Config } from '../config.ts';
import { startFrontdesk, StartError, type Frontdesk } from '../main.ts';
import type { ToolName } from '../local-stack/local-stack.ts';
import { createLog, maskNumber, type Log } from '../telemetry/log.ts';
import { stopInTime, surviveBugs, untilTold } from './lifetime.ts';
import { say } from './say.ts';
import { noArguments } from './usage-error.ts';

export async function start(args: readonly string[]): Promise<number> {
  noArguments(args);
  const config = configOrError();
  const frontdesk = await serve(config, createLog({ level: config.logLevel ?? 'info', numbers: config.logNumbers }), []);
  say('Serving. Ctrl-C stops everything that was started here.');
  await untilTold();
  return stopInTime(frontdesk, config.drainMs);
}

/** Warnings are said, problems thrown, all at once. */
export function configOrError(): Config {
  const read = readConfig(process.env);
  if (!read.ok) throw new StartError(read.problems.join('\n'));
  for (const warning of read.warnings) say(`warning: ${warning}`);
  return read.config;
}

/** Starts, and says in one line where what is. */
export async function serve(config: Config, log: Log, tools: readonly ToolName[], withExample = false): Promise<Frontdesk> {
  const frontdesk = await startFrontdesk({ config, log, progress: say, tools, withExample });
  surviveBugs(log);
  const asterisk = frontdesk.stack?.asterisk;
  const sip = asterisk === undefined ? '' : `, SIP on ${config.bind}:${asterisk.sipPort}`;
  say(`${frontdesk.switchName} ${frontdesk.switchVersion} attached${sip}; API on http://${config.httpBind}:${frontdesk.httpPort}/api/docs`);
  // what is said here is in the log of a service; who tries the demo wants to dial it
  const shown = config.logNumbers || withExample ? String : maskNumber;
  for (const { account, phones } of frontdesk.clinics()) {
    say(`${account.name}: ${account.numbers.map((number) => shown(number.e164)).join(', ')}; extensions ${phones.map((phone) => phone.extension).join(', ') || 'none'}`);
  }
  if (frontdesk.clinics().length === 0) say('There is no account yet: create one over the API, or bring a plan with `frontdesk import`.');
  return frontdesk;
}
