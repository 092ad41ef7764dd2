/**
 * `npm run bench`: calls through Frontdesk against calls through a native `Dial()` or `Queue()`, on the same switch in one
 * run; and what a kill costs, and a long time. Standard output has the tables alone.
 */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { mostRows } from '../../control-plane/contacts/contact-file.ts';
import { withoutOwnFreeSwitch } from '../support/freeswitch.ts';
import type { SwitchKind } from '../support/premises.ts';
import { measureAdoption, type Adoption } from './adopt.ts';
import { openClinic, type Clinic } from './clinic.ts';
import { measureCompile } from './compile.ts';
import { measureContacts } from './contacts.ts';
import { inspect } from './inspector.ts';
import { measureMemory, type Memory } from './memory.ts';
import { reportOf, textOf, type Report } from './report.ts';
import { measureQueue, type QueueReport } from './queue.ts';
import { playRound } from './round.ts';
import { openWays, playRounds } from './rounds.ts';
import { measureSimulated } from './simulated-queue.ts';
import { soak } from './soak.ts';

const help = `npm run bench -- [options]

  --rates 50,100,150   calls per second, a group of rounds for each
  --seconds 8          length of a round
  --rounds 2           rounds of each way at each rate, alternating; 0 for none
  --switch asterisk    or freeswitch, that of FREESWITCH_HOME, against its own bridge(); not with --queue
  --phones 2           how many a call rings: 1, which answers, or 2
  --compare            what sharing costs: rounds with two controllers too, and with one that has neither leases nor a
                       journal in Redis, each at a switch and a Redis of its own
  --live 300           live calls with which memory is measured, up to 2000; 0 for none
  --profile FILE       a CPU profile of the controller in one more round at the highest rate, for Chrome DevTools

  --queue              instead: a queue that is never empty, by Frontdesk and by Asterisk's own Queue(); how soon an agent
                       who has hung up has the next caller. With --seconds, --rounds and --controllers
  --agents 10,20       of it, a group of rounds for each
  --controllers 1      or 2
  --waiting 2000       then with 200 agents and so many callers on the simulated switch; 0 for none
  --adopt 100,300      instead: so many calls talk, their controller is killed; how soon another can command them, and
                       how soon the same one when it is started again
  --soak MINUTES       instead, 5 or more: two controllers under a steady load; what grows?
  --soak-rate 20       calls per second of it; about five times as many are up
  --compile CALLS      instead: what it costs to make the plans of so many calls, for an account as large as one gets
  --contacts COUNT     instead: a file of so many contacts is imported; what that costs, to hold them and to look them up

  --json FILE          the figures as JSON
  --help

Calls come from SIPp over a trunk and ring two phones: one answers at once, a second rings until it is canceled. The
controllers run with the product's defaults: journal on disk and in Redis, CDRs, caller ID.
Ends with 1 when a call that was taken has not exactly one CDR, something is left of a call, or a kill drops one. A missed
target and growth are only reported.
`;

const { values } = parseArgs({
  options: {
    switch: { type: 'string', default: 'asterisk' },
    rates: { type: 'string', default: '50,100,150' }, seconds: { type: 'string', default: '8' }, rounds: { type: 'string', default: '2' }, compare: { type: 'boolean', default: false }, phones: { type: 'string', default: '2' },
    live: { type: 'string', default: '300' }, profile: { type: 'string' }, queue: { type: 'boolean', default: false }, agents: { type: 'string', default: '10,20' }, controllers: { type: 'string', default: '1' }, waiting: { type: 'string', default: '2000' },
    adopt: { type: 'string' }, soak: { type: 'string' }, compile: { type: 'string' }, contacts: { type: 'string' }, 'soak-rate': { type: 'string', default: '20' },
    json: { type: 'string' }, help: { type: 'boolean', default: false },
  },
});

const say = (line: string): void => { process.stderr.write(`${line}\n`); };

function whole(name: string, text: string, least = 1, most = 10_000): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least || value > most) throw new Error(`--${name} takes whole numbers from ${least} to ${most}, not ${JSON.stringify(text)}`);
  return value;
}

const wholes = (name: string, text: string, most?: number): readonly number[] => text.split(',').map((one) => whole(name, one, 1, most));

function kindOf(text: string): SwitchKind {
  if (text !== 'asterisk' && text !== 'freeswitch') throw new Error(`--switch takes asterisk or freeswitch, not ${JSON.stringify(text)}`);
  return text;
}

