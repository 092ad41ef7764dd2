/**
 * FreeSWITCH’s event socket, inbound: events come in over one connection, commands go out over others, since a command
 * that takes its time holds up everything on its connection. Semantics: mod_event_socket of FreeSWITCH 1.10 and 1.11;
 * what was tried on a real switch is in the contract tests.
 */
import { isPowerOfTwo } from '../../power-of-two.ts';
import { createAwaitedEvents, type Awaited } from './awaited-events.ts';
import { refused, type Command, type CommandLimits } from './command-queue.ts';
import type { EslEvent } from './decode-frame.ts';
import { parseEslUrl } from './esl-address.ts';
import type { EslResult } from './esl-result.ts';
import { openEslSession, type EslSession, type Liveness, type SessionEnd } from './esl-session.ts';
import { ownId, unfit, writeArguments, type EslArguments } from './esl-text.ts';

/**
 * ```
 * connecting ──subscribed, version known──> up ──a connection or an event lost──> down ──back-off──> connecting
 *      └──────lost──────────────────────────────────────────────────────────────^
 * ```
 * Told to the driver: `up` once events flow and commands may be sent (everything missed meanwhile is not replayed: take a
 * snapshot), and `down` once per loss. `restarted`: the switch is another process than at the last `up`, and no call of
 * then lives; false at the first.
 */
export type EslLink = { readonly state: 'up'; readonly restarted: boolean } | { readonly state: 'down'; readonly why: string };

/** @public What the client uses of a logger; pino’s fits. */
export interface EslLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface EslOptions {
  /** `freeswitch://:password@host[:port]` */
  readonly url: string;
  /** Names of the events the switch shall send (`CHANNEL_ANSWER`), beyond those the client cannot do without. One that it does not know it passes over. */
  readonly events: readonly string[];
  /** Names of events of modules (`conference::maintenance`). */
  readonly subclasses?: readonly string[];
  /** Called in the order of the switch, synchronously, and only between `up` and `down`. */
  readonly onEvent: (event: EslEvent) => void;
  /** With the client, since the first `up`, and events after it, come before `connectEsl` resolves. */
  readonly onLink: (link: EslLink, client: EslClient) => void;
  readonly log: EslLog;
  /** Of each command that was answered, from its leaving on. */
  readonly onRoundTrip?: (ms: number) => void;
  readonly commandConnections?: number;
  readonly limits?: Partial<CommandLimits>;
  readonly liveness?: Partial<Liveness>;
  readonly backOff?: { readonly firstMs: number; readonly maxMs: number };
  /**
   * While something is going on, how often the switch is woken to send its events; 0 never. It looks for them every 20 ms:
   * woken every 2 ms a job took 1.6 ms at the median and not 11, for 2 % of a core here and nothing there.
   */
  readonly nudgeEveryMs?: number;
}

interface CommandOptions {
  /** What must be obeyed in the order of the calls has the same: the id of a call. */
  readonly order?: string;
  /** To the reply of `api`; to the result of `bgapi` and `execute`. */
  readonly timeoutMs?: number;
}

export interface ExecuteOptions extends CommandOptions {
  /** `Application-UUID` of the events of this run; one of ours by default. At most 36 letters, never used twice. */
  readonly id?: string;
  /** `queued`: do not wait for the end, which the driver sees as CHANNEL_EXECUTE_COMPLETE. */
  readonly until?: 'queued' | 'complete';
}

interface EslStats {
  readonly inFlight: number;
  readonly queued: number;
  /** Jobs and applications whose end has not been told yet. */
  readonly awaited: number;
  readonly timeouts: number;
  readonly lateReplies: number;
  readonly events: number;
  /** Messages that were no event, or lacked a part of theirs; logged by kind, never by content. */
  readonly badFrames: number;
  /** Exceptions out of `onEvent` or `onLink`: bugs of the driver. */
  readonly handlerErrors: number;
  readonly connects: number;
  /** How long the last numbered event took through the switch’s queue. */
  readonly eventLagMs: number;
}

