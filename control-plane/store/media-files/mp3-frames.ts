/**
 * The frames of an MP3 file (ISO/IEC 11172-3 and 13818-3, layer III), walked without decoding: how long the sound is
 * and whether the file is whole is known before a decoder sees it.
 */
export interface Mp3Frames {
  /** Where the first frame begins and the last ends: without tags. */
  readonly start: number;
  readonly end: number;
  readonly frames: number;
  readonly durationMs: number;
  readonly rates: ReadonlySet<number>;
  /** The last frame is cut, or the file's own header promises more than there is. */
  readonly truncated: boolean;
}

interface Frame {
  readonly bytes: number;
  readonly rate: number;
  readonly samples: number;
  /** Bytes from the frame's begin to where an encoder may put its "Xing" or "Info" header. */
  readonly infoAt: number;
}

// By (bits 19..20) of the header: MPEG 2.5, reserved, 2, 1.
const bitrates1 = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
const bitrates2 = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
const rates = [[11_025, 12_000, 8000], [], [22_050, 24_000, 16_000], [44_100, 48_000, 32_000]] as const;

function frameAt(data: Buffer, at: number): Frame | null {
  if (at + 4 > data.length) return null;
  const header = data.readUInt32BE(at);
  const version = (header >>> 19) & 3;
  const isLayer3 = header >>> 21 === 0x7ff && ((header >>> 17) & 3) === 1;
  const rate = rates[version]?.[(header >>> 10) & 3];
  const kbits = (version === 3 ? bitrates1 : bitrates2)[(header >>> 12) & 15];
  if (!isLayer3 || rate === undefined || kbits === undefined || kbits === 0) return null;
  const samples = version === 3 ? 1152 : 576;
  const isMono = ((header >>> 6) & 3) === 3;
  const infoAt = 4 + (version === 3 ? (isMono ? 17 : 32) : isMono ? 9 : 17);
  return { bytes: Math.floor((samples / 8) * kbits * 1000 / rate) + ((header >>> 9) & 1), rate, samples, infoAt };
}

/** Null when no two frames follow each other: it is no MP3. */
export function walkMp3(data: Buffer): Mp3Frames | null {
  const start = firstFrame(data, afterId3(data));
  const first = start === null ? null : frameAt(data, start);
  if (start === null || first === null) return null;
  const seen = new Set<number>();
  let [at, frames, durationMs, truncated] = [start, 0, 0, false];
  while (at < data.length) {
    const frame = frameAt(data, at);
    if (frame === null) {
      const next = isTail(data, at) ? null : firstFrame(data, at);
      // Fewer than 4 bytes cannot be told from the begin of a frame that was cut.
      if (next === null) break;
      at = next;
      continue;
    }
    if (at + frame.bytes > data.length) {
      truncated = true;
      break;
    }
    seen.add(frame.rate);
    frames++;
    durationMs += (frame.samples * 1000) / frame.rate;
    at += frame.bytes;
  }
  const promised = framesPromised(data, start + first.infoAt);
  // Encoders differ in whether the frame that holds the promise is counted in it.
  if (promised !== null && frames < promised) truncated = true;
  return { start, end: at, frames, durationMs, rates: seen, truncated };
}

/** The first offset from which two frames follow each other, or one ends the file. Linear in what is passed over. */
function firstFrame(data: Buffer, from: number): number | null {
  for (let at = data.indexOf(0xff, from); at !== -1; at = data.indexOf(0xff, at + 1)) {
    const frame = frameAt(data, at);
    if (frame === null) continue;
    const next = at + frame.bytes;
    if (next === data.length || isTail(data, next) || frameAt(data, next)?.rate === frame.rate) return at;
  }
  return null;
}

/** ID3v2 (id3.org, "ID3v2 header"): a length of four times 7 bits. */
function afterId3(data: Buffer): number {
  let at = 0;
  while (data.toString('latin1', at, at + 3) === 'ID3' && at + 10 <= data.length) {
    const size = [6, 7, 8, 9].reduce((sum, i) => (sum << 7) | ((data[at + i] ?? 0) & 0x7f), 0);
    at += 10 + size + (((data[at + 5] ?? 0) & 0x10) === 0 ? 0 : 10);
  }
  return at;
}

function isTail(data: Buffer, at: number): boolean {
  return /^(TAG|APETAGEX|LYRICSBEGIN|ID3)/.test(data.toString('latin1', at, at + 11));
}

/** What an encoder wrote into the first frame: "Xing" or "Info", flags, then a count of frames when bit 0 is set. */
function framesPromised(data: Buffer, at: number): number | null {
  const name = data.toString('latin1', at, at + 4);
  const isThere = (name === 'Xing' || name === 'Info') && at + 12 <= data.length && (data.readUInt32BE(at + 4) & 1) === 1;
  return isThere ? data.readUInt32BE(at + 8) : null;
}
