/**
 * The header of a RIFF/WAVE file (Microsoft "Multiple Channel Audio Data and WAVE Files"), read just far enough to
 * know that a phone switch can play it.
 */
import { open } from 'node:fs/promises';

export interface PhoneWav {
  /** The one under which Asterisk's format_wav plays this sampling rate. */
  readonly extension: '.wav' | '.wav16';
  readonly bytes: number;
}

const headerBytes = 44;

/** Throws when the file is not 16-bit mono PCM at 8 or 16 kHz, holds no sound or is larger than `maxBytes`. */
export async function readPhoneWav(file: string, maxBytes: number): Promise<PhoneWav> {
  const handle = await open(file, 'r');
  try {
    const { size } = await handle.stat();
    if (size > maxBytes) throw new Error(`the audio has ${size} bytes, more than ${maxBytes}`);
    const header = Buffer.alloc(headerBytes);
    await handle.read(header, 0, headerBytes, 0);
    const isWave = header.toString('latin1', 0, 4) === 'RIFF' && header.toString('latin1', 8, 16) === 'WAVEfmt ';
    if (size <= headerBytes || !isWave) throw new Error('the audio is not a WAV file with sound in it');
    const [format, channels, rate, bits] = [header.readUInt16LE(20), header.readUInt16LE(22), header.readUInt32LE(24), header.readUInt16LE(34)];
    if (format !== 1 || channels !== 1 || bits !== 16 || (rate !== 8000 && rate !== 16000)) {
      throw new Error(`the audio has ${channels} channels of ${bits} bits at ${rate} Hz; the switch plays 16-bit mono at 8000 or 16000 Hz`);
    }
    return { extension: rate === 8000 ? '.wav' : '.wav16', bytes: size };
  } finally {
    await handle.close();
  }
}
