/**
 * SIP messages as SIPp's message trace has them, and what tests ask about them. Text is Latin-1: one character is
 * one byte, so hostile headers survive.
 */
export interface SipMessage {
  /** Epoch milliseconds at SIPp, with a fraction. */
  readonly at: number;
  /** As seen by the SIPp party. */
  readonly direction: 'sent' | 'received';
  readonly startLine: string;
  /** Of a request; undefined on a response. */
  readonly method: string | undefined;
  /** Of a response. */
  readonly status: number | undefined;
  /** Lower-case names; compact forms are written out. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly body: string;
}

const COMPACT: Readonly<Record<string, string>> = { v: 'via', f: 'from', t: 'to', i: 'call-id', m: 'contact', l: 'content-length', c: 'content-type' };

export const parseSipMessage = (text: string, at: number, direction: SipMessage['direction']): SipMessage => {
  const split = /\r?\n\r?\n/.exec(text);
  const head = split === null ? text : text.slice(0, split.index);
  const body = split === null ? '' : text.slice(split.index + split[0].length);
  // a folded header continues the line above it
  const [startLine = '', ...lines] = head.replace(/\r?\n[ \t]+/g, ' ').split(/\r?\n/);
  const headers = new Map<string, string[]>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon < 1) continue;
    const name = line.slice(0, colon).trim().toLowerCase();
    const full = COMPACT[name] ?? name;
    headers.set(full, [...(headers.get(full) ?? []), line.slice(colon + 1).trim()]);
  }
  const status = /^SIP\/2\.0 (\d{3})/.exec(startLine)?.[1];
  const method = status === undefined ? /^([A-Za-z]+) /.exec(startLine)?.[1] : undefined;
  return { at, direction, startLine, method, status: status === undefined ? undefined : Number(status), headers, body };
};

export const header = (message: SipMessage, name: string): string | undefined => message.headers.get(name.toLowerCase())?.[0];

/** The method a message belongs to: its own, or the one a response answers. */
export const cseqMethod = (message: SipMessage): string => (header(message, 'cseq') ?? '').split(/\s+/)[1] ?? '';

export interface Identity {
  readonly name: string;
  /** The user part of the address, which is the number. */
  readonly number: string;
}

/** Reads `"Name" <sip:number@host>;tag=x`. */
export const parseIdentity = (value: string): Identity => {
  const match = /^\s*(?:"((?:[^"\\]|\\.)*)"|([^<"]*?))\s*<?sips?:([^@>;]+)/.exec(value);
  return { name: (match?.[1] ?? match?.[2] ?? '').replace(/\\(.)/g, '$1'), number: decodeURIComponent(match?.[3] ?? '') };
};

export interface EndReason {
  /** SIP;cause=200;text="Call completed elsewhere" (RFC 3326): the phone logs no missed call. */
  readonly completedElsewhere: boolean;
  readonly sipCause: number | undefined;
  /** Q.850 cause; 26 is "answered elsewhere". */
  readonly q850: number | undefined;
  readonly text: string;
}

/** The Reason headers of a CANCEL or BYE, together. */
export const endReason = (message: SipMessage): EndReason => {
  const reasons = (message.headers.get('reason') ?? []).flatMap((value) => value.split(/,(?=\s*(?:SIP|Q\.850)\b)/i));
  const cause = (protocol: string): number | undefined => {
    const found = reasons.find((reason) => reason.trim().toLowerCase().startsWith(protocol.toLowerCase()));
    const digits = found === undefined ? undefined : /cause\s*=\s*(\d+)/i.exec(found)?.[1];
    return digits === undefined ? undefined : Number(digits);
  };
  const text = reasons.map((reason) => /text\s*=\s*"([^"]*)"/i.exec(reason)?.[1] ?? '').find((words) => words !== '') ?? '';
  const sipCause = cause('SIP');
  return { sipCause, q850: cause('Q.850'), text, completedElsewhere: sipCause === 200 && /completed elsewhere/i.test(text) };
};

/** Where the sender of this SDP wants its audio, or undefined without SDP. */
export const mediaAddress = (message: SipMessage): { readonly host: string; readonly port: number } | undefined => {
  const host = /^c=IN IP[46] (\S+)/m.exec(message.body)?.[1];
  const port = Number(/^m=audio (\d+)/m.exec(message.body)?.[1] ?? 0);
  return host === undefined || port === 0 ? undefined : { host, port };
};
