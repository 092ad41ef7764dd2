/**
 * What an admin may write: one document per kind of object, as the API takes and gives it. Times are whole seconds,
 * numbers E.164; ids of other objects are those of the same account. What one document says of another is in check.ts.
 */
import { z } from 'zod';
import { maxUsers, precedencePresets } from '../core/routing/config.ts';
import { unknownPlaceholders, whisperPlaceholders } from '../core/routing/whisper.ts';
import { address, agentPin, carrierPassword, country, currency, devicePassword, e164, email, extension, host, id, key, prefix, price, rule, sipPrefix, sipUser, soundName, timezone, wholeNumber, words } from './fields.ts';
import { nightRules, nightSwitch } from './night.ts';
import { agentCodes, queueDocument } from './queues.ts';
import { routerDocument } from './routers.ts';
import { schedule } from './schedules.ts';
import { webhook } from './webhooks.ts';

const longestWhisper = 200;
const longestSpoken = 500;
export const defaultGraceSeconds = 60;
const presetNames = Object.keys(precedencePresets) as (keyof typeof precedencePresets)[];

/** Audio: a text to speak, an uploaded audio file, or a sound that the switch brings. */
function audio(longest: number) {
  return rule(
    z.strictObject({ text: words(longest).optional(), audio: id.optional(), sound: soundName.optional() }, {
      error: (issue) => (issue.code === 'invalid_type' ? 'must be one of text, audio and sound. Write it as { "text": "Good morning." }' : undefined),
    }),
    (value) => Object.values(value).filter((one) => one !== undefined).length === 1,
    'must be one of text, audio and sound', 'Keep one of the three.',
  );
}

const whisper = rule(
  audio(longestWhisper), (value) => unknownPlaceholders(value.text ?? '').length === 0,
  'has an unknown placeholder', `Use ${whisperPlaceholders.map((name) => `{${name}}`).join(', ')}.`,
);
const recordingRule = z.enum(['force', 'yes', 'no', 'never'], 'must be one of: force, yes, no, never');
const callConnect = z.enum(['off', 'external', 'every'], 'must be one of: off, external, every');
const ringSeconds = wholeNumber(1, 600, 'seconds');

/** Where a call goes next: one of these shapes, told apart by `to`. */
const named = <const To extends string>(to: To) => z.strictObject({ to: z.literal(to), id });
const target = z.discriminatedUnion('to', [
  named('receiving-number'), named('ring-group'), named('menu'), named('router'), named('user'),
  named('queue').extend({ priority: wholeNumber(0, 100, 'numbers').optional().meta({ description: 'Of the callers who come by this way; the queue’s own where absent.' }) }),
  z.strictObject({ to: z.literal('voicemail') }),
  z.strictObject({ to: z.literal('message'), message: audio(longestSpoken) }),
  z.strictObject({ to: z.literal('hang-up') }),
  z.strictObject({ to: z.literal('precedence') }),
], { error: (issue) => (issue.code === 'invalid_union' ? 'must lead to one of: receiving-number, ring-group, queue, menu, router, user, voicemail, message, hang-up, precedence. Write it as { "to": "menu", "id": "main" }.' : undefined) })
  .meta({ description: 'Where the call goes: `to` names the kind, `id` the object. `voicemail` is the dialled number’s, `precedence` whatever the account’s precedence gives for it; `message` is played and the call hung up.' });

const tags = rule(z.array(words(40), 'must be a list').max(20, 'takes at most 20 tags'), (list) => new Set(list).size === list.length, 'names a tag twice', 'Name each once.');

const voicemail = z.strictObject({
  enabled: z.boolean('must be true or false').default(true),
  greeting: audio(longestSpoken).optional(),
  maxSeconds: wholeNumber(5, 600, 'seconds').default(180),
  silenceSeconds: wholeNumber(2, 60, 'seconds').default(10),
  /** Who is sent new messages. */
  notify: z.array(email, 'must be a list').max(10, 'takes at most 10 addresses').default([]),
});

const entries = ['company', 'number-forward', 'number-user', 'contact-owner'] as const;
const precedence = z.union([
  z.enum(presetNames, `must be one of: ${presetNames.join(', ')}`),
  rule(z.array(z.enum(entries, `must be one of: ${entries.join(', ')}`), 'must be a list').min(1, 'must name an entry. Leave it out for company-first.').max(entries.length), (list) => new Set(list).size === list.length, 'names an entry twice', 'Name each once.'),
], { error: (issue) => (issue.code === 'invalid_union' ? `must be ${presetNames.join(' or ')}, or a list of: ${entries.join(', ')}` : undefined) });

const prefixRates = rule(
  z.array(z.strictObject({ prefix, perMinute: price }), 'must be a list').max(1000, 'takes at most 1,000 prefixes'),
  (rates) => new Set(rates.map((one) => one.prefix)).size === rates.length, 'names a prefix twice', 'Give each one price.',
);

