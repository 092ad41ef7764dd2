/**
 * What an upload is, told from its first bytes and never from its name. Only what people do upload by mistake has a
 * name of its own; a name in the answer is what they need to know to convert the file.
 */
export type Recognised =
  | { readonly kind: 'mp3' | 'wav' | 'empty' | 'html' | 'text' | 'unknown' }
  | { readonly kind: 'other'; /** As a person calls it. */ readonly name: string };

interface Signature {
  readonly at: number;
  readonly bytes: string;
  readonly name: string;
}

const others: readonly Signature[] = [
  { at: 0, bytes: 'OggS', name: 'Ogg (Vorbis or Opus)' },
  { at: 4, bytes: 'ftypM4A', name: 'M4A (AAC)' },
  { at: 4, bytes: 'ftyp', name: 'MP4 or M4A (AAC)' },
  { at: 0, bytes: 'fLaC', name: 'FLAC' },
  { at: 0, bytes: '#!AMR', name: 'AMR' },
  { at: 0, bytes: 'FORM', name: 'AIFF' },
  { at: 0, bytes: 'RIFX', name: 'RIFX (big-endian WAV)' },
  { at: 0, bytes: 'RF64', name: 'RF64 (WAV beyond 4 GB)' },
  { at: 0, bytes: 'caff', name: 'CAF' },
  { at: 0, bytes: '.snd', name: 'AU' },
  { at: 0, bytes: '\x1aE\xdf\xa3', name: 'WebM or Matroska' },
  { at: 0, bytes: '0&\xb2u\x8ef\xcf\x11', name: 'WMA' },
  { at: 0, bytes: 'PK\x03\x04', name: 'ZIP' },
  { at: 0, bytes: '%PDF', name: 'PDF' },
];

/** Does not say that the sound in it is whole, only what it claims to be. */
export function recogniseAudio(upload: Buffer): Recognised {
  if (upload.length === 0) return { kind: 'empty' };
  const begins = (bytes: string, at = 0): boolean => upload.toString('latin1', at, at + bytes.length) === bytes;
  if (begins('RIFF') && (upload.length < 12 || begins('WAVE', 8))) return { kind: 'wav' };
  const other = others.find(({ at, bytes }) => begins(bytes, at));
  if (other !== undefined) return { kind: 'other', name: other.name };
  if (begins('ID3')) return { kind: 'mp3' };
  const [first = 0, second = 0] = upload;
  // The layer bits of ADTS are 00, of MPEG audio never.
  if (first === 0xff && (second & 0xf6) === 0xf0) return { kind: 'other', name: 'AAC' };
  if (first === 0xff && (second & 0xe0) === 0xe0) return { kind: 'mp3' };
  return textKind(upload.subarray(0, 4096));
}

function textKind(start: Buffer): Recognised {
  // The last character may be cut in two by the end of the sample.
  const text = start.toString('utf8').slice(0, -1);
  if (/[\p{Cc}\uFFFD]/u.test(text.replace(/\s/g, ''))) return { kind: 'unknown' };
  return /^\uFEFF?\s*<(!doctype html|html|head|body|!--)/i.test(text) ? { kind: 'html' } : { kind: 'text' };
}
