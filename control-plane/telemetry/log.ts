/**
 * The log: JSON lines through pino. A line about a call carries its id as `call`. Patients' phone numbers are never
 * written whole: fields that hold one are masked here, and text that holds one is masked where it is made
 * (`maskNumber`). Secrets are redacted by the name of their field, should one ever be passed.
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

/** `+15551230001` → `+1555***0001`: enough to tell two callers apart. Short internal numbers are no secret. */
export function maskNumber(number: string): string {
  const plus = number.startsWith('+') ? '+' : '';
  const digits = number.slice(plus.length);
  if (digits.length < 7) return number;
  const head = digits.slice(0, digits.length >= 10 ? 4 : 2);
  return `${plus}${head}***${digits.slice(-4)}`;
}

const numberFields: ReadonlySet<string> = new Set(['caller', 'dialled', 'number', 'callerId', 'from', 'to']);
const secretFields = ['password', 'secret', 'token', 'key', 'authorization', 'pin'];

export function createLog(options: { readonly level?: LogLevel; readonly destination?: DestinationStream } = {}): Log {
  const settings = {
    level: options.level ?? 'info',
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: [...secretFields, ...secretFields.map((field) => `*.${field}`)], censor: '[secret]' },
    formatters: { level: (label: string) => ({ level: label }), log: masked },
  };
  const logger = options.destination === undefined ? pino(settings) : pino(settings, options.destination);
  return {
    debug: (fields, sentence) => { logger.debug(fields, sentence); },
    info: (fields, sentence) => { logger.info(fields, sentence); },
    warn: (fields, sentence) => { logger.warn(fields, sentence); },
    error: (fields, sentence) => { logger.error(fields, sentence); },
  };
}

function masked(fields: Record<string, unknown>): Record<string, unknown> {
  let out = fields;
  for (const [name, value] of Object.entries(fields)) {
    const hidden = maskedValue(name, value);
    if (hidden === value) continue;
    if (out === fields) out = { ...fields };
    out[name] = hidden;
  }
  return out;
}

function maskedValue(name: string, value: unknown): unknown {
  if (!numberFields.has(name)) return value;
  if (typeof value === 'string') return maskNumber(value);
  // A caller as the core knows it: a number and a name, and the name is a patient's.
  if (typeof value === 'object' && value !== null && 'number' in value) return maskNumber(String(value.number));
  return value;
}
