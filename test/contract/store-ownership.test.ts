/** Who looks after which call: the same in memory, for simulations, and in a real Redis. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startLocalStack, type LocalStack } from '../../control-plane/local-stack/local-stack.ts';
import { sharedOwners } from '../../control-plane/store/memory-ownership.ts';
import type { Ownership } from '../../control-plane/store/ports.ts';
import { connectRedis } from '../../control-plane/store/redis/connect.ts';
import { redisOwnership } from '../../control-plane/store/redis/ownership.ts';
import { silent } from '../runtime/sample-call.ts';
import { until } from '../support/until.ts';

const leaseMs = 400;
const settleMs = 1_200;

interface Place {
  of(controller: string): Ownership;
  /** The store loses all it knew. */
  empty(): Promise<void>;
  /** Its clock is set, forwards or back. */
  jump(ms: number): Promise<void>;
  close(): void;
}

interface Holder {
  readonly name: string;
  readonly ownership: Ownership;
  readonly token: number;
}

const free = (callIds: readonly string[]): { readonly callId: string; readonly believed: null }[] => callIds.map((callId) => ({ callId, believed: null }));

const renew = async ({ ownership, token }: Holder): Promise<string> => {
  const renewed = await ownership.renew(token);
  return renewed.held ? ['held', ...renewed.lapsed].join(' ') : renewed.why;
};

/** Whether it leads, and beside whom. */
const says = async ({ ownership, token }: Holder): Promise<string> => {
  const renewed = await ownership.renew(token);
  return renewed.held ? `${renewed.leads ? 'leads' : 'follows'}, beside ${renewed.others.toSorted().join(' ')}` : renewed.why;
};

/** `live` renews while another does not. */
const lapses = (live: Holder, name: string): Promise<unknown> => until(async () => (await renew(live)).split(' ').includes(name), { describe: `the lease of ${name} has lapsed`, within: 5 * leaseMs, everyMs: 20 });
const settled = (place: Holder, probe: string): Promise<unknown> => until(async () => {
  await renew(place);
  return (await place.ownership.claim(place.token, free([probe]))).mine.has(probe);
}, { describe: 'calls without an owner may be claimed', within: 5 * settleMs, everyMs: 50 });

const hold = async (place: Place, name: string): Promise<Holder> => {
  const ownership = place.of(name);
  const renewed = await ownership.renew(null);
  if (!renewed.held) throw new Error('no lease');
  return { name, ownership, token: renewed.token };
};

