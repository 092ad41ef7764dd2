/**
 * Posts one event. Only a 2xx within the time is success: redirects are not followed, and of an answer no more is read than
 * it takes to end it. What it said is not kept.
 */
import { request as requestHttp, type ClientRequest, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import { second, type Ms } from '../../core/time.ts';
import { publicOnly, RefusedAddressError, refusalOf } from './addresses.ts';

export type Posted =
  | { readonly ok: true }
  /** `why`: a sentence. gone: the receiver wants no more, 410. `retryAfterMs`: it asks for that much time. */
  | { readonly ok: false; readonly why: string; readonly gone: boolean; readonly retryAfterMs: Ms | null };

export interface Posting {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal;
}

export type Post = (posting: Posting) => Promise<Posted>;

/** Of an answer's body, to let a receiver end it in peace. */
const mostRead = 16_384;

export function createPost({ allowPrivate, withinMs = 10 * second, lookup = publicOnly }: { readonly allowPrivate: boolean; readonly withinMs?: Ms; readonly lookup?: typeof publicOnly }): Post {
  return async ({ url: text, headers, body, signal }) => {
    const url = URL.parse(text);
    if (url === null) return failed('The address cannot be read.');
    const refusal = refusalOf(url, allowPrivate);
    if (refusal !== null) return failed(`The address ${refusal}`);
    const late = AbortSignal.timeout(withinMs);
    try {
      const request = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, {
        method: 'POST', agent: false, signal: AbortSignal.any([late, signal]), maxHeaderSize: mostRead,
        headers: { 'content-type': 'application/json', 'user-agent': 'Frontdesk', 'content-length': Buffer.byteLength(body), ...headers },
        ...(allowPrivate ? {} : { lookup }),
      });
      const response = await answerTo(request, body);
      await endOf(response);
      return judged(response);
    } catch (error) {
      if (late.aborted) return failed(`There was no answer within ${withinMs / second} s.`);
      if (error instanceof RefusedAddressError) return failed(`${error.message}: nothing was sent.`);
      return failed(`It could not be reached (${error instanceof Error && 'code' in error ? String(error.code) : String(error)}).`);
    }
  };
}

function failed(why: string): Posted {
  return { ok: false, why, gone: false, retryAfterMs: null };
}

function answerTo(request: ClientRequest, body: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.on('response', resolve).on('error', reject);
    request.end(body);
  });
}

/** Settles when the answer is over, or long enough; an answer that breaks off has had its status. */
function endOf(response: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    let read = 0;
    response.on('data', (chunk: Buffer) => {
      read += chunk.length;
      if (read > mostRead) response.destroy();
    });
    response.on('error', () => undefined).on('close', resolve);
  });
}

function judged({ statusCode = 0, headers }: IncomingMessage): Posted {
  if (statusCode >= 200 && statusCode < 300) return { ok: true };
  const seconds = Number(headers['retry-after']);
  const retryAfterMs = (statusCode === 429 || statusCode === 503) && seconds > 0 ? seconds * second : null;
  const why = statusCode >= 300 && statusCode < 400 ? `It answered ${statusCode}: redirects are not followed, give the address it leads to.` : `It answered ${statusCode}.`;
  return { ok: false, why, gone: statusCode === 410, retryAfterMs };
}
