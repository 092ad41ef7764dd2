/** Prefixes of accounts: each has its own, so that no two share names on the switch (core/routing/sip-name.ts). */
import { sipName } from '../core/routing/sip-name.ts';
import { keyText, type ConfigObject } from './objects.ts';

const longest = 16;

/** The account's prefix; one that was made before there were prefixes has none. */
export function prefixOf(account: ConfigObject | undefined): string {
  return account?.kind === 'account' ? (account.body.sipPrefix ?? '') : '';
}

/** For a new account: none while no other account is without, or else one that tells whose it is. */
export function freePrefix(account: string, taken: ReadonlySet<string>): string {
  if (!taken.has('')) return '';
  const stem = account.slice(0, longest).replace(/-+$/, '');
  if (!taken.has(stem)) return stem;
  for (let n = 2; ; n += 1) {
    const numbered = `${account.slice(0, longest - 1 - String(n).length)}-${n}`;
    if (!taken.has(numbered)) return numbered;
  }
}

/** What a change of prefixes does to phones that have logged in by the old ones, a sentence for each account. */
export function renamedPhones(before: ReadonlyMap<string, ConfigObject>, after: ReadonlyMap<string, ConfigObject>): readonly string[] {
  const phones = new Map<string, string[]>();
  for (const object of before.values()) {
    const now = object.kind === 'account' ? after.get(keyText(object)) : undefined;
    if (now !== undefined && prefixOf(now) !== prefixOf(object)) phones.set(object.id, []);
  }
  if (phones.size === 0) return [];
  for (const object of before.values()) if (object.kind === 'device' && object.body.extension !== undefined) phones.get(object.account)?.push(object.body.extension);
  return [...phones].flatMap(([id, [first, ...others]]) => {
    if (first === undefined) return [];
    const account = keyText({ account: id, kind: 'account', id });
    const names = [before, after].map((objects) => sipName(prefixOf(objects.get(account)), first));
    return [
      `The SIP user names of the phones of ${id} have changed, ${names.join(' to ')}${others.length === 0 ? '' : ` and ${others.length} more`}. `
      + 'Enter the new ones in the phones: until then they cannot be reached and cannot call, 911 included.',
    ];
  });
}
