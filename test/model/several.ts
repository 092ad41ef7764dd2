/**
 * A run with two controllers on one switch, in virtual time: processes are killed and started again, stop for a while and
 * go on, the store goes away and comes back with or without its memory, and its clock is set. Throws the first thing that must not be.
 */
import * as fc from 'fast-check';
import type { Cdr } from '../../control-plane/core/cdr/cdr.ts';
import { callIdOf, type CallId } from '../../control-plane/core/ids.ts';
import { transition as theTransition } from '../../control-plane/core/call/transition.ts';
import type { MediaDriver } from '../../control-plane/media/media-driver.ts';
import { createSimulatedSwitch } from '../../control-plane/media/simulated/switch.ts';
import type { Clock } from '../../control-plane/runtime/clock.ts';
import { createController, type Controller } from '../../control-plane/runtime/controller.ts';
import { leaseMs } from '../../control-plane/runtime/lease.ts';
import { memoryJournals } from '../../control-plane/store/memory-journals.ts';
import { occupancyOfAll } from '../../control-plane/store/memory-occupancy.ts';
import { sharedOwners } from '../../control-plane/store/memory-ownership.ts';
import { sharedTurns } from '../../control-plane/store/memory-turns.ts';
import type { CallArchive, JournalRecord, LiveJournals, Ownership } from '../../control-plane/store/ports.ts';
import { createMetrics } from '../../control-plane/telemetry/metrics.ts';
import { checkStep, checkSwitch, must } from './invariants.ts';
import { chanceOf, loseHeart, type ControllerLog } from './world.ts';
import { extensionOf, extensions, isLeaving, changerOf, partyOf, planOf, scenario, type Scenario } from './scenario.ts';
import { createVirtualClock, settled } from '../support/virtual-clock.ts';

const names = ['one', 'two'] as const;
type Name = (typeof names)[number];

export type Trouble =
  /** forgets: what it has written of its calls in the last moment is lost with it. */
  | { readonly atMs: number; readonly does: 'kill'; readonly whom: Name; readonly forMs: number; readonly forgets: boolean }
  /** Its process gets no time: nothing of it happens, its sockets fill. */
  | { readonly atMs: number; readonly does: 'stop'; readonly whom: Name; readonly forMs: number }
  | { readonly atMs: number; readonly does: 'link loss'; readonly whom: Name; readonly forMs: number }
  | { readonly atMs: number; readonly does: 'store away'; readonly forMs: number; readonly empty: boolean }
  | { readonly atMs: number; readonly does: 'store clock'; readonly byMs: number };

export interface Several {
  readonly calls: Scenario;
  readonly troubles: readonly Trouble[];
}

const whom = fc.constantFrom(...names);
const when = fc.integer({ min: 0, max: 25_000 });
const forMs = fc.constantFrom(100, 900, 1500, 3000, 10_000);
const trouble: fc.Arbitrary<Trouble> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ atMs: when, does: fc.constant('kill' as const), whom, forMs, forgets: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ atMs: when, does: fc.constant('stop' as const), whom, forMs }) },
  { weight: 1, arbitrary: fc.record({ atMs: when, does: fc.constant('link loss' as const), whom, forMs }) },
  { weight: 2, arbitrary: fc.record({ atMs: when, does: fc.constant('store away' as const), forMs, empty: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ atMs: when, does: fc.constant('store clock' as const), byMs: fc.constantFrom(-3_600_000, -2_000, 500, 850, 1_000, 3_600_000) }) },
);

/** What one controller can go through is the other model's matter: here no single request fails; queues over several controllers have tests of their own (test/runtime). */
export const several: fc.Arbitrary<Several> = fc.record({
  calls: scenario.map(({ queue: _queue, calledBack: _calledBack, ...one }): Scenario => ({ ...one, breaks: [], faults: { requests: 0, twice: 0, recordings: 0, prompts: false } })),
  troubles: fc.array(trouble, { minLength: 1, maxLength: 3 }),
});

/** All controllers are started and the store there for so long before the first call. */
const warmUpMs = 5_000;
/** What a journal may lack when its controller is killed. */
const journalMs = 200;
const callerPatienceMs = 90_000;
const overByMs = 400_000;

interface Process {
  readonly controller: Controller;
  kill(forgets: boolean): void;
  stop(): void;
  goOn(): void;
}

/** Faults put in on purpose: each is to be found by the model. */
export const faults = ['claims what another has', 'never notices that it was stopped', 'tells nobody of an end'] as const;
export type Fault = (typeof faults)[number];

