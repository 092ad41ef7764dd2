/**
 * A new admin's first five minutes, on a system with nothing in it: over the API alone an account, a phone and a number
 * are made, the number is rung through the real switch, and the recording is listened to. Then the command line takes
 * the whole of it out, and brings it back.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rings } from '../support/behaviour.ts';
import { runCli } from '../support/cli.ts';
import type { Controller } from '../support/controller.ts';
import { openSite, SITE_START_MS, type Site } from '../support/site.ts';
import { tonesIn } from '../support/tone.ts';
import { until } from '../support/until.ts';

const NUMBER = '+12025550180';
let site: Site;
let controller: Controller;
let key: string;
let folder: string;
const dataDir = (): string => join(site.folder, 'controller');

/** Shown once by the controller that starts on an empty database; the last is the newest. */
const firstKey = (): string => controller.output().match(/\bfd_[0-9a-f]{12}_[0-9a-f]{48}\b/g)?.at(-1) ?? expect.fail('the first key was not shown');
const start = (): Promise<Controller> => site.startController({ planFile: '', dataDir: dataDir() });

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'frontdesk-minutes-'));
  site = await openSite();
  controller = await start();
  key = firstKey();
}, SITE_START_MS);
afterAll(async () => {
  await site.close();
  rmSync(folder, { recursive: true, force: true });
});

const ask = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
  const response = await fetch(`${controller.httpUrl}/api/v1${path}`, {
    method, headers: { authorization: `Bearer ${key}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) }, ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return (text === '' ? undefined : JSON.parse(text)) as T;
};
const cli = (args: readonly string[]) => runCli(args, { FRONTDESK_API_URL: controller.httpUrl, FRONTDESK_API_KEY: key });

interface Recording { readonly id: string; readonly durationMs: number; readonly caller: string }
interface CallRecord { readonly callId: string; readonly disposition: string; readonly announcementAt: number | null; readonly recordings: readonly { readonly startedAt: number | null }[] }

describe('A new admin', () => {
  test('makes an account, a phone and a number, and is told what is wrong with each', async () => {
    await ask('POST', '/accounts', { id: 'clinic', name: 'The Clinic' });
    await ask('POST', '/accounts/clinic/trunks', { id: 'lab', ...site.trunkAddress('carrier'), register: false });
    await ask('POST', '/accounts/clinic/users', { id: 'ann', name: 'Ann' });
    await ask('POST', '/accounts/clinic/devices', { id: 'desk', user: 'ann', extension: '401', label: 'desk' });
    await expect(ask('POST', '/accounts/clinic/numbers', { id: 'main', e164: '202 555', name: 'Main', users: ['bob'] })).rejects.toThrow(/422.*e164.*is not an E\.164 number/s);
    await ask('POST', '/accounts/clinic/numbers', {
      id: 'main', e164: NUMBER, name: 'Main', users: ['ann'], callConnect: 'off', recording: 'force', announcement: { sound: 'beep' }, recordingAnnouncement: { sound: 'beep' },
    });
  });

  test('rings it: the phone is live at once, and the call is answered', async () => {
    const { password } = await ask<{ password: string }>('GET', '/accounts/clinic/devices/desk/credentials');
    const phone = await site.phone('401', rings(), { password });
    const caller = await site.call({ from: '+13035550199', to: NUMBER, sound: 620 });
    const call = await phone.nextCall();
    await call.answer();
    await until(() => call.state() === 'connected' && caller.call.state() === 'connected', { describe: 'both are connected', within: 10_000 });
    call.play(1_140);
    await until(() => call.hears(620) && caller.call.hears(1_140), { describe: 'they hear each other', within: 8_000 });
    const live = await ask<{ items: readonly { phase: string }[] }>('GET', '/live-calls');
    expect(live.items.map(({ phase }) => phase)).toEqual(['connected']);
    await until(() => caller.call.hears(1_140), { describe: 'some of it is recorded', within: 2_000 });
    await caller.call.hangUp();
    await site.expectNothingLeft();
  });

  test('finds the call, and listens to it: each voice on its own channel, after the announcement', async () => {
    const recordings = await until(async () => {
      const { items } = await ask<{ items: readonly Recording[] }>('GET', '/accounts/clinic/recordings');
      return items.length === 0 ? undefined : items;
    }, { describe: 'the recording is there', within: 15_000 });
    expect(recordings).toMatchObject([{ caller: '+13035550199' }]);
    const response = await fetch(`${controller.httpUrl}/api/v1/accounts/clinic/recordings/${recordings[0]?.id ?? ''}/content`, { headers: { authorization: `Bearer ${key}` } });
    expect(response.headers.get('content-type')).toBe('audio/wav');
    const wav = Buffer.from(await response.arrayBuffer());
    expect(tonesIn(wav, [620, 1_140])).toEqual([[620], [1_140]]);

    const { items: calls } = await until(async () => {
      const page = await ask<{ items: readonly CallRecord[] }>('GET', '/accounts/clinic/calls?caller=3035550199');
      return page.items.length === 0 ? undefined : page;
    }, { describe: 'the record has arrived', within: 10_000 });
    expect(calls.map(({ disposition }) => disposition)).toEqual(['answered']);
    const [record] = calls;
    expect(record?.recordings[0]?.startedAt ?? 0).toBeGreaterThan(record?.announcementAt ?? Number.MAX_SAFE_INTEGER);
    const audit = await ask<{ items: readonly { action: string; subject: string }[] }>('GET', '/audit-log?action=recording.listen');
    expect(audit.items.length).toBeGreaterThan(0);
  });

  test('takes all of it out and brings it back', async () => {
    const exported = (await cli(['export'])).stdout;
    expect(exported).toContain(NUMBER);
    const backup = join(folder, 'backup');
    expect(await cli(['backup', backup])).toMatchObject({ code: 0 });
    expect(existsSync(join(backup, 'configuration.yaml'))).toBe(true);

    await controller.stop();
    rmSync(dataDir(), { recursive: true });
    controller = await start();
    key = firstKey();
    expect((await ask<{ items: readonly unknown[] }>('GET', '/accounts')).items).toEqual([]);

    expect(await cli(['restore', backup])).toMatchObject({ code: 0 });
    expect((await cli(['export'])).stdout).toBe(exported);
    expect((await ask<{ items: readonly unknown[] }>('GET', '/accounts/clinic/calls')).items).toHaveLength(1);
    expect(await cli(['restore', join(folder, 'none')])).toMatchObject({ code: 1, stderr: expect.stringContaining('is not a whole backup') as string });
  });

  test.each(['riverside-dental', 'harbor-physio'])('brings the example %s in, out, and in again to the same', async (example) => {
    expect(await cli(['import', `dialplans/${example}.yaml`])).toMatchObject({ code: 0 });
    const first = (await cli(['export', '--account', example])).stdout;
    const file = join(folder, `${example}.yaml`);
    writeFileSync(file, first);
    const again = await cli(['import', file]);
    expect(again).toMatchObject({ code: 0, stderr: expect.stringMatching(/0 created, 0 replaced, 0 deleted, \d+ unchanged\./) as string });
    expect((await cli(['export', '--account', example])).stdout).toBe(first);
    expect(readFileSync(file, 'utf8')).toContain('frontdesk/1');
  });
});
