/** Greetings as people upload them: what is played of them, and what is refused, in which words. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { array, assert, asyncProperty, constantFrom, nat, tuple } from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { decodeAudio, type DecodedAudio } from '../../control-plane/store/media-files/decode-audio.ts';
import { readPhoneWav, wavHeader } from '../../control-plane/store/media-files/wav.ts';
import { WaveFile } from '../../control-plane/store/media-files/wavefile.ts';
import { hasTone, isSilent, loudness, toneShare } from '../support/tone.ts';

const fixtures = join(import.meta.dirname, 'media-files');
/** 1.2 s at 48 kbit/s; 440 Hz on the left, 1 kHz on the right. */
const stereoMp3 = await readFile(join(fixtures, 'tones-44100-stereo.mp3'));
/** 0.8 s of 700 Hz, variable rate, behind an ID3 tag. */
const taggedMp3 = await readFile(join(fixtures, 'tone-22050-mono-tagged.mp3'));

type Decoded = Extract<DecodedAudio, { ok: true }>;

async function decoded(upload: Uint8Array): Promise<Decoded> {
  const result = await decodeAudio(upload);
  if (!result.ok) throw new Error(result.message);
  return result;
}

async function refusal(upload: Uint8Array, options?: Parameters<typeof decodeAudio>[1]): Promise<{ reason: string; message: string }> {
  const result = await decodeAudio(upload, options);
  if (result.ok) throw new Error('it was taken');
  return result;
}

const samplesOf = (wav: Buffer): Int16Array => new Int16Array(wav.buffer.slice(wav.byteOffset + 44, wav.byteOffset + wav.length));

/** Full scale is 1. */
const sine = (hz: number, rate: number, seconds: number, amplitude = 0.25): Float64Array =>
  Float64Array.from({ length: Math.round(rate * seconds) }, (_, i) => amplitude * Math.sin((2 * Math.PI * hz * i) / rate));

type Kind = '8' | '16' | '24' | '32' | '32f' | '64' | 'a-law' | 'mu-law';

function wavOf(kind: Kind, rate: number, channels: readonly Float64Array[]): Buffer {
  const wav = new WaveFile();
  const isFloat = kind === '32f' || kind === '64';
  const bits = kind === 'a-law' || kind === 'mu-law' ? '16' : kind;
  const full = isFloat ? 1 : 2 ** (Number(bits) - 1) - 1;
  const zero = kind === '8' ? 128 : 0;
  const scaled = channels.map((channel) => channel.map((value) => (isFloat ? value : Math.round(value * full) + zero)));
  wav.fromScratch(channels.length, rate, bits, channels.length === 1 ? (scaled[0] ?? []) : scaled);
  if (kind === 'a-law') wav.toALaw();
  if (kind === 'mu-law') wav.toMuLaw();
  return Buffer.from(wav.toBuffer());
}

describe('an MP3 file', () => {
  it('is played with both of its sides, at both rates', async () => {
    const { format, durationMs, wav, wav16, warnings } = await decoded(stereoMp3);
    expect({ format, warnings }).toEqual({ format: 'mp3', warnings: [] });
    expect(Math.abs(durationMs - 1200)).toBeLessThan(70);
    for (const hz of [440, 1000]) {
      expect(hasTone(samplesOf(wav), hz)).toBe(true);
      // The helper counts in samples of 8 kHz.
      expect(hasTone(samplesOf(wav16), hz / 2)).toBe(true);
    }
  });

  it('is known by its content behind tags, and is as loud as it was', async () => {
    const { durationMs, wav } = await decoded(taggedMp3);
    expect(durationMs).toBe(800);
    expect(toneShare(samplesOf(wav), 700)).toBeGreaterThan(0.98);
    expect(loudness(samplesOf(wav)) / ((32_767 * 0.501) / Math.SQRT2)).toBeCloseTo(1, 1);
    const tail = Buffer.alloc(128);
    tail.write('TAG');
    expect((await decoded(Buffer.concat([stereoMp3, tail]))).format).toBe('mp3');
  });

  it('makes files that the switch knows how to play', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'frontdesk-greeting-'));
    const { wav, wav16 } = await decoded(taggedMp3);
    await writeFile(join(dir, 'a.wav'), wav);
    await writeFile(join(dir, 'a.wav16'), wav16);
    expect((await readPhoneWav(join(dir, 'a.wav'), 1e6)).extension).toBe('.wav');
    expect((await readPhoneWav(join(dir, 'a.wav16'), 1e6)).extension).toBe('.wav16');
    await rm(dir, { recursive: true });
  });
});

