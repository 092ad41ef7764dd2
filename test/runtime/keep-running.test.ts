/** A program of the local stack that ends is started again, soon and not too often, until it is no more wanted. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { keepRunning, type KeptRunning } from '../../control-plane/local-stack/keep-running.ts';
import type { ProgramName } from '../../control-plane/local-stack/local-stack.ts';

beforeEach(() => { vi.useFakeTimers(); });
afterEach(() => { vi.useRealTimers(); });

interface World {
  readonly kept: KeptRunning;
  /** Seconds between the ends and tries, as the log has them. */
  readonly waits: number[];
  readonly said: string[];
  readonly tries: ProgramName[];
  ends(name: ProgramName): void;
  /** What the next tries come to. */
  fail: string | null;
}

function open(): World {
  let listener: ((name: ProgramName, reason: string) => void) | undefined;
  const write = (fields: Readonly<Record<string, unknown>>, sentence: string): void => {
    world.said.push(sentence);
    if (typeof fields['againInMs'] === 'number') world.waits.push(fields['againInMs'] / 1000);
  };
  const world: World = {
    kept: keepRunning({
      onExit: (callback) => { listener = callback; },
      again: (name) => {
        world.tries.push(name);
        return world.fail === null ? Promise.resolve() : Promise.reject(new Error(world.fail));
      },
    }, { debug: write, info: write, warn: write, error: write }),
    waits: [], said: [], tries: [], fail: null,
    ends: (name) => { listener?.(name, 'signal SIGKILL'); },
  };
  return world;
}

const seconds = (count: number): Promise<unknown> => vi.advanceTimersByTimeAsync(1000 * count);

describe('A program of the local stack', () => {
  it('that ends is away, with a reason, until it was started again a second later; the other is not', async () => {
    const world = open();
    world.ends('asterisk');
    expect([world.kept.problems('asterisk'), world.kept.problems('redis')]).toEqual([['Asterisk ended (signal SIGKILL); it is started again.'], []]);
    await seconds(0.9);
    expect(world.tries).toEqual([]);
    await seconds(0.1);
    expect([world.tries, world.kept.problems('asterisk')]).toEqual([['asterisk'], []]);
    expect(world.said).toEqual(['Asterisk ended; it is started again', 'Asterisk was started again']);
  });

  it('that cannot be started is tried after twice as long each time, and each half minute in the end', async () => {
    const world = open();
    world.fail = 'Its port 5060 on 0.0.0.0 is in use by another program.';
    world.ends('asterisk');
    await seconds(1 + 2 + 4 + 8 + 16 + 30 + 30);
    expect([world.waits, world.tries.length]).toEqual([[1, 2, 4, 8, 16, 30, 30, 30], 7]);
    expect(world.kept.problems('asterisk')).toEqual(['Asterisk ended and could not be started again; it is tried again. Its port 5060 on 0.0.0.0 is in use by another program.']);
    world.fail = null;
    await seconds(30);
    expect(world.kept.problems('asterisk')).toEqual([]);
  });

  it('that ends soon after each start does not spin; after a minute of life it is started as soon as at first', async () => {
    const world = open();
    for (const wait of [1, 2, 4]) {
      await seconds(59);
      world.ends('redis');
      await seconds(wait);
    }
    await seconds(60);
    world.ends('redis');
    expect([world.waits, world.tries.length]).toEqual([[1, 2, 4, 1], 3]);
  });

  it('is not started any more after the stop, neither one that waits nor one that cannot be started', async () => {
    const waiting = open();
    waiting.ends('asterisk');
    waiting.kept.stop();
    const failing = open();
    failing.fail = 'stopped';
    failing.ends('redis');
    await vi.advanceTimersToNextTimerAsync();
    failing.kept.stop();
    await seconds(120);
    expect([waiting.tries, failing.tries]).toEqual([[], ['redis']]);
  });
});
