import { beforeEach, describe, expect, it } from 'vitest';
import { transition } from '../../control-plane/core/call/transition.ts';
import { stateVersion } from '../../control-plane/core/call/version.ts';
import type { Cdr } from '../../control-plane/core/cdr/cdr.ts';
import { createSimulatedSwitch, type SimulatedSwitch } from '../../control-plane/media/simulated/switch.ts';
import { createController, type Controller, type ControllerOptions } from '../../control-plane/runtime/controller.ts';
import { leaseMs } from '../../control-plane/runtime/lease.ts';
import { replay } from '../../control-plane/runtime/replay.ts';
import { memoryArchive, memoryJournals, type MemoryArchive, type MemoryJournals } from '../../control-plane/store/memory-journals.ts';
import { sharedOwners } from '../../control-plane/store/memory-ownership.ts';
import { createMetrics, type Metrics } from '../../control-plane/telemetry/metrics.ts';
import { createVirtualClock, type VirtualClock } from '../support/virtual-clock.ts';
import { onePhonePlan, silent } from './sample-call.ts';

let clock: VirtualClock;
let sw: SimulatedSwitch;
let live: MemoryJournals;
let archive: MemoryArchive;
let metrics: Metrics;
let controllers: Controller[];

beforeEach(() => {
  clock = createVirtualClock();
  sw = createSimulatedSwitch({ clock });
  live = memoryJournals();
  archive = memoryArchive();
  metrics = createMetrics();
  controllers = [];
});

const pass = (ms: number): Promise<void> => clock.pass(ms);

async function start(overrides: Partial<ControllerOptions> = {}): Promise<Controller> {
  const controller = createController({
    driver: sw.driver('frontdesk-a'), clock, live, archive, metrics, log: silent, controller: 'a',
    compilePlan: (offer) => (offer.dialled === '+15551230000' ? onePhonePlan : undefined),
    ...overrides,
  });
  controllers.push(controller);
  const started = controller.start();
  await pass(100);
  await started;
  return controller;
}

const inbound = { from: '+15559870001', to: '+15551230000' };
const cdrs = (): readonly Cdr[] => archive.cdrs();

/** Nothing of any call is left anywhere. */
async function expectNothingLeft(): Promise<void> {
  await pass(2000);
  expect(sw.legs()).toEqual([]);
  expect(controllers.at(-1)?.calls()).toEqual([]);
  expect(await live.list()).toEqual([]);
  expect(archive.duplicates()).toBe(0);
}

async function connectedCall(): Promise<string> {
  const callId = sw.call(inbound);
  await pass(500);
  const callee = sw.legs().find((leg) => leg.id !== callId);
  sw.answer(callee?.id ?? 'no phone rings');
  await pass(1000);
  return callId;
}

describe('A journal of a newer version', () => {
  const newerStep = { kind: 'step', v: stateVersion + 1, at: 1, event: { type: 'TimerFired', id: 'of-a-later-build' }, commands: [], facts: [] } as const;
  const crashWith = async (callId: string): Promise<void> => {
    sw.kill('frontdesk-a');
    live.append(callId, newerStep);
    archive = memoryArchive();
    await pass(100);
  };

  it('of a call whose marks can be read: it goes on by what the switch has of it, and is not dropped', async () => {
    await start();
    const callId = await connectedCall();
    await crashWith(callId);
    const said: string[] = [];
    const controller = await start({ archive, log: { ...silent, error: (_, sentence) => { said.push(sentence); } } });
    await pass(1000);
    expect(controller.calls().map((call) => [call.id, call.phase])).toEqual([[callId, 'connected']]);
    expect(sw.legs()).toHaveLength(2);
    expect(said).toEqual([expect.stringContaining(`of a newer version of Frontdesk than this (${stateVersion})`)]);
    sw.hangUp(callId);
    await expectNothingLeft();
    expect(cdrs()).toMatchObject([{ callId, disposition: 'answered', reconstructed: true }]);
  });

  it('that was begun anew from the marks is read from there on', async () => {
    await start();
    const callId = await connectedCall();
    await crashWith(callId);
    await start({ archive });
    await pass(1000);
    sw.kill('frontdesk-a');
    archive = memoryArchive();
    const said: string[] = [];
    const controller = await start({ archive, log: { ...silent, error: (_, sentence) => { said.push(sentence); } } });
    expect([said, controller.calls().map((call) => call.phase)]).toEqual([[], ['connected']]);
    sw.hangUp(callId);
    await expectNothingLeft();
  });

  it('of a call that has ended meanwhile is left to a controller that can read it', async () => {
    await start();
    const callId = await connectedCall();
    await crashWith(callId);
    for (const leg of sw.legs()) sw.hangUp(leg.id);
    await pass(100);
    const controller = await start({ archive });
    const looked = controller.reconcileNow();
    await pass(1000);
    await looked;
    expect([controller.calls(), cdrs(), await live.list(), metrics.get('calls_left_alone_total')]).toEqual([[], [], [callId], 1]);
  });
});

