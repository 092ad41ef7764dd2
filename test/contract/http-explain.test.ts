/** What a call would do, and what it would cost, over the API; and the page that asks for it. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi, type TestApi } from './http-fixture.ts';

let server: TestApi;
beforeAll(async () => { server = await startApi(); });
afterAll(() => server.stop());

const path = '/accounts/north/numbers/desk/explain';

describe('a call that might come', () => {
  it('is explained in words, as steps and drawn', async () => {
    const { json } = await server.ask('GET', `${path}?caller=%2B12025550187&at=2026-03-02T08:30:00-06:00`, { key: 'northReader' });
    expect(json).toMatchObject({ caller: '+12025550187', at: '2026-03-02T14:30:00.000Z', text: `+12025550187 calls +12025550110 at ${Date.UTC(2026, 2, 2, 14, 30)}`, plan: { first: 'ring' } });
    expect(json.steps.map(({ id, next }: { id: string; next: unknown }) => [id, next])).toEqual([
      ['ring', [{ on: 'accepted', to: null }, { on: 'no answer', to: 'over' }]], ['over', []],
    ]);
    expect(json.steps[0].legs).toMatchObject([{ user: 'ann', label: 'Ann', extension: 'desk-1', number: null, trunks: [], key: null, recorded: false }]);
    expect([json.diagram, json.picture]).toEqual([expect.stringMatching(/^flowchart TD\n/), expect.stringMatching(/^<svg xmlns=.*<\/svg>$/)]);
    expect(json.rate).toEqual({ currency: 'USD', inbound: '0.0085', lowest: '0.0085', highest: '0.0185', legs: [{ number: '+12025550121', prefix: '+1', perMinute: '0.01' }], unknown: ['+12025550110'] });
  });

  it('comes now where nothing is said, from nobody', async () => {
    const before = Date.now();
    const { json } = await server.ask('GET', path);
    expect([json.caller, Date.parse(json.at) >= before, Date.parse(json.at) <= Date.now()]).toEqual(['', true, true]);
  });

  it.each([['at=tomorrow', 'at'], ['at=2026-03-02T08:30:00', 'at'], ['at=1772461800000', 'at'], ['caller=555', 'caller'], ['from=%2B12025550187', 'from']])('is not explained for ?%s', async (query, field) => {
    const answer = await server.ask('GET', `${path}?${query}`);
    expect([answer.status, answer.json.problems.map((problem: { path: string }) => problem.path)]).toEqual([400, [field]]);
  });
});

const patch = (rates: unknown) => server.ask('PATCH', '/accounts/north', { json: { rates }, headers: { 'if-match': '*' } });

describe('the price of a number', () => {
  it('is told, and that there is none where the account has none', async () => {
    expect((await server.ask('GET', '/accounts/north/numbers/desk/rate')).json).toMatchObject({ lowest: '0.0085', highest: '0.0185' });
    const none = await server.ask('GET', '/accounts/south/numbers/desk/rate');
    expect([none.status, none.json.detail]).toEqual([404, 'The account has no prices: give them as `rates` of the account.']);
  });

  it('is made of prices that are texts, each prefix once', async () => {
    const wrong = await patch({ currency: 'dollars', inbound: [{ prefix: '1800', perMinute: 0.02 }], outbound: [{ prefix: '+1', perMinute: '0.01' }, { prefix: '+', perMinute: '0.000001' }] });
    expect([wrong.status, wrong.json.problems.map((problem: { path: string }) => problem.path).sort()]).toEqual([422, ['rates.currency', 'rates.inbound[0].perMinute', 'rates.inbound[0].prefix', 'rates.outbound[1].perMinute']]);
    const twice = await patch({ currency: 'USD', outbound: [{ prefix: '+1', perMinute: '0.01' }, { prefix: '+1', perMinute: '0.02' }] });
    expect([twice.status, twice.json.problems]).toEqual([422, [{ path: 'rates.outbound', message: 'names a prefix twice. Give each one price.' }]]);
    expect((await patch({ currency: 'USD', inbound: [{ prefix: '+', perMinute: '0.0085' }, { prefix: '+1800', perMinute: '0.022' }] })).status).toBe(200);
  });
});

describe('the page', () => {
  it('runs its own script and style, and nothing else', async () => {
    const page = await server.ask('GET', '/api/explain', { key: null });
    const policy = page.headers.get('content-security-policy') ?? '';
    for (const tag of ['style', 'script']) {
      const texts = [...page.text.matchAll(new RegExp(`<${tag}>([^]*?)</${tag}>`, 'g'))].map(([, text = '']) => text);
      expect(texts).toHaveLength(1);
      expect(policy).toContain(`${tag}-src 'sha256-${createHash('sha256').update(texts[0] ?? '').digest('base64')}'`);
    }
    expect(policy).toMatch(/^default-src 'none'; /);
    expect(policy).not.toMatch(/unsafe|\*|http/);
    expect(page.text).not.toMatch(/<script [^>]|src=|href="http| on\w+="| style="|innerHTML/);
  });
});
