/**
 * Mono sound brought to another sampling rate by wavefile (low-pass, then interpolation), in windows, so that ten
 * minutes at 48 kHz need no more memory than 22 seconds.
 */
import { WaveFile } from './wavefile.ts';

export interface Resampler {
  push(samples: Float32Array): void;
  /** All of it. Nothing may be pushed afterwards. */
  end(): Float32Array;
}

/** Whole seconds, so that a window has a whole number of samples at both rates and seams fall onto samples. */
const blockSeconds = 20;
/** Resampled with its neighbours and then cut away: the filter needs some sound to settle. */
const padSeconds = 1;

/** Both rates in samples per second. */
export function createResampler(from: number, to: number): Resampler {
  const pad = padSeconds * from;
  const block = blockSeconds * from;
  const done: Float32Array[] = [];
  let window = new Float32Array(2 * pad + block + 1);
  // The first block has silence before it.
  let fill = from === to ? 0 : pad;
  let pushed = 0;

  const push = (samples: Float32Array): void => {
    pushed += samples.length;
    let rest = samples;
    while (rest.length > 0) {
      if (fill === window.length) makeRoom();
      const some = rest.subarray(0, window.length - fill);
      window.set(some, fill);
      fill += some.length;
      rest = rest.subarray(some.length);
    }
  };

  const makeRoom = (): void => {
    if (from <= to) {
      // Up, the library's steps do not fall onto seams: all at once. That is little: at most 10 minutes below 16 kHz.
      const larger = new Float32Array(window.length * 2);
      larger.set(window);
      window = larger;
      return;
    }
    done.push(resample(window, from, to).subarray(padSeconds * to, (padSeconds + blockSeconds) * to));
    window.copyWithin(0, block, fill);
    fill -= block;
  };

  const end = (): Float32Array => {
    if (from === to) return window.slice(0, fill);
    const wanted = Math.round((pushed * to) / from) - done.reduce((sum, one) => sum + one.length, 0);
    const padded = new Float32Array((Math.ceil(fill / from) + padSeconds) * from + 1);
    padded.set(window.subarray(0, fill));
    done.push(resample(padded, from, to).subarray(padSeconds * to, padSeconds * to + wanted));
    const all = new Float32Array(done.reduce((sum, one) => sum + one.length, 0));
    let at = 0;
    for (const one of done) {
      all.set(one, at);
      at += one.length;
    }
    return all;
  };

  return { push, end };
}

/** The library packs floats very slowly, and integers well; a bit is left for what a filter adds to full scale. */
const scale = 2 ** 30;

/** One sample more than whole seconds in: the library then steps by exactly `from / to`. */
function resample(samples: Float32Array, from: number, to: number): Float32Array {
  const whole = new Int32Array(samples.length);
  for (let i = 0; i < whole.length; i++) whole[i] = Math.max(-1, Math.min(1, samples[i] ?? 0)) * scale;
  const wav = new WaveFile();
  wav.fromScratch(1, from, '32', whole);
  wav.toSampleRate(to, { method: 'cubic', LPF: true });
  const out = Float32Array.from(wav.getSamples());
  for (let i = 0; i < out.length; i++) out[i] = (out[i] ?? 0) / scale;
  return out;
}
