/** Audio in and out, live calls as they happen, past calls, and the plan of one that might come. */
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { CallChange } from '../../control-plane/http/ports.ts';
import { until } from '../support/until.ts';
import { registrationOf, speech, startApi, type KeyName, type TestApi } from './http-fixture.ts';

let server: TestApi;
beforeEach(async () => { server = await startApi({ limits: { keepAliveMs: 30, streams: 2, unreadBytes: 100_000 } }); });
afterEach(() => server.stop());

const content = '/accounts/north/recordings/north-call--r1/content';
const bytesOf = async (range?: string, target = content): Promise<Response> => fetch(`${server.url}/api/v1${target}`, { headers: { authorization: `Bearer ${server.secrets.north}`, ...(range === undefined ? {} : { range }) } });

describe('a recording', () => {
  it.each([
    [undefined, 200, 0, 1000, null],
    ['bytes=0-', 206, 0, 1000, 'bytes 0-999/1000'],
    ['bytes=100-199', 206, 100, 200, 'bytes 100-199/1000'],
    ['bytes=900-5000', 206, 900, 1000, 'bytes 900-999/1000'],
    ['bytes=-10', 206, 990, 1000, 'bytes 990-999/1000'],
    ['bytes=-5000', 206, 0, 1000, 'bytes 0-999/1000'],
    ['bytes=0-1,5-6', 200, 0, 1000, null],
    ['bytes=9-3', 200, 0, 1000, null],
    ['seconds=1-2', 200, 0, 1000, null],
  ] as const)('is heard by range %s', async (range, status, start, end, contentRange) => {
    const answer = await bytesOf(range);
    expect([answer.status, answer.headers.get('content-range'), answer.headers.get('content-type')]).toEqual([status, contentRange, 'audio/wav']);
    expect(Buffer.from(await answer.arrayBuffer())).toEqual(speech.subarray(start, end));
  });

  it.each(['bytes=1000-', 'bytes=-0'])('has nothing at %s', async (range) => {
    const answer = await server.ask('GET', content, { headers: { range } });
    expect([answer.status, answer.headers.get('content-range')]).toEqual([416, 'bytes */1000']);
  });

  it('is in the audit log each time somebody lists, hears or deletes it', async () => {
    await bytesOf();
    await server.ask('GET', '/accounts/north/voicemails', { key: 'north' });
    await server.ask('DELETE', '/accounts/north/recordings/north-call--r1', { key: 'north' });
    const log = await server.ask('GET', '/audit-log', { key: 'north' });
    expect(log.json.items.slice(0, 3).map(({ action, outcome }: { action: string; outcome: string }) => `${action} ${outcome}`)).toEqual(['recording.delete ok', 'voicemail.list ok', 'recording.listen ok']);
    expect((await server.ask('GET', content)).status).toBe(404);
  });

  it('whose key is missing is told so', async () => {
    const answer = await server.ask('GET', '/accounts/south/recordings/south-call--r1/content');
    expect([answer.status, answer.json.detail]).toEqual([503, expect.stringContaining('key of this recording is missing')]);
    expect(server.recordings.has('south/recording')).toBe(true);
  });
});

const upload = (body: Uint8Array<ArrayBuffer>, type = 'audio/wav', headers = {}): ReturnType<TestApi['ask']> => server.ask('POST', '/accounts/north/audio-files?name=Closed&id=closed', { key: 'north', body, headers: { 'content-type': type, ...headers } });

