/** Who makes callbacks: one try at a time, as often as the queue says, whatever is away or dies in between. */
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { runCallbacks, type RunningCallbacks } from '../../control-plane/placed-calls/callbacks.ts';
import type { ClinicConfig } from '../../control-plane/configuration/clinics.ts';
import { newCall, type Call } from '../../control-plane/core/call/call.ts';
import type { DeskMessage } from '../../control-plane/core/call/commands.ts';
import { emptyCdr } from '../../control-plane/core/cdr/cdr.ts';
import type { Place } from '../../control-plane/core/queue/desk.ts';
import { second } from '../../control-plane/core/time.ts';
import type { CallObserver } from '../../control-plane/runtime/call-observers.ts';
import { StoreAwayError } from '../../control-plane/store/ports.ts';
import { createMetrics } from '../../control-plane/telemetry/metrics.ts';
import { callFrom, clinic, queue } from '../core/routing-fixture.ts';
import type { CallbackNewsStore, CallbackStore } from '../../control-plane/store/callback-ports.ts';
import { memoryCallbackNews, memoryCallbacks, type MemoryCallbacks } from '../support/memory-callbacks.ts';
import { until } from '../support/until.ts';

const silence = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const account = { ...clinic(), queues: new Map([['desk', queue({ callback: { key: '2', attempts: 2, pauseMs: 60 * second, ringMs: 20 * second, trunks: ['t1'] } })]]) };

interface World {
  readonly callbacks: RunningCallbacks;
  /** Calls that the switch was asked for. */
  readonly begun: string[];
  readonly told: DeskMessage[];
  readonly live: Map<string, Call>;
  readonly observers: Set<CallObserver>;
}
let now: number;
let store: MemoryCallbacks;
let news: CallbackNewsStore;
let switchIs: 'there' | 'away' | 'old';
let one: World;

/** A controller of this name; they share the store, as far as it has it. */
function world(instance: string, its: CallbackStore = store): World {
  const [begun, told, live, observers]: [string[], DeskMessage[], Map<string, Call>, Set<CallObserver>] = [[], [], new Map(), new Set()];
  const callbacks = runCallbacks({
    instance, store: its, news, log: silence, metrics: createMetrics(), now: () => now, clinics: () => [{ account } as unknown as ClinicConfig], factsOf: ({ callId, dialled, caller }) => callFrom({ callId, dialled, callerNumber: caller.number }),
    numberOf: (id) => (id === 'main' ? '+12025550110' : undefined),
    admin: {
      beginCallback: async ({ callId }) => {
        if (switchIs === 'away') throw new Error('The switch is away.');
        begun.push(callId);
        return switchIs === 'old' ? 'unknown' : 'begun';
      },
    },
    controller: () => ({
      call: (id) => live.get(id), health: () => ({ link: 'up', reconciled: true, calls: 0, commandsInFlight: 0, lease: null }),
      observe: (observer) => {
        observers.add(observer);
        return () => observers.delete(observer);
      },
    }),
    desks: () => ({ tell: (_account, message) => { told.push(message); } }),
  });
  callbacks.start();
  return { callbacks, begun, told, live, observers };
}

const waits = (): Call => ({ ...newCall({ callId: 'c3', dialled: '+12025550110', origin: 'trunk', caller: { number: '+13125550177', name: '' }, orphan: false }, emptyPlan(), 1), visit: { n: 1, step: 'queue.desk', queue: 'desk', priority: 2, enteredAt: 40, joinedAt: 50, number: '+13125550177', sticky: null, held: true, offers: {}, service: null } });
const emptyPlan = (): Call['plan'] => ({ version: 1, hash: '', account: { id: account.id, name: '' }, number: { e164: '+12025550110', label: '' }, first: '', steps: {}, reasons: [], maxCallMs: 1 });
const keep = (): Promise<boolean> => one.callbacks.keep(waits(), { type: 'KeepCallback', id: 'cb', number: '+13125550177' });
/** The desk has its turn come. */
const offer = (of = one): boolean => of.callbacks.obey(account.id, { type: 'OfferCall', offerId: 'c3--o1.1', callId: 'c3', visit: 1, queue: 'desk', agent: 'ana', devices: [], ringMs: 1, callback: { key: 'cb', number: '+13125550177', notBefore: 0 } });
const kept = () => store.all()[0] ?? expect.fail('nothing is kept');
const rings = async (of = one): Promise<string> => {
  const before = of.begun.length;
  offer(of);
  return until(() => of.begun[before], { describe: 'a call is begun' });
};
const ends = (callId: string, disposition: 'no-answer' | 'busy' = 'no-answer', of = one): void => {
  for (const observer of of.observers) observer.onCdr?.({ ...emptyCdr(callId, emptyPlan()), disposition });
};
const comesIn = (callId: string, of = one): Call['plan'] => of.callbacks.planOf({ callId, dialled: '+12025550110', origin: 'trunk', caller: { number: '+13125550177', name: '' }, orphan: false }) ?? expect.fail('it has no plan');
const joined = (callId: string, of = one): void => {
  const plan = comesIn(callId, of);
  const call = newCall({ callId, dialled: '+12025550110', origin: 'trunk', caller: { number: '+13125550177', name: '' }, orphan: false }, plan, now);
  for (const observer of of.observers) observer.onFact?.(call, { type: 'QueueJoined', step: 'queue.desk', queue: 'desk', visit: 1 }, now);
};
const placesAt = async (live: ReadonlySet<string> | null = new Set(), of = one): Promise<readonly Place[]> => (await of.callbacks.kept(live)).get(account.id) ?? [];

