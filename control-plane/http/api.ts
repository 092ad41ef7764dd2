/**
 * API v1: every request is authenticated, held to its limits, matched with the table of routes, checked, handled and
 * written to the audit log, in this order. Errors are problem details (problem.ts).
 */
import type { RequestListener } from 'node:http';
import express, { type NextFunction, type Request, type RequestHandler, type Response } from 'express';
import { ipKeyGenerator, rateLimit } from 'express-rate-limit';
import type { ApiKey, AuditEntry } from '../store/ports.ts';
import { createKeyring, type Keyring } from './auth.ts';
import { bodyOf, readBody } from './body.ts';
import { docsPage, docsPolicy } from './docs-page.ts';
import { createAccountEvents } from './account-events.ts';
import { createEventStreams } from './events.ts';
import { explainPage, explainPolicy } from './explain-page.ts';
import { onceFor, type Answer } from './idempotency.ts';
import { openApiDocument, type OpenApi } from './openapi.ts';
import { defaultLimits, type ApiDeps } from './ports.ts';
import { answerErrors, checked, HttpProblem, notFound, problemFor } from './problem.ts';
import { isMutating, mayDo, type ApiRequest, type Reply, type Route } from './route.ts';
import { apiRoutes } from './routes.ts';
import { createStreams } from './streams.ts';

export interface Api {
  readonly listener: RequestListener;
  readonly routes: readonly Route[];
  readonly document: OpenApi;
  /** Of each event stream that is open, the bytes that its client has not taken. */
  unread(): readonly number[];
  /** Ends the event streams that are open, so that their clients go on elsewhere. */
  endStreams(): void;
  close(): void;
}

const securityHeaders = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

export function createApi(deps: ApiDeps): Api {
  const { log, now } = deps;
  const limits = { ...defaultLimits, ...deps.limits };
  const keyring = createKeyring({ keys: deps.keys, now, cacheMs: limits.keyCacheMs, copyFile: deps.keysCopy, log });
  const streams = createStreams({ keyring, limits });
  const live = createEventStreams({ calls: deps.calls, registrations: deps.registrations, streams, limits, now });
  const accountEvents = createAccountEvents({ feed: deps.events, streams, limits, onDropped: deps.onFollowerDropped, log });
  const routes = apiRoutes(deps, keyring, { streams, live, accountEvents });
  const document = openApiDocument(routes);
  const documentText = JSON.stringify(document);
  const page = docsPage(document);

  const app = express();
  app.disable('x-powered-by').disable('etag').set('query parser', 'simple');
  app.use((_request, response, next) => {
    response.set(securityHeaders);
    next();
  });
  app.get('/api/v1/openapi.json', (_request, response) => { response.type('application/json').send(Buffer.from(documentText)); });
  app.get('/api/docs', (_request, response) => { response.set('content-security-policy', docsPolicy).type('html').send(Buffer.from(page)); });
  app.get('/api/explain', (_request, response) => { response.set('content-security-policy', explainPolicy).type('html').send(Buffer.from(explainPage)); });
  app.use('/api/v1', authenticate(keyring, limits.failedKeysPerMinute), perKey(limits.requestsPerMinute), router(routes, deps));
  app.use((_request, _response, next) => { next(notFound()); });
  app.use(answerErrors(log));
  return {
    listener: app, routes, document,
    unread: () => streams.unread(),
    endStreams: () => { streams.endAll(); },
    close: () => {
      live.close();
      streams.close();
    },
  };
}

/** Only failures count against an address, so one broken script does not shut out the good keys behind the same router. */
function authenticate(keyring: Keyring, perMinute: number): RequestHandler {
  const countFailure = rateLimit({
    windowMs: 60_000, limit: perMinute, standardHeaders: true, legacyHeaders: false,
    keyGenerator: (request) => ipKeyGenerator(addressOf(request)),
    handler: (_request, _response, next) => { next(new HttpProblem(429, 'Too many requests with a wrong key from this address: wait a minute.')); },
  });
  return async (request, response, next) => {
    const key = await keyring.authenticate(request.get('authorization'));
    if (key !== null) {
      response.locals['key'] = key;
      next();
      return;
    }
    await countFailure(request, response, (error?: unknown) => {
      next(error ?? new HttpProblem(401, 'Send a key that works: Authorization: Bearer fd_…', { headers: { 'www-authenticate': 'Bearer realm="frontdesk"' } }));
    });
  };
}

function perKey(perMinute: number): RequestHandler {
  return rateLimit({
    windowMs: 60_000, limit: perMinute, standardHeaders: 'draft-8', legacyHeaders: false,
    keyGenerator: (_request, response) => keyOf(response).id,
    handler: (_request, _response, next) => { next(new HttpProblem(429, `More than ${perMinute} requests in a minute: wait as Retry-After says.`)); },
  });
}

function router(routes: readonly Route[], deps: ApiDeps): express.Router {
  const table = express.Router({ caseSensitive: true });
  for (const route of routes) table[route.method](expressPath(route.path), (request: Request, response: Response) => serve(route, deps, request, response));
  const methods = new Map<string, string[]>();
  for (const { path, method } of routes) methods.set(path, [...(methods.get(path) ?? []), method.toUpperCase()]);
  for (const [path, known] of methods) {
    table.all(expressPath(path), (request: Request, _response: Response, next: NextFunction) => {
      next(new HttpProblem(405, `${request.method} is not known here.`, { headers: { allow: known.join(', ') } }));
    });
  }
  return table;
}

