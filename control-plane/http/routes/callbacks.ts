/** Q6: who is called back in a queue: asked for by callers with a key, or here. */
import { z } from 'zod';
import { e164, id as idField } from '../../configuration/fields.ts';
import { callbackOutcomes, type KeptCallback } from '../../store/callback-ports.ts';
import { pageOf, pageQuery } from '../answers.ts';
import { given, pageFrom } from '../pages.ts';
import type { ApiDeps } from '../ports.ts';
import { HttpProblem, notFound } from '../problem.ts';
import { nothing, route, type Route } from '../route.ts';
import { callOrRecordingId } from './recordings.ts';

const at = z.int().meta({ description: 'Epoch ms.' });
const callbackSchema = z.strictObject({
  id: z.string(), account: z.string(), queue: z.string(), number: z.string().meta({ description: 'That is called.' }), dialled: z.string().meta({ description: 'Of ours: what the caller had called, and is shown.' }),
  call: z.string().nullable().meta({ description: 'In which it was asked for; null where that was over the API.' }), askedAt: at, enteredAt: at.meta({ description: 'By which the place in line is.' }),
  state: z.enum(['waiting', 'calling', 'over']), notBefore: at.nullable().meta({ description: 'When it is tried again, at the earliest.' }),
  tries: z.array(z.strictObject({ call: z.string().meta({ description: 'Of the try, and of its record.' }), at, endedAt: at.nullable(), outcome: z.string().nullable().meta({ description: 'reached, or why not; unknown: whoever made it died meanwhile.' }) })),
  outcome: z.enum(callbackOutcomes).nullable().meta({ description: 'reached: answered, and pressed the key. unanswered: after the last try. called-again: by themselves. served: an agent was there first. expired: after `keepSeconds`. refused: the number may not be called any more. closed: the queue is gone.' }),
  endedAt: at.nullable(),
}).meta({ id: 'Callback' });

export function callbackRoutes({ configuration, callbacks }: Pick<ApiDeps, 'configuration' | 'callbacks'>): readonly Route[] {
  const path = '/accounts/{account}/queues/{id}/callbacks';
  const common = { tag: 'Queues', scope: 'account' } as const;
  const ofQueue = z.strictObject({ account: idField, id: idField });
  const found = ({ account, id }: { readonly account: string; readonly id: string }): void => {
    if (configuration.get({ account, kind: 'queue', id }) === undefined) throw notFound();
  };
  return [
    route({
      ...common, method: 'get', path, status: 200, role: 'read-only', summary: 'List callbacks of a queue', description: 'Newest first; those that are over for thirty days.',
      params: ofQueue, query: z.strictObject({ ...pageQuery, open: z.enum(['true', 'false']).optional().meta({ description: 'true: those that are not over alone.' }) }), answer: { json: pageOf(callbackSchema) },
      handle: async ({ params, query }) => {
        found(params);
        const { account, id: queue } = params;
        const { items, next } = await callbacks.list({ account, queue, ...given({ open: query.open === undefined ? undefined : query.open === 'true' }) }, pageFrom(query));
        return { status: 200, body: { items: items.map(answerOf), next } };
      },
    }),
    route({
      ...common, method: 'post', path, status: 201, role: 'account-admin', audit: 'callback.ask', summary: 'Have somebody called back', description: 'As if they had called now, and asked for it. Give an Idempotency-Key: the same request again is the same callback.',
      params: ofQueue, query: nothing, answer: { json: callbackSchema },
      body: z.strictObject({ number: e164.meta({ description: 'Who is called.' }), shows: idField.meta({ description: 'Id of the tracking number that they see, and whose calls these are.' }) }),
      handle: async ({ params, body }) => {
        found(params);
        const { account, id: queue } = params;
        const asked = await callbacks.ask({ account, queue, ...body });
        if (!asked.ok) throw new HttpProblem(asked.field === null ? 409 : 422, asked.field === null ? asked.sentence : 'The body cannot be accepted.', asked.field === null ? {} : { problems: [{ path: asked.field, message: asked.sentence }] });
        return { status: 201, headers: { location: `/api/v1/accounts/${account}/queues/${queue}/callbacks/${asked.callback.id}` }, subject: `${account}/callback/${asked.callback.id}`, details: { ...body }, body: answerOf(asked.callback) };
      },
    }),
    route({
      ...common, method: 'delete', path: `${path}/{callback}`, status: 204, role: 'account-admin', audit: 'callback.cancel', summary: 'Cancel a callback', description: 'No further try is made. One that rings goes on.',
      params: z.strictObject({ account: idField, id: idField, callback: callOrRecordingId }), query: nothing, answer: null,
      handle: async ({ params: { account, id, callback } }) => {
        if (!(await callbacks.cancel(account, id, callback))) throw notFound();
        return { status: 204 };
      },
    }),
  ];
}

function answerOf({ id, account, queue, number, dialled, call, askedAt, enteredAt, state, notBefore, tries, outcome, endedAt }: KeptCallback): z.output<typeof callbackSchema> {
  return { id, account, queue, number, dialled, call, askedAt, enteredAt, state, notBefore: notBefore === 0 ? null : notBefore, tries: tries.map(({ call: tried, at: begun, endedAt: ended, outcome: how }) => ({ call: tried, at: begun, endedAt: ended, outcome: how })), outcome, endedAt };
}
