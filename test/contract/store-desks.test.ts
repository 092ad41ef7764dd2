/** What desks say to each other and keep of agents: the same in memory, for simulations, and in a real Redis. */
import { afterEach, describe, expect, it } from 'vitest';
import { deskLinks, sharedRecords } from '../../control-plane/store/memory-desks.ts';
import type { AgentRecords, ControllerLink, KeptAgent } from '../../control-plane/store/ports.ts';
import { redisAgentRecords } from '../../control-plane/store/redis/agent-records.ts';
import { redisLink } from '../../control-plane/store/redis/controller-link.ts';
import { silent } from '../runtime/sample-call.ts';
import { redisOfTests } from '../support/redis-of-tests.ts';
import { until } from '../support/until.ts';

interface Place {
  link(controller: string): ControllerLink;
  records(): AgentRecords;
  /** The store loses all it knew. */
  empty(): Promise<void>;
}

/** As the clock has it: more than 32 bits. */
const now = 1_790_000_000_123;
const ana: KeptAgent = {
  id: 'ana', status: 'available', statusAt: now, devices: ['101'], devicesAt: now, ready: false, wrapUpUntil: 0, restUntil: 0, missed: 0, idleSince: now,
  taken: { front: { calls: 3, lastAt: now } }, state: 'offered', stateSince: now, offer: `call--o${now}.1`, calls: ['call'],
};
const ben: KeptAgent = { ...ana, id: 'bén “b”', state: 'idle', offer: null, calls: [] };

