/** Callers an account will not talk to (R6). */
import type { Account } from './config.ts';
import { digitsOf, indexOf } from './index-of.ts';

/** Why this caller is refused; undefined for one who is welcome. Numbers are compared by digits, as those dialled are. */
export function whyBlocked(account: Account, callerNumber: string): string | undefined {
  if (account.blocked === undefined) return undefined;
  const digits = digitsOf(callerNumber);
  if (digits === '') return account.blocked.anonymous ? 'callers who show no number are blocked' : undefined;
  return indexOf(account).blocked.has(digits) ? `${callerNumber} is blocked` : undefined;
}
