/** Several controllers on one switch: what one does of a call that is, or is about to be, another's. */
import { beforeEach, expect, it } from 'vitest';
import { healthy } from '../../control-plane/media/simulated/chance.ts';
import { createSimulatedSwitch } from '../../control-plane/media/simulated/switch.ts';
import { createController, type Controller, type ControllerOptions } from '../../control-plane/runtime/controller.ts';
import { leaseMs } from '../../control-plane/runtime/lease.ts';
import { memoryArchive, memoryJournals, type MemoryJournals } from '../../control-plane/store/memory-journals.ts';
import { sharedOwners } from '../../control-plane/store/memory-ownership.ts';
import { createMetrics } from '../../control-plane/telemetry/metrics.ts';
import { createVirtualClock, type VirtualClock } from '../support/virtual-clock.ts';
import { onePhonePlan, silent } from './sample-call.ts';

let clock: VirtualClock;
let live: MemoryJournals;

beforeEach(() => {
  clock = createVirtualClock();
  live = memoryJournals();
});

const pass = (ms: number): Promise<void> => clock.pass(ms);
const inbound = { from: '+15559870001', to: '+15551230000' };

async function start(options: Pick<ControllerOptions, 'controller' | 'driver'> & Partial<ControllerOptions>): Promise<Controller> {
  const controller = createController({ clock, live, archive: memoryArchive(), metrics: createMetrics(), log: silent, compilePlan: () => onePhonePlan, ...options });
  const started = controller.start();
  await pass(100);
  await started;
  return controller;
}

it.each(['stood still', 'could not reach Redis'])('A call that is being taken over is left alone when who takes it %s meanwhile, and another has it', async (how) => {
  const sw = createSimulatedSwitch({ clock });
  await start({ controller: 'a', driver: sw.driver('a') });
  const callId = sw.call(inbound);
  await pass(500);
  sw.kill('a');
  let [stoodStill, token, lapses, taken, isOurs] = [0, 1, false, false, false];
  const adopting = Promise.withResolvers<undefined>();
  const executed: string[] = [];
  const driver = sw.driver('b');
  const controller = await start({
    controller: 'b',
    driver: {
      ...driver,
      adopt: async (id, snapshot) => {
        await adopting.promise;
        await driver.adopt(id, snapshot);
      },
      execute: (command) => {
        executed.push(command.type);
        return driver.execute(command);
      },
    },
    clock: { now: () => clock.now(), monotonic: () => clock.monotonic() + stoodStill, setTimer: (at, fn) => clock.setTimer(at, fn) },
    ownership: {
      renew: async (given) => {
        if (lapses && given !== null) return { held: false, why: 'lapsed' };
        if (given === null) token += 1;
        lapses = false;
        return { held: true, token, leads: true, others: ['c'], lapsed: taken ? [] : ['a'], storeAt: clock.now() };
      },
      take: async () => {
        if (taken) return [];
        [taken, isOurs] = [true, true];
        return [callId];
      },
      claim: async (_token, calls) => ({ mine: new Set(isOurs ? calls.map((call) => call.callId) : []), over: new Set(), settled: true }),
      list: async () => [], orphans: async () => 0, leave: async () => undefined,
      begin: () => undefined, end: () => undefined, giveBack: () => undefined, lose: () => undefined, stop: () => undefined,
    },
  });
  await pass(5 * leaseMs);
  expect([taken, controller.call(callId)?.phase]).toEqual([true, 'ringing']);
  [lapses, isOurs] = [true, false];
  if (how === 'stood still') stoodStill += 2 * leaseMs;
  await pass(leaseMs);
  executed.length = 0;
  adopting.resolve(undefined);
  await pass(10_000);
  expect([executed, controller.call(callId)]).toEqual([[], undefined]);
});

it('A call that another controller begins while the switch is looked at is not ended, though its journal is known before its owner', async () => {
  const sw = createSimulatedSwitch({ clock, chance: { ...healthy, pick: (n) => n - 1 } });
  const shared = sharedOwners({ now: () => clock.now(), leaseMs });
  let begun: string | null = null;
  let begins = false;
  const driver = sw.driver('a');
  const looks = await start({
    controller: 'a', ownership: shared.of('a'),
    driver: {
      ...driver,
      snapshot: async (only) => {
        const seen = await driver.snapshot(only);
        if (begins && begun === null) {
          begun = sw.call(inbound);
          await clock.pass(100);
        }
        return seen;
      },
    },
  });
  // What a controller begins is noted soon, and not at once.
  const other = await start({ controller: 'b', driver: sw.driver('b'), ownership: { ...shared.of('b'), begin: () => undefined } });
  await pass(6 * leaseMs);
  begins = true;
  void looks.reconcileNow();
  await pass(1000);
  expect([begun !== null, other.calls().map(({ id, phase }) => [id, phase]), sw.legs()]).toEqual([true, [[begun, 'ringing']], [expect.anything(), expect.anything()]]);
  expect(looks.calls()).toEqual([]);
});
