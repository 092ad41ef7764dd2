import { ariEventShapes, ariModelShapes } from './ari-types.generated.ts';
import type { AriEvent, AriShape } from './ari-types.generated.ts';

/** Every event but the reply to a request, which the client keeps to itself. */
export type SwitchEvent = Exclude<AriEvent, { readonly type: 'RESTResponse' }>;

export interface Reply {
  readonly requestId: string;
  readonly status: number;
  /** Decoded `message_body`, when it is first read; undefined when there was none. */
  readonly body: unknown;
  /** The switch's sentence for an error; empty when there is none. */
  readonly message: string;
}

export type Frame =
  | { readonly kind: 'event'; readonly event: SwitchEvent }
  | { readonly kind: 'reply'; readonly reply: Reply }
  /** A type this build does not know: from a newer Asterisk. */
  | { readonly kind: 'unknown'; readonly type: string }
  /** `why` never quotes the frame: it may hold a patient's name or number. */
  | { readonly kind: 'bad'; readonly why: string };

// Not fatal: a Latin-1 byte out of a SIP header becomes U+FFFD and the rest of the event is still good.
const utf8 = new TextDecoder('utf-8', { fatal: false });

/** Reads one websocket message. Never throws, whatever the bytes. */
export function decodeFrame(data: Uint8Array): Frame {
  const message = parseJson(utf8.decode(data));
  if (!isObject(message)) return { kind: 'bad', why: 'not a JSON object' };
  const type = message['type'];
  if (typeof type !== 'string') return { kind: 'bad', why: 'no type' };
  if (type === 'RESTResponse') return decodeReply(message);
  const shape = Object.hasOwn(ariEventShapes, type) ? ariEventShapes[type as AriEvent['type']] : undefined;
  if (shape === undefined) return { kind: 'unknown', type };
  if (!fits(message, shape)) return { kind: 'bad', why: `${type} lacks a part that its description promises` };
  return { kind: 'event', event: message as unknown as SwitchEvent };
}

function decodeReply(message: Record<string, unknown>): Frame {
  const { request_id: requestId, status_code: status, reason_phrase: phrase, message_body: text } = message;
  if (typeof requestId !== 'string' || typeof status !== 'number') return { kind: 'bad', why: 'a reply without id or status' };
  // Most are not read, and that of `applications.subscribe` grows with the calls that are going on.
  let read: { readonly body: unknown } | undefined;
  const body = (): unknown => (read ??= { body: typeof text === 'string' ? parseJson(text) : undefined }).body;
  return { kind: 'reply', reply: { requestId, status, get body() { return body(); }, message: isGood(status) ? '' : sentenceOf(body(), phrase) } };
}

export const isGood = (status: number): boolean => status >= 200 && status < 300;

function sentenceOf(body: unknown, phrase: unknown): string {
  const detail = isObject(body) ? body['message'] ?? body['error'] : undefined;
  return typeof detail === 'string' ? detail : typeof phrase === 'string' ? phrase : '';
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function fits(value: Record<string, unknown>, shape: AriShape): boolean {
  for (const name in shape) {
    const rule = shape[name] ?? '';
    const optional = rule.startsWith('?');
    const member = value[name];
    if (member === undefined || member === null) {
      if (!optional) return false;
      // Nobody who reads an event need know of two kinds of nothing.
      if (member === null) value[name] = undefined;
    } else if (!matches(member, optional ? rule.slice(1) : rule)) return false;
  }
  return true;
}

function matches(member: unknown, rule: string): boolean {
  if (rule === 'id') return typeof member === 'string';
  if (rule === '{}') return isObject(member);
  if (rule.startsWith('[]')) return Array.isArray(member) && (rule === '[]' || member.every((item) => matches(item, rule.slice(2))));
  return isObject(member) && fits(member, ariModelShapes[rule] ?? {});
}
