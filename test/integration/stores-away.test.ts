/**
 * The Postgres of a running clinic goes and comes back. Calls are routed from memory, and after a restart from the copy
 * on the disk; the API shows what is in memory and changes nothing; records of calls wait on the disk and arrive once.
 */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase } from '../../control-plane/store/postgres/open-database.ts';
import { silent } from '../runtime/sample-call.ts';
import { firstKeyOf, openApi, readinessOf, type Api, type ApiAnswer } from '../support/api.ts';
import { rings } from '../support/behaviour.ts';
import { cdrsIn, openLiveCalls } from '../support/controller-data.ts';
import type { Controller } from '../support/controller.ts';
import { postgresServer, type PostgresServer } from '../support/postgres-server.ts';
import type { Party } from '../support/sip-party.ts';
import { openSite, passwordOf, SITE_START_MS, type Caller, type Site } from '../support/site.ts';
import { isSilent } from '../support/tone.ts';
import { until } from '../support/until.ts';

const NUMBER = '+12025550141';
const PATIENT = '+13035550199';
let site: Site;
let postgres: PostgresServer;
let database: string;
let controller: Controller;
let api: Api;
let reader: { readonly id: string; readonly api: Api };
let phone: Party;
const dataDir = (): string => join(site.folder, 'controller');
const start = (): Promise<Controller> => site.startController({ planFile: '', dataDir: dataDir(), env: { DATABASE_URL: database } });

const newReader = async (): Promise<typeof reader> => {
  const { id, secret } = (await api.write('POST', '/api-keys', { name: 'Reader', role: 'read-only' })).json as { id: string; secret: string };
  return { id, api: api.as(secret) };
};

beforeAll(async () => {
  [site, postgres] = await Promise.all([openSite(), postgresServer()]);
  database = await postgres.createDatabase();
  controller = await start();
  api = openApi(() => controller.httpUrl, firstKeyOf(controller));
  await api.write('POST', '/accounts', { id: 'clinic', name: 'The Clinic', precedence: ['contact-owner'] });
  await api.write('POST', '/accounts/clinic/trunks', { id: 'lab', ...site.trunkAddress('carrier'), register: false });
  await api.write('POST', '/accounts/clinic/users', { id: 'ann', name: 'Ann' });
  await api.write('POST', '/accounts/clinic/devices', { id: 'desk', user: 'ann', extension: '401', password: passwordOf('401') });
  await api.write('PATCH', '/accounts/clinic', { night: { codes: { closed: '*28' }, closed: { to: 'hang-up' } } });
  await api.write('POST', '/accounts/clinic/numbers', { id: 'main', e164: NUMBER, name: 'Main', users: ['ann'], callConnect: 'off' });
  await api.write('POST', '/accounts/clinic/contacts', { number: PATIENT, name: 'A patient', owner: 'ann', tags: ['recall'] });
  reader = await newReader();
  phone = await site.phone('401', rings());
}, SITE_START_MS);
afterAll(async () => {
  await site.close();
  await postgres.dispose();
});

/** A call that is answered and ended by the caller; what the API lists while it lasts. */
const talk = async (from: string): Promise<readonly string[]> => {
  const caller = await site.call({ from, to: NUMBER, sound: 620 });
  const call = await phone.nextCall();
  await call.answer();
  call.play(1_140);
  await until(() => call.hears(620) && caller.call.hears(1_140), { describe: 'they hear each other', within: 8_000 });
  const { items } = await api.get<{ items: readonly { caller: { number: string }; phase: string }[] }>('/live-calls');
  await caller.call.hangUp();
  await call.ended();
  return items.map((live) => `${live.caller.number} ${live.phase}`);
};
const spooled = (from: string): Promise<unknown> =>
  until(() => cdrsIn(dataDir()).filter(({ caller }) => caller.number === from).length === 1, { describe: `the record of the call from ${from} is on the disk` });
