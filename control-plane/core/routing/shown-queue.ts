/** Who is asked in a queue, and how, in the words of explain and of drawings. */
import type { ShownQueue } from './plan.ts';
import { count, seconds } from './words.ts';

export function strategyText({ strategy, fallback }: Pick<ShownQueue, 'strategy' | 'fallback'>): string {
  return `by ${strategy}${fallback === null ? '' : `, then ${fallback}`}`;
}

/** One of each tier. */
export function tierTexts({ tiers }: Pick<ShownQueue, 'tiers'>): readonly string[] {
  return tiers.map(({ afterMs, agents, of }) => {
    const more = of - agents.length;
    return `${afterMs === 0 ? '' : `after ${seconds(afterMs)} `}${agents.join(', ')}${more === 0 ? '' : ` and ${count(more, 'more agent')}`}`;
  });
}
