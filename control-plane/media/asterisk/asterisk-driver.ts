/**
 * Asterisk behind the one driver interface, over one ARI websocket. Semantics: docs.asterisk.org, "Asterisk REST
 * Interface"; what it leaves open was tried on 22.10.1 and stands as a comment where it is relied on.
 */
import type { MediaHandlers, LinkState } from '../media-driver.ts';
import { SwitchRefusedError } from '../media-driver.ts';
import type { SwitchDriver } from '../switch-admin.ts';
import { callIdOf, isCallRecording, madeBy, type CallId } from '../../core/ids.ts';
import { createAsteriskAdmin, type AsteriskAdmin } from './admin/asterisk-admin.ts';
import { adoptCall, endUndialled } from './adopt-call.ts';
import type { AriClient, AriLink, AriLog, AriOptions } from './ari/ari-client.ts';
import { connectLanes } from './ari/ari-lanes.ts';
import type { SwitchEvent } from './ari/decode-frame.ts';
import type { CallBroadcastEvent, StasisEndEvent, StasisStartEvent } from './ari/ari-types.generated.ts';
import { missingModules } from './ari/missing-modules.ts';
import { createCallRecordings, recordingOfTrack, trackArgument } from './call-recording.ts';
import { callerText } from '../caller-text.ts';
import { originOf } from './origin.ts';
import { gatherSubscriptions } from './gather-subscriptions.ts';
import { eventFilter, legEnded, translateEvent, type TellLeg } from './leg-events.ts';
import { createLegs } from './legs.ts';
import { perform } from './perform.ts';
import { readSwitch, type SwitchReading } from './read-switch.ts';
import { requiredModules } from './required-modules.ts';
import { gatherVariables } from './set-variables.ts';
import { supervisorArgument, supervisorEntered } from './supervise-leg.ts';

export interface AsteriskDriverOptions {
  /** `http(s)://user:password@host:port[/prefix]` */
  readonly url: string;
  /** Names the ARI application `frontdesk-<instance>`: letters, digits, `-`, `_`. Unique among live controllers. */
  readonly instance: string;
  readonly log: AriLog;
  /** The file of its security log; without it nobody says who logs in. */
  readonly securityLog?: string | undefined;
  readonly onRoundTrip?: AriOptions['onRoundTrip'];
  readonly limits?: AriOptions['limits'];
  readonly liveness?: AriOptions['liveness'];
  readonly backOff?: AriOptions['backOff'];
}

export interface AsteriskDriver extends SwitchDriver {
  readonly admin: AsteriskAdmin;
  /** What is remembered of calls, and requests under way: nothing when no call is left. */
  leftovers(): { readonly legs: number; readonly inFlight: number };
}

/** Websockets for the requests of calls, beside the one for events: see ari-lanes.ts. */
const lanes = 3;

