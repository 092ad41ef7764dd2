/**
 * FreeSWITCH behind the one driver interface, over its event socket. Semantics: freeswitch/README.md for the dialplan's part; what
 * FreeSWITCH leaves open was tried on 1.11.1 (docs/decisions/0029-freeswitch.md).
 */
import type { LinkState, MediaHandlers } from '../media-driver.ts';
import { SwitchRefusedError } from '../media-driver.ts';
import type { SwitchDriver } from '../switch-admin.ts';
import { callIdOf, madeBy, type CallId, type LegId } from '../../core/ids.ts';
import { adoptCall } from './adopt-call.ts';
import { createFreeSwitchAdmin, type FreeSwitchAdmin } from './admin/freeswitch-admin.ts';
import { hearLogins, loginEvent } from './admin/logins.ts';
import { leaveBridge } from './bridges.ts';
import { createCallRecordings } from './call-recording.ts';
import { headerOf, type EslEvent } from './esl/decode-frame.ts';
import { connectEsl, type EslClient, type EslLink, type EslLog, type EslOptions } from './esl/esl-client.ts';
import { events, hereEvent, offerEvent, referEvent, translateEvent, type TellLeg } from './leg-events.ts';
import { unclaim } from './leg-list.ts';
import { createLegs } from './legs.ts';
import { offerOf } from './offer.ts';
import { perform } from './perform.ts';
import { readSwitch, type SwitchReading } from './read-switch.ts';
import { requiredModules } from './required-modules.ts';
import { createSounds, type Spoken } from './sounds.ts';
import { claimList } from './variables.ts';

export interface FreeSwitchDriverOptions {
  /** `freeswitch://:password@host[:port]` */
  readonly url: string;
  /** Names the controller on the switch: letters, digits, `-`, `_`. Unique among live controllers. */
  readonly instance: string;
  readonly log: EslLog;
  /** Phones may ask for transfers, which is so where it is not said; otherwise they hear no. */
  readonly transfers?: boolean;
  /** For sounds that the switch does not have (sounds.ts); they are silent where nothing is spoken. */
  readonly spoken?: Spoken;
  readonly onRoundTrip?: EslOptions['onRoundTrip'];
  readonly limits?: EslOptions['limits'];
  readonly liveness?: EslOptions['liveness'];
  readonly backOff?: EslOptions['backOff'];
}

export interface FreeSwitchDriver extends SwitchDriver {
  readonly admin: FreeSwitchAdmin;
  /** Where the switch keeps recordings, on its own disk; empty before the first link. */
  recordingsFolder(): string;
  /** What is remembered of calls, and commands under way: nothing when no call is left. */
  leftovers(): { readonly legs: number; readonly inFlight: number };
}

