/** Schemas of what the API gives, beside the documents of configuration. Times are epoch milliseconds. */
import { z } from 'zod';
import { contactDocument } from '../contacts/document.ts';
import { documents, kinds, type Doc, type Kind } from '../configuration/documents.ts';
import type { Change, ConfigObject } from '../configuration/objects.ts';
import { prefixOf } from '../configuration/sip-prefix.ts';
import { sipName } from '../core/routing/sip-name.ts';
import { supervisionModes } from '../core/routing/supervision.ts';

const at = z.int().meta({ description: 'Epoch ms.' });
const atOrNull = at.nullable();

/** What every object of configuration has beside its document. A client may send these back; they are not read. */
export const readOnlyFields = ['id', 'account', 'version', 'createdAt', 'updatedAt', 'passwordSet', 'pinSet', 'sipUser', 'warnings'] as const;

/** Whether there is one is told. */
const setFields = ['password', 'pin'] as const;
const secretFields: ReadonlySet<string> = new Set([...setFields, 'secret']);

const titles: Readonly<Record<Kind, string>> = { account: 'Account', user: 'User', device: 'Device', trunk: 'Trunk', number: 'Number', 'receiving-number': 'ReceivingNumber', 'ring-group': 'RingGroup', menu: 'Menu', queue: 'Queue', router: 'Router', schedule: 'Schedule', 'night-switch': 'NightSwitch', audio: 'AudioFile', webhook: 'Webhook' };

function objectSchema(kind: Kind): z.ZodObject {
  const shape: Record<string, z.ZodType> = {};
  for (const [name, field] of Object.entries<z.ZodType>(documents[kind].shape)) if (!secretFields.has(name)) shape[name] = field;
  const own = { id: z.string(), account: z.string(), version: z.int().meta({ description: 'One more with each change: the ETag.' }), createdAt: at, updatedAt: at };
  const set = Object.fromEntries(setFields.filter((name) => name in documents[kind].shape).map((name) => [`${name}Set`, z.boolean()]));
  const sipUser = kind === 'device' ? { sipUser: z.string().nullable().meta({ description: 'What the phone logs in with; null of a mobile.', example: '101' }) } : {};
  return z.strictObject({ ...own, ...shape, ...set, ...sipUser }).meta({ id: titles[kind] });
}

function forEachKind<T>(make: (kind: Kind) => T): Readonly<Record<Kind, T>> {
  return Object.fromEntries(kinds.map((kind) => [kind, make(kind)])) as Readonly<Record<Kind, T>>;
}

/** An object as it is given: its document without secrets. */
export const objectSchemas = forEachKind(objectSchema);
export const writtenSchemas = forEachKind((kind) => objectSchemas[kind].extend({ warnings: z.array(z.string()).meta({ description: 'What is accepted and yet may not be what you want.' }) }).meta({ id: `${titles[kind]}Written` }));
/** Of a webhook just made. */
export const newWebhookSchema = writtenSchemas.webhook.extend({ secret: z.string().meta({ description: 'Shown this once.' }) }).meta({ id: 'NewWebhook' });
/** `Night switch`. */
export const wordsOf = (kind: Kind): string => titles[kind].replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

/** `owner`: its account, where the object is a device. */
export function objectAnswer(object: ConfigObject, owner?: ConfigObject): Record<string, unknown> {
  const { id, account, version, createdAt, updatedAt, body } = object;
  const fields: Readonly<Record<string, unknown>> = body;
  const set = Object.fromEntries(setFields.filter((name) => name in documents[object.kind].shape).map((name) => [`${name}Set`, (fields[name] ?? '') !== '']));
  const sipUser = object.kind === 'device' ? { sipUser: object.body.extension === undefined ? null : sipName(prefixOf(owner), object.body.extension) } : {};
  return { id, account, version, createdAt, updatedAt, ...withoutSecrets(body), ...set, ...sipUser };
}

export function withoutSecrets(body: Doc<Kind>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(body).filter(([name]) => !secretFields.has(name)));
}

export const contactSchema = z.strictObject({ id: z.string().meta({ description: 'Its number.' }), account: z.string(), version: z.int().meta({ description: 'One more with each change: the ETag.' }), createdAt: at, updatedAt: at, ...contactDocument.shape }).meta({ id: 'Contact' });

