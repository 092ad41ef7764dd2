/**
 * Tones: made, put into G.711 µ-law (ITU-T G.711), and found again in what was heard (Goertzel).
 * All audio is 8,000 samples a second, mono, 16 bit.
 */
export const SAMPLE_RATE = 8_000;

/** `count` samples of a tone from sample `from` on, so that packets join without a click. */
export const toneSamples = (hz: number, from: number, count: number, amplitude = 8_000): Int16Array =>
  Int16Array.from({ length: count }, (_, i) => Math.round(amplitude * Math.sin((2 * Math.PI * hz * (from + i)) / SAMPLE_RATE)));

const BIAS = 0x84;
const CLIP = 32_635;

export const muLawEncode = (samples: Int16Array): Buffer => {
  const out = Buffer.alloc(samples.length);
  samples.forEach((sample, i) => {
    const sign = sample < 0 ? 0x80 : 0;
    const magnitude = Math.min(Math.abs(sample), CLIP) + BIAS;
    const exponent = Math.max(0, 31 - Math.clz32(magnitude) - 7);
    out[i] = ~(sign | (exponent << 4) | ((magnitude >> (exponent + 3)) & 0x0f)) & 0xff;
  });
  return out;
};

const decodeOne = (byte: number): number => {
  const value = ~byte & 0xff;
  const magnitude = ((((value & 0x0f) << 3) + BIAS) << ((value >> 4) & 7)) - BIAS;
  return (value & 0x80) === 0 ? magnitude : -magnitude;
};
const DECODED = Int16Array.from({ length: 256 }, (_, byte) => decodeOne(byte));

export const muLawDecode = (payload: Uint8Array): Int16Array => Int16Array.from(payload, (byte) => DECODED[byte] ?? 0);

/** Root mean square; digital silence is 0, and below about 100 nobody hears anything. */
export const loudness = (samples: Int16Array): number => {
  if (samples.length === 0) return 0;
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return Math.sqrt(sum / samples.length);
};

/** How much of the energy is at `hz`: 1 for that tone alone, 0.5 for each of two equal tones, about 0 for others. */
export const toneShare = (samples: Int16Array, hz: number): number => {
  if (samples.length === 0) return 0;
  const coefficient = 2 * Math.cos((2 * Math.PI * hz) / SAMPLE_RATE);
  let [one, two, energy] = [0, 0, 0];
  for (const sample of samples) {
    [one, two] = [sample + coefficient * one - two, one];
    energy += sample * sample;
  }
  if (energy === 0) return 0;
  return (2 * (one * one + two * two - coefficient * one * two)) / (samples.length * energy);
};

const AUDIBLE = 150;

/** Whether the tone is plainly there; two tones at once may both be. */
export const hasTone = (samples: Int16Array, hz: number): boolean => loudness(samples) > AUDIBLE && toneShare(samples, hz) > 0.3;
export const isSilent = (samples: Int16Array): boolean => loudness(samples) < AUDIBLE;
/** North American ringback, 440 + 480 Hz; needs 100 ms of audio to tell the two apart. */
export const isRingback = (samples: Int16Array): boolean => hasTone(samples, 440) && hasTone(samples, 480);

/** The samples of 20 ms, which a packet has here. */
export const PACKET = SAMPLE_RATE / 50;

/**
 * Whether the tone is in most of it, listened to packet by packet: where one came late or was passed over the phase shifts,
 * and over a longer piece the two halves of the same tone would cancel each other out.
 */
export const isMostlyTone = (samples: Int16Array, hz: number): boolean => {
  const pieces = Array.from({ length: Math.max(1, Math.floor(samples.length / PACKET)) }, (_, i) => samples.subarray(i * PACKET, (i + 1) * PACKET));
  return pieces.filter((piece) => hasTone(piece, hz)).length > pieces.length / 2;
};

/** Which of these tones each channel of a 16-bit WAV at 8 kHz has, in its second half, where a conversation is under way. */
export const tonesIn = (wav: Buffer, tones: readonly number[]): number[][] => {
  const channels = wav.readUInt16LE(22);
  const samples = new Int16Array(wav.buffer.slice(wav.byteOffset + 44, wav.byteOffset + 44 + Math.floor((wav.length - 44) / 2) * 2));
  return Array.from({ length: channels }, (_, channel) => {
    const own = samples.filter((_sample, i) => i % channels === channel);
    return tones.filter((hz) => isMostlyTone(own.subarray(own.length / 2), hz));
  });
};
