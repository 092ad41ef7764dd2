/** N9: what is accepted and yet will disappoint is said in the answer that saves it. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startApi, type TestApi } from './http-fixture.ts';

let server: TestApi;
beforeAll(async () => { server = await startApi(); });
afterAll(() => server.stop());

const north = '/accounts/north';
const post = (path: string, json: object) => server.ask('POST', `${north}${path}`, { json });
const patch = (path: string, json: object) => server.ask('PATCH', `${north}${path}`, { json, headers: { 'if-match': '*' } });
const said = async (answer: Promise<{ readonly status: number; readonly json: { readonly warnings: unknown } }>): Promise<readonly unknown[]> => {
  const { status, json } = await answer;
  return [status, json.warnings];
};
const tooShort = '+12025550150: forward, rings 10 s: too short for an external phone to be answered; give it 15 to 20 s.';
const tooLong = (label: string, rings: string): string => `+12025550150: ${label}, rings ${rings} without call connect: its own voicemail may take the call; turn call connect on, or ring 15 to 20 s.`;

it('warns who saves a number that rings an outside phone too short to answer, or so long that its voicemail does', async () => {
  const number = { id: 'flyer', e164: '+12025550150', name: 'Flyer', callConnect: 'off', forward: '+12025550151' };
  expect(await said(post('/numbers', { ...number, timeoutSeconds: 10 }))).toEqual([201, [tooShort]]);
  expect(await said(patch('/numbers/flyer', { name: 'Our flyer' })), 'as long as it is so').toEqual([200, [tooShort]]);
  expect(await said(patch('/numbers/flyer', { timeoutSeconds: 30 }))).toEqual([200, [tooLong('forward', '30 s')]]);
  expect(await said(patch('/numbers/flyer', { timeoutSeconds: 18 }))).toEqual([200, []]);
  expect(await said(patch('/numbers/flyer', { timeoutSeconds: 30, callConnect: 'external' }))).toEqual([200, []]);
});

it('warns who saves what makes another object so, and not again who changes something else', async () => {
  await patch('/numbers/flyer', { timeoutSeconds: 30, callConnect: 'off', forward: null, users: ['desk'] });
  expect(await said(post('/devices', { id: 'mobile', user: 'desk', mobile: '+12025550152', label: 'mobile' }))).toEqual([201, [tooLong('Front desk, mobile', '30 s')]]);
  expect(await said(patch('/users/desk', { email: 'front@clinic.example' }))).toEqual([200, []]);
  expect(await said(post('/receiving-numbers', { id: 'service', number: '+12025550153', label: 'Service', callConnect: 'off', ringSeconds: 40 })), 'nobody leads there').toEqual([201, []]);
  expect(await said(patch('/menus/desk', { options: { 1: { to: 'receiving-number', id: 'service' } } })), 'no number leads there').toEqual([200, []]);
  expect(await said(patch('/numbers/flyer', { users: [], route: { to: 'menu', id: 'desk' } }))).toEqual([200, [tooLong('Service', '40 s')]]);
});
