/**
 * What callers hear while they wait, where a queue has no music of its own: eight soft chords, half a minute, made here
 * and so free of anybody's rights. 16-bit mono at 8 kHz. It begins and ends in silence, so that it can be played over and
 * over; the same on every machine.
 */
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { Media } from '../../core/routing/config.ts';
import { writeWhole } from './audio-files.ts';
import { wavHeader } from './wav.ts';

const rate = 8000;
const seconds = 30;
/** Notes by their MIDI numbers, 69 for the A of 440 Hz. The last leads back to the first. */
export const holdChords: readonly (readonly number[])[] = [
  [53, 60, 64, 69], [50, 60, 65, 69], [58, 62, 65, 69], [60, 64, 67, 69],
  [57, 60, 64, 67], [50, 60, 65, 69], [55, 58, 62, 65], [60, 64, 67, 70],
];
/** Of a note: the tone itself, and the two above it, softer. */
const partials = [1, 0.22, 0.06];
const turnSamples = (rate * seconds) / holdChords.length;
const fadeInSamples = 1.2 * rate;
/** A chord dies away under the next one, the last within the time. */
const fadeOutSamples = 1.6 * rate;
/** Root mean square of the whole: 20 dB below the loudest that there is. */
const level = 0.1 * 32_768;

/** Frequency of a note. */
export function pitchOf(note: number): number {
  return 440 * 2 ** ((note - 69) / 12);
}

/** The file in the folder, which is made when it is not there. Rejects with errors of the disk. */
export async function prepareHoldMusic(dir: string): Promise<Media> {
  const file = join(dir, 'hold-music');
  const isThere = await access(`${file}.wav`).then(() => true, () => false);
  if (!isThere) await writeWhole(`${file}.wav`, holdMusic());
  return `file:${file}`;
}

/** As a WAV file. */
export function holdMusic(): Buffer {
  const sum = new Float64Array(rate * seconds);
  for (const [i, chord] of holdChords.entries()) addChord(sum, i * turnSamples, chord);
  let square = 0;
  for (const value of sum) square += value * value;
  const gain = level / Math.sqrt(square / sum.length);
  const samples = Buffer.alloc(sum.length * 2);
  for (const [i, value] of sum.entries()) samples.writeInt16LE(Math.round(value * gain), i * 2);
  return Buffer.concat([wavHeader({ channels: 1, rate }, samples.length), samples]);
}

function addChord(sum: Float64Array, start: number, chord: readonly number[]): void {
  const end = Math.min(sum.length, start + turnSamples + fadeOutSamples);
  const tones = chord.flatMap((note) => partials.map((loudness, i) => ({ step: (2 * Math.PI * pitchOf(note) * (i + 1)) / rate, loudness })));
  for (let at = start; at < end; at += 1) {
    const swell = fade((at - start) / fadeInSamples) * fade((end - at) / fadeOutSamples);
    let value = 0;
    for (const { step, loudness } of tones) value += loudness * Math.sin(step * (at - start));
    sum[at] = (sum[at] ?? 0) + swell * value;
  }
}

/** From 0 to 1, level at both ends. */
function fade(part: number): number {
  return part >= 1 ? 1 : (1 - Math.cos(Math.PI * Math.max(0, part))) / 2;
}
