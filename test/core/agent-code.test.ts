/** Q2: what a phone dials for an agent, who is meant by it, and what is spoken beforehand. */
import { describe, expect, it } from 'vitest';
import { localTime } from '../../control-plane/hours/local-time.ts';
import { compileAgentCode } from '../../control-plane/core/routing/agent-code.ts';
import type { Account, CallFacts, User } from '../../control-plane/core/routing/config.ts';
import { drawingOf } from '../../control-plane/core/routing/drawing.ts';
import { explain } from '../../control-plane/core/routing/explain.ts';
import { defaultOutboundRules } from '../../control-plane/core/routing/outbound-guard.ts';
import type { Plan } from '../../control-plane/core/routing/plan.ts';
import { textsToPrepare } from '../../control-plane/core/routing/whisper.ts';

const user = (id: string, extension?: string, pin?: string): User => ({
  id, name: id.toUpperCase(), devices: extension === undefined ? [] : [{ id: extension, label: 'desk', target: { kind: 'device', device: extension } }], ...(pin === undefined ? {} : { pin }),
});
const codes = [{ code: '*41', action: 'logIn' }, { code: '*42', action: 'logOut' }, { code: '*43', action: 'break' }, { code: '*44', action: 'available' }] as const;
const clinic: Account = { id: 'north', name: 'North', sipPrefix: 'north', outbound: defaultOutboundRules('US'), users: [user('ann', '101'), user('bob', '102', '4711'), user('eve', undefined, '0815')], numbers: [], agentCodes: codes };
const others: Account = { ...clinic, id: 'south', sipPrefix: 'south', users: [user('sue', '101', '1234')], agentCodes: codes.slice(0, 1) };
/** `loggedIn`: extensions by agent. */
const dials = (dialled: string, loggedIn?: Readonly<Record<string, readonly string[]>>): CallFacts => ({
  callId: 'call', dialled, callerNumber: '101', callerName: 'desk', at: 0, localTime: () => localTime('UTC', 0), callsOut: () => 0, contact: () => undefined, whisperMedia: (text) => `file:${text}`,
  ...(loggedIn === undefined ? {} : { loggedIn: () => Object.entries(loggedIn).map(([agent, devices]) => ({ agent, devices })) }),
});
const plan = (phone: string, dialled: string, loggedIn?: Readonly<Record<string, readonly string[]>>): Plan => {
  const compiled = compileAgentCode([others, clinic], phone, dials(dialled, loggedIn));
  if (compiled === undefined) throw new Error('no plan');
  return compiled;
};
const setBy = (compiled: Plan): unknown => {
  const step = compiled.steps['agent'];
  return step?.kind === 'setting' ? step.setting : compiled.steps['refused'];
};
const refusal = (text: string) => ({ kind: 'announcement', media: [`file:${text}`], on: { done: 'hang-up' } });

describe('A PIN that is not taken', () => {
  const refusing = { ...dials('*41*4711'), pinsRefused: (account: string, user: string) => account === 'north' && user === 'ann' };

  it('is told with whose phone it was dialled on, and not with its digits', () => {
    expect(plan('north.101', '*41*9999').wrongPin).toEqual({ user: 'ann', phone: '101', why: 'unknown' });
    expect([plan('north.101', '*41*4711').wrongPin, plan('north.101', '*41').wrongPin]).toEqual([undefined, undefined]);
  });

  it('may be a right one where too many were wrong: it sounds like a wrong one, there and on no other phone', () => {
    const refused = compileAgentCode([others, clinic], 'north.101', refusing);
    expect(refused?.wrongPin).toEqual({ user: 'ann', phone: '101', why: 'too-many' });
    expect([refused?.steps, refused?.number]).toEqual([plan('north.101', '*41*9999').steps, plan('north.101', '*41*9999').number]);
    expect(compileAgentCode([others, clinic], 'north.102', refusing)?.steps['agent']).toMatchObject({ setting: { agent: 'bob' } });
    expect(compileAgentCode([others, clinic], 'north.101', { ...refusing, dialled: '*41' })?.steps['agent']).toMatchObject({ setting: { agent: 'ann' } });
  });
});

