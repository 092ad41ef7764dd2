/** Queues as numbers for `/metrics`, told by the controller that runs their desk. */
import { stateOf } from '../../core/queue/presence.ts';
import type { AgentState, Desk } from '../../core/queue/desk.ts';
import type { EpochMs } from '../../core/time.ts';
import type { Reading } from '../../telemetry/prometheus.ts';
import type { Desks } from './desks.ts';

const states: readonly AgentState[] = ['idle', 'offered', 'on-call', 'wrap-up'];

export function deskReadings(desks: Pick<Desks, 'running'>, now: EpochMs): readonly Reading[] {
  return desks.running().flatMap(({ account, desk, figures }) => [
    ...Object.entries(desk.queues).flatMap(([queue, { waiting }]) => [
      { name: 'queue_calls_waiting', help: 'Calls that wait in a queue, callbacks among them.', labels: { account, queue }, value: waiting.length },
      { name: 'queue_longest_wait_seconds', help: 'Of the calls that wait, how long the one has that has waited longest.', labels: { account, queue }, value: Math.max(0, ...waiting.map(({ joinedAt }) => now - joinedAt)) / 1000 },
    ]),
    ...states.map((state) => ({ name: 'queue_agents', help: 'Agents who are logged in, by what they do.', labels: { account, state }, value: agentsIn(desk, state, now) })),
    ...[...figures.offers()].map(({ queue, outcome, count }) => ({ name: 'queue_offers', help: 'Offers that have ended since this controller began to run the queue.', labels: { account, queue, outcome }, value: count })),
  ]);
}

function agentsIn({ agents }: Desk, state: AgentState, now: EpochMs): number {
  return Object.values(agents).filter((agent) => agent.status !== 'offline' && agent.devices.length > 0 && stateOf(agent, now) === state).length;
}
