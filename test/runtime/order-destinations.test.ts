/** Who is rung first, over all calls and controllers. */
import { describe, expect, it } from 'vitest';
import { newCall, type Call } from '../../control-plane/core/call/call.ts';
import type { OrderCommand } from '../../control-plane/core/call/commands.ts';
import type { CallEvent } from '../../control-plane/core/call/events.ts';
import { transition } from '../../control-plane/core/call/transition.ts';
import { leaseMs } from '../../control-plane/runtime/lease.ts';
import { createOccupancy, type Occupancy } from '../../control-plane/runtime/occupancy.ts';
import { createOrderDestinations, type DestinationOrder } from '../../control-plane/runtime/order-destinations.ts';
import { occupancyOfAll } from '../../control-plane/store/memory-occupancy.ts';
import { sharedTurns } from '../../control-plane/store/memory-turns.ts';
import type { Turns } from '../../control-plane/store/ports.ts';
import { createMetrics } from '../../control-plane/telemetry/metrics.ts';
import { offer } from '../core/support/given.ts';
import { desk, mobile, walkOf } from '../core/support/plans.ts';
import { createVirtualClock, settled, type VirtualClock } from '../support/virtual-clock.ts';
import { silent } from './sample-call.ts';

const destinations = (...ids: readonly string[]): OrderCommand['destinations'] => ids.map((id) => ({ id, parties: [`c1/${id}`] }));
const asked = (pattern: OrderCommand['pattern'], ...ids: readonly string[]): OrderCommand => ({ type: 'OrderDestinations', step: 'ring', pattern, group: 'front', destinations: destinations(...ids) });

const none: Pick<Occupancy, 'read'> = { read: () => Promise.resolve(() => ({ calls: 0, talking: 0, endedAt: 0 })) };

const turning = () => {
  const clock = createVirtualClock();
  const shared = sharedTurns({ now: () => clock.now() });
  const controller = (turns: Turns = shared) => {
    const order = createOrderDestinations({ turns, occupancy: none, clock, log: silent, metrics: createMetrics() });
    return (call: string): Promise<DestinationOrder> => order(call, asked('round-robin', 'a', 'b', 'c'));
  };
  return { clock, shared, controller };
};

describe('Round robin', () => {
  it('begins with the one after the last, over all controllers, and says whose turn it is', async () => {
    const { controller } = turning();
    const [one, two] = [controller(), controller()];
    expect(await one('c1')).toEqual({ order: ['a', 'b', 'c'], why: 'turn 1 of front' });
    expect(await two('c2')).toEqual({ order: ['b', 'c', 'a'], why: 'turn 2 of front' });
    expect(await one('c3')).toEqual({ order: ['c', 'a', 'b'], why: 'turn 3 of front' });
    expect(await two('c4')).toMatchObject({ order: ['a', 'b', 'c'] });
  });

  it('gives a call that asks again the same turn, whoever asks for it', async () => {
    const { controller } = turning();
    const [one, two] = [controller(), controller()];
    await one('c1');
    await one('c2');
    expect(await two('c1')).toMatchObject({ order: ['a', 'b', 'c'] });
    expect(await two('c3')).toMatchObject({ why: 'turn 3 of front' });
  });

  it('counts on alone while the store is away, and from there when it is back and has forgotten', async () => {
    const { shared, controller } = turning();
    const one = controller();
    await one('c1');
    await one('c2');
    shared.away();
    expect(await one('c3')).toEqual({ order: ['c', 'a', 'b'], why: 'turn 3 of front, by the count of this controller alone' });
    expect(await one('c4')).toMatchObject({ order: ['a', 'b', 'c'] });
    expect(await one('c3')).toMatchObject({ order: ['c', 'a', 'b'] });
    shared.back({ empty: true });
    expect(await one('c5')).toEqual({ order: ['b', 'c', 'a'], why: 'turn 5 of front' });
  });

  it('does not wait for a store that does not answer', async () => {
    const { clock, controller } = turning();
    const one = controller({ take: () => new Promise(() => undefined) });
    const answer = one('c1');
    await clock.pass(200);
    expect(await answer).toMatchObject({ order: ['a', 'b', 'c'] });
    expect(clock.armed()).toBe(0);
  });

  it('over 1,000 calls gives each its turn as often as any other, though the store comes and goes', async () => {
    const { shared, controller } = turning();
    const one = controller();
    const first = new Map<string, number>();
    for (let i = 0; i < 1000; i++) {
      if (i % 100 === 40) shared.away();
      if (i % 100 === 60) shared.back({ empty: i % 200 === 60 });
      const { order: [id = ''] } = await one(`c${i}`);
      first.set(id, (first.get(id) ?? 0) + 1);
    }
    expect([...first.values()].toSorted((a, b) => a - b)).toEqual([333, 333, 334]);
  });
});

const at = (user: string): Call['plan'] => walkOf('sequential', [desk(1, { user })]);
const leg = (id: string): string => `${id}--l1`;
const talks = (id: string): readonly CallEvent[] => [{ type: 'LegAnswered', legId: leg(id) }];
const later = async (clock: VirtualClock, ms = 400): Promise<void> => { await clock.pass(ms); };

