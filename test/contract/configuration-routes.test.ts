/** What routes may say of each other: circles, targets that are not there, and who still uses what is deleted. */
import { describe, expect, it } from 'vitest';
import { checkTogether } from '../../control-plane/configuration/check.ts';
import { parseDocument, referencesOf } from '../../control-plane/configuration/check.ts';
import type { Kind } from '../../control-plane/configuration/documents.ts';
import { keyText } from '../../control-plane/configuration/objects.ts';
import { objectOf, type Given } from './configuration-objects.ts';

const base: readonly Given[] = [
  ['account', 'elm', { name: 'Elm Street', sipPrefix: 'elm' }], ['trunk', 'carrier', { host: 'sip.example' }], ['user', 'ann', { name: 'Ann' }],
];

/** Problems of these with a clinic around them, `kind/id path: message`. */
function problemsOf(...given: readonly Given[]): readonly string[] {
  const objects = new Map([...base, ...given].map(objectOf).map((object) => [keyText(object), object]));
  return checkTogether(objects).map(({ object, path, message }) => `${object.kind}/${object.id} ${path}: ${message}`);
}

const receiving = (id: string, noAnswer?: object): Given => ['receiving-number', id, { number: `+1202555${String(1000 + (id.codePointAt(0) ?? 0))}`, label: id, ...(noAnswer === undefined ? {} : { noAnswer }) }];
const to = (kind: string, id: string): object => ({ to: kind, id });

describe('A circle', () => {
  it('of a receiving number with itself is spelled out', () => {
    expect(problemsOf(receiving('a', to('receiving-number', 'a')))).toEqual([
      'receiving-number/a noAnswer: leads in a circle: receiving-number “a”, no answer → receiving-number “a”. Let one of them lead elsewhere.',
    ]);
  });

  it('over a menu’s time-out and a group is spelled out at each object on it', () => {
    const found = problemsOf(
      receiving('a', to('menu', 'm')), ['menu', 'm', { name: 'M', prompt: { text: 'Hello' }, options: { 1: { to: 'voicemail' } }, noKey: to('ring-group', 'g') }],
      ['ring-group', 'g', { name: 'G', pattern: 'simultaneous', destinations: [{ target: to('receiving-number', 'a') }] }],
      ['number', 'main', { e164: '+12025550110', name: 'Main', route: to('receiving-number', 'a') }],
    );
    expect(found).toEqual([
      'menu/m noKey: leads in a circle: menu “m”, no key → ring-group “g”, no answer at receiving-number “a” → menu “m”. Let one of them lead elsewhere.',
      'ring-group/g destinations[0]: leads in a circle: ring-group “g”, no answer at receiving-number “a” → menu “m”, no key → ring-group “g”. Let one of them lead elsewhere.',
    ]);
  });

  it('is none where the caller chooses by a key, or a group has a way out of its own', () => {
    expect(problemsOf(
      ['menu', 'm', { name: 'M', prompt: { text: 'Hello' }, options: { 1: to('menu', 'n') } }], ['menu', 'n', { name: 'N', prompt: { text: 'Hello' }, options: { '*': to('menu', 'm') }, noKey: { to: 'hang-up' } }],
      receiving('a', to('ring-group', 'g')), ['ring-group', 'g', { name: 'G', pattern: 'sequential', destinations: [{ target: to('receiving-number', 'a') }], noAnswer: { to: 'voicemail' } }],
    )).toEqual([]);
  });
});

