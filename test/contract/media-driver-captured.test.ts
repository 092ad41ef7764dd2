/**
 * The driver of FreeSWITCH where there is none: what it and a real one said to each other in some scenarios is said to it again,
 * in the same order. It must send the same commands, and report the same. With FREESWITCH_HOME and FRONTDESK_CAPTURE=1 the
 * scenarios run on that FreeSWITCH instead, and what is said is written to captured/.
 */
/* oxlint-disable vitest/expect-expect -- waiting for an event is the assertion */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { ownedId } from '../../control-plane/core/ids.ts';
import type { MediaDriver } from '../../control-plane/media/media-driver.ts';
import { createFreeSwitchDriver } from '../../control-plane/media/freeswitch/freeswitch-driver.ts';
import { wavHeader } from '../../control-plane/store/media-files/wav.ts';
import { startEslCapture } from '../support/esl-capture.ts';
import { startEslReplay } from '../support/esl-replay.ts';
import { madeHarmless, type Line } from '../support/esl-script.ts';
import { openFreeSwitchSite, type FreeSwitchSite } from '../support/freeswitch-site.ts';
import { withoutFreeSwitch } from '../support/freeswitch.ts';
import { SITE_START_MS } from '../support/site.ts';
import { until as eventually } from '../support/until.ts';
import type { Caller, ContractFixture, Heard } from './media-driver-fixture.ts';
import { backOff, number, openReal, quiet, type Phones } from './media-driver-real.ts';
import { contractSteps, type ContractSteps } from './media-driver-steps.ts';
import { traceOf, type TraceEvent } from './traces.ts';

interface Stage {
  readonly fix: ContractFixture;
  readonly steps: ContractSteps;
  /** Another controller's, on the same switch. */
  readonly another: (instance: string) => Promise<MediaDriver>;
}

const capturing = process.env['FRONTDESK_CAPTURE'] === '1' && withoutFreeSwitch === undefined;
const captureAnew = 'If that is meant, capture anew: FREESWITCH_HOME=… FRONTDESK_CAPTURE=1 npx vitest run test/contract/media-driver-captured.test.ts';

const scenarios: Readonly<Record<string, (stage: Stage) => Promise<void>>> = {
  'a caller hears prompts, presses a key and hangs up': async ({ fix, steps: { must, event, answeredCaller } }) => {
    const { callId, caller } = await answeredCaller();
    await must({ type: 'PlayPrompt', legId: callId, promptId: ownedId(callId, 'p', 1), media: [fix.audio.short] });
    expect(await event('PromptFinished', ownedId(callId, 'p', 1))).toMatchObject({ ok: true });
    await must({ type: 'PlayPrompt', legId: callId, promptId: ownedId(callId, 'p', 2), media: [fix.audio.long] });
    await caller.press('5');
    expect(await event('LegDigit', callId)).toMatchObject({ digit: '5' });
    await must({ type: 'StopPrompt', promptId: ownedId(callId, 'p', 2) });
    await must({ type: 'PlayPrompt', legId: callId, promptId: ownedId(callId, 'p', 3), media: [fix.audio.missing] });
    expect(await event('PromptFinished', ownedId(callId, 'p', 3))).toMatchObject({ ok: false });
    await caller.hangUp();
    expect(await event('LegEnded', callId)).toMatchObject({ cause: 'normal' });
  },
  'two phones ring, one answers and talks with the caller, and hangs up': async ({ steps: { must, event, answeredCaller, ringing } }) => {
    const { callId } = await answeredCaller();
    const [first, second] = [await ringing(callId, 1, 'reception'), await ringing(callId, 2, 'nurse')];
    await second.phone.answer();
    await event('LegAnswered', second.legId);
    await must({ type: 'HangUpLeg', legId: first.legId, cause: 'answered-elsewhere' });
    expect(await event('LegEnded', first.legId)).toMatchObject({ cause: 'answered-elsewhere' });
    await must({ type: 'BridgeLegs', bridgeId: ownedId(callId, 'b', 3), legIds: [callId, second.legId] });
    await event('LegBridged', callId);
    await event('LegBridged', second.legId);
    await second.phone.hangUp();
    expect(await event('LegEnded', second.legId)).toMatchObject({ cause: 'normal' });
    await must({ type: 'HangUpLeg', legId: callId, cause: 'normal' });
    await event('LegEnded', callId);
  },
  'of two phones one is busy and one declines, and a third is not there': async ({ fix, steps: { must, event, execute, offered, originate, ringing } }) => {
    const { callId } = await offered();
    const busy = await ringing(callId, 1, 'reception');
    await busy.phone.busy();
    expect(await event('LegEnded', busy.legId)).toMatchObject({ cause: 'busy' });
    const declining = await ringing(callId, 2, 'nurse');
    await declining.phone.decline();
    expect(await event('LegEnded', declining.legId)).toMatchObject({ cause: 'declined' });
    const command = originate(callId, 3, { ...fix.phone('nurse'), target: { kind: 'device', device: 'absent' } });
    expect(await execute(command)).toMatchObject({ ok: false, mayHaveReachedCarrier: false });
    await must({ type: 'HangUpLeg', legId: callId, cause: 'normal' });
    await event('LegEnded', callId);
  },
  'a caller leaves a message': async ({ steps: { must, event, answeredCaller } }) => {
    const { callId, caller } = await answeredCaller();
    const recordingId = ownedId(callId, 'r', 1);
    caller.speak();
    await must({ type: 'StartRecording', recordingId, legId: callId, maxMs: 60_000, silenceMs: 30_000 });
    await event('RecordingStarted', recordingId);
    await must({ type: 'StopRecording', recordingId });
    await event('RecordingFinished', recordingId);
    await caller.hangUp();
    await event('LegEnded', callId);
  },
  'another controller takes over a conversation that is recorded, and ends it': async ({ fix, another, steps: { must, awaited, event, answeredCaller, answered, mark } }) => {
    const { callId } = await answeredCaller();
    const { legId } = await answered(callId, 1, 'reception');
    const bridgeId = ownedId(callId, 'b', 2);
    const recordingId = ownedId(callId, 'c', 3);
    await must({ type: 'BridgeLegs', bridgeId, legIds: [callId, legId] });
    await event('LegBridged', callId);
    await must({ type: 'StartCallRecording', recordingId, caller: callId, callee: legId });
    await event('RecordingStarted', recordingId);
    await must({ type: 'MarkCall', legId: callId, callId, mark });
    await fix.driver.stop();
    const taker = await another('taker');
    const snapshot = await awaited('the snapshot', taker.snapshot());
    expect(snapshot.calls).toMatchObject([{ callId, owner: fix.instance, caller: { answered: true, mark }, legs: [{ legId, state: 'answered' }], bridges: [{ bridgeId }], recordings: [recordingId] }]);
    await awaited('the adoption', taker.adopt(callId, snapshot));
    for (const id of [legId, callId]) expect(await awaited('a reply', taker.execute({ type: 'HangUpLeg', legId: id, cause: 'normal' }))).toEqual({ ok: true });
    await event('LegEnded', legId);
    await event('LegEnded', callId);
    await event('RecordingFinished', recordingId);
  },
};

