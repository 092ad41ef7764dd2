/** Blocking a caller from the call, over real HTTP: what is written, by whom, and what is refused. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cdrOf, startApi, type Answered, type TestApi } from './http-fixture.ts';

let server: TestApi;
beforeEach(async () => { server = await startApi(); });
afterEach(() => server.stop());

const CALLER = '+12025550187';
const block = (call = 'north-call'): Promise<Answered> => server.ask('POST', `/accounts/north/calls/${call}/block-caller`, { key: 'north' });
const account = async (): Promise<{ version: number; blocked?: { numbers: readonly string[]; action: string } }> => (await server.ask('GET', '/accounts/north', { key: 'north' })).json;
const write = async (fields: object): Promise<void> => {
  const answer = await server.ask('PATCH', '/accounts/north', { key: 'north', json: fields, headers: { 'if-match': '*' } });
  expect(answer.status).toBe(200);
};
/** The id of a past call with this caller. */
const callFrom = async (number: string): Promise<string> => {
  await server.stores.cdrs.add([{ ...cdrOf('north', 'other-call'), caller: { number, name: '' } }]);
  return 'other-call';
};

describe('a caller', () => {
  it.each([['past', 'north-call'], ['live', 'north-live']])('of a %s call is blocked, refused from now on, and that is said', async (_which, call) => {
    const answer = await block(call);
    expect([answer.status, answer.json]).toEqual([200, { number: CALLER, added: true, action: 'reject', sentence: `The account blocked nobody until now: from the next one on, calls from ${CALLER} are refused.` }]);
    expect((await account()).blocked).toEqual({ numbers: [CALLER], anonymous: false, action: 'reject' });
  });

  it('is blocked once, however often it is asked and by however many at once', async () => {
    const answers = await Promise.all(Array.from({ length: 5 }, () => block()));
    expect([answers.filter(({ status }) => status === 200).length, answers.filter(({ json }) => json.added === true).length]).toEqual([5, 1]);
    expect((await account()).version).toBe(2);
    expect((await block()).json.sentence).toBe(`It was blocked already: calls from ${CALLER} are refused.`);
  });

  it('joins those who are blocked, and meets what they meet', async () => {
    await write({ blocked: { numbers: ['+12025550199'], anonymous: true, action: 'message', message: { text: 'No.' } } });
    expect((await block()).json).toMatchObject({ added: true, action: 'message', sentence: `From the next one on, calls from ${CALLER} hear a message and are hung up.` });
    expect((await account()).blocked).toEqual({ numbers: ['+12025550199', CALLER], anonymous: true, action: 'message', message: { text: 'No.' } });
  });

  it('is in the change history and the audit log, and can be taken back', async () => {
    await block();
    const { items: [change] } = (await server.ask('GET', '/changes?account=north&kind=account', { key: 'north' })).json;
    expect(change).toMatchObject({ after: { blocked: { numbers: [CALLER] } }, actor: server.secrets.north.split('_')[1] });
    expect(server.stores.entries.at(-1)).toMatchObject({ action: 'call.block-caller', outcome: 'ok', subject: 'north/account/north' });
    expect((await server.ask('POST', `/changes/${change.seq}/undo`, { key: 'north' })).status).toBe(200);
    expect((await account()).blocked).toBeUndefined();
  });

  it.each(['12025550187', '+1 (202) 555-0187', '1-202-555-0187'])('who shows %s is blocked by the number that it is', async (shown) => {
    expect((await block(await callFrom(shown))).json.number).toBe(CALLER);
  });

  it.each([['', 'showed no number'], ['101', 'no telephone number'], ['anonymous', 'no telephone number'], ['0123456789', 'no telephone number']])('who shows “%s” has no number to block: nothing is changed', async (shown, why) => {
    const call = await callFrom(shown);
    const before = await server.state();
    const answer = await block(call);
    expect([answer.status, answer.json.detail]).toEqual([409, expect.stringContaining(why)]);
    expect(await server.state()).toBe(before);
  });

  it('is refused when the list is full', async () => {
    await write({ blocked: { numbers: Array.from({ length: 10_000 }, (_, i) => `+1303555${String(i).padStart(4, '0')}`) } });
    const answer = await block();
    expect([answer.status, answer.json.problems]).toEqual([422, [{ path: 'blocked.numbers', message: 'takes at most 10,000 numbers.' }]]);
  });

  it('of a call that nobody knows is not there', async () => {
    expect((await block('no-such-call')).status).toBe(404);
  });
});
