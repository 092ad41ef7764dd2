/** Callers an account will not talk to (R6). */
import type { Blocked } from './config.ts';

/** Why this caller is refused; undefined for one who is welcome. Numbers are compared by digits, as those dialled are. */
export function whyBlocked(blocked: Blocked | undefined, callerNumber: string): string | undefined {
  if (blocked === undefined) return undefined;
  const digits = callerNumber.replace(/\D/g, '');
  if (digits === '') return blocked.anonymous ? 'callers who show no number are blocked' : undefined;
  return blocked.numbers.some((number) => number.replace(/\D/g, '') === digits) ? `${callerNumber} is blocked` : undefined;
}