async function rounds(): Promise<Report> {
  const [rates, seconds] = [wholes('rates', values.rates), whole('seconds', values.seconds)];
  const [times, live] = [whole('rounds', values.rounds, 0), whole('live', values.live, 0, 2000)];
  const phones = whole('phones', values.phones, 1, 2) === 1 ? 1 : 2;
  const { ways, one, close } = await openWays(values.compare, phones, kindOf(values.switch), say);
  try {
    const done = await playRounds(ways, { rates, seconds, rounds: times, say });
    const memory = live === 0 && values.profile === undefined ? null : await inside(one, live, { rate: Math.max(...rates), seconds });
    return reportOf(done, { switchName: one.switchName, memory, phones });
  } finally {
    await close();
  }
}

async function inside(clinic: Clinic, calls: number, round: { readonly rate: number; readonly seconds: number }): Promise<Memory | null> {
  const controller = clinic.seats[0]?.process;
  if (controller === null || controller === undefined) throw new Error('There is no controller');
  const inspector = await inspect(controller.pid, () => controller.output());
  try {
    if (values.profile !== undefined) {
      await inspector.startProfile();
      await playRound({ name: 'profile', clinic, native: false }, round);
      await writeFile(values.profile, await inspector.stopProfile());
    }
    return calls === 0 ? null : await measureMemory(clinic, controller.pid, inspector, calls);
  } catch (error) {
    // the rounds are played and their figures stand
    say(`Memory was not measured: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)}`);
    return null;
  } finally {
    inspector.close();
  }
}

async function queues(): Promise<Report> {
  const [seconds, times, waiting] = [whole('seconds', values.seconds), whole('rounds', values.rounds, 0), whole('waiting', values.waiting, 0, 5000)];
  const controllers = whole('controllers', values.controllers, 1, 2) === 1 ? 1 : 2;
  const done: QueueReport[] = [];
  for (const agents of times === 0 ? [] : wholes('agents', values.agents, 200)) done.push(await measureQueue({ agents, controllers, seconds, rounds: times, say }));
  const simulated = waiting === 0 ? [] : await measureSimulated({ agents: 200, waiting, seconds: 20, talkMs: 10_000, say });
  return reportOf([], { switchName: done[0]?.switchName ?? null, queues: done, simulated });
}

async function kills(text: string): Promise<Report> {
  const counts = wholes('adopt', text, 2000);
  const clinic = await openClinic({ controllers: 2, started: 1, switch: kindOf(values.switch), progress: say });
  try {
    const adoptions: Adoption[] = [];
    for (const count of counts) adoptions.push(await measureAdoption(clinic, count, say));
    return reportOf([], { switchName: clinic.switchName, adoptions });
  } finally {
    await clinic.close();
  }
}

async function longLoad(text: string): Promise<Report> {
  const [minutes, rate] = [whole('soak', text, 5), whole('soak-rate', values['soak-rate'], 4, 200)];
  const clinic = await openClinic({ controllers: 2, switch: kindOf(values.switch), progress: say });
  try {
    return reportOf([], { switchName: clinic.switchName, soak: await soak(clinic, { minutes, rate, say }) });
  } finally {
    await clinic.close();
  }
}

async function measured(): Promise<Report> {
  if (values.queue) return queues();
  if (values.adopt !== undefined) return kills(values.adopt);
  if (values.soak !== undefined) return longLoad(values.soak);
  if (values.compile !== undefined) return reportOf([], { compile: await measureCompile(whole('compile', values.compile, 1000, 1_000_000)) });
  if (values.contacts !== undefined) return reportOf([], { contacts: await measureContacts(whole('contacts', values.contacts, 1000, mostRows)) });
  return rounds();
}

async function bench(): Promise<number> {
  if (kindOf(values.switch) === 'freeswitch') {
    if (values.queue) throw new Error('--queue is against Asterisk’s own Queue(): leave --switch out.');
    if (withoutOwnFreeSwitch !== undefined) {
      say(`Skipped: the bench on FreeSWITCH. ${withoutOwnFreeSwitch}.`);
      return 0;
    }
  }
  const report = await measured();
  process.stdout.write(`${textOf(report)}\n`);
  if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(report, null, 2)}\n`);
  return report.faults.length === 0 ? 0 : 1;
}

if (values.help) process.stdout.write(help);
else {
  process.exitCode = await bench().catch((error: unknown) => {
    say(error instanceof Error ? error.message : String(error));
    return 1;
  });
}
