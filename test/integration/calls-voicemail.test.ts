/**
 * Nobody answers: greeting, beep, a message. And a caller who hangs up, in each phase that a call has.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { CallPhase } from '../../control-plane/core/call/call.ts';
import type { Disposition } from '../../control-plane/core/cause.ts';
import { answersAfter } from '../support/behaviour.ts';
import { openClinic, PROMPTS, type Clinic } from '../support/clinic.ts';
import { keptRecording } from '../support/kept-recording.ts';
import type { Party } from '../support/sip-party.ts';
import { openSite, SITE_START_MS, type Caller, type Site } from '../support/site.ts';
import { hasTone, isMostlyTone, loudness, SAMPLE_RATE } from '../support/tone.ts';
import { stays, until } from '../support/until.ts';

const FIVE_SECONDS = '+15550110';
const THREE_SECONDS = '+15550111';
const ALL_PHASES = '+15550112';
const NOBODY = '+15550113';
const MENU = '+15550114';
const MOBILE = '+12025559999';
const greeting = { file: 'greeting.wav' };
let site: Site;
let clinic: Clinic;

beforeAll(async () => {
  site = await openSite();
  clinic = await openClinic(site, {
    users: [{ id: 'ann', devices: [{ extension: '101' }, { mobile: MOBILE }] }, { id: 'bob', devices: [{ extension: '102' }] }],
    numbers: [
      { e164: FIVE_SECONDS, users: ['bob'], timeoutSeconds: 5, voicemail: { greeting } },
      { e164: THREE_SECONDS, users: ['bob'], timeoutSeconds: 3, voicemail: { greeting, silenceSeconds: 2 } },
      { e164: ALL_PHASES, users: ['ann'], callConnect: 'external', whisper: { file: 'whisper.wav' }, announcement: { file: 'announcement.wav' } },
      { e164: NOBODY, voicemail: { greeting } },
      { e164: MENU, route: { to: 'menu', id: 'main' } },
    ],
    menus: [{ id: 'main', name: 'Main menu', prompt: greeting, options: { 1: { to: 'user', id: 'bob' } } }],
  });
}, SITE_START_MS);
afterEach(async () => {
  await site.afterTest();
  await clinic.expectNothingLeft();
});
afterAll(() => site.close());

const message = async (recordingId: string): Promise<{ readonly samples: Int16Array; readonly ms: number }> => {
  const file = await keptRecording(clinic.dataDir, recordingId);
  const samples = new Int16Array(file.buffer.slice(file.byteOffset + 44, file.byteOffset + file.length - (file.length % 2)));
  return { samples, ms: (1_000 * samples.length) / SAMPLE_RATE };
};
const reaches = (caller: Caller, phase: CallPhase): Promise<unknown> =>
  until(async () => (await clinic.stateOf(caller)).phase === phase, { describe: `the call is ${phase}`, within: 8_000 });

/** `sound:beep` of the switch: a short tone. */
const BEEP_HZ = 700;

describe('Nobody answers', () => {
  test('in the number’s five seconds: the phone stops ringing, the caller hears greeting and beep and leaves a message', async () => {
    const desk = await site.phone('102');
    const caller = await clinic.call(FIVE_SECONDS, { sound: 350 });
    const bob = await desk.nextCall();
    await bob.ended(7_000);
    const rang = (bob.at('ended') ?? 0) - (bob.at('ringing') ?? 0);
    expect(rang).toBeGreaterThan(4_800);
    expect(rang).toBeLessThan(7_000);
    expect([bob.status(), bob.wasAnsweredElsewhere()]).toEqual([487, false]);
    await caller.call.connected();
    await until(() => caller.call.hears(PROMPTS.greeting), { describe: 'the caller hears the greeting' });
    await until(() => hasTone(caller.call.audio()?.heard(100) ?? new Int16Array(0), BEEP_HZ), { describe: 'the caller hears the beep' });
    await reaches(caller, 'recording');
    await stays(() => caller.call.state() === 'connected', { describe: 'the caller talks', forMs: 1_500 });
    await caller.call.hangUp();

    const cdr = await clinic.cdrOf(caller);
    expect(cdr).toMatchObject({ disposition: 'no-answer', answeredAt: null, pickedUpAt: expect.any(Number), endedBy: 'caller', legs: [{ cause: 'no-answer', disposition: 'no-answer' }] });
    const { samples, ms } = await message(cdr.voicemail?.recordingId ?? 'none');
    expect(ms).toBeGreaterThan(1_300);
    expect(ms).toBeLessThan(2_600);
    expect(Math.abs((cdr.voicemail?.durationMs ?? 0) - ms)).toBeLessThan(1_000);
    expect(hasTone(samples.subarray(SAMPLE_RATE / 2, SAMPLE_RATE), 350)).toBe(true);
    expect(hasTone(samples, BEEP_HZ)).toBe(false);
  });

  test('a timeout of 3 rings no phone at all; the message ends by the caller’s silence', async () => {
    const desk = await site.phone('102');
    const caller = await clinic.call(THREE_SECONDS, { sound: 350 });
    await caller.call.connected(1_000);
    await reaches(caller, 'recording');
    await stays(() => caller.call.state() === 'connected', { describe: 'the caller talks', forMs: 700 });
    caller.call.play('silence');
    await caller.call.ended(5_000);
    expect(caller.call.endedBy()).toBe('switch');
    expect(desk.calls).toHaveLength(0);
    const cdr = await clinic.cdrOf(caller);
    expect(cdr).toMatchObject({ disposition: 'no-answer', cause: 'normal', endedBy: 'frontdesk', legs: [] });
    const { samples, ms } = await message(cdr.voicemail?.recordingId ?? 'none');
    expect(ms).toBeGreaterThan(500);
    expect(loudness(samples)).toBeGreaterThan(500);
  });

  test('a number that rings nobody takes messages of many callers at once, each in a file of its own', async () => {
    const callers = await Promise.all([350, 500, 620, 1_500].map((sound) => clinic.call(NOBODY, { sound })));
    await Promise.all(callers.map((caller) => reaches(caller, 'recording')));
    await stays(() => callers.every(({ call }) => call.state() === 'connected'), { describe: 'the callers talk', forMs: 1_000 });
    await Promise.all(callers.map(({ call }) => call.hangUp()));
    const heard = await Promise.all(callers.map(async (caller) => (await message((await clinic.cdrOf(caller)).voicemail?.recordingId ?? 'none')).samples));
    expect(heard.map((samples) => [350, 500, 620, 1_500].filter((hz) => isMostlyTone(samples.subarray(SAMPLE_RATE / 4), hz)))).toEqual([[350], [500], [620], [1_500]]);
  });
});

