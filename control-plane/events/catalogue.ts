/**
 * What each type of event tells: over the API, and to webhooks. A new type is a word in types.ts and a line in `eventData`;
 * the OpenAPI document, the filters and the checks of webhooks follow from that.
 */
import { z } from 'zod';
import type { EpochMs } from '../core/time.ts';
import { callSchema, recordingSchema, registrationSchema } from '../http/answers.ts';
import { eventTypes, type EventType } from './types.ts';

const at = z.int().meta({ description: 'Epoch ms.' });
const ms = z.number().meta({ description: 'Milliseconds.' });
const callId = z.string().meta({ example: '1763740000.17' });
const party = z.strictObject({ number: z.string(), name: z.string() });
/** Which call it is, without a request. */
const ofCall = { callId, number: z.strictObject({ e164: z.string(), label: z.string() }), caller: party, dialled: z.string(), origin: z.enum(['trunk', 'phone']), startedAt: at };
const queue = z.string().meta({ description: 'Id of the queue.' });
const agent = z.string().meta({ description: 'Id of the user.' });
const queued = { callId, queue };
const offered = { offerId: z.string(), ...queued, agent };
const statuses = ['available', 'on-demand', 'break', 'offline'] as const;

const eventData = {
  'call.started': z.strictObject(ofCall),
  'call.answered': z.strictObject({ ...ofCall, leg: z.strictObject({ legId: z.string(), user: z.string(), label: z.string(), trunk: z.string().nullable() }) }).meta({ description: 'The caller talks with a person. Again when it is another, after a transfer.' }),
  'call.transferred': z.strictObject({ ...ofCall, kind: z.enum(['blind', 'attended']), by: z.string().meta({ description: 'Of the leg that asked for it.' }), to: z.string(), consultation: z.string().nullable().meta({ description: 'Of an attended one: the call in which it was asked about.' }) }).meta({ description: 'Who transferred has let go.' }),
  'call.transfer-ended': z.strictObject({ ...ofCall, outcome: z.enum(['answered', 'returned', 'no-answer', 'canceled']) }),
  'call.ended': callSchema.meta({ description: 'With its record.' }),
  'voicemail.left': recordingSchema.meta({ description: 'It can be listened to.' }),
  'device.reachable': registrationSchema,
  'device.unreachable': registrationSchema,
  'trunk.reachable': registrationSchema,
  'trunk.unreachable': registrationSchema,
  'queue.entered': z.strictObject({ ...queued, enteredAt: at, regained: z.boolean().meta({ description: 'In the place of a call that had left.' }) }),
  'queue.refused': z.strictObject({ ...queued, why: z.enum(['full', 'empty', 'closed']) }),
  'queue.left': z.strictObject({ ...queued, why: z.enum(['abandoned', 'exit-key', 'routed', 'full', 'empty', 'max-wait', 'closed', 'callback', 'called-again', 'already-held', 'unanswered', 'lost', 'connected']), waitedMs: ms }),
  'queue.requeued': z.strictObject({ ...queued, agent }).meta({ description: 'Back in its place after an agent had accepted it.' }),
  'queue.callback-held': z.strictObject(queued).meta({ description: 'The caller has hung up and is called back in turn.' }),
  'queue.callback-tried': z.strictObject({ ...queued, again: at.nullable().meta({ description: 'When it is tried again; null: it was the last try.' }) }).meta({ description: 'The number was called, and nobody was reached.' }),
  'queue.connected': z.strictObject({ ...queued, agent, waitedMs: ms }),
  'queue.service-ended': z.strictObject({ ...queued, agent, talkedMs: ms }),
  'offer.made': z.strictObject(offered),
  'offer.ended': z.strictObject({ ...offered, outcome: z.enum(['accepted', 'rejected', 'timed-out', 'canceled', 'rescinded']), why: z.string() }),
  'agent.status': z.strictObject({ agent, status: z.enum(statuses), by: z.enum(['agent', 'missed']).meta({ description: 'missed: after so many offers that were not answered.' }) }),
  'agent.state': z.strictObject({ agent, state: z.enum(['idle', 'offered', 'on-call', 'wrap-up']) }),
  'agent.pins-refused': z.strictObject({ user: z.string().meta({ description: 'On whose phones too many wrong PINs were dialled.' }), device: z.string().meta({ description: 'Extension of the phone of the last.' }), until: at.meta({ description: 'Epoch ms: codes with a PIN are refused there until then.' }) }),
  'webhook.disabled': z.strictObject({ webhook: z.string(), why: z.string().meta({ description: 'A sentence.' }), failingSince: at.nullable() }),
  gap: z.strictObject({
    why: z.enum(['trimmed', 'began', 'dropped']).meta({ description: 'trimmed: they are no longer kept. began: the store has lost its memory. dropped: a controller had no more room while the store was away.' }),
    dropped: z.int().nullable().meta({ description: 'How many, where it is known.' }),
  }).meta({ description: 'Events are missing here: ask for what you need, as the calls of that time.' }),
} as const satisfies Readonly<Record<EventType, z.ZodType>>;

export type EventData<T extends EventType> = z.output<(typeof eventData)[T]>;

/** As it is published: without the id, which the store gives. */
export type NewEvent = { [T in EventType]: { readonly at: EpochMs; readonly account: string; readonly type: T; readonly data: EventData<T> } }[EventType];

/** One an account's followers are told. Ids grow in the order of the account's events. */
export type LiveEvent = NewEvent & { readonly id: string };

/** `call.ended` → `CallEndedEvent`. */
function titleOf(type: EventType): string {
  return `${type.split(/[.-]/).map((word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`).join('')}Event`;
}

/** By type, as they are told. */
export const eventSchemas = Object.fromEntries(eventTypes.map((type) => [type, z.strictObject({
  id: z.string().meta({ description: 'Resume after it.', example: '1763740000000-0' }), at: at.meta({ description: 'Epoch ms: when it happened.' }), account: z.string(), type: z.literal(type), data: eventData[type],
}).meta({ id: titleOf(type) })])) as unknown as Readonly<Record<EventType, z.ZodType<LiveEvent>>>;

/** Any of them. */
export const eventSchema = z.union(Object.values(eventSchemas) as [z.ZodType<LiveEvent>, ...z.ZodType<LiveEvent>[]]);