const inDatabase = async (from: string): Promise<number> => {
  const [row] = await postgres.ask(`select count(*)::int as n from cdrs where record->'caller'->>'number' = '${from}'`, database);
  return Number(row?.['n']);
};
const arrivesOnce = async (from: string): Promise<void> => {
  const found = await until(async () => {
    const { items } = await api.get<{ items: readonly { disposition: string }[] }>(`/accounts/clinic/calls?caller=${from.slice(1)}`);
    return items.length > 0 ? items : undefined;
  }, { describe: `the record of the call from ${from} is in the database`, within: 25_000, everyMs: 200 });
  expect(found).toMatchObject([{ disposition: 'answered' }]);
  expect(await inDatabase(from)).toBe(1);
};
const saysTheDatabaseIsAway = async (): Promise<void> => {
  const reasons = await until(async () => {
    const { status, reasons: all } = await readinessOf(controller);
    expect(status).toBe(200);
    return all.some((reason) => reason.includes('atabase')) ? all : undefined;
  }, { describe: 'readiness says that the database is away', within: 15_000 });
  expect(reasons.join('\n')).toMatch(/The database .*(cannot be|does not)/);
};
const isWellAgain = (): Promise<unknown> =>
  until(async () => (await readinessOf(controller)).reasons.length === 0, { describe: 'readiness has nothing to say', within: 25_000 });

/** What an admin sees that is in memory. */
const reads = ['/accounts', '/accounts/clinic', '/accounts/clinic/users', '/accounts/clinic/numbers/main', '/accounts/clinic/contacts', `/accounts/clinic/numbers/main/explain?at=2026-03-02T08:30:00Z&caller=${encodeURIComponent(PATIENT)}`, '/accounts/clinic/devices', '/live-calls', '/registrations'] as const;
/** When a phone was first seen is known to one run alone. */
const withoutRegistrations = (looks: readonly unknown[]): readonly unknown[] => looks.filter((one) => !JSON.stringify(one).startsWith('["/registrations"'));
const look = async (as: Api = api): Promise<readonly unknown[]> => Promise.all(reads.map(async (path) => [path, (await as.ask('GET', path)).status, (await as.ask('GET', path)).json]));

const changes: readonly (readonly [string, string, unknown])[] = [
  ['POST', '/accounts/clinic/contacts', { number: '+13035550198', name: 'Another' }],
  ['POST', '/accounts', { id: 'other', name: 'Other' }],
  ['POST', '/accounts/clinic/users', { id: 'bob', name: 'Bob' }],
  ['PATCH', '/accounts/clinic/numbers/main', { users: [] }],
  ['PUT', '/accounts/clinic/users/ann', { name: 'Annabel' }],
  ['DELETE', '/accounts/clinic/devices/desk', undefined],
];
const change = ([method, path, body]: (typeof changes)[number]): Promise<ApiAnswer> => api.ask(method, path, body, method === 'POST' ? {} : { 'if-match': '*' });
const outcome = ({ status, type, headers, json }: ApiAnswer): unknown => ({ status, type: type?.split(';')[0], retryAfter: headers.get('retry-after'), detail: (json as { detail?: unknown } | undefined)?.detail });
const refused = { status: 503, type: 'application/problem+json', retryAfter: '5', detail: 'The database does not answer; nothing was changed. Try again shortly.' };

const nameOfAnn = async (): Promise<string> => (await api.get<{ name: string }>('/accounts/clinic/users/ann')).name;
const renameElsewhere = async (): Promise<void> => {
  const other = await openDatabase({ url: database, dataDir: site.folder, log: silent });
  try {
    const { revision, objects } = await other.config.load();
    const ann = objects.find(({ kind, id }) => kind === 'user' && id === 'ann');
    if (ann?.kind !== 'user') throw new Error('Ann is not in the database');
    const write = { account: 'clinic', kind: 'user', id: 'ann', version: ann.version, body: { ...ann.body, name: 'Changed elsewhere' } } as const;
    expect(await other.config.apply({ writes: [write], base: revision, actor: 'elsewhere', at: Date.now() })).toMatchObject({ ok: true });
  } finally {
    await other.close();
  }
};

const ways = {
  'is stopped': { from: '+13035550142', goes: () => postgres.stop('fast'), comes: () => postgres.start() },
  'crashes': { from: '+13035550143', goes: () => postgres.stop('immediate'), comes: () => postgres.start() },
  'hangs': { from: '+13035550144', goes: () => { postgres.freeze(); }, comes: () => { postgres.thaw(); } },
} as const;

