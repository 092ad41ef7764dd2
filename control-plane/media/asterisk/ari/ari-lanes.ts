/**
 * One link made of several websockets. Asterisk works through the requests of one websocket one after another, and
 * `create`, `answer` and `addChannel` wait for other threads of the switch: at 100 calls/s that row is longer than a
 * second is. So events and what belongs to no call stay on the first websocket, and each call's requests go over one
 * of the lanes, always the same, in order. Measured in docs/decisions/0004.
 *
 * The lanes are one link to whoever uses it: up when all are up, and the loss of one is the loss of all. Long lists go
 * beside them: see ari-lists.ts.
 */
import { callIdOf } from '../../../core/ids.ts';
import { parseAriUrl } from './ari-address.ts';
import { connectAri, defaultLimits, type AriClient, type AriLink, type AriOptions, type ConnectResult, type ParamsArgument } from './ari-client.ts';
import { askForList, isList } from './ari-lists.ts';
import type { AriOperationId, AriResponse, AriResult } from './ari-result.ts';

/** The static dialplan offers calls to applications named `frontdesk-…`: a lane's must not be one. */
const laneApp = (app: string, lane: number): string => `fdlane${lane}-${app}`;

/** As connectAri, with `count` more websockets for the requests of calls. */
export async function connectLanes(options: AriOptions, count: number): Promise<ConnectResult> {
  const parsed = parseAriUrl(options.url);
  if (!parsed.ok) return { ok: false, reason: 'bad-address', message: parsed.message };
  const { address } = parsed;
  const listWithinMs = options.limits?.requestTimeoutMs ?? defaultLimits.requestTimeoutMs;
  let losing = new AbortController();
  const clients: AriClient[] = [];
  const up: boolean[] = [];
  let linkUp = false;
  let connects = 0;

  const onLink = (index: number) => (state: AriLink, client: AriClient): void => {
    clients[index] = client;
    if (state === 'up') {
      up[index] = true;
      tellWhenUp();
      return;
    }
    const wasUp = up[index] === true;
    up[index] = false;
    if (state === 'replaced') {
      if (index === 0) yieldAll();
      else loseAll('another process uses the name of a lane');
    } else if (wasUp) {
      loseAll('one of the websockets was lost');
    }
  };

  /** The name is another process's: a lane that came back would take that one's. */
  function yieldAll(): void {
    linkGone();
    for (const lane of clients.slice(1)) void lane.close();
    options.onLink('replaced', link);
  }

  function tellWhenUp(): void {
    if (linkUp || up.length <= count || !up.every(Boolean)) return;
    linkUp = true;
    connects += 1;
    options.onLink('up', link);
  }

  /** What else is up goes down with it, at once for us; each comes back by itself. */
  function loseAll(why: string): void {
    for (const [index, client] of clients.entries()) {
      if (up[index] !== true) continue;
      up[index] = false;
      client.cut(why);
    }
    if (!linkUp) return;
    linkGone();
    options.onLink('down', link);
  }

  function linkGone(): void {
    linkUp = false;
    losing.abort();
    losing = new AbortController();
  }

  const main = (): AriClient | undefined => clients[0];
  const link: AriClient = {
    get version() { return main()?.version ?? ''; },
    app: options.app,
    request: async <O extends AriOperationId>(operation: O, ...rest: ParamsArgument<O>) => {
      const client = clients[laneOf(rest[0], count)];
      if (!linkUp || client === undefined) return { ok: false, error: 'unreachable', message: 'There is no link to the switch.', sent: false } as const;
      if (!isList(operation)) return client.request(operation, ...rest);
      return (await askForList(address, operation, rest[0] ?? {}, { timeoutMs: rest[1]?.timeoutMs ?? listWithinMs, signal: losing.signal })) as AriResult<AriResponse<O>>;
    },
    stats: () => {
      const all = clients.map((client) => client.stats());
      const sum = (pick: (stats: ReturnType<AriClient['stats']>) => number): number => all.reduce((total, stats) => total + pick(stats), 0);
      return {
        inFlight: sum((s) => s.inFlight), queued: sum((s) => s.queued), timeouts: sum((s) => s.timeouts), lateReplies: sum((s) => s.lateReplies), events: sum((s) => s.events),
        badFrames: sum((s) => s.badFrames), unknownEvents: sum((s) => s.unknownEvents), handlerErrors: sum((s) => s.handlerErrors), connects,
      };
    },
    cut: (why) => { loseAll(why); },
    close: async () => {
      linkGone();
      await Promise.all(clients.map((client) => client.close()));
    },
  };

  const first = await connectAri({ ...options, onLink: onLink(0) });
  if (!first.ok) return first;
  const lanes = await Promise.all(Array.from({ length: count }, (_, i) => connectAri({
    ...options, app: laneApp(options.app, i + 1), eventFilter: [], onEvent: () => undefined, onLink: onLink(i + 1), appVersionCheck: false,
  })));
  const refused = lanes.find((lane) => !lane.ok);
  if (refused === undefined) return { ok: true, client: link };
  await link.close();
  return refused;
}

/** 0 for what belongs to no call. */
function laneOf(params: object | undefined, count: number): number {
  const id = callPart(params ?? {});
  if (id === undefined || count === 0) return 0;
  let hash = 0;
  // The two tracks of a call's recording have its name, each with a side of its own.
  for (const letter of callIdOf(id.replace(/-(?:caller|callee)$/, ''))) hash = (Math.imul(hash, 31) + letter.charCodeAt(0)) >>> 0;
  return 1 + (hash % count);
}

function callPart(params: object): string | undefined {
  for (const name of ['channelId', 'bridgeId', 'playbackId', 'recordingName'] as const) {
    const value: unknown = (params as Record<string, unknown>)[name];
    if (typeof value === 'string') return value;
  }
  return undefined;
}