const account = z.strictObject({
  name: words(60),
  timezone: timezone.default('America/New_York'),
  country: country.default('US'),
  sipPrefix: sipPrefix.optional().meta({ description: 'Of the names that its phones log in with: `elm` makes `elm.101` of extension 101. No two accounts have the same; agency admins set it. Made when absent.' }),
  /** Rung by the switch itself for every number that names none. */
  failsafe: e164.optional(),
  precedence: precedence.optional().meta({ description: 'Who takes a call: the first entry that is configured. A list, or one of two presets: company-first (the company, then the number’s forward, then the forward of the user whose number it is; what an account has that says nothing) and owner-first (the user who looks after the caller, then the number’s forward, then the company).' }),
  /** The company's own number, which `company` in the precedence forwards to. */
  company: e164.optional(),
  recording: recordingRule.optional(),
  voicemail: z.strictObject({
    greeting: audio(longestSpoken).optional().meta({ description: 'Of the business: heard where neither the person nor the number that was called has one.' }),
  }).optional(),
  blocked: z.strictObject({
    numbers: z.array(e164, 'must be a list').max(10_000, 'takes at most 10,000 numbers').default([]),
    anonymous: z.boolean('must be true or false').default(false),
    action: z.enum(['reject', 'voicemail', 'message'], 'must be one of: reject, voicemail, message').default('reject'),
    message: audio(longestSpoken).optional(),
  }).optional(),
  night: nightRules(target).optional().meta({ description: 'What the night switch does; it is set at night-switches/night, or by its codes.' }),
  agentCodes: agentCodes.optional(),
  agentLogin: z.enum(['by-hand', 'registration'], 'must be one of: by-hand, registration').optional().meta({ description: 'by-hand, what an account has that says nothing: by the API and by `agentCodes`. registration: those too, and an agent is logged in on each phone of their own that registers, and logged out when none on which they are logged in has been registered for `alerts.graceSeconds`. A break stays one.' }),
  emergency: z.strictObject({
    location: words(120), address: words(200), callerId: e164,
    trunks: z.array(id, 'must be a list of trunk ids').min(1, 'must name a trunk'),
    notify: z.array(email, 'must be a list').default([]),
  }).optional(),
  /** P5, A8: a phone or trunk that can no longer be reached. */
  alerts: z.strictObject({
    notify: z.array(email, 'must be a list').max(5, 'takes at most 5 addresses').default([]).meta({ description: 'The owner and up to four others.' }),
    graceSeconds: wholeNumber(1, 3600, 'seconds').default(defaultGraceSeconds).meta({ description: 'One that is back within this time was never gone: phones register anew, carriers miss an answer.' }),
  }).optional().meta({ description: 'A phone that is no longer registered, and a trunk that has lost its registration or answers no OPTIONS any more: who is told, and when. Told again when it is back.' }),
  /** O4: where calls over trunks may go. */
  outbound: z.strictObject({
    countries: z.array(country, 'must be a list').min(1, 'must name a country').optional(),
    premium: z.boolean('must be true or false').default(false),
    concurrentCalls: wholeNumber(1, 1000, 'calls').default(10),
  }).optional(),
  rates: z.strictObject({
    currency,
    inbound: prefixRates.default([]).meta({ description: 'By beginnings of the account’s own numbers, so that toll-free ones may have another price. Empty: calls in cost nothing.' }),
    outbound: prefixRates.default([]).meta({ description: 'By beginnings of the numbers that calls are led to. `+` alone is the beginning of all.' }),
  }).optional().meta({ description: 'Prices of a minute, as the carriers ask them. The longest prefix counts.' }),
  /** Days kept; absent keeps for ever. */
  retention: z.strictObject({
    recordingDays: wholeNumber(1, 3650, 'days').optional(), voicemailDays: wholeNumber(1, 3650, 'days').optional(), callDays: wholeNumber(1, 3650, 'days').optional(),
  }).optional(),
});

const user = z.strictObject({
  name: words(60),
  email: email.optional(),
  /** R3: where a call for this user goes when the precedence picks the user. */
  forward: e164.optional(),
  pin: agentPin.optional().meta({ description: 'With `agentCodes` of the account the user logs in as an agent on any phone: code, star, PIN. No two users of an account have the same. It is never shown, and stays where it is left out; empty takes it away.' }),
  recording: recordingRule.optional(),
  voicemail: z.strictObject({
    greeting: audio(longestSpoken).optional().meta({ description: 'Heard instead of the number’s when the call was for this user alone: every phone that it rang is theirs, as of a contact that they own, or of a number that has no other user.' }),
    notify: z.array(email, 'must be a list').max(10, 'takes at most 10 addresses').default([]).meta({ description: 'Who is sent new messages of calls that were for this user alone, beside those whom the number names.' }),
  }).optional(),
});