describe('A call', () => {
  it('rings a phone, connects, ends, and leaves one record and nothing else', async () => {
    const controller = await start();
    const callId = await connectedCall();
    expect(controller.calls().map((call) => call.phase)).toEqual(['connected']);
    sw.hangUp(callId);
    await expectNothingLeft();
    expect(cdrs().map((cdr) => [cdr.callId, cdr.disposition, cdr.endedBy])).toEqual([[callId, 'answered', 'caller']]);
    const past = replay(await archive.read(callId));
    expect(past).toMatchObject({ matches: true, call: { phase: 'ended' } });
    expect(past?.cdr).toEqual(cdrs()[0]);
  });

  it('for a number nobody has is refused as unallocated, and on record', async () => {
    await start();
    sw.call({ ...inbound, to: '+15550009999' });
    await expectNothingLeft();
    expect(cdrs()).toHaveLength(1);
    expect(cdrs()[0]?.answeredAt).toBeNull();
    expect(metrics.get('calls_unroutable_total')).toBe(1);
  });

  it('that meets a bug of ours is released alone, with its record and its journal', async () => {
    const controller = await start({
      transition: (call, event, ctx) => {
        if (event.type === 'LegRinging' && call.offer.caller.number === '+15559870666') throw new Error('a bug');
        return transition(call, event, ctx);
      },
    });
    const well = sw.call(inbound);
    const ill = sw.call({ ...inbound, from: '+15559870666' });
    await pass(500);
    for (const leg of sw.legs()) if (leg.id !== well && leg.id !== ill) sw.ring(leg.id);
    await pass(1000);
    expect(controller.calls().map((call) => call.id)).toEqual([well]);
    expect(cdrs().map((cdr) => [cdr.callId, cdr.disposition])).toEqual([[ill, 'failed']]);
    expect(await archive.read(ill)).not.toEqual([]);
    sw.hangUp(well);
    await expectNothingLeft();
  });

  it('is guarded every five seconds while it waits, so that the failsafe never takes it from a living controller', async () => {
    const { ring, over } = onePhonePlan.steps;
    if (ring?.kind !== 'ring' || over === undefined) throw new Error('the sample plan rings first');
    const long = { ...ring, ringMs: 60_000, attempts: ring.attempts.map((attempt) => ({ ...attempt, ringMs: 60_000 })) };
    const controller = await start({ compilePlan: () => ({ ...onePhonePlan, steps: { ring: long, over } }) });
    const callId = sw.call(inbound);
    await pass(50_000);
    expect(sw.failsafe()).toEqual([]);
    expect(controller.calls().map((call) => call.phase)).toEqual(['ringing']);
    sw.hangUp(callId);
    await expectNothingLeft();
  });
});