function suite(open: () => Place): void {
  /** Several at a time, each in a store of its own: what they do most is wait. */
  const inPlace = (run: (place: Place) => Promise<void>) => async (): Promise<void> => {
    const place = open();
    try {
      await run(place);
    } finally {
      place.close();
    }
  };
  it.concurrent('holds a lease on while it is renewed; one that has lapsed is told to others, and is not renewed', inPlace(async (place) => {
    const [a, b] = [await hold(place, 'a'), await hold(place, 'b')];
    expect(await renew(a)).toBe('held');
    await lapses(a, 'b');
    expect(await renew(b)).toBe('lapsed');
    const again = await hold(place, 'b');
    expect(again.token).toBeGreaterThan(b.token);
    expect(await renew(a)).toBe('held');
  }));

  it.concurrent('says of the eldest alone that it leads, and who else lives; when its lease has lapsed or is left, of the next', inPlace(async (place) => {
    const [a, b, c] = [await hold(place, 'a'), await hold(place, 'b'), await hold(place, 'c')];
    expect([await says(a), await says(b), await says(c)]).toEqual(['leads, beside b c', 'follows, beside a c', 'follows, beside a b']);
    await until(async () => (await Promise.all([renew(b), renew(c)])).every((said) => said === 'held a'), { describe: 'the lease of a has lapsed', everyMs: 20 });
    expect([await says(b), await says(c)]).toEqual(['leads, beside c', 'follows, beside b']);
    const back = await hold(place, 'a');
    expect([await says(b), await says(back)]).toEqual(['leads, beside a c', 'follows, beside b c']);
    await b.ownership.leave(b.token);
    expect([await says(c), await says(back)]).toEqual(['leads, beside a', 'follows, beside c']);
  }));

  it.concurrent('tells a process whose name another has taken', inPlace(async (place) => {
    const first = await hold(place, 'a');
    await hold(place, 'a');
    expect(await renew(first)).toBe('replaced');
  }));

  it.concurrent('gives the calls of a lapsed controller to those who take them, each once, and forgets it then', inPlace(async (place) => {
    const dead = await hold(place, 'dead');
    const calls = Array.from({ length: 50 }, (_, i) => `call-${i}`);
    for (const call of calls) dead.ownership.begin(call);
    const [a, b] = [await hold(place, 'a'), await hold(place, 'b')];
    expect(await a.ownership.take(a.token, 'dead', 10)).toEqual([]);
    await until(async () => (await Promise.all([renew(a), renew(b)])).every((said) => said.includes('dead')), { describe: 'it has lapsed for both', everyMs: 20 });
    await Promise.all([settled(a, 'probe-of-a'), settled(b, 'probe-of-b')]);
    expect(await a.ownership.orphans()).toBe(calls.length);
    const taken: string[] = [];
    for (;;) {
      const parts = await Promise.all([a, b].map(({ ownership, token }) => ownership.take(token, 'dead', 7)));
      if (parts.flat().length === 0) break;
      expect(Math.max(...parts.map((part) => part.length))).toBeLessThanOrEqual(7);
      taken.push(...parts.flat());
    }
    expect(taken.toSorted((x, y) => (x < y ? -1 : 1))).toEqual(calls.toSorted((x, y) => (x < y ? -1 : 1)));
    expect([await renew(a), await a.ownership.orphans()]).toEqual(['held', 0]);
  }));

  it.concurrent('lets calls be claimed that are one’s own, a lapsed controller’s or nobody’s, and no others', inPlace(async (place) => {
    const a = await hold(place, 'a');
    await settled(a, 'probe');
    const [b, dead] = [await hold(place, 'b'), await hold(place, 'dead')];
    dead.ownership.begin('of-dead');
    b.ownership.begin('of-b');
    a.ownership.begin('of-a');
    await until(async () => {
      await renew(b);
      return (await renew(a)).includes('dead');
    }, { describe: 'dead has lapsed', everyMs: 20 });
    const asked = [...free(['of-a', 'of-b', 'of-dead', 'of-nobody']), { callId: 'b-says-the-switch', believed: 'b' }, { callId: 'a-says-the-switch', believed: 'a' }];
    expect([...(await a.ownership.claim(a.token, asked)).mine]).toEqual(['of-a', 'of-dead', 'of-nobody', 'a-says-the-switch']);
    // Not answered with none: they may be its own still.
    await expect(dead.ownership.claim(dead.token, asked)).rejects.toThrow('not held');
  }));

  it.concurrent('forgets a call that is over, unless another has it by now', inPlace(async (place) => {
    const a = await hold(place, 'a');
    await settled(a, 'probe');
    const b = await hold(place, 'b');
    a.ownership.begin('one');
    a.ownership.begin('two');
    await lapses(b, 'a');
    await settled(b, 'probe-of-b');
    expect([...(await b.ownership.claim(b.token, free(['one', 'two']))).mine]).toEqual(['one', 'two']);
    const back = await hold(place, 'a');
    a.ownership.end('one');
    b.ownership.end('two');
    await until(async () => {
      await renew(b);
      return (await back.ownership.claim(back.token, free(['two']))).over.has('two');
    }, { describe: 'the call is over for all', everyMs: 20 });
    const asked = await back.ownership.claim(back.token, free(['one', 'two']));
    expect([asked.mine, asked.over]).toEqual([new Set(), new Set(['two'])]);
  }));

  it.concurrent('keeps a call over that ends while it is being claimed', inPlace(async (place) => {
    const a = await hold(place, 'a');
    const b = await hold(place, 'b');
    a.ownership.begin('one');
    const claimed = a.ownership.claim(a.token, [{ callId: 'one', believed: 'a' }]);
    a.ownership.end('one');
    expect([...(await claimed).mine]).toEqual(['one']);
    await until(async () => {
      await renew(a);
      await renew(b);
      return (await b.ownership.claim(b.token, free(['one']))).over.has('one');
    }, { describe: 'the call is over', everyMs: 20 });
  }));

  it.concurrent('lists what an earlier process of one’s name has left, and nothing of others', inPlace(async (place) => {
    const [before, b] = [await hold(place, 'a'), await hold(place, 'b')];
    before.ownership.begin('one');
    b.ownership.begin('two');
    await until(async () => (await before.ownership.list(before.token)).includes('one') && (await b.ownership.list(b.token)).includes('two'), { describe: 'both are noted', everyMs: 5 });
    const a = await hold(place, 'a');
    expect([await a.ownership.list(a.token), await b.ownership.list(b.token), await before.ownership.list(before.token)]).toEqual([['one'], ['two'], []]);
  }));

  it.concurrent('leaves a call with who took it, when its former owner holds a lease again', inPlace(async (place) => {
    const a = await hold(place, 'a');
    a.ownership.begin('one');
    const b = await hold(place, 'b');
    await lapses(b, 'a');
    await settled(b, 'probe');
    expect(await b.ownership.take(b.token, 'a', 10)).toEqual(['one']);
    const back = await a.ownership.renew(null);
    a.ownership.begin('new');
    await until(async () => {
      await renew(b);
      return back.held && (await a.ownership.claim(back.token, free(['new']))).mine.has('new');
    }, { describe: 'the new call is its own', everyMs: 20 });
    expect((await a.ownership.claim(back.held ? back.token : 0, [{ callId: 'one', believed: 'a' }])).mine.size).toBe(0);
  }));

  it.concurrent.each(['stood still', 'could not reach the store'])('leaves a call with who found it on the switch, when who began it %s before it could say so', (why) => inPlace(async (place) => {
    const [a, b] = [await hold(place, 'a'), await hold(place, 'b')];
    await lapses(b, 'a');
    await settled(b, 'probe');
    if (why === 'stood still') a.ownership.begin('one');
    expect(await b.ownership.take(b.token, 'a', 10)).toEqual([]);
    expect([...(await b.ownership.claim(b.token, [{ callId: 'one', believed: 'a' }])).mine]).toEqual(['one']);
    if (why !== 'stood still') a.ownership.begin('one');
    const back = await a.ownership.renew(null);
    a.ownership.begin('new');
    await until(async () => {
      await renew(b);
      return back.held && (await a.ownership.list(back.token)).includes('new');
    }, { describe: 'what a has begun since is noted', everyMs: 20 });
    expect(await b.ownership.list(b.token)).toContain('one');
    expect(back.held && (await a.ownership.list(back.token))).toEqual(['new']);
  })());

  it.concurrent('ends a lease that is left, at once', inPlace(async (place) => {
    const a = await hold(place, 'a');
    await settled(a, 'probe');
    const b = await hold(place, 'b');
    b.ownership.begin('one');
    await b.ownership.leave(b.token);
    expect(await renew(a)).toBe('held b');
    expect(await a.ownership.take(a.token, 'b', 10)).toEqual(['one']);
  }));

  it.concurrent('that has lost its memory is told again, and lends no call whose owner may not have spoken yet', inPlace(async (place) => {
    const [a, b] = [await hold(place, 'a'), await hold(place, 'b')];
    a.ownership.begin('one');
    await place.empty();
    expect([await renew(a), await renew(b)]).toEqual(['lapsed', 'lapsed']);
    const [again, other] = [await a.ownership.renew(null), await b.ownership.renew(null)];
    if (!again.held || !other.held) throw new Error('no lease');
    expect((await b.ownership.claim(other.token, [...free(['two']), { callId: 'three', believed: 'c' }])).mine.size).toBe(0);
    expect([...(await b.ownership.claim(other.token, [{ callId: 'four', believed: 'b' }])).mine]).toEqual(['four']);
    await settled({ ...b, token: other.token }, 'probe');
    const held = await a.ownership.renew(again.token).then((renewed) => (renewed.held ? renewed : a.ownership.renew(null)));
    // who has a call says so again
    await a.ownership.claim(held.held ? held.token : 0, [{ callId: 'one', believed: 'a' }]);
    await until(async () => (await b.ownership.claim(other.token, free(['two']))).mine.has('two'), { describe: 'a call of nobody is given', everyMs: 20 });
    expect((await b.ownership.claim(other.token, free(['one']))).mine.size).toBe(0);
  }));

  it.concurrent('whose clock is set forwards ends all leases at once; each has its calls again, and nobody another’s', inPlace(async (place) => {
    const [a, b] = [await hold(place, 'a'), await hold(place, 'b')];
    await Promise.all([settled(a, 'probe-of-a'), settled(b, 'probe-of-b')]);
    a.ownership.begin('one');
    await until(async () => (await renew(b)) === 'held' && (await renew(a)) === 'held' && (await a.ownership.list(a.token)).includes('one'), { describe: 'the call is noted' });
    await place.jump(3_600_000);
    expect(await b.ownership.take(b.token, 'a', 10)).toEqual([]);
    await expect(b.ownership.claim(b.token, free(['one']))).rejects.toThrow('not held');
    expect([await renew(a), await renew(b)]).toEqual(['lapsed', 'lapsed']);
    const back = await hold(place, 'b');
    // The other has not renewed yet: it is taken for dead by nobody.
    expect([await back.ownership.take(back.token, 'a', 10), (await back.ownership.claim(back.token, free(['one']))).mine.size]).toEqual([[], 0]);
    const again = await hold(place, 'a');
    expect([...(await again.ownership.claim(again.token, free(['one']))).mine]).toEqual(['one']);
    expect([await renew(back), await renew(again)]).toEqual(['held', 'held']);
    expect((await back.ownership.claim(back.token, free(['one']))).mine.size).toBe(0);
  }));

  it.concurrent('whose clock is set back ends no lease; who died before is noticed soon, and not after an hour', inPlace(async (place) => {
    const [a, b] = [await hold(place, 'a'), await hold(place, 'b')];
    await Promise.all([settled(a, 'probe-of-a'), settled(b, 'probe-of-b')]);
    const dead = await hold(place, 'dead');
    dead.ownership.begin('one');
    b.ownership.begin('two');
    await until(async () => (await dead.ownership.list(dead.token)).includes('one'), { describe: 'the call is noted', everyMs: 5 });
    await place.jump(-3_600_000);
    expect([await renew(a), await renew(b)]).toEqual(['held', 'held']);
    expect((await a.ownership.claim(a.token, free(['one', 'two']))).mine.size).toBe(0);
    await until(async () => {
      await renew(b);
      return (await renew(a)) === 'held dead' && (await a.ownership.take(a.token, 'dead', 10)).includes('one');
    }, { describe: 'the calls of the dead one are taken', within: 5 * settleMs, everyMs: 20 });
    expect([await renew(b), await b.ownership.list(b.token)]).toEqual(['held', ['probe-of-b', 'two']]);
  }));

  it.concurrent('asked by many at once for the same calls, gives each to one', inPlace(async (place) => {
    const holders = await Promise.all(['a', 'b', 'c', 'd'].map((name) => hold(place, name)));
    const [first] = holders;
    if (first === undefined) throw new Error('nobody');
    await settled(first, 'probe');
    const alive = await Promise.all(holders.map(async (one) => ((await renew(one)).startsWith('held') ? one : hold(place, one.name))));
    const calls = Array.from({ length: 200 }, (_, i) => `call-${i}`);
    const given = await Promise.all(alive.map(({ ownership, token }) => ownership.claim(token, free(calls))));
    expect(given.reduce((sum, { mine }) => sum + mine.size, 0)).toBe(200);
    expect(new Set(given.flatMap(({ mine }) => [...mine])).size).toBe(200);
  }));
}