/** No promise of it rejects, each settles once. A text that must not go to the switch (esl-text.ts) is `rejected`, by the argument’s name. */
export interface EslClient {
  /** Of the switch, such as `1.11.1-release+git~…`. */
  readonly version: string;
  /** Changes when the switch restarts. */
  readonly coreUuid: string;
  /** For what the switch does at once (`uuid_bridge`, `uuid_kill`, `uuid_setvar`): it is done in order, and holds up those behind it. */
  api(command: string, args?: EslArguments, options?: CommandOptions): Promise<EslResult>;
  /**
   * For what takes its time (`originate`). Each has a thread of its own in the switch: two may overtake each other.
   * Beware: an `origination_uuid` in use is answered `+OK` with another uuid.
   */
  bgapi(command: string, args: EslArguments, options: CommandOptions & { readonly timeoutMs: number }): Promise<EslResult>;
  /**
   * Runs an application on a channel, behind those that run there already. An application that does not exist is accepted and
   * then ends the call. `text` of the result: its `Application-Response`.
   */
  execute(channel: string, application: string, argument: string, options: ExecuteOptions & { readonly timeoutMs: number }): Promise<EslResult>;
  /** Sends an event of ours, by the name of its subclass, to all who have subscribed to it. */
  fire(subclass: string, headers: Readonly<Record<string, string>>): Promise<EslResult>;
  stats(): EslStats;
  /** Ends the link, as a loss that is told and mended as any other. */
  cut(why: string): void;
  /** Settles everything as unreachable and resolves when all connections and timers are gone. Neither `onLink` nor `onEvent` follows. */
  close(): Promise<void>;
}

export type ConnectResult =
  | { readonly ok: true; readonly client: EslClient }
  | { readonly ok: false; readonly reason: 'bad-address' | SessionEnd; readonly message: string };

/** The results of jobs, and the ends of applications or of their channels. */
const alwaysSent = ['BACKGROUND_JOB', 'CHANNEL_EXECUTE_COMPLETE', 'CHANNEL_HANGUP_COMPLETE'];

const defaultLimits: CommandLimits = { maxInFlight: 256, maxQueued: 4096, commandTimeoutMs: 5000 };
const defaultLiveness: Liveness = { markEveryMs: 1000, deadAfterMs: 10_000, connectTimeoutMs: 5000 };
const defaultBackOff = { firstMs: 100, maxMs: 5000 };
const defaultConnections = 2;
const defaultNudgeMs = 2;
/** So long after the last event or command something is still going on. */
const nudgeForMs = 1000;

/** Events between the subscription and `up` wait for it; more than this is no switch. */
const maxHeldEvents = 10_000;

/**
 * Connects, checks the switch, and resolves when the link is up for the first time. From then on it reconnects by itself
 * until `close`. A failure is a sentence for the operator, and that of a SwitchRefusedError; nothing is left open then.
 */
