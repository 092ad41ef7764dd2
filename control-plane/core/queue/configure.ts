/** The queues of the account, anew: what they remember stays, and who waits in one that is no more is sent on. */
import type { QueueConfig } from './config.ts';
import type { Queue } from './desk.ts';
import { agentOf, offerOf, queueOf, setAgent, type Draft } from './draft.ts';
import { sendOn } from './leaving.ts';
import { changeWaiting } from './line.ts';
import { withdraw } from './offers.ts';
import { firstTold } from './service.ts';

export function configure(draft: Draft, configs: readonly QueueConfig[]): void {
  for (const [id, { waiting }] of Object.entries(draft.queues)) {
    if (!configs.some((config) => config.id === id)) for (const call of waiting) sendOn(draft, call, 'closed');
  }
  draft.queues = Object.fromEntries(configs.map((config) => [config.id, configured(queueOf(draft, config.id), config)]));
  draft.ownLines.clear();
  for (const config of configs) {
    for (const { agent } of config.tiers.flatMap(({ agents }) => agents)) if (!Object.hasOwn(draft.agents, agent)) setAgent(draft, agentOf(draft, agent));
    for (const call of queueOf(draft, config.id)?.waiting ?? []) {
      const { tellAt, callback } = call;
      changeWaiting(draft, call, { tellAt: config.announce === null ? null : (tellAt ?? firstTold(draft, callback !== null, config.announce.firstMs)) });
      for (const offer of call.offers.map((id) => offerOf(draft, id))) {
        if (offer !== undefined && !lists(config, offer.agent)) withdraw(draft, offer, 'rescinded', 'queue-changed');
      }
    }
  }
}

function configured(known: Queue | undefined, config: QueueConfig): Queue {
  if (known === undefined) return { config, waiting: [], lastAsked: null, credit: {}, handled: [], emptySince: null };
  return { ...known, config, credit: Object.fromEntries(Object.entries(known.credit).filter(([agent]) => lists(config, agent))) };
}

function lists({ tiers }: QueueConfig, id: string): boolean {
  return tiers.some(({ agents }) => agents.some(({ agent }) => agent === id));
}
