/**
 * M3: a condition is data. A test asks one thing of one field, and `all`, `any` and `not` join tests:
 *
 *   { "all": [{ "field": "caller.areaCode", "oneOf": ["415", "628"] }, { "not": { "field": "schedule.main", "is": "open" } }] }
 *
 * What is not known is not anything: `is` does not hold of it, and `isNot` does. A test that condition-check.ts would have
 * refused does not hold either.
 */
import { second } from '../time.ts';
import type { UserId } from './config.ts';
import { conditionField, type Actual, type FieldType } from './condition-fields.ts';
import type { Mode } from './night.ts';
import { clockMinutes, clockText, type LocalTime, type OpenAnswer } from './schedule.ts';
import { longTime } from './words.ts';

export type Condition =
  | { readonly all: readonly Condition[] }
  | { readonly any: readonly Condition[] }
  | { readonly not: Condition }
  | Test;

/** A field, and one operator with its value. */
export type Test = { readonly field: string } & { readonly [O in Operator]?: unknown };

export const operators = ['is', 'isNot', 'oneOf', 'noneOf', 'startsWith', 'endsWith', 'contains', 'has', 'hasAny', 'hasAll', 'hasNone', 'exists'] as const;
export type Operator = (typeof operators)[number];

export type AgentState = 'available' | 'busy' | 'offline';

/** Where a number is, as far as it is known: ISO 3166-1 alpha-2, ISO 3166-2, digits. */
export interface Geo {
  readonly country?: string;
  readonly region?: string;
  readonly areaCode?: string;
}

/** What is known of a call when it comes to a condition. */
export interface ConditionFacts {
  /** `number` empty for one who shows none. `place` is found only where it is asked for: that takes longer than the rest. */
  readonly caller: { readonly number: string; readonly place: () => Geo };
  readonly dialled: { readonly number: string; readonly label: string };
  readonly contact?: { readonly name: string; readonly owner?: UserId; readonly tags?: readonly string[]; readonly fields?: Readonly<Record<string, string>> };
  /** Of the call. */
  readonly tags: readonly string[];
  /** In the account's time zone. */
  readonly local: LocalTime;
  /** Undefined for a schedule that there is not. */
  readonly schedule: (id: string) => OpenAnswer | undefined;
  readonly mode: Mode;
  /** Since the caller called the account last; absent for one who is not known to have. */
  readonly secondsSinceLastCall?: number;
  /** Undefined for a user that there is not. */
  readonly agent: (id: UserId) => AgentState | undefined;
}

export interface Verdict {
  readonly matches: boolean;
  /** What decided, in words. */
  readonly why: string;
}

export function evaluate(condition: Condition, facts: ConditionFacts): Verdict {
  if ('all' in condition) return joined(condition.all.map((part) => evaluate(part, facts)), false);
  if ('any' in condition) return joined(condition.any.map((part) => evaluate(part, facts)), true);
  if ('not' in condition) {
    const { matches, why } = evaluate(condition.not, facts);
    return { matches: !matches, why };
  }
  return test(condition, facts);
}

/** `decisive`: the verdict that decides for all parts, where one part has it. */
function joined(parts: readonly Verdict[], decisive: boolean): Verdict {
  const decided = parts.find(({ matches }) => matches === decisive);
  return decided ?? { matches: !decisive, why: parts.map(({ why }) => why).join(', and ') };
}

/** The operator that a test has; undefined for none. */
export function operatorOf(condition: Test): Operator | undefined {
  return operators.find((operator) => operator in condition);
}

const opposites: Readonly<Partial<Record<Operator, Operator>>> = { isNot: 'is', noneOf: 'oneOf', hasNone: 'hasAny' };

