/** Callbacks of a queue over the API: asked for, seen, cancelled. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callbackIdOf, startApi, type TestApi } from './http-fixture.ts';

const path = '/accounts/north/queues/desk/callbacks';
let server: TestApi;
beforeAll(async () => { server = await startApi(); });
afterAll(() => server.stop());

describe('callbacks', () => {
  it('are listed with what became of them, those that are not over alone if wanted', async () => {
    const { json } = await server.ask('GET', path, { key: 'northReader' });
    expect(json).toEqual({ items: [{ id: callbackIdOf('north'), account: 'north', queue: 'desk', number: '+12025550187', dialled: '+12025550110', call: 'north-call', askedAt: 1500, enteredAt: 1000, state: 'waiting', notBefore: null, tries: [], outcome: null, endedAt: null }], next: null });
    expect((await server.ask('GET', `${path}?open=false`)).json.items).toEqual([]);
    expect((await server.ask('GET', `${path}?open=maybe`)).status).toBe(400);
    expect((await server.ask('GET', '/accounts/north/queues/nowhere/callbacks')).status).toBe(404);
  });

  it('are asked for once by a key, and refused with the field and the way out', async () => {
    const ask = (json: object) => server.ask('POST', path, { key: 'north', json, headers: { 'idempotency-key': 'k1' } });
    const [first, second] = [await ask({ number: '+12025550144', shows: 'main' }), await ask({ number: '+12025550144', shows: 'main' })];
    expect([first.status, first.json.number, first.headers.get('location')]).toEqual([201, '+12025550144', '/api/v1/accounts/north/queues/desk/callbacks/asked']);
    expect([second.status, second.text]).toEqual([201, first.text]);
    const refused = await server.ask('POST', path, { key: 'north', json: { number: '+12025550145', shows: 'gone' } });
    expect([refused.status, refused.json.problems]).toEqual([422, [{ path: 'shows', message: 'there is no such tracking number.' }]]);
    expect((await server.ask('POST', path, { key: 'north', json: { number: '555', shows: 'main' } })).json.problems).toMatchObject([{ path: 'number' }]);
  });

  it('are cancelled once, and it is in the audit log', async () => {
    const one = `${path}/${callbackIdOf('north')}`;
    expect([(await server.ask('DELETE', one, { key: 'north' })).status, (await server.ask('DELETE', one, { key: 'north' })).status]).toEqual([204, 404]);
    expect((await server.ask('GET', path)).json.items.find(({ id }: { readonly id: string }) => id === callbackIdOf('north'))).toMatchObject({ state: 'over', outcome: 'canceled' });
    expect((await server.ask('GET', '/audit-log?account=north')).json.items).toMatchObject(expect.arrayContaining([expect.objectContaining({ action: 'callback.cancel', outcome: 'ok' })]));
  });
});
