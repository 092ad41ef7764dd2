/**
 * The events of an account as a stream. It goes on after the event that is named, whichever controller told it. A client
 * that does not read is not waited for in memory: what comes is read from the store when it has taken what it was sent, and
 * when it takes nothing for a while the stream ends, to be resumed by the id of the last event.
 */
import type { Request, Response } from 'express';
import type { Ms } from '../core/time.ts';
import { hasPlace, type EventFeed, type EventReader } from '../events/feed.ts';
import type { EventType } from '../events/types.ts';
import type { ApiKey } from '../store/ports.ts';
import type { Log } from '../telemetry/log.ts';
import type { Limits } from './ports.ts';
import { HttpProblem } from './problem.ts';
import { eventFor } from './seen-by.ts';
import { eventText, type Stream, type Streams } from './streams.ts';

export interface AccountEvents {
  /** Rejects with a 503 when the store is away. What it resolves with writes the stream, and settles when that has ended. */
  follow(of: { readonly account: string; readonly key: ApiKey; readonly after: string | null; readonly types: readonly EventType[] | null }): Promise<(request: Request, response: Response) => Promise<void>>;
}

/** Of a client, until it tries again; it has the id to go on with. */
const retryMs: Ms = 1000;

export interface AccountEventsOptions {
  readonly feed: EventFeed;
  readonly streams: Streams;
  readonly limits: Limits;
  readonly onDropped: () => void;
  readonly log: Log;
}

export function createAccountEvents({ feed, streams, limits, onDropped, log }: AccountEventsOptions): AccountEvents {
  const tell = async (stream: Stream, reader: EventReader, key: ApiKey, wanted: (type: EventType) => boolean, onTold: (place: string) => void): Promise<void> => {
    while (stream.isOpen()) {
      const events = await reader.next();
      if (events.length === 0) return;
      for (const event of events) {
        if (!stream.isOpen()) return;
        if (hasPlace(event)) onTold(event.id);
        const shown = wanted(event.type) ? eventFor(key, event) : null;
        if (shown === null) continue;
        stream.write(eventText(hasPlace(event) ? event.id : null, event.type, shown));
        if (stream.unread() <= limits.unreadBytes || (await stream.taken(limits.unreadMs))) continue;
        onDropped();
        log.info({ account: event.account, unread: stream.unread() }, 'A follower of events who does not read was dropped; it can resume');
        stream.drop();
      }
    }
  };
  return {
    follow: async ({ account, key, after, types }) => {
      const reader = await feed.open(account, after).catch((error: unknown) => {
        throw new HttpProblem(503, 'Redis, where events are kept, does not answer: try again shortly, with the id of the last event you had.', { headers: { 'retry-after': '5' }, cause: error });
      });
      return async (_request, response) => {
        // an id without an event: all up to here has been seen, wanted or not
        let told = reader.place();
        const stream = streams.open(response, key, () => `id: ${told}\n\n`);
        void stream.closed.then(() => { reader.close(); });
        if (stream.isOpen()) stream.write(`retry: ${retryMs}\nid: ${told}\n\n`);
        try {
          await tell(stream, reader, key, (type) => type === 'gap' || types === null || types.includes(type), (place) => { told = place; });
        } catch (error) {
          log.debug({ error: String(error) }, 'A stream of events ends: the store is away');
        }
        reader.close();
        stream.end();
        await stream.closed;
      };
    },
  };
}
