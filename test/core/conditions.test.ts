/** Conditions (M3): what each field is asked, what is said of it, and what is refused when one is saved. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { conditionComplaints, conditionReferences } from '../../control-plane/core/routing/condition-check.ts';
import { fieldNames, operatorsOf } from '../../control-plane/core/routing/condition-fields.ts';
import { evaluate, operators, type Condition, type ConditionFacts } from '../../control-plane/core/routing/conditions.ts';
import { facts } from './router-fixture.ts';

const asked = (condition: Condition, change: Partial<ConditionFacts> = {}): string => {
  const { matches, why } = evaluate(condition, facts(change));
  return `${matches ? 'yes' : 'no'}: ${why}`;
};
const calledAgain = (after: number, within: number): string => asked({ field: 'repeat.withinSeconds', is: within }, { secondsSinceLastCall: after });
const complaints = (value: unknown): readonly string[] => conditionComplaints(value, ['when']).map(({ path, message, wayOut }) => `${path.join('.')}: ${message}. ${wayOut}`);

describe('A condition on', () => {
  it.each<readonly [string, Condition, string]>([
    ['caller.number is', { field: 'caller.number', is: '+14155550177' }, 'yes: the caller’s number is +14155550177'],
    ['caller.number starts with', { field: 'caller.number', startsWith: '+1415' }, 'yes: the caller’s number starts with +1415'],
    ['caller.number is one of', { field: 'caller.number', oneOf: ['+14155550178', '+12025550110'] }, 'no: the caller’s number is none of +14155550178, +12025550110 but +14155550177'],
    ['caller.country', { field: 'caller.country', is: 'US' }, 'yes: the caller’s country is US'],
    ['caller.country is not', { field: 'caller.country', isNot: 'US' }, 'no: the caller’s country is US'],
    ['caller.region', { field: 'caller.region', noneOf: ['US-NY', 'US-NJ'] }, 'yes: the caller’s region is none of US-NY, US-NJ but US-CA'],
    ['caller.areaCode', { field: 'caller.areaCode', oneOf: ['628', '415'] }, 'yes: the caller’s area code is 415'],
    ['caller.anonymous', { field: 'caller.anonymous', is: false }, 'yes: the caller shows a number'],
    ['dialled.number', { field: 'dialled.number', is: '+12025550110' }, 'yes: the dialled number is +12025550110'],
    ['dialled.label, whatever its case', { field: 'dialled.label', contains: 'main' }, 'yes: the dialled number’s name contains main'],
    ['dialled.label ends with', { field: 'dialled.label', endsWith: 'street' }, 'no: the dialled number’s name does not end with street but Main line'],
    ['contact.known', { field: 'contact.known', is: true }, 'yes: the caller is a contact'],
    ['contact.name', { field: 'contact.name', is: 'jo ray' }, 'yes: the contact’s name is jo ray'],
    ['contact.owner', { field: 'contact.owner', is: 'ana' }, 'no: the contact’s owner is not ana but ben'],
    ['contact.tags has', { field: 'contact.tags', has: 'VIP' }, 'yes: the contact’s tags have VIP'],
    ['contact.tags has all', { field: 'contact.tags', hasAll: ['vip', 'new'] }, 'no: the contact’s tags do not have all of vip, new'],
    ['contact.tags has none', { field: 'contact.tags', hasNone: ['spam'] }, 'yes: the contact’s tags have none of spam'],
    ['a field of contacts', { field: 'contact.fields.insurance', is: 'Acme' }, 'yes: the contact’s insurance is Acme'],
    ['a field that the contact lacks', { field: 'contact.fields.language', exists: true }, 'no: the contact’s language is not known'],
    ['the call’s tags', { field: 'tags', hasAny: ['holiday', 'after-hours'] }, 'yes: the call’s tags have one of holiday, after-hours'],
    ['the weekday', { field: 'time.weekday', oneOf: ['sat', 'sun'] }, 'no: the day is none of sat, sun but thu'],
    ['the time', { field: 'time.between', is: { from: '08:00', to: '12:00' } }, 'yes: it is 09:12, between 08:00 and 12:00'],
    ['the time at night', { field: 'time.between', is: { from: '22:00', to: '06:00' } }, 'no: it is 09:12, not between 22:00 and 06:00'],
    ['the time outside', { field: 'time.between', isNot: { from: '08:00', to: '12:00' } }, 'no: it is 09:12, between 08:00 and 12:00'],
    ['a schedule', { field: 'schedule.main', is: 'closed' }, 'yes: the schedule main is closed: Thanksgiving Day'],
    ['a schedule that there is not', { field: 'schedule.other', is: 'closed' }, 'no: the schedule other is not known'],
    ['the mode', { field: 'mode', isNot: 'emergency' }, 'yes: the mode is not emergency but normal'],
    ['a repeated call', { field: 'repeat.withinSeconds', is: 600 }, 'yes: the caller called 5 min ago, within 10 min'],
    ['a call repeated too late', { field: 'repeat.withinSeconds', is: 299 }, 'no: the caller called 5 min ago, not within 4 min 59 s'],
    ['an agent', { field: 'agent.ana', is: 'available' }, 'yes: the agent ana is available'],
    ['an agent who is busy', { field: 'agent.ben', oneOf: ['available', 'offline'] }, 'no: the agent ben is none of available, offline but busy'],
  ])('%s', (_, condition, said) => {
    expect(asked(condition)).toBe(said);
    expect(complaints(condition)).toEqual([]);
  });

  it('a repeated call tells of long times in days and hours', () => {
    expect(calledAgain(84_234.7, 86_400)).toBe('yes: the caller called 23 h 23 min 54 s ago, within 1 day');
    expect(calledAgain(180_000.5, 7200)).toBe('no: the caller called 2 days 2 h ago, not within 2 h');
    expect(calledAgain(0.4, 10)).toBe('yes: the caller called 0 s ago, within 10 s');
  });

  it.each<readonly [string, Condition, string]>([
    ['is shown', { field: 'caller.anonymous', is: true }, 'yes: the caller shows no number'],
    ['has no digits to compare', { field: 'caller.number', startsWith: '+' }, 'no: the caller’s number is not known'],
    ['is not anything', { field: 'caller.number', isNot: '+14155550177' }, 'yes: the caller’s number is not known'],
    ['may be asked for', { field: 'caller.region', exists: false }, 'yes: the caller’s region is not known'],
    ['is no contact', { field: 'contact.known', is: true }, 'no: the caller is no contact'],
    ['has no name', { field: 'contact.name', contains: 'a' }, 'no: the contact’s name is not known'],
    ['has no tags', { field: 'contact.tags', has: 'vip' }, 'no: the contact’s tags do not have vip'],
    ['has not called before', { field: 'repeat.withinSeconds', isNot: 600 }, 'yes: the caller is not known to have called before'],
  ])('a caller of whom nothing is known: one who %s', (_, condition, said) => {
    const { contact: _contact, secondsSinceLastCall: _seconds, ...rest } = facts();
    const { matches, why } = evaluate(condition, { ...rest, caller: { number: 'anonymous', place: () => ({}) } });
    expect(`${matches ? 'yes' : 'no'}: ${why}`).toBe(said);
  });
});

describe('Conditions joined by', () => {
  const yes: Condition = { field: 'caller.country', is: 'US' };
  const also: Condition = { field: 'mode', is: 'normal' };
  const no: Condition = { field: 'time.weekday', is: 'sun' };

  it.each<readonly [string, Condition, string]>([
    ['all, which hold', { all: [yes, also] }, 'yes: the caller’s country is US, and the mode is normal'],
    ['all, of which one does not', { all: [yes, no, also] }, 'no: the day is not sun but thu'],
    ['any, of which one holds', { any: [no, also, yes] }, 'yes: the mode is normal'],
    ['any, of which none does', { any: [no, { not: yes }] }, 'no: the day is not sun but thu, and the caller’s country is US'],
    ['not', { not: no }, 'yes: the day is not sun but thu'],
  ])('%s', (_, condition, said) => {
    expect(asked(condition)).toBe(said);
  });
});

describe('A condition is refused', () => {
  const nested = (depth: number): unknown => (depth === 0 ? { field: 'mode', is: 'normal' } : { not: nested(depth - 1) });

  it.each<readonly [string, unknown, string]>([
    ['that is none', 'caller.number', 'when: is no condition. Write it as { "field": "caller.areaCode", "is": "415" }, or join conditions by all, any and not.'],
    ['without a field', { is: 'US' }, `when.field: must be the name of a field. Known: ${fieldNames.join(', ')}.`],
    ['with a field that there is not', { field: 'caller.nubmer', is: '+1' }, 'when.field: “caller.nubmer” is no field of conditions. Did you mean “caller.number”?'],
    ['with a field like no other', { field: 'weather', is: 'fine' }, `when.field: “weather” is no field of conditions. Known: ${fieldNames.join(', ')}.`],
    ['with a field of an object’s own', { field: '__proto__', is: 'x' }, `when.field: “__proto__” is no field of conditions. Known: ${fieldNames.join(', ')}.`],
    ['with an operator that there is not', { field: 'caller.number', beginsWith: '+1' }, 'when.beginsWith: is no operator. Known: is, isNot, oneOf, noneOf, startsWith, exists.'],
    ['with a mistyped operator', { field: 'caller.number', startWith: '+1' }, 'when.startWith: is no operator. Did you mean “startsWith”?'],
    ['with an operator of another type', { field: 'contact.tags', is: 'vip' }, 'when.is: does not go with contact.tags. Use one of: has, hasAny, hasAll, hasNone.'],
    ['without an operator', { field: 'mode' }, 'when: does not say what mode is compared with. Use one of: is, isNot, oneOf, noneOf.'],
    ['with two operators', { field: 'mode', is: 'closed', isNot: 'normal' }, 'when.isNot: stands beside is. Write a condition for each, and join them by all.'],
    ['with a number without its country code', { field: 'caller.number', startsWith: '415' }, 'when.startsWith: must be a number, or the beginning of one, with its country code. Write it as +12025550123, or +1202.'],
    ['with an area code that is a number', { field: 'caller.areaCode', is: 415 }, 'when.is: must be the digits of an area code, which does not begin with 00. Write it in quotation marks: "415".'],
    ['with a country in small letters', { field: 'caller.country', oneOf: ['US', 'ca'] }, 'when.oneOf.1: must be a country. Use the two capital letters of ISO 3166-1, such as US, or GB for the United Kingdom.'],
    ['with a country that there is not', { field: 'caller.country', is: 'UK' }, 'when.is: must be a country. Use the two capital letters of ISO 3166-1, such as US, or GB for the United Kingdom.'],
    ['with a region without its country', { field: 'caller.region', is: 'CA' }, 'when.is: must be a region of ISO 3166-2. Write it as US-CA.'],
    ['with a list that is none', { field: 'caller.country', oneOf: 'US' }, 'when.oneOf: must be a list of 1 to 100. Write it in square brackets.'],
    ['with a day that is none', { field: 'time.weekday', is: 'saturday' }, 'when.is: must be one of: mon, tue, wed, thu, fri, sat, sun. Write one of them.'],
    ['with a mistyped state', { field: 'agent.ana', is: 'availabel' }, 'when.is: must be one of: available, busy, offline. Did you mean “available”?'],
    ['with a flag in quotation marks', { field: 'contact.known', is: 'true' }, 'when.is: must be true or false. Write it without quotation marks.'],
    ['with a time that is none', { field: 'time.between', is: { from: '8', to: '12:00' } }, 'when.is: must have from and to, which differ. Write { "from": "08:00", "to": "17:30" }.'],
    ['with no seconds', { field: 'repeat.withinSeconds', is: 0 }, 'when.is: must be whole seconds from 1 to 2678400. Write 3600 for an hour.'],
    ['with nothing to join', { any: [] }, 'when.any: must be a list of conditions. Write one at least.'],
    ['with something beside all', { all: [{ field: 'mode', is: 'normal' }], any: [] }, 'when.any: cannot stand beside all. Move it into the all, or remove it.'],
    ['that is too deep', nested(6), 'when.not.not.not.not.not.not: is more than 6 deep. Write it with fewer of all, any and not within each other.'],
    ['that asks too much', { all: Array.from({ length: 100 }, () => ({ field: 'mode', is: 'normal' })) }, 'when: asks more than 100 things. Divide it among several rules.'],
  ])('%s', (_, value, problem) => {
    expect(complaints(value)).toEqual([problem]);
  });

  it('with everything that is wrong in it at once, each with its path', () => {
    expect(complaints({ all: [{ field: 'mode', is: 'shut' }, { not: { field: 'agent.ana', has: 'x' } }] }).map((one) => one.split(':')[0])).toEqual(['when.all.0.is', 'when.all.1.not.has']);
  });

  it('but not for its depth or length within bounds', () => {
    expect(complaints(nested(5))).toEqual([]);
    expect(complaints({ all: Array.from({ length: 99 }, () => ({ field: 'mode', is: 'normal' })) })).toEqual([]);
  });
});

it('A condition tells which objects of the account it names', () => {
  const condition: Condition = { any: [{ field: 'schedule.main', is: 'open' }, { not: { field: 'agent.ana', is: 'busy' } }, { field: 'contact.owner', oneOf: ['ben', 'cy'] }, { field: 'contact.owner', is: 'eve' }, { field: 'mode', is: 'closed' }] };
  expect(conditionReferences(condition, ['when']).map(({ kind, id, path }) => `${kind} ${id} ${path.join('.')}`)).toEqual([
    'schedule main when.any.0.field', 'user ana when.any.1.not.field', 'user ben when.any.2.oneOf.0', 'user cy when.any.2.oneOf.1', 'user eve when.any.3.is',
  ]);
});

describe('Whatever is written', () => {
  const field = fc.constantFrom(...fieldNames.map((name) => name.replace(/<\w+>/, 'main')), 'nothing', 'constructor');
  const value = fc.oneof(fc.constantFrom('US', 'ana', 'open', 'mon', '+1415', true, 600, { from: '08:00', to: '09:00' }, ['vip'], ['US-CA', 'US-NY']), fc.jsonValue({ maxDepth: 2 }));
  const loose: fc.Arbitrary<Condition> = fc.tuple(field, fc.constantFrom(...operators), value).map(([name, operator, one]) => ({ field: name, [operator]: one }));
  const right = fc.constantFrom<Condition[]>({ field: 'caller.country', is: 'US' }, { field: 'tags', hasAny: ['vip', 'new'] }, { field: 'agent.ana', isNot: 'busy' }, { field: 'time.between', is: { from: '22:00', to: '06:00' } });
  const { condition } = fc.letrec<{ condition: Condition }>((tie) => ({
    condition: fc.oneof({ maxDepth: 4, withCrossShrink: true }, right, loose, fc.array(tie('condition'), { minLength: 1, maxLength: 3 }).map((all) => ({ all })), fc.array(tie('condition'), { minLength: 1, maxLength: 3 }).map((any) => ({ any })), tie('condition').map((not) => ({ not }))),
  }));

  it('is checked and evaluated without a fault, and said with a reason', () => {
    let [right, wrong] = [0, 0];
    fc.assert(fc.property(condition, (one) => {
      if (conditionComplaints(one).length === 0) right += 1;
      else wrong += 1;
      const { matches, why } = evaluate(one, facts());
      expect([typeof matches, why === '']).toEqual(['boolean', false]);
    }), { numRuns: 2000 });
    expect(Math.min(right, wrong)).toBeGreaterThan(50);
    fc.assert(fc.property(fc.jsonValue(), (one) => conditionComplaints(one).every(({ message, wayOut }) => message !== '' && wayOut !== '')));
  });

  it('not all is any not', () => {
    fc.assert(fc.property(fc.array(condition, { minLength: 1, maxLength: 4 }), (parts) => {
      expect(evaluate({ not: { all: parts } }, facts()).matches).toBe(evaluate({ any: parts.map((not) => ({ not })) }, facts()).matches);
    }));
  });

  it('has an opposite where its operator has one', () => {
    for (const [one, other] of [['is', 'isNot'], ['oneOf', 'noneOf'], ['hasAny', 'hasNone']] as const) {
      expect(Object.values(operatorsOf).every((list) => !list.includes(other) || list.includes(one))).toBe(true);
      fc.assert(fc.property(field.filter((name) => name.includes('.')), value, (name, wanted) => {
        const [first, second] = [one, other].map((operator) => evaluate({ field: name, [operator]: wanted }, facts()).matches);
        return first !== second;
      }));
    }
  });
});
