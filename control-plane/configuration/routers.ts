/** M2, M3 and M5: the document of a router. */
import { z } from 'zod';
import { didYouMean } from '../core/complaint.ts';
import { conditionComplaints, conditionReferences, unknownRegion, type ConditionReference } from '../core/routing/condition-check.ts';
import { fieldNames, operatorsOf } from '../core/routing/condition-fields.ts';
import type { Condition } from '../core/routing/conditions.ts';
import { knownRegions } from '../geo/regions.ts';
import type { TargetDoc } from './documents.ts';
import { country, id, instant, pattern, rule, wholeNumber, words } from './fields.ts';

/** Undefined where it is one. */
function regionWayOut(region: string): string | undefined {
  if (knownRegions.has(region)) return undefined;
  const meant = didYouMean(region, [...knownRegions]);
  return meant === undefined ? 'Regions are known in the US and Canada, written as US-CA.' : `Did you mean ${meant}?`;
}

const condition: z.ZodType<Condition> = z.record(z.string(), z.unknown(), 'must be a condition').superRefine((value, context) => {
  for (const { path, message, wayOut } of conditionComplaints(value, [], regionWayOut)) context.addIssue({ code: 'custom', path: [...path], message, params: { wayOut } });
}).meta({
  description: `A field and one operator with its value, or conditions joined by \`all\`, \`any\` (lists) and \`not\`. Fields: ${fieldNames.join(', ')}. Operators, by the field’s type: ${[...new Set(Object.values(operatorsOf).flat())].join(', ')}.`,
  example: { all: [{ field: 'caller.areaCode', oneOf: ['415', '628'] }, { not: { field: 'schedule.main', is: 'open' } }] },
}) as unknown as z.ZodType<Condition>;

const region = z.string('must be text').superRefine((value, context) => {
  const wayOut = regionWayOut(value);
  if (wayOut !== undefined) context.addIssue({ code: 'custom', message: unknownRegion, params: { wayOut } });
}).meta({ example: 'US-CA' });

const areaCode = pattern(/^(?!00)\d{1,7}$/, 'is not an area code.', 'Write its digits alone, without any 00 before them: 415.', '415');

function listOf<S extends z.ZodType>(of: S, most: number) {
  return rule(z.array(of, 'must be a list').min(1, 'must name one').max(most, `takes at most ${most}`), (list) => new Set(list).size === list.length, 'names one twice', 'Name each once.');
}

/** `target`: where a call may be led. */
export function routerDocument(target: z.ZodType<TargetDoc>) {
  const geoRule = rule(
    z.strictObject({
      countries: listOf(country, 250).optional(),
      regions: listOf(region, knownRegions.size).optional().meta({ description: 'ISO 3166-2, of the US and Canada.' }),
      areaCodes: listOf(areaCode, 500).optional().meta({ description: 'With `countries`, of those countries alone.' }),
      target,
    }),
    ({ countries, regions, areaCodes }) => countries !== undefined || regions !== undefined || areaCodes !== undefined, 'names no place', 'Give it countries, regions or areaCodes.',
  );
  const share = rule(
    z.strictObject({
      weight: wholeNumber(1, 1000, 'numbers'),
      from: instant.optional(),
      until: instant.optional().meta({ description: 'The first instant after it.' }),
      schedule: id.optional().meta({ description: 'Only while this schedule is open.' }),
      target,
    }),
    ({ from, until }) => from === undefined || until === undefined || Date.parse(from) < Date.parse(until), 'ends before it begins', 'Correct from or until.',
  );
  return rule(
    z.strictObject({
      name: words(60),
      geo: several(geoRule, 200).superRefine((rules = [], context) => {
        for (const { path, by } of takenPlaces(rules)) context.addIssue({ code: 'custom', path: [...path], message: `is a place of geo[${by}] already, which comes first`, params: { wayOut: 'Remove it from one of them.' } });
      }).meta({ description: 'By where the caller’s number is. The closest rule is taken: an area code before a region before a country. No two are for the same place.' }),
      rules: several(z.strictObject({ name: words(60).optional(), when: condition, target }), 200).meta({ description: 'The first whose condition holds is taken.' }),
      weighted: several(share, 50).meta({ description: 'One is drawn for each call, by weight, of those that are on at the time.' }),
      default: target.meta({ description: 'Where nothing else is taken.' }),
    }),
    ({ geo, rules, weighted }) => [geo, rules, weighted].filter((one) => one !== undefined).length === 1, 'must have one of geo, rules and weighted', 'Make a router for each; one may lead to another.',
  );
}

interface Places {
  readonly countries?: readonly string[] | undefined;
  readonly regions?: readonly string[] | undefined;
  readonly areaCodes?: readonly string[] | undefined;
}

/** Places that an earlier rule has: the later one is never taken for them. An area code without countries is one of all. */
function takenPlaces(rules: readonly Places[]): readonly { readonly path: readonly PropertyKey[]; readonly by: number }[] {
  const first = new Map<string, number>();
  return rules.flatMap(({ countries = [], regions = [], areaCodes }, i) => {
    const whose = countries.length === 0 ? [''] : countries;
    const places = [
      ...(areaCodes ?? []).map((code, j) => ({ path: ['areaCodes', j], all: `${code} `, each: whose.map((country) => `${code} ${country}`) })),
      ...regions.map((region, j) => ({ path: ['regions', j], all: region, each: [region] })),
      // the countries of a rule with area codes say whose they are
      ...(areaCodes === undefined ? countries : []).map((country, j) => ({ path: ['countries', j], all: country, each: [country] })),
    ];
    return places.flatMap(({ path, all, each }) => {
      const by = first.get(all) ?? (each.every((one) => first.has(one)) ? first.get(each[0] ?? all) : undefined);
      for (const one of each) if (!first.has(one)) first.set(one, i);
      return by === undefined || by === i ? [] : [{ path: [i, ...path], by }];
    });
  });
}

function several<S extends z.ZodType>(of: S, most: number) {
  return z.array(of, 'must be a list').min(1, 'must have one at least').max(most, `takes at most ${most}`).optional();
}

export type RouterDoc = z.output<ReturnType<typeof routerDocument>>;

/** Its targets, in the order in which a call would come to them; when, in words. */
export function routerTargets({ geo = [], rules = [], weighted = [], default: otherwise }: RouterDoc): readonly { readonly target: TargetDoc; readonly path: string; readonly when: string }[] {
  return [
    ...geo.map(({ target }, i) => ({ target, path: `geo[${i}].target`, when: `place ${i + 1}` })),
    ...rules.map(({ target, name }, i) => ({ target, path: `rules[${i}].target`, when: name ?? `rule ${i + 1}` })),
    ...weighted.map(({ target }, i) => ({ target, path: `weighted[${i}].target`, when: `share ${i + 1}` })),
    { target: otherwise, path: 'default', when: 'its default' },
  ];
}

/** The schedules and users that it names, beside its targets. */
export function routerReferences({ rules = [], weighted = [] }: RouterDoc): readonly ConditionReference[] {
  return [
    ...rules.flatMap(({ when }, i) => conditionReferences(when, ['rules', i, 'when'])),
    ...weighted.flatMap(({ schedule }, i): readonly ConditionReference[] => (schedule === undefined ? [] : [{ kind: 'schedule', id: schedule, path: ['weighted', i, 'schedule'] }])),
  ];
}
