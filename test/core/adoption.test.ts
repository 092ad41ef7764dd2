import { describe, expect, test } from 'vitest';
import { newCall } from '../../control-plane/core/call/call.ts';
import type { CallMark } from '../../control-plane/core/call/mark.ts';
import { frozen, given, offer, startedAt, Story } from './support/given.ts';
import { everyPart, inPhase, phases } from './support/phases.ts';
import { desk, menu, planOf, planOfMenus, walkOf } from './support/plans.ts';

const live = phases.filter((phase) => phase !== 'ended' && phase !== 'ending');

/** What a controller knows after it has read the first events of the journal. */
function knowing(story: Story, events: number, plan = story.call.plan): Story {
  const known = new Story(plan, newCall(offer, plan, startedAt));
  for (const { event, at } of story.events.slice(0, events)) {
    known.now = at;
    known.when(event);
  }
  known.now = story.now;
  return known;
}

describe.each(live)('A call adopted while it is %s', (phase) => {
  const prefixes = Array.from({ length: inPhase[phase]().events.length + 1 }, (_, n) => n);

  test.each(prefixes)('goes on, known from the first %i events, and ends once', (events) => {
    const before = inPhase[phase]();
    const seen = before.onSwitch();
    const call = knowing(before, events).adopted(seen);
    expect(['ending', 'ended']).not.toContain(call.call.phase);
    // The switch keeps no mark of a beep: the greeting is played again to a call of which no more is known.
    const places = phase === 'beeping' ? ['greeting', 'beeping'] : phase === 'offered' ? ['announcing'] : [phase];
    expect(places).toContain(call.call.phase);
    expect(call.call.recording).toBe(seen.recordings[0] ?? null);
    call.callerHangsUp().allEnds();
    expect(call.call).toMatchObject({ phase: 'ended', timers: {} });
    expect(call.every('CallEnded')).toHaveLength(1);
    expect(call.every('CallStarted')).toHaveLength(1);
  });

  test('whose caller has vanished ends', () => {
    const call = inPhase[phase]().adopted({ caller: null, recordings: [] }).allEnds();
    expect(call.call).toMatchObject({ phase: 'ended', timers: {} });
    expect(call.every('CallEnded')).toHaveLength(1);
  });

  test('twice in a row gives no id twice', () => {
    const call = inPhase[phase]().adopted().adopted();
    const ids = call.allCommands.flatMap((one) => (one.type === 'PlayPrompt' ? [one.promptId] : one.type === 'OriginateLeg' ? [one.legId] : []));
    expect(new Set(ids).size).toBe(ids.length);
  });
});

test('from nothing but marks the record is marked as reconstructed', () => {
  const before = inPhase.connected();
  const call = knowing(before, 0).adopted(before.onSwitch());
  expect(call.cdr).toMatchObject({ reconstructed: true, answeredBy: before.legId(1) });
});

test('a connected call stays connected, and its guards are raised', () => {
  const call = inPhase.connected().adopted();
  expect(call.asked()).toEqual(['SetGuard caller', 'SetGuard l2']);
  expect(call.call.phase).toBe('connected');
});

test('the callee hung up while nobody listened: the call was answered, and ends', () => {
  const call = inPhase.connected().adopted({ legs: [] }).allEnds();
  expect(call.cdr).toMatchObject({ disposition: 'answered', endedBy: 'callee' });
});

test('the callee hung up while nobody listened and every journal is lost: the record names who talked', () => {
  const before = inPhase.connected();
  const call = knowing(before, 0).adopted({ ...before.onSwitch(), legs: [] }).allEnds();
  expect(call.cdr).toMatchObject({ disposition: 'answered', endedBy: 'callee', reconstructed: true, answeredBy: before.legId(1) });
  expect(call.cdr.legs.find((leg) => leg.legId === before.legId(1))).toMatchObject({ label: before.cdr.legs[0]?.label, disposition: 'answered' });
});

test.each([['callee', { legs: [] }], ['caller', { caller: null }]] as const)('the two were connected and the %s hung up while nobody listened: the call was answered, and ends', (by, gone) => {
  const asked = inPhase.connecting().promptEnds(1);
  const bridgeId = 'bridgeId' in asked.call ? asked.call.bridgeId : '';
  const call = asked.adopted({ ...gone, bridges: [{ bridgeId, legIds: [by === 'callee' ? asked.call.id : asked.legId(1)] }] }).allEnds();
  expect(call.cdr).toMatchObject({ disposition: 'answered', endedBy: by, answeredBy: asked.legId(1) });
});

test('the winner vanished in the whisper: routing goes on', () => {
  expect(inPhase.connecting().adopted({ legs: [] }).call.phase).toBe('greeting');
});

test('a phone answered while nobody listened: it is asked or has the call, once', () => {
  const ringing = inPhase.announcing().promptEnds().legRings(1).legRings(2);
  const seen = ringing.onSwitch();
  const call = ringing.adopted({ legs: seen.legs.map((leg) => ({ ...leg, state: leg.legId === ringing.legId(2) ? 'answered' as const : leg.state })) });
  expect(call.asked().filter((one) => one.startsWith('PlayPrompt'))).toEqual(['PlayPrompt l3 file:who file:press-1']);
});

