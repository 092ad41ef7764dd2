/**
 * One run of a scenario: the real core and runtime on a simulated switch, in virtual time, until nothing happens any
 * more. Throws the first invariant that breaks. Same scenario, same run.
 */
import { ownedId } from '../../control-plane/core/ids.ts';
import type { Call } from '../../control-plane/core/call/call.ts';
import type { LegEvent, Offer } from '../../control-plane/core/call/events.ts';
import type { Plan } from '../../control-plane/core/routing/plan.ts';
import { supervisionNumber, supervisionPlan } from '../../control-plane/core/routing/supervision.ts';
import { hour } from '../../control-plane/core/time.ts';
import { transition as theTransition } from '../../control-plane/core/call/transition.ts';
import type { Chance } from '../../control-plane/media/simulated/chance.ts';
import { createSimulatedSwitch, type SimulatedSwitch } from '../../control-plane/media/simulated/switch.ts';
import { createController, type Controller } from '../../control-plane/runtime/controller.ts';
import { sharedTurns } from '../../control-plane/store/memory-turns.ts';
import type { Turns } from '../../control-plane/store/ports.ts';
import { createMetrics } from '../../control-plane/telemetry/metrics.ts';
import { checkEnd, checkLateOrder, checkLateTimers, checkStep, checkSwitch, must } from './invariants.ts';
import { extensionOf, extensions, isLeaving, changerOf, offerRing, partyOf, planOf, type Break, type Scenario, type ScenarioSupervisor } from './scenario.ts';
import { moodyDesk, type MoodyDesk } from './moody-desk.ts';
import { createDisk, storesOf, truncate } from './stores.ts';
import { createVirtualClock, settled, type VirtualClock } from '../support/virtual-clock.ts';

/** Visits by phase and event, over all runs. */
export type Visits = Map<string, number>;

/** By then the caller has hung up in any case, and a minute later everything must be over. */
const callerPatienceMs = 90_000;
const longPatienceMs = 400_000;
const quietByMs = 1_200_000;

