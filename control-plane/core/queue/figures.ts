/**
 * How well callers were served, folded from the facts of a desk: since when the fold began, or for an interval.
 *
 * Everybody whose wait is over:  answered + abandoned − regained + sent on
 * Service level:                 answered in time ÷ everybody whose wait is over
 * Service level of the answered: answered in time ÷ answered
 *
 * In time is within the queue's `serviceLevelMs` from the join to both being connected. Who hangs up and is back in the
 * place, within a minute or by a callback, has not abandoned it: counted as regained. Sent on is who left by a key or a
 * rule. Who was not let in (full, nobody there) is counted apart, and has waited for nothing.
 */
import type { Ms } from '../time.ts';
import type { DeskFact } from './facts.ts';

export interface QueueFigures {
  readonly entered: number;
  readonly regained: number;
  readonly refused: number;
  readonly answered: number;
  readonly answeredInTime: number;
  readonly abandoned: number;
  readonly sentOn: number;
  /** Of the answered. */
  readonly waitedMs: Ms;
  /** Of all whose wait is over. */
  readonly longestWaitMs: Ms;
}

export const noFigures: QueueFigures = { entered: 0, regained: 0, refused: 0, answered: 0, answeredInTime: 0, abandoned: 0, sentOn: 0, waitedMs: 0, longestWaitMs: 0 };

export function sumOf(a: QueueFigures, b: QueueFigures): QueueFigures {
  return {
    entered: a.entered + b.entered, regained: a.regained + b.regained, refused: a.refused + b.refused, answered: a.answered + b.answered, answeredInTime: a.answeredInTime + b.answeredInTime,
    abandoned: a.abandoned + b.abandoned, sentOn: a.sentOn + b.sentOn, waitedMs: a.waitedMs + b.waitedMs, longestWaitMs: Math.max(a.longestWaitMs, b.longestWaitMs),
  };
}

/** Facts of other queues change nothing. */
export function countFact(figures: QueueFigures, fact: DeskFact, queue: { readonly id: string; readonly serviceLevelMs: Ms }): QueueFigures {
  if (!('queue' in fact) || fact.queue !== queue.id) return figures;
  switch (fact.type) {
    case 'CallEntered':
      return { ...figures, entered: figures.entered + 1, regained: figures.regained + (fact.regained ? 1 : 0) };
    case 'JoinRefused':
      return { ...figures, refused: figures.refused + 1 };
    case 'CallConnected':
      return {
        ...figures, answered: figures.answered + 1, answeredInTime: figures.answeredInTime + (fact.waitedMs <= queue.serviceLevelMs ? 1 : 0),
        waitedMs: figures.waitedMs + fact.waitedMs, longestWaitMs: Math.max(figures.longestWaitMs, fact.waitedMs),
      };
    case 'CallLeft': {
      const longestWaitMs = Math.max(figures.longestWaitMs, fact.waitedMs);
      return fact.why === 'abandoned' || fact.why === 'called-again' ? { ...figures, longestWaitMs, abandoned: figures.abandoned + 1 } : { ...figures, longestWaitMs, sentOn: figures.sentOn + 1 };
    }
    case 'CallRequeued':
    case 'CallbackHeld':
    case 'CallbackTried':
    case 'OfferMade':
    case 'OfferEnded':
    case 'ServiceEnded':
      return figures;
  }
}

/** Null where nobody's wait is over. */
export function serviceLevel({ answered, answeredInTime, abandoned, regained, sentOn }: QueueFigures): number | null {
  const over = answered + Math.max(0, abandoned - regained) + sentOn;
  return over === 0 ? null : answeredInTime / over;
}

export function serviceLevelOfAnswered({ answered, answeredInTime }: QueueFigures): number | null {
  return answered === 0 ? null : answeredInTime / answered;
}

export interface AgentFigures {
  readonly offered: number;
  readonly accepted: number;
  readonly rejected: number;
  readonly missed: number;
  readonly connected: number;
  readonly talkedMs: Ms;
}

export const noAgentFigures: AgentFigures = { offered: 0, accepted: 0, rejected: 0, missed: 0, connected: 0, talkedMs: 0 };

export function countAgentFact(figures: AgentFigures, fact: DeskFact, agent: string): AgentFigures {
  if (!('agent' in fact) || fact.agent !== agent) return figures;
  switch (fact.type) {
    case 'OfferMade':
      return { ...figures, offered: figures.offered + 1 };
    case 'OfferEnded':
      if (fact.outcome === 'accepted') return { ...figures, accepted: figures.accepted + 1 };
      if (fact.outcome === 'timed-out' || fact.why === 'unreachable') return { ...figures, missed: figures.missed + 1 };
      return fact.outcome === 'rejected' ? { ...figures, rejected: figures.rejected + 1 } : figures;
    case 'CallConnected':
      return { ...figures, connected: figures.connected + 1 };
    case 'ServiceEnded':
      return { ...figures, talkedMs: figures.talkedMs + fact.talkedMs };
    case 'CallRequeued':
    case 'AgentStatusChanged':
    case 'AgentStateChanged':
      return figures;
  }
}
