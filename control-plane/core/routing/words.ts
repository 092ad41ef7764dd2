/** Numbers and names in the words of reasons and warnings. */
import { second, type Ms } from '../time.ts';
import type { AgentAction } from './config.ts';

export function seconds(ms: Ms): string {
  return `${ms / second} s`;
}

export function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`;
}

export const actionWords: Readonly<Record<AgentAction, string>> = { logIn: 'log in', logOut: 'log out', break: 'break', available: 'available' };
