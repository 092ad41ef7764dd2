/**
 * A scripted SIP party over UDP for tests that look at single messages: it answers, rejects, cancels and remembers
 * what it was sent. It sends no media of its own but the tone-less RTP that a test asks for. RFC 3261, no more of it
 * than a loopback needs: no retransmission, no authentication.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

export interface SipMessage {
  /** Request or status line. */
  readonly start: string;
  readonly method: string;
  readonly status: number;
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly body: string;
  readonly raw: string;
  readonly fromPort: number;
}

export type OnInvite = 'ring' | 'answer' | 'ring-then-answer' | 'silent' | number;

export interface SipPhone {
  readonly port: number;
  readonly received: readonly SipMessage[];
  /** What the phone does with the next INVITEs. */
  onInvite(what: OnInvite): void;
  /** Answers the INVITE that is ringing. */
  answer(): void;
  reject(status: number): void;
  bye(): void;
  /** In-dialogue re-INVITE with this direction (`sendonly` holds). */
  reinvite(direction: 'sendrecv' | 'sendonly'): void;
  /** Calls out; returns the Call-ID. */
  call(to: string, from?: string, extraHeaders?: readonly string[]): string;
  cancel(): void;
  /** Sends one RFC 4733 key. */
  press(digit: string): Promise<void>;
  /** RTP packets received so far that are not silence. */
  audio(): { readonly packets: number; readonly ulaw: Buffer };
  until(what: string, found: (message: SipMessage) => boolean, timeoutMs?: number): Promise<SipMessage>;
  close(): void;
}

function parse(data: Buffer, fromPort: number): SipMessage {
  const raw = data.toString('latin1');
  const [head = '', body = ''] = raw.split('\r\n\r\n', 2);
  const [start = '', ...lines] = head.split('\r\n');
  const headers = new Map<string, string[]>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).trim().toLowerCase();
    headers.set(name, [...(headers.get(name) ?? []), line.slice(colon + 1).trim()]);
  }
  const response = /^SIP\/2\.0 (\d+)/.exec(start);
  return { start, method: response === null ? (start.split(' ')[0] ?? '') : '', status: Number(response?.[1] ?? 0), headers, body, raw, fromPort };
}

export const header = (message: SipMessage, name: string): string => message.headers.get(name.toLowerCase())?.[0] ?? '';

interface Dialog { callId: string; local: string; remote: string; target: string; cseq: number; invite: SipMessage | null; sent: string; rtpPort: number; branch: string }

