/** What holds for every route, read off the table of routes: a new route is held to it without being named here. */
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Kind } from '../../control-plane/configuration/documents.ts';
import { isMutating, type Route } from '../../control-plane/http/route.ts';
import { collections } from '../../control-plane/http/routes/objects.ts';
import { bodiesOf, wrongBodiesOf } from './http-bodies.ts';
import { callbackIdOf, contactOfBoth, foreignContact, foreignId, idOf, startApi, supervisionOf, type Asked, type KeyName, type TestApi } from './http-fixture.ts';

const blueprint = await startApi({ seed: false });
const { routes } = blueprint.api;
await blueprint.stop();

const kindOf: Readonly<Record<string, Kind>> = { ...Object.fromEntries(collections.filter(({ kind }) => kind !== 'account').map(({ path, kind }) => [path, kind])), 'audio-files': 'audio', agents: 'user' };
const titled = (some: readonly Route[]): readonly (readonly [string, Route])[] => some.map((route) => [`${route.method.toUpperCase()} ${route.path}`, route]);

let server: TestApi;
beforeAll(async () => { server = await startApi(); });
afterAll(() => server.stop());

/** The path of something that `owner` alone has, asked for in `account`. A new kind of thing must be told here what the other clinic has of it. */
async function pathOf(route: Route, account: string, owner: string, same = false): Promise<string> {
  const collection = /([a-z-]+)\/\{(?:id|seq)\}/.exec(route.path)?.[1];
  const path = route.path.replace('{account}', account).replace('{callback}', callbackIdOf(owner));
  if (collection === undefined) return path;
  const kind = kindOf[collection];
  if (kind !== undefined) return path.replace('{id}', same ? idOf(owner, kind) : foreignId(owner, kind));
  if (collection === 'contacts') return path.replace('{id}', encodeURIComponent(same ? contactOfBoth : foreignContact(owner)));
  if (collection === 'calls') return path.replace('{id}', `${owner}-call`);
  if (collection === 'supervisions') return path.replace('{id}', supervisionOf(owner).id);
  if (collection === 'recordings' || collection === 'voicemails') return path.replace('{id}', `${owner}-call--r1`);
  if (collection === 'changes') return path.replace('{seq}', String((await server.stores.config.changes({ account: owner }, { limit: 1 })).items[0]?.seq));
  if (collection === 'api-keys') return path.replace('{id}', (await server.stores.keys.list()).find((key) => key.account === owner)?.id ?? '');
  throw new Error(`What has the other clinic under ${route.path}? Say it in this test.`);
}

function requestFor(route: Route, over: Partial<Asked>): Asked {
  const headers = { 'if-match': '*' };
  if (route.raw !== null) return { headers: { ...headers, 'content-type': route.raw.types.at(-1) ?? '' }, body: isAudio(route) ? 'RIFF' : 'number,name\n+12025550199,New', ...over };
  if (route.body === null) return { headers, ...over };
  return { headers, json: rightBodyOf(route), ...over };
}

const rightBodies = new Map<Route, unknown>();
/** The first one that the route's own schema takes; of most routes it is among a few. */
function rightBodyOf(route: Route): unknown {
  if (!rightBodies.has(route)) {
    const among = (numRuns: number): unknown => fc.sample(bodiesOf(route), { numRuns, seed: 7 }).find((json) => route.body?.safeParse(json).success);
    rightBodies.set(route, among(50) ?? among(2000));
  }
  return rightBodies.get(route);
}

const isAudio = (route: Route): boolean => route.raw?.types.includes('audio/wav') === true;
/** Of a required parameter that has nothing to do with whose it is. */
const needed = (route: Route): string => (isAudio(route) ? '?name=Greeting' : '');

