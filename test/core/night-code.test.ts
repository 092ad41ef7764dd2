/** M6: what a phone dials to set the night switch, and what is spoken beforehand. */
import { describe, expect, it } from 'vitest';
import { localTime } from '../../control-plane/hours/local-time.ts';
import { drawingOf } from '../../control-plane/core/routing/drawing.ts';
import type { Account, CallFacts, Media, Night, User } from '../../control-plane/core/routing/config.ts';
import { explain } from '../../control-plane/core/routing/explain.ts';
import { compileNightCode } from '../../control-plane/core/routing/night-code.ts';
import { defaultOutboundRules } from '../../control-plane/core/routing/outbound-guard.ts';
import { textsToPrepare } from '../../control-plane/core/routing/whisper.ts';

const user = (id: string, extension: string): User => ({ id, name: id.toUpperCase(), devices: [{ id: extension, label: 'desk', target: { kind: 'device', device: extension } }] });
const codes = [{ code: '*20', setting: 'open' }, { code: '*28', setting: 'closed' }] as const;
const account = (id: string, night?: Night): Account => ({ id, name: `${id} clinic`, sipPrefix: id, outbound: defaultOutboundRules('US'), users: [user('ann', '101'), user('bob', '102')], numbers: [], ...(night === undefined ? {} : { night }) });
const clinics = [account('north', { codes, users: ['ann'] }), account('south', { codes: [{ code: '*28', setting: 'emergency' }] }), account('east')];
const dials = (dialled: string, whisperMedia: (text: string) => Media | undefined = (text) => `file:${text}`): CallFacts => ({ callId: 'call', dialled, callerNumber: '101', callerName: 'desk', at: 0, localTime: () => localTime('UTC', 0), callsOut: () => 0, contact: () => undefined, whisperMedia });

describe('A code that a phone dials', () => {
  it('sets its own account’s night switch, and says so', () => {
    const plan = compileNightCode(clinics, 'north.101', dials('*28'));
    expect(plan).toMatchObject({ account: { id: 'north' }, number: { e164: '*28', label: 'night switch, closed' }, first: 'night-switch' });
    expect(plan?.steps).toEqual({
      'night-switch': { kind: 'setting', setting: { of: 'night-switch', to: 'closed' }, note: 'dialled by ANN on desk, extension 101', on: { set: 'set', notSet: 'not-set' } },
      set: { kind: 'announcement', media: ['file:The night switch is set to closed.'], on: { done: 'hang-up' } },
      'not-set': { kind: 'announcement', media: ['file:The night switch could not be set. Please dial again.'], on: { done: 'hang-up' } },
      'hang-up': { kind: 'hang-up', cause: 'normal' },
    });
    expect(compileNightCode(clinics, 'south.101', dials('*28'))?.steps['night-switch']).toMatchObject({ setting: { to: 'emergency' } });
  });

  it.each([
    ['of nobody', 'west.101', '*28'], ['of an account without codes', 'east.101', '*28'], ['that dials another account’s code', 'south.101', '*20'], ['that dials an extension', 'north.101', '102'], ['that dials more than the code', 'north.101', '*281'],
  ])('is none from a phone %s', (_, phone, dialled) => {
    expect(compileNightCode(clinics, phone, dials(dialled))).toBeUndefined();
  });

  it('is refused with a word where another’s phone may not', () => {
    const plan = compileNightCode(clinics, 'north.102', dials('*28'));
    expect(plan?.steps).toEqual({ refused: { kind: 'announcement', media: ['file:This phone may not set the night switch.'], on: { done: 'hang-up' } }, 'hang-up': { kind: 'hang-up', cause: 'declined' } });
    expect(plan?.reasons).toContainEqual({ subject: 'night-switch', taken: false, why: 'BOB may not set it' });
  });

  it('is answered by a tone where its audio is not ready', () => {
    const plan = compileNightCode(clinics, 'north.101', dials('*20', () => undefined));
    expect([plan?.steps['set'], plan?.steps['not-set']]).toMatchObject([{ media: ['sound:beep'] }, { media: ['sound:beeperr'] }]);
  });

  it('is explained, and drawn', () => {
    const plan = compileNightCode(clinics, 'south.101', dials('*28'));
    if (plan === undefined) throw new Error('no plan');
    expect(explain(plan)).toContain('*28 “night switch, emergency” of south clinic');
    expect(explain(plan)).toContain('sets the night switch to emergency\n       set → set\n       not set → not-set');
    expect(explain(plan)).toContain('+ night-switch: ANN may set it, as every phone of the account');
    expect(drawingOf(plan).boxes.map(({ lines }) => lines[0])).toEqual(['Call to *28', 'Night switch', 'Announcement', 'Announcement', 'Hang up']);
  });
});

it('What the codes say is spoken before one is dialled', () => {
  expect(clinics.map(textsToPrepare)).toEqual([
    ['The night switch is set to open.', 'The night switch is set to closed.', 'The night switch could not be set. Please dial again.', 'This phone may not set the night switch.'],
    ['The night switch is set to emergency.', 'The night switch could not be set. Please dial again.'], [],
  ]);
});
