/** Agents and waiting callers over the API. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newAgent, type WaitingCall } from '../../control-plane/core/queue/desk.ts';
import { noFigures } from '../../control-plane/core/queue/figures.ts';
import { DeskAwayError } from '../../control-plane/http/ports.ts';
import { startApi, type TestApi } from './http-fixture.ts';

let server: TestApi;
beforeAll(async () => { server = await startApi(); });
afterAll(() => server.stop());
beforeEach(() => {
  const { desks } = server;
  desks.away = null;
  desks.asked.length = 0;
  desks.agents.clear();
  desks.queues.clear();
});

const agents = '/accounts/north/agents';
const put = (what: string, json: unknown, agent = 'desk') => server.ask('PUT', `${agents}/${agent}/${what}`, { key: 'north', json });

describe('The list of agents', () => {
  it('has whom a queue lists and who has logged in, and nobody else', async () => {
    await server.ask('POST', '/accounts/north/users', { json: { id: 'away', name: 'Away' } });
    const listed = async (query = ''): Promise<unknown> => (await server.ask('GET', `${agents}${query}`, { key: 'northReader' })).json.items.map(({ id, queues }: { id: string; queues: string[] }) => [id, queues]);
    expect(await listed()).toEqual([['desk', ['desk', 'north-queue']]]);
    server.desks.agents.set('north/north-user', newAgent('north-user', 1000));
    // who is no user any more is no agent
    server.desks.agents.set('north/gone', newAgent('gone', 1000));
    expect(await listed()).toEqual([['desk', ['desk', 'north-queue']], ['north-user', []]]);
    expect(await listed('?queue=north-queue')).toEqual([['desk', ['desk', 'north-queue']]]);
  });

  it('is refused of a queue that there is not', async () => {
    const answer = await server.ask('GET', `${agents}?queue=south-queue`, { key: 'northReader' });
    expect([answer.status, answer.json.problems]).toEqual([400, [{ path: 'queue', message: 'there is no queue “south-queue”. Create it first, or correct the id.' }]]);
  });

  it('tells what each has chosen, and what was measured', async () => {
    server.desks.agents.set('north/desk', {
      ...newAgent('desk', 1000), status: 'available', statusAt: 2000, state: 'offered', stateSince: 3000, devices: ['1001', 'gone'], offer: 'a.b--c--o7.3', calls: ['a.b--c'], wrapUpUntil: 5, restUntil: 9_000_000_000_000, missed: 2,
    });
    expect((await server.ask('GET', `${agents}/desk`, { key: 'northReader' })).json).toEqual({
      id: 'desk', account: 'north', name: 'Front desk', queues: ['desk', 'north-queue'], status: 'available', statusSince: 2000, state: 'offered', stateSince: 3000,
      devices: ['desk'], ready: false, offer: { id: 'a.b--c--o7.3', callId: 'a.b--c' }, calls: ['a.b--c'], wrapUpUntil: null, restUntil: 9_000_000_000_000, missed: 2,
    });
  });
});

describe('An agent', () => {
  it.each(['available', 'on-demand', 'break', 'offline'])('chooses the status %s', async (status) => {
    expect(await put('status', { status })).toMatchObject({ status: 200, json: { id: 'desk', status, statusSince: 2000 } });
    expect(server.stores.entries.at(-1)).toMatchObject({ action: 'agent.status', outcome: 'ok', subject: '/accounts/north/agents/desk/status', details: { chosen: status } });
  });

  it('who chooses a status that there is not is told those that are', async () => {
    const refused = await put('status', { status: 'lunch' });
    expect([refused.status, refused.json.detail]).toEqual([400, 'There is no status “lunch”: choose one of available, on-demand, break, offline.']);
    expect((await put('status', {})).json.problems).toEqual([{ path: 'status', message: 'is missing. Add it.' }]);
    expect(server.desks.asked).toEqual([]);
  });

  it('logs in on own phones, or on whichever are named, and out', async () => {
    expect((await put('devices', {})).json.devices).toEqual(['desk', 'north-device']);
    expect((await put('devices', { devices: ['north-device'] }, 'north-user')).json.devices).toEqual(['north-device']);
    expect((await server.ask('DELETE', `${agents}/desk/devices`, { key: 'north' })).json.devices).toEqual([]);
    // the desk knows phones by their extensions
    expect(server.desks.asked).toEqual(['north desk {"devices":["1001","1002"]}', 'north north-user {"devices":["1002"]}', 'north desk {"devices":[]}']);
  });

  it('logs in on phones that are there', async () => {
    expect(await put('devices', { devices: ['desk', 'attic'] })).toMatchObject({ status: 422, json: { problems: [{ path: 'devices[1]', message: 'there is no device “attic”. Create it first, or correct the id.' }] } });
    expect(await put('devices', {}, 'north-user')).toMatchObject({ status: 422, json: { problems: [{ path: 'devices', message: 'is missing: the agent has no phone of their own. Name one of the account.' }] } });
    expect(server.desks.asked).toEqual([]);
  });

  it('is done with wrap-up', async () => {
    expect((await server.ask('POST', `${agents}/desk/ready`, { key: 'north' })).json).toMatchObject({ ready: true });
  });

  it('who is no user of the account is none', async () => {
    expect((await put('status', { status: 'break' }, 'south-user')).status).toBe(404);
  });

  it('is told that nothing was changed while the desk cannot be asked', async () => {
    server.desks.away = new DeskAwayError('No controller runs the desk just now.');
    expect(await put('status', { status: 'break' })).toMatchObject({ status: 503, json: { detail: 'No controller runs the desk just now.' } });
  });
});

const waiting = (callId: string, change: Partial<WaitingCall>): WaitingCall => ({ callId, visit: 1, queue: 'desk', priority: 0, enteredAt: 1000, joinedAt: 1000, number: '+12025550187', sticky: null, callback: null, heardAt: 1000, offers: [], passedBy: [], tellAt: null, ...change });

describe('A queue as it is now', () => {
  it('tells who waits, for how long and who is asked, in order', async () => {
    const joinedAt = Date.now() - 60_000;
    server.desks.agents.set('north/desk', { ...newAgent('desk', 1000), offer: 'c1--o1.1' });
    server.desks.queues.set('north/desk', { since: 500, figures: noFigures, waiting: [waiting('c1', { offers: ['c1--o1.1'], joinedAt }), waiting('c2', { number: null, priority: 3, callback: { key: 'k', number: '+12025550187', notBefore: 0 } })] });
    const { json } = await server.ask('GET', '/accounts/north/queues/desk/live', { key: 'northReader' });
    expect(json.waiting).toMatchObject([{ callId: 'c1', position: 1, caller: '+12025550187', offeredTo: ['desk'], callback: false }, { callId: 'c2', position: 2, caller: null, priority: 3, offeredTo: [], callback: true }]);
    expect(json.waiting[0].waitedMs).toBeGreaterThanOrEqual(60_000);
    expect(json.figures).toMatchObject({ since: 500, serviceLevelMs: 20_000, answered: 0, averageWaitMs: null, serviceLevel: null, serviceLevelOfAnswered: null });
  });

  it('tells how well callers were served', async () => {
    server.desks.queues.set('north/desk', { since: 500, waiting: [], figures: { entered: 12, regained: 1, refused: 2, answered: 8, answeredInTime: 6, abandoned: 3, sentOn: 0, waitedMs: 80_000, longestWaitMs: 44_000 } });
    expect((await server.ask('GET', '/accounts/north/queues/desk/live')).json.figures).toEqual({
      since: 500, serviceLevelMs: 20_000, entered: 12, regained: 1, refused: 2, answered: 8, answeredInTime: 6, abandoned: 3, sentOn: 0, averageWaitMs: 10_000, longestWaitMs: 44_000, serviceLevel: 0.6, serviceLevelOfAnswered: 0.75,
    });
  });

  it('that the desk does not know yet is to be asked for again', async () => {
    expect((await server.ask('GET', '/accounts/north/queues/desk/live')).status).toBe(503);
  });
});

describe('A queue over the API', () => {
  it('is written and read, and in use is not deleted', async () => {
    const made = await server.ask('POST', '/accounts/north/queues', { key: 'north', json: { name: 'Billing line', strategy: 'round-robin', agents: [{ user: 'desk' }] } });
    expect([made.status, made.headers.get('location'), made.json.ringSeconds]).toEqual([201, '/api/v1/accounts/north/queues/billing-line', 20]);
    await server.ask('PATCH', '/accounts/north/menus/desk', { key: 'north', json: { options: { 2: { to: 'queue', id: 'billing-line' } } }, headers: { 'if-match': '*' } });
    const refused = await server.ask('DELETE', '/accounts/north/queues/billing-line', { key: 'north', headers: { 'if-match': '*' } });
    expect([refused.status, refused.json.detail]).toEqual([409, 'It is in use: menu/desk options.2 uses the queue “billing-line”. Change it first.']);
    const user = await server.ask('DELETE', '/accounts/north/users/desk', { key: 'north', headers: { 'if-match': '*' } });
    expect([user.status, user.json.detail]).toEqual([409, expect.stringContaining('queue/billing-line agents[0].user uses the user “desk”. Change it first.')]);
    expect(user.json.detail, 'a sentence for each').toMatch(/^It is in use: (\S+ \S+ uses the user “desk”\. Change it first\. ?){2,}$/);
  });
});
