import { describe, expect, test } from 'vitest';
import type { MenuStep } from '../../control-plane/core/routing/plan.ts';
import { given, type Story } from './support/given.ts';
import { desk, menu, planOfMenus } from './support/plans.ts';

const ext = { extensions: { firstDigits: '12', shortest: 3, longest: 4 } } as const;
const asked = (options: Readonly<Record<string, string>> = { 1: 'ring', 2: 'voicemail' }, change: Partial<MenuStep> = {}): Story => given(planOfMenus({ menu: menu('menu', options, change) })).offered();
/** The caller has heard the prompt out, and has not pressed anything. */
const waited = (options?: Readonly<Record<string, string>>, change?: Partial<MenuStep>): Story => asked(options, change).promptEnds();
const tries = (call: Story): readonly string[] => call.every('MenuTried').map(({ step, keys, outcome, to }) => `${step} ${keys === '' ? '-' : keys} ${outcome} ${to ?? 'again'}`);

const dialled = (call: Story): string | undefined => call.call.planning?.extension;

describe('A menu', () => {
  test('answers the caller and plays its prompt', () => {
    const call = asked();
    expect(call.asked()).toEqual(['AnswerLeg caller', 'PlayPrompt caller file:menu']);
    expect(call.call).toMatchObject({ phase: 'menu', promptId: 'c7--p1', tries: 1 });
  });

  test('leads on by the key that is pressed, at once', () => {
    const call = waited().callerPresses('1');
    expect(call.asked()).toEqual(['RingLeg caller', 'OriginateLeg l2']);
    expect(call.told()).toEqual(['KeyPressed', 'MenuTried', 'StepEntered', 'LegDialed']);
    expect(call.call.timers).not.toHaveProperty('menu');
  });

  test('is interrupted by a key: the prompt stops, and its end means nothing any more', () => {
    const call = asked();
    expect(call.callerPresses('1').asked()).toEqual(['StopPrompt', 'RingLeg caller', 'OriginateLeg l2']);
    expect(call.call.timers).not.toHaveProperty('prompt');
    call.when({ type: 'PromptFinished', legId: 'c7', promptId: 'c7--p1', ok: true });
    expect([call.commands, call.facts, call.call.phase]).toEqual([[], [], 'ringing']);
  });

  test('takes * and # as any other key', () => {
    expect(waited({ '*': 'ring' }).callerPresses('*').call.phase).toBe('ringing');
    expect(waited({ '#': 'ring' }, ext).callerPresses('#').call.phase).toBe('ringing');
  });

  test('waits for the first key from the end of the prompt on', () => {
    const call = waited();
    expect(call.call.timers).toEqual({ menu: call.now + 5000 });
  });

  test('is asked again when no key comes, and at last leads where it leads without one', () => {
    const call = waited().timer('menu');
    expect(call.asked()).toEqual(['PlayPrompt caller file:menu']);
    expect(call.promptEnds().timer('menu').call.phase).toBe('greeting');
    expect(tries(call)).toEqual(['menu - noKey again', 'menu - noKey voicemail']);
  });

  test('says that a key leads nowhere, and is asked again, and at last leads where wrong keys lead', () => {
    const call = waited().callerPresses('7');
    expect(call.asked()).toEqual(['PlayPrompt caller file:invalid file:menu']);
    expect(call.callerPresses('8').asked()).toEqual(['StopPrompt', 'HangUpLeg caller normal']);
    expect(tries(call)).toEqual(['menu 7 invalid again', 'menu 8 invalid hang-up']);
  });

  test('counts tries of either kind together', () => {
    expect(waited().callerPresses('7').promptEnds().timer('menu').call.phase).toBe('greeting');
  });

  test('whose prompt cannot be played still waits for a key', () => {
    expect(asked().promptEnds(undefined, false).callerPresses('1').call.phase).toBe('ringing');
    expect(asked().fails('PlayPrompt').callerPresses('2').call.phase).toBe('greeting');
  });

  test('whose prompt never ends stops it and waits for a key', () => {
    const call = asked().timer('prompt');
    expect(call.asked()).toEqual(['StopPrompt']);
    expect(call.call.timers).toEqual({ menu: call.now + 5000 });
  });

  test('does not hear the keys of others', () => {
    const call = waited();
    call.when({ type: 'LegDigit', legId: 'c7--l4', digit: '1' });
    expect([call.commands, call.facts]).toEqual([[], []]);
  });

  test.each(['', '12', 'x', '__proto__', ' ', '1\n', '٣'])('takes no notice of %j, which no phone has', (digit) => {
    const call = waited();
    call.when({ type: 'LegDigit', legId: 'c7', digit });
    expect([call.commands, call.facts]).toEqual([[], []]);
  });

  test('takes the keys A to D of old phones for keys that lead nowhere', () => {
    expect(tries(waited().callerPresses('A'))).toEqual(['menu A invalid again']);
  });

  test('that the caller leaves is in the record, with what was pressed until then', () => {
    const call = waited({}, ext).callerPresses('7').promptEnds().callerPresses('10').callerHangsUp().allEnds();
    expect(call.cdr).toMatchObject({ disposition: 'canceled', endedBy: 'caller', menus: [{ step: 'menu', keys: '7', outcome: 'invalid', to: null }, { step: 'menu', keys: '10', outcome: 'left', to: null }] });
  });

  test('leads nowhere at all where the plan has no such step: the call ends as failed', () => {
    expect(waited({ 1: 'nowhere' }).callerPresses('1').allEnds().cdr.disposition).toBe('failed');
  });
});

