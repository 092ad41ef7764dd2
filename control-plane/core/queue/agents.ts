/** What is heard of an agent: status as chosen, devices as logged in, calls as measured. */
import type { EpochMs } from '../time.ts';
import type { AgentId, DeviceId, QueueId } from './config.ts';
import type { Agent, AgentRecord, Status } from './desk.ts';
import type { Measured } from './events.ts';
import { agentOf, changeAgent, fact, offerOf, setAgent, type Draft } from './draft.ts';
import { withdraw } from './offers.ts';
import { callsBeside, isPresent, stateOf } from './presence.ts';
import { released } from './service.ts';

export function statusChosen(draft: Draft, id: AgentId, status: Status, at: EpochMs): void {
  const agent = agentOf(draft, id);
  if (at <= agent.statusAt) return;
  // Who comes from a break has been without a call no longer than that.
  const back = isPresent(agent, 'available', draft.now) ? {} : { idleSince: Math.max(agent.wrapUpUntil, draft.now) };
  changeAgent(draft, id, { ...back, status, statusAt: at, missed: 0, ready: status === 'on-demand' && agent.ready });
  if (status !== agent.status) fact(draft, { type: 'AgentStatusChanged', agent: id, status, by: 'agent' });
  arrived(draft, agent);
  dropOfferOfWhoLeft(draft, id);
}

export function loggedIn(draft: Draft, id: AgentId, devices: readonly DeviceId[], at: EpochMs): void {
  const agent = agentOf(draft, id);
  if (at <= agent.devicesAt) return;
  const back = agent.devices.length > 0 ? {} : { idleSince: Math.max(agent.wrapUpUntil, draft.now) };
  changeAgent(draft, id, { ...back, devices, devicesAt: at });
  takeDevices(draft);
  arrived(draft, agent);
  dropOfferOfWhoLeft(draft, id);
}

function byLogIn(a: Agent, b: Agent): number {
  return a.devicesAt - b.devicesAt || (a.id < b.id ? -1 : 1);
}

/** A phone is of one agent: of who has logged in on it last. Whoever has it beside is logged out of it. */
export function takeDevices(draft: Draft): void {
  const owners = new Map<DeviceId, AgentId>();
  const agents = Object.values(draft.agents).filter(({ devices }) => devices.length > 0).toSorted(byLogIn);
  for (const { id, devices } of agents) for (const device of devices) owners.set(device, id);
  for (const { id, devices } of agents) {
    const kept = devices.filter((device) => owners.get(device) === id);
    if (kept.length === devices.length) continue;
    // By when they were taken, that no older record brings them back.
    const takenAt = Math.max(...devices.filter((device) => !kept.includes(device)).map((device) => agentOf(draft, owners.get(device) ?? id).devicesAt));
    changeAgent(draft, id, { devices: kept, devicesAt: takenAt });
    dropOfferOfWhoLeft(draft, id);
  }
}

/** Who comes to work begins with as many calls as who has had the fewest of those who are there. */
function arrived(draft: Draft, before: Agent): void {
  const agent = agentOf(draft, before.id);
  if (isPresent(before, 'logged-in', draft.now) || !isPresent(agent, 'logged-in', draft.now)) return;
  const taken: Record<QueueId, AgentRecord['taken'][string]> = { ...agent.taken };
  for (const { config } of Object.values(draft.queues)) {
    const listed = config.tiers.flatMap((tier) => tier.agents.map((one) => one.agent));
    if (!listed.includes(agent.id)) continue;
    const others = listed.filter((id) => id !== agent.id).map((id) => agentOf(draft, id)).filter((one) => isPresent(one, 'logged-in', draft.now));
    if (others.length === 0) continue;
    const fewest = Math.min(...others.map((one) => one.taken[config.id]?.calls ?? 0));
    const own = taken[config.id] ?? { calls: 0, lastAt: 0 };
    if (fewest > own.calls) taken[config.id] = { ...own, calls: fewest };
  }
  changeAgent(draft, agent.id, { taken });
}

function dropOfferOfWhoLeft(draft: Draft, id: AgentId): void {
  const agent = agentOf(draft, id);
  const offer = agent.offer === null ? undefined : offerOf(draft, agent.offer);
  if (offer !== undefined && !isPresent(agent, 'available', draft.now)) withdraw(draft, offer, 'rescinded', 'agent-left');
}

export function agentReady(draft: Draft, id: AgentId): void {
  const agent = agentOf(draft, id);
  const early = stateOf(agent, draft.now) === 'wrap-up' ? { idleSince: draft.now } : {};
  const { wrapUpUntil, restUntil } = agent;
  changeAgent(draft, id, { ...early, ready: agent.status === 'on-demand', wrapUpUntil: Math.min(wrapUpUntil, draft.now), restUntil: Math.min(restUntil, draft.now) });
}

/** Between the acceptance and the two talking the call's side says what becomes of it: not having it measured does not. */
export function measured(draft: Draft, id: AgentId, { n, calls }: Measured): void {
  const before = agentOf(draft, id);
  if (n <= before.measured) return;
  const agent: Agent = { ...before, calls, measured: n };
  const beside = callsBeside(agent, draft.now);
  const isOver = beside.length === 0 && callsBeside(before, draft.now).length > 0 && agent.service === null;
  setAgent(draft, isOver ? { ...agent, idleSince: Math.max(agent.wrapUpUntil, draft.now) } : agent);
  const offer = agent.offer === null ? undefined : offerOf(draft, agent.offer);
  if (offer !== undefined && beside.length > 0) withdraw(draft, offer, 'rescinded', 'agent-on-call');
  const { service } = agent;
  if (service === null) return;
  if (calls.includes(service.place.callId)) changeAgent(draft, id, { service: { ...service, seen: true } });
  else if (service.seen && service.connectedAt !== null) released(draft, service.offerId);
}
