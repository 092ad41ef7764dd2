/** The body of a request: read up to a limit, then taken for what the route says it is. */
import type { Request } from 'express';
import type { z } from 'zod';
import { pathText } from '../configuration/check.ts';
import { reservedName, reservedNamesIn } from '../configuration/reserved-names.ts';
import { checked, HttpProblem } from './problem.ts';
import type { Route } from './route.ts';

const jsonMaxBytes = 1_048_576;
const deepest = 32;

/** The bytes of the body; empty when there is none. Throws a 413 or 415. What is too large is not read to its end. */
export async function readBody(route: Route, request: Request): Promise<Buffer> {
  checkType(route, request);
  const most = route.raw?.maxBytes ?? route.jsonMaxBytes ?? jsonMaxBytes;
  const tooLarge = (): HttpProblem => new HttpProblem(413, `The body is larger than ${most / 1_048_576} MB.`, { headers: { connection: 'close' } });
  if (Number(request.get('content-length') ?? 0) > most) throw tooLarge();
  return await new Promise<Buffer>((resolve, reject) => {
    if (request.destroyed) reject(new HttpProblem(400, 'The body broke off.'));
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= most) chunks.push(chunk);
      else {
        request.pause();
        reject(tooLarge());
      }
    });
    request.once('end', () => { resolve(Buffer.concat(chunks)); });
    request.once('close', () => { reject(new HttpProblem(400, 'The body broke off.')); });
  });
}

/** What the route's handler gets. Throws a 400 or 422. */
export function bodyOf(route: Route, bytes: Buffer): unknown {
  if (route.raw !== null) {
    if (bytes.length === 0) throw new HttpProblem(400, 'The body is empty: send the file as the body.');
    return bytes;
  }
  return route.body === null ? undefined : jsonOf(bytes, route.body, route.readOnly ?? []);
}

function jsonOf(bytes: Buffer, schema: z.ZodType, readOnly: readonly string[]): unknown {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new HttpProblem(400, bytes.length === 0 ? 'The body is empty: send JSON.' : `The body is not JSON in UTF-8${error instanceof SyntaxError ? `: ${error.message}` : ''}.`);
  }
  if (depthOver(value, deepest)) throw new HttpProblem(400, `The body is nested deeper than ${deepest} levels.`);
  const reserved = reservedNamesIn(value);
  if (reserved.length > 0) throw new HttpProblem(422, 'The body cannot be accepted.', { problems: reserved.map((path) => ({ path: pathText(path), message: `${reservedName.message}. ${reservedName.wayOut}` })) });
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) value = Object.fromEntries(Object.entries(value).filter(([name]) => !readOnly.includes(name)));
  return checked(schema, value, 422, 'body');
}

function checkType(route: Route, request: Request): void {
  const types = route.raw?.types ?? (route.method === 'patch' ? ['application/merge-patch+json', 'application/json'] : ['application/json']);
  const type = (request.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  const encoding = request.get('content-encoding') ?? 'identity';
  if (encoding !== 'identity') throw new HttpProblem(415, `The content encoding ${encoding} is not known: send the body as it is.`, { headers: { connection: 'close' } });
  const bodyless = route.body === null && route.raw === null;
  const hasBody = request.get('transfer-encoding') !== undefined || Number(request.get('content-length') ?? 0) > 0;
  if (bodyless) {
    if (hasBody && route.method === 'get') throw new HttpProblem(400, 'This request takes no body.', { headers: { connection: 'close' } });
    return;
  }
  const alias = type === 'audio/x-wav' || type === 'audio/wave' ? 'audio/wav' : type === 'audio/mp3' ? 'audio/mpeg' : type;
  if (!types.includes(alias)) throw new HttpProblem(415, `Send the body as ${types.join(' or ')}, and say so in Content-Type.`, { headers: { accept: types.join(', '), connection: 'close' } });
}

/** Level by level, without recursion: the depth is what is in question. */
function depthOver(value: unknown, most: number): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > most) return true;
    level = level.flatMap((one) => (typeof one === 'object' && one !== null ? Object.values(one as Record<string, unknown>) : []));
  }
  return false;
}
