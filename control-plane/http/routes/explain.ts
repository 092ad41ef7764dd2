/** What a call to a number would do, and what it would cost. */
import { z } from 'zod';
import { e164, id as idField } from '../../configuration/fields.ts';
import { explanationAnswer, explanationSchema, rateAnswer, rateSchema } from '../explanation.ts';
import type { ApiDeps } from '../ports.ts';
import { HttpProblem, notFound } from '../problem.ts';
import { nothing, route, type Route } from '../route.ts';

const instant = z.iso.datetime({ offset: true, error: 'is not an instant. Write it with its offset from UTC: 2026-03-02T08:30:00-06:00.' });

export function explainRoutes({ configuration, explain, rate, now }: Pick<ApiDeps, 'configuration' | 'explain' | 'rate' | 'now'>): readonly Route[] {
  const common = { tag: 'Numbers', method: 'get', role: 'read-only', scope: 'account', status: 200, params: z.strictObject({ account: idField, id: idField }) } as const;
  const numberOf = ({ account, id }: { readonly account: string; readonly id: string }): string => {
    const number = configuration.get({ account, kind: 'number', id });
    if (number === undefined) throw notFound();
    return number.body.e164;
  };
  return [
    route({
      ...common, path: '/accounts/{account}/numbers/{id}/explain', summary: 'Explain what a call would do',
      description: 'The plan such a call would run, by the code that routes calls, with the reason for every step taken or passed over; in words, as a list, and drawn. The page `/api/explain` asks for it.',
      query: z.strictObject({
        caller: z.union([e164, z.literal('')]).optional().meta({ description: 'The caller’s number; absent for an anonymous caller.' }),
        at: instant.optional().meta({ description: 'When the call comes; now when absent.', example: '2026-03-02T08:30:00-06:00' }),
      }),
      answer: { json: explanationSchema },
      handle: ({ params, query }) => {
        const call = { caller: query.caller ?? '', at: query.at === undefined ? now() : Date.parse(query.at) };
        const explained = explain(params.account, numberOf(params), call);
        if (explained === null) throw notFound();
        return { status: 200, body: explanationAnswer(explained, call) };
      },
    }),
    route({
      ...common, path: '/accounts/{account}/numbers/{id}/rate', summary: 'Get what a minute of a call costs',
      description: 'From the `rates` of the account and from where the number’s route can lead, whoever calls and whenever.',
      query: nothing, answer: { json: rateSchema },
      handle: ({ params }) => {
        const found = rate(params.account, numberOf(params));
        if (found === null) throw new HttpProblem(404, 'The account has no prices: give them as `rates` of the account.');
        return { status: 200, body: rateAnswer(found) };
      },
    }),
  ];
}
