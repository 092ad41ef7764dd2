/** Queues over several controllers with the store away, and back: what each does by itself, and what becomes of it. */
import { describe, expect, it } from 'vitest';
import { queue } from '../core/support/desk.ts';
import { bothQuiet, open } from './desks-open.ts';
import { account, type World } from './desks-world.ts';

const stateOf = (world: World, agent: string): string | undefined => world.leader()?.desks.agents(account).find(({ id }) => id === agent)?.state;

describe('With the store away', () => {
  it('queues go on within each controller, and are one again in order when it is back', async () => {
    const world = await open({ queues: [queue({ agents: ['ana', 'ben'] })], agents: ['ana', 'ben'] });
    world.talkMs = 60_000;
    const own = world.ownCall('own', 'ben', 'two');
    for (const [i, at] of ['one', 'two', 'one', 'two'].entries()) {
      world.join(`c${i}`, at);
      await world.pass(100);
    }
    await world.pass(5_000);
    expect(world.served).toEqual(['ana: c0']);
    world.apart = true;
    world.storeAway();
    await world.pass(10_000);
    expect(['one', 'two'].map((name) => world.node(name).desks.role())).toEqual(['alone', 'alone']);
    own.over();
    await world.pass(5_000);
    expect(world.served).toEqual(['ana: c0', 'ben: c1']);
    world.join('c4', 'one');
    world.storeBack({ empty: false });
    await world.pass(10_000);
    expect(['one', 'two'].map((name) => world.node(name).desks.role()).toSorted()).toEqual(['follows', 'leads']);
    world.apart = false;
    expect(world.line('front')).toEqual(['c2', 'c3', 'c4']);
    await world.pass(300_000);
    expect(world.served.map((one) => one.split(' ')[1])).toEqual(['c0', 'c1', 'c2', 'c3', 'c4']);
    bothQuiet(world, 'one', 'two');
  });

  it.each([150, 800, 1_000, 1_500])('for %i ms, and again some time later: who rings for a call goes on ringing for it', async (forMs) => {
    const world = await open();
    const away = async (): Promise<void> => {
      world.apart = true;
      world.storeAway();
      await world.pass(forMs);
      world.storeBack({ empty: true });
      await world.pass(4_000);
      world.apart = false;
    };
    world.answers.set('ana', { does: 'rings on', afterMs: 0 });
    world.join('c0', 'two');
    await world.pass(100);
    await away();
    world.leave('c0');
    await world.pass(10_000);
    const { rings } = world.join('c1', 'two');
    await world.pass(50);
    const offers = [...rings.keys()];
    expect(offers).toHaveLength(1);
    await away();
    expect([...rings.keys()]).toEqual(offers);
    bothQuiet(world, 'one', 'two');
  });

  for (const holder of ['one', 'two']) {
    it(`and back just now, an agent whose call ${holder} has is given the next as soon as it ends, and keeps it`, async () => {
      const world = await open({ queues: [queue({ agents: ['ana'] })] });
      world.talkMs = 600_000;
      world.join('c0', holder);
      await world.pass(5_000);
      for (const [i, at] of ['one', 'two'].entries()) {
        world.join(`c${i + 1}`, at);
        await world.pass(100);
      }
      world.apart = true;
      world.storeAway();
      await world.pass(3_000);
      world.storeBack({ empty: false });
      for (let i = 0; i < 100 && world.line('front').length < 2; i += 1) await world.pass(20);
      world.apart = false;
      world.leave('c0');
      await world.pass(3_000);
      expect([world.served, world.line('front')]).toEqual([['ana: c0', 'ana: c1'], ['c2']]);
      bothQuiet(world, 'one', 'two');
    });
  }

  it('a status that is chosen holds within the controller where it was chosen, and everywhere once the store is back', async () => {
    const world = await open();
    world.storeAway();
    await world.pass(5_000);
    const chosen = world.node('two').desks.chooseStatus(account, 'ana', 'break');
    await world.pass(100);
    await chosen;
    world.storeBack({ empty: true });
    await world.pass(15_000);
    world.join('c0', 'one');
    await world.pass(20_000);
    expect(world.served).toEqual([]);
    for (const name of ['one', 'two']) expect(world.node(name).desks.agents(account)).toMatchObject([{ id: 'ana', status: 'break' }]);
    bothQuiet(world, 'one', 'two');
  });

  it('and empty when it is back, everybody has their place, and agents are as they were', async () => {
    const world = await open({ queues: [queue({ agents: ['ana'], wrapUpMs: 60_000 })] });
    world.talkMs = 3_000;
    world.join('c0', 'two');
    await world.pass(10_000);
    world.join('c1', 'one');
    await world.pass(100);
    world.join('c2', 'two');
    await world.pass(100);
    world.storeAway();
    await world.pass(100);
    world.storeBack({ empty: true });
    await world.pass(20_000);
    expect([world.line('front'), stateOf(world, 'ana'), world.served]).toEqual([['c1', 'c2'], 'wrap-up', ['ana: c0']]);
    await world.pass(150_000);
    expect(world.served).toEqual(['ana: c0', 'ana: c1', 'ana: c2']);
    bothQuiet(world, 'one', 'two');
  });
});
