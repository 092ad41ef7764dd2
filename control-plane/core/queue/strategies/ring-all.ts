import type { Strategy } from './strategy.ts';

/**
 * Everybody who is free in the tiers that have joined is offered the call at once, each by an offer of their own; who
 * becomes free while it rings, too. The first to accept has it. Asked in the order of the list.
 */
export const ringAll: Strategy = (candidates) => candidates;
