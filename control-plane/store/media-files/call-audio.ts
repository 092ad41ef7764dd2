/**
 * What the switch recorded, read as one WAV: a recording of both parties as it is, or the two parties' own recordings
 * side by side, caller left and callee right. 16-bit PCM only, which is what the switch is told to write.
 *
 * A recording is worth more than its header: when the switch died before it could write the length, all that is there
 * counts. One side shorter than the other has silence at its end; one of which the disk took nothing, as long as it is: a
 * switch may give the file its length all the same, and its lengths in the header.
 */
import { open, type FileHandle } from 'node:fs/promises';
import type { Ms } from '../../core/time.ts';
import { wavHeader, wavHeaderBytes, wavLayout } from './wav.ts';

export type PartChannel = 'caller' | 'callee' | 'mixed';

export interface RecordedPart {
  readonly channel: PartChannel;
  /** The file's content, or where it is. */
  readonly wav: Uint8Array | string;
}

export interface CallAudio {
  readonly channels: 1 | 2;
  readonly durationMs: Ms;
  /** Of the WAV file, with its header. */
  readonly bytes: number;
  readonly content: AsyncIterable<Uint8Array>;
}

/** The sentence says what is wrong with the parts. */
export class UnreadableRecording extends Error {
  override readonly name = 'UnreadableRecording';
}

interface Source {
  readonly read: (at: number, length: number) => Promise<Buffer>;
  readonly close: () => Promise<void>;
  readonly channels: number;
  readonly rate: number;
  /** Samples of all channels at once. */
  readonly frames: number;
}

const framesAtOnce = 32_768;

/** `use` reads the content while the parts are open. Throws UnreadableRecording, or as the file system does. */
export async function withCallAudio<T>(parts: readonly RecordedPart[], use: (audio: CallAudio) => Promise<T>): Promise<T> {
  const order = parts.map(({ channel }) => channel).sort().join('+');
  if (!['caller', 'callee', 'mixed', 'callee+caller'].includes(order)) throw new UnreadableRecording(`A recording has one part, or caller and callee; this has ${order === '' ? 'none' : order}.`);
  const opened: (Source | null)[] = [];
  try {
    for (const part of [...parts].sort((a, b) => (a.channel < b.channel ? 1 : -1))) opened.push(await openPart(part));
    const rate = opened.find((source) => source !== null)?.rate ?? 8000;
    return await use(together(opened.map((source) => source ?? nothingAt(rate))));
  } finally {
    for (const source of opened) await source?.close();
  }
}

const nothingAt = (rate: number): Source => ({ read: () => Promise.resolve(Buffer.alloc(0)), close: () => Promise.resolve(), channels: 1, rate, frames: 0 });

function together(sources: readonly Source[]): CallAudio {
  const [first, second] = sources;
  if (first === undefined) throw new UnreadableRecording('A recording without parts.');
  if (second !== undefined && (second.rate !== first.rate || first.channels + second.channels !== 2)) {
    throw new UnreadableRecording(`The two sides do not fit together: ${first.channels} channels at ${first.rate} Hz, and ${second.channels} at ${second.rate} Hz.`);
  }
  const channels = second === undefined && first.channels === 1 ? 1 : 2;
  const frames = Math.max(first.frames, second?.frames ?? 0);
  const dataBytes = frames * channels * 2;
  const header = wavHeader({ channels, rate: first.rate }, dataBytes);
  const content = async function* content(): AsyncGenerator<Uint8Array> {
    yield header;
    for (let at = 0; at < frames; at += framesAtOnce) {
      const count = Math.min(framesAtOnce, frames - at);
      const left = await first.read(at, count);
      yield second === undefined ? left : interleaved(left, await second.read(at, count), count);
    }
  };
  return { channels, durationMs: Math.round((frames * 1000) / first.rate), bytes: header.length + dataBytes, content: content() };
}

function interleaved(left: Buffer, right: Buffer, count: number): Buffer {
  const out = Buffer.alloc(count * 4);
  for (let i = 0; i < count; i++) {
    if (i * 2 + 1 < left.length) out.writeInt16LE(left.readInt16LE(i * 2), i * 4);
    if (i * 2 + 1 < right.length) out.writeInt16LE(right.readInt16LE(i * 2), i * 4 + 2);
  }
  return out;
}

/** Null for a file that the disk took nothing of. */
async function openPart({ channel, wav }: RecordedPart): Promise<Source | null> {
  const handle = typeof wav === 'string' ? await open(wav, 'r') : null;
  try {
    const size = handle === null ? wav.length : (await handle.stat()).size;
    const bytesAt = async (at: number, length: number): Promise<Buffer> => {
      const wanted = Math.max(0, Math.min(length, size - at));
      return handle === null ? Buffer.from(wav as Uint8Array).subarray(at, at + wanted) : readAll(handle, at, wanted);
    };
    const start = await bytesAt(0, 4096);
    if (start.subarray(0, 4).every(isZero) && (await isZeroFrom(wavHeaderBytes, size, bytesAt))) {
      await handle?.close();
      return null;
    }
    const layout = wavLayout(start);
    const isReadable = layout !== null && layout.format === 1 && layout.bits === 16 && (layout.channels === 1 || layout.channels === 2) && layout.rate > 0;
    if (!isReadable) throw new UnreadableRecording(`The recording of ${channel} is not a 16-bit WAV file.`);
    const { channels, rate, dataAt, dataBytes } = layout;
    const frameBytes = channels * 2;
    const there = size - dataAt;
    const frames = Math.floor((dataBytes === 0 ? there : Math.min(dataBytes, there)) / frameBytes);
    const read = (at: number, count: number): Promise<Buffer> => bytesAt(dataAt + at * frameBytes, Math.max(0, Math.min(count, frames - at)) * frameBytes);
    return { read, close: async () => { await handle?.close(); }, channels, rate, frames };
  } catch (error) {
    await handle?.close();
    throw error;
  }
}

const isZero = (byte: number): boolean => byte === 0;

async function isZeroFrom(from: number, size: number, bytesAt: (at: number, length: number) => Promise<Buffer>): Promise<boolean> {
  for (let at = from; at < size; at += framesAtOnce) if (!(await bytesAt(at, framesAtOnce)).every(isZero)) return false;
  return true;
}

async function readAll(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  let at = 0;
  while (at < length) {
    const { bytesRead } = await handle.read(buffer, at, length - at, position + at);
    // Shorter than it was when opened: someone else has it too.
    if (bytesRead === 0) throw new UnreadableRecording('The recording became shorter while it was read.');
    at += bytesRead;
  }
  return buffer;
}
