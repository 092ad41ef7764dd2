/**
 * Agents of all accounts as last known here: told by the desk, read from the store, or of a desk of this controller's own.
 * For those who ask, and for a desk that begins when nobody else can be asked.
 */
import type { AgentRecord } from '../../core/queue/desk.ts';
import type { KeptAgent } from '../../store/ports.ts';

export interface Roster {
  set(account: string, agents: readonly KeptAgent[]): void;
  of(account: string): readonly KeptAgent[];
  all(): Readonly<Record<string, readonly KeptAgent[]>>;
}

export function createRoster(): Roster {
  const accounts = new Map<string, Map<string, KeptAgent>>();
  return {
    set: (account, agents) => {
      const known = accounts.get(account) ?? new Map<string, KeptAgent>();
      accounts.set(account, known);
      for (const agent of agents) known.set(agent.id, agent);
    },
    of: (account) => [...(accounts.get(account)?.values() ?? [])],
    all: () => Object.fromEntries([...accounts].map(([account, agents]) => [account, [...agents.values()]])),
  };
}

/** One agent as several desks knew them, which may have run at the same time: what was chosen last holds, and what came last. */
export function mergeAgents(lists: readonly (readonly KeptAgent[])[]): readonly KeptAgent[] {
  const merged = new Map<string, KeptAgent>();
  for (const agent of lists.flat()) {
    const known = merged.get(agent.id);
    merged.set(agent.id, known === undefined ? agent : merge(known, agent));
  }
  return [...merged.values()];
}

function merge(a: KeptAgent, b: KeptAgent): KeptAgent {
  const [chosen, loggedIn, later] = [b.statusAt > a.statusAt ? b : a, b.devicesAt > a.devicesAt ? b : a, b.stateSince > a.stateSince ? b : a];
  const taken: Record<string, AgentRecord['taken'][string]> = { ...a.taken };
  for (const [queue, { calls, lastAt }] of Object.entries(b.taken)) taken[queue] = { calls: Math.max(calls, taken[queue]?.calls ?? 0), lastAt: Math.max(lastAt, taken[queue]?.lastAt ?? 0) };
  return {
    ...later, status: chosen.status, statusAt: chosen.statusAt, ready: chosen.ready, devices: loggedIn.devices, devicesAt: loggedIn.devicesAt, taken,
    wrapUpUntil: Math.max(a.wrapUpUntil, b.wrapUpUntil), restUntil: Math.max(a.restUntil, b.restUntil), idleSince: Math.max(a.idleSince, b.idleSince),
  };
}
