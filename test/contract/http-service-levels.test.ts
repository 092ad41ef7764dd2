/** Service levels of queues over the API. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CdrQueueVisit } from '../../control-plane/core/cdr/cdr.ts';
import { cdr } from './database-fixture.ts';
import { startApi, type TestApi } from './http-fixture.ts';

let server: TestApi;
beforeAll(async () => { server = await startApi(); });
afterAll(() => server.stop());

const path = '/accounts/north/queues/desk/service-levels';
const hour = 3_600_000;
/** 08:00 in New York. */
const eight = Date.parse('2026-05-04T12:00:00Z');
const visit = (joinedAt: number, over: Partial<CdrQueueVisit> = {}): CdrQueueVisit => ({ queue: 'desk', joinedAt, leftAt: joinedAt + 5000, outcome: 'connected', agent: 'desk', offers: [{ offerId: 'o', agent: 'desk', at: joinedAt, endedAt: joinedAt + 5000, outcome: 'accepted', why: 'accepted' }], ...over });

describe('The service levels of a queue', () => {
  it('are those of the calls of each interval, also of more calls than are read at once', async () => {
    const crowd = Array.from({ length: 1201 }, (_, i) => cdr(`crowd-${i}`, { account: 'north', queues: [visit(eight + 2 * hour + i)] }));
    await server.stores.cdrs.add([
      cdr('early', { account: 'north', queues: [visit(eight), visit(eight + hour, { leftAt: eight + hour + 90_000, outcome: 'max-wait', agent: null, offers: [] })] }),
      cdr('elsewhere', { account: 'north', queues: [visit(eight, { queue: 'north-queue' })] }), cdr('south-call-2', { account: 'south', queues: [visit(eight)] }), ...crowd,
    ]);
    const { status, json } = await server.ask('GET', `${path}?from=${eight}&to=${eight + 3 * hour}`, { key: 'northReader' });
    expect(status).toBe(200);
    expect(json).toMatchObject({ queue: 'desk', account: 'north', timezone: 'America/New_York', serviceLevelMs: 20_000, shortMs: 5000 });
    expect(json.items.map(({ from, to, entered, answered, sentOn, serviceLevel, averageWaitMs }: Record<string, unknown>) => [from, to, entered, answered, sentOn, serviceLevel, averageWaitMs])).toEqual([
      [eight, eight + hour, 1, 1, 0, 1, 5000], [eight + hour, eight + 2 * hour, 1, 0, 1, 0, null], [eight + 2 * hour, eight + 3 * hour, 1201, 1201, 0, 1, 5000],
    ]);
    expect(json.items[0].agents).toEqual([{ agent: 'desk', offered: 1, answered: 1, answeredInTime: 1, rejected: 0, missed: 0, averageWaitMs: 5000, longestWaitMs: 5000 }]);
    expect(json.total).toMatchObject({ from: eight, to: eight + 3 * hour, entered: 1203, longestWaitMs: 90_000, serviceLevel: 1202 / 1203, serviceLevelOfAnswered: 1 });
  });

  it('are had with another threshold, by days of the account, and as a table', async () => {
    const asked = `from=${eight}&to=${eight + hour}&interval=day&serviceLevelSeconds=4`;
    expect((await server.ask('GET', `${path}?${asked}`, { key: 'northReader' })).json.items).toMatchObject([{ from: eight - 8 * hour, to: eight + 16 * hour, entered: 1203, answeredInTime: 0 }]);
    const table = await server.ask('GET', `${path}/export?${asked}`, { key: 'northReader' });
    expect([table.status, table.headers.get('content-type')]).toEqual([200, 'text/csv; charset=utf-8; header=present']);
    expect(table.text.split('\r\n')).toEqual([
      'from,to,entered,refused,answered,answeredInTime,abandoned,abandonedInTime,abandonedShort,sentOn,sentOn.exitKey,sentOn.callback,sentOn.maxWait,sentOn.empty,sentOn.full,sentOn.closed,lost,averageWaitMs,longestWaitMs,serviceLevel,serviceLevelOfAnswered,serviceLevelWithAbandons',
      '2026-05-04T00:00-04:00,2026-05-05T00:00-04:00,1203,0,1202,0,0,0,0,1,0,0,1,0,0,0,0,5000,90000,0,0,0', '',
    ]);
  });

  it('are of the last day where no time is named', async () => {
    const { items } = (await server.ask('GET', path, { key: 'northReader' })).json;
    expect([24, 25, 26]).toContain(items.length);
    expect(items.at(-1).to).toBeGreaterThan(Date.now() - 5000);
  });

  it.each([
    [`from=5&to=5`, { path: 'to', message: 'must be after `from`.' }],
    [`from=0&to=${9 * 24 * hour}&interval=quarter-hour`, { path: 'from', message: 'may be 8 days before `to` with the interval quarter-hour. Ask for less at once, or for longer intervals.' }],
    [`from=0&to=${94 * 24 * hour}&interval=day`, { path: 'from', message: 'may be 93 days before `to` with the interval day. Ask for less at once.' }],
    ['interval=week', { path: 'interval', message: 'must be one of: quarter-hour, hour, day.' }],
    ['shortSeconds=x', { path: 'shortSeconds', message: 'must be a whole number of seconds from 0 to 60.' }],
  ])('are refused for ?%s, with the way out', async (query, problem) => {
    for (const one of [path, `${path}/export`]) {
      const { status, json } = await server.ask('GET', `${one}?${query}`, { key: 'northReader' });
      expect([status, json.problems]).toEqual([400, [problem]]);
    }
  });
});
