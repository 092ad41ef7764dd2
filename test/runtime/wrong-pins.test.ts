/** Who guesses PINs of agents, seen by one controller or several, with the store and without. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { newCall, type Call } from '../../control-plane/core/call/call.ts';
import type { NewEvent } from '../../control-plane/events/catalogue.ts';
import type { Notice } from '../../control-plane/notify/notices.ts';
import type { WrongPin, WrongPinStore } from '../../control-plane/store/wrong-pin-ports.ts';
import { watchWrongPins, type WrongPins } from '../../control-plane/phone-codes/wrong-pins.ts';
import { onePhonePlan, silent } from './sample-call.ts';

const minute = 60_000;
const start = 1_800_000_000_000;
const running: WrongPins[] = [];
beforeEach(() => { vi.useFakeTimers({ now: start }); });
afterEach(() => {
  for (const one of running.splice(0)) one.stop();
  vi.useRealTimers();
});

function memoryPins(): WrongPinStore & { isAway: boolean } {
  const kept: WrongPin[] = [];
  const store = {
    isAway: false,
    add: (pin: WrongPin) => (store.isAway ? Promise.reject(new Error('away')) : Promise.resolve(void kept.push(pin))),
    read: (since: number) => (store.isAway ? Promise.reject(new Error('away')) : Promise.resolve(kept.filter(({ at }) => at >= since))),
  };
  return store;
}

function watch(store: WrongPinStore) {
  const told: NewEvent[] = [];
  const notices: Notice[] = [];
  const pins = watchWrongPins({
    store, publish: (event) => { told.push(event); }, notify: () => ['admin@clinic.example'], log: silent, now: () => Date.now(),
    notices: { give: (notice) => Promise.resolve(void notices.push(notice)), send: () => Promise.resolve() },
  });
  running.push(pins);
  return { told, notices, ...pins };
}

let n = 0;
const callOf = (user: string, why: 'unknown' | 'too-many' = 'unknown'): Call => newCall({ callId: `c${++n}`, dialled: '*41*9999', origin: 'phone', phone: '101', caller: { number: '101', name: '' }, orphan: false }, { ...onePhonePlan, wrongPin: { user, phone: '101', why } }, Date.now());
const dialsWrong = (to: Pick<WrongPins, 'onFact'>, times: number, user = 'ann'): void => {
  for (let i = 0; i < times; i++) to.onFact(callOf(user), { type: 'CallStarted', caller: { number: '101', name: '' }, dialled: '*41*', origin: 'phone', startedAt: Date.now() });
};

describe('Wrong PINs', () => {
  it('are taken four times, and after the fifth none is on the phones of this user; it is told once', () => {
    const { isRefused, told, notices, onFact } = watch(memoryPins());
    dialsWrong({ onFact }, 4);
    expect(isRefused('clinic', 'ann')).toBe(false);
    vi.advanceTimersByTime(minute);
    dialsWrong({ onFact }, 1);
    expect([isRefused('clinic', 'ann'), isRefused('clinic', 'bob'), isRefused('other', 'ann')]).toEqual([true, false, false]);
    onFact(callOf('ann', 'too-many'), { type: 'CallStarted', caller: { number: '101', name: '' }, dialled: '*41*', origin: 'phone', startedAt: 0 });
    expect(told).toEqual([{ at: start + minute, account: 'clinic', type: 'agent.pins-refused', data: { user: 'ann', device: '101', until: start + 30 * minute } }]);
    expect(notices).toEqual([{ at: new Date(start + minute).toISOString(), kind: 'pins', call: expect.any(String), notify: ['admin@clinic.example'], sentence: '5 wrong PINs of agents were dialled on the phones of ann in clinic within 30 minutes, the last on extension 101: codes with a PIN are refused there until 2027-01-15T08:30:00.000Z. Agents can be logged in over the API meanwhile.' }]);
  });

  it('are forgotten after half an hour each, and what is dialled meanwhile prolongs nothing', () => {
    const { isRefused, onFact } = watch(memoryPins());
    dialsWrong({ onFact }, 1);
    vi.advanceTimersByTime(20 * minute);
    dialsWrong({ onFact }, 4);
    onFact(callOf('ann', 'too-many'), { type: 'CallStarted', caller: { number: '', name: '' }, dialled: '*41*', origin: 'phone', startedAt: 0 });
    vi.advanceTimersByTime(10 * minute - 1);
    expect(isRefused('clinic', 'ann')).toBe(true);
    vi.advanceTimersByTime(1);
    expect(isRefused('clinic', 'ann')).toBe(false);
    dialsWrong({ onFact }, 1);
    expect(isRefused('clinic', 'ann')).toBe(true);
  });

  it('of a call are counted once, and only as it begins', () => {
    const { isRefused, onFact } = watch(memoryPins());
    const call = callOf('ann');
    for (let i = 0; i < 9; i++) onFact(call, { type: 'CallStarted', caller: { number: '101', name: '' }, dialled: '*41*', origin: 'phone', startedAt: 0 });
    for (let i = 0; i < 9; i++) onFact(callOf('ann'), { type: 'CallerAnswered' });
    expect(isRefused('clinic', 'ann')).toBe(false);
  });

  it('are known to each controller, and to one that starts after another was killed', async () => {
    const store = memoryPins();
    const [one, other] = [watch(store), watch(store)];
    dialsWrong(one, 3);
    await vi.advanceTimersByTimeAsync(2000);
    dialsWrong(other, 2);
    expect([other.isRefused('clinic', 'ann'), other.told.length, one.isRefused('clinic', 'ann')]).toEqual([true, 1, false]);
    await vi.advanceTimersByTimeAsync(2000);
    expect([one.isRefused('clinic', 'ann'), one.told.length]).toEqual([true, 0]);
    const next = watch(store);
    await vi.advanceTimersByTimeAsync(0);
    expect(next.isRefused('clinic', 'ann')).toBe(true);
  });

  it('count in each controller while the store is away, and go on counting when it is back', async () => {
    const store = memoryPins();
    const { isRefused, onFact } = watch(store);
    store.isAway = true;
    dialsWrong({ onFact }, 5);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(isRefused('clinic', 'ann')).toBe(true);
    store.isAway = false;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(isRefused('clinic', 'ann')).toBe(true);
  });
});