describe('a WAV file', () => {
  const kinds: readonly Kind[] = ['8', '16', '24', '32', '32f', '64', 'a-law', 'mu-law'];
  const rates = [8000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000, 37_800];
  test.each(kinds.map((kind, i) => [kind, rates[i] ?? 8000, 1 + (i % 2)] as const))('of the kind %s at %i Hz with %i channels is played as it sounds', async (kind, rate, channels) => {
    const side = sine(700, rate, 0.5);
    const { format, durationMs, wav, wav16 } = await decoded(wavOf(kind, rate, Array.from({ length: channels }, () => side)));
    expect({ format, durationMs }).toEqual({ format: 'wav', durationMs: 500 });
    // Half a second is no whole number of samples at every rate.
    expect(Math.abs(wav.length - 8044)).toBeLessThanOrEqual(2);
    expect(Math.abs(wav16.length - 16_044)).toBeLessThanOrEqual(2);
    expect(toneShare(samplesOf(wav), 700)).toBeGreaterThan(0.98);
    expect(toneShare(samplesOf(wav16), 350)).toBeGreaterThan(0.98);
    expect(loudness(samplesOf(wav)) / ((32_767 * 0.25) / Math.SQRT2)).toBeCloseTo(1, 1);
  });

  it('of 16 bit at 8 kHz comes out as it went in', async () => {
    const { wav } = await decoded(wavOf('16', 8000, [sine(440, 8000, 0.2)]));
    const wanted = sine(440, 8000, 0.2);
    samplesOf(wav).forEach((sample, i) => { expect(Math.abs(sample - (wanted[i] ?? 0) * 32_767)).toBeLessThan(2); });
  });

  it('loses what the lower rate cannot hold, and nothing else appears in its place', async () => {
    const { wav, wav16 } = await decoded(wavOf('16', 48_000, [sine(6000, 48_000, 0.5)]));
    expect(isSilent(samplesOf(wav).subarray(200, -200))).toBe(true);
    expect(toneShare(samplesOf(wav16), 3000)).toBeGreaterThan(0.95);
  });

  it('has no click in it where one window of resampling meets the next', async () => {
    const { wav, wav16 } = await decoded(wavOf('16', 22_050, [sine(440, 22_050, 45)]));
    for (const [samples, rate] of [[samplesOf(wav), 8000], [samplesOf(wav16), 16_000]] as const) {
      expect(samples.length).toBe(45 * rate);
      const wanted = sine(440, rate, 45);
      let worst = 0;
      for (let i = rate; i < samples.length - rate; i++) worst = Math.max(worst, Math.abs((samples[i] ?? 0) - (wanted[i] ?? 0) * 32_767));
      expect(worst).toBeLessThan(250);
    }
  });

  it('is read from the formats its header may hide behind chunks, in whatever order', async () => {
    const plain = wavOf('16', 8000, [sine(440, 8000, 0.2)]);
    const list = Buffer.concat([Buffer.from('LIST\x05\x00\x00\x00INFOx\x00', 'latin1')]);
    const cue = Buffer.from('cue \x04\x00\x00\x00\xff\xff\xff\xff', 'latin1');
    const { wav } = await decoded(Buffer.concat([plain.subarray(0, 12), list, cue, plain.subarray(12)]));
    expect(hasTone(samplesOf(wav), 440)).toBe(true);
  });

  it('of nothing but silence is taken, with a warning', async () => {
    expect((await decoded(wavOf('16', 8000, [new Float64Array(4000)]))).warnings).toEqual(['The file holds nothing but silence.']);
  });

  it('with sound that is no number does no harm', async () => {
    const { wav } = await decoded(wavOf('32f', 8000, [Float64Array.from({ length: 800 }, (_, i) => (i % 2 === 0 ? Number.NaN : 1e30))]));
    expect(wav.length).toBe(44 + 1600);
  });
});

