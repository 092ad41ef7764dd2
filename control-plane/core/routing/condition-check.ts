/** Conditions as they are saved: what is wrong with one, and which objects of the account it names. */
import { didYouMean, type Complaint } from '../complaint.ts';
import { isCountry } from './calling-codes.ts';
import { conditionField, fieldNames, operatorsOf, type Field, type FieldType } from './condition-fields.ts';
import { operatorOf, operators, type Condition, type Operator } from './conditions.ts';

const deepest = 6;
const mostTests = 100;
const longestList = 100;
const longestAgo = 31 * 24 * 60 * 60;

type Path = Complaint['path'];

/** What is beyond one condition. */
interface Around {
  /** So many tests more may be asked. */
  left: number;
  readonly regionWayOut: RegionWayOut;
}

/** The way out where it is none that a caller can be in; undefined where it is one. */
export type RegionWayOut = (region: string) => string | undefined;

/** All that is wrong with it. `regionWayOut`: the core itself knows no regions. */
export function conditionComplaints(value: unknown, path: Path = [], regionWayOut: RegionWayOut = () => undefined): readonly Complaint[] {
  const tests: Around = { left: mostTests, regionWayOut };
  const found = complaintsOf(value, path, deepest, tests);
  if (tests.left >= 0) return found;
  return [...found, { path, message: `asks more than ${mostTests} things`, wayOut: 'Divide it among several rules.' }];
}

function complaintsOf(value: unknown, path: Path, depth: number, tests: Around): readonly Complaint[] {
  tests.left -= 1;
  if (tests.left < 0) return [];
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return [{ path, message: 'is no condition', wayOut: 'Write it as { "field": "caller.areaCode", "is": "415" }, or join conditions by all, any and not.' }];
  }
  if (depth === 0) return [{ path, message: `is more than ${deepest} deep`, wayOut: 'Write it with fewer of all, any and not within each other.' }];
  const joint = (['all', 'any', 'not'] as const).find((one) => Object.hasOwn(value, one));
  if (joint === undefined) return testComplaints(value, path, tests);
  const others = Object.keys(value).filter((key) => key !== joint);
  const beside = others.map((key): Complaint => ({ path: [...path, key], message: `cannot stand beside ${joint}`, wayOut: `Move it into the ${joint}, or remove it.` }));
  const inner: unknown = (value as Readonly<Record<string, unknown>>)[joint];
  if (joint === 'not') return [...beside, ...complaintsOf(inner, [...path, joint], depth - 1, tests)];
  if (!Array.isArray(inner) || inner.length === 0) return [...beside, { path: [...path, joint], message: 'must be a list of conditions', wayOut: 'Write one at least.' }];
  return [...beside, ...inner.flatMap((part, i) => complaintsOf(part, [...path, joint, i], depth - 1, tests))];
}

function testComplaints(value: object, path: Path, around: Around): readonly Complaint[] {
  const { field: name, ...rest } = value as Readonly<Record<string, unknown>>;
  if (typeof name !== 'string') return [{ path: [...path, 'field'], message: 'must be the name of a field', wayOut: `Known: ${fieldNames.join(', ')}.` }];
  const field = conditionField(name);
  if (field === undefined) return [{ path: [...path, 'field'], message: `“${name.slice(0, 60)}” is no field of conditions`, wayOut: meantOr(name, fieldNames) }];
  const known = operatorsOf[field.type];
  const keys = Object.keys(rest);
  const wrong = keys.filter((key) => !isOneOf(known, key)).map((key): Complaint => (isOneOf(operators, key)
    ? { path: [...path, key], message: `does not go with ${name}`, wayOut: `Use one of: ${known.join(', ')}.` }
    : { path: [...path, key], message: 'is no operator', wayOut: meantOr(key, known) }));
  if (wrong.length > 0) return wrong;
  const [operator, another] = keys;
  if (operator === undefined || !isOneOf(known, operator)) return [{ path, message: `does not say what ${name} is compared with`, wayOut: `Use one of: ${known.join(', ')}.` }];
  if (another !== undefined) return [{ path: [...path, another], message: `stands beside ${operator}`, wayOut: 'Write a condition for each, and join them by all.' }];
  return valueComplaints(field, operator, rest[operator], [...path, operator], around);
}

function valueComplaints(field: Field, operator: Operator, value: unknown, path: Path, around: Around): readonly Complaint[] {
  if (operator === 'exists') return typeof value === 'boolean' ? [] : [{ path, message: 'must be true or false', wayOut: 'Write true to ask whether it is known.' }];
  if (!takesList.has(operator)) return oneComplaint(field, value, path, around);
  if (!Array.isArray(value) || value.length === 0 || value.length > longestList) return [{ path, message: `must be a list of 1 to ${longestList}`, wayOut: 'Write it in square brackets.' }];
  return value.flatMap((one, i) => oneComplaint(field, one, [...path, i], around));
}

