/**
 * A connection to Redis for live state. Commands fail at once while it is away (`enableOfflineQueue` off): what is to
 * be sent again is kept and bounded here, not in the client, and no call waits.
 */
import { Redis } from 'ioredis';
import type { Log } from '../../telemetry/log.ts';

const longestBackOffMs = 2000;

/** Connects in the background and for as long as it takes; `url` may hold a password and is not logged. */
export function connectRedis(url: string, log: Log): Redis {
  const redis = new Redis(url, {
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    connectTimeout: 2000,
    commandTimeout: 2000,
    retryStrategy: (times) => Math.min(longestBackOffMs, 50 * 2 ** Math.min(times, 6)) * (0.5 + Math.random() / 2),
  });
  let away = false;
  redis.on('error', (error: Error) => {
    if (!away) log.warn({ error: error.message }, 'Redis is away; calls go on, their live journals wait in memory');
    away = true;
  });
  redis.on('ready', () => {
    if (away) log.info({}, 'Redis is back');
    away = false;
  });
  return redis;
}
