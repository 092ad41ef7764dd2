/**
 * Phones and trunks that are gone, on a real switch: a phone that does not register in time, a carrier that stops
 * answering. Each is told once in the notices, by e-mail and on the event stream, and once when it is back.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { firstKeyOf, openApi, type Api } from '../support/api.ts';
import { rings } from '../support/behaviour.ts';
import type { Controller } from '../support/controller.ts';
import { startMailServer, type MailServer } from '../support/mail-server.ts';
import type { Party } from '../support/sip-party.ts';
import { openSite, SITE_START_MS, type Site } from '../support/site.ts';
import { until } from '../support/until.ts';

const WHO = ['owner@clinic.example', 'desk@clinic.example'];
let site: Site;
let mail: MailServer;
let controller: Controller;
let key: string;
let api: Api;
const dataDir = (): string => join(site.folder, 'controller');
const start = async (): Promise<void> => { controller = await site.startController({ planFile: '', dataDir: dataDir(), env: { FRONTDESK_SMTP_URL: mail.url } }); };

interface Credentials { readonly username: string; readonly password: string }
const credentialsOf = (device: string): Promise<Credentials> => api.get(`/accounts/clinic/devices/${device}/credentials`);

beforeAll(async () => {
  [site, mail] = await Promise.all([openSite(), startMailServer()]);
  await start();
  key = firstKeyOf(controller);
  api = openApi(() => controller.httpUrl, key);
  await api.write('POST', '/accounts', { id: 'clinic', name: 'The Clinic', alerts: { notify: WHO, graceSeconds: 1 } });
  await api.write('POST', '/accounts/clinic/trunks', { id: 'lab', ...site.trunkAddress('carrier'), register: false, qualifySeconds: 1 });
  await api.write('POST', '/accounts/clinic/users', { id: 'ann', name: 'Ann' });
  for (const [id, extension] of [['desk', '401'], ['window', '402']]) await api.write('POST', '/accounts/clinic/devices', { id, user: 'ann', extension, label: id });
}, SITE_START_MS);
afterAll(async () => {
  await site.close();
  await mail.stop();
});

const registersFor = async (device: string, expires: number): Promise<Party> => {
  const { username, password } = await credentialsOf(device);
  await until(async () => site.switch.knows(username), { describe: `the switch knows ${username}` });
  if (expires < 60) await site.switch.takesShortRegistrations(username);
  return site.phone(username, rings(), { password, expires });
};

interface Notice { readonly kind: string; readonly sentence: string; readonly notify: readonly string[] }
/** Of phones and trunks, oldest first: `gone Extension 401`. */
const notices = (): readonly Notice[] => {
  const lines = ((): string => {
    try {
      return readFileSync(join(dataDir(), 'notices.ndjson'), 'utf8');
    } catch {
      return '';
    }
  })();
  return lines.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as Notice);
};
const told = (): readonly string[] => notices().map(({ kind, sentence }) => `${kind} ${sentence.split(' ').slice(0, 2).join(' ')}`);
const isTold = (what: string, times = 1): Promise<unknown> =>
  until(() => told().filter((one) => one === what).length === times, { describe: `there is the notice “${what}”, ${times} in all; there are ${told().join(', ')}`, within: 30_000, everyMs: 50 });
interface Stream { readonly text: () => string; close(): void }
/** All that the clinic's event stream has said, until it is closed. */
const follow = async (): Promise<Stream> => {
  const abort = new AbortController();
  const response = await fetch(`${controller.httpUrl}/api/v1/events?account=clinic`, { signal: abort.signal, headers: { authorization: `Bearer ${key}` } });
  let text = '';
  const read = async (): Promise<void> => {
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) text += decoder.decode(chunk, { stream: true });
  };
  read().catch(() => undefined);
  return { text: () => text, close: () => { abort.abort(); } };
};
const events = (stream: string, type: string): readonly { readonly id: string; readonly state: string }[] =>
  [...stream.matchAll(new RegExp(`event: ${type}\\ndata: (.*)`, 'g'))].map(([, data = '{}']) => JSON.parse(data) as { id: string; state: string });

/** That Frontdesk itself has seen it so, by its stream: what it never saw is not missed. */
const isSeen = (stream: Stream, id: string, state: string): Promise<unknown> =>
  until(() => events(stream.text(), 'registration').findLast((one) => one.id === id)?.state === state, { describe: `${id} is seen ${state}`, within: 20_000, everyMs: 50 });

test('A phone that lapses is told of, to everybody and once; registered again it is back', async () => {
  const stream = await follow();
  await registersFor('desk', 4);
  await isSeen(stream, '401', 'registered');
  await isTold('gone Extension 401');
  expect(notices()[0]).toMatchObject({ notify: WHO, sentence: expect.stringMatching(/^Extension 401 \(Ann, desk\) of The Clinic is gone: it has not been registered since 20/) as string });
  await registersFor('desk', 300);
  await isTold('back Extension 401');
  await until(() => mail.mails.length === 2, { describe: 'both have been sent by e-mail', within: 15_000 });
  expect(mail.mails.map(({ to }) => to)).toEqual([WHO, WHO]);
  expect(mail.mails[0]?.text).toContain('Subject: A phone or trunk is gone');
  await until(() => events(stream.text(), 'alert').length === 2, { describe: 'both are on the stream' });
  expect(events(stream.text(), 'alert').map(({ state }) => state)).toEqual(['gone', 'back']);
  expect(events(stream.text(), 'registration').filter(({ id }) => id === '401').map(({ state }) => state)).toEqual(['registered', 'unregistered', 'registered']);
  stream.close();
  expect(told()).toEqual(['gone Extension 401', 'back Extension 401']);
});

test('A carrier that stops answering OPTIONS is told of, and so is that it answers again', async () => {
  const stream = await follow();
  const carrier = await site.carrier();
  await isSeen(stream, 'lab', 'reachable');
  await carrier.stop();
  await isTold('gone Trunk lab');
  expect(notices().at(-1)?.sentence).toMatch(/^Trunk lab of The Clinic is lost: the carrier has not answered OPTIONS since 20.* No call goes over it\.$/);
  await site.carrier();
  await isTold('back Trunk lab');
  stream.close();
});

test('After a restart nothing is said of what is still there, nor again of what is gone', async () => {
  const stream = await follow();
  await registersFor('window', 4);
  await isSeen(stream, '402', 'registered');
  await isTold('gone Extension 402');
  stream.close();
  const before = told();
  await controller.stop();
  await start();
  const after = await follow();
  await registersFor('window', 300);
  await isTold('back Extension 402');
  // all that the restart could have been wrong about has been looked at since
  expect(told()).toEqual([...before, 'back Extension 402']);
  await site.afterTest();
  await Promise.all([isTold('gone Extension 401', 2), isTold('gone Extension 402', 2), isTold('gone Trunk lab', 2)]);
  expect(told()).toHaveLength(before.length + 4);
  after.close();
});
