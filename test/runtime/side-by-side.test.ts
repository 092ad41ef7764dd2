/** Two switches behind one controller: what is on each stays there, and what is away is neither ended nor forgotten. */
import { beforeEach, describe, expect, it } from 'vitest';
import { ownedId } from '../../control-plane/core/ids.ts';
import type { Cdr } from '../../control-plane/core/cdr/cdr.ts';
import { SwitchRefusedError, type CommandResult, type MediaDriver } from '../../control-plane/media/media-driver.ts';
import { composeDrivers, type Side, type SideBySide } from '../../control-plane/media/side-by-side/compose-drivers.ts';
import { createSimulatedSwitch, type SimulatedSwitch } from '../../control-plane/media/simulated/switch.ts';
import { createController, type Controller } from '../../control-plane/runtime/controller.ts';
import { memoryArchive, memoryJournals, type MemoryArchive, type MemoryJournals } from '../../control-plane/store/memory-journals.ts';
import { createMetrics } from '../../control-plane/telemetry/metrics.ts';
import { until } from '../support/until.ts';
import { createVirtualClock, type VirtualClock } from '../support/virtual-clock.ts';
import { onePhonePlan, silent } from './sample-call.ts';

const names = ['left', 'right'] as const;
type Name = (typeof names)[number];
const warnings: string[] = [];
const log = { warn: (_: unknown, message: string): void => void warnings.push(message) };
const phases = (controller: Controller): Readonly<Record<string, string>> => Object.fromEntries(controller.calls().map(({ id, phase }) => [id, phase]));

