import { localTime } from '../../control-plane/hours/local-time.ts';
import { describe, expect, it } from 'vitest';
import { compile } from '../../control-plane/core/routing/compile.ts';
import type { Account, CallFacts, User } from '../../control-plane/core/routing/config.ts';
import { defaultOutboundRules } from '../../control-plane/core/routing/outbound-guard.ts';
import { explain } from '../../control-plane/core/routing/explain.ts';
import { compileExtension, planExtension } from '../../control-plane/core/routing/extension.ts';
import type { Plan } from '../../control-plane/core/routing/plan.ts';
import { plainTarget, sipName } from '../../control-plane/core/routing/sip-name.ts';

const user = (id: string, extension: string): User => ({ id, name: id.toUpperCase(), devices: [{ id: extension, label: 'desk', target: { kind: 'device', device: extension } }] });
const account = (id: string, sipPrefix?: string): Account => ({
  id, name: `${id} clinic`, outbound: defaultOutboundRules('US'), ...(sipPrefix === undefined ? {} : { sipPrefix }),
  users: [user('ann', '101'), user('bob', '102'), { id: 'eve', name: 'Eve', devices: [{ id: 'cell', label: 'cell', target: { kind: 'external', number: '+13035550400', trunks: ['carrier'] } }] }],
  numbers: [{ e164: '+12025550110', label: 'Main', users: ['ann', 'eve'], ringMs: 20_000, callConnect: 'off' }],
});
const clinics = [account('north'), account('south', 'south')];
const dials = (dialled: string): CallFacts => ({ callId: 'call', dialled, callerNumber: '101', callerName: 'desk', at: 0, localTime: () => localTime('UTC', 0), callsOut: () => 0, contact: () => undefined, whisperMedia: () => undefined });
const rung = (plan: Plan | undefined): unknown => {
  const step = plan?.steps['ring'];
  return step?.kind === 'ring' ? step.attempts.map(({ user: whose, target, callerId }) => [whose, target, callerId.number]) : plan?.steps[plan.first];
};

describe('An extension that a phone dials', () => {
  it.each([
    ['101', undefined], ['south.101', 'south'],
  ])('is that of the account of %s', (phone, sipPrefix) => {
    const plan = compileExtension(clinics, phone, dials('102'));
    expect(plan?.account.id).toBe(sipPrefix ?? 'north');
    expect(rung(plan)).toEqual([['bob', { kind: 'device', device: '102', ...(sipPrefix === undefined ? {} : { sipPrefix }) }, '101']]);
  });

  it.each([
    ['102', 'of the switch that no account has', 'east.101'],
    ['103', 'of an account without that extension', 'south.101'],
    ['south.102', 'that dials another account’s by its name on the switch', '101'],
    ['+12025550110', 'that dials a number', '101'],
  ])('%s is none for a phone %s', (dialled, _, phone) => {
    expect(compileExtension(clinics, phone, dials(dialled))).toBeUndefined();
  });

  it('is busy when it is the phone itself', () => {
    expect(rung(compileExtension(clinics, '101', dials('101')))).toEqual({ kind: 'hang-up', cause: 'busy' });
  });

  it('is explained by its own name', () => {
    const plan = compileExtension(clinics, 'south.101', dials('102'));
    const text = plan === undefined ? '' : explain(plan);
    expect(text).toContain('extension 102 is BOB, desk, of south clinic');
    expect(text).toContain('bob, desk: extension 102, 60 s, shows desk 101');
    expect(text).not.toContain('south.');
  });
});

describe('An extension that is wanted in the middle of a call', () => {
  const asked = { type: 'PlanExtension', request: 'extension-7', extension: '102', noAnswer: 'voicemail' } as const;

  it('is rung for the caller, under the call’s own id of the step, and leads on as the call says', () => {
    const { steps, first, why } = planExtension(clinics, 'south', asked, { number: '+13125550177', name: 'Jo Ray' });
    const step = steps['extension-7'];
    expect([first, why]).toEqual(['extension-7', 'extension 102 is BOB, desk, of south clinic']);
    expect(step).toMatchObject({ kind: 'ring', ringMs: 60_000, on: { noAnswer: 'voicemail' }, attempts: [{ user: 'bob', target: { kind: 'device', device: '102', sipPrefix: 'south' }, callerId: { number: '+13125550177', name: 'Jo Ray' } }] });
  });

  it.each([['north', '103'], ['', '102'], ['east', '102']])('of account %j there is no extension %s', (account, extension) => {
    expect(planExtension(clinics, account, { ...asked, extension }, { number: '', name: '' })).toEqual({ type: 'ExtensionPlanned', request: 'extension-7', steps: {}, first: null, why: `there is no extension ${extension}` });
  });
});

describe('A number of an account with a prefix', () => {
  it('rings its phones and goes over its trunks by their names on the switch, and is explained by their own', () => {
    const plan = compile(account('south', 'south'), dials('+12025550110'));
    expect(rung(plan)).toEqual([
      ['ann', { kind: 'device', device: '101', sipPrefix: 'south' }, '101'],
      ['eve', { kind: 'external', number: '+13035550400', trunks: ['carrier'], sipPrefix: 'south' }, '101'],
    ]);
    expect(explain(plan)).toContain('+13035550400 over carrier,');
  });

  it('has the plan it had, where the prefix is empty', () => {
    expect(compile(account('north', ''), dials('+12025550110'))).toEqual(compile(account('north'), dials('+12025550110')));
  });
});

it('A name on the switch has at most one dot, so two accounts never have the same', () => {
  expect([sipName(undefined, '101'), sipName('', '101'), sipName('elm', '101'), sipName('elm-1', '01')]).toEqual(['101', '101', 'elm.101', 'elm-1.01']);
  expect(plainTarget({ kind: 'device', device: '101', sipPrefix: 'elm' })).toEqual({ kind: 'device', device: '101' });
});
