/** Who guesses SIP passwords: one SIPp, one registration after the other, each with one password. */
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from '../../control-plane/local-stack/processes.ts';
import { header } from './sip-message.ts';
import { freeUdpPort, startSipp } from './sipp.ts';

export interface Guesses {
  readonly program: Command;
  readonly folder: string;
  readonly remote: { readonly host: string; readonly port: number };
  /** Address they come from. */
  readonly from: string;
  readonly user: string;
  readonly password: string;
  readonly times: number;
}

let guessers = 0;

/** The last answer to each registration, in order: 401 of one that was read and refused, 403 of one that was not read. */
export const guess = async ({ program, folder, remote, from, user, password, times }: Guesses): Promise<readonly number[]> => {
  const answers: number[] = [];
  guessers += 1;
  const own = join(folder, `guesser-${guessers}`);
  mkdirSync(own, { recursive: true });
  for (let time = 0; time < times; time += 1) {
    const sipp = await startSipp({
      program, folder: own, remote, name: `guess ${time}`, local: { host: from, port: await freeUdpPort(from) },
      scenario: 'uac-registers', values: { tag: `guess${randomBytes(4).toString('hex')}`, user, password, expires: 60 }, calls: 1, extraArguments: ['-timeout', '4s'],
    });
    await sipp.exited;
    await sipp.stop();
    // SIPp, refused, sends a BYE too
    const last = sipp.trace.messages.findLast((message) => message.direction === 'received' && header(message, 'cseq')?.endsWith('REGISTER') === true);
    answers.push(Number(/^SIP\/2\.0 (\d{3})/.exec(last?.startLine ?? '')?.[1] ?? 0));
  }
  return answers;
};