describe('Least connected', () => {
  interface Seat {
    readonly calls: Map<string, Call>;
    readonly occupancy: Occupancy;
    order(...ids: readonly string[]): Promise<DestinationOrder>;
    /** A call that is rung at these, as far as these events bring it. */
    begin(id: string, plan: Call['plan'], ...events: readonly CallEvent[]): void;
    happens(id: string, event: CallEvent): void;
  }
  const world = () => {
    const clock = createVirtualClock();
    const all = occupancyOfAll({ now: () => clock.now(), lifeMs: leaseMs });
    const seat = (name: string): Seat => {
      const calls = new Map<string, Call>();
      const occupancy = createOccupancy({ calls: () => calls.values(), partyOfPhone: (phone) => `c1/user-of-${phone}`, shared: all.of(name), clock });
      const order = createOrderDestinations({ turns: undefined, occupancy, clock, log: silent, metrics: createMetrics() });
      occupancy.start();
      const happens = (id: string, event: CallEvent): void => {
        const before = calls.get(id);
        if (before === undefined) throw new Error('no such call');
        const { call, facts } = transition(before, event, { now: clock.now() });
        calls.set(id, call);
        for (const fact of facts) occupancy.onFact(call, fact);
        if (call.phase === 'ended') calls.delete(id);
        occupancy.changed();
      };
      return {
        calls, occupancy, happens,
        order: (...ids) => order('asking', asked('least-connected', ...ids)),
        begin: (id, plan, ...events) => {
          calls.set(id, newCall({ ...offer, callId: id }, plan, clock.now()));
          for (const event of [{ type: 'CallOffered' } as const, ...events]) happens(id, event);
        },
      };
    };
    return { clock, all, seat };
  };

  it('begins with the fewest live calls, whatever they came by, and says how many each has', async () => {
    const { seat } = world();
    const one = seat('one');
    one.begin('x', at('a'));
    one.begin('y', at('a'));
    one.begin('z', at('c'));
    expect(await one.order('a', 'b', 'c')).toEqual({ order: ['b', 'c', 'a'], why: 'least connected: b 0 live calls, c 1, a 2' });
  });

  it('counts the calls of all controllers; those of one that dies no longer than its lease', async () => {
    const { clock, seat } = world();
    const [one, two] = [seat('one'), seat('two')];
    await later(clock);
    two.begin('x', at('a'));
    await later(clock, 60);
    expect(await one.order('a', 'b')).toMatchObject({ order: ['b', 'a'] });
    await two.occupancy.stop();
    expect(await one.order('a', 'b')).toMatchObject({ order: ['a', 'b'] });
    const dead = seat('three');
    dead.begin('y', at('a'));
    await later(clock);
    const before = clock.now();
    expect(await one.order('a', 'b')).toMatchObject({ order: ['b', 'a'] });
    dead.calls.clear();
    await later(clock, leaseMs + 400);
    expect([await one.order('a', 'b'), clock.now() - before]).toMatchObject([{ order: ['a', 'b'] }, leaseMs + 400]);
  });

  it('counts its own alone while the store is away', async () => {
    const { clock, all, seat } = world();
    const [one, two] = [seat('one'), seat('two')];
    two.begin('x', at('a'));
    await later(clock);
    one.begin('y', at('b'));
    all.away();
    expect(await one.order('a', 'b')).toMatchObject({ order: ['a', 'b'] });
    expect(one.occupancy.isBusy('c1/a')).toBe(false);
  });

  it('of equals begins with the longest idle, and with one who never had a call before all others', async () => {
    const { clock, seat } = world();
    const one = seat('one');
    for (const user of ['b', 'a']) {
      one.begin(user, at(user));
      await later(clock, 5);
      one.happens(user, { type: 'LegEnded', legId: leg(user), cause: 'busy' });
      await later(clock, 5);
    }
    one.calls.clear();
    expect(await one.order('a', 'b', 'c')).toEqual({ order: ['c', 'b', 'a'], why: 'least connected: c 0 live calls, b 0, a 0; of equals the longest idle first' });
  });

  it('knows since when another controller’s are idle', async () => {
    const { clock, seat } = world();
    const [one, two] = [seat('one'), seat('two')];
    two.begin('x', at('a'));
    two.happens('x', { type: 'LegEnded', legId: leg('x'), cause: 'busy' });
    two.calls.clear();
    await later(clock);
    expect(await one.order('a', 'b')).toMatchObject({ order: ['b', 'a'] });
  });

  it('skips one who talks while another does not, and rings all where all talk', async () => {
    const { seat } = world();
    const one = seat('one');
    one.begin('x', at('a'), ...talks('x'));
    one.begin('y', at('b'));
    one.begin('z', at('b'));
    expect(await one.order('a', 'b')).toEqual({ order: ['b'], why: 'least connected: b 2 live calls; busy, so skipped: a' });
    for (const id of ['y', 'z']) for (const event of talks(id)) one.happens(id, event);
    expect(await one.order('a', 'b')).toEqual({ order: ['a', 'b'], why: 'least connected: a 1 live call, b 2; all are busy' });
  });

  it('takes who calls out for busy, and who is called by number for that number’s, too', async () => {
    const { seat } = world();
    const one = seat('one');
    one.calls.set('out', newCall({ ...offer, callId: 'out', phone: '101' }, at('b'), 0));
    expect(one.occupancy.isBusy('c1/user-of-101')).toBe(true);
    one.begin('x', walkOf('sequential', [mobile({ user: 'ben', label: 'mobile' })]));
    expect(await one.order('ben', '+12025550121', 'c')).toMatchObject({ order: ['c', 'ben', '+12025550121'] });
  });

  it('hears of others’ calls soon after they have changed, and says who is busy', async () => {
    const { clock, seat } = world();
    const [one, two] = [seat('one'), seat('two')];
    await later(clock, 900);
    two.begin('x', at('a'), ...talks('x'));
    await later(clock, 500);
    await settled();
    expect([one.occupancy.isBusy('c1/a'), one.occupancy.isBusy('c1/b')]).toEqual([true, false]);
    two.happens('x', { type: 'LegEnded', legId: leg('x'), cause: 'normal' });
    await later(clock, 500);
    expect(one.occupancy.isBusy('c1/a')).toBe(false);
  });
});
