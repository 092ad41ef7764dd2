/** Whose turn it is, and whom the calls of other controllers keep: the same in memory, for simulations, and in a real Redis. */
import { describe, expect, it } from 'vitest';
import { occupancyOfAll } from '../../control-plane/store/memory-occupancy.ts';
import { sharedTurns } from '../../control-plane/store/memory-turns.ts';
import type { SharedOccupancy, Turns } from '../../control-plane/store/ports.ts';
import type { WrongPin } from '../../control-plane/store/wrong-pin-ports.ts';
import { redisOccupancy } from '../../control-plane/store/redis/occupancy.ts';
import { redisTurns } from '../../control-plane/store/redis/turns.ts';
import { redisWrongPins } from '../../control-plane/store/redis/wrong-pins.ts';
import { redisOfTests } from '../support/redis-of-tests.ts';
import { until } from '../support/until.ts';

const rememberMs = 300;
const lifeMs = 300;

interface Place {
  turns(): Turns;
  occupancy(controller: string): SharedOccupancy;
  /** The store loses all it knew. */
  empty(): Promise<void>;
}

const pin = (callId: string, at: number): WrongPin => ({ account: 'clinic', user: 'ann', callId, at });
const nobody = { kept: new Map(), ended: new Map() } as const;

function suite(open: () => Promise<Place>): void {
  it('counts the turns of each group by itself', async () => {
    const turns = (await open()).turns();
    expect([await turns.take('front', 'a', 0), await turns.take('front', 'b', 0), await turns.take('back', 'a', 0), await turns.take('front', 'c', 0)]).toEqual([1, 2, 1, 3]);
  });

  it('gives who asks again the same turn, and after a time another', async () => {
    const turns = (await open()).turns();
    const first = await turns.take('front', 'a', 0);
    await turns.take('front', 'b', 0);
    expect([await turns.take('front', 'a', 0), await turns.take('front', 'a', 7)]).toEqual([first, first]);
    await until(async () => (await turns.take('front', 'a', 0)) > first, { describe: 'the turn is forgotten', within: 5 * rememberMs, everyMs: 20 });
  });

  it('that has lost its memory counts on from what the asker knows', async () => {
    const place = await open();
    const turns = place.turns();
    expect([await turns.take('front', 'a', 0), await turns.take('front', 'b', 41)]).toEqual([1, 42]);
    await place.empty();
    expect([await turns.take('front', 'c', 42), await turns.take('front', 'd', 7)]).toEqual([43, 44]);
  });

  it('asked by several controllers at once, for 1,000 calls, gives each turn once', async () => {
    const place = await open();
    const several = Array.from({ length: 4 }, () => place.turns());
    const taken = await Promise.all(Array.from({ length: 1000 }, (_, i) => several[i % 4]?.take('front', `call-${i}`, 0) ?? Promise.resolve(0)));
    expect(taken.map(Number).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i + 1));
  });

  it('tells each what the others last told, and nothing of its own', async () => {
    const place = await open();
    const [a, b, c] = ['a', 'b', 'c'].map((name) => place.occupancy(name));
    await a?.exchange({ kept: new Map([['c1/ana', { calls: 1, talking: 0 }]]), ended: new Map() }, []);
    await a?.exchange({ kept: new Map([['c1/ana', { calls: 2, talking: 1 }], ['c1/+1202', { calls: 1, talking: 1 }]]), ended: new Map() }, []);
    await b?.exchange(nobody, []);
    const heard = await c?.exchange({ kept: new Map([['c1/ben', { calls: 9, talking: 9 }]]), ended: new Map() }, []);
    expect(heard?.others.filter(({ size }) => size > 0)).toEqual([new Map([['c1/ana', { calls: 2, talking: 1 }], ['c1/+1202', { calls: 1, talking: 1 }]])]);
  });

  it('forgets what was told by one that does not tell again', async () => {
    const place = await open();
    const [a, b] = [place.occupancy('a'), place.occupancy('b')];
    await a.exchange({ kept: new Map([['c1/ana', { calls: 1, talking: 1 }]]), ended: new Map() }, []);
    expect((await b.exchange(nobody, [])).others).toHaveLength(1);
    await until(async () => (await b.exchange(nobody, [])).others.length === 0, { describe: 'what it told is over', within: 5 * lifeMs, everyMs: 20 });
  });

  it('knows when a call of each ended last, whoever had it', async () => {
    const place = await open();
    const [a, b] = [place.occupancy('a'), place.occupancy('b')];
    await a.exchange({ kept: new Map(), ended: new Map([['c1/ana', 0], ['c1/ben', 0]]) }, []);
    await until(async () => {
      await b.exchange({ kept: new Map(), ended: new Map([['c1/ana', 0]]) }, []);
      const { endedAt } = await b.exchange(nobody, ['c1/ana', 'c1/ben', 'c1/cy']);
      return endedAt.get('c1/cy') === 0 && (endedAt.get('c1/ben') ?? 0) > 0 && (endedAt.get('c1/ana') ?? 0) > (endedAt.get('c1/ben') ?? 0);
    }, { describe: 'the later end is the later', within: 1_000, everyMs: 5 });
    expect((await b.exchange(nobody, ['c1/cy'])).endedAt.get('c1/cy')).toBe(0);
  });

  it('goes by when a call ended, and not by when that was told', async () => {
    const place = await open();
    const [a, b] = [place.occupancy('a'), place.occupancy('b')];
    await a.exchange({ kept: new Map(), ended: new Map([['c1/ana', 100], ['c1/ben', 300]]) }, []);
    await b.exchange({ kept: new Map(), ended: new Map([['c1/ana', 9_000]]) }, []);
    const { endedAt } = await b.exchange(nobody, ['c1/ana', 'c1/ben']);
    expect((endedAt.get('c1/ana') ?? 0) - (endedAt.get('c1/ben') ?? 0)).toBe(200);
  });
}

describe('turns and occupancy in memory', () => {
  suite(async () => {
    const turns = sharedTurns({ now: () => Date.now(), rememberMs });
    const all = occupancyOfAll({ now: () => Date.now(), lifeMs });
    return {
      turns: () => turns,
      occupancy: (controller) => all.of(controller),
      empty: async () => { for (const store of [turns, all]) store.back({ empty: true }); },
    };
  });
});

describe('turns and occupancy in Redis', () => {
  const connect = redisOfTests();
  suite(async () => {
    const redis = await connect();
    return {
      turns: () => redisTurns(redis, rememberMs),
      occupancy: (controller) => redisOccupancy({ redis, controller, lifeMs }),
      empty: async () => { await redis.flushall(); },
    };
  });

  it('keeps a wrong PIN once for a call, and no longer than it counts', async () => {
    const store = redisWrongPins(await connect());
    for (const one of [pin('a', 10), pin('b', 20), pin('b', 20)]) await store.add(one, 0);
    expect([await store.read(0), await store.read(11)]).toEqual([[pin('a', 10), pin('b', 20)], [pin('b', 20)]]);
    await store.add(pin('c', 30), 15);
    expect(await store.read(0)).toEqual([pin('b', 20), pin('c', 30)]);
  });
});