describe('an audio file', () => {
  it('is uploaded, heard, used, and deleted with its content', async () => {
    const made = await upload(Buffer.from('RIFF closed'));
    expect([made.status, made.json.name, made.headers.get('etag')]).toEqual([201, 'Closed', '"1"']);
    const heard = await bytesOf(undefined, '/accounts/north/audio-files/closed/content');
    expect([await heard.text(), heard.headers.get('etag')]).toEqual(['RIFF closed', `"${made.json.sha256}"`]);
    expect((await upload(Buffer.from('RIFF other'))).status).toBe(409);
    expect((await server.ask('DELETE', '/accounts/north/audio-files/closed', { headers: { 'if-match': '"1"' } })).status).toBe(204);
    const { items: [deletion] } = (await server.ask('GET', '/changes?account=north&kind=audio&id=closed')).json;
    expect((await server.ask('POST', `/changes/${deletion.seq}/undo`)).status).toBe(409);
  });

  it('that is text, empty, of another type or larger than 20 MB is refused', async () => {
    expect((await upload(Buffer.from('hello'))).status).toBe(422);
    expect((await upload(Buffer.alloc(0))).status).toBe(400);
    expect((await upload(Buffer.from('RIFF'), 'text/plain')).status).toBe(415);
    expect((await upload(Buffer.alloc(20 * 1_048_576 + 1))).status).toBe(413);
  });

  it('of a size that nobody told is read up to the limit and no further', async () => {
    let sent = 0;
    const body = new ReadableStream({ pull: (controller) => { sent += 1_048_576; controller.enqueue(new Uint8Array(1_048_576)); if (sent > 200 * 1_048_576) controller.close(); } });
    const answer = fetch(`${server.url}/api/v1/accounts/north/audio-files?name=Endless`, { method: 'POST', body, duplex: 'half', headers: { authorization: `Bearer ${server.secrets.north}`, 'content-type': 'audio/wav' } });
    const status = await answer.then((response) => response.status, () => 413);
    expect([status, sent < 100 * 1_048_576]).toEqual([413, true]);
  });

  it('is uploaded once under one idempotency key', async () => {
    const first = await upload(Buffer.from('RIFF once'), 'audio/wav', { 'idempotency-key': 'u1' });
    const second = await upload(Buffer.from('RIFF once'), 'audio/wav', { 'idempotency-key': 'u1' });
    expect([second.status, second.text]).toEqual([201, first.text]);
    expect((await upload(Buffer.from('RIFF twice'), 'audio/wav', { 'idempotency-key': 'u1' })).status).toBe(422);
  });
});

interface Stream {
  readonly status: number;
  text(): string;
  ended(): boolean;
  close(): void;
}

async function follow(key: KeyName, query = '', headers: Readonly<Record<string, string>> = {}): Promise<Stream> {
  const abort = new AbortController();
  const response = await fetch(`${server.url}/api/v1/events${query}`, { signal: abort.signal, headers: { authorization: `Bearer ${server.secrets[key]}`, ...headers } });
  let text = '';
  let ended = false;
  const read = async (): Promise<void> => {
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) text += decoder.decode(chunk, { stream: true });
  };
  read().catch(() => undefined).finally(() => { ended = true; }).catch(() => undefined);
  return { status: response.status, text: () => text, ended: () => ended, close: () => { abort.abort(); } };
}

const change = (account: string, type: CallChange['type'] = 'changed'): CallChange => {
  const call = server.live.find((one) => one.account === account);
  if (call === undefined) throw new Error(`No live call of ${account}`);
  return { type, call };
};
const says = (stream: Stream, what: string): Promise<unknown> => until(() => stream.text().includes(what), { describe: `the stream says ${what}` });

async function stranger(): Promise<string> {
  const stream = await follow('north', '', { 'last-event-id': 'other-17' });
  if (stream.status === 200) await says(stream, 'event:');
  stream.close();
  return stream.text();
}

const liveIds = async (key: KeyName, query = ''): Promise<unknown> => (await server.ask('GET', `/live-calls${query}`, { key })).json.items.map(({ callId }: { callId: string }) => callId);

