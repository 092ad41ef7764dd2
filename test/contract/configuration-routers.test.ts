/** Routers and the night switch as documents: what is refused, what they name, and what they mean for routing. */
import { describe, expect, it } from 'vitest';
import { checkTogether, parseDocument } from '../../control-plane/configuration/check.ts';
import { clinicsOf } from '../../control-plane/configuration/clinics.ts';
import type { Kind } from '../../control-plane/configuration/documents.ts';
import { keyText, type ConfigObject } from '../../control-plane/configuration/objects.ts';
import type { Account } from '../../control-plane/core/routing/config.ts';

type Given = readonly [Kind, string, object];

function objectOf([kind, id, body]: Given): ConfigObject {
  const parsed = parseDocument(kind, body);
  if (!parsed.ok) throw new Error(`${kind} ${id}: ${JSON.stringify(parsed.problems)}`);
  return { account: 'elm', kind, id, version: 1, createdAt: 0, updatedAt: 5000, body: parsed.body } as ConfigObject;
}

const clinic: readonly Given[] = [
  ['account', 'elm', { name: 'Elm Street', sipPrefix: 'elm' }], ['user', 'ann', { name: 'Ann' }],
  ['schedule', 'office', { name: 'Office', week: [{ days: ['mon'], from: '08:00', to: '12:00' }] }],
  ['menu', 'main', { name: 'Main', prompt: { text: 'Hello' }, options: { 1: { to: 'voicemail' } } }],
];

const together = (...given: readonly Given[]): readonly string[] =>
  checkTogether(new Map([...clinic, ...given].map(objectOf).map((object) => [keyText(object), object]))).map(({ object, path, message }) => `${object.kind}/${object.id} ${path}: ${message}`);
const refused = (kind: Kind, body: object): readonly string[] => {
  const parsed = parseDocument(kind, body);
  return parsed.ok ? [] : parsed.problems.map(({ path, message }) => `${path}: ${message}`);
};
const meant = (...given: readonly Given[]): Account | undefined => clinicsOf([...clinic.slice(given.some(([kind]) => kind === 'account') ? 1 : 0), ...given].map(objectOf), () => 'sound:beep')[0]?.account;

const menu = { to: 'menu', id: 'main' };
const voicemail = { to: 'voicemail' };
const router = (body: object): object => ({ name: 'Router', default: voicemail, ...body });
const us = { countries: ['US'], target: menu };
const share = { weight: 1, target: menu };

