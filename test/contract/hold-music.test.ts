/** The music of queues that have none of their own, listened to. */
import { mkdtemp, readFile, rm, stat, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { holdChords, holdMusic, pitchOf, prepareHoldMusic } from '../../control-plane/store/media-files/hold-music.ts';
import { readPhoneWav, wavLayout } from '../../control-plane/store/media-files/wav.ts';
import { loudness, SAMPLE_RATE, toneShare } from '../support/tone.ts';

const wav = holdMusic();
const samples = new Int16Array(wav.buffer.slice(wav.byteOffset + 44, wav.byteOffset + wav.length));
const turn = samples.length / holdChords.length;

it('is half a minute of what the switch plays', () => {
  expect(wavLayout(wav)).toEqual({ format: 1, channels: 1, rate: SAMPLE_RATE, bits: 16, dataAt: 44, dataBytes: wav.length - 44 });
  expect(samples.length / SAMPLE_RATE).toBe(30);
});

it('sounds the notes of each chord, and none a half-tone beside them', () => {
  const heard = holdChords.map((chord, i) => {
    // once it has swelled, and before it dies away under the next
    const piece = samples.subarray(i * turn + 1.7 * SAMPLE_RATE, i * turn + 3.6 * SAMPLE_RATE);
    const between = Array.from({ length: 24 }, (_, n) => 49.5 + n);
    return { notes: chord.map((note) => toneShare(piece, pitchOf(note))), beside: Math.max(...between.map((note) => toneShare(piece, pitchOf(note)))) };
  });
  expect(Math.min(...heard.flatMap(({ notes }) => notes))).toBeGreaterThan(0.1);
  expect(Math.max(...heard.map(({ beside }) => beside))).toBeLessThan(0.02);
});

it('is quiet: 20 dB under the loudest, and nowhere near clipping', () => {
  expect(20 * Math.log10(loudness(samples) / 32_768)).toBeCloseTo(-20, 1);
  expect(20 * Math.log10(samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0) / 32_768)).toBeLessThan(-6);
});

const steps = (of: Int16Array): number => of.slice(1).reduce((most, sample, i) => Math.max(most, Math.abs(sample - (of[i] ?? 0))), 0);

it('goes from its end to its beginning without a click', () => {
  const seam = Int16Array.from([...samples.slice(-400), ...samples.slice(0, 400)]);
  expect(Math.abs((samples.at(-1) ?? 0) - (samples[0] ?? 0))).toBeLessThan(5);
  expect(steps(seam)).toBeLessThan(steps(samples) / 10);
  // no seam between chords is steeper than the notes themselves
  expect(steps(samples)).toBeLessThan(6000);
});

it('is made once, and is the same every time', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'hold-music-'));
  try {
    const media = await prepareHoldMusic(join(dir, 'audio'));
    const file = `${media.replace('file:', '')}.wav`;
    expect((await readFile(file)).equals(wav)).toBe(true);
    expect(await readPhoneWav(file, 1_000_000)).toMatchObject({ extension: '.wav' });
    await utimes(file, 1, 1);
    expect(await prepareHoldMusic(join(dir, 'audio'))).toBe(media);
    expect((await stat(file)).mtimeMs).toBe(1000);
  } finally {
    await rm(dir, { recursive: true });
  }
});
