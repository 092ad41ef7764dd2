/** Where phones are, and whether carriers can be reached: what the switch knows, in the API's terms. */
import type { ClinicConfig } from '../configuration/clinics.ts';
import type { Registration } from '../http/ports.ts';
import type { SwitchDriver } from '../media/switch-admin.ts';
import { trunkName } from './switch-setup-of.ts';

export async function registrationsOf(clinics: readonly ClinicConfig[], admin: Pick<SwitchDriver['admin'], 'trunkHealth' | 'registrations'>): Promise<readonly Registration[]> {
  const [trunks, devices] = await Promise.all([admin.trunkHealth(), admin.registrations()]);
  return clinics.flatMap((clinic) => [
    ...clinic.trunks.map((trunk): Registration => {
      const name = trunkName(clinic, trunk.id);
      const health = trunks.find((one) => one.trunk === name);
      return { account: clinic.account.id, kind: 'trunk', id: trunk.id, state: health?.state ?? 'unknown', contact: `sip:${trunk.host}:${trunk.port}`, roundTripMs: health?.roundTripMs ?? null, since: health?.since ?? null, userAgent: null };
    }),
    ...clinic.phones.map((phone): Registration => {
      const contact = devices.find((one) => one.device === phone.sipUser)?.contacts[0];
      return {
        account: clinic.account.id, kind: 'device', id: phone.extension, state: contact === undefined ? 'unregistered' : 'registered',
        contact: contact === undefined ? null : `sip:${phone.sipUser}@${contact.address}`, roundTripMs: null, since: contact?.since ?? null, userAgent: contact?.userAgent || null,
      };
    }),
  ]);
}
