/** The controller that runs the desks, as others hear of it: who it is, by which epoch, and what it tells of agents. */
import type { AgentRecords, KeptAgent } from '../../store/ports.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Roster } from './roster.ts';

export interface Following {
  /** Null: none is known of. */
  leader(): string | null;
  /** The latest that is known of; one that a controller has for its own calls alone is not among them. */
  epoch(): number;
  /** past: whoever says it has been followed by another. */
  hears(from: string, epoch: number): 'past' | 'known' | 'new';
  /** Of agents; `told` counts what was told under this epoch. */
  agentsAre(account: string, agents: readonly KeptAgent[], told: number): void;
  /** So much was told: what was missed is read from the store. */
  wasTold(told: number): void;
  /** Of what is known here of agents some is this controller's own doing: with the next beat all is read. */
  forget(): void;
  readAll(): Promise<void>;
}

export interface FollowingOptions {
  readonly accounts: () => Iterable<string>;
  readonly records: AgentRecords | undefined;
  readonly roster: Roster;
  readonly log: Log;
}

export function createFollowing({ accounts, records, roster, log }: FollowingOptions): Following {
  let leader: string | null = null;
  let epoch = 0;
  /** Null: nothing of what was told. */
  let heard: number | null = null;
  let changes = 0;
  const readAll = async (): Promise<void> => {
    const before = changes;
    try {
      for (const account of accounts()) {
        const { agents } = (await records?.read(account)) ?? { agents: [] };
        // What was told meanwhile is newer, or is not: asked again.
        if (changes !== before) heard = null;
        else roster.set(account, agents);
      }
    } catch (error) {
      heard = null;
      log.debug({ error: String(error) }, 'Agents could not be read');
    }
  };
  return {
    leader: () => leader,
    epoch: () => epoch,
    hears: (from, of) => {
      if (of < epoch) return 'past';
      leader = from;
      if (of === epoch) return 'known';
      epoch = of;
      heard = null;
      changes += 1;
      return 'new';
    },
    agentsAre: (account, agents, told) => {
      roster.set(account, agents);
      changes += 1;
      // One that was missed is noticed by the next beat.
      if (heard !== null && told === heard + 1) heard = told;
    },
    wasTold: (told) => {
      if (told === heard) return;
      heard = told;
      void readAll();
    },
    forget: () => {
      heard = null;
      changes += 1;
    },
    readAll,
  };
}
