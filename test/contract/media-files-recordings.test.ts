/** Recordings from the switch to their removal. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mediaKeyId, type MediaKeys } from '../../control-plane/store/media-files/media-keys.ts';
import { openRecordings, type NewRecording, type Recordings } from '../../control-plane/store/media-files/recordings.ts';
import { applyRetention, createDiskGuard } from '../../control-plane/store/media-files/retention.ts';
import { openVault, type Vault } from '../../control-plane/store/media-files/vault.ts';
import { wavHeader } from '../../control-plane/store/media-files/wav.ts';
import { silent } from '../runtime/sample-call.ts';
import { hasTone, isSilent, toneSamples } from '../support/tone.ts';

const key = randomBytes(32);
const keys: MediaKeys = { currentId: mediaKeyId(key), byId: new Map([[mediaKeyId(key), key]]), generated: false };
const noon = Date.UTC(2026, 10, 21, 12);
const day = 86_400_000;

let dir: string;
let vault: Vault;
let recordings: Recordings;
const vaultDir = (): string => join(dir, 'recordings');
const start = async (refusal: () => string | null = () => null): Promise<void> => {
  vault = await openVault({ dir: vaultDir(), keys });
  recordings = await openRecordings({ vault, log: silent, refusal });
};
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'frontdesk-recordings-'));
  await start();
});
afterEach(async () => { await rm(dir, { recursive: true, force: true }); });

function toneWav(hz: number, ms: number, rate = 8000): Buffer {
  const samples = toneSamples(hz, 0, ms * 8);
  return Buffer.concat([wavHeader({ channels: 1, rate }, samples.byteLength), Buffer.from(samples.buffer)]);
}

const about = (recordingId: string, more: Partial<NewRecording> = {}): NewRecording => ({
  recordingId, kind: 'call', account: 'riverside', callId: `call-${recordingId}`, number: '+12025550110', caller: '+12025550187', at: noon,
  parts: [{ channel: 'mixed', wav: toneWav(440, 100) }], ...more,
});

async function take(recordingId: string, more: Partial<NewRecording> = {}): Promise<void> {
  const taken = await recordings.takeIn(about(recordingId, more));
  if (!taken.ok) throw new Error(taken.message);
}

async function wavOf(recordingId: string): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of (await recordings.open(recordingId)).read()) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

const ids = (page: { readonly recordings: readonly { readonly recordingId: string }[] }): readonly string[] => page.recordings.map(({ recordingId }) => recordingId);

describe('a call recorded in two parts', () => {
  it('becomes one recording: the caller left, the callee right, the shorter filled with silence', async () => {
    const files = [join(dir, 'caller.wav'), join(dir, 'callee.wav')] as const;
    await writeFile(files[0], toneWav(440, 6000));
    await writeFile(files[1], toneWav(1000, 5000));
    const taken = await recordings.takeIn(about('r1', { parts: [{ channel: 'callee', wav: files[1] }, { channel: 'caller', wav: files[0] }] }));
    const wav = await wavOf('r1');
    expect(taken).toMatchObject({ ok: true, recording: { durationMs: 6000, channels: 2, bytes: wav.length, sha256: createHash('sha256').update(wav).digest('hex') } });
    const both = new Int16Array(wav.buffer.slice(wav.byteOffset + 44, wav.byteOffset + wav.length));
    const [left, right] = [both.filter((_, i) => i % 2 === 0), both.filter((_, i) => i % 2 === 1)];
    expect(wav.readUInt16LE(22)).toBe(2);
    expect([left.length, right.length]).toEqual([48_000, 48_000]);
    expect(hasTone(left, 440)).toBe(true);
    expect(hasTone(right.subarray(0, 40_000), 1000)).toBe(true);
    expect(isSilent(right.subarray(40_000))).toBe(true);
    expect((await readdir(dir)).sort()).toEqual(['recordings']);
  });

  it('has silence on a side of which a full disk took nothing but the lengths, and is empty where that is both', async () => {
    const nothing = toneWav(440, 700).fill(0, 0, 4).fill(0, 8, 40).fill(0, 44);
    const taken = await recordings.takeIn(about('r1', { parts: [{ channel: 'caller', wav: nothing }, { channel: 'callee', wav: toneWav(1000, 500) }] }));
    expect(taken).toMatchObject({ ok: true, recording: { durationMs: 500, channels: 2 } });
    const wav = await wavOf('r1');
    const both = new Int16Array(wav.buffer.slice(wav.byteOffset + 44, wav.byteOffset + wav.length));
    expect(isSilent(both.filter((_, i) => i % 2 === 0))).toBe(true);
    expect(hasTone(both.filter((_, i) => i % 2 === 1), 1000)).toBe(true);
    expect(await recordings.takeIn(about('r2', { parts: [{ channel: 'caller', wav: nothing }, { channel: 'callee', wav: Buffer.alloc(0) }] }))).toMatchObject({ ok: false, reason: 'empty' });
    expect(await recordings.takeIn(about('r3', { parts: [{ channel: 'mixed', wav: toneWav(440, 100).fill(0, 0, 4) }] }))).toMatchObject({ ok: false, reason: 'unreadable' });
  });

  it('is refused when the parts are not of one kind, and they stay', async () => {
    const file = join(dir, 'caller.wav');
    await writeFile(file, toneWav(440, 100));
    const parts = [{ channel: 'caller', wav: file }, { channel: 'callee', wav: toneWav(440, 100, 16_000) }] as const;
    expect(await recordings.takeIn(about('r1', { parts }))).toMatchObject({ ok: false, reason: 'unreadable' });
    expect(await recordings.takeIn(about('r1', { parts: [{ channel: 'mixed', wav: Buffer.from('noise') }] }))).toMatchObject({ ok: false, reason: 'unreadable' });
    expect(await recordings.takeIn(about('r1', { parts: [] }))).toMatchObject({ ok: false, reason: 'unreadable' });
    expect(await readdir(dir)).toContain('caller.wav');
  });
});

describe('a recording', () => {
  it('counts in full when the switch died before it wrote the length', async () => {
    const wav = toneWav(440, 700);
    wav.writeUInt32LE(0, 40);
    await take('r1', { parts: [{ channel: 'mixed', wav }] });
    expect(recordings.get('r1')?.durationMs).toBe(700);
  });

  it('of nothing is not kept', async () => {
    expect(await recordings.takeIn(about('r1', { parts: [{ channel: 'mixed', wav: toneWav(440, 0) }] }))).toMatchObject({ ok: false, reason: 'empty' });
    expect(recordings.list().recordings).toEqual([]);
  });

  it('taken in again after a crash is there once, and its plain file goes', async () => {
    await take('r1');
    await start();
    const file = join(dir, 'left.wav');
    await writeFile(file, toneWav(440, 100));
    await Promise.all([take('r1', { parts: [{ channel: 'mixed', wav: file }] }), take('r1')]);
    expect(ids(recordings.list())).toEqual(['r1']);
    expect(await readdir(dir)).toEqual(['recordings']);
  });

  it('is not taken in while the disk is nearly full, and its plain file stays', async () => {
    await start(() => 'Only 3 MiB are free.');
    const file = join(dir, 'kept.wav');
    await writeFile(file, toneWav(440, 100));
    expect(await recordings.takeIn(about('r1', { parts: [{ channel: 'mixed', wav: file }] }))).toEqual({ ok: false, reason: 'refused', message: 'Only 3 MiB are free.' });
    expect(await readdir(dir)).toContain('kept.wav');
  });
});

describe('the catalogue', () => {
  it('is paged from the newest on, by what is asked for', async () => {
    for (let i = 0; i < 12; i++) await take(`r${i}`, { at: noon + Math.floor(i / 2), kind: i % 3 === 0 ? 'voicemail' : 'call', account: i < 6 ? 'riverside' : 'hill' });
    const first = recordings.list({ limit: 5 });
    await take('newer', { at: noon + 100 });
    await recordings.remove('r7');
    const second = recordings.list({ limit: 5, cursor: first.cursor ?? '' });
    const third = recordings.list({ limit: 5, cursor: second.cursor ?? '' });
    expect([ids(first), ids(second), ids(third), third.cursor]).toEqual([['r11', 'r10', 'r9', 'r8', 'r7'], ['r6', 'r5', 'r4', 'r3', 'r2'], ['r1', 'r0'], null]);
    const all = [...ids(first), ...ids(second), ...ids(third)];
    expect([...new Set(all)].sort()).toEqual(Array.from({ length: 12 }, (_, i) => `r${i}`).sort());
    expect(ids(recordings.list({ kind: 'voicemail', account: 'hill' }))).toEqual(['r9', 'r6']);
    expect(ids(recordings.list({ from: noon + 1, to: noon + 2 }))).toEqual(['r3', 'r2']);
    expect(ids(recordings.list({ callId: 'call-r4' }))).toEqual(['r4']);
  });

  it('is the same after a stop, after a crash, and without its snapshot', async () => {
    await take('r1');
    await take('r2', { at: noon + 1 });
    await recordings.close();
    await take('r3', { at: noon + 2 });
    await vault.remove('r1');
    await start();
    expect(ids(recordings.list())).toEqual(['r3', 'r2']);
    await writeFile(join(vaultDir(), '_catalogue.fdv'), 'broken');
    await writeFile(join(vaultDir(), 'r9.fdv'), 'broken');
    await start();
    expect(ids(recordings.list())).toEqual(['r3', 'r2']);
    expect(recordings.problem()).toBe('Recordings on the disk that cannot be read, and so are not listed: 1. The encrypted file r9 cannot be trusted: it was cut.');
    expect(await readdir(vaultDir())).toContain('r9.fdv');
  });

  it('adds up minutes and bytes for each account', async () => {
    await take('r1', { parts: [{ channel: 'mixed', wav: toneWav(440, 1000) }] });
    await take('r2', { parts: [{ channel: 'mixed', wav: toneWav(440, 500) }] });
    await take('r3', { account: 'hill' });
    expect(recordings.totals().get('riverside')).toEqual({ recordings: 2, durationMs: 1500, bytes: 2 * 44 + 24_000 });
    await recordings.remove('r1');
    await recordings.remove('r3');
    expect([...recordings.totals()]).toEqual([['riverside', { recordings: 1, durationMs: 500, bytes: 44 + 8000 }]]);
  });
});

describe('retention', () => {
  it('removes what is due of each kind, and neither what is kept nor what has no limit', async () => {
    await take('old-call', { at: noon - 31 * day });
    await take('held-call', { at: noon - 31 * day });
    await take('new-call', { at: noon - 29 * day });
    await take('old-voicemail', { at: noon - 400 * day, kind: 'voicemail' });
    const apply = (settings: object): Promise<unknown> => applyRetention({ now: noon, settings, recordings, dir, log: silent, keep: ({ recordingId }) => recordingId === 'held-call' });
    expect(await apply({})).toEqual({ recordings: 0, voicemails: 0, journals: 0, cdrs: 0 });
    expect(await apply({ recordingDays: 30 })).toMatchObject({ recordings: 1, voicemails: 0 });
    expect(ids(recordings.list())).toEqual(['new-call', 'held-call', 'old-voicemail']);
    expect(await apply({ voicemailDays: 365 })).toMatchObject({ voicemails: 1 });
    await expect(recordings.open('old-voicemail')).rejects.toThrow('There is no recording');
    await start();
    expect(ids(recordings.list())).toEqual(['new-call', 'held-call']);
  });

  it('removes journals and records by the date of their file, never those of today nor what is none of theirs', async () => {
    const files = { journals: ['2026-11-14T11.ndjson', '2026-11-14T12.ndjson', '2026-11-21T00.ndjson', 'notes.txt', '2026-13-45T10.ndjson'], cdrs: ['2026-11-13.ndjson', '2026-11-14.ndjson', '2026-11-20.ndjson', '2026-11-21.ndjson'] };
    for (const [folder, names] of Object.entries(files)) {
      await mkdir(join(dir, folder));
      for (const name of names) await writeFile(join(dir, folder, name), '{}\n');
    }
    const apply = (days: number): Promise<unknown> => applyRetention({ now: noon, settings: { journalDays: days, cdrDays: days }, recordings, dir, log: silent });
    expect(await apply(7)).toMatchObject({ journals: 1, cdrs: 1 });
    expect((await readdir(join(dir, 'journals'))).sort()).toEqual(files.journals.slice(1).sort());
    expect(await apply(0)).toMatchObject({ journals: 1, cdrs: 1 });
    expect((await readdir(join(dir, 'cdrs'))).sort()).toEqual(['2026-11-20.ndjson', '2026-11-21.ndjson']);
  });

  it('says when too little of the disk is free, and when there is enough again', async () => {
    let bavail = 500;
    const guard = createDiskGuard({ dir: '/data', floor: { bytes: 1_073_741_824, share: 0.02 }, statfs: () => Promise.resolve({ bsize: 1_048_576, blocks: 100_000, bavail }) });
    expect(guard.problem()).toBeNull();
    expect(await guard.check()).toBe('Only 500 MiB are free on the disk of /data, less than 2000 MiB: calls go on, but no other is recorded, and messages stay on the switch, until space is made.');
    expect(guard.problem()).toMatch(/500 MiB/);
    bavail = 2000;
    expect(await guard.check()).toBeNull();
    expect(await createDiskGuard({ dir: join(dir, 'missing') }).check()).toMatch(/cannot be told/);
  });
});
