/**
 * The contacts of all accounts in memory: one look-up in a hash for a call, and for lists the numbers of each account in
 * their order. What is written at once is merged into the order at once, so a change costs the same however many come.
 */
import type { Contact, E164 } from '../core/routing/config.ts';
import type { EpochMs } from '../core/time.ts';
import type { ContactRow } from '../store/ports.ts';

export interface KeptContact extends Contact {
  readonly number: E164;
  readonly version: number;
  readonly createdAt: EpochMs;
  readonly updatedAt: EpochMs;
}

export interface ContactBook {
  get(account: string, number: E164): KeptContact | undefined;
  /** In order. The list is never changed: a later change makes another. */
  numbers(account: string): readonly E164[];
  count(account: string): number;
  accounts(): readonly string[];
  /** Later rows of a contact win; one without a body takes it out. */
  set(rows: readonly Omit<ContactRow, 'revision'>[]): void;
}

interface Shelf {
  readonly byNumber: Map<E164, KeptContact>;
  inOrder: readonly E164[];
}

export function createContactBook(): ContactBook {
  const shelves = new Map<string, Shelf>();

  const setOf = (account: string, rows: readonly Omit<ContactRow, 'revision'>[]): void => {
    const shelf = shelves.get(account) ?? { byNumber: new Map<E164, KeptContact>(), inOrder: [] };
    const changed = new Set<E164>();
    for (const { number, version, createdAt, updatedAt, body } of rows) {
      if (shelf.byNumber.has(number) !== (body !== null)) changed.add(number);
      if (body === null) shelf.byNumber.delete(number);
      else shelf.byNumber.set(number, { number, ...body, version, createdAt, updatedAt });
    }
    if (changed.size > 0) shelf.inOrder = merged(shelf.inOrder, [...changed].sort(), (number) => shelf.byNumber.has(number));
    if (shelf.byNumber.size === 0) shelves.delete(account);
    else shelves.set(account, shelf);
  };

  return {
    get: (account, number) => shelves.get(account)?.byNumber.get(number),
    numbers: (account) => shelves.get(account)?.inOrder ?? [],
    count: (account) => shelves.get(account)?.byNumber.size ?? 0,
    accounts: () => [...shelves.keys()],
    set: (rows) => {
      for (const [account, own] of Map.groupBy(rows, (row) => row.account)) setOf(account, own);
    },
  };
}

/** `changed`, in order, are taken in where they are there now, and out where not; the rest is copied in runs. */
function merged(inOrder: readonly E164[], changed: readonly E164[], isThere: (number: E164) => boolean): readonly E164[] {
  const parts: (readonly E164[])[] = [];
  let from = 0;
  for (const number of changed) {
    const at = placeOf(inOrder, number, from);
    parts.push(inOrder.slice(from, at));
    if (isThere(number)) parts.push([number]);
    from = inOrder[at] === number ? at + 1 : at;
  }
  parts.push(inOrder.slice(from));
  return parts.flat();
}

/** Of the first that is not before `number`, from `low` on. */
export function placeOf(inOrder: readonly E164[], number: E164, low = 0): number {
  let high = inOrder.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((inOrder[middle] ?? '') < number) low = middle + 1;
    else high = middle;
  }
  return low;
}