describe('A target', () => {
  it.each<readonly [string, Given]>([
    ['number/main route', ['number', 'main', { e164: '+12025550110', name: 'Main', route: to('menu', 'x') }]],
    ['number/main noAnswer', ['number', 'main', { e164: '+12025550110', name: 'Main', noAnswer: to('menu', 'x') }]],
    ['receiving-number/a noAnswer', receiving('a', to('menu', 'x'))],
    ['menu/m options.1', ['menu', 'm', { name: 'M', prompt: { text: 'Hello' }, options: { 1: to('menu', 'x') } }]],
    ['menu/m invalid', ['menu', 'm', { name: 'M', prompt: { text: 'Hello' }, options: { 1: { to: 'voicemail' } }, invalid: to('menu', 'x') }]],
  ])('%s that is not there is refused', (where, given) => {
    expect(problemsOf(given)).toEqual([`${where}: there is no menu “x”. Create it first, or correct the id.`]);
  });

  it('in a ring group is a receiving number or a user that is there', () => {
    expect(problemsOf(['ring-group', 'g', { name: 'G', pattern: 'sequential', destinations: [{ target: to('user', 'ann') }, { target: to('user', 'bob') }] }]))
      .toEqual(['ring-group/g destinations[1].target: there is no user “bob”. Create it first, or correct the id.']);
  });

  it('of a message names its audio', () => {
    const number = objectOf(['number', 'main', { e164: '+12025550110', name: 'Main', route: { to: 'message', message: { audio: 'closed' } } }]);
    expect(referencesOf(number)).toContainEqual({ kind: 'audio', id: 'closed', path: 'route.message.audio' });
  });
});

const wrong = (kind: Kind, body: object): readonly string[] => {
  const parsed = parseDocument(kind, body);
  return parsed.ok ? [] : parsed.problems.map(({ path, message }) => `${path}: ${message}`);
};

describe('A document', () => {

  it.each<readonly [string, readonly string[], readonly string[]]>([
    ['a menu without an exit', wrong('menu', { name: 'M', prompt: { text: 'Hello' } }), [': has no way out. Give it an option, or set dialByExtension to true.']],
    ['a pattern without a destination', wrong('ring-group', { name: 'G', pattern: 'sequential', destinations: [] }), ['destinations: must name a destination.']],
    ['a destination twice', wrong('ring-group', { name: 'G', pattern: 'sequential', destinations: [{ target: to('user', 'a') }, { target: to('user', 'a') }] }), ['destinations: names a destination twice. Name each once.']],
    ['a precedence of nothing', wrong('account', { name: 'Elm', precedence: [] }), ['precedence: must name an entry. Leave it out for company-first.']],
    ['a target of an unknown kind', wrong('number', { e164: '+12025550110', name: 'Main', route: to('fax', 'x') }), ['route.to: must lead to one of: receiving-number, ring-group, queue, menu, router, user, voicemail, message, hang-up, precedence. Write it as { "to": "menu", "id": "main" }.']],
    ['a target without an id', wrong('number', { e164: '+12025550110', name: 'Main', route: { to: 'menu' } }), ['route.id: is missing. Add it.']],
    ['a text in the place of audio', wrong('menu', { name: 'M', prompt: 'Press 1.', options: { 1: { to: 'voicemail' } } }), ['prompt: must be one of text, audio and sound. Write it as { "text": "Good morning." }.']],
    ['a text in the place of a group', wrong('number', { e164: '+12025550110', name: 'Main', hours: 'office' }), ['hours: must be a group of fields, in braces.']],
    ['a country that there is not', wrong('account', { name: 'Elm', country: 'UK', outbound: { countries: ['US', 'ZZ'] } }), ['country', 'outbound.countries[1]'].map((path) => `${path}: is not a country that numbers are in. Use the two capital letters of ISO 3166-1, such as US, or GB for the United Kingdom.`)],
    ['a list in its place', wrong('user', []), [': must be a group of fields, in braces.']],
    ['a key that no phone has', wrong('menu', { name: 'M', prompt: { text: 'Hello' }, options: { 11: { to: 'voicemail' } } }), ['options.11: is not a key. Use one of 0-9, * and #.']],
    ['digits that are none', wrong('receiving-number', { number: '+12025550199', label: 'X', dialExtension: { digits: '12,3' } }), ['dialExtension.digits: is not a row of keys. Use 0-9, * and #, with w for half a second of pause and W for a second.']],
  ])('with %s is refused', (_, found, expected) => {
    expect(found).toEqual(expected);
  });
});
