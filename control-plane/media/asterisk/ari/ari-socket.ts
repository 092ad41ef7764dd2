import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
import type { RawData } from 'ws';
import type { AriAddress } from './ari-address.ts';

export interface Liveness {
  /** A ping goes out this often. */
  readonly pingEveryMs: number;
  /** Nothing at all heard for this long: the socket is taken for dead. Must exceed the slowest request, since Asterisk answers pings and requests in one thread. */
  readonly deadAfterMs: number;
  /** For TCP, TLS and the upgrade together. */
  readonly connectTimeoutMs: number;
}

export interface SocketHandlers {
  readonly onOpen: () => void;
  readonly onMessage: (data: Uint8Array) => void;
  /** Exactly once, whatever the cause, also when it never opened; nothing is called after it. `why` is a sentence part. */
  readonly onClosed: (why: string) => void;
}

export interface AriSocket {
  /** Never throws; on a socket that is closing the frame is dropped, and `onClosed` follows. */
  send(frame: string): void;
  /** Says goodbye, waits `graceMs` for the other side, then cuts. `onClosed` follows. */
  close(graceMs: number): void;
  /** Cuts at once. */
  cut(why: string): void;
}

/** No reply is larger: 10,000 channels in one list are about 5 MB. */
const maxMessageBytes = 64 * 1024 * 1024;

/** One websocket of one ARI application, from its connect to its end. */
export function openAriSocket(address: AriAddress, app: string, liveness: Liveness, handlers: SocketHandlers): AriSocket {
  const socket = new WebSocket(`${address.websocket}/events?app=${encodeURIComponent(app)}`, {
    headers: { authorization: address.authorization },
    handshakeTimeout: liveness.connectTimeoutMs,
    maxPayload: maxMessageBytes,
    // With the check on, `ws` closes the connection on one byte that is not UTF-8; the decoder replaces it instead.
    skipUTF8Validation: true,
    perMessageDeflate: false,
    followRedirects: false,
  });
  let heardAt = performance.now();
  let ping: NodeJS.Timeout | undefined;
  let grace: NodeJS.Timeout | undefined;
  let why = '';
  let ended = false;
  let wire: Socket | undefined;
  let corked = false;

  function cut(reason: string): void {
    why ||= reason;
    socket.terminate();
  }

  function heard(): void {
    heardAt = performance.now();
  }

  function checkLife(): void {
    if (performance.now() - heardAt <= liveness.deadAfterMs) {
      socket.ping();
      return;
    }
    // Our own stall looks like silence: what lies in the kernel is read between timers and this check.
    setImmediate(() => {
      if (ended) return;
      if (performance.now() - heardAt > liveness.deadAfterMs) cut(`nothing was heard for ${liveness.deadAfterMs} ms`);
      else socket.ping();
    });
  }

  // What one turn of the event loop sends leaves in one write: a write costs more than all else about a request.
  function gather(): void {
    if (corked || wire === undefined) return;
    corked = true;
    wire.cork();
    setImmediate(() => {
      corked = false;
      wire?.uncork();
    });
  }

  socket.on('upgrade', (response) => { wire = response.socket; });
  socket.on('open', () => {
    heard();
    ping = setInterval(checkLife, liveness.pingEveryMs);
    handlers.onOpen();
  });
  socket.on('message', (data: RawData) => {
    heard();
    handlers.onMessage(bytes(data));
  });
  socket.on('pong', heard);
  socket.on('ping', heard);
  socket.on('unexpected-response', (_request, { statusCode }) => {
    // With this listener `ws` leaves it to us to end the handshake.
    cut(statusCode === 401 || statusCode === 403
      ? 'the switch refuses the user name or password'
      : `the switch answered ${statusCode} to the websocket`);
  });
  socket.on('error', (error) => {
    why ||= 'code' in error && typeof error.code === 'string' ? error.code : error.message;
  });
  socket.on('close', (code) => {
    if (ended) return;
    ended = true;
    clearInterval(ping);
    clearTimeout(grace);
    handlers.onClosed(why || `closed with code ${code}`);
  });

  return {
    send: (frame) => {
      if (socket.readyState !== WebSocket.OPEN) return;
      gather();
      socket.send(frame, ignoreSendError);
    },
    close: (graceMs) => {
      if (ended) return;
      grace ??= setTimeout(() => { cut('closed by us'); }, graceMs);
      why ||= 'closed by us';
      socket.close(1000);
    },
    cut,
  };
}

/** A failed write is followed by `close`, which settles what was in flight. */
function ignoreSendError(): void {}

function bytes(data: RawData): Uint8Array {
  if (Array.isArray(data)) return Buffer.concat(data);
  return data instanceof ArrayBuffer ? new Uint8Array(data) : data;
}
