/**
 * A caller of a few lines over one UDP socket, which sends what no SIP stack would: headers of any bytes. It keeps to
 * RFC 3261 in all else: acknowledges what is final, cancels what rings, ends what is answered.
 */
import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';

export interface RawCall {
  /** Without a line's end; any bytes, as Latin-1. */
  readonly from: string;
  readonly to: string;
  readonly userAgent: string;
  readonly more: readonly string[];
}

/** `refused`: with a status of 400 and more. `dropped`: the switch took it for no SIP. */
export type Fate = 'rang' | 'refused' | 'dropped';

export interface RawCaller {
  /** Calls, and is gone as soon as it rings and `patience` is over. */
  call(number: string, call: RawCall, patience?: Promise<unknown>): Promise<Fate>;
  close(): Promise<void>;
}

const droppedAfterMs = 500;
const overWithinMs = 5_000;

interface Open {
  readonly take: (message: string) => void;
}

export const openRawCaller = async (host: string, remote: { readonly host: string; readonly port: number }): Promise<RawCaller> => {
  const socket: Socket = createSocket('udp4');
  await new Promise<void>((resolve) => { socket.bind(0, host, resolve); });
  const { port } = socket.address();
  const open = new Map<string, Open>();
  const send = (message: string): void => { socket.send(Buffer.from(message, 'latin1'), remote.port, remote.host); };
  socket.on('message', (datagram) => {
    const message = datagram.toString('latin1');
    open.get(/^Call-ID:\s*(\S+)/im.exec(message)?.[1] ?? '')?.take(message);
  });

  const call: RawCaller['call'] = (number, { from, to, userAgent, more }, patience = Promise.resolve()) => new Promise((resolve, reject) => {
    const id = randomBytes(8).toString('hex');
    const uri = `sip:${number}@${remote.host}`;
    const via = `Via: SIP/2.0/UDP ${host}:${port};branch=z9hG4bK${id}`;
    const heading = (method: string, branch = via): string => `${method} ${uri} SIP/2.0\r\n${branch}\r\nMax-Forwards: 70\r\nCall-ID: ${id}\r\n`;
    const body = `v=0\r\no=x 1 1 IN IP4 ${host}\r\ns=-\r\nc=IN IP4 ${host}\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n`;
    let rang = false;
    let heard = false;
    const over = (fate: Fate): void => {
      clearTimeout(dropped);
      clearTimeout(late);
      open.delete(id);
      resolve(fate);
    };
    // who is answered after all is still cancelled
    const dropped = setTimeout(() => {
      if (heard) return;
      clearTimeout(late);
      resolve('dropped');
    }, droppedAfterMs);
    const late = setTimeout(() => {
      open.delete(id);
      reject(new Error(`The call with From ${JSON.stringify(from)} did not end`));
    }, overWithinMs);
    open.set(id, {
      take: (message) => {
        heard = true;
        const status = Number(/^SIP\/2\.0 (\d{3})/.exec(message)?.[1] ?? 0);
        const theirs = /^To:.*$/im.exec(message)?.[0] ?? `To: ${to}`;
        const method = /^CSeq:\s*\d+\s+(\w+)/im.exec(message)?.[1];
        if (method !== 'INVITE') return;
        if (status > 100 && status < 200 && !rang) {
          rang = true;
          const cancel = (): void => { send(`${heading('CANCEL')}From: ${from};tag=${id}\r\nTo: ${to}\r\nCSeq: 1 CANCEL\r\nContent-Length: 0\r\n\r\n`); };
          patience.then(cancel, cancel);
        }
        if (status < 200) return;
        send(`${heading('ACK', status < 300 ? `${via}a` : via)}From: ${from};tag=${id}\r\n${theirs}\r\nCSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n`);
        // answered in the moment it was cancelled
        if (status < 300) send(`${heading('BYE', `${via}b`)}From: ${from};tag=${id}\r\n${theirs}\r\nCSeq: 2 BYE\r\nContent-Length: 0\r\n\r\n`);
        over(rang || status < 300 ? 'rang' : 'refused');
      },
    });
    send(`${heading('INVITE')}From: ${from};tag=${id}\r\nTo: ${to}\r\nCSeq: 1 INVITE\r\nContact: <sip:x@${host}:${port}>\r\nUser-Agent: ${userAgent}\r\n${more.map((header) => `${header}\r\n`).join('')}Content-Type: application/sdp\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  });

  return {
    call,
    close: () => new Promise((resolve) => { socket.close(() => { resolve(); }); }),
  };
};
