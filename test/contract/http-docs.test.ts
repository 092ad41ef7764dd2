/** The OpenAPI document and its page say what the routes do. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventTypes } from '../../control-plane/events/types.ts';
import { startApi, type TestApi } from './http-fixture.ts';

let server: TestApi;
let document: Record<string, unknown>;
beforeAll(async () => {
  server = await startApi();
  document = (await server.ask('GET', '/api/v1/openapi.json', { key: null })).json;
});
afterAll(() => server.stop());

type Json = Record<string, unknown>;
const at = (path: string): unknown => path.split('/').slice(1).reduce<unknown>((node, part) => (node as Json | undefined)?.[part], document);

/** Every object in the document with its path. */
function* nodes(value: unknown, path = '#'): Generator<readonly [string, Json]> {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) yield [path, value as Json];
  for (const [name, child] of Object.entries(value)) yield* nodes(child, `${path}/${name}`);
}

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required?: boolean; readonly schema: Json }[];
  readonly requestBody?: { readonly content: Json };
  readonly responses: Record<string, { readonly description: string; readonly content?: Json }>;
}
const operations = (): readonly (readonly [string, string, Operation])[] => Object.entries(document['paths'] as Record<string, Record<string, Operation>>).flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => [method, path, operation] as const));

describe('the OpenAPI document', () => {
  it('is 3.1, with what that asks for', () => {
    expect(document).toMatchObject({ openapi: expect.stringMatching(/^3\.1\.\d$/), info: { title: expect.any(String), version: expect.any(String) } });
    expect(at('#/components/securitySchemes/key')).toMatchObject({ type: 'http', scheme: 'bearer' });
  });

  it('has every route and nothing else', () => {
    const told = operations().map(([method, path]) => `${method} ${path}`).sort();
    expect(told).toEqual(server.api.routes.map(({ method, path }) => `${method} /api/v1${path}`).sort());
  });

  it('refers to nothing that is not in it, and names each operation once', () => {
    const references = [...nodes(document)].map(([, { $ref }]) => $ref).filter((ref) => typeof ref === 'string');
    expect(references.filter((ref) => at(ref) === undefined)).toEqual([]);
    const ids = operations().map(([, , { operationId }]) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('declares each parameter of a path, and of each answer its type', () => {
    for (const [method, path, operation] of operations()) {
      const declared = (operation.parameters ?? []).filter((one) => one.in === 'path' && one.required === true).map(({ name }) => name).sort();
      const told = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '').sort();
      expect({ method, path, declared }).toEqual({ method, path, declared: told });
      const untyped = Object.entries(operation.responses).filter(([status, { content }]) => status !== '204' && Object.keys(content ?? {}).length === 0);
      expect({ method, path, untyped }).toEqual({ method, path, untyped: [] });
      expect(operation.responses).toHaveProperty('401');
    }
  });

  it('asks for If-Match where 428 is answered without', () => {
    const asks = operations().filter(([, , { responses }]) => '428' in responses);
    expect(asks.length).toBeGreaterThan(15);
    expect(asks.filter(([, , { parameters = [] }]) => !parameters.some(({ name, required }) => name === 'If-Match' && required === true))).toEqual([]);
  });

  it('shows no password but where one is written or asked for', () => {
    const answers = operations().flatMap(([method, path, { responses }]) => [...nodes(responses)].filter(([, { properties }]) => typeof properties === 'object' && properties !== null && 'password' in properties).map(() => `${method} ${path}`));
    const schemas = Object.entries(at('#/components/schemas') as Record<string, Json>).filter(([, { properties }]) => typeof properties === 'object' && properties !== null && 'password' in properties).map(([name]) => name);
    expect([answers, schemas]).toEqual([expect.not.arrayContaining(['get /api/v1/accounts/{account}/devices/{id}']), ['Credentials']]);
  });
});

describe('the page', () => {
  it('shows every operation, without a script and without asking another host', async () => {
    const page = await server.ask('GET', '/api/docs', { key: null });
    for (const [, , { operationId }] of operations()) expect(page.text).toContain(`id="${operationId}"`);
    for (const type of eventTypes) expect(page.text).toContain(`<code>${type}</code>`);
    expect(page.text).not.toMatch(/<script|src=|href="http|undefined|\[object/);
  });
});
