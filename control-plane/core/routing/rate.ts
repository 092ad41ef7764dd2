/**
 * What a minute of a call costs (D12): derived from where its route can lead. A caller who talks to somebody over a
 * trunk is charged for twice, the call in and the call out; one who talks to a desk phone or to voicemail, for the call
 * in alone.
 *
 * Prices are whole hundred-thousandths of the currency (0.0085 is 850), so that no sum is rounded.
 */
import type { Account, DialTarget, E164, TrackingNumber } from './config.ts';
import type { Plan } from './plan.ts';
import { phonesOfQueue, reachOf } from './reach.ts';

export type Price = number;

export interface Rates {
  /** ISO 4217. */
  readonly currency: string;
  /** By beginnings of the number that was dialled. Empty: calls in cost nothing. */
  readonly inbound: readonly PrefixRate[];
  /** By beginnings of the number that is called. */
  readonly outbound: readonly PrefixRate[];
}

export interface PrefixRate {
  /** `+` alone is the beginning of every number. */
  readonly prefix: string;
  readonly perMinute: Price;
}

export interface RateOfCalls {
  readonly currency: string;
  /** Of the call in; null when no range has the number. */
  readonly inbound: Price | null;
  /** Of all who may be talked to; null when no price of any is known. */
  readonly lowest: Price | null;
  readonly highest: Price | null;
  readonly legs: readonly { readonly number: E164; readonly prefix: string; readonly perMinute: Price }[];
  /** Numbers that no range has: the range of prices is without them. */
  readonly unknown: readonly E164[];
}

/** Whom a call may ring: numbers over trunks, and whether phones of this system too. */
interface Callees {
  readonly outside: readonly E164[];
  readonly inside: boolean;
}

/** Of one call; null where the account has no rates. */
export function rateOfPlan(account: Account, { number, steps }: Plan): RateOfCalls | null {
  const all = Object.values(steps);
  const targets = all.flatMap((step) => {
    if (step.kind === 'ring') return step.attempts.map(({ target }) => target);
    const queue = step.kind === 'queue' ? account.queues?.get(step.queue) : undefined;
    return queue === undefined ? [] : phonesOfQueue(account, queue).map(({ target }) => target);
  });
  return rateOf(account, number.e164, callees(targets, all.some((step) => step.kind === 'menu' && step.extensions !== undefined)));
}

/** Of all calls to the number, whoever calls and whenever; null where the account has no rates. */
export function rateOfNumber(account: Account, number: TrackingNumber): RateOfCalls | null {
  const { phones, menus } = reachOf(account, number);
  return rateOf(account, number.e164, callees(phones.map(({ target }) => target), menus.some(({ dialByExtension }) => dialByExtension)));
}

function callees(targets: readonly DialTarget[], extensions: boolean): Callees {
  const outside = new Set(targets.flatMap((target) => (target.kind === 'external' ? [target.number] : [])));
  return { outside: [...outside], inside: extensions || targets.some(({ kind }) => kind === 'device') };
}

function rateOf({ rates }: Account, dialled: E164, { outside, inside }: Callees): RateOfCalls | null {
  if (rates === undefined) return null;
  const inbound = rates.inbound.length === 0 ? 0 : (longestMatch(rates.inbound, dialled)?.perMinute ?? null);
  const found = outside.map((number) => ({ number, range: longestMatch(rates.outbound, number) }));
  const legs = found.flatMap(({ number, range }) => (range === undefined ? [] : [{ number, ...range }]));
  const unknown = [...(inbound === null ? [dialled] : []), ...found.filter(({ range }) => range === undefined).map(({ number }) => number)];
  const alone = inside || outside.length === 0 ? [0] : [];
  const totals = inbound === null ? [] : [...alone, ...legs.map(({ perMinute }) => perMinute)].map((out) => inbound + out);
  return { currency: rates.currency, inbound, lowest: least(totals), highest: greatest(totals), legs, unknown };
}

/** `0.0085`, as the API has it; undefined for what is no price. */
export function priceOf(text: string): Price | undefined {
  const [, whole, fraction = ''] = /^(\d{1,4})(?:\.(\d{1,5}))?$/.exec(text) ?? [];
  return whole === undefined ? undefined : Number(whole) * 100_000 + Number(fraction.padEnd(5, '0'));
}

/** With cents at the least: `0.10`, `0.0085`. */
export function priceText(price: Price): string {
  const fraction = String(price % 100_000).padStart(5, '0').replace(/0{1,3}$/, '');
  return `${Math.floor(price / 100_000)}.${fraction}`;
}

function longestMatch(ranges: readonly PrefixRate[], number: E164): PrefixRate | undefined {
  return ranges.filter(({ prefix }) => number.startsWith(prefix)).toSorted((a, b) => b.prefix.length - a.prefix.length)[0];
}

function least(prices: readonly Price[]): Price | null {
  return prices.length === 0 ? null : Math.min(...prices);
}

function greatest(prices: readonly Price[]): Price | null {
  return prices.length === 0 ? null : Math.max(...prices);
}

/** As `explain` prints it, without a final newline. */
export function rateText({ currency, inbound, lowest, highest, legs, unknown }: RateOfCalls): string {
  const range = lowest === null || highest === null ? 'not known' : lowest === highest ? `${currency} ${priceText(lowest)}` : `${currency} ${priceText(lowest)} to ${priceText(highest)}`;
  return [
    'Price of a minute', `  ${range}`,
    ...(inbound === null ? [] : [`  the call in: ${priceText(inbound)}`]),
    ...legs.map(({ number, perMinute, prefix }) => `  to ${number}: ${priceText(perMinute)}, as all that begin with ${prefix}`),
    ...unknown.map((number) => `  ${number}: no price is known`),
  ].join('\n');
}