/** Stopped with their place. */
const remembered = (of: Place['of']): { readonly of: Place['of']; stop(): void } => {
  const opened: Ownership[] = [];
  return {
    of: (controller) => {
      const ownership = of(controller);
      opened.push(ownership);
      return ownership;
    },
    stop: () => { for (const one of opened) one.stop(); },
  };
};

describe('owners in memory', () => {
  suite(() => {
    let jumped = 0;
    const shared = sharedOwners({ now: () => Date.now() + jumped, leaseMs, settleMs });
    const owners = remembered((controller) => shared.of(controller));
    return {
      of: (controller) => owners.of(controller),
      empty: async () => {
        shared.away();
        shared.back({ empty: true });
      },
      jump: (ms) => {
        jumped += ms;
        return Promise.resolve();
      },
      close: () => { owners.stop(); },
    };
  });
});

describe('owners in Redis', () => {
  let dir: string;
  let stack: LocalStack;
  /** A server has sixteen. */
  let databases = 0;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'frontdesk-owners-'));
    stack = await startLocalStack({ dataDir: dir, need: { asterisk: false, redis: true }, progress: () => undefined });
  }, 120_000);
  afterAll(async () => {
    await stack.stop();
    await rm(dir, { recursive: true });
  });
  suite(() => {
    const url = `${stack.redis?.url ?? ''}/${databases++}`;
    const connections: Redis[] = [];
    const owners = remembered((controller) => {
      const redis = connectRedis(url, silent);
      connections.push(redis);
      const ownership = redisOwnership({ redis, controller, leaseMs, settleMs, log: silent });
      const ready = until(() => redis.status === 'ready', { describe: 'Redis is connected' });
      return { ...ownership, renew: async (token) => { await ready; return ownership.renew(token); } };
    });
    return {
      of: (controller) => owners.of(controller),
      empty: async () => {
        await until(() => connections[0]?.status === 'ready', { describe: 'Redis is connected' });
        await connections[0]?.flushdb();
      },
      // A server's clock cannot be set from here: all it has noted by it becomes as much older or younger.
      jump: async (ms) => {
        const [redis] = connections;
        for (const name of (await redis?.zrange('fd:leases', '0', '-1')) ?? []) await redis?.zincrby('fd:leases', -ms, name);
        for (const name of (await redis?.hkeys('fd:held')) ?? []) await redis?.hincrby('fd:held', name, -ms);
        await redis?.incrby('fd:since', -ms);
      },
      close: () => {
        owners.stop();
        for (const redis of connections) redis.disconnect();
      },
    };
  });
});
