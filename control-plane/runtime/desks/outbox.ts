/**
 * What leaves a desk, in order: first what has changed of its agents is kept, the offers among it, then calls are told. So
 * nobody is rung whose reservation was refused. What comes while something is being kept waits, and goes together.
 */
import type { Ms } from '../../core/time.ts';
import type { KeptAgent } from '../../store/ports.ts';
import type { Clock } from '../clock.ts';
import { within } from '../within.ts';
import type { CallsCommand } from './messages.ts';

export interface Outbox {
  put(agents: readonly KeptAgent[], commands: readonly CallsCommand[]): void;
  /** True once all that was put has been kept or, with the store away, is known here; false when another desk has taken over. */
  empty(): Promise<boolean>;
  stop(): void;
}

export interface OutboxOptions {
  readonly clock: Clock;
  /** Undefined: there is no store, or this desk is not to write there. Settles with false where a later desk has begun. */
  readonly keep: ((agents: readonly KeptAgent[]) => Promise<boolean>) | undefined;
  readonly tell: (commands: readonly CallsCommand[]) => void;
  /** Kept, or not to be had kept in time. */
  readonly onAgents: (agents: readonly KeptAgent[]) => void;
  readonly onOvertaken: () => void;
  /** It goes on with what it knows. */
  readonly onAway: (error: unknown) => void;
}

/** A caller and an agent wait for it. */
const storeLimitMs: Ms = 150;

export function createOutbox({ clock, keep, tell, onAgents, onOvertaken, onAway }: OutboxOptions): Outbox {
  /** By id: the newest is all that is kept. */
  let agents = new Map<string, KeptAgent>();
  /** Not kept, and to be tried again with the next. */
  let unkept = new Map<string, KeptAgent>();
  let commands: CallsCommand[] = [];
  let sending: Promise<boolean> | null = null;
  let stopped = false;

  const keepAll = async (changed: ReadonlyMap<string, KeptAgent>): Promise<boolean> => {
    if (keep === undefined) return true;
    const all = new Map([...unkept, ...changed]);
    try {
      unkept = new Map();
      return await within(clock, storeLimitMs, keep([...all.values()]));
    } catch (error) {
      unkept = new Map([...all, ...unkept]);
      onAway(error);
      return true;
    }
  };
  const send = async (): Promise<boolean> => {
    while (agents.size > 0 || commands.length > 0) {
      const [changed, told] = [agents, commands];
      agents = new Map();
      commands = [];
      const mayGoOn = changed.size === 0 || (await keepAll(changed));
      if (stopped) return false;
      if (!mayGoOn) {
        onOvertaken();
        return false;
      }
      if (changed.size > 0) onAgents([...changed.values()]);
      if (told.length > 0) tell(told);
    }
    return !stopped;
  };

  return {
    put: (changed, more) => {
      if (stopped) return;
      for (const agent of changed) agents.set(agent.id, agent);
      commands.push(...more);
      if (sending !== null || (agents.size === 0 && commands.length === 0)) return;
      const done = send().finally(() => { if (sending === done) sending = null; });
      sending = done;
    },
    empty: async () => (sending === null ? !stopped : sending),
    stop: () => { stopped = true; },
  };
}