test('a phone that was dialled and never seen is dialled again; one that rang and is gone is not', () => {
  const ringing = inPhase.announcing().promptEnds().legRings(1);
  expect(ringing.adopted({ legs: [] }).asked().filter((one) => one.startsWith('OriginateLeg'))).toHaveLength(1);
});

const dialledAgain = (call: Story): readonly string[] => call.asked().filter((one) => one.startsWith('OriginateLeg'));

test('a phone that was never dialled, since who made its leg died before, is dialled now; one that rang is not', () => {
  const ringing = inPhase.announcing().promptEnds().legRings(2);
  const call = ringing.adopted(ringing.onSwitch());
  expect(dialledAgain(call.legEnds(1, 'lost'))).toHaveLength(1);
  expect(dialledAgain(call.legEnds(2, 'lost'))).toEqual([]);
  expect(call.call.phase).toBe('ringing');
});

test('a leg of unknown origin is hung up', () => {
  const call = inPhase.connected();
  const { legs } = call.onSwitch();
  call.adopted({ legs: [...legs, { legId: 'c7--l40', state: 'answered', createdAt: startedAt, mark: null }] });
  expect(call.asked()).toContain('HangUpLeg l40 canceled');
});

test('who talks goes on talking when the plan has changed and nothing else is known', () => {
  const before = inPhase.connected();
  const plan = { ...everyPart, steps: {} };
  const call = new Story(plan, newCall(offer, plan, startedAt)).adopted(before.onSwitch());
  expect(call.call.phase).toBe('connected');
  expect(call.everyCommand('HangUpLeg')).toEqual([]);
});

test('a bridge of an earlier winner is ended', () => {
  const call = inPhase.ending();
  call.adopted({ bridges: [{ bridgeId: 'c7--b4', legIds: [] }] });
  expect(call.asked()).toContain('DestroyBridge');
});

test('however often the link is lost, a leg that is there goes on being hung up', () => {
  const call = inPhase.connected().callerHangsUp();
  for (let i = 0; i < 5; i++) call.adopted({ caller: null });
  expect(call.asked()).toEqual(['HangUpLeg l2 normal']);
  expect(frozen(call.call).phase).toBe('ending');
});

const labels = (call: Story): readonly string[] => call.every('LegDialed').map(({ label }) => label);

describe('A walk from destination to destination that is adopted', () => {
  const three = walkOf('round-robin', [desk(1), desk(2), desk(3)]);
  /** The second in the order rings; the first was busy, the third is next. */
  const begun = (plan = three): Story => given(plan).offered().ordered('u2', 'u3', 'u1').after(3000).legRings(1).legEnds(1, 'busy').legRings(2);
  const prefixes = Array.from({ length: begun().events.length + 1 }, (_, n) => n);

  test.each(prefixes)('goes on where it was, known from the first %i events: nobody is rung again, and its time is what it was', (events) => {
    const before = begun();
    const call = knowing(before, events).adopted(before.onSwitch());
    expect(call.call).toMatchObject({ phase: 'ringing', next: [0], timers: { round: before.call.timers['round'] } });
    expect(call.everyCommand('OriginateLeg').filter(({ legId }) => !before.legId(1).includes(legId) && legId !== before.legId(2))).toEqual([]);
    call.when({ type: 'LegEnded', legId: before.legId(2), cause: 'busy' });
    expect(labels(call).at(-1)).toBe('desk 1');
    call.when({ type: 'LegEnded', legId: Object.keys(call.call.legs).at(-1) ?? '', cause: 'busy' });
    expect(call.call.phase).toBe('greeting');
  });

  test.each(prefixes)('whose present phone has ended unseen rings the next, known from the first %i events', (events) => {
    const before = begun();
    const call = knowing(before, events).adopted({ ...before.onSwitch(), legs: [] });
    // Known up to its dial, and no further: it may never have been made.
    const again = events === 4;
    expect(call.everyCommand('OriginateLeg').map(({ mark }) => mark.attempt).at(-1)).toBe(again ? 2 : 0);
    expect(call.call).toMatchObject({ phase: 'ringing', next: again ? [0] : [] });
  });

  test('takes who is dialled for rung, though the mark that said so did not arrive', () => {
    const before = begun();
    const seen = before.onSwitch();
    const mark = { ...seen.caller?.mark, walk: { next: [2, 0], until: before.call.timers['round'] ?? 0 } } as CallMark;
    const call = knowing(before, 0).adopted({ ...seen, caller: seen.caller === null ? null : { ...seen.caller, mark } });
    expect(call.call).toMatchObject({ phase: 'ringing', next: [0] });
  });

  test('lets go of one whose hang-up did not arrive when the next was dialled', () => {
    const before = begun();
    const seen = before.onSwitch();
    const late = { legId: before.legId(1), state: 'ringing', createdAt: startedAt, mark: { v: 1, step: 'ring', attempt: 1, trunk: 0 } } as const;
    const call = knowing(before, 0).adopted({ ...seen, legs: [late, ...seen.legs] });
    expect(call.everyCommand('HangUpLeg').map(({ legId, cause }) => [legId, cause])).toContainEqual([before.legId(1), 'no-answer']);
    expect(call.call).toMatchObject({ phase: 'ringing', next: [0] });
  });

  test.each([0, 3])('whose winner was lost in the whisper goes on with the next, known from the first %i events', (events) => {
    const before = begun(walkOf('round-robin', [desk(1), desk(2), desk(3, { whisper: ['file:who'] })])).legAnswers(2);
    expect(before.call.phase).toBe('connecting');
    const call = knowing(before, events).adopted({ ...before.onSwitch(), legs: [] });
    expect(call.call).toMatchObject({ phase: 'ringing', next: [] });
    expect(labels(call).at(-1)).toBe('desk 1');
    expect(call.asked()).toContain('RingLeg caller');
  });

  test('before its order was known asks for it again', () => {
    const before = given(three).offered();
    const call = knowing(before, 0).adopted(before.onSwitch());
    expect(call.call.phase).toBe('ordering');
    expect(call.everyCommand('OrderDestinations')).toHaveLength(1);
    expect(labels(call.ordered('u3', 'u1', 'u2'))).toEqual(['desk 3']);
  });
});