export function pageOf(item: z.ZodType): z.ZodObject {
  return z.strictObject({ items: z.array(item), next: z.string().nullable().meta({ description: 'Give it as `cursor` for the next page; null after the last.' }) });
}

export const pageQuery = {
  limit: z.coerce.number('must be a whole number from 1 to 200').int('must be a whole number from 1 to 200').min(1, 'must be a whole number from 1 to 200').max(200, 'must be a whole number from 1 to 200').default(50),
  cursor: z.string().min(1).max(500).optional().meta({ description: 'From `next` of the page before.' }),
};

/** `account` for routes that everybody may ask about their own. */
export const accountQuery = z.string().max(32).optional().meta({ description: 'One account alone.' });
export const timeQuery = z.coerce.number('must be epoch milliseconds').int('must be epoch milliseconds').min(0).max(8_640_000_000_000_000).optional().meta({ description: 'Epoch ms.' });

const document = z.record(z.string(), z.unknown()).nullable();
export const changeSchema = z.strictObject({
  seq: z.int(), revision: z.int().meta({ description: 'Changes made by one request share it.' }), at, actor: z.string().meta({ description: 'Id of the API key, `phone` and its SIP name, or frontdesk.' }),
  account: z.string(), kind: z.enum([...Object.keys(documents), 'contact']).meta({ description: 'Contacts: of before they had a list of their own.' }), id: z.string(),
  before: document.meta({ description: 'Null: it was created.' }), after: document.meta({ description: 'Null: it was deleted.' }),
  undoes: z.int().nullable().meta({ description: 'The change that this one took back.' }),
}).meta({ id: 'Change' });

export function changeAnswer({ seq, revision, at, actor, account, kind, id, before, after, undoes }: Change): z.output<typeof changeSchema> {
  return { seq, revision, at, actor, account, kind, id, before: before === null ? null : withoutSecrets(before), after: after === null ? null : withoutSecrets(after), undoes };
}

export const auditSchema = z.strictObject({
  at, actor: z.string(), account: z.string().nullable(), action: z.string().meta({ example: 'recording.read' }), subject: z.string(),
  outcome: z.enum(['ok', 'refused']), address: z.string(), details: z.record(z.string(), z.unknown()),
}).meta({ id: 'AuditEntry' });

export const roles = ['agency-admin', 'account-admin', 'supervisor', 'read-only'] as const;
export const keySchema = z.strictObject({
  id: z.string(), name: z.string(), role: z.enum(roles), account: z.string().nullable().meta({ description: 'Null: the whole agency.' }),
  createdAt: at, lastUsedAt: atOrNull, expiresAt: atOrNull,
}).meta({ id: 'ApiKey' });
export const newKeySchema = keySchema.extend({ secret: z.string().meta({ description: 'Shown this once.' }) }).meta({ id: 'NewApiKey' });

