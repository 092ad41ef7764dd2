/** Calls: past ones searched and opened, live ones listed and followed. */
import { z } from 'zod';
import { id as idField } from '../../configuration/fields.ts';
import { accountQuery, callSchema, dispositions, journalSchema, liveCallSchema, pageOf, pageQuery, registrationSchema, timeQuery } from '../answers.ts';
import type { EventStreams } from '../events.ts';
import type { ApiKey } from '../../store/ports.ts';
import { given, pageFrom } from '../pages.ts';
import type { ApiDeps } from '../ports.ts';
import { HttpProblem, notFound } from '../problem.ts';
import { callFor, callsFor, journalFor, seesSupervisions } from '../seen-by.ts';
import { nothing, route, type Route } from '../route.ts';
import type { Streams } from '../streams.ts';
import { callOrRecordingId } from './recordings.ts';

const tag = 'Calls';

export function callRoutes(deps: Pick<ApiDeps, 'calls' | 'cdrs' | 'registrations'>, streams: Pick<Streams, 'admit'>, live: EventStreams): readonly Route[] {
  const { calls, cdrs } = deps;
  const ofAccount = z.strictObject({ account: idField });
  const ofCall = z.strictObject({ account: idField, id: callOrRecordingId });
  const digits = z.string().regex(/^\+?\d{1,15}$/, 'must be digits').optional();
  const common = { tag, method: 'get', role: 'read-only', scope: 'account', status: 200 } as const;
  const callOf = async (key: ApiKey, account: string, id: string): Promise<z.output<typeof callSchema>> => {
    const found = calls.get(id) ?? (await cdrs.get(id));
    const call = found === null ? null : callFor(key, found);
    if (call === null || call.account !== account) throw notFound();
    return call as unknown as z.output<typeof callSchema>;
  };
  return [
    route({
      ...common, path: '/accounts/{account}/calls', summary: 'Search past calls', description: 'Newest first.',
      params: ofAccount,
      query: z.strictObject({ ...pageQuery, caller: digits.meta({ description: 'Digits anywhere in the caller’s number.' }), dialled: digits, disposition: z.enum(dispositions).optional(), from: timeQuery, to: timeQuery }),
      answer: { json: pageOf(callSchema) },
      handle: async ({ params, query, key }) => {
        const { caller, dialled, disposition, from, to } = query;
        const { items, next } = await cdrs.search({ account: params.account, ...given({ caller, dialled, disposition, from, to }), ...(seesSupervisions(key) ? {} : { supervisions: false }) }, pageFrom(query));
        return { status: 200, body: { items: callsFor(key, items), next } };
      },
    }),
    route({
      ...common, path: '/accounts/{account}/calls/{id}', summary: 'Get a call with its legs', description: 'Of a live call, as far as it has come.',
      params: ofCall, query: nothing, answer: { json: callSchema },
      handle: async ({ params, key }) => ({ status: 200, body: await callOf(key, params.account, params.id) }),
    }),
    route({
      ...common, path: '/accounts/{account}/calls/{id}/journal', summary: 'Get a call’s journal', description: 'Every event and decision, in order.',
      params: ofCall, query: nothing, answer: { json: journalSchema },
      handle: async ({ params, key }) => {
        await callOf(key, params.account, params.id);
        return { status: 200, body: { items: journalFor(key, await calls.journal(params.id)) } };
      },
    }),
    route({
      ...common, scope: 'own', path: '/live-calls', summary: 'List the calls that are going on', description: 'Those of the controller that is asked.',
      params: nothing, query: z.strictObject({ account: accountQuery }), answer: { json: z.strictObject({ items: z.array(liveCallSchema) }) },
      handle: ({ account, key }) => ({ status: 200, body: { items: callsFor(key, calls.live().filter((call) => account === null || call.account === account)) } }),
    }),
    route({
      ...common, scope: 'own', path: '/events', summary: 'Follow live calls and registrations',
      description: 'Server-sent events: `calls` with all live calls first, then `started`, `changed`, `ended` and `left`, when another controller has it now, with one call each; one that was taken over from another is `started` too; `registration` with a phone or trunk that is seen otherwise than before, and `alert` when one is gone for longer than `alerts.graceSeconds` of the account, and when it is back. With `Last-Event-ID` the stream goes on where it was, or begins anew. Of this controller alone, for a display of the moment: what must not be missed is in the events of an account.',
      params: nothing, query: z.strictObject({ account: accountQuery }), answer: { types: ['text/event-stream'] },
      handle: ({ account, key, header }) => {
        streams.admit(key);
        return { send: (_request, response) => live.open(response, { key, account, lastEventId: header('last-event-id') }) };
      },
    }),
    route({
      ...common, scope: 'own', tag: 'Registrations', path: '/registrations', summary: 'List which phones and trunks can be reached',
      params: nothing, query: z.strictObject({ account: accountQuery }), answer: { json: z.strictObject({ items: z.array(registrationSchema) }) },
      handle: async ({ account }) => {
        const all = await deps.registrations.list().catch((cause: unknown) => {
          throw new HttpProblem(503, 'The switch cannot be asked what it can reach: /readyz says why, and when it is back.', { headers: { 'retry-after': '5' }, cause });
        });
        return { status: 200, body: { items: all.filter((one) => account === null || one.account === account) } };
      },
    }),
  ];
}
