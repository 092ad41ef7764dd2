/** N12: what a number still lacks, and test calls to it. */
import { z } from 'zod';
import { readinessItems } from '../../configuration/readiness.ts';
import type { ConfigObject } from '../../configuration/objects.ts';
import { e164, id as idField } from '../../configuration/fields.ts';
import type { ApiDeps, PlacedTest } from '../ports.ts';
import { HttpProblem, notFound } from '../problem.ts';
import { nothing, route, type Route } from '../route.ts';

const readinessSchema = z.strictObject({
  ready: z.boolean().meta({ description: 'Nothing is missing.' }),
  items: z.array(z.strictObject({
    item: z.enum(readinessItems), state: z.enum(['done', 'missing', 'warning']), detail: z.string(), wayOut: z.string().nullable().meta({ description: 'Null of what is done.' }),
  })),
}).meta({ id: 'NumberReadiness' });

const testCallSchema = z.strictObject({
  callId: z.string(), at: z.int().meta({ description: 'Epoch ms.' }), caller: z.string().meta({ description: 'The number that the phones were shown.' }), endedAt: z.int().nullable(),
  answered: z.boolean().nullable().meta({ description: 'Null while nobody has.' }),
  rang: z.array(z.strictObject({
    user: z.string().nullable(), label: z.string(), extension: z.string().nullable(), number: z.string().nullable(),
    answeredAfterMs: z.number().nullable(), talked: z.boolean(), disposition: z.string().nullable(),
  })),
  talkedMs: z.number().nullable(),
  audio: z.strictObject({ received: z.int(), sent: z.int() }).nullable().meta({ description: 'RTP packets from and to the phone that answered, counted soon after; null when they were not.' }),
  sentence: z.string(),
}).meta({ id: 'TestCall' });

const statusOf: Readonly<Record<Extract<PlacedTest, { ok: false }>['why'], number>> = { away: 503, busy: 409, 'too-many': 429 };

export function readinessRoutes({ configuration, readiness, testCalls }: Pick<ApiDeps, 'configuration' | 'readiness' | 'testCalls'>): readonly Route[] {
  const path = '/accounts/{account}/numbers/{id}';
  const common = { tag: 'Numbers', scope: 'account', params: z.strictObject({ account: idField, id: idField }), query: nothing } as const;
  const found = ({ account, id }: { readonly account: string; readonly id: string }): ConfigObject<'number'> => {
    const number = configuration.get({ account, kind: 'number', id });
    if (number === undefined) throw notFound();
    return number;
  };
  return [
    route({
      ...common, method: 'get', path: `${path}/readiness`, summary: 'Get what a number still lacks', description: 'A checklist over its configuration and what is there now: each point with the way out.', role: 'read-only', status: 200,
      answer: { json: readinessSchema },
      handle: async ({ params }) => {
        const items = await readiness(found(params));
        if (items === null) throw notFound();
        return { status: 200, body: { ready: items.every(({ state }) => state !== 'missing'), items } };
      },
    }),
    route({
      ...common, method: 'post', path: `${path}/test-call`, summary: 'Place a test call',
      description: 'A real call to the number, which rings the phones of its route; shown is “Frontdesk test” and `caller`. Who answers hears what it is. It is ended soon after, or where voicemail would begin. Answered as soon as it has come in; what came of it is told by the same path with GET.',
      role: 'account-admin', status: 202, audit: 'number.test-call',
      body: z.strictObject({ caller: e164.optional().meta({ description: 'Whose call it shall look like, for the way of a contact or of a blocked caller; the number itself when absent.' }) }),
      answer: { json: testCallSchema },
      handle: async ({ params, body }) => {
        const { account, body: { e164: number } } = found(params);
        const placed = await testCalls.place({ account, number, caller: body.caller ?? number });
        if (!placed.ok) throw new HttpProblem(statusOf[placed.why], placed.sentence, placed.why === 'too-many' ? { headers: { 'retry-after': '60' } } : {});
        return { status: 202, body: placed.call };
      },
    }),
    route({
      ...common, method: 'get', path: `${path}/test-call`, summary: 'Get the last test call', description: 'As far as it has come.', role: 'read-only', status: 200,
      answer: { json: testCallSchema },
      handle: async ({ params }) => {
        const { account, body: { e164: number } } = found(params);
        const call = await testCalls.last(account, number);
        if (call === null) throw new HttpProblem(404, 'No test call to this number is known: POST to the same path to make one.');
        return { status: 200, body: call };
      },
    }),
  ];
}
