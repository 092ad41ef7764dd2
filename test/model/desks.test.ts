/** Queues of three controllers in any trouble: everybody is served in the end, has kept the place, and no agent is rung for two calls. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { queue } from '../core/support/desk.ts';
import { account, createDesksWorld, type Answer } from '../runtime/desks-world.ts';

const runs = Number(process.env['MODEL_RUNS'] ?? 60);
const seed = Number(process.env['MODEL_SEED'] ?? Date.now() % 2 ** 31);

const names = ['one', 'two', 'three'] as const;
const agents = ['ana', 'ben', 'cleo'] as const;
const name = fc.constantFrom(...names);
/** One after the other: how two go together is for the model of calls. */
const trouble = fc.oneof(
  { weight: 3, arbitrary: fc.record({ does: fc.constant('kill' as const), whom: fc.option(name, { nil: null }), forMs: fc.constantFrom(500, 5_000, 20_000) }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('freeze' as const), whom: fc.option(name, { nil: null }), forMs: fc.constantFrom(300, 900, 3_000, 12_000) }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('store away' as const), empty: fc.boolean(), forMs: fc.constantFrom(100, 1_000, 8_000, 40_000) }) },
);
const answer: fc.Arbitrary<Answer> = fc.record({ does: fc.constantFrom('accepts', 'accepts', 'declines', 'rings on'), afterMs: fc.constantFrom(0, 5, 1_000, 7_000) });
const scene = fc.record({
  troubles: fc.array(fc.record({ trouble, afterMs: fc.integer({ min: 0, max: 15_000 }) }), { minLength: 1, maxLength: 3 }),
  calls: fc.array(fc.record({ afterMs: fc.integer({ min: 0, max: 6_000 }), at: name, hangsUpAfterMs: fc.option(fc.integer({ min: 0, max: 20_000 }), { nil: null, freq: 5 }) }), { minLength: 1, maxLength: 10 }),
  own: fc.array(fc.record({ atMs: fc.integer({ min: 0, max: 60_000 }), agent: fc.constantFrom(...agents), at: name, forMs: fc.integer({ min: 100, max: 30_000 }) }), { maxLength: 2 }),
  answers: fc.tuple(answer, answer, answer),
  lost: fc.constantFrom(0, 0, 10, 30),
  lateMs: fc.constantFrom(0, 60, 400),
  wrapUpMs: fc.constantFrom(0, 4_000),
  talkMs: fc.constantFrom(500, 8_000),
});

