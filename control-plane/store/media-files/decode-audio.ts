/**
 * An uploaded greeting or piece of music, made into what the switch plays: 16-bit mono WAV at 8 kHz (`.wav`) and at
 * 16 kHz (`.wav16`). MP3 and WAV of any usual kind are taken, known by their content; all else is refused with a
 * sentence for whoever uploaded it.
 *
 * Decoding is done in a thread of its own, one upload at a time, with a deadline after which the thread is ended. A
 * file of a few bytes that claims hours is refused: lengths are found from headers first, and counted again while
 * decoding, which holds 22 s of sound at most beside the result. Ten minutes take about 10 s of one processor.
 */
import { Worker } from 'node:worker_threads';
import type { Ms } from '../../core/time.ts';
import type { DecodeJob, DecodeReply } from './decode-audio-worker.ts';
import { walkMp3 } from './mp3-frames.ts';
import { recogniseAudio } from './recognise-audio.ts';
import { wavLayout } from './wav.ts';

export type AudioRefusal =
  | 'empty' | 'text' | 'html' | 'unsupported' | 'truncated' | 'damaged' | 'too-large' | 'too-long'
  /** No fault of the file: others are being decoded, or the machine is slow. Worth trying again. */
  | 'busy' | 'late';

export type DecodedAudio =
  | {
      readonly ok: true;
      readonly format: 'mp3' | 'wav';
      readonly durationMs: Ms;
      /** Whole WAV files: 8 kHz, to be named `.wav`, and 16 kHz, to be named `.wav16`. */
      readonly wav: Buffer;
      readonly wav16: Buffer;
      /** Sentences: it can be played, but is likely not what was meant. */
      readonly warnings: readonly string[];
    }
  | { readonly ok: false; readonly reason: AudioRefusal; /** A sentence for whoever uploaded it. */ readonly message: string };

export interface DecodeOptions {
  readonly maxBytes?: number;
  readonly maxDurationMs?: Ms;
  /** From the begin of decoding, not of waiting for it; 2 minutes when not given. */
  readonly deadlineMs?: Ms;
}

const defaultMaxBytes = 20_000_000;
const defaultMaxDurationMs: Ms = 600_000;
const defaultDeadlineMs: Ms = 120_000;
const longestQueue = 20;
/** Below this no phone plays anything that can be heard: -60 dBFS. */
const silentPeak = 0.001;

type Refused = Extract<DecodedAudio, { readonly ok: false }>;
const refused = (reason: AudioRefusal, message: string): Refused => ({ ok: false, reason, message });
const tooLong = (maxMs: Ms): Refused => refused('too-long', `The sound is longer than ${Math.round(maxMs / 6000) / 10} minutes.`);

/** Never rejects for what is in the upload. */
export async function decodeAudio(upload: Uint8Array, options: DecodeOptions = {}): Promise<DecodedAudio> {
  const maxDurationMs = options.maxDurationMs ?? defaultMaxDurationMs;
  const maxBytes = options.maxBytes ?? defaultMaxBytes;
  if (upload.byteLength > maxBytes) return refused('too-large', `The file has ${megabytes(upload.byteLength)} MB; at most ${megabytes(maxBytes)} MB are taken.`);
  const checked = check(Buffer.from(upload.buffer, upload.byteOffset, upload.byteLength), maxDurationMs);
  if ('ok' in checked) return checked;
  return oneAtATime(() => decodeInThread(checked, options.deadlineMs ?? defaultDeadlineMs, maxDurationMs));
}

function check(upload: Buffer, maxDurationMs: Ms): DecodeJob | Refused {
  const found = recogniseAudio(upload);
  switch (found.kind) {
    case 'empty': return refused('empty', 'The file is empty.');
    case 'html': return refused('html', 'This is a web page, not a sound file; was a link saved instead of the file?');
    case 'text': return refused('text', 'This is text, not a sound file. MP3 and WAV are taken.');
    case 'other': return refused('unsupported', `This is a file of the kind ${found.name}. MP3 and WAV are taken; please convert it.`);
    case 'unknown': return refused('unsupported', 'This is no sound file that is known here. MP3 and WAV are taken.');
    case 'mp3': return checkMp3(upload, maxDurationMs);
    case 'wav': return checkWav(upload, maxDurationMs);
  }
}

