import type { Strategy } from './strategy.ts';
import { fallbacks } from './fallbacks.ts';

/**
 * Who had this caller last, in whatever tier; for a while such a caller waits for that one alone (dispatch.ts). Then, and
 * for a caller whom nobody knows, the fallback strategy.
 */
export const sticky: Strategy = (candidates, choice) => {
  const last = candidates.filter(({ agent }) => agent === choice.lastAgent);
  return [...last, ...fallbacks[choice.fallback](candidates.filter(({ agent }) => agent !== choice.lastAgent), choice)];
};
