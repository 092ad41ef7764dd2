/** What a desk knows of callers who are not there, when another controller takes it over. */
import { describe, expect, it } from 'vitest';
import { queue } from '../core/support/desk.ts';
import { account } from './desks-world.ts';
import { bothQuiet, open } from './desks-open.ts';

describe('A controller that runs the queues', () => {
  it.each(['is killed', 'is stopped in order', 'is killed with the store away'] as const)('%s: the next knows who may have a place again, who had which caller last, and the figures, as far as the store has them', async (how) => {
    const world = await open({ queues: [queue({ agents: ['ana', 'ben'], strategy: 'sticky', stickyWaitMs: 60_000, wrapUpMs: 0 })], agents: ['ana', 'ben'] });
    world.talkMs = 2_000;
    const chosen = async (status: 'available' | 'break'): Promise<void> => {
      const both = Promise.all(['ana', 'ben'].map((agent) => world.node('two').desks.chooseStatus(account, agent, status)));
      await world.pass(500);
      await both;
    };
    world.join('c0', 'two', { sticky: 'her number' });
    await world.pass(10_000);
    const [had] = world.served[0]?.split(': ') ?? [];
    await chosen('break');
    for (const id of ['c1', 'c2']) {
      world.join(id, 'two', { number: `number of ${id}` });
      await world.pass(1_000);
    }
    world.leave('c1');
    await world.pass(500);
    if (how === 'is killed with the store away') {
      world.storeAway();
      await world.pass(5_000);
    } else if (how === 'is stopped in order') await Promise.all([world.node('one').desks.stop(), world.pass(1_000)]);
    world.node('one').kill();
    await world.pass(5_000);
    world.storeBack({ empty: false });
    await world.pass(10_000);
    world.join('c3', 'two', { number: 'number of c1' });
    await world.pass(100);
    expect(world.line('front')).toEqual(['c3', 'c2']);
    const shown = world.node('two').desks.queue(account, 'front');
    await world.pass(300);
    expect((await shown)?.figures).toMatchObject({ entered: 4, answered: 1, abandoned: 1, regained: 1 });
    world.leave('c2');
    world.leave('c3');
    await world.pass(1_000);
    world.join('c4', 'two', { sticky: 'her number' });
    await chosen('available');
    await world.pass(10_000);
    // the other of the two has been without a call for longer
    expect(world.served.at(-1)).toBe(`${had}: c4`);
    bothQuiet(world, 'two');
  });
});
