/** A controller's right to its calls, in a time that a test moves. */
import { describe, expect, it } from 'vitest';
import { createLease, leaseMs, type Lease } from '../../control-plane/runtime/lease.ts';
import { sharedOwners } from '../../control-plane/store/memory-ownership.ts';
import { createMetrics } from '../../control-plane/telemetry/metrics.ts';
import { createVirtualClock, settled } from '../support/virtual-clock.ts';
import { silent } from './sample-call.ts';

interface Seat {
  readonly lease: Lease;
  readonly told: string[];
  readonly warned: string[];
  /** Its process stops, and goes on later: its timers wait, time does not. */
  freeze(): void;
  thaw(): void;
}

const world = () => {
  const clock = createVirtualClock();
  let jumped = 0;
  const shared = sharedOwners({ now: () => clock.now() + jumped, leaseMs });
  /** `aheadMs`: its clock, of that of the store. */
  const seat = (name: string, aheadMs = 0): Seat => {
    const told: string[] = [];
    const warned: string[] = [];
    let frozen: (() => void)[] | null = null;
    const lease = createLease({
      ownership: shared.of(name), log: { ...silent, warn: (_fields, sentence) => { warned.push(sentence); } }, metrics: createMetrics(),
      clock: {
        now: () => clock.now() + aheadMs, monotonic: () => clock.monotonic(),
        setTimer: (at, fn) => clock.setTimer(at - aheadMs, () => {
          if (frozen === null) fn();
          else frozen.push(fn);
        }),
      },
      onSure: (how) => { told.push(how); },
      onLapsed: (controllers) => { told.push(`lapsed ${controllers.join(' ')}`); },
      onReplaced: () => { told.push('replaced'); },
    });
    return {
      lease, told, warned,
      freeze: () => { frozen = []; },
      thaw: () => {
        const late = frozen ?? [];
        frozen = null;
        for (const fn of late) fn();
      },
    };
  };
  /** The store's clock is set. */
  const jump = (ms: number): void => { jumped += ms; };
  return { clock, shared, seat, jump };
};

