/** A real call, seen as it happens by a program that follows the account, and by a receiver of its webhook. */
import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventSchemas, type LiveEvent } from '../../control-plane/events/catalogue.ts';
import { firstKeyOf, openApi, type Api } from '../support/api.ts';
import { answersAfter, rings } from '../support/behaviour.ts';
import { eventTypes } from '../../control-plane/events/types.ts';
import type { Controller } from '../support/controller.ts';
import { openSite, SITE_START_MS, type Site } from '../support/site.ts';
import { until } from '../support/until.ts';

const NUMBER = '+12025550190';
const QUEUED = '+12025550191';
const CALLER = '+13035550191';
let site: Site;
let controller: Controller;
let api: Api;
let receiver: Server;
/** It takes what it is sent, and does not answer. */
let hold = false;
/** By a webhook of its own. */
const toWall: LiveEvent[] = [];
const delivered: { readonly headers: IncomingMessage['headers']; readonly body: string }[] = [];

const start = (): Promise<Controller> => site.startController({ planFile: '', env: { FRONTDESK_WEBHOOKS_PRIVATE: 'allow' } });

beforeAll(async () => {
  site = await openSite();
  controller = await start();
  api = openApi(() => controller.httpUrl, firstKeyOf(controller));
  receiver = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => { body += chunk; }).on('end', () => {
      if (request.url === '/wall') toWall.push(JSON.parse(body) as LiveEvent);
      else delivered.push({ headers: request.headers, body });
      if (!hold) response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => { receiver.listen(0, '127.0.0.1', resolve); });
  await api.write('POST', '/accounts', { id: 'clinic', name: 'The Clinic' });
  await api.write('POST', '/accounts/clinic/trunks', { id: 'lab', ...site.trunkAddress('carrier'), register: false });
  await api.write('POST', '/accounts/clinic/users', { id: 'ann', name: 'Ann' });
  await api.write('POST', '/accounts/clinic/devices', { id: 'desk', user: 'ann', extension: '401', label: 'desk' });
  await api.write('POST', '/accounts/clinic/numbers', { id: 'main', e164: NUMBER, name: 'Main', users: ['ann'], callConnect: 'off' });
}, SITE_START_MS);
afterAll(async () => {
  receiver.close();
  await site.close();
});

/** The events that a stream tells, until it ends. */
async function follow(query: string, key = firstKeyOf(controller)): Promise<{ readonly events: LiveEvent[]; ended(): boolean }> {
  const response = await fetch(`${controller.httpUrl}/api/v1/accounts/clinic/events${query}`, { headers: { authorization: `Bearer ${key}` } });
  expect(response.status).toBe(200);
  const events: LiveEvent[] = [];
  let ended = false;
  let text = '';
  void (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      const blocks = (text + decoder.decode(chunk, { stream: true })).split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        const [, data] = /^data: (.*)$/m.exec(block) ?? [];
        if (data !== undefined) events.push(JSON.parse(data) as LiveEvent);
      }
    }
  })().catch(() => undefined).finally(() => { ended = true; });
  return { events, ended: () => ended };
}

/** Of calls alone. */
const typesOf = (events: readonly LiveEvent[]): readonly string[] => events.map(({ type }) => type).filter((type) => type.startsWith('call.'));

