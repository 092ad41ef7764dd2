/** Legs between two switches when one of them is away: ended where it is dead, and let be where only its link is lost. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AdminSide } from '../../control-plane/media/side-by-side/compose-admins.ts';
import { createRelays } from '../../control-plane/media/side-by-side/relays.ts';
import { stays, until } from '../support/until.ts';

const names = ['left', 'right'] as const;
type Name = (typeof names)[number];

describe('Legs between two switches', () => {
  const ended: string[] = [];
  let switches: Record<Name, { up: boolean; process: string; reaches: boolean; legs: string[]; fails: boolean; looks: number }>;
  let relays: ReturnType<typeof createRelays>;
  const sides = names.map((name) => ({ name, peer: { id: `to-${name === 'left' ? 'right' : 'left'}` }, driver: { admin: {
    process: () => Promise.resolve(switches[name].process),
    reaches: () => Promise.resolve(switches[name].reaches).finally(() => { switches[name].looks += 1; }),
    relayed: (peer: string) => (switches[name].fails ? Promise.reject(new Error('It does not answer.')) : Promise.resolve(switches[name].legs.map((leg) => `${leg} ${peer}`))),
    endRelayed: (legs: readonly string[]) => Promise.resolve(void ended.push(...legs)),
  } } }) as unknown as AdminSide);
  const [left, right] = sides as [AdminSide, AdminSide];

  const set = (side: AdminSide, up: boolean): void => {
    switches[side === left ? 'left' : 'right'].up = up;
    relays.onSide(side, up ? 'up' : 'down');
  };
  const looks = async (more: number): Promise<void> => {
    const before = switches.left.looks;
    await until(() => switches.left.looks >= before + more, { describe: 'it is looked' });
  };

  beforeEach(async () => {
    ended.length = 0;
    switches = { left: { up: true, process: 'a', reaches: true, legs: ['one', 'two'], fails: false, looks: 0 }, right: { up: true, process: 'b', reaches: true, legs: [], fails: false, looks: 0 } };
    relays = createRelays(sides, { isUp: (side) => switches[side === left ? 'left' : 'right'].up, log: { warn: () => undefined }, lookEveryMs: 1 });
    for (const side of sides) set(side, true);
    await Promise.resolve();
  });
  afterEach(() => { relays.stop(); });

  it('go on while the one that is away answers the other, and when it is back', async () => {
    set(right, false);
    await looks(5);
    set(right, true);
    // a second look at the process comes after the first
    set(right, false);
    await looks(2);
    expect(ended).toEqual([]);
  });

  it('are ended when the other finds that it does not answer: all there are, once', async () => {
    set(right, false);
    await looks(2);
    switches.left.legs.push('three');
    switches.left.reaches = false;
    await until(() => ended.length > 0, { describe: 'legs are ended' });
    expect(ended).toEqual(['one to-right', 'two to-right', 'three to-right']);
    const before = switches.left.looks;
    await stays(() => switches.left.looks === before && ended.length === 3, { describe: 'nobody is asked any more', forMs: 20 });
  });

  it('that were there before it was restarted are ended, and those of the new process are not', async () => {
    set(right, false);
    await looks(1);
    switches.left.legs = ['two', 'new'];
    switches.right.process = 'b2';
    set(right, true);
    await until(() => ended.length > 0, { describe: 'legs are ended' });
    expect(ended).toEqual(['one to-right', 'two to-right']);
  });

  it('are looked for again where the other cannot say, and found dead', async () => {
    switches.left.fails = true;
    switches.left.reaches = false;
    set(right, false);
    switches.left.fails = false;
    await until(() => ended.length > 0, { describe: 'legs are ended' });
    expect(ended).toEqual(['one to-right', 'two to-right']);
  });

  it('are let be where neither can be asked', async () => {
    for (const side of sides) set(side, false);
    switches.left.reaches = false;
    set(right, true);
    expect([switches.left.looks, switches.right.looks, ended]).toEqual([0, 0, []]);
    await until(() => switches.right.looks > 2, { describe: 'the one that is up is asked' });
    expect(ended).toEqual([]);
  });
});
