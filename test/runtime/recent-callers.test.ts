/** When a number last called: of the past, of this controller's calls and of others', as many as are remembered. */
import { describe, expect, it } from 'vitest';
import { callerSeen, createRecentCallers } from '../../control-plane/contacts/recent-callers.ts';
import { followCallers } from '../../control-plane/kept-calls/follow-callers.ts';
import type { CallObserver } from '../../control-plane/runtime/call-observers.ts';
import type { CallerSeen } from '../../control-plane/store/ports.ts';
import { until } from '../support/until.ts';
import { onePhonePlan, silent } from './sample-call.ts';

const seen = (i: number, at: number, account = 'clinic'): CallerSeen => ({ account, number: `+1303555${String(i).padStart(4, '0')}`, at });

describe('The memory of who called', () => {
  it('has for each account when a number called it last, whatever order it hears of it in', () => {
    const recent = createRecentCallers();
    for (const [i, at] of [[1, 10], [1, 30], [1, 20], [2, 5]] as const) recent.note(seen(i, at));
    expect([recent.lastCallAt('clinic', '+13035550001'), recent.lastCallAt('clinic', '+13035550002'), recent.lastCallAt('other', '+13035550001')]).toEqual([30, 5, undefined]);
  });

  it('forgets who has not called for longest', () => {
    const recent = createRecentCallers(3);
    for (const [i, at] of [[1, 1], [2, 2], [3, 3], [1, 4], [4, 5]] as const) recent.note(seen(i, at));
    expect([1, 2, 3, 4].map((i) => recent.lastCallAt('clinic', seen(i, 0).number))).toEqual([4, undefined, 3, 5]);
    expect(recent.size()).toBe(3);
  });

  it('learns the past newest first, as far as there is room, and keeps what has come meanwhile', async () => {
    const recent = createRecentCallers(4);
    recent.note(seen(2, 90));
    const asked: number[] = [];
    await recent.learn((async function* () {
      for (let page = 0; page < 9; page++) {
        asked.push(page);
        if (page === 1) recent.note(seen(9, 95));
        yield [seen(page * 2, 80 - page * 10), seen(page * 2 + 1, 75 - page * 10), seen(0, 3)];
      }
    })());
    expect(asked).toEqual([0, 1]);
    expect([0, 1, 2, 3, 9].map((i) => recent.lastCallAt('clinic', seen(i, 0).number))).toEqual([80, 75, 90, undefined, 95]);
    recent.note(seen(7, 99));
    expect(recent.lastCallAt('clinic', seen(1, 0).number)).toBeUndefined();
  });

  it.each([['1 (303) 555-0001', '+13035550001'], ['+13035550001', '+13035550001'], ['101', undefined], ['', undefined], ['anonymous', undefined]])('knows a caller who shows “%s” as %s', (shown, number) => {
    expect(callerSeen('clinic', shown, 1)?.number).toBe(number);
  });
});

it('A controller learns the past, notes its own calls and tells of them, and hears of others’', async () => {
  const recent = createRecentCallers();
  const told: CallerSeen[] = [];
  const listeners = new Set<(one: CallerSeen) => void>();
  let observer: CallObserver = {};
  const end = followCallers({
    recent, opened: Promise.resolve(), log: silent,
    controller: { observe: (given) => { observer = given; return () => { observer = {}; }; } },
    news: { tell: (one) => { told.push(one); }, listen: (listener) => { listeners.add(listener); return () => { listeners.delete(listener); }; } },
    cdrs: { callers: async ({ cursor }) => (cursor === undefined ? { items: [seen(1, 10)], next: 'more' } : { items: [seen(2, 5)], next: null }) },
  });
  await until(() => recent.size() === 2, { describe: 'the past is known' });
  const starts = (id: string, number: string, origin: 'trunk' | 'phone', at: number): void =>
    observer.onFact?.({ id, plan: onePhonePlan } as never, { type: 'CallStarted', caller: { number, name: '' }, dialled: '+12025550110', origin, startedAt: at }, at);
  starts('c1', '13035550003', 'trunk', 20);
  starts('c2', '+13035550004', 'phone', 21);
  starts('fdsynthetic-1.main', '+13035550005', 'trunk', 22);
  starts('c3', '', 'trunk', 23);
  for (const listener of listeners) listener(seen(6, 24));
  expect(told).toEqual([seen(3, 20)]);
  expect([1, 2, 3, 4, 5, 6].map((i) => recent.lastCallAt('clinic', seen(i, 0).number))).toEqual([10, 5, 20, undefined, undefined, 24]);
  end();
  starts('c4', '+13035550007', 'trunk', 25);
  expect([recent.size(), listeners.size]).toEqual([4, 0]);
});
