/**
 * The recording of a call on a real switch: each voice in a file of its own, after both have heard so, through the
 * absence of a controller, and never in the way of the call.
 */
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Account, TrackingNumber } from '../../control-plane/core/routing/config.ts';
import { defaultOutboundRules } from '../../control-plane/core/routing/outbound-guard.ts';
import { recordedOn, serve, type Served } from '../support/account.ts';
import { rings } from '../support/behaviour.ts';
import { wav } from '../support/clinic.ts';
import type { SipCall } from '../support/sip-call.ts';
import { openSite, SITE_START_MS, type Caller, type Site } from '../support/site.ts';
import { hasTone, SAMPLE_RATE } from '../support/tone.ts';
import { stays, until } from '../support/until.ts';

const ANNOUNCED = '+15550201';
const SILENT = '+15550202';
const NEVER = '+15550203';
const SAID_HZ = 1_000;
const [CALLER_HZ, CALLEE_HZ] = [350, 700];
let site: Site;
let served: Served;

const number = (e164: string, more: Partial<TrackingNumber>): TrackingNumber => ({ e164, label: 'Reception', users: ['ann'], ringMs: 20_000, callConnect: 'off', ...more });

beforeAll(async () => {
  site = await openSite({ createTrunks: true });
  const said = join(site.folder, 'recorded');
  writeFileSync(`${said}.wav`, wav(SAID_HZ, 1));
  const account: Account = {
    id: 'clinic', name: 'The Clinic', outbound: defaultOutboundRules('US'),
    users: [{ id: 'ann', name: 'Ann', devices: [{ id: '101', label: 'desk', target: { kind: 'device', device: '101' } }] }],
    numbers: [
      number(ANNOUNCED, { recording: 'yes', recordingAnnouncement: { media: `file:${said}` } }),
      number(SILENT, { recording: 'force' }),
      number(NEVER, { recording: 'never', recordingAnnouncement: { media: `file:${said}` } }),
    ],
  };
  served = await serve(site, account);
}, SITE_START_MS);
afterEach(() => site.afterTest());
afterAll(async () => {
  await served.stop();
  await site.close();
});

interface Talk {
  readonly caller: Caller;
  readonly callee: SipCall;
}

const talk = async (to: string): Promise<Talk> => {
  const desk = await site.phone('101', rings({ sound: CALLEE_HZ }), { create: true });
  const caller = await site.call({ from: '+15551111', to, sound: CALLER_HZ });
  const callee = await desk.nextCall();
  await callee.answer();
  await until(() => caller.call.hears(CALLEE_HZ) && callee.hears(CALLER_HZ), { describe: 'both hear each other', within: 8_000 });
  return { caller, callee };
};

const recordingStarts = (): Promise<string> => until(() => (served.call()?.callRecording?.started === true ? served.call()?.callRecording?.id : undefined), { describe: 'the call is recorded' });
const talkFor = ({ caller, callee }: Talk, forMs: number): Promise<void> =>
  stays(() => caller.call.hears(CALLEE_HZ) && callee.hears(CALLER_HZ), { describe: 'both go on hearing each other', forMs });

/** Which of the tones are on a track, in its middle. */
const tonesOf = (name: string): readonly number[] => {
  const samples = recordedOn(site, name) ?? new Int16Array(0);
  const middle = samples.subarray(samples.length / 4, (3 * samples.length) / 4);
  return [CALLER_HZ, CALLEE_HZ, SAID_HZ].filter((hz) => hasTone(middle, hz));
};
const secondsOf = (name: string): number => (recordedOn(site, name)?.length ?? 0) / SAMPLE_RATE;

