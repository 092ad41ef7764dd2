/**
 * Who gets a call, through a real switch and a controller: call connect, the losers, the whisper.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { busy, declines, rings, talksLikeVoicemail } from '../support/behaviour.ts';
import { openClinic, PROMPTS, type Clinic } from '../support/clinic.ts';
import type { SipCall } from '../support/sip-call.ts';
import { openSite, SITE_START_MS, type Site } from '../support/site.ts';
import { isRingback } from '../support/tone.ts';
import { stays, until } from '../support/until.ts';

const CONNECT = '+15550100';
const WHISPER = '+15550101';
const ANNOUNCED = '+15550102';
const MOBILE = '+12025559999';
let site: Site;
let clinic: Clinic;

beforeAll(async () => {
  site = await openSite();
  clinic = await openClinic(site, {
    users: [
      { id: 'ann', devices: [{ extension: '101' }] },
      { id: 'bob', devices: [{ extension: '102' }] },
      { id: 'cat', devices: [{ extension: '103' }, { mobile: MOBILE }] },
    ],
    numbers: [
      { e164: CONNECT, users: ['ann', 'bob', 'cat'], acceptKey: '1' },
      { e164: WHISPER, users: ['ann', 'bob'], callConnect: 'off', whisper: { file: 'whisper.wav' }, voicemail: { greeting: { file: 'greeting.wav' } } },
      { e164: ANNOUNCED, users: ['ann'], callConnect: 'off', announcement: { file: 'announcement.wav' } },
    ],
  }, { whisper: 1.5 });
}, SITE_START_MS);
afterEach(async () => {
  await site.afterTest();
  await clinic.expectNothingLeft();
});
afterAll(() => site.close());

/** Distinct tones, heard by the other side, both ways. */
const expectTalk = async (caller: SipCall, callerHz: number, callee: SipCall, calleeHz: number): Promise<void> => {
  caller.play(callerHz);
  callee.play(calleeHz);
  await until(() => caller.hears(calleeHz) && callee.hears(callerHz), { describe: `${callee.party} and the caller hear each other` });
};

describe('Call connect', () => {
  test('a mobile’s voicemail that answers first takes no call: the desk phones ring on, and one of them gets the caller', async () => {
    const desks = [await site.phone('101'), await site.phone('102'), await site.phone('103')];
    const mobile = await site.carrier(talksLikeVoicemail(1_000));
    const caller = await clinic.call(CONNECT);
    const [ann, bob, cat] = await Promise.all(desks.map((desk) => desk.nextCall())) as [SipCall, SipCall, SipCall];
    const voicemail = await mobile.nextCall();
    await voicemail.connected();
    await stays(() => [ann, bob, cat].every((desk) => desk.state() === 'ringing') && caller.call.state() === 'ringing', { describe: 'the desk phones ring on while the mobile’s voicemail talks', forMs: 1_500 });
    expect(voicemail.state()).toBe('connected');

    await bob.answer();
    await caller.call.connected();
    await expectTalk(caller.call, 350, bob, 700);
    expect(voicemail.hears(350)).toBe(false);
    await Promise.all([ann, cat].map((desk) => desk.ended()));
    const elsewhere = [487, true, site.onFreeSwitch ? undefined : 26];
    expect([ann, cat].map((desk) => [desk.status(), desk.wasAnsweredElsewhere(), desk.releaseReason()?.q850])).toEqual([elsewhere, elsewhere]);
    await voicemail.ended();
    expect(voicemail.endedBy()).toBe('switch');
    expect(bob.state()).toBe('connected');

    await bob.hangUp();
    await caller.call.ended();
    expect(await clinic.cdrOf(caller)).toMatchObject({
      disposition: 'answered', endedBy: 'callee', answeredBy: expect.stringMatching(/--l\d+$/), voicemail: null,
      legs: [
        { user: 'ann', cause: 'answered-elsewhere', disposition: 'canceled', pickedUpAt: null },
        { user: 'bob', disposition: 'answered', acceptedAt: expect.any(Number), connectedAt: expect.any(Number) },
        { user: 'cat', label: 'phone 103', cause: 'answered-elsewhere', disposition: 'canceled' },
        { user: 'cat', label: 'mobile', cause: 'answered-elsewhere', pickedUpAt: expect.any(Number), acceptedAt: null, connectedAt: null },
      ],
    });
    const facts = await clinic.factsOf(caller);
    expect(facts.filter(({ type }) => type === 'LegAccepted')).toHaveLength(1);
    expect(facts.filter(({ type }) => type === 'LegDismissed')).toHaveLength(1);
  });

  test('the mobile’s own press of the key takes the call, and the desk phones log no missed one', async () => {
    const desk = await site.phone('101');
    const mobile = await site.carrier(rings());
    const caller = await clinic.call(CONNECT);
    const [ann, cell] = await Promise.all([desk.nextCall(), mobile.nextCall()]);
    await cell.answer();
    await cell.press('2');
    await stays(() => ann.state() === 'ringing', { describe: 'another key accepts nothing', forMs: 400 });
    await cell.press('1');
    await caller.call.connected();
    await expectTalk(caller.call, 350, cell, 700);
    await ann.ended();
    expect(ann.wasAnsweredElsewhere()).toBe(true);
    await caller.call.hangUp();
    await cell.ended();
    expect(cell.endedBy()).toBe('switch');
    expect(await clinic.cdrOf(caller)).toMatchObject({ disposition: 'answered', endedBy: 'caller' });
  });

  test('busy and declined phones stop nobody else; when all have refused, voicemail at once', async () => {
    const desk = await site.phone('101');
    await site.phone('102', busy);
    await site.phone('103', declines);
    await site.carrier(busy);
    const caller = await clinic.call(CONNECT);
    const ann = await desk.nextCall();
    await until(async () => Object.values((await clinic.stateOf(caller)).legs).filter(({ phase }) => phase === 'ended').length === 3, { describe: 'three have refused' });
    expect(ann.state()).toBe('ringing');
    await ann.reject('busy');
    await until(async () => ['greeting', 'beeping', 'recording'].includes((await clinic.stateOf(caller)).phase), { describe: 'voicemail answers', within: 1_000 });
    await caller.call.connected();
    await caller.call.hangUp();
    expect((await clinic.cdrOf(caller)).legs.map(({ disposition }) => disposition)).toEqual(['busy', 'busy', 'declined', 'busy']);
  });
});

