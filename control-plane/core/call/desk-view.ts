/** What a call knows of its queue: with that of all other calls a desk is rebuilt from it. */
import type { Offer, Place, Service } from '../queue/desk.ts';
import type { Call } from './call.ts';

export interface DeskView {
  /** It waits, on offer or not. */
  readonly place: Place | null;
  readonly offers: readonly Offer[];
  /** Accepted, or connected already. */
  readonly service: Service | null;
}

/** Null where it is in no queue, and not with an agent from one. */
export function deskViewOf(call: Call): DeskView | null {
  const { id: callId, visit } = call;
  if (visit === null || call.phase === 'ending' || call.phase === 'ended') return null;
  const { queue, priority, enteredAt, joinedAt, number, sticky, n, service } = visit;
  const place: Place = { callId, visit: n, queue, priority, enteredAt, joinedAt, number, sticky, callback: null };
  const offers = Object.entries(visit.offers).map(([offerId, { agent, offeredAt, deadline }]): Offer => ({ offerId, callId, queue, agent, offeredAt, deadline }));
  if (service === null) return { place, offers, service: null };
  const { offerId, agent, acceptedAt, connectedAt } = service;
  return { place: null, offers, service: { offerId, agent, place, acceptedAt, connectedAt, seen: false } };
}