describe('A recorded call', () => {
  test('tells the caller before the phone rings and the callee before the bridge, and then has each voice in a file of its own', async () => {
    const desk = await site.phone('101', rings({ sound: CALLEE_HZ }), { create: true });
    const caller = await site.call({ from: '+15551111', to: ANNOUNCED, sound: CALLER_HZ });
    await until(() => caller.call.hears(SAID_HZ), { describe: 'the caller hears that the call is recorded' });
    expect(desk.calls).toHaveLength(0);
    const callee = await desk.nextCall();
    await callee.answer();
    await until(() => callee.hears(SAID_HZ), { describe: 'the callee hears that the call is recorded' });
    expect(served.call()?.callRecording).toBeNull();
    await until(() => caller.call.hears(CALLEE_HZ) && callee.hears(CALLER_HZ), { describe: 'both hear each other', within: 8_000 });
    const recordingId = await recordingStarts();
    await talkFor({ caller, callee }, 2_000);
    await callee.hangUp();
    await caller.call.ended();

    const cdr = await served.cdr();
    expect(cdr).toMatchObject({ disposition: 'answered', notRecorded: null, recordings: [{ recordingId, failed: false }] });
    const [leg] = cdr.legs;
    const [recording] = cdr.recordings;
    const proof = [cdr.recordingAnnouncedAt, leg?.rangAt, leg?.recordingAnnouncedAt, cdr.answeredAt, recording?.startedAt, recording?.endedAt];
    expect(proof).toEqual(proof.toSorted((a, b) => Number(a) - Number(b)));
    expect(proof.every((at) => typeof at === 'number')).toBe(true);
    expect([tonesOf(`${recordingId}-caller`), tonesOf(`${recordingId}-callee`)]).toEqual([[CALLER_HZ], [CALLEE_HZ]]);
    for (const side of ['caller', 'callee']) {
      expect(secondsOf(`${recordingId}-${side}`)).toBeGreaterThan(1.7);
      expect(Math.abs(secondsOf(`${recordingId}-${side}`) - (recording?.durationMs ?? 0) / 1000)).toBeLessThan(1.1);
    }
  });

  test.each(['kept', 'lost'] as const)('goes on being recorded while its controller is away, the journal %s, and the next one ends the recording with the call', async (journals) => {
    const both = await talk(SILENT);
    const recordingId = await recordingStarts();
    await talkFor(both, 600);
    await served.restart(journals);
    await until(() => served.call()?.phase === 'connected', { describe: 'the call is taken over' });
    expect(served.call()?.callRecording).toEqual({ id: recordingId, started: true });
    await talkFor(both, 1_200);
    await both.caller.call.hangUp();
    const cdr = await served.cdr();
    expect(cdr.recordings).toMatchObject([{ recordingId, failed: false, endedAt: expect.any(Number), durationMs: expect.any(Number) }]);
    expect([tonesOf(`${recordingId}-caller`), tonesOf(`${recordingId}-callee`)]).toEqual([[CALLER_HZ], [CALLEE_HZ]]);
    expect(secondsOf(`${recordingId}-callee`)).toBeGreaterThan(1.7);
  });

  test('that the switch cannot write goes on all the same, and the record says that it was not recorded', async () => {
    const folder = site.recordingsDir;
    renameSync(folder, `${folder}.away`);
    writeFileSync(folder, 'in the way');
    try {
      const both = await talk(SILENT);
      await talkFor(both, 800);
      await both.callee.hangUp();
      expect(await served.cdr()).toMatchObject({ disposition: 'answered', endedBy: 'callee', recordings: [{ failed: true }] });
    } finally {
      rmSync(folder);
      renameSync(`${folder}.away`, folder);
    }
  });

  test('goes on being recorded through hold and resume', async () => {
    const both = await talk(SILENT);
    const recordingId = await recordingStarts();
    await both.callee.hold();
    await both.callee.resume();
    await until(() => both.callee.hears(CALLER_HZ), { describe: 'they talk again' });
    expect(served.call()?.callRecording?.id).toBe(recordingId);
    await both.caller.call.hangUp();
    expect((await served.cdr()).recordings).toMatchObject([{ recordingId, failed: false }]);
  });
});

test('A number that says never is not recorded, and says nothing of it', async () => {
  const both = await talk(NEVER);
  await talkFor(both, 500);
  await both.callee.hangUp();
  expect(await served.cdr()).toMatchObject({ disposition: 'answered', recordings: [], recordingAnnouncedAt: null, pickedUpAt: expect.any(Number) });
});
