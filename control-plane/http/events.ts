/**
 * Live calls, and phones and trunks that come and go, as server-sent events (WHATWG HTML §9.2). Ids are `<start>-<n>`; a reader that comes back with one that is
 * still remembered goes on after it, any other begins with all live calls.
 */
import type { Response } from 'express';
import type { ApiKey } from '../store/ports.ts';
import type { Keyring } from './auth.ts';
import type { CallChange, Calls, Limits, RegistrationChange, Registrations } from './ports.ts';
import { HttpProblem } from './problem.ts';

const remembered = 1000;

export interface EventStreams {
  /** Throws a 429 when the key has too many streams. */
  admit(key: ApiKey): void;
  /** Resolves when the stream has ended, for whatever reason. */
  open(response: Response, of: { readonly key: ApiKey; readonly account: string | null; readonly lastEventId: string | undefined }): Promise<void>;
  count(): number;
  close(): void;
}

interface Event {
  readonly n: number;
  readonly account: string;
  readonly text: string;
}

interface Reader {
  readonly key: ApiKey;
  readonly account: string | null;
  readonly response: Response;
}

export function createEventStreams(options: { readonly calls: Calls; readonly registrations: Pick<Registrations, 'onChange'>; readonly keyring: Keyring; readonly limits: Limits; readonly now: () => number }): EventStreams {
  const { calls, registrations, keyring, limits, now } = options;
  const start = now().toString(36);
  const readers = new Set<Reader>();
  let recent: Event[] = [];
  let last = 0;

  const write = (reader: Reader, text: string): void => {
    reader.response.write(text);
    if (reader.response.writableLength <= limits.unreadBytes) return;
    readers.delete(reader);
    reader.response.destroy();
  };
  const end = (reader: Reader): void => {
    readers.delete(reader);
    reader.response.end();
  };
  const tell = (type: (CallChange | RegistrationChange)['type'], data: { readonly account: string }): void => {
    const event = { n: ++last, account: data.account, text: eventText(`${start}-${last}`, type, data) };
    recent.push(event);
    if (recent.length > 2 * remembered) recent = recent.slice(-remembered);
    for (const reader of readers) if (sees(reader.account, event)) write(reader, event.text);
  };
  const missed = (lastEventId: string | undefined): readonly Event[] | null => {
    const [, run, n] = /^([0-9a-z]+)-(\d{1,15})$/.exec(lastEventId ?? '') ?? [];
    const seen = Number(n);
    const known = run === start && seen <= last && (seen === last || (recent[0]?.n ?? Infinity) <= seen + 1);
    return known ? recent.filter((event) => event.n > seen) : null;
  };
  const subscriptions = [
    calls.onChange(({ type, call }) => { tell(type, call); }),
    registrations.onChange((change) => { tell(change.type, change.type === 'alert' ? change.alert : change.registration); }),
  ];
  // A comment keeps proxies from closing the stream; a key that was removed ends it.
  const pulse = async (): Promise<void> => {
    for (const reader of readers) {
      const valid = await keyring.stillValid(reader.key);
      if (!readers.has(reader)) continue;
      if (valid) write(reader, ': still here\n\n');
      else end(reader);
    }
  };
  const timer = setInterval(() => { pulse().catch(() => undefined); }, limits.keepAliveMs);
  timer.unref();

  return {
    admit: (key) => {
      const own = [...readers].filter((reader) => reader.key.id === key.id).length;
      if (own >= limits.streams) throw new HttpProblem(429, `This key has ${limits.streams} event streams already: close one first.`, { headers: { 'retry-after': '10' } });
    },
    open: (response, { key, account, lastEventId }) => new Promise((resolve) => {
      const reader = { key, account, response };
      if (response.destroyed) {
        resolve();
        return;
      }
      response.on('error', () => undefined);
      response.once('close', () => {
        readers.delete(reader);
        resolve();
      });
      response.set({ 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
      response.flushHeaders();
      readers.add(reader);
      const since = missed(lastEventId);
      if (since === null) write(reader, eventText(`${start}-${last}`, 'calls', { items: calls.live().filter((call) => sees(account, call)) }));
      else for (const event of since) if (sees(account, event)) write(reader, event.text);
    }),
    count: () => readers.size,
    close: () => {
      clearInterval(timer);
      for (const unsubscribe of subscriptions) unsubscribe();
      for (const reader of readers) end(reader);
    },
  };
}

function sees(account: string | null, event: { readonly account: string }): boolean {
  return account === null || event.account === account;
}

function eventText(id: string, type: string, data: unknown): string {
  return `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
}
