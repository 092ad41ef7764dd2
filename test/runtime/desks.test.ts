/** Queues over several controllers: who runs the desk, what it knows when it changes hands, and what nobody may notice of that. */
import { describe, expect, it } from 'vitest';
import { transition } from '../../control-plane/core/queue/transition.ts';
import { DesksAwayError } from '../../control-plane/runtime/desks/requests.ts';
import { sharedRecords } from '../../control-plane/store/memory-desks.ts';
import { queue } from '../core/support/desk.ts';
import { begin, bothQuiet, comes, open } from './desks-open.ts';
import { account, createDesksWorld, type World } from './desks-world.ts';

const stateOf = (world: World, agent: string): string | undefined => world.leader()?.desks.agents(account).find(({ id }) => id === agent)?.state;
/** Who was served by a third controller, after the first was stopped while it wrote and an agent went on a break with the second. */
const lateWrite = async (records = sharedRecords()): Promise<readonly string[]> => {
  const world = createDesksWorld();
  let late: (() => Promise<boolean>) | null = null;
  const store = { ...records, keep: ((...args) => {
    if (world.clock.now() < writesLateFrom) return records.keep(...args);
    const { promise, resolve } = Promise.withResolvers<boolean>();
    late ??= async () => {
      const kept = await records.keep(...args);
      resolve(kept);
      return kept;
    };
    return promise;
  }) satisfies typeof records.keep };
  let writesLateFrom = Infinity;
  await begin(world, 'one', undefined, { records: store });
  await begin(world, 'two', undefined, { records });
  await world.pass(5_000);
  await comes(world, 'ana', 'two');
  writesLateFrom = world.clock.now();
  world.join('c0', 'two');
  await world.pass(5);
  world.node('one').freeze();
  world.leave('c0');
  await world.pass(5_000);
  const chosen = world.node('two').desks.chooseStatus(account, 'ana', 'break');
  await world.pass(10);
  await chosen;
  await (late as (() => Promise<boolean>) | null)?.();
  for (const name of ['one', 'two']) world.node(name).kill();
  await world.pass(10_000);
  await begin(world, 'three', undefined, { records });
  await world.pass(10_000);
  world.join('c1', 'three');
  await world.pass(20_000);
  expect(late).not.toBeNull();
  return world.served;
};

describe('Queues of several controllers', () => {
  it('are run by the one that leads, and serve callers of all in their order', async () => {
    const world = await open();
    expect(world.leader()?.name).toBe('one');
    world.talkMs = 5_000;
    for (const [i, at] of ['two', 'one', 'two'].entries()) {
      world.join(`c${i}`, at);
      await world.pass(100);
    }
    expect(world.line('front')).toEqual(['c0', 'c1', 'c2']);
    await world.pass(60_000);
    expect(world.served).toEqual(['ana: c0', 'ana: c1', 'ana: c2']);
    bothQuiet(world, 'one', 'two');
  });

  it('do not take an offer back for a call that is over, which its controller has not measured anew yet', async () => {
    const world = await open({ agents: ['ana', 'bob'] });
    world.talkMs = 1_000;
    for (let i = 0; i < 12; i += 1) world.join(`c${i}`, i % 2 === 0 ? 'two' : 'one');
    // something is always about to be measured at the one that leads
    for (let n = 0; n < 3_600; n += 1) {
      const own = world.ownCall(`own-${n}`, 'bob', 'one');
      await world.pass(7);
      own.over();
      await world.pass(4);
    }
    expect(new Set(world.served).size).toBe(12);
    expect(world.node('one').facts.filter((fact) => fact.type === 'OfferEnded' && fact.outcome !== 'accepted')).toEqual([]);
    bothQuiet(world, 'one', 'two');
  });

  it('tell each controller how its agents are', async () => {
    const world = await open();
    world.join('c0', 'two');
    await world.pass(1_000);
    for (const name of ['one', 'two']) expect(world.node(name).desks.agents(account)).toMatchObject([{ id: 'ana', status: 'available', state: 'offered', devices: ['phone-of-ana'] }]);
  });

  it('are shown by any of them, with the figures of the one that runs them', async () => {
    const world = await open();
    world.join('c0', 'two');
    await world.pass(10_000);
    world.join('c1', 'one');
    await world.pass(100);
    const shown = Promise.all([world.node('two').desks.queue(account, 'front'), world.node('two').desks.queue(account, 'none')]);
    await world.pass(300);
    expect(await shown).toMatchObject([{ id: 'front', waiting: [{ callId: 'c1' }], figures: { entered: 2, answered: 1, answeredInTime: 1 } }, null]);
  });

  it('offer no call to an agent who is on one, whichever controller has it', async () => {
    const world = await open({ controllers: ['one', 'two', 'three'] });
    const own = world.ownCall('own', 'ana', 'three');
    await world.pass(200);
    world.join('c0', 'two');
    await world.pass(30_000);
    expect([world.served, stateOf(world, 'ana')]).toEqual([[], 'on-call']);
    own.over();
    await world.pass(5_000);
    expect(world.served).toEqual(['ana: c0']);
    bothQuiet(world, 'one', 'two', 'three');
  });

  it('serve everybody over a link that loses a third of what is said', async () => {
    const world = await open({ queues: [queue({ agents: ['ana', 'ben'], offerMs: 8_000 })], agents: ['ana', 'ben'] });
    Object.assign(world, { lost: 33, talkMs: 4_000 });
    for (let i = 0; i < 12; i++) {
      world.join(`c${i}`, i % 2 === 0 ? 'one' : 'two');
      await world.pass(1_000);
    }
    await world.pass(600_000);
    expect(new Set(world.served.map((one) => one.split(' ')[1]))).toEqual(new Set(world.calls.keys()));
    expect(world.served).toHaveLength(world.calls.size);
    bothQuiet(world, 'one', 'two');
  });
});