function checkMp3(upload: Buffer, maxDurationMs: Ms): DecodeJob | Refused {
  const walked = walkMp3(upload);
  if (walked === null) return refused('damaged', 'The file looks like MP3, but there is no sound in it that can be read.');
  const [rate, ...otherRates] = walked.rates;
  if (walked.truncated) return refused('truncated', 'The MP3 file ends before its sound does; please upload it again.');
  if (rate === undefined || otherRates.length > 0) return refused('unsupported', 'The MP3 file changes its sampling rate on the way; please convert it.');
  if (walked.durationMs > maxDurationMs + 100) return tooLong(maxDurationMs);
  return { format: 'mp3', data: new Uint8Array(upload.subarray(walked.start, walked.end)), rate, maxSamples: Math.ceil((maxDurationMs / 1000 + 1) * rate) };
}

const bitsOf: Readonly<Record<number, readonly number[]>> = { 1: [8, 16, 24, 32], 3: [32, 64], 6: [8], 7: [8] };

function checkWav(upload: Buffer, maxDurationMs: Ms): DecodeJob | Refused {
  const wav = wavLayout(upload);
  if (wav === null) return refused('truncated', 'The WAV file ends before its sound begins; please upload it again.');
  const { format, channels, rate, bits, dataAt, dataBytes } = wav;
  if (bitsOf[format]?.includes(bits) !== true) return refused('unsupported', `The WAV file holds ${bits}-bit sound of the kind ${format}. PCM, float, a-law and mu-law are taken; please convert it.`);
  if (channels < 1 || channels > 8 || rate < 4000 || rate > 192_000) return refused('unsupported', `The WAV file has ${channels} channels at ${rate} Hz. 1 to 8 channels at 4000 to 192000 Hz are taken.`);
  if (dataBytes > upload.length - dataAt) return refused('truncated', 'The WAV file ends before its sound does; please upload it again.');
  const frameBytes = (channels * bits) / 8;
  const frames = Math.floor(dataBytes / frameBytes);
  if (frames === 0) return refused('empty', 'There is no sound in the WAV file.');
  if ((frames * 1000) / rate > maxDurationMs) return tooLong(maxDurationMs);
  return { format: 'wav', data: new Uint8Array(upload.subarray(dataAt, dataAt + frames * frameBytes)), rate, wavFormat: format, channels, bits };
}

let last: Promise<unknown> = Promise.resolve();
let inLine = 0;

async function oneAtATime(work: () => Promise<DecodedAudio>): Promise<DecodedAudio> {
  if (inLine >= longestQueue) return refused('busy', 'Too many files are being converted; please try again in a minute.');
  inLine++;
  const mine = last.then(work).finally(() => { inLine--; });
  last = mine.catch(() => undefined);
  return mine;
}

async function decodeInThread(job: DecodeJob, deadlineMs: Ms, maxDurationMs: Ms): Promise<DecodedAudio> {
  const worker = new Worker(new URL('./decode-audio-worker.ts', import.meta.url), {
    execArgv: [], env: {}, stdout: true, stderr: true, resourceLimits: { maxOldGenerationSizeMb: 256 },
  });
  // The decoder writes what it dislikes to the console, once for each frame.
  worker.stderr.resume();
  const { promise, resolve } = Promise.withResolvers<DecodeReply | 'late' | 'broken'>();
  const timer = setTimeout(() => { resolve('late'); }, deadlineMs);
  worker.once('message', resolve);
  worker.once('error', () => { resolve('broken'); });
  worker.once('exit', () => { resolve('broken'); });
  worker.postMessage(job, [job.data.buffer as ArrayBuffer]);
  const reply = await promise;
  clearTimeout(timer);
  await worker.terminate();
  if (reply === 'late') return refused('late', 'Converting the file took too long; a shorter file, or WAV, will do.');
  if (reply === 'broken' || reply.kind === 'damaged') return refused('damaged', 'The sound in the file cannot be decoded.');
  if (reply.kind === 'too-long') return tooLong(maxDurationMs);
  const warnings = reply.peak < silentPeak ? ['The file holds nothing but silence.'] : [];
  return { ok: true, format: job.format, durationMs: reply.durationMs, wav: Buffer.from(reply.wav.buffer), wav16: Buffer.from(reply.wav16.buffer), warnings };
}

function megabytes(bytes: number): number {
  return Math.ceil(bytes / 100_000) / 10;
}
