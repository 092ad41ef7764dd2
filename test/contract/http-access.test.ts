/** Who gets in, how often, and what they are told when something is not right with us. */
import { afterEach, describe, expect, it } from 'vitest';
import { createAdminKey, newKey } from '../../control-plane/http/auth.ts';
import { memoryStores } from '../support/memory-stores.ts';
import { until } from '../support/until.ts';
import { startApi, type TestApi } from './http-fixture.ts';

const open: TestApi[] = [];
const start = async (...options: Parameters<typeof startApi>): Promise<TestApi> => {
  const server = await startApi(...options);
  open.push(server);
  return server;
};
afterEach(async () => { for (const server of open.splice(0)) await server.stop(); });

describe('keys', () => {
  it('have a first one, shown once, of which only a hash is kept', async () => {
    const { keys } = memoryStores();
    const secret = await createAdminKey(keys);
    expect(secret).toMatch(/^fd_[0-9a-f]{12}_[0-9a-f]{48}$/);
    expect(JSON.stringify(await keys.list())).not.toContain(secret?.split('_')[2]);
    expect(await createAdminKey(keys)).toBeNull();
  });

  it('have another when no admin of the agency can get in any more, or when it is asked for', async () => {
    const { keys } = memoryStores();
    await createAdminKey(keys);
    expect(await createAdminKey(keys, { wanted: true })).toMatch(/^fd_/);
    const all = await keys.list();
    expect(all.map(({ role, account }) => [role, account])).toEqual([['agency-admin', null], ['agency-admin', null]]);
    for (const { id } of all) await keys.remove(id);
    await keys.add(newKey({ name: 'Reader', role: 'read-only', account: null, expiresAt: null }, Date.now()).key);
    expect(await createAdminKey(keys)).toMatch(/^fd_/);
  });

  it('let nobody in with a wrong secret, another scheme, or after their time', async () => {
    const server = await start();
    const [, id = ''] = server.secrets.agency.split('_');
    const status = async (authorization: string): Promise<number> => (await server.ask('GET', '/accounts', { key: null, headers: { authorization } })).status;
    expect(await status(`bearer ${server.secrets.agency}`)).toBe(200);
    for (const wrong of [`Basic ${server.secrets.agency}`, `Bearer fd_${id}_${'0'.repeat(48)}`, `Bearer fd_${'0'.repeat(12)}_${'0'.repeat(48)}`, 'Bearer', `Bearer ${server.secrets.agency}0`, '']) expect(await status(wrong)).toBe(401);
    const made = await server.ask('POST', '/api-keys', { json: { name: 'Short', role: 'read-only', expiresAt: Date.now() + 1_000 } });
    expect(await status(`Bearer ${made.json.secret}`)).toBe(200);
    await until(async () => (await status(`Bearer ${made.json.secret}`)) === 401, { describe: 'the key expires' });
  });

  it('are made with no more rights than their maker’s, and work until they are deleted', async () => {
    const server = await start();
    const make = (key: 'agency' | 'north', json: unknown): ReturnType<TestApi['ask']> => server.ask('POST', '/api-keys', { key, json });
    expect((await make('north', { name: 'Up', role: 'agency-admin' })).status).toBe(403);
    expect((await make('north', { name: 'Aside', role: 'read-only', account: 'south' })).status).toBe(422);
    expect((await make('agency', { name: 'Loose', role: 'account-admin' })).status).toBe(422);
    expect((await make('agency', { name: 'Bound', role: 'agency-admin', account: 'north' })).status).toBe(422);
    const made = await make('north', { name: 'Reader', role: 'read-only' });
    expect([made.status, made.json.account]).toEqual([201, 'north']);
    const ask = (): ReturnType<TestApi['ask']> => server.ask('GET', '/accounts/north', { key: null, headers: { authorization: `Bearer ${made.json.secret}` } });
    expect((await ask()).status).toBe(200);
    expect((await server.ask('GET', `/api-keys/${made.json.id}`, { key: 'north' })).text).not.toMatch(/hash|secret/);
    expect((await server.ask('DELETE', `/api-keys/${made.json.id}`, { key: 'north' })).status).toBe(204);
    expect((await ask()).status).toBe(401);
  });

  it('keep one agency admin, and end with their account', async () => {
    const server = await start();
    const [, id = ''] = server.secrets.agency.split('_');
    expect((await server.ask('DELETE', `/api-keys/${id}`)).status).toBe(409);
    await server.ask('POST', '/accounts', { json: { id: 'short', name: 'Short-lived' } });
    const made = await server.ask('POST', '/api-keys', { json: { name: 'Of it', role: 'account-admin', account: 'short' } });
    await server.ask('DELETE', '/accounts/short', { headers: { 'if-match': '*' } });
    await server.ask('POST', '/accounts', { json: { id: 'short', name: 'Somebody else' } });
    expect((await server.ask('GET', '/accounts/short', { key: null, headers: { authorization: `Bearer ${made.json.secret}` } })).status).toBe(401);
  });

  it('of a supervisor may read and supervise, and change nothing else', async () => {
    const server = await start();
    const body = { call: 'north-live', mode: 'coach', phone: '1001' };
    const statusOf = async (method: string, path: string, json?: unknown): Promise<number> => (await server.ask(method, path, { key: 'northSupervisor', ...(json === undefined ? {} : { json }) })).status;
    expect(await statusOf('POST', '/accounts/north/supervisions', body)).toBe(201);
    expect([await statusOf('GET', '/accounts/north/users'), await statusOf('POST', '/accounts/north/users', { name: 'Another' }), await statusOf('POST', '/accounts/south/supervisions', { ...body, call: 'south-live' })]).toEqual([200, 403, 404]);
    expect((await server.ask('POST', '/accounts/north/supervisions', { key: 'northReader', json: body })).status).toBe(403);
    expect((await server.ask('POST', '/api-keys', { json: { name: 'Of nobody', role: 'supervisor' } })).json.problems).toEqual([{ path: 'account', message: 'is missing: a supervisor is of one account. Add it.' }]);
  });

  it('are not replayed: an answer with a secret is not kept', async () => {
    const server = await start();
    expect((await server.ask('POST', '/api-keys', { json: { name: 'Again', role: 'read-only' }, headers: { 'idempotency-key': 'k' } })).status).toBe(400);
  });
});