const device = rule(
  rule(
    z.strictObject({
      user: id,
      extension: extension.optional(),
      mobile: e164.optional(),
      label: words(40).optional(),
      ringSeconds: ringSeconds.optional(),
      preference: wholeNumber(1, 100, 'numbers').optional().meta({ description: 'The lowest of a user’s devices is rung first where they ring one after the other; 50 where absent.' }),
      /** Of the SIP registration; made when absent. Shown to admins of the account alone. */
      password: devicePassword.optional(),
    }),
    (value) => (value.extension === undefined) !== (value.mobile === undefined), 'must have an extension or a mobile, and not both', 'Write each phone as its own device.',
  ),
  (value) => value.mobile === undefined || value.password === undefined, 'a mobile has no password', 'Remove it.',
);

const trunk = rule(
  z.strictObject({
    host,
    port: wholeNumber(1, 65_535, 'numbers').default(5060),
    transport: z.enum(['udp', 'tcp', 'tls'], 'must be one of: udp, tcp, tls').default('udp'),
    username: sipUser.optional(),
    password: carrierPassword.optional(),
    /** Registers with the carrier; otherwise the carrier is known by its addresses. */
    register: z.boolean('must be true or false').default(true),
    /** Further addresses that the carrier's calls come from. */
    match: z.array(address, 'must be a list').max(50, 'takes at most 50 addresses').default([]),
    codecs: z.array(z.enum(['ulaw', 'alaw', 'g722', 'opus'], 'must be one of: ulaw, alaw, g722, opus'), 'must be a list').min(1, 'must name a codec').default(['ulaw', 'alaw']),
    /** RFC 4733 telephone-events, SIP INFO, tones in the audio, or what the carrier offers. */
    dtmf: z.enum(['rfc4733', 'info', 'inband', 'auto'], 'must be one of: rfc4733, info, inband, auto').default('rfc4733'),
    /** SDES-SRTP (RFC 4568); only over TLS, which keeps its keys. */
    srtp: z.boolean('must be true or false').default(false),
    /** The carrier, or we, are behind a NAT: answers go where packets come from. */
    nat: z.boolean('must be true or false').default(true),
    /** OPTIONS this often; 0 never. A carrier that is asked and does not answer is not called. */
    qualifySeconds: wholeNumber(0, 3600, 'seconds').default(0),
    /** The lowest is tried first. */
    priority: wholeNumber(1, 1000, 'numbers').default(100),
    callerId: e164.optional(),
    switch: z.enum(['asterisk', 'freeswitch'], 'must be one of: asterisk, freeswitch').optional().meta({ description: 'Of a site with an Asterisk and a FreeSWITCH side by side: the one that registers with the carrier, and so has its calls; the Asterisk where absent. Both call over the trunk.' }),
  }),
  (value) => !value.srtp || value.transport === 'tls', 'srtp needs transport tls', 'Its keys would travel in the clear: set transport to tls, or srtp to false.',
);

const number = z.strictObject({
  e164,
  name: words(60),
  users: rule(z.array(id, 'must be a list of user ids').max(maxUsers, `rings at most ${maxUsers} users`), (ids) => new Set(ids).size === ids.length, 'names a user twice', 'Name each once.').default([]),
  timeoutSeconds: ringSeconds.default(60),
  announcement: audio(longestSpoken).optional(),
  whisper: whisper.optional(),
  callConnect: callConnect.default('external'),
  acceptKey: key.optional(),
  voicemail: voicemail.default({ enabled: true, maxSeconds: 180, silenceSeconds: 10, notify: [] }),
  failsafe: e164.optional(),
  /** N3: to an external number, over the account's trunks. */
  forward: e164.optional(),
  user: id.optional().meta({ description: 'Whose number it is, for the entries number-user and contact-owner of the precedence; the only one of `users` where absent.' }),
  route: target.optional().meta({ description: 'Takes the calls instead of the account’s precedence.' }),
  hours: z.strictObject({ schedule: id, closed: target.default({ to: 'voicemail' }) }).optional().meta({ description: 'Where calls go while the schedule is closed: to voicemail unless it says otherwise.' }),
  tags: tags.optional().meta({ description: 'Of every call to it, in its record.' }),
  noAnswer: target.optional().meta({ description: 'Takes the calls that nobody accepts, before voicemail.' }),
  /** N2: the callee sees the number that was dialled. */
  passCalledNumber: z.boolean('must be true or false').default(false),
  recording: recordingRule.optional(),
  recordingAnnouncement: audio(longestSpoken).optional(),
  /** N13, as data. */
  capabilities: z.strictObject({
    voice: z.boolean('must be true or false').default(true),
    sms: z.boolean('must be true or false').default(false),
    tollFree: z.boolean('must be true or false').default(false),
    smsRegistration: z.enum(['none', 'pending', 'registered', 'rejected'], 'must be one of: none, pending, registered, rejected').default('none'),
  }).optional(),
});

