/**
 * Events in Redis: a stream per account, `fd:events:<account>`, which every controller adds to and reads. What is older
 * than a week, or than some ten thousand others, is dropped there.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { Redis } from 'ioredis';
import { hour, second, type Ms } from '../../core/time.ts';
import type { NewEvent } from '../../events/catalogue.ts';
import type { EventListening, EventLog, Kept, StreamId } from '../event-ports.ts';
import { redisScript } from './scripts.ts';

export interface RedisEventLogOptions {
  readonly redis: Redis;
  /** About how many a stream keeps; 10,000 when absent. */
  readonly keep?: number;
  readonly keepMs?: Ms;
}

type Entry = [id: string, fields: string[]];

const keyOf = (account: string): string => `fd:events:${account}`;
const waitMs: Ms = 5 * second;
/** Of one stream, at a time. */
const mostAtOnce = 200;

export function redisEventLog({ redis, keep = 10_000, keepMs = 7 * 24 * hour }: RedisEventLogOptions): EventLog {
  const appendEvents = redisScript(redis, 'append-events');
  return {
    append: async (publisher, events) => {
      await appendEvents(
        [`fd:events:sent:${publisher}`, ...events.map(({ event }) => keyOf(event.account))],
        [keep, keepMs, ...events.flatMap(({ n, event }) => [n, JSON.stringify(event)])],
      );
    },
    read: async (account, after, limit) => kept(await redis.xrange(keyOf(account), `(${after}`, '+', 'COUNT', limit)),
    ends: async (account) => {
      const [first, last] = await Promise.all([redis.xrange(keyOf(account), '-', '+', 'COUNT', 1), redis.xrevrange(keyOf(account), '+', '-', 'COUNT', 1)]);
      const [oldest] = kept(first);
      const newest = last[0]?.[0];
      return oldest === undefined || newest === undefined ? null : { first: oldest, last: newest };
    },
    listen: () => listening(redis),
  };
}

/** Waits on a bell of its own beside the streams: so a wait that is on its way to Redis is ended as surely as one that is there. */
function listening(redis: Redis): EventListening {
  const own = redis.duplicate({ commandTimeout: waitMs + 2 * second, socketTimeout: waitMs + 4 * second });
  own.on('error', () => undefined);
  const bell = `fd:events:bell:${randomUUID()}`;
  let heard: StreamId = '0-0';
  return {
    next: async (places) => {
      if (own.status !== 'ready') await once(own, 'ready', { signal: AbortSignal.timeout(waitMs) });
      const accounts = [...places.keys()];
      let found: readonly [string, Entry[]][] | null;
      try {
        found = await own.xread('COUNT', mostAtOnce, 'BLOCK', waitMs, 'STREAMS', bell, ...accounts.map(keyOf), heard, ...places.values());
      } catch (error) {
        // its answer, should it come, would be taken for that of the next
        if (own.status === 'ready') own.disconnect(true);
        throw error;
      }
      const news = new Map<string, readonly Kept[]>();
      for (const [key, entries] of found ?? []) {
        if (key === bell) heard = entries.at(-1)?.[0] ?? heard;
        else news.set(key.slice(keyOf('').length), kept(entries));
      }
      return news;
    },
    ring: () => {
      if (redis.status !== 'ready') return;
      redis.pipeline().xadd(bell, 'MAXLEN', 1, '*', 'r', '1').pexpire(bell, hour).exec().catch(() => undefined);
    },
    stop: () => { own.disconnect(); },
  };
}

function kept(entries: readonly Entry[]): readonly Kept[] {
  return entries.map(([id, [field, text]]): Kept => {
    if (field === 'b') return { id, event: 'began' };
    try {
      return { id, event: { id, ...(JSON.parse(text ?? '') as NewEvent) } };
    } catch {
      return { id, event: 'unread' };
    }
  });
}