describe('One who is to be rung later', () => {
  test.each([0, 1])('still is, at the same time, after an adoption; known from the first %i events', (events) => {
    const before = given(planOf([desk(1), desk(2, { delayMs: 8000 })])).offered().after(2000);
    const call = knowing(before, events).adopted(before.onSwitch());
    expect(call.call.timers['delay:1']).toBe(startedAt + 8000);
    expect(call.timer('delay:1').every('LegDialed').at(-1)?.label).toBe('desk 2');
  });
});

const dialling = (): Story => given(planOf([desk(1, { dialExtension: { digits: '123', delayMs: 2000 } })])).offered().legAnswers(1).after(1000);

describe('An extension that is being dialled', () => {

  test('is not dialled a second time by one who knows of it, and its leg goes on in time', () => {
    const call = knowing(dialling(), 2).adopted(dialling().onSwitch());
    expect(call.everyCommand('SendDigits')).toHaveLength(1);
    expect(call.timer(`extension:${call.legId(1)}`).call.phase).toBe('connecting');
  });

  test('is dialled again where nobody knows of it', () => {
    const call = knowing(dialling(), 0).adopted(dialling().onSwitch());
    expect(call.asked()).toContain('SendDigits l1 123 2000');
    // one who is gone may have begun it, and the switch sends both, one after the other
    expect(call.call.timers[`extension:${call.legId(1)}`]).toBe(call.now + 2 * (2000 + 3 * 200) + 300);
  });
});

describe('An extension that a caller has dialled in a menu', () => {
  const plan = planOfMenus({ menu: menu('menu', {}, { extensions: { firstDigits: '1', shortest: 3, longest: 3 } }) });
  const step = { kind: 'ring', pattern: 'simultaneous', attempts: [desk(2)], ringMs: 20_000, taken: [], extension: '102', on: { noAnswer: 'voicemail' } } as const;
  const rings = (): Story => {
    const call = given(plan).offered().promptEnds().callerPresses('102');
    const { request = '' } = call.call.planning ?? {};
    return call.when({ type: 'ExtensionPlanned', request, steps: { [request]: step }, first: request, why: '' }).legRings(1);
  };
  const prefixes = Array.from({ length: rings().events.length + 1 }, (_, n) => n);

  test('is on the switch with the call, for whoever knows nothing else', () => {
    expect(rings().onSwitch().caller?.mark?.added).toEqual({ extension: '102', noAnswer: 'voicemail' });
    expect(rings().timer('round').onSwitch().caller?.mark).not.toHaveProperty('added');
  });

  test.each(prefixes)('goes on ringing, known from the first %i events', (events) => {
    const before = rings();
    const id = 'step' in before.call ? before.call.step : '';
    const call = knowing(before, events, plan).when({ type: 'CallAdopted', seen: before.onSwitch(), steps: { [id]: step } });
    expect(call.call).toMatchObject({ phase: 'ringing', step: id, planning: null });
    expect(call.asked().filter((one) => one.startsWith('HangUpLeg') || one.startsWith('PlayPrompt'))).toEqual([]);
    expect(labels(call)).toEqual(['desk 2']);
    expect(knowing(before, events, plan).when({ type: 'CallAdopted', seen: before.onSwitch(), steps: { [id]: step } }).timer('round').call.phase).toBe('greeting');
    call.when({ type: 'LegAnswered', legId: before.legId(1) });
    expect(call.call).toMatchObject({ phase: 'connecting', winner: before.legId(1) });
  });

  test('that there is no more leaves the caller in the menu', () => {
    const before = rings();
    const call = knowing(before, 0, plan).when({ type: 'CallAdopted', seen: before.onSwitch(), steps: {} });
    expect(call.call).toMatchObject({ phase: 'menu', step: 'menu' });
    expect(call.asked()).toContain('HangUpLeg l3 canceled');
  });
});
