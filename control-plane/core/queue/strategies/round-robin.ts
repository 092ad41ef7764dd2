import type { Strategy } from './strategy.ts';

/**
 * The next in the list after the one who was asked last, whether or not that one took the call; after the last comes the
 * first. No two have the same place, so there are no ties. Where the one asked last is in the list no more: from the top.
 */
export const roundRobin: Strategy = (candidates, { lastAsked }) => [
  ...candidates.filter(({ position }) => position > lastAsked),
  ...candidates.filter(({ position }) => position <= lastAsked),
];