async function run({ troubles, calls, own, answers, lost, lateMs, wrapUpMs, talkMs }: typeof scene extends fc.Arbitrary<infer T> ? T : never): Promise<void> {
  const world = createDesksWorld();
  const queues = [queue({ agents: [...agents], offerMs: 8_000, wrapUpMs, rejectDelayMs: 1_000, noAnswerDelayMs: 1_000 })];
  const alive = new Set<string>();
  const begin = async (which: string): Promise<void> => {
    const { desks } = await world.start(which);
    desks.configure(account, queues);
    desks.start();
    alive.add(which);
  };
  for (const one of names) {
    await begin(one);
    await world.pass(400);
  }
  await world.pass(5_000);
  const ready = agents.flatMap((agent) => [world.node('two').desks.logIn(account, agent, [`phone-of-${agent}`]), world.node('three').desks.chooseStatus(account, agent, 'available')]);
  await world.pass(1_000);
  await Promise.all(ready);

  Object.assign(world, { lost, lateMs, talkMs });
  for (const [i, agent] of agents.entries()) world.answers.set(agent, answers[i] ?? { does: 'accepts', afterMs: 100 });
  const { clock } = world;
  const starting: Promise<void>[] = [];
  let at = clock.now();
  for (const [i, { afterMs, at: where, hangsUpAfterMs }] of calls.entries()) {
    at += afterMs;
    clock.setTimer(at, () => {
      const owner = alive.has(where) ? where : [...alive][0];
      if (owner === undefined) return;
      world.join(`c${i}`, owner);
      if (hangsUpAfterMs !== null) clock.setTimer(clock.now() + hangsUpAfterMs, () => { if (world.calls.get(`c${i}`)?.state === 'waiting') world.leave(`c${i}`); });
    });
  }
  for (const [i, { atMs, agent, at: where, forMs }] of own.entries()) {
    clock.setTimer(clock.now() + atMs, () => {
      const owner = alive.has(where) ? where : [...alive][0];
      const isBusy = world.isBusy(agent);
      if (owner === undefined || isBusy) return;
      const call = world.ownCall(`own-${i}`, agent, owner);
      clock.setTimer(clock.now() + forMs, () => { call.over(); });
    });
  }
  for (const { trouble: one, afterMs } of troubles) {
    await world.pass(afterMs);
    if (one.does === 'store away') {
      world.apart = true;
      world.storeAway();
      await world.pass(one.forMs);
      world.storeBack({ empty: one.empty });
      await world.pass(30_000);
      world.apart = false;
      continue;
    }
    const whom = one.whom ?? world.leader()?.name ?? 'one';
    const node = world.node(whom);
    alive.delete(whom);
    if (one.does === 'kill') node.kill();
    else node.freeze();
    await world.pass(one.forMs);
    if (one.does === 'kill') starting.push(begin(whom));
    else node.thaw();
    alive.add(whom);
    await world.pass(12_000);
  }
  await Promise.all(starting);
  // From here on nothing goes wrong, and everybody answers.
  Object.assign(world, { lost: 0, lateMs: 0 });
  for (const agent of agents) world.answers.set(agent, { does: 'accepts', afterMs: 100 });
  await world.pass(400_000);
  expect(world.wrongs).toEqual([]);
  expect(names.flatMap((one) => world.node(one).errors)).toEqual([]);
  expect([...world.calls.values()].filter(({ leftWhy }) => leftWhy !== 'served' && leftWhy !== 'abandoned').map(({ id, state, leftWhy, owner }) => ({ id, state, leftWhy, owner }))).toEqual([]);
  expect([...world.calls.values()].filter(({ place }) => place.enteredAt !== place.joinedAt)).toEqual([]);
  expect(names.map((one) => world.node(one).desks.role()).toSorted()).toEqual(['follows', 'follows', 'leads']);
  for (const one of names) expect(world.node(one).desks.agents(account).map(({ id, status, state }) => `${id} ${status} ${state}`).toSorted()).toEqual(agents.map((agent) => `${agent} available idle`));
}

/** One has callers who wait, and dies; the other, which is to have them, has begun so lately that it may not take them yet. */
async function diesBesideANewOne(beganBeforeMs: number): Promise<readonly string[]> {
  const world = createDesksWorld();
  const begin = async (which: string): Promise<void> => {
    const { desks } = await world.start(which);
    desks.configure(account, [queue({ agents: ['ana'], joinNeeds: null, stayNeeds: null })]);
    desks.start();
  };
  await begin('one');
  await world.pass(10_000);
  world.join('c0', 'one');
  await world.pass(20_000);
  await begin('two');
  await world.pass(beganBeforeMs);
  world.node('one').kill();
  world.join('c1', 'two');
  const comes = [world.node('two').desks.logIn(account, 'ana', ['phone-of-ana']), world.node('two').desks.chooseStatus(account, 'ana', 'available')];
  for (const asked of comes) asked.catch(() => undefined);
  await world.pass(5_000);
  const again = [world.node('two').desks.logIn(account, 'ana', ['phone-of-ana']), world.node('two').desks.chooseStatus(account, 'ana', 'available')];
  await world.pass(60_000);
  await Promise.all(again);
  expect(world.wrongs).toEqual([]);
  expect(world.node('two').errors).toEqual([]);
  return world.served;
}

describe('Queues of several controllers', () => {
  it.each([0, 300, 1_000, 2_000, 3_000, 10_000])('serve who has waited longest, though the controller dies that has the call, %i ms after the other began', async (beganBeforeMs) => {
    expect(await diesBesideANewOne(beganBeforeMs)).toEqual(['ana: c0', 'ana: c1']);
  });

  it(`serve everybody, whatever controllers go through (${runs} scenes)`, async () => {
    console.log(`MODEL_SEED=${seed}`);
    await fc.assert(fc.asyncProperty(scene, run), { numRuns: runs, seed });
  });
});
