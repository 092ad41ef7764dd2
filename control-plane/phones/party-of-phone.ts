/** Whose phone it is, by its name on the switch. */
import type { ClinicConfig } from '../configuration/clinics.ts';
import { userParty, type Party } from '../core/routing/destinations.ts';

export function partyOfPhone(clinics: readonly ClinicConfig[], name: string): Party | undefined {
  for (const { account, phones } of clinics) {
    const phone = phones.find(({ sipUser }) => sipUser === name);
    if (phone !== undefined) return userParty(account.id, phone.user);
  }
  return undefined;
}
