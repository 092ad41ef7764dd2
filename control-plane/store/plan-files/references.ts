/**
 * What the fields of plan files say of each other: names that must be known, things that may be there once, forwards
 * that would come back. Works on unchecked data, so that these problems show beside those of single fields.
 */
import { didYouMean } from '../../core/complaint.ts';
import { defaultOutboundRules, guardDestination } from '../../core/routing/outbound-guard.ts';
import { defaultCountry, e164Pattern } from './schema.ts';
import { pathText, type Finding, type Path } from './problems.ts';

interface Found {
  readonly value: string;
  readonly path: Path;
}

/** What other files of the same system have, by kind and value: where it was seen first. */
export type Seen = Map<string, string>;

const emergencyNumbers = ['911', '933', '112'];

/** The E.164 numbers a file declares as its own. */
export function ownNumbers(raw: unknown): readonly string[] {
  return collect(raw, ['numbers', '*', 'e164']).map(({ value }) => value).filter((value) => e164Pattern.test(value));
}

/** `own` are the numbers of every file; `seen` is added to. */
export function checkReferences(raw: unknown, file: string, own: ReadonlySet<string>, seen: Seen): readonly Finding[] {
  const trunkIds = values(raw, ['trunks', '*', 'id']);
  const userIds = values(raw, ['users', '*', 'id']);
  return [
    ...duplicates(raw, file, seen),
    ...unknown(collect(raw, ['numbers', '*', 'users', '*']), userIds, 'user'),
    ...unknown(collect(raw, ['emergency', 'trunks', '*']), trunkIds, 'trunk'),
    ...forwards(raw, own),
    ...needsTrunk(raw, trunkIds),
    ...barred(raw),
    ...collect(raw, ['users', '*', 'devices', '*', 'extension'])
      .filter(({ value }) => emergencyNumbers.includes(value))
      .map(({ value, path }) => ({ path, message: `${value} is an emergency number`, wayOut: 'Use another extension.' })),
    ...repeated(raw),
  ];
}

function duplicates(raw: unknown, file: string, seen: Seen): readonly Finding[] {
  const kinds: readonly (readonly [string, readonly string[], boolean])[] = [
    ['account id', ['account', 'id'], true],
    ['trunk id', ['trunks', '*', 'id'], false],
    ['user id', ['users', '*', 'id'], false],
    ['extension', ['users', '*', 'devices', '*', 'extension'], false],
    ['number', ['numbers', '*', 'e164'], true],
  ];
  return kinds.flatMap(([kind, where, acrossFiles]) =>
    collect(raw, where).flatMap(({ value, path }) => {
      const key = `${kind} ${value}${acrossFiles ? '' : ` in ${file}`}`;
      const first = seen.get(key);
      if (first !== undefined) return [{ path, message: `${kind} ${value} is used twice, first at ${first}`, wayOut: 'Change or remove one of them.' }];
      seen.set(key, `${file} ${pathText(path)}`);
      return [];
    }),
  );
}

/** A user or trunk named twice in one list. */
function repeated(raw: unknown): readonly Finding[] {
  const lists = [...groups(raw, ['numbers', '*'], 'users'), ...groups(raw, ['emergency'], 'trunks')];
  return lists.flatMap((list) =>
    list
      .filter(({ value }, i) => list.findIndex((other) => other.value === value) < i)
      .map(({ value, path }) => ({ path, message: `${value} is in this list twice`, wayOut: 'Remove one.' })),
  );
}

function groups(raw: unknown, where: readonly string[], field: string): readonly (readonly Found[])[] {
  return descend(raw, where, []).map(({ node, path }) => collect(node, [field, '*']).map((found) => ({ ...found, path: [...path, ...found.path] })));
}

function unknown(references: readonly Found[], known: readonly string[], kind: string): readonly Finding[] {
  return references
    .filter(({ value }) => !known.includes(value))
    .map(({ value, path }) => {
      const meant = didYouMean(value, known);
      const wayOut = meant === undefined ? `Known here: ${known.join(', ') || 'none'}.` : `Did you mean “${meant}”?`;
      return { path, message: `there is no ${kind} “${value}”`, wayOut };
    });
}

/** Every number outside this system that a route or the switch may call. */
function outside(raw: unknown): readonly Found[] {
  return [['users', '*', 'devices', '*', 'mobile'], ['account', 'failsafe'], ['numbers', '*', 'failsafe']].flatMap((where) => collect(raw, where));
}

/** A call forwarded to a number of this system would come straight back. */
function forwards(raw: unknown, own: ReadonlySet<string>): readonly Finding[] {
  return outside(raw)
    .filter(({ value }) => own.has(value))
    .map(({ value, path }) => ({
      path, message: `${value} is a number of this system: a forward to itself`, wayOut: 'Give a number outside this system.',
    }));
}

function needsTrunk(raw: unknown, trunkIds: readonly string[]): readonly Finding[] {
  if (trunkIds.length > 0) return [];
  return outside(raw).map(({ value, path }) => ({
    path, message: `${value} can only be reached over a trunk, and there is none`, wayOut: 'Add one under trunks.',
  }));
}

/** A number that would never be called: in a country that is not allowed, or one that costs. */
function barred(raw: unknown): readonly Finding[] {
  const allowed = values(raw, ['account', 'outbound', 'countries', '*']);
  const rules = defaultOutboundRules(values(raw, ['account', 'country'])[0] ?? defaultCountry);
  return outside(raw).filter(({ value }) => e164Pattern.test(value)).flatMap(({ value, path }) => {
    const decision = guardDestination(value, allowed.length > 0 ? { ...rules, countries: allowed } : rules);
    if (decision.allowed) return [];
    const wayOut = decision.reason === 'country' ? 'Give another number, or add the country to outbound.countries under account.' : 'Give another number.';
    return [{ path, message: decision.detail.replace(/\.$/, ''), wayOut }];
  });
}

function values(raw: unknown, where: readonly string[]): readonly string[] {
  return collect(raw, where).map(({ value }) => value);
}

/** Every string at a path, in which `*` stands for each element of a list. */
export function collect(raw: unknown, where: readonly string[]): readonly Found[] {
  return descend(raw, where, []).flatMap(({ node, path }) => (typeof node === 'string' ? [{ value: node, path }] : []));
}

function descend(node: unknown, where: readonly string[], path: Path): readonly { readonly node: unknown; readonly path: Path }[] {
  const [key, ...rest] = where;
  if (key === undefined) return [{ node, path }];
  if (key === '*') return Array.isArray(node) ? node.flatMap((one: unknown, i) => descend(one, rest, [...path, i])) : [];
  if (typeof node !== 'object' || node === null || Array.isArray(node) || !Object.hasOwn(node, key)) return [];
  return descend((node as Record<string, unknown>)[key], rest, [...path, key]);
}
