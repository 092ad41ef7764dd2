/** What conditions may ask of: every field, its type, and where its value comes from. */
import type { ConditionFacts, Operator } from './conditions.ts';
import { modes } from './night.ts';
import { weekdays } from './schedule.ts';

/** `recency`: seconds, that no more may have passed than the value. `clock`: a time of day, between two. */
export type FieldType = 'number' | 'areaCode' | 'country' | 'region' | 'text' | 'flag' | 'tags' | 'choice' | 'clock' | 'recency';

/** Minutes since midnight of a `clock`, seconds of a `recency`. */
export type Actual = string | boolean | number | readonly string[];

export interface Field {
  readonly type: FieldType;
  /** In a sentence. */
  readonly label: string;
  /** What is so, as a whole sentence; made of label and value where absent. */
  readonly says?: (facts: ConditionFacts) => string | undefined;
  /** Undefined: it is not known. */
  readonly read: (facts: ConditionFacts) => Actual | undefined;
  /** Of a choice: its values, where they are not names of the account's own. */
  readonly choices?: readonly string[];
  /** The object of the account that the field names, or whose id its value is. */
  readonly names?: { readonly kind: 'schedule' | 'user'; readonly id: string };
  readonly valueNames?: 'user';
}

export const operatorsOf: Readonly<Record<FieldType, readonly Operator[]>> = {
  number: ['is', 'isNot', 'oneOf', 'noneOf', 'startsWith', 'exists'],
  areaCode: ['is', 'isNot', 'oneOf', 'noneOf', 'startsWith', 'exists'],
  country: ['is', 'isNot', 'oneOf', 'noneOf', 'exists'],
  region: ['is', 'isNot', 'oneOf', 'noneOf', 'exists'],
  text: ['is', 'isNot', 'oneOf', 'noneOf', 'startsWith', 'endsWith', 'contains', 'exists'],
  flag: ['is'],
  tags: ['has', 'hasAny', 'hasAll', 'hasNone'],
  choice: ['is', 'isNot', 'oneOf', 'noneOf'],
  clock: ['is', 'isNot'],
  recency: ['is', 'isNot'],
};

const plain: Readonly<Record<string, Field>> = {
  'caller.number': { type: 'number', label: 'the caller’s number', read: ({ caller }) => shown(caller.number) },
  'caller.country': { type: 'country', label: 'the caller’s country', read: ({ caller }) => caller.place().country },
  'caller.region': { type: 'region', label: 'the caller’s region', read: ({ caller }) => caller.place().region },
  'caller.areaCode': { type: 'areaCode', label: 'the caller’s area code', read: ({ caller }) => caller.place().areaCode },
  'caller.anonymous': {
    type: 'flag', label: 'the caller', read: ({ caller }) => shown(caller.number) === undefined,
    says: ({ caller }) => (shown(caller.number) === undefined ? 'the caller shows no number' : 'the caller shows a number'),
  },
  'dialled.number': { type: 'number', label: 'the dialled number', read: ({ dialled }) => shown(dialled.number) },
  'dialled.label': { type: 'text', label: 'the dialled number’s name', read: ({ dialled }) => dialled.label },
  'contact.known': {
    type: 'flag', label: 'the caller', read: ({ contact }) => contact !== undefined,
    says: ({ contact }) => (contact === undefined ? 'the caller is no contact' : 'the caller is a contact'),
  },
  'contact.name': { type: 'text', label: 'the contact’s name', read: ({ contact }) => contact?.name },
  'contact.owner': { type: 'choice', label: 'the contact’s owner', read: ({ contact }) => contact?.owner, valueNames: 'user' },
  'contact.tags': { type: 'tags', label: 'the contact’s tags', read: ({ contact }) => contact?.tags ?? [] },
  tags: { type: 'tags', label: 'the call’s tags', read: ({ tags }) => tags },
  'time.weekday': { type: 'choice', label: 'the day', read: ({ local }) => local.weekday, choices: weekdays },
  'time.between': { type: 'clock', label: 'the time', read: ({ local }) => local.minutes },
  mode: { type: 'choice', label: 'the mode', read: ({ mode }) => mode, choices: modes },
  'repeat.withinSeconds': { type: 'recency', label: 'the last call', read: ({ secondsSinceLastCall }) => secondsSinceLastCall },
};

const states = ['available', 'busy', 'offline'];

/** Fields that have a name of the account's own behind them. */
const prefixed: Readonly<Record<string, (name: string) => Field>> = {
  'schedule.': (id) => ({
    type: 'choice', label: `the schedule ${id}`, choices: ['open', 'closed'], names: { kind: 'schedule', id },
    says: ({ schedule }) => {
      const answer = schedule(id);
      return answer === undefined ? undefined : `the schedule ${id} is ${answer.why}`;
    },
    read: ({ schedule }) => {
      const answer = schedule(id);
      return answer === undefined ? undefined : answer.open ? 'open' : 'closed';
    },
  }),
  'agent.': (id) => ({ type: 'choice', label: `the agent ${id}`, choices: states, names: { kind: 'user', id }, read: ({ agent }) => agent(id) }),
  'contact.fields.': (name) => ({
    type: 'text', label: `the contact’s ${name}`,
    read: ({ contact }) => (contact?.fields !== undefined && Object.hasOwn(contact.fields, name) ? contact.fields[name] : undefined),
  }),
};

/** As they are written, with `<id>` and `<name>` for what is the account's own. */
export const fieldNames: readonly string[] = [...Object.keys(plain), 'schedule.<id>', 'agent.<id>', 'contact.fields.<name>'];

export function conditionField(name: string): Field | undefined {
  if (Object.hasOwn(plain, name)) return plain[name];
  const prefix = Object.keys(prefixed).find((start) => name.startsWith(start) && /^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$/.test(name.slice(start.length)));
  return prefix === undefined ? undefined : prefixed[prefix]?.(name.slice(prefix.length));
}

function shown(number: string): string | undefined {
  return /\d/.test(number) ? number : undefined;
}
