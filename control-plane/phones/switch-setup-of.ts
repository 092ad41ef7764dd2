/** From the clinics' configuration to what the switch must know by itself, and back from what it says to whose it is. */
import { isDeepStrictEqual } from 'node:util';
import type { ClinicConfig, PhoneConfig } from '../configuration/clinics.ts';
import { sipName } from '../core/routing/sip-name.ts';
import type { SwitchNote, SwitchSetup } from '../media/switch-setup.ts';

/** Clinics that share a switch share neither trunks nor emergency settings: a call goes out over its own clinic's, under its own name. */
export function switchSetupOf(clinics: readonly ClinicConfig[]): SwitchSetup {
  const trunks = clinics.flatMap((clinic) => clinic.trunks.map((trunk) => ({ ...trunk, id: trunkName(clinic, trunk.id) })));
  const all = trunks.map(({ id }) => id);
  const first = clinics.find(({ emergency }) => emergency !== null);
  const emergencyTrunks = first === undefined ? all : emergencyTrunksOf(first);
  // Of a phone that the configuration does not name: nobody can tell in which of several clinics it stands.
  const unnamed = clinics.length === 1 ? identityOf(first) : undefined;
  return {
    devices: clinics.flatMap((clinic) => {
      const emergency = identityOf(clinic);
      const own = emergencyTrunksOf(clinic);
      return clinic.phones.map((phone) => ({
        id: phone.sipUser,
        password: phone.password,
        callerId: { name: phone.label, number: phone.extension },
        ...(emergency === undefined ? {} : { emergency }),
        ...(own.length === 0 || isDeepStrictEqual(own, emergencyTrunks) ? {} : { emergencyTrunks: own }),
      }));
    }),
    trunks: trunks.map(({ id, host, port, transport, username, password, register, match, codecs, dtmf, srtp, nat, qualifySeconds, switch: registersAt }) => ({
      id, host, port, transport, register, match, codecs, dtmf, srtp, nat, qualifySeconds,
      ...(registersAt === undefined ? {} : { switch: registersAt }),
      ...(username === undefined || password === undefined ? {} : { credentials: { username, password } }),
    })),
    failsafes: new Map(clinics.flatMap((clinic) => {
      const own = trunkNames(clinic);
      const over = isDeepStrictEqual(own, all) ? {} : { trunks: own };
      return [...clinic.failsafe].map(([number, target]) => [number.replace('+', ''), { number: target, ...over }] as const);
    })),
    emergency: { trunks: emergencyTrunks, callerId: unnamed?.callerId ?? '', location: unnamed?.location ?? '' },
  };
}

export function trunkName({ account }: ClinicConfig, trunk: string): string {
  return sipName(account.sipPrefix, trunk);
}

/** A note as people read it: by the clinic's own ids. `clinic` and `location` are those it is about, as far as they are known. */
export function whoseNote(note: SwitchNote, clinics: readonly ClinicConfig[]): { readonly note: SwitchNote; readonly clinic: ClinicConfig | undefined; readonly location: string } {
  if (note.kind === 'failsafe') {
    const dialled = note.dialled.replace('+', '');
    return { note, clinic: clinics.find(({ account }) => account.numbers.some(({ e164 }) => e164.replace('+', '') === dialled)), location: '' };
  }
  const isCaller = ({ sipUser }: PhoneConfig): boolean => sipUser === note.from;
  const clinic = clinics.find(({ phones }) => phones.some(isCaller));
  const extension = clinic?.phones.find(isCaller)?.extension ?? note.from;
  const from = clinic === undefined || clinics.length === 1 ? extension : `${extension} of ${clinic.account.name}`;
  const trunk = clinic?.trunks.find(({ id }) => trunkName(clinic, id) === note.trunk)?.id ?? note.trunk;
  return { note: { ...note, from, trunk }, clinic, location: identityOf(clinic)?.location ?? '' };
}

function trunkNames(clinic: ClinicConfig): readonly string[] {
  return clinic.trunks.map(({ id }) => trunkName(clinic, id));
}

function emergencyTrunksOf(clinic: ClinicConfig): readonly string[] {
  return clinic.emergency?.trunks.map((trunk) => trunkName(clinic, trunk)) ?? trunkNames(clinic);
}

function identityOf(clinic: ClinicConfig | undefined): { readonly callerId: string; readonly location: string } | undefined {
  const emergency = clinic?.emergency ?? null;
  return emergency === null ? undefined : { callerId: emergency.callerId, location: `${emergency.address}, ${emergency.location}` };
}