describe('A controller that runs the queues', () => {
  /** An offer takes 2 s to be accepted, the call 20 s; so long after the call has joined is it killed. */
  const moments = [0, 1, 2, 60, 1_000, 1_999, 2_000, 2_001, 2_003, 2_050, 10_000, 21_999, 22_000, 22_002, 22_060];
  for (const holder of ['one', 'two', 'three']) {
    it(`is killed at any moment of an offer for a call that ${holder === 'one' ? 'it has itself' : `${holder} has`}: callers keep their order, and no agent is rung twice`, async () => {
      for (const moment of moments) {
        const world = await open({ controllers: ['one', 'two', 'three'], queues: [queue({ agents: ['ana'], wrapUpMs: 5_000 })] });
        const calls = ['c0', 'c1', 'c2'].map((id) => {
          const call = world.join(id, id === 'c0' ? holder : 'three', { enteredAt: world.clock.now() + Number(id.slice(1)) });
          return call;
        });
        await world.pass(moment);
        world.node('one').kill();
        await world.pass(120_000);
        expect([moment, world.served]).toEqual([moment, calls.map(({ id }) => `ana: ${id}`)]);
        expect(world.leader()?.name).toBe('two');
        bothQuiet(world, 'two', 'three');
      }
    });
  }

  it('is killed while an agent is in wrap-up, on a break or has chosen a status just now: the next knows', async () => {
    const world = await open({ queues: [queue({ agents: ['ana', 'ben'], wrapUpMs: 30_000 })], agents: ['ana', 'ben'] });
    world.talkMs = 5_000;
    world.join('c0', 'two');
    await world.pass(10_000);
    expect(stateOf(world, 'ana')).toBe('wrap-up');
    const chosen = world.node('two').desks.chooseStatus(account, 'ben', 'break');
    await world.pass(10);
    await chosen;
    world.node('one').kill();
    world.join('c1', 'two');
    await world.pass(20_000);
    expect([world.leader()?.name, world.served, stateOf(world, 'ana')]).toEqual(['two', ['ana: c0'], 'wrap-up']);
    await world.pass(20_000);
    expect(world.served).toEqual(['ana: c0', 'ana: c1']);
    bothQuiet(world, 'two');
  });

  it('is stopped in order: the next goes on at once', async () => {
    const world = await open();
    const [first, second] = [world.join('c0', 'two'), world.join('c1', 'two')];
    await world.pass(1_000);
    await Promise.all([world.node('one').desks.stop(), world.pass(1_000)]);
    world.node('one').kill();
    await world.pass(60_000);
    expect([world.served, first.leftWhy, second.leftWhy]).toEqual([['ana: c0', 'ana: c1'], 'served', 'served']);
    bothQuiet(world, 'two');
  });

  it('is stopped for a while and goes on: it leaves the queues to who has them now', async () => {
    const world = await open();
    world.join('c0', 'two');
    await world.pass(1_000);
    world.node('one').freeze();
    await world.pass(10_000);
    expect(world.node('two').desks.role()).toBe('leads');
    world.node('one').thaw();
    await world.pass(100);
    expect(['one', 'two'].map((name) => world.node(name).desks.role())).toEqual(['follows', 'leads']);
    await world.pass(60_000);
    expect(world.served).toEqual(['ana: c0']);
    bothQuiet(world, 'one', 'two');
  });

  it('has been stopped while it wrote an agent’s record: that is refused, since another desk has begun', async () => {
    expect(await lateWrite()).toEqual([]);
    // With a store that lets a desk of the past write, an agent on a break is rung.
    const careless = sharedRecords();
    let latest = 0;
    const beginAnew = async (atLeast: number): ReturnType<typeof careless.begin> => {
      const begun = await careless.begin(atLeast);
      latest = begun.epoch;
      return begun;
    };
    expect(await lateWrite({ ...careless, begin: beginAnew, keep: (_, of, agents) => careless.keep(latest, of, agents) })).toEqual(['ana: c1']);
  });
});

