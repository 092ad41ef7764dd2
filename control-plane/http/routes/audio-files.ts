/** Uploaded audio: prompts, greetings and whispers. The file's bytes are kept by their hash; its object is configuration. */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { id as idField, words } from '../../configuration/fields.ts';
import type { ConfigObject, ObjectKey } from '../../configuration/objects.ts';
import { objectAnswer, objectSchemas, pageOf, pageQuery, writtenSchemas } from '../answers.ts';
import { checkIfMatch, etagOf, noneMatch } from '../conditions.ts';
import { pageOfList } from '../pages.ts';
import type { ApiDeps } from '../ports.ts';
import { HttpProblem, notFound, refused } from '../problem.ts';
import { nothing, route, type Route } from '../route.ts';
import { sendAudio } from '../send-audio.ts';
import { subjectOf, writtenObject } from './objects.ts';

const tag = 'Audio files';
const largestBytes = 20 * 1_048_576;
export const audioTypes = ['audio/mpeg', 'audio/wav'] as const;

export function audioFileRoutes({ configuration, audioFiles }: Pick<ApiDeps, 'configuration' | 'audioFiles'>): readonly Route[] {
  const all = '/accounts/{account}/audio-files';
  const ofAccount = z.strictObject({ account: idField });
  const ofOne = z.strictObject({ account: idField, id: idField });
  const keyOf = ({ account, id }: z.output<typeof ofOne>): ObjectKey<'audio'> => ({ account, kind: 'audio', id });
  const found = (params: z.output<typeof ofOne>): ConfigObject<'audio'> => {
    const object = configuration.get(keyOf(params));
    if (object === undefined) throw notFound();
    return object;
  };
  return [
    route({
      method: 'get', path: all, tag, summary: 'List audio files', role: 'read-only', scope: 'account', status: 200,
      params: ofAccount, query: z.strictObject(pageQuery), answer: { json: pageOf(objectSchemas.audio) },
      handle: ({ params, query }) => {
        const { items, next } = pageOfList(configuration.list('audio', params.account), ({ id }) => id, query);
        return { status: 200, body: { items: items.map((item) => objectAnswer(item)), next } };
      },
    }),
    route({
      method: 'post', path: all, tag, summary: 'Upload an audio file', description: 'MP3 or WAV as the body, at most 20 MB. It is converted to what phones hear.', role: 'account-admin', scope: 'account', status: 201,
      params: ofAccount, query: z.strictObject({ name: words(60), id: idField.optional() }), raw: { types: audioTypes, maxBytes: largestBytes },
      answer: { json: writtenSchemas.audio }, audit: 'audio.create',
      handle: async ({ params, query, body, key }) => {
        const object = { account: params.account, kind: 'audio', id: query.id ?? `audio-${randomBytes(4).toString('hex')}` } as const;
        if (configuration.get(object) !== undefined) throw new HttpProblem(409, 'The id is taken: choose another.');
        const upload = await audioFiles.upload(params.account, query.name, body as unknown as Uint8Array);
        if (!upload.ok) throw new HttpProblem(422, upload.message);
        const { durationMs, sha256 } = upload;
        const result = await configuration.write([{ ...object, version: null, body: { name: query.name, durationMs, sha256 } }], key.id);
        const written = writtenObject(result, object);
        return {
          status: 201, headers: { etag: etagOf(written), location: `/api/v1/accounts/${params.account}/audio-files/${object.id}` }, subject: subjectOf(object),
          body: { ...objectAnswer(written), warnings: result.ok ? result.warnings : [] },
        };
      },
    }),
    route({
      method: 'get', path: `${all}/{id}`, tag, summary: 'Get an audio file', role: 'read-only', scope: 'account', status: 200,
      params: ofOne, query: nothing, answer: { json: objectSchemas.audio },
      handle: ({ params, header }) => {
        const object = found(params);
        const headers = { etag: etagOf(object) };
        return noneMatch(header('if-none-match'), headers.etag) ? { status: 304, headers } : { status: 200, headers, body: objectAnswer(object) };
      },
    }),
    route({
      method: 'get', path: `${all}/{id}/content`, tag, summary: 'Listen to an audio file', description: 'Range requests are answered.', role: 'read-only', scope: 'account', status: 200,
      params: ofOne, query: nothing, answer: { types: audioTypes },
      handle: async ({ params }) => {
        const { sha256 } = found(params).body;
        const audio = await audioFiles.open(params.account, sha256);
        if (audio === null) throw notFound();
        return { send: (request, response) => sendAudio(request, response, audio, `"${sha256}"`) };
      },
    }),
    route({
      method: 'delete', path: `${all}/{id}`, tag, summary: 'Delete an audio file', description: 'Its content goes with it: this cannot be undone.', role: 'account-admin', scope: 'account', status: 204, ifMatch: true,
      params: ofOne, query: nothing, answer: null, audit: 'audio.delete',
      handle: async ({ params, header, key }) => {
        const object = found(params);
        checkIfMatch(header('if-match'), object);
        const result = await configuration.write([{ ...keyOf(params), version: object.version, body: null }], key.id);
        if (!result.ok) throw refused(result);
        const { sha256 } = object.body;
        if (!configuration.list('audio', params.account).some(({ body }) => body.sha256 === sha256)) await audioFiles.remove(params.account, sha256);
        return { status: 204 };
      },
    }),
  ];
}
