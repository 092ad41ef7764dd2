/** From the clinics' configuration to what the switch must know by itself. */
import type { ClinicConfig } from './configuration/clinics.ts';
import type { SwitchSetup } from './media/switch-setup.ts';

export function switchSetupOf(clinics: readonly ClinicConfig[]): SwitchSetup {
  const trunks = clinics.flatMap((clinic) => clinic.trunks);
  const first = clinics.find((clinic) => clinic.emergency !== null)?.emergency ?? null;
  return {
    devices: clinics.flatMap((clinic) =>
      clinic.phones.map((phone) => ({
        id: phone.extension,
        password: phone.password,
        callerId: { name: phone.label, number: phone.extension },
        ...(clinic.emergency === null ? {} : { emergency: { callerId: clinic.emergency.callerId, location: locationOf(clinic.emergency) } }),
      })),
    ),
    trunks: trunks.map(({ id, host, port, transport, username, password, register, match, codecs, dtmf, srtp, nat, qualifySeconds }) => ({
      id, host, port, transport, register, match, codecs, dtmf, srtp, nat, qualifySeconds,
      ...(username === undefined || password === undefined ? {} : { credentials: { username, password } }),
    })),
    failsafes: new Map(clinics.flatMap((clinic) => [...clinic.failsafe].map(([number, target]) => [number.replace('+', ''), target] as const))),
    emergency: {
      trunks: first?.trunks ?? trunks.map((trunk) => trunk.id),
      callerId: first?.callerId ?? '',
      location: first === null ? '' : locationOf(first),
    },
  };
}

function locationOf(emergency: NonNullable<ClinicConfig['emergency']>): string {
  return `${emergency.address}, ${emergency.location}`;
}
