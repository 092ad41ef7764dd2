/** Routes of the kinds of configuration: list, get, create, replace, patch, delete, all alike. */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { WriteResult } from '../../configuration/configuration.ts';
import { documents, type Kind } from '../../configuration/documents.ts';
import { id as idField } from '../../configuration/fields.ts';
import { nightSwitchId } from '../../configuration/night.ts';
import type { ConfigObject, ObjectKey } from '../../configuration/objects.ts';
import type { ApiKey } from '../../store/ports.ts';
import { newWebhookSchema, objectAnswer, objectSchemas, pageOf, pageQuery, readOnlyFields, withoutSecrets, wordsOf, writtenSchemas } from '../answers.ts';
import type { Keyring } from '../auth.ts';
import { checkIfMatch, etagOf, noneMatch } from '../conditions.ts';
import { mergePatch } from '../merge-patch.ts';
import { pageOfList } from '../pages.ts';
import type { ApiDeps } from '../ports.ts';
import { checked, HttpProblem, notFound, refused } from '../problem.ts';
import { nothing, route, type ApiRequest, type Reply, type Route } from '../route.ts';

/** A kind that admins write as documents. */
export interface Collection {
  readonly kind: Exclude<Kind, 'audio'>;
  /** `users`, in the path. */
  readonly path: string;
  /** Fields that a list can be filtered by; a field that is a list matches when it has the value. */
  readonly filters: readonly string[];
  /** Field that an id is made of, when none is given. */
  readonly namedBy: string;
}

export const collections: readonly Collection[] = [
  { kind: 'account', path: 'accounts', filters: ['name', 'country'], namedBy: 'name' },
  { kind: 'user', path: 'users', filters: ['name', 'email'], namedBy: 'name' },
  { kind: 'device', path: 'devices', filters: ['user', 'extension', 'mobile'], namedBy: 'extension' },
  { kind: 'trunk', path: 'trunks', filters: ['host', 'transport'], namedBy: 'host' },
  { kind: 'number', path: 'numbers', filters: ['e164', 'name', 'users'], namedBy: 'name' },
  { kind: 'receiving-number', path: 'receiving-numbers', filters: ['number', 'label'], namedBy: 'label' },
  { kind: 'ring-group', path: 'ring-groups', filters: ['name', 'pattern'], namedBy: 'name' },
  { kind: 'menu', path: 'menus', filters: ['name'], namedBy: 'name' },
  { kind: 'queue', path: 'queues', filters: ['name', 'strategy'], namedBy: 'name' },
  { kind: 'router', path: 'routers', filters: ['name'], namedBy: 'name' },
  { kind: 'schedule', path: 'schedules', filters: ['name'], namedBy: 'name' },
  { kind: 'night-switch', path: 'night-switches', filters: ['mode'], namedBy: 'mode' },
  { kind: 'webhook', path: 'webhooks', filters: ['name', 'url'], namedBy: 'name' },
];

type Params = Readonly<Record<string, string>>;
const searchQuery = z.string().max(100).optional().meta({ description: 'Words or digits anywhere in its text.' });