const audio = { short: 'tone:accept', long: 'sound:long', missing: 'sound:there-is-none' } as const;
/** Of a wait, where everything comes at once. */
const withinMs = 3_000;
const fileOf = (scenario: string): string => join(import.meta.dirname, 'captured', `${scenario.replaceAll(/[^a-z]+/g, '-')}.ndjson`);

/** Drivers of one scenario, which all tell it what they hear. */
function company(url: string, heard: Heard[]): { another: Stage['another']; idle(): boolean; stop(): Promise<void> } {
  const drivers: ReturnType<typeof createFreeSwitchDriver>[] = [];
  return {
    another: async (instance) => {
      const driver = createFreeSwitchDriver({ url, instance, log: quiet, backOff });
      drivers.push(driver);
      await driver.start({
        onOffer: (offer) => heard.push({ kind: 'offer', callId: offer.callId, offer }),
        onLegEvent: (callId, event) => heard.push({ kind: 'event', callId, event }),
        onLink: (state) => heard.push({ kind: 'link', state }),
      });
      return driver;
    },
    idle: () => drivers.every((driver) => driver.leftovers().inFlight === 0),
    stop: async () => { await Promise.all(drivers.map((driver) => driver.stop())); },
  };
}

/** The parties of a fixture, each deed of which is told before it is done. */
function acting(fix: ContractFixture, act: (what: string) => void): ContractFixture {
  const told = <T extends object>(who: string, party: T, deeds: readonly (keyof T & string)[]): T => ({
    ...party, ...Object.fromEntries(deeds.map((deed) => [deed, (...given: readonly unknown[]): unknown => {
      act([who, deed, ...given].join(' '));
      return (party[deed] as (...args: readonly unknown[]) => unknown)(...given);
    }])),
  });
  return {
    ...fix,
    incomingCall: async () => {
      act('caller dials');
      return told('caller', await fix.incomingCall(), ['press', 'hangUp']);
    },
    phone: (name) => told(name, fix.phone(name), ['answer', 'busy', 'decline', 'hangUp']),
  };
}

let site: FreeSwitchSite;
let phones: Phones;

