/**
 * Live calls of this controller as they change, and phones and trunks that come and go. Ids are `<start>-<n>`; a reader
 * that comes back with one that is still remembered goes on after it, any other begins with all live calls.
 */
import type { Response } from 'express';
import type { ApiKey } from '../store/ports.ts';
import type { CallChange, Calls, Limits, RegistrationChange, Registrations } from './ports.ts';
import { callsFor, seesSupervisions, withoutSupervision } from './seen-by.ts';
import { eventText, type Stream, type Streams } from './streams.ts';

const remembered = 1000;

export interface EventStreams {
  /** Resolves when the stream has ended, for whatever reason. */
  open(response: Response, of: { readonly key: ApiKey; readonly account: string | null; readonly lastEventId: string | undefined }): Promise<void>;
  close(): void;
}

interface Event {
  readonly n: number;
  readonly account: string;
  readonly text: string;
  /** For who may not supervise; null: nothing. */
  readonly plain: string | null;
}

interface Reader {
  readonly account: string | null;
  readonly supervises: boolean;
}

export function createEventStreams(options: { readonly calls: Calls; readonly registrations: Pick<Registrations, 'onChange'>; readonly streams: Streams; readonly limits: Limits; readonly now: () => number }): EventStreams {
  const { calls, registrations, streams, limits, now } = options;
  const start = now().toString(36);
  const readers = new Map<Stream, Reader>();
  let recent: Event[] = [];
  let last = 0;

  const write = (stream: Stream, text: string): void => {
    stream.write(text);
    if (stream.unread() <= limits.unreadBytes) return;
    readers.delete(stream);
    stream.drop();
  };
  const give = (stream: Stream, { account, supervises }: Reader, event: Event): void => {
    const text = supervises ? event.text : event.plain;
    if (text !== null && stream.isOpen() && sees(account, event)) write(stream, text);
  };
  const tell = (type: (CallChange | RegistrationChange)['type'], data: { readonly account: string }, plainData: object | null): void => {
    const id = `${start}-${++last}`;
    const event = { n: last, account: data.account, text: eventText(id, type, data), plain: plainData === null ? null : eventText(id, type, plainData) };
    recent.push(event);
    if (recent.length > 2 * remembered) recent = recent.slice(-remembered);
    for (const [stream, reader] of readers) give(stream, reader, event);
  };
  const missed = (lastEventId: string | undefined): readonly Event[] | null => {
    const [, run, n] = /^([0-9a-z]+)-(\d{1,15})$/.exec(lastEventId ?? '') ?? [];
    const seen = Number(n);
    const known = run === start && seen <= last && (seen === last || (recent[0]?.n ?? Infinity) <= seen + 1);
    return known ? recent.filter((event) => event.n > seen) : null;
  };
  const subscriptions = [
    calls.onChange(({ type, call, ofSupervision }) => { tell(type, call, ofSupervision === true ? null : withoutSupervision(call)); }),
    registrations.onChange((change) => {
      const data = change.type === 'alert' ? change.alert : change.registration;
      tell(change.type, data, data);
    }),
  ];

  return {
    open: async (response, { key, account, lastEventId }) => {
      const stream = streams.open(response, key);
      const reader = { account, supervises: seesSupervisions(key) };
      readers.set(stream, reader);
      const since = missed(lastEventId);
      if (since === null) write(stream, eventText(`${start}-${last}`, 'calls', { items: callsFor(key, calls.live().filter((call) => sees(account, call))) }));
      else for (const event of since) give(stream, reader, event);
      await stream.closed;
      readers.delete(stream);
    },
    close: () => { for (const unsubscribe of subscriptions) unsubscribe(); },
  };
}

function sees(account: string | null, event: { readonly account: string }): boolean {
  return account === null || event.account === account;
}