test('A call is told as it begins, is answered and ends: on a stream, and to a webhook with its signature', async () => {
  const { json } = await api.write('POST', '/accounts/clinic/webhooks', { id: 'crm', name: 'CRM', url: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`, types: ['call.started', 'call.answered', 'call.ended'] });
  const { secret } = json as { readonly secret: string };
  await until(async () => (await api.get<{ state: string }>('/accounts/clinic/webhooks/crm/state')).state === 'works', { describe: 'the webhook has begun' });
  const { password } = await api.get<{ password: string }>('/accounts/clinic/devices/desk/credentials');
  const stream = await follow('');
  await site.phone('401', answersAfter(50), { password });
  const caller = await site.call({ from: CALLER, to: NUMBER });
  await caller.call.connected();
  await until(() => typesOf(stream.events).includes('call.answered'), { describe: 'the answer is told' });
  await caller.call.hangUp();
  await until(() => typesOf(stream.events).includes('call.ended') && delivered.length >= 3, { describe: 'the end is told, and delivered' });

  expect(typesOf(stream.events)).toEqual(['call.started', 'call.answered', 'call.ended']);
  const phone = await until(() => stream.events.find(({ type }) => type === 'device.reachable'), { describe: 'the phone is told to be there' });
  expect(phone.data).toMatchObject({ id: '401', state: 'registered' });
  for (const event of stream.events) eventSchemas[event.type].parse(event);
  const [started, answered, ended] = stream.events.filter(({ type }) => type.startsWith('call.'));
  expect([started?.data, answered?.data, ended?.data]).toEqual([
    expect.objectContaining({ caller: expect.objectContaining({ number: CALLER }), dialled: NUMBER, origin: 'trunk' }),
    expect.objectContaining({ leg: expect.objectContaining({ user: 'ann', label: 'desk' }) }),
    expect.objectContaining({ disposition: 'answered', endedBy: 'caller' }),
  ]);

  expect(delivered.map(({ body }) => JSON.parse(body) as unknown)).toEqual([started, answered, ended]);
  for (const { headers, body } of delivered) {
    const content = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`;
    expect(headers['webhook-signature']).toBe(`v1,${createHmac('sha256', Buffer.from(secret.slice('whsec_'.length), 'base64')).update(content).digest('base64')}`);
  }

  const resumed = await follow(`?after=${started?.id ?? ''}&types=call.ended,call.answered`);
  await until(() => resumed.events.length === 2, { describe: 'what came after is told again' });
  expect(resumed.events).toEqual([answered, ended]);
  await site.afterTest();
}, 60_000);

test('A call through a queue is told from its join to its end, and its agent with it: on a stream, and to a webhook', async () => {
  await api.write('POST', '/accounts/clinic/queues', { id: 'front', name: 'Front', strategy: 'longest-idle', agents: [{ user: 'ann' }], wrapUpSeconds: 0, rejectDelaySeconds: 1, joinNeeds: 'nobody', stayNeeds: 'nobody' });
  await api.write('POST', '/accounts/clinic/numbers', { id: 'line', e164: QUEUED, name: 'Line', route: { to: 'queue', id: 'front' }, callConnect: 'off' });
  const types = eventTypes.filter((type) => /^(queue|offer|agent)\./.test(type));
  await api.write('POST', '/accounts/clinic/webhooks', { id: 'wall', name: 'Wall', url: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/wall`, types });
  await until(async () => (await api.get<{ state: string }>('/accounts/clinic/webhooks/wall/state')).state === 'works', { describe: 'the webhook has begun' });
  const { events } = await follow(`?types=${types.join()}`);
  const told = (type: LiveEvent['type']): Promise<LiveEvent> => until(() => events.find((event) => event.type === type), { describe: `${type} is told; told are ${events.map((event) => event.type).join(', ')}` });

  const gone = await site.call({ from: '+13035550192', to: QUEUED });
  await told('queue.entered');
  await gone.call.hangUp();
  expect((await told('queue.left')).data).toMatchObject({ queue: 'front', why: 'abandoned' });

  const ann = await site.phone('401', rings(), { password: (await api.get<{ password: string }>('/accounts/clinic/devices/desk/credentials')).password });
  await api.write('PUT', '/accounts/clinic/agents/ann/devices', {});
  await api.write('PUT', '/accounts/clinic/agents/ann/status', { status: 'available' });
  const caller = await site.call({ from: CALLER, to: QUEUED });
  await (await ann.nextCall()).reject('declined');
  const second = await ann.nextCall();
  await second.answer();
  await told('queue.connected');
  await second.hangUp();
  await caller.call.ended();
  await until(() => events.at(-1)?.type === 'agent.state' && events.some(({ type }) => type === 'queue.service-ended') && toWall.length >= events.length, { describe: 'the end of the service is told, and delivered' });

  for (const event of events) eventSchemas[event.type].parse(event);
  const words = events.filter(({ type }) => type !== 'agent.state').map(({ type, data }) => [type, ...['status', 'outcome', 'why'].flatMap((field) => (field in data ? [(data as Readonly<Record<string, unknown>>)[field]] : []))].join(' '));
  expect(words).toEqual([
    'queue.entered', 'queue.left abandoned', 'agent.status available', 'queue.entered', 'offer.made', 'offer.ended rejected declined', 'offer.made', 'offer.ended accepted accepted', 'queue.connected', 'queue.service-ended',
  ]);
  expect(events.flatMap(({ type, data }) => (type === 'agent.state' && 'state' in data ? [data.state] : []))).toEqual(['offered', 'idle', 'offered', 'on-call', 'idle']);
  expect(toWall.slice(0, events.length)).toEqual(events);
  await api.ask('DELETE', '/accounts/clinic/webhooks/wall');
  await until(() => typesOf(delivered.map(({ body }) => JSON.parse(body) as LiveEvent)).filter((type) => type === 'call.ended').length === 3, { describe: 'the other webhook has the ends of all calls' });
  await api.write('PUT', '/accounts/clinic/agents/ann/status', { status: 'offline' });
  await site.afterTest();
}, 60_000);

test('A controller that dies with a delivery on its way leaves nothing out, and one that is told to stop ends its streams', async () => {
  hold = true;
  const before = delivered.length;
  const stream = await follow('?types=call.ended');
  await site.phone('401', answersAfter(50, { sound: 700 }), { password: (await api.get<{ password: string }>('/accounts/clinic/devices/desk/credentials')).password });
  const caller = await site.call({ from: CALLER, to: NUMBER });
  await caller.call.connected();
  // FreeSWITCH has the two hear each other some moments later
  await until(() => caller.call.hears(700), { describe: 'the caller hears who answered' });
  await caller.call.hangUp();
  await until(() => stream.events.length === 1 && delivered.length > before, { describe: 'the call is over, and a delivery under way' });
  await site.afterTest();
  await controller.kill();
  expect(typesOf(delivered.slice(before).map(({ body }) => JSON.parse(body) as LiveEvent))).toEqual(['call.started']);
  hold = false;
  const key = firstKeyOf(controller);
  controller = await start();
  await until(() => delivered.length >= before + 4, { describe: 'it is delivered again, and what follows' });
  expect(typesOf(delivered.slice(before).map(({ body }) => JSON.parse(body) as LiveEvent))).toEqual(['call.started', 'call.started', 'call.answered', 'call.ended']);
  const ids = delivered.slice(before).map(({ headers }) => headers['webhook-id']);
  expect([ids[0], new Set(ids).size]).toEqual([ids[1], 3]);

  const last = JSON.parse(delivered[0]?.body ?? '') as LiveEvent;
  const resumed = await follow(`?after=${last.id}&types=call.ended`, key);
  await until(() => resumed.events.length === 4, { describe: 'the ends of all calls are told by the next controller' });
  await controller.stop();
  expect([resumed.ended(), controller.ended()]).toEqual([true, 'exit code 0']);
}, 60_000);
