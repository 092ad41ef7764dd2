/**
 * The disk becomes full while a call is recorded: both go on talking, it is said, what was recorded before is kept, and
 * with room again everything arrives and the next call is recorded whole. The first part has the kernel's own full
 * device in the place of files, and runs everywhere; the second a disk that fills up, and takes a user who may mount one.
 */
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { firstKeyOf, openApi, readinessOf, type Api } from '../support/api.ts';
import { rings } from '../support/behaviour.ts';
import { cdrsIn } from '../support/controller-data.ts';
import type { Controller } from '../support/controller.ts';
import type { SipCall } from '../support/sip-call.ts';
import { openSite, passwordOf, SITE_START_MS, type Caller, type Site } from '../support/site.ts';
import { openDisk, type SmallDisk } from '../support/small-disk.ts';
import { tonesIn } from '../support/tone.ts';
import { stays, until } from '../support/until.ts';

const NUMBER = '+12025550151';
const [CALLER_HZ, CALLEE_HZ] = [620, 1_140];
let site: Site;
let controller: Controller;
let api: Api;
let disk: SmallDisk | null;
let diskDir: string;
const spool = (): string => site.recordingsDir;

beforeAll(async () => {
  diskDir = mkdtempSync(join(tmpdir(), 'frontdesk-disk-'));
  site = await openSite();
  disk = await openDisk(diskDir);
}, SITE_START_MS);
afterEach(async () => {
  await controller.stop();
  await site.afterTest();
});
afterAll(async () => {
  await site.close();
  await disk?.close();
  rmSync(diskDir, { recursive: true, force: true });
});

const open = async (dataDir: string): Promise<void> => {
  controller = await site.startController({ planFile: '', dataDir });
  api = openApi(() => controller.httpUrl, firstKeyOf(controller));
  await api.write('POST', '/accounts', { id: 'clinic', name: 'The Clinic' });
  await api.write('POST', '/accounts/clinic/trunks', { id: 'lab', ...site.trunkAddress('carrier'), register: false });
  await api.write('POST', '/accounts/clinic/users', { id: 'ann', name: 'Ann' });
  await api.write('POST', '/accounts/clinic/devices', { id: 'desk', user: 'ann', extension: '401', password: passwordOf('401') });
  await api.write('POST', '/accounts/clinic/numbers', { id: 'main', e164: NUMBER, name: 'Main', users: ['ann'], callConnect: 'off', recording: 'force' });
};

interface Talk {
  readonly caller: Caller;
  readonly callee: SipCall;
}
const hear = ({ caller, callee }: Talk): boolean => callee.hears(CALLER_HZ) && caller.call.hears(CALLEE_HZ);
const talk = async (from: string): Promise<Talk> => {
  const phone = await site.phone('401', rings({ sound: CALLEE_HZ }));
  const caller = await site.call({ from, to: NUMBER, sound: CALLER_HZ });
  const callee = await phone.nextCall();
  await callee.answer();
  await until(() => hear({ caller, callee }), { describe: 'they hear each other', within: 8_000 });
  return { caller, callee };
};
/** For a while, and still; a moment of a busy machine may be missing. */
const goOnTalking = async (both: Talk): Promise<void> => {
  const heard: boolean[] = [];
  await stays(() => heard.push(hear(both)) > 0, { describe: 'they go on', forMs: 1_500 });
  expect(heard.filter(Boolean).length / heard.length).toBeGreaterThan(0.8);
  await until(() => hear(both), { describe: 'both hear each other still' });
};
const hangUp = async ({ caller, callee }: Talk): Promise<void> => {
  await caller.call.hangUp();
  await callee.ended();
};

/** An Asterisk writes two seconds at a time, FreeSWITCH one; the files of both voices of the one call have their first. */
const someIsRecorded = (): Promise<readonly string[]> => until(() => {
  const names = readdirSync(spool());
  return names.length === 2 && names.every((name) => statSync(join(spool(), name)).size > 10_000) ? names : undefined;
}, { describe: 'some of both voices is on the disk', within: 8_000 });
const saysSo = (sentence: RegExp, status: number): Promise<unknown> => until(async () => {
  const now = await readinessOf(controller);
  return now.status === status && now.reasons.some((reason) => sentence.test(reason));
}, { describe: `readiness answers ${status} and says ${sentence.source}`, within: 15_000 });
const isWellAgain = (): Promise<unknown> => until(async () => (await readinessOf(controller)).reasons.length === 0, { describe: 'readiness has nothing to say', within: 45_000, everyMs: 50 });

interface Recording { readonly id: string; readonly callId: string; readonly durationMs: number }
const recordings = async (): Promise<readonly Recording[]> => (await api.get<{ items: readonly Recording[] }>('/accounts/clinic/recordings')).items;
const onlyRecording = async (): Promise<Recording> => {
  const [one, ...others] = await recordings();
  if (one === undefined || others.length > 0) throw new Error(`There are ${others.length + (one === undefined ? 0 : 1)} recordings`);
  return one;
};
const listen = async ({ id }: Recording, firstMs = Infinity): Promise<unknown> => tonesIn((await api.ask('GET', `/accounts/clinic/recordings/${id}/content`)).bytes.subarray(0, 44 + firstMs * 32), [CALLER_HZ, CALLEE_HZ]);
const ofCalls = async (): Promise<readonly { readonly recordings: readonly unknown[] }[]> => (await api.get<{ items: readonly { recordings: readonly unknown[] }[] }>('/accounts/clinic/calls')).items;