describe('what is no sound that can be played is refused', () => {
  const wav = wavOf('16', 8000, [sine(440, 8000, 0.5)]);
  const adpcm = Buffer.concat([wavHeader({ format: 0x11, channels: 1, rate: 8000, bits: 4 }, 100), Buffer.alloc(100)]);
  const cases: readonly (readonly [string, Uint8Array, string, RegExp])[] = [
    ['an empty file', Buffer.alloc(0), 'empty', /empty/],
    ['a WAV file with no sound', wavOf('16', 8000, [new Float64Array(0)]), 'empty', /no sound/],
    ['text', Buffer.from('Good morning, you have reached the clinic.\n'), 'text', /text/],
    ['a web page', Buffer.from('\n<!DOCTYPE html><html><body>404</body></html>'), 'html', /web page/],
    ['Ogg', Buffer.from('OggS\x00\x02\x00\x00\x00\x00', 'latin1'), 'unsupported', /Ogg/],
    ['M4A', Buffer.from('\x00\x00\x00\x20ftypM4A \x00\x00', 'latin1'), 'unsupported', /M4A/],
    ['FLAC', Buffer.from('fLaC\x00\x00\x00\x22', 'latin1'), 'unsupported', /FLAC/],
    ['AAC', Buffer.from('\xff\xf1\x50\x80\x00', 'latin1'), 'unsupported', /AAC/],
    ['a WAV file of ADPCM', adpcm, 'unsupported', /4-bit/],
    ['noise', Buffer.from([0, 1, 2, 3, 250, 0, 7]), 'unsupported', /known/],
    ['a WAV file cut in its sound', wav.subarray(0, 3000), 'truncated', /ends before/],
    ['a WAV file cut in its header', wav.subarray(0, 30), 'truncated', /ends before/],
    ['an MP3 file cut within a frame', stereoMp3.subarray(0, 5000), 'truncated', /ends before/],
    ['an MP3 file cut between frames', stereoMp3.subarray(0, 156 + 157 * 20), 'truncated', /ends before/],
    ['an MP3 tag with nothing behind it', taggedMp3.subarray(0, 120), 'damaged', /no sound/],
  ];
  test.each(cases)('%s', async (_, upload, reason, message) => {
    const refused = await refusal(upload);
    expect(refused.reason).toBe(reason);
    expect(refused.message).toMatch(message);
  });

  it('a file that is too large, before anything looks at it', async () => {
    expect(await refusal(Buffer.alloc(1001), { maxBytes: 1000 })).toMatchObject({ reason: 'too-large' });
  });

  it('a small file that is hours of sound', async () => {
    const hours = Buffer.concat([wavHeader({ format: 7, channels: 1, rate: 4000, bits: 8 }, 3_000_000), Buffer.alloc(3_000_000)]);
    expect((await refusal(hours)).reason).toBe('too-long');
    // MPEG 1 layer III, 48 kbit/s, 44.1 kHz, mono: 156 bytes are 26 ms.
    const frame = Buffer.alloc(156);
    frame.writeUInt32BE(0xfffb30c4);
    const frames = (count: number): Buffer => Buffer.concat(Array.from({ length: count }, () => frame));
    expect((await refusal(frames(24_000))).reason).toBe('too-long');
    expect((await decoded(frames(40))).warnings).toEqual(['The file holds nothing but silence.']);
  });

  it('a file whose decoding takes longer than it may', async () => {
    expect((await refusal(stereoMp3, { deadlineMs: 0 })).reason).toBe('late');
  });
});

it('lets calls go on while a long file is decoded', async () => {
  let turns = 0;
  let isDone = false;
  const turn = (): void => {
    turns++;
    if (!isDone) setImmediate(turn);
  };
  setImmediate(turn);
  await decoded(wavOf('16', 22_050, [sine(440, 22_050, 20)]));
  isDone = true;
  expect(turns).toBeGreaterThan(100);
});

it('takes or refuses whatever was changed in a file, and never fails otherwise', async () => {
  const file = constantFrom(stereoMp3, taggedMp3, wavOf('24', 8000, [sine(440, 8000, 0.1)]));
  const said: string[] = [];
  await assert(asyncProperty(file, array(tuple(nat(), nat(255)), { maxLength: 30 }), async (whole, changes) => {
    const changed = Buffer.from(whole);
    for (const [at, value] of changes) changed[at % changed.length] = value;
    const result = await decodeAudio(changed, { deadlineMs: 20_000 });
    said.push(result.ok ? 'Taken.' : result.message);
  }), { numRuns: 15 });
  for (const sentence of said) expect(sentence).toMatch(/^[A-Z].+\.$/);
});
