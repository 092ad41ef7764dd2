import type { Candidate, Strategy } from './strategy.ts';

/** Any order, each as likely as any other (Fisher–Yates), by the number that came with the event. */
export const random: Strategy = (candidates, { random: next }) => {
  const left = [...candidates];
  const order: Candidate[] = [];
  while (left.length > 0) order.push(...left.splice(Math.floor(next() * left.length), 1));
  return order;
};
