/**
 * The fields of a plan file, in the units of people who write one. Every scalar arrives as a string (YAML's failsafe
 * schema), so that `+15550100` or `0101` keep what was written; a field left blank arrives as absent.
 * What one field says of another is in references.ts.
 */
import { isIP } from 'node:net';
import { z } from 'zod';
import { didYouMean } from '../../core/complaint.ts';
import { maxUsers } from '../../core/routing/config.ts';
import { second, type Ms } from '../../core/time.ts';
import { unknownPlaceholders, whisperPlaceholders } from '../../core/routing/whisper.ts';
import { moreFields, sections } from './sections.ts';

export const e164Pattern = /^\+[1-9]\d{6,14}$/;
const longestWhisper = 200;
const longestSpoken = 500;

function text(longest: number) {
  return rule(z.string('must be text'), (value) => value.length <= longest && !/\p{Cc}/u.test(value), `must be 1 to ${longest} characters without line breaks`, 'Shorten it, on one line.');
}

/** A refinement that also tells the way out; findingsOf() in load.ts reads it back. */
function rule<T>(schema: z.ZodType<T>, test: (value: T) => boolean, message: string, wayOut: string) {
  return schema.refine(test, { error: message, params: { wayOut } });
}

function pattern(regex: RegExp, message: string, wayOut: string) {
  return rule(z.string('must be text'), (value) => regex.test(value), message, wayOut);
}

function wholeNumber(low: number, high: number, unit: string) {
  return rule(
    z.string('must be a number'),
    (value) => /^\d{1,6}$/.test(value) && Number(value) >= low && Number(value) <= high,
    `must be whole ${unit} from ${low} to ${high}`,
    `Write a number such as ${Math.min(high, Math.max(low, 20))}.`,
  ).transform(Number);
}

function durationMs(low: number, high: number) {
  return wholeNumber(low, high, 'seconds').transform((value): Ms => value * second);
}

/** A mapping that knows its fields: another is refused with the name it may have meant. */
function fields<S extends z.ZodRawShape>(shape: S) {
  const known = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code !== 'unrecognized_keys') return 'must be a group of fields';
      const keys = (issue as { keys?: readonly string[] }).keys ?? [];
      return keys.map((key) => unknownField(key, known)).join('\n');
    },
  });
}

/** One line per key; load.ts splits them. */
function unknownField(key: string, known: readonly string[]): string {
  const meant = didYouMean(key, known);
  return meant === undefined ? `Remove it; known here: ${known.join(', ')}.` : `Did you mean “${meant}”?`;
}

function choice<const V extends readonly [string, ...string[]]>(values: V, quoted = values.join(', ')) {
  return z.enum(values, { error: `must be one of: ${quoted}` });
}

const id = pattern(/^[a-z0-9][a-z0-9-]{0,31}$/, 'is not a usable id', 'Use lower-case letters, digits and -, at most 32.');
const e164 = pattern(e164Pattern, 'is not an E.164 number', 'Write it with + and country code, without spaces: +12025550123.');
const host = rule(
  z.string('must be text'),
  (value) => isIP(value) !== 0 || /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i.test(value),
  'is not a host name or IP address', 'Write it without scheme, port or spaces: sip.carrier.example.',
);
const timezone = rule(z.string('must be text'), isTimezone, 'is not a time zone', 'Use an IANA name such as America/Chicago.');

