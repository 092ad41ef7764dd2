/** The promises of several websockets that are one link, against a server that counts them. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { WebSocketServer, type WebSocket } from 'ws';
import type { AriClient, AriLink } from '../../control-plane/media/asterisk/ari/ari-client.ts';
import { connectLanes } from '../../control-plane/media/asterisk/ari/ari-lanes.ts';

const lanes = 3;
const quiet = () => undefined;
const opened: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close();
});

/** Answers every request with 200, and knows which application's socket each came over. */
async function startSwitch() {
  const lists: string[] = [];
  const http = createServer(({ url, headers }, response) => {
    if (url === '/ari/asterisk/info?only=system') {
      response.writeHead(200).end(JSON.stringify({ system: { version: '22.10.1' } }));
      return;
    }
    lists.push(`${url} ${headers.authorization?.split(' ')[0] ?? ''}`);
    if (url === '/ari/bridges') response.writeHead(500).end();
    else if (url !== '/ari/applications') response.writeHead(200).end('[]');
  });
  const server = new WebSocketServer({ server: http });
  const requests: { readonly app: string; readonly uri: string }[] = [];
  const sockets = new Map<string, WebSocket>();
  let replaced = 0;
  server.on('connection', (socket, upgrade) => {
    const app = new URL(upgrade.url ?? '', 'http://switch').searchParams.get('app') ?? '';
    const former = sockets.get(app);
    if (former?.readyState === former?.OPEN) {
      replaced += former === undefined ? 0 : 1;
      former?.send(JSON.stringify({ type: 'ApplicationReplaced', application: app, timestamp: '', asterisk_id: '' }));
      former?.close();
    }
    sockets.set(app, socket);
    socket.on('message', (data: Buffer) => {
      const { request_id, uri } = JSON.parse(data.toString()) as { request_id: string; uri: string };
      if (!uri.includes('eventFilter')) requests.push({ app, uri });
      socket.send(JSON.stringify({ type: 'RESTResponse', request_id, status_code: 204, reason_phrase: 'No Content', uri }));
    });
  });
  await new Promise<void>((resolve) => { http.listen(0, '127.0.0.1', resolve); });
  opened.push(async () => {
    for (const socket of server.clients) socket.terminate();
    server.close();
    http.closeAllConnections();
    await new Promise<void>((resolve) => { http.close(() => { resolve(); }); });
  });
  return { url: `http://u:p@127.0.0.1:${(http.address() as AddressInfo).port}`, requests, sockets, lists, taken: () => replaced };
}

async function connect(url: string): Promise<{ readonly client: AriClient; readonly told: readonly AriLink[] }> {
  const told: AriLink[] = [];
  const result = await connectLanes({
    url, app: 'frontdesk-x', eventFilter: [], onEvent: quiet, onLink: (state) => { told.push(state); }, log: { info: quiet, warn: quiet, error: quiet },
    backOff: { firstMs: 5, maxMs: 20 },
  }, lanes);
  if (!result.ok) throw new Error(result.message);
  opened.push(() => result.client.close());
  return { client: result.client, told };
}

