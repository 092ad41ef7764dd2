/**
 * A router picks one target for a call: by where its caller is (M2), by rules (M3), or by weight (M5). Which targets there
 * are is nothing to it. Pure, and the same facts always give the same target.
 */
import { contentHash } from '../ids.ts';
import type { EpochMs } from '../time.ts';
import { evaluate, type Condition, type ConditionFacts } from './conditions.ts';
import type { Reason } from './plan.ts';

interface Common<T> {
  readonly id: string;
  readonly name: string;
  /** Where nothing else is taken. */
  readonly default: T;
}

export type Router<T> = Common<T> & (
  | { readonly kind: 'geo'; readonly geo: readonly GeoRule<T>[] }
  | { readonly kind: 'rules'; readonly rules: readonly Rule<T>[] }
  | { readonly kind: 'weighted'; readonly weighted: readonly Share<T>[] }
);

/**
 * A caller of any of these is taken. The rule that names them most closely is: an area code before a region before a
 * country, and of those alike the first.
 */
export interface GeoRule<T> {
  /** ISO 3166-1 alpha-2. */
  readonly countries?: readonly string[];
  /** ISO 3166-2. */
  readonly regions?: readonly string[];
  /** Digits; of the countries that the rule names, where it names any. */
  readonly areaCodes?: readonly string[];
  readonly target: T;
}

/** The first that holds is taken. */
export interface Rule<T> {
  readonly name?: string;
  readonly when: Condition;
  readonly target: T;
}

/** One of those that hold at the time is drawn, by their weights. */
export interface Share<T> {
  readonly weight: number;
  readonly from?: EpochMs;
  /** The first instant that is after it. */
  readonly until?: EpochMs;
  /** Only while this schedule is open. */
  readonly schedule?: string;
  readonly target: T;
}

export interface RouterFacts extends ConditionFacts {
  readonly at: EpochMs;
  /** In [0, 1), the same for a call whenever its plan is compiled: `drawOf`. */
  readonly draw: (routerId: string) => number;
}

export interface Choice<T> {
  readonly target: T;
  readonly reasons: readonly Reason[];
}

/** Each reason's subject is `router.<id>`. */
export function chooseTarget<T>(router: Router<T>, facts: RouterFacts): Choice<T> {
  const reasons: Reason[] = [];
  const say = (taken: boolean, why: string): void => { reasons.push({ subject: `router.${router.id}`, taken, why }); };
  const chosen = choose(router, facts, say);
  if (chosen !== undefined) return { target: chosen.target, reasons };
  say(true, 'its default');
  return { target: router.default, reasons };
}

type Say = (taken: boolean, why: string) => void;

function choose<T>(router: Router<T>, facts: RouterFacts, say: Say): { readonly target: T } | undefined {
  switch (router.kind) {
    case 'geo': return closest(router.geo, facts, say);
    case 'rules': return firstRule(router.rules, facts, say);
    case 'weighted': return drawn(router.id, router.weighted, facts, say);
  }
}

function closest<T>(rules: readonly GeoRule<T>[], { caller }: RouterFacts, say: Say): GeoRule<T> | undefined {
  const { country, region, areaCode } = caller.place();
  const near: readonly (readonly [string | undefined, string, (rule: GeoRule<T>) => boolean])[] = [
    [areaCode, 'area code', ({ areaCodes = [], countries }) => areaCodes.includes(areaCode ?? '') && (countries === undefined || countries.includes(country ?? ''))],
    [region, 'region', ({ regions = [] }) => regions.includes(region ?? '')],
    // the countries of a rule with area codes say whose they are
    [country, 'country', ({ countries = [], areaCodes }) => areaCodes === undefined && countries.includes(country ?? '')],
  ];
  for (const [known, what, matches] of near) {
    const rule = known === undefined ? undefined : rules.find(matches);
    if (rule === undefined) continue;
    say(true, `the caller’s ${what} is ${known}`);
    return rule;
  }
  const where = [country, region, areaCode].filter((one) => one !== undefined);
  say(false, where.length === 0 ? 'where the caller is is not known' : `it has nothing for a caller in ${where.join(', ')}`);
  return undefined;
}

function firstRule<T>(rules: readonly Rule<T>[], facts: RouterFacts, say: Say): Rule<T> | undefined {
  return rules.find(({ name, when }, i) => {
    const { matches, why } = evaluate(when, facts);
    say(matches, `${name ?? `rule ${i + 1}`}: ${why}`);
    return matches;
  });
}

function drawn<T>(id: string, shares: readonly Share<T>[], facts: RouterFacts, say: Say): Share<T> | undefined {
  const standing = shares.flatMap((share, i) => {
    const why = whyNotNow(share, facts);
    if (why !== undefined) say(false, `share ${i + 1}: ${why}`);
    return why === undefined ? [{ share, i }] : [];
  });
  const all = standing.reduce((sum, { share }) => sum + share.weight, 0);
  let left = facts.draw(id) * all;
  const taken = standing.find(({ share }) => {
    left -= share.weight;
    return left < 0;
  }) ?? standing.at(-1);
  if (taken === undefined) say(false, 'none of its shares is on at this time');
  else say(true, `share ${taken.i + 1} was drawn, ${taken.share.weight} of ${all}`);
  return taken?.share;
}

function whyNotNow<T>({ from, until, schedule }: Share<T>, facts: RouterFacts): string | undefined {
  if (from !== undefined && facts.at < from) return `from ${new Date(from).toISOString()} on`;
  if (until !== undefined && facts.at >= until) return `until ${new Date(until).toISOString()}`;
  const answer = schedule === undefined ? undefined : facts.schedule(schedule);
  if (schedule === undefined || answer?.open === true) return undefined;
  return answer === undefined ? `there is no schedule ${schedule}` : `the schedule ${schedule} is ${answer.why}`;
}

/** In [0, 1), evenly over calls, and on one call independent from router to router. */
export function drawOf(callId: string, routerId: string): number {
  return Number.parseInt(contentHash([callId, routerId]).slice(-7), 36) / 36 ** 7;
}
