/** An offer is made once and ends once; what its end means for agent and call is said in outcomes.ts. */
import { second, type Ms } from '../time.ts';
import type { WithdrawWhy } from './commands.ts';
import type { Agent, EndedOffer, Offer, OfferId, OfferOutcome, Service, WaitingCall } from './desk.ts';
import { agentOf, changeAgent, command, fact, offerOf, queueOf, setOffer, type Draft } from './draft.ts';
import { changeWaiting, findWaiting } from './line.ts';

/** Who has answered may be asked for a key after the ringing; what came of it is what is to be heard first. */
const offerMarginMs = 25 * second;
/** For a callback: its number is rung over one trunk after the other, and asked for a key. */
const callbackOfferMs = 90 * second;
/** Why an offer or a service ended that no call knows of: its call may be another controller's, which could not be reached, and it is found again. */
export const lostSightOf = 'unknown' satisfies WithdrawWhy;
/** The controller of its call may be dead, or what it says be lost. */
const clearLimitMs: Ms = 2 * second;

export function makeOffer(draft: Draft, call: WaitingCall, agent: Agent): void {
  const queue = queueOf(draft, call.queue);
  if (queue === undefined) return;
  const { offerMs } = queue.config;
  draft.n += 1;
  const { callId } = call;
  const offerId = `${callId}--o${draft.epoch}.${draft.n}`;
  setOffer(draft, offerId, { offerId, callId, queue: call.queue, agent: agent.id, offeredAt: draft.now, deadline: draft.now + (call.callback === null ? offerMs + offerMarginMs : callbackOfferMs) });
  changeAgent(draft, agent.id, { offer: offerId });
  const now = findWaiting(draft, callId) ?? call;
  changeWaiting(draft, now, { offers: [...now.offers, offerId] });
  command(draft, { type: 'OfferCall', offerId, callId, visit: call.visit, queue: call.queue, agent: agent.id, devices: agent.devices, ringMs: offerMs, callback: call.callback });
  fact(draft, { type: 'OfferMade', offerId, callId, queue: call.queue, agent: agent.id });
}

/** The one way in which an offer ends. `passed`: the agent has had it, and others come first now. */
export function endOffer(draft: Draft, offer: Offer, outcome: OfferOutcome, why: string, passed: boolean): void {
  const { offerId, callId, queue, agent } = offer;
  setOffer(draft, offerId, null);
  rememberEnded(draft, { offerId, outcome, why });
  if (agentOf(draft, agent).offer === offerId) changeAgent(draft, agent, { offer: null });
  const call = findWaiting(draft, callId);
  if (call !== undefined) {
    changeWaiting(draft, call, {
      offers: call.offers.filter((id) => id !== offerId),
      passedBy: passed && !call.passedBy.includes(agent) ? [...call.passedBy, agent] : call.passedBy,
    });
  }
  fact(draft, { type: 'OfferEnded', offerId, callId, queue, agent, outcome, why });
}

/** The one way in which a service ends. */
export function endService(draft: Draft, { offerId, agent }: Service, why: string): void {
  changeAgent(draft, agent, { service: null });
  rememberEnded(draft, { offerId, outcome: 'accepted', why });
}

/** From now on: who was asked before, and answers after, does not bring it back. */
function rememberEnded(draft: Draft, one: Omit<EndedOffer, 'endedAt'>): void {
  draft.ended = [...draft.ended.filter(({ offerId }) => offerId !== one.offerId), { ...one, endedAt: draft.now }];
}

/** Of an offer that is not known here, or was lost sight of, its end is heard all the same. */
export function endHeard(draft: Draft, offerId: OfferId): void {
  if (offerOf(draft, offerId) !== undefined || Object.values(draft.agents).some(({ service }) => service?.offerId === offerId)) return;
  const known = draft.ended.find((one) => one.offerId === offerId);
  if (known === undefined || known.why === lostSightOf) rememberEnded(draft, { offerId, outcome: known?.outcome ?? 'canceled', why: 'over' });
}

/** Ends it, and has whatever rings for it stopped. */
export function withdraw(draft: Draft, offer: Offer, outcome: 'canceled' | 'rescinded', why: WithdrawWhy, passed = false): void {
  endOffer(draft, offer, outcome, why, passed);
  // Of one that is unknown to all calls nothing rings, nor for a callback.
  if (why !== lostSightOf && findWaiting(draft, offer.callId)?.callback == null) awaitCleared(draft, offer);
  command(draft, { type: 'WithdrawOffer', offerId: offer.offerId, callId: offer.callId, why });
}

/** A phone that takes one call at a time would say that it is busy to the next, were it rung before this one is let go. */
export function awaitCleared(draft: Draft, { offerId, callId, agent }: Offer): void {
  changeAgent(draft, agent, { clearing: { offerId, callId, until: draft.now + clearLimitMs } });
}

export function offerCleared(draft: Draft, offerId: OfferId): void {
  for (const { id, clearing } of Object.values(draft.agents)) if (clearing?.offerId === offerId) changeAgent(draft, id, { clearing: null });
}

export function withdrawAllOf(draft: Draft, call: WaitingCall, outcome: 'canceled' | 'rescinded', why: WithdrawWhy): void {
  for (const id of call.offers) {
    const offer = offerOf(draft, id);
    if (offer !== undefined) withdraw(draft, offer, outcome, why);
  }
}