export function createAsteriskDriver(options: AsteriskDriverOptions): AsteriskDriver {
  const { log } = options;
  const app = `frontdesk-${options.instance}`;
  const legs = createLegs();
  let handlers: MediaHandlers | undefined;
  let ari: AriClient | undefined;
  let link: LinkState = 'down';
  let checked = false;
  let accepting = true;
  let lastReading: SwitchReading | undefined;

  const tell: TellLeg = (callId, event) => { handlers?.onLegEvent(callId, event); };
  const recordings = createCallRecordings(tell);
  const subscribe = gatherSubscriptions();
  const setVariable = gatherVariables();

  function onLink(state: AriLink, client: AriClient): void {
    ari = client;
    // Told once the switch has been found usable.
    if (!checked && state === 'up') return;
    link = state;
    if (state !== 'up') {
      legs.linkLost();
      recordings.linkLost();
    }
    handlers?.onLink(state, { up: 'connected', down: 'the connection was lost', replaced: 'another process took this name' }[state]);
  }

  function onEvent(event: SwitchEvent): void {
    if (!checked || ari === undefined) return;
    if (event.type === 'CallBroadcast') claim(ari, event);
    else if (event.type === 'StasisStart') onStasisStart(ari, event);
    else if (event.type === 'StasisEnd') onStasisEnd(ari, event);
    else if (!onTrack(ari, event)) translateEvent(event, legs, tell);
  }

  /** Of a recording of a call, not of the call's legs. */
  function onTrack(ari: AriClient, event: SwitchEvent): boolean {
    if (event.type !== 'RecordingStarted' && event.type !== 'RecordingFinished' && event.type !== 'RecordingFailed') return false;
    const { name, duration } = event.recording;
    if (recordingOfTrack(name) === undefined) return false;
    if (event.type === 'RecordingStarted') recordings.started(name);
    else recordings.closed(ari, name, event.type === 'RecordingFailed' ? null : (duration ?? 0) * 1000);
    return true;
  }

  function claim(ari: AriClient, { channel }: CallBroadcastEvent): void {
    if (!accepting || link !== 'up') return;
    // One that another made tells that other nothing when it is served here.
    if ((madeBy(channel.id) ?? options.instance) !== options.instance) return;
    void ari.request('events.claimChannel', { channelId: channel.id, application: app }).then((claimed) => {
      // 409: another controller was first. 404: the caller has gone. Both are daily business.
      if (!claimed.ok && claimed.status === undefined) log.warn({ call: channel.id, why: claimed.message }, 'A call could not be claimed.');
    });
  }

  function onStasisStart(ari: AriClient, { args, channel }: StasisStartEvent): void {
    const [kind, origin, ...dialled] = args;
    if (kind === trackArgument) {
      recordings.entered(ari, channel.id);
      return;
    }
    if (kind === supervisorArgument) {
      void supervisorEntered(ari, legs, subscribe, channel, tell);
      return;
    }
    if (kind !== 'inbound' && kind !== 'orphan') {
      const leg = legs.get(channel.id);
      if (leg !== undefined) leg.moving = false;
      leg?.originate?.entered();
      return;
    }
    const callId = channel.id;
    const leg = legs.of(callId);
    leg.answered = channel.state === 'Up';
    if (kind === 'inbound') leg.peer = '';
    handlers?.onOffer({
      callId, dialled: dialled.join(':'), ...originOf(origin, channel), orphan: kind === 'orphan',
      caller: { number: callerText(channel.caller.number, 40), name: callerText(channel.caller.name, 80) },
    });
  }

  /**
   * An application hears no more of a channel that leaves it, unless it has subscribed to it, as it has to the legs it made:
   * so a caller who hangs up ends here, also one subscribed to, for whom that may have come too late. One who leaves and lives,
   * to have a guard that ran out looked after or since the other side has hung up (extensions.conf), is subscribed to only now:
   * the reply lists all that is subscribed to, and costs the more the more calls there are.
   */
  function onStasisEnd(ari: AriClient, { channel }: StasisEndEvent): void {
    const leg = legs.get(channel.id);
    if (leg === undefined || callIdOf(leg.id) !== leg.id) return;
    const ended = (): void => { legEnded(legs, channel, leg.end ?? { cause: 0, techCause: undefined }, tell); };
    if (leg.afterEnd !== undefined) {
      ended();
      return;
    }
    if (leg.subscribed) return;
    leg.subscribed = true;
    void subscribe(ari, [`channel:${leg.id}`]).then(([subscribed]) => {
      if (subscribed !== undefined && !subscribed.ok && subscribed.status !== undefined && legs.get(leg.id) === leg) ended();
    });
  }

  async function read(only?: ReadonlySet<CallId>): Promise<SwitchReading> {
    if (ari === undefined) throw new Error('There is no link to the switch.');
    const known = legs.ids();
    const reading = await readSwitch(ari, only);
    const there = legs.keepOnly(known, reading.channelIds);
    // The link was lost between the two requests: its call makes another when it hears of its end.
    const undialled = new Set(there.filter((leg) => !leg.dialled && leg.originate === undefined).map(({ id }) => id));
    for (const { legId, state } of reading.snapshot.calls.flatMap((call) => call.legs)) {
      if (state === 'dialing' && undialled.has(legId)) void endUndialled(ari, legs, legId);
    }
    recordings.asSeen(reading.snapshot.calls.filter(({ callId, caller }) => legs.get(caller?.legId ?? callId) !== undefined).flatMap((call) => call.recordings.filter(isCallRecording)));
    lastReading = reading;
    return reading;
  }

  const admin = createAsteriskAdmin({
    request: async (...request) => ari === undefined ? { ok: false, error: 'unreachable', message: 'There is no link to the switch.', sent: false } : ari.request(...request),
  }, options.url, { owner: options.instance, securityLog: options.securityLog });

  return {
    admin,
    connects: () => ari?.stats().connects ?? 0,
    async start(given) {
      handlers = given;
      if (!/^[A-Za-z0-9_-]{1,40}$/.test(options.instance)) throw new SwitchRefusedError(`The instance name ${JSON.stringify(options.instance)} may hold letters, digits, - and _ only.`);
      const connected = await connectLanes({
        url: options.url, app, eventFilter, onEvent, onLink, log,
        ...(options.onRoundTrip === undefined ? {} : { onRoundTrip: options.onRoundTrip }),
        ...(options.limits === undefined ? {} : { limits: options.limits }),
        ...(options.liveness === undefined ? {} : { liveness: options.liveness }),
        ...(options.backOff === undefined ? {} : { backOff: options.backOff }),
      }, lanes);
      if (!connected.ok) throw new SwitchRefusedError(connected.message);
      const { client } = connected;
      const modules = await missingModules(client, requiredModules);
      const problem = !modules.ok ? `The modules of Asterisk could not be listed: ${modules.message}`
        : modules.missing.length > 0 ? `Asterisk lacks ${modules.missing.join(', ')}: load ${modules.missing.length === 1 ? 'it' : 'them'} in modules.conf.` : undefined;
      if (problem !== undefined) {
        await client.close();
        throw new SwitchRefusedError(problem);
      }
      checked = true;
      onLink('up', client);
    },
    accept(newCalls) { accepting = newCalls; },
    async execute(command) {
      if (ari === undefined) return { ok: false, error: 'unreachable', mayHaveReachedCarrier: false, detail: 'There is no link to the switch.' };
      return perform(ari, legs, recordings, setVariable, command, tell);
    },
    snapshot: async (only) => (await read(only)).snapshot,
    async adopt(callId, snapshot) {
      const call = snapshot.calls.find((each) => each.callId === callId);
      if (call === undefined) return;
      const reading = lastReading ?? await read();
      if (ari === undefined) throw new Error('There is no link to the switch.');
      recordings.asSeen(call.recordings.filter(isCallRecording));
      await adoptCall(ari, subscribe, legs, call, reading.elsewhere, tell);
    },
    health: () => ({ link, inFlight: ari?.stats().inFlight ?? 0, version: ari?.version ?? '' }),
    async stop() {
      link = 'down';
      await ari?.close();
      legs.linkLost();
      handlers = undefined;
      legs.keepOnly(legs.ids(), new Set());
    },
    leftovers: () => ({ legs: legs.size(), inFlight: (ari?.stats().inFlight ?? 0) + (ari?.stats().queued ?? 0) }),
  };
}
