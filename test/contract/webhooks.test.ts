/** Webhooks against real HTTP servers that take, fail, delay, redirect and go: what arrives, how often, in what order. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Doc } from '../../control-plane/configuration/documents.ts';
import type { ConfigObject } from '../../control-plane/configuration/objects.ts';
import type { Configuration } from '../../control-plane/configuration/configuration.ts';
import type { LiveEvent, NewEvent } from '../../control-plane/events/catalogue.ts';
import { createEventFeed, type EventFeed } from '../../control-plane/events/feed.ts';
import type { Patience } from '../../control-plane/events/webhooks/deliveries.ts';
import { createPost } from '../../control-plane/events/webhooks/post.ts';
import { signedHeaders } from '../../control-plane/events/webhooks/sign.ts';
import { startWebhooks, type Webhooks } from '../../control-plane/events/webhooks/webhooks.ts';
import { createMetrics, type Metrics } from '../../control-plane/telemetry/metrics.ts';
import { silent } from '../runtime/sample-call.ts';
import { memoryEventLog, memoryWebhooks } from '../support/memory-events.ts';
import { stays, until } from '../support/until.ts';

const secret = `whsec_${Buffer.from('a secret of more than 24 bytes').toString('base64')}`;
const event = (agent: string, at = 1000): NewEvent => ({ at, account: 'north', type: 'agent.state', data: { agent, state: 'idle' } });
const quick: Patience = { waitsMs: [5, 5, 5], longestWaitMs: 50, disableAfterMs: 60_000, storeMs: 5 };

interface Taken {
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  readonly word: string;
}

/** A receiver; `answer` decides, and a request counts as taken when it has been read. */
interface Receiver {
  readonly url: string;
  readonly taken: Taken[];
  readonly words: () => readonly string[];
  answer: (request: Taken, response: ServerResponse) => void;
  has(count: number): Promise<readonly string[]>;
  stop(): Promise<void>;
}

const saysNothing = (): void => undefined;
const takes = (_: Taken, response: ServerResponse): void => { response.writeHead(204).end(); };

async function receiver(): Promise<Receiver> {
  const taken: Taken[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => { body += chunk; });
    request.on('end', () => {
      const told = JSON.parse(body) as LiveEvent;
      const one = { headers: request.headers, body, word: told.type === 'agent.state' ? told.data.agent : told.type };
      taken.push(one);
      self.answer(one, response);
    });
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  const words = (): readonly string[] => taken.map(({ word }) => word);
  const self: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, taken, words, answer: takes,
    has: (count) => until(() => (taken.length >= count ? words() : null), { describe: `${count} requests came; they were ${words().join(', ')}` }),
    stop: () => new Promise((resolve) => {
      server.close(() => { resolve(); });
      server.closeAllConnections();
    }),
  };
  return self;
}

/** A clinic with webhooks, and controllers that may deliver to them. */
function clinic() {
  const log = memoryEventLog();
  const db = { away: false };
  const store = memoryWebhooks(() => { if (db.away) throw new Error('The database is away'); });
  const objects = new Map<string, ConfigObject<'webhook'>>();
  const started: { readonly webhooks: Webhooks; readonly feed: EventFeed }[] = [];
  const configuration = {
    get: ({ id }: { readonly id: string }) => objects.get(id),
    list: () => [...objects.values()],
    write: async ([draft]: readonly { readonly id: string; readonly body: unknown }[]) => {
      if (draft !== undefined) put(draft.id, draft.body as Doc<'webhook'>);
      return { ok: true };
    },
  } as unknown as Pick<Configuration, 'get' | 'list' | 'write'>;
  const put = (id: string, body: Partial<Doc<'webhook'>> & { readonly url: string }): void => {
    objects.set(id, { account: 'north', kind: 'webhook', id, version: (objects.get(id)?.version ?? 0) + 1, createdAt: 0, updatedAt: 0, body: { name: id, enabled: true, secret, ...body } });
  };
  const published: NewEvent[] = [];
  const start = (patience: Partial<Patience> = {}, { leads = () => true, withinMs = 5000 }: { leads?: () => boolean; withinMs?: number } = {}): { readonly webhooks: Webhooks; readonly feed: EventFeed; readonly metrics: Metrics } => {
    const feed = createEventFeed({ store: log, log: silent });
    const metrics = createMetrics();
    const webhooks = startWebhooks({
      configuration, isSettled: () => true, leads, feed, store, post: createPost({ allowPrivate: true, withinMs }), publish: (one) => { published.push(one); },
      log: silent, metrics, patience: { ...quick, ...patience }, lookEveryMs: 10,
    });
    started.push({ webhooks, feed });
    return { webhooks, feed, metrics };
  };
  const stateOf = async (id = 'crm') => (await store.states()).find(({ webhook }) => webhook === id);
  const begun = (id = 'crm'): Promise<unknown> => until(() => stateOf(id), { describe: `the deliveries of ${id} have begun` });
  return {
    log, store, db, put, objects, published, start, stateOf, begun,
    letters: async () => (await store.deadLetters({ account: 'north', webhook: 'crm' }, { limit: 100 })).items,
    stop: async () => {
      for (const { webhooks, feed } of started) {
        await feed.stop();
        await webhooks.stop();
      }
    },
  };
}

