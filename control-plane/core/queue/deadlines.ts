/**
 * What time brings. Deadlines are no timers: each is part of what it is of, so a desk that is rebuilt has them all. One
 * timer is armed for the earliest. One that fires early or twice finds nothing due.
 */
import type { EpochMs } from '../time.ts';
import type { Queue, WaitingCall } from './desk.ts';
import { command, queueOf, setQueue, type Draft } from './draft.ts';
import { leavesAt, waitIsOver } from './dispatch.ts';
import { estimates } from './estimate.ts';
import { sendOn } from './leaving.ts';
import { changeWaiting, positionOf } from './line.ts';
import { lostSightOf } from './offers.ts';
import { offerNotHeardOf } from './outcomes.ts';
import { somebodyIn, tiersJoinAfter } from './presence.ts';
import { connectLimitMs, offerBridgeFailed } from './service.ts';

export function timerFired(draft: Draft): void {
  draft.alarmAt = null;
  const { now } = draft;
  for (const offer of Object.values(draft.offers)) if (offer.deadline <= now) offerNotHeardOf(draft, offer);
  for (const { service } of Object.values(draft.agents)) {
    if (service?.connectedAt !== null || service.acceptedAt + connectLimitMs > now) continue;
    command(draft, { type: 'WithdrawOffer', offerId: service.offerId, callId: service.place.callId, why: 'not-heard-of' });
    offerBridgeFailed(draft, service.offerId, 'neither', lostSightOf);
  }
  for (const id of Object.keys(draft.queues)) {
    for (const call of sentOnNow(draft, id)) sendOn(draft, call, 'max-wait');
    const { config, emptySince = null } = queueOf(draft, id) ?? {};
    if (config !== undefined && emptySince !== null && emptySince + config.stayMs <= now) {
      for (const call of queueOf(draft, id)?.waiting.filter(({ offers, callback }) => offers.length === 0 && callback === null) ?? []) sendOn(draft, call, 'empty');
    }
  }
  tellPositions(draft);
}

/** An offer that is out is waited for: the caller has the agent, or leaves at its end. */
function sentOnNow(draft: Draft, id: string): readonly WaitingCall[] {
  const queue = queueOf(draft, id);
  return queue?.waiting.filter((call) => call.offers.length === 0 && waitIsOver(queue, call, draft.now)) ?? [];
}

function tellPositions(draft: Draft): void {
  const estimate = estimates(draft, draft.now);
  for (const { config, waiting } of Object.values(draft.queues)) {
    if (config.announce === null) continue;
    for (const call of waiting.filter(({ tellAt }) => tellAt !== null && tellAt <= draft.now)) {
      const position = positionOf(draft, call);
      command(draft, { type: 'TellPosition', callId: call.callId, visit: call.visit, position, estimatedWaitMs: estimate(config.id, position) });
      changeWaiting(draft, call, { tellAt: draft.now + config.announce.everyMs });
    }
  }
}

/** Since when a queue in which somebody waits has had nobody whom it asks for. */
export function watchPresence(draft: Draft): void {
  for (const [id, { config, emptySince, waiting }] of Object.entries(draft.queues)) {
    const empty = config.stayNeeds !== null && waiting.length > 0 && !somebodyIn(config, draft.agents, config.stayNeeds, draft.now);
    if (empty !== (emptySince !== null)) setQueue(draft, id, { emptySince: empty ? draft.now : null });
  }
}

/** Arms the timer anew where something is due before it. */
export function armTimer(draft: Draft): void {
  const at = earliest(draft);
  if (at === Infinity || (draft.alarmAt !== null && draft.alarmAt <= at)) return;
  draft.alarmAt = at;
  command(draft, { type: 'StartTimer', at });
}

function earliest(draft: Draft): EpochMs {
  const { now } = draft;
  let first = Infinity;
  for (const { deadline } of Object.values(draft.offers)) first = Math.min(first, deadline);
  for (const { wrapUpUntil, restUntil, clearing, service } of Object.values(draft.agents)) {
    if (clearing !== null && clearing.until > now) first = Math.min(first, clearing.until);
    if (wrapUpUntil > now) first = Math.min(first, wrapUpUntil);
    if (restUntil > now) first = Math.min(first, restUntil);
    if (service?.connectedAt === null) first = Math.min(first, service.acceptedAt + connectLimitMs);
  }
  for (const queue of Object.values(draft.queues)) first = Math.min(first, earliestOf(draft, queue));
  return first;
}

function earliestOf(draft: Draft, { config, waiting, emptySince }: Queue): EpochMs {
  const { now } = draft;
  // Nothing of a callback, or of a call with an offer out, ends with this: then it is looked at again with the next event.
  let first = emptySince !== null && waiting.some(({ offers, callback }) => offers.length === 0 && callback === null) ? emptySince + config.stayMs : Infinity;
  const joins = config.tiers.length > 1 && waiting.length > 0 ? tiersJoinAfter(config, draft.agents, now).filter((ms) => ms > 0) : [];
  for (const call of waiting) {
    if (call.tellAt !== null) first = Math.min(first, call.tellAt);
    for (const ms of joins) if (call.enteredAt + ms > now) first = Math.min(first, call.enteredAt + ms);
    const open = call.offers.length > 0;
    const until = open ? null : leavesAt(config, call);
    if (until !== null) first = Math.min(first, until);
    if (call.callback !== null && call.callback.notBefore > now) first = Math.min(first, call.callback.notBefore);
    if (config.strategy === 'sticky' && !open && call.sticky !== null && call.joinedAt + config.stickyWaitMs > now) first = Math.min(first, call.joinedAt + config.stickyWaitMs);
  }
  return first;
}