async function capture(name: string, play: (stage: Stage) => Promise<void>): Promise<void> {
  const listening = await startEslCapture(site.switch.url);
  const real = await openReal({
    url: listening.url, sipHost: site.switch.sipHost, phones, madeLeg: null, audio,
    createDriver: (url) => createFreeSwitchDriver({ url, instance: 'contract', log: quiet, backOff }),
    call: () => site.call({ from: '+15550100', name: 'Ann', to: number }), callFromPhone: (from, to) => site.callFromPhone(from, { to }), leftovers: () => site.channels(), clear: () => site.clear(),
  });
  const fix = acting(real, listening.act);
  const others = company(listening.url, real.heard as Heard[]);
  await play({ fix, steps: contractSteps(() => fix), another: others.another });
  await eventually(async () => others.idle() && real.driver.health().inFlight === 0 && (await site.channels()).length === 0, { describe: 'all is said' });
  const lines = madeHarmless(listening.lines(), { [site.switch.recordingsDir]: '/var/lib/switch/recordings', [site.switch.soundsDir]: '/usr/share/switch/sounds' });
  mkdirSync(join(import.meta.dirname, 'captured'), { recursive: true });
  writeFileSync(fileOf(name), [...lines, { heard: traceOf(real.heard) }].map((line) => `${JSON.stringify(line)}\n`).join(''));
  await others.stop();
  await real.close();
  await listening.close();
}

/** Nothing to be done: what came of it was captured. */
const noCaller = async (): Promise<Caller> => ({ press: done, hangUp: done, speak: () => undefined, hearsRinging: () => false });
const nobody: Pick<ContractFixture, 'phone' | 'incomingCall'> = {
  incomingCall: noCaller,
  phone: (device) => ({
    target: { kind: 'device', device }, waitRinging: done, wasCalled: () => true, answer: done, busy: done, decline: done, press: done, hold: done, unhold: done,
    call: noCaller, transfer: done, transferred: () => null, hangUp: done, keys: () => [], ended: () => null,
  }),
};

async function playAgain(name: string, play: (stage: Stage) => Promise<void>): Promise<void> {
  const captured = readFileSync(fileOf(name), 'utf8').trim().split('\n').map((line) => JSON.parse(line) as Line | { readonly heard: readonly TraceEvent[] });
  const replay = await startEslReplay(captured.filter((line): line is Line => !('heard' in line)));
  const heard: Heard[] = [];
  const drivers = company(replay.url, heard);
  const refuse = (why: string): never => { throw new Error(`${why} (“${name}”). ${captureAnew}`); };
  const until: ContractFixture['until'] = async (what, look) => {
    const deadline = performance.now() + withinMs;
    for (let value = look(); ; value = look()) {
      const problem = replay.problem();
      if (problem !== undefined) refuse(problem);
      if (value !== undefined) return value;
      if (performance.now() > deadline) refuse(`${what} did not come; the switch waits for ${replay.awaited() ?? 'nothing'}`);
      await new Promise((resolve) => { setImmediate(resolve); });
    }
  };
  try {
    const driver = await drivers.another('contract').catch((error: unknown) => refuse(replay.problem() ?? String(error)));
    const fix = acting({
      ...nobody, driver, instance: 'contract', heard, until, audio, cutLink: done, restoreLink: done, now: () => performance.now(), pass: done, leftovers: async () => [], close: done,
    }, replay.act);
    await play({ fix, steps: contractSteps(() => fix), another: drivers.another });
    await until('the last of what was said', () => (replay.awaited() === undefined ? true : undefined));
    expect([captureAnew, ...traceOf(heard)]).toEqual([captureAnew, ...captured.flatMap((line) => ('heard' in line ? line.heard : []))]);
  } finally {
    await drivers.stop();
    await replay.close();
  }
}

async function done(): Promise<void> {
  // its captured event follows
}

describe('The driver of FreeSWITCH sends what it sent, and reports what it reported', () => {
  beforeAll(async () => {
    if (!capturing) return;
    site = await openFreeSwitchSite();
    const [reception, nurse] = await Promise.all([site.phone('reception'), site.phone('nurse')]);
    phones = { reception, nurse };
    writeFileSync(join(site.switch.soundsDir, 'long.wav'), Buffer.concat([wavHeader({ channels: 1, rate: 8000 }, 20 * 16_000), Buffer.alloc(20 * 16_000)]));
  }, SITE_START_MS);
  // the driver writes the second in which it asks for a leg: of two legs it is the same, or it is not
  beforeEach(() => { vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2026, 0, 5, 15) }); });
  afterEach(() => { vi.useRealTimers(); });
  afterAll(() => site?.close());

  test.each(Object.entries(scenarios))('when %s', { timeout: 30_000 }, capturing ? capture : playAgain);
});
