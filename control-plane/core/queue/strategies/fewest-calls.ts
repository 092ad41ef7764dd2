import type { Strategy } from './strategy.ts';

/**
 * Who has had the fewest calls of this queue. Ties: whose last call ended longest ago, then by the list. Who logs in starts
 * with the fewest of those who are there (agents.ts), and so is not given every call until the others are caught up with.
 */
export const fewestCalls: Strategy = (candidates) => candidates.toSorted((a, b) => a.calls - b.calls || a.lastAt - b.lastAt || a.position - b.position);
