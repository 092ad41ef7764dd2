/** The API of a running controller, as an admin's program asks it. */
import { expect } from 'vitest';
import type { Controller } from './controller.ts';

export interface ApiAnswer {
  readonly status: number;
  readonly type: string | null;
  readonly headers: Headers;
  readonly bytes: Buffer;
  /** Undefined when the body is no JSON. */
  readonly json: unknown;
}

export interface Api {
  /** `path` is below /api/v1. */
  ask(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<ApiAnswer>;
  /** The body of a success; fails with the answer otherwise. */
  get<T>(path: string): Promise<T>;
  /** A write that must succeed. */
  write(method: 'POST' | 'PATCH' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<ApiAnswer>;
  /** With another key. */
  as(key: string): Api;
}

/** Shown once by the controller that starts on an empty database. */
export const firstKeyOf = (controller: Controller): string =>
  controller.output().match(/\bfd_[0-9a-f]{12}_[0-9a-f]{48}\b/g)?.at(-1) ?? expect.fail('the first key was not shown');

/** `url` is asked for each time: a controller that starts again has another port. */
export const openApi = (url: () => string, key: string): Api => {
  const ask: Api['ask'] = async (method, path, body, headers = {}) => {
    const response = await fetch(`${url()}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, ...(body === undefined ? {} : { 'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const bytes = Buffer.from(await response.arrayBuffer());
    const type = response.headers.get('content-type');
    return { status: response.status, type, headers: response.headers, bytes, json: type?.includes('json') === true ? (JSON.parse(bytes.toString()) as unknown) : undefined };
  };
  const succeed = async (method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<ApiAnswer> => {
    const answer = await ask(method, path, body, headers);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.bytes.toString().slice(0, 2_000)}`);
    return answer;
  };
  return {
    ask,
    get: async <T>(path: string) => (await succeed('GET', path)).json as T,
    write: (method, path, body) => succeed(method, path, body, method === 'POST' ? {} : { 'if-match': '*' }),
    as: (other) => openApi(url, other),
  };
};

interface Readiness {
  readonly status: number;
  readonly reasons: readonly string[];
}

export const readinessOf = async (controller: Controller): Promise<Readiness> => {
  const response = await fetch(`${controller.httpUrl}/readyz`);
  const { reasons } = (await response.json()) as { reasons: readonly string[] };
  return { status: response.status, reasons };
};
