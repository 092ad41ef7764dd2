/** Q8: a supervisor hears a call that is going on, and is heard by the agent, or by both. */
import { z } from 'zod';
import { extension, id as idField } from '../../configuration/fields.ts';
import { supervisionModes } from '../../core/routing/supervision.ts';
import { supervisionSchema } from '../answers.ts';
import { given } from '../pages.ts';
import type { ApiDeps, BegunSupervision, Supervision } from '../ports.ts';
import { HttpProblem, notFound } from '../problem.ts';
import { nothing, route, type Route } from '../route.ts';
import { callOrRecordingId } from './recordings.ts';

export function supervisionRoutes({ supervisions }: Pick<ApiDeps, 'supervisions'>): readonly Route[] {
  const path = '/accounts/{account}/supervisions';
  const common = { tag: 'Supervision', role: 'supervisor', scope: 'account', query: nothing } as const;
  const ofAccount = z.strictObject({ account: idField });
  const ofOne = z.strictObject({ account: idField, id: callOrRecordingId });
  const mode = z.enum(supervisionModes, `must be one of: ${supervisionModes.join(', ')}`);
  return [
    route({
      ...common, method: 'post', path, status: 201, audit: 'supervision.start', summary: 'Supervise a call',
      description: 'The supervisor’s phone is rung, and hears the call once it is answered: `listen` unheard, `coach` heard by who is supervised alone, `barge` heard by both who talk. On that phone 4 listens, 5 coaches, 6 barges. It ends with who is supervised, or when the supervisor hangs up; nobody else hears either. Only a call in which two talk can be supervised, by a phone of the account that is registered. The audit log has it, and so has a record of its own.',
      params: ofAccount, answer: { json: supervisionSchema },
      body: z.strictObject({
        call: callOrRecordingId.meta({ description: 'Of a live call.' }),
        leg: callOrRecordingId.optional().meta({ description: 'Who is supervised, of the two who talk; who was called where neither this nor `agent` is given. The caller’s own leg has the call’s id.' }),
        agent: idField.optional().meta({ description: 'The same, by their user.' }),
        mode,
        phone: extension.meta({ description: 'Extension of the supervisor’s phone.', example: '103' }),
      }),
      handle: async ({ params: { account }, body, key }) => {
        const { call, leg, agent, phone } = body;
        const supervision = begun(await supervisions.begin({ account, call, ...given({ leg, agent }), mode: body.mode, phone, by: key.id }));
        return { status: 201, headers: { location: `/api/v1/accounts/${account}/supervisions/${supervision.id}` }, subject: `supervision/${supervision.id}`, details: { call, leg: supervision.leg, mode: supervision.mode, phone }, body: supervision };
      },
    }),
    route({
      ...common, method: 'get', path, status: 200, summary: 'List supervisions', description: 'Those that ring or go on, with whichever controller.',
      params: ofAccount, answer: { json: z.strictObject({ items: z.array(supervisionSchema) }) },
      handle: ({ params }) => ({ status: 200, body: { items: supervisions.list(params.account) } }),
    }),
    route({
      ...common, method: 'patch', path: `${path}/{id}`, status: 200, audit: 'supervision.change', summary: 'Change the mode of a supervision', description: 'As by 4, 5 and 6 on the phone: asked for by this, in effect when the list says so.',
      params: ofOne, body: z.strictObject({ mode }), answer: { json: supervisionSchema },
      handle: async ({ params: { account, id }, body }) => {
        const changed = await supervisions.change(account, id, body.mode);
        if (changed === null) throw notFound();
        return { status: 200, details: { mode: body.mode }, body: begun(changed) };
      },
    }),
    route({
      ...common, method: 'delete', path: `${path}/{id}`, status: 204, audit: 'supervision.stop', summary: 'End a supervision', description: 'The supervisor’s phone is let go, or rings no more. The call that was supervised goes on.',
      params: ofOne, answer: null,
      handle: async ({ params: { account, id } }) => {
        const over = await supervisions.end(account, id);
        if (!over.ok) throw new HttpProblem(503, over.sentence);
        if (!over.ended) throw notFound();
        return { status: 204 };
      },
    }),
  ];
}

function begun(result: BegunSupervision): Supervision {
  if (result.ok) return result.supervision;
  if (result.why === 'wrong') throw new HttpProblem(422, 'The body cannot be accepted.', { problems: [{ path: result.field, message: result.sentence }] });
  throw new HttpProblem(result.why === 'busy' ? 409 : 503, result.sentence);
}
