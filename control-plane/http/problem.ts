/**
 * Errors as RFC 9457 problem details. Handlers throw a HttpProblem; whatever else is thrown is a bug, and answered
 * with an id that is in the log and nothing more.
 */
import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { ErrorRequestHandler, Response } from 'express';
import { z } from 'zod';
import { problemsOf, type Problem } from '../configuration/check.ts';
import type { WriteResult } from '../configuration/configuration.ts';
import { CursorError, StoreAwayError, TakenError } from '../store/ports.ts';
import type { Log } from '../telemetry/log.ts';
import { AudioUnavailableError, DeskAwayError } from './ports.ts';

export const problemType = 'application/problem+json';

export const problemSchema = z.strictObject({
  type: z.string().meta({ description: 'Always about:blank: the status says what kind of problem it is.' }),
  title: z.string(),
  status: z.int(),
  detail: z.string().meta({ description: 'What is wrong, and the way out.' }),
  problems: z.array(z.strictObject({ path: z.string(), message: z.string() })).meta({ description: 'Of a body or query: every field that is wrong.' }),
  id: z.string().optional().meta({ description: 'Of a 500: the id to look for in the log.' }),
}).meta({ id: 'Problem' });

export class HttpProblem extends Error {
  override readonly name = 'HttpProblem';
  readonly status: number;
  readonly problems: readonly Problem[];
  readonly headers: Readonly<Record<string, string>>;
  constructor(status: number, detail: string, more: { readonly problems?: readonly Problem[]; readonly headers?: Readonly<Record<string, string>>; readonly cause?: unknown } = {}) {
    super(detail, { cause: more.cause });
    this.status = status;
    this.problems = more.problems ?? [];
    this.headers = more.headers ?? {};
  }
}

/** The one answer for what does not exist and for what another account has. */
export const notFound = (): HttpProblem => new HttpProblem(404, 'There is nothing here, or nothing that this key may see. /api/docs lists what there is.');

/** The value, or a problem with every field that is wrong. */
export function checked<S extends z.ZodType>(schema: S, value: unknown, status: 400 | 422, what: string): z.output<S> {
  const parsed = schema.safeParse(value, { reportInput: true });
  if (parsed.success) return parsed.data;
  throw new HttpProblem(status, `The ${what} cannot be accepted.`, { problems: problemsOf(parsed.error) });
}

/** What `Configuration` refused, as an answer. */
export function refused(result: Extract<WriteResult, { ok: false }>): HttpProblem {
  const { problems } = result;
  switch (result.reason) {
    case 'missing': return notFound();
    case 'stale': return new HttpProblem(412, 'It has been changed by somebody else since: get it again, and apply your change to that.', { problems });
    case 'exists': return new HttpProblem(409, 'The id is taken: choose another, or change what has it.', { problems });
    case 'invalid': return new HttpProblem(422, 'The body cannot be accepted.', { problems });
    case 'in-use': return new HttpProblem(409, `It is in use: ${problems.map(({ path, message }) => [path, message].filter((part) => part !== '').join(' ')).join(' ')}`, { problems });
  }
}

export function sendProblem(response: Response, problem: HttpProblem, id?: string): void {
  const { status, message, problems, headers } = problem;
  const body: z.input<typeof problemSchema> = { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, detail: message, problems: [...problems], ...(id === undefined ? {} : { id }) };
  response.status(status).set(headers).type(problemType).send(Buffer.from(`${JSON.stringify(body)}\n`));
}

/** Of any error that a request can end with. Null is a bug. */
export function problemFor(error: unknown): HttpProblem | null {
  if (error instanceof HttpProblem) return error;
  if (error instanceof StoreAwayError) {
    return new HttpProblem(503, error.mayHaveHappened ? 'The database does not answer; whether the change was made is not known. Look before you try again.' : 'The database does not answer; nothing was changed. Try again shortly.', { headers: { 'retry-after': '5' }, cause: error });
  }
  if (error instanceof AudioUnavailableError) return new HttpProblem(503, error.message, { cause: error });
  if (error instanceof DeskAwayError) return new HttpProblem(503, error.message, { headers: { 'retry-after': '5' }, cause: error });
  if (error instanceof CursorError) return new HttpProblem(400, 'The query cannot be accepted.', { problems: [{ path: 'cursor', message: 'is not from this list. Give `next` of the page before.' }] });
  if (error instanceof TakenError) return new HttpProblem(422, 'The body cannot be accepted.', { problems: [{ path: error.field, message: `${error.value} is in use already. Choose another.` }] });
  return ofFramework(error);
}

/** Of express, for a path that cannot be decoded. */
function ofFramework(error: unknown): HttpProblem | null {
  const status = error instanceof Error && 'status' in error ? Number(error.status) : 500;
  return status >= 400 && status < 500 ? new HttpProblem(status, 'The request cannot be read.') : null;
}

/** Last in the chain. An answer that has begun is cut off, so that nobody takes a part for the whole. */
export function answerErrors(log: Log): ErrorRequestHandler {
  return (error: unknown, request, response, _next) => {
    const problem = problemFor(error);
    const id = randomUUID();
    if (problem === null || problem.cause !== undefined) {
      const cause = problem?.cause ?? error;
      const fields = { request: id, method: request.method, path: request.path };
      // where it was thrown matters of a bug alone
      if (problem === null) log.error({ ...fields, error: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause) }, 'A request failed');
      else log.warn({ ...fields, error: String(cause) }, 'A request could not be served');
    }
    if (response.headersSent) {
      response.destroy();
      return;
    }
    if (problem !== null) sendProblem(response, problem);
    else sendProblem(response, new HttpProblem(500, `This is a mistake of ours. The log has it under ${id}.`), id);
  };
}

