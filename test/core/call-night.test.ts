/** M6: a phone dials a code of the night switch, and hears what became of it. */
import { describe, expect, it } from 'vitest';
import { given } from './support/given.ts';
import { planOfNight } from './support/plans.ts';

const dialled = () => given(planOfNight('closed')).offered();
const settled = (ok: boolean, step = 'night-switch') => ({ type: 'SettingSettled', step, ok, why: 'as asked' }) as const;

describe('A code of the night switch', () => {
  it('asks for the change, and nobody is told anything before it is known what became of it', () => {
    const call = dialled();
    expect(call.asked()).toEqual(['RingLeg caller', 'ChangeSetting']);
    expect(call.everyCommand('ChangeSetting')).toEqual([{ type: 'ChangeSetting', step: 'night-switch', setting: { of: 'night-switch', to: 'closed' }, note: 'dialled by Mara' }]);
    expect([call.call.phase, call.cdr.nightSwitch]).toEqual(['setting', { setting: 'closed', ok: null, why: null }]);
  });

  it.each([[true, 'set'], [false, 'not-set']] as const)('that was carried out: %s, is said to be %s, and the call is hung up', (ok, text) => {
    const call = dialled().when(settled(ok));
    expect(call.asked()).toEqual(['AnswerLeg caller', `PlayPrompt caller file:${text}`]);
    expect(call.cdr.nightSwitch).toEqual({ setting: 'closed', ok, why: 'as asked' });
    call.promptEnds();
    expect(call.asked()).toEqual(['HangUpLeg caller normal']);
    call.allEnds();
    expect([call.call.timers, call.cdr.endedBy]).toEqual([{}, 'frontdesk']);
  });

  it('that nothing is heard of is said not to be set, and what comes after that changes nothing', () => {
    const call = dialled().timer('setting');
    expect([call.asked(), call.cdr.nightSwitch?.ok]).toEqual([['AnswerLeg caller', 'PlayPrompt caller file:not-set'], false]);
    expect([call.when(settled(true)).commands, call.facts]).toEqual([[], []]);
  });

  it('is not settled by the answer to another step', () => {
    expect(dialled().when(settled(true, 'night-switch-2')).call.phase).toBe('setting');
  });

  it('whose caller hangs up is asked for all the same, and the record says that nobody waited', () => {
    const call = dialled().callerHangsUp();
    expect([call.call.phase, call.cdr.nightSwitch?.ok, call.cdr.disposition]).toEqual(['ended', null, 'canceled']);
    expect(call.when(settled(true)).facts).toEqual([]);
  });

  it('is asked for again by the controller that takes the call over, with the time it takes from the start', () => {
    const call = dialled().after(29_000).adopted();
    expect(call.asked()).toEqual(['RingLeg caller', 'ChangeSetting']);
    expect(call.call.timers['setting']).toBe(call.now + 30_000);
    expect(call.when(settled(true)).asked()).toEqual(['AnswerLeg caller', 'PlayPrompt caller file:set']);
  });

  it('is not asked for again once it was said', () => {
    const call = dialled().when(settled(true)).adopted();
    expect(call.asked().filter((one) => one === 'ChangeSetting')).toEqual([]);
    expect(call.asked()).toContain('PlayPrompt caller file:set');
  });
});

describe('A code for an agent', () => {
  const setting = { of: 'agent', action: 'break', agent: 'mara', phone: '101' } as const;
  const plan = { ...planOfNight('closed'), number: { e164: '*43*', label: 'agent, break' }, secret: true } as const;
  const coded = () => given({ ...plan, steps: { ...plan.steps, 'night-switch': { kind: 'setting', setting, note: 'dialled by Mara', on: { set: 'set', notSet: 'not-set' } } } }).offered();

  it('is asked for and said as one of the night switch is, and the record says of whom and what', () => {
    const call = coded();
    expect(call.everyCommand('ChangeSetting')).toEqual([{ type: 'ChangeSetting', step: 'night-switch', setting, note: 'dialled by Mara' }]);
    expect(call.cdr.agentCode).toEqual({ agent: 'mara', action: 'break', ok: null, why: null });
    call.when(settled(true));
    expect([call.asked(), call.cdr.agentCode, call.cdr.nightSwitch]).toEqual([['AnswerLeg caller', 'PlayPrompt caller file:set'], { agent: 'mara', action: 'break', ok: true, why: 'as asked' }, null]);
  });

  it('that was dialled with a PIN is of the code alone', () => {
    expect([coded().call.offer.dialled, coded().cdr.dialled]).toEqual(['*43*', '*43*']);
  });
});
