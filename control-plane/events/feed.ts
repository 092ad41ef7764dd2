/**
 * The streams of events, read once for all who follow them here: one wait for all accounts together, whose news are kept
 * for a moment. Each follower asks for what comes next when it has room, so that a slow one costs no memory: it reads the
 * store from its own place until it is as far as the others.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { Ms } from '../core/time.ts';
import type { EventLog, Kept, StreamId } from '../store/event-ports.ts';
import type { Log } from '../telemetry/log.ts';
import type { EventData, LiveEvent } from './catalogue.ts';

export interface EventReader {
  /** What comes next, as soon as there is something; nothing when the reader was closed. Rejects when the store is away. */
  next(): Promise<readonly LiveEvent[]>;
  /** All up to here has been given. */
  place(): StreamId;
  close(): void;
}

export interface EventFeed {
  /** From after this event; from now on when it is null. Rejects when the store is away. */
  open(account: string, after: StreamId | null): Promise<EventReader>;
  stop(): Promise<void>;
}

interface Channel {
  place: StreamId;
  /** The last, the oldest first; each follows on the one before. */
  recent: readonly Kept[];
  /** All up to here is before `recent`. */
  recentAfter: StreamId;
  readers: number;
  readonly wake: Set<() => void>;
}

export const beginning: StreamId = '0-0';
const recentKept = 500;
const pageSize = 100;
const againMs: Ms = 500;

/** `1763740000000-0`, as they grow. */
export function comparePlaces(a: StreamId, b: StreamId): number {
  const [ms = 0, n = 0] = a.split('-').map(Number);
  const [otherMs = 0, otherN = 0] = b.split('-').map(Number);
  return ms - otherMs || n - otherN;
}