describe('several websockets that are one link', () => {
  test('are told up once, when all are', async () => {
    const { url, sockets } = await startSwitch();
    const { told, client } = await connect(url);
    expect(told).toEqual(['up']);
    expect(sockets.size).toBe(1 + lanes);
    expect([...sockets.keys()].filter((app) => app.startsWith('frontdesk-'))).toEqual(['frontdesk-x']);
    expect(client.stats().connects).toBe(1);
  });

  test('carry all of a call over one lane, calls over all lanes, and what belongs to no call over none', async () => {
    const { url, requests } = await startSwitch();
    const { client } = await connect(url);
    const calls = Array.from({ length: 60 }, (_, i) => `fd1-1700000000.${i}`);
    for (const call of calls) {
      await client.request('channels.answer', { channelId: call });
      await client.request('channels.hangup', { channelId: `${call}--l1` });
      await client.request('bridges.destroy', { bridgeId: `${call}--b2` });
      for (const side of ['caller', 'callee']) await client.request('channels.hangup', { channelId: `${call}--c3-${side}` });
    }
    await client.request('asterisk.ping');
    const lanesOf = new Map(calls.map((call) => [call, new Set(requests.filter(({ uri }) => uri.includes(`/${call}`) && new RegExp(`${call}(--|/|\\?|$)`).test(uri)).map(({ app }) => app))]));
    expect([...lanesOf.values()].every((used) => used.size === 1)).toBe(true);
    expect(new Set([...lanesOf.values()].flatMap((used) => [...used]))).toHaveLength(lanes);
    expect(requests.filter(({ app }) => app === 'frontdesk-x').map(({ uri }) => uri)).toEqual(['asterisk/ping']);
  });

  test('ask for lists by none of them, and for none without a link', async () => {
    const { url, requests, sockets, lists } = await startSwitch();
    const { client, told } = await connect(url);
    expect(await client.request('channels.list')).toEqual({ ok: true, status: 200, body: [] });
    expect(await client.request('endpoints.listByTech', { tech: 'PJSIP' })).toEqual({ ok: true, status: 200, body: [] });
    expect(await client.request('bridges.list')).toMatchObject({ ok: false, error: 'rejected', status: 500 });
    expect(await client.request('applications.list', {}, { timeoutMs: 20 })).toMatchObject({ ok: false, error: 'timeout' });
    const lost = client.request('applications.list');
    await vi.waitFor(() => { expect(lists.filter((list) => list.startsWith('/ari/applications'))).toHaveLength(2); });
    for (const socket of sockets.values()) socket.terminate();
    expect(await lost).toMatchObject({ ok: false, error: 'unreachable' });
    expect(await client.request('channels.list')).toMatchObject({ ok: false, error: 'unreachable', sent: false });
    expect(lists.slice(0, 3)).toEqual(['/ari/channels Basic', '/ari/endpoints/PJSIP Basic', '/ari/bridges Basic']);
    expect(requests).toEqual([]);
    await vi.waitFor(() => { expect(told).toEqual(['up', 'down', 'up']); }, { timeout: 5000 });
  });

  test.each([0, 1, lanes])('are all lost with websocket %i, and come back as one', async (lost) => {
    const { url, sockets } = await startSwitch();
    const { client, told } = await connect(url);
    const victim = [...sockets.keys()].toSorted((a, b) => Number(b.startsWith('frontdesk-')) - Number(a.startsWith('frontdesk-')) || a.localeCompare(b))[lost];
    sockets.get(victim ?? '')?.terminate();
    await vi.waitFor(() => { expect(told).toContain('down'); }, { interval: 1 });
    await vi.waitFor(() => { expect(told).toEqual(['up', 'down', 'up']); }, { timeout: 5000, interval: 5 });
    expect(await client.request('channels.answer', { channelId: 'fd1-1.1' })).toMatchObject({ ok: true });
    expect(client.stats().connects).toBe(2);
  });

  test('whose name another process takes are all given up, and none of them comes back to take a lane of that one', async () => {
    const { url, sockets, taken } = await startSwitch();
    const { told } = await connect(url);
    const before = [...sockets.values()];
    const second = await connect(url);
    await vi.waitFor(() => { expect(before.every((socket) => socket.readyState === socket.CLOSED)).toBe(true); }, { timeout: 5000 });
    expect(told).toEqual(['up', 'replaced']);
    // What had been going to connect again would have by now: its longest wait is 20 ms.
    await new Promise((resolve) => { setTimeout(resolve, 100); });
    expect(taken()).toBeLessThanOrEqual(1 + lanes);
    expect(second.told).toEqual(['up']);
    expect(await second.client.request('channels.answer', { channelId: 'fd1-1.1' })).toMatchObject({ ok: true });
  });
});
