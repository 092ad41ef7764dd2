import type { Strategy } from './strategy.ts';

/**
 * Who has been without a call longest, of whatever queue or none; wrap-up counts as the call's, and an offer that was let
 * pass starts the time anew. Ties: by the list.
 */
export const longestIdle: Strategy = (candidates) => candidates.toSorted((a, b) => a.idleSince - b.idleSince || a.position - b.position);
