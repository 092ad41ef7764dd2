/** Who learns of supervisions: keys that may supervise, and no others, of live calls, of records, and of what is told as it happens. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LiveCall } from '../../control-plane/http/ports.ts';
import { journalFor } from '../../control-plane/http/seen-by.ts';
import type { EventData } from '../../control-plane/events/catalogue.ts';
import { newKey } from '../../control-plane/http/auth.ts';
import { openingOf, stepAt } from '../runtime/sample-call.ts';
import { until } from '../support/until.ts';
import { cdrOf, startApi, type KeyName, type TestApi } from './http-fixture.ts';

let server: TestApi;
const ear = 'fdsupervision-0a.main';
const heard: Pick<LiveCall, 'supervisedBy'> = { supervisedBy: [{ supervision: ear, by: 'key1', periods: [{ mode: 'listen', from: 2000, to: null }] }] };
const live = (callId: string): LiveCall => ({ ...cdrOf('north', callId), ...(callId === ear ? {} : heard), endedAt: null, disposition: null, phase: 'connected' });

beforeAll(async () => {
  server = await startApi({ limits: { keepAliveMs: 50 } });
  server.live.splice(0, server.live.length, live('talk'), live(ear));
  await server.stores.cdrs.add([{ ...cdrOf('north', 'talked'), ...heard }, cdrOf('north', 'fdsupervision-0b.main')]);
});
afterAll(() => server.stop());

const path = '/accounts/north/calls';
const both = async (of: (key: KeyName) => Promise<unknown>): Promise<readonly unknown[]> => [await of('northSupervisor'), await of('northReader')];

const keyOf = (role: 'supervisor' | 'read-only') => newKey({ name: 'k', role, account: 'north', expiresAt: null }, 0).key;
const about = (callId: string): EventData<'call.started'> => ({ callId, number: { e164: '', label: '' }, caller: { number: '', name: '' }, dialled: '', origin: 'phone', startedAt: 1 });
const record = (callId: string): EventData<'call.ended'> => live(callId) as unknown as EventData<'call.ended'>;
const typesIn = (text: string): readonly string[] => [...text.matchAll(/^event: (.*)$/gm)].map(([, type = '']) => type);
const callsIn = (text: string): readonly string[] => [...text.matchAll(/"callId":"([^"]*)"/g)].map(([, id = '']) => id);
const follow = async (key: KeyName, target: string, headers: Readonly<Record<string, string>> = {}): Promise<() => string> => {
  const response = await fetch(`${server.url}/api/v1${target}`, { headers: { authorization: `Bearer ${server.secrets[key]}`, ...headers } });
  let text = '';
  void (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) text += decoder.decode(chunk, { stream: true });
  })().catch(() => undefined);
  await until(() => text.length > 0, { describe: 'the stream is open' });
  return () => text;
};
/** The one that is told last. */
const ended = async (streams: readonly (() => string)[]): Promise<void> => { for (const stream of streams) await until(() => stream().includes('"callId":"last"'), { describe: 'the last is told' }); };

describe('A call that is heard, and the supervisor’s own', () => {
  it('are live calls for who may supervise; for others the first is a call like any, and the second is none', async () => {
    expect(await both(async (key) => (await server.ask('GET', '/live-calls', { key })).json.items.map((call: LiveCall) => [call.callId, call.supervisedBy?.length]))).toEqual([[['talk', 1], [ear, 0]], [['talk', undefined]]]);
    expect(await both(async (key) => (await server.ask('GET', `${path}/talk`, { key })).json.supervisedBy)).toEqual([heard.supervisedBy, undefined]);
    expect(await both(async (key) => (await server.ask('GET', `${path}/${ear}`, { key })).status)).toEqual([200, 404]);
  });

  it('are so in records, too', async () => {
    expect(await both(async (key) => (await server.ask('GET', path, { key })).json.items.map((call: LiveCall) => [call.callId, call.supervisedBy?.length]))).toEqual([
      [['north-call', 0], ['talked', 1], ['fdsupervision-0b.main', 0]], [['north-call', undefined], ['talked', undefined]],
    ]);
    expect(await both(async (key) => (await server.ask('GET', `${path}/fdsupervision-0b.main/journal`, { key })).status)).toEqual([200, 404]);
  });

  it('are so in journals', () => {
    const records = [openingOf('talk'), { ...stepAt(2), kind: 'step', event: { type: 'SupervisionTold', supervision: ear, by: 'key1', mode: 'listen' }, commands: [], facts: [] } as const, stepAt(3)];
    expect([journalFor(keyOf('supervisor'), records), journalFor(keyOf('read-only'), records)]).toEqual([records, [records[0], records[2]]]);
  });
});

describe('As it happens', () => {
  it('a supervision is told with live calls to who may supervise alone', async () => {
    const [all, some] = [await follow('northSupervisor', '/events'), await follow('northReader', '/events')];
    server.tell({ type: 'changed', call: live('talk'), ofSupervision: true });
    server.tell({ type: 'started', call: live(ear) });
    server.tell({ type: 'changed', call: { ...live('talk'), heldMs: 7 } });
    server.tell({ type: 'ended', call: live('last') });
    await ended([all, some]);
    expect([typesIn(all()), typesIn(some())]).toEqual([['calls', 'changed', 'started', 'changed', 'ended'], ['calls', 'changed', 'ended']]);
    expect([all().includes('key1'), some().includes('key1'), some().includes('fdsupervision')]).toEqual([true, false, false]);
    // One who comes back has it no other way.
    const since = /^id: (.*)\nevent: calls$/m.exec(some())?.[1] ?? '';
    const again = await follow('northReader', '/events', { 'last-event-id': since });
    await ended([again]);
    expect(again()).not.toMatch(/supervisedBy|fdsupervision|key1/);
  });

  it('a supervision is told among the account’s events to who may supervise alone', async () => {
    const streams = [await follow('northSupervisor', '/accounts/north/events'), await follow('northReader', '/accounts/north/events')];
    await server.events.add({ at: 1, account: 'north', type: 'call.started', data: about(ear) }, { at: 2, account: 'north', type: 'call.ended', data: record('talk') }, { at: 3, account: 'north', type: 'call.ended', data: record(ear) }, { at: 4, account: 'north', type: 'call.started', data: about('last') });
    await ended(streams);
    const [all = '', some = ''] = streams.map((stream) => stream());
    expect([callsIn(all), callsIn(some)]).toEqual([[ear, 'talk', ear, 'last'], ['talk', 'last']]);
    expect([all.includes('key1'), some.includes('key1')]).toEqual([true, false]);
  });
});