const party = z.strictObject({ number: z.string(), name: z.string() });
const legSchema = z.looseObject({
  legId: z.string(), user: z.string(), label: z.string(), target: z.looseObject({ kind: z.string() }).nullable(), trunk: z.string().nullable(),
  dialedAt: atOrNull, rangAt: atOrNull, pickedUpAt: atOrNull, acceptedAt: atOrNull, connectedAt: atOrNull, endedAt: atOrNull,
  disposition: z.string().nullable(), cause: z.string().nullable(), heldSince: atOrNull,
}).meta({ id: 'Leg' });
const menuTrySchema = z.strictObject({
  step: z.string(), at, keys: z.string().meta({ description: 'Empty: none was pressed.', example: '102' }),
  outcome: z.enum(['option', 'extension', 'noKey', 'invalid', 'left']).meta({ description: 'left: the caller hung up.' }),
  to: z.string().nullable().meta({ description: 'The step they led to; null where the caller was asked again, or left.' }),
}).meta({ id: 'MenuTry' });
const queueVisitSchema = z.strictObject({
  queue: z.string(), joinedAt: at, leftAt: atOrNull,
  outcome: z.enum(['connected', 'abandoned', 'exit-key', 'callback', 'full', 'empty', 'max-wait', 'closed', 'lost']).nullable().meta({ description: 'lost: how it ended was not seen. Null while it waits.' }),
  callback: z.string().optional().meta({ description: 'Under this id the caller is called back.' }),
  refused: z.literal(true).optional().meta({ description: 'It was not let in.' }), agent: z.string().nullable().meta({ description: 'To whom it was connected.' }),
  offers: z.array(z.strictObject({ offerId: z.string(), agent: z.string(), at, endedAt: atOrNull, outcome: z.enum(['accepted', 'rejected', 'timed-out', 'canceled', 'rescinded', 'lost']).nullable().meta({ description: 'lost: accepted, and gone before the two talked.' }), why: z.string().nullable() })),
}).meta({ id: 'QueueVisit' });
const transferSchema = z.strictObject({
  at, kind: z.enum(['blind', 'attended']), by: z.string().meta({ description: 'Of the leg that asked for it; the caller’s own has the call’s id.' }), to: z.string(),
  consultation: z.string().nullable().meta({ description: 'Of an attended one: the call in which it was asked about.' }),
  outcome: z.enum(['answered', 'returned', 'no-answer', 'canceled', 'refused']).nullable().meta({ description: 'returned: to who had transferred, since nobody else answered. no-answer: by neither; the call went its no-answer way. Null while it is under way.' }),
  why: z.string().nullable().meta({ description: 'It was refused.' }),
}).meta({ id: 'Transfer' });
const mode = z.enum(supervisionModes).meta({ description: 'listen: nobody hears the supervisor. coach: who is supervised, alone. barge: both who talk.' });
const supervisedFor = {
  by: z.string().meta({ description: 'Id of the API key that asked for it.' }),
  periods: z.array(z.strictObject({ mode, from: at, to: atOrNull.meta({ description: 'Null while it goes on.' }) })).meta({ description: 'One after the other; empty when it never began.' }),
};
const cdrSupervisionSchema = z.strictObject({ callId: z.string(), legId: z.string().meta({ description: 'Who was supervised, and in which call.' }), ...supervisedFor }).meta({ id: 'SupervisionRecord' });
const supervisedBySchema = z.strictObject({ supervision: z.string().meta({ description: 'The supervisor’s own call, which has a record of its own.' }), ...supervisedFor }).meta({ id: 'SupervisedBy' });
export const supervisionSchema = z.strictObject({
  id: z.string().meta({ description: 'Also of the supervisor’s own call, and its record.' }), account: z.string(), call: z.string(), leg: z.string().meta({ description: 'Who is supervised.' }), mode,
  phone: z.string().meta({ description: 'Extension of the supervisor’s phone.' }), by: z.string().meta({ description: 'Id of the API key that asked for it.' }),
  state: z.enum(['ringing', 'on']).meta({ description: 'ringing: the supervisor has not answered, or hears nothing yet.' }), since: atOrNull.meta({ description: 'Epoch ms; null while it rings.' }),
}).meta({ id: 'Supervision' });
export const dispositions = ['answered', 'no-answer', 'busy', 'declined', 'canceled', 'unreachable', 'failed'] as const;
export const callSchema = z.looseObject({
  callId: z.string(), account: z.string(), number: z.looseObject({ e164: z.string(), label: z.string() }), plan: z.string(), caller: party, dialled: z.string(),
  origin: z.string(), startedAt: at, pickedUpAt: atOrNull, announcementAt: atOrNull, answeredAt: atOrNull, answeredBy: z.string().nullable(), heldMs: z.int(),
  endedAt: atOrNull, disposition: z.enum(dispositions).nullable(), cause: z.string().nullable(), endedBy: z.string().nullable(),
  menus: z.array(menuTrySchema).optional().meta({ description: 'What the caller did in menus, try by try. Absent of calls from before there were any.' }),
  orders: z.array(z.strictObject({ step: z.string(), order: z.array(z.string()), why: z.string() })).optional().meta({ description: 'In which order destinations were to ring one after the other, and why. Absent of calls from before there were any.' }),
  queues: z.array(queueVisitSchema).optional().meta({ description: 'Each time that it waited in a queue. Absent of calls from before there were any.' }),
  nightSwitch: z.strictObject({ setting: z.string(), ok: z.boolean().nullable().meta({ description: 'Null: the caller left before it was known.' }), why: z.string().nullable() }).nullable().optional().meta({ description: 'Of a call to a code of the night switch. Absent of calls from before there were any.' }),
  agentCode: z.strictObject({ agent: z.string(), action: z.string(), ok: z.boolean().nullable().meta({ description: 'Null: the caller left before it was known.' }), why: z.string().nullable() }).nullable().optional().meta({ description: 'Of a call to a code for agents. A PIN that was dialled is in no record. Absent of calls from before there were any.' }),
  voicemail: z.strictObject({ recordingId: z.string(), durationMs: z.number().nullable() }).nullable(), transfers: z.array(transferSchema).optional().meta({ description: 'Absent of calls from before there were any.' }),
  callback: z.strictObject({ id: z.string(), of: z.string().nullable().meta({ description: 'The call in which it was asked for.' }), attempt: z.int() }).nullable().optional().meta({ description: 'It called back who had waited in a queue. Absent of calls from before there were any.' }),
  supervision: cdrSupervisionSchema.nullable().optional().meta({ description: 'Of a supervisor’s own call, which keys that may not supervise do not see. Absent of calls from before there were any.' }),
  supervisedBy: z.array(supervisedBySchema).optional().meta({ description: 'Who heard this call. Absent for keys that may not supervise, and of calls from before there was any.' }),
  continuedAs: z.string().nullable().optional().meta({ description: 'It was the consultation of an attended transfer: who was reached went on in that call.' }), legs: z.array(legSchema), reconstructed: z.boolean(),
  tags: z.array(z.string()).optional().meta({ description: 'Of the number, and of the hours in which receiving numbers were called.' }),
}).meta({ id: 'Call' });
export const liveCallSchema = callSchema.extend({ phase: z.string() }).meta({ id: 'LiveCall' });
export const journalSchema = z.strictObject({ items: z.array(z.looseObject({ kind: z.enum(['opened', 'step']), at })) });

