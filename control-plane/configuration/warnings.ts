/** Settings that are accepted but will disappoint, each in a sentence. */
import { warnings } from '../core/routing/compile.ts';
import type { ClinicConfig } from './clinics.ts';

export function warningsOf(clinics: readonly ClinicConfig[]): readonly string[] {
  return clinics.flatMap(({ account, emergency, phones }) => {
    const routing = account.numbers.flatMap((number) => warnings(account, number).map((warning) => `${number.e164}: ${warning}`));
    if (emergency !== null || phones.length === 0) return routing;
    return [...routing, `${account.name} has phones but no emergency section: 911 from them reaches nobody.`];
  });
}
