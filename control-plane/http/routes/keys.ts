/** API keys, and the passwords of phones: what opens doors. */
import { z } from 'zod';
import { id as idField, words } from '../../configuration/fields.ts';
import { prefixOf } from '../../configuration/sip-prefix.ts';
import { sipName } from '../../core/routing/sip-name.ts';
import type { ApiKey } from '../../store/ports.ts';
import { accountQuery, keySchema, newKeySchema, pageOf, pageQuery, roles, timeQuery } from '../answers.ts';
import { newKey, type Keyring } from '../auth.ts';
import { pageOfList } from '../pages.ts';
import type { ApiDeps } from '../ports.ts';
import { HttpProblem, notFound } from '../problem.ts';
import { mayDo, nothing, route, type Route } from '../route.ts';

export function keyRoutes({ keys, configuration, now }: Pick<ApiDeps, 'keys' | 'configuration' | 'now'>, keyring: Keyring): readonly Route[] {
  const tag = 'API keys';
  const ofKey = z.strictObject({ id: z.string().regex(/^[0-9a-f]{12}$/, 'is not the id of a key') });
  const newKeyBody = z.strictObject({
    name: words(60),
    role: z.enum(roles, `must be one of: ${roles.join(', ')}`),
    account: idField.optional().meta({ description: 'Absent for the whole agency.' }),
    expiresAt: timeQuery,
  });
  const mine = async (account: string | null): Promise<readonly ApiKey[]> => (await keys.list()).filter((key) => account === null || key.account === account);
  return [
    route({
      method: 'get', path: '/api-keys', tag, summary: 'List keys', role: 'account-admin', scope: 'own', status: 200, audit: 'key.list',
      params: nothing, query: z.strictObject({ ...pageQuery, account: accountQuery }), answer: { json: pageOf(keySchema) },
      handle: async ({ account, query }) => {
        const { items, next } = pageOfList(await mine(account), ({ id }) => id, query);
        return { status: 200, body: { items: items.map(withoutHash), next } };
      },
    }),
    route({
      method: 'post', path: '/api-keys', tag, summary: 'Create a key', description: 'The secret is shown in this answer and never again. Idempotency-Key is not taken: an answer with a secret is not kept.', role: 'account-admin', scope: 'own', status: 201, secretAnswer: true,
      params: nothing, query: nothing, body: newKeyBody, answer: { json: newKeySchema }, audit: 'key.create',
      handle: async ({ key: actor, body }) => {
        const account = body.account ?? actor.account;
        if ((actor.account !== null && account !== actor.account) || (account !== null && !hasAccount(configuration, account))) throw new HttpProblem(422, 'The body cannot be accepted.', { problems: [{ path: 'account', message: `there is no account “${account}”.` }] });
        if (!mayDo(actor, body.role)) throw new HttpProblem(403, 'A key cannot make one that may do more than itself.');
        if ((body.role === 'agency-admin') !== (account === null) && body.role !== 'read-only') throw new HttpProblem(422, 'The body cannot be accepted.', { problems: [{ path: 'account', message: account === null ? `is missing: ${body.role === 'supervisor' ? 'a supervisor' : 'an account-admin'} is of one account. Add it.` : 'an agency-admin is of no account. Leave it out.' }] });
        if (body.expiresAt !== undefined && body.expiresAt <= now()) throw new HttpProblem(422, 'The body cannot be accepted.', { problems: [{ path: 'expiresAt', message: 'is in the past.' }] });
        const made = newKey({ name: body.name, role: body.role, account, expiresAt: body.expiresAt ?? null }, now());
        await keys.add(made.key);
        await keyring.added(made.key);
        return { status: 201, headers: { location: `/api/v1/api-keys/${made.key.id}` }, subject: `key/${made.key.id}`, body: { ...withoutHash(made.key), secret: made.secret } };
      },
    }),
    route({
      method: 'get', path: '/api-keys/{id}', tag, summary: 'Get a key', role: 'account-admin', scope: 'own', status: 200, audit: 'key.read',
      params: ofKey, query: nothing, answer: { json: keySchema },
      handle: async ({ account, params }) => {
        const key = (await mine(account)).find(({ id }) => id === params.id);
        if (key === undefined) throw notFound();
        return { status: 200, body: withoutHash(key) };
      },
    }),
    route({
      method: 'delete', path: '/api-keys/{id}', tag, summary: 'Delete a key', description: 'It stops working at once; on other controllers within seconds.', role: 'account-admin', scope: 'own', status: 204,
      params: ofKey, query: nothing, answer: null, audit: 'key.delete',
      handle: async ({ account, params }) => {
        const list = await mine(account);
        const key = list.find(({ id }) => id === params.id);
        if (key === undefined) throw notFound();
        const lasting = list.filter((other) => other.role === 'agency-admin' && other.expiresAt === null && other.id !== key.id);
        if (key.role === 'agency-admin' && lasting.length === 0) throw new HttpProblem(409, 'It is the last key of an agency admin that does not expire: create another first.');
        if (!(await keys.remove(key.id))) throw notFound();
        await keyring.removed([key.id]);
        return { status: 204 };
      },
    }),
    route({
      method: 'get', path: '/accounts/{account}/devices/{id}/credentials', tag: 'Devices', summary: 'Get what a phone registers with', role: 'account-admin', scope: 'account', status: 200, audit: 'device.credentials',
      params: z.strictObject({ account: idField, id: idField }), query: nothing, answer: { json: z.strictObject({ username: z.string(), password: z.string() }).meta({ id: 'Credentials' }) },
      handle: ({ params }) => {
        const device = configuration.get({ account: params.account, kind: 'device', id: params.id });
        const { extension, password } = device?.body ?? {};
        if (extension === undefined || password === undefined) throw notFound();
        const { account } = params;
        return { status: 200, body: { username: sipName(prefixOf(configuration.get({ account, kind: 'account', id: account })), extension), password } };
      },
    }),
  ];
}

function hasAccount(configuration: ApiDeps['configuration'], id: string): boolean {
  return configuration.get({ account: id, kind: 'account', id }) !== undefined;
}

function withoutHash({ id, name, role, account, createdAt, lastUsedAt, expiresAt }: ApiKey): z.output<typeof keySchema> {
  return { id, name, role, account, createdAt, lastUsedAt, expiresAt };
}
