/** Numbers in the words of reasons and warnings. */
import { second, type Ms } from '../time.ts';

export function seconds(ms: Ms): string {
  return `${ms / second} s`;
}

export function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`;
}
