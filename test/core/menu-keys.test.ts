/** M1: a key that leads somewhere and begins an extension, too, makes callers wait: said when it is saved, and at a start. */
import { describe, expect, it } from 'vitest';
import { parseDocument } from '../../control-plane/configuration/check.ts';
import { clinicsOf } from '../../control-plane/configuration/clinics.ts';
import type { Kind } from '../../control-plane/configuration/documents.ts';
import { keyText, type ConfigObject, type ObjectKey } from '../../control-plane/configuration/objects.ts';
import { warningsOf, warningsOfWritten } from '../../control-plane/configuration/warnings.ts';

const objectOf = (kind: Kind, id: string, body: object, account = 'elm'): ConfigObject => {
  const parsed = parseDocument(kind, body);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return { account, kind, id, version: 1, createdAt: 0, updatedAt: 0, body: parsed.body } as ConfigObject;
};
const [one, two] = [{ to: 'voicemail' }, { to: 'hang-up' }];
const menu = (change: object): ConfigObject => objectOf('menu', 'main', { name: 'Main menu', prompt: { text: 'Hello' }, options: { 1: one, 2: two }, dialByExtension: true, ...change });
const phones = ['102', '101', '301'].map((extension) => objectOf('device', `desk-${extension}`, { user: 'ann', extension }));
const others = [objectOf('account', 'elm', { name: 'Elm' }), objectOf('user', 'ann', { name: 'Ann' }), objectOf('device', 'desk', { user: 'ann', extension: '200' }, 'oak')];
const all = (change: object): ReadonlyMap<string, ConfigObject> => new Map([...others, ...phones, menu(change)].map((object) => [keyText(object), object]));
const key = (kind: Kind, id: string): ObjectKey => ({ account: 'elm', kind, id });
const sentence = (which: string, first: string): string => `Key ${which} of the menu “Main menu” also begins extension ${first}: who presses it waits 3 s for another digit. Give it another key, or set dialByExtension to false.`;

describe('A key of a menu that also begins an extension', () => {
  it('is named with the menu and the extension when the menu is saved', () => {
    expect(warningsOfWritten(all({}), [key('menu', 'main')], new Map())).toEqual([sentence('1', '101 and 1 more')]);
  });

  it.each<readonly [string, object]>([['that the menu does not dial', { dialByExtension: false }], ['of another account', { options: { 2: two } }], ['by no key', { options: { 9: one, '*': two } }]])('is none %s', (_, change) => {
    expect(warningsOfWritten(all(change), [key('menu', 'main')], new Map())).toEqual([]);
  });

  it('is named when the extension is saved, and when nothing of it is, it is not', () => {
    expect(warningsOfWritten(all({}), [key('device', 'desk-102')], new Map())).toEqual([sentence('1', '102')]);
    expect(warningsOfWritten(all({ options: { 3: one } }), [key('device', 'desk-102')], new Map())).toEqual([]);
    expect(warningsOfWritten(all({}), [key('user', 'ann')], new Map())).toEqual([]);
  });

  it('is named at a start', () => {
    expect(warningsOf(clinicsOf(all({}).values(), () => 'sound:beep'))).toContain(sentence('1', '101 and 1 more'));
  });
});