describe('limits', () => {
  it('hold wrong keys back by address, and let good ones from there in', async () => {
    const server = await start({ limits: { failedKeysPerMinute: 3 } });
    const statuses: number[] = [];
    for (let i = 0; i < 5; i++) statuses.push((await server.ask('GET', '/accounts', { key: null })).status);
    expect(statuses).toEqual([401, 401, 401, 429, 429]);
    const held = await server.ask('GET', '/accounts', { key: null, headers: { 'x-forwarded-for': '203.0.113.9', forwarded: 'for=203.0.113.9' } });
    expect(held.status).toBe(429);
    expect(Number(held.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await server.ask('GET', '/accounts')).status).toBe(200);
  });

  it('hold one key back, and not another', async () => {
    const server = await start({ limits: { requestsPerMinute: 2 } });
    const statuses: number[] = [];
    for (let i = 0; i < 3; i++) statuses.push((await server.ask('GET', '/accounts', { key: 'north' })).status);
    expect(statuses).toEqual([200, 200, 429]);
    expect(Number((await server.ask('GET', '/accounts', { key: 'north' })).headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await server.ask('GET', '/accounts', { key: 'south' })).status).toBe(200);
  });
});

describe('while the database is away', () => {
  it('configuration is read from memory, and writes say so and may be tried again', async () => {
    const server = await start();
    await server.ask('GET', '/accounts/north/users');
    server.stores.away = true;
    expect((await server.ask('GET', '/accounts/north/users', { key: 'northReader' })).status).toBe(200);
    const write = await server.ask('POST', '/accounts/north/users', { json: { name: 'Later' } });
    expect([write.status, write.headers.get('retry-after')]).toEqual([503, '5']);
    expect((await server.ask('GET', '/accounts/north/calls')).status).toBe(503);
    const logged = server.logged.filter((line) => line.startsWith('A request could not be served'));
    expect([logged.length, logged.filter((line) => line.includes('    at '))], 'each a line, with no stack').toEqual([2, []]);
    server.stores.away = false;
    expect((await server.ask('POST', '/accounts/north/users', { json: { name: 'Later' } })).status).toBe(201);
  });

  it('reads do not wait for a database that says nothing', async () => {
    const server = await start({ limits: { keyCacheMs: 2000 } });
    await server.ask('GET', '/accounts/north/users');
    server.stores.keys.list = () => new Promise(() => {});
    await server.ask('POST', '/api-keys', { json: { name: 'Forgets the list', role: 'read-only' } });
    const statuses = await Promise.all(Array.from({ length: 20 }, () => server.ask('GET', '/accounts/north/users'))).then((all) => all.map(({ status }) => status));
    const began = performance.now();
    for (let i = 0; i < 5; i++) statuses.push((await server.ask('GET', '/accounts/north/users')).status);
    // each that waited would take 500 ms
    expect([new Set(statuses), performance.now() - began < 1_000]).toEqual([new Set([200]), true]);
  });

  it('recordings are given to nobody, since nobody could be held to it', async () => {
    const server = await start();
    server.stores.audit.write = () => Promise.reject(new Error('no'));
    expect((await server.ask('GET', '/accounts/north/recordings/north-call--r1/content')).status).toBe(500);
  });
});

describe('every answer', () => {
  it('is kept by nobody, tells nothing of what made it, and is not taken for something else', async () => {
    const server = await start();
    for (const target of ['/accounts', '/nothing', '/api/docs', '/api/v1/openapi.json']) {
      const { headers } = await server.ask('GET', target);
      expect(Object.fromEntries(headers)).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', 'content-security-policy': expect.stringContaining("default-src 'none'"), 'referrer-policy': 'no-referrer' });
      expect(headers.has('x-powered-by')).toBe(false);
    }
  });

  it('to a mistake of ours has an id that is in the log, and no stack', async () => {
    const server = await start();
    server.stores.cdrs.search = () => Promise.reject(new TypeError('a secret detail'));
    const answer = await server.ask('GET', '/accounts/north/calls');
    expect([answer.status, answer.text]).toEqual([500, expect.not.stringContaining('secret detail')]);
    expect(server.logged.filter((line) => line.includes(answer.json.id) && line.includes('a secret detail'))).toHaveLength(1);
  });

  it('leaves health and readiness where they were', async () => {
    const server = await start();
    expect(await (await fetch(`${server.url}/healthz`)).json()).toEqual({ status: 'ok' });
    expect(await (await fetch(`${server.url}/readyz`)).json()).toMatchObject({ ready: true });
  });
});
