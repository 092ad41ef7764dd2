/** Desks of the two clinics for tests of the API: they do what they are told, and note it. */
import { newAgent } from '../../control-plane/core/queue/desk.ts';
import type { AgentNow, Desks, QueueNow } from '../../control-plane/http/ports.ts';

export interface TestDesks {
  readonly port: Desks;
  /** What was asked of them, `north desk break`. */
  readonly asked: string[];
  readonly agents: Map<string, AgentNow>;
  readonly queues: Map<string, QueueNow>;
  /** Every method rejects with it while it is there. */
  away: Error | null;
}

export function testDesks(): TestDesks {
  const desks: TestDesks = { port: portOf(() => desks), asked: [], agents: new Map(), queues: new Map(), away: null };
  return desks;
}

function portOf(desks: () => TestDesks): Desks {
  const there = (): TestDesks => {
    const { away } = desks();
    if (away !== null) throw away;
    return desks();
  };
  const change = (account: string, id: string, what: Partial<AgentNow>): void => {
    const { agents, asked } = there();
    asked.push(`${account} ${id} ${JSON.stringify(what)}`);
    agents.set(`${account}/${id}`, { ...(agents.get(`${account}/${id}`) ?? newAgent(id, 1000)), ...what });
  };
  return {
    agents: async (account) => [...there().agents].filter(([key]) => key.startsWith(`${account}/`)).map(([, agent]) => agent),
    queue: async (account, id) => there().queues.get(`${account}/${id}`) ?? null,
    chooseStatus: async (account, id, status) => { change(account, id, { status, statusAt: 2000 }); },
    logIn: async (account, id, devices) => { change(account, id, { devices }); },
    logOut: async (account, id) => { change(account, id, { devices: [] }); },
    ready: async (account, id) => { change(account, id, { ready: true }); },
  };
}