describe('A lease', () => {
  it('is held on for as long as its process runs, and nobody is told anything', async () => {
    const { clock, seat } = world();
    const [a, b] = [seat('a'), seat('b')];
    await Promise.all([a.lease.start(), b.lease.start()]);
    await clock.pass(60_000);
    expect([a.told, b.told, a.lease.sure(), b.lease.token()]).toEqual([[], [], true, 2]);
  });

  it('lapses with its process, and others are told within two seconds, again and again until its calls are taken', async () => {
    const { clock, seat } = world();
    const [a, b] = [seat('a'), seat('b')];
    await Promise.all([a.lease.start(), b.lease.start()]);
    await clock.pass(5_000);
    b.freeze();
    await clock.pass(2_000);
    expect(a.told.length).toBeGreaterThanOrEqual(1);
    expect(new Set(a.told)).toEqual(new Set(['lapsed b']));
  });

  it('makes the eldest lead, and the next one when that has gone; it does not lead again when it is back', async () => {
    const { clock, seat } = world();
    const [a, b] = [seat('a'), seat('b')];
    await a.lease.start();
    await b.lease.start();
    await clock.pass(1_000);
    expect([a.lease.leads(), b.lease.leads(), a.lease.others(), b.lease.others()]).toEqual([true, false, ['b'], ['a']]);
    a.freeze();
    await clock.pass(2_000);
    expect([a.lease.leads(), b.lease.leads()]).toEqual([false, true]);
    a.thaw();
    expect(a.lease.leads()).toBe(false);
    await clock.pass(1_000);
    expect([a.lease.sure(), a.lease.leads(), b.lease.leads()]).toEqual([true, false, true]);
  });

  it('while the store is away lets the one lead that led, and nobody who was stopped meanwhile', async () => {
    const { clock, shared, seat } = world();
    const [a, b] = [seat('a'), seat('b')];
    await a.lease.start();
    await b.lease.start();
    await clock.pass(1_000);
    shared.away();
    await clock.pass(5_000);
    expect([a.lease.leads(), b.lease.leads(), a.lease.away()]).toEqual([true, false, true]);
    a.freeze();
    await clock.pass(5_000);
    a.thaw();
    await settled();
    expect([a.lease.sure(), a.lease.leads()]).toEqual([true, false]);
  });

  it('that is left is told of at once', async () => {
    const { clock, seat } = world();
    const [a, b] = [seat('a'), seat('b')];
    await Promise.all([a.lease.start(), b.lease.start()]);
    await clock.pass(5_000);
    await b.lease.stop();
    await clock.pass(300);
    expect(a.told).toEqual(['lapsed b']);
  });

  it('is in doubt after its process was stopped, from the first moment on, until it is held again', async () => {
    const { clock, seat } = world();
    const a = seat('a');
    await a.lease.start();
    await clock.pass(1_000);
    a.freeze();
    await clock.pass(10_000);
    expect(a.lease.sure()).toBe(false);
    expect(a.told).toEqual([]);
    a.thaw();
    expect(a.lease.sure()).toBe(false);
    await settled();
    expect([a.told, a.lease.sure(), a.lease.unbroken()]).toEqual([['anew'], true, false]);
  });

  it('after a pause too short for it to lapse is sure again by itself', async () => {
    const { clock, seat } = world();
    const a = seat('a');
    await a.lease.start();
    a.freeze();
    await clock.pass(900);
    a.thaw();
    await settled();
    expect([a.told, a.lease.token(), a.lease.unbroken()]).toEqual([['held'], 1, true]);
  });

  it('of a controller whose store is away goes on; with the store back nobody is taken for dead at once', async () => {
    const { clock, shared, seat } = world();
    const [a, b] = [seat('a'), seat('b')];
    await Promise.all([a.lease.start(), b.lease.start()]);
    await clock.pass(5_000);
    shared.away();
    await clock.pass(30_000);
    expect([a.lease.sure(), a.lease.token(), a.told]).toEqual([true, null, []]);
    shared.back({ empty: false });
    await clock.pass(10_000);
    for (const { told } of [a, b]) expect(told.filter((what) => what.startsWith('lapsed'))).toEqual([]);
    expect([a.lease.sure(), b.lease.sure()]).toEqual([true, true]);
  });

  it('of a store that comes back empty is made anew, and nobody is taken for dead', async () => {
    const { clock, shared, seat } = world();
    const [a, b] = [seat('a'), seat('b')];
    await Promise.all([a.lease.start(), b.lease.start()]);
    await clock.pass(5_000);
    shared.away();
    await clock.pass(1_000);
    shared.back({ empty: true });
    await clock.pass(10_000);
    expect([a.told, b.told]).toEqual([['anew'], ['anew']]);
    expect([a.lease.unbroken(), b.lease.unbroken()]).toEqual([true, true]);
    expect(a.lease.token()).not.toBe(b.lease.token());
  });

  it('started while the store is away begins when it is there', async () => {
    const { clock, shared, seat } = world();
    shared.away();
    const a = seat('a');
    await a.lease.start();
    expect([a.lease.sure(), a.lease.token()]).toEqual([true, null]);
    shared.back({ empty: true });
    await clock.pass(1_000);
    expect(a.lease.token()).toBe(1);
  });

  it('of a store whose clock is set forwards is in doubt, made anew, and nobody is taken for dead; the log says what to do', async () => {
    for (const ms of [500, 850, 1_000, 3_600_000]) {
      const { clock, seat, jump } = world();
      const [a, b] = [seat('a'), seat('b')];
      await a.lease.start();
      await clock.pass(100);
      await b.lease.start();
      await clock.pass(10_000);
      // b is late with its renewal when it happens
      b.freeze();
      await clock.pass(350);
      jump(ms);
      await clock.pass(200);
      b.thaw();
      await clock.pass(2_000);
      expect(a.told.concat(b.told).filter((what) => what.startsWith('lapsed'))).toEqual([]);
      expect([a.told, a.lease.sure(), b.lease.sure(), a.lease.unbroken(), b.lease.unbroken()]).toEqual([ms > 900 ? ['anew'] : [], true, true, true, true]);
      for (const { warned } of [a, b]) expect(warned.filter((sentence) => /^The clock of Redis has jumped: .* Have the machine of Redis keep its time/.test(sentence))).toHaveLength(1);
      await clock.pass(3_000);
      b.freeze();
      await clock.pass(2_000);
      expect(a.told).toContain('lapsed b');
    }
  });

  it('of a store whose clock is set back is held on, and a death after it is noticed as soon as ever', async () => {
    const { clock, seat, jump } = world();
    const [a, b] = [seat('a'), seat('b')];
    await Promise.all([a.lease.start(), b.lease.start()]);
    await clock.pass(10_000);
    jump(-3_600_000);
    await clock.pass(5_000);
    expect([a.told, b.told, a.lease.settled()]).toEqual([[], [], true]);
    expect(a.warned.filter((sentence) => sentence.startsWith('The clock of Redis has jumped'))).toHaveLength(1);
    b.freeze();
    await clock.pass(2_000);
    expect(new Set(a.told)).toEqual(new Set(['lapsed b']));
  });

  it('says that its clock is another than the store’s, where there are other controllers to differ from, until it is not', async () => {
    const { clock, seat, jump } = world();
    const [a, b] = [seat('a', 4_000), seat('b', 900)];
    await a.lease.start();
    await clock.pass(1_000);
    expect(a.lease.problem()).toBeNull();
    await b.lease.start();
    await clock.pass(1_000);
    expect(a.lease.problem()).toMatch(/^The clock of this controller is 4 s ahead of that of Redis: with other controllers \(b\) .* restart Frontdesk/);
    expect(b.lease.problem()).toBeNull();
    jump(4_000);
    await clock.pass(1_000);
    expect(a.lease.problem()).toBeNull();
    expect(b.lease.problem()).toMatch(/is 3 s behind that of Redis/);
  });

  it('ends for a process whose name another has taken', async () => {
    const { clock, seat } = world();
    const [first, second] = [seat('a'), seat('a')];
    await first.lease.start();
    await clock.pass(1_000);
    await second.lease.start();
    await clock.pass(1_000);
    expect([first.told, second.told]).toEqual([['replaced'], []]);
  });
});
