/** M4: what applies at an instant. */
import { z } from 'zod';
import { id as idField, instant, rule } from '../../configuration/fields.ts';
import { scheduleAnswer } from '../answers.ts';
import type { ApiDeps } from '../ports.ts';
import { notFound } from '../problem.ts';
import { route, type Route } from '../route.ts';

const epochMs = /^\d{1,13}$/;
const instantQuery = rule(
  z.string(), (value) => epochMs.test(value) || instant.safeParse(value).success,
  'is not an instant', 'Write epoch milliseconds, or 2026-12-24T18:00:00Z, or an offset such as -05:00 (a + in an address is written %2B).',
).meta({ description: 'Epoch ms, or RFC 3339; now when absent.', example: '2026-12-24T18:00:00-05:00' });

export function scheduleRoutes({ schedules, now }: Pick<ApiDeps, 'schedules' | 'now'>): readonly Route[] {
  return [
    route({
      method: 'get', path: '/accounts/{account}/schedules/{id}/at', tag: 'Schedules', summary: 'Ask whether a schedule is open',
      description: 'At an instant, by the clock in its time zone, and why: with holidays and closures, as calls meet it.',
      role: 'read-only', scope: 'account', status: 200,
      params: z.strictObject({ account: idField, id: idField }), query: z.strictObject({ instant: instantQuery.optional() }), answer: { json: scheduleAnswer },
      handle: ({ params, query }) => {
        const answer = schedules.at(params.account, params.id, query.instant === undefined ? now() : epochOf(query.instant));
        if (answer === null) throw notFound();
        return { status: 200, body: answer };
      },
    }),
  ];
}

function epochOf(text: string): number {
  return epochMs.test(text) ? Number(text) : Date.parse(text);
}
