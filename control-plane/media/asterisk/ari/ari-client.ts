/**
 * Asterisk's REST interface over one websocket: events come in, requests go out and are answered on it.
 * Semantics: docs.asterisk.org, "ARI REST over WebSocket"; what it leaves open was tried on 22.10.1 and is
 * in the contract tests.
 */
import { isPowerOfTwo } from '../../power-of-two.ts';
import { parseAriUrl } from './ari-address.ts';
import type { AriOperationId, AriParams, AriResponse, AriResult } from './ari-result.ts';
import { openAriSocket } from './ari-socket.ts';
import type { AriSocket, Liveness } from './ari-socket.ts';
import type { AriEvent } from './ari-types.generated.ts';
import { checkSwitch } from './check-switch.ts';
import { decodeFrame } from './decode-frame.ts';
import type { SwitchEvent } from './decode-frame.ts';
import { createRequestQueue } from './request-queue.ts';
import type { RequestLimits } from './request-queue.ts';

/**
 * ```
 * connecting ──filter set──> up ──socket lost──> down ──back-off──> connecting
 *      └──────lost──────────────────────────────^          up ──ApplicationReplaced──> replaced (final)
 * ```
 * Told to the driver: `up` once events are filtered and requests may be sent (everything missed meanwhile is
 * not replayed: take a snapshot), `down` once per loss, `replaced` when another process took our name.
 */
export type AriLink = 'up' | 'down' | 'replaced';

/** @public What the client uses of a logger; pino’s fits. */
export interface AriLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface AriOptions {
  /** `http(s)://user:password@host:port[/prefix]` */
  readonly url: string;
  /** Name of our ARI application; a second process with the same name replaces this one. */
  readonly app: string;
  /** Event types the switch shall send, beyond those the client cannot do without. */
  readonly eventFilter: readonly AriEvent['type'][];
  /** Called in the order of the frames, synchronously, and only between `up` and `down`. */
  readonly onEvent: (event: SwitchEvent) => void;
  /** With the client, since the first `up`, and events after it, come before `connectAri` resolves. */
  readonly onLink: (link: AriLink, client: AriClient) => void;
  readonly log: AriLog;
  /** Of each request that was answered, from its leaving on. */
  readonly onRoundTrip?: (ms: number) => void;
  readonly limits?: Partial<RequestLimits>;
  readonly liveness?: Partial<Liveness>;
  readonly backOff?: { readonly firstMs: number; readonly maxMs: number };
  /** Ask for the version before connecting; off only in tests against something that is no Asterisk. */
  readonly appVersionCheck?: boolean;
}

interface AriStats {
  readonly inFlight: number;
  readonly queued: number;
  readonly timeouts: number;
  /** Replies to requests that had timed out, and replies to nobody. */
  readonly lateReplies: number;
  readonly events: number;
  /** Frames that were no event, or lacked a part of theirs; logged by kind, never by content. */
  readonly badFrames: number;
  readonly unknownEvents: number;
  /** Exceptions out of `onEvent` or `onLink`: bugs of the driver. */
  readonly handlerErrors: number;
  readonly connects: number;
}

type RequiredOf<T> = { [K in keyof T]-?: undefined extends T[K] ? never : K }[keyof T];
/** A request without required parameters needs none at all. */
export type ParamsArgument<O extends AriOperationId> = [RequiredOf<AriParams<O>>] extends [never]
  ? [params?: AriParams<O>, options?: RequestOptions] : [params: AriParams<O>, options?: RequestOptions];

interface RequestOptions { readonly timeoutMs?: number }

export interface AriClient {
  /** Of the switch, such as `22.10.1+dfsg`; empty when it was not asked. */
  readonly version: string;
  readonly app: string;
  /** Never rejects, settles once. Requests leave in the order of the calls, and Asterisk obeys them in that order. */
  request<O extends AriOperationId>(operation: O, ...rest: ParamsArgument<O>): Promise<AriResult<AriResponse<O>>>;
  stats(): AriStats;
  /** Ends the connection, as a loss that is told and mended as any other. */
  cut(why: string): void;
  /** Settles every request as unreachable and resolves when the socket and all timers are gone. Neither `onLink` nor `onEvent` follows. */
  close(): Promise<void>;
}