describe('Keys that are typed early', () => {
  const nested = planOfMenus({
    menu: menu('menu', { 1: 'second' }), second: menu('second', { 3: 'third', 9: 'menu' }), third: menu('third', { 2: 'ring' }, ext),
  });

  test('lead three menus deep with no prompt but the first', () => {
    const call = given(nested).offered().callerPresses('13#');
    expect(call.asked()).toEqual(['StopPrompt', 'PlayPrompt caller file:second', 'StopPrompt', 'PlayPrompt caller file:third', 'StopPrompt', 'PlayPrompt caller file:invalid file:third']);
    expect(given(nested).offered().callerPresses('191913').call).toMatchObject({ phase: 'menu', step: 'third' });
  });

  test('are kept during an announcement, and taken before the menu plays', () => {
    const plan = { ...nested, first: 'announcement', steps: { ...nested.steps, announcement: { kind: 'announcement', media: ['file:hello'], on: { done: 'menu' } } } } as const;
    const call = given(plan).offered().callerPresses('13');
    expect([call.asked(), call.call.typed]).toEqual([[], '13']);
    expect(call.promptEnds().asked()).toEqual(['PlayPrompt caller file:third']);
    expect(call.call).toMatchObject({ step: 'third', tries: 1, typed: '' });
    expect(tries(call)).toEqual(['menu 1 option second', 'second 3 option third']);
    expect(call.cdr.menus.map(({ step, keys }) => [step, keys])).toEqual([['menu', '1'], ['second', '3']]);
  });

  test('that begin an extension wait for its other keys, without a prompt', () => {
    const call = given({ ...nested, first: 'announcement', steps: { ...nested.steps, announcement: { kind: 'announcement', media: ['file:hello'], on: { done: 'third' } } } }).offered();
    expect(call.callerPresses('1').promptEnds().asked()).toEqual([]);
    expect(call.call).toMatchObject({ phase: 'menu', digits: '1', tries: 0, timers: { menu: call.now + 2000 } });
  });

  test('that lead nowhere are forgotten with all that was typed after them, and the menu is heard as often as ever', () => {
    const call = given({ ...nested, first: 'announcement', steps: { ...nested.steps, announcement: { kind: 'announcement', media: ['file:hello'], on: { done: 'menu' } } } }).offered();
    expect(call.callerPresses('777').promptEnds().asked()).toEqual(['PlayPrompt caller file:invalid file:menu']);
    expect(call.call).toMatchObject({ typed: '', tries: 1 });
    expect(tries(call.promptEnds().timer('menu').promptEnds().timer('menu'))).toEqual(['menu 7 invalid again', 'menu - noKey again', 'menu - noKey voicemail']);
  });

  test('are not more than sixteen', () => {
    const plan = { ...nested, first: 'announcement', steps: { ...nested.steps, announcement: { kind: 'announcement', media: ['file:hello'], on: { done: 'menu' } } } } as const;
    expect(given(plan).offered().callerPresses('12345678901234567890').call.typed).toBe('1234567890123456');
  });

  test('are forgotten once somebody is rung', () => {
    const announced = planOfMenus({ menu: menu('menu', {}) }, {
      first: 'announcement',
      steps: { announcement: { kind: 'announcement', media: ['file:hello'], on: { done: 'ring' } }, ring: { kind: 'ring', pattern: 'simultaneous', attempts: [desk(1)], ringMs: 9000, taken: [], on: { noAnswer: 'menu' } } },
    });
    const call = given(announced).offered().callerPresses('1').promptEnds();
    expect(call.call.typed).toBe('');
    expect(call.callerPresses('1').timer('round').call).toMatchObject({ phase: 'menu', typed: '', tries: 1 });
  });
});