const ask = (number: string, shows = 'main', id = 'desk') => one.callbacks.ask({ account: account.id, queue: id, number, shows });

beforeEach(() => {
  now = 1_000_000;
  store = memoryCallbacks();
  news = memoryCallbackNews();
  switchIs = 'there';
  one = world('one');
});

describe('A callback', () => {
  it('is kept with its place, once however often it is asked for', async () => {
    expect([await keep(), await keep()]).toEqual([true, true]);
    expect(store.all()).toMatchObject([{ id: 'cb', call: 'c3', visit: 1, queue: 'desk', priority: 2, enteredAt: 40, joinedAt: 50, dialled: '+12025550110' }]);
    expect(await placesAt()).toEqual([{ callId: 'c3', visit: 1, queue: 'desk', priority: 2, enteredAt: 40, joinedAt: 50, number: '+13125550177', sticky: null, callback: { key: 'cb', number: '+13125550177', notBefore: 0 } }]);
  });

  it('is not promised to a caller while the database is away', async () => {
    store.away = true;
    expect(await keep()).toBe(false);
  });

  it('that is reached is over, and names its call', async () => {
    await keep();
    const call = await rings();
    expect(one.callbacks.planOf({ callId: call, dialled: '+12025550110', origin: 'trunk', caller: { number: '+13125550177', name: '' }, orphan: false })).toMatchObject({ first: 'callback', callback: { id: 'cb', of: 'c3', attempt: 1 } });
    joined(call);
    ends(call);
    await until(() => kept().state === 'over' || undefined, { describe: 'it is over' });
    expect(kept()).toMatchObject({ outcome: 'reached', tries: [{ call, outcome: 'reached' }] });
    expect(one.told).toEqual([]);
  });

  it('that is not answered is tried again after the pause, as often as the queue says', async () => {
    await keep();
    ends(await rings(), 'busy');
    await until(() => one.told[0], { describe: 'the desk is told' });
    expect(one.told).toEqual([{ type: 'CallbackTried', callId: 'c3', visit: 1, again: now + 60_000 }]);
    expect(await placesAt()).toMatchObject([{ callback: { notBefore: now + 60_000 } }]);
    // Sooner than that it is not, whatever a desk believes.
    offer();
    await until(() => one.told[1], { describe: 'the desk is told again' });
    expect([one.begun.length, one.told[1]]).toEqual([1, { type: 'CallbackTried', callId: 'c3', visit: 1, again: now + 60_000 }]);
    now += 60_000;
    ends(await rings());
    await until(() => kept().state === 'over' || undefined, { describe: 'it is over' });
    expect([kept().outcome, kept().tries.map(({ outcome }) => outcome), one.told.at(-1)]).toEqual(['unanswered', ['busy', 'no-answer'], { type: 'CallbackTried', callId: 'c3', visit: 1, again: null }]);
  });

  it('is made by one of two controllers that both believe it is theirs', async () => {
    const two = world('two');
    await keep();
    offer();
    offer(two);
    offer();
    await until(() => one.told.length + two.told.length === 2 || undefined, { describe: 'the others are told to wait' });
    expect([...one.begun, ...two.begun]).toHaveLength(1);
    expect([...one.told, ...two.told].every((message) => message.type === 'CallbackTried' && message.again !== null && message.again > now)).toBe(true);
  });

  it('whose maker died is tried again, and that try counted; not while its call lives', async () => {
    await keep();
    const call = await rings();
    const two = world('two');
    expect(await placesAt(new Set([call]), two)).toMatchObject([{ callback: { notBefore: now + 150_000 } }]);
    now += 151_000;
    await placesAt(new Set([call]), two);
    await placesAt(null, two);
    expect(kept().state).toBe('calling');
    await placesAt(new Set(), two);
    await until(() => kept().state === 'waiting' || undefined, { describe: 'it waits again' });
    expect(kept()).toMatchObject({ notBefore: now + 60_000, tries: [{ call, outcome: 'unknown' }] });
  });

  it('whose call another controller has taken over within seconds is not given up by who made it', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      await keep();
      offer();
      await vi.waitFor(() => { expect(one.begun).toHaveLength(1); });
      const [call = ''] = one.begun;
      comesIn(call);
      // It stood still for a moment meanwhile, and has let the call go.
      const two = world('two');
      await vi.advanceTimersByTimeAsync(60_000);
      expect(kept()).toMatchObject({ state: 'calling', tries: [{ call, endedAt: null }] });
      joined(call, two);
      await vi.waitFor(() => { expect(kept()).toMatchObject({ state: 'over', outcome: 'reached' }); });
      expect(one.told).toEqual([]);
    } finally {
      vi.useRealTimers();
    }
  });

  it('whose call does not come in from the switch counts as a try', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      await keep();
      offer();
      await vi.waitFor(() => { expect(one.begun).toHaveLength(1); });
      await vi.advanceTimersByTimeAsync(60_000);
      expect(kept()).toMatchObject({ state: 'waiting', tries: [{ outcome: 'failed' }] });
    } finally {
      vi.useRealTimers();
    }
  });

  it('that the switch does not make counts as a try', async () => {
    await keep();
    switchIs = 'away';
    offer();
    await until(() => one.told[0], { describe: 'the desk is told' });
    expect(kept()).toMatchObject({ state: 'waiting', tries: [{ outcome: 'failed' }] });
  });

  it('waits while the database is away, and what became of a try is written when it is back', async () => {
    await keep();
    const call = await rings();
    store.away = true;
    joined(call);
    offer();
    await until(() => one.told[0], { describe: 'the desk is told to wait' });
    expect(one.told).toEqual([{ type: 'CallbackTried', callId: 'c3', visit: 1, again: now + 30_000 }]);
    await expect(one.callbacks.kept(new Set())).rejects.toThrow('away');
    store.away = false;
    await until(() => kept().outcome === 'reached' || undefined, { describe: 'it is written', within: 8_000 });
  });

  it.each(['is reached', 'is not reached', 'was served before'] as const)('that %s while the database is away, of which the controller that knew is gone: another says so, once', async (what) => {
    let isCutOff = false;
    const there = <R>(work: () => Promise<R>): Promise<R> => (isCutOff ? Promise.reject(new StoreAwayError('It is gone.', false)) : work());
    one = world('one', { ...store, triedBy: (call) => there(() => store.triedBy(call)), ended: (call, end) => there(() => store.ended(call, end)), over: (...args) => there(() => store.over(...args)) });
    await keep();
    const call = what === 'was served before' ? null : await rings();
    isCutOff = true;
    store.away = true;
    if (call === null) one.callbacks.drop(waits(), 'cb');
    else if (what === 'is reached') joined(call);
    else ends(call);
    const endedAt = now;
    await until(async () => (await news.all()).size > 0 || undefined, { describe: 'it is left for others' });
    const [two, three] = [world('two'), world('three')];
    await expect(placesAt(new Set(), two)).rejects.toThrow('away');
    store.away = false;
    now += 151_000;
    const places = await Promise.all([placesAt(new Set(), two), placesAt(new Set(), three)]);
    const tries = call === null ? [] : [{ call, at: endedAt, endedAt, outcome: what === 'is reached' ? 'reached' : 'no-answer' }];
    expect(kept()).toMatchObject(what === 'is not reached' ? { state: 'waiting', notBefore: endedAt + 60_000, tries } : { state: 'over', outcome: call === null ? 'served' : 'reached', endedAt, tries });
    expect(places.map((all) => all.length)).toEqual(what === 'is not reached' ? [1, 1] : [0, 0]);
    await until(async () => (await news.all()).size === 0 || undefined, { describe: 'it is left no more' });
    expect(await placesAt(new Set(), two)).toHaveLength(what === 'is not reached' ? 1 : 0);
  });

  it.each([['max-wait', 'expired'], ['called-again', 'called-again'], ['closed', 'closed']] as const)('that the desk lets go of by %s is %s', async (why, outcome) => {
    await keep();
    one.callbacks.obey(account.id, { type: 'LeaveQueue', callId: 'c3', visit: 1, queue: 'desk', why, key: 'cb' });
    await until(() => kept().state === 'over' || undefined, { describe: 'it is over' });
    expect(kept().outcome).toBe(outcome);
  });

  it('of who was served after all, or that an admin cancels, is over; the desk is told of the latter', async () => {
    await keep();
    expect([await one.callbacks.cancel(account.id, 'other', 'cb'), await one.callbacks.cancel(account.id, 'desk', 'cb'), await one.callbacks.cancel(account.id, 'desk', 'cb')]).toEqual([false, true, false]);
    expect(one.told).toEqual([{ type: 'CallLeft', callId: 'c3', visit: 1, why: 'routed' }]);
    offer();
    await until(() => one.told[1], { describe: 'the desk is told again' });
    expect(one.begun).toEqual([]);
    await one.callbacks.keep(waits(), { type: 'KeepCallback', id: 'other', number: '+13125550177' });
    one.callbacks.drop(waits(), 'other');
    await until(() => store.all()[1]?.outcome === 'served' || undefined, { describe: 'it is over' });
  });

  it('may be asked for over the API, where the outbound rules allow it', async () => {
    expect(await ask('+13125550177')).toMatchObject({ ok: true, callback: { number: '+13125550177', call: null, dialled: '+12025550110', enteredAt: now } });
    expect([await ask('+442079460000'), await ask('+13125550177', 'gone'), await ask('+13125550177', 'main', 'nowhere')]).toMatchObject([{ field: 'number' }, { field: 'shows' }, { field: null }]);
    expect(await placesAt()).toMatchObject([{ callId: kept().id, number: '+13125550177' }]);
  });
});
