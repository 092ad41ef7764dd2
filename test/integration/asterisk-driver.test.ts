/** What the Asterisk driver relies on that other switches need not do: seen at SIP parties, on a real switch. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Cause } from '../../control-plane/core/cause.ts';
import type { MediaCommand } from '../../control-plane/core/call/commands.ts';
import type { LegEvent, Offer } from '../../control-plane/core/call/events.ts';
import { createAsteriskDriver, type AsteriskDriver } from '../../control-plane/media/asterisk/asterisk-driver.ts';
import type { MediaHandlers } from '../../control-plane/media/media-driver.ts';
import { rejects, rings, type Behaviour } from '../support/behaviour.ts';
import { startLinkProxy } from '../support/link-proxy.ts';
import { openSite, SITE_START_MS, type Caller, type Site } from '../support/site.ts';
import { until } from '../support/until.ts';

const NUMBER = '+15550100';
const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
let site: Site;
let driver: AsteriskDriver;
let offers: Offer[];
let events: LegEvent[];

const handlers: MediaHandlers = {
  onOffer: (offer) => { offers.push(offer); },
  onLegEvent: (_callId, event) => { events.push(event); },
  onLink: () => undefined,
};

beforeAll(async () => { site = await openSite({ createTrunks: true, switch: 'asterisk' }); }, SITE_START_MS);
beforeEach(async () => {
  offers = [];
  events = [];
  driver = createAsteriskDriver({ url: site.asterisk.url, instance: 'test', log: quiet });
  await driver.start(handlers);
});
afterEach(async () => {
  await site.afterTest();
  await until(() => driver.leftovers().legs === 0 && driver.leftovers().inFlight === 0, { describe: 'the driver remembers nothing' });
  await driver.stop();
});
afterAll(() => site.close());

async function offered(caller: Parameters<Site['call']>[0] = { from: '+15551234', name: 'Ada Lovelace', to: NUMBER }): Promise<{ caller: Caller; callId: string }> {
  const party = await site.call(caller);
  const offer = await until(() => offers.findLast(({ caller: { number } }) => number === caller.from), { describe: 'the call is offered' });
  return { caller: party, callId: offer.callId };
}
const toDevice = (callId: string, n: number, device: string, ringMs = 10_000): MediaCommand => ({
  type: 'OriginateLeg', legId: `${callId}--l${n}`, target: { kind: 'device', device }, callerId: { number: '+15551234', name: 'Ada Lovelace' }, ringMs,
  mark: { v: 1, step: 'ring', attempt: 1, trunk: 0 },
});
const seen = (type: LegEvent['type']): Promise<LegEvent> => until(() => events.find((event) => event.type === type), { describe: type });
const ended = (legId: string): Promise<LegEvent> => until(() => events.find((event) => event.type === 'LegEnded' && event.legId === legId), { describe: `${legId} ends` });
const hangUp = (legId: string, cause: Cause = 'normal') => driver.execute({ type: 'HangUpLeg', legId, cause });

async function variable(channelId: string, name: string): Promise<unknown> {
  const { origin, username, password } = new URL(site.asterisk.url);
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  return ((await (await fetch(`${origin}/ari/channels/${channelId}/variable?variable=${name}`, { headers: { authorization } })).json()) as { readonly value: string }).value;
}

describe('A call', () => {
  test('is offered with its number and caller, once, and its end is told whichever side ends it', async () => {
    const { caller, callId } = await offered();
    expect(offers).toEqual([{ callId, dialled: NUMBER, origin: 'trunk', orphan: false, caller: { number: '+15551234', name: 'Ada Lovelace' } }]);
    await caller.call.hangUp();
    expect(await ended(callId)).toEqual({ type: 'LegEnded', legId: callId, cause: 'canceled' });
  });

  test('has its end told though the switch was read after it, and before it was heard of', async () => {
    await driver.stop();
    const cable = await startLinkProxy(site.asterisk.url);
    driver = createAsteriskDriver({ url: cable.url, instance: 'test', log: quiet });
    await driver.start(handlers);
    const { caller, callId } = await offered();
    cable.freeze('events');
    await caller.call.hangUp();
    await until(async () => !(await site.switch.channels()).some(({ id }) => id === callId), { describe: 'the switch has it no more' });
    expect(await driver.snapshot()).toEqual({ calls: [] });
    expect(events).toEqual([]);
    cable.thaw();
    expect(await ended(callId)).toMatchObject({ cause: 'canceled' });
    expect(driver.leftovers()).toEqual({ legs: 0, inFlight: 0 });
    await driver.stop();
    await cable.close();
  });

  test('has its end told though another call takes its leg in that moment', async () => {
    await driver.stop();
    const cable = await startLinkProxy(site.asterisk.url);
    driver = createAsteriskDriver({ url: cable.url, instance: 'test', log: quiet });
    await driver.start(handlers);
    const { callId } = await offered();
    const { caller, callId: other } = await offered({ from: '+15551235', to: NUMBER });
    cable.freeze('events');
    await caller.call.hangUp();
    await until(async () => !(await site.switch.channels()).some(({ id }) => id === other), { describe: 'the switch has it no more' });
    const take: MediaCommand = { type: 'TakeLeg', legId: other, callId, from: callId, servedLeg: callId, mark: { v: 1, step: 'ring', attempt: 0, trunk: 0 } };
    expect(await driver.execute(take)).toMatchObject({ ok: false, error: 'gone' });
    cable.thaw();
    await ended(other);
    await hangUp(callId);
    await ended(callId);
    expect(events.filter(({ type }) => type === 'LegEnded')).toHaveLength(2);
    await driver.stop();
    await cable.close();
  });

  test('has who ends with it written again when that was lost with the link', async () => {
    await driver.stop();
    const cable = await startLinkProxy(site.asterisk.url);
    const links: string[] = [];
    driver = createAsteriskDriver({ url: cable.url, instance: 'test', log: quiet, backOff: { firstMs: 10, maxMs: 50 } });
    await driver.start({ ...handlers, onLink: (state) => { links.push(state); } });
    const { callId } = await offered();
    const mark: MediaCommand = { type: 'MarkCall', legId: callId, callId, mark: { v: 4, dialled: NUMBER, plan: 'p', startedAt: 0, step: 'ring', place: 'connecting', winner: `${callId}--l1`, bridge: `${callId}--b2`, n: 2 } };
    const lost = driver.execute(mark);
    cable.cut();
    expect(await lost).toMatchObject({ ok: false, error: 'unreachable' });
    cable.mend();
    await until(() => links.join() === 'up,down,up', { describe: 'the link is up again' });
    expect(await driver.execute(mark)).toEqual({ ok: true });
    expect(await variable(callId, 'FD_PEER')).toBe(`${callId}--l1`);
    await hangUp(callId);
    await ended(callId);
    await driver.stop();
    await cable.close();
  });

  test('is refused with the status its cause stands for', async () => {
    const { caller, callId } = await offered();
    await hangUp(callId, 'busy');
    await caller.call.ended();
    expect(caller.call.status()).toBe(486);
  });
});

describe('A phone', () => {
  test('shows the caller, and its ringing and answer are each told once', async () => {
    const phone = await site.phone('101', rings(), { create: true });
    const { callId } = await offered();
    expect(await driver.execute(toDevice(callId, 1, '101'))).toEqual({ ok: true });
    const call = await phone.nextCall();
    expect(call.callerId()).toEqual({ name: 'Ada Lovelace', number: '+15551234' });
    await seen('LegRinging');
    await call.answer();
    await seen('LegAnswered');
    await call.hangUp();
    expect(await ended(`${callId}--l1`)).toMatchObject({ cause: 'normal' });
    expect(events.map(({ type }) => type)).toEqual(['LegRinging', 'LegAnswered', 'LegEnded']);
    await hangUp(callId);
  });

  test('that lost is told the call was answered elsewhere', async () => {
    const phone = await site.phone('102', rings(), { create: true });
    const { callId } = await offered();
    await driver.execute(toDevice(callId, 1, '102'));
    const call = await phone.nextCall();
    await hangUp(`${callId}--l1`, 'answered-elsewhere');
    await call.ended();
    expect(call.wasAnsweredElsewhere()).toBe(true);
    await hangUp(callId);
  });

  test('is not rung when the hang-up overtakes the dial', async () => {
    const phone = await site.phone('103', rings(), { create: true });
    const { callId } = await offered();
    const [originate] = await Promise.all([driver.execute(toDevice(callId, 1, '103')), hangUp(`${callId}--l1`)]);
    expect(originate).toMatchObject({ ok: false, error: 'gone', mayHaveReachedCarrier: false });
    await ended(`${callId}--l1`);
    expect(phone.calls).toEqual([]);
    await hangUp(callId);
  });

  const refusals: readonly [string, Behaviour, Cause][] = [
    ['busy', rejects('486 Busy Here'), 'busy'], ['declined', rejects('603 Decline'), 'declined'], ['no answer', rejects('480 Temporarily Unavailable'), 'no-answer'],
    ['unknown', rejects('404 Not Found'), 'unallocated'], ['congested', rejects('503 Service Unavailable'), 'congestion'],
  ];
  test.each(refusals)('that is %s ends its leg with that cause', async (what, behaviour, cause) => {
    const extension = `11${refusals.findIndex(([name]) => name === what)}`;
    await site.phone(extension, behaviour, { create: true });
    const { callId } = await offered();
    await driver.execute(toDevice(callId, 1, extension));
    expect(await ended(`${callId}--l1`)).toMatchObject({ cause });
    await hangUp(callId);
  });

  test('that nobody answers is given up by the switch itself', async () => {
    await site.phone('104', rings(), { create: true });
    const { callId } = await offered();
    await driver.execute(toDevice(callId, 1, '104', 1_000));
    expect(await ended(`${callId}--l1`)).toMatchObject({ cause: 'no-answer' });
    await hangUp(callId);
  });
});

describe('A prompt', () => {
  test('stalls no other request: guard and mark are written, and the bridge joined, while it plays', async () => {
    await site.phone('105', rings(), { create: true });
    const { callId } = await offered();
    await driver.execute({ type: 'AnswerLeg', legId: callId });
    await driver.execute({ type: 'PlayPrompt', legId: callId, promptId: `${callId}--p1`, media: ['sound:vm-intro'] });
    const before = performance.now();
    await driver.execute({ type: 'SetGuard', legId: callId, ms: 20_000 });
    const mark = { v: 1, dialled: NUMBER, plan: 'p', startedAt: 1, step: 's', place: 'announcing', n: 2 } as const;
    await driver.execute({ type: 'MarkCall', legId: callId, callId, mark });
    expect((await driver.snapshot()).calls).toMatchObject([{ callId, dialled: NUMBER, caller: { answered: true, mark } }]);
    expect(events.filter(({ type }) => type === 'PromptFinished')).toEqual([]);
    await driver.execute({ type: 'BridgeLegs', bridgeId: `${callId}--b2`, legIds: [callId] });
    // the prompt lasts longer
    expect(performance.now() - before).toBeLessThan(3_000);
    await seen('LegBridged');
    expect(events.filter(({ type }) => type === 'PromptFinished')).toHaveLength(1);
    await hangUp(callId);
    await driver.execute({ type: 'DestroyBridge', bridgeId: `${callId}--b2` });
  });

  test('of several parts and tones ends once', async () => {
    const { callId } = await offered();
    await driver.execute({ type: 'AnswerLeg', legId: callId });
    await driver.execute({ type: 'PlayPrompt', legId: callId, promptId: `${callId}--p1`, media: ['tone:beep', 'tone:accept'] });
    expect(await seen('PromptFinished')).toEqual({ type: 'PromptFinished', legId: callId, promptId: `${callId}--p1`, ok: true });
    await driver.execute({ type: 'PlayPrompt', legId: callId, promptId: `${callId}--p2`, media: ['sound:there-is-no-such-sound'] });
    await until(() => events.filter(({ type }) => type === 'PromptFinished').length === 2, { describe: 'the second prompt ends' });
    expect(events.at(-1)).toMatchObject({ promptId: `${callId}--p2`, ok: false });
    await hangUp(callId);
  });

  test('behind a stop begins after a moment of silence, for a stop to end that came too late for the prompt before it', async () => {
    const { host, username, password } = new URL(site.asterisk.url);
    const key = `api_key=${username}:${password}`;
    const started: string[] = [];
    const listener = new WebSocket(`ws://${host}/ari/events?app=listener&${key}`);
    listener.addEventListener('message', ({ data }) => {
      const event = JSON.parse(String(data)) as { readonly type: string; readonly playback?: { readonly id: string } };
      if (event.type === 'PlaybackStarted') started.push(event.playback?.id ?? '');
    });
    await until(() => listener.readyState === WebSocket.OPEN, { describe: 'somebody else is there' });
    const { callId } = await offered();
    expect((await fetch(`http://${host}/ari/applications/listener/subscription?eventSource=channel:${callId}&${key}`, { method: 'POST' })).status).toBe(200);
    await driver.execute({ type: 'AnswerLeg', legId: callId });
    const prompt = (n: number): string => `${callId}--p${n}`;
    await driver.execute({ type: 'PlayPrompt', legId: callId, promptId: prompt(1), media: ['sound:demo-instruct'] });
    await driver.execute({ type: 'StopPrompt', promptId: prompt(1) });
    for (const n of [2, 3]) await driver.execute({ type: 'PlayPrompt', legId: callId, promptId: prompt(n), media: ['tone:beep'] });
    await until(() => events.some((event) => event.type === 'PromptFinished' && event.promptId === prompt(3)), { describe: 'the last prompt ends' });
    await until(() => started.includes(prompt(3)), { describe: 'that the last prompt began is told' });
    expect(started).toEqual([prompt(1), `${prompt(2)}-silence`, prompt(2), prompt(3)]);
    expect(events.filter(({ type }) => type === 'PromptFinished')).toEqual([1, 2, 3].map((n) => ({ type: 'PromptFinished', legId: callId, promptId: prompt(n), ok: true })));
    await hangUp(callId);
    await ended(callId);
    listener.close();
  });

  test('is not needed to end the ringing tone: a bridge does', async () => {
    const { caller, callId } = await offered();
    await driver.execute({ type: 'AnswerLeg', legId: callId });
    await driver.execute({ type: 'RingLeg', legId: callId });
    await until(() => !caller.call.hearsNothing(), { describe: 'the caller hears ringing' });
    await driver.execute({ type: 'BridgeLegs', bridgeId: `${callId}--b1`, legIds: [callId] });
    // Sooner than the tone's own pause, which comes two seconds after its start.
    await until(() => caller.call.hearsNothing(), { describe: 'the caller hears silence', within: 1_000 });
    expect(caller.call.state()).toBe('connected');
    await hangUp(callId);
    await driver.execute({ type: 'DestroyBridge', bridgeId: `${callId}--b1` });
  });
});

describe('A call of a controller that is gone', () => {
  test('is taken over with its ringing phone, whose answer is then told', async () => {
    const phone = await site.phone('106', rings(), { create: true });
    const { callId } = await offered();
    await driver.execute(toDevice(callId, 1, '106'));
    const call = await phone.nextCall();
    await seen('LegRinging');
    await driver.stop();
    events = [];
    driver = createAsteriskDriver({ url: site.asterisk.url, instance: 'other', log: quiet });
    await driver.start(handlers);
    const snapshot = await driver.snapshot();
    expect(snapshot.calls).toMatchObject([{ callId, origin: 'trunk', legs: [{ legId: `${callId}--l1`, state: 'ringing', mark: { v: 1, step: 'ring' } }] }]);
    // After the snapshot and before the adoption: no event tells of it.
    await call.answer();
    await driver.adopt(callId, snapshot);
    await seen('LegAnswered');
    await call.hangUp();
    await ended(`${callId}--l1`);
    await hangUp(callId);
    await ended(callId);
  });

  test('is bridged, which is told of both, though one prompt after the other has kept its caller from being moved', async () => {
    const phone = await site.phone('107', rings(), { create: true });
    const { callId } = await offered();
    await driver.execute({ type: 'AnswerLeg', legId: callId });
    const play = (n: number): Promise<unknown> => driver.execute({ type: 'PlayPrompt', legId: callId, promptId: `${callId}--p${n}`, media: Array.from({ length: 30 }, () => 'sound:vm-goodbye') });
    await play(1);
    await driver.stop();
    events = [];
    driver = createAsteriskDriver({ url: site.asterisk.url, instance: 'other', log: quiet });
    await driver.start(handlers);
    const snapshot = await driver.snapshot();
    await driver.adopt(callId, snapshot);
    await Promise.all([play(2), driver.execute({ type: 'StopPrompt', promptId: `${callId}--p1` }), driver.execute(toDevice(callId, 3, '107'))]);
    await (await phone.nextCall()).answer();
    await seen('LegAnswered');
    expect(await driver.execute({ type: 'BridgeLegs', bridgeId: `${callId}--b4`, legIds: [callId, `${callId}--l3`] })).toEqual({ ok: true });
    await until(() => events.filter(({ type }) => type === 'LegBridged').length === 2, { describe: 'both are told to be in the bridge' });
    await Promise.all([hangUp(callId), hangUp(`${callId}--l3`)]);
    await Promise.all([ended(callId), ended(`${callId}--l3`)]);
    await driver.execute({ type: 'DestroyBridge', bridgeId: `${callId}--b4` });
  });

  test.each([['ended', true], ['ended with its caller', false]] as const)('has the end of a message told that %s after the switch was read and before the call was taken over', async (_, callerStays) => {
    const { caller, callId } = await offered();
    const recordingId = `${callId}--r1`;
    await driver.execute({ type: 'AnswerLeg', legId: callId });
    await driver.execute({ type: 'MarkCall', legId: callId, callId, mark: { v: 4, dialled: NUMBER, plan: 'p', startedAt: 0, step: 'voicemail', place: 'recording', recording: recordingId, n: 1 } });
    await driver.execute({ type: 'StartRecording', recordingId, legId: callId, maxMs: 60_000, silenceMs: 30_000 });
    await seen('RecordingStarted');
    await driver.stop();
    events = [];
    driver = createAsteriskDriver({ url: site.asterisk.url, instance: 'other', log: quiet });
    await driver.start(handlers);
    const snapshot = await driver.snapshot();
    expect(snapshot.calls).toMatchObject([{ callId, recordings: [recordingId] }]);
    if (callerStays) await driver.execute({ type: 'StopRecording', recordingId });
    else await caller.call.hangUp();
    await until(async () => ((await driver.snapshot()).calls[0]?.recordings ?? []).length === 0, { describe: 'it has ended' });
    expect(events).toEqual([]);
    await driver.adopt(callId, snapshot);
    expect(events.filter(({ type }) => type !== 'LegAnswered')).toEqual([...(callerStays ? [] : [{ type: 'LegEnded', legId: callId, cause: 'lost' }]), { type: 'RecordingFinished', recordingId, durationMs: null }]);
    if (callerStays) await Promise.all([hangUp(callId), ended(callId)]);
  });
});
