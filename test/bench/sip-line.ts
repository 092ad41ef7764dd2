/**
 * SIP over one UDP socket, for many parties in one process and by one clock: requests are sent again until they are
 * answered, and what comes twice is answered as before (RFC 3261 section 17). No more of it than a bench needs.
 */
import { createSocket } from 'node:dgram';
import { header, parseSipMessage, type SipMessage } from '../support/sip-message.ts';
import type { Address } from '../support/premises.ts';

export interface Dialog {
  readonly callId: string;
  /** With their tags, ours first. */
  readonly ours: string;
  readonly theirs: string;
  /** Where requests within it go. */
  readonly target: string;
}

export interface Line {
  readonly local: Address;
  /** Settles with the final answer, also of none: 408. An INVITE is acknowledged. */
  invite(request: { readonly to: string; readonly from: string; readonly sdp: string }): { readonly callId: string; readonly answered: Promise<{ readonly status: number; readonly message: SipMessage | null }> };
  bye(dialog: Dialog): void;
  answer(request: SipMessage, status: string, more?: { readonly tag?: string; readonly sdp?: string }): void;
  /** Requests without a final answer so far. */
  unanswered(): number;
  /** Requests that had to be sent again. */
  resent(): number;
  close(): Promise<void>;
}

interface Sent {
  readonly settle: (message: SipMessage | null) => void;
  timer: NodeJS.Timeout;
}

const againMs = 500;
const tries = 7;
let lines = 0;

const keyOf = (message: SipMessage): string => `${header(message, 'call-id')} ${header(message, 'cseq')}`;
const text = (first: string, headers: readonly string[], sdp = ''): string => [first, ...headers, ...(sdp === '' ? [] : ['Content-Type: application/sdp']), `Content-Length: ${sdp.length}`, '', sdp].join('\r\n');

/** `onRequest` hears each request once, but those in a retransmission of which the answer is known. */
export async function openLine(at: Address, remote: Address, onRequest: (request: SipMessage) => void): Promise<Line> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 8_388_608 });
  await new Promise<void>((resolve) => { socket.bind(at.port, at.host, resolve); });
  const local = { host: at.host, port: socket.address().port };
  const name = `${process.pid}-${lines++}`;
  let n = 0;
  let resent = 0;
  const sent = new Map<string, Sent>();
  const answered = new Map<string, string>();
  const write = (text: string): void => { socket.send(Buffer.from(text, 'latin1'), remote.port, remote.host); };
  const via = (): string => `Via: SIP/2.0/UDP ${local.host}:${local.port};rport;branch=z9hG4bK-${name}-${n++}`;
  const contact = `Contact: <sip:bench@${local.host}:${local.port}>`;

  const request = (key: string, written: string): Promise<SipMessage | null> => new Promise((resolve) => {
    let left = tries;
    let waitMs = againMs;
    const again = (): void => {
      left -= 1;
      if (left === 0) {
        sent.delete(key);
        resolve(null);
        return;
      }
      resent += 1;
      write(written);
      waitMs = Math.min(2 * waitMs, 4000);
      one.timer = setTimeout(again, waitMs);
    };
    const one: Sent = { settle: resolve, timer: setTimeout(again, waitMs) };
    sent.set(key, one);
    write(written);
  });

  socket.on('message', (datagram) => {
    const message = parseSipMessage(datagram.toString('latin1'), Date.now(), 'received');
    const key = keyOf(message);
    if (message.status === undefined) {
      const known = answered.get(key);
      if (known !== undefined) write(known);
      else onRequest(message);
      return;
    }
    const one = sent.get(key);
    if (one === undefined) return;
    clearTimeout(one.timer);
    if (message.status < 200) return;
    sent.delete(key);
    one.settle(message);
  });

  return {
    local,
    invite: ({ to, from, sdp }) => {
      const callId = `${name}-${n}@${local.host}`;
      const uri = `sip:${to}@${remote.host}:${remote.port}`;
      const ours = `From: <sip:${from}@${local.host}>;tag=${name}-${n}`;
      const answer = request(`${callId} 1 INVITE`, text(`INVITE ${uri} SIP/2.0`, [via(), ours, `To: <${uri}>`, `Call-ID: ${callId}`, 'CSeq: 1 INVITE', contact, 'Max-Forwards: 70'], sdp));
      return {
        callId,
        answered: answer.then((message) => {
          const status = message?.status ?? 408;
          if (message !== null) write(text(`ACK ${targetOf(message) ?? uri} SIP/2.0`, [via(), ours, `To: ${header(message, 'to')}`, `Call-ID: ${callId}`, 'CSeq: 1 ACK', 'Max-Forwards: 70']));
          return { status, message };
        }),
      };
    },
    bye: ({ callId, ours, theirs, target }) => {
      void request(`${callId} 2 BYE`, text(`BYE ${target} SIP/2.0`, [via(), `From: ${ours}`, `To: ${theirs}`, `Call-ID: ${callId}`, 'CSeq: 2 BYE', 'Max-Forwards: 70']));
    },
    answer: (message, status, { tag, sdp } = {}) => {
      const to = header(message, 'to') ?? '';
      const written = text(`SIP/2.0 ${status}`, [
        ...(message.headers.get('via') ?? []).map((value) => `Via: ${value}`), `From: ${header(message, 'from')}`, `To: ${tag === undefined ? to : `${to};tag=${tag}`}`,
        `Call-ID: ${header(message, 'call-id')}`, `CSeq: ${header(message, 'cseq')}`, contact,
      ], sdp);
      if (!status.startsWith('1')) {
        answered.set(keyOf(message), written);
        setTimeout(() => { answered.delete(keyOf(message)); }, 10_000).unref();
      }
      write(written);
    },
    unanswered: () => sent.size,
    resent: () => resent,
    close: () => new Promise((resolve) => {
      for (const { timer, settle } of sent.values()) {
        clearTimeout(timer);
        settle(null);
      }
      sent.clear();
      socket.close(() => { resolve(); });
    }),
  };
}

export const targetOf = (message: SipMessage): string | undefined => /<([^>]+)>/.exec(header(message, 'contact') ?? '')?.[1];

export const sdpOf = (host: string, port: number): string => ['v=0', `o=bench 1 1 IN IP4 ${host}`, 's=-', `c=IN IP4 ${host}`, 't=0 0', `m=audio ${port} RTP/AVP 0`, 'a=rtpmap:0 PCMU/8000', ''].join('\r\n');
