/** The checklist of a number and its test calls over the API. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startApi, type TestApi } from './http-fixture.ts';

let server: TestApi;
beforeAll(async () => { server = await startApi(); });
afterAll(() => server.stop());

const place = (json: unknown, number = 'north/numbers/desk') => server.ask('POST', `/accounts/${number}/test-call`, { json });

it('a number is ready when nothing is missing', async () => {
  expect((await server.ask('GET', '/accounts/north/numbers/desk/readiness', { key: 'northReader' })).json).toMatchObject({ ready: true, items: [{ item: 'name', state: 'done' }] });
  expect((await server.ask('GET', '/accounts/north/numbers/north-number/readiness')).json).toMatchObject({ ready: false });
});

it('a test call comes from the number itself, or from whom the admin names', async () => {
  const plain = await place({});
  expect([plain.status, plain.json.caller]).toEqual([202, '+12025550110']);
  expect((await place({ caller: '+12025550187' })).json.caller).toBe('+12025550187');
  const wrong = await place({ caller: '5550187', calller: 'x' });
  expect([wrong.status, wrong.json.problems.map((problem: { path: string }) => problem.path).sort()]).toEqual([422, ['caller', 'calller']]);
});

it('a test call that cannot be placed says why', async () => {
  const refused = await Promise.all(['south/numbers/desk', 'north/numbers/north-number'].map((number) => place({}, number)));
  expect(refused.map(({ status, json }) => [status, json.detail])).toEqual([[503, 'The switch is away.'], [409, 'One is under way.']]);
});

it('the last test call is told, and that there was none', async () => {
  expect((await server.ask('GET', '/accounts/north/numbers/desk/test-call', { key: 'northReader' })).json).toMatchObject({ callId: 'fdtest-0.main', sentence: 'It rings.' });
  expect(await server.ask('GET', '/accounts/south/numbers/desk/test-call')).toMatchObject({ status: 404, json: { detail: expect.stringContaining('POST to the same path') } });
});