describe('When files cannot be written for want of space', () => {
  test('the call goes on, its record and its recording wait, and arrive whole and once', async () => {
    const dataDir = join(site.folder, 'controller');
    await open(dataDir);
    const both = await talk('+13035550151');
    const parts = await someIsRecorded();
    const full = [
      ...[0, 1].map((days) => join(dataDir, 'cdrs', `${new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10)}.ndjson`)),
      ...parts.map((name) => join(dataDir, 'incoming', name)),
    ];
    for (const folder of ['cdrs', 'incoming']) mkdirSync(join(dataDir, folder), { recursive: true });
    const takeAway = (): void => {
      for (const file of full) if (lstatSync(file, { throwIfNoEntry: false }) === undefined) symlinkSync('/dev/full', file);
    };
    takeAway();
    // what came half is removed, and brought again five seconds later
    const stillFull = setInterval(takeAway, 10);
    await goOnTalking(both);
    await hangUp(both);
    await saysSo(/^The data directory cannot be written: ENOSPC/, 503);
    await saysSo(/^Recordings stay on the switch: ENOSPC/, 503);
    expect(controller.output()).toContain('The data directory cannot be written; calls go on, records wait in memory');
    expect(readdirSync(spool()).toSorted()).toEqual(parts.toSorted());

    clearInterval(stillFull);
    for (const file of full) rmSync(file, { force: true });
    await isWellAgain();
    await until(async () => (await recordings()).length === 1 && (await ofCalls()).length === 1, { describe: 'both have arrived', within: 5_000 });
    expect(cdrsIn(dataDir)).toMatchObject([{ disposition: 'answered', recordings: [{ failed: false, cut: false }] }]);
    const recording = await onlyRecording();
    expect(recording.durationMs).toBeGreaterThan(2_000);
    expect(await listen(recording)).toEqual([[CALLER_HZ], [CALLEE_HZ]]);
    expect(readdirSync(spool())).toEqual([]);
  });
});

describe('When the disk fills up', () => {
  test('calls go on unrecorded, all of it is said, what was recorded before is kept, and with room all goes on', { timeout: 120_000 }, async ({ skip }) => {
    if (disk === null) return skip('this user may not mount a disk');
    const dataDir = join(diskDir, 'controller');
    mkdirSync(join(diskDir, 'recording'));
    rmSync(spool(), { recursive: true });
    symlinkSync(join(diskDir, 'recording'), spool());
    await open(dataDir);

    const first = await talk('+13035550152');
    await someIsRecorded();
    await disk.fill();
    expect(disk.freeBytes()).toBeLessThan(1_048_576);
    await goOnTalking(first);
    await saysSo(/^Only 0 MiB are free on the disk of .*: calls go on, but no other is recorded/, 200);
    const [live] = await until(async () => {
      const { items } = await api.get<{ items: readonly { phase: string; recordings: readonly { cut: boolean }[] }[] }>('/live-calls');
      return items[0]?.recordings[0]?.cut === true ? items : undefined;
    }, { describe: 'the switch cannot write on', within: 10_000 });
    expect(live?.phase).toBe('connected');
    await goOnTalking(first);
    // something that was there may have been removed meanwhile
    await disk.fill();
    await hangUp(first);
    await saysSo(/^The data directory cannot be written: ENOSPC/, 503);
    const second = await talk('+13035550153');
    await goOnTalking(second);
    await hangUp(second);

    await disk.makeRoom();
    await isWellAgain();
    await until(async () => (await recordings()).length === 1 && (await ofCalls()).length === 2, { describe: 'what waited has arrived', within: 5_000 });
    expect(cdrsIn(dataDir).map((cdr) => [cdr.caller.number, cdr.disposition, cdr.recordings.map(({ failed, cut }) => ({ failed, cut }))])).toEqual([
      ['+13035550152', 'answered', [{ failed: false, cut: true }]], ['+13035550153', 'answered', [{ failed: true, cut: false }]],
    ]);
    const kept = await onlyRecording();
    expect(kept.durationMs).toBeGreaterThan(900);
    // a switch that is told to end while it holds what the disk does not take gives the file the length of that as well
    expect(await listen(kept, site.attach.freeswitchUrl === undefined ? 2_000 : 900)).toEqual([[CALLER_HZ], [CALLEE_HZ]]);
    for (const said of ['Only 0 MiB are free', 'A recording was cut before its call ended', 'A call that was to be recorded was not', 'There is room on the disk again']) expect(controller.output()).toContain(said);

    const third = await talk('+13035550154');
    await someIsRecorded();
    await hangUp(third);
    const whole = await until(async () => (await recordings()).find(({ callId }) => callId !== kept.callId), { describe: 'the next call is recorded', within: 10_000 });
    expect(await listen(whole)).toEqual([[CALLER_HZ], [CALLEE_HZ]]);
    const last = await until(() => cdrsIn(dataDir).find(({ caller }) => caller.number === '+13035550154'), { describe: 'its record is written' });
    expect(last).toMatchObject({ disposition: 'answered', recordings: [{ failed: false, cut: false }] });
  });
});