export async function sipPhone(switchPort: number): Promise<SipPhone> {
  const socket = createSocket('udp4');
  const rtp: Socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  rtp.bind(0, '127.0.0.1');
  await once(rtp, 'listening');
  const port = socket.address().port;
  const rtpPort = rtp.address().port;
  const received: SipMessage[] = [];
  const waiting: { found: (message: SipMessage) => boolean; resolve: (message: SipMessage) => void }[] = [];
  let mode: OnInvite = 'ring';
  let dialog: Dialog | null = null;
  let serial = 0;
  let packets = 0;
  const heard: Buffer[] = [];
  const tag = () => Math.random().toString(36).slice(2, 12);

  rtp.on('message', (data) => {
    packets += 1;
    if ((data[1] ?? 0) % 128 === 0) heard.push(data.subarray(12));
  });

  const send = (text: string): void => socket.send(Buffer.from(text, 'latin1'), switchPort, '127.0.0.1');
  const sdp = (direction = 'sendrecv'): string => ['v=0', `o=- 1 ${++serial} IN IP4 127.0.0.1`, 's=-', 'c=IN IP4 127.0.0.1', 't=0 0', `m=audio ${rtpPort} RTP/AVP 0 101`, 'a=rtpmap:0 PCMU/8000', 'a=rtpmap:101 telephone-event/8000', 'a=fmtp:101 0-15', `a=${direction}`, ''].join('\r\n');
  const withBody = (lines: readonly string[], body: string): string => [...lines, ...(body === '' ? [] : ['Content-Type: application/sdp']), `Content-Length: ${body.length}`, '', body].join('\r\n');

  function respond(request: SipMessage, status: number, reason: string, body = ''): void {
    const to = header(request, 'to');
    send(withBody([
      `SIP/2.0 ${status} ${reason}`,
      ...(request.headers.get('via') ?? []).map((via) => `Via: ${via}`),
      ...(request.headers.get('record-route') ?? []).map((route) => `Record-Route: ${route}`),
      `From: ${header(request, 'from')}`,
      `To: ${to.includes('tag=') || status === 100 ? to : `${to};tag=${dialog?.branch ?? 'x'}`}`,
      `Call-ID: ${header(request, 'call-id')}`,
      `CSeq: ${header(request, 'cseq')}`,
      `Contact: <sip:phone@127.0.0.1:${port}>`,
    ], body));
  }
  function request(method: string, cseq: number, body = '', branch = tag()): void {
    if (dialog === null) throw new Error(`${method} without a dialogue`);
    send(withBody([
      `${method} ${dialog.target} SIP/2.0`, `Via: SIP/2.0/UDP 127.0.0.1:${port};branch=z9hG4bK${branch}`, 'Max-Forwards: 70', `From: ${dialog.local}`, `To: ${dialog.remote}`,
      `Call-ID: ${dialog.callId}`, `CSeq: ${cseq} ${method}`, `Contact: <sip:phone@127.0.0.1:${port}>`,
    ], body));
  }
  const rtpPortOf = (message: SipMessage): number => Number(/m=audio (\d+)/.exec(message.body)?.[1] ?? 0);

  function onRequest(message: SipMessage): void {
    switch (message.method) {
      case 'INVITE': {
        if (header(message, 'to').includes('tag=')) { respond(message, 200, 'OK', sdp()); return; }
        const branch = tag();
        dialog = {
          callId: header(message, 'call-id'), local: `${header(message, 'to')};tag=${branch}`, remote: header(message, 'from'), cseq: 1, invite: message, sent: '', rtpPort: rtpPortOf(message), branch,
          target: /<([^>]+)>/.exec(header(message, 'contact'))?.[1] ?? '',
        };
        if (mode === 'silent') return;
        respond(message, 100, 'Trying');
        if (typeof mode === 'number') { respond(message, mode, 'Scripted'); return; }
        if (mode !== 'answer') respond(message, 180, 'Ringing');
        if (mode !== 'ring') respond(message, 200, 'OK', sdp());
        return;
      }
      case 'CANCEL':
        respond(message, 200, 'OK');
        if (dialog?.invite != null) respond(dialog.invite, 487, 'Request Terminated');
        return;
      case 'ACK':
        return;
      default:
        respond(message, 200, 'OK');
    }
  }
  function onResponse(message: SipMessage): void {
    if (dialog === null || !header(message, 'cseq').includes('INVITE') || message.status < 200) return;
    dialog.remote = header(message, 'to');
    if (message.status < 300) {
      dialog.target = /<([^>]+)>/.exec(header(message, 'contact'))?.[1] ?? dialog.target;
      dialog.rtpPort = rtpPortOf(message) || dialog.rtpPort;
      request('ACK', Number(header(message, 'cseq').split(' ')[0]));
    } else request('ACK', Number(header(message, 'cseq').split(' ')[0]), '', dialog.branch);
  }
  socket.on('message', (data, from) => {
    const message = parse(data, from.port);
    received.push(message);
    if (message.method === '') onResponse(message);
    else onRequest(message);
    for (const each of waiting.filter(({ found }) => found(message))) {
      waiting.splice(waiting.indexOf(each), 1);
      each.resolve(message);
    }
  });

  return {
    port, received,
    onInvite: (what) => { mode = what; },
    answer: () => { if (dialog?.invite != null) respond(dialog.invite, 200, 'OK', sdp()); },
    reject: (status) => { if (dialog?.invite != null) respond(dialog.invite, status, 'Scripted'); },
    bye: () => { if (dialog !== null) request('BYE', ++dialog.cseq); },
    reinvite: (direction) => { if (dialog !== null) request('INVITE', ++dialog.cseq, sdp(direction)); },
    call: (to, from = '"Maria Lopez" <sip:+15551234567@127.0.0.1>', extraHeaders = []) => {
      const branch = tag();
      dialog = {
        callId: `${tag()}@127.0.0.1`, local: `${from};tag=${tag()}`, remote: `<sip:${to}@127.0.0.1:${switchPort}>`, target: `sip:${to}@127.0.0.1:${switchPort}`, cseq: 1, invite: null, sent: '', rtpPort: 0, branch,
      };
      send(withBody([
        `INVITE ${dialog.target} SIP/2.0`, `Via: SIP/2.0/UDP 127.0.0.1:${port};branch=z9hG4bK${branch}`, 'Max-Forwards: 70', `From: ${dialog.local}`, `To: ${dialog.remote}`,
        `Call-ID: ${dialog.callId}`, 'CSeq: 1 INVITE', `Contact: <sip:phone@127.0.0.1:${port}>`, ...extraHeaders,
      ], sdp()));
      return dialog.callId;
    },
    cancel: () => {
      if (dialog === null) return;
      send([`CANCEL ${dialog.target} SIP/2.0`, `Via: SIP/2.0/UDP 127.0.0.1:${port};branch=z9hG4bK${dialog.branch}`, 'Max-Forwards: 70', `From: ${dialog.local}`, `To: ${dialog.remote.replace(/;tag=.*/, '')}`, `Call-ID: ${dialog.callId}`, 'CSeq: 1 CANCEL', 'Content-Length: 0', '', ''].join('\r\n'));
    },
    press: async (digit) => {
      if (dialog === null) throw new Error('no call');
      const event = '0123456789*#'.indexOf(digit);
      for (let i = 0; i < 6; i++) {
        const packet = Buffer.alloc(16);
        packet.set([0x80, (i === 0 ? 0x80 : 0) | 101]);
        packet.writeUInt16BE(1000 + ++serial, 2);
        packet.writeUInt32BE(160 * 1000, 4);
        packet.writeUInt32BE(7, 8);
        packet.set([event, (i >= 3 ? 0x80 : 0) | 10], 12);
        packet.writeUInt16BE(160 * Math.min(i + 1, 4), 14);
        rtp.send(packet, dialog.rtpPort, '127.0.0.1');
        await new Promise((resolve) => { setTimeout(resolve, 20); });
      }
    },
    audio: () => ({ packets, ulaw: Buffer.concat(heard) }),
    until: (what, found, timeoutMs = 5000) => {
      const before = received.find(found);
      if (before !== undefined) return Promise.resolve(before);
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => { reject(new Error(`The phone did not see ${what}; it saw ${received.map(({ start }) => start).join(' | ')}`)); }, timeoutMs);
        waiting.push({ found, resolve: (message) => { clearTimeout(timer); resolve(message); } });
      });
    },
    close: () => { socket.close(); rtp.close(); },
  };
}
