/** Routers (M2, M3, M5): which target a call is given, and why. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseTarget, drawOf, type GeoRule, type Router, type Share } from '../../control-plane/core/routing/router.ts';
import { facts } from './router-fixture.ts';

const common = { id: 'main', name: 'Main', default: 'default' };
const geoRouter = (...geo: readonly GeoRule<string>[]): Router<string> => ({ ...common, kind: 'geo', geo });
const weightedRouter = (...weighted: readonly Share<string>[]): Router<string> => ({ ...common, kind: 'weighted', weighted });
const said = (router: Router<string>, change: Parameters<typeof facts>[0] = {}): readonly string[] => {
  const { target, reasons } = chooseTarget(router, facts(change));
  expect(new Set(reasons.map(({ subject }) => subject))).toEqual(new Set(['router.main']));
  return [target, ...reasons.map(({ taken, why }) => `${taken ? '+' : '-'} ${why}`)];
};

describe('A geo router', () => {
  const country = { countries: ['CA', 'US'], target: 'country' };
  const region = { regions: ['US-CA'], target: 'region' };
  const area = { areaCodes: ['628', '415'], target: 'area' };

  it.each<readonly [string, Router<string>, readonly string[]]>([
    ['an area code', geoRouter(country, region, area), ['area', '+ the caller’s area code is 415']],
    ['else a region', geoRouter(country, region), ['region', '+ the caller’s region is US-CA']],
    ['else a country', geoRouter({ ...area, areaCodes: ['212'] }, country), ['country', '+ the caller’s country is US']],
    ['the first of two alike', geoRouter(region, { ...region, target: 'second' }), ['region', '+ the caller’s region is US-CA']],
    ['else its default', geoRouter({ countries: ['DE'], target: 'far' }), ['default', '- it has nothing for a caller in US, US-CA, 415', '+ its default']],
    ['not an area code of another country', geoRouter({ countries: ['AT'], areaCodes: ['415'], target: 'Austria' }), ['default', '- it has nothing for a caller in US, US-CA, 415', '+ its default']],
    ['not the rest of the country whose area code is named', geoRouter({ countries: ['US'], areaCodes: ['212'], target: 'New York' }), ['default', '- it has nothing for a caller in US, US-CA, 415', '+ its default']],
    ['a region or an area code', geoRouter({ regions: ['US-NY'], areaCodes: ['415'], target: 'either' }), ['either', '+ the caller’s area code is 415']],
  ])('takes %s', (_, router, expected) => {
    expect(said(router)).toEqual(expected);
  });

  it('has only its default for a caller who shows no number', () => {
    expect(said(geoRouter(country, region, area), { caller: { number: '', place: () => ({}) } })).toEqual(['default', '- where the caller is is not known', '+ its default']);
  });
});

describe('A router of rules', () => {
  const router: Router<string> = {
    ...common, kind: 'rules',
    rules: [
      { name: 'Emergency', when: { field: 'mode', is: 'emergency' }, target: 'on call' },
      { when: { field: 'contact.tags', has: 'vip' }, target: 'manager' },
      { name: 'Everyone', when: { field: 'caller.anonymous', is: false }, target: 'desk' },
    ],
  };

  it('takes the first that holds, and looks no further', () => {
    expect(said(router)).toEqual(['manager', '- Emergency: the mode is not emergency but normal', '+ rule 2: the contact’s tags have vip']);
    expect(said(router, { mode: 'emergency' })).toEqual(['on call', '+ Emergency: the mode is emergency']);
  });

  it('takes its default when none holds', () => {
    expect(said({ ...router, rules: router.rules.slice(0, 1) })).toEqual(['default', '- Emergency: the mode is not emergency but normal', '+ its default']);
  });
});

describe('A weighted router', () => {
  const from = Date.parse('2026-11-26T00:00:00Z');
  const router = weightedRouter({ weight: 1, target: 'a' }, { weight: 3, target: 'b' });

  it.each([[0, 'a'], [0.2499, 'a'], [0.25, 'b'], [0.9999999, 'b']])('draws at %d the target %s', (draw, target) => {
    expect(said(router, { draw: () => draw })[0]).toBe(target);
  });

  it('says what was drawn', () => {
    expect(said(router)).toEqual(['b', '+ share 2 was drawn, 3 of 4']);
  });

  it.each<readonly [string, Omit<Share<string>, 'weight' | 'target'>, string | undefined]>([
    ['has begun', { from }, undefined],
    ['begins now', { from: facts().at }, undefined],
    ['is yet to begin', { from: facts().at + 1 }, 'from 2026-11-26T14:12:00.001Z on'],
    ['is over', { from, until: facts().at }, 'until 2026-11-26T14:12:00.000Z'],
    ['is not over', { until: facts().at + 1 }, undefined],
    ['has its schedule open', { schedule: 'nights' }, undefined],
    ['has its schedule closed', { schedule: 'main' }, 'the schedule main is closed: Thanksgiving Day'],
    ['has a schedule that there is not', { schedule: 'other' }, 'there is no schedule other'],
  ])('draws a share that %s, or not', (_, box, why) => {
    expect(said(weightedRouter({ weight: 1, target: 'a', ...box }))).toEqual(why === undefined ? ['a', '+ share 1 was drawn, 1 of 1'] : ['default', `- share 1: ${why}`, '- none of its shares is on at this time', '+ its default']);
  });

  it('divides what is left when one is not on', () => {
    expect(said(weightedRouter({ weight: 98, until: from, target: 'old' }, { weight: 1, target: 'a' }, { weight: 1, target: 'b' }), { draw: () => 0.49 })).toEqual(['a', '- share 1: until 2026-11-26T00:00:00.000Z', '+ share 2 was drawn, 1 of 2']);
  });

  it('gives each its weight of many calls', () => {
    const counts = new Map<string, number>();
    const shares = weightedRouter({ weight: 5, target: 'a' }, { weight: 3, target: 'b' }, { weight: 2, target: 'c' });
    for (let call = 0; call < 20_000; call += 1) {
      const { target } = chooseTarget(shares, facts({ draw: (id) => drawOf(`1732600000.${call}`, id) }));
      counts.set(target, (counts.get(target) ?? 0) + 1);
    }
    // four standard deviations
    expect(Math.abs((counts.get('a') ?? 0) - 10_000)).toBeLessThan(283);
    expect(Math.abs((counts.get('b') ?? 0) - 6000)).toBeLessThan(260);
    expect(Math.abs((counts.get('c') ?? 0) - 4000)).toBeLessThan(227);
  });

  it('draws the same for a call again, and for another router independently', () => {
    fc.assert(fc.property(fc.string(), fc.string(), (call, id) => {
      const draw = drawOf(call, id);
      return draw >= 0 && draw < 1 && draw === drawOf(call, id);
    }));
    const both = Array.from({ length: 4000 }, (_, call) => (drawOf(`call-${call}`, 'one') < 0.5 ? 1 : 0) + (drawOf(`call-${call}`, 'two') < 0.5 ? 2 : 0));
    for (const which of [0, 1, 2, 3]) expect(Math.abs(both.filter((one) => one === which).length - 1000)).toBeLessThan(110);
  });
});
