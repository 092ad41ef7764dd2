/**
 * Who is rung first. With round-robin and least-connected that depends on all other calls, so it is asked for when the
 * step is entered, and the caller hears ringing meanwhile. No answer in time: as listed. An order asked for again, after
 * an adoption, is the same or as good.
 */
import { cancelTimer, change, command, fact, goTo, ringStepOf, startTimer, type Draft } from '../call/draft.ts';
import type { CallEvent } from '../call/events.ts';
import { orderLimitMs, orderTimer } from '../call/timers.ts';
import type { StepId } from '../ids.ts';
import { destinationsOf, partyOf } from '../routing/destinations.ts';
import type { RingStep } from '../routing/plan.ts';
import { ringInTurn } from './walk.ts';

/** Nobody is asked about a single destination, or about an order that is the plan's own. */
export function isOrdered(step: RingStep): boolean {
  return (step.pattern === 'round-robin' || step.pattern === 'least-connected') && step.group !== undefined && destinationsOf(step).length > 1;
}

export function enterOrdering(draft: Draft, id: StepId, step: RingStep): void {
  goTo(draft, { phase: 'ordering', step: id });
  // No id is given here: the mark of this place is to be known for newer than that of the one before.
  change(draft, { n: draft.call.n + 1 });
  const { attempts, group = '', pattern } = step;
  const destinations = destinationsOf(step).map((destination) => ({
    id: destination.id,
    parties: [...new Set(destination.attempts.flatMap((index) => (attempts[index] === undefined ? [] : [partyOf(draft.call.plan.account.id, attempts[index])])))],
  }));
  command(draft, { type: 'OrderDestinations', step: id, pattern, group, destinations });
  startTimer(draft, orderTimer, draft.now + orderLimitMs);
}

/** One that comes too late, or for another step, changes nothing. */
export function destinationsOrdered(draft: Draft, { step: id, order, why }: Extract<CallEvent, { type: 'DestinationsOrdered' }>): void {
  const step = ringStepOf(draft, id);
  if (draft.call.phase !== 'ordering' || draft.call.step !== id || step === undefined) return;
  const listed = destinationsOf(step).map((destination) => destination.id);
  const places = [...new Set(order)].map((name) => listed.indexOf(name)).filter((place) => place >= 0);
  ringOrdered(draft, id, step, places.length > 0 ? places : [...listed.keys()], why);
}

export function orderTimedOut(draft: Draft): void {
  const { call } = draft;
  const step = call.phase === 'ordering' ? ringStepOf(draft, call.step) : undefined;
  if (call.phase === 'ordering' && step !== undefined) ringListed(draft, call.step, step, 'as listed: no order was to be had in time');
}

export function ringListed(draft: Draft, id: StepId, step: RingStep, why: string): void {
  ringOrdered(draft, id, step, [...destinationsOf(step).keys()], why);
}

function ringOrdered(draft: Draft, id: StepId, step: RingStep, places: readonly number[], why: string): void {
  const destinations = destinationsOf(step);
  cancelTimer(draft, orderTimer);
  if (destinations.length > 1) fact(draft, { type: 'DestinationsOrdered', step: id, order: places.map((place) => destinations[place]?.id ?? ''), why });
  ringInTurn(draft, id, places);
}
