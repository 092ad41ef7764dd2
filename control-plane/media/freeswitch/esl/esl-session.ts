/**
 * One link to the switch, from its connect to its end: a connection for events and a few for commands, which are one
 * link to whoever uses it. Up when all are up, and the loss of one is the loss of all.
 *
 * Lost events. The switch drops what does not fit into a listener's queue (100,000 events) and says so in its own log
 * alone; `Event-Sequence` counts every event of the switch, not those of a listener, so a gap in it proves nothing. So each
 * command connection sends a numbered event of ours every second, through the same queue: one that is missing means that
 * others are missing too, and one that is late means that the queue is filling. Either ends the link, and the driver
 * takes a snapshot when it is up again.
 */
import { checkSwitch, type SwitchCheck } from './check-switch.ts';
import type { Command, CommandLimits } from './command-queue.ts';
import { headerOf, type EslEvent } from './decode-frame.ts';
import type { EslAddress } from './esl-address.ts';
import type { EslResult } from './esl-result.ts';
import { openEslSocket, type EndReason, type EslSocket } from './esl-socket.ts';
import { ownId } from './esl-text.ts';

export interface Liveness {
  /** A numbered event goes out this often over each command connection. */
  readonly markEveryMs: number;
  /** A mark or a reply that is not there after this long: the link is dead, or too slow to be of use. Must exceed the slowest `api` command. */
  readonly deadAfterMs: number;
  /** For a connection and its password, and again for the subscription. */
  readonly connectTimeoutMs: number;
}

export interface SessionOptions {
  readonly address: EslAddress;
  readonly events: readonly string[];
  readonly subclasses: readonly string[];
  readonly commandConnections: number;
  readonly limits: CommandLimits;
  readonly liveness: Liveness;
  readonly onUp: (found: Extract<SwitchCheck, { readonly ok: true }>) => void;
  /** In the switch's order, also before `onUp`: those since the subscription. */
  readonly onEvent: (event: EslEvent) => void;
  readonly onBadEvent: (why: string) => void;
  readonly onRoundTrip?: ((ms: number) => void) | undefined;
  /** Exactly once, when every connection is gone. */
  readonly onClosed: (why: string, reason: SessionEnd) => void;
}

export type SessionEnd = EndReason | 'too-old';

export interface EslSession {
  /** Commands with the same `order` (a call's id) leave over one connection and are obeyed in the order of the calls. */
  send(command: Command, order: string, timeoutMs?: number): Promise<EslResult>;
  nudge(): void;
  /** How long the last mark took through the switch's queue. */
  eventLagMs(): number;
  stats(): { readonly inFlight: number; readonly queued: number; readonly timeouts: number; readonly lateReplies: number };
  cut(why: string): void;
}

