/** What the switch is told of several clinics, and whose what it says is. */
import { describe, expect, it } from 'vitest';
import { clinicsOf, type ClinicConfig } from '../../control-plane/configuration/clinics.ts';
import { parseDocument } from '../../control-plane/configuration/check.ts';
import type { Kind } from '../../control-plane/configuration/documents.ts';
import type { ConfigObject } from '../../control-plane/configuration/objects.ts';
import type { SwitchNote } from '../../control-plane/media/switch-setup.ts';
import { registrationsOf } from '../../control-plane/phones/registrations-of.ts';
import { switchSetupOf, whoseNote } from '../../control-plane/phones/switch-setup-of.ts';

const object = (account: string, kind: Kind, id: string, body: object): ConfigObject => {
  const parsed = parseDocument(kind, body);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return { account, kind, id, version: 1, createdAt: 0, updatedAt: 0, body: parsed.body } as ConfigObject;
};
const number = { north: '+12025550110', south: '+13125550110' } as const;
const objectsOf = (account: keyof typeof number, sipPrefix: string, emergency: boolean): readonly ConfigObject[] => [
  object(account, 'account', account, {
    name: `${account} clinic`, sipPrefix,
    ...(emergency ? { emergency: { location: 'reception', address: `1 ${account} St`, callerId: number[account], trunks: ['backup', 'carrier'], notify: [`${account}@clinic.example`] } } : {}),
  }),
  object(account, 'trunk', 'carrier', { host: '192.0.2.1', priority: 1 }),
  object(account, 'trunk', 'backup', { host: '192.0.2.2', priority: 2, switch: 'freeswitch' }),
  object(account, 'user', 'ann', { name: 'Ann' }),
  object(account, 'device', 'desk', { user: 'ann', extension: '101', label: 'desk', password: 'a-password-of-desk' }),
  object(account, 'number', 'main', { e164: number[account], name: 'Main', users: ['ann'], failsafe: '+13035550911' }),
];
const clinics = (...objects: readonly (readonly ConfigObject[])[]): readonly ClinicConfig[] => clinicsOf(objects.flat(), () => 'sound:beep');
const north = objectsOf('north', '', true);
const both = clinics(north, objectsOf('south', 'south', true));
const withoutEmergency = clinics(north, objectsOf('south', 'south', false));

describe('A clinic that is alone on its switch', () => {
  const setup = switchSetupOf(clinics(north));
  it('has its phones and trunks there under their own names, and one emergency setting for all', () => {
    expect(setup.devices).toMatchObject([{ id: '101', callerId: { name: 'desk', number: '101' }, emergency: { callerId: number.north, location: '1 north St, reception' } }]);
    expect(setup.devices[0]).not.toHaveProperty('emergencyTrunks');
    expect(setup.trunks.map(({ id, switch: registersAt }) => [id, registersAt])).toEqual([['carrier', undefined], ['backup', 'freeswitch']]);
    expect(setup.emergency).toEqual({ trunks: ['backup', 'carrier'], callerId: number.north, location: '1 north St, reception' });
    expect([...setup.failsafes]).toEqual([['12025550110', { number: '+13035550911' }]]);
  });
});

describe('Clinics on one switch', () => {
  const setup = switchSetupOf(both);
  it('have their phones and trunks there under different names, and show the plain extension', () => {
    expect(setup.devices.map(({ id, callerId }) => [id, callerId.number])).toEqual([['101', '101'], ['south.101', '101']]);
    expect(setup.trunks.map(({ id }) => id)).toEqual(['carrier', 'backup', 'south.carrier', 'south.backup']);
  });

  it('call 911 and their failsafes each over their own trunks', () => {
    expect(setup.devices.map(({ emergency, emergencyTrunks }) => [emergency?.location, emergencyTrunks ?? setup.emergency.trunks])).toEqual([
      ['1 north St, reception', ['backup', 'carrier']], ['1 south St, reception', ['south.backup', 'south.carrier']],
    ]);
    expect([...setup.failsafes.values()].map(({ trunks }) => trunks)).toEqual([['carrier', 'backup'], ['south.carrier', 'south.backup']]);
  });

  it('never show another’s address to 911, where one has not said its own', () => {
    const { devices, emergency } = switchSetupOf(withoutEmergency);
    expect(devices.map(({ id, emergency: own, emergencyTrunks }) => [id, own?.location, emergencyTrunks])).toEqual([['101', '1 north St, reception', undefined], ['south.101', undefined, ['south.carrier', 'south.backup']]]);
    expect([emergency.callerId, emergency.location]).toEqual(['', '']);
  });

  it('have their registrations under their own ids', async () => {
    const registrations = await registrationsOf(both, {
      trunkHealth: async () => [{ trunk: 'south.carrier', state: 'reachable', since: 5, roundTripMs: 3 }],
      registrations: async () => [{ device: 'south.101', contacts: [{ address: '192.0.2.9:5060', userAgent: 'phone', expiresAt: 9, since: 7 }] }],
    });
    expect(registrations.filter(({ state }) => state !== 'unknown').map(({ account, kind, id, state }) => `${account} ${kind} ${id} ${state}`)).toEqual(['north device 101 unregistered', 'south trunk carrier reachable', 'south device 101 registered']);
  });
});

describe('A note of the switch', () => {
  const emergency: SwitchNote = { kind: 'emergency', at: 0, from: 'south.101', dialled: '911', outcome: 'ANSWER', trunk: 'south.carrier' };
  it('of an emergency is about the clinic of the phone that called, by its own names', () => {
    const { note, clinic, location } = whoseNote(emergency, both);
    expect([clinic?.account.id, note.from, note.trunk, location]).toEqual(['south', '101 of south clinic', 'carrier', '1 south St, reception']);
    expect(whoseNote({ ...emergency, from: '101' }, clinics(north)).note.from).toBe('101');
    expect(whoseNote(emergency, withoutEmergency).location).toBe('');
    expect(whoseNote({ ...emergency, from: 'east.101' }, both).clinic).toBeUndefined();
  });

  it.each(['+13125550110', '13125550110'])('of a failsafe is about the clinic whose number was dialled as %s', (dialled) => {
    expect(whoseNote({ kind: 'failsafe', at: 0, from: 'trunk', dialled, outcome: 'ANSWER', trunk: '+13035550911' }, both).clinic?.account.id).toBe('south');
  });
});
