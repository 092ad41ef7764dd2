/**
 * The log: JSON lines through pino. A line about a call carries its id as `call`. Numbers of callers and callees are
 * never written whole, wherever in a line they stand, unless they are asked for (FRONTDESK_LOG_NUMBERS). Secrets are
 * redacted by the name of their field, and passwords in addresses, should one ever be passed.
 */
import { pino } from 'pino';
import type { DestinationStream } from 'pino';

type Write = (fields: Readonly<Record<string, unknown>>, sentence: string) => void;

/** What the modules ask of a log, so that a test can give its own. */
export interface Log {
  readonly debug: Write;
  readonly info: Write;
  readonly warn: Write;
  readonly error: Write;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** Shorter ones are extensions and 911: no secret, and needed to read a log. */
const shortestSecret = 7;

/** `+15551230001` → `+xxxxxxxxx01`: the last two digits are enough to follow one caller through a log. */
export function maskNumber(number: string): string {
  const digits = number.match(/\d/g)?.length ?? 0;
  if (digits < shortestSecret) return number;
  let left = digits;
  return number.replaceAll(/\d/g, (digit) => (left-- > 2 ? 'x' : digit));
}

/**
 * With a plus anywhere, also as an address writes it (`%2B`); without one where it stands alone, and is no part of an id
 * (`fd05-1795282756.146`) or of a date.
 */
const numberInText = /(?:\+|(?<=%2[Bb]))\d{7,15}|(?<!\w|\w[.-])\d{7,15}(?!\w|[.-]\w)/g;
const passwordInText = /(:\/\/[^\s:/@]*:)[^\s/@]+@/g;

const numberFields: ReadonlySet<string> = new Set(['caller', 'dialled', 'number', 'callerId', 'from', 'to']);
const secretFields = ['password', 'secret', 'token', 'key', 'authorization', 'pin'];
const deepest = 6;

export function createLog(options: { readonly level?: LogLevel; readonly destination?: DestinationStream; readonly numbers?: boolean } = {}): Log {
  const { level = 'info', numbers = false } = options;
  const settings = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: [...secretFields, ...secretFields.map((field) => `*.${field}`)], censor: '[secret]' },
    formatters: { level: (label: string) => ({ level: label }) },
  };
  const logger = options.destination === undefined ? pino(settings) : pino(settings, options.destination);
  const write = (at: Exclude<LogLevel, 'silent'>): Write => (fields, sentence) => {
    if (logger.isLevelEnabled(at)) logger[at](masked(fields, numbers) as object, textOf(sentence, numbers));
  };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}

function textOf(text: string, numbers: boolean): string {
  const safe = text.replaceAll(passwordInText, '$1[secret]@');
  return numbers ? safe : safe.replaceAll(numberInText, maskNumber);
}

function masked(value: unknown, numbers: boolean, name = '', depth = 0): unknown {
  if (typeof value === 'string') return !numbers && numberFields.has(name) ? maskNumber(value) : textOf(value, numbers);
  if (typeof value !== 'object' || value === null || depth > deepest) return value;
  // A caller as the core knows it: a number and a name, and the name is a patient's.
  if (!numbers && numberFields.has(name) && 'number' in value) return maskNumber(String(value.number));
  // pino writes one as its message and stack, and would not look at a copy
  if (value instanceof Error) return textOf(value.stack ?? value.message, numbers);
  if (Array.isArray(value)) return value.map((one) => masked(one, numbers, name, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, masked(one, numbers, key, depth + 1)]));
}