/** D1 to D5. */
const receivingNumber = z.strictObject({
  number: e164,
  label: words(60),
  dialExtension: z.strictObject({
    digits: z.string('must be text').regex(/^(?=.*[0-9A-D*#])[0-9A-D*#wW]{1,40}$/, 'is not a row of keys. Use 0-9, * and #, with w for half a second of pause and W for a second.').meta({ example: 'W123#' }),
    delaySeconds: wholeNumber(0, 60, 'seconds').default(1),
  }).optional().meta({ description: 'Keys sent once it has answered, before anyone is asked or connected: an extension behind its switchboard.' }),
  whisper: whisper.optional().meta({ description: 'Heard where the tracking number has no whisper of its own.' }),
  taggingHours: id.optional().meta({ description: 'A schedule: a call that is led here is tagged open-hours, after-hours or holiday by it.' }),
  callConnect: callConnect.optional().meta({ description: 'The tracking number’s own where absent.' }),
  ringSeconds: ringSeconds.optional().meta({ description: 'The tracking number’s own timeout where absent.' }),
  noAnswer: target.optional().meta({ description: 'When it is busy, does not answer, or cannot be reached. The tracking number’s no-answer routing where absent.' }),
});

/** D6 to D9. */
const ringGroup = z.strictObject({
  name: words(60),
  pattern: z.enum(['simultaneous', 'round-robin', 'sequential', 'least-connected'], 'must be one of: simultaneous, round-robin, sequential, least-connected'),
  destinations: rule(
    z.array(z.strictObject({
      target: z.discriminatedUnion('to', [named('receiving-number'), named('user')], { error: 'must be a receiving-number or a user. Write it as { "to": "user", "id": "ana" }.' }),
      delaySeconds: wholeNumber(0, 120, 'seconds').optional(),
      ringSeconds: ringSeconds.optional(),
    }), 'must be a list').min(1, 'must name a destination').max(30, 'takes at most 30 destinations'),
    (list) => new Set(list.map(({ target: { to, id: of } }) => `${to} ${of}`)).size === list.length, 'names a destination twice', 'Name each once.',
  ),
  ringSeconds: ringSeconds.optional().meta({ description: 'Of the whole round. Where absent: the tracking number’s timeout when all ring at once, as long as the destinations take when they ring one after the other.' }),
  noAnswer: target.optional().meta({ description: 'When the round is over. Where absent, that of the first destination that has one, then the tracking number’s.' }),
});

/** M1. */
const menu = rule(
  z.strictObject({
    name: words(60),
    prompt: audio(longestSpoken),
    invalidPrompt: audio(longestSpoken).optional(),
    options: z.record(key, target, { error: (issue) => (issue.code === 'invalid_type' ? 'must be a group of keys' : undefined) }).default({}),
    dialByExtension: z.boolean('must be true or false').default(false),
    tries: wholeNumber(1, 10, 'tries').default(3),
    waitSeconds: wholeNumber(1, 60, 'seconds').default(5),
    betweenKeysSeconds: wholeNumber(1, 10, 'seconds').default(3),
    noKey: target.optional().meta({ description: 'After the last try without a key. The tracking number’s no-answer routing where absent.' }),
    invalid: target.optional().meta({ description: 'After the last try with keys that lead nowhere; as noKey where absent.' }),
  }),
  (value) => value.dialByExtension || Object.keys(value.options).length > 0, 'has no way out', 'Give it an option, or set dialByExtension to true.',
);

const queue = queueDocument({ target, audio: audio(longestSpoken), whisper, callConnect });

/** Of an uploaded file; made by the upload alone. */
const audioFile = z.strictObject({ name: words(60), durationMs: z.int().min(0), sha256: z.string().regex(/^[0-9a-f]{64}$/) });

export const documents = { account, user, device, trunk, number, 'receiving-number': receivingNumber, 'ring-group': ringGroup, menu, queue, router: routerDocument(target), schedule, 'night-switch': nightSwitch, audio: audioFile, webhook } as const;

export type Kind = keyof typeof documents;
export const kinds = Object.keys(documents) as readonly Kind[];
export type Doc<K extends Kind> = z.output<(typeof documents)[K]>;
/** As written: fields with a default may be absent. */
export type DocInput<K extends Kind> = z.input<(typeof documents)[K]>;
export type AudioRef = z.output<ReturnType<typeof audio>>;
export type TargetDoc = z.output<typeof target>;
