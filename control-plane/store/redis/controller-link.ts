/** What controllers say to each other, over channels of Redis: `fd:<what>`, and `fd:<what>:to:<controller>`. Nothing is kept there. */
import type { Redis } from 'ioredis';
import type { Log } from '../../telemetry/log.ts';
import type { ControllerLink } from '../ports.ts';

/** A connection that listens can do nothing else: it has one of its own, made again for as long as it takes. */
export function redisLink(redis: Redis, what: 'desks' | 'supervisions', controller: string, log: Log): ControllerLink {
  const all = `fd:${what}`;
  const one = (name: string): string => `${all}:to:${name}`;
  const own = `${controller} `;
  return {
    say: (to, text) => {
      if (redis.status !== 'ready') return;
      redis.publish(to === null ? all : one(to), own + text).catch((error: unknown) => { log.debug({ what, to, error: String(error) }, 'Another controller was not told'); });
    },
    listen: (heard) => {
      const connection = redis.duplicate();
      const listen = (): void => { connection.subscribe(all, one(controller)).catch((error: unknown) => { log.debug({ what, error: String(error) }, 'Other controllers are not heard'); }); };
      let isOver = false;
      connection.on('error', () => undefined).on('ready', listen).on('message', (_, text) => {
        if (!isOver && !text.startsWith(own)) heard(text.slice(text.indexOf(' ') + 1));
      });
      return () => {
        // What has arrived already is told all the same by a connection that is being closed.
        isOver = true;
        connection.disconnect();
      };
    },
  };
}