export async function run(scenario: Scenario, visits: Visits = new Map()): Promise<void> {
  const clock = createVirtualClock();
  const sim = createSimulatedSwitch({ clock, chance: chanceOf(scenario) });
  const disk = createDisk();
  const plan = planOf(scenario);
  /** Of calls that have one of their own. */
  const plans = new Map<string, Plan>();
  const armedOnce = new Set<string>();
  const errors: unknown[] = [];
  for (const i of scenario.phones.keys()) sim.phone(partyOf(scenario, i), scenario.phones[i]?.script ?? []);
  for (const [i, party] of extensions.entries()) if (scenario.wanted?.[i] !== undefined) sim.phone(party, scenario.wanted[i]);
  if (scenario.calledBack !== undefined) sim.phone('+15550100', scenario.calledBack);
  if (scenario.faults.prompts) for (const media of ['sound:whisper', 'sound:press', 'sound:greeting', ...(scenario.seed % 2 === 0 ? ['sound:recorded'] : [])]) sim.breakMedia(media);

  const checked: typeof theTransition = (call, event, ctx) => {
    const cell = `${call.phase} ${event.type}`;
    visits.set(cell, (visits.get(cell) ?? 0) + 1);
    const after = theTransition(call, event, ctx);
    for (const one of after.commands) if (one.type === 'StartTimer') armedOnce.add(one.id);
    // A call's end is over in milliseconds: what comes late in just those is sent there on purpose.
    if (after.call.phase === 'ending' && call.phase !== 'ending' && scenario.seed % 4 === 0) for (const one of strays(call.id)) sim.stray(one);
    try {
      checkStep(call, event, after, sim);
      checkLateTimers(theTransition, after.call, armedOnce, ctx.now);
      checkLateOrder(theTransition, after.call, ctx.now);
    } catch (error) {
      errors.push(error);
    }
    return after;
  };

  const turns = turnsOf(clock, chanceOf({ ...scenario, seed: scenario.seed + 1 }), scenario.faults);
  const desk = moodyDesk({
    clock, chance: chanceOf({ ...scenario, seed: scenario.seed + 2 }), agents: scenario.phones.length, patienceMs: scenario.queue?.patienceMs ?? 0, lost: scenario.faults.requests,
    rings: (i) => offerRing(scenario, i),
    say: (callId, said) => { process?.controller.deliver(callId, { type: 'DeskSaid', said }); },
  });
  const begin = (): Process => startController(clock, sim, disk, ({ callId }) => plans.get(callId) ?? plan, scenario, checked, errors, turns, desk);
  let process: Process | null = begin();
  await settled();
  const calls: { readonly id: string; together: number; talkedMs: number }[] = [];
  const arrive = (script: Scenario['caller']): void => {
    const phone = scenario.phonesCall === true ? { phone: `c${calls.length}` } : {};
    const id = sim.call({ from: '+15550100', to: '+15550001', name: 'Ann', script, ...phone });
    calls.push({ id, together: 0, talkedMs: 0 });
    clock.setTimer(clock.now() + (scenario.faults.prompts ? longPatienceMs : callerPatienceMs), () => loseHeart(sim, id));
  };
  /** Who is rung for it has picked up: it is a call of their phone. */
  const supervise = ({ mode, of, does, asks }: ScenarioSupervisor): void => {
    const callId = calls[0]?.id ?? '';
    const talks = sim.bridgesOf(callId).flatMap(({ legIds }) => legIds).find((legId) => legId !== callId);
    const id = sim.call({ from: '+15550109', to: supervisionNumber, phone: 'boss', script: does });
    plans.set(id, supervisionPlan(plan.account, { callId, legId: of === 'caller' ? callId : (talks ?? callId), mode, by: 'key' }, 600_000));
    calls.push({ id, together: 0, talkedMs: 0 });
    clock.setTimer(clock.now() + callerPatienceMs, () => { loseHeart(sim, id); });
    for (const { afterMs, mode: asked } of asks) clock.setTimer(clock.now() + afterMs, () => { process?.controller.deliver(id, { type: 'ModeAsked', mode: asked }); });
  };
  arrive(scenario.caller);
  const hears = scenario.supervisor;
  if (hears !== undefined) clock.setTimer(clock.now() + hears.afterMs, () => { supervise(hears); });
  for (const { afterMs, caller } of scenario.more ?? []) clock.setTimer(clock.now() + afterMs, () => arrive(caller));

  let journalCut = false;
  let outages = 0;
  const pairs: (readonly string[])[] = [];
  const hurt = (one: Break): void => {
    // A supervision ends with who is supervised.
    for (const { id } of calls) if (!plans.has(id)) for (const bridge of sim.bridgesOf(id)) if (bridge.legIds.length === 2) pairs.push(bridge.legIds);
    if (one.does === 'late timer') {
      for (const call of process?.controller.calls() ?? []) checkLateTimers(theTransition, call, armedOnce, clock.now());
      for (const { id } of calls) for (const event of strays(id)) sim.stray(event);
    } else if (one.does === 'link loss') {
      if (process === null) return;
      outages++;
      const lost = process;
      sim.cut('one');
      clock.setTimer(clock.now() + one.forMs, () => {
        if (process !== lost) return;
        outages--;
        if (outages === 0) sim.restore('one');
      });
    } else if (process !== null) {
      process.die();
      process = null;
      if (one.keep !== 'all') {
        journalCut = true;
        truncate(disk, one.keep);
      }
      // A new process finds the network as it is: whole.
      clock.setTimer(clock.now() + one.forMs, () => {
        outages = 0;
        process = begin();
      });
    }
  };
  for (const one of scenario.breaks) clock.setTimer(clock.now() + one.atMs, () => hurt(one));

  const startedAt = clock.now();
  while (clock.now() - startedAt < quietByMs) {
    await settled();
    if (errors.length > 0) throw errors[0];
    const talking = calls.filter((call) => {
      checkSwitch(sim, call.id, plans.get(call.id) ?? plan);
      const both = sim.bridgesOf(call.id).some((bridge) => bridge.legIds.length === 2) && process !== null && outages === 0;
      if (!both) call.together = 0;
      else if (call.together === 0) call.together = clock.now();
      return both;
    });
    if (!clock.step()) break;
    for (const call of talking) call.talkedMs = Math.max(call.talkedMs, clock.now() - call.together);
  }
  await settled();
  if (errors.length > 0) throw errors[0];
  must(clock.armed() === 0, 'no timer outlives the call', { armed: clock.armed() });
  must((process?.controller.calls() ?? []).length === 0, 'no call is kept in memory', process?.controller.calls().map((call: Call) => call.phase));
  for (const given of turns.given.values()) must(given.size === 1, 'a call that asks again whose turn it is has the same turn', [...given]);
  for (const { id, talkedMs } of calls) checkEnd(sim, disk, id, plans.get(id) ?? plan, { journalCut, talkedMs, unsure: scenario.faults.requests > 0 || scenario.faults.twice > 0 });
  if (scenario.faults.requests === 0) for (const pair of pairs) checkNotDropped(sim, pair);
}

/** The caller hangs up; where they have transferred who they had called, whoever is there does, and goes on doing so. */
export function loseHeart(sim: SimulatedSwitch, callId: string): void {
  if (sim.leg(callId) !== undefined) sim.hangUp(callId);
  else for (const leg of sim.legs()) if (leg.callId === callId) sim.hangUp(leg.id);
}

/** Of an earlier bridge and an earlier recording, a hold that was over, and a transfer. */
function strays(callId: string): readonly LegEvent[] {
  const [bridgeId, recordingId, callRecording] = [ownedId(callId, 'b', 9999), ownedId(callId, 'r', 9999), ownedId(callId, 'c', 9999)];
  return [
    { type: 'LegBridged', legId: callId, bridgeId },
    { type: 'LegUnbridged', legId: callId, bridgeId },
    { type: 'RecordingStarted', recordingId },
    { type: 'RecordingFinished', recordingId, durationMs: 1 },
    { type: 'RecordingFailed', recordingId },
    { type: 'RecordingStarted', recordingId: callRecording },
    { type: 'RecordingFinished', recordingId: callRecording, durationMs: 1 },
    { type: 'LegHeld', legId: callId },
    { type: 'LegUnheld', legId: callId },
    { type: 'TransferAsked', legId: callId, to: 'nobody' },
  ];
}