async function serve(route: Route, deps: ApiDeps, request: Request, response: Response): Promise<void> {
  const key = keyOf(response);
  let account: string | null = key.account;
  try {
    account = accountFor(route, key, request, deps);
    if (!mayDo(key, route.role)) throw new HttpProblem(403, `This takes the role ${route.role}; the key’s is ${key.role}.`);
    const params = route.params.safeParse(request.params);
    if (!params.success) throw notFound();
    const query = checked(route.query, { ...request.query }, 400, 'query');
    const bytes = await readBody(route, request);
    if (route.ifMatch === true && request.get('if-match') === undefined) throw new HttpProblem(428, 'Send If-Match with the ETag of what you have seen, so that nobody’s change is lost.');
    const asked = { key, account, params: params.data, query, header: (name: string) => request.get(name) };
    const idempotencyKey = route.method === 'post' ? request.get('idempotency-key') : undefined;
    if (idempotencyKey === undefined) await answer(route, deps, request, response, { ...asked, body: bodyOf(route, bytes) });
    else await answerOnce(route, deps, request, response, { ...asked, body: bodyOf(route, bytes) }, { key: idempotencyKey, bytes });
  } catch (error) {
    if (route.audit !== undefined && problemFor(error) !== null) await audited(deps, entryOf(deps, route, key, account, request, 'refused', problemFor(error)?.status ?? 500));
    throw error;
  }
}

async function answer(route: Route, deps: ApiDeps, request: Request, response: Response, asked: ApiRequest<unknown, unknown, unknown>): Promise<void> {
  const reply = await route.handle(asked);
  const entry = (status: number): AuditEntry => entryOf(deps, route, asked.key, asked.account, request, 'ok', status, reply);
  // What is private is given to nobody of whom there is no record.
  if (route.audit !== undefined && !isMutating(route)) await deps.audit.write(entry('send' in reply ? 200 : reply.status));
  if ('send' in reply) {
    await reply.send(request, response);
    return;
  }
  if (isMutating(route)) await audited(deps, entry(reply.status));
  send(response, answerOf(reply));
}

async function answerOnce(route: Route, deps: ApiDeps, request: Request, response: Response, asked: ApiRequest<unknown, unknown, unknown>, once: { readonly key: string; readonly bytes: Buffer }): Promise<void> {
  if (route.secretAnswer === true) throw new HttpProblem(400, 'Idempotency-Key is not taken here: an answer with a secret is not kept.');
  let reply: Reply | undefined;
  const target = `${request.method} ${request.originalUrl}`;
  const { replayed, ...done } = await onceFor(deps.idempotency, { actor: asked.key.id, key: once.key, target, bytes: once.bytes }, deps.now, deps.log, async () => {
    reply = await route.handle(asked);
    if ('send' in reply) throw new Error(`${route.path} cannot be replayed`);
    return answerOf(reply);
  });
  await audited(deps, entryOf(deps, route, asked.key, asked.account, request, 'ok', done.status, reply, replayed ? { replayed } : {}));
  send(response, replayed ? { ...done, headers: { ...done.headers, 'idempotency-replayed': 'true' } } : done);
}

/** The account that the request is about. Throws a 404 for another's, and a 403 for what is the agency's. */
function accountFor(route: Route, key: ApiKey, request: Request, { configuration }: ApiDeps): string | null {
  if (route.scope === 'agency') {
    if (key.account !== null) throw new HttpProblem(403, 'This takes a key of the agency.');
    return null;
  }
  const named = route.scope === 'account' ? request.params['account'] : request.query['account'];
  if (route.scope === 'own' && (named === undefined || !('account' in route.query.shape))) return key.account;
  if (typeof named !== 'string' || (key.account !== null && named !== key.account)) throw notFound();
  if (configuration.get({ account: named, kind: 'account', id: named }) === undefined) throw notFound();
  return named;
}

function entryOf({ now }: ApiDeps, route: Route, key: ApiKey, account: string | null, request: Request, outcome: AuditEntry['outcome'], status: number, reply?: Reply, details: Readonly<Record<string, unknown>> = {}): AuditEntry {
  const said: { readonly subject?: string; readonly details?: AuditEntry['details'] } = reply === undefined || 'send' in reply ? {} : reply;
  const subject = said.subject ?? request.path.slice(0, 200);
  return { at: now(), actor: key.id, account, action: route.audit ?? '', subject, outcome, address: addressOf(request), details: { method: request.method, status, ...said.details, ...details } };
}

/** Of what has happened already: an entry that cannot be kept is in the log. */
async function audited(deps: ApiDeps, entry: AuditEntry): Promise<void> {
  try {
    await deps.audit.write(entry);
  } catch (error) {
    deps.log.error({ entry, error: String(error) }, 'An entry of the audit log could not be written');
  }
}

function answerOf(reply: Exclude<Reply, { send: unknown }>): Answer {
  return { status: reply.status, headers: { ...reply.headers, ...(reply.body === undefined ? {} : { 'content-type': 'application/json; charset=utf-8' }) }, body: reply.body === undefined ? '' : `${JSON.stringify(reply.body)}\n` };
}

function send(response: Response, { status, headers, body }: Answer): void {
  response.status(status).set(headers);
  if (body === '') response.end();
  else response.send(Buffer.from(body));
}

function keyOf(response: Response): ApiKey {
  return response.locals['key'] as ApiKey;
}

function addressOf(request: Request): string {
  return request.ip ?? request.socket.remoteAddress ?? '0.0.0.0';
}

function expressPath(path: string): string {
  return path.replace(/\{(\w+)\}/g, ':$1');
}
