/**
 * What the store has of agents, for desks that begin. Each account stands for itself: of one whose records cannot be read
 * its desk goes on with what is known here, nothing is written over what may be there, and it is read again.
 */
import type { AgentId } from '../../core/queue/config.ts';
import { second, type Ms } from '../../core/time.ts';
import type { AgentRecords, KeptAgent } from '../../store/ports.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Clock } from '../clock.ts';
import { within } from '../within.ts';

type ByAccount = ReadonlyMap<string, readonly KeptAgent[]>;

export interface KeptAgents {
  /** Of these accounts, as far as they could be read. */
  read(accounts: ReadonlySet<string>): Promise<ByAccount>;
  /** Of all others that could not be read before. */
  readAgain(but: ReadonlySet<string>): Promise<ByAccount>;
  wereRead(account: string): boolean;
  /** Sentences. */
  problems(): readonly string[];
}

export interface KeptAgentsOptions {
  readonly clock: Clock;
  /** Undefined: nothing is kept. */
  readonly records: AgentRecords | undefined;
  /** The desk does not know what this agent has chosen, and is to. */
  readonly isMissed: (account: string, agent: AgentId) => boolean;
  readonly log: Log;
}

const limitMs: Ms = second;
const namedAtMost = 10;

export function createKeptAgents({ clock, records, isMissed, log }: KeptAgentsOptions): KeptAgents {
  /** Why, by account. */
  const unread = new Map<string, string>();
  const unreadable = new Map<string, readonly AgentId[]>();

  const read = async (accounts: Iterable<string>): Promise<ByAccount> => {
    const all = new Map<string, readonly KeptAgent[]>();
    if (records === undefined) return all;
    const fresh: string[] = [];
    const failed = (account: string, why: string): void => {
      if (!unread.has(account)) fresh.push(account);
      unread.set(account, why);
    };
    await Promise.all([...accounts].map(async (account) => {
      try {
        const kept = await within(clock, limitMs, records.read(account));
        if (kept.unreadable === 'all') {
          failed(account, 'something else is kept in their place');
          return;
        }
        unread.delete(account);
        unreadable.set(account, kept.unreadable);
        if (kept.unreadable.length > 0) log.error({ account, agents: kept.unreadable }, 'What is kept of these agents is no record of one: their queues go on without it, and they are as if they had never chosen a status');
        all.set(account, kept.agents);
      } catch (error) {
        failed(account, error instanceof Error ? error.message : String(error));
      }
    }));
    if (fresh.length > 0) log.warn({ accounts: fresh, error: unread.get(fresh[0] ?? '') }, 'Agents’ records cannot be read: the desks of these accounts go on with what is known here');
    return all;
  };

  return {
    read,
    readAgain: (but) => read([...unread.keys()].filter((account) => !but.has(account))),
    wereRead: (account) => !unread.has(account),
    problems: () => {
      const lost = [...unreadable].map(([account, ids]) => ({ account, ids: ids.filter((id) => isMissed(account, id)) })).filter(({ ids }) => ids.length > 0);
      return [
        ...(unread.size === 0 ? [] : [`What is kept of the agents of ${named([...unread.keys()])} cannot be read (${[...unread.values()][0] ?? ''}): their queues go on with what is known here, and agents who are taken for away have to choose their status anew. It is tried again every ten seconds; where it stays, delete it: redis-cli DEL fd:desks:agents:<account>.`]),
        ...(lost.length === 0 ? [] : [`What was kept of agents of ${named(lost.map(({ account, ids }) => `${account} (${named(ids)})`))} cannot be read: they are taken for away until they log in, or choose their status, anew.`]),
      ];
    },
  };
}

/** The first of them, and how many more. */
export function named(names: readonly string[]): string {
  return `${names.slice(0, namedAtMost).join(', ')}${names.length > namedAtMost ? ` and ${names.length - namedAtMost} more` : ''}`;
}
