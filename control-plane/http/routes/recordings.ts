/** Recordings of calls and voicemails, two collections alike. Every access is in the audit log before it is answered. */
import { z } from 'zod';
import { id as idField } from '../../configuration/fields.ts';
import { pageOf, pageQuery, recordingSchema, timeQuery } from '../answers.ts';
import { given, pageFrom } from '../pages.ts';
import type { ApiDeps, Recording } from '../ports.ts';
import { notFound } from '../problem.ts';
import { nothing, route, type Route } from '../route.ts';
import { sendAudio } from '../send-audio.ts';

export function recordingRoutes({ recordings }: Pick<ApiDeps, 'recordings'>, kind: Recording['kind']): readonly Route[] {
  const tag = kind === 'recording' ? 'Recordings' : 'Voicemails';
  const all = `/accounts/{account}/${kind}s`;
  const ofAccount = z.strictObject({ account: idField });
  const ofOne = z.strictObject({ account: idField, id: callOrRecordingId });
  const common = { tag, role: 'read-only', scope: 'account', audit: `${kind}.read` } as const;
  return [
    route({
      ...common, audit: `${kind}.list`, method: 'get', path: all, summary: `List ${kind}s`, status: 200,
      params: ofAccount, query: z.strictObject({ ...pageQuery, call: callOrRecordingId.optional(), number: z.string().max(20).optional(), from: timeQuery, to: timeQuery }),
      answer: { json: pageOf(recordingSchema) },
      handle: async ({ params, query }) => {
        const { call: callId, number, from, to } = query;
        return { status: 200, body: await recordings.list({ account: params.account, kind, ...given({ callId, number, from, to }) }, pageFrom(query)) };
      },
    }),
    route({
      ...common, method: 'get', path: `${all}/{id}`, summary: `Get a ${kind}`, status: 200,
      params: ofOne, query: nothing, answer: { json: recordingSchema },
      handle: async ({ params }) => {
        const one = await recordings.get(params.account, kind, params.id);
        if (one === null) throw notFound();
        return { status: 200, body: one };
      },
    }),
    route({
      ...common, audit: `${kind}.listen`, method: 'get', path: `${all}/{id}/content`, summary: `Listen to a ${kind}`, description: 'Range requests are answered.', status: 200,
      params: ofOne, query: nothing, answer: { types: ['audio/wav'] },
      handle: async ({ params }) => {
        const audio = await recordings.open(params.account, kind, params.id);
        if (audio === null) throw notFound();
        return { send: (request, response) => sendAudio(request, response, audio, null) };
      },
    }),
    route({
      ...common, role: 'account-admin', audit: `${kind}.delete`, method: 'delete', path: `${all}/{id}`, summary: `Delete a ${kind}`, status: 204,
      params: ofOne, query: nothing, answer: null,
      handle: async ({ params }) => {
        if (!(await recordings.remove(params.account, kind, params.id))) throw notFound();
        return { status: 204 };
      },
    }),
  ];
}

/** As the switch and the core make them. */
export const callOrRecordingId = z.string().regex(/^[A-Za-z0-9.-]{1,100}$/, 'is not an id of a call or recording');
