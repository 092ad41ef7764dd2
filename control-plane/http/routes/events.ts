/** The events of an account, followed live. */
import { z } from 'zod';
import { id as idField } from '../../configuration/fields.ts';
import { eventSchema } from '../../events/catalogue.ts';
import { placeOfId } from '../../events/feed.ts';
import { eventTypes, type EventType } from '../../events/types.ts';
import type { AccountEvents } from '../account-events.ts';
import { HttpProblem } from '../problem.ts';
import { route, type Route } from '../route.ts';
import type { Streams } from '../streams.ts';

const isType = (word: string): word is EventType => (eventTypes as readonly string[]).includes(word);

const typesQuery = z.string().max(1000).refine((value) => value.split(',').every(isType), `must be types with commas between: ${eventTypes.join(', ')}`).optional()
  .meta({ description: 'These alone, with commas between. A `gap` is always told.', example: 'call.started,call.ended' });

export function eventRoutes(streams: Pick<Streams, 'admit'>, accountEvents: AccountEvents): readonly Route[] {
  return [
    route({
      method: 'get', path: '/accounts/{account}/events', tag: 'Events', summary: 'Follow the events of an account',
      description: 'Server-sent events, each an object of this schema, told by whichever controller has the call. With `Last-Event-ID`, or `after`, the stream goes on after that event; else it begins now. A `gap` says that events are missing before what follows: they are kept for a week, and about the last 10,000.',
      role: 'read-only', scope: 'account', status: 200,
      params: z.strictObject({ account: idField }),
      query: z.strictObject({ types: typesQuery, after: z.string().max(60).optional().meta({ description: 'Id of the last event you had; 0 for all that are kept.' }) }),
      answer: { types: ['text/event-stream'], schema: eventSchema },
      handle: async ({ params, query, key, header }) => {
        streams.admit(key);
        // that of a client that comes back is newer than the address it first asked
        const given = header('last-event-id') || query.after;
        const after = given === undefined ? null : placeOfId(given);
        if (given !== undefined && after === null) throw new HttpProblem(400, 'The query cannot be accepted.', { problems: [{ path: 'after', message: 'is not the id of an event. Give the last you had, or leave it out to begin now.' }] });
        const types = query.types?.split(',').filter(isType) ?? null;
        return { send: await accountEvents.follow({ account: params.account, key, after, types }) };
      },
    }),
  ];
}
