/**
 * The desk: an event in, commands out. Total and pure as a call's is (../call/transition.ts): any event in any state
 * returns, never throws, and the same desk, event, time and random number always give the same. It runs on one
 * controller at a time, and what it says to calls and hears of them are messages, since they may be on any.
 *
 * After each event everybody is offered a call who may have one (dispatch.ts), so nothing is ever waited for that could
 * be had, and no wake-up can be missed.
 */
import { callbackRequested, callbackTried } from './callback.ts';
import { agentReady, loggedIn, measured, statusChosen } from './agents.ts';
import type { DeskCommand } from './commands.ts';
import { configure } from './configure.ts';
import { armTimer, timerFired, watchPresence } from './deadlines.ts';
import type { Desk } from './desk.ts';
import { dispatch } from './dispatch.ts';
import { deskOf, draftOf, fact, setAgent, type Context, type Draft } from './draft.ts';
import type { DeskEvent } from './events.ts';
import type { DeskFact } from './facts.ts';
import { callJoined } from './joining.ts';
import { callLeft } from './leaving.ts';
import { forget } from './line.ts';
import { remembered } from './memory.ts';
import { endHeard, offerCleared } from './offers.ts';
import { offerAccepted, offerCanceled, offerRejected, offerTimedOut } from './outcomes.ts';
import { stateOf } from './presence.ts';
import { rebuilt } from './rebuild.ts';
import { offerBridgeFailed, offerConnected, released } from './service.ts';

export interface DeskTransition {
  readonly desk: Desk;
  readonly commands: readonly DeskCommand[];
  readonly facts: readonly DeskFact[];
}

export function transition(desk: Desk, event: DeskEvent, ctx: Context): DeskTransition {
  const draft = draftOf(desk, ctx);
  forget(draft);
  handle(draft, event);
  if (draft.phase === 'open') {
    dispatch(draft);
    watchPresence(draft);
    tellStates(draft);
    armTimer(draft);
  }
  return { desk: deskOf(draft), commands: draft.commands, facts: draft.facts };
}

function handle(draft: Draft, event: DeskEvent): void {
  switch (event.type) {
    case 'QueuesConfigured':
      configure(draft, event.queues);
      return;
    case 'CallJoined':
      callJoined(draft, event.place, event.offers);
      return;
    case 'CallLeft':
      callLeft(draft, event.callId, event.visit, event.why);
      return;
    case 'CallbackRequested':
      callbackRequested(draft, event);
      return;
    case 'CallbackTried':
      callbackTried(draft, event);
      return;
    case 'OfferAccepted':
      offerAccepted(draft, event.offerId);
      return;
    case 'OfferRejected':
      offerRejected(draft, event);
      endHeard(draft, event.offerId);
      return;
    case 'OfferTimedOut':
      offerTimedOut(draft, event.offerId);
      endHeard(draft, event.offerId);
      return;
    case 'OfferCanceled':
      offerCanceled(draft, event);
      // It may have been accepted meanwhile, and the call's side not have heard so.
      offerBridgeFailed(draft, event.offerId, event.left ? 'caller' : 'neither');
      endHeard(draft, event.offerId);
      return;
    case 'OfferCleared':
      offerCleared(draft, event.offerId);
      endHeard(draft, event.offerId);
      return;
    case 'OfferConnected':
      offerConnected(draft, event.offerId);
      return;
    case 'OfferBridgeFailed':
      offerBridgeFailed(draft, event.offerId, event.lost);
      endHeard(draft, event.offerId);
      return;
    case 'AgentReleased':
      released(draft, event.offerId);
      endHeard(draft, event.offerId);
      return;
    case 'AgentStatusChosen':
      statusChosen(draft, event.agent, event.status, event.at);
      return;
    case 'AgentLoggedIn':
      loggedIn(draft, event.agent, event.devices, event.at);
      return;
    case 'AgentReady':
      agentReady(draft, event.agent);
      return;
    case 'AgentMeasured':
      measured(draft, event.agent, event);
      return;
    case 'TimerFired':
      if (draft.phase === 'open') timerFired(draft);
      return;
    case 'Remembered':
      remembered(draft, event);
      return;
    case 'Rebuilt':
      rebuilt(draft, event.found);
  }
}

function tellStates(draft: Draft): void {
  for (const agent of Object.values(draft.agents)) {
    const state = stateOf(agent, draft.now);
    if (state === agent.state) continue;
    setAgent(draft, { ...agent, state, stateSince: draft.now });
    fact(draft, { type: 'AgentStateChanged', agent: agent.id, state });
  }
}
