/** What a ring step rings one after the other: its attempts by destination, as listed. */
import type { AccountId, UserId } from './config.ts';
import type { Attempt, RingStep } from './plan.ts';

export interface Destination {
  readonly id: string;
  /** Their places in the step's attempts; rung together. */
  readonly attempts: readonly number[];
}

/** With `simultaneous` all attempts are one destination's. */
export function destinationsOf({ pattern, attempts }: RingStep): readonly Destination[] {
  if (pattern === 'simultaneous') return [{ id: 'all', attempts: [...attempts.keys()] }];
  const together = new Map<string, number[]>();
  for (const [index, { destination = `#${index + 1}` }] of attempts.entries()) {
    const others = together.get(destination);
    if (others === undefined) together.set(destination, [index]);
    else others.push(index);
  }
  return [...together].map(([id, indices]) => ({ id, attempts: indices }));
}

/** Who may be in calls: a user of an account, or a phone or number of nobody's in particular. */
export type Party = string;

export function userParty(account: AccountId, user: UserId): Party {
  return `${account}/${user}`;
}

/** Whom an attempt is for. */
export function partyOf(account: AccountId, { user, target }: Pick<Attempt, 'user' | 'target'>): Party {
  if (user !== '') return userParty(account, user);
  return `${account}/${target.kind === 'device' ? target.device : target.number}`;
}