let one: Receiver;
let site: ReturnType<typeof clinic>;
beforeEach(async () => {
  one = await receiver();
  site = clinic();
  site.put('crm', { url: one.url });
});
afterEach(async () => {
  await site.stop();
  await one.stop();
});

describe('a webhook', () => {
  it('is sent each event once and in order, signed so that its receiver can tell', async () => {
    site.start();
    await site.begun();
    const ids = await site.log.add(...Array.from({ length: 250 }, (_, i) => event(`e${i}`)));
    expect(await one.has(250)).toEqual(Array.from({ length: 250 }, (_, i) => `e${i}`));
    for (const { headers, body } of one.taken) {
      const content = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`;
      expect(headers['webhook-signature']).toBe(`v1,${createHmac('sha256', Buffer.from(secret.slice(6), 'base64')).update(content).digest('base64')}`);
      expect(Math.abs(Number(headers['webhook-timestamp']) - Date.now() / 1000)).toBeLessThan(30);
    }
    expect(one.taken.map(({ headers }) => headers['webhook-id'])).toEqual(ids.map((id) => `north_${id}`));
    await until(async () => (await site.stateOf())?.cursor === ids.at(-1), { describe: 'where it has come to is kept' });
  });

  it('signs as the example of the specification', () => {
    const headers = signedHeaders('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'msg_p5jXN8AQM9LWM0D4loKWxJek', 1_614_265_330_000, '{"test": 2432232314}');
    expect(headers['webhook-signature']).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  });

  it('is sent the types it asks for, from when it began, and gaps', async () => {
    site.put('crm', { url: one.url, types: ['call.started', 'gap'] });
    await site.log.add(event('before'));
    site.start();
    await site.begun();
    // after the gap all before it have been passed over
    await site.log.add(event('unwanted'), event('unwanted too'), { at: 1, account: 'north', type: 'gap', data: { why: 'dropped', dropped: 3 } });
    expect(await one.has(1)).toEqual(['gap']);
    site.put('crm', { url: one.url });
    await site.log.add(event('wanted'));
    expect(await one.has(2)).toEqual(['gap', 'wanted']);
  });

  it('that fails for a while is tried again, and has everything in order', async () => {
    one.answer = ({ word }, response) => {
      response.writeHead(word === 'b' && one.words().filter((other) => other === 'b').length <= 3 ? 500 : 200).end();
    };
    const { metrics } = site.start();
    await site.begun();
    const ids = await site.log.add(event('a'), event('b'), event('c'));
    expect(await one.has(6)).toEqual(['a', 'b', 'b', 'b', 'b', 'c']);
    expect(new Set(one.taken.slice(1, 5).map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    await until(async () => (await site.stateOf())?.cursor === ids.at(-1), { describe: 'the last is done with' });
    expect((await site.stateOf())?.failingSince).toBeNull();
    expect([metrics.get('webhook_deliveries_total'), metrics.get('webhook_failures_total'), await site.letters()]).toEqual([3, 3, []]);
  });

  it.each([
    ['answers 302', 'redirects are not followed', (_: Taken, response: ServerResponse): void => { response.writeHead(302, { location: one.url }).end(); }],
    ['never answers', 'no answer within 0.1 s', saysNothing],
    ['hangs up', 'could not be reached', (_: Taken, response: ServerResponse): void => { response.destroy(); }],
    ['is not there', 'ECONNREFUSED', null],
  ] as const)('that %s has the event put among the dead letters in the end, and goes on with the next', async (_title, why, answer) => {
    one.answer = answer ?? takes;
    if (answer === null) site.put('crm', { url: 'http://127.0.0.1:9/' });
    site.start({ waitsMs: [1] }, answer === saysNothing ? { withinMs: 100 } : {});
    await site.begun();
    const [a] = await site.log.add(event('a'));
    const [letter] = await until(async () => ((await site.letters()).length > 0 ? site.letters() : null), { describe: 'the event is given up' });
    expect(letter).toMatchObject({ attempts: 2, why: expect.stringContaining(why), event: { id: a, data: { agent: 'a' } } });
    expect((await site.stateOf())?.cursor).toBe(a);
    one.answer = takes;
    site.put('crm', { url: one.url });
    await site.log.add(event('b'));
    await until(() => one.words().includes('b'), { describe: 'the next is sent' });
  });

  it('is read no further than it takes to end its answer', async () => {
    let sent = 0;
    let closed = false;
    one.answer = (_, response) => {
      response.writeHead(200);
      response.on('close', () => { closed = true; });
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(16_384))) sent += 16_384;
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    };
    const { metrics } = site.start();
    await site.begun();
    await site.log.add(event('a'));
    await until(() => metrics.get('webhook_deliveries_total') === 1 && closed, { describe: 'its 200 counts, and it is cut off' });
    expect(sent).toBeLessThan(20_000_000);
  });

  it('that asks for time is given it', async () => {
    const times: number[] = [];
    one.answer = (_, response) => {
      times.push(performance.now());
      if (times.length === 1) response.writeHead(429, { 'retry-after': '3600' }).end();
      else response.writeHead(200).end();
    };
    site.start({ longestWaitMs: 200 });
    await site.begun();
    await site.log.add(event('a'));
    await one.has(2);
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThan(190);
  });

  it('that answers 410 is disabled at once, which is said; enabled again, it goes on where it was', async () => {
    one.answer = (_, response) => { response.writeHead(410).end(); };
    const { webhooks, metrics } = site.start();
    await site.begun();
    await site.log.add(event('a'), event('b'));
    await until(() => site.published.length > 0, { describe: 'an event says so' });
    expect(site.published).toMatchObject([{ account: 'north', type: 'webhook.disabled', data: { webhook: 'crm', why: expect.stringContaining('410') } }]);
    expect(site.objects.get('crm')?.body.enabled).toBe(false);
    expect(webhooks.problems()).toEqual([expect.stringMatching(/^The webhook crm of north was disabled: It answered 410/)]);
    expect([one.words(), metrics.get('webhooks_disabled_total')]).toEqual([['a'], 1]);
    await site.log.add(event('c'));
    await stays(() => one.taken.length === 1, { describe: 'nothing more is sent', forMs: 100 });
    one.answer = takes;
    site.put('crm', { url: one.url });
    expect(await one.has(4)).toEqual(['a', 'a', 'b', 'c']);
    await until(() => webhooks.problems().length === 0, { describe: 'nothing is wrong any more' });
    expect(await site.letters()).toEqual([]);
  });

  it('through which nothing gets for long is disabled, and says since when', async () => {
    one.answer = (_, response) => { response.writeHead(500).end(); };
    const { webhooks } = site.start({ disableAfterMs: 50, waitsMs: Array.from({ length: 1000 }, () => 5) });
    await site.begun();
    await site.log.add(event('a'));
    await until(() => site.published.length > 0, { describe: 'it is disabled' });
    expect(webhooks.problems()[0]).toMatch(/Nothing has got through since 20.*; the last time: It answered 500\./);
    expect(await site.letters()).toEqual([]);
  });

  it('that is deleted is forgotten with all that was kept of it', async () => {
    one.answer = (_, response) => { response.writeHead(500).end(); };
    site.start({ waitsMs: [] });
    await site.begun();
    await site.log.add(event('a'));
    await until(async () => (await site.letters()).length === 1, { describe: 'a dead letter' });
    site.objects.delete('crm');
    await until(async () => (await site.stateOf()) === undefined && (await site.letters()).length === 0, { describe: 'nothing is left of it' });
    expect(await site.stateOf()).toBeUndefined();
  });

  it('does not wait for another that hangs', async () => {
    const hanging = await receiver();
    hanging.answer = () => undefined;
    site.put('hangs', { url: hanging.url });
    site.start();
    await site.begun();
    await site.begun('hangs');
    await site.log.add(event('a'), event('b'));
    expect([await one.has(2), hanging.words()]).toEqual([['a', 'b'], ['a']]);
    await site.stop();
    await hanging.stop();
  });
});

/** Gives up an event of each word, at 1, 2, … seconds. */
const die = async (words: readonly string[]): Promise<void> => {
  one.answer = (_, response) => { response.writeHead(500).end(); };
  await site.begun();
  await site.log.add(...words.map((word, i) => event(word, 1000 * (i + 1))));
  await until(async () => (await site.letters()).length === words.length, { describe: 'all are given up' });
  one.taken.length = 0;
};

describe('dead letters', () => {
  it('are sent again when that is asked for: those of a time, one, or all, in the order of their events', async () => {
    site.start({ waitsMs: [] });
    await die(['a', 'b', 'c', 'd']);
    one.answer = takes;
    await site.store.replay({ account: 'north', webhook: 'crm', from: 2000, to: 3000 }, Date.now());
    expect(await one.has(2)).toEqual(['b', 'c']);
    await until(async () => (await site.letters()).length === 2, { describe: 'they are dead no more' });
    await site.store.replay({ account: 'north', webhook: 'crm' }, Date.now());
    expect(await one.has(4)).toEqual(['b', 'c', 'a', 'd']);
    await until(async () => (await site.letters()).length === 0, { describe: 'none is left' });
  });

  it('that are not taken again stay, and say why', async () => {
    site.start({ waitsMs: [] });
    await die(['a']);
    one.answer = (_, response) => { response.writeHead(503).end(); };
    await site.store.replay({ account: 'north', webhook: 'crm' }, Date.now());
    await until(async () => (await site.letters())[0]?.attempts === 2, { describe: 'it was tried' });
    expect(await site.letters()).toMatchObject([{ why: 'It answered 503.', replayAt: null }]);
    await stays(() => one.taken.length === 1, { describe: 'it is tried once', forMs: 100 });
  });
});

describe('among several controllers', () => {
  it('one alone delivers, and another goes on where it was', async () => {
    let leader = 'elder';
    site.start({}, { leads: () => leader === 'elder' });
    site.start({}, { leads: () => leader === 'younger' });
    await site.begun();
    await site.log.add(event('a'), event('b'));
    await one.has(2);
    await until(async () => (await site.stateOf())?.cursor === (await site.log.ends('north'))?.last, { describe: 'where it has come to is kept' });
    leader = 'younger';
    await site.log.add(event('c'), event('d'));
    expect(await one.has(4)).toEqual(['a', 'b', 'c', 'd']);
    await stays(() => one.taken.length === 4, { describe: 'nothing comes twice', forMs: 100 });
  });

  it('what one had sent when it died, and not noted, is sent again by the next: nothing is lost', async () => {
    let dead = false;
    const held: ServerResponse[] = [];
    one.answer = ({ word }, response) => {
      if (word === 'c') held.push(response);
      else response.writeHead(200).end();
    };
    const first = site.start({}, { leads: () => !dead });
    await site.begun();
    await site.log.add(event('a'), event('b'), event('c'), event('d'));
    await until(() => held.length === 1, { describe: 'the third is on its way' });
    // its answer is never heard, nor is anything written from now on
    dead = true;
    await first.webhooks.stop();
    one.answer = takes;
    site.start();
    await until(() => one.words().includes('d'), { describe: 'the next controller goes on' });
    expect([...new Set(one.words())]).toEqual(['a', 'b', 'c', 'd']);
    expect(one.words().filter((word) => word === 'c')).toHaveLength(2);
  });

  it('the database may be away: deliveries go on, and some may come twice, but none is left out', async () => {
    const first = site.start();
    await site.begun();
    site.db.away = true;
    await site.log.add(event('a'), event('b'));
    expect(await one.has(2)).toEqual(['a', 'b']);
    await first.webhooks.stop();
    site.db.away = false;
    site.start();
    await site.log.add(event('c'));
    await until(() => one.words().includes('c'), { describe: 'it goes on' });
    expect(one.words()).toEqual(['a', 'b', 'a', 'b', 'c']);
  });

  it('Redis may be away: what waits there is delivered when it is back', async () => {
    site.start();
    await site.begun();
    site.log.away = true;
    await stays(() => one.taken.length === 0, { describe: 'nothing can be read', forMs: 50 });
    site.log.away = false;
    await site.log.add(event('a'));
    expect(await one.has(1)).toEqual(['a']);
  });

  it('a webhook that was down for longer than events are kept is told of the gap', async () => {
    let leads = true;
    const first = site.start({}, { leads: () => leads });
    await site.begun();
    await site.log.add(event('a'));
    await one.has(1);
    await until(async () => (await site.stateOf())?.cursor === (await site.log.ends('north'))?.last, { describe: 'where it has come to is kept' });
    leads = false;
    await first.webhooks.stop();
    await site.log.add(event('b'), event('c'), event('d'));
    site.log.trim('north', 1);
    site.start();
    expect(await one.has(3)).toEqual(['a', 'gap', 'd']);
    expect(new Set(one.taken.map(({ headers }) => headers['webhook-id'])).size).toBe(3);
  });
});
