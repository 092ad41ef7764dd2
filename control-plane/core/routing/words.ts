/** Numbers and names in the words of reasons and warnings. */
import { hour, minute, second, type Ms } from '../time.ts';
import type { AgentAction } from './config.ts';

const day: Ms = 24 * hour;

export function seconds(ms: Ms): string {
  return `${ms / second} s`;
}

/** A long time as people say it, to the second: `23 h 24 min`. */
export function longTime(ms: Ms): string {
  const parts = [count(Math.floor(ms / day), 'day'), `${Math.floor((ms % day) / hour)} h`, `${Math.floor((ms % hour) / minute)} min`, `${Math.floor((ms % minute) / second)} s`];
  return parts.filter((part) => !part.startsWith('0 ')).join(' ') || '0 s';
}

export function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`;
}

export const actionWords: Readonly<Record<AgentAction, string>> = { logIn: 'log in', logOut: 'log out', break: 'break', available: 'available' };
