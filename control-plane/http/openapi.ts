/** The OpenAPI 3.1 document, made from the table of routes and the very schemas that requests are checked with. */
import { STATUS_CODES } from 'node:http';
import { z } from 'zod';
import { createDocument, type ZodOpenApiOperationObject, type ZodOpenApiPathsObject } from 'zod-openapi';
import { eventSchemas } from '../events/catalogue.ts';
import { eventTypes, type EventType } from '../events/types.ts';
import { problemSchema, problemType } from './problem.ts';
import { isMutating, type Route } from './route.ts';
import { webhookTag } from './routes/webhooks.ts';

export type OpenApi = ReturnType<typeof createDocument>;

const description = `Everything an admin does with Frontdesk. JSON in UTF-8; times are epoch milliseconds, numbers E.164.

Send a key with each request: \`Authorization: Bearer fd_…\`. The first is printed at the first start. A key is an agency admin's, or of one account: an admin's, a supervisor's, who may also hear calls, or read-only. What belongs to another account is not there: 404.

Objects have a version, given as ETag. PUT, PATCH and DELETE of an object take it as If-Match: 428 without, 412 when somebody was faster. A POST may carry an Idempotency-Key: sent again within a day, it is answered the same and done once.

Errors are problem details (RFC 9457), with every field that is wrong.`;

export function openApiDocument(routes: readonly Route[]): OpenApi {
  const paths: Record<string, ZodOpenApiPathsObject[string]> = {};
  for (const route of routes) paths[`/api/v1${route.path}`] = { ...paths[`/api/v1${route.path}`], [route.method]: operationOf(route) };
  return createDocument({
    openapi: '3.1.0',
    info: { title: 'Frontdesk API', version: '1', description, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    servers: [{ url: '/' }],
    security: [{ key: [] }],
    tags: [...new Set(routes.map(({ tag }) => tag))].map((name) => ({ name })),
    components: { securitySchemes: { key: { type: 'http', scheme: 'bearer', description: 'fd_<id>_<secret>' } } },
    paths,
    webhooks: Object.fromEntries(eventTypes.map((type) => [type, webhookOf(type)])),
  });
}

/** What a webhook is sent. */
function webhookOf(type: EventType): ZodOpenApiPathsObject[string] {
  return {
    post: {
      operationId: `webhook-${type}`, summary: type, tags: [webhookTag], security: [],
      description: 'Sent to the webhooks of the account that ask for it, signed as Standard Webhooks has it, at least once and in order. Answer with 2xx within 10 s.',
      requestParams: { header: z.object({ 'webhook-id': z.string().meta({ description: 'The same in each attempt.' }), 'webhook-timestamp': z.string().meta({ description: 'Seconds.' }), 'webhook-signature': z.string().meta({ example: 'v1,…' }) }) },
      requestBody: { required: true, content: { 'application/json': { schema: eventSchemas[type] } } },
      responses: { '204': { description: 'Taken.' }, '410': { description: 'No more is wanted: the webhook is disabled.' } },
    },
  };
}

function operationOf(route: Route): ZodOpenApiOperationObject {
  const header = headersOf(route);
  return {
    operationId: operationId(route),
    summary: route.summary,
    description: [route.description, `Role: ${route.role} or higher${route.scope === 'agency' ? ', of the agency' : ''}.`].filter((part) => part !== undefined).join('\n\n'),
    tags: [route.tag],
    requestParams: {
      ...(Object.keys(route.params.shape).length > 0 ? { path: route.params } : {}),
      ...(Object.keys(route.query.shape).length > 0 ? { query: route.query } : {}),
      ...(header === null ? {} : { header }),
    },
    ...requestBodyOf(route),
    responses: {
      [String(route.status)]: { description: STATUS_CODES[route.status] ?? 'OK', ...answerOf(route) },
      ...Object.fromEntries(refusalsOf(route).map((status) => [status, { description: STATUS_CODES[status] ?? 'Error', content: { [problemType]: { schema: problemSchema } } }])),
    },
  };
}

function requestBodyOf(route: Route): Pick<ZodOpenApiOperationObject, 'requestBody'> {
  if (route.raw !== null) return { requestBody: { required: true, content: Object.fromEntries(route.raw.types.map((type) => [type, { schema: { type: 'string', format: 'binary' } }])) } };
  const schema = route.documented ?? route.body;
  if (schema === null) return {};
  return { requestBody: { required: true, content: { [route.method === 'patch' ? 'application/merge-patch+json' : 'application/json']: { schema } } } };
}

function answerOf({ answer }: Route): { content?: Record<string, { schema: z.ZodType | { type: 'string' } }> } {
  if (answer === null) return {};
  if ('json' in answer) return { content: { 'application/json': { schema: answer.json } } };
  return { content: Object.fromEntries(answer.types.map((type) => [type, { schema: answer.schema ?? { type: 'string' as const } }])) };
}

function headersOf(route: Route): z.ZodObject | null {
  if (route.ifMatch === true) return z.object({ 'If-Match': z.string().meta({ description: 'The ETag of what you have seen.', example: '"1"' }) });
  if (route.method === 'post' && route.secretAnswer !== true) return z.object({ 'Idempotency-Key': z.string().max(200).optional().meta({ description: 'Sent again, the request is answered the same and done once.' }) });
  return null;
}

function refusalsOf(route: Route): readonly number[] {
  const withBody = route.body !== null || route.raw !== null;
  const refusals: readonly (readonly [number, boolean])[] = [
    [400, true], [401, true], [403, isMutating(route) || route.role !== 'read-only'], [404, true], [409, isMutating(route)], [412, route.ifMatch === true], [413, withBody], [415, withBody],
    [416, route.path.endsWith('/content')], [422, isMutating(route)], [428, route.ifMatch === true], [429, true], [500, true], [503, true],
  ];
  return refusals.filter(([, may]) => may).map(([status]) => status);
}

/** `getAccountsByAccountUsers`: the method and the words of the path. */
function operationId({ method, path }: Route): string {
  const words = path.split(/[/-]/).map((part) => part.replace(/^\{(\w+)\}$/, 'by-$1')).join('-');
  return `${method}${words.split('-').filter((word) => word !== '').map((word) => `${word[0]?.toUpperCase()}${word.slice(1)}`).join('')}`;
}
