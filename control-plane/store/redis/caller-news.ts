/** Who calls, told among controllers over a channel of Redis, `fd:callers`. Nothing is kept there. */
import type { Redis } from 'ioredis';
import type { Log } from '../../telemetry/log.ts';
import type { CallerNews, CallerSeen } from '../ports.ts';

const channel = 'fd:callers';

/** A connection that listens can do nothing else: it has one of its own, made again for as long as it takes. */
export function redisCallerNews(redis: Redis, log: Log): CallerNews {
  return {
    tell: (seen) => {
      if (redis.status === 'ready') redis.publish(channel, JSON.stringify(seen)).catch((error: unknown) => { log.debug({ error: String(error) }, 'Other controllers were not told of a caller'); });
    },
    listen: (heard) => {
      const own = redis.duplicate();
      const listen = (): void => { own.subscribe(channel).catch((error: unknown) => { log.debug({ error: String(error) }, 'Callers of other controllers are not heard of'); }); };
      own.on('error', () => undefined).on('ready', listen).on('message', (_, text) => {
        const seen = seenOf(text);
        if (seen !== undefined) heard(seen);
      });
      return () => { own.disconnect(); };
    },
  };
}

/** What another release may say otherwise is not understood. */
function seenOf(text: string): CallerSeen | undefined {
  try {
    const { account, number, at } = JSON.parse(text) as Partial<CallerSeen>;
    return typeof account === 'string' && typeof number === 'string' && typeof at === 'number' ? { account, number, at } : undefined;
  } catch {
    return undefined;
  }
}