const takesList: ReadonlySet<Operator> = new Set(['oneOf', 'noneOf', 'hasAny', 'hasAll', 'hasNone']);

function oneComplaint({ type, choices }: Field, value: unknown, path: Path, { regionWayOut }: Around): readonly Complaint[] {
  if (choices !== undefined) {
    if (typeof value === 'string' && choices.includes(value)) return [];
    const meant = typeof value === 'string' ? didYouMean(value, choices) : undefined;
    return [{ path, message: `must be one of: ${choices.join(', ')}`, wayOut: meant === undefined ? 'Write one of them.' : `Did you mean “${meant}”?` }];
  }
  const { takes, words, wayOut } = values[type];
  if (!takes(value)) return [{ path, message: words, wayOut }];
  const regionElse = type === 'region' ? regionWayOut(String(value)) : undefined;
  return regionElse === undefined ? [] : [{ path, message: unknownRegion, wayOut: regionElse }];
}

export const unknownRegion = 'is not a region that a number tells of';

interface Value {
  readonly takes: (value: unknown) => boolean;
  readonly words: string;
  readonly wayOut: string;
}

const text = (pattern: RegExp, words: string, wayOut: string): Value => ({ takes: (value) => typeof value === 'string' && pattern.test(value), words, wayOut });
const someText = text(/^[^\p{Cc}]{1,200}$/u, 'must be 1 to 200 characters of text', 'Write it in quotation marks.');

const values: Readonly<Record<FieldType, Value>> = {
  number: text(/^\+[1-9]\d{0,14}$/, 'must be a number, or the beginning of one, with its country code', 'Write it as +12025550123, or +1202.'),
  areaCode: text(/^(?!00)\d{1,7}$/, 'must be the digits of an area code, which does not begin with 00', 'Write it in quotation marks: "415".'),
  country: { takes: (value) => typeof value === 'string' && isCountry(value), words: 'must be a country', wayOut: 'Use the two capital letters of ISO 3166-1, such as US, or GB for the United Kingdom.' },
  region: text(/^[A-Z]{2}-[A-Z0-9]{1,3}$/, 'must be a region of ISO 3166-2', 'Write it as US-CA.'),
  text: someText,
  tags: someText,
  choice: text(/^[a-z0-9][a-z0-9-]{0,31}$/, 'must be an id', 'Use the id of a user, such as ana.'),
  flag: { takes: (value) => typeof value === 'boolean', words: 'must be true or false', wayOut: 'Write it without quotation marks.' },
  clock: { takes: isClockSpan, words: 'must have from and to, which differ', wayOut: 'Write { "from": "08:00", "to": "17:30" }.' },
  recency: {
    takes: (value) => typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= longestAgo,
    words: `must be whole seconds from 1 to ${longestAgo}`, wayOut: 'Write 3600 for an hour.',
  },
};

function isClockSpan(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== 2 || !('from' in value) || !('to' in value)) return false;
  const { from, to } = value;
  return typeof from === 'string' && typeof to === 'string' && from !== to && /^([01]\d|2[0-3]):[0-5]\d$/.test(from) && /^(([01]\d|2[0-3]):[0-5]\d|24:00)$/.test(to);
}

function meantOr(name: string, known: readonly string[]): string {
  const meant = didYouMean(name, known);
  return meant === undefined ? `Known: ${known.join(', ')}.` : `Did you mean “${meant}”?`;
}

function isOneOf<T extends string>(all: readonly T[], one: string): one is T {
  return (all as readonly string[]).includes(one);
}

/** Objects of the account that a condition names, with the paths of the fields that do. */
export interface ConditionReference {
  readonly kind: 'schedule' | 'user';
  readonly id: string;
  readonly path: Path;
}

export function conditionReferences(condition: Condition, path: Path = []): readonly ConditionReference[] {
  if ('all' in condition) return condition.all.flatMap((part, i) => conditionReferences(part, [...path, 'all', i]));
  if ('any' in condition) return condition.any.flatMap((part, i) => conditionReferences(part, [...path, 'any', i]));
  if ('not' in condition) return conditionReferences(condition.not, [...path, 'not']);
  const field = conditionField(condition.field);
  const operator = operatorOf(condition);
  const named = field?.names === undefined ? [] : [{ ...field.names, path: [...path, 'field'] }];
  const kind = field?.valueNames;
  if (kind === undefined || operator === undefined) return named;
  const value = condition[operator];
  if (typeof value === 'string') return [...named, { kind, id: value, path: [...path, operator] }];
  return [...named, ...(Array.isArray(value) ? value : []).flatMap((id: unknown, i): readonly ConditionReference[] => (typeof id === 'string' ? [{ kind, id, path: [...path, operator, i] }] : []))];
}