export function objectRoutes(deps: Pick<ApiDeps, 'configuration' | 'keys' | 'webhookRefusal'>, collection: Collection, keyring: Keyring): readonly Route[] {
  const { configuration } = deps;
  const { kind, path, filters, namedBy } = collection;
  const isAccount = kind === 'account';
  const all = isAccount ? '/accounts' : `/accounts/{account}/${path}`;
  const one = isAccount ? '/accounts/{account}' : `${all}/{id}`;
  const title = wordsOf(kind).toLowerCase();
  const tag = `${wordsOf(kind)}${title.endsWith('ch') ? 'es' : 's'}`;
  const document: z.ZodObject = documents[kind];
  const paramsOfAll = isAccount ? nothing : z.strictObject({ account: idField });
  const paramsOfOne: z.ZodObject = isAccount ? z.strictObject({ account: idField }) : z.strictObject({ account: idField, id: idField });
  const query = z.strictObject({ ...pageQuery, q: searchQuery, ...Object.fromEntries(filters.map((name) => [name, z.string().max(100).optional()])) });
  const created = document.safeExtend({ id: idField.optional().meta({ description: 'Made from its name when absent. Cannot be changed later.' }) });
  const patch = z.record(z.string(), z.unknown(), 'must be an object');
  const written = { json: writtenSchemas[kind] } as const;

  const keyOf = (params: Params): ObjectKey => ({ kind, account: params['account'] ?? '', id: (isAccount ? params['account'] : params['id']) ?? '' });
  const found = (params: Params): ConfigObject => {
    const object = configuration.get(keyOf(params));
    if (object === undefined) throw notFound();
    return object;
  };
  const answer = (object: ConfigObject): Record<string, unknown> => objectAnswer(object, configuration.get({ account: object.account, kind: 'account', id: object.account }));
  const save = async (request: ApiRequest<unknown, unknown, unknown>, key: ObjectKey, version: number | null, body: unknown): Promise<Exclude<Reply, { send: unknown }>> => {
    checkPrefix(request.key, configuration.get(key), body);
    if (kind === 'webhook') checkUrl(body, deps.webhookRefusal);
    const result = await configuration.write([{ ...key, version, body }], request.key.id);
    const object = writtenObject(result, key);
    const headers = { etag: etagOf(object), ...(version === null ? { location: `/api/v1${isAccount ? '/accounts' : `/accounts/${key.account}/${path}`}/${key.id}` } : {}) };
    return { status: version === null ? 201 : 200, headers, subject: subjectOf(key), body: { ...answer(object), warnings: result.ok ? result.warnings : [] } };
  };
  const freeId = (account: string, wanted: string): string => {
    const stem = wanted.normalize('NFKD').toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 25).replace(/-+$/, '');
    const taken = configuration.list(kind, isAccount ? undefined : account).some(({ id }) => id === stem);
    return stem !== '' && !taken ? stem : [stem, randomBytes(3).toString('hex')].filter((part) => part !== '').join('-');
  };

  return [
    route({
      method: 'get', path: all, tag, summary: `List ${path.replaceAll('-', ' ')}`, role: 'read-only', scope: isAccount ? 'own' : 'account', status: 200,
      params: paramsOfAll, query, answer: { json: pageOf(objectSchemas[kind]) },
      handle: ({ account, query: asked }) => {
        const { limit, cursor, q, ...wanted } = asked as { limit: number; cursor?: string; q?: string } & Record<string, unknown>;
        const items = configuration.list(kind, account ?? undefined).filter((object) => has(object, wanted, q));
        const page = pageOfList(items, ({ id }) => id, { limit, cursor });
        return { status: 200, body: { items: page.items.map(answer), next: page.next } };
      },
    }),
    route({
      method: 'post', path: all, tag, summary: `Create ${indefinite(title)}`, role: isAccount ? 'agency-admin' : 'account-admin', scope: isAccount ? 'agency' : 'account', status: 201,
      params: paramsOfAll, query: nothing, body: created, answer: kind === 'webhook' ? { json: newWebhookSchema } : written, audit: `${kind}.create`,
      ...(kind === 'webhook' ? { secretAnswer: true, description: 'The secret is shown in this answer and never again. Idempotency-Key is not taken: an answer with a secret is not kept.' } as const : {}),
      handle: async (request) => {
        const { id, ...body } = request.body;
        const name = body[namedBy] ?? body['mobile'];
        const chosen = typeof id === 'string' ? id : kind === 'night-switch' ? nightSwitchId : freeId(request.account ?? '', typeof name === 'string' ? name : '');
        const key = { kind, account: isAccount ? chosen : (request.account ?? ''), id: chosen } as const;
        const reply = await save(request, key, null, body);
        return kind === 'webhook' ? withSecret(reply, configuration.get({ ...key, kind })) : reply;
      },
    }),
    route({
      method: 'get', path: one, tag, summary: `Get ${indefinite(title)}`, role: 'read-only', scope: 'account', status: 200,
      params: paramsOfOne, query: nothing, answer: { json: objectSchemas[kind] },
      handle: ({ params, header }) => {
        const object = found(params as Params);
        const headers = { etag: etagOf(object) };
        return noneMatch(header('if-none-match'), headers.etag) ? { status: 304, headers } : { status: 200, headers, body: answer(object) };
      },
    }),
    route({
      method: 'put', path: one, tag, summary: `Replace ${indefinite(title)}`, role: 'account-admin', scope: 'account', status: 200, ifMatch: true,
      ...('password' in document.shape ? { description: 'Without a password, the one that is there stays.' } : 'secret' in document.shape ? { description: 'Without a secret, the one that is there stays.' } : 'pin' in document.shape ? { description: 'Without a PIN, the one that is there stays.' } : {}),
      params: paramsOfOne, query: nothing, body: document, readOnly: readOnlyFields, answer: written, audit: `${kind}.update`,
      handle: (request) => {
        const object = found(request.params as Params);
        checkIfMatch(request.header('if-match'), object);
        return save(request, keyOf(request.params as Params), object.version, request.body);
      },
    }),
    route({
      method: 'patch', path: one, tag, summary: `Change fields of ${indefinite(title)}`, role: 'account-admin', scope: 'account', status: 200, ifMatch: true,
      description: 'JSON merge patch, RFC 7396: null takes a field out.',
      params: paramsOfOne, query: nothing, body: patch, documented: partial(document), readOnly: readOnlyFields, answer: written, audit: `${kind}.update`,
      handle: (request) => {
        const object = found(request.params as Params);
        checkIfMatch(request.header('if-match'), object);
        const body = checked(document, mergePatch(object.body, request.body), 422, 'body');
        return save(request, keyOf(request.params as Params), object.version, body);
      },
    }),
    route({
      method: 'delete', path: one, tag, summary: `Delete ${indefinite(title)}`, role: isAccount ? 'agency-admin' : 'account-admin', scope: 'account', status: 204, ifMatch: true,
      params: paramsOfOne, query: nothing, answer: null, audit: `${kind}.delete`,
      handle: async (request) => {
        const object = found(request.params as Params);
        checkIfMatch(request.header('if-match'), object);
        const result = await configuration.write([{ ...keyOf(request.params as Params), version: object.version, body: null }], request.key.id);
        if (!result.ok) throw refused(result);
        if (isAccount) await removeKeysOf(object.id, deps.keys, keyring);
        return { status: 204 };
      },
    }),
  ];
}

