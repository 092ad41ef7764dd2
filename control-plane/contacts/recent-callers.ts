/**
 * When a number last called an account. In memory and bounded: the numbers that have not called for longest are
 * forgotten. What is known at a start is of the records of calls; then of each call as it comes, here or at another
 * controller. So it is a help for routing and no proof: a call that another controller had while Redis was away is not
 * known, until both have started again.
 */
import { e164Of } from '../core/routing/e164-of.ts';
import type { E164 } from '../core/routing/config.ts';
import type { EpochMs } from '../core/time.ts';
import type { CallerSeen } from '../store/ports.ts';

export interface RecentCallers {
  readonly lastCallAt: (account: string, number: E164) => EpochMs | undefined;
  /** A call has come; an older one than is known changes nothing. */
  note(seen: CallerSeen): void;
  /** Of the past, newest first, in pages: what is known already stays. Settles when there are no more, or no room. */
  learn(pages: AsyncIterable<readonly CallerSeen[]>): Promise<void>;
  size(): number;
}

/** About 30 MB. */
export const rememberedCallers = 200_000;

export function createRecentCallers(most = rememberedCallers): RecentCallers {
  /** The one that called last comes last. */
  let callers = new Map<string, EpochMs>();

  const note = ({ account, number, at }: CallerSeen): void => {
    const key = keyOf(account, number);
    if ((callers.get(key) ?? -Infinity) >= at) return;
    callers.delete(key);
    callers.set(key, at);
    const [oldest] = callers.size > most ? callers.keys() : [];
    if (oldest !== undefined) callers.delete(oldest);
  };

  return {
    lastCallAt: (account, number) => callers.get(keyOf(account, number)),
    note,
    learn: async (pages) => {
      const past = new Map<string, CallerSeen>();
      for await (const page of pages) {
        for (const seen of page) {
          const key = keyOf(seen.account, seen.number);
          if (!past.has(key)) past.set(key, seen);
        }
        if (past.size >= most) break;
      }
      const since = callers;
      callers = new Map();
      for (const seen of [...past.values()].toReversed().slice(-most)) note(seen);
      for (const [key, at] of since) {
        const [account = '', number = ''] = key.split(' ');
        note({ account, number, at });
      }
    },
    size: () => callers.size,
  };
}

function keyOf(account: string, number: E164): string {
  return `${account} ${number}`;
}

/** Of a call's caller; undefined for one who shows no telephone number. */
export function callerSeen(account: string, number: string, at: EpochMs): CallerSeen | undefined {
  const e164 = e164Of(number);
  return account === '' || e164 === undefined ? undefined : { account, number: e164, at };
}
