/**
 * The shape of a route. The table of them is what the router, the OpenAPI document, its page and the tests of who
 * may do what are made from; so a route that is not in the table does not exist.
 */
import type { Request, Response } from 'express';
import { z } from 'zod';
import type { ApiKey, Role } from '../store/ports.ts';

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

/**
 * `agency`: keys of the whole agency alone. `account`: the path names the account; a key of another finds nothing.
 * `own`: everybody, and sees what is theirs; `?account=` narrows it.
 */
export type Scope = 'agency' | 'account' | 'own';

/** A body that is not JSON. */
export interface RawBody {
  readonly types: readonly string[];
  readonly maxBytes: number;
}

export interface ApiRequest<P, Q, B> {
  readonly key: ApiKey;
  /** Whose things this request is about; null for all accounts. Checked already. */
  readonly account: string | null;
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly header: (name: string) => string | undefined;
}

export type Reply =
  | {
      readonly status: number;
      readonly body?: unknown;
      readonly headers?: Readonly<Record<string, string>>;
      /** What was made, for the audit log, when the path does not say. */
      readonly subject?: string;
      /** What else the audit log is to tell of it. */
      readonly details?: Readonly<Record<string, unknown>>;
    }
  | { readonly send: (request: Request, response: Response) => Promise<void> };

/** What an answer's body is: JSON by a schema, another type, or nothing. */
export type AnswerBody = { readonly json: z.ZodType } | { readonly types: readonly string[]; /** What such a text has in it. */ readonly schema?: z.ZodType } | null;

interface Common {
  readonly method: Method;
  /** Below /api/v1, with parameters as `{account}`. */
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  /** The least role that may. */
  readonly role: Role;
  readonly scope: Scope;
  readonly status: number;
  readonly answer: AnswerBody;
  /** Fields of the answer that may come back in the body; they are taken out before it is checked. */
  readonly readOnly?: readonly string[];
  /** The body in the document, where it says more than the schema that the body is checked with at first. */
  readonly documented?: z.ZodType;
  /** Of a JSON body; 1 MB when absent. */
  readonly jsonMaxBytes?: number;
  /** If-Match must be given: RFC 6585 §3. */
  readonly ifMatch?: true;
  /** `recording.read`: written to the audit log; of a read before it is answered. Every mutating route has one. */
  readonly audit?: string;
  /** The answer has a secret, which must not be kept for a replay. */
  readonly secretAnswer?: true;
}

/** A route as it is written down: its handler knows the types of what was checked. */
export interface RouteSpec<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType> extends Common {
  readonly params: P;
  readonly query: Q;
  readonly body?: B;
  readonly raw?: RawBody;
  handle(request: ApiRequest<z.output<P>, z.output<Q>, z.output<B>>): Promise<Reply> | Reply;
}

export interface Route extends Common {
  readonly params: z.ZodObject;
  readonly query: z.ZodObject;
  readonly body: z.ZodType | null;
  readonly raw: RawBody | null;
  handle(request: ApiRequest<unknown, unknown, unknown>): Promise<Reply> | Reply;
}

export const nothing = z.strictObject({});

export function route<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType = z.ZodUndefined>(spec: RouteSpec<P, Q, B>): Route {
  return { ...spec, body: spec.body ?? null, raw: spec.raw ?? null, handle: (request) => spec.handle(request as Parameters<typeof spec.handle>[0]) };
}

export function isMutating(route: Route): boolean {
  return route.method !== 'get';
}

const rank: Readonly<Record<Role, number>> = { 'read-only': 0, supervisor: 1, 'account-admin': 2, 'agency-admin': 3 };

export function mayDo(key: ApiKey, role: Role): boolean {
  return rank[key.role] >= rank[role];
}
