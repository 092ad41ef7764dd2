/**
 * A new admin's first five minutes, on a system with nothing in it: over the API alone an account, a phone and a number
 * are made, the number is rung through the real switch, and the recording is listened to. Then the command line takes
 * the whole of it out, and brings it back.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { firstKeyOf, openApi, type Api } from '../support/api.ts';
import { rings } from '../support/behaviour.ts';
import { runCli } from '../support/cli.ts';
import type { Controller } from '../support/controller.ts';
import { openSite, SITE_START_MS, type Site } from '../support/site.ts';
import { tonesIn } from '../support/tone.ts';
import { stays, until } from '../support/until.ts';

const NUMBER = '+12025550180';
let site: Site;
let controller: Controller;
let key: string;
let api: Api;
let folder: string;
const dataDir = (): string => join(site.folder, 'controller');

const start = async (): Promise<void> => {
  controller = await site.startController({ planFile: '', dataDir: dataDir() });
  key = firstKeyOf(controller);
  api = openApi(() => controller.httpUrl, key);
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'frontdesk-minutes-'));
  site = await openSite();
  await start();
}, SITE_START_MS);
afterAll(async () => {
  await site.close();
  rmSync(folder, { recursive: true, force: true });
});

const cli = (args: readonly string[]) => runCli(args, { FRONTDESK_API_URL: controller.httpUrl, FRONTDESK_API_KEY: key });

interface Recording { readonly id: string; readonly durationMs: number; readonly caller: string }
interface CallRecord { readonly callId: string; readonly disposition: string; readonly announcementAt: number | null; readonly recordings: readonly { readonly startedAt: number | null }[] }

describe('A new admin', () => {
  test('makes an account, a phone and a number, and is told what is wrong with each', async () => {
    await api.write('POST', '/accounts', { id: 'clinic', name: 'The Clinic' });
    await api.write('POST', '/accounts/clinic/trunks', { id: 'lab', ...site.trunkAddress('carrier'), register: false });
    await api.write('POST', '/accounts/clinic/users', { id: 'ann', name: 'Ann' });
    await api.write('POST', '/accounts/clinic/devices', { id: 'desk', user: 'ann', extension: '401', label: 'desk' });
    await expect(api.write('POST', '/accounts/clinic/numbers', { id: 'main', e164: '202 555', name: 'Main', users: ['bob'] })).rejects.toThrow(/422.*e164.*is not an E\.164 number/s);
    await api.write('POST', '/accounts/clinic/numbers', {
      id: 'main', e164: NUMBER, name: 'Main', users: ['ann'], callConnect: 'off', recording: 'force', announcement: { sound: 'beep' }, recordingAnnouncement: { sound: 'beep' },
    });
  });

  test('sees what a call to it would do, from the command line too', async () => {
    const explained = await cli(['explain', NUMBER, '--account', 'clinic', '--from', '+13035550199']);
    expect(explained).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/^\+12025550180 “Main” of The Clinic\n[^]*extension 401/) as string });
  });

  test('rings it: the phone is live at once, and the call is answered', async () => {
    const { password } = await api.get<{ password: string }>('/accounts/clinic/devices/desk/credentials');
    const phone = await site.phone('401', rings(), { password });
    const caller = await site.call({ from: '+13035550199', to: NUMBER, sound: 620 });
    const call = await phone.nextCall();
    await call.answer();
    await until(() => call.state() === 'connected' && caller.call.state() === 'connected', { describe: 'both are connected', within: 10_000 });
    call.play(1_140);
    await until(() => call.hears(620) && caller.call.hears(1_140), { describe: 'they hear each other', within: 8_000 });
    const live = await api.get<{ items: readonly { phase: string }[] }>('/live-calls');
    expect(live.items.map(({ phase }) => phase)).toEqual(['connected']);
    await stays(() => call.hears(620) && caller.call.hears(1_140), { describe: 'they talk, and some of it is recorded', forMs: 1_500 });
    await caller.call.hangUp();
    await site.expectNothingLeft();
  });

  test('finds the call, and listens to it: each voice on its own channel, after the announcement', async () => {
    const recordings = await until(async () => {
      const { items } = await api.get<{ items: readonly Recording[] }>('/accounts/clinic/recordings');
      return items.length === 0 ? undefined : items;
    }, { describe: 'the recording is there', within: 15_000 });
    expect(recordings).toMatchObject([{ caller: '+13035550199' }]);
    const response = await fetch(`${controller.httpUrl}/api/v1/accounts/clinic/recordings/${recordings[0]?.id ?? ''}/content`, { headers: { authorization: `Bearer ${key}` } });
    expect(response.headers.get('content-type')).toBe('audio/wav');
    const wav = Buffer.from(await response.arrayBuffer());
    expect(tonesIn(wav, [620, 1_140])).toEqual([[620], [1_140]]);

    const { items: calls } = await until(async () => {
      const page = await api.get<{ items: readonly CallRecord[] }>('/accounts/clinic/calls?caller=3035550199');
      return page.items.length === 0 ? undefined : page;
    }, { describe: 'the record has arrived', within: 10_000 });
    expect(calls.map(({ disposition }) => disposition)).toEqual(['answered']);
    const [record] = calls;
    expect(record?.recordings[0]?.startedAt ?? 0).toBeGreaterThan(record?.announcementAt ?? Number.MAX_SAFE_INTEGER);
    const audit = await api.get<{ items: readonly { action: string; subject: string }[] }>('/audit-log?action=recording.listen');
    expect(audit.items.length).toBeGreaterThan(0);
  });

  test('brings patients in from a file, all of them or none', async () => {
    const patients = join(folder, 'patients.csv');
    const send = (lines: readonly string[]) => {
      writeFileSync(patients, lines.join('\n'));
      return cli(['contacts', 'import', patients, '--account', 'clinic']);
    };
    expect(await send(['number,name', '3035550199,Jo', '+13035550198,Al'])).toMatchObject({ code: 1, stderr: expect.stringMatching(/^422: Nothing was imported: one line cannot be accepted\.\n {2}line 2 number: “3035550199” is not an E\.164 number/) as string });
    expect(await send(['number,name,owner,field.note', '+13035550199,Jo,ann,=1', '+13035550198,Al,,'])).toMatchObject({ code: 0, stderr: 'contacts of clinic: 2 created, 0 replaced, 0 deleted, 0 unchanged.\n' });
    expect(await cli(['contacts', 'export', '--account', 'clinic', '--spreadsheet'])).toMatchObject({ code: 0, stdout: "number,name,owner,tags,field.note\n'+13035550198,Al,,,\n'+13035550199,Jo,ann,,'=1\n" });
    expect((await cli(['contacts', 'export'])).code).toBe(2);
  });

  test('takes all of it out and brings it back', async () => {
    const exported = (await cli(['export'])).stdout;
    for (const part of [NUMBER, '+13035550199,Jo,ann,,=1']) expect(exported).toContain(part);
    const backup = join(folder, 'backup');
    expect(await cli(['backup', backup])).toMatchObject({ code: 0 });
    expect(existsSync(join(backup, 'configuration.yaml'))).toBe(true);

    await controller.stop();
    rmSync(dataDir(), { recursive: true });
    await start();
    expect((await api.get<{ items: readonly unknown[] }>('/accounts')).items).toEqual([]);

    expect(await cli(['restore', backup])).toMatchObject({ code: 0 });
    expect((await cli(['export'])).stdout).toBe(exported);
    expect((await api.get<{ items: readonly unknown[] }>('/accounts/clinic/calls')).items).toHaveLength(1);

    // what has come since goes, and whoever it belongs to
    await api.write('POST', '/accounts/clinic/users', { id: 'eve', name: 'Eve' });
    await api.write('PATCH', '/accounts/clinic/contacts/+13035550198', { owner: 'eve' });
    await api.write('POST', '/accounts/clinic/contacts', { number: '+13035550197', name: 'New', owner: 'eve' });
    expect(await cli(['restore', backup])).toMatchObject({ code: 0 });
    expect((await cli(['export'])).stdout).toBe(exported);
    expect(await cli(['restore', join(folder, 'none')])).toMatchObject({ code: 1, stderr: expect.stringContaining('is not a whole backup') as string });
  });

  test.each(['riverside-dental', 'harbor-physio', 'lakeside-clinics'])('brings the example %s in, out, and in again to the same', async (example) => {
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
