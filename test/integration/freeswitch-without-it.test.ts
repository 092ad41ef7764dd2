/** What the FreeSWITCH driver makes of what happened without it: while its link was down, and by other controllers. On a real switch. */
/* oxlint-disable vitest/expect-expect -- what is waited for is the assertion */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { MediaCommand } from '../../control-plane/core/call/commands.ts';
import type { LegEvent, Offer } from '../../control-plane/core/call/events.ts';
import { createFreeSwitchDriver, type FreeSwitchDriver } from '../../control-plane/media/freeswitch/freeswitch-driver.ts';
import type { MediaHandlers } from '../../control-plane/media/media-driver.ts';
import { answersAfter } from '../support/behaviour.ts';
import { openFreeSwitchSite, type FreeSwitchSite } from '../support/freeswitch-site.ts';
import { withoutFreeSwitch } from '../support/freeswitch.ts';
import { startLinkProxy, type LinkProxy } from '../support/link-proxy.ts';
import type { SipCall } from '../support/sip-call.ts';
import { SITE_START_MS, type Caller } from '../support/site.ts';
import { until } from '../support/until.ts';

if (withoutFreeSwitch !== undefined) process.stderr.write(`Skipped: what the FreeSWITCH driver makes of what happened without it. ${withoutFreeSwitch}.\n`);

const number = '+15550100';
const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };

const toDevice = (callId: string, n: number, device: string): MediaCommand => ({
  type: 'OriginateLeg', legId: `${callId}--l${n}`, target: { kind: 'device', device }, callerId: { number: '+15551234', name: '' }, ringMs: 10_000,
  mark: { v: 1, step: 'ring', attempt: 1, trunk: 0 },
});
const taking = (legId: string, callId: string, from: string): MediaCommand => ({ type: 'TakeLeg', legId, callId, from, servedLeg: callId, mark: { v: 1, step: 'ring', attempt: 0, trunk: 0 } });

