/**
 * Names on the switch. Extensions and trunk ids are an account's own; a switch has one name space for all. So an account
 * may have a prefix, and `101` of the prefix `elm` is `elm.101` there. No id and no prefix has a dot in it: a name is
 * never that of another account's thing, whatever either account calls it.
 */
import type { Account, DialTarget } from './config.ts';

/** Also the SIP user name that a phone registers with. No prefix, or an empty one: the id as it is. */
export function sipName(prefix: string | undefined, id: string): string {
  return prefix === undefined || prefix === '' ? id : `${prefix}.${id}`;
}

/** A target as this account's calls ring it. */
export function targetOf(account: Account, target: DialTarget): DialTarget {
  const { sipPrefix } = account;
  return sipPrefix === undefined || sipPrefix === '' ? target : { ...target, sipPrefix };
}

/** A target as people read of it: by its own id. */
export function plainTarget(target: DialTarget): DialTarget {
  if (target.sipPrefix === undefined) return target;
  const { sipPrefix: _, ...plain } = target;
  return plain;
}

/** The device that has this name on the switch. */
export function deviceNamed(name: string): Extract<DialTarget, { kind: 'device' }> {
  const dot = name.indexOf('.');
  return dot < 0 ? { kind: 'device', device: name } : { kind: 'device', device: name.slice(dot + 1), sipPrefix: name.slice(0, dot) };
}
