/**
 * Whether every call that is up can be commanded (support/commandable.ts), looked at over and over from the first blow on.
 * A call is looked at from a second after its INVITE until its end, and told to obey once a fault.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { EpochMs, Ms } from '../../control-plane/core/time.ts';
import { lookerAt, type Listed } from '../support/commandable.ts';
import type { Clinic } from './clinic.ts';
import { isFailsafe, type Entry, type Ledger } from './ledger.ts';

export interface Watch {
  /**
   * Settles when every call has been commandable for `forMs`, with the moment from which it was; null when that did not
   * come about in time.
   */
  well(forMs: Ms, withinMs: Ms): Promise<EpochMs | null>;
  /** What was wrong when it was last looked. */
  wrong(): readonly string[];
  /** Each look that found something wrong: when, of how many calls, and of one of them what. */
  looks(): readonly string[];
  stop(): Promise<void>;
}

const everyMs: Ms = 200;
const newMs: Ms = 1000;

export function startWatch(clinic: Clinic, ledger: Ledger): Watch {
  const looker = lookerAt(clinic.admin, () => clinic.seats.map(({ name, process }) => ({ name, process, apiKey: clinic.apiKey })));
  const obeyed = new Set<string>();
  let wrong: readonly string[] = [];
  let wellSince: EpochMs | null = null;
  const begun = Date.now();
  const looks: string[] = [];
  const ending = new AbortController();

  const obeys = async (callId: string): Promise<boolean> => {
    if (obeyed.has(callId)) return true;
    const ok = await looker.obeys(callId);
    if (ok) obeyed.add(callId);
    return ok;
  };

  const look = async (): Promise<readonly string[]> => {
    const at = Date.now();
    const { listed, problem } = await looker.look();
    const byNumber = Map.groupBy(listed, ({ from }) => from);
    // Asked only now: who has ended while the others answered is none of them.
    const calls = ledger.up().filter(({ invitedAt, legs }) => invitedAt < at - newMs && !legs.some(isFailsafe));
    const problems = await Promise.all(calls.map(async (entry): Promise<readonly [Entry, string | null]> => {
      const owners: readonly Listed[] = byNumber.get(entry.from) ?? [];
      const [owner] = owners;
      return [entry, problem(owners) ?? (owner === undefined || (await obeys(owner.callId)) ? null : 'its channel obeys nobody')];
    }));
    return problems.flatMap(([{ from, kind, ended, legs }, problem]) => (problem === null || ended !== null || legs.some(({ answeredAt, endedBy }) => answeredAt !== null && endedBy === 'phone') ? [] : [`${from} (${kind.name}): ${problem}`]));
  };
  const run = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      const at = Date.now();
      wrong = await look().catch((error: unknown) => [String(error)]);
      if (wrong.length > 0) looks.push(`${((at - begun) / 1000).toFixed(1)} s: ${wrong.length} calls, ${wrong[0]}`);
      wellSince = wrong.length > 0 ? null : (wellSince ?? at);
      await delay(everyMs);
    }
  };
  const running = run();

  return {
    well: async (forMs, withinMs) => {
      const from = Date.now();
      while (Date.now() < from + withinMs) {
        if (wellSince !== null && Date.now() - Math.max(wellSince, from) >= forMs) return wellSince;
        await delay(everyMs / 2);
      }
      return null;
    },
    wrong: () => wrong,
    looks: () => looks,
    stop: async () => {
      ending.abort();
      await running;
    },
  };
}
