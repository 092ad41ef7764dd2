/** Rounds by several ways in one run, alternating, so that a noisy machine is noisy for all. */
import type { SwitchKind } from '../support/premises.ts';
import { openClinic, type Clinic } from './clinic.ts';
import { playRound, type Round, type Way } from './round.ts';

/**
 * One controller, and past it `Dial()`, or `bridge` on FreeSWITCH; to see what sharing costs, also two controllers, and one that shares nothing. Each
 * clinic has a switch and a Redis of its own, which are idle while it is another's turn.
 */
export async function openWays(compare: boolean, phones: 1 | 2, kind: SwitchKind, progress: (line: string) => void): Promise<{ readonly ways: readonly Way[]; readonly one: Clinic; readonly close: () => Promise<void> }> {
  const clinics: Clinic[] = [];
  const close = async (): Promise<void> => {
    for (const clinic of clinics) await clinic.close();
  };
  const open = async (options: Omit<Parameters<typeof openClinic>[0], 'phones' | 'progress' | 'switch'>): Promise<Clinic> => {
    const clinic = await openClinic({ ...options, phones, progress, switch: kind });
    clinics.push(clinic);
    return clinic;
  };
  try {
    const one = await open({ controllers: 1 });
    const ways = [{ name: 'native', clinic: one, native: true }, { name: 'frontdesk', clinic: one, native: false }];
    if (compare) {
      ways.push({ name: 'two', clinic: await open({ controllers: 2 }), native: false });
      ways.push({ name: 'unshared', clinic: await open({ controllers: 1, preload: 'unshared.ts' }), native: false });
    }
    return { ways, one, close };
  } catch (error) {
    await close();
    throw error;
  }
}

export interface RoundsOptions {
  readonly rates: readonly number[];
  readonly seconds: number;
  readonly rounds: number;
  readonly say: (line: string) => void;
}

export async function playRounds(ways: readonly Way[], { rates, seconds, rounds, say }: RoundsOptions): Promise<readonly Round[]> {
  const done: Round[] = [];
  // code that has run often is compiled, caches are filled
  if (rounds > 0) for (const way of ways) await playRound(way, { rate: 50, seconds: 4 });
  for (const rate of rates) {
    for (let again = 0; again < rounds; again += 1) {
      for (const way of ways) {
        const round = await playRound(way, { rate, seconds });
        done.push(round);
        say(`${way.name} ${rate}/s: ${round.calls} calls, ${round.failed} failed${round.left.length > 0 ? `, ${round.left.length} things left` : ''}`);
        if (round.failed > 0) say(`  successful: ${Object.entries(round.counts).map(([who, { successful }]) => `${who} ${successful}`).join(', ')}`);
        for (const error of round.errors.slice(0, 3)) say(`  ${error}`);
      }
    }
  }
  return done;
}
