/** What the database keeps of callbacks: on a server, and in the process. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AskedCallback, CallbackStore } from '../../control-plane/store/callback-ports.ts';
import { memoryCallbacks } from '../support/memory-callbacks.ts';
import type { DatabaseFixture, DatabasePlace } from './database-fixture.ts';

const asked = (id: string, change: Partial<AskedCallback> = {}): AskedCallback => ({ account: 'clinic', id, queue: 'desk', number: '+12025550187', dialled: '+12025550110', call: `call-${id}`, visit: 1, priority: 0, enteredAt: 5, joinedAt: 6, sticky: 'x\0y', askedAt: 7, ...change });

export function callbacksContract(fixture: () => DatabaseFixture): void {
  describe('callbacks', () => {
    let place: DatabasePlace;
    let store: CallbackStore;
    beforeEach(async () => {
      place = await fixture().place();
      store = (await place.open()).callbacks;
    });
    afterEach(() => place.dispose());
    callbacks(() => store);
  });
}

/** What stands for them in tests is held to the same. */
describe('callbacks in memory', () => {
  let store: CallbackStore;
  beforeEach(() => { store = memoryCallbacks(); });
  callbacks(() => store);
});

function callbacks(store: () => CallbackStore): void {
  const begin = (id: string, call: string, tries = 0): Promise<boolean> => store().begin({ account: 'clinic', id, tries, call, at: 100 });
  const over = { at: 300, outcome: 'no-answer', again: null, over: 'unanswered' } as const;

  it('are kept once for an id, and not again once they are over', async () => {
    expect([await store().keep(asked('a')), await store().keep(asked('a', { number: '+12025550199' }))]).toEqual([true, true]);
    expect(await store().open()).toMatchObject([{ id: 'a', number: '+12025550187', state: 'waiting', tries: [], notBefore: 0, outcome: null }]);
    expect([await store().over('clinic', 'a', 'canceled', 50), await store().over('clinic', 'a', 'expired', 60), await store().keep(asked('a'))]).toEqual([true, false, false]);
    expect(await store().get('clinic', 'a')).toMatchObject({ state: 'over', outcome: 'canceled', endedAt: 50 });
    expect(await store().open()).toEqual([]);
  });

  it('are taken by one for a try, also of many at once', async () => {
    await store().keep(asked('a'));
    const begun = await Promise.all(['one', 'two', 'three'].map((call) => begin('a', call)));
    expect(begun.filter(Boolean)).toHaveLength(1);
    const call = ['one', 'two', 'three'][begun.indexOf(true)] ?? '';
    expect(await store().triedBy(call)).toMatchObject({ id: 'a', state: 'calling', tries: [{ call, at: 100, endedAt: null, outcome: null }] });
    expect(await begin('a', 'four', 1)).toBe(false);
  });

  it('wait again after a try, and are over after the last; each try ends once', async () => {
    await store().keep(asked('a'));
    await begin('a', 'one');
    await store().ended('one', { at: 200, outcome: 'busy', again: 900, over: null });
    await store().ended('one', over);
    expect(await store().get('clinic', 'a')).toMatchObject({ state: 'waiting', notBefore: 900, tries: [{ call: 'one', endedAt: 200, outcome: 'busy' }], endedAt: null });
    expect([await begin('a', 'late'), await begin('a', 'two', 1)]).toEqual([false, true]);
    await store().ended('two', over);
    expect(await store().get('clinic', 'a')).toMatchObject({ state: 'over', outcome: 'unanswered', endedAt: 300, tries: [{ outcome: 'busy' }, { call: 'two', endedAt: 300, outcome: 'no-answer' }] });
    expect(await store().triedBy('two')).toBeNull();
  });

  it('that are over while they are tried say how the try ended', async () => {
    await store().keep(asked('a'));
    await begin('a', 'one');
    await store().over('clinic', 'a', 'called-again', 150);
    expect(await begin('a', 'two', 1)).toBe(false);
    await store().ended('one', { at: 200, outcome: 'reached', again: null, over: 'reached' });
    expect(await store().get('clinic', 'a')).toMatchObject({ state: 'over', outcome: 'reached', tries: [{ outcome: 'reached' }] });
  });

  it('are listed by queue, the newest first, and removed some time after', async () => {
    for (const id of ['a', 'b', 'c']) await store().keep(asked(id));
    await store().keep(asked('d', { queue: 'other' }));
    await store().over('clinic', 'b', 'canceled', 50);
    const ids = async (open?: boolean): Promise<readonly string[]> => (await store().list({ account: 'clinic', queue: 'desk', ...(open === undefined ? {} : { open }) }, { limit: 9 })).items.map(({ id }) => id);
    expect([await ids(), await ids(true), await ids(false)]).toEqual([['c', 'b', 'a'], ['c', 'a'], ['b']]);
    expect((await store().open()).map(({ id }) => id)).toEqual(['a', 'c', 'd']);
    expect([await store().removeBefore(50), await store().removeBefore(51, 'another'), await store().removeBefore(51, 'clinic')]).toEqual([0, 0, 1]);
    expect(await ids()).toEqual(['c', 'a']);
  });
}