const isTold = async ({ call }: Caller): Promise<void> => {
  await until(() => !isSilent(call.audio()?.heard(200) ?? new Int16Array(0)), { describe: 'the caller is told', within: 12_000 });
  await call.hangUp();
};
/** A code of the night switch: the caller is told that it could not be set. */
const dialACode = async (): Promise<void> => {
  await isTold(await site.callFromPhone('401', { to: '*28' }));
  const cdr = await until(() => cdrsIn(dataDir()).find(({ dialled }) => dialled === '*28'), { describe: 'the record of the code is on the disk' });
  expect(cdr.nightSwitch).toEqual({ setting: 'closed', ok: false, why: expect.stringContaining('The database') });
  expect((await api.ask('GET', '/accounts/clinic/night-switches/night')).status).toBe(404);
};

describe.each(Object.keys(ways) as (keyof typeof ways)[])('When Postgres %s', (how) => {
  const { from, goes, comes } = ways[how];
  const user = `user-${Object.keys(ways).indexOf(how)}`;
  let before: readonly unknown[];

  test('what is in memory is read, by every key that worked before, and readiness says what is wrong', async () => {
    before = await look();
    expect(await look(reader.api)).toEqual(before);
    await goes();
    await saysTheDatabaseIsAway();
    expect(await look()).toEqual(before);
    expect(await look(reader.api)).toEqual(before);
    expect((await api.as(`fd_${'0'.repeat(12)}_${'0'.repeat(48)}`).ask('GET', '/accounts')).status).toBe(401);
  });

  test('a change is refused, says what to do, and changes nothing', async () => {
    const [answers] = await Promise.all([tryToChange(), how === 'is stopped' ? dialACode() : undefined]);
    expect(answers.map(outcome)).toEqual(answers.map(() => refused));
    expect(await look()).toEqual(before);
    expect((await reader.api.ask('GET', '/accounts')).status).toBe(200);
  });

  test('what is in the database alone is not shown, and the answer says so', async () => {
    const answers = await Promise.all(['/accounts/clinic/calls', '/audit-log', '/changes'].map((path) => api.ask('GET', path)));
    expect(answers.map(outcome)).toEqual([refused, refused, refused]);
  });

  test('a call is routed, answered and ended, and its record waits on the disk', async () => {
    expect(await talk(from)).toEqual([`${from} connected`]);
    await spooled(from);
    await until(async () => (await readinessOf(controller)).reasons.some((reason) => reason.startsWith('Records of calls wait in their files')), { describe: 'readiness says that records wait', within: 15_000 });
    await site.expectNothingLeft();
  });

  test('and when it is back the record arrives once, and changes are made again', async () => {
    await comes();
    await arrivesOnce(from);
    await isWellAgain();
    expect(await look()).toEqual(before);
    await api.write('POST', '/accounts/clinic/users', { id: user, name: how });
    await api.write('DELETE', `/accounts/clinic/users/${user}`);
    // refused once, it has done nothing: the same request is taken now
    expect((await api.ask('POST', '/accounts/clinic/users', { id: 'eve', name: how }, { 'idempotency-key': `eve-${user}` })).status).toBe(201);
    await api.write('DELETE', '/accounts/clinic/users/eve');
    const { items: changes } = await api.get<{ items: readonly { id: string }[] }>('/changes?limit=5');
    expect(changes.slice(0, 4).map(({ id }) => id)).toEqual(['eve', 'eve', user, user]);
    expect(await inDatabase(from)).toBe(1);
  });

  async function tryToChange(): Promise<readonly ApiAnswer[]> {
    // of a server that hangs nobody knows whether it has taken a single statement; a transaction it has not
    if (how === 'hangs') return Promise.all(changes.slice(0, 2).map(change));
    const once = api.ask('POST', '/accounts/clinic/users', { id: 'eve', name: how }, { 'idempotency-key': `eve-${user}` });
    return Promise.all([...changes.map(change), once, api.ask('POST', '/api-keys', { name: 'Another', role: 'read-only' }), api.ask('DELETE', `/api-keys/${reader.id}`)]);
  }
});

