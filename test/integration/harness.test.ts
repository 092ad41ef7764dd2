/**
 * The instruments, before anything is measured with them: SIPp parties, their audio and what they report, against the
 * switch's static dialplan alone. With no controller a call rings the failsafe, which is all these tests need.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { answersAfter, answersAfterCancel, busy, rings, saysNothing, unknownNumber } from '../support/behaviour.ts';
import { openSite, SITE_START_MS, type Site } from '../support/site.ts';
import { hasTone, isMostlyTone, isRingback, isSilent, loudness, muLawDecode, muLawEncode, PACKET, toneSamples } from '../support/tone.ts';
import { until } from '../support/until.ts';

const NUMBER = '+15550100';
let site: Site;

beforeAll(async () => {
  site = await openSite({ createTrunks: true, switch: 'asterisk' });
  await site.switch.putDb('fd-trunks', 'list', 'carrier');
}, SITE_START_MS);
afterEach(() => site.afterTest());
afterAll(() => site.close());

const failsafeIs = (target: string): Promise<void> => site.switch.putDb('fd-failsafe', NUMBER, target);

const heard = (hz: number): Int16Array => muLawDecode(muLawEncode(toneSamples(hz, 0, 1_600)));

describe('Tones', () => {
  test('survive µ-law and are told apart from others, from silence and from ringback', () => {
    expect(hasTone(heard(700), 700)).toBe(true);
    expect(hasTone(heard(700), 900)).toBe(false);
    expect(isSilent(muLawDecode(muLawEncode(new Int16Array(1_600))))).toBe(true);
    expect(loudness(heard(700))).toBeGreaterThan(5_000);
    const two = toneSamples(440, 0, 1_600).map((sample, i) => Math.round((sample + (toneSamples(480, i, 1)[0] ?? 0)) / 2));
    expect(isRingback(two)).toBe(true);
    expect(isRingback(heard(440))).toBe(false);
  });

  test('are heard in a short sound one packet of which was late, and not in one that is half silent or of others', () => {
    // at 620 Hz a packet is 12.4 periods: what comes after a lost one is almost the opposite of what came before
    const late = [...heard(620).subarray(0, 5 * PACKET), ...new Int16Array(PACKET), ...heard(620).subarray(0, 5 * PACKET)];
    expect([620, 350, 500, 1_140].filter((hz) => isMostlyTone(Int16Array.from(late), hz))).toEqual([620]);
    expect(hasTone(Int16Array.from(late), 620)).toBe(false);
    expect(isMostlyTone(Int16Array.from([...heard(620), ...new Int16Array(1_600)]), 620)).toBe(false);
  });
});

describe('A desk phone', () => {
  test('registers, rings, shows who calls, and when told answers: tones pass both ways, and keys', async () => {
    await failsafeIs('PJSIP/101');
    const phone = await site.phone('101', rings({ sound: 620 }), { create: true });
    const caller = await site.call({ from: '+15551234', name: 'Ada Lovelace', to: NUMBER, sound: 350 });
    const call = await phone.nextCall();
    expect(call.callerId()).toEqual({ name: 'Ada Lovelace', number: '+15551234' });
    await caller.call.ringing();
    expect(call.state()).toBe('ringing');

    await call.answer();
    await caller.call.connected();
    await until(() => call.hears(350) && caller.call.hears(620), { describe: 'each hears the other’s tone' });
    expect(call.hears(620)).toBe(false);
    await Promise.all([call.press('5#'), caller.call.press('09')]);
    await until(() => caller.call.keys() === '5#' && call.keys() === '09', { describe: 'each gets the other’s keys' });
    caller.call.play('silence');
    await until(() => call.hearsNothing(), { describe: 'the phone hears silence' });

    await caller.call.hangUp();
    await call.ended();
    expect(call.endedBy()).toBe('switch');
    expect(caller.call.endedBy()).toBe('party');
  });

  test('holds, resumes, hangs up', async () => {
    await failsafeIs('PJSIP/101');
    const phone = await site.phone('101', rings(), { create: true });
    const caller = await site.call({ from: '+15551234', to: NUMBER, sound: 350 });
    const call = await phone.nextCall();
    await call.answer();
    await until(() => call.hears(350), { describe: 'the phone hears the caller' });
    await call.hold();
    await call.resume();
    await until(() => call.hears(350), { describe: 'the phone hears the caller again' });
    await call.hangUp();
    await caller.call.ended();
    expect(caller.call.endedBy()).toBe('switch');
  });

  test('is canceled with “completed elsewhere” when the switch says so', async () => {
    await failsafeIs('PJSIP/101');
    const phone = await site.phone('101', rings(), { create: true });
    const caller = await site.call({ from: '+15551234', to: NUMBER });
    const call = await phone.nextCall();
    await call.ringing();
    const leg = (await site.switch.channels()).find(({ name }) => name.startsWith('PJSIP/101-'));
    await site.switch.hangUp(leg?.id ?? '', 'answered_elsewhere');
    await call.ended();
    expect(call.wasAnsweredElsewhere()).toBe(true);
    expect(call.releaseReason()).toMatchObject({ sipCause: 200, q850: 26 });
    expect(call.status()).toBe(487);
    await caller.call.hangUp();
  });

  test('may refuse when told, or answer as the CANCEL arrives', async () => {
    await failsafeIs('PJSIP/101');
    const phone = await site.phone('101', rings(), { create: true });
    const refused = await site.call({ from: '+15551234', to: NUMBER });
    await (await phone.nextCall()).reject('declined');
    await refused.call.hangUp();
    await phone.stop();

    const late = await site.phone('101', answersAfterCancel, { create: true });
    const caller = await site.call({ from: '+15551234', to: NUMBER });
    const call = await late.nextCall();
    await call.ringing();
    await caller.call.hangUp();
    await call.ended();
    expect(caller.call.status()).toBe(487);
    expect(call.status()).toBe(200);
    expect(call.messages.map(({ method }) => method)).toContain('BYE');
  });

  test('calls, asked for its password', async () => {
    await failsafeIs('PJSIP/101');
    const phone = await site.phone('101', answersAfter(50), { create: true });
    await site.phone('102', rings(), { create: true });
    const caller = await site.callFromPhone('102', { to: NUMBER, hangUpAfterMs: 100 });
    await caller.call.ended();
    expect(caller.call.status()).toBe(200);
    expect((await phone.nextCall()).callerId().number).toBe('102');
  });
});

describe('A mobile behind the carrier', () => {
  test('answers by itself, presses a key, hangs up by itself', async () => {
    await failsafeIs('+12025559999');
    const mobile = await site.carrier(answersAfter(200, { press: { keys: '1', afterMs: 100 }, hangUpAfterMs: 700 }));
    const caller = await site.call({ from: '+15551234', to: NUMBER });
    await until(() => caller.call.keys() === '1', { describe: 'the caller gets the key' });
    const call = await mobile.nextCall();
    expect((call.at('connected') ?? 0) - (call.at('ringing') ?? 0)).toBeGreaterThan(150);
    await caller.call.ended();
    expect(caller.call.endedBy()).toBe('switch');
  });

  test.each([
    ['busy', busy, 486],
    ['not known', unknownNumber, 404],
  ])('is %s', async (_, behaviour, status) => {
    await failsafeIs('+12025559999');
    const mobile = await site.carrier(behaviour);
    const caller = await site.call({ from: '+15551234', to: NUMBER });
    const call = await mobile.nextCall();
    await call.ended();
    expect(call.status()).toBe(status);
    expect(call.endedBy()).toBe('party');
    await caller.call.hangUp();
  });

  test('says nothing at all', async () => {
    await failsafeIs('+12025559999');
    const mobile = await site.carrier(saysNothing);
    const caller = await site.call({ from: '+15551234', to: NUMBER, giveUpAfterMs: 1_200 });
    const call = await mobile.nextCall();
    await caller.call.ended();
    expect(caller.call.status()).toBe(487);
    expect(call.status()).toBeUndefined();
    // the switch may not CANCEL what gave no provisional answer (RFC 3261 9.1), so its channel lives until timer B
    await site.switch.clear();
  });
});

describe('A hostile caller', () => {
  test.each([
    ['Latin-1 bytes', { name: 'Ren\u00e9 \u00ff\u0080' }, 'from', '"Ren\u00e9 \u00ff\u0080"'],
    ['a header of 4 KB', { headers: [`X-Long: ${'x'.repeat(4_096)}`] }, 'x-long', 'x'.repeat(4_096)],
    ['CR LF in a display name', { name: 'Eve\r\nX-Smuggled: yes\r\nX-Rest: ' }, 'x-smuggled', 'yes'],
  ])('sends %s as it is, and the next caller gets through', async (_, hostile, shows, bytes) => {
    await failsafeIs('PJSIP/101');
    await site.phone('101', answersAfter(20), { create: true });
    const eve = await site.call({ from: '+15551234', to: NUMBER, hangUpAfterMs: 50, giveUpAfterMs: 1_000, ...hostile });
    expect(eve.call.header(shows)).toContain(bytes);
    const next = await site.call({ from: '+15551235', to: NUMBER, hangUpAfterMs: 50 });
    await next.call.ended();
    expect(next.call.status()).toBe(200);
  });
});
