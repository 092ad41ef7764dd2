/** Settings that are accepted but will disappoint, each in a sentence. */
import { warnings } from '../core/routing/compile.ts';
import { indexOf } from '../core/routing/index-of.ts';
import { keysThatWait } from '../core/routing/menu-keys.ts';
import type { Account, TrackingNumber } from '../core/routing/config.ts';
import { second } from '../core/time.ts';
import type { Objects } from './check.ts';
import { clinicsOf, type ClinicConfig } from './clinics.ts';
import type { Kind } from './documents.ts';
import { isKind, keyText, type ConfigObject, type ObjectKey } from './objects.ts';

export function warningsOf(clinics: readonly ClinicConfig[]): readonly string[] {
  return clinics.flatMap(({ account, emergency, phones }) => {
    const { extensions } = indexOf(account);
    const routing = [
      ...account.numbers.flatMap((number) => told(account, number)),
      ...[...(account.menus?.values() ?? [])].flatMap((menu) => keysThatWait(menu, extensions.keys())),
    ];
    if (emergency !== null || phones.length === 0) return routing;
    return [...routing, `${account.name} has phones but no emergency section: 911 from them reaches nobody.`];
  });
}

/**
 * Of a change: the numbers and menus that it writes; and others of the account where it makes them so, as by a mobile that
 * one rings now, or by an extension that one dials.
 */
export function warningsOfWritten(objects: Objects, written: readonly ObjectKey[], before: Objects): readonly string[] {
  const keys = new Set(written.map(keyText));
  return [...Map.groupBy(written, ({ account }) => account)].flatMap(([account, all]) => {
    const own = ofAccount(objects, account);
    const kinds = new Set(all.map(({ kind }) => kind));
    return [...ofWrittenNumbers(own, keys), ...(ringing.some((kind) => kinds.has(kind)) ? ofOtherNumbers(own, ofAccount(before, account), keys) : []), ...(kinds.has('menu') || kinds.has('device') ? ofMenus(own, keys) : [])];
  });
}

/** What may change whom a number rings, and for how long, beside the number itself. */
const ringing: readonly Kind[] = ['account', 'user', 'device', 'receiving-number', 'ring-group', 'menu', 'queue', 'router'];

function ofAccount(objects: Objects, account: string): readonly ConfigObject[] {
  return [...objects.values()].filter((object) => object.account === account);
}

function ofWrittenNumbers(own: readonly ConfigObject[], keys: ReadonlySet<string>): readonly string[] {
  return own.some((object) => object.kind === 'number' && keys.has(keyText(object))) ? ofNumbers(own, (number) => keys.has(keyText(number))) : [];
}

function ofOtherNumbers(own: readonly ConfigObject[], earlier: readonly ConfigObject[], keys: ReadonlySet<string>): readonly string[] {
  const now = ofNumbers(own, (number) => !keys.has(keyText(number)));
  if (now.length === 0) return [];
  const known = new Set(ofNumbers(earlier, () => true));
  return now.filter((warning) => !known.has(warning));
}

/** Schedules, which take long to read, say nothing of how long a phone rings. */
function ofNumbers(own: readonly ConfigObject[], wanted: (number: ConfigObject<'number'>) => boolean): readonly string[] {
  const numbers = new Set(own.flatMap((object) => (isKind(object, 'number') && wanted(object) ? [object.body.e164] : [])));
  const clinics = clinicsOf(own.filter(({ kind }) => kind !== 'schedule'), () => 'file:');
  return clinics.flatMap(({ account }) => account.numbers.filter(({ e164 }) => numbers.has(e164)).flatMap((number) => told(account, number)));
}

function told(account: Account, number: TrackingNumber): readonly string[] {
  return warnings(account, number).map((warning) => `${number.e164}: ${warning}`);
}

function ofMenus(own: readonly ConfigObject[], keys: ReadonlySet<string>): readonly string[] {
  const extensions = own.flatMap((object) => (isKind(object, 'device') && object.body.extension !== undefined ? [{ extension: object.body.extension, isNew: keys.has(keyText(object)) }] : []));
  return own.flatMap((object) => {
    if (!isKind(object, 'menu')) return [];
    const dialled = extensions.filter(({ isNew }) => isNew || keys.has(keyText(object))).map(({ extension }) => extension);
    return keysThatWait({ ...object.body, betweenKeysMs: object.body.betweenKeysSeconds * second }, dialled);
  });
}