/** Who talks when the controller is lost goes on talking: a call ends for one because the other hung up. */
function checkNotDropped(sim: SimulatedSwitch, pair: readonly string[]): void {
  const hungUp = pair.some((legId) => sim.acts().some((act) => act.legId === legId && isLeaving(act)));
  must(hungUp, 'a call that is connected outlives the loss of its controller', pair);
}

interface Process {
  readonly controller: Controller;
  die(): void;
}

/** Whose turn it is, as a store tells it: soon, late or not at all. */
function turnsOf(clock: VirtualClock, chance: Chance, faults: Scenario['faults']): Turns & { readonly given: ReadonlyMap<string, ReadonlySet<number>> } {
  const shared = sharedTurns({ now: () => clock.now(), rememberMs: hour });
  const given = new Map<string, Set<number>>();
  return {
    given,
    take: async (group, asker, lastSeen) => {
      const turn = await shared.take(group, asker, lastSeen);
      given.set(asker, (given.get(asker) ?? new Set()).add(turn));
      const afterMs = chance.pick(100) < faults.requests ? chance.pick(500) : chance.pick(4) > 0 ? 110 + chance.pick(38) : chance.delayMs('reply');
      await new Promise<void>((resolve) => { clock.setTimer(clock.now() + afterMs, resolve); });
      if (chance.pick(100) < faults.requests) throw new Error('The store is away.');
      return turn;
    },
  };
}

/** What a controller says only of a bug of its own; a lost link is none. */
const bugs = /was released|could not be taken over|could not be closed|replays differently|broke its promise/;
export type ControllerLog = Parameters<typeof createController>[0]['log'];
const silence = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

function startController(clock: VirtualClock, sim: SimulatedSwitch, disk: ReturnType<typeof createDisk>, compilePlan: (offer: Offer) => Plan, scenario: Scenario, transition: typeof theTransition, errors: unknown[], turns: Turns, desk: MoodyDesk): Process {
  let alive = true;
  const timers = new Set<() => void>();
  const log = { ...silence, error: (fields: object, sentence: string) => { if (alive && bugs.test(sentence)) errors.push(new Error(`${sentence} ${JSON.stringify(fields)}`)); } };
  const controller = createController({
    ...storesOf(disk, () => alive),
    driver: sim.driver('one'),
    clock: {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      setTimer(at, fn) {
        if (!alive) return () => {};
        const cancel = clock.setTimer(at, () => {
          timers.delete(cancel);
          fn();
        });
        timers.add(cancel);
        return cancel;
      },
    },
    compilePlan,
    planExtension: ({ stepsTaken }, asked) => extensionOf(scenario, asked, stepsTaken),
    changeSetting: changerOf(scenario, clock),
    callbacks: {
      keep: () => new Promise((resolve) => { clock.setTimer(clock.now() + 1 + (scenario.seed % 700), () => { resolve(scenario.queue?.callback === 'kept'); }); }),
      drop: () => undefined,
    },
    onDesk: ({ id }, message) => { if (alive) desk.hears(id, message); },
    turns,
    log,
    metrics: createMetrics(),
    controller: 'one',
    transition,
  });
  controller.start().catch((error: unknown) => errors.push(error));
  return {
    controller,
    die() {
      alive = false;
      sim.kill('one');
      for (const cancel of timers) cancel();
    },
  };
}

/** Draws from the scenario's seed (mulberry32), so that a run can be repeated. */
export function chanceOf({ seed, jitterMs, faults }: Scenario): Chance {
  let state = seed | 0;
  let refusedBridges = 0;
  const draw = (below: number): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * below);
  };
  const perCent = (share: number): boolean => share > 0 && draw(100) < share;
  return {
    delayMs: () => 1 + draw(jitterMs),
    pick: draw,
    failure: (command) => {
      if (!perCent(faults.requests)) return null;
      const drawn = (['rejected', 'not-ready', 'timeout', 'gone'] as const)[draw(4)] ?? 'rejected';
      if (command.type !== 'DestroyBridge') return { error: drawn, carriedOut: drawn === 'timeout' && draw(2) === 0 };
      // Nothing but a request ends a bridge: a switch that refused for ever, or denied it, would keep it for ever.
      refusedBridges++;
      if (refusedBridges > 4) return null;
      const error = drawn === 'gone' ? 'rejected' : drawn;
      return { error, carriedOut: error === 'timeout' && draw(2) === 0 };
    },
    again: () => (perCent(faults.twice) ? draw(draw(2) === 0 ? 500 : 20_000) : null),
    recordingFails: () => perCent(faults.recordings),
    // Now and then one that never seems to end.
    promptMs: (media) => (faults.prompts && perCent(10) ? 250_000 : (media.startsWith('tone:') ? 200 : 800) + draw(1500)),
    speechMs: () => draw(30_000),
  };
}
