/** A world of desks as most of its tests begin it. */
import { expect } from 'vitest';
import type { QueueConfig } from '../../control-plane/core/queue/config.ts';
import { queue } from '../core/support/desk.ts';
import { account, createDesksWorld, type World } from './desks-world.ts';

interface Scene {
  readonly queues?: readonly QueueConfig[];
  readonly controllers?: readonly string[];
  readonly agents?: readonly string[];
}

/** Controllers one after the other, so the first leads; agents with a phone, available, by way of the last. */
export const open = async ({ queues = [queue({ agents: ['ana'] })], controllers = ['one', 'two'], agents = ['ana'] }: Scene = {}): Promise<World> => {
  const world = createDesksWorld();
  for (const name of controllers) await begin(world, name, queues);
  await world.pass(5_000);
  for (const agent of agents) await comes(world, agent, controllers.at(-1) ?? '');
  return world;
};

export const begin = async (world: World, name: string, queues: readonly QueueConfig[] = [queue({ agents: ['ana'] })], options: Parameters<World['start']>[1] = {}): Promise<void> => {
  const { desks } = await world.start(name, options);
  desks.configure(account, queues);
  desks.start();
  await world.pass(500);
};

export const comes = async (world: World, agent: string, at: string): Promise<void> => {
  const { desks } = world.node(at);
  const both = Promise.all([desks.logIn(account, agent, [`phone-of-${agent}`]), desks.chooseStatus(account, agent, 'available')]);
  await world.pass(500);
  await both;
};

export const bothQuiet = (world: World, ...names: readonly string[]): void => {
  expect(world.wrongs).toEqual([]);
  for (const name of names) expect(world.node(name).errors).toEqual([]);
};
