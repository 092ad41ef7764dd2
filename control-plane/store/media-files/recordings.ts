/**
 * Recordings of calls and voicemails: taken from the switch, encrypted, listed, read, removed when they are due.
 *
 * What is known of a recording lies in the encrypted file with it, so the two cannot come apart, and the directory is
 * the catalogue: a file is there whole or not at all. At the start it is read into memory, about 400 bytes a
 * recording. Opening 100,000 files takes 15 s, so a snapshot of the catalogue, an encrypted file too, makes it one;
 * it is only ever a shortcut. What it lacks is read from the files, what it has too many is dropped, and without
 * it everything is read. Nothing need be repaired after a crash.
 */
import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import type { EpochMs } from '../../core/time.ts';
import type { Log } from '../../telemetry/log.ts';
import { UnreadableRecording, withCallAudio, type RecordedPart } from './call-audio.ts';
import { recordingSchema, type Recording } from './recording.ts';
import { createRecordingIndex, type RecordingFilter, type RecordingPage, type RecordingTotals } from './recording-index.ts';
import { VaultError } from './vault-format.ts';
import type { Vault, VaultFile } from './vault.ts';

export interface NewRecording extends Omit<Recording, 'durationMs' | 'channels' | 'bytes' | 'sha256'> {
  /** One, or the caller's and the callee's; mono, 16 bit, of one sampling rate. Files are removed when they are safe. */
  readonly parts: readonly RecordedPart[];
}

export type TakenIn =
  | { readonly ok: true; readonly recording: Recording }
  /** The parts are untouched, except that empty ones are removed. */
  | { readonly ok: false; readonly reason: 'empty' | 'unreadable' | 'disk-full' | 'unwritable' | 'refused'; readonly message: string };

/** What else tells of a recording whose key is missing: the record of its call. */
export type LockedRecording = Omit<Recording, 'channels' | 'bytes' | 'sha256'>;

export interface Recordings {
  /**
   * Resolves when the encrypted copy is safe and the plain files are gone. An id that is known already is not taken
   * twice: after a crash between the two, the same call only removes the plain files.
   */
  takeIn(recording: NewRecording): Promise<TakenIn>;
  get(recordingId: string): Recording | undefined;
  /** The newest first. */
  list(filter?: RecordingFilter): RecordingPage;
  /** The WAV file. Rejects with a VaultError. */
  open(recordingId: string): Promise<VaultFile>;
  /** False when there was none. */
  remove(recordingId: string): Promise<boolean>;
  /** Removes what began before `at`, but what `keep` says true of; resolves with how many. */
  removeOlderThan(at: EpochMs, options?: { readonly kind?: Recording['kind']; readonly keep?: (recording: Recording) => boolean }): Promise<number>;
  /** What is kept now, by account. Minutes once recorded and removed since are in the CDRs. */
  totals(): ReadonlyMap<string, RecordingTotals>;
  /** Ids of recordings whose key is missing, and which are not listed, since all that is known of them is encrypted with it. */
  locked(): readonly string[];
  /** Lists one of these by what its call's record says. Opening it still rejects 'key-missing', and its file stays as it is. */
  describeLocked(recording: LockedRecording): Promise<void>;
  /** A sentence for readiness when the start found recordings that it cannot read, for want of a key perhaps; else null. */
  problem(): string | null;
  /** Writes the snapshot that makes the next start quick. */
  close(): Promise<void>;
}

export interface RecordingsOptions {
  /** Its own: nothing else may be in it. */
  readonly vault: Vault;
  readonly log: Log;
  /** A sentence while nothing may be taken in (see retention.ts), else null. */
  readonly refusal?: () => string | null;
}

const snapshotId = '_catalogue';
const snapshotEvery = 5000;
const readAtOnce = 16;

