#!/usr/bin/env node
/** The command line: one file a command, listed here. Exit codes: 0 done, 1 refused with a sentence, 2 wrong use. */
import { SwitchRefusedError } from '../media/media-driver.ts';
import { LocalStackError } from '../local-stack/errors.ts';
import { StartError } from '../main.ts';
import { demo } from './demo.ts';
import { doctor } from './doctor.ts';
import { explainNumber } from './explain.ts';
import { replayJournal } from './replay.ts';
import { start } from './start.ts';

const usage = `frontdesk: routes every call of a clinic through its own switch

  frontdesk start                           serve; a local Asterisk and Redis unless ASTERISK_URL and REDIS_URL are set
  frontdesk demo                            serve, and place one call through it with its timeline printed
  frontdesk explain <number> [--from <no>]  the steps a call to a number takes, and why
  frontdesk replay <journal> [--call <id>]  run a call's journal again and compare every decision
  frontdesk doctor                          what this machine lacks for serving

Settings come from the environment: FRONTDESK_PLAN, FRONTDESK_DATA_DIR, FRONTDESK_BIND, FRONTDESK_EXTERNAL_ADDRESS,
FRONTDESK_SIP_PORT, FRONTDESK_HTTP_PORT, FRONTDESK_INSTANCE, FRONTDESK_LOG_LEVEL, ASTERISK_URL, REDIS_URL.
`;

const commands: Readonly<Record<string, (args: readonly string[]) => Promise<number>>> = {
  start,
  demo,
  explain: explainNumber,
  replay: replayJournal,
  doctor,
};

async function main(): Promise<number> {
  const [name = '', ...args] = process.argv.slice(2);
  if (['--help', '-h', 'help'].includes(name) || args.includes('--help')) {
    process.stdout.write(usage);
    return 0;
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) {
    process.stderr.write(name === '' ? usage : `There is no command “${name}”.\n\n${usage}`);
    return 2;
  }
  try {
    return await command(args);
  } catch (error) {
    if (error instanceof StartError || error instanceof LocalStackError || error instanceof SwitchRefusedError) {
      process.stderr.write(`${error.message}\n`);
      return 1;
    }
    throw error;
  }
}

process.exitCode = await main();