export async function connectEsl(options: EslOptions): Promise<ConnectResult> {
  const parsed = parseEslUrl(options.url);
  if (!parsed.ok) return { ok: false, reason: 'bad-address', message: parsed.message };
  const { address } = parsed;
  const { log } = options;
  const at = { switch: address.display };
  const backOff = options.backOff ?? defaultBackOff;
  const nudgeMs = options.nudgeEveryMs ?? defaultNudgeMs;
  const client = ownId();

  let state: 'connecting' | 'up' | 'down' | 'closed' = 'connecting';
  let session: EslSession | undefined;
  let [version, coreUuid] = ['', ''];
  let retry: NodeJS.Timeout | undefined;
  let nudging: NodeJS.Timeout | undefined;
  let failedInARow = 0;
  let held: EslEvent[] = [];
  let lastId = 0;
  let activeAt = 0;
  let gone: PromiseWithResolvers<undefined> | undefined;
  const counts = { events: 0, badFrames: 0, handlerErrors: 0, connects: 0 };
  const before = { timeouts: 0, lateReplies: 0 };
  const awaited = createAwaitedEvents();
  const first = Promise.withResolvers<ConnectResult>();

  const nextId = (): string => `${client}-${(lastId += 1).toString(36)}`;

  function guarded(call: () => void): void {
    try {
      call();
    } catch (error) {
      counts.handlerErrors += 1;
      log.error({ ...at, err: error }, 'A handler of the switch connection failed.');
    }
  }

  function deliver(event: EslEvent): void {
    counts.events += 1;
    activeAt = performance.now();
    awaited.onEvent(event);
    guarded(() => { options.onEvent(event); });
  }

  function nudge(): void {
    if (performance.now() - activeAt < nudgeForMs || awaited.stats().awaited > 0) session?.nudge();
  }

  function onEvent(event: EslEvent): void {
    if (state === 'up') deliver(event);
    else if (state === 'connecting') {
      held.push(event);
      if (held.length > maxHeldEvents) session?.cut('it sent too many events before its version');
    }
  }

  function onBadEvent(why: string): void {
    counts.badFrames += 1;
    if ((counts.badFrames & (counts.badFrames - 1)) === 0) log.warn({ ...at, why, count: counts.badFrames }, 'The switch sent a message that cannot be read.');
  }

  function connect(): void {
    state = 'connecting';
    gone = Promise.withResolvers();
    session = openEslSession({
      address, events: [...alwaysSent, ...options.events], subclasses: options.subclasses ?? [],
      commandConnections: options.commandConnections ?? defaultConnections,
      limits: { ...defaultLimits, ...options.limits }, liveness: { ...defaultLiveness, ...options.liveness },
      onUp, onEvent, onBadEvent, onRoundTrip: options.onRoundTrip, onClosed,
    });
  }

  function onUp(found: { readonly version: string; readonly coreUuid: string }): void {
    if (state !== 'connecting') return;
    const restarted = coreUuid !== '' && coreUuid !== found.coreUuid;
    ({ version, coreUuid } = found);
    state = 'up';
    failedInARow = 0;
    counts.connects += 1;
    if (nudgeMs > 0) nudging = setInterval(nudge, nudgeMs);
    log.info({ ...at, version, restarted }, restarted ? 'Connected to the switch, which has been restarted.' : 'Connected to the switch.');
    guarded(() => { options.onLink({ state: 'up', restarted }, api); });
    const waiting = held;
    held = [];
    for (const event of waiting) if (state === 'up') deliver(event);
    first.resolve({ ok: true, client: api });
  }

  function onClosed(why: string, reason: SessionEnd): void {
    const former = state;
    held = [];
    clearInterval(nudging);
    const { timeouts, lateReplies } = session?.stats() ?? before;
    before.timeouts += timeouts;
    before.lateReplies += lateReplies;
    session = undefined;
    awaited.failAll(`The link to the switch was lost: ${why}.`);
    gone?.resolve(undefined);
    if (former === 'closed') {
      first.resolve({ ok: false, reason: 'unreachable', message: 'The connection was closed here.' });
      return;
    }
    if (counts.connects === 0) {
      state = 'closed';
      first.resolve({ ok: false, reason, message: refusal(address.display, why, reason) });
      return;
    }
    state = 'down';
    // Full jitter: after a restart of the switch no two controllers come back in step.
    const waitMs = Math.random() * Math.min(backOff.maxMs, backOff.firstMs * 2 ** Math.min(failedInARow, 16));
    failedInARow += 1;
    retry = setTimeout(connect, waitMs);
    if (former === 'up') log.warn({ ...at, why, retryInMs: Math.round(waitMs) }, 'Lost the link to the switch.');
    else if (isPowerOfTwo(failedInARow)) log.warn({ ...at, why, tries: failedInARow }, 'The switch cannot be reached.');
    if (former === 'up') guarded(() => { options.onLink({ state: 'down', why }, api); });
  }

  async function send(command: Command, order = '', timeoutMs?: number): Promise<EslResult> {
    if (state !== 'up' || session === undefined) return { ok: false, error: 'unreachable', message: 'There is no link to the switch.', sent: false };
    if (Buffer.byteLength(command.text) > maxCommandBytes) return refused(`${command.what} is longer than the ${maxCommandBytes} bytes that one command may have.`);
    activeAt = performance.now();
    return session.send(command, order, timeoutMs);
  }

  /** The result that an event will bring, or the reply to the command where that is a refusal. */
  async function sendFor(waiting: Awaited, command: Command, order: string | undefined): Promise<EslResult> {
    const reply = await send(command, order);
    if (!reply.ok && !(reply.error === 'timeout' && reply.sent)) waiting.settle(reply);
    return waiting.result;
  }

  const api: EslClient = {
    get version() { return version; },
    get coreUuid() { return coreUuid; },
    api: async (command, args = {}, { order, timeoutMs } = {}) => {
      const written = writeArguments(command, args);
      if (!written.ok) return refused(written.message);
      return send({ what: command, text: `api ${command}${written.text === '' ? '' : ' '}${written.text}\n\n`, answeredBy: 'api' }, order, timeoutMs);
    },
    bgapi: async (command, args, { order, timeoutMs }) => {
      const written = writeArguments(command, args);
      if (!written.ok) return refused(written.message);
      const id = nextId();
      return sendFor(awaited.job(id, command, timeoutMs), { what: command, text: `bgapi ${command} ${written.text}\nJob-UUID: ${id}\n\n`, answeredBy: 'command' }, order);
    },
    execute: async (channel, application, argument, { order, timeoutMs, id = nextId(), until = 'complete' }) => {
      for (const [name, value] of Object.entries({ channel, application, id, argument })) {
        const why = unfit(value) ?? (name !== 'argument' && !/^[\w.-]+$/.test(value) ? 'is no name or id' : undefined);
        if (why !== undefined) return refused(`${application.slice(0, 60)} was not executed: its ${name} ${why}.`);
      }
      // Without event-lock the second of two would start inside the first.
      const text = `sendmsg ${channel}\ncall-command: execute\nexecute-app-name: ${application}\nexecute-app-arg: ${argument}\nevent-lock: true\nEvent-UUID: ${id}\n\n`;
      const command: Command = { what: application, text, answeredBy: 'command' };
      if (until === 'queued') return send(command, order ?? channel, timeoutMs);
      return sendFor(awaited.completion(id, channel, application, timeoutMs), command, order ?? channel);
    },
    fire: async (subclass, headers) => {
      const lines = Object.entries({ 'Event-Subclass': subclass, ...headers });
      const why = lines.map(([, value]) => unfit(value)).find((problem) => problem !== undefined);
      if (why !== undefined) return refused(`${subclass} was not sent: it ${why}.`);
      return send({ what: 'sendevent', text: `sendevent CUSTOM\n${lines.map(([name, value]) => `${name}: ${value}\n`).join('')}\n`, answeredBy: 'command' });
    },
    stats: () => {
      const now = session?.stats() ?? { inFlight: 0, queued: 0, timeouts: 0, lateReplies: 0 };
      const waiting = awaited.stats();
      return {
        ...now, ...counts, awaited: waiting.awaited, timeouts: before.timeouts + now.timeouts + waiting.timeouts,
        lateReplies: before.lateReplies + now.lateReplies, eventLagMs: session?.eventLagMs() ?? 0,
      };
    },
    cut: (why) => { if (state === 'up') session?.cut(why); },
    close: async () => {
      clearTimeout(retry);
      clearInterval(nudging);
      state = 'closed';
      awaited.failAll('The connection to the switch was closed here.');
      session?.cut('closed here');
      await gone?.promise;
    },
  };

  connect();
  return first.promise;
}

/** The switch takes 10 MB and reads them letter by letter; nothing of ours is as long as this. */
const maxCommandBytes = 60_000;

function refusal(display: string, why: string, reason: SessionEnd): string {
  const where = `FreeSWITCH at ${display}`;
  switch (reason) {
    case 'unauthorized':
      return `${where} refuses the password (see event_socket.conf.xml).`;
    case 'turned-away':
      return `${where} takes no connection from this address: its event_socket.conf.xml has an apply-inbound-acl, which is loopback.auto where none is written.`;
    case 'not-freeswitch':
      return `${display} does not answer as FreeSWITCH’s event socket does: ${why}. Is this the port of event_socket.conf.xml?`;
    case 'too-old':
      return `${where} cannot be used: ${why}.`;
    case 'unreachable':
      return `${where} cannot be used: ${why}. Is it running, with mod_event_socket, and is this its address?`;
  }
}
