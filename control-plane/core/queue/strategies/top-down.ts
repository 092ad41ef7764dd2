import type { Strategy } from './strategy.ts';

/** Always the first in the list who is free: tier by tier, and in a tier by position. */
export const topDown: Strategy = (candidates) => candidates;