export async function runSeveral({ calls: scene, troubles }: Several, fault?: Fault): Promise<void> {
  const clock = createVirtualClock();
  const sim = createSimulatedSwitch({ clock, chance: chanceOf(scene) });
  let storeJumped = 0;
  const storeNow = (): number => clock.now() + storeJumped;
  const shared = sharedOwners({ now: storeNow, leaseMs });
  const turns = sharedTurns({ now: storeNow });
  const occupancy = occupancyOfAll({ now: storeNow, lifeMs: leaseMs });
  const live = memoryJournals();
  const disks = new Map(names.map((name) => [name, createOwnDisk()]));
  const plan = planOf(scene);
  const errors: unknown[] = [];
  for (const i of scene.phones.keys()) sim.phone(partyOf(scene, i), scene.phones[i]?.script ?? []);
  for (const [i, party] of extensions.entries()) if (scene.wanted?.[i] !== undefined) sim.phone(party, scene.wanted[i]);
  /** Who had been put together in them were both gone when the switch was looked at: nothing is left that tells of it. */
  const goneUnseen = new Set<CallId>();
  const transition: typeof theTransition = (call, event, ctx) => {
    if (event.type === 'CallAdopted' && call.phase === 'connecting' && event.seen.caller === null && event.seen.legs.every(({ legId }) => legId !== call.winner)) goneUnseen.add(call.id);
    const after = theTransition(call, event, ctx);
    try {
      checkStep(call, event, after, sim);
    } catch (error) {
      errors.push(error);
    }
    return after;
  };

  let storeAway = false;
  /** Calls whose journal the store has from its beginning. */
  const remembered = new Set<CallId>();
  const unlessAway = <T>(act: () => Promise<T>): Promise<T> => (storeAway ? Promise.reject(new Error('The store is away.')) : act());
  const begin = (name: Name): Process => {
    let frozen: PromiseWithResolvers<void> | null = null;
    let alive = true;
    let [stoppedAt, stoppedFor] = [0, 0];
    /** What reaches a process that gets no time waits for it; one that is dead never hears of it. */
    const gate = async <T>(answer: Promise<T>): Promise<T> => {
      const outcome = await answer.then((value) => () => value, (error: unknown) => () => { throw error; });
      // stopped again while it waited: the next thing waits then
      if (frozen !== null) await frozen.promise;
      if (!alive) await new Promise(() => undefined);
      return outcome();
    };
    const late: (() => void)[] = [];
    const inTime = (act: () => void): void => {
      if (!alive) return;
      if (frozen === null) act();
      else late.push(act);
    };
    const driver = sim.driver(name);
    const gated: MediaDriver = {
      ...driver,
      start: (handlers) => gate(driver.start({
        onOffer: (offer) => { inTime(() => { handlers.onOffer(offer); }); },
        onLegEvent: (callId, event) => { inTime(() => { handlers.onLegEvent(callId, event); }); },
        onLink: (state, reason) => { inTime(() => { handlers.onLink(state, reason); }); },
      })),
      execute: (command) => gate(driver.execute(command)),
      snapshot: (only) => gate(driver.snapshot(only)),
      adopt: (callId, snapshot) => gate(driver.adopt(callId, snapshot)),
    };
    const owners = shared.of(name);
    const occupants = occupancy.of(name);
    const ownership: Ownership = {
      ...owners,
      renew: (token) => gate(owners.renew(token)),
      claim: (token, calls) => gate(fault === 'claims what another has' ? Promise.resolve({ mine: new Set(calls.map(({ callId }) => callId)), over: new Set<CallId>(), settled: true }) : owners.claim(token, calls)),
      take: (token, from, atMost) => gate(owners.take(token, from, atMost)),
      end: (callId) => { if (fault !== 'tells nobody of an end') owners.end(callId); },
    };
    /** As in store/redis: what could not be read is not continued. */
    const unread = new Set<CallId>();
    const journals: LiveJournals = {
      ...live,
      append: (callId, record) => {
        // nor is one whose beginning the store has forgotten
        if (!unread.has(callId) && (record.kind === 'opened' || remembered.has(callId))) {
          remembered.add(callId);
          live.append(callId, record);
        }
      },
      takeUp: (callId) => gate(unlessAway(() => live.takeUp(callId)).catch((error: unknown) => {
        unread.add(callId);
        throw error;
      })), list: () => gate(unlessAway(() => live.list())),
    };
    const own: Clock = {
      now: () => clock.now(),
      monotonic: () => clock.monotonic() - (fault === 'never notices that it was stopped' ? stoppedFor : 0),
      setTimer: (at, fn) => {
        const cancel = clock.setTimer(at, () => { inTime(() => { if (!cancelled) fn(); }); });
        let cancelled = false;
        return () => {
          cancelled = true;
          cancel();
        };
      },
    };
    const log: ControllerLog = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: (fields, sentence) => { if (alive && bugs.test(sentence)) errors.push(new Error(`${name}: ${sentence} ${JSON.stringify(fields)}`)); } };
    const controller = createController({
      driver: gated, clock: own, live: journals, archive: archiveOn(disks.get(name) ?? createOwnDisk()), ownership, compilePlan: () => plan, planExtension: ({ stepsTaken }, asked) => extensionOf(scene, asked, stepsTaken), changeSetting: (call, setting, note) => gate(changerOf(scene, clock)(call, setting, note)), log, metrics: createMetrics(), controller: name, transition,
      turns: { take: (group, asker, lastSeen) => gate(turns.take(group, asker, lastSeen)) },
      occupancy: { exchange: (told, asked) => gate(occupants.exchange(told, asked)) },
    });
    controller.start().catch((error: unknown) => errors.push(error));
    return {
      controller,
      kill: (forgets) => {
        alive = false;
        sim.kill(name);
        owners.stop();
        if (!forgets) return;
        for (const { id } of controller.calls()) {
          const journals = disks.get(name)?.journals;
          const kept = (journals?.get(id) ?? []).filter(({ at }) => at <= clock.now() - journalMs);
          // Nobody knows of a call of which nothing is kept.
          if (kept.length === 0) journals?.delete(id);
          else journals?.set(id, kept);
          live.truncate(id, kept.length);
        }
      },
      stop: () => {
        if (frozen === null) stoppedAt = clock.now();
        frozen ??= Promise.withResolvers<void>();
      },
      goOn: () => {
        if (frozen !== null) stoppedFor += clock.now() - stoppedAt;
        const waited = frozen;
        frozen = null;
        for (const act of late.splice(0)) act();
        waited?.resolve();
      },
    };
  };

  /** All who were ever put together, by bridge. */
  const pairs = new Map<string, readonly string[]>();
  const processes = new Map<Name, Process | null>(names.map((name) => [name, begin(name)]));
  const elapsed = async (ms: number): Promise<void> => {
    const until = clock.now() + ms;
    // time passes with nobody alive, too
    clock.setTimer(until, () => undefined);
    for (;;) {
      await settled();
      if (errors.length > 0) throw errors[0];
      for (const { id } of calls) {
        checkSwitch(sim, id, plan);
        for (const bridge of sim.bridgesOf(id)) if (bridge.legIds.length === 2) pairs.set(bridge.id, bridge.legIds);
      }
      if (!clock.step(until)) break;
    }
  };
  const calls: { readonly id: CallId }[] = [];
  await elapsed(warmUpMs);

  const arrive = (script: Scenario['caller']): void => {
    const phone = scene.phonesCall === true ? { phone: `c${calls.length}` } : {};
    const id = sim.call({ from: '+15550100', to: '+15550001', name: 'Ann', script, ...phone });
    calls.push({ id });
    clock.setTimer(clock.now() + callerPatienceMs, () => { loseHeart(sim, id); });
  };
  arrive(scene.caller);
  for (const { afterMs, caller } of scene.more ?? []) clock.setTimer(clock.now() + afterMs, () => { arrive(caller); });
  const hurt = (one: Trouble): void => {
    if (one.does === 'store away') {
      storeAway = true;
      for (const store of [shared, turns, occupancy]) store.away();
      clock.setTimer(clock.now() + one.forMs, () => {
        storeAway = false;
        if (one.empty) {
          live.clear();
          remembered.clear();
        }
        for (const store of [shared, turns, occupancy]) store.back({ empty: one.empty });
      });
      return;
    }
    if (one.does === 'store clock') {
      storeJumped += one.byMs;
      return;
    }
    const process = processes.get(one.whom);
    if (process === null || process === undefined) return;
    if (one.does === 'kill') {
      process.kill(one.forgets);
      processes.set(one.whom, null);
      clock.setTimer(clock.now() + one.forMs, () => { processes.set(one.whom, begin(one.whom)); });
    } else if (one.does === 'stop') {
      process.stop();
      clock.setTimer(clock.now() + one.forMs, () => { process.goOn(); });
    } else {
      sim.cut(one.whom);
      clock.setTimer(clock.now() + one.forMs, () => { sim.restore(one.whom); });
    }
  };
  for (const one of troubles) clock.setTimer(clock.now() + one.atMs, () => { hurt(one); });

  for (let waited = 0; waited < overByMs; waited += 5_000) {
    await elapsed(5_000);
    const busy = [...processes.values()].some((process) => process === null || process.controller.calls().length > 0);
    if (waited > 30_000 && !busy && Object.values(sim.leftovers()).flat().length === 0) break;
  }
  // journals of calls that another had are asked about ever more seldom
  await elapsed(700_000);
  checkOver();

  function checkOver(): void {
    const left = Object.values(sim.leftovers()).flat();
    must(left.length === 0, 'nothing is left on the switch', left);
    for (const [name, process] of processes) must((process?.controller.calls() ?? []).length === 0, 'no call is kept in memory', { name, calls: process?.controller.calls().map(({ phase }) => phase) });
    const cdrs = [...disks.values()].flatMap(({ cdrs: own }) => own);
    const mayForget = troubles.some((one) => one.does === 'store away' || (one.does === 'kill' && one.forgets));
    for (const { id } of calls) {
      const records = cdrs.filter(({ callId }) => callId === id);
      must(records.length <= 1, 'a call has one record', { id, records: records.length });
      const begun = [...disks.values()].some(({ journals }) => journals.has(id));
      must(records.length === 1 || !begun, 'a call that a controller had has a record', { id });
      const talked = [...pairs].flatMap(([bridge, pair]) => (callIdOf(bridge) === id ? pair : []));
      for (const { answeredBy } of records) {
        must(answeredBy === null || talked.includes(answeredBy), 'a record names one who talked', { id, answeredBy, talked });
        must(answeredBy !== null || talked.length === 0 || mayForget || goneUnseen.has(id), 'who talked is on record', { id, talked });
      }
    }
    // Who did not run in time, or could not ask, counted alone; and a call that a menu leads to the group again takes another turn there.
    if (scene.pattern === 'round-robin' && scene.menu?.again !== true && troubles.every((one) => (one.does === 'kill' && !one.forgets) || one.does === 'link loss')) checkEvenness(cdrs);
    for (const pair of pairs.values()) {
      const hungUp = pair.some((legId) => sim.acts().some((act) => act.legId === legId && isLeaving(act)));
      must(hungUp, 'who talks goes on talking, whatever becomes of the controllers', pair);
    }
  }
}

