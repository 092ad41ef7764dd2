/**
 * `npm run chaos`: a busy clinic with several controllers is struck by one fault after the other, and every call is
 * accounted for. Standard output has the table alone.
 */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import type { SwitchKind } from '../support/premises.ts';
import { mostControllers, openClinic } from './clinic.ts';
import { faultNames, type FaultName } from './faults.ts';
import { lossesOf, reportOf, tableOf } from './report.ts';
import { lengthOf, playRound, type Round } from './round.ts';

const help = `npm run chaos -- [options]

  --rate 20            new calls per second
  --up 200             calls up at the moment of a fault
  --switch asterisk    or freeswitch: that of FREESWITCH_HOME
  --controllers 2      how many share the switch, Redis and Postgres
  --faults a,b         of ${faultNames.join(', ')}; all by default
  --times 1            how often each
  --json FILE          the same as JSON, with a line for each loss
  --help

Two thirds of the calls wait for most of their time: they ring, by every pattern and along chains of no-answer routing, ask a
mobile for a key, have an extension dialled behind a switchboard, hear an announcement, are in a menu, wait in a queue or speak to voicemail.
Each call is followed on the wire, by its Call-ID, to its end. Turns: how often each phone of a round-robin group rang first.
Ends with 1 when a call was dropped or misrouted, a record is missing, double or names another than who talked, turns were
not even, or something is left over.
`;

const { values } = parseArgs({
  options: {
    switch: { type: 'string', default: 'asterisk' }, rate: { type: 'string', default: '20' }, up: { type: 'string', default: '200' }, controllers: { type: 'string', default: '2' }, faults: { type: 'string' },
    times: { type: 'string', default: '1' }, json: { type: 'string' }, help: { type: 'boolean', default: false },
  },
});

const say = (line: string): void => { process.stderr.write(`${line}\n`); };

function whole(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least || value > most) throw new Error(`--${name} takes a whole number from ${least} to ${most}, not ${JSON.stringify(text)}`);
  return value;
}

function chosen(text: string | undefined): readonly FaultName[] {
  if (text === undefined) return faultNames;
  return text.split(',').map((name) => {
    const found = faultNames.find((known) => known === name);
    if (found === undefined) throw new Error(`There is no fault ${JSON.stringify(name)}; there are ${faultNames.join(', ')}`);
    return found;
  });
}

function switchNamed(name: string): SwitchKind {
  if (name !== 'asterisk' && name !== 'freeswitch') throw new Error(`--switch is asterisk or freeswitch, not ${JSON.stringify(name)}`);
  return name;
}

async function chaos(): Promise<number> {
  const [rate, up, controllers] = [whole('rate', values.rate, 1, 200), whole('up', values.up, 1, 2000), whole('controllers', values.controllers, 2, mostControllers)];
  const times = whole('times', values.times, 1, 10);
  const wanted = chosen(values.faults).flatMap((fault) => Array.from({ length: times }, () => fault));
  const clinic = await openClinic({ switch: switchNamed(values.switch), controllers, lengthMs: lengthOf({ rate, up }), progress: say });
  try {
    const rounds: Round[] = [];
    for (const [index, fault] of wanted.entries()) {
      say(`${index + 1} of ${wanted.length}: ${fault}`);
      const round = await playRound(clinic, { fault, number: index + 1, rate, up, say });
      rounds.push(round);
      const losses = lossesOf(round);
      say(`  ${round.calls} calls, ${losses.length} losses`);
      for (const loss of losses.slice(0, 10)) say(`  ${loss}`);
    }
    const report = reportOf(rounds, { rate, controllers, switch: clinic.switchName });
    process.stdout.write(`${tableOf(report)}\n`);
    if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(report, null, 2)}\n`);
    return report.clean ? 0 : 1;
  } finally {
    if (process.env['FRONTDESK_KEEP_TRACES'] !== undefined) say(`Traces and logs are kept in ${clinic.root}`);
    await clinic.close();
  }
}

if (values.help) process.stdout.write(help);
else {
  process.exitCode = await chaos().catch((error: unknown) => {
    say(error instanceof Error ? error.message : String(error));
    return 1;
  });
}
