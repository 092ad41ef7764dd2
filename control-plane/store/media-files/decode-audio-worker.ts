/**
 * The thread that decodes one upload for decode-audio.ts and is then ended: a job comes in, one reply goes out.
 */
import { parentPort } from 'node:worker_threads';
import { MPEGDecoder } from 'mpg123-decoder';
import { createResampler } from './resample.ts';
import { wavHeader } from './wav.ts';
import { WaveFile } from './wavefile.ts';

/** `data` is the sound alone, without tags and headers; headers that nobody checked never reach a library. */
export type DecodeJob =
  | { readonly format: 'mp3'; readonly data: Uint8Array; readonly rate: number; /** More than that is too long. */ readonly maxSamples: number }
  | { readonly format: 'wav'; readonly data: Uint8Array; readonly rate: number; readonly wavFormat: number; readonly channels: number; readonly bits: number };

export type DecodeReply =
  | { readonly kind: 'decoded'; readonly durationMs: number; readonly wav: Uint8Array; readonly wav16: Uint8Array; /** 0 to 1. */ readonly peak: number }
  | { readonly kind: 'too-long' }
  | { readonly kind: 'damaged' };

type Job<F> = Extract<DecodeJob, { readonly format: F }>;

const sliceBytes = 65_536;

async function decode(job: DecodeJob): Promise<DecodeReply> {
  const wide = createResampler(job.rate, 16_000);
  // From more than 16 kHz, the wide one does the most of the work for both.
  const isByWay = job.rate > 16_000;
  const narrow = createResampler(isByWay ? 16_000 : job.rate, 8000);
  let [samples, peak] = [0, 0];
  for await (const mono of job.format === 'mp3' ? mp3Slices(job) : wavSlices(job)) {
    samples += mono.length;
    if (job.format === 'mp3' && samples > job.maxSamples) return { kind: 'too-long' };
    peak = mono.reduce((most, sample) => Math.max(most, Math.abs(sample)), peak);
    wide.push(mono);
    if (!isByWay) narrow.push(mono);
  }
  if (samples === 0) return { kind: 'damaged' };
  const wideSamples = wide.end();
  if (isByWay) narrow.push(wideSamples);
  return { kind: 'decoded', durationMs: Math.round((samples * 1000) / job.rate), wav: toWav(narrow.end(), 8000), wav16: toWav(wideSamples, 16_000), peak };
}

async function* mp3Slices({ data }: Job<'mp3'>): AsyncGenerator<Float32Array> {
  const decoder = new MPEGDecoder();
  await decoder.ready;
  for (let at = 0; at < data.length; at += sliceBytes) {
    const { channelData, samplesDecoded } = decoder.decode(data.subarray(at, at + sliceBytes));
    const [left, right] = channelData;
    if (samplesDecoded === 0 || left === undefined) continue;
    yield left.slice(0, samplesDecoded).map((sample, i) => (sample + (right?.[i] ?? sample)) / 2);
  }
}

/** In slices, since the library unpacks all it is given into numbers of 8 bytes. */
function* wavSlices({ data, rate, wavFormat: format, channels, bits }: Job<'wav'>): Generator<Float32Array> {
  const frameBytes = (channels * bits) / 8;
  const step = Math.floor(1_000_000 / frameBytes) * frameBytes;
  for (let at = 0; at < data.length; at += step) {
    const slice = data.subarray(at, at + step);
    const wav = new WaveFile(Buffer.concat([wavHeader({ format, channels, rate, bits }, slice.length), slice]));
    if (format === 6) wav.fromALaw();
    if (format === 7) wav.fromMuLaw();
    const full = format === 3 ? 1 : 2 ** ((format === 1 ? bits : 16) - 1);
    // 8-bit PCM alone is unsigned.
    const zero = format === 1 && bits === 8 ? full : 0;
    yield mixed(wav.getSamples(true), channels, zero, full);
  }
}

/** The mean of all channels, which lie side by side, as -1 to 1; what is no number is silence. */
function mixed(samples: ArrayLike<number>, channels: number, zero: number, full: number): Float32Array {
  const mono = new Float32Array(Math.floor(samples.length / channels));
  for (let i = 0; i < mono.length; i++) {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++) sum += (samples[i * channels + channel] ?? 0) - zero;
    if (Number.isFinite(sum)) mono[i] = sum / channels / full;
  }
  return mono;
}

function toWav(samples: Float32Array, rate: number): Uint8Array {
  const header = wavHeader({ channels: 1, rate }, samples.length * 2);
  const out = new Uint8Array(header.length + samples.length * 2);
  out.set(header);
  const view = new DataView(out.buffer, header.length);
  for (let i = 0; i < samples.length; i++) view.setInt16(i * 2, Math.round(Math.max(-1, Math.min(1, samples[i] ?? 0)) * 32_767), true);
  return out;
}

const port = parentPort;
port?.once('message', (job: DecodeJob) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port of threads, not of windows
  void decode(job).catch((): DecodeReply => ({ kind: 'damaged' })).then((reply) => { port.postMessage(reply); });
});