export function openEslSession(options: SessionOptions): EslSession {
  const { address, liveness } = options;
  const subclass = `frontdesk::${ownId()}`;
  /** Of each command connection: the marks that have not come back, by number, and when they left. */
  const marks = Array.from({ length: options.commandConnections }, () => new Map<number, number>());
  let marksSent = 0;
  let lagMs = 0;
  let marking: NodeJS.Timeout | undefined;
  let [ready, open] = [0, 0];
  let ended: { readonly why: string; readonly reason: SessionEnd } | undefined;

  const connection = (onEvent: (event: EslEvent) => void): EslSocket => {
    open += 1;
    return openEslSocket(address, options.limits, liveness.connectTimeoutMs, {
      onReady: () => {
        ready += 1;
        if (ready === 1 + options.commandConnections) void subscribe();
      },
      onEvent,
      onBadEvent: options.onBadEvent,
      onRoundTrip: options.onRoundTrip,
      onClosed: (why, reason) => {
        open -= 1;
        end(why, reason);
        const { why: first, reason: because } = ended ?? { why, reason };
        if (open === 0) options.onClosed(first, because);
      },
    });
  };
  const eventSocket = connection(onEvent);
  const lanes = marks.map(() => connection(() => undefined));
  const all = [eventSocket, ...lanes];
  const lane = (order: string): EslSocket => lanes[hash(order) % lanes.length] ?? eventSocket;

  function end(why: string, reason: SessionEnd): void {
    if (ended !== undefined) return;
    ended = { why, reason };
    clearInterval(marking);
    for (const socket of all) socket.cut(why);
  }

  async function subscribe(): Promise<void> {
    // Whatever follows CUSTOM is taken for the name of an event of a module.
    const line = `event json ${[...new Set(options.events)].join(' ')} CUSTOM ${[subclass, ...options.subclasses].join(' ')}\n\n`;
    const [subscribed, found] = await Promise.all([
      eventSocket.send({ what: 'event', text: line, answeredBy: 'command' }, liveness.connectTimeoutMs),
      checkSwitch(async (command) => lane('').send(command, liveness.connectTimeoutMs)),
    ]);
    if (ended !== undefined) return;
    if (!found.ok) end(found.why, found.reason);
    else if (!subscribed.ok) end(`it does not send its events (${subscribed.message})`, 'unreachable');
    else {
      marking = setInterval(mark, liveness.markEveryMs);
      options.onUp(found);
      mark();
    }
  }

  function mark(): void {
    if (ended !== undefined) return;
    const now = performance.now();
    const late = marks.some((sent) => now - (sent.values().next().value ?? now) > liveness.deadAfterMs);
    if (late || all.some((socket) => socket.oldestMs() > liveness.deadAfterMs)) {
      // Our own stall looks like silence: what lies in the kernel is read between timers and this check.
      setImmediate(() => { endIfDead(); });
    }
    for (const [index, socket] of lanes.entries()) {
      marksSent += 1;
      marks[index]?.set(marksSent, now);
      const text = `sendevent CUSTOM\nEvent-Subclass: ${subclass}\nFrontdesk-Mark: ${index} ${marksSent}\n\n`;
      const number = marksSent;
      void socket.send({ what: 'sendevent', text, answeredBy: 'command' }, liveness.deadAfterMs).then((result) => {
        if (!result.ok && !result.sent) marks[index]?.delete(number);
      });
    }
  }

  function endIfDead(): void {
    const now = performance.now();
    if (all.some((socket) => socket.oldestMs() > liveness.deadAfterMs)) end(`a command had no reply for ${liveness.deadAfterMs} ms`, 'unreachable');
    else if (marks.some((sent) => now - (sent.values().next().value ?? now) > liveness.deadAfterMs)) end(`its events were more than ${liveness.deadAfterMs} ms late`, 'unreachable');
  }

  function onEvent(event: EslEvent): void {
    if (event.name === 'CUSTOM' && headerOf(event, 'Event-Subclass') === subclass) onMark(headerOf(event, 'Frontdesk-Mark') ?? '');
    else options.onEvent(event);
  }

  function onMark(text: string): void {
    const [index, number] = text.split(' ').map(Number);
    const sent = marks[index ?? -1];
    const sentAt = sent?.get(number ?? -1);
    if (sent === undefined || sentAt === undefined || number === undefined) return;
    lagMs = performance.now() - sentAt;
    const oldest = sent.keys().next().value;
    sent.delete(number);
    if (oldest !== number) end('events were lost on the way', 'unreachable');
  }

  return {
    send: async (command, order, timeoutMs) => lane(order).send(command, timeoutMs),
    nudge: () => { eventSocket.nudge(); },
    eventLagMs: () => lagMs,
    stats: () => {
      const each = all.map((socket) => socket.stats());
      const sum = (pick: (stats: (typeof each)[number]) => number): number => each.reduce((total, stats) => total + pick(stats), 0);
      return { inFlight: sum((s) => s.inFlight), queued: sum((s) => s.queued), timeouts: sum((s) => s.timeouts), lateReplies: sum((s) => s.lateReplies) };
    },
    cut: (why) => { end(why, 'unreachable'); },
  };
}

function hash(text: string): number {
  let value = 0;
  for (const letter of text) value = (Math.imul(value, 31) + letter.charCodeAt(0)) >>> 0;
  return value;
}
