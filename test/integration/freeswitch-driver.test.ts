/** What the FreeSWITCH driver relies on that other switches need not do: seen at SIP parties, on a real switch. */
/* oxlint-disable vitest/expect-expect -- what is waited for is the assertion */
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Cause } from '../../control-plane/core/cause.ts';
import type { MediaCommand } from '../../control-plane/core/call/commands.ts';
import type { LegEvent, Offer } from '../../control-plane/core/call/events.ts';
import type { SupervisionMode } from '../../control-plane/core/routing/supervision.ts';
import { createFreeSwitchDriver, type FreeSwitchDriver } from '../../control-plane/media/freeswitch/freeswitch-driver.ts';
import { storedRecordings } from '../../control-plane/media/freeswitch/stored-recordings.ts';
import type { MediaHandlers } from '../../control-plane/media/media-driver.ts';
import { wav } from '../support/clinic.ts';
import { answersAfter, rejects, type Behaviour } from '../support/behaviour.ts';
import { openFreeSwitchSite, type FreeSwitchSite } from '../support/freeswitch-site.ts';
import { withoutFreeSwitch } from '../support/freeswitch.ts';
import type { SipCall } from '../support/sip-call.ts';
import { tonesIn } from '../support/tone.ts';
import { SITE_START_MS, type Caller } from '../support/site.ts';
import { until } from '../support/until.ts';

if (withoutFreeSwitch !== undefined) process.stderr.write(`Skipped: what the FreeSWITCH driver relies on. ${withoutFreeSwitch}.\n`);

const number = '+15550100';
const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };

const toDevice = (callId: string, n: number, device: string, name = 'Ada Lovelace'): MediaCommand => ({
  type: 'OriginateLeg', legId: `${callId}--l${n}`, target: { kind: 'device', device }, callerId: { number: '+15551234', name }, ringMs: 10_000,
  mark: { v: 1, step: 'ring', attempt: 1, trunk: 0 },
});

