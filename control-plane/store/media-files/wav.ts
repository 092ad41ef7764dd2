/**
 * The header of a RIFF/WAVE file (Microsoft "Multiple Channel Audio Data and WAVE Files"), read just far enough to
 * know what the sound is and where; and written for 16-bit sound.
 */
import { open } from 'node:fs/promises';

export interface PhoneWav {
  /** The one under which Asterisk's format_wav plays this sampling rate. */
  readonly extension: '.wav' | '.wav16';
  readonly bytes: number;
}

export interface WavLayout {
  /** WAVE_FORMAT_…: 1 PCM, 3 float, 6 a-law, 7 mu-law; of an extensible header, the format it holds. */
  readonly format: number;
  readonly channels: number;
  readonly rate: number;
  readonly bits: number;
  /** Where the samples begin, and how many bytes of them the header promises, which may be more than there are. */
  readonly dataAt: number;
  readonly dataBytes: number;
}

export const wavHeaderBytes = 44;
const extensible = 0xfffe;

/** Throws when the file is not 16-bit mono PCM at 8 or 16 kHz, holds no sound or is larger than `maxBytes`. */
export async function readPhoneWav(file: string, maxBytes: number): Promise<PhoneWav> {
  const handle = await open(file, 'r');
  try {
    const { size } = await handle.stat();
    if (size > maxBytes) throw new Error(`the audio has ${size} bytes, more than ${maxBytes}`);
    const header = Buffer.alloc(wavHeaderBytes);
    await handle.read(header, 0, wavHeaderBytes, 0);
    const isWave = header.toString('latin1', 0, 4) === 'RIFF' && header.toString('latin1', 8, 16) === 'WAVEfmt ';
    if (size <= wavHeaderBytes || !isWave) throw new Error('the audio is not a WAV file with sound in it');
    const [format, channels, rate, bits] = [header.readUInt16LE(20), header.readUInt16LE(22), header.readUInt32LE(24), header.readUInt16LE(34)];
    if (format !== 1 || channels !== 1 || bits !== 16 || (rate !== 8000 && rate !== 16000)) {
      throw new Error(`the audio has ${channels} channels of ${bits} bits at ${rate} Hz; the switch plays 16-bit mono at 8000 or 16000 Hz`);
    }
    return { extension: rate === 8000 ? '.wav' : '.wav16', bytes: size };
  } finally {
    await handle.close();
  }
}

/** Finds `fmt ` and `data` in the begin of a WAV file, in any order of chunks; null when one is not there. */
export function wavLayout(start: Buffer): WavLayout | null {
  if (start.toString('latin1', 0, 4) !== 'RIFF' || start.toString('latin1', 8, 12) !== 'WAVE') return null;
  let fmt: Omit<WavLayout, 'dataAt' | 'dataBytes'> | null = null;
  let at = 12;
  while (at + 8 <= start.length) {
    const name = start.toString('latin1', at, at + 4);
    const bytes = start.readUInt32LE(at + 4);
    const body = at + 8;
    if (name === 'fmt ' && bytes >= 16 && body + 16 <= start.length) {
      const tag = start.readUInt16LE(body);
      const format = tag === extensible && bytes >= 26 && body + 26 <= start.length ? start.readUInt16LE(body + 24) : tag;
      fmt = { format, channels: start.readUInt16LE(body + 2), rate: start.readUInt32LE(body + 4), bits: start.readUInt16LE(body + 14) };
    }
    if (name === 'data') return fmt === null ? null : { ...fmt, dataAt: body, dataBytes: bytes };
    // Chunks begin at even offsets.
    at = body + bytes + (bytes % 2);
  }
  return null;
}

/** The 44 bytes before PCM or companded samples of that many bytes. */
export function wavHeader(sound: { readonly format?: number; readonly channels: number; readonly rate: number; readonly bits?: number }, dataBytes: number): Buffer {
  const { format = 1, channels, rate, bits = 16 } = sound;
  const header = Buffer.alloc(wavHeaderBytes);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(36 + dataBytes, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(format, 20);
  header.writeUInt16LE(channels, 22);
  header.writeUInt32LE(rate, 24);
  header.writeUInt32LE((rate * channels * bits) / 8, 28);
  header.writeUInt16LE((channels * bits) / 8, 32);
  header.writeUInt16LE(bits, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(dataBytes, 40);
  return header;
}
