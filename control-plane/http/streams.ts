/**
 * Streams of server-sent events (WHATWG HTML §9.2) as they are open: how many a key may have, a comment now and then that
 * keeps proxies from closing them, and their end when the key no longer works.
 */
import type { Response } from 'express';
import type { Ms } from '../core/time.ts';
import type { ApiKey } from '../store/ports.ts';
import type { Keyring } from './auth.ts';
import type { Limits } from './ports.ts';
import { HttpProblem } from './problem.ts';

export interface Stream {
  readonly isOpen: () => boolean;
  readonly write: (text: string) => void;
  /** Bytes that the client has not taken. */
  readonly unread: () => number;
  /** Settles when the client has taken what was written, or the stream is closed: true; or after so long: false. */
  readonly taken: (withinMs: Ms) => Promise<boolean>;
  readonly end: () => void;
  /** What is unread is thrown away. */
  readonly drop: () => void;
  /** Settles when it has ended, for whatever reason. */
  readonly closed: Promise<void>;
}

export interface Streams {
  /** Throws a 429 when the key has too many streams. */
  admit(key: ApiKey): void;
  /** `pulse`: what is said now and then; a comment when absent. */
  open(response: Response, key: ApiKey, pulse?: () => string): Stream;
  /** Of each that is open, the bytes that its client has not taken. */
  unread(): readonly number[];
  /** Ends those that are open; others may be opened. */
  endAll(): void;
  close(): void;
}

interface Known {
  readonly key: ApiKey;
  readonly stream: Stream;
  readonly pulse: () => string;
}

export function createStreams({ keyring, limits }: { readonly keyring: Keyring; readonly limits: Limits }): Streams {
  const open = new Set<Known>();
  const pulseAll = async (): Promise<void> => {
    for (const one of open) {
      const valid = await keyring.stillValid(one.key);
      if (!open.has(one)) continue;
      if (!valid) one.stream.end();
      else if (one.stream.unread() <= limits.unreadBytes) one.stream.write(one.pulse());
    }
  };
  const timer = setInterval(() => { pulseAll().catch(() => undefined); }, limits.keepAliveMs);
  timer.unref();
  const endAll = (): void => { for (const { stream } of open) stream.end(); };

  return {
    admit: (key) => {
      const own = [...open].filter((one) => one.key.id === key.id).length;
      if (own >= limits.streams) throw new HttpProblem(429, `This key has ${limits.streams} event streams already: close one first.`, { headers: { 'retry-after': '10' } });
    },
    open: (response, key, pulse = () => ': still here\n\n') => {
      const closed = Promise.withResolvers<void>();
      const leave = (): void => {
        open.delete(known);
        closed.resolve();
      };
      const stream: Stream = {
        isOpen: () => open.has(known),
        write: (text) => { response.write(text); },
        unread: () => response.writableLength,
        taken: (withinMs) => takenOf(response, withinMs),
        end: () => {
          open.delete(known);
          response.end();
        },
        drop: () => {
          leave();
          response.destroy();
        },
        closed: closed.promise,
      };
      const known: Known = { key, stream, pulse };
      response.on('error', () => undefined);
      if (response.destroyed) {
        closed.resolve();
        return stream;
      }
      response.once('close', leave);
      response.set({ 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
      if (response.req.method === 'HEAD') {
        response.end();
        return stream;
      }
      response.flushHeaders();
      open.add(known);
      return stream;
    },
    unread: () => [...open].map(({ stream }) => stream.unread()),
    endAll,
    close: () => {
      clearInterval(timer);
      endAll();
    },
  };
}

function takenOf(response: Response, withinMs: Ms): Promise<boolean> {
  if (response.writableLength === 0 || response.destroyed) return Promise.resolve(true);
  return new Promise((resolve) => {
    const settle = (taken: boolean): void => {
      clearTimeout(timer);
      response.off('drain', drained).off('close', drained);
      resolve(taken);
    };
    const drained = (): void => { settle(true); };
    const timer = setTimeout(() => { settle(false); }, withinMs);
    response.on('drain', drained).on('close', drained);
  });
}

export function eventText(id: string | null, type: string, data: unknown): string {
  return `${id === null ? '' : `id: ${id}\n`}event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
}
