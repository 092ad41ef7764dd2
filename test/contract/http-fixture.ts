/**
 * The API over real HTTP on stores in memory, with two clinics that have one of everything under the same ids. Each
 * answer is checked against the table of routes: a success by the route's own schema, a refusal as problem details.
 */
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { createConfiguration, type Configuration } from '../../control-plane/configuration/configuration.ts';
import { warningsOfWritten } from '../../control-plane/configuration/warnings.ts';
import { createContacts, type Contacts } from '../../control-plane/contacts/contacts.ts';
import type { Doc, DocInput, Kind } from '../../control-plane/configuration/documents.ts';
import { emptyCdr, type Cdr } from '../../control-plane/core/cdr/cdr.ts';
import type { RateOfCalls } from '../../control-plane/core/routing/rate.ts';
import { scheduleAt } from '../../control-plane/hours/schedule-at.ts';
import { scheduleOf } from '../../control-plane/hours/schedules.ts';
import { createApi, type Api } from '../../control-plane/http/api.ts';
import { newKey } from '../../control-plane/http/auth.ts';
import { AudioUnavailableError, type AudioContent, type CallChange, type Limits, type LiveCall, type Recording, type Registration, type RegistrationChange, type SipBan, type Supervision, type TestCall } from '../../control-plane/http/ports.ts';
import { problemSchema } from '../../control-plane/http/problem.ts';
import type { Route } from '../../control-plane/http/route.ts';
import { createEventFeed } from '../../control-plane/events/feed.ts';
import { refusalOf } from '../../control-plane/events/webhooks/addresses.ts';
import { startHttpServer } from '../../control-plane/http/server.ts';
import type { AskedCallback } from '../../control-plane/store/callback-ports.ts';
import type { JournalRecord, Role } from '../../control-plane/store/ports.ts';
import type { Log } from '../../control-plane/telemetry/log.ts';
import { onePhonePlan, openingOf } from '../runtime/sample-call.ts';
import { memoryEventLog, type MemoryEventLog } from '../support/memory-events.ts';
import { memoryCallbacks } from '../support/memory-callbacks.ts';
import { memoryStores, type MemoryStores } from '../support/memory-stores.ts';
import { testDesks, type TestDesks } from './http-desks.ts';

export type KeyName = 'agency' | 'agencyReader' | 'north' | 'northSupervisor' | 'northReader' | 'south';

export interface Asked {
  /** Null sends none. */
  readonly key?: KeyName | null;
  readonly json?: unknown;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Undefined when the body is not JSON. */
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into answers whose schema has been checked
  readonly json: any;
}

export interface TestApi {
  readonly api: Api;
  readonly url: string;
  readonly stores: MemoryStores;
  readonly configuration: Configuration;
  readonly contacts: Contacts;
  readonly secrets: Readonly<Record<KeyName, string>>;
  /** Lines of the log at warn and error. */
  readonly logged: string[];
  readonly recordings: Map<string, Recording>;
  readonly live: LiveCall[];
  readonly desks: TestDesks;
  readonly events: MemoryEventLog;
  /** Of each stream of events: bytes that its client has not taken. */
  unread(): readonly number[];
  /** Followers of events that did not read. */
  dropped(): number;
  tell(change: CallChange): void;
  tellRegistration(change: RegistrationChange): void;
  /** `target` below /api/v1, unless it starts with /api/. */
  ask(method: string, target: string, asked?: Asked): Promise<Answered>;
  /** All that a request could change, as text. */
  state(): Promise<string>;
  stop(): Promise<void>;
}

export const accounts = ['north', 'south'] as const;
export const speech = Buffer.from(Array.from({ length: 1000 }, (_, i) => i % 251));
const keyOwners: Readonly<Record<KeyName, readonly [Role, string | null]>> = {
  agency: ['agency-admin', null], agencyReader: ['read-only', null], north: ['account-admin', 'north'], northSupervisor: ['supervisor', 'north'], northReader: ['read-only', 'north'], south: ['account-admin', 'south'],
};

