/**
 * The scalars of configuration: each refuses with what it must be, and the way out. JSON types; an absent field and
 * `null` are not the same, and `null` is refused.
 */
import { isIP } from 'node:net';
import { z } from 'zod';
import { isCountry } from '../core/routing/calling-codes.ts';
import { dayNumber } from '../hours/calendar.ts';

/** A refinement whose problem tells the way out: read back by problemsOf() in check.ts. */
export function rule<S extends z.ZodType>(schema: S, test: (value: z.output<S>) => boolean, message: string, wayOut: string): S {
  return schema.refine((value) => test(value), { error: message, params: { wayOut } });
}

export function pattern(regex: RegExp, message: string, wayOut: string, example: string) {
  return z.string('must be text').regex(regex, { error: `${message} ${wayOut}` }).meta({ example });
}

/** One line of words, as people write them. */
export function words(longest: number) {
  return z.string('must be text').min(1, 'must not be empty').max(longest, `must be at most ${longest} characters`).regex(/^[^\p{Cc}]*$/u, 'must be one line without control characters');
}

export function wholeNumber(low: number, high: number, unit: string) {
  const message = `must be whole ${unit} from ${low} to ${high}`;
  return z.int(message).min(low, message).max(high, message);
}

export const id = pattern(/^[a-z0-9][a-z0-9-]{0,31}$/, 'is not a usable id.', 'Use lower-case letters, digits and -, at most 32.', 'reception');
/** E.164: ITU-T E.164 §6.2.1, at most 15 digits after the +. */
export const e164 = pattern(/^\+[1-9]\d{6,14}$/, 'is not an E.164 number.', 'Write it with + and country code, without spaces: +12025550123.', '+12025550123');
/** Of SIP names (core/routing/sip-name.ts); empty for none. */
export const sipPrefix = pattern(/^([a-z0-9][a-z0-9-]{0,15})?$/, 'is not a usable prefix.', 'Use lower-case letters, digits and -, at most 16, or leave it empty for names without one.', 'elm-street');
export const extension = pattern(/^\d{2,6}$/, 'is not an extension.', 'Use 2 to 6 digits.', '101');
export const key = pattern(/^[0-9*#]$/, 'is not a key.', 'Use one of 0-9, * and #.', '1');
export const email = pattern(/^[^\s@<>]+@[^\s@<>]+$/, 'is not an e-mail address.', 'Write it as name@clinic.example.', 'desk@clinic.example');
/** As ISO 3166-1 alpha-2 writes countries; whether there is one is another's question. */
export const countryCode = pattern(/^[A-Z]{2}$/, 'is not a country.', 'Use two capital letters such as US.', 'US');
/** ISO 3166-1 alpha-2, and XK for Kosovo. */
export const country = rule(countryCode, (code) => !/^[A-Z]{2}$/.test(code) || isCountry(code), 'is not a country that numbers are in', 'Use the two capital letters of ISO 3166-1, such as US, or GB for the United Kingdom.');
/** ISO 4217. */
export const currency = pattern(/^[A-Z]{3}$/, 'is not a currency.', 'Use three capital letters such as USD.', 'USD');
/** The beginning of E.164 numbers. */
export const prefix = pattern(/^\+([1-9]\d{0,14})?$/, 'is not the beginning of a number.', 'Write it with +, such as +1 or +1800; + alone for every number.', '+1');
/** A text, since a number in JSON may be rounded. */
export const price = pattern(/^\d{1,4}(\.\d{1,5})?$/, 'is not a price.', 'Write it as text with at most five decimals: "0.0085".', '0.0085');
export const soundName = pattern(/^[a-z0-9][a-z0-9/_-]{0,60}$/i, 'is not the name of a sound.', 'Use a name such as vm-intro.', 'vm-intro');
export const sipUser = pattern(/^[A-Za-z0-9._~@+-]{1,64}$/, 'is not a usable user name.', 'Use letters, digits and ._~@+-.', 'clinic-7');
export const carrierPassword = pattern(/^[!-:<-~]{1,64}$/, 'has characters the switch cannot be given.', 'Ask the carrier for one of ASCII characters without spaces and semicolons.', 'b1Kx.w9T');

const hostName = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i;
export const host = rule(z.string('must be text').meta({ example: 'sip.carrier.example' }), (value) => isIP(value) !== 0 || hostName.test(value), 'is not a host name or IP address', 'Write it without scheme, port or spaces: sip.carrier.example.');
export const address = rule(z.string('must be text').meta({ example: '203.0.113.7' }), isNetwork, 'is not an IP address or network', 'Write 203.0.113.7 or 203.0.113.0/24.');
export const timezone = rule(z.string('must be text').meta({ example: 'America/Chicago' }), isTimezone, 'is not a time zone', 'Use an IANA name such as America/Chicago.');
export const localDate = rule(
  pattern(/^(19|20|21)\d\d-(0[1-9]|1[0-2])-([0-2]\d|3[01])$/, 'is not a date.', 'Write it as 2026-12-24.', '2026-12-24'),
  (date) => dayNumber(date) !== undefined, 'is not in the calendar', 'Correct the day or the month.',
);
/** RFC 3339, with its offset from UTC. */
export const instant = rule(
  pattern(/^(19|20|21)\d\d-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/, 'is not an instant.', 'Write it as 2026-12-24T18:00:00Z, or with an offset such as -05:00.', '2026-12-24T18:00:00-05:00'),
  (value) => !Number.isNaN(Date.parse(value)) && dayNumber(value.slice(0, 10)) !== undefined, 'is not in the calendar', 'Correct the day or the time.',
);
/** Dialled behind an agent's code. Empty is none: what a writer leaves out stays. */
export const agentPin = pattern(/^(\d{4,8})?$/, 'is not a PIN.', 'Use 4 to 8 digits, or leave it empty to take it away.', '4711');
/** A SIP password of a phone: what every phone's page can be given, and strong enough to stand on the Internet. */
export const devicePassword = rule(
  z.string('must be text').regex(/^[A-Za-z0-9._~!@#$%^&*()+=-]{12,64}$/, 'must be 12 to 64 letters, digits and ._~!@#$%^&*()+=-; leave it out and one is made.'),
  (value) => new Set(value).size >= 6, 'is too weak', 'Leave it out and one is made, or vary its letters.',
);

function isTimezone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

/** An IP address, or a network as `address/bits`. */
export function isNetwork(text: string): boolean {
  const [ip = '', bits, more] = text.split('/');
  if (more !== undefined || isIP(ip) === 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (isIP(ip) === 4 ? 32 : 128));
}
