/** Audio with ranges, RFC 9110 §14: one range of bytes; several are answered with the whole, as §14.2 allows. */
import { pipeline } from 'node:stream/promises';
import type { Request, Response } from 'express';
import type { AudioContent, ByteRange } from './ports.ts';
import { HttpProblem } from './problem.ts';

/** Resolves when the audio is sent, or the listener has gone. Throws a 416; an error in the audio cuts the answer off. */
export async function sendAudio(request: Request, response: Response, audio: AudioContent, etag: string | null): Promise<void> {
  const ifRange = request.get('if-range');
  const range = ifRange === undefined || ifRange === etag ? rangeOf(request.get('range'), audio.bytes) : undefined;
  if (range === null) throw new HttpProblem(416, `The range is outside of the ${audio.bytes} bytes there are.`, { headers: { 'content-range': `bytes */${audio.bytes}` } });
  response.set({ 'accept-ranges': 'bytes', 'content-type': audio.type, 'content-disposition': 'inline', ...(etag === null ? {} : { etag }) });
  response.set('content-length', String(range === undefined ? audio.bytes : range.end - range.start + 1));
  if (range !== undefined) response.status(206).set('content-range', `bytes ${range.start}-${range.end}/${audio.bytes}`);
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  try {
    await pipeline(audio.read(range), response);
  } catch (error) {
    if (!gone(error)) throw error;
  }
}

/** Undefined: the whole. Null: none of it is there. */
export function rangeOf(header: string | undefined, bytes: number): ByteRange | undefined | null {
  const [, from = '', to = ''] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.replaceAll(' ', '') ?? '') ?? [];
  if (from === '' && to === '') return undefined;
  if (from === '') return Number(to) === 0 || bytes === 0 ? null : { start: Math.max(0, bytes - Number(to)), end: bytes - 1 };
  const start = Number(from);
  const end = to === '' ? bytes - 1 : Math.min(Number(to), bytes - 1);
  if (to !== '' && Number(to) < start) return undefined;
  return start >= bytes ? null : { start, end };
}

const goneCodes: readonly unknown[] = ['ERR_STREAM_PREMATURE_CLOSE', 'ERR_STREAM_DESTROYED', 'ERR_STREAM_UNABLE_TO_PIPE', 'ECONNRESET', 'EPIPE'];

function gone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && goneCodes.includes(error.code);
}