describe('A router is refused', () => {
  it.each<readonly [string, object, unknown]>([
    ['that does nothing', {}, ': must have one of geo, rules and weighted. Make a router for each; one may lead to another.'],
    ['that does two things', { geo: [us], weighted: [share] }, ': must have one of geo, rules and weighted. Make a router for each; one may lead to another.'],
    ['without a default', { geo: [us], default: undefined }, 'default: is missing. Add it.'],
    ['with no rules', { rules: [] }, 'rules: must have one at least.'],
    ['with a place that is none', { geo: [{ target: menu }] }, 'geo[0]: names no place. Give it countries, regions or areaCodes.'],
    ['with a mistyped region', { geo: [{ regions: ['US-CX'], target: menu }] }, expect.stringMatching(/^geo\[0\]\.regions\[0\]: is not a region that a number tells of\. Did you mean US-C[AOT]\?$/)],
    ['with a region elsewhere', { geo: [{ regions: ['Bavaria'], target: menu }] }, 'geo[0].regions[0]: is not a region that a number tells of. Regions are known in the US and Canada, written as US-CA.'],
    ['with an area code in brackets', { geo: [{ areaCodes: ['(415)'], target: menu }] }, 'geo[0].areaCodes[0]: is not an area code. Write its digits alone, without any 00 before them: 415.'],
    ['with an area code that there cannot be', { geo: [{ areaCodes: ['000'], target: menu }] }, 'geo[0].areaCodes[0]: is not an area code. Write its digits alone, without any 00 before them: 415.'],
    ['with such an area code in a condition', { rules: [{ when: { field: 'caller.areaCode', oneOf: ['415', '000'] }, target: menu }] }, 'rules[0].when.oneOf[1]: must be the digits of an area code, which does not begin with 00. Write it in quotation marks: "415".'],
    ['with a region in a condition that there is not', { rules: [{ when: { any: [{ field: 'caller.region', oneOf: ['US-CA', 'DE-BY'] }] }, target: menu }] }, 'rules[0].when.any[0].oneOf[1]: is not a region that a number tells of. Regions are known in the US and Canada, written as US-CA.'],
    ['with a mistyped region in a condition', { rules: [{ when: { not: { field: 'caller.region', is: 'US-XX' } }, target: menu }] }, expect.stringMatching(/^rules\[0\]\.when\.not\.is: is not a region that a number tells of\. /)],
    ['with a country of two rules', { geo: [us, { countries: ['CA', 'US'], target: voicemail }] }, 'geo[1].countries[1]: is a place of geo[0] already, which comes first. Remove it from one of them.'],
    ['with a region of two rules', { geo: [us, { regions: ['US-CA'], target: menu }, { countries: ['CA'], regions: ['US-NV', 'US-CA'], target: menu }] }, 'geo[2].regions[1]: is a place of geo[1] already, which comes first. Remove it from one of them.'],
    ['with an area code of two rules', { geo: [{ areaCodes: ['415'], target: menu }, { countries: ['US'], areaCodes: ['415'], target: voicemail }] }, 'geo[1].areaCodes[0]: is a place of geo[0] already, which comes first. Remove it from one of them.'],
    ['with an area code of one country in two rules', { geo: [{ countries: ['US'], areaCodes: ['415'], target: menu }, { countries: ['US'], areaCodes: ['415'], target: voicemail }] }, 'geo[1].areaCodes[0]: is a place of geo[0] already, which comes first. Remove it from one of them.'],
    ['with a country that there is not', { geo: [{ countries: ['GB', 'UK'], target: menu }] }, 'geo[0].countries[1]: is not a country that numbers are in. Use the two capital letters of ISO 3166-1, such as US, or GB for the United Kingdom.'],
    ['with a country twice', { geo: [{ countries: ['US', 'US'], target: menu }] }, 'geo[0].countries: names one twice. Name each once.'],
    ['with a condition on nothing', { rules: [{ when: { all: [{ field: 'caller.nubmer', is: '+1202' }] }, target: menu }] }, 'rules[0].when.all[0].field: “caller.nubmer” is no field of conditions. Did you mean “caller.number”?'],
    ['with a condition that is none', { rules: [{ when: 'always', target: menu }] }, 'rules[0].when: must be a condition.'],
    ['with a weight of nothing', { weighted: [{ ...share, weight: 0 }] }, 'weighted[0].weight: must be whole numbers from 1 to 1000.'],
    ['with a share that ends before it begins', { weighted: [{ ...share, from: '2026-12-24T00:00:00Z', until: '2026-12-24T00:00:00Z' }] }, 'weighted[0]: ends before it begins. Correct from or until.'],
    ['with an instant without its zone', { weighted: [{ ...share, from: '2026-12-24T00:00:00' }] }, 'weighted[0].from: is not an instant. Write it as 2026-12-24T18:00:00Z, or with an offset such as -05:00.'],
    ['with an instant in no calendar', { weighted: [{ ...share, from: '2026-02-30T00:00:00Z' }] }, 'weighted[0].from: is not in the calendar. Correct the day or the time.'],
  ])('%s', (_, change, problem) => {
    expect(refused('router', router(change))).toEqual([problem]);
  });

  it('not for places within one another, or for one area code in two countries', () => {
    const near = { countries: ['US'], areaCodes: ['415'], target: menu };
    expect(refused('router', router({ geo: [near, { ...near, countries: ['CA', 'US'] }, { areaCodes: ['415', '06'], target: menu }, { regions: ['US-CA'], target: menu }, us] }))).toEqual([]);
  });

  it('for what it names that is not there, each at its field', () => {
    expect(together(
      ['router', 'a', router({ rules: [{ when: { any: [{ field: 'schedule.nights', is: 'open' }, { field: 'agent.bob', is: 'busy' }, { field: 'contact.owner', oneOf: ['ann', 'cy'] }] }, target: { to: 'menu', id: 'x' } }] })],
      ['router', 'b', router({ weighted: [{ ...share, schedule: 'days' }], default: { to: 'router', id: 'c' } })], ['router', 'd', router({ geo: [{ ...us, target: { to: 'message', message: { audio: 'none' } } }] })],
    )).toEqual([
      'router/a rules[0].when.any[0].field: there is no schedule “nights”. Create it first, or correct the id.', 'router/a rules[0].when.any[1].field: there is no user “bob”. Create it first, or correct the id.',
      'router/a rules[0].when.any[2].oneOf[1]: there is no user “cy”. Create it first, or correct the id.', 'router/a rules[0].target: there is no menu “x”. Create it first, or correct the id.',
      'router/b weighted[0].schedule: there is no schedule “days”. Create it first, or correct the id.', 'router/b default: there is no router “c”. Create it first, or correct the id.',
      'router/d geo[0].target.message.audio: there is no audio “none”. Create it first, or correct the id.',
    ]);
  });

  it('that leads in a circle', () => {
    expect(together(['router', 'a', router({ geo: [us], default: { to: 'router', id: 'b' } })], ['router', 'b', router({ rules: [{ name: 'Often', when: { field: 'mode', is: 'normal' }, target: { to: 'router', id: 'a' } }] })])).toEqual([
      'router/a default: leads in a circle: router “a”, its default → router “b”, Often → router “a”. Let one of them lead elsewhere.',
      'router/b rules[0].target: leads in a circle: router “b”, Often → router “a”, its default → router “b”. Let one of them lead elsewhere.',
    ]);
  });
});

