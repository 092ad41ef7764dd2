/** Desks of several accounts that begin together: what is wrong with one is no other's trouble. */
import { describe, expect, it } from 'vitest';
import type { AgentRecords } from '../../control-plane/store/ports.ts';
import { queue } from '../core/support/desk.ts';
import { comes, open } from './desks-open.ts';
import { account, type Node, type World } from './desks-world.ts';

const other = 'other';
const queues = [queue({ agents: ['ana'] })];

/** A controller that knows nothing begins after the one before is gone, and reads so much of the store. */
const beginsAnew = async (world: World, records: AgentRecords): Promise<Node> => {
  world.node('one').kill();
  await world.pass(5_000);
  const node = await world.start('two', { records });
  for (const one of [other, account]) node.desks.configure(one, queues);
  node.desks.start();
  await world.pass(8_000);
  return node;
};
/** Of both accounts there is an agent who is available. */
const bothKept = async (): Promise<World> => {
  const world = await open({ queues, controllers: ['one'], agents: [] });
  world.node('one').desks.configure(other, queues);
  await world.pass(2_000);
  await comes(world, 'ana', 'one');
  const { desks } = world.node('one');
  const both = Promise.all([desks.logIn(other, 'ana', ['phone']), desks.chooseStatus(other, 'ana', 'available')]);
  await world.pass(500);
  await both;
  return world;
};
const statusOf = (node: Node, of: string): string | undefined => node.desks.running().find((one) => one.account === of)?.desk.agents['ana']?.status;
const isServed = async (world: World): Promise<void> => {
  world.join('c1', 'two');
  await world.pass(5_000);
  expect(world.served).toEqual(['ana: c1']);
};

describe('Desks of several accounts', () => {
  it('know their agents, but for an account whose records cannot be read: that one is named, read again, and overwritten by nothing', async () => {
    const world = await bothKept();
    let broken = true;
    const node = await beginsAnew(world, { ...world.records, read: (of) => (of === other && broken ? Promise.reject(new Error('It is broken.')) : world.records.read(of)) });
    expect([statusOf(node, account), statusOf(node, other)]).toEqual(['available', 'offline']);
    expect(node.desks.problems()).toEqual([expect.stringMatching(/agents of other cannot be read \(It is broken\.\).*DEL fd:desks:agents:<account>/)]);
    await isServed(world);
    broken = false;
    await world.pass(15_000);
    expect([statusOf(node, other), node.desks.problems(), node.errors]).toEqual(['available', [], []]);
  });

  it('know their agents, but for one whose record is none: that one is named until they are back', async () => {
    const world = await bothKept();
    const node = await beginsAnew(world, { ...world.records, read: async (of) => (of === other ? { agents: [], unreadable: ['ana', 'nobody'] } : world.records.read(of)) });
    expect(node.desks.problems()).toEqual([expect.stringMatching(/agents of other \(ana\) cannot be read: they are taken for away until they log in/)]);
    expect(node.errors).toEqual([expect.stringContaining('"agents":["ana","nobody"]')]);
    await isServed(world);
    const chosen = node.desks.chooseStatus(other, 'ana', 'available');
    await world.pass(500);
    await chosen;
    expect(node.desks.problems()).toEqual([]);
  });

  it.each([['figures', '{}'], ['figures', 'null'], ['figures', '{"since":1,"at":1e13,"queues":{"front":null}}'], ['left c0', '{"cut'], ['left c0', '{"leftAt":1}'], ['last +1', '7']])('begin at once, whatever one of them is to remember: %s %s', async (name, text) => {
    const world = await bothKept();
    const node = await beginsAnew(world, { ...world.records, recall: async (of) => (of === other ? new Map([[name, text]]) : world.records.recall(of)) });
    expect(node.desks.running().map(({ account: of, desk }) => [of, desk.phase])).toEqual([[other, 'open'], [account, 'open']]);
    expect([statusOf(node, account), statusOf(node, other)]).toEqual(['available', 'available']);
    expect(node.errors).toEqual([expect.stringContaining(`"names":["${name}"]`)]);
    await isServed(world);
  });
});