/** Words and characters that would end a value in the switch's configuration are refused at the edge. */
const secret = rule(
  z.string('must be text'),
  (value) => /^[A-Za-z0-9._~!@#$%^&*()+=-]{12,64}$/.test(value) && new Set(value).size >= 6,
  'is too weak, or has characters a phone cannot be given', 'Leave it out and one is made, or use 12 to 64 varied letters, digits and ._~!@#$%^&*()+=-.',
);

const trunkUser = pattern(/^[A-Za-z0-9._~@+-]{1,64}$/, 'is not a usable user name', 'Use letters, digits and ._~@+-.');
const trunkPassword = pattern(/^[!-:<-~]{1,64}$/, 'has characters the switch cannot be given', 'Ask the carrier for one of ASCII characters without spaces and semicolons.');

/** Audio: a text to speak, a file beside the plan, or a sound of the switch. A bare text is short for `text:`. */
function audio(longest: number) {
  return z.preprocess(
    (value) => (typeof value === 'string' ? { text: value } : value),
    fields({
      text: text(longest).optional(),
      file: pattern(/^[^\p{Cc}]{1,200}$/u, 'is not a file name', 'Give a path relative to the plan file.').optional(),
      sound: pattern(/^[a-z0-9][a-z0-9/_-]{0,60}$/i, 'is not the name of a sound', 'Use a name such as vm-intro.').optional(),
    }).refine((value) => Object.values(value).filter((one) => one !== undefined).length === 1, {
      error: 'must be one of text, file and sound', params: { wayOut: 'Keep one of the three.' },
    }),
  );
}

function isTimezone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

export const defaultCountry = 'US';
const country = pattern(/^[A-Z]{2}$/, 'is not a country', 'Use two capital letters such as US.');

const trunk = fields({
  id,
  host,
  port: wholeNumber(1, 65535, 'numbers').default(5060),
  transport: choice(['udp', 'tcp']).default('udp'),
  username: trunkUser.optional(),
  password: trunkPassword.optional(),
  codecs: z.array(choice(['ulaw', 'alaw', 'g722', 'opus']), 'must be a list').min(1, 'must name a codec').default(['ulaw', 'alaw']),
  dtmf: choice(['rfc4733', 'info', 'inband', 'auto']).optional(),
  callerId: e164.optional(),
});

const device = fields({
  extension: pattern(/^\d{2,6}$/, 'is not an extension', 'Use 2 to 6 digits.').optional(),
  mobile: e164.optional(),
  label: text(40).optional(),
  password: secret.optional(),
  ringSeconds: durationMs(1, 600).optional(),
})
  .refine((value) => (value.extension === undefined) !== (value.mobile === undefined), {
    error: 'must have an extension or a mobile, and not both', params: { wayOut: 'Write each phone as its own device.' },
  })
  .refine((value) => value.mobile === undefined || value.password === undefined, {
    error: 'a mobile has no password', path: ['password'], params: { wayOut: 'Remove it.' },
  });

const user = fields({ id, name: text(60), devices: z.array(device, 'must be a list').default([]), ...asInTheApi(moreFields.user) });

const voicemail = z.preprocess(
  (value) => (value === 'off' ? { off: 'off' } : value === 'on' ? {} : value),
  fields({
    off: z.literal('off').optional(),
    greeting: audio(longestSpoken).optional(),
    maxSeconds: durationMs(5, 600).default(180 * second),
    silenceSeconds: durationMs(2, 60).default(10 * second),
  }),
);

const whisper = audio(longestWhisper).refine((value) => unknownPlaceholders(value.text ?? '').length === 0, {
  error: 'has an unknown placeholder', params: { wayOut: `Use ${whisperPlaceholders.map((name) => `{${name}}`).join(', ')}.` },
});

const number = fields({
  e164,
  name: text(60),
  users: rule(z.array(z.string('must be a user id'), 'must be a list of user ids'), (users) => users.length <= maxUsers, `rings at most ${maxUsers} users`, 'Remove users from the list.').default([]),
  timeoutSeconds: durationMs(1, 600).optional(),
  announcement: audio(longestSpoken).optional(),
  whisper: whisper.optional(),
  callConnect: choice(['off', 'external', 'every']).default('external'),
  acceptKey: pattern(/^[0-9*#]$/, 'is not a key', 'Use one of 0-9, * and #, in quotes, or leave it out for any key.').optional(),
  voicemail: voicemail.optional(),
  failsafe: e164.optional(),
  ...asInTheApi(moreFields.number),
});

export const planSchema = fields({
  account: fields({
    id,
    name: text(60),
    timezone: timezone.default('America/New_York'),
    country: country.default(defaultCountry),
    sipPrefix: pattern(/^[a-z0-9][a-z0-9-]{0,15}$/, 'is not a usable prefix', 'Use lower-case letters, digits and -, at most 16, or leave it out.').optional(),
    failsafe: e164.optional(),
    /** Where calls over trunks may go: within its own country unless it says so. */
    outbound: fields({
      countries: z.array(country, 'must be a list').min(1, 'must name a country').optional(),
      concurrentCalls: wholeNumber(1, 1000, 'calls').optional(),
    }).optional(),
    ...asInTheApi(moreFields.account),
  }),
  trunks: z.array(trunk, 'must be a list').default([]),
  emergency: fields({
    location: text(120),
    address: text(200),
    callerId: e164,
    trunks: z.array(z.string('must be a trunk id'), 'must be a list of trunk ids').min(1, 'must name a trunk'),
    notify: z.array(pattern(/^[^\s@]+@[^\s@]+$/, 'is not an e-mail address', 'Write it as name@clinic.example.'), 'must be a list').default([]),
  }).optional(),
  users: z.array(user, 'must be a list').default([]),
  numbers: z.array(number, 'must be a list').min(1, 'must have a number'),
  ...asInTheApi(Object.keys(sections)),
});

/** Read by sections.ts. */
function asInTheApi(names: readonly string[]): Readonly<Record<string, z.ZodOptional<z.ZodUnknown>>> {
  return Object.fromEntries(names.map((name) => [name, z.unknown().optional()]));
}

export type PlanDocument = z.output<typeof planSchema>;
export type AudioSource = NonNullable<PlanDocument['numbers'][number]['announcement']>;
