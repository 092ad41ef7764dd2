/** Recordings that stay on the switch, and which of several controllers brings them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { collectRecordings } from '../../control-plane/kept-calls/collect-recordings.ts';
import { emptyCdr, type Cdr } from '../../control-plane/core/cdr/cdr.ts';
import { until } from '../support/until.ts';
import { onePhonePlan, silent } from './sample-call.ts';

const minute = 60_000;
let dataDir: string;
beforeAll(async () => { dataDir = await mkdtemp(join(tmpdir(), 'frontdesk-left-')); });
afterAll(() => rm(dataDir, { recursive: true }));

/** What a controller asks the switch for, where four recordings lie: of a call of its own and of three others', which ended then, then, and not yet. */
async function fetched({ leads }: { readonly leads: boolean }): Promise<readonly string[]> {
  const ended: Readonly<Record<string, number | null>> = { own: Date.now() - 1000, lately: Date.now() - 9 * minute, long: Date.now() - 11 * minute, live: null };
  const asked: string[] = [];
  let looked = false;
  const collector = collectRecordings({
    dataDir, log: silent, isLive: () => false,
    stored: {
      list: async () => Object.keys(ended).map((callId) => `${callId}--r1`),
      fetch: async (name) => { asked.push(name); return false; },
      remove: async () => undefined,
    },
    recordings: { get: () => undefined, takeIn: () => Promise.reject(new Error('nothing was fetched')) },
    findCdr: async (callId): Promise<Cdr> => ({ ...emptyCdr(callId, onePhonePlan), endedAt: ended[callId] ?? null }),
    isOwn: async (callId) => {
      looked ||= callId === 'live';
      return callId === 'own';
    },
    bringsOthers: () => leads,
    onTakenIn: () => undefined,
  });
  collector.start();
  await until(() => looked, { describe: 'it has looked at all of them' });
  await collector.stop();
  return asked;
}

it('are brought by the controller that wrote the call’s record, and after ten minutes by the one that leads', async () => {
  expect(await fetched({ leads: false })).toEqual(['own--r1']);
  expect(await fetched({ leads: true })).toEqual(['own--r1', 'long--r1']);
});

it('are brought though one among them cannot be read, which stays there and is told of', async () => {
  const there = new Set(['first--c1', 'second--c1', 'third--c1']);
  const collector = collectRecordings({
    dataDir, log: silent, isLive: () => false,
    stored: { list: async () => [...there], fetch: async () => true, remove: async (name) => void there.delete(name) },
    recordings: {
      get: () => undefined,
      takeIn: async (recording) => recording.recordingId === 'second--c1' ? { ok: false, reason: 'unreadable', message: 'It is no WAV file.' }
        : { ok: true, recording: { ...recording, durationMs: 1, channels: 1, bytes: 46, sha256: '' } },
    },
    findCdr: async (callId) => ({ ...emptyCdr(callId, onePhonePlan), endedAt: 0 }),
    isOwn: async () => true, bringsOthers: () => false, onTakenIn: () => undefined,
  });
  collector.start();
  await until(() => collector.problem(), { describe: 'it tells of a problem' });
  expect(collector.problem()).toBe('Recordings stay on the switch: second--c1: It is no WAV file.');
  expect([...there]).toEqual(['second--c1']);
  await collector.stop();
});
