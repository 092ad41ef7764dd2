/**
 * A connection to Redis for live state. Commands fail at once while it is away (`enableOfflineQueue` off): what is to
 * be sent again is kept and bounded here, not in the client, and no call waits.
 */
import { Redis } from 'ioredis';
import { second, type Ms } from '../../core/time.ts';
import type { Log } from '../../telemetry/log.ts';

const longestBackOffMs = 2000;
/** A machine that has gone without a word closes no connection: else the kernel would send to it for a quarter of an hour, also when another Redis has its address. */
const silentMs: Ms = 5 * second;
/** One that has become a replica: by the same address another may be the one that takes writes now. */
const newConnectionMs: Ms = 5 * second;

/** Connects in the background and for as long as it takes; `url` may hold a password and is not logged. */
export function connectRedis(url: string, log: Log): Redis {
  let readOnlyAt = -Infinity;
  const redis = new Redis(url, {
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    connectTimeout: 2000,
    commandTimeout: 2000,
    socketTimeout: silentMs,
    // Of one that only listens, and so waits for no answer.
    keepAlive: silentMs,
    reconnectOnError: ({ message }) => {
      if (!message.includes('READONLY') || performance.now() - readOnlyAt < newConnectionMs) return false;
      readOnlyAt = performance.now();
      return true;
    },
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
