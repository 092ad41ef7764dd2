/**
 * One controller's connection to the simulated switch, from connect to loss: a new link is a new object, so nothing of
 * an old one can arrive on it.
 *
 * Order: requests arrive in the order they were sent. Events of one subject (a leg, a prompt, a recording) arrive in the order
 * they happened, and so do those of one bridge, which a switch tells under that bridge's lock; between subjects, and between
 * events and replies, any order is possible (FIELD-NOTES: the reply was seen before and after the events of the same request).
 */
import type { BridgeId, CallId } from '../../core/ids.ts';
import type { LegEvent, Offer } from '../../core/call/events.ts';
import type { LinkState } from '../media-driver.ts';
import type { Chance, Clock } from './chance.ts';

export interface LinkHandlers {
  onOffer(offer: Offer): void;
  onLegEvent(callId: CallId, event: LegEvent): void;
  onLink(state: LinkState, reason: string): void;
}

export interface Link {
  readonly up: () => boolean;
  readonly inFlight: () => number;
  /** Deliver in order within `subject`, and within `bridge`. */
  send(subject: string, deliver: (handlers: LinkHandlers) => void, bridge?: BridgeId): void;
  /** Deliver after `ms`, in no order: a duplicate. */
  sendLate(ms: number, deliver: (handlers: LinkHandlers) => void): void;
  /** `perform` runs on the switch when the request arrives; `lost` is the answer to one the link's end caught. */
  request<T>(perform: (reply: (result: T) => void) => void, lost: () => T): Promise<T>;
  /** The connection breaks: requests under way settle as lost, some of them having been carried out. */
  cut(): void;
  /** The controller is gone with the connection: nothing settles any more, nobody is told. */
  kill(): void;
}

interface Stream {
  readonly queue: (() => void)[];
  lastAt: number;
}

interface Pending {
  arrived: boolean;
  settleLost: () => void;
}

export function createLink(clock: Clock, chance: Chance, handlers: LinkHandlers): Link {
  let up = true;
  const streams = new Map<string, Stream>();
  /** When the last event of each bridge arrives. */
  const bridges = new Map<BridgeId, number>();
  const pending = new Set<Pending>();

  /** Tells when it arrives. */
  function enqueue(name: string, at: number, fn: () => void): number {
    const stream = streams.get(name) ?? { queue: [], lastAt: 0 };
    streams.set(name, stream);
    stream.lastAt = Math.max(stream.lastAt, at);
    stream.queue.push(fn);
    clock.setTimer(stream.lastAt, () => {
      stream.queue.shift()?.();
      if (stream.queue.length === 0) streams.delete(name);
    });
    return stream.lastAt;
  }

  return {
    up: () => up,
    inFlight: () => pending.size,
    send(subject, deliver, bridge) {
      if (!up) return;
      const at = clock.now() + chance.delayMs('event');
      const arrives = enqueue(subject, Math.max(at, bridges.get(bridge ?? '') ?? 0), () => up && deliver(handlers));
      if (bridge !== undefined) bridges.set(bridge, arrives);
    },
    sendLate(ms, deliver) {
      if (up) clock.setTimer(clock.now() + ms, () => up && deliver(handlers));
    },
    request<T>(perform: (reply: (result: T) => void) => void, lost: () => T): Promise<T> {
      if (!up) return Promise.resolve(lost());
      return new Promise<T>((resolve) => {
        const mine: Pending = { arrived: false, settleLost: () => resolve(lost()) };
        pending.add(mine);
        enqueue(' requests', clock.now() + chance.delayMs('request'), () => {
          // A request the cut caught on its way: still `pending` means it had left our socket.
          if (!pending.has(mine)) return;
          mine.arrived = true;
          perform((result) => {
            clock.setTimer(clock.now() + chance.delayMs('reply'), () => {
              if (pending.delete(mine) && up) resolve(result);
            });
          });
          if (!up) pending.delete(mine);
        });
      });
    },
    cut() {
      if (!up) return;
      up = false;
      for (const request of loseSome()) request.settleLost();
      for (const request of pending) request.settleLost();
      for (const request of pending) if (request.arrived) pending.delete(request);
      handlers.onLink('down', 'the connection was cut');
    },
    kill() {
      up = false;
      loseSome();
      for (const request of pending) if (request.arrived) pending.delete(request);
    },
  };

  /** Of the requests that have not arrived, the first few still do; those sent after them do not. */
  function loseSome(): readonly Pending[] {
    const waiting = [...pending].filter((request) => !request.arrived);
    const arriving = waiting.length === 0 ? 0 : chance.pick(waiting.length + 1);
    const lost = waiting.slice(arriving);
    for (const request of lost) pending.delete(request);
    return lost;
  }
}
