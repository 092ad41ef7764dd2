/**
 * `npm run bench`: calls through Frontdesk against calls through a native `Dial()`, on the same Asterisk in one run,
 * in alternating rounds, so that a noisy machine is noisy for both. Standard output has the table alone.
 */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { openClinic, paths } from './clinic.ts';
import { inspect } from './inspector.ts';
import { measureMemory } from './memory.ts';
import { reportOf, tableOf } from './report.ts';
import { playRound, type Round } from './round.ts';

const help = `npm run bench -- [options]

  --rates 50,100,150   calls per second, a group of rounds for each
  --seconds 8          length of a round
  --rounds 2           rounds of each path at each rate, alternating
  --live 300           live calls with which memory is measured; 0 for none
  --json FILE          the figures as JSON
  --profile FILE       a CPU profile of the controller in one more round at the highest rate, for Chrome DevTools
  --help

Calls come from SIPp over a trunk and ring two phones: one answers at once, the other rings until it is canceled. The
controller runs with the product's defaults: journal on disk and in Redis, CDRs, caller ID.
Ends with 1 when a call that was taken has not exactly one CDR or something is left of a call. A missed target is only reported.
`;

const { values } = parseArgs({
  options: {
    rates: { type: 'string', default: '50,100,150' }, seconds: { type: 'string', default: '8' }, rounds: { type: 'string', default: '2' },
    live: { type: 'string', default: '300' }, json: { type: 'string' }, profile: { type: 'string' }, help: { type: 'boolean', default: false },
  },
});

const say = (line: string): void => { process.stderr.write(`${line}\n`); };

function positive(name: string, text: string, least = 1): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least || value > 10_000) throw new Error(`--${name} takes whole numbers from ${least} to 10000, not ${JSON.stringify(text)}`);
  return value;
}

async function bench(): Promise<number> {
  const rates = values.rates.split(',').map((rate) => positive('rates', rate));
  const [seconds, rounds, live] = [positive('seconds', values.seconds), positive('rounds', values.rounds), positive('live', values.live, 0)];
  const clinic = await openClinic(say);
  try {
    const done: Round[] = [];
    // code that has run often is compiled, caches are filled
    for (const path of paths) await playRound(clinic, { path, rate: 50, seconds: 4 });
    for (const rate of rates) {
      for (let again = 0; again < rounds; again += 1) {
        for (const path of paths) {
          const round = await playRound(clinic, { path, rate, seconds });
          done.push(round);
          say(`${path} ${rate}/s: ${round.calls} calls, ${round.failed} failed${round.left.length > 0 ? `, ${round.left.length} things left` : ''}`);
          for (const error of round.errors.slice(0, 3)) say(`  ${error}`);
        }
      }
    }
    const memory = live === 0 && values.profile === undefined ? null : await inside(live, Math.max(...rates));
    const report = reportOf(done, memory, clinic.asterisk.version);
    process.stdout.write(`${tableOf(report)}\n`);
    if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(report, null, 2)}\n`);
    return report.faults.length === 0 ? 0 : 1;
  } finally {
    await clinic.close();
  }

  async function inside(calls: number, rate: number): Promise<Awaited<ReturnType<typeof measureMemory>> | null> {
    const inspector = await inspect(clinic.controller.pid, () => clinic.controller.output());
    try {
      if (values.profile !== undefined) {
        await inspector.startProfile();
        await playRound(clinic, { path: 'frontdesk', rate, seconds });
        await writeFile(values.profile, await inspector.stopProfile());
      }
      return calls === 0 ? null : await measureMemory(clinic, inspector, calls);
    } catch (error) {
      // the rounds are played and their figures stand
      say(`Memory was not measured: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)}`);
      return null;
    } finally {
      inspector.close();
    }
  }
}

if (values.help) process.stdout.write(help);
else {
  process.exitCode = await bench().catch((error: unknown) => {
    say(error instanceof Error ? error.message : String(error));
    return 1;
  });
}
