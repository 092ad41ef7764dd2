/**
 * O4: whether a call may leave over a trunk. Toll fraud dials what pays its dialler: numbers in countries the clinic never
 * calls, and numbers that cost by the minute. Emergency calls never come here: the switch makes them by itself.
 */
import { remembered } from '../remembered.ts';
import { countryOf } from './calling-codes.ts';
import type { E164 } from './config.ts';

export interface OutboundRules {
  /** ISO 3166-1 alpha-2. Free numbers of their numbering plan are allowed too. */
  readonly countries: readonly string[];
  /** Premium numbers, satellites and international services are allowed. */
  readonly premium: boolean;
  /** Calls that may be out over trunks at once. */
  readonly concurrentCalls: number;
}

/** `detail` is a sentence for the call's record and the admin. */
export type DestinationDecision =
  | { readonly allowed: true }
  | { readonly allowed: false; readonly reason: 'not-a-number' | 'premium' | 'country'; readonly detail: string };
export type OutboundDecision = DestinationDecision | { readonly allowed: false; readonly reason: 'concurrent-calls'; readonly detail: string };

/** What an account has that says nothing: calls within its own country. */
export function defaultOutboundRules(country: string): OutboundRules {
  return { countries: [country], premium: false, concurrentCalls: 10 };
}

/** `callsOut`: of the same account over trunks, ringing ones included, without this one. */
export function guardOutbound(number: E164, rules: OutboundRules, callsOut: number): OutboundDecision {
  const decision = judged(number, rules);
  if (!decision.allowed || callsOut < rules.concurrentCalls) return decision;
  return { allowed: false, reason: 'concurrent-calls', detail: `calls out over trunks now: ${callsOut}; allowed at once: ${rules.concurrentCalls}.` };
}

/** Rules are never changed, only replaced; and calls go to the numbers of the configuration, again and again. */
const judgements = remembered<OutboundRules, Map<E164, DestinationDecision>>(() => new Map());

function judged(number: E164, rules: OutboundRules): DestinationDecision {
  const own = judgements(rules);
  let decision = own.get(number);
  if (decision === undefined) {
    decision = guardDestination(number, rules);
    own.set(number, decision);
  }
  return decision;
}

/** Whether the account may call the number at all. */
export function guardDestination(number: E164, rules: OutboundRules): DestinationDecision {
  if (!isE164(number)) return refused('not-a-number', `${number} is not a complete international number.`);
  const costly = costlyRange(number);
  if (costly !== undefined && !rules.premium) return refused('premium', `${number} is ${costly}, and premium numbers are not allowed.`);
  if (costly === undefined || !isOfNoCountry(number)) {
    const decision = guardCountry(number, rules);
    if (!decision.allowed) return decision;
  }
  return { allowed: true };
}

function guardCountry(number: E164, { countries }: OutboundRules): DestinationDecision {
  const country = countryOf(number);
  if (country === null) return refused('country', `${number} is in no country that is known here.`);
  // Free to the caller, and the same throughout the numbering plan of North America.
  if (tollFree.test(number) && countries.some((allowed) => northAmerica.has(allowed))) return { allowed: true };
  if (countries.includes(country)) return { allowed: true };
  return refused('country', `${number} is in ${country}; calls are allowed to ${countries.join(', ')}.`);
}

/** ITU-T E.164 section 6; in North America area code and exchange begin with 2 to 9 (NANPA). */
function isE164(number: string): boolean {
  return /^\+[1-9]\d{6,14}$/.test(number) && (!number.startsWith('+1') || /^\+1[2-9]\d\d[2-9]\d{6}$/.test(number));
}

const tollFree = /^\+18(?:00|33|44|55|66|77|88)/;
const northAmerica: ReadonlySet<string> = new Set([
  'US', 'CA', 'AG', 'AI', 'AS', 'BB', 'BM', 'BS', 'DM', 'DO', 'GD', 'GU', 'JM', 'KN', 'KY', 'LC', 'MP', 'MS', 'PR', 'SX', 'TC', 'TT', 'VC', 'VG', 'VI',
]);

/** Assigned to services and networks instead of countries (ITU-T E.164.1). */
const international: readonly (readonly [RegExp, string])[] = [
  [/^\+870/, 'a satellite telephone (Inmarsat)'],
  [/^\+881/, 'a satellite telephone'],
  [/^\+88[23]/, 'on an international network'],
  [/^\+8(?:08|78|88)/, 'an international service'],
  [/^\+979/, 'an international premium number'],
];

/** Where a national plan puts numbers that pay whom they reach. */
const national: readonly (readonly [RegExp, string])[] = [
  [/^\+1(?:900|\d{3}976)/, 'a premium number of North America'],
  [/^\+1(?:5(?:00|2[1-9]|33|44|66|77|88)|700)/, 'a personal or carrier’s number of North America'],
  [/^\+44(?:9|87|118)/, 'a premium number of the United Kingdom'],
  [/^\+4470/, 'a personal number of the United Kingdom'],
  [/^\+3190[069]/, 'a premium number of the Netherlands'],
  [/^\+3290/, 'a premium number of Belgium'],
  [/^\+3389/, 'a premium number of France'],
  [/^\+34(?:80[367]|90[57])/, 'a premium number of Spain'],
  [/^\+35315/, 'a premium number of Ireland'],
  [/^\+3989/, 'a premium number of Italy'],
  [/^\+4190[016]/, 'a premium number of Switzerland'],
  [/^\+439[03]/, 'a premium number of Austria'],
  [/^\+49(?:900|137)/, 'a premium number of Germany'],
  [/^\+61190/, 'a premium number of Australia'],
  [/^\+64900/, 'a premium number of New Zealand'],
  [/^\+81990/, 'a premium number of Japan'],
];

function isOfNoCountry(number: E164): boolean {
  return international.some(([range]) => range.test(number));
}

/** What is dear about a number, in words. */
function costlyRange(number: E164): string | undefined {
  return [...international, ...national].find(([range]) => range.test(number))?.[1];
}

function refused(reason: Exclude<DestinationDecision, { allowed: true }>['reason'], detail: string): DestinationDecision {
  return { allowed: false, reason, detail };
}
