import { readReply, type EslFailure, type EslResult } from './esl-result.ts';

export interface CommandLimits {
  /** Commands sent on one connection and not yet answered. */
  readonly maxInFlight: number;
  /** Commands waiting for one of those to be answered; one more is rejected at once. */
  readonly maxQueued: number;
  /** From the call to the switch's reply, waiting included. */
  readonly commandTimeoutMs: number;
}

export interface Command {
  /** For messages: `uuid_bridge`. */
  readonly what: string;
  /** With the empty line at its end. */
  readonly text: string;
  /** Which kind of reply it gets; another's is a sign that replies and commands are out of step. */
  readonly answeredBy: 'api' | 'command';
}

export interface CommandQueue {
  send(command: Command, timeoutMs?: number): Promise<EslResult>;
  /** False: no command waits for such a reply, and those after it cannot be told apart any more. */
  reply(of: 'api' | 'command', text: string): boolean;
  /** Settles everything, sent or waiting, as unreachable: the connection has gone. */
  failAll(message: string): void;
  /** How long the oldest command has been without its reply; 0 when none is. */
  oldestMs(): number;
  stats(): { readonly inFlight: number; readonly queued: number; readonly timeouts: number; readonly lateReplies: number };
}

interface Pending extends Command {
  readonly timer: NodeJS.Timeout;
  readonly settle: (result: EslResult) => void;
  sentAt: number | undefined;
  settled: boolean;
}

/**
 * The commands of one connection. The switch answers them one after another and numbers nothing: the n-th reply is that of
 * the n-th command, so one that timed out keeps its place until its reply comes. `write` must not throw.
 */
export function createCommandQueue(limits: CommandLimits, write: (text: string) => void, onRoundTrip?: (ms: number) => void): CommandQueue {
  const inFlight: Pending[] = [];
  const queued = new Set<Pending>();
  let timeouts = 0;
  let lateReplies = 0;

  function settle(pending: Pending, result: EslResult): void {
    if (pending.settled) return;
    pending.settled = true;
    clearTimeout(pending.timer);
    pending.settle(result);
  }

  function expire(pending: Pending, timeoutMs: number): void {
    if (pending.sentAt === undefined) {
      // Settled here and now, lest a slot that frees in this moment sends a command that is too late.
      timeouts += 1;
      queued.delete(pending);
      settle(pending, { ok: false, error: 'timeout', message: `${pending.what} waited ${timeoutMs} ms behind other commands and was never sent.`, sent: false });
      return;
    }
    // After a stall of our own loop timers run before sockets are read: the reply may lie in the kernel.
    setImmediate(() => {
      if (pending.settled) return;
      timeouts += 1;
      settle(pending, { ok: false, error: 'timeout', message: `${pending.what} was not answered within ${timeoutMs} ms.`, sent: true });
    });
  }

  function drain(): void {
    for (const pending of queued) {
      if (inFlight.length >= limits.maxInFlight) return;
      queued.delete(pending);
      inFlight.push(pending);
      pending.sentAt = performance.now();
      write(pending.text);
    }
  }

  return {
    send: async (command, timeoutMs = limits.commandTimeoutMs) => {
      if (queued.size >= limits.maxQueued && inFlight.length >= limits.maxInFlight) {
        return refused(`${command.what} was not sent: ${inFlight.length} commands await the switch and ${queued.size} wait behind them.`);
      }
      return new Promise<EslResult>((resolve) => {
        const pending: Pending = { ...command, settle: resolve, sentAt: undefined, settled: false, timer: setTimeout(() => { expire(pending, timeoutMs); }, timeoutMs) };
        queued.add(pending);
        drain();
      });
    },

    reply: (of, text) => {
      const pending = inFlight[0];
      // An API that may not be run at all is refused by the socket itself.
      if (pending === undefined || (pending.answeredBy !== of && of !== 'command')) return false;
      inFlight.shift();
      if (pending.settled) lateReplies += 1;
      else if (pending.sentAt !== undefined) onRoundTrip?.(performance.now() - pending.sentAt);
      settle(pending, readReply(pending.what, text));
      drain();
      return true;
    },

    failAll: (message) => {
      for (const pending of [...inFlight.splice(0), ...queued]) settle(pending, { ok: false, error: 'unreachable', message, sent: pending.sentAt !== undefined });
      queued.clear();
    },

    oldestMs: () => inFlight[0]?.sentAt === undefined ? 0 : performance.now() - inFlight[0].sentAt,
    stats: () => ({ inFlight: inFlight.filter(({ settled }) => !settled).length, queued: queued.size, timeouts, lateReplies }),
  };
}

export function refused(message: string): EslFailure {
  return { ok: false, error: 'rejected', message, sent: false };
}
