import type { RawFrame } from './frame-parser.ts';

/** An event as the switch wrote it: read its headers with `headerOf`. */
export interface EslEvent {
  /** `CHANNEL_ANSWER`, …; a CUSTOM event has its own name in `Event-Subclass`. */
  readonly name: string;
  readonly headers: Readonly<Record<string, unknown>>;
  /** Empty where there is none. */
  readonly body: string;
}

export type Frame =
  | { readonly kind: 'auth-request' }
  /** To the oldest command that has none: `of` an API, or of the socket itself. */
  | { readonly kind: 'reply'; readonly of: 'api' | 'command'; readonly text: string }
  | { readonly kind: 'event'; readonly event: EslEvent }
  /** The switch ends the connection: shut down, or this listener was too slow for its events. */
  | { readonly kind: 'goodbye'; readonly why: string }
  /** The switch takes no connection from this address. */
  | { readonly kind: 'turned-away'; readonly why: string }
  /** An event that lacks a part of it. `why` never quotes the frame: it may hold a patient's name or number. */
  | { readonly kind: 'bad-event'; readonly why: string }
  /** It may have been a reply: which reply belongs to which command is no longer known. */
  | { readonly kind: 'bad'; readonly why: string };

/** Reads one frame. Never throws. */
export function decodeFrame(frame: RawFrame): Frame {
  const { headers, body } = frame;
  const type = headers.get('content-type');
  switch (type) {
    case 'text/event-json':
      return decodeEvent(body);
    case 'command/reply':
      // Without its text it is still the reply to a command, and no other must be taken for it.
      return { kind: 'reply', of: 'command', text: headers.get('reply-text') ?? '-ERR reply without a text' };
    case 'api/response':
      return { kind: 'reply', of: 'api', text: body };
    case 'auth/request':
      return { kind: 'auth-request' };
    case 'text/disconnect-notice':
      return { kind: 'goodbye', why: sentence(body) };
    case 'text/rude-rejection':
      return { kind: 'turned-away', why: sentence(body) };
    case undefined:
      return { kind: 'bad', why: 'a message without a Content-Type' };
    default:
      // log/data, text/event-plain, …: nobody asked for them, and none is a reply.
      return { kind: 'bad-event', why: 'a message of a kind that was not asked for' };
  }
}

/**
 * The value of a header, undefined where it is missing. One that the switch was given several times (a list) has its first.
 * Names are as the switch writes them: `Unique-ID`, `variable_sip_call_id`.
 */
export function headerOf(event: EslEvent, name: string): string | undefined {
  if (!Object.hasOwn(event.headers, name)) return undefined;
  const value = event.headers[name];
  const one: unknown = Array.isArray(value) ? value[0] : value;
  return typeof one === 'string' ? one : undefined;
}

function decodeEvent(text: string): Frame {
  const headers = parseJson(text);
  if (typeof headers !== 'object' || headers === null || Array.isArray(headers)) return { kind: 'bad-event', why: 'an event that is no JSON object' };
  const event = { name: '', headers: headers as Record<string, unknown>, body: '' };
  const name = headerOf(event, 'Event-Name');
  if (name === undefined || !/^[A-Z0-9_]{1,60}$/.test(name)) return { kind: 'bad-event', why: 'an event without a name' };
  const missing = promised(name).find((header) => (headerOf(event, header) ?? '') === '');
  if (missing !== undefined) return { kind: 'bad-event', why: `${name} without ${missing}` };
  return { kind: 'event', event: { name, headers: event.headers, body: headerOf(event, '_body') ?? '' } };
}

/** What an event of this name is of no use without. */
function promised(name: string): readonly string[] {
  if (name === 'CHANNEL_EXECUTE' || name === 'CHANNEL_EXECUTE_COMPLETE') return ['Unique-ID', 'Application-UUID'];
  if (name.startsWith('CHANNEL_')) return ['Unique-ID'];
  if (name === 'DTMF') return ['Unique-ID', 'DTMF-Digit'];
  if (name === 'BACKGROUND_JOB') return ['Job-UUID'];
  return name === 'CUSTOM' ? ['Event-Subclass'] : [];
}

const sentence = (body: string): string => body.split('\n')[0]?.trim() ?? '';

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