export function createEventFeed({ store, log }: { readonly store: EventLog; readonly log: Log }): EventFeed {
  const channels = new Map<string, Channel>();
  const opening = new Map<string, Promise<Channel>>();
  const listening = store.listen();
  let stopped = false;
  const over = (): boolean => stopped;
  let loop: Promise<void> | null = null;
  let troubled = false;

  const wakeAll = (channel: Channel): void => {
    for (const wake of channel.wake) wake();
  };
  const listen = async (): Promise<void> => {
    while (!over() && channels.size > 0) {
      try {
        if (troubled) await lookAgain();
        troubled = false;
        const news = await listening.next(new Map([...channels].map(([account, { place }]) => [account, place])));
        for (const [account, entries] of news) {
          const channel = channels.get(account);
          if (channel !== undefined) take(channel, entries);
        }
      } catch (error) {
        if (!troubled && !stopped) log.debug({ error: String(error) }, 'Events cannot be read; tried again');
        troubled = true;
        if (!stopped) await wait(againMs);
      }
    }
    loop = null;
  };
  const take = (channel: Channel, entries: readonly Kept[]): void => {
    const fresh = entries.filter(({ id }) => comparePlaces(id, channel.place) > 0);
    const last = fresh.at(-1);
    if (last === undefined) return;
    const all = [...channel.recent, ...fresh];
    channel.recentAfter = all.at(-recentKept - 1)?.id ?? channel.recentAfter;
    channel.recent = all.slice(-recentKept);
    channel.place = last.id;
    wakeAll(channel);
  };
  /** A store that has lost its memory may count from an earlier time. */
  const lookAgain = async (): Promise<void> => {
    for (const [account, channel] of channels) {
      const ends = await store.ends(account);
      if (ends !== null && comparePlaces(ends.last, channel.place) >= 0) continue;
      Object.assign(channel, { place: beginning, recent: [], recentAfter: beginning });
      wakeAll(channel);
    }
  };
  const channelOf = (account: string): Promise<Channel> => {
    const known = channels.get(account);
    if (known !== undefined) return Promise.resolve(known);
    const made = opening.get(account) ?? store.ends(account).then((ends) => {
      const place = ends?.last ?? beginning;
      const channel: Channel = { place, recent: [], recentAfter: place, readers: 0, wake: new Set() };
      channels.set(account, channel);
      listening.ring();
      loop ??= listen();
      return channel;
    }).finally(() => opening.delete(account));
    opening.set(account, made);
    return made;
  };

  const readerOf = (account: string, channel: Channel, start: StreamId): EventReader => {
    let place = start;
    /** It knows of nothing before, and misses nothing. */
    let silent = place === beginning;
    let closed = false;
    const left = (): boolean => closed || stopped;
    const shown = (entries: readonly Kept[]): readonly LiveEvent[] => {
      const events = entries.flatMap(({ event }) => (event === 'unread' ? [] : event !== 'began' ? [event] : silent ? [] : [gap(account, place, 'began')]));
      place = entries.at(-1)?.id ?? place;
      if (entries.length > 0) silent = false;
      return events;
    };
    const read = async (): Promise<readonly LiveEvent[]> => {
      if (comparePlaces(place, channel.place) > 0) {
        // this controller may just not be as far as the one that gave the place
        const ends = await store.ends(account);
        if (ends !== null && comparePlaces(ends.last, place) >= 0) return [];
        const from = place;
        place = beginning;
        silent = true;
        return [gap(account, from, 'began')];
      }
      if (comparePlaces(place, channel.recentAfter) >= 0) {
        // from the end: most are there
        const next = channel.recent.findLastIndex(({ id }) => comparePlaces(id, place) <= 0) + 1;
        return shown(channel.recent.slice(next, next + pageSize));
      }
      const [ends, entries] = await Promise.all([store.ends(account), store.read(account, place, pageSize)]);
      const trimmed = ends !== null && ends.first.event !== 'began' && comparePlaces(ends.first.id, place) > 0;
      const lost = trimmed ? [gap(account, place, 'trimmed')] : [];
      const events = [...lost, ...shown(entries)];
      // it was lost, or trimmed, while it was being read
      if (entries.length === 0) place = channel.place;
      return events;
    };
    return {
      next: async () => {
        while (!left()) {
          const before = channel.place;
          const from = place;
          const events = await read();
          if (events.length > 0) return events;
          if (left() || channel.place !== before || place !== from) continue;
          await new Promise<void>((resolve) => {
            const wake = (): void => {
              channel.wake.delete(wake);
              resolve();
            };
            channel.wake.add(wake);
          });
        }
        return [];
      },
      place: () => place,
      close: () => {
        if (closed) return;
        closed = true;
        channel.readers -= 1;
        if (channel.readers === 0 && channels.get(account) === channel) {
          channels.delete(account);
          listening.ring();
        }
        wakeAll(channel);
      },
    };
  };

  return {
    open: async (account, after) => {
      let channel = await channelOf(account);
      // its last reader may have left meanwhile
      while (channels.get(account) !== channel) channel = await channelOf(account);
      channel.readers += 1;
      return readerOf(account, channel, after ?? channel.place);
    },
    stop: async () => {
      stopped = true;
      listening.stop();
      for (const channel of channels.values()) wakeAll(channel);
      await loop;
    },
  };
}

const gapPrefix = 'gap-after-';

/** It is in no stream: who resumes after it is told of it again. */
function gap(account: string, place: StreamId, why: EventData<'gap'>['why']): LiveEvent {
  return { id: `${gapPrefix}${place}`, at: Date.now(), account, type: 'gap', data: { why, dropped: null } };
}

/** Whether it can be resumed after. */
export function hasPlace({ id }: LiveEvent): boolean {
  return !id.startsWith(gapPrefix);
}

const placePattern = /^\d{1,15}-\d{1,9}$/;

/** Of the id of an event; null when it is none. */
export function placeOfId(id: string): StreamId | null {
  const place = id.startsWith(gapPrefix) ? id.slice(gapPrefix.length) : id === '0' ? beginning : id;
  return placePattern.test(place) ? place : null;
}