/** A caller who presses a key asks for that extension. */
const asks: typeof transition = (call, event, ctx) => {
  if (event.type !== 'LegDigit') return transition(call, event, ctx);
  const planning = { type: 'PlanExtension', request: `extension-${event.digit}`, extension: event.digit, noAnswer: 'over' } as const;
  return { call: { ...call, planning }, commands: [planning], facts: [] };
};
const stepsOf = (callId: string, controller: Controller): readonly string[] => Object.keys(controller.calls().find(({ id }) => id === callId)?.plan.steps ?? {});

describe('What a call wants to add to its plan', () => {
  it('is compiled when it asks, journalled, and known again after a crash', async () => {
    const ring = onePhonePlan.steps['ring'];
    if (ring === undefined) throw new Error('the sample plan rings first');
    const controller = await start({ transition: asks, planExtension: (_, { request, extension }) => ({ type: 'ExtensionPlanned', request, steps: extension === '1' ? { [request]: ring } : {}, first: request, why: '' }) });
    const callId = await connectedCall();
    for (const digit of ['1', '2']) sw.press(callId, digit);
    await pass(100);
    expect(stepsOf(callId, controller)).toEqual(['extension-1', 'ring', 'over']);
    sw.kill('frontdesk-a');
    expect(stepsOf(callId, await start({ transition: asks }))).toEqual(['extension-1', 'ring', 'over']);
    expect(replay(await archive.read(callId), asks)).toMatchObject({ matches: true });
  });

  it('is compiled once more for one who knows of it by nothing but the mark on the switch', async () => {
    const ring = onePhonePlan.steps['ring'];
    if (ring?.kind !== 'ring') throw new Error('the sample plan rings first');
    const menu = { kind: 'menu', prompt: ['file:menu'], invalid: [], options: {}, extensions: { firstDigits: '1', shortest: 3, longest: 3 }, tries: 3, waitMs: 60_000, betweenKeysMs: 3000, on: { noKey: 'over', invalid: 'over', noAnswer: 'over' } } as const;
    const options: Partial<ControllerOptions> = {
      compilePlan: () => ({ ...onePhonePlan, first: 'menu', steps: { ...onePhonePlan.steps, menu } }),
      planExtension: (_, { request, extension }) => ({ type: 'ExtensionPlanned', request, steps: { [request]: { ...ring, extension } }, first: request, why: '' }),
    };
    await start(options);
    const callId = sw.call(inbound);
    await pass(1000);
    for (const digit of '102') sw.press(callId, digit);
    await pass(1000);
    const rung = sw.legs().map(({ id }) => id).filter((id) => id !== callId);
    sw.kill('frontdesk-a');
    [live, archive] = [memoryJournals(), memoryArchive()];
    await start(options);
    expect(sw.legs().map(({ id }) => id).filter((id) => id !== callId)).toEqual(rung);
    sw.answer(rung[0] ?? 'no phone rings');
    await pass(1000);
    sw.hangUp(callId);
    await expectNothingLeft();
    expect(cdrs()).toMatchObject([{ disposition: 'answered', reconstructed: true, legs: [{ disposition: 'answered' }] }]);
  });

  it('is nothing where it cannot be compiled, and the call goes on', async () => {
    const said: string[] = [];
    const controller = await start({ transition: asks, log: { ...silent, error: (_, sentence) => { said.push(sentence); } }, planExtension: () => { throw new Error('a bug'); } });
    const callId = await connectedCall();
    sw.press(callId, '1');
    await pass(100);
    expect(controller.calls()).toMatchObject([{ phase: 'connected', planning: null }]);
    expect(said).toEqual(['The way to an extension could not be compiled']);
  });
});