it('A router means the same to routing, its instants as epoch milliseconds', () => {
  const when = { not: { field: 'schedule.office', is: 'open' } };
  const account = meant(
    ['router', 'geo', router({ geo: [{ countries: ['US'], areaCodes: ['415'], target: menu }, { regions: ['US-CA'], target: { to: 'message', message: { text: 'Hi' } } }] })],
    ['router', 'rules', router({ rules: [{ name: 'Closed', when, target: menu }] })],
    ['router', 'weighted', router({ weighted: [{ weight: 3, from: '2026-12-24T00:00:00-05:00', until: '2026-12-25T00:00:00Z', schedule: 'office', target: menu }] })],
  );
  expect(account?.routers?.get('geo')).toEqual({ id: 'geo', name: 'Router', kind: 'geo', default: voicemail, geo: [{ countries: ['US'], areaCodes: ['415'], target: menu }, { regions: ['US-CA'], target: { to: 'message', message: { text: 'Hi' } } }] });
  expect(account?.routers?.get('rules')).toEqual({ id: 'rules', name: 'Router', kind: 'rules', default: voicemail, rules: [{ name: 'Closed', when, target: menu }] });
  expect(account?.routers?.get('weighted')).toEqual({ id: 'weighted', name: 'Router', kind: 'weighted', default: voicemail, weighted: [{ weight: 3, from: Date.parse('2026-12-24T05:00:00Z'), until: Date.parse('2026-12-25T00:00:00Z'), schedule: 'office', target: menu }] });
});

describe('The night switch', () => {
  const night = { codes: { open: '*20', closed: '*28', emergency: '*29' }, users: ['ann'], closed: { to: 'voicemail' }, emergency: menu };
  const elm = (more: object): readonly [Kind, string, object] => ['account', 'elm', { name: 'Elm Street', sipPrefix: 'elm', night: { ...night, ...more } }];

  it.each<readonly [string, Kind, object, string]>([
    ['in a mode that there is not', 'night-switch', { mode: 'shut' }, 'mode: must be one of: open, closed, emergency.'],
    ['until a day without its time', 'night-switch', { mode: 'closed', until: '2026-12-24' }, 'until: is not an instant. Write it as 2026-12-24T18:00:00Z, or with an offset such as -05:00.'],
    ['with a code that is an extension', 'account', { name: 'Elm', night: { codes: { closed: '101' } } }, 'night.codes.closed: is not a code to dial. Use * and one to four digits, such as *28.'],
    ['with a code that no phone can dial', 'account', { name: 'Elm', night: { codes: { closed: '*2b' } } }, 'night.codes.closed: is not a code to dial. Use * and one to four digits, such as *28.'],
    ['with one code for two modes', 'account', { name: 'Elm', night: { codes: { closed: '*28', open: '*28' } } }, 'night.codes: has one code for two modes. Give each its own.'],
    ['that nobody may set', 'account', { name: 'Elm', night: { codes: { closed: '*28' }, users: [] } }, 'night.users: must name a user.'],
  ])('is refused %s', (_, kind, body, problem) => {
    expect(refused(kind, body)).toEqual([problem]);
  });

  it('is one of an account, and leads to what is there', () => {
    expect(together(['night-switch', 'other', { mode: 'open' }])).toEqual(['night-switch/other id: must be “night”: there is one of an account. Change that one.']);
    expect(together(elm({ emergency: { to: 'menu', id: 'x' }, users: ['ann', 'zoe'] }))).toEqual(['account/elm night.users[1]: there is no user “zoe”. Create it first, or correct the id.', 'account/elm night.emergency: there is no menu “x”. Create it first, or correct the id.']);
    expect(together(elm({ codes: { closed: '*911' } }))).toEqual(['account/elm night.codes.closed: *911 is an emergency number behind a star: who is in need may press both. Use another code.']);
  });

  it('means a mode with its end, codes and whose phones dial them, and where calls go', () => {
    expect([meant()?.night, meant()?.timezone]).toEqual([undefined, 'America/New_York']);
    expect(meant(elm({}), ['night-switch', 'night', { mode: 'closed', until: '2026-12-24T18:00:00Z', note: 'party' }])?.night).toEqual({
      codes: [{ code: '*20', setting: 'open' }, { code: '*28', setting: 'closed' }, { code: '*29', setting: 'emergency' }], users: ['ann'], closed: { to: 'voicemail' }, emergency: menu,
      is: { setting: 'closed', until: Date.parse('2026-12-24T18:00:00Z'), since: 5000, note: 'party' },
    });
    expect(meant(['night-switch', 'night', { mode: 'emergency' }])?.night).toEqual({ is: { setting: 'emergency', since: 5000 } });
  });
});
