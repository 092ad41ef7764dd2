/**
 * Greetings as a clinic's people make them: uploaded over the API as MP3 and WAV, for the business and for one person,
 * and heard by callers through the real switch. Greetings are tones, so that the test can tell them apart by ear.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { firstKeyOf, openApi, type Api } from '../support/api.ts';
import { wav } from '../support/clinic.ts';
import type { Controller } from '../support/controller.ts';
import { openSite, SITE_START_MS, type Caller, type Site } from '../support/site.ts';
import { stays, until } from '../support/until.ts';

const [DIRECT, MAIN, PATIENTS] = ['+12025550181', '+12025550182', '+12025550183'];
const [STRANGER, PATIENT] = ['+13035550199', '+13035550188'];
const ANN_HZ = 850;
/** 1.2 s of both at once. */
const BUSINESS_MP3 = join(import.meta.dirname, '../contract/media-files/tones-44100-stereo.mp3');
const BUSINESS_HZ = [440, 1_000] as const;
let site: Site;
let controller: Controller;
let api: Api;
const dataDir = (): string => join(site.folder, 'controller');

const upload = async (id: string, type: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> => {
  const answer = await fetch(`${controller.httpUrl}/api/v1/accounts/clinic/audio-files?name=${id}&id=${id}`, {
    method: 'POST', body: bytes, headers: { authorization: `Bearer ${firstKeyOf(controller)}`, 'content-type': type },
  });
  expect([answer.status, await answer.json()]).toMatchObject([201, { id, warnings: [] }]);
};

beforeAll(async () => {
  site = await openSite();
  controller = await site.startController({ planFile: '', dataDir: dataDir() });
  api = openApi(() => controller.httpUrl, firstKeyOf(controller));
  await api.write('POST', '/accounts', { id: 'clinic', name: 'The Clinic', precedence: ['contact-owner'] });
  await upload('business', 'audio/mpeg', new Uint8Array(readFileSync(BUSINESS_MP3)));
  await upload('ann', 'audio/wav', new Uint8Array(wav(ANN_HZ, 1)));
  await api.write('POST', '/accounts/clinic/trunks', { id: 'lab', ...site.trunkAddress('carrier'), register: false });
  await api.write('PATCH', '/accounts/clinic', { voicemail: { greeting: { audio: 'business' } } });
  await api.write('POST', '/accounts/clinic/users', { id: 'ann', name: 'Ann', voicemail: { greeting: { audio: 'ann' }, notify: ['ann@clinic.example'] } });
  await api.write('POST', '/accounts/clinic/users', { id: 'bob', name: 'Bob' });
  // nobody is at these phones, so each call is in voicemail at once
  await api.write('POST', '/accounts/clinic/devices', { id: 'ann-desk', user: 'ann', extension: '401' });
  await api.write('POST', '/accounts/clinic/devices', { id: 'bob-desk', user: 'bob', extension: '402' });
  await api.write('POST', '/accounts/clinic/contacts', { number: PATIENT, name: 'A patient', owner: 'ann' });
  const voicemail = { notify: ['desk@clinic.example'] };
  await api.write('POST', '/accounts/clinic/numbers', { id: 'direct', e164: DIRECT, name: 'Direct', users: ['ann'], voicemail });
  await api.write('POST', '/accounts/clinic/numbers', { id: 'main', e164: MAIN, name: 'Main', users: ['ann', 'bob'], voicemail });
  await api.write('POST', '/accounts/clinic/numbers', { id: 'patients', e164: PATIENTS, name: 'Patients', user: 'bob', voicemail });
}, SITE_START_MS);
afterEach(() => site.afterTest());
afterAll(() => site.close());

interface Reasons { readonly reasons: readonly { readonly subject: string; readonly taken: boolean; readonly why: string }[] }
const explained = async (number: string, caller: string): Promise<string | undefined> => {
  const { reasons } = await api.get<Reasons>(`/accounts/clinic/numbers/${number}/explain?caller=${encodeURIComponent(caller)}`);
  return reasons.find(({ subject, taken }) => subject === 'greeting' && taken)?.why;
};

/** Leaves a message of a second or so, once the tones have been heard. */
const leaveMessage = async (from: string, to: string, greeting: readonly number[]): Promise<Caller> => {
  const caller = await site.call({ from, to, sound: 350 });
  await until(() => greeting.every((hz) => caller.call.hears(hz)), { describe: `${from} hears the greeting`, within: 10_000 });
  await until(async () => {
    const { items } = await api.get<{ items: readonly { phase: string }[] }>('/live-calls');
    return items[0]?.phase === 'recording';
  }, { describe: 'the message is recorded', within: 10_000 });
  await stays(() => caller.call.state() === 'connected', { describe: 'the caller talks', forMs: 1_200 });
  await caller.call.hangUp();
  return caller;
};

interface Notice { readonly kind: string; readonly sentence: string; readonly notify: readonly string[] }
const noticeOf = (caller: string, number: string): Promise<Notice> => until(() => {
  const notices = readFileSync(join(dataDir(), 'notices.ndjson'), 'utf8').trim().split('\n').map((line) => JSON.parse(line) as Notice);
  return notices.find(({ kind, sentence }) => kind === 'voicemail' && sentence.startsWith(caller) && sentence.includes(number));
}, { describe: `there is a notice of the message of ${caller}`, within: 15_000 });

describe('A caller hears', () => {
  test('the person’s own greeting on a number that rings them alone, and the message is theirs', async () => {
    expect(await explained('direct', STRANGER)).toBe('Ann’s own: the call rings nobody else');
    await leaveMessage(STRANGER, DIRECT, [ANN_HZ]);
    const notice = await noticeOf(STRANGER, DIRECT);
    expect(notice.notify).toEqual(['desk@clinic.example', 'ann@clinic.example']);
    expect(notice.sentence).toContain('for Ann at Direct');
  });

  test('the business’s greeting on a number that rings two, and the message is everybody’s', async () => {
    expect(await explained('main', STRANGER)).toBe('the business’s: the number has none');
    await leaveMessage(STRANGER, MAIN, BUSINESS_HZ);
    expect((await noticeOf(STRANGER, MAIN)).notify).toEqual(['desk@clinic.example']);
  });

  test('the greeting of the person who looks after them, on the number of another', async () => {
    expect(await explained('patients', PATIENT)).toBe('Ann’s own: the call rings nobody else');
    await leaveMessage(PATIENT, PATIENTS, [ANN_HZ]);
    expect((await noticeOf(PATIENT, PATIENTS)).notify).toContain('ann@clinic.example');
  });
});

test('A greeting in use is not deleted, and who uses it is said', async () => {
  for (const [audio, user] of [['ann', 'user/ann'], ['business', 'account/clinic']] as const) {
    const answer = await api.ask('DELETE', `/accounts/clinic/audio-files/${audio}`, undefined, { 'if-match': '*' });
    expect([answer.status, answer.json]).toMatchObject([409, { detail: expect.stringContaining(`${user} voicemail.greeting.audio uses the audio “${audio}”`) as string }]);
  }
  const missing = await api.ask('PATCH', '/accounts/clinic/users/bob', { voicemail: { greeting: { audio: 'nothing' } } }, { 'if-match': '*' });
  expect([missing.status, missing.json]).toMatchObject([422, { problems: [{ path: 'voicemail.greeting.audio', message: 'there is no audio “nothing”. Create it first, or correct the id.' }] }]);
});
