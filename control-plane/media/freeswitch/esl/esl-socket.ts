import { connect } from 'node:net';
import { createCommandQueue, type Command, type CommandLimits, type CommandQueue } from './command-queue.ts';
import { decodeFrame, type EslEvent } from './decode-frame.ts';
import type { EslAddress } from './esl-address.ts';
import type { EslResult } from './esl-result.ts';
import { createFrameParser } from './frame-parser.ts';

/** Why a connection ended, as far as it tells an operator what to do. */
export type EndReason = 'unreachable' | 'unauthorized' | 'turned-away' | 'not-freeswitch';

export interface SocketHandlers {
  /** The password was taken. */
  readonly onReady: () => void;
  readonly onEvent: (event: EslEvent) => void;
  /** A message that cannot be read and does no harm; `why` quotes nothing of it. */
  readonly onBadEvent: (why: string) => void;
  readonly onRoundTrip?: ((ms: number) => void) | undefined;
  /** Exactly once, whatever the cause; nothing is called after it. `why` is a sentence part. */
  readonly onClosed: (why: string, reason: EndReason) => void;
}

export interface EslSocket {
  /** Never rejects. Commands leave, and are obeyed, in the order of the calls. */
  send(command: Command, timeoutMs?: number): Promise<EslResult>;
  /** Has the switch look at once whether it has events for this connection; else it does so every 20 ms. */
  nudge(): void;
  /** How long the oldest command waits for its reply. */
  oldestMs(): number;
  stats(): ReturnType<CommandQueue['stats']>;
  /** Cuts at once. `onClosed` follows. */
  cut(why: string): void;
}

/** One connection to the event socket, from its connect to its end. `withinMs` for TCP and the password together. */
export function openEslSocket(address: EslAddress, limits: CommandLimits, withinMs: number, handlers: SocketHandlers): EslSocket {
  const parser = createFrameParser();
  let state: 'connecting' | 'authenticating' | 'ready' | 'closed' = 'connecting';
  let [why, reason]: [string, EndReason] = ['', 'unreachable'];
  // Without noDelay a command waits 40 ms for the reply to the one before it.
  const socket = connect({ host: address.host, port: address.port, noDelay: true, keepAlive: true, keepAliveInitialDelay: 10_000 });
  const commands = createCommandQueue(limits, write, handlers.onRoundTrip);
  let corked = false;
  const deadline = setTimeout(() => { cut(state === 'connecting' ? 'it did not ask for a password in time' : 'it did not take the password in time'); }, withinMs);

  function cut(words: string, because: EndReason = 'unreachable'): void {
    if (why === '') [why, reason] = [words, because];
    socket.destroy();
  }

  // What one turn of the event loop sends leaves in one write.
  function write(text: string): void {
    if (!corked) {
      corked = true;
      socket.cork();
      setImmediate(() => {
        corked = false;
        socket.uncork();
      });
    }
    socket.write(text);
  }

  async function authenticate(): Promise<void> {
    state = 'authenticating';
    const result = await commands.send({ what: 'auth', text: `auth ${address.password}\n\n`, answeredBy: 'command' }, withinMs);
    if (state !== 'authenticating') return;
    if (!result.ok) {
      cut('it refuses the password', 'unauthorized');
      return;
    }
    clearTimeout(deadline);
    state = 'ready';
    handlers.onReady();
  }

  socket.on('data', (bytes: Buffer) => {
    for (const raw of parser.push(bytes)) {
      if (socket.destroyed) return;
      const frame = decodeFrame(raw);
      switch (frame.kind) {
        case 'event':
          handlers.onEvent(frame.event);
          break;
        case 'reply':
          if (!commands.reply(frame.of, frame.text)) cut('it answered what was not asked');
          break;
        case 'auth-request':
          if (state === 'connecting') void authenticate();
          break;
        case 'bad-event':
          handlers.onBadEvent(frame.why);
          break;
        case 'goodbye':
          // After a refused password too, whose reply has said all.
          if (state === 'ready') cut(`it ended the connection (${frame.why.slice(0, 80)})`);
          break;
        case 'turned-away':
          cut('it takes no connection from this address', 'turned-away');
          break;
        case 'bad':
          cut(`it sent ${frame.why}`, state === 'connecting' ? 'not-freeswitch' : 'unreachable');
      }
    }
    const broken = parser.broken();
    if (broken !== undefined) cut(`it sent ${broken}`, state === 'connecting' ? 'not-freeswitch' : 'unreachable');
  });
  socket.on('error', (error) => {
    if (why === '') why = 'code' in error && typeof error.code === 'string' ? error.code : error.message;
  });
  socket.on('close', () => {
    state = 'closed';
    clearTimeout(deadline);
    why ||= 'it closed the connection';
    commands.failAll(`The link to the switch was lost: ${why}.`);
    handlers.onClosed(why, reason);
  });

  return {
    send: async (command, timeoutMs) => {
      // The others of the link may still be closing.
      if (socket.destroyed) return { ok: false, error: 'unreachable', message: 'There is no link to the switch.', sent: false };
      return commands.send(command, timeoutMs);
    },
    nudge: () => {
      // An empty line before a command is passed over by the switch, and wakes it.
      if (state === 'ready') socket.write('\n');
    },
    oldestMs: () => commands.oldestMs(),
    stats: () => commands.stats(),
    cut,
  };
}
