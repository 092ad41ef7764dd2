/** Webhooks as an admin writes them, and what becomes of dead letters; and the example of the documentation, run as it stands. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LiveEvent } from '../../control-plane/events/catalogue.ts';
import { eventTypes } from '../../control-plane/events/types.ts';
import { signedHeaders } from '../../control-plane/events/webhooks/sign.ts';
import type { WebhookState } from '../../control-plane/store/event-ports.ts';
import { startApi, type TestApi } from './http-fixture.ts';

let server: TestApi;
beforeEach(async () => { server = await startApi(); });
afterEach(() => server.stop());

const all = '/accounts/north/webhooks';
const body = { name: 'Orders', url: 'https://orders.example.com/hook' };
const secretOf = (id: string): string | undefined => server.configuration.get({ account: 'north', kind: 'webhook', id })?.body.secret;

describe('a webhook', () => {
  it('is made with a secret that is shown once and never again', async () => {
    const made = await server.ask('POST', all, { key: 'north', json: { id: 'orders', ...body } });
    expect([made.status, made.json]).toEqual([201, expect.objectContaining({ ...body, enabled: true, secret: expect.stringMatching(/^whsec_[A-Za-z0-9+/]{43}=$/) })]);
    expect(made.json.secret).toBe(secretOf('orders'));
    const others = [await server.ask('GET', `${all}/orders`), await server.ask('GET', all), await server.ask('GET', '/changes?account=north'), await server.ask('GET', '/audit-log?account=north')];
    const changed = await server.ask('PATCH', `${all}/orders`, { json: { enabled: false }, headers: { 'if-match': '*' } });
    for (const { status, text } of [...others, changed]) expect([status, text]).toEqual([200, expect.not.stringContaining('whsec_')]);
    expect((await server.ask('POST', all, { json: { id: 'again', ...body }, headers: { 'idempotency-key': 'k1' } })).status).toBe(400);
  });

  it('keeps its secret through every change, until it is given another', async () => {
    await server.ask('POST', all, { json: { id: 'orders', ...body } });
    const first = secretOf('orders');
    await server.ask('PUT', `${all}/orders`, { json: { ...body, url: 'https://other.example.com/' }, headers: { 'if-match': '*' } });
    expect(secretOf('orders')).toBe(first);
    const another = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
    await server.ask('PATCH', `${all}/orders`, { json: { secret: another }, headers: { 'if-match': '*' } });
    expect(secretOf('orders')).toBe(another);
  });

  it.each([
    ['url', { url: 'https://192.168.0.10/hook' }, /private network \(192\.168\.0\.10\).*FRONTDESK_WEBHOOKS_PRIVATE/],
    ['url', { url: 'https://169.254.169.254/latest' }, /private network/],
    ['url', { url: 'http://orders.example.com/' }, /https:\/\//],
    ['url', { url: 'https://user:password@orders.example.com/' }, /without user, password/],
    ['url', { url: 'ftp://orders.example.com/' }, /Write it as https/],
    ['types[1]', { types: ['call.ended', 'call.nonsense'] }, /must be one of: call\.started/],
    ['types', { types: [] }, /leave it out for all/],
    ['secret', { secret: 'whsec_short' }, /leave it out and one is made/],
  ])('with a wrong %s is refused, made or changed, and says what to do: %j', async (path, wrong, message) => {
    const made = await server.ask('POST', all, { json: { id: 'orders', ...body, ...wrong } });
    const patched = await server.ask('PATCH', `${all}/desk`, { json: wrong, headers: { 'if-match': '*' } });
    for (const { status, json } of [made, patched]) expect([status, json.problems]).toEqual([422, [{ path, message: expect.stringMatching(message) }]]);
  });
});

const event = (n: number): LiveEvent => ({ id: `${n}-0`, at: 1000 * n, account: 'north', type: 'agent.state', data: { agent: `a${n}`, state: 'idle' } });
const state = (about: Partial<WebhookState> = {}): WebhookState => ({ account: 'north', webhook: 'desk', cursor: '3-0', failingSince: null, trouble: null, deliveredAt: 7, disabledAt: null, ...about });

describe('what a webhook did not take', () => {
  it('is listed, and sent again when that is asked for: one, those of a time, or all', async () => {
    for (const n of [1, 2, 3]) await server.stores.webhooks.bury({ account: 'north', webhook: 'desk', event: event(n), attempts: 8, why: 'It answered 500.', diedAt: 9 }, state());
    const letters = (await server.ask('GET', `${all}/desk/dead-letters`, { key: 'northReader' })).json.items as { id: number; event: LiveEvent }[];
    expect(letters.map(({ event: { id } }) => id)).toEqual(['3-0', '2-0', '1-0']);
    const replay = async (json: unknown): Promise<unknown> => {
      const answer = await server.ask('POST', `${all}/desk/replay`, { key: 'north', json });
      return [answer.status, answer.json.replaying];
    };
    expect([await replay({ letter: letters[0]?.id }), await replay({ from: 1000, to: 2000 }), await replay({}), await replay({ letter: 999 })]).toEqual([[202, 1], [202, 2], [202, 3], [404, undefined]]);
    expect((await server.stores.webhooks.toReplay(10)).map(({ event: { id } }) => id)).toEqual(['1-0', '2-0', '3-0']);
    expect(server.stores.entries.filter(({ action }) => action === 'webhook.replay').map(({ outcome, details }) => [outcome, details['replaying']])).toEqual([['ok', 1], ['ok', 2], ['ok', 3], ['refused', undefined]]);
  });

  it('is told by its state', async () => {
    const told = async (): Promise<unknown> => {
      const { json } = await server.ask('GET', `${all}/desk/state`, { key: 'northReader' });
      return [json.state, json.trouble];
    };
    const seen = [await told()];
    await server.stores.webhooks.save(state());
    seen.push(await told());
    await server.stores.webhooks.save(state({ failingSince: 8, trouble: 'It answered 500.' }));
    seen.push(await told());
    await server.stores.webhooks.save(state({ failingSince: 8, trouble: 'It answered 410: it wants no more.', disabledAt: 9 }));
    await server.ask('PATCH', `${all}/desk`, { json: { enabled: false }, headers: { 'if-match': '*' } });
    seen.push(await told());
    expect(seen).toEqual([['off', null], ['works', null], ['fails', 'It answered 500.'], ['disabled', 'It answered 410: it wants no more.']]);
  });
});

describe('the documentation', () => {
  it('of the API has every event that a webhook is sent', async () => {
    const { json } = await server.ask('GET', '/api/v1/openapi.json', { key: null });
    expect(Object.keys(json.webhooks)).toEqual([...eventTypes]);
    const { $ref } = json.webhooks['call.ended'].post.requestBody.content['application/json'].schema;
    expect($ref).toBe('#/components/schemas/CallEndedEvent');
    expect(json.components.schemas.CallEndedEvent.properties).toMatchObject({ type: { const: 'call.ended' }, account: { type: 'string' } });
    expect(json.paths['/api/v1/accounts/{account}/events'].get.responses['200'].content['text/event-stream'].schema.anyOf).toHaveLength(eventTypes.length);
  });

  it('has an example that tells a request of ours from any other', async () => {
    const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'events.md'), 'utf8');
    const [, code = ''] = /^```js\n([^]*?)^```$/m.exec(page) ?? [];
    const { isFromFrontdesk } = (await import(`data:text/javascript,${encodeURIComponent(code)}`)) as { isFromFrontdesk: (secret: string, headers: object, body: string, now?: number) => boolean };
    const secret = `whsec_${Buffer.alloc(32, 3).toString('base64')}`;
    const other = `whsec_${Buffer.alloc(32, 4).toString('base64')}`;
    const now = 1_763_740_000_000;
    const text = '{"type":"call.ended"}';
    const headers = signedHeaders(secret, 'north_1-0', now, text);
    const both = { ...headers, 'webhook-signature': `v1,${'A'.repeat(43)}= ${headers['webhook-signature']}` };
    expect([isFromFrontdesk(secret, headers, text, now), isFromFrontdesk(secret, both, text, now + 299_000)]).toEqual([true, true]);
    expect([
      isFromFrontdesk(other, headers, text, now), isFromFrontdesk(secret, headers, `${text} `, now), isFromFrontdesk(secret, headers, text, now + 301_000), isFromFrontdesk(secret, headers, text, now - 301_000),
      isFromFrontdesk(secret, { ...headers, 'webhook-id': 'north_2-0' }, text, now), isFromFrontdesk(secret, { ...headers, 'webhook-timestamp': 'now' }, text, now), isFromFrontdesk(secret, { ...headers, 'webhook-signature': 'v1,' }, text, now), isFromFrontdesk(secret, {}, text, now),
    ]).toEqual(Array.from({ length: 8 }, () => false));
  });
});
