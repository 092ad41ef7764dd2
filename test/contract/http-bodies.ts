/** Bodies made from a route's own schema, right ones and such with something wrong in them. */
import * as fc from 'fast-check';
import { z } from 'zod';
import type { Route } from '../../control-plane/http/route.ts';

interface Schema {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly propertyNames?: Schema;
  readonly example?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly maxItems?: number;
  readonly minItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
  readonly maxLength?: number;
}

/** By route: to read a schema costs far more than to make bodies of it. */
const made = new Map<Route, fc.Arbitrary<unknown>>();

export function bodiesOf(route: Route): fc.Arbitrary<unknown> {
  const schema = route.documented ?? route.body;
  if (schema === null) return fc.constant(undefined);
  const bodies = made.get(route) ?? valueOf(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Schema);
  made.set(route, bodies);
  return bodies;
}

/** Something in it is replaced, left out or added, or the whole is something else. */
export function wrongBodiesOf(route: Route): fc.Arbitrary<unknown> {
  return fc.tuple(bodiesOf(route), fc.nat(), fc.nat(3), anything).map(([body, where, how, value]) => {
    if (how === 3 || typeof body !== 'object' || body === null) return value;
    return changed(body as Record<string, unknown>, where, how, value);
  });
}

const deep = Array.from({ length: 20 }).reduce<unknown>((inner) => ({ a: [inner] }), 1);
const anything: fc.Arbitrary<unknown> = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constantFrom(null, '', -1, 1e308, 'x'.repeat(5000), '\u0000', '\ud800', {}, [], deep, '+12025550110', 'no-such-id', true), ...[
  '{"__proto__":{"name":"x"},"constructor":1}',
  '{"length":{"toString":null,"valueOf":null}}',
].map((json) => fc.constant(JSON.parse(json) as unknown)));

function changed(body: Record<string, unknown>, where: number, how: number, value: unknown): unknown {
  const names = Object.keys(body);
  const name = names[where % Math.max(1, names.length)] ?? 'name';
  const inner = body[name];
  if (where % 3 === 0 && typeof inner === 'object' && inner !== null && !Array.isArray(inner)) return { ...body, [name]: changed(inner as Record<string, unknown>, Math.floor(where / 3), how, value) };
  if (how === 0) return { ...body, [name]: value };
  if (how === 1) return Object.fromEntries(Object.entries(body).filter(([other]) => other !== name));
  return { ...body, unheardOf: value };
}

function valueOf(schema: Schema): fc.Arbitrary<unknown> {
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return fc.oneof(...choices.map(valueOf));
  switch (schema.type) {
    case 'object': {
      const fields = Object.fromEntries(Object.entries(schema.properties ?? {}).map(([name, field]) => [name, valueOf(field)]));
      if (schema.properties === undefined && schema.propertyNames !== undefined && typeof schema.additionalProperties === 'object') return fc.dictionary(valueOf(schema.propertyNames) as fc.Arbitrary<string>, valueOf(schema.additionalProperties), { maxKeys: 3 });
      if (schema.properties === undefined) return fc.dictionary(fc.string(), fc.jsonValue());
      const free = fc.record(fields, { requiredKeys: [...(schema.required ?? [])] });
      return schema.example === undefined ? free : fc.oneof({ weight: 1, arbitrary: fc.constant(schema.example) }, { weight: 9, arbitrary: free });
    }
    case 'array': return fc.array(valueOf(schema.items ?? {}), { minLength: schema.minItems ?? 0, maxLength: Math.min(schema.maxItems ?? 3, 3) });
    case 'integer': return fc.integer({ min: Math.max(schema.minimum ?? 0, -1e9), max: Math.min(schema.maximum ?? 1e9, 1e9) });
    case 'number': return fc.double({ noNaN: true, noDefaultInfinity: true });
    case 'boolean': return fc.boolean();
    case 'null': return fc.constant(null);
    case 'string': return textOf(schema);
    case undefined:
    default: return fc.jsonValue({ maxDepth: 2 });
  }
}

function textOf(schema: Schema): fc.Arbitrary<unknown> {
  const examples = typeof schema.example === 'string' ? [fc.constant(schema.example)] : [];
  const free = fc.string({ unit: 'grapheme', minLength: 1, maxLength: Math.min(schema.maxLength ?? 20, 20) });
  if (schema.pattern === undefined || schema.pattern.includes('\\p{') || schema.pattern.includes('(?')) return fc.oneof(...examples, free);
  return fc.oneof(...examples, fc.stringMatching(new RegExp(schema.pattern)));
}