describe('A controller that has calls of a queue', () => {
  it('is killed: an agent whose call ends with who has taken it over is given the next at once, and keeps it', async () => {
    const world = await open({ controllers: ['one', 'two', 'three'] });
    world.talkMs = 600_000;
    world.join('c0', 'two');
    await world.pass(5_000);
    world.join('c1', 'one');
    world.node('two').kill();
    for (let i = 0; i < 200 && !['one', 'three'].includes(world.calls.get('c0')?.owner ?? ''); i += 1) await world.pass(20);
    await world.pass(1);
    world.leave('c0');
    await world.pass(3_000);
    expect(world.served).toEqual(['ana: c0', 'ana: c1']);
    bothQuiet(world, 'one', 'three');
  });

  it('is killed: who takes its calls over has their callers in the places they had, and its agents are rung for nothing else meanwhile', async () => {
    const world = await open({ controllers: ['one', 'two', 'three'], queues: [queue({ agents: ['ana', 'ben'], maxLength: 3 })], agents: ['ana', 'ben'] });
    const own = world.ownCall('own', 'ben', 'two');
    await world.pass(100);
    for (const [i, at] of ['two', 'two', 'three', 'two'].entries()) {
      world.join(`c${i}`, at);
      await world.pass(2_500);
    }
    expect([world.served, world.line('front')]).toEqual([['ana: c0'], ['c1', 'c2', 'c3']]);
    world.node('two').kill();
    await world.pass(8_000);
    expect(world.line('front')).toEqual(['c1', 'c2', 'c3']);
    own.over();
    await world.pass(120_000);
    expect(world.served.map((one) => one.split(' ')[1])).toEqual(['c0', 'c1', 'c2', 'c3']);
    bothQuiet(world, 'one', 'three');
  });
});

describe('What is asked of a queue', () => {
  it('is refused with a way out when nobody runs it', async () => {
    const world = await open();
    world.node('one').kill();
    world.node('two').freeze();
    const third = await world.start('three');
    third.desks.configure(account, [queue()]);
    const refused = third.desks.chooseStatus(account, 'ana', 'break').catch((error: unknown) => error);
    await world.pass(3_500);
    expect(await refused).toBeInstanceOf(DesksAwayError);
  });

  it('is done once, in the order in which it was asked, however often its answer is lost', async () => {
    const world = await open();
    world.lost = 60;
    const { desks } = world.node('two');
    for (const status of ['break', 'available', 'break'] as const) {
      const chosen = desks.chooseStatus(account, 'ana', status).catch(() => desks.chooseStatus(account, 'ana', status));
      await world.pass(6_000);
      await chosen;
    }
    world.lost = 0;
    await world.pass(1_000);
    expect(world.leader()?.desks.agents(account)).toMatchObject([{ status: 'break' }]);
    expect(world.node('one').facts.filter(({ type }) => type === 'AgentStatusChanged')).toHaveLength(4);
  });
});

describe('A desk that fails', () => {
  it('is made anew from what its calls know; another account’s goes on, and no number of an offer is given twice', async () => {
    const world = createDesksWorld();
    let isBroken = false;
    await begin(world, 'one', undefined, {
      transition: (desk, event, ctx) => {
        if (isBroken && Object.hasOwn(desk.agents, 'ana')) throw new Error('broken');
        return transition(desk, event, ctx);
      },
    });
    const { desks, errors, facts, metrics } = world.node('one');
    desks.configure('other', [queue({ agents: ['ben'] })]);
    await world.pass(5_000);
    await comes(world, 'ana', 'one');
    world.answers.set('ana', { does: 'rings on', afterMs: 0 });
    world.join('c0', 'one');
    await world.pass(5_000);
    isBroken = true;
    world.join('c1', 'one');
    await world.pass(10);
    isBroken = false;
    expect(errors).toHaveLength(1);
    expect(desks.problems()).toEqual([expect.stringContaining(`The queues of ${account} stand still`)]);
    const ready = desks.chooseStatus('other', 'ben', 'available');
    await world.pass(10);
    await ready;
    await world.pass(3_000);
    expect([world.line('front'), metrics.get('desks_failed_total'), desks.problems()]).toEqual([['c0', 'c1'], 1, []]);
    world.answers.delete('ana');
    await world.pass(120_000);
    expect(world.served).toEqual(['ana: c0', 'ana: c1']);
    const offers = facts.flatMap((fact) => (fact.type === 'OfferMade' ? [fact.offerId] : []));
    expect(new Set(offers).size).toBe(offers.length);
    expect(world.wrongs).toEqual([]);
  });
});
