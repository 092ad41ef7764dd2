import { classifyStatus } from './ari-result.ts';
import type { AriFailure, AriOperationId, AriParams, AriResponse, AriResult } from './ari-result.ts';
import { isGood, type Reply } from './decode-frame.ts';
import { encodeRequest } from './encode-request.ts';

export interface RequestLimits {
  /** Requests sent and not yet answered. */
  readonly maxInFlight: number;
  /** Requests waiting for one of those to be answered; one more is rejected at once. */
  readonly maxQueued: number;
  /** From the call of `request` to its result, waiting included. */
  readonly requestTimeoutMs: number;
}

export interface RequestQueue {
  request<O extends AriOperationId>(operation: O, params: AriParams<O>, timeoutMs?: number): Promise<AriResult<AriResponse<O>>>;
  reply(reply: Reply): void;
  /** Settles everything, sent or waiting, as unreachable: the link has gone. */
  failAll(message: string): void;
  stats(): { readonly inFlight: number; readonly queued: number; readonly timeouts: number; readonly lateReplies: number };
}

interface Pending {
  readonly id: string;
  readonly operation: AriOperationId;
  readonly frame: string;
  readonly timer: NodeJS.Timeout;
  readonly settle: (result: AriResult<unknown>) => void;
  sent: boolean;
  sentAt: number;
}

/**
 * Keeps the order of the calls on the wire, bounds them in number and time, and settles each exactly once.
 * `send` must not throw; it puts one frame on the link.
 */
export function createRequestQueue(limits: RequestLimits, send: (frame: string) => void, onRoundTrip?: (ms: number) => void): RequestQueue {
  const inFlight = new Map<string, Pending>();
  // A Map keeps the order of insertion and lets a request that timed out leave from the middle.
  const queued = new Map<string, Pending>();
  let lastId = 0;
  let timeouts = 0;
  let lateReplies = 0;

  function failure(pending: Pending, error: AriFailure['error'], message: string): void {
    if (!queued.delete(pending.id) && !inFlight.delete(pending.id)) return;
    clearTimeout(pending.timer);
    pending.settle({ ok: false, error, message, sent: pending.sent });
  }

  function expire(pending: Pending, timeoutMs: number): void {
    if (!pending.sent) {
      // Settled here and now, lest a slot that frees in this moment sends a command that is too late.
      timeouts += 1;
      failure(pending, 'timeout', `${pending.operation} waited ${timeoutMs} ms behind other requests and was never sent.`);
      return;
    }
    // After a stall of our own loop timers run before sockets are read: the reply may be waiting in the
    // kernel, and is read before this check.
    setImmediate(() => {
      if (!inFlight.has(pending.id)) return;
      timeouts += 1;
      failure(pending, 'timeout', `${pending.operation} was not answered within ${timeoutMs} ms.`);
      drain();
    });
  }

  function drain(): void {
    for (const [id, pending] of queued) {
      if (inFlight.size >= limits.maxInFlight) return;
      queued.delete(id);
      inFlight.set(id, pending);
      pending.sent = true;
      pending.sentAt = performance.now();
      send(pending.frame);
    }
  }

  return {
    request: async <O extends AriOperationId>(operation: O, params: AriParams<O>, timeoutMs = limits.requestTimeoutMs) => {
      if (queued.size >= limits.maxQueued && inFlight.size >= limits.maxInFlight) {
        return refused(`${operation} was not sent: ${inFlight.size} requests await the switch and ${queued.size} wait behind them.`);
      }
      lastId += 1;
      const id = String(lastId);
      const encoded = encodeRequest(id, operation, params);
      if (!encoded.ok) return refused(encoded.message);
      return new Promise<AriResult<AriResponse<O>>>((resolve) => {
        const pending: Pending = {
          id, operation, frame: encoded.frame, sent: false, sentAt: 0,
          timer: setTimeout(() => { expire(pending, timeoutMs); }, timeoutMs),
          settle: (result) => { resolve(result as AriResult<AriResponse<O>>); },
        };
        queued.set(id, pending);
        drain();
      });
    },

    reply: (reply) => {
      const { requestId, status, message } = reply;
      const pending = inFlight.get(requestId);
      if (pending === undefined) {
        lateReplies += 1;
        return;
      }
      inFlight.delete(requestId);
      clearTimeout(pending.timer);
      onRoundTrip?.(performance.now() - pending.sentAt);
      pending.settle(isGood(status)
        ? { ok: true, status, get body() { return reply.body; } }
        : { ok: false, error: classifyStatus(status, message), status, message: `${pending.operation}: ${status} ${message}`, sent: true });
      drain();
    },

    failAll: (message) => {
      for (const pending of [...inFlight.values(), ...queued.values()]) failure(pending, 'unreachable', message);
    },

    stats: () => ({ inFlight: inFlight.size, queued: queued.size, timeouts, lateReplies }),
  };
}

function refused(message: string): AriFailure {
  return { ok: false, error: 'rejected', message, sent: false };
}