describe('An extension that is dialled in a menu', () => {
  const ring = { kind: 'ring', pattern: 'simultaneous', attempts: [desk(2)], ringMs: 20_000, taken: [], on: { noAnswer: 'voicemail' } } as const;
  const planned = (call: Story): Story => {
    const request = call.call.planning?.request ?? '';
    return call.when({ type: 'ExtensionPlanned', request, steps: { [request]: ring }, first: request, why: 'extension 102 is Ben, desk' });
  };

  test('is rung when all its keys are pressed', () => {
    const call = waited({ 1: 'ring' }, { extensions: { firstDigits: '1', shortest: 3, longest: 3 } }).callerPresses('102');
    expect(call.commands.find(({ type }) => type === 'PlanExtension')).toMatchObject({ extension: '102', noAnswer: 'voicemail' });
    expect(planned(call).asked()).toEqual(['RingLeg caller', 'OriginateLeg l3']);
    expect(call.cdr.menus).toMatchObject([{ keys: '102', outcome: 'extension', to: 'extension-2' }]);
    expect(call.call.timers).not.toHaveProperty('menu');
    expect(call.timer('round').call.phase).toBe('greeting');
  });

  test('may be shorter than others: then # ends it, or the time after its last key', () => {
    expect(dialled(waited({}, ext).callerPresses('102#'))).toBe('102');
    const call = waited({}, ext).callerPresses('10').after(1999).callerPresses('2');
    expect([dialled(call), call.call.timers]).toEqual([undefined, { menu: call.now + 2000 }]);
    expect(dialled(call.timer('menu'))).toBe('102');
  });

  test('stops the prompt with its first key', () => {
    expect(asked({}, ext).callerPresses('1').asked()).toEqual(['StopPrompt']);
  });

  test('is not waited for after a key that begins none', () => {
    expect(waited({ 3: 'ring' }, ext).callerPresses('3').call.phase).toBe('ringing');
    expect(tries(waited({}, ext).callerPresses('3'))).toEqual(['menu 3 invalid again']);
  });

  test.each([['#', (call: Story) => call.callerPresses('#')], ['the time after it', (call: Story) => call.timer('menu')]])('is none where one key was pressed that is an option, and %s ends it', (_, end) => {
    expect(end(waited({ 1: 'ring' }, ext).callerPresses('1')).call.phase).toBe('ringing');
  });

  test('leads nowhere when it is too short, or not of digits', () => {
    expect(tries(waited({ 1: 'ring' }, ext).callerPresses('12#'))).toEqual(['menu 12# invalid again']);
    expect(tries(waited({ 1: 'ring' }, ext).callerPresses('12*'))).toEqual(['menu 12* invalid again']);
    expect(tries(waited({ 1: 'ring' }, ext).callerPresses('12A'))).toEqual(['menu 12A invalid again']);
  });

  test('that nobody has leads nowhere, and the caller is asked again', () => {
    const call = waited({}, ext).callerPresses('1999');
    call.when({ type: 'ExtensionPlanned', request: call.call.planning?.request ?? '', steps: {}, first: null, why: 'there is no extension 1999' });
    expect(call.asked()).toEqual(['PlayPrompt caller file:invalid file:menu']);
    expect(call.every('MenuTried')).toMatchObject([{ keys: '1999', outcome: 'invalid', why: 'there is no extension 1999' }]);
  });

  test('whose way is never told leads nowhere, and an answer that comes later changes nothing', () => {
    const call = waited({}, ext).callerPresses('1999');
    const { request = '' } = call.call.planning ?? {};
    expect(tries(call.timer('menu'))).toEqual(['menu 1999 invalid again']);
    call.when({ type: 'ExtensionPlanned', request, steps: { [request]: ring }, first: request, why: '' });
    expect([call.commands, call.facts]).toEqual([[], []]);
  });

  test('keys pressed before its way is told are kept for a menu that asks again', () => {
    const call = waited({ 3: 'ring' }, { ...ext, tries: 3 }).callerPresses('1999').callerPresses('3');
    expect([call.asked(), call.call.typed]).toEqual([[], '3']);
    call.when({ type: 'ExtensionPlanned', request: call.call.planning?.request ?? '', steps: {}, first: null, why: '' });
    expect(call.call).toMatchObject({ phase: 'menu', typed: '' });
  });
});