describe('When the link to the switch is lost', () => {
  it('a connected call goes on, and ends with one record', async () => {
    const controller = await start();
    const callId = await connectedCall();
    sw.cut('frontdesk-a');
    await pass(3000);
    sw.restore('frontdesk-a');
    await pass(3000);
    await controller.settled();
    expect(controller.calls().map((call) => call.phase)).toEqual(['connected']);
    sw.hangUp(callId);
    await expectNothingLeft();
    expect(cdrs().map((cdr) => cdr.disposition)).toEqual(['answered']);
  });

  it('a caller who leaves meanwhile is on record once', async () => {
    await start();
    const callId = await connectedCall();
    sw.cut('frontdesk-a');
    await pass(500);
    sw.hangUp(callId);
    await pass(500);
    sw.restore('frontdesk-a');
    await pass(5000);
    await expectNothingLeft();
    expect(cdrs()).toHaveLength(1);
    expect(clock.armed()).toBe(0);
  });
});

describe('When the controller dies and starts again', () => {
  for (const [what, forget] of [
    ['with its journals', () => {}],
    ['with Redis emptied', () => { live.clear(); }],
    ['with every journal lost', (callId: string) => { live.clear(); archive.truncate(callId, 0); }],
  ] as const) {
    it(`${what}, a connected call goes on and has one record`, async () => {
      await start();
      const callId = await connectedCall();
      sw.kill('frontdesk-a');
      forget(callId);
      const controller = await start();
      await controller.settled();
      expect(controller.calls().map((call) => call.phase)).toEqual(['connected']);
      sw.hangUp(callId);
      await expectNothingLeft();
      expect(cdrs().filter((cdr) => cdr.callId === callId && cdr.disposition === 'answered')).toHaveLength(1);
    });
  }

  it('at any point of the journal, the call ends with one record', async () => {
    for (let length = 0; length < 20; length++) {
      clock = createVirtualClock();
      sw = createSimulatedSwitch({ clock });
      live = memoryJournals();
      archive = memoryArchive();
      await start();
      const callId = await connectedCall();
      sw.kill('frontdesk-a');
      live.truncate(callId, length);
      archive.truncate(callId, length);
      const controller = await start();
      expect(controller.calls().map((call) => call.phase), `after ${length} records`).toEqual(['connected']);
      sw.hangUp(callId);
      await expectNothingLeft();
      expect(cdrs(), `after ${length} records`).toHaveLength(1);
    }
  });

  it('a call that ended meanwhile gets its record, from the archive when Redis is empty', async () => {
    await start();
    const callId = await connectedCall();
    sw.kill('frontdesk-a');
    live.clear();
    sw.hangUp(callId);
    await pass(1000);
    for (const leg of sw.legs()) sw.hangUp(leg.id);
    await start();
    await expectNothingLeft();
    expect(cdrs().map((cdr) => cdr.callId)).toEqual([callId]);
  });

  it('between a record and the close of its journal, no second record is made', async () => {
    await start();
    const callId = await connectedCall();
    const journal = await live.read(callId);
    sw.hangUp(callId);
    await pass(1000);
    sw.kill('frontdesk-a');
    for (const record of journal) live.append(callId, record);
    await start();
    await expectNothingLeft();
    expect(cdrs()).toHaveLength(1);
  });
});

it('A controller that stops leaves its calls on the switch and its clock still', async () => {
  const controller = await start();
  await connectedCall();
  const stopped = controller.stop();
  await pass(100);
  await stopped;
  expect(sw.legs()).toHaveLength(2);
  expect(controller.health().commandsInFlight).toBe(0);
});

it('A call that is offered to a controller that has just stood still is served as soon as it is known that nothing was lost', async () => {
  let stoodStill = 0;
  const shared = sharedOwners({ now: () => clock.now(), leaseMs });
  const controller = await start({
    driver: sw.driver('a'), ownership: shared.of('a'), clock: { now: () => clock.now(), monotonic: () => clock.monotonic() + stoodStill, setTimer: (at, fn) => clock.setTimer(at, fn) },
  });
  await pass(6000);
  stoodStill += 900;
  const callId = sw.call(inbound);
  await pass(1000);
  expect(controller.calls().map(({ id }) => id)).toEqual([callId]);
  expect(sw.legs().map(({ id }) => id)).toHaveLength(2);
  sw.hangUp(callId);
  await expectNothingLeft();
  expect(cdrs()).toHaveLength(1);
});
