/** The controllers that know this switch, by instance name, and the one link each may have. */
import type { Chance, Clock } from './chance.ts';
import { createLink, type Link, type LinkHandlers } from './link.ts';

export interface Seat {
  readonly handlers: LinkHandlers;
  accepting: boolean;
  link: Link | null;
}

export interface Controllers {
  /** Takes the instance's place; whoever had it is told it was replaced, and hears nothing more. */
  connect(instance: string, handlers: LinkHandlers): Seat;
  /** Null when the seat has been taken by another, or has let go. */
  disconnect(instance: string, seat: Seat): void;
  /** The link of an instance, when it is up. */
  link(instance: string): Link | undefined;
  /** Connected and taking new calls. */
  accepting(): readonly string[];
  reachable(instance: string): boolean;
  cut(instance: string): void;
  restore(instance: string): void;
  kill(instance: string): void;
}

export function createControllers(clock: Clock, chance: Chance): Controllers {
  const seats = new Map<string, Seat>();
  const severed = new Set<string>();

  return {
    connect(instance, handlers) {
      const former = seats.get(instance);
      if (former?.link?.up() === true) {
        former.link.kill();
        former.link = null;
        former.handlers.onLink('replaced', 'another connection took this name');
      }
      const seat: Seat = { handlers, accepting: true, link: createLink(clock, chance, handlers) };
      seats.set(instance, seat);
      handlers.onLink('up', 'connected');
      return seat;
    },
    disconnect(instance, seat) {
      seat.link?.kill();
      seat.link = null;
      if (seats.get(instance) === seat) seats.delete(instance);
    },
    link(instance) {
      const link = seats.get(instance)?.link;
      return link?.up() === true ? link : undefined;
    },
    accepting: () => [...seats].filter(([, seat]) => seat.accepting && seat.link?.up() === true).map(([instance]) => instance),
    reachable: (instance) => !severed.has(instance),
    cut(instance) {
      severed.add(instance);
      const seat = seats.get(instance);
      const link = seat?.link;
      if (seat === undefined || link === null || link === undefined) return;
      seat.link = null;
      link.cut();
    },
    restore(instance) {
      severed.delete(instance);
      const seat = seats.get(instance);
      if (seat === undefined || seat.link !== null) return;
      seat.link = createLink(clock, chance, seat.handlers);
      seat.handlers.onLink('up', 'connected again');
    },
    kill(instance) {
      severed.delete(instance);
      seats.get(instance)?.link?.kill();
      seats.delete(instance);
    },
  };
}