describe('A plan that leads in circles', () => {
  const round = { menu: menu('menu', { 1: 'menu' }) };

  test('is left after a hundred steps by its last way', () => {
    const call = given(planOfMenus(round, { last: 'voicemail' })).offered().callerPresses('1'.repeat(99));
    expect(call.call.phase).toBe('menu');
    expect(call.callerPresses('1').call.phase).toBe('greeting');
    expect(call.every('StepsExhausted')).toHaveLength(1);
    expect(call.promptEnds().promptEnds().recordingEnds(2000).allEnds().cdr).toMatchObject({ disposition: 'no-answer', voicemail: { durationMs: 2000 } });
  });

  test('ends the call as failed where it has none, or where that leads in circles too', () => {
    expect(given(planOfMenus(round)).offered().callerPresses('1'.repeat(100)).allEnds().cdr.disposition).toBe('failed');
    const call = given(planOfMenus(round, { last: 'menu' })).offered().callerPresses('1'.repeat(200));
    expect([call.allEnds().cdr.disposition, call.every('StepsExhausted').length]).toEqual(['failed', 1]);
  });
});

describe('A caller in a menu whose controller is gone', () => {
  test('hears the prompt again from its start, and it is not another try', () => {
    const call = asked().adopted();
    expect(call.asked()).toEqual(['StopPrompt', 'PlayPrompt caller file:menu']);
    expect(call.call).toMatchObject({ phase: 'menu', tries: 1 });
    expect(waited().adopted().asked()).toEqual(['PlayPrompt caller file:menu']);
    expect(Object.keys(waited().adopted().call.timers)).toEqual(['prompt']);
  });

  test('goes on with the extension in the middle of which they were', () => {
    const call = waited({}, ext).callerPresses('10').after(1500).adopted();
    expect([call.asked(), call.call.timers]).toEqual([[], { menu: call.now + 2000 }]);
    expect(call.callerPresses('2#').call.planning?.extension).toBe('102');
  });

  test('whose extension was to be rung is not asked again: the way to it is', () => {
    const call = waited({}, ext).callerPresses('1999').adopted();
    expect(call.commands.map(({ type }) => type)).toEqual(['PlanExtension', 'MarkCall']);
  });

  test('is asked as often as the switch says that they were', () => {
    const before = waited().timer('menu');
    const call = given(planOfMenus({ menu: menu('menu', { 1: 'ring' }) })).adopted(before.onSwitch());
    expect(call.asked()).toEqual(['StopPrompt', 'PlayPrompt caller file:menu']);
    expect(call.call).toMatchObject({ phase: 'menu', tries: 2 });
    expect(call.promptEnds().timer('menu').call.phase).toBe('greeting');
  });

  test('begins anew where the plan has changed and there is no such menu', () => {
    const seen = waited().onSwitch();
    const call = given(planOfMenus({ other: menu('other', { 1: 'ring' }) })).adopted(seen);
    expect(call.call).toMatchObject({ phase: 'menu', step: 'other' });
  });
});