/** Prefixes are the agency's: the refusal of one that is taken tells of another account. */
export function checkPrefix({ account }: ApiKey, before: ConfigObject | undefined, body: unknown): void {
  if (account === null || before?.kind !== 'account' || typeof body !== 'object' || body === null) return;
  if ('sipPrefix' in body && body.sipPrefix !== before.body.sipPrefix) throw new HttpProblem(403, 'The SIP prefix of an account is set by agency admins.');
}

function checkUrl(body: unknown, refusal: ApiDeps['webhookRefusal']): void {
  const url = typeof body === 'object' && body !== null && 'url' in body && typeof body.url === 'string' ? URL.parse(body.url) : null;
  const why = url === null ? null : refusal(url);
  if (why !== null) throw new HttpProblem(422, 'The body cannot be accepted.', { problems: [{ path: 'url', message: why }] });
}

function withSecret(reply: Exclude<Reply, { send: unknown }>, object: ConfigObject<'webhook'> | undefined): Reply {
  return { ...reply, body: { ...(reply.body as object), secret: object?.body.secret } };
}

/** So that they do not open a later account of the same id. */
async function removeKeysOf(account: string, keys: ApiDeps['keys'], keyring: Keyring): Promise<void> {
  const own = (await keys.list()).filter((key) => key.account === account).map(({ id }) => id);
  for (const id of own) await keys.remove(id);
  await keyring.removed(own);
}

export function writtenObject(result: WriteResult, key: ObjectKey): ConfigObject {
  if (!result.ok) throw refused(result);
  const object = result.objects.find(({ account, kind, id }) => account === key.account && kind === key.kind && id === key.id);
  if (object === undefined) throw new HttpProblem(412, 'It has been changed by somebody else since.');
  return object;
}

export function subjectOf({ account, kind, id }: ObjectKey): string {
  return `${account}/${kind}/${id}`;
}

function has(object: ConfigObject, wanted: Readonly<Record<string, unknown>>, q: string | undefined): boolean {
  const fields = withoutSecrets(object.body);
  const matches = Object.entries(wanted).every(([name, value]) => {
    const field = fields[name];
    return value === undefined || (Array.isArray(field) ? field.includes(value) : field === value);
  });
  if (!matches || q === undefined) return matches;
  return [object.id, ...Object.values(fields)].some((field) => typeof field === 'string' && field.toLowerCase().includes(q.toLowerCase()));
}

/** Of a patch, for the document: every field may be absent, or null. */
export function partial(document: z.ZodObject): z.ZodObject {
  return z.strictObject(Object.fromEntries(Object.entries(document.shape).map(([name, field]) => [name, z.union([field as z.ZodType, z.null()]).optional()])));
}

function indefinite(title: string): string {
  return `${/^[aeio]/.test(title) ? 'an' : 'a'} ${title}`;
}
