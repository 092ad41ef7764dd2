/**
 * Waiting by condition. Nothing in the live tests sleeps for a fixed time and hopes.
 */
import { setTimeout as delay } from 'node:timers/promises';

export interface UntilOptions {
  /** What is awaited, as a sentence: "the second desk phone rings". Read when it did not happen. */
  readonly describe: string;
  /** Milliseconds; 5,000 by default. */
  readonly within?: number;
  /** Between two looks; by default 10 for half a second and then 50, so that a long wait does not reach a rate limit. */
  readonly everyMs?: number;
}

const eagerForMs = 500;

type Evidence = () => string | Promise<string>;
const evidence = new Set<Evidence>();

/** Adds to what every failed wait shows (the switch's log, a party's SIP); returns the removal. */
export const addEvidence = (show: Evidence): (() => void) => {
  evidence.add(show);
  return () => {
    evidence.delete(show);
  };
};

export const gatherEvidence = async (): Promise<string> => {
  const parts: string[] = [];
  for (const show of evidence) {
    try {
      parts.push(await show());
    } catch (error) {
      parts.push(`(no evidence: ${String(error)})`);
    }
  }
  return parts.filter((part) => part !== '').join('\n');
};

/**
 * Resolves with the first value of `condition` that is not false, null or undefined. Throws with `describe`, the last
 * exception of the condition and all evidence when the time is up. An exception in the condition counts as "not yet".
 */
export const until = async <T>(condition: () => T | Promise<T>, options: UntilOptions): Promise<Exclude<T, false | null | undefined>> => {
  const within = options.within ?? 5_000;
  const began = performance.now();
  const deadline = began + within;
  for (;;) {
    let trouble: unknown;
    try {
      const value = await condition();
      if (value !== false && value !== null && value !== undefined) return value as Exclude<T, false | null | undefined>;
    } catch (error) {
      trouble = error;
    }
    if (performance.now() > deadline) {
      const last = trouble instanceof Error ? `\nlast error: ${trouble.message}` : '';
      throw new Error(`Not within ${within} ms: ${options.describe}${last}\n${await gatherEvidence()}`);
    }
    await delay(options.everyMs ?? (performance.now() - began < eagerForMs ? 10 : 50));
  }
};

const lookEveryMs = 20;
const stallMs = 100;
const afterStallMs = 400;

/**
 * Holds for `forMs` that the condition stays true: "the other phones go on ringing". Throws when it once is not. A time in
 * which this process did not run does not count, nor what comes right after: it has played nothing then, so that nobody
 * can have heard it.
 */
export const stays = async (condition: () => boolean | Promise<boolean>, options: { readonly describe: string; readonly forMs: number }): Promise<void> => {
  const end = performance.now() + options.forMs;
  let [holds, unsureUntil] = [true, 0];
  do {
    holds = await condition();
    if (!holds && performance.now() > unsureUntil) throw new Error(`It did not stay so for ${options.forMs} ms: ${options.describe}\n${await gatherEvidence()}`);
    const before = performance.now();
    await delay(lookEveryMs);
    const now = performance.now();
    if (now - before > lookEveryMs + stallMs) unsureUntil = now + afterStallMs;
  } while (!holds || performance.now() < Math.max(end, unsureUntil));
};