describe('A whisper without call connect', () => {
  test('is heard by the callee before the bridge, never by the caller, who hears ringing until then', async () => {
    const [desk, other] = [await site.phone('101'), await site.phone('102')];
    const caller = await clinic.call(WHISPER);
    const [ann, bob] = await Promise.all([desk.nextCall(), other.nextCall()]);
    await ann.answer();
    await bob.ended();
    expect(bob.wasAnsweredElsewhere()).toBe(true);
    await until(() => ann.hears(PROMPTS.whisper), { describe: 'the callee hears the whisper' });
    expect(caller.call.state()).toBe('ringing');
    caller.call.play(350);
    await caller.call.connected();
    let heardWhisper = false;
    await until(() => {
      heardWhisper ||= caller.call.hears(PROMPTS.whisper);
      return ann.hears(350);
    }, { describe: 'the callee hears the caller' });
    await expectTalk(caller.call, 350, ann, 700);
    expect(heardWhisper).toBe(false);
    expect(ann.hears(PROMPTS.whisper)).toBe(false);
    await ann.hangUp();
    await caller.call.ended();
    const cdr = await clinic.cdrOf(caller);
    expect(cdr).toMatchObject({ disposition: 'answered', endedBy: 'callee' });
    const [leg] = cdr.legs;
    expect((leg?.connectedAt ?? 0) - (leg?.acceptedAt ?? 0)).toBeGreaterThanOrEqual(1_400);
  });

  test('a hang-up in it is a refusal, and routing goes on', async () => {
    const desk = await site.phone('101');
    await site.phone('102');
    const caller = await clinic.call(WHISPER);
    const ann = await desk.nextCall();
    await ann.answer();
    await until(() => ann.hears(PROMPTS.whisper), { describe: 'the callee hears the whisper' });
    await ann.hangUp();
    await caller.call.connected();
    await until(async () => (await clinic.stateOf(caller)).phase === 'recording', { describe: 'the caller may leave a message', within: 15_000 });
    await caller.call.hangUp();
    const cdr = await clinic.cdrOf(caller);
    expect(cdr).toMatchObject({ disposition: 'no-answer', answeredAt: null });
    expect(cdr.legs.map(({ cause }) => cause)).toEqual(['not-accepted', 'answered-elsewhere']);
  });
});

describe('An announcement', () => {
  test('is heard before any phone rings; then ringing in-band, which stops with the bridge', async () => {
    const desk = await site.phone('101');
    const caller = await clinic.call(ANNOUNCED);
    await caller.call.connected();
    await until(() => caller.call.hears(PROMPTS.announcement), { describe: 'the caller hears the announcement' });
    expect(desk.calls).toHaveLength(0);
    const ann = await desk.nextCall();
    await until(() => isRingback(caller.call.audio()?.heard(200) ?? new Int16Array(0)), { describe: 'the caller hears ringing' });
    expect(caller.call.hears(PROMPTS.announcement)).toBe(false);
    await ann.answer();
    await expectTalk(caller.call, 350, ann, 700);
    ann.play('silence');
    await until(() => caller.call.hearsNothing(), { describe: 'the caller hears the callee’s silence, and no ringing' });
    await stays(() => caller.call.hearsNothing(), { describe: 'no ringing in the bridge', forMs: 4_300 });
    await caller.call.hangUp();
    expect(await clinic.cdrOf(caller)).toMatchObject({ disposition: 'answered', announcementAt: expect.any(Number) });
  });
});