function test(condition: Test, facts: ConditionFacts): Verdict {
  const field = conditionField(condition.field);
  const operator = operatorOf(condition);
  if (field === undefined || operator === undefined) return { matches: false, why: `there is no field ${condition.field}` };
  const { type, label, read, says } = field;
  const plain = opposites[operator] ?? operator;
  const value = condition[operator];
  const actual = read(facts);
  const held = holds(type, plain, actual, value);
  return { matches: held === (plain === operator), why: says?.(facts) ?? sentence(type, label, plain, actual, value, held) };
}

function holds(type: FieldType, operator: Operator, actual: Actual | undefined, value: unknown): boolean {
  if (operator === 'exists') return (actual !== undefined) === value;
  if (actual === undefined) return false;
  if (typeof actual === 'boolean') return actual === value;
  if (typeof actual === 'number') return type === 'clock' ? isBetween(actual, value) : typeof value === 'number' && actual <= value;
  const wanted = (typeof value === 'string' ? [value] : textsIn(value)).map((one) => plainText(type, one));
  const found = typeof actual === 'string' ? [plainText(type, actual)] : actual.map((one) => plainText(type, one));
  switch (operator) {
    case 'startsWith': return found.some((one) => wanted.some((start) => one.startsWith(start)));
    case 'endsWith': return found.some((one) => wanted.some((end) => one.endsWith(end)));
    case 'contains': return found.some((one) => wanted.some((part) => one.includes(part)));
    case 'hasAll': return wanted.length > 0 && wanted.every((one) => found.includes(one));
    case 'is':
    case 'oneOf':
    case 'has':
    case 'hasAny': return found.some((one) => wanted.includes(one));
    case 'isNot':
    case 'noneOf':
    case 'hasNone': return false;
  }
}

/** Numbers are compared by their digits, words whatever their letters' case. */
function plainText(type: FieldType, text: string): string {
  return type === 'number' ? text.replace(/\D/g, '') : text.trim().toLowerCase();
}

function isBetween(minutes: number, value: unknown): boolean {
  const span = spanIn(value);
  if (span === undefined) return false;
  const [from, to] = [clockMinutes(span.from), clockMinutes(span.to)];
  return from < to ? from <= minutes && minutes < to : from <= minutes || minutes < to;
}

function spanIn(value: unknown): { readonly from: string; readonly to: string } | undefined {
  if (typeof value !== 'object' || value === null || !('from' in value) || !('to' in value)) return undefined;
  const { from, to } = value;
  return typeof from === 'string' && typeof to === 'string' ? { from, to } : undefined;
}

function textsIn(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}

const phrases: Readonly<Partial<Record<Operator, readonly [yes: string, no: string]>>> = {
  is: ['is', 'is not'], oneOf: ['is', 'is none of'], startsWith: ['starts with', 'does not start with'], endsWith: ['ends with', 'does not end with'],
  contains: ['contains', 'does not contain'], has: ['have', 'do not have'], hasAny: ['have one of', 'have none of'], hasAll: ['have', 'do not have all of'],
};

function sentence(type: FieldType, label: string, operator: Operator, actual: Actual | undefined, value: unknown, held: boolean): string {
  const [yes, no] = phrases[operator] ?? ['is', 'is not'];
  const wanted = typeof value === 'string' ? value : textsIn(value).join(', ');
  if (type === 'clock') {
    const span = spanIn(value);
    return `it is ${typeof actual === 'number' ? clockText(actual) : 'no time'}, ${held ? '' : 'not '}between ${span?.from ?? ''} and ${span?.to ?? ''}`;
  }
  if (type === 'recency') return typeof actual === 'number' ? `the caller called ${longTime(actual * second)} ago, ${held ? '' : 'not '}within ${typeof value === 'number' ? longTime(value * second) : 'no time'}` : 'the caller is not known to have called before';
  if (actual === undefined) return `${label} is not known`;
  if (operator === 'exists') return `${label} is known`;
  if (typeof actual !== 'string') return `${label} ${held ? yes : no} ${wanted}`;
  if (held) return `${label} ${yes} ${operator === 'oneOf' ? actual : wanted}`;
  return `${label} ${no} ${wanted} but ${actual}`;
}
