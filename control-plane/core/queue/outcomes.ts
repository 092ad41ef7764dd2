/**
 * What becomes of an offer, and what that means:
 *   accepted   the agent has the call; every other offer of it is rescinded
 *   rejected   declined or busy: the agent rests for the delay of that; unreachable: as missed
 *   timed-out  it rang its time: missed, and so many in a row put the agent on a break
 *   canceled   by the call's side: the agent is as before it, once nothing of it rings any more
 *   rescinded  by the desk: the same, but for one that nobody spoke of any more
 * The call keeps its place in all of them.
 */
import type { AgentId } from './config.ts';
import { callOfOffer, type Offer, type OfferId, type Service } from './desk.ts';
import type { DeskEvent } from './events.ts';
import { agentOf, changeAgent, command, fact, offerOf, queueOf, type Draft } from './draft.ts';
import { leave } from './leaving.ts';
import { findWaiting, remove } from './line.ts';
import { awaitCleared, endOffer, withdraw } from './offers.ts';

export function offerAccepted(draft: Draft, offerId: OfferId): void {
  const offer = offerOf(draft, offerId);
  const call = offer === undefined ? undefined : findWaiting(draft, offer.callId);
  if (offer === undefined || call === undefined) {
    acceptedLate(draft, offerId);
    return;
  }
  endOffer(draft, offer, 'accepted', 'accepted', false);
  for (const id of call.offers) {
    const other = offerOf(draft, id);
    if (other !== undefined) withdraw(draft, other, 'rescinded', 'taken');
  }
  remove(draft, call);
  const { callId, visit, queue, priority, enteredAt, joinedAt, number, sticky, callback } = call;
  const place = { callId, visit, queue, priority, enteredAt, joinedAt, number, sticky, callback };
  const service: Service = { offerId, agent: offer.agent, place, acceptedAt: draft.now, connectedAt: null, seen: false };
  changeAgent(draft, offer.agent, { service, missed: 0, ready: false });
  command(draft, { type: 'ConnectOffer', offerId, callId, agent: offer.agent });
}

/** Said twice it is answered twice; too late it is told what had become of the offer. */
function acceptedLate(draft: Draft, offerId: OfferId): void {
  const callId = callOfOffer(offerId);
  const service = Object.values(draft.agents).find((agent) => agent.service?.offerId === offerId)?.service;
  if (service !== undefined && service !== null) {
    if (service.connectedAt === null) command(draft, { type: 'ConnectOffer', offerId, callId, agent: service.agent });
    return;
  }
  const known = draft.ended.find((one) => one.offerId === offerId);
  // Before a desk knows what there is, one that it does not know may be there: it is asked for again.
  if (known?.outcome === 'accepted' || (known === undefined && draft.phase !== 'open')) return;
  fact(draft, { type: 'AcceptRefused', offerId, outcome: known?.outcome ?? null, why: known?.why ?? 'unknown', endedAt: known?.endedAt ?? null });
  command(draft, { type: 'WithdrawOffer', offerId, callId, why: known === undefined ? 'unknown' : 'over' });
}

export function offerRejected(draft: Draft, { offerId, why }: Extract<DeskEvent, { type: 'OfferRejected' }>): void {
  const offer = offerOf(draft, offerId);
  const config = offer === undefined ? undefined : queueOf(draft, offer.queue)?.config;
  if (offer === undefined || config === undefined) return;
  endOffer(draft, offer, 'rejected', why, true);
  if (why === 'unreachable') missed(draft, offer);
  else rest(draft, offer.agent, why === 'busy' ? config.busyDelayMs : config.rejectDelayMs);
}

export function offerTimedOut(draft: Draft, offerId: OfferId): void {
  const offer = offerOf(draft, offerId);
  if (offer === undefined) return;
  endOffer(draft, offer, 'timed-out', 'no-answer', true);
  missed(draft, offer);
}

export function offerCanceled(draft: Draft, { offerId, left }: Extract<DeskEvent, { type: 'OfferCanceled' }>): void {
  const offer = offerOf(draft, offerId);
  if (offer === undefined) return;
  endOffer(draft, offer, 'canceled', left ? 'call-left' : 'canceled', true);
  if (!left) awaitCleared(draft, offer);
  const call = findWaiting(draft, offer.callId);
  if (left && call !== undefined) leave(draft, call, 'abandoned');
}

/** Nobody has said how it ended: what may still ring is stopped, and the agent is not asked again at once. */
export function offerNotHeardOf(draft: Draft, offer: Offer): void {
  const config = queueOf(draft, offer.queue)?.config;
  withdraw(draft, offer, 'rescinded', 'not-heard-of', true);
  rest(draft, offer.agent, config?.noAnswerDelayMs ?? 0);
}

function missed(draft: Draft, offer: Offer): void {
  const config = queueOf(draft, offer.queue)?.config;
  if (config === undefined) return;
  rest(draft, offer.agent, config.noAnswerDelayMs);
  const agent = agentOf(draft, offer.agent);
  const count = agent.missed + 1;
  if (config.pauseAfterMissed === null || count < config.pauseAfterMissed || agent.status === 'break' || agent.status === 'offline') {
    changeAgent(draft, agent.id, { missed: count });
    return;
  }
  changeAgent(draft, agent.id, { missed: 0, status: 'break', statusAt: draft.now });
  fact(draft, { type: 'AgentStatusChanged', agent: agent.id, status: 'break', by: 'missed' });
  command(draft, { type: 'KeepStatus', agent: agent.id, status: 'break', at: draft.now });
}

/** An offer was let pass. A delay that lasts longer already is not shortened. */
export function rest(draft: Draft, id: AgentId, ms: number): void {
  const agent = agentOf(draft, id);
  changeAgent(draft, id, { restUntil: Math.max(agent.restUntil, draft.now + ms), idleSince: draft.now, ready: false });
}