interface HangUp {
  /** Brings the call into the phase. */
  readonly reach: () => Promise<Caller>;
  readonly disposition: Disposition;
}

/** What no caller can hang up in: a phase that passes within one transition, or is the end itself. */
const momentary = 'momentary';

const inVoicemail = (phase: 'greeting' | 'beeping' | 'recording'): HangUp => ({
  reach: async () => {
    const caller = await clinic.call(NOBODY);
    await reaches(caller, phase);
    return caller;
  },
  disposition: 'no-answer',
});

let desk: Party | undefined;

const hangUps = {
  offered: momentary,
  announcing: {
    reach: async () => {
      desk = await site.phone('101');
      await site.carrier();
      const caller = await clinic.call(ALL_PHASES);
      await until(() => caller.call.hears(PROMPTS.announcement), { describe: 'the caller hears the announcement' });
      return caller;
    },
    disposition: 'canceled',
  },
  menu: {
    reach: async () => {
      const caller = await clinic.call(MENU);
      await until(() => caller.call.hears(PROMPTS.greeting), { describe: 'the caller hears the menu' });
      return caller;
    },
    disposition: 'canceled',
  },
  ringing: {
    reach: async () => {
      const [desk, mobile] = [await site.phone('101'), await site.carrier()];
      const caller = await clinic.call(ALL_PHASES);
      await Promise.all([desk.nextCall(), mobile.nextCall()]);
      return caller;
    },
    disposition: 'canceled',
  },
  connecting: {
    reach: async () => {
      const [desk] = [await site.phone('101', answersAfter(50)), await site.carrier()];
      const caller = await clinic.call(ALL_PHASES);
      const ann = await desk.nextCall();
      await until(() => ann.hears(PROMPTS.whisper), { describe: 'the callee hears the whisper' });
      return caller;
    },
    disposition: 'canceled',
  },
  connected: {
    reach: async () => {
      await site.phone('101', answersAfter(50, { sound: 700 }));
      await site.carrier();
      const caller = await clinic.call(ALL_PHASES);
      await until(() => caller.call.hears(700), { describe: 'the caller hears the callee', within: 8_000 });
      return caller;
    },
    disposition: 'answered',
  },
  greeting: inVoicemail('greeting'),
  beeping: inVoicemail('beeping'),
  recording: inVoicemail('recording'),
  // In tests of their own, with agents and with supervisors.
  queued: momentary,
  supervising: momentary,
  setting: momentary,
  ordering: momentary,
  ending: momentary,
  ended: momentary,
} as const satisfies Record<CallPhase, HangUp | typeof momentary>;

describe('The caller hangs up, and a second later nothing is left anywhere', () => {
  const phases = (Object.entries(hangUps) as [CallPhase, HangUp | typeof momentary][]).flatMap(([phase, how]) => (how === momentary ? [] : [{ phase, how }]));

  test.each(phases)('while the call is $phase', async ({ phase, how }) => {
    const caller = await how.reach();
    await reaches(caller, phase);
    await caller.call.hangUp();
    await clinic.expectNothingLeft();
    expect(await clinic.cdrOf(caller)).toMatchObject({ disposition: how.disposition, endedBy: 'caller' });
    // a phone that rang for an instant would show a missed call
    expect(phase === 'announcing' ? desk?.calls : []).toHaveLength(0);
  });

  test('while it is ringing and a mobile is asked for its key', async () => {
    await site.phone('101');
    const mobile = await site.carrier(answersAfter(50));
    const caller = await clinic.call(ALL_PHASES);
    const cell = await mobile.nextCall();
    await until(() => cell.hears(PROMPTS.whisper), { describe: 'the mobile hears who calls' });
    await caller.call.hangUp();
    await clinic.expectNothingLeft();
    expect(cell.endedBy()).toBe('switch');
    expect((await clinic.cdrOf(caller)).legs.map(({ pickedUpAt, cause }) => [pickedUpAt !== null, cause])).toEqual([[false, 'canceled'], [true, 'canceled']]);
  });

  test('before the switch has an answer for it: the CANCEL follows the INVITE at once', async () => {
    const desk = await site.phone('102');
    const caller = await clinic.call(FIVE_SECONDS);
    // 100 Trying: before that a caller may not cancel (RFC 3261 9.1)
    await until(() => caller.call.messages.some(({ direction }) => direction === 'received'), { describe: 'the switch has the INVITE', everyMs: 1 });
    await caller.call.hangUp();
    await clinic.expectNothingLeft();
    expect(caller.call.status()).toBe(487);
    expect(desk.calls.every((call) => call.state() === 'ended')).toBe(true);
  });
});
