import type { AgentId } from '../config.ts';
import type { Candidate, Strategy } from './strategy.ts';

/**
 * Each gets calls in proportion to their share, evenly spread: with each call everybody who could take it is owed their
 * share more, who is owed most is asked, and owes what all were given together. Who is not free gains nothing, and has
 * nothing to catch up with after a break. Ties: by the list.
 */
export const weighted: Strategy = (candidates, { credit }) => {
  const owed = ({ agent, share }: Candidate): number => (credit[agent] ?? 0) + share;
  return candidates.toSorted((a, b) => owed(b) - owed(a) || a.position - b.position);
};

/** What each is owed after one of them has been asked. */
export function settle(credit: Readonly<Record<AgentId, number>>, candidates: readonly Candidate[], asked: AgentId): Readonly<Record<AgentId, number>> {
  const after = { ...credit };
  let all = 0;
  for (const { agent, share } of candidates) {
    after[agent] = (after[agent] ?? 0) + share;
    all += share;
  }
  after[asked] = (after[asked] ?? 0) - all;
  return after;
}
