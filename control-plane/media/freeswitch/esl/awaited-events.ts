import { headerOf, type EslEvent } from './decode-frame.ts';
import { readReply, type EslResult } from './esl-result.ts';

export interface AwaitedEvents {
  /** The result of a background job, which may come before the reply to its command. */
  job(id: string, what: string, timeoutMs: number): Awaited;
  /** The end of an application on a channel, or the channel's. */
  completion(id: string, channel: string, what: string, timeoutMs: number): Awaited;
  /** To be told every event before anyone else. */
  onEvent(event: EslEvent): void;
  /** Settles everything as unreachable: what comes in the meantime is not told again. */
  failAll(message: string): void;
  stats(): { readonly awaited: number; readonly timeouts: number };
}

export interface Awaited {
  /** Never rejects. */
  readonly result: Promise<EslResult>;
  /** Settles it, unless that has been done. */
  settle(result: EslResult): void;
}

/** What is settled by an event, each within its time. */
export function createAwaitedEvents(): AwaitedEvents {
  const awaited = new Map<string, { readonly what: string; readonly channel: string | undefined; readonly settle: Awaited['settle'] }>();
  let timeouts = 0;

  function add(id: string, channel: string | undefined, what: string, timeoutMs: number): Awaited {
    const { promise, resolve } = Promise.withResolvers<EslResult>();
    const settle = (result: EslResult): void => {
      if (!awaited.delete(id)) return;
      clearTimeout(timer);
      resolve(result);
    };
    const timer = setTimeout(() => {
      // After a stall of our own loop timers run before sockets are read: the event may lie in the kernel.
      setImmediate(() => {
        if (awaited.has(id)) timeouts += 1;
        settle({ ok: false, error: 'timeout', message: `${what} had no result within ${timeoutMs} ms.`, sent: true });
      });
    }, timeoutMs);
    awaited.set(id, { what, channel, settle });
    return { result: promise, settle };
  }

  return {
    job: (id, what, timeoutMs) => add(id, undefined, what, timeoutMs),
    completion: (id, channel, what, timeoutMs) => add(id, channel, what, timeoutMs),

    onEvent: (event) => {
      if (event.name === 'BACKGROUND_JOB') {
        const job = awaited.get(headerOf(event, 'Job-UUID') ?? '');
        job?.settle(readReply(job.what, event.body));
      } else if (event.name === 'CHANNEL_EXECUTE_COMPLETE') {
        awaited.get(headerOf(event, 'Application-UUID') ?? '')?.settle({ ok: true, text: headerOf(event, 'Application-Response') ?? '' });
      } else if (event.name === 'CHANNEL_HANGUP_COMPLETE' && awaited.size > 0) {
        const channel = headerOf(event, 'Unique-ID');
        for (const each of awaited.values()) {
          if (each.channel === channel) each.settle({ ok: false, error: 'gone', message: `${each.what}: the channel has gone.`, sent: true });
        }
      }
    },

    failAll: (message) => {
      for (const each of awaited.values()) each.settle({ ok: false, error: 'unreachable', message, sent: true });
    },

    stats: () => ({ awaited: awaited.size, timeouts }),
  };
}
