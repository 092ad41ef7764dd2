/** What desks decide, as lines of the log: what an operator would look into stands out, the rest is for who looks closely. */
import type { DeskFact } from '../../core/queue/facts.ts';
import type { Log } from '../../telemetry/log.ts';

export function logFact(log: Log, account: string, fact: DeskFact): void {
  const { type, ...fields } = fact;
  const said = { account, ...fields };
  switch (type) {
    case 'CallEntered':
      log.debug(said, 'A call waits in a queue');
      return;
    case 'JoinRefused':
      log.info(said, 'A call was not let into a queue');
      return;
    case 'CallLeft':
      if (fact.why === 'lost') log.warn(said, 'A call that waited is known to no controller any more');
      else log.debug(said, 'A call has left a queue');
      return;
    case 'CallRequeued':
      log.info(said, 'A call is back in its place: it could not be connected');
      return;
    case 'CallbackHeld':
      log.debug(said, 'A place is kept for a callback');
      return;
    case 'CallbackTried':
      log.debug(said, 'Who was called back was not reached');
      return;
    case 'OfferMade':
      log.debug(said, 'A call is offered to an agent');
      return;
    case 'OfferEnded':
      if (fact.why === 'not-heard-of') log.warn(said, 'Nobody said what became of an offer');
      else log.debug(said, 'An offer has ended');
      return;
    case 'AcceptRefused':
      // The two may talk: so it is told again to a desk that has been taken over.
      if (fact.outcome === null) log.info(said, 'A call has an agent by an offer that the desk does not know');
      else log.warn(said, 'An agent accepted an offer that was over');
      return;
    case 'CallConnected':
      log.debug(said, 'An agent has a call');
      return;
    case 'ServiceEnded':
      log.debug(said, 'An agent’s call is over');
      return;
    case 'AgentStatusChanged':
      if (fact.by === 'missed') log.warn(said, 'An agent who did not answer several calls was put on a break');
      else log.info(said, 'An agent has chosen a status');
      return;
    case 'AgentStateChanged':
      log.debug(said, 'An agent’s state has changed');
      return;
    case 'DeskRebuilt':
      log.debug(said, 'A desk has been told what there is');
  }
}