describe.skipIf(withoutFreeSwitch !== undefined)('On FreeSWITCH', () => {
  let site: FreeSwitchSite;
  let driver: FreeSwitchDriver;
  let offers: Offer[];
  let events: LegEvent[];
  let others: FreeSwitchDriver[];
  let cable: LinkProxy | undefined;
  const handlers: MediaHandlers = {
    onOffer: (offer) => { offers.push(offer); },
    onLegEvent: (_callId, event) => { events.push(event); },
    onLink: () => undefined,
  };

  beforeAll(async () => { site = await openFreeSwitchSite(); }, SITE_START_MS);
  beforeEach(async () => {
    [offers, events, others, cable] = [[], [], [], undefined];
    driver = createFreeSwitchDriver({ url: site.switch.url, instance: 'test', log: quiet });
    await driver.start(handlers);
  });
  afterEach(async () => {
    await site.afterTest();
    for (const each of [driver, ...others]) {
      await until(() => each.leftovers().legs === 0 && each.leftovers().inFlight === 0, { describe: 'a driver remembers nothing' });
      await each.stop();
    }
    await cable?.close();
    await until(async () => (await site.switch.ask('hash_dump db')) === '-ERR no reply', { describe: 'the switch lists no legs' });
  });
  afterAll(() => site.close());

  const offered = async (from = '+15551234'): Promise<{ readonly caller: Caller; readonly callId: string }> => {
    const before = offers.length;
    const party = await site.call({ from, to: number });
    const offer = await until(() => offers[before], { describe: 'the call is offered' });
    return { caller: party, callId: offer.callId };
  };
  const heard = (type: LegEvent['type'], id: string, among = events): Promise<LegEvent> =>
    until(() => among.find((event) => event.type === type && Object.values(event).includes(id)), { describe: `${type} of ${id}` });
  /** A caller and a phone, each answered. */
  const both = async (): Promise<{ readonly callId: string; readonly legId: string; readonly caller: SipCall; readonly phone: SipCall }> => {
    const desk = await site.phone('101', answersAfter(20));
    const { caller, callId } = await offered();
    const legId = `${callId}--l1`;
    await driver.execute({ type: 'AnswerLeg', legId: callId });
    await driver.execute(toDevice(callId, 1, '101'));
    await heard('LegAnswered', legId);
    return { callId, legId, caller: caller.call, phone: await desk.nextCall() };
  };
  /** Another controller, which takes no new calls, and what it is told. */
  const another = async (): Promise<{ readonly other: FreeSwitchDriver; readonly told: LegEvent[] }> => {
    const told: LegEvent[] = [];
    const other = createFreeSwitchDriver({ url: site.switch.url, instance: 'other', log: quiet });
    others.push(other);
    other.accept(false);
    await other.start({ onOffer: () => undefined, onLink: () => undefined, onLegEvent: (_callId, event) => { told.push(event); } });
    return { other, told };
  };

  test('two who were to be bridged by a controller that died before it asked the switch are seen apart, and are bridged then', async () => {
    const { callId, legId, caller, phone } = await both();
    const bridgeId = `${callId}--b2`;
    for (const id of [callId, legId]) await site.switch.ask(`uuid_setvar ${id} fd_bridge ${bridgeId}`);
    const { other, told } = await another();
    const snapshot = await other.snapshot();
    expect(snapshot.calls[0]?.bridges).toEqual([]);
    await other.adopt(callId, snapshot);
    expect(await other.execute({ type: 'BridgeLegs', bridgeId, legIds: [callId, legId] })).toEqual({ ok: true });
    await heard('LegBridged', legId, told);
    const [call] = (await other.snapshot()).calls;
    expect(call?.bridges.map((bridge) => [bridge.bridgeId, bridge.legIds.toSorted()])).toEqual([[bridgeId, [callId, legId]]]);
    caller.play(700);
    phone.play(1500);
    await until(() => phone.hears(700) && caller.hears(1500), { describe: 'they hear each other' });
  });

  test('what has become of legs while the link was down is known when it is back', async () => {
    await driver.stop();
    cable = await startLinkProxy(site.switch.url);
    const links: string[] = [];
    driver = createFreeSwitchDriver({ url: cable.url, instance: 'test', log: quiet, backOff: { firstMs: 10, maxMs: 50 } });
    await driver.start({ ...handlers, onLink: (state) => { links.push(state); } });
    const desk = await site.phone('101');
    const { caller, callId } = await offered();
    await driver.execute({ type: 'AnswerLeg', legId: callId });
    const legId = `${callId}--l1`;
    await driver.execute(toDevice(callId, 1, '101'));
    const phone = await desk.nextCall();
    await phone.ringing();
    cable.cut();
    await phone.answer();
    await until(async () => (await site.switch.ask(`uuid_getvar ${legId} current_application`)) === 'park', { describe: 'it is answered' });
    const bridgeId = `${callId}--b2`;
    for (const id of [callId, legId]) await site.switch.ask(`uuid_setvar ${id} fd_bridge ${bridgeId}`);
    await site.switch.ask(`uuid_bridge ${callId} ${legId}`);
    caller.call.play(700);
    await until(() => phone.hears(700), { describe: 'they are connected' });
    cable.mend();
    await until(() => links.join() === 'up,down,up', { describe: 'the link is up again' });
    expect((await driver.snapshot()).calls[0]).toMatchObject({ legs: [{ legId, state: 'answered' }], bridges: [{ bridgeId }] });
    expect(await driver.execute({ type: 'DestroyBridge', bridgeId })).toEqual({ ok: true });
    await Promise.all([callId, legId].map((id) => heard('LegUnbridged', id)));
    expect(await driver.execute({ type: 'SendDigits', legId, digits: '1', delayMs: 0 })).toEqual({ ok: true });
  });

  /** Two who talk, and are recorded. */
  const recorded = async (): Promise<{ callId: string; recordingId: string }> => {
    const { callId, legId } = await both();
    await driver.execute({ type: 'BridgeLegs', bridgeId: `${callId}--b2`, legIds: [callId, legId] });
    await heard('LegBridged', legId);
    const recordingId = `${callId}--c3`;
    await driver.execute({ type: 'StartCallRecording', recordingId, caller: callId, callee: legId });
    await heard('RecordingStarted', recordingId);
    return { callId, recordingId };
  };

  test('the recording of a call that another controller has is told to that one alone', async () => {
    const { callId, recordingId } = await recorded();
    const { other, told } = await another();
    const snapshot = await other.snapshot();
    expect(snapshot.calls[0]?.recordings).toEqual([recordingId]);
    await driver.execute({ type: 'StopRecording', recordingId });
    await heard('RecordingFinished', recordingId);
    await other.adopt(callId, await other.snapshot());
    await driver.execute({ type: 'HangUpLeg', legId: callId, cause: 'normal' });
    await heard('LegEnded', callId, told);
    expect(told.filter((event) => 'recordingId' in event)).toEqual([]);
  });

  test('the recording of a call that is taken over is told to the one that has it then', async () => {
    const { callId, recordingId } = await recorded();
    const { other, told } = await another();
    await other.adopt(callId, await other.snapshot());
    expect(await other.execute({ type: 'StopRecording', recordingId })).toEqual({ ok: true });
    await heard('RecordingFinished', recordingId, told);
  });

  test('a leg that has gone before another call takes it is remembered by nobody', async () => {
    const { callId } = await offered();
    expect(await driver.execute(taking('c9--l1', callId, callId))).toMatchObject({ ok: false, error: 'gone' });
    expect(driver.leftovers().legs).toBe(1);
  });

  test('a phone whose leg was another controller’s may ask for a transfer, once its leg is taken', async () => {
    const { callId, legId, phone } = await both();
    const { callId: taker } = await offered('+15559999');
    const { other, told } = await another();
    await other.adopt(taker, await other.snapshot(new Set([taker])));
    await other.execute({ type: 'AnswerLeg', legId: taker });
    await heard('LegAnswered', taker, told);
    expect(await other.execute(taking(legId, taker, callId))).toEqual({ ok: true });
    await other.execute({ type: 'BridgeLegs', bridgeId: `${taker}--b2`, legIds: [taker, legId] });
    await heard('LegBridged', legId, told);
    await phone.transfer(`sip:102@${site.switch.sipHost}`);
    expect(await heard('TransferAsked', legId, told)).toMatchObject({ to: '102' });
    expect(await other.execute({ type: 'AnswerTransfer', legId, accepted: false })).toEqual({ ok: true });
  });
});
