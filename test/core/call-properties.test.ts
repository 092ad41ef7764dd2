import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { causes, type Cause } from '../../control-plane/core/cause.ts';
import type { MediaCommand } from '../../control-plane/core/call/commands.ts';
import type { CallEvent } from '../../control-plane/core/call/events.ts';
import { transition } from '../../control-plane/core/call/transition.ts';
import { given, offer, type Story } from './support/given.ts';
import { everyPart, eventOf, eventTypes } from './support/phases.ts';
import { menu, planOfMenus, planOfSupervision } from './support/plans.ts';

const owned = fc.tuple(fc.constantFrom('l', 'b', 'p', 'r', 'c'), fc.integer({ min: 1, max: 12 })).map(([kind, n]) => `c7--${kind}${n}`);
const id = fc.oneof({ weight: 6, arbitrary: owned }, fc.constantFrom(offer.callId, '__proto__', 'constructor', ''));
const cause = fc.constantFrom(...(Object.keys(causes) as Cause[]));

const stray: fc.Arbitrary<CallEvent> = fc.oneof(
  fc.record({ type: fc.constantFrom('LegRinging', 'LegAnswered', 'LegHeld', 'LegUnheld'), legId: id }),
  fc.record({ type: fc.constant('TransferAsked'), legId: id, to: fc.constantFrom('102', '109') }),
  fc.record({ type: fc.constant('LegEnded'), legId: id, cause }),
  fc.record({ type: fc.constant('LegDigit'), legId: fc.oneof(id, fc.constant(offer.callId)), digit: fc.constantFrom('1', '2', '5', '9', '*', '#', 'D', '', '12', 'x', '__proto__', 'constructor') }),
  fc.record({ type: fc.constant('PromptFinished'), legId: id, promptId: id, ok: fc.boolean() }),
  fc.record({ type: fc.constantFrom('LegBridged', 'LegUnbridged'), legId: id, bridgeId: id }),
  fc.record({ type: fc.constant('TimerFired'), id: fc.oneof(id, fc.constantFrom('round', 'prompt', 'menu', 'leg:c7--l2')) }),
);

const throughMenus = planOfMenus({
  menu: menu('menu', { 1: 'deeper', 2: 'ring', 9: 'menu' }), deeper: menu('deeper', { 2: 'ring', '*': 'menu' }, { extensions: { firstDigits: '12', shortest: 2, longest: 3 } }),
});

/** What happens next: an event that fits, a stray one, the next timer, the way to an extension, a refusal of something asked for, an adoption. */
type Act = (story: Story) => Story;
const act: fc.Arbitrary<Act> = fc.oneof(
  fc.constantFrom(...eventTypes.filter((type) => type !== 'CallAdopted')).map((type): Act => (story) => story.when(eventOf[type](story))),
  stray.map((event): Act => (story) => story.when(event)),
  fc.constant<Act>((story) => {
    const next = Object.entries(story.call.timers).sort((a, b) => a[1] - b[1])[0];
    return next === undefined ? story : story.timer(next[0]);
  }),
  fc.constant<Act>((story) => {
    const { planning, plan } = story.call;
    const steps = Object.fromEntries(planning === null ? [] : Object.entries(plan.steps).slice(0, 1).map(([, step]) => [planning.request, step]));
    return planning === null ? story : story.when({ type: 'ExtensionPlanned', request: planning.request, steps, first: planning.request, why: '' });
  }),
  fc.tuple(fc.nat(), fc.constantFrom('gone', 'not-ready', 'rejected', 'timeout', 'unreachable'), fc.boolean()).map(([n, error, mayHaveReachedCarrier]): Act => (story) => {
    const media = story.allCommands.filter((one): one is MediaCommand => one.type !== 'StartTimer' && one.type !== 'CancelTimer' && one.type !== 'PlanExtension' && one.type !== 'ChangeSetting' && one.type !== 'TellDesk');
    const command = media[n % Math.max(1, media.length)];
    return command === undefined ? story : story.when({ type: 'CommandFailed', command, error, mayHaveReachedCarrier });
  }),
  fc.tuple(fc.nat(7), fc.boolean()).map(([kept, caller]): Act => (story) => {
    const seen = story.onSwitch();
    const legs = seen.legs.filter((_, n) => (kept >> n) % 2 === 1);
    return story.adopted({ legs, caller: caller ? seen.caller : null });
  }),
);

function check(story: Story): void {
  const { call } = story;
  const again = story.events.at(-1)?.event ?? { type: 'CallOffered' };
  expect(JSON.parse(JSON.stringify(call))).toEqual(call);
  expect(transition(structuredClone(call), again, { now: story.now })).toEqual(transition(call, again, { now: story.now }));
  // Once offered, a call that is not over has a timer to wait for, and one that is over has none.
  expect(Object.keys(call.timers).length > 0).toBe(call.phase !== 'ended');
}

test('whatever happens in whatever order: it returns, changes nothing it was given, and never waits for nothing', () => {
  fc.assert(fc.property(fc.constantFrom(everyPart, throughMenus, planOfSupervision()), fc.array(act, { maxLength: 40 }), (plan, acts) => {
    const story = given(plan).offered();
    for (const one of acts) {
      one(story.after(100));
      check(story);
    }
    const ids = story.allCommands.flatMap((one) => (one.type === 'PlayPrompt' ? [one.promptId] : one.type === 'OriginateLeg' || one.type === 'SuperviseLeg' ? [one.legId] : one.type === 'StartRecording' ? [one.recordingId] : []));
    expect(new Set(ids).size).toBe(ids.length);
    for (const leg of Object.values(story.call.legs)) {
      expect(story.every('LegAccepted').filter((one) => one.legId === leg.id && one.won).length).toBeLessThanOrEqual(1);
    }
    story.callerHangsUp();
    for (let i = 0; i < 4 && story.call.phase !== 'ended'; i++) story.timer('ending');
    expect(story.call).toMatchObject({ phase: 'ended', timers: {} });
    expect(story.every('CallEnded')).toHaveLength(1);
  }), { numRuns: 1500 });
});
