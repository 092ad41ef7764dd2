/** What a schedule says of an instant, over the API. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi, type Answered, type TestApi } from './http-fixture.ts';

let server: TestApi;
beforeAll(async () => {
  server = await startApi();
  await server.ask('post', '/accounts/north/schedules', { json: {
    id: 'office', name: 'Office hours', timezone: 'America/Chicago', week: [{ days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '08:00', to: '17:30' }],
    holidays: { country: 'US' }, closures: [{ name: 'Christmas Eve', from: '2026-12-24', spans: [{ from: '08:00', to: '12:00' }] }],
  } });
});
afterAll(() => server.stop());
const ask = (instant: string): Promise<Answered> => server.ask('get', `/accounts/north/schedules/office/at?instant=${encodeURIComponent(instant)}`, { key: 'northReader' });

describe('A schedule, asked of an instant,', () => {
  it('is open or closed, says why, and until when', async () => {
    expect((await ask('2026-11-25T12:00:00-06:00')).json).toEqual({
      open: true, why: 'open: Wednesday 08:00 to 17:30', until: Date.parse('2026-11-25T17:30:00-06:00'), holiday: null, closure: null, localTime: '2026-11-25T12:00', timezone: 'America/Chicago',
    });
    expect((await ask('2026-11-26T18:00:00Z')).json).toEqual({
      open: false, why: 'closed: Thanksgiving Day', until: Date.parse('2026-11-27T08:00:00-06:00'), holiday: 'Thanksgiving Day', closure: null, localTime: '2026-11-26T12:00', timezone: 'America/Chicago',
    });
    expect((await ask(String(Date.parse('2026-12-24T09:00:00-06:00')))).json).toMatchObject({ open: true, why: 'open: Christmas Eve 08:00 to 12:00', holiday: null, closure: 'Christmas Eve' });
  });

  it('says what applies now when no instant is given', async () => {
    const { json } = await server.ask('get', '/accounts/north/schedules/office/at');
    expect(json.until).toBeGreaterThan(Date.now());
  });

  it.each(['yesterday', '2026-11-25', '2026-11-25T12:00', '2026-02-30T12:00:00Z', '1e3', '-5'])('takes no “%s” for one', async (instant) => {
    const { status, json } = await ask(instant);
    expect([status, json.problems]).toEqual([400, [{ path: 'instant', message: 'is not an instant. Write epoch milliseconds, or 2026-12-24T18:00:00Z, or an offset such as -05:00 (a + in an address is written %2B).' }]]);
  });

  it('is not found under an id that the account does not have', async () => {
    expect((await server.ask('get', '/accounts/north/schedules/nowhere/at')).status).toBe(404);
  });
});