describe('A code for an agent', () => {
  it('logs in whose phone it is, on that phone, and says so', () => {
    expect(plan('north.101', '*41')).toMatchObject({
      account: { id: 'north' }, number: { e164: '*41', label: 'agent, log in' }, first: 'agent',
      steps: {
        agent: { kind: 'setting', setting: { of: 'agent', action: 'logIn', agent: 'ann', phone: '101' }, note: 'dialled by ANN on desk, extension 101', on: { set: 'set', notSet: 'not-set' } },
        set: { media: ['file:You are logged in.'] }, 'not-set': { media: ['file:That could not be done. Please dial again.'] },
      },
    });
    expect(plan('north.101', '*41').secret).toBeUndefined();
  });

  it('with a PIN behind it means whose PIN it is, on whatever phone, and no record shows the PIN', () => {
    expect(setBy(plan('north.101', '*41*0815'))).toEqual({ of: 'agent', action: 'logIn', agent: 'eve', phone: '101' });
    expect(setBy(plan('north.101', '*42*4711'))).toEqual({ of: 'agent', action: 'logOut', agent: 'bob', phone: '101' });
    expect(plan('north.101', '*41*0815')).toMatchObject({ number: { e164: '*41*' }, secret: true });
    expect(JSON.stringify([plan('north.101', '*41*0815'), plan('north.101', '*41*9999')])).not.toMatch(/0815|9999/);
  });

  it.each([['of nobody', '*41*9999'], ['that is empty', '*41*'], ['of another account', '*41*1234']])('with a PIN %s is refused with a word', (_, dialled) => {
    expect(setBy(plan('north.101', dialled))).toEqual(refusal('Nobody has this PIN.'));
  });

  it.each([['*42', 'logOut'], ['*43', 'break'], ['*44', 'available']] as const)('%s without a PIN means who is logged in on the phone, be it another’s', (dialled, action) => {
    expect(setBy(plan('north.101', dialled, { ann: ['103'], eve: ['101'] }))).toEqual({ of: 'agent', action, agent: 'eve', phone: '101' });
    expect(setBy(plan('north.101', dialled, { ann: ['103'], eve: [] }))).toMatchObject({ action, agent: 'ann' });
  });

  it('that chooses a status is refused to who is logged in nowhere; one that logs in or out is not', () => {
    expect(setBy(plan('north.101', '*43', {}))).toEqual(refusal('You are not logged in.'));
    expect(setBy(plan('north.101', '*44*4711', { bob: [] }))).toEqual(refusal('You are not logged in.'));
    expect([setBy(plan('north.101', '*41', {})), setBy(plan('north.101', '*42', {}))]).toMatchObject([{ agent: 'ann' }, { agent: 'ann' }]);
  });

  it('that logs in means whose phone it is, though somebody else is logged in on it', () => {
    expect(setBy(plan('north.101', '*41', { eve: ['101'] }))).toMatchObject({ agent: 'ann' });
  });

  it.each([['of nobody', 'west.101', '*41'], ['that dials another account’s code', 'south.101', '*43'], ['that dials an extension', 'north.101', '102'], ['that dials more than a code', 'north.101', '*411']])('is none from a phone %s', (_, phone, dialled) => {
    expect(compileAgentCode([others, clinic], phone, dials(dialled))).toBeUndefined();
  });

  it('is explained, and drawn', () => {
    const compiled = plan('north.101', '*43', { eve: ['101'] });
    expect(explain(compiled)).toContain('agent eve: break\n       set → set');
    expect(explain(compiled)).toContain('+ agent: EVE is logged in on the phone');
    expect(drawingOf(compiled).boxes[1]?.lines).toEqual(['Agent', 'eve: break']);
  });
});

it('What the codes say is spoken before one is dialled', () => {
  expect(textsToPrepare(clinic)).toEqual(['You are logged in.', 'You are logged out.', 'You are on a break.', 'You are available.', 'That could not be done. Please dial again.', 'You are not logged in.', 'Nobody has this PIN.']);
  expect(textsToPrepare({ ...others, users: [user('sue', '101')] })).toEqual(['You are logged in.', 'That could not be done. Please dial again.']);
});
