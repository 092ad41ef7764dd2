/** Settings that are accepted but will disappoint, each in a sentence. */
import { warnings } from '../core/routing/compile.ts';
import { indexOf } from '../core/routing/index-of.ts';
import { keysThatWait } from '../core/routing/menu-keys.ts';
import { second } from '../core/time.ts';
import type { Objects } from './check.ts';
import type { ClinicConfig } from './clinics.ts';
import { isKind, keyText, type ObjectKey } from './objects.ts';

export function warningsOf(clinics: readonly ClinicConfig[]): readonly string[] {
  return clinics.flatMap(({ account, emergency, phones }) => {
    const { extensions } = indexOf(account);
    const routing = [
      ...account.numbers.flatMap((number) => warnings(account, number).map((warning) => `${number.e164}: ${warning}`)),
      ...[...(account.menus?.values() ?? [])].flatMap((menu) => keysThatWait(menu, extensions.keys())),
    ];
    if (emergency !== null || phones.length === 0) return routing;
    return [...routing, `${account.name} has phones but no emergency section: 911 from them reaches nobody.`];
  });
}

/** Of a change: the menus it writes, and the others where it gives them an extension to dial. */
export function warningsOfWritten(objects: Objects, written: readonly ObjectKey[]): readonly string[] {
  const keys = new Set(written.map(keyText));
  const accounts = new Set(written.flatMap(({ account, kind }) => (kind === 'menu' || kind === 'device' ? [account] : [])));
  return [...accounts].flatMap((account) => {
    const own = [...objects.values()].filter((object) => object.account === account);
    const extensions = own.flatMap((object) => (isKind(object, 'device') && object.body.extension !== undefined ? [{ extension: object.body.extension, isNew: keys.has(keyText(object)) }] : []));
    return own.flatMap((object) => {
      if (!isKind(object, 'menu')) return [];
      const dialled = extensions.filter(({ isNew }) => isNew || keys.has(keyText(object))).map(({ extension }) => extension);
      return keysThatWait({ ...object.body, betweenKeysMs: object.body.betweenKeysSeconds * second }, dialled);
    });
  });
}
