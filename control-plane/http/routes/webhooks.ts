/** How webhooks fare, beside what is configured of them (objects.ts): what was given up, and sending it again. */
import { z } from 'zod';
import { id as idField } from '../../configuration/fields.ts';
import { eventSchema } from '../../events/catalogue.ts';
import type { DeadLetter, DeadLetterFilter, WebhookState } from '../../store/event-ports.ts';
import { pageOf, pageQuery, timeQuery } from '../answers.ts';
import { given, pageFrom } from '../pages.ts';
import type { ApiDeps } from '../ports.ts';
import { notFound } from '../problem.ts';
import { nothing, route, type Route } from '../route.ts';

export const webhookTag = 'Webhooks';

const at = z.int().meta({ description: 'Epoch ms.' });
const stateSchema = z.strictObject({
  state: z.enum(['works', 'fails', 'disabled', 'off']).meta({ description: 'disabled: by Frontdesk, since it did not take anything for long or asked for no more. off: by an admin, or it has not begun.' }),
  cursor: z.string().nullable().meta({ description: 'All events up to this one were delivered or given up.' }),
  failingSince: at.nullable(), trouble: z.string().nullable().meta({ description: 'Of the last failure.' }), deliveredAt: at.nullable(), disabledAt: at.nullable(),
}).meta({ id: 'WebhookState' });
const letterSchema = z.strictObject({
  id: z.int(), event: eventSchema, attempts: z.int(), why: z.string(), diedAt: at, replayAt: at.nullable().meta({ description: 'It is to be sent again.' }),
}).meta({ id: 'DeadLetter' });
const range = { from: timeQuery, to: timeQuery };
const replayBody = z.strictObject({
  letter: z.int('must be the id of a dead letter').min(1).max(Number.MAX_SAFE_INTEGER).optional().meta({ description: 'This one alone.' }),
  from: at.min(0).optional().meta({ description: 'Epoch ms: of events that happened from then on.' }), to: at.min(0).optional(),
});

export function webhookRoutes({ configuration, webhooks, now }: Pick<ApiDeps, 'configuration' | 'webhooks' | 'now'>): readonly Route[] {
  const ofOne = z.strictObject({ account: idField, id: idField });
  const one = '/accounts/{account}/webhooks/{id}';
  const common = { tag: webhookTag, scope: 'account' } as const;
  const found = ({ account, id }: { readonly account: string; readonly id: string }) => {
    const object = configuration.get({ account, kind: 'webhook', id });
    if (object === undefined) throw notFound();
    return object;
  };
  const filterOf = (params: { readonly account: string; readonly id: string }, rest: { readonly from?: number | undefined; readonly to?: number | undefined; readonly seq?: number | undefined }): DeadLetterFilter => {
    const { account, id: webhook } = found(params);
    return { account, webhook, ...given(rest) };
  };
  return [
    route({
      ...common, method: 'get', path: `${one}/state`, summary: 'See how a webhook fares', role: 'read-only', status: 200,
      params: ofOne, query: nothing, answer: { json: stateSchema },
      handle: async ({ params }) => {
        const { account, id, body } = found(params);
        const state = (await webhooks.states()).find((other) => other.account === account && other.webhook === id);
        return { status: 200, body: stateAnswer(body.enabled, state) };
      },
    }),
    route({
      ...common, method: 'get', path: `${one}/dead-letters`, summary: 'List the events that a webhook did not take', description: 'Newest first. Kept for thirty days.', role: 'read-only', status: 200,
      params: ofOne, query: z.strictObject({ ...pageQuery, ...range }), answer: { json: pageOf(letterSchema) },
      handle: async ({ params, query }) => {
        const { items, next } = await webhooks.deadLetters(filterOf(params, { from: query.from, to: query.to }), pageFrom(query));
        return { status: 200, body: { items: items.map(letterAnswer), next } };
      },
    }),
    route({
      ...common, method: 'post', path: `${one}/replay`, summary: 'Send dead letters again', description: 'Once each, in the order of their events and beside what is new: all of them, those of a time, or one. What is not taken stays.', role: 'account-admin', status: 202, audit: 'webhook.replay',
      params: ofOne, query: nothing, body: replayBody, answer: { json: z.strictObject({ replaying: z.int().meta({ description: 'How many are sent again.' }) }) },
      handle: async ({ params, body }) => {
        const replaying = await webhooks.replay(filterOf(params, { from: body.from, to: body.to, seq: body.letter }), now());
        if (body.letter !== undefined && replaying === 0) throw notFound();
        return { status: 202, body: { replaying }, details: { replaying } };
      },
    }),
  ];
}

function stateAnswer(enabled: boolean, state: WebhookState | undefined): z.output<typeof stateSchema> {
  const { cursor = null, failingSince = null, trouble = null, deliveredAt = null, disabledAt = null } = state ?? {};
  return { state: !enabled && disabledAt !== null ? 'disabled' : !enabled || state === undefined ? 'off' : failingSince !== null ? 'fails' : 'works', cursor, failingSince, trouble, deliveredAt, disabledAt };
}

function letterAnswer({ seq, event, attempts, why, diedAt, replayAt }: DeadLetter): z.output<typeof letterSchema> {
  return { id: seq, event, attempts, why, diedAt, replayAt };
}