export const blockedAnswer = z.strictObject({
  number: z.string().meta({ description: 'The caller’s, as E.164.' }), added: z.boolean().meta({ description: 'False: it was blocked already.' }),
  action: z.enum(['reject', 'voicemail', 'message']).meta({ description: 'What becomes of its calls.' }), sentence: z.string(),
}).meta({ id: 'BlockedCaller' });

export const recordingSchema = z.strictObject({
  id: z.string(), account: z.string(), kind: z.enum(['recording', 'voicemail']), callId: z.string(), number: z.string(), caller: z.string(),
  at, durationMs: z.number().nullable(), bytes: z.int(),
}).meta({ id: 'Recording' });

export const registrationSchema = z.strictObject({
  account: z.string(), kind: z.enum(['device', 'trunk']), id: z.string(), state: z.enum(['registered', 'unregistered', 'rejected', 'reachable', 'unreachable', 'unknown']),
  userAgent: z.string().nullable(), since: z.number().nullable(),
  contact: z.string().nullable(), roundTripMs: z.number().nullable(),
}).meta({ id: 'Registration' });

export const scheduleAnswer = z.strictObject({
  open: z.boolean(), why: z.string().meta({ description: 'A sentence.', example: 'closed: Thanksgiving Day' }),
  until: atOrNull.meta({ description: 'Epoch ms: when it changes next; null when that is more than a year away.' }),
  holiday: z.string().nullable().meta({ description: 'The public holiday that decides.' }), closure: z.string().nullable().meta({ description: 'The closure that decides.' }),
  localTime: z.string().meta({ example: '2026-11-26T08:00' }), timezone: z.string().meta({ example: 'America/Chicago' }),
}).meta({ id: 'ScheduleAnswer' });

export const sipBanSchema = z.strictObject({
  address: z.string().meta({ description: 'An IPv4 address, or a network of IPv6 as `address/64`.', example: '203.0.113.9' }), since: at, until: at,
  failures: z.int().meta({ description: 'Wrong passwords that led to it.' }), endpoint: z.string().meta({ description: 'What was tried last; `<unknown>` when no phone has that name.' }),
}).meta({ id: 'SipBan' });
