import type { StrategyName } from '../config.ts';
import { fallbacks } from './fallbacks.ts';
import { ringAll } from './ring-all.ts';
import { sticky } from './sticky.ts';
import type { Strategy } from './strategy.ts';

export const strategies: { readonly [N in StrategyName]: Strategy } = { ...fallbacks, 'ring-all': ringAll, sticky };
