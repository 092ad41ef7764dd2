/** What those who follow live calls see of one that another controller takes over. */
import { expect, it } from 'vitest';
import { eventsOfCall } from '../../control-plane/events/of-calls.ts';
import type { NewEvent } from '../../control-plane/events/catalogue.ts';
import type { CallChange } from '../../control-plane/http/ports.ts';
import { followCalls, type LiveCalls } from '../../control-plane/kept-calls/live-calls.ts';
import { createSimulatedSwitch } from '../../control-plane/media/simulated/switch.ts';
import { createController } from '../../control-plane/runtime/controller.ts';
import { leaseMs } from '../../control-plane/runtime/lease.ts';
import { memoryArchive, memoryJournals } from '../../control-plane/store/memory-journals.ts';
import { sharedOwners } from '../../control-plane/store/memory-ownership.ts';
import { createMetrics } from '../../control-plane/telemetry/metrics.ts';
import { mortal, type Mortal } from '../support/mortal.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';
import { onePhonePlan, silent } from './sample-call.ts';

interface Watched {
  readonly life: Mortal;
  readonly calls: LiveCalls;
  /** On the stream of this controller. */
  readonly changes: CallChange[];
  /** For those who follow the account. */
  readonly events: NewEvent[];
}

const there = <T>(found: T | undefined): T => {
  if (found === undefined) throw new Error('There is none.');
  return found;
};

it('A call that is taken over from a controller that stood still leaves there, and begins with the other as far as it has come', async () => {
  const clock = createVirtualClock();
  const sw = createSimulatedSwitch({ clock });
  const owners = sharedOwners({ now: () => clock.now(), leaseMs });
  const live = memoryJournals();
  const start = async (name: string): Promise<Watched> => {
    const life = mortal(clock);
    const ownership = owners.of(name);
    const archive = memoryArchive();
    const controller = createController({
      controller: name, clock: life.clock, driver: sw.driver(name), live, archive, metrics: createMetrics(), log: silent, compilePlan: () => onePhonePlan,
      ownership: { ...ownership, renew: (token) => life.gate(ownership.renew(token)) },
    });
    const [changes, events]: [CallChange[], NewEvent[]] = [[], []];
    const calls = followCalls(controller, archive, live, (record, fact, at) => { events.push(...eventsOfCall(record, fact, at)); });
    calls.onChange((change) => { changes.push(change); });
    const started = controller.start();
    await clock.pass(100);
    await started;
    return { life, calls, changes, events };
  };
  const both = [await start('a'), await start('b')];
  await clock.pass(6 * leaseMs);
  const callId = sw.call({ from: '+15559870001', to: '+15551230000' });
  await clock.pass(500);
  const one = there(both.find(({ changes }) => changes.length > 0));
  const other = there(both.find((each) => each !== one));
  const known = there(one.calls.get(callId));
  expect(known).toMatchObject({ phase: 'ringing', caller: { number: '+15559870001' }, legs: [{ user: 'ann' }] });

  one.life.freeze();
  await clock.pass(4 * leaseMs);
  expect(other.calls.live()).toEqual([known]);
  expect(other.changes[0]).toEqual({ type: 'started', call: known });
  one.life.thaw();
  await clock.pass(2 * leaseMs);
  expect([one.calls.live(), one.changes.at(-1)]).toEqual([[], { type: 'left', call: known }]);

  const seen = one.changes.length;
  const [{ legId } = { legId: '' }] = known.legs;
  sw.answer(legId);
  await clock.pass(500);
  sw.hangUp(legId);
  await clock.pass(500);
  expect([one.events, other.events].map((all) => all.map(({ type }) => type))).toEqual([['call.started'], ['call.answered']]);
  expect(other.events[0]?.data).toMatchObject({ callId, caller: { number: '+15559870001' }, leg: { legId, user: 'ann', label: 'Ann' } });
  expect([other.changes.filter(({ type }) => type === 'started').length, other.changes.at(-1)?.type, other.calls.live(), one.changes.length]).toEqual([1, 'ended', [], seen]);
});
