/** Objects of configuration over the API: versions, patches, pages, history, idempotency, and what is refused. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi, type TestApi } from './http-fixture.ts';

let server: TestApi;
beforeAll(async () => { server = await startApi(); });
afterAll(() => server.stop());

const users = '/accounts/north/users';
const pathsOf = (json: { readonly problems: readonly { readonly path: string }[] }): readonly string[] => json.problems.map(({ path }) => path).sort();

describe('an object', () => {
  it('is created under an id made of its name, and found where Location says', async () => {
    const made = await server.ask('POST', users, { json: { name: 'Dr. Müller' } });
    expect([made.status, made.headers.get('location'), made.headers.get('etag')]).toEqual([201, '/api/v1/accounts/north/users/dr-mu-ller', '"1"']);
    const got = await server.ask('GET', made.headers.get('location') ?? '');
    expect(got.json).toMatchObject({ id: 'dr-mu-ller', account: 'north', version: 1, name: 'Dr. Müller' });
    expect((await server.ask('POST', users, { json: { name: 'Dr. Müller' } })).json.id).toMatch(/^dr-mu-ller-[0-9a-f]{6}$/);
  });

  it('of which an account has one alone needs no id', async () => {
    const one = '/accounts/south/night-switches/night';
    expect((await server.ask('DELETE', one, { headers: { 'if-match': '*' } })).status).toBe(204);
    const made = await server.ask('POST', '/accounts/south/night-switches', { json: { mode: 'closed' } });
    expect([made.status, made.headers.get('location'), made.json.mode]).toEqual([201, `/api/v1${one}`, 'closed']);
    expect((await server.ask('POST', '/accounts/south/night-switches', { json: { mode: 'open' } })).status).toBe(409);
  });

  it('is not created twice under one id', async () => {
    expect((await server.ask('POST', users, { json: { id: 'twice', name: 'A' } })).status).toBe(201);
    expect((await server.ask('POST', users, { json: { id: 'twice', name: 'B' } })).status).toBe(409);
  });

  it('is replaced only by who has seen its latest version', async () => {
    await server.ask('POST', users, { json: { id: 'ann', name: 'Ann' } });
    const one = `${users}/ann`;
    expect((await server.ask('PUT', one, { json: { name: 'Anna' } })).status).toBe(428);
    const put = await server.ask('PUT', one, { json: { name: 'Anna' }, headers: { 'if-match': '"1"' } });
    expect([put.status, put.headers.get('etag'), put.json.name]).toEqual([200, '"2"', 'Anna']);
    const stale = await server.ask('PUT', one, { json: { name: 'Annika' }, headers: { 'if-match': '"1"' } });
    expect([stale.status, stale.headers.get('etag')]).toEqual([412, '"2"']);
    expect((await server.ask('DELETE', one, { headers: { 'if-match': 'W/"2"' } })).status).toBe(412);
    expect((await server.ask('GET', one, { headers: { 'if-none-match': '"1", W/"2"' } })).status).toBe(304);
    expect((await server.ask('GET', one, { headers: { 'if-none-match': '"1"' } })).status).toBe(200);
    expect((await server.ask('DELETE', one, { headers: { 'if-match': '"1", "2"' } })).status).toBe(204);
    expect((await server.ask('GET', one)).status).toBe(404);
  });

  it('goes to one of two who change the same version at once', async () => {
    await server.ask('POST', users, { json: { id: 'race', name: 'Race' } });
    const both = await Promise.all(['One', 'Two'].map((name) => server.ask('PUT', `${users}/race`, { json: { name }, headers: { 'if-match': '"1"' } })));
    expect(both.map(({ status }) => status).sort((a, b) => a - b)).toEqual([200, 412]);
  });

  it('can be sent back as it was given', async () => {
    const one = '/accounts/north/numbers/desk';
    const got = await server.ask('GET', one);
    const put = await server.ask('PUT', one, { json: { ...got.json, name: 'Main line' }, headers: { 'if-match': got.headers.get('etag') ?? '' } });
    expect([put.status, put.json.name]).toEqual([200, 'Main line']);
  });

  it('is patched as RFC 7396 says: fields merge, lists are replaced, null takes out', async () => {
    await server.ask('POST', '/accounts', { json: { id: 'patched', name: 'Patched', blocked: { numbers: ['+12025550199'], anonymous: true }, retention: { callDays: 30 } } });
    const patch = await server.ask('PATCH', '/accounts/patched', {
      body: JSON.stringify({ blocked: { numbers: [], anonymous: null, action: 'voicemail' }, retention: null }), headers: { 'content-type': 'application/merge-patch+json', 'if-match': '"1"' },
    });
    expect([patch.status, patch.json.blocked, patch.json.retention, patch.json.name]).toEqual([200, { numbers: [], anonymous: false, action: 'voicemail' }, undefined, 'Patched']);
    const wrong = await server.ask('PATCH', '/accounts/patched', { json: { name: null, timezone: 'Mars/Olympus' }, headers: { 'if-match': '*' } });
    expect([wrong.status, pathsOf(wrong.json)]).toEqual([422, ['name', 'timezone']]);
  });

  it('is told all that is wrong with it at once, by field', async () => {
    const answer = await server.ask('POST', '/accounts/north/numbers', { json: { e164: '555', name: '', users: ['BAD ID'], voicemail: { maxSeconds: 1.5 }, ringtone: 'loud' } });
    expect([answer.status, pathsOf(answer.json)]).toEqual([422, ['e164', 'name', 'ringtone', 'users[0]', 'voicemail.maxSeconds']]);
    const unknown = await server.ask('POST', '/accounts/north/devices', { json: { user: 'nobody', extension: '3001' } });
    expect([unknown.status, pathsOf(unknown.json)]).toEqual([422, ['user']]);
  });

  it('is refused with names of fields that every object of JavaScript has already', async () => {
    const answer = await server.ask('POST', users, { body: '{"name":{"length":{"toString":null}},"tags":[{"__proto__":{}}]}', headers: { 'content-type': 'application/json' } });
    expect([answer.status, pathsOf(answer.json)]).toEqual([422, ['name.length.toString', 'tags[0].__proto__']]);
  });

  it('in use is not deleted, and the answer names who uses it', async () => {
    const answer = await server.ask('DELETE', `${users}/desk`, { headers: { 'if-match': '*' } });
    expect([answer.status, answer.json.detail]).toEqual([409, expect.stringContaining('device/desk')]);
  });
});

const sipUserOf = async (account: string): Promise<unknown> => (await server.ask('GET', `/accounts/${account}/devices/desk`)).json.sipUser;

describe('the name a phone logs in with', () => {
  it('is the extension in the first account, and has a prefix in another that has the same extension', async () => {
    expect([await sipUserOf('north'), await sipUserOf('south')]).toEqual(['1001', 'south.1001']);
    expect((await server.ask('GET', '/accounts/south/devices/desk/credentials', { key: 'south' })).json).toMatchObject({ username: 'south.1001' });
    const listed = (await server.ask('GET', '/accounts/south/devices?extension=1002', { key: 'south' })).json.items;
    expect(listed).toMatchObject([{ extension: '1002', sipUser: 'south.1002' }]);
    const made = await server.ask('POST', '/accounts/south/devices', { json: { id: 'window', user: 'desk', extension: '1003' } });
    const put = await server.ask('PUT', '/accounts/south/devices/window', { json: { ...made.json, label: 'Window' }, headers: { 'if-match': '*' } });
    expect([put.status, put.json.sipUser]).toEqual([200, 'south.1003']);
  });

  it('has a prefix that the agency alone changes, with a warning', async () => {
    const ask = (key: 'agency' | 'south', sipPrefix: string) => server.ask('PATCH', '/accounts/south', { key, json: { sipPrefix }, headers: { 'if-match': '*' } });
    expect((await server.ask('GET', '/accounts/south', { key: 'south' })).json.sipPrefix).toBe('south');
    const denied = await Promise.all([ask('south', ''), ask('south', 'nobody-has-this')]);
    expect(denied.map(({ status, json }) => [status, json.detail])).toEqual([[403, 'The SIP prefix of an account is set by agency admins.'], [403, 'The SIP prefix of an account is set by agency admins.']]);
    expect((await ask('south', 'south')).status).toBe(200);
    const taken = await ask('agency', '');
    expect([taken.status, taken.json.problems]).toEqual([422, [{ path: 'sipPrefix', message: 'The empty prefix is in use already. Choose another.' }]]);
    const changed = await ask('agency', 'sud');
    expect([changed.status, changed.json.warnings]).toEqual([200, [expect.stringContaining('south.1001 to sud.1001')]]);
    expect(await sipUserOf('south')).toBe('sud.1001');
    const { items: [change] } = (await server.ask('GET', '/changes?account=south&kind=account&id=south', { key: 'south' })).json;
    expect((await server.ask('POST', `/changes/${change.seq}/undo`, { key: 'south' })).status).toBe(403);
    expect((await server.ask('POST', `/changes/${change.seq}/undo`)).status).toBe(200);
    expect(await sipUserOf('south')).toBe('south.1001');
  });

  it('is never told to another account: what one has, another may have too', async () => {
    const device = await server.ask('POST', '/accounts/south/devices', { key: 'south', json: { id: 'seven', user: 'desk', extension: '7007' } });
    const same = await server.ask('POST', '/accounts/north/devices', { key: 'north', json: { id: 'lucky', user: 'desk', extension: '7007' } });
    const trunks = await Promise.all((['north', 'south'] as const).map((key) => server.ask('POST', `/accounts/${key}/trunks`, { key, json: { host: 'two.carrier.example' } })));
    expect([device.status, same.status, ...trunks.map(({ status, json }) => `${status} ${json.id}`)]).toEqual([201, 201, '201 two-carrier-example', '201 two-carrier-example']);
    const again = await server.ask('POST', '/accounts/north/devices', { key: 'north', json: { user: 'desk', extension: '7007' } });
    expect([again.status, again.json.problems]).toEqual([422, [{ path: 'extension', message: 'Extension 7007 is in use already. Choose another.' }]]);
  });
});

describe('passwords', () => {
  it('are in no answer but the credentials of a phone, which admins alone get', async () => {
    const device = await server.ask('GET', '/accounts/north/devices/desk');
    expect(device.json).toMatchObject({ passwordSet: true });
    for (const target of ['/accounts/north/devices', '/accounts/north/devices/desk', '/accounts/north/trunks', '/accounts/north/trunks/carrier', '/changes']) {
      const { text } = await server.ask('GET', target);
      expect(text).not.toMatch(/"password"|secret-of/);
    }
    expect((await server.ask('GET', '/accounts/north/devices/desk/credentials', { key: 'northReader' })).status).toBe(403);
    const credentials = await server.ask('GET', '/accounts/north/devices/desk/credentials', { key: 'north' });
    expect(credentials.json).toEqual({ username: '1001', password: expect.stringMatching(/^.{12,}$/) });
    expect(server.stores.entries.at(-1)).toMatchObject({ action: 'device.credentials', outcome: 'ok', account: 'north' });
  });

  it('stay when the rest is replaced', async () => {
    const before = await server.ask('GET', '/accounts/north/devices/desk/credentials');
    await server.ask('PUT', '/accounts/north/devices/desk', { json: { user: 'desk', extension: '1001', label: 'Window' }, headers: { 'if-match': '*' } });
    expect((await server.ask('GET', '/accounts/north/devices/desk/credentials')).json).toEqual(before.json);
  });
});

describe('a PIN', () => {
  it('is in no answer, stays when the rest is replaced, and goes when it is written empty', async () => {
    const user = '/accounts/north/users/desk';
    const put = async (json: object) => (await server.ask('PUT', user, { json: { name: 'Front desk', ...json }, headers: { 'if-match': '*' } })).json;
    expect([await put({ pin: '481516' }), await put({}), await put({ pin: '' })]).toMatchObject([{ pinSet: true }, { pinSet: true }, { pinSet: false }]);
    await put({ pin: '481516' });
    for (const target of ['/accounts/north/users', user, '/changes']) expect((await server.ask('GET', target)).text).not.toContain('481516');
  });
});

const userIds = async (query: string): Promise<unknown> => (await server.ask('GET', `/accounts/south/users?${query}`)).json.items.map(({ id }: { id: string }) => id);

describe('a list', () => {
  it('comes in pages that what is added meanwhile does not shift', async () => {
    for (let i = 0; i < 7; i++) await server.ask('POST', '/accounts/south/users', { json: { id: `p${i}`, name: `Dr. ${i}`, email: `p${i}@clinic.example` } });
    const seen: string[] = [];
    let next: string | null = null;
    do {
      const cursor: string = next === null ? '' : `&cursor=${next}`;
      const page = await server.ask('GET', `/accounts/south/users?limit=3${cursor}`);
      seen.push(...page.json.items.map(({ id }: { id: string }) => id));
      next = page.json.next;
      await server.ask('POST', '/accounts/south/users', { json: { id: `a${seen.length}`, name: 'Early' } });
    } while (next !== null);
    expect(seen).toEqual(['desk', 'p0', 'p1', 'p2', 'p3', 'p4', 'p5', 'p6', 'south-user']);
  });

  it('is filtered by fields and by words', async () => {
    expect(await userIds('email=p3@clinic.example')).toEqual(['p3']);
    expect(await userIds('q=DR.%204')).toEqual(['p4']);
  });

  it('takes no page of more than 200, no foreign cursor and no unknown filter', async () => {
    for (const [query, path] of [['limit=201', 'limit'], ['limit=0', 'limit'], ['limit=x', 'limit'], ['cursor=nonsense', 'cursor'], ['colour=red', 'colour'], ['limit=1&limit=2', 'limit']] as const) {
      const answer = await server.ask('GET', `/accounts/south/users?${query}`);
      expect([answer.status, pathsOf(answer.json)]).toEqual([400, [path]]);
    }
  });
});

describe('history', () => {
  it('tells who changed what, and takes it back', async () => {
    await server.ask('POST', users, { key: 'north', json: { id: 'undone', name: 'Before' } });
    await server.ask('PATCH', `${users}/undone`, { key: 'north', json: { name: 'After' }, headers: { 'if-match': '*' } });
    const history = async (): Promise<readonly { seq: number; before: unknown; after: unknown; undoes: number | null }[]> => (await server.ask('GET', '/changes?account=north&kind=user&id=undone', { key: 'north' })).json.items;
    const [change, creation] = await history();
    expect([change, creation]).toMatchObject([{ before: { name: 'Before' }, after: { name: 'After' } }, { before: null, after: { name: 'Before' } }]);
    expect((await server.ask('POST', `/changes/${creation?.seq}/undo`, { key: 'north' })).status).toBe(409);
    const undone = await server.ask('POST', `/changes/${change?.seq}/undo`, { key: 'north' });
    expect([undone.status, undone.json.undoes, undone.headers.get('etag')]).toEqual([200, change?.seq, '"3"']);
    expect((await server.ask('GET', `${users}/undone`)).json.name).toBe('Before');
    const [latest] = await history();
    expect((await server.ask('POST', `/changes/${latest?.seq}/undo`, { key: 'north' })).status).toBe(200);
    expect((await server.ask('GET', `${users}/undone`)).json.name).toBe('After');
  });

  it('brings a deleted object back', async () => {
    await server.ask('POST', users, { json: { id: 'gone', name: 'Gone' } });
    await server.ask('DELETE', `${users}/gone`, { headers: { 'if-match': '*' } });
    const { items: [deletion] } = (await server.ask('GET', '/changes?account=north&kind=user&id=gone')).json;
    expect((await server.ask('POST', `/changes/${deletion.seq}/undo`)).status).toBe(200);
    expect((await server.ask('GET', `${users}/gone`)).json.name).toBe('Gone');
  });
});

describe('an idempotency key', () => {
  const headers = { 'idempotency-key': 'k-1' };
  it('answers the same request the same, and does it once', async () => {
    const ask = (): ReturnType<TestApi['ask']> => server.ask('POST', users, { json: { name: 'Once only' }, headers });
    const first = await ask();
    const second = await ask();
    expect([second.status, second.text, second.headers.get('location'), second.headers.get('idempotency-replayed')]).toEqual([201, first.text, first.headers.get('location'), 'true']);
    expect(first.headers.get('idempotency-replayed')).toBeNull();
    expect((await server.ask('GET', `${users}?name=Once%20only`)).json.items).toHaveLength(1);
  });

  it('is refused for another body or route, and is each caller’s own', async () => {
    expect((await server.ask('POST', users, { json: { name: 'Another' }, headers })).status).toBe(422);
    expect((await server.ask('POST', '/accounts/south/users', { json: { name: 'Once only' }, headers })).status).toBe(422);
    expect((await server.ask('POST', users, { key: 'north', json: { name: 'Once only' }, headers })).status).toBe(201);
  });

  it('does a request once that is sent ten times at once', async () => {
    const all = await Promise.all(Array.from({ length: 10 }, () => server.ask('POST', users, { json: { name: 'Ten times' }, headers: { 'idempotency-key': 'k-10' } })));
    expect(all.filter(({ status }) => status !== 201 && status !== 409)).toEqual([]);
    expect((await server.ask('GET', `${users}?name=Ten%20times`)).json.items).toHaveLength(1);
  });

  it('is free again after a refusal', async () => {
    const again = { 'idempotency-key': 'k-2' };
    expect((await server.ask('POST', users, { json: { id: 'desk', name: 'Taken' }, headers: again })).status).toBe(409);
    expect((await server.ask('POST', users, { json: { id: 'free-again', name: 'Free' }, headers: again })).status).toBe(201);
  });
});

describe('what cannot be read', () => {
  it.each([
    [400, 'not JSON', '{"name":', {}],
    [400, 'nothing', '', {}],
    [400, 'not UTF-8', new Uint8Array([0x22, 0xff, 0x22]), {}],
    [400, 'nested too deep', `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`, {}],
    [413, 'too large', JSON.stringify({ name: 'x'.repeat(1_100_000) }), {}],
    [415, 'of another type', '<name/>', { 'content-type': 'text/xml' }],
    [415, 'packed', 'x', { 'content-encoding': 'gzip' }],
    [422, 'a list', '[]', {}],
    [422, 'null', 'null', {}],
  ] as const)('is answered %i: %s', async (status, _what, body, headers) => {
    const answer = await server.ask('POST', users, { body, headers: { 'content-type': 'application/json', ...headers } });
    expect([answer.status, answer.json.status]).toEqual([status, status]);
  });

  it('is no route, or one with another method', async () => {
    expect((await server.ask('GET', '/nothing')).status).toBe(404);
    expect((await server.ask('GET', '/api/nothing')).status).toBe(404);
    expect((await server.ask('GET', `${users}/%E0%A4%A`)).status).toBe(400);
    expect((await server.ask('GET', `${users}/..%2f..%2fapi-keys`)).status).toBe(404);
    const other = await server.ask('PUT', users, { json: {} });
    expect([other.status, other.headers.get('allow')]).toEqual([405, 'GET, POST']);
  });
});
