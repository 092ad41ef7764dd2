/** What a fact of an account's queues is to those who follow the account. Pure. */
import type { DeskFact } from '../core/queue/facts.ts';
import type { EpochMs } from '../core/time.ts';
import type { NewEvent } from './catalogue.ts';

/** Nothing of what only explains a decision, or is the desk's own affair. */
export function eventsOfDesk(account: string, fact: DeskFact, at: EpochMs): readonly NewEvent[] {
  switch (fact.type) {
    case 'CallEntered': {
      const { callId, queue, enteredAt, regained } = fact;
      return [{ at, account, type: 'queue.entered', data: { callId, queue, enteredAt, regained } }];
    }
    case 'JoinRefused': {
      const { callId, queue, why } = fact;
      return [{ at, account, type: 'queue.refused', data: { callId, queue, why } }];
    }
    case 'CallLeft': {
      const { callId, queue, why, waitedMs } = fact;
      return [{ at, account, type: 'queue.left', data: { callId, queue, why, waitedMs } }];
    }
    case 'CallRequeued': {
      const { callId, queue, agent } = fact;
      return [{ at, account, type: 'queue.requeued', data: { callId, queue, agent } }];
    }
    case 'CallbackHeld': {
      const { callId, queue } = fact;
      return [{ at, account, type: 'queue.callback-held', data: { callId, queue } }];
    }
    case 'CallbackTried': {
      const { callId, queue, again } = fact;
      return [{ at, account, type: 'queue.callback-tried', data: { callId, queue, again } }];
    }
    case 'OfferMade': {
      const { offerId, callId, queue, agent } = fact;
      return [{ at, account, type: 'offer.made', data: { offerId, callId, queue, agent } }];
    }
    case 'OfferEnded': {
      const { offerId, callId, queue, agent, outcome, why } = fact;
      return [{ at, account, type: 'offer.ended', data: { offerId, callId, queue, agent, outcome, why } }];
    }
    case 'CallConnected': {
      const { callId, queue, agent, waitedMs } = fact;
      return [{ at, account, type: 'queue.connected', data: { callId, queue, agent, waitedMs } }];
    }
    case 'ServiceEnded': {
      const { callId, queue, agent, talkedMs } = fact;
      return [{ at, account, type: 'queue.service-ended', data: { callId, queue, agent, talkedMs } }];
    }
    case 'AgentStatusChanged': {
      const { agent, status, by } = fact;
      return [{ at, account, type: 'agent.status', data: { agent, status, by } }];
    }
    case 'AgentStateChanged': {
      const { agent, state } = fact;
      return [{ at, account, type: 'agent.state', data: { agent, state } }];
    }
    case 'AcceptRefused':
    case 'DeskRebuilt':
      return [];
  }
}