describe('A key', () => {
  test('that is deleted stops at once, also when Postgres goes in the same moment and Frontdesk starts again', async () => {
    const gone = await newReader();
    expect((await gone.api.ask('GET', '/accounts')).status).toBe(200);
    await api.write('DELETE', `/api-keys/${gone.id}`);
    await postgres.stop('immediate');
    expect((await gone.api.ask('GET', '/accounts')).status).toBe(401);
    await controller.kill();
    controller = await start();
    expect((await gone.api.ask('GET', '/accounts')).status).toBe(401);
    expect((await reader.api.ask('GET', '/accounts')).status).toBe(200);
    const copy = readFileSync(join(dataDir(), 'keys.json'), 'utf8');
    expect([copy.includes(gone.id), copy.includes(reader.id), /fd_[0-9a-f]{12}_[0-9a-f]{48}/.test(copy)]).toEqual([false, true, false]);
    expect(statSync(join(dataDir(), 'keys.json')).mode & 0o777).toBe(0o600);
    await postgres.start();
    await isWellAgain();
  });
});

describe('Frontdesk that starts while Postgres is away', () => {
  const from = '+13035550145';
  let before: readonly unknown[];

  test('runs from the copy on the disk, and says so', async () => {
    before = await look();
    await postgres.stop();
    await controller.stop();
    controller = await start();
    await saysTheDatabaseIsAway();
    const { reasons } = await readinessOf(controller);
    expect(reasons.join('\n')).toMatch(/Contacts are those of the copy on the disk, of 20/);
    expect(JSON.stringify(before)).toContain('Ann looks after A patient');
    expect(reasons.join('\n')).toMatch(/Calls are routed by the copy of the configuration on the disk, of 20\d\d-\d\d-\d\dT[\d:.]+Z, until the database is back\./);
    expect(withoutRegistrations(await look())).toEqual(withoutRegistrations(before));
    expect((await Promise.all(changes.map(change))).map(outcome)).toEqual(changes.map(() => refused));
  });

  test('takes calls by it, and when it starts once more as well', async () => {
    expect(await talk(from)).toEqual([`${from} connected`]);
    await spooled(from);
    await controller.kill();
    controller = await start();
    expect(await talk('+13035550146')).toEqual(['+13035550146 connected']);
    await spooled('+13035550146');
    await site.expectNothingLeft();
  });

  test('and goes on with the database when that is back', async () => {
    await postgres.start();
    await Promise.all([arrivesOnce(from), arrivesOnce('+13035550146')]);
    await isWellAgain();
    const answer = await api.write('PATCH', '/accounts/clinic/numbers/main', { name: 'Changed' });
    expect(answer.json).toMatchObject({ name: 'Changed' });
    expect(await talk('+13035550147')).toEqual(['+13035550147 connected']);
    await arrivesOnce('+13035550147');
  });

  test('takes up what another program has changed in the database meanwhile', async () => {
    await controller.stop();
    await renameElsewhere();
    await postgres.stop();
    controller = await start();
    expect(await nameOfAnn()).toBe('Ann');
    await postgres.start();
    await until(async () => (await nameOfAnn()) === 'Changed elsewhere', { describe: 'the change is seen', within: 15_000, everyMs: 200 });
  });
});

test('A code of the night switch that waits for Postgres when its controller dies is carried out by the next, and its caller is told', async () => {
  const live = openLiveCalls(site.redisUrl);
  postgres.freeze();
  const caller = await site.callFromPhone('401', { to: '*28' });
  await until(async () => (await live.read()).some(({ phase }) => phase === 'setting'), { describe: 'it waits', within: 8_000 });
  live.close();
  await controller.kill();
  postgres.thaw();
  controller = await start();
  await isTold(caller);
  await until(() => cdrsIn(dataDir()).some(({ nightSwitch }) => nightSwitch?.ok === true), { describe: 'its record says that it is set' });
  expect((await api.ask('GET', '/accounts/clinic/night-switches/night')).json).toMatchObject({ mode: 'closed', version: 1 });
});
