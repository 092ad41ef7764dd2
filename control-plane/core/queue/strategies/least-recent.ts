import type { Strategy } from './strategy.ts';

/** Whose last call of this queue ended longest ago; who had none comes first. Ties: by the list. */
export const leastRecent: Strategy = (candidates) => candidates.toSorted((a, b) => a.lastAt - b.lastAt || a.position - b.position);