/** Reads the catalogue, then resolves. */
export async function openRecordings({ vault, log, refusal = () => null }: RecordingsOptions): Promise<Recordings> {
  const index = createRecordingIndex();
  const ids = new Set((await vault.list()).filter((id) => id !== snapshotId));
  for (const recording of await readSnapshot(vault, log)) if (ids.delete(recording.recordingId)) index.add(recording);
  /** Why, by id. */
  const unreadable = new Map<string, string>();
  const unlisted = new Set<string>();
  /** Listed, of which nothing may go into the snapshot: with the key there is more to know. */
  const listedLocked = new Set<string>();
  let changes = 0;
  const missing = [...ids];
  while (missing.length > 0) {
    const some = await Promise.all(missing.splice(-readAtOnce).map((id) => describedIn(vault, id)));
    for (const one of some) {
      if ('recordingId' in one) index.add(one);
      else {
        unreadable.set(one.id, one.why);
        if (one.locked) unlisted.add(one.id);
      }
    }
    changes += some.length;
  }
  const problem = (): string | null => {
    const [first] = unreadable.values();
    if (first === undefined) return null;
    const listed = listedLocked.size === unreadable.size ? ', but are listed by the records of their calls' : ', and so are not listed';
    return `Recordings on the disk that cannot be read${listed}: ${unreadable.size}. ${first}`;
  };
  const atStart = problem();
  if (atStart !== null) log.error({ unreadable: unreadable.size }, atStart);
  const underWay = new Map<string, Promise<TakenIn>>();
  let snapshots: Promise<void> = Promise.resolve();

  const writeSnapshot = (): Promise<void> => {
    changes = 0;
    snapshots = snapshots.then(async () => {
      await vault.put(snapshotId, linesOf(index.all().filter(({ recordingId }) => !listedLocked.has(recordingId))));
    }).catch((error: unknown) => {
      log.warn({ error: String(error) }, 'The catalogue of recordings could not be written; the next start takes longer');
    });
    return snapshots;
  };
  const changed = (): void => {
    if (++changes >= snapshotEvery) void writeSnapshot();
  };

  if (changes >= snapshotEvery) void writeSnapshot();

  const takeInOnce = async ({ parts, ...about }: NewRecording): Promise<TakenIn> => {
    const known = index.get(about.recordingId);
    if (known !== undefined) {
      await removePlain(parts);
      return { ok: true, recording: known };
    }
    const refused = refusal();
    if (refused !== null) return { ok: false, reason: 'refused', message: refused };
    try {
      const recording = await withCallAudio(parts, async (audio): Promise<Recording | null> => {
        if (audio.durationMs === 0) return null;
        const hash = createHash('sha256');
        const { durationMs, channels, bytes } = audio;
        const content = async function* content(): AsyncGenerator<Uint8Array> {
          for await (const piece of audio.content) {
            hash.update(piece);
            yield piece;
          }
        };
        let sha256 = '';
        const describe = (): Recording => {
          sha256 = hash.digest('hex');
          return { ...about, durationMs, channels, bytes, sha256 };
        };
        await vault.put(about.recordingId, content(), describe);
        return { ...about, durationMs, channels, bytes, sha256 };
      });
      if (recording !== null) {
        index.add(recording);
        changed();
      }
      await removePlain(parts);
      return recording === null ? { ok: false, reason: 'empty', message: 'Nothing was recorded.' } : { ok: true, recording };
    } catch (error) {
      if (error instanceof UnreadableRecording) return { ok: false, reason: 'unreadable', message: error.message };
      if (error instanceof VaultError && (error.problem === 'disk-full' || error.problem === 'unwritable')) return { ok: false, reason: error.problem, message: error.message };
      throw error;
    }
  };

  const remove = async (recordingId: string): Promise<boolean> => {
    if (index.get(recordingId) === undefined) return false;
    await vault.remove(recordingId);
    index.remove(recordingId);
    unreadable.delete(recordingId);
    listedLocked.delete(recordingId);
    changed();
    return true;
  };

  return {
    takeIn: async (recording) => {
      const id = recording.recordingId;
      if (id === snapshotId) return { ok: false, reason: 'unreadable', message: `${snapshotId} is no id of a recording.` };
      const same = underWay.get(id);
      if (same !== undefined) return same;
      const work = takeInOnce(recording).finally(() => underWay.delete(id));
      underWay.set(id, work);
      return work;
    },
    get: (recordingId) => index.get(recordingId),
    list: (filter) => index.page(filter),
    open: async (recordingId) => {
      if (index.get(recordingId) === undefined) throw new VaultError('not-found', `There is no recording ${recordingId.slice(0, 100)}.`);
      return vault.open(recordingId);
    },
    remove,
    removeOlderThan: async (at, { kind, keep = () => false } = {}) => {
      let removed = 0;
      for (const recording of index.before(at)) {
        if ((kind !== undefined && recording.kind !== kind) || keep(recording)) continue;
        if (await remove(recording.recordingId)) removed++;
      }
      // What is to be forgotten is not to stay in the snapshot either.
      if (removed > 0) await writeSnapshot();
      return removed;
    },
    totals: () => index.totals(),
    locked: () => [...unlisted],
    describeLocked: async (recording) => {
      const { recordingId, kind } = recording;
      if (!unlisted.has(recordingId)) return;
      const bytes = await vault.sizeOf(recordingId).catch(() => 0);
      if (!unlisted.delete(recordingId)) return;
      listedLocked.add(recordingId);
      index.add({ ...recording, bytes, channels: kind === 'call' ? 2 : 1, sha256: '' });
    },
    problem,
    close: async () => {
      if (changes > 0) void writeSnapshot();
      await snapshots;
    },
  };
}

/** A part given as a buffer is its giver's. */
async function removePlain(parts: readonly RecordedPart[]): Promise<void> {
  for (const { wav } of parts) if (typeof wav === 'string') await rm(wav, { force: true });
}

/** `locked`: with another key it can be read, so it stays. */
async function describedIn(vault: Vault, id: string): Promise<Recording | { readonly id: string; readonly locked: boolean; readonly why: string }> {
  try {
    const described = recordingSchema.safeParse((await vault.open(id)).meta);
    return described.success ? described.data : { id, locked: false, why: `The encrypted file ${id} is no recording.` };
  } catch (error) {
    return { id, locked: error instanceof VaultError && error.problem === 'key-missing', why: error instanceof Error ? error.message : String(error) };
  }
}

async function readSnapshot(vault: Vault, log: Log): Promise<readonly Recording[]> {
  try {
    const file = await vault.open(snapshotId);
    const text: Buffer[] = [];
    for await (const piece of file.read()) text.push(piece as Buffer);
    const lines = Buffer.concat(text).toString().split('\n').filter((line) => line !== '');
    return lines.map((line) => JSON.parse(line) as Recording);
  } catch (error) {
    const isFirstStart = error instanceof VaultError && error.problem === 'not-found';
    if (!isFirstStart) log.warn({ error: String(error) }, 'The catalogue of recordings is read anew from the recordings');
    return [];
  }
}

async function* linesOf(recordings: readonly Recording[]): AsyncGenerator<Buffer> {
  for (let at = 0; at < recordings.length; at += 1000) {
    yield Buffer.from(recordings.slice(at, at + 1000).map((one) => `${JSON.stringify(one)}\n`).join(''));
  }
}