export function createFreeSwitchDriver(options: FreeSwitchDriverOptions): FreeSwitchDriver {
  const { log, instance } = options;
  const legs = createLegs();
  const logins = hearLogins();
  let handlers: MediaHandlers | undefined;
  let esl: EslClient | undefined;
  let link: LinkState = 'down';
  let checked = false;
  let accepting = true;
  let folder = '';
  let lastReading: SwitchReading | undefined;
  /** Callers who are being claimed: nothing is remembered of them yet, and so their end would not be heard of. */
  const claiming = new Set<CallId>();
  const made = new Map<LegId, () => void>();

  const tell: TellLeg = (callId, event) => {
    if (event.type !== 'TransferAsked' || options.transfers !== false || esl === undefined) handlers?.onLegEvent(callId, event);
    else void perform({ esl, legs, recordings, tell, app: instance, folder, soundOf }, { type: 'AnswerTransfer', legId: event.legId, accepted: false });
  };
  const recordings = createCallRecordings(tell);
  const soundOf = createSounds(options.spoken ?? (() => undefined));

  function onLink(given: EslLink, client: EslClient): void {
    esl = client;
    // Told once the switch has been found usable.
    if (!checked && given.state === 'up') return;
    link = given.state;
    if (given.state === 'down') {
      legs.linkLost();
      recordings.linkLost();
    }
    else void client.fire(hereEvent, { 'Frontdesk-Instance': instance, 'Frontdesk-Process': legs.hand });
    handlers?.onLink(given.state, given.state === 'up' ? 'connected' : given.why);
  }

  /** The switch takes commands from anybody: of two of one name the one that has come last is to have the calls. */
  function onHere(event: EslEvent, client: EslClient): void {
    if (headerOf(event, 'Frontdesk-Instance') !== instance || headerOf(event, 'Frontdesk-Process') === legs.hand || link === 'replaced') return;
    link = 'replaced';
    legs.linkLost();
    void client.close();
    handlers?.onLink('replaced', 'another process has come to the switch under this name');
  }

  function onEvent(event: EslEvent): void {
    if (!checked || esl === undefined) return;
    if (event.name === 'CHANNEL_CREATE') made.get(headerOf(event, 'Unique-ID') ?? '')?.();
    const subclass = event.name === 'CUSTOM' ? headerOf(event, 'Event-Subclass') : undefined;
    if (event.name === 'CHANNEL_HANGUP_COMPLETE') claiming.delete(headerOf(event, 'Unique-ID') ?? '');
    if (subclass === offerEvent) void offered(esl, event);
    else if (subclass === hereEvent) onHere(event, esl);
    else if (subclass === loginEvent) logins.onEvent(event);
    else translateEvent(esl, event, legs, recordings, tell);
  }

  async function offered(esl: EslClient, event: EslEvent): Promise<void> {
    const callId = headerOf(event, 'Unique-ID') ?? '';
    if (!accepting || link !== 'up' || callId === '') return;
    // One that another made tells that other nothing when it is served here.
    if ((madeBy(callId) ?? instance) !== instance) return;
    claiming.add(callId);
    const isOurs = await claim(esl, callId);
    // The reply that they are awake may come after the event that they have hung up.
    if (!claiming.delete(callId) || !isOurs) return;
    const leg = legs.of(callId);
    leaveBridge(leg, undefined, tell);
    leg.answered = headerOf(event, 'Answer-State') === 'answered';
    const orphan = headerOf(event, 'variable_fd_kind') === 'orphan';
    if (!orphan) leg.peer = '';
    const offer = offerOf((name) => headerOf(event, name));
    leg.mayTransfer = offer.phone !== undefined;
    handlers?.onOffer({ callId, ...offer, orphan });
  }

  async function claim(esl: EslClient, callId: CallId): Promise<boolean> {
    const claimed = await esl.api('hash', { claim: `insert_ifempty/${claimList}/${callId}/${instance}` }, { order: callId });
    if (!claimed.ok) {
      // Refused: another controller was first, or nobody was in time. That is daily business.
      if (claimed.error !== 'rejected') log.warn({ call: callId, why: claimed.message }, 'A call could not be claimed.');
      return false;
    }
    // The dialplan waits for the claim until it is woken.
    const there = await esl.api('uuid_break', { leg: callId }, { order: callId });
    if (!there.ok && there.error === 'gone') void unclaim(esl, callId);
    // With the link down it is found when that is back.
    return there.ok || (there.error !== 'gone' && there.error !== 'unreachable');
  }

  async function read(only?: ReadonlySet<CallId>): Promise<SwitchReading> {
    if (esl === undefined) throw new Error('There is no link to the switch.');
    const known = legs.ids();
    const reading = await readSwitch(esl, only);
    legs.keepOnly(known, reading.channelIds, reading.legs);
    recordings.asSeen(folder, reading.recorded.filter(({ caller }) => legs.get(caller) !== undefined));
    lastReading = reading;
    return reading;
  }

  const unreachable = { ok: false, error: 'unreachable', message: 'There is no link to the switch.', sent: false } as const;
  const admin = createFreeSwitchAdmin({
    api: async (...command) => esl === undefined ? unreachable : esl.api(...command),
    bgapi: async (...command) => esl === undefined ? unreachable : esl.bgapi(...command),
  }, instance, logins, (legId, tellMade) => {
    made.set(legId, tellMade);
    return () => { made.delete(legId); };
  });

  return {
    admin,
    recordingsFolder: () => folder,
    connects: () => esl?.stats().connects ?? 0,
    async start(given) {
      handlers = given;
      if (!/^[A-Za-z0-9_-]{1,40}$/.test(instance)) throw new SwitchRefusedError(`The instance name ${JSON.stringify(instance)} may hold letters, digits, - and _ only.`);
      const connected = await connectEsl({
        url: options.url, events, subclasses: [offerEvent, referEvent, hereEvent, loginEvent], onEvent, onLink, log,
        ...(options.onRoundTrip === undefined ? {} : { onRoundTrip: options.onRoundTrip }),
        ...(options.limits === undefined ? {} : { limits: options.limits }),
        ...(options.liveness === undefined ? {} : { liveness: options.liveness }),
        ...(options.backOff === undefined ? {} : { backOff: options.backOff }),
      });
      if (!connected.ok) throw new SwitchRefusedError(connected.message);
      const { client } = connected;
      const problem = await unusable(client);
      const kept = await client.api('global_getvar', { name: 'recordings_dir' });
      if (problem !== undefined || !kept.ok) {
        await client.close();
        throw new SwitchRefusedError(problem ?? 'FreeSWITCH does not say where it keeps recordings.');
      }
      folder = kept.text;
      checked = true;
      onLink({ state: 'up', restarted: false }, client);
    },
    accept(newCalls) { accepting = newCalls; },
    async execute(command) {
      if (esl === undefined) return { ok: false, error: 'unreachable', mayHaveReachedCarrier: false, detail: 'There is no link to the switch.' };
      return perform({ esl, legs, recordings, tell, app: instance, folder, soundOf }, command);
    },
    snapshot: async (only) => (await read(only)).snapshot,
    async adopt(callId, snapshot) {
      const call = snapshot.calls.find((each) => each.callId === callId);
      if (call === undefined) return;
      const reading = lastReading ?? await read();
      if (esl === undefined) throw new Error('There is no link to the switch.');
      recordings.asSeen(folder, reading.recorded.filter(({ recordingId }) => callIdOf(recordingId) === callId));
      await adoptCall(esl, legs, call, reading, folder, tell);
    },
    health: () => ({ link, inFlight: esl?.stats().inFlight ?? 0, version: esl?.version ?? '' }),
    async stop() {
      link = 'down';
      await esl?.close();
      legs.linkLost();
      handlers = undefined;
      legs.keepOnly(legs.ids(), new Set(), new Map());
    },
    leftovers: () => ({ legs: legs.size(), inFlight: (esl?.stats().inFlight ?? 0) + (esl?.stats().queued ?? 0) }),
  };
}

/** The end of a refusal; undefined where the switch can be used. */
export async function unusable(esl: Pick<EslClient, 'api'>): Promise<string | undefined> {
  const found = await Promise.all(requiredModules.map(async (name) => ({ name, reply: await esl.api('module_exists', { name }) })));
  const missing = found.filter(({ reply }) => !reply.ok || reply.text !== 'true').map(({ name }) => name);
  return missing.length === 0 ? undefined : `FreeSWITCH lacks ${missing.join(', ')}: load ${missing.length === 1 ? 'it' : 'them'} in modules.conf.`;
}