describe('another clinic’s things are not there', () => {
  it.each(titled(routes.filter(({ scope }) => scope === 'account')))('%s of another account', async (_title, route) => {
    const before = await server.state();
    for (const same of [true, false]) {
      const answer = await server.ask(route.method, `${await pathOf(route, 'south', 'south', same)}${needed(route)}`, requestFor(route, { key: 'north' }));
      expect([answer.status, answer.json.detail]).toEqual([404, 'There is nothing here, or nothing that this key may see. /api/docs lists what there is.']);
    }
    expect(await server.state()).toBe(before);
  });

  it.each(titled(routes.filter(({ path }) => /\{(id|seq)\}/.test(path))))('%s with another account’s id in the own account', async (_title, route) => {
    const before = await server.state();
    const asking = route.scope === 'account' ? (['north', 'agency'] as const) : (['north'] as const);
    for (const key of asking) {
      const answer = await server.ask(route.method, await pathOf(route, 'north', 'south'), requestFor(route, { key }));
      expect([answer.status, answer.text]).toEqual([404, expect.not.stringContaining('south')]);
    }
    expect(await server.state()).toBe(before);
  });

  it.each(titled(routes.filter(({ scope, path }) => scope === 'own' && !path.includes('{'))))('%s tells and takes the own account’s alone', async (_title, route) => {
    const narrowed = async (account: string, key: KeyName): Promise<number> => ('account' in route.query.shape ? (await server.ask(route.method, `${route.path}?account=${account}`, requestFor(route, { key }))).status : 404);
    expect([await narrowed('south', 'north'), await narrowed('nobody', 'agency')]).toEqual([404, 404]);
    if (isMutating(route) || route.path === '/events') return;
    // the audit log has what the key was refused above
    const fresh = await startApi();
    const answer = await fresh.ask(route.method, route.path, { key: 'north' });
    await fresh.stop();
    expect([answer.status, answer.text]).toEqual([200, expect.not.stringContaining('south')]);
  });

  it.each(titled(routes.filter(({ scope }) => scope === 'agency')))('%s is for keys of the agency', async (_title, route) => {
    expect((await server.ask(route.method, route.path, requestFor(route, { key: 'north' }))).status).toBe(403);
  });
});

describe('roles', () => {
  it('lets no route change anything for a key that may only read', () => {
    expect(routes.filter((route) => isMutating(route) && route.role === 'read-only')).toEqual([]);
  });

  it.each(titled(routes.filter(({ role }) => role !== 'read-only')))('%s is refused to a key that may only read', async (_title, route) => {
    const before = await server.state();
    for (const key of ['northReader', 'agencyReader'] as const) {
      expect((await server.ask(route.method, `${await pathOf(route, 'north', 'north')}${needed(route)}`, requestFor(route, { key }))).status).toBe(403);
    }
    expect(await server.state()).toBe(before);
  });

  it.each(titled(routes.filter(({ role }) => role === 'agency-admin')))('%s is refused to an admin of one account', async (_title, route) => {
    expect((await server.ask(route.method, await pathOf(route, 'north', 'north'), requestFor(route, { key: 'north' }))).status).toBe(403);
  });

  it.each(titled(routes))('%s needs a key', async (_title, route) => {
    const answer = await server.ask(route.method, await pathOf(route, 'north', 'north'), requestFor(route, { key: null }));
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="frontdesk"']);
  });
});

describe('the audit log', () => {
  it('is written by every route that changes anything', () => {
    expect(routes.filter((route) => isMutating(route) && route.audit === undefined)).toEqual([]);
  });

  it.each(titled(routes.filter(({ audit }) => audit !== undefined)))('%s leaves an entry, refused or not', async (_title, route) => {
    const { entries } = server.stores;
    const before = entries.length;
    await server.ask(route.method, `${await pathOf(route, 'north', 'south')}${needed(route)}`, requestFor(route, { key: 'north' }));
    expect(entries.slice(before)).toEqual([expect.objectContaining({ action: route.audit, address: expect.stringContaining('127.0.0.1') })]);
  });
});

describe('every body that a route can be sent', () => {
  it.each(titled(routes.filter((route) => isMutating(route) && route.body !== null)))('%s never fails, and changes nothing when it refuses', async (_title, route) => {
    const own = await startApi();
    try {
      const path = route.path.replace('{account}', 'north').replace('contacts/{id}', `contacts/${contactOfBoth}`).replace('{id}', idOf('north', kindOf[/\/([a-z-]+)\/\{id\}/.exec(route.path)?.[1] ?? ''] ?? 'user'));
      const held = async (json: unknown): Promise<void> => {
        const before = await own.state();
        const { status, text } = await own.ask(route.method, path, { json, headers: { 'if-match': '*' } });
        const changed = (await own.state()) !== before;
        expect({ status, text, harm: status >= 500 || (status >= 400 && changed) }).toMatchObject({ harm: false });
      };
      await fc.assert(fc.asyncProperty(bodiesOf(route), held), { numRuns: 40 });
      await fc.assert(fc.asyncProperty(wrongBodiesOf(route), held), { numRuns: 60 });
    } finally {
      await own.stop();
    }
  });

  it('is right often enough for the test above to mean something', async () => {
    const own = await startApi();
    const counts = new Map<number, number>();
    for (const json of fc.sample(bodiesOf(routes.find((route) => route.method === 'post' && route.path.endsWith('/users')) ?? routes[0] as Route), { numRuns: 400, seed: 7 })) {
      const { status } = await own.ask('post', '/accounts/north/users', { json });
      counts.set(status, (counts.get(status) ?? 0) + 1);
    }
    await own.stop();
    expect(counts.get(201)).toBeGreaterThan(20);
  });
});
