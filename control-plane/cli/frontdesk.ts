#!/usr/bin/env node
/** The command line: one file a command, listed here. Exit codes: 0 done, 1 refused with a sentence, 2 wrong use, 70 our bug. */
import { SwitchRefusedError } from '../media/media-driver.ts';
import { LocalStackError } from '../local-stack/errors.ts';
import { StartError } from '../main.ts';
import { contacts } from './contacts.ts';
import { demo } from './demo.ts';
import { doctor } from './doctor.ts';
import { explainNumber } from './explain.ts';
import { freeswitch } from './freeswitch.ts';
import { replayJournal } from './replay.ts';
import { keys } from './keys.ts';
import { outliveReaders } from './say.ts';
import { start } from './start.ts';
import { backup, exportFile, importFile, restore } from './transfer.ts';
import { UsageError } from './usage-error.ts';

const usage = `frontdesk: routes every call of a clinic through its own switch

  frontdesk start                           serve; a local Asterisk and Redis unless ASTERISK_URL (or FREESWITCH_URL) and REDIS_URL are set
  frontdesk demo                            serve, and place one call through it with its timeline printed
  frontdesk explain <number> [--from <no>]  the steps a call to a number takes, and why: --at <time>, --json, --diagram;
                                            with --account <id> of a running Frontdesk, over its API
  frontdesk replay <journal> ...            run recorded calls again and compare every decision; --call <id> for one
  frontdesk doctor                          what this machine lacks for serving
  frontdesk freeswitch <folder>             writes a FreeSWITCH’s configuration, with the password of FREESWITCH_URL: --sip <address:port>,
                                            --external <address>, --rtp <from-to>, --recordings <folder>, --sounds, --log, --as, --listen, --from

Over the API of a running Frontdesk, with FRONTDESK_API_KEY:

  frontdesk import <file> [--replace]       a plan, or an export; --replace deletes what is not in it
  frontdesk export [--account <id>]         the configuration, with its passwords
  frontdesk contacts import <file>          CSV, into --account <id>; --replace deletes those that are not in it
  frontdesk contacts export                 CSV, of --account <id>; --spreadsheet marks texts for one
  frontdesk backup <folder>                 configuration, contacts, audio files, records of calls
  frontdesk restore <folder>                the same, back
  frontdesk keys [list|create|delete]       create <name> --role <role> [--account <id>]

Settings come from the environment:

  FRONTDESK_PLAN              plan files, with commas between, taken into the database (an example, into an empty one)
  FRONTDESK_DATA_DIR          database, journals, recordings (.frontdesk)
  FRONTDESK_CACHE_DIR         the local stack's programs (~/.cache/frontdesk)
  FRONTDESK_BIND              where SIP and RTP listen (127.0.0.1); 0.0.0.0 for phones of the network
  FRONTDESK_EXTERNAL_ADDRESS  the address phones and carriers outside see
  FRONTDESK_SIP_PORT          of the local switch (any free one, 5060 when open to the network)
  FRONTDESK_HTTP_PORT         API, health and readiness (8088)
  FRONTDESK_HTTP_BIND         where they listen (127.0.0.1); elsewhere behind a proxy with TLS
  FRONTDESK_INSTANCE          this controller's name, unique on its switch (main)
  FRONTDESK_TRANSFERS         whether phones may transfer calls: on, off, or auto, where the switch bears it (auto)
  FRONTDESK_DRAIN_SECONDS     told to stop, with calls and no other controller: how long they may go on (0 with a switch of your own, else 30)
  FRONTDESK_SYNTHETIC_CALL    on: a call of Frontdesk to itself each minute; off; or the seconds between two (on)
  FRONTDESK_NEVER_BAN         addresses and networks that are not banned for guessing SIP passwords, with commas between
  FRONTDESK_SECURITY_LOG      beside ASTERISK_URL: the file that switch's security log goes to
  FRONTDESK_WEBHOOKS_PRIVATE  allow: webhooks may lead into private networks, and go without TLS (refuse)
  FRONTDESK_SMTP_URL          sends notices, of an emergency call too: smtp://user:password@mail.clinic.example:587
  FRONTDESK_MAIL_FROM         the address they come from
  FRONTDESK_LOG_LEVEL         debug, info, warn, error or silent
  FRONTDESK_LOG_NUMBERS       yes: numbers of callers and callees stand in the log whole; else their last two digits (no)
  FRONTDESK_MEDIA_KEY         encrypts recordings: 32 bytes in hex; made in the data directory when absent
  FRONTDESK_MEDIA_KEYS_OLD    keys that older recordings need, with commas between
  FRONTDESK_NEW_ADMIN_KEY     yes: makes another key of an agency admin at this start, and prints it
  FRONTDESK_API_URL           of another machine's Frontdesk (http://127.0.0.1:8088)
  FRONTDESK_API_KEY           for the commands over the API
  DATABASE_URL                a Postgres of your own: postgres://user:password@host:5432/frontdesk; in the data directory when absent
  ASTERISK_URL, REDIS_URL     servers of your own: http://user:password@host:8088, redis://:password@host:6379
  FREESWITCH_URL              a FreeSWITCH in place of Asterisk, or beside the one of ASTERISK_URL: freeswitch://:password@host:8021
  FRONTDESK_ASTERISK_SIP, FRONTDESK_FREESWITCH_SIP
                              with both: where each takes SIP from the other, host:port

Exit codes: 0 done, 1 refused or failed with a sentence that says why, 2 wrong use.
`;

const commands: Readonly<Record<string, (args: readonly string[]) => Promise<number>>> = {
  start,
  demo,
  explain: explainNumber,
  replay: replayJournal,
  doctor,
  freeswitch,
  import: importFile,
  export: exportFile,
  contacts,
  backup,
  restore,
  keys,
};

/** What a command may still hold when it is done: it ends all the same. */
const lingerMs = 1_000;

async function main(): Promise<number> {
  const [name = '', ...args] = process.argv.slice(2);
  outliveReaders(name === 'start' || name === 'demo');
  if (['--help', '-h', 'help'].includes(name) || args.includes('--help') || args.includes('-h')) {
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
    if (error instanceof UsageError) return refuse(error, 2);
    if (error instanceof StartError || error instanceof LocalStackError || error instanceof SwitchRefusedError) return refuse(error, 1);
    process.stderr.write(`A bug in Frontdesk: please report it with these lines.\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    return 70;
  }
}

function refuse(error: Error, code: number): number {
  process.stderr.write(`${error.message}\n`);
  return code;
}

process.exitCode = await main();
setTimeout(() => { process.exit(); }, lingerMs).unref();
