/** What a call would do, as the API tells it. */
import { z } from 'zod';
import { strategyNames } from '../core/queue/config.ts';
import { mermaidOf } from '../core/routing/diagram.ts';
import { drawingOf } from '../core/routing/drawing.ts';
import { explainedSteps } from '../core/routing/explained-steps.ts';
import { priceText, type Price, type RateOfCalls } from '../core/routing/rate.ts';
import type { EpochMs } from '../core/time.ts';
import { pictureOf } from './picture.ts';
import type { Explained } from './ports.ts';

const price = z.string().meta({ description: 'Of a minute, as text: `0.0085`.', example: '0.0085' });
export const rateSchema = z.strictObject({
  currency: z.string().meta({ description: 'ISO 4217.', example: 'USD' }),
  inbound: price.nullable().meta({ description: 'Of the call in; null when no price of the account is for this number.' }),
  lowest: price.nullable().meta({ description: 'Of the call in and out together, to the cheapest of all who may be talked to; null when no price is known.' }),
  highest: price.nullable(),
  legs: z.array(z.strictObject({ number: z.string(), prefix: z.string(), perMinute: price })).meta({ description: 'The numbers outside that may be rung, each with the prefix whose price counts.' }),
  unknown: z.array(z.string()).meta({ description: 'Numbers that no price is known for: `lowest` and `highest` are without them.' }),
}).meta({ id: 'Rate' });

const leg = z.strictObject({
  user: z.string().nullable(), label: z.string(), extension: z.string().nullable(), number: z.string().nullable(), trunks: z.array(z.string()),
  turn: z.int().meta({ description: 'All of one turn ring together, after those of the turn before; which is the first is decided by the call, where it goes by turns or by fewest calls.' }), delayMs: z.number(), ringMs: z.number(),
  shows: z.strictObject({ number: z.string(), name: z.string() }).meta({ description: 'The caller ID that the phone shows.' }),
  key: z.string().nullable().meta({ description: 'Must be pressed before the call is connected: `any`, or the one. Null: an answer is enough.' }),
  dialExtension: z.strictObject({ digits: z.string(), delayMs: z.number() }).nullable().meta({ description: 'Dialled so long after the far end has answered; null: none.' }),
  recorded: z.boolean(),
}).meta({ id: 'ExplainedLeg' });

const queue = z.strictObject({
  id: z.string(), priority: z.int(), name: z.string().optional(), strategy: z.enum(strategyNames).optional(),
  fallback: z.enum(strategyNames).nullable().optional().meta({ description: 'Of sticky: how the others are asked.' }),
  tiers: z.array(z.strictObject({ afterMs: z.number(), agents: z.array(z.string()), of: z.int() })).optional().meta({ description: 'From when on who is asked: the first agents, of so many in all.' }),
}).meta({ id: 'ExplainedQueue' });

export const explanationSchema = z.strictObject({
  caller: z.string().meta({ description: 'Empty for an anonymous caller.' }),
  at: z.iso.datetime(),
  text: z.string().meta({ description: 'All of it in words, as `frontdesk explain` prints it.' }),
  steps: z.array(z.strictObject({
    id: z.string(), kind: z.string(), why: z.array(z.string()), pattern: z.enum(['simultaneous', 'round-robin', 'sequential', 'least-connected']).nullable(), legs: z.array(leg).meta({ description: 'Whom it rings.' }),
    queue: queue.nullable().meta({ description: 'In which the caller waits; null of other steps.' }),
    next: z.array(z.strictObject({ on: z.string(), to: z.string().nullable() })).meta({ description: 'Which step follows which outcome; `to` null where the caller talks to the one who accepted, or rings an extension.' }),
  })).meta({ description: 'In the order in which a call comes to them.' }),
  reasons: z.array(z.strictObject({ subject: z.string(), taken: z.boolean(), why: z.string() })).meta({ description: 'Of every step and feature, taken or passed over.' }),
  rate: rateSchema.nullable().meta({ description: 'Of this call; null where the account has no `rates`.' }),
  diagram: z.string().meta({ description: 'A flowchart in the language of Mermaid.' }),
  picture: z.string().meta({ description: 'The same as SVG.' }),
  plan: z.looseObject({ hash: z.string(), first: z.string() }).meta({ description: 'What the call would run. What is heard is named by its words, or by the name of its file.' }),
}).meta({ id: 'Explanation' });

export function rateAnswer({ currency, inbound, lowest, highest, legs, unknown }: RateOfCalls): z.output<typeof rateSchema> {
  return { currency, inbound: textOf(inbound), lowest: textOf(lowest), highest: textOf(highest), legs: legs.map((one) => ({ ...one, perMinute: priceText(one.perMinute) })), unknown: [...unknown] };
}

function textOf(price: Price | null): string | null {
  return price === null ? null : priceText(price);
}

export function explanationAnswer({ plan, text, rate }: Explained, { caller, at }: { readonly caller: string; readonly at: EpochMs }): Record<string, unknown> {
  const drawing = drawingOf(plan);
  return {
    caller, at: new Date(at).toISOString(), text, steps: explainedSteps(plan), reasons: plan.reasons, rate: rate === null ? null : rateAnswer(rate),
    diagram: mermaidOf(drawing), picture: pictureOf(drawing), plan,
  };
}