describe('A controller with two switches', () => {
  let clock: VirtualClock;
  let switches: Record<Name, SimulatedSwitch>;
  let live: MemoryJournals;
  let archive: MemoryArchive;
  const inbound = { from: '+15559870001', to: '+15551230000' };
  const pass = (ms: number): Promise<void> => clock.pass(ms);
  const cdrs = (): readonly Cdr[] => archive.cdrs();

  beforeEach(() => {
    clock = createVirtualClock();
    switches = { left: createSimulatedSwitch({ clock, name: 'left' }), right: createSimulatedSwitch({ clock, name: 'right' }) };
    live = memoryJournals();
    archive = memoryArchive();
    refusing.clear();
    warnings.length = 0;
  });

  /** Which of them say nothing of their calls. */
  const refusing = new Set<Name>();
  /** No phone of this name is registered with any. */
  const elsewhere = 'desk-2';
  const driverOf = (name: Name, instance: string): MediaDriver => {
    const driver = switches[name].driver(instance);
    return {
      ...driver,
      snapshot: (only) => (refusing.has(name) ? Promise.reject(new Error('It does not answer.')) : driver.snapshot(only)),
      execute: (command) => (command.type === 'OriginateLeg' && command.target.kind === 'device' && command.target.device === elsewhere
        ? Promise.resolve({ ok: false, error: 'rejected', mayHaveReachedCarrier: false, detail: 'The phone is not registered.' }) : driver.execute(command)),
    };
  };
  const composed = (instance: string, over: Partial<Record<Name, string>> = {}, againMs = 5): SideBySide<Side> => composeDrivers(
    names.map((name): Side => ({ name, driver: driverOf(name, instance), names: (id) => id.startsWith(`${name}-`), ...(over[name] === undefined ? {} : { over: over[name] }) })), { log, againMs },
  );
  const start = async (instance = 'a', driver = composed(instance)): Promise<Controller> => {
    const controller = createController({ driver, clock, live, archive, metrics: createMetrics(), log: silent, controller: instance, compilePlan: () => onePhonePlan });
    const started = controller.start();
    await pass(100);
    await started;
    return controller;
  };
  const connected = async (name: Name): Promise<string> => {
    const callId = switches[name].call(inbound);
    await pass(500);
    switches[name].answer(switches[name].legs().find((leg) => leg.callId === callId && leg.id !== callId)?.id ?? 'no phone rings');
    await pass(1000);
    return callId;
  };

  it('keeps the calls of one that is away, goes on with the other’s, and takes new ones there', async () => {
    const controller = await start();
    const [left, right] = [await connected('left'), await connected('right')];
    switches.right.cut('a');
    await pass(5000);
    expect(controller.health()).toMatchObject({ link: 'up', reconciled: true });
    expect(phases(controller)).toEqual({ [left]: 'connected', [right]: 'connected' });
    const another = await connected('left');
    for (const callId of [left, another]) switches.left.hangUp(callId);
    await pass(2000);
    expect(phases(controller)).toEqual({ [right]: 'connected' });
    expect(cdrs().map(({ callId }) => callId)).toEqual([left, another]);
    switches.right.restore('a');
    await pass(1000);
    expect(phases(controller)).toEqual({ [right]: 'connected' });
    switches.right.hangUp(right);
    await pass(2000);
    expect([phases(controller), switches.right.legs(), cdrs().length]).toEqual([{}, [], 3]);
  });

  it('learns what happened on one that was away when it is back', async () => {
    const controller = await start();
    const right = await connected('right');
    switches.right.cut('a');
    await pass(1000);
    switches.right.hangUp(right);
    await pass(1000);
    expect([phases(controller), cdrs()]).toEqual([{ [right]: 'connected' }, []]);
    switches.right.restore('a');
    await pass(2000);
    expect(phases(controller)).toEqual({});
    expect(cdrs()).toMatchObject([{ callId: right, disposition: 'answered' }]);
  });

  it('asks only the switch that has them for what has become of some calls', async () => {
    const driver = composed('a');
    const started = driver.start({ onOffer: () => undefined, onLink: () => undefined, onLegEvent: () => undefined });
    await pass(50);
    await started;
    const [left, right] = names.map((name) => switches[name].call(inbound));
    await pass(200);
    refusing.add('right');
    const seen = driver.snapshot(new Set([left ?? '']));
    await pass(50);
    expect(await seen).toEqual({ calls: [expect.objectContaining({ callId: left })] });
    const both = driver.snapshot(new Set([left ?? '', right ?? '']));
    await pass(50);
    const { calls, isAway } = await both;
    expect(calls.map(({ callId }) => callId)).toEqual([left]);
    expect([left, right].map((callId) => isAway?.(callId ?? ''))).toEqual([false, true]);
    refusing.add('left');
    await expect(driver.snapshot()).rejects.toThrow('It does not answer.');
    await driver.stop();
  });

  it('goes on with one while the other does not say what calls it has, and takes those up when it does', async () => {
    const driver = composed('a');
    const controller = await start('a', driver);
    const [left, right, ended] = [await connected('left'), await connected('right'), await connected('right')];
    refusing.add('right');
    switches.left.cut('a');
    await pass(1000);
    switches.left.restore('a');
    await pass(3000);
    expect(controller.health()).toMatchObject({ link: 'up', reconciled: true });
    expect(driver.problems()).toEqual([expect.stringMatching(/^right does not say what calls it has.*: It does not answer\.$/)]);
    switches.left.hangUp(left);
    switches.right.hangUp(ended);
    const another = await connected('left');
    const served = await connected('right');
    expect(phases(controller)).toEqual({ [right]: 'connected', [ended]: 'connected', [another]: 'connected', [served]: 'connected' });
    expect(cdrs().map(({ callId }) => callId)).toEqual([left]);
    expect(warnings).toEqual([expect.stringContaining('See its log')]);
    refusing.clear();
    // in real time
    await until(async () => {
      await pass(10);
      return driver.problems().length === 0;
    }, { describe: 'it is asked again' });
    await pass(2000);
    expect(phases(controller)).toEqual({ [right]: 'connected', [another]: 'connected', [served]: 'connected' });
    expect(cdrs()).toMatchObject([{ callId: left }, { callId: ended, disposition: 'answered' }]);
    switches.right.hangUp(right);
    await pass(2000);
    expect(phases(controller)).toEqual({ [another]: 'connected', [served]: 'connected' });
  });

  it('does not wait again for one that has not said what calls it has, and forgets that with the link', async () => {
    const driver = composed('a', {}, 60_000);
    const controller = await start('a', driver);
    const right = await connected('right');
    refusing.add('right');
    const first = driver.snapshot();
    await pass(50);
    await first;
    refusing.clear();
    // it would answer now, and is not asked on the way of a call
    const second = driver.snapshot();
    await pass(50);
    expect((await second).isAway?.(right)).toBe(true);
    switches.right.cut('a');
    await pass(50);
    expect(driver.problems()).toEqual([expect.stringMatching(/^right is away/)]);
    switches.right.restore('a');
    await pass(1000);
    expect(driver.problems()).toEqual([]);
    const third = driver.snapshot();
    await pass(50);
    expect((await third).isAway).toBeUndefined();
    await controller.stop();
  });

  it('lets no timer run a call that it cannot reach', async () => {
    const controller = await start();
    const right = switches.right.call(inbound);
    await pass(500);
    expect(phases(controller)).toEqual({ [right]: 'ringing' });
    switches.right.cut('a');
    // the phone is rung for 15 s
    await pass(16_000);
    expect([phases(controller), cdrs()]).toEqual([{ [right]: 'ringing' }, []]);
  });

  it('holds all of them when both are away', async () => {
    const controller = await start();
    const calls = [await connected('left'), await connected('right')];
    for (const name of names) switches[name].cut('a');
    await pass(1000);
    expect(controller.health().link).toBe('down');
    for (const name of names) switches[name].restore('a');
    await pass(1000);
    expect(phases(controller)).toEqual(Object.fromEntries(calls.map((callId) => [callId, 'connected'])));
  });

  it('is followed by another, which takes the calls of the one that it reaches, and of the other when it reaches that', async () => {
    await start();
    const [left, right] = [await connected('left'), await connected('right')];
    for (const name of names) switches[name].kill('a');
    archive = memoryArchive();
    switches.right.cut('b');
    const second = await start('b');
    await pass(1000);
    expect(phases(second)).toEqual({ [left]: 'connected' });
    expect(cdrs()).toEqual([]);
    switches.right.restore('b');
    // one that could not be reached at the start is tried again, in real time
    await until(async () => {
      await pass(100);
      return phases(second)[right] === 'connected';
    }, { describe: 'the call on the other is taken' });
    for (const [name, callId] of [['left', left], ['right', right]] as const) switches[name].hangUp(callId);
    await pass(2000);
    expect(cdrs().map(({ callId }) => callId).toSorted()).toEqual([left, right]);
  });

  it('does not start where neither can be reached', async () => {
    for (const name of names) switches[name].cut('a');
    await expect(composed('a').start({ onOffer: () => undefined, onLegEvent: () => undefined, onLink: () => undefined })).rejects.toThrow(SwitchRefusedError);
  });

  it('dials a phone that is not registered with the call’s switch over the trunk to the other, and no other target', async () => {
    const driver = composed('a', { left: 'fd-right' });
    const events: string[] = [];
    const started = driver.start({ onOffer: () => undefined, onLink: () => undefined, onLegEvent: (_, event) => { if ('legId' in event) events.push(`${event.type} ${event.legId}`); } });
    await pass(50);
    await started;
    const dial = async (callId: string, n: number, device: string): Promise<CommandResult> => {
      const result = driver.execute({ type: 'OriginateLeg', legId: ownedId(callId, 'l', n), target: { kind: 'device', device }, callerId: { number: '1', name: '' }, ringMs: 10_000, mark: { v: 1, step: 'ring', attempt: 0, trunk: 0 } });
      await pass(200);
      return result;
    };
    const left = switches.left.call(inbound);
    await pass(200);
    expect(await dial(left, 1, 'desk-1')).toEqual({ ok: true });
    expect(await dial(left, 2, elsewhere)).toEqual({ ok: true });
    expect(switches.left.legs().filter(({ role }) => role === 'callee').map(({ party }) => party)).toEqual(['desk-1', 'desk-2']);
    expect(events.filter((event) => event.endsWith('--l2'))).toEqual([`LegRinging ${ownedId(left, 'l', 2)}`]);
    // hung up while it is found out that it is not there
    const [, result] = await Promise.all([
      pass(500),
      driver.execute({ type: 'OriginateLeg', legId: ownedId(left, 'l', 3), target: { kind: 'device', device: elsewhere }, callerId: { number: '1', name: '' }, ringMs: 10_000, mark: { v: 1, step: 'ring', attempt: 0, trunk: 0 } }),
      driver.execute({ type: 'HangUpLeg', legId: ownedId(left, 'l', 3), cause: 'canceled' }),
    ]);
    expect(result).toMatchObject({ ok: false });
    expect(switches.left.leg(ownedId(left, 'l', 3))).toBeUndefined();
    // the other has no trunk to this one
    const right = switches.right.call(inbound);
    await pass(200);
    expect(await dial(right, 1, elsewhere)).toMatchObject({ ok: false });
    expect(await driver.execute({ type: 'TakeLeg', legId: left, callId: right, from: left, servedLeg: right, mark: { v: 1, step: 'ring', attempt: 0, trunk: 0 } })).toMatchObject({ ok: false, error: 'rejected' });
    await driver.stop();
  });
});