describe.skipIf(withoutFreeSwitch !== undefined)('On FreeSWITCH', () => {
  let site: FreeSwitchSite;
  let driver: FreeSwitchDriver;
  let offers: Offer[];
  let events: LegEvent[];
  let react: ((event: LegEvent) => void) | undefined;
  const handlers: MediaHandlers = {
    onOffer: (offer) => { offers.push(offer); },
    onLegEvent: (_callId, event) => {
      events.push(event);
      react?.(event);
    },
    onLink: () => undefined,
  };

  beforeAll(async () => {
    site = await openFreeSwitchSite();
    for (const hz of [900, 1_100]) writeFileSync(join(site.switch.soundsDir, `spoken-${hz}.wav`), wav(hz, 0.6));
  }, SITE_START_MS);
  beforeEach(async () => {
    offers = [];
    events = [];
    react = undefined;
    driver = createFreeSwitchDriver({ url: site.switch.url, instance: 'test', log: quiet, spoken: (text) => `file:${join(site.switch.soundsDir, text === 'Goodbye.' ? 'spoken-1100' : 'spoken-900')}` });
    await driver.start(handlers);
  });
  afterEach(async () => {
    await site.afterTest();
    await until(() => driver.leftovers().legs === 0 && driver.leftovers().inFlight === 0, { describe: 'the driver remembers nothing' });
    await until(async () => (await site.switch.ask('hash_dump db')) === '-ERR no reply', { describe: 'the switch lists no legs' });
    await driver.stop();
  });
  afterAll(() => site.close());

  const offered = async (caller: Parameters<FreeSwitchSite['call']>[0] = { from: '+15551234', name: 'Ada Lovelace', to: number }): Promise<{ readonly caller: Caller; readonly callId: string }> => {
    const before = offers.length;
    const party = await site.call(caller);
    const offer = await until(() => offers[before], { describe: 'the call is offered' });
    return { caller: party, callId: offer.callId };
  };
  const heard = (type: LegEvent['type'], id: string): Promise<LegEvent> =>
    until(() => events.find((event) => event.type === type && Object.values(event).includes(id)), { describe: `${type} of ${id}` });
  const ended = (legId: string): Promise<LegEvent> => heard('LegEnded', legId);
  /** A caller and a phone that answers, each answered. */
  const both = async (n = 1, extension = '101'): Promise<{ readonly callId: string; readonly legId: string; readonly caller: SipCall; readonly phone: SipCall }> => {
    const desk = await site.phone(extension, answersAfter(20));
    const { caller, callId } = await offered();
    const legId = `${callId}--l${n}`;
    await driver.execute({ type: 'AnswerLeg', legId: callId });
    await driver.execute(toDevice(callId, n, extension));
    await heard('LegAnswered', legId);
    return { callId, legId, caller: caller.call, phone: await desk.nextCall() };
  };

  test('a call is offered with its number and caller, and its end is told with its cause', async () => {
    const { caller, callId } = await offered();
    expect(offers).toEqual([{ callId, dialled: number, origin: 'trunk', orphan: false, caller: { number: '+15551234', name: 'Ada Lovelace' } }]);
    await caller.call.hangUp();
    expect(await ended(callId)).toEqual({ type: 'LegEnded', legId: callId, cause: 'canceled' });
    // nothing is said to a carrier that nobody has asked for
    expect(caller.call.messages.some(({ status }) => status === 183)).toBe(false);
  });

  test('a caller without a name has none, and one with a strange name has no say', async () => {
    await offered({ from: '+15551234', to: number });
    expect(offers[0]?.caller).toEqual({ number: '+15551234', name: '' });
    const strange = "${system(touch /tmp/x)} O'Hara, 'x' {a=b} caf\u00e9";
    const { callId } = await offered({ from: '+15551235', name: strange, to: number });
    expect(offers[1]?.caller.name).toContain('Hara');
    const [desk, second] = await Promise.all([site.phone('101', answersAfter(20)), site.phone('102', answersAfter(20))]);
    expect(await driver.execute(toDevice(callId, 1, '101', offers[1]?.caller.name))).toEqual({ ok: true });
    const call = await desk.nextCall();
    expect(call.callerId().number).toBe('+15551234');
    expect(call.callerId().name).toContain('Hara');
    expect(await driver.execute(toDevice(callId, 2, '102', "Ann O'Hara, Jr."))).toEqual({ ok: true });
    expect((await second.nextCall()).callerId().name).toBe("Ann O'Hara, Jr.");
  });

  test('a phone that calls is known by its login, whatever its From says', async () => {
    await site.callFromPhone('105', { to: '102', name: 'Somebody else' });
    const offer = await until(() => offers[0], { describe: 'the offer' });
    expect(offer).toMatchObject({ dialled: '102', origin: 'phone', phone: '105', caller: { number: '105', name: 'Phone 105' } });
  });

  const refusals: readonly (readonly [string, Behaviour, Cause])[] = [
    ['busy', rejects('486 Busy Here'), 'busy'], ['declined', rejects('603 Decline'), 'declined'], ['temporarily unavailable', rejects('480 Temporarily Unavailable'), 'no-response'],
    ['unknown', rejects('404 Not Found'), 'unallocated'], ['out of service', rejects('503 Service Unavailable'), 'temporary-failure'],
  ];
  test.each(refusals)('a phone that is %s ends its leg with that cause', async (what, behaviour, cause) => {
    const extension = `11${refusals.findIndex(([name]) => name === what)}`;
    await site.phone(extension, behaviour);
    const { callId } = await offered();
    await driver.execute(toDevice(callId, 1, extension));
    expect(await ended(`${callId}--l1`)).toMatchObject({ cause });
  });

  test('of two that ring and are canceled because another has answered, the phone is told so in words, and the trunk by a number too', async () => {
    const [desk, mobile] = await Promise.all([site.phone('101'), site.carrier()]);
    const { callId } = await offered();
    await driver.execute(toDevice(callId, 1, '101'));
    await driver.execute({
      type: 'OriginateLeg', legId: `${callId}--l2`, target: { kind: 'external', number: '+12025550101', trunks: ['carrier'] }, trunk: 'carrier',
      callerId: { number: '+15551234', name: '' }, ringMs: 10_000, mark: { v: 1, step: 'ring', attempt: 2, trunk: 0 },
    });
    const legs = [await desk.nextCall(), await mobile.nextCall()];
    await Promise.all(legs.map((leg) => leg.ringing()));
    for (const n of [1, 2]) await driver.execute({ type: 'HangUpLeg', legId: `${callId}--l${n}`, cause: 'answered-elsewhere' });
    await Promise.all(legs.map((leg) => leg.ended()));
    expect(legs.map((leg) => leg.releaseReason())).toEqual([
      { sipCause: 200, q850: undefined, text: 'Call completed elsewhere', completedElsewhere: true },
      { sipCause: 200, q850: 26, text: '', completedElsewhere: false },
    ]);
  });

  test('a caller is refused with the status its cause stands for', async () => {
    const { caller, callId } = await offered();
    await driver.execute({ type: 'HangUpLeg', legId: callId, cause: 'busy' });
    await caller.call.ended();
    expect(caller.call.status()).toBe(486);
  });

  test('a prompt of several parts and tones ends once', async () => {
    const { callId } = await offered();
    await driver.execute({ type: 'AnswerLeg', legId: callId });
    await driver.execute({ type: 'PlayPrompt', legId: callId, promptId: `${callId}--p1`, media: ['tone:beep', 'tone:accept'] });
    expect(await heard('PromptFinished', `${callId}--p1`)).toEqual({ type: 'PromptFinished', legId: callId, promptId: `${callId}--p1`, ok: true });
    await driver.execute({ type: 'PlayPrompt', legId: callId, promptId: `${callId}--p2`, media: ['sound:there-is-no-such-sound'] });
    expect(await heard('PromptFinished', `${callId}--p2`)).toMatchObject({ ok: false });
    expect(events.filter(({ type }) => type === 'PromptFinished')).toHaveLength(2);
  });

  test('of two controllers of one name the one that has come last has the switch, and the other is told', async () => {
    const links: string[] = [];
    const first = createFreeSwitchDriver({ url: site.switch.url, instance: 'twice', log: quiet });
    await first.start({ ...handlers, onLink: (state) => { links.push(state); } });
    const second = createFreeSwitchDriver({ url: site.switch.url, instance: 'twice', log: quiet });
    await second.start(handlers);
    await until(() => links.join() === 'up,replaced', { describe: 'the first is told' });
    expect(await first.execute({ type: 'AnswerLeg', legId: 'some' })).toMatchObject({ ok: false, error: 'unreachable' });
    expect([first.health().link, second.health().link, driver.health().link]).toEqual(['replaced', 'up', 'up']);
    await Promise.all([first.stop(), second.stop()]);
  });

  test('a prompt of several parts ends with the one that plays when another controller takes the call over', async () => {
    const { caller, callId } = await offered();
    await driver.execute({ type: 'AnswerLeg', legId: callId });
    await driver.execute({ type: 'PlayPrompt', legId: callId, promptId: `${callId}--p1`, media: ['tone:accept', 'sound:there-is-none', 'tone:accept', 'tone:beep'] });
    await driver.execute({ type: 'PlayPrompt', legId: callId, promptId: `${callId}--p2`, media: ['tone:accept'] });
    const toOther: LegEvent[] = [];
    const other = createFreeSwitchDriver({ url: site.switch.url, instance: 'other', log: quiet });
    await other.start({ ...handlers, onLegEvent: (_callId, event) => { toOther.push(event); } });
    await other.adopt(callId, await other.snapshot());
    // The switch forgets it as the next one begins.
    await until(async () => (await site.switch.ask(`uuid_getvar ${callId} current_application_response`)) === 'FILE PLAYED', { describe: 'what played has ended' });
    expect(await other.execute({ type: 'PlayPrompt', legId: callId, promptId: `${callId}--p3`, media: ['tone:beep'] })).toEqual({ ok: true });
    await until(() => toOther.some((event) => event.type === 'PromptFinished' && event.promptId === `${callId}--p3`), { describe: 'that has ended' });
    expect(events.filter(({ type }) => type === 'PromptFinished')).toEqual([]);
    await caller.call.hangUp();
    await ended(callId);
    await other.stop();
  });

  test('two who are bridged hear each other, also after one of them has held the other', async () => {
    const { callId, legId, caller, phone } = await both();
    await driver.execute({ type: 'BridgeLegs', bridgeId: `${callId}--b2`, legIds: [callId, legId] });
    await heard('LegBridged', legId);
    caller.play(700);
    phone.play(1500);
    await until(() => phone.hears(700) && caller.hears(1500), { describe: 'they hear each other' });
    await phone.hold();
    await phone.resume();
    await until(() => phone.hears(700) && caller.hears(1500), { describe: 'they hear each other again' });
  });

  test('a leg that goes from one bridge to another leaves who it talked with where they are', async () => {
    const { callId, legId, caller, phone } = await both();
    const second = await site.phone('102', answersAfter(20));
    await driver.execute({ type: 'BridgeLegs', bridgeId: `${callId}--b2`, legIds: [callId, legId] });
    await heard('LegBridged', legId);
    await driver.execute(toDevice(callId, 3, '102'));
    await heard('LegAnswered', `${callId}--l3`);
    await driver.execute({ type: 'BridgeLegs', bridgeId: `${callId}--b4`, legIds: [callId, `${callId}--l3`] });
    await heard('LegBridged', `${callId}--l3`);
    const other = await second.nextCall();
    caller.play(700);
    await until(() => other.hears(700), { describe: 'the second phone hears the caller' });
    expect(events).toContainEqual({ type: 'LegUnbridged', legId: callId, bridgeId: `${callId}--b2` });
    expect([phone.state(), events.some((event) => event.type === 'LegEnded')]).toEqual(['connected', false]);
    expect((await driver.snapshot()).calls[0]?.bridges.map(({ bridgeId, legIds }) => [bridgeId, legIds.toSorted()]).toSorted()).toEqual([
      [`${callId}--b2`, [legId]], [`${callId}--b4`, [callId, `${callId}--l3`]],
    ]);
  });

  test('two who are parted while they are being connected hear what is asked for behind that', async () => {
    const { callId, legId } = await both();
    await driver.execute({ type: 'BridgeLegs', bridgeId: `${callId}--b2`, legIds: [callId, legId] });
    const prompts = [callId, legId].map((id, i) => ({ type: 'PlayPrompt', legId: id, promptId: `${callId}--p${i + 3}`, media: ['tone:accept'] }) as const);
    const asked: readonly MediaCommand[] = [{ type: 'DestroyBridge', bridgeId: `${callId}--b2` }, ...prompts];
    expect(await Promise.all(asked.map((command) => driver.execute(command)))).toEqual([{ ok: true }, { ok: true }, { ok: true }]);
    for (const { promptId } of prompts) expect(await heard('PromptFinished', promptId)).toMatchObject({ ok: true });
  });

  test.each([['listen', false, false], ['coach', true, false], ['barge', true, true]] as const)('a supervisor who may %s is heard by whom that means, and hears both', async (mode: SupervisionMode, agentHears, callerHears) => {
    const { callId, legId, caller, phone: agent } = await both();
    await driver.execute({ type: 'BridgeLegs', bridgeId: `${callId}--b2`, legIds: [callId, legId] });
    await heard('LegBridged', legId);
    const { caller: { call: supervisor }, callId: other } = await offered({ from: '+15559999', to: number });
    await driver.execute({ type: 'AnswerLeg', legId: other });
    const spy = `${other}--l1`;
    expect(await driver.execute({ type: 'SuperviseLeg', legId: spy, supervised: legId, mode, mark: { v: 1, step: 'supervise', attempt: 0, trunk: 0 } })).toEqual({ ok: true });
    await heard('LegAnswered', spy);
    await driver.execute({ type: 'BridgeLegs', bridgeId: `${other}--b2`, legIds: [other, spy] });
    await heard('LegBridged', spy);
    caller.play(700);
    agent.play(1500);
    supervisor.play(1100);
    await until(() => supervisor.hears(700) && supervisor.hears(1500), { describe: 'the supervisor hears both' });
    await until(() => agent.hears(700) && agent.hears(1100) === agentHears, { describe: 'the agent hears whom they are to' });
    await until(() => caller.hears(1500) && caller.hears(1100) === callerHears, { describe: 'the caller hears whom they are to' });
  });

  test('what a leg says is recorded, and not what it hears', async () => {
    const { callId, legId, caller } = await both();
    await driver.execute({ type: 'BridgeLegs', bridgeId: `${callId}--b2`, legIds: [callId, legId] });
    await heard('LegBridged', legId);
    caller.play(700);
    const recordingId = `${callId}--c3`;
    await driver.execute({ type: 'StartCallRecording', recordingId, caller: callId, callee: legId });
    await heard('RecordingStarted', recordingId);
    const track = (side: string): string => join(site.switch.recordingsDir, `${recordingId}-${side}.wav`);
    await until(() => statSync(track('caller')).size > 16_000, { describe: 'a second is recorded' });
    const stored = storedRecordings(() => driver.recordingsFolder());
    expect(await stored.list()).toEqual([]);
    await driver.execute({ type: 'StopRecording', recordingId });
    const { durationMs } = (await heard('RecordingFinished', recordingId)) as Extract<LegEvent, { type: 'RecordingFinished' }>;
    expect(durationMs).toBeGreaterThanOrEqual(1000);
    expect((await stored.list()).toSorted()).toEqual([`${recordingId}-callee`, `${recordingId}-caller`]);
    expect([tonesIn(readFileSync(track('caller')), [700]), tonesIn(readFileSync(track('callee')), [700])].map((seconds) => seconds.flat().includes(700))).toEqual([true, false]);
  });

  test('a prompt that is asked for in the moment in which another ends is heard once', async () => {
    const { callId } = await offered();
    await driver.execute({ type: 'AnswerLeg', legId: callId });
    const beep = (n: number): MediaCommand => ({ type: 'PlayPrompt', legId: callId, promptId: `${callId}--p${n}`, media: ['tone:beep'] });
    let firstEnded = 0;
    react = (event) => {
      if (event.type !== 'PromptFinished' || firstEnded > 0) return;
      firstEnded = performance.now();
      void driver.execute(beep(2));
    };
    await driver.execute(beep(1));
    await heard('PromptFinished', `${callId}--p2`);
    // 440 ms, and what a busy machine takes; twice are 880
    expect(performance.now() - firstEnded).toBeLessThan(800);
  });

  test('a message that cannot be written fails, and the caller is not hung up', async () => {
    const { caller, callId } = await offered();
    await driver.execute({ type: 'AnswerLeg', legId: callId });
    const folder = site.switch.recordingsDir;
    renameSync(folder, `${folder}.away`);
    writeFileSync(folder, 'in the way');
    try {
      expect(await driver.execute({ type: 'StartRecording', recordingId: `${callId}--r1`, legId: callId, maxMs: 60_000, silenceMs: 10_000 })).toMatchObject({ ok: false, error: 'rejected' });
    } finally {
      rmSync(folder);
      renameSync(`${folder}.away`, folder);
    }
    await driver.execute({ type: 'PlayPrompt', legId: callId, promptId: `${callId}--p2`, media: ['tone:beep'] });
    await until(() => caller.call.hears(700), { describe: 'the caller hears the beep' });
  });

  test.each([['ended', true], ['ended with its caller', false]] as const)('a message that %s after the switch was read and before its call was taken over has its end told', async (_, callerStays) => {
    const { caller, callId } = await offered();
    const recordingId = `${callId}--r1`;
    await driver.execute({ type: 'AnswerLeg', legId: callId });
    await driver.execute({ type: 'MarkCall', legId: callId, callId, mark: { v: 4, dialled: number, plan: 'p', startedAt: 0, step: 'voicemail', place: 'recording', recording: recordingId, n: 1 } });
    await driver.execute({ type: 'StartRecording', recordingId, legId: callId, maxMs: 60_000, silenceMs: 30_000 });
    await heard('RecordingStarted', recordingId);
    const other = createFreeSwitchDriver({ url: site.switch.url, instance: 'other', log: quiet });
    const told: LegEvent[] = [];
    await other.start({ ...handlers, onLegEvent: (_callId, event) => { told.push(event); } });
    const snapshot = await other.snapshot();
    expect(snapshot.calls).toMatchObject([{ callId, recordings: [recordingId] }]);
    if (callerStays) await driver.execute({ type: 'StopRecording', recordingId });
    else await caller.call.hangUp();
    await heard('RecordingFinished', recordingId);
    if (!callerStays) await until(async () => (await site.switch.ask(`uuid_exists ${callId}`)) === 'false', { describe: 'the switch has the caller no more' });
    await other.adopt(callId, snapshot);
    await until(() => told.some(({ type }) => type === 'RecordingFinished'), { describe: 'it is told' });
    expect(told.filter(({ type }) => type !== 'LegAnswered')).toEqual([...(callerStays ? [] : [{ type: 'LegEnded', legId: callId, cause: 'lost' }]), { type: 'RecordingFinished', recordingId, durationMs: expect.toSatisfy((ms: number | null) => (ms === null) !== callerStays) as number }]);
    if (callerStays) await Promise.all([caller.call.hangUp(), ended(callId), until(() => other.leftovers().legs === 0, { describe: 'the other remembers nothing' })]);
    await other.stop();
  });

  test('a sound that the switch does not have is spoken, and one of that name which it has is heard before', async () => {
    const { caller, callId } = await offered();
    await driver.execute({ type: 'AnswerLeg', legId: callId });
    const say = async (n: number): Promise<void> => {
      await driver.execute({ type: 'PlayPrompt', legId: callId, promptId: `${callId}--p${n}`, media: ['sound:digits/4', 'sound:vm-goodbye'] });
      expect(await heard('PromptFinished', `${callId}--p${n}`)).toMatchObject({ ok: true });
    };
    const own = join(site.switch.soundsDir, 'vm-goodbye.wav');
    writeFileSync(own, wav(1_500, 0.6));
    const first = say(1);
    await until(() => caller.call.hears(900), { describe: 'the caller hears the digit' });
    await until(() => caller.call.hears(1_500), { describe: 'the caller hears the switch’s own sound' });
    await first;
    rmSync(own);
    const second = say(2);
    await until(() => caller.call.hears(1_100), { describe: 'the caller hears the other spoken' });
    await second;
  });
});
