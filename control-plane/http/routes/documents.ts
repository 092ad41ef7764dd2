/** Whole configurations at once: what `frontdesk import`, `export`, `backup` and `restore` use. */
import { z } from 'zod';
import { withMade } from '../../configuration/completed.ts';
import { kinds } from '../../configuration/documents.ts';
import { keyText, type ConfigObject } from '../../configuration/objects.ts';
import type { Draft } from '../../configuration/configuration.ts';
import { id as idField } from '../../configuration/fields.ts';
import type { Cdr } from '../../core/cdr/cdr.ts';
import { accountQuery, callSchema } from '../answers.ts';
import type { ApiDeps } from '../ports.ts';
import { refused } from '../problem.ts';
import { nothing, route, type Route } from '../route.ts';

const documentSchema = z.strictObject({
  account: idField,
  kind: z.enum(kinds, `must be one of: ${kinds.join(', ')}`),
  id: idField,
  body: z.record(z.string(), z.unknown()).meta({ description: 'As the object’s own route takes it; passwords and PINs too.' }),
});
const mostDocuments = 200_000;

export function documentRoutes({ configuration, cdrs }: Pick<ApiDeps, 'configuration' | 'cdrs'>): readonly Route[] {
  const tag = 'Whole configurations';
  return [
    route({
      method: 'get', path: '/documents', tag, summary: 'Export a configuration', description: 'Every object, with the passwords of phones and trunks, the PINs of users and the secrets of webhooks. Contacts are exported on their own.', role: 'account-admin', scope: 'own', status: 200,
      params: nothing, query: z.strictObject({ account: accountQuery }), audit: 'documents.read',
      answer: { json: z.strictObject({ revision: z.int(), documents: z.array(documentSchema) }) },
      handle: ({ account }) => {
        const { revision, objects } = configuration.current();
        const documents = [...objects.values()].filter((object) => account === null || object.account === account).toSorted((a, b) => (keyText(a) < keyText(b) ? -1 : 1));
        return { status: 200, body: { revision, documents: documents.map(({ account: of, kind, id, body }) => ({ account: of, kind, id, body })) } };
      },
    }),
    route({
      method: 'post', path: '/documents', tag, summary: 'Import a configuration', role: 'agency-admin', scope: 'agency', status: 200,
      description: 'Creates what is missing, replaces what differs, leaves all else: in one change, or not at all. With `replace`, what the accounts named here have beside it is deleted. Upload audio files first.',
      params: nothing, query: nothing, audit: 'documents.write', jsonMaxBytes: 64 * 1_048_576,
      body: z.strictObject({ documents: z.array(documentSchema, 'must be a list').max(mostDocuments), replace: z.boolean('must be true or false').default(false) }),
      answer: { json: z.strictObject({ revision: z.int(), created: z.int(), replaced: z.int(), deleted: z.int(), unchanged: z.int(), warnings: z.array(z.string()) }) },
      handle: async ({ key, body }) => {
        const { objects, revision } = configuration.current();
        const drafts: Draft[] = [];
        const wanted = new Set(body.documents.map(keyText));
        for (const { account, kind, id, body: document } of body.documents) {
          const there = objects.get(keyText({ account, kind, id }));
          if (there === undefined || !same(there, document)) drafts.push({ account, kind, id, version: there?.version ?? null, body: document });
        }
        const accounts = new Set(body.replace ? body.documents.map(({ account }) => account) : []);
        const surplus = [...objects.values()].filter((object) => accounts.has(object.account) && !wanted.has(keyText(object)));
        for (const { account, kind, id, version } of surplus) drafts.push({ account, kind, id, version, body: null });
        const counts = {
          created: drafts.filter(({ version }) => version === null).length,
          replaced: drafts.filter(({ version, body: document }) => version !== null && document !== null).length,
          deleted: surplus.length,
          unchanged: body.documents.length - drafts.length + surplus.length,
        };
        if (drafts.length === 0) return { status: 200, body: { revision, ...counts, warnings: [] } };
        const result = await configuration.write(drafts, key.id);
        if (!result.ok) throw refused(result);
        return { status: 200, body: { revision: result.revision, ...counts, warnings: result.warnings } };
      },
    }),
    route({
      method: 'post', path: '/call-records', tag, summary: 'Bring back records of calls', description: 'From a backup. Records that are there already stay as they are.', role: 'agency-admin', scope: 'agency', status: 204,
      params: nothing, query: nothing, audit: 'calls.write', jsonMaxBytes: 16 * 1_048_576,
      body: z.strictObject({ calls: z.array(callSchema, 'must be a list').max(1000) }), answer: null,
      handle: async ({ body }) => {
        await cdrs.add(body.calls as unknown as readonly Cdr[]);
        return { status: 204 };
      },
    }),
  ];
}

/** What was left out of the document and was made here does not make it another. */
function same(there: ConfigObject, document: Readonly<Record<string, unknown>>): boolean {
  return sorted(withMade(document, there.body)) === sorted(there.body);
}

function sorted(value: unknown): string {
  return JSON.stringify(value, (_, one: unknown) => (typeof one === 'object' && one !== null && !Array.isArray(one) ? Object.fromEntries(Object.entries(one).toSorted(([a], [b]) => (a < b ? -1 : 1))) : one));
}
