/** What controllers tell each other of their calls, in Redis: `fd:occupied…`, and the last ends of parties' calls. */
import type { Redis } from 'ioredis';
import type { Party } from '../../core/routing/destinations.ts';
import { hour, type Ms } from '../../core/time.ts';
import type { Kept, SharedOccupancy } from '../ports.ts';
import { redisScript } from './scripts.ts';

export interface RedisOccupancyOptions {
  readonly redis: Redis;
  /** This controller's name. */
  readonly controller: string;
  /** What was told counts for so long. */
  readonly lifeMs: Ms;
}

/** Who has had no call for as long is as idle as one who never had any. */
const endsKeptMs: Ms = 7 * 24 * hour;

/** `["<party>", calls, talking]` for each. */
type Told = readonly (readonly [Party, number, number])[];

export function redisOccupancy({ redis, controller, lifeMs }: RedisOccupancyOptions): SharedOccupancy {
  const exchange = redisScript(redis, 'exchange-occupancy');
  return {
    exchange: async ({ kept, ended }, asked) => {
      const told: Told = [...kept].map(([party, { calls, talking }]) => [party, calls, talking]);
      const keys = ['fd:occupied', 'fd:ends', `fd:occupied:${controller}`];
      const [others, ends] = (await exchange(keys, [controller, lifeMs, JSON.stringify(told), endsKeptMs, ended.size, ...[...ended].flat(), ...asked])) as readonly [readonly string[], readonly number[]];
      return {
        others: others.map((text) => new Map((JSON.parse(text) as Told).map(([party, calls, talking]): [Party, Kept] => [party, { calls, talking }]))),
        endedAt: new Map(asked.map((party, i) => [party, ends[i] ?? 0])),
      };
    },
  };
}
