/** What a phone or trunk that is seen otherwise than before is to those who follow the account. */
import type { Registration } from '../http/ports.ts';
import type { EpochMs } from '../core/time.ts';
import type { NewEvent } from './catalogue.ts';

/** Null where nothing is known of it. */
export function isReachable({ state }: Registration): boolean | null {
  switch (state) {
    case 'registered':
    case 'reachable': return true;
    case 'unregistered':
    case 'rejected':
    case 'unreachable': return false;
    case 'unknown': return null;
  }
}

/** Remembers how each was seen last: one that is reached elsewhere than before is no news. */
export function registrationEvents(): (registration: Registration, at: EpochMs) => readonly NewEvent[] {
  const last = new Map<string, boolean>();
  return (registration, at) => {
    const { account, kind, id } = registration;
    const reachable = isReachable(registration);
    const key = `${account}/${kind}/${id}`;
    if (reachable === null || last.get(key) === reachable) return [];
    last.set(key, reachable);
    return [{ at, account, type: `${kind}.${reachable ? 'reachable' : 'unreachable'}`, data: registration }];
  };
}
