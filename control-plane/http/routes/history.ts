/** Who changed what, and taking a change back; the audit log. */
import { z } from 'zod';
import { kinds } from '../../configuration/documents.ts';
import type { Change } from '../../configuration/objects.ts';
import { accountQuery, auditSchema, changeAnswer, changeSchema, pageOf, pageQuery } from '../answers.ts';
import { etagOf } from '../conditions.ts';
import { given, pageFrom } from '../pages.ts';
import type { ApiDeps } from '../ports.ts';
import { HttpProblem, notFound, refused } from '../problem.ts';
import { nothing, route, type Route } from '../route.ts';
import { checkPrefix, subjectOf } from './objects.ts';

const seqParam = z.string().regex(/^\d{1,15}$/, 'is not the number of a change');

export function historyRoutes({ configuration, changes, audit }: Pick<ApiDeps, 'configuration' | 'changes' | 'audit'>): readonly Route[] {
  const tag = 'History';
  const one = async (seq: string, account: string | null): Promise<Change> => {
    const { items: [change] } = await changes({ seq: Number(seq), ...given({ account: account ?? undefined }) }, { limit: 1 });
    if (change === undefined || (account !== null && change.account !== account)) throw notFound();
    return change;
  };
  return [
    route({
      method: 'get', path: '/changes', tag, summary: 'List changes', description: 'Newest first; of one object with `account`, `kind` and `id`.', role: 'read-only', scope: 'own', status: 200,
      params: nothing, query: z.strictObject({ ...pageQuery, account: accountQuery, kind: z.enum(kinds).optional(), id: z.string().max(32).optional() }), answer: { json: pageOf(changeSchema) },
      handle: async ({ account, query }) => {
        const page = await changes(given({ account: account ?? undefined, kind: query.kind, id: query.id }), pageFrom(query));
        return { status: 200, body: { items: page.items.map(changeAnswer), next: page.next } };
      },
    }),
    route({
      method: 'get', path: '/changes/{seq}', tag, summary: 'Get a change', role: 'read-only', scope: 'own', status: 200,
      params: z.strictObject({ seq: seqParam }), query: nothing, answer: { json: changeSchema },
      handle: async ({ account, params }) => ({ status: 200, body: changeAnswer(await one(params.seq, account)) }),
    }),
    route({
      method: 'post', path: '/changes/{seq}/undo', tag, summary: 'Take a change back', description: 'Only while the object is as the change left it. This is a change itself, and can be taken back.', role: 'account-admin', scope: 'own', status: 200,
      params: z.strictObject({ seq: seqParam }), query: nothing, answer: { json: changeSchema }, audit: 'change.undo',
      handle: async ({ account, params, key }) => {
        const change = await one(params.seq, account);
        const { kind, id, before, after } = change;
        if (!(kinds as readonly string[]).includes(kind)) throw new HttpProblem(409, 'It is of a contact. Contacts have no history any more: write this one as it was.');
        const object = { account: change.account, kind, id };
        if (kind === 'account' && account !== null && (before === null || after === null)) throw new HttpProblem(403, 'Accounts are created and deleted by agency admins.');
        if (kind === 'audio' && after === null) throw new HttpProblem(409, 'The content of a deleted audio file is gone: upload it again.');
        const latest = await changes(object, { limit: 1 });
        if (latest.items[0]?.seq !== change.seq) throw new HttpProblem(409, 'It has been changed again since: take the later changes back first, newest first.');
        const current = configuration.get(object);
        checkPrefix(key, current, before);
        const result = await configuration.write([{ ...object, version: current?.version ?? null, body: before }], key.id, change.seq);
        if (!result.ok) throw refused(result);
        const made = result.changes.find((other) => other.undoes === change.seq) ?? result.changes[0];
        if (made === undefined) throw new HttpProblem(409, 'There was nothing to take back.');
        const now = configuration.get(object);
        return { status: 200, headers: now === undefined ? {} : { etag: etagOf(now) }, subject: subjectOf(object), body: changeAnswer(made) };
      },
    }),
    route({
      method: 'get', path: '/audit-log', tag, summary: 'List who did what', description: 'Every change and every access to recordings, voicemails, credentials and keys. Newest first.', role: 'account-admin', scope: 'own', status: 200,
      params: nothing, query: z.strictObject({ ...pageQuery, account: accountQuery, action: z.string().max(60).optional(), subject: z.string().max(200).optional() }), answer: { json: pageOf(auditSchema) },
      handle: async ({ account, query }) => ({ status: 200, body: await audit.list(given({ account: account ?? undefined, action: query.action, subject: query.subject }), pageFrom(query)) }),
    }),
  ];
}