export async function startApi(options: { readonly limits?: Partial<Limits>; readonly seed?: boolean; readonly registrations?: () => Promise<readonly Registration[]> } = {}): Promise<TestApi> {
  const dir = await mkdtemp(join(tmpdir(), 'frontdesk-api-'));
  const stores = memoryStores();
  const logged: string[] = [];
  const note = (fields: Readonly<Record<string, unknown>>, sentence: string): void => { logged.push(`${sentence} ${JSON.stringify(fields)}`); };
  const log: Log = { debug: () => undefined, info: () => undefined, warn: note, error: note };
  const configuration = createConfiguration({ store: stores.config, snapshot: await stores.config.load(), copyFile: join(dir, 'copy.json'), log, usersElsewhere: (deleted) => contacts.usersOf(deleted), warningsFor: warningsOfWritten });
  const contacts = createContacts({ store: stores.contacts, copyFile: join(dir, 'contacts.ndjson'), hasUser: (account, id) => configuration.get({ account, kind: 'user', id }) !== undefined, log });
  const files = new Map<string, Buffer>();
  if (options.seed !== false) await seed(configuration, contacts, files);
  const recordings = new Map<string, Recording>();
  for (const account of accounts) for (const kind of ['recording', 'voicemail'] as const) recordings.set(`${account}/${kind}`, { id: `${account}-call--r1`, account, kind, callId: `${account}-call`, number: numberOf(account), caller: '+12025550187', at: 1000, durationMs: 500, bytes: speech.length });
  const live = accounts.map((account): LiveCall => ({ ...cdrOf(account, `${account}-live`), disposition: null, endedAt: null, phase: 'ringing' }));
  await stores.cdrs.add(accounts.map((account) => cdrOf(account, `${account}-call`)));
  const secrets = {} as Record<KeyName, string>;
  for (const [name, [role, account]] of Object.entries(keyOwners) as [KeyName, readonly [Role, string | null]][]) {
    const { key, secret } = newKey({ name, role, account, expiresAt: null }, Date.now());
    await stores.keys.add(key);
    secrets[name] = secret;
  }
  const events = memoryEventLog();
  const feed = createEventFeed({ store: events, log });
  let dropped = 0;
  const listeners = new Set<(change: CallChange) => void>();
  const registrationListeners = new Set<(change: RegistrationChange) => void>();
  const bans = new Map(['192.0.2.66', '192.0.2.67'].map((address): [string, SipBan] => [address, { address, since: 1000, until: 2000, failures: 10, endpoint: '<unknown>' }]));
  const recordingOf = (account: string, kind: string, id: string): Recording | null => {
    const one = recordings.get(`${account}/${kind}`);
    return one?.id === id ? one : null;
  };

  const desks = testDesks();
  const callbacks = memoryCallbacks();
  for (const account of accounts) await callbacks.keep(callbackOf(account, callbackIdOf(account)));
  const api = createApi({
    configuration, contacts, keys: stores.keys, audit: stores.audit, idempotency: stores.idempotency, cdrs: stores.cdrs, changes: (filter, page) => stores.config.changes(filter, page),
    calls: {
      live: () => live,
      get: (callId) => live.find((call) => call.callId === callId),
      journal: async (callId): Promise<readonly JournalRecord[]> => [openingOf(callId)],
      onChange: (changed) => {
        listeners.add(changed);
        return () => { listeners.delete(changed); };
      },
    },
    recordings: {
      list: async ({ account, kind }) => ({ items: [...recordings.values()].filter((one) => one.account === account && one.kind === kind), next: null }),
      get: async (account, kind, id) => recordingOf(account, kind, id),
      open: async (account, kind, id) => {
        if (recordingOf(account, kind, id) === null) return null;
        if (account === 'south') throw new AudioUnavailableError('The key of this recording is missing: set FRONTDESK_MEDIA_KEY to the one it was made with.');
        return audioOf(speech, 'audio/wav');
      },
      remove: async (account, kind, id) => recordingOf(account, kind, id) !== null && recordings.delete(`${account}/${kind}`),
    },
    audioFiles: {
      upload: async (account, _name, bytes) => {
        if (!Buffer.from(bytes).subarray(0, 4).equals(Buffer.from('RIFF'))) return { ok: false, message: 'This is no WAV or MP3 file.' };
        const sha256 = createHash('sha256').update(bytes).digest('hex');
        files.set(`${account}/${sha256}`, Buffer.from(bytes));
        return { ok: true, durationMs: 1200, sha256 };
      },
      open: async (account, sha256) => {
        const file = files.get(`${account}/${sha256}`);
        return file === undefined ? null : audioOf(file, 'audio/wav');
      },
      remove: async (account, sha256) => { files.delete(`${account}/${sha256}`); },
    },
    registrations: {
      list: options.registrations ?? (async () => accounts.map(registrationOf)),
      onChange: (changed) => {
        registrationListeners.add(changed);
        return () => { registrationListeners.delete(changed); };
      },
    },
    sipBans: {
      list: () => [...bans.values()],
      lift: async (address) => bans.delete(address),
    },
    schedules: {
      at: (account, id, at) => {
        const body = configuration.get({ account, kind: 'schedule', id })?.body;
        return body === undefined ? null : scheduleAt(scheduleOf(id, body, 'America/New_York', 2026), at);
      },
    },
    testCalls: {
      place: async ({ account, number, caller }) => (account === 'south' ? { ok: false, why: 'away', sentence: 'The switch is away.' } : number === numberOf(account) ? { ok: true, call: testCallOf(caller) } : { ok: false, why: 'busy', sentence: 'One is under way.' }),
      last: async (account) => (account === 'north' ? testCallOf('+12025550187') : null),
    },
    desks: desks.port,
    supervisions: {
      begin: async ({ account, call, mode, phone, by }) => (call === `${account}-live` ? { ok: true, supervision: { ...supervisionOf(account), mode, phone, by } } : { ok: false, why: 'wrong', field: 'call', sentence: 'there is no such call going on.' }),
      list: (account) => accounts.filter((one) => account === null || one === account).map(supervisionOf),
      change: async (account, id, mode) => (id === supervisionOf(account).id ? { ok: true, supervision: { ...supervisionOf(account), mode } } : null),
      end: async (account, id) => ({ ok: true, ended: id === supervisionOf(account).id }),
    },
    callbacks: {
      list: (filter, page) => callbacks.list(filter, page),
      ask: async ({ account, queue, number, shows }) => {
        if (shows !== 'main') return { ok: false, field: 'shows', sentence: 'there is no such tracking number.' };
        await callbacks.keep(callbackOf(account, 'asked', { queue, number, call: null }));
        const callback = await callbacks.get(account, 'asked');
        return callback === null ? { ok: false, field: null, sentence: 'It is gone.' } : { ok: true, callback };
      },
      cancel: async (account, queue, id) => (await callbacks.get(account, id))?.queue === queue && callbacks.over(account, id, 'canceled', 2000),
    },
    readiness: async ({ body }) => [{ item: 'name', state: body.name === 'Main' ? 'done' : 'missing', detail: `It is called ${body.name}.`, wayOut: null }],
    explain: (_account, dialled, { caller, at }) => ({ text: `${caller} calls ${dialled} at ${at}`, plan: onePhonePlan, rate: rateOf(dialled) }),
    rate: (account, dialled) => (account === 'north' ? rateOf(dialled) : null),
    events: feed, onFollowerDropped: () => { dropped += 1; }, webhooks: stores.webhooks, webhookRefusal: (url) => refusalOf(url, false),
    log, now: Date.now, limits: { requestsPerMinute: 100_000, failedKeysPerMinute: 1000, keyCacheMs: 0, ...options.limits },
  });
  const server = await startHttpServer(0, () => ({ ready: true, reasons: [], details: {} }));
  server.mount(api.listener);
  const url = `http://127.0.0.1:${server.port}`;

  return {
    api, url, stores, configuration, contacts, secrets, logged, recordings, live, desks, events, unread: () => api.unread(), dropped: () => dropped,
    tell: (change) => { for (const listener of listeners) listener(change); },
    tellRegistration: (change) => { for (const listener of registrationListeners) listener(change); },
    ask: async (method, target, { key = 'agency', json, body, headers = {} } = {}) => {
      const response = await fetch(`${url}${target.startsWith('/api/') ? '' : '/api/v1'}${target}`, {
        method: method.toUpperCase(),
        headers: { ...(key === null ? {} : { authorization: `Bearer ${secrets[key]}` }), ...(json === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
        ...(json === undefined ? (body === undefined ? {} : { body }) : { body: JSON.stringify(json) }),
      });
      const text = await response.text();
      const answered = { status: response.status, headers: response.headers, text, json: /json/.test(response.headers.get('content-type') ?? '') ? JSON.parse(text) : undefined };
      checkAnswer(api.routes, method, target, answered);
      return answered;
    },
    state: async () => JSON.stringify([[...configuration.current().objects.values()], accounts.map((account) => contacts.numbers(account).map((number) => contacts.contactOf(account, number))), (await stores.keys.list()).map((key) => ({ ...key, lastUsedAt: null })), [...recordings.keys()], [...files.keys()], desks.asked, callbacks.all()]),
    stop: async () => {
      api.close();
      await server.close();
      await feed.stop();
      await contacts.stop();
      await configuration.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

function checkAnswer(routes: readonly Route[], method: string, target: string, { status, headers, json }: Answered): void {
  const [path = ''] = target.split('?');
  const route = routes.find((one) => one.method === method.toLowerCase() && new RegExp(`^${one.path.replace(/\{\w+\}/g, '[^/]+')}$`).test(path));
  if (status >= 400) {
    problemSchema.parse(json);
    if (!headers.get('content-type')?.startsWith('application/problem+json')) throw new Error(`${method} ${target}: ${status} without problem details`);
  } else if (route !== undefined && status === route.status && route.answer !== null && 'json' in route.answer) {
    route.answer.json.parse(json);
  }
}

const rateOf = (dialled: string): RateOfCalls => ({ currency: 'USD', inbound: 850, lowest: 850, highest: 1850, legs: [{ number: '+12025550121', prefix: '+1', perMinute: 1000 }], unknown: [dialled] });

const testCallOf = (caller: string): TestCall => ({ callId: 'fdtest-0.main', at: 1000, caller, endedAt: null, answered: null, rang: [{ user: 'desk', label: 'Desk', extension: '1001', number: null, answeredAfterMs: null, talked: false, disposition: null }], talkedMs: null, audio: null, sentence: 'It rings.' });

export const supervisionOf = (account: string): Supervision => ({ id: `fdsupervision-0.${account}`, account, call: `${account}-live`, leg: `${account}-live--l1`, mode: 'listen', phone: '1001', by: '0', state: 'on', since: 1000 });

export const callbackIdOf = (account: string): string => `${account}-call-q9`;

export function callbackOf(account: string, id: string, change: Partial<AskedCallback> = {}): AskedCallback {
  return { account, id, queue: 'desk', number: '+12025550187', dialled: numberOf(account), call: `${account}-call`, visit: 1, priority: 0, enteredAt: 1000, joinedAt: 1000, sticky: null, askedAt: 1500, ...change };
}

export const numberOf = (account: string): string => (account === 'north' ? '+12025550110' : '+13125550110');

export function registrationOf(account: string): Registration {
  return { account, kind: 'device', id: 'desk', state: 'registered', contact: 'sip:10@192.0.2.7', userAgent: null, since: null, roundTripMs: 12 };
}

export function cdrOf(account: string, callId: string): Cdr {
  return { ...emptyCdr(callId, onePhonePlan), account, caller: { number: '+12025550187', name: 'A patient' }, dialled: numberOf(account), startedAt: 1000, endedAt: 9000, disposition: 'answered', cause: 'normal' };
}

function audioOf(bytes: Buffer, type: string): AudioContent {
  return { type, bytes: bytes.length, read: (range) => Readable.from([range === undefined ? bytes : bytes.subarray(range.start, range.end + 1)]) };
}

/** One of every kind, under the same ids in both. */
async function seed(configuration: Configuration, contacts: Contacts, files: Map<string, Buffer>): Promise<void> {
  for (const account of accounts) {
    const bytes = Buffer.from(`RIFF of ${account}`);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    files.set(`${account}/${sha256}`, bytes);
    const objects: { readonly [K in Kind]: DocInput<K> } = {
      account: { name: `Clinic ${account}` },
      user: { name: 'Front desk', email: 'desk@clinic.example' },
      device: { user: 'desk', extension: '1001' },
      trunk: { host: 'sip.carrier.example', username: 'clinic', password: `secret-of-${account}` },
      number: { e164: numberOf(account), name: 'Main', users: ['desk'] },
      'receiving-number': { number: '+12025550139', label: 'Answering service' },
      'ring-group': { name: 'Front desk', pattern: 'sequential', destinations: [{ target: { to: 'user', id: 'desk' } }] },
      menu: { name: 'Main menu', prompt: { text: 'Press one to leave a message.' }, options: { 1: { to: 'voicemail' } } },
      queue: { name: 'Front desk', strategy: 'longest-idle', agents: [{ user: 'desk' }] },
      router: { name: 'By place', geo: [{ countries: ['CA'], target: { to: 'menu', id: 'desk' } }], default: { to: 'precedence' } },
      'night-switch': { mode: 'open' },
      schedule: { name: 'Opening hours', week: [{ days: ['mon'], from: '08:00', to: '17:00' }] },
      audio: { name: 'Greeting', durationMs: 1200, sha256 },
      webhook: { name: 'CRM', url: 'https://crm.clinic.example/frontdesk', types: ['call.ended'] },
    };
    const writes = (Object.entries(objects) as [Kind, Doc<Kind>][]).map(([kind, body]) => ({ account, kind, id: idOf(account, kind), version: null, body }));
    const result = await configuration.write(writes, 'frontdesk');
    if (!result.ok) throw new Error(JSON.stringify(result));
    // what only one of the two has, so that the other can be asked for it
    await configuration.write((['user', 'device', 'trunk', 'number', 'receiving-number', 'ring-group', 'menu', 'queue', 'router', 'schedule', 'audio', 'webhook'] as const).map((kind) => ({ account, kind, id: foreignId(account, kind), version: null, body: kind === 'number' ? { e164: `${numberOf(account).slice(0, -1)}7`, name: 'Second' } : kind === 'device' ? { user: 'desk', extension: '1002' } : kind === 'receiving-number' ? { number: '+12025550138', label: 'Another' } : objects[kind] })), 'frontdesk');
    for (const [number, name] of [[contactOfBoth, 'A patient'], [foreignContact(account), 'Another']] as const) await contacts.write({ account, number, version: null, body: { name } });
  }
}

/** That both accounts have, each its own. */
export const contactOfBoth = '+12025550187';
/** That this account has, and the other has not. */
export const foreignContact = (account: string): string => (account === 'north' ? '+12025550188' : '+13125550188');

export const idOf = (account: string, kind: Kind): string => (kind === 'account' ? account : kind === 'trunk' ? 'carrier' : kind === 'night-switch' ? 'night' : 'desk');
/** Of an object that this account has, and the other has not. */
export const foreignId = (account: string, kind: string): string => `${account}-${kind}`;