function suite(open: () => Promise<Place>): void {
  const heardBy = async (place: Place, ...names: readonly string[]): Promise<Record<string, string[]>> => {
    const heard: Record<string, string[]> = Object.fromEntries(names.map((name) => [name, []]));
    for (const name of names) endings.push(place.link(name).listen((text) => heard[name]?.push(text)));
    await until(() => {
      place.link('nobody').say(null, 'are you there');
      return names.every((name) => (heard[name]?.length ?? 0) > 0);
    }, { describe: 'all listen', everyMs: 20 });
    // Those of the last round are heard first.
    place.link('nobody').say(null, 'now');
    await until(() => names.every((name) => heard[name]?.includes('now')), { describe: 'all have heard that they were asked' });
    for (const name of names) heard[name]?.splice(0);
    return heard;
  };
  const endings: (() => void)[] = [];
  afterEach(() => { for (const end of endings.splice(0)) end(); });

  it('tells all others what one says, or one of them, in the order in which it was said, and never itself', async () => {
    const place = await open();
    const heard = await heardBy(place, 'a', 'b', 'c');
    const a = place.link('a');
    for (let i = 0; i < 100; i++) a.say(i % 2 === 0 ? null : 'b', `${i} “ü” b c`);
    a.say('a', 'to itself');
    place.link('b').say('a', 'over');
    await until(() => heard['a']?.includes('over') === true && heard['b']?.length === 100 && heard['c']?.length === 50, { describe: 'all is heard' });
    expect(heard['a']).toEqual(['over']);
    expect(heard['b']).toEqual(Array.from({ length: 100 }, (_, i) => `${i} “ü” b c`));
    expect(heard['c']).toEqual(Array.from({ length: 50 }, (_, i) => `${2 * i} “ü” b c`));
  });

  it('tells nothing more to one that has ended listening', async () => {
    const place = await open();
    const heard = await heardBy(place, 'a', 'b');
    endings.shift()?.();
    place.link('c').say(null, 'one');
    await until(() => heard['b']?.includes('one') === true, { describe: 'the other has heard it' });
    expect(heard['a']).toEqual([]);
  });

  it('gives desks that begin an epoch above each before it, and at least the one that is asked for', async () => {
    const records = (await open()).records();
    expect([await records.begin(now), await records.begin(now), await records.begin(7), await records.begin(now + 100)]).toEqual([
      { epoch: now, before: 0 }, { epoch: now + 1, before: now }, { epoch: now + 2, before: now + 1 }, { epoch: now + 100, before: now + 2 },
    ]);
  });

  it('asked by many at once, gives each an epoch of its own', async () => {
    const place = await open();
    const several = Array.from({ length: 4 }, () => place.records());
    const given = await Promise.all(Array.from({ length: 200 }, (_, i) => several[i % 4]?.begin(now) ?? Promise.resolve({ epoch: 0, before: 0 })));
    expect(new Set(given.map(({ epoch }) => epoch)).size).toBe(200);
  });

  it('keeps agents by account, each as it was kept last', async () => {
    const records = (await open()).records();
    const { epoch } = await records.begin(now);
    expect(await records.read('clinic')).toEqual({ agents: [], unreadable: [] });
    expect([await records.keep(epoch, 'clinic', [ana, ben]), await records.keep(epoch, 'other', [ben]), await records.keep(epoch, 'clinic', [{ ...ana, offer: null }])]).toEqual([true, true, true]);
    expect((await records.read('clinic')).agents.toSorted((a, b) => (a.id < b.id ? -1 : 1))).toEqual([{ ...ana, offer: null }, ben]);
    expect(await records.read('other')).toEqual({ agents: [ben], unreadable: [] });
  });

  it('keeps what a desk remembers by name, and forgets what it is told to', async () => {
    const records = (await open()).records();
    await records.begin(now);
    expect(await records.recall('clinic')).toEqual(new Map());
    expect(await records.remember(now, 'clinic', new Map([['last +1 “ü”', '["a"]'], ['figures', '{}'], ['left c1', '1']]), [])).toBe(true);
    expect(await records.remember(now, 'clinic', new Map([['figures', '{"a":1}']]), ['left c1', 'never known'])).toBe(true);
    expect(await records.recall('clinic')).toEqual(new Map([['last +1 “ü”', '["a"]'], ['figures', '{"a":1}']]));
    expect(await records.recall('other')).toEqual(new Map());
    await records.begin(now + 1);
    expect(await records.remember(now, 'clinic', new Map([['figures', 'late']]), ['last +1 “ü”'])).toBe(false);
    expect((await records.recall('clinic')).size).toBe(2);
  });

  it('lets desks of an earlier epoch reserve nobody, and write nothing', async () => {
    const place = await open();
    const [old, young] = [place.records(), place.records()];
    const first = await old.begin(now);
    await old.keep(first.epoch, 'clinic', [ben]);
    const second = await young.begin(now);
    expect(await old.keep(first.epoch, 'clinic', [ana, { ...ben, status: 'break' }])).toBe(false);
    expect((await young.read('clinic')).agents).toEqual([ben]);
    expect(await young.keep(second.epoch, 'clinic', [ana])).toBe(true);
    expect(await old.keep(first.epoch, 'clinic', [{ ...ana, offer: 'another' }])).toBe(false);
    expect((await young.read('clinic')).agents.find(({ id }) => id === 'ana')?.offer).toBe(ana.offer);
  });

  it('that has lost its memory goes on from the epoch of the desks that write, or begin', async () => {
    const place = await open();
    const records = place.records();
    const { epoch } = await records.begin(now);
    await place.empty();
    expect(await records.keep(epoch, 'clinic', [ana])).toBe(true);
    expect([(await records.read('clinic')).agents, await records.keep(epoch - 1, 'clinic', [ben]), await records.begin(7)]).toEqual([[ana], false, { epoch: epoch + 1, before: epoch }]);
  });
}

describe('desks in memory', () => {
  suite(async () => {
    const [links, records] = [deskLinks(), sharedRecords()];
    return { link: (controller) => links.of(controller), records: () => records, empty: async () => { records.back({ empty: true }); } };
  });
});

describe('desks in Redis', () => {
  const connect = redisOfTests();
  suite(async () => {
    const redis = await connect();
    return {
      link: (controller) => redisLink(redis, 'desks', controller, silent),
      records: () => redisAgentRecords(redis),
      empty: async () => { await redis.flushall(); },
    };
  });

  it('name each record that is none, and read the others', async () => {
    const redis = await connect();
    const records = redisAgentRecords(redis);
    await records.keep((await records.begin(now)).epoch, 'clinic', [ana]);
    await redis.hset('fd:desks:agents:clinic', { cut: '{"id":"cut","sta', misshapen: JSON.stringify({ ...ana, id: 'misshapen', taken: null }), nothing: 'null' });
    await redis.set('fd:desks:agents:other', 'text');
    const { agents, unreadable } = await records.read('clinic');
    expect(agents).toEqual([ana]);
    expect(new Set(unreadable)).toEqual(new Set(['cut', 'misshapen', 'nothing']));
    expect(await records.read('other')).toEqual({ agents: [], unreadable: 'all' });
  });
});
