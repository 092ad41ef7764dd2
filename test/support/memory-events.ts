/** The stores of events in memory, for tests of what stands on them. */
import { comparePlaces } from '../../control-plane/events/feed.ts';
import type { NewEvent } from '../../control-plane/events/catalogue.ts';
import type { DeadLetter, DeadLetterFilter, EventLog, Kept, WebhookState, WebhookStore } from '../../control-plane/store/event-ports.ts';
import { pageOf } from './memory-page.ts';

export interface MemoryEventLog extends EventLog {
  /** Every request is rejected. */
  away: boolean;
  /** The ids it gave. */
  add(...events: readonly NewEvent[]): Promise<readonly string[]>;
  /** Keeps the last alone. */
  trim(account: string, keep: number): void;
  /** Loses all it knew; its clock stands at so much. */
  empty(at: number): void;
}

/** Gives ids as Redis does: a time, and a number within it. */
export function memoryEventLog(): MemoryEventLog {
  const streams = new Map<string, Kept[]>();
  const sent = new Map<string, number>();
  const waiting = new Set<() => void>();
  let clock = 1_763_740_000_000;
  let given: string[] = [];
  const there = (): void => { if (log.away) throw new Error('The store is away'); };
  const id = (): string => `${++clock}-0`;
  const news = (places: ReadonlyMap<string, string>): ReadonlyMap<string, readonly Kept[]> =>
    new Map([...places].map(([account, after]) => [account, (streams.get(account) ?? []).filter((one) => comparePlaces(one.id, after) > 0)] as const).filter(([, some]) => some.length > 0));
  const wakeAll = (): void => { for (const wake of waiting) wake(); };
  const log: MemoryEventLog = {
    away: false,
    append: async (publisher, events) => {
      there();
      for (const { n, event } of events) {
        if (n <= (sent.get(publisher) ?? 0)) continue;
        sent.set(publisher, n);
        const stream = streams.get(event.account) ?? [{ id: id(), event: 'began' }];
        const at = id();
        stream.push({ id: at, event: { id: at, ...event } });
        streams.set(event.account, stream);
        given.push(at);
      }
      wakeAll();
    },
    read: async (account, after, limit) => {
      there();
      return (news(new Map([[account, after]])).get(account) ?? []).slice(0, limit);
    },
    ends: async (account) => {
      there();
      const [first, ...rest] = streams.get(account) ?? [];
      return first === undefined ? null : { first, last: rest.at(-1)?.id ?? first.id };
    },
    listen: () => {
      let rung = false;
      let stopped = false;
      return {
        next: async (places) => {
          for (;;) {
            there();
            if (stopped) throw new Error('It was stopped');
            const found = news(places);
            if (found.size > 0 || rung) {
              rung = false;
              return found;
            }
            await new Promise<void>((resolve) => {
              const wake = (): void => {
                waiting.delete(wake);
                resolve();
              };
              waiting.add(wake);
            });
          }
        },
        ring: () => {
          rung = true;
          wakeAll();
        },
        stop: () => {
          stopped = true;
          wakeAll();
        },
      };
    },
    add: async (...events) => {
      given = [];
      await log.append('test', events.map((event, i) => ({ n: (sent.get('test') ?? 0) + i + 1, event })));
      return given;
    },
    trim: (account, keep) => { streams.set(account, (streams.get(account) ?? []).slice(-keep)); },
    empty: (at) => {
      streams.clear();
      clock = at;
      wakeAll();
    },
  };
  return log;
}

const matching = ({ account, webhook, from, to, seq: one }: DeadLetterFilter) => (letter: DeadLetter): boolean =>
  letter.account === account && letter.webhook === webhook && letter.event.at >= (from ?? 0) && letter.event.at <= (to ?? Infinity) && letter.seq === (one ?? letter.seq);

export function memoryWebhooks(there: () => void): WebhookStore {
  const states = new Map<string, WebhookState>();
  let letters: DeadLetter[] = [];
  let seq = 0;
  const save = async (state: WebhookState): Promise<void> => {
    there();
    const before = states.get(`${state.account}/${state.webhook}`);
    states.set(`${state.account}/${state.webhook}`, before !== undefined && comparePlaces(before.cursor, state.cursor) > 0 ? { ...state, cursor: before.cursor } : state);
  };
  return {
    states: async () => { there(); return [...states.values()]; },
    save,
    forget: async (account, webhook) => {
      there();
      states.delete(`${account}/${webhook}`);
      letters = letters.filter((letter) => !matching({ account, webhook })(letter));
    },
    bury: async (letter, state) => {
      await save(state);
      letters.push({ ...letter, seq: ++seq, replayAt: null });
    },
    deadLetters: async (filter, page) => { there(); return pageOf(letters.filter(matching(filter)).toReversed(), page); },
    replay: async (filter, at) => {
      there();
      const chosen = new Set(letters.filter(matching(filter)));
      letters = letters.map((letter) => (chosen.has(letter) ? { ...letter, replayAt: letter.replayAt ?? at } : letter));
      return chosen.size;
    },
    toReplay: async (limit) => { there(); return letters.filter(({ replayAt }) => replayAt !== null).toSorted((a, b) => a.event.at - b.event.at).slice(0, limit); },
    replayed: async (one, why) => {
      there();
      letters = letters.flatMap((letter) => (letter.seq !== one ? [letter] : why === null ? [] : [{ ...letter, replayAt: null, attempts: letter.attempts + 1, why }]));
    },
    removeBefore: async (at) => {
      there();
      const before = letters.length;
      letters = letters.filter(({ diedAt }) => diedAt >= at);
      return before - letters.length;
    },
  };
}
