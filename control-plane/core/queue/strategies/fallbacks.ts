/** What `sticky` may fall back on: all that ask one at a time. */
import type { Fallback } from '../config.ts';
import { fewestCalls } from './fewest-calls.ts';
import { leastRecent } from './least-recent.ts';
import { longestIdle } from './longest-idle.ts';
import { random } from './random.ts';
import { roundRobin } from './round-robin.ts';
import type { Strategy } from './strategy.ts';
import { topDown } from './top-down.ts';
import { weighted } from './weighted.ts';

export const fallbacks: { readonly [N in Fallback]: Strategy } = {
  'round-robin': roundRobin,
  'least-recent': leastRecent,
  'fewest-calls': fewestCalls,
  'longest-idle': longestIdle,
  random,
  weighted,
  'top-down': topDown,
};
