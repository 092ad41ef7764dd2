/** The key that recordings were encrypted with is missing: they are listed, not played and not touched, until it is given. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { firstKeyOf, openApi, readinessOf, type Api } from '../support/api.ts';
import { rings } from '../support/behaviour.ts';
import type { Controller } from '../support/controller.ts';
import type { Party } from '../support/sip-party.ts';
import { openSite, passwordOf, SITE_START_MS, type Site } from '../support/site.ts';
import { tonesIn } from '../support/tone.ts';
import { stays, until } from '../support/until.ts';

const NUMBER = '+12025550171';
const [CALLER_HZ, CALLEE_HZ] = [620, 1_140];
const [first, second] = [randomBytes(32).toString('hex'), randomBytes(32).toString('hex')];
let site: Site;
let controller: Controller;
let api: Api;
let phone: Party;
let before: Recording;
let bytes: Buffer;

interface Recording { readonly id: string; readonly callId: string; readonly durationMs: number; readonly bytes: number; readonly at: number }
const dataDir = (): string => join(site.folder, 'controller');
const start = async (key: string, old = ''): Promise<void> => {
  controller = await site.startController({ planFile: '', dataDir: dataDir(), env: { FRONTDESK_MEDIA_KEY: key, FRONTDESK_MEDIA_KEYS_OLD: old } });
};
const recordings = async (): Promise<readonly Recording[]> => (await api.get<{ items: readonly Recording[] }>('/accounts/clinic/recordings')).items;
const recorded = (count: number): Promise<readonly Recording[]> => until(async () => {
  const items = await recordings();
  return items.length === count ? items : undefined;
}, { describe: `${count} recordings are listed`, within: 10_000 });
const content = ({ id }: Recording) => api.ask('GET', `/accounts/clinic/recordings/${id}/content`);
const hear = async (recording: Recording): Promise<unknown> => tonesIn((await content(recording)).bytes, [CALLER_HZ, CALLEE_HZ]);
const fileOf = ({ id }: Recording): string => join(dataDir(), 'recordings', `${id}.fdv`);
const talk = async (from: string): Promise<void> => {
  const caller = await site.call({ from, to: NUMBER, sound: CALLER_HZ });
  const call = await phone.nextCall();
  await call.answer();
  const both = (): boolean => call.hears(CALLER_HZ) && caller.call.hears(CALLEE_HZ);
  await until(both, { describe: 'they hear each other', within: 8_000 });
  await stays(both, { describe: 'they go on talking', forMs: 1_000 });
  await caller.call.hangUp();
  await call.ended();
};

beforeAll(async () => {
  site = await openSite();
  await start(first);
  api = openApi(() => controller.httpUrl, firstKeyOf(controller));
  await api.write('POST', '/accounts', { id: 'clinic', name: 'The Clinic' });
  await api.write('POST', '/accounts/clinic/trunks', { id: 'lab', ...site.trunkAddress('carrier'), register: false });
  await api.write('POST', '/accounts/clinic/users', { id: 'ann', name: 'Ann' });
  await api.write('POST', '/accounts/clinic/devices', { id: 'desk', user: 'ann', extension: '401', password: passwordOf('401') });
  await api.write('POST', '/accounts/clinic/numbers', { id: 'main', e164: NUMBER, name: 'Main', users: ['ann'], callConnect: 'off', recording: 'force' });
  phone = await site.phone('401', rings({ sound: CALLEE_HZ }));
}, SITE_START_MS);
afterAll(() => site.close());

/** As docs/operations.md tells to find it out. */
const idOfKey = (key: string): string => {
  const [command = 'false'] = /^\{ printf 'frontdesk media key.*$/m.exec(readFileSync(join(import.meta.dirname, '../../docs/operations.md'), 'utf8')) ?? [];
  return execFileSync('bash', ['-c', command], { env: { ...process.env, KEY: key }, encoding: 'utf8' }).trim();
};

describe('A recording whose key is missing', () => {
  test('is there, and plays, while the key is', async () => {
    await talk('+13035550171');
    [before] = (await recorded(1)) as [Recording];
    expect(await hear(before)).toEqual([[CALLER_HZ], [CALLEE_HZ]]);
    bytes = readFileSync(fileOf(before));
  });

  test('is listed as before, and who wants to hear it is told which key it needs', async () => {
    await controller.stop();
    await start(second);
    const [listed] = await recorded(1);
    expect(listed).toMatchObject({ id: before.id, callId: before.callId, at: before.at, bytes: before.bytes });
    const answer = await content(before);
    expect([answer.status, answer.type]).toEqual([503, expect.stringContaining('application/problem+json')]);
    const { detail } = answer.json as { detail: string };
    expect(detail).toBe(`The encrypted file ${before.id} needs the key ${idOfKey(first)}, which is neither in FRONTDESK_MEDIA_KEY nor in FRONTDESK_MEDIA_KEYS_OLD: add it to the latter, and start again. Nothing is lost until then.`);
    expect([first, second].some((key) => answer.bytes.includes(key))).toBe(false);
    expect((await readinessOf(controller)).reasons.join('\n')).toContain(`needs the key ${idOfKey(first)}`);
    const { items } = await api.get<{ items: readonly { outcome: string }[] }>('/audit-log?action=recording.listen&limit=1');
    expect(items).toMatchObject([{ outcome: 'refused' }]);
  });

  test('does not keep others from being made and heard', async () => {
    await talk('+13035550172');
    const [newest] = await recorded(2);
    expect(newest?.callId).not.toBe(before.callId);
    expect(await Promise.all((await recordings()).slice(0, 1).map(hear))).toEqual([[[CALLER_HZ], [CALLEE_HZ]]]);
    expect((await content(before)).status).toBe(503);
  });

  test('has not been touched, and plays again when its key is among the old ones', async () => {
    await controller.stop();
    expect(readFileSync(fileOf(before)).equals(bytes)).toBe(true);
    await start(second, first);
    const all = await recorded(2);
    expect(all.find(({ id }) => id === before.id)).toEqual(before);
    expect(await Promise.all(all.map(hear))).toEqual(all.map(() => [[CALLER_HZ], [CALLEE_HZ]]));
    expect(readFileSync(fileOf(before)).equals(bytes)).toBe(true);
    expect((await readinessOf(controller)).reasons.filter((reason) => reason.includes('ecording'))).toEqual([]);
  });
});
