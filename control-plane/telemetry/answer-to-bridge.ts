/**
 * How long a phone that answers waits for the caller: from its answer to the bridge. A leg that hears a whisper, or is
 * asked for a key, waits for people or prompts, and is left out.
 */
import type { CallFact } from '../core/call/facts.ts';
import type { EpochMs, Ms } from '../core/time.ts';

/** Legs that answered and were never connected are forgotten in time. */
const remembered = 5000;

export function timeAnswers(told: (ms: Ms) => void): (fact: CallFact, at: EpochMs) => void {
  const answered = new Map<string, EpochMs>();
  return (fact, at) => {
    if (fact.type === 'LegPickedUp') {
      answered.set(fact.legId, at);
      const [oldest] = answered.keys();
      if (answered.size > remembered && oldest !== undefined) answered.delete(oldest);
    } else if (fact.type === 'ScreeningAsked' || fact.type === 'WhisperStarted' || fact.type === 'LegEnded') {
      answered.delete(fact.legId);
    } else if (fact.type === 'LegConnected') {
      const since = answered.get(fact.legId);
      answered.delete(fact.legId);
      if (since !== undefined) told(at - since);
    }
  };
}