describe('live calls', () => {
  it('are listed, each account’s own', async () => {
    expect([await liveIds('agency'), await liveIds('north'), await liveIds('agency', '?account=south')]).toEqual([['north-live', 'south-live'], ['north-live'], ['south-live']]);
  });

  it('are told as they happen, each account its own', async () => {
    const [north, agency] = [await follow('northReader'), await follow('agency')];
    await says(agency, 'event: calls');
    await says(north, 'event: calls');
    server.tell(change('south', 'started'));
    server.tell(change('north', 'ended'));
    await says(north, 'event: ended');
    await says(agency, 'event: started');
    await says(agency, 'event: ended');
    expect(north.text()).not.toContain('south');
    await says(north, ': still here');
    north.close();
    agency.close();
  });

  it('are told among phones and trunks that come and go, each account its own', async () => {
    const [north, agency] = [await follow('northReader'), await follow('agency')];
    await says(agency, 'event: calls');
    await says(north, 'event: calls');
    for (const account of ['south', 'north']) {
      server.tellRegistration({ type: 'registration', registration: { ...registrationOf(account), state: 'unregistered', contact: null } });
      server.tellRegistration({ type: 'alert', alert: { account, kind: 'device', id: 'desk', state: 'gone', at: 9000, goneSince: 1000, sentence: `A phone of ${account} is gone.` } });
    }
    await says(agency, 'A phone of south is gone.');
    await says(north, 'A phone of north is gone.');
    expect(north.text()).toMatch(/event: registration\ndata: {"account":"north","kind":"device","id":"desk","state":"unregistered",.*\n\nid: \S+\nevent: alert\ndata: {"account":"north",/);
    expect(north.text()).not.toContain('south');
    north.close();
    agency.close();
  });

  it('go on after the last event that a reader had, and begin anew for a stranger', async () => {
    const first = await follow('agency');
    server.tell(change('north', 'started'));
    server.tell(change('south', 'changed'));
    await says(first, 'event: changed');
    const [, id = ''] = /id: (\S+)\nevent: started/.exec(first.text()) ?? [];
    first.close();
    server.tell(change('south', 'ended'));
    const again = await follow('agency', '', { 'last-event-id': id });
    await says(again, 'event: ended');
    expect(again.text()).not.toMatch(/event: (calls|started)/);
    expect(again.text()).toContain('event: changed');
    again.close();
    await until(async () => (await stranger()).includes('event: calls'), { describe: 'a stranger gets all calls' });
  });

  it('are no longer told to a key that was deleted, nor on too many streams', async () => {
    const streams = [await follow('northReader'), await follow('northReader')];
    expect((await server.ask('GET', '/events', { key: 'northReader' })).status).toBe(429);
    const [, id = ''] = server.secrets.northReader.split('_');
    await server.ask('DELETE', `/api-keys/${id}`);
    await until(() => streams.every((stream) => stream.ended()), { describe: 'the streams end' });
    server.tell(change('north', 'ended'));
    expect((await server.ask('GET', '/live-calls')).status).toBe(200);
  });

  it('do not wait for a reader who does not read', async () => {
    const abort = new AbortController();
    await fetch(`${server.url}/api/v1/events`, { signal: abort.signal, headers: { authorization: `Bearer ${server.secrets.agency}` } });
    const logged = server.stores.entries.length;
    const big = { ...change('north').call, phase: 'x'.repeat(50_000) };
    await until(async () => {
      for (let i = 0; i < 50; i++) server.tell({ type: 'changed', call: big });
      const streams = [await follow('agency'), await follow('agency')];
      const both = streams.every(({ status }) => status === 200);
      for (const stream of streams) stream.close();
      return both;
    }, { describe: 'the slow reader is dropped, and its place is free', within: 10_000 });
    abort.abort();
    expect(server.stores.entries.length).toBe(logged);
  });
});

describe('calls', () => {
  it('that are over are searched and opened, with their legs and journal', async () => {
    const search = async (query: string): Promise<number> => (await server.ask('GET', `/accounts/north/calls?${query}`)).json.items.length;
    expect([await search('caller=5550187'), await search('caller=999'), await search('disposition=answered&from=1000&to=1000'), await search('to=999')]).toEqual([1, 0, 1, 0]);
    expect((await server.ask('GET', '/accounts/north/calls/north-call')).json).toMatchObject({ callId: 'north-call', legs: [], disposition: 'answered' });
    expect((await server.ask('GET', '/accounts/north/calls/north-call/journal')).json.items).toMatchObject([{ kind: 'opened' }]);
    expect((await server.ask('GET', '/accounts/north/calls/north-live')).json).toMatchObject({ phase: 'ringing' });
    expect((await server.ask('GET', '/accounts/north/calls?disposition=lost')).status).toBe(400);
  });

  it('need phones that can be reached', async () => {
    expect((await server.ask('GET', '/registrations', { key: 'north' })).json.items).toMatchObject([{ account: 'north', state: 'registered' }]);
  });

  it('and which those are is not known while the switch is away', async () => {
    const away = await startApi({ registrations: () => Promise.reject(new Error('There is no link to the switch.')) });
    onTestFinished(() => away.stop());
    const { status, headers, json } = await away.ask('GET', '/registrations');
    expect([status, headers.get('retry-after'), json.detail]).toEqual([503, '5', expect.stringContaining('The switch cannot be asked')]);
    expect(away.logged.join(' ')).toContain('There is no link to the switch.');
  });
});