/** Of the destinations of a group, each came first as often as any other. */
function checkEvenness(cdrs: readonly Cdr[]): void {
  const told = cdrs.flatMap(({ orders }) => orders.slice(-1)).map(({ order }) => order);
  const first = new Map(told.flatMap((order) => order.map((id) => [id, told.filter(([one]) => one === id).length])));
  must(Math.max(0, ...first.values()) - Math.min(...first.values()) <= 1 || first.size === 0, 'turns come round evenly', [...first]);
}

/** What a controller says only of a bug of its own. */
const bugs = /was released|could not be taken over|could not be closed|replays differently|broke its promise|A second record/;

interface OwnDisk {
  readonly journals: Map<CallId, JournalRecord[]>;
  readonly cdrs: Cdr[];
  readonly elsewhere: Set<CallId>;
}

function createOwnDisk(): OwnDisk {
  return { journals: new Map(), cdrs: [], elsewhere: new Set() };
}

/** Of one controller, over its restarts. */
function archiveOn(disk: OwnDisk): CallArchive {
  const hasCdr = (callId: CallId): boolean => disk.cdrs.some((cdr) => cdr.callId === callId);
  const gone = new Set<CallId>();
  return {
    append: (callId, record) => {
      gone.delete(callId);
      disk.journals.set(callId, [...(disk.journals.get(callId) ?? []), record]);
    },
    read: (callId) => Promise.resolve(gone.has(callId) ? [] : [...(disk.journals.get(callId) ?? [])]),
    listOpen: () => Promise.resolve([...disk.journals.keys()].filter((callId) => !hasCdr(callId) && !gone.has(callId))),
    writeCdr: (cdr) => {
      disk.cdrs.push(cdr);
      return Promise.resolve();
    },
    hasCdr: (callId) => Promise.resolve(hasCdr(callId)),
    letGo: (callId) => {
      gone.add(callId);
      disk.elsewhere.add(callId);
    },
    flush: () => Promise.resolve(),
  };
}