export type ConnectResult =
  | { readonly ok: true; readonly client: AriClient }
  | { readonly ok: false; readonly reason: 'bad-address' | 'unreachable' | 'unauthorized' | 'not-asterisk' | 'too-old'; readonly message: string };

// Without the first no reply would arrive, not even the filter's own; the others are about who we are.
const neverFiltered: readonly AriEvent['type'][] = ['RESTResponse', 'CallBroadcast', 'ApplicationReplaced'];

export const defaultLimits: RequestLimits = { maxInFlight: 256, maxQueued: 4096, requestTimeoutMs: 5000 };
const defaultLiveness: Liveness = { pingEveryMs: 2000, deadAfterMs: 6000, connectTimeoutMs: 5000 };
const defaultBackOff = { firstMs: 100, maxMs: 5000 };

/** Events between the opening of the socket and the filter's reply wait for `up`; more than this is no switch. */
const maxHeldEvents = 10_000;
const closeGraceMs = 500;

/**
 * Checks the switch, connects, and resolves when the link is up for the first time. From then on it reconnects
 * by itself until `close`. A failure is a sentence for the operator; nothing is left open then.
 */
export async function connectAri(options: AriOptions): Promise<ConnectResult> {
  const parsed = parseAriUrl(options.url);
  if (!parsed.ok) return { ok: false, reason: 'bad-address', message: parsed.message };
  const { address } = parsed;
  const liveness = { ...defaultLiveness, ...options.liveness };
  let version = '';
  if (options.appVersionCheck !== false) {
    const check = await checkSwitch(address, liveness.connectTimeoutMs);
    if (!check.ok) return check;
    version = check.version;
  }
  const backOff = options.backOff ?? defaultBackOff;
  const { log } = options;
  const at = { switch: address.display, app: options.app };
  const filter = { allowed: [...new Set([...neverFiltered, ...options.eventFilter])].map((type) => ({ type })) };

  let state: 'connecting' | 'up' | 'down' | 'replaced' | 'closed' = 'connecting';
  let socket: AriSocket;
  let retry: NodeJS.Timeout | undefined;
  let failedInARow = 0;
  let held: SwitchEvent[] = [];
  let socketGone: PromiseWithResolvers<undefined> | undefined;
  const counts = { events: 0, badFrames: 0, unknownEvents: 0, handlerErrors: 0, connects: 0 };
  const first = Promise.withResolvers<ConnectResult>();
  const requests = createRequestQueue({ ...defaultLimits, ...options.limits }, (frame) => { socket.send(frame); }, options.onRoundTrip);

  function guarded(call: () => void): void {
    try {
      call();
    } catch (error) {
      counts.handlerErrors += 1;
      log.error({ ...at, err: error }, 'A handler of the switch connection failed.');
    }
  }

  function deliver(event: SwitchEvent): void {
    counts.events += 1;
    guarded(() => { options.onEvent(event); });
  }

  function onMessage(data: Uint8Array): void {
    const frame = decodeFrame(data);
    switch (frame.kind) {
      case 'reply':
        requests.reply(frame.reply);
        return;
      case 'event':
        if (frame.event.type === 'ApplicationReplaced') replaced();
        else if (state === 'up') deliver(frame.event);
        else if (state === 'connecting') hold(frame.event);
        return;
      case 'unknown':
        counts.unknownEvents += 1;
        if (isPowerOfTwo(counts.unknownEvents)) log.info({ ...at, type: frame.type.slice(0, 60), count: counts.unknownEvents }, 'The switch sent an event of a kind not known here.');
        return;
      case 'bad':
        counts.badFrames += 1;
        if (isPowerOfTwo(counts.badFrames)) log.warn({ ...at, why: frame.why, bytes: data.byteLength, count: counts.badFrames }, 'The switch sent a message that cannot be read.');
    }
  }

  function hold(event: SwitchEvent): void {
    held.push(event);
    if (held.length > maxHeldEvents) socket.cut('too many events before the filter was set');
  }

  function replaced(): void {
    if (state !== 'up' && state !== 'connecting') return;
    state = 'replaced';
    held = [];
    log.error(at, 'Another process has connected under this application name: no command leaves here any more.');
    requests.failAll('Another process has taken this application name.');
    socket.close(closeGraceMs);
    guarded(() => { options.onLink('replaced', client); });
    first.resolve({ ok: false, reason: 'unreachable', message: `Another process uses the ARI application ${options.app}.` });
  }

  function connect(): void {
    state = 'connecting';
    socketGone = Promise.withResolvers();
    socket = openAriSocket(address, options.app, liveness, {
      onOpen: () => { void setFilter(socket); },
      onMessage,
      onClosed,
    });
  }

  async function setFilter(opened: AriSocket): Promise<void> {
    // The switch forgets the filter of an idle application with its socket, so it is set on every connect.
    const result = await requests.request('applications.filter', { applicationName: options.app, filter }, liveness.connectTimeoutMs);
    if (state !== 'connecting' || socket !== opened) return;
    if (!result.ok) {
      opened.cut(`the event filter was not accepted (${result.message})`);
      return;
    }
    state = 'up';
    failedInARow = 0;
    counts.connects += 1;
    log.info({ ...at, version }, 'Connected to the switch.');
    guarded(() => { options.onLink('up', client); });
    const waiting = held;
    held = [];
    for (const event of waiting) if (state === 'up') deliver(event);
    first.resolve({ ok: true, client });
  }

  function onClosed(why: string): void {
    const before = state;
    held = [];
    requests.failAll(`The link to the switch was lost: ${why}.`);
    socketGone?.resolve(undefined);
    if (before === 'replaced' || before === 'closed') {
      first.resolve({ ok: false, reason: 'unreachable', message: 'The connection was closed here.' });
      return;
    }
    state = counts.connects === 0 ? 'closed' : 'down';
    if (state === 'closed') {
      first.resolve({ ok: false, reason: 'unreachable', message: `The websocket of Asterisk at ${address.display} cannot be used: ${why}.` });
      return;
    }
    // Full jitter: after a restart of the switch no two controllers come back in step.
    const waitMs = Math.random() * Math.min(backOff.maxMs, backOff.firstMs * 2 ** Math.min(failedInARow, 16));
    failedInARow += 1;
    retry = setTimeout(connect, waitMs);
    if (before === 'up') log.warn({ ...at, why, retryInMs: Math.round(waitMs) }, 'Lost the link to the switch.');
    else if (isPowerOfTwo(failedInARow)) log.warn({ ...at, why, tries: failedInARow }, 'The switch cannot be reached.');
    if (before === 'up') guarded(() => { options.onLink('down', client); });
  }

  const client: AriClient = {
    version,
    app: options.app,
    request: async <O extends AriOperationId>(operation: O, ...[params, request]: ParamsArgument<O>) => {
      if (state !== 'up') {
        const message = state === 'replaced' ? 'Another process has taken this application name.' : 'There is no link to the switch.';
        return { ok: false, error: 'unreachable', message, sent: false } as const;
      }
      return requests.request(operation, params ?? {}, request?.timeoutMs);
    },
    stats: () => ({ ...requests.stats(), ...counts }),
    cut: (why) => { if (state === 'up') socket.cut(why); },
    close: async () => {
      clearTimeout(retry);
      state = 'closed';
      requests.failAll('The connection to the switch was closed here.');
      socket.close(closeGraceMs);
      await socketGone?.promise;
    },
  };

  connect();
  return first.promise;
}
