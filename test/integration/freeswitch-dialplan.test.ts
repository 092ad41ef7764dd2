/** What FreeSWITCH does by itself, with our configuration: nearly all of it with no controller. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { CallMark } from '../../control-plane/core/call/mark.ts';
import type { LegEvent, Offer } from '../../control-plane/core/call/events.ts';
import { createFreeSwitchDriver, type FreeSwitchDriver } from '../../control-plane/media/freeswitch/freeswitch-driver.ts';
import { answersAfter, rings, unavailable } from '../support/behaviour.ts';
import { openFreeSwitchSite, type FreeSwitchSite } from '../support/freeswitch-site.ts';
import { withoutFreeSwitch } from '../support/freeswitch.ts';
import type { SipCall } from '../support/sip-call.ts';
import { SITE_START_MS } from '../support/site.ts';
import { until } from '../support/until.ts';

if (withoutFreeSwitch !== undefined) process.stderr.write(`Skipped: what FreeSWITCH does by itself. ${withoutFreeSwitch}.\n`);

const number = '+15551230001';
const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };

interface Controller {
  readonly driver: FreeSwitchDriver;
  readonly offers: Offer[];
  readonly events: LegEvent[];
}

describe.skipIf(withoutFreeSwitch !== undefined)('FreeSWITCH', () => {
  let site: FreeSwitchSite;
  const controllers: Controller[] = [];
  beforeAll(async () => {
    site = await openFreeSwitchSite({ trunks: ['trunk-a', 'trunk-b'] });
    await site.switch.keep('fd-trunks', 'list', { trunks: 'trunk-a,trunk-b' });
    await site.switch.keep('fd-failsafe', '15551230001', { number: '+15559990000' });
  }, SITE_START_MS);
  afterEach(async () => {
    await Promise.all(controllers.splice(0).map(({ driver }) => driver.stop()));
    await site.afterTest();
  });
  afterAll(() => site.close());

  const controller = async (instance: string): Promise<Controller> => {
    const one: Controller = { driver: createFreeSwitchDriver({ url: site.switch.url, instance, log: quiet }), offers: [], events: [] };
    controllers.push(one);
    await one.driver.start({ onOffer: (offer) => one.offers.push(offer), onLegEvent: (_, event) => one.events.push(event), onLink: () => undefined });
    return one;
  };
  const heard = (one: Controller, type: LegEvent['type'], id: string): Promise<LegEvent> =>
    until(() => one.events.find((event) => event.type === type && Object.values(event).includes(id)), { describe: `${type} of ${id}` });

  /** A caller and a phone who talk, by a controller. */
  const talking = async (): Promise<{ readonly one: Controller; readonly callId: string; readonly caller: SipCall; readonly phone: SipCall }> => {
    const one = await controller('one');
    const desk = await site.phone('101', answersAfter(50));
    const { call: caller } = await site.call({ from: '+15557770001', to: number });
    const { callId } = await until(() => one.offers[0], { describe: 'the offer' });
    const legId = `${callId}--l1`;
    await one.driver.execute({ type: 'AnswerLeg', legId: callId });
    await one.driver.execute({ type: 'OriginateLeg', legId, target: { kind: 'device', device: '101' }, callerId: { number: '+15557770001', name: '' }, ringMs: 10_000, mark: { v: 1, step: 'ring', attempt: 0, trunk: 0 } });
    await heard(one, 'LegAnswered', legId);
    const mark: CallMark = { v: 1, dialled: number, plan: 'p', startedAt: 1, step: 'ring', place: 'connecting', winner: legId, n: 3 };
    await one.driver.execute({ type: 'MarkCall', legId: callId, callId, mark });
    await one.driver.execute({ type: 'BridgeLegs', bridgeId: `${callId}--b2`, legIds: [callId, legId] });
    await heard(one, 'LegBridged', legId);
    return { one, callId, caller, phone: await desk.nextCall() };
  };

  describe('with no controller', () => {
    test('rings the failsafe within a second, with the caller’s number, and notes it', async () => {
      const mobile = await site.carrier(answersAfter(50), 'trunk-a');
      const began = performance.now();
      const { call: caller } = await site.call({ from: '+15557770001', to: number }, 'trunk-b');
      const call = await mobile.nextCall();
      expect(performance.now() - began).toBeLessThan(1_000);
      expect(call.callerId().number).toBe('+15557770001');
      await caller.connected();
      await caller.hangUp();
      await call.ended();
      const notes = await until(async () => {
        const keys = (await site.switch.ask('db list/fd-failsafe-log')).split(',');
        const all = await Promise.all(keys.map((key) => site.switch.kept('fd-failsafe-log', key)));
        return all.some((note) => note?.['outcome'] === 'SUCCESS') ? all : undefined;
      }, { describe: 'the note' });
      expect(notes).toMatchObject([{ origin: 'trunk', dialled: number, number: '+15559990000' }]);
    });

    test('takes the next trunk for the failsafe when one refuses', async () => {
      const [first, second] = await Promise.all([site.carrier(unavailable, 'trunk-a'), site.carrier(answersAfter(50), 'trunk-b')]);
      const { call: caller } = await site.call({ from: '+15557770001', to: '15551230001' }, 'trunk-b');
      await caller.connected();
      expect([first.calls.length, second.calls.length]).toEqual([1, 1]);
      await caller.hangUp();
    });

    test('sends 911 over the next trunk when one refuses, with the phone’s number and place, and notes it', async () => {
      await site.switch.keep('fd-emergency', 'default', { callerid: '+15551230001', location: 'Suite 4, 12 Main St, Springfield' });
      const [, second] = await Promise.all([site.carrier(unavailable, 'trunk-a'), site.carrier(answersAfter(50), 'trunk-b')]);
      const { call: caller } = await site.callFromPhone('desk-1', { to: '911' });
      const call = await second.nextCall();
      await caller.connected();
      expect(call.messages[0]?.startLine).toMatch(/^INVITE sip:911@/);
      expect(call.callerId().number).toBe('+15551230001');
      expect(call.header('x-dispatchable-location')).toBe('Suite 4, 12 Main St, Springfield');
      await caller.hangUp();
      const [key = ''] = (await site.switch.ask('db list/fd-emergency-log')).split(',');
      const note = await until(async () => {
        const found = await site.switch.kept('fd-emergency-log', key);
        return found?.['outcome'] === 'SUCCESS' ? found : undefined;
      }, { describe: 'the note' });
      expect(note).toMatchObject({ phone: 'desk-1', dialled: '911', trunk: 'trunk-b' });
    });

    test('serves nobody from an address that it does not know and who has no password', async () => {
      await site.switch.createPhone({ id: 'desk-1', password: 'secret' });
      const { call } = await site.callFromPhone('desk-1', { to: number, password: 'guessed' });
      await call.ended();
      expect(call.status()).toBe(403);
      expect(await site.channels()).toEqual([]);
    });

    test('finds nobody in a domain that is not its own, nor under a name that is written as no name is', async () => {
      await site.switch.createPhone({ id: 'desk-1', password: 'secret' });
      const isThere = (user: string, domain: string): Promise<string> => site.switch.ask(`user_exists id ${user} ${domain}`);
      expect(await Promise.all([isThere('desk-1', 'frontdesk'), isThere('desk-1', 'stranger.example'), isThere("desk-1'--", 'frontdesk'), isThere('nobody', 'frontdesk')])).toEqual(['true', 'false', 'false', 'false']);
      expect(await site.switch.ask('xml_locate directory domain name stranger.example')).toBe("can't find anything");
    });

    test('knows its phones and trunks after a restart', async () => {
      await site.switch.restart();
      const mobile = await site.carrier(answersAfter(50), 'trunk-a');
      const { call } = await site.callFromPhone('desk-1', { to: '933' });
      expect((await mobile.nextCall()).callerId().number).toBe('+15551230001');
      await call.connected();
      await call.hangUp();
    });
  });

  describe('with controllers', () => {
    test('gives each call to one of them, or late on a slow machine to the failsafe, and never to two', async () => {
      const [one, two] = await Promise.all([controller('one'), controller('two')]);
      const callers = await Promise.all(Array.from({ length: 12 }, (_, i) => site.call({ from: `+1555777${1000 + i}`, to: number })));
      const refused = (): number => callers.filter(({ call }) => call.state() === 'ended').length;
      const ids = (): string[] => [...one.offers, ...two.offers].map(({ callId }) => callId);
      await until(() => ids().length + refused() >= callers.length, { describe: 'every call is offered or refused' });
      expect([ids().length + refused(), new Set(ids()).size]).toEqual([callers.length, ids().length]);
      expect(ids().length).toBeGreaterThan(0);
    });

    test('offers the call of one that is dead to another as an orphan, and rings the failsafe when there is none', async () => {
      const one = await controller('one');
      const mobile = await site.carrier(rings(), 'trunk-a');
      await site.call({ from: '+15557770001', to: number }, 'trunk-b');
      const { callId } = await until(() => one.offers[0], { describe: 'the offer' });
      await one.driver.execute({ type: 'SetGuard', legId: callId, ms: 1000 });
      await one.driver.stop();
      const two = await controller('two');
      expect(await until(() => two.offers[0], { describe: 'the orphan' })).toMatchObject({ callId, orphan: true, dialled: number, origin: 'trunk' });
      await two.driver.execute({ type: 'SetGuard', legId: callId, ms: 1000 });
      await two.driver.stop();
      await (await mobile.nextCall()).ringing();
    });

    test('ends who is left when the other hangs up and the controller is dead', async () => {
      const { one, caller, phone } = await talking();
      await one.driver.stop();
      await phone.hangUp();
      await caller.ended(4_000);
      expect(caller.endedBy()).toBe('switch');
    });

    test('says no to a phone that asks for a transfer when the controller is dead, and the two talk on', async () => {
      const { one, caller, phone } = await talking();
      await one.driver.stop();
      expect(await phone.transfer(`sip:102@${site.switch.sipHost}`)).toBe(202);
      await until(() => (phone.transferStatus() ?? 100) >= 300, { describe: 'the phone is told' });
      caller.play(700);
      await until(() => phone.hears(700), { describe: 'the phone hears the caller' });
      expect([caller.state(), phone.state()]).toEqual(['connected', 'connected']);
    });

    test('asks the controller about a phone that would transfer to who it has called elsewhere, whatever address it names; with no answer it says no, and all talk on', async () => {
      const { one, caller, phone } = await talking();
      const { call: consulting } = await site.callFromPhone('101', { to: '102' });
      const { callId } = await until(() => one.offers[1], { describe: 'the second offer' });
      await one.driver.execute({ type: 'AnswerLeg', legId: callId });
      await consulting.connected();
      const stranger = await site.carrier(rings());
      for (const target of [`sip:102@${site.switch.sipHost}`, `sip:1@${stranger.address.host}:${stranger.address.port}`]) {
        await phone.transfer(target, consulting);
        await until(() => (phone.transferStatus() ?? 100) >= 300, { describe: 'the phone is told' });
      }
      caller.play(700);
      await until(() => phone.hears(700), { describe: 'the phone hears the caller' });
      expect([caller.state(), phone.state(), consulting.state(), stranger.calls.length]).toEqual(['connected', 'connected', 'connected', 0]);
      expect(one.events.flatMap((event) => (event.type === 'TransferAsked' ? [event.to] : []))).toEqual(['102', '102']);
    });

    test('hangs up a phone whose REFER would have it dial what it names, and dials nothing', async () => {
      const stranger = await site.carrier(rings());
      const { one, phone } = await talking();
      await phone.transfer(`sip:102@${site.switch.sipHost}?Replaces=1}sofia/frontdesk/1@${stranger.address.host}:${stranger.address.port}`);
      await phone.ended();
      expect([phone.endedBy(), stranger.calls.length]).toEqual(['switch', 0]);
      expect(one.events.some(({ type }) => type === 'TransferAsked')).toBe(false);
    });
  });
});
