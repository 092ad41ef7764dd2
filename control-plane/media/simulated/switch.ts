/**
 * A switch in memory that behaves as the real one was seen to (FIELD-NOTES, "Asterisk 22, ARI"), on a clock and with
 * a chance that the test owns. It outlives its controllers: legs, bridges, prompts, recordings, guards and marks are
 * its own, a controller only connects to it (`driver(instance)`), loses it (`cut`), dies (`kill`) and comes back.
 *
 * Parties are scripted (`phone`, `call`) or moved by hand (`answer`, `reject`, `press`, `hangUp`, …).
 */
import { callIdOf, type CallId, type LegId } from '../../core/ids.ts';
import { causeOfQ850, causes } from '../../core/cause.ts';
import type { Consulted, LegEvent, Offer } from '../../core/call/events.ts';
import type { MediaDriver } from '../media-driver.ts';
import { healthy, type Chance, type Clock } from './chance.ts';
import { createControllers } from './controllers.ts';
import { createDriver } from './driver.ts';
import type { Link } from './link.ts';
import { nothing, type Leftovers, type PartyAct, type PartyStep, type PhoneNotice, type SwitchBridge, type SwitchLeg, type SwitchRecording } from './parts.ts';
import { guardMs, type Works } from './works.ts';

export interface IncomingCall {
  readonly from: string;
  readonly to: string;
  readonly name?: string;
  /** The phone that calls, by its name; absent: the call comes over a trunk. */
  readonly phone?: string;
  readonly script?: readonly PartyStep[];
}

export interface SimulatedSwitch {
  /** A call arrives from outside; its id is returned at once, its offer comes when a controller has claimed it. */
  call(incoming: IncomingCall): CallId;
  /** What a device, or whoever answers an external number, does when it is rung; null: it is not there. Default: ring and nothing else. */
  phone(party: string, script: readonly PartyStep[] | null): void;
  /** By hand. All are ignored for a leg that is gone, as a party's own message to an ended call would be. */
  ring(legId: LegId): void;
  answer(legId: LegId): void;
  reject(legId: LegId, cause: 'busy' | 'declined' | 'unallocated' | 'congestion'): void;
  press(legId: LegId, digit: string): void;
  hangUp(legId: LegId): void;
  hold(legId: LegId): void;
  unhold(legId: LegId): void;
  /** attended: to whom its phone talks with in another call; `to` where that is nobody. */
  refer(legId: LegId, to: string, kind?: 'blind' | 'attended'): void;
  /** Audio that the switch cannot play. */
  breakMedia(media: string): void;

  /** A controller's way in. One at a time per instance: a second connection replaces the first. */
  driver(instance: string): MediaDriver;
  /** An event that is none of the switch's present truth: one of long ago, or repeated. */
  stray(event: LegEvent): void;
  /** The link of a controller breaks and stays broken until `restore`. */
  cut(instance: string): void;
  restore(instance: string): void;
  /** kill −9: nothing of that controller happens any more. */
  kill(instance: string): void;

  leg(legId: LegId): Readonly<SwitchLeg> | undefined;
  legs(): readonly Readonly<SwitchLeg>[];
  bridgesOf(callId: CallId): readonly { readonly id: string; readonly legIds: readonly LegId[] }[];
  /** How phones saw calls end that others ended. */
  notices(): readonly PhoneNotice[];
  /** What parties did that took effect, in order. */
  acts(): readonly PartyAct[];
  /** Recordings of calls that run, with who is recorded; and all there ever were. */
  callRecordings(callId: CallId): readonly { readonly id: string; readonly legIds: readonly LegId[] }[];
  callRecordingsMade(callId: CallId): readonly string[];
  /** What a leg has heard to the end. */
  heard(legId: LegId): readonly string[];
  /** The keys that a leg was sent. */
  keysHeard(legId: LegId): readonly { readonly key: string; readonly at: number }[];
  /** Calls that no controller took, or that none kept: the dialplan sent them to the failsafe. */
  failsafe(): readonly CallId[];
  /** All that is still on the switch; empty when every call is over and nothing was forgotten. */
  leftovers(): Leftovers;
}

/** A recording's length as Asterisk tells it, its closing silence cut off. */
const wholeSeconds = (ms: number): number => Math.floor(ms / 1000) * 1000;

/** `name`: where there is another, and their calls are to have different ids. */
export function createSimulatedSwitch(options: { readonly clock: Clock; readonly chance?: Chance; readonly name?: string }): SimulatedSwitch {
  const { clock, chance = healthy, name = 'sim' } = options;
  const legs = new Map<LegId, SwitchLeg>();
  const bridges = new Map<string, SwitchBridge>();
  const recordings = new Map<string, SwitchRecording>();
  const scripts = new Map<string, readonly PartyStep[] | null>();
  const notices: PhoneNotice[] = [];
  const acts: PartyAct[] = [];
  const failsafe: CallId[] = [];
  const heard = new Map<LegId, readonly string[]>();
  const keysHeard = new Map<LegId, readonly { readonly key: string; readonly at: number }[]>();
  const controllers = createControllers(clock, chance);
  let callsSeen = 0;

  const works: Works = {
    clock, chance, legs, bridges, recordings, controllers, broken: new Set(), callRecordingsMade: [],
    scriptOf: (party) => scripts.get(party) === null ? null : scripts.get(party) ?? [{ afterMs: 20, does: 'ring' }],
    notice: (leg, saw) => notices.push({ party: leg.party, legId: leg.id, callId: leg.callId, saw }),

    witness: (leg, did) => void acts.push({ at: clock.now(), legId: leg.id, callId: leg.callId, party: leg.party, did }),

    emit(leg, event) {
      const link = leg.owner === null ? undefined : controllers.link(leg.owner);
      if (link === undefined) return;
      const subject = 'recordingId' in event ? event.recordingId : 'promptId' in event ? event.promptId : leg.id;
      // One that has come to another call may still be heard or recorded for the one before.
      const callId = subject === leg.id ? leg.callId : callIdOf(subject);
      link.send(subject, (handlers) => handlers.onLegEvent(callId, event), ...('bridgeId' in event ? [event.bridgeId] : []));
      // What a phone asks for has no id by which a second telling could be known; none was ever seen.
      const late = event.type === 'TransferAsked' ? null : chance.again(event);
      if (late !== null) link.sendLate(late, (handlers) => handlers.onLegEvent(callId, event));
    },

    setGuard(leg, ms) {
      leg.guard();
      leg.guard = clock.setTimer(clock.now() + ms, () => guardExpired(leg));
    },

    endLeg(leg, cause, asked) {
      if (!legs.delete(leg.id)) return;
      letGo(leg);
      works.emit(leg, { type: 'LegEnded', legId: leg.id, cause: asked === undefined && cause !== 'canceled' ? causeOfQ850(causes[cause].q850) : cause });
    },

    unbridge(leg) {
      if (leg.bridge === null) return;
      const bridgeId = leg.bridge;
      leg.bridge = null;
      bridges.get(bridgeId)?.legIds.delete(leg.id);
      works.emit(leg, { type: 'LegUnbridged', legId: leg.id, bridgeId });
    },

    endPrompt(leg, promptId, ok) {
      const at = leg.prompts.findIndex((prompt) => prompt.id === promptId);
      const [prompt] = at < 0 ? [] : leg.prompts.splice(at, 1);
      if (prompt === undefined) return;
      prompt.end();
      works.emit(leg, { type: 'PromptFinished', legId: leg.id, promptId, ok });
      if (at === 0) works.playNext(leg);
    },

    playNext(leg) {
      const prompt = leg.prompts[0];
      if (prompt === undefined || !legs.has(leg.id)) return;
      if (prompt.stopped) {
        works.endPrompt(leg, prompt.id, true);
        return;
      }
      const ok = prompt.media.every((media) => !works.broken.has(media));
      const lasts = ok ? prompt.media.reduce((sum, media) => sum + chance.promptMs(media), 0) : 0;
      prompt.end = clock.setTimer(clock.now() + lasts, () => {
        if (ok) heard.set(leg.id, [...(heard.get(leg.id) ?? []), ...prompt.media]);
        works.endPrompt(leg, prompt.id, ok);
      });
    },

    hearKey: (leg, key) => void keysHeard.set(leg.id, [...(keysHeard.get(leg.id) ?? []), { key, at: clock.now() }]),

    endRecording(recording) {
      if (!recordings.delete(recording.id)) return;
      recording.limit();
      const leg = leaving !== undefined && recording.legIds.includes(leaving.id) ? leaving : legs.get(recording.legIds[0] ?? '');
      if (leg !== undefined) {
        works.emit(leg, { type: 'RecordingFinished', recordingId: recording.id, durationMs: wholeSeconds(Math.min(clock.now() - recording.startedAt, recording.speechMs)) });
      }
    },

    act(leg, does) {
      if (!legs.has(leg.id)) return;
      const id = leg.id;
      if (typeof does === 'object' && 'refer' in does) {
        if (leg.state !== 'answered' || leg.phone === null) return;
        // A phone asks for one at a time.
        if (does.attended === true && [...legs.values()].some((one) => one.phone === leg.phone && one.refers)) return;
        leg.refers = true;
        works.witness(leg, does);
        works.emit(leg, { type: 'TransferAsked', legId: id, to: does.refer, ...(does.attended === true ? consultedBy(leg) : {}) });
      } else if (typeof does === 'object') {
        if (leg.state !== 'answered') return;
        works.witness(leg, does);
        works.emit(leg, { type: 'LegDigit', legId: id, digit: does.press });
      } else if (does === 'ring') {
        if (leg.state !== 'dialing') return;
        leg.state = 'ringing';
        works.witness(leg, 'ring');
        works.emit(leg, { type: 'LegRinging', legId: id });
      } else if (does === 'answer') {
        if (leg.role === 'caller' || (leg.state !== 'dialing' && leg.state !== 'ringing')) return;
        leg.state = 'answered';
        leg.ringLimit();
        works.witness(leg, 'answer');
        works.emit(leg, { type: 'LegAnswered', legId: id });
      } else if (does === 'busy' || does === 'decline') {
        if (leg.role === 'callee' && leg.state !== 'answered') works.endLeg(leg, does === 'busy' ? 'busy' : 'declined');
      } else if (does === 'hang-up') {
        if (leg.role === 'callee' && leg.state !== 'answered') return;
        works.witness(leg, 'hang-up');
        works.endLeg(leg, leg.state === 'answered' ? 'normal' : 'canceled');
      } else if (leg.state === 'answered' && leg.held !== (does === 'hold')) {
        leg.held = does === 'hold';
        works.emit(leg, { type: leg.held ? 'LegHeld' : 'LegUnheld', legId: id });
      }
    },

    runScript(leg, script) {
      let at = clock.now();
      for (const step of script) {
        at += step.afterMs;
        leg.script.add(clock.setTimer(at, () => works.act(leg, step.does)));
      }
    },
  };

  /** Who is in one bridge with another leg of the phone. */
  function consultedBy(leg: SwitchLeg): { readonly to?: string; readonly consulted?: Consulted } {
    const by = [...legs.values()].find((one) => one !== leg && one.phone === leg.phone && one.bridge !== null && one.bridge !== leg.bridge);
    const other = [...legs.values()].find((one) => one !== by && one.bridge !== null && one.bridge === by?.bridge);
    if (by === undefined || other === undefined) return {};
    works.witness(by, { refer: '', attended: true });
    const phone = other.phone ?? other.party;
    return { to: phone, consulted: { legId: other.id, phone, by: by.id, callId: by.callId } };
  }

  /** The leg whose end is being told: no longer in `legs`, and its last events still go to its owner. */
  let leaving: SwitchLeg | undefined;

  /** Everything that ends with a leg's stay, in the order the switch tells it. */
  function letGo(leg: SwitchLeg): void {
    leg.guard();
    leg.ringLimit();
    for (const disarm of leg.script) disarm();
    leaving = leg;
    for (const recording of recordings.values()) if (recording.legIds.includes(leg.id)) works.endRecording(recording);
    leaving = undefined;
    for (const prompt of leg.prompts.slice()) works.endPrompt(leg, prompt.id, false);
    works.unbridge(leg);
    for (const other of legs.values()) if (other.supervises === leg.id) works.endLeg(other, 'normal');
  }

  /** A callee's leg simply ends. A caller is pulled out of whatever it was in and offered again, as an orphan. */
  function guardExpired(leg: SwitchLeg): void {
    if (leg.role === 'callee') {
      if (leg.supervises === null) works.notice(leg, leg.state === 'answered' ? 'bye' : 'cancel');
      works.endLeg(leg, 'normal');
      return;
    }
    const running = leg.prompts.slice();
    for (const recording of recordings.values()) if (recording.legIds.includes(leg.id)) works.endRecording(recording);
    for (const prompt of running) works.endPrompt(leg, prompt.id, false);
    works.unbridge(leg);
    leg.hearsRinging = false;
    broadcast(leg, true, 0);
  }

  /** StasisBroadcast: the first claim wins; a winner that dies at once is tried again, twice. */
  function broadcast(leg: SwitchLeg, orphan: boolean, tries: number): void {
    const former = leg.owner;
    const listening = controllers.accepting();
    const winner = listening[chance.pick(Math.max(1, listening.length))];
    if (winner === undefined || tries > 2) {
      clock.setTimer(clock.now() + (winner === undefined ? 500 : 0), () => toFailsafe(leg, former));
      return;
    }
    clock.setTimer(clock.now() + chance.delayMs('claim'), () => {
      if (!legs.has(leg.id)) return;
      const link: Link | undefined = controllers.link(winner);
      if (link === undefined) {
        broadcast(leg, orphan, tries + 1);
        return;
      }
      leg.owner = winner;
      if (orphan) works.setGuard(leg, guardMs);
      const offer: Offer = { callId: leg.callId, dialled: leg.dialled, origin: leg.origin, ...(leg.phone === null ? {} : { phone: leg.phone }), caller: { number: leg.number, name: leg.name }, orphan };
      link.send(leg.id, (handlers) => handlers.onOffer(offer));
    });
  }

  function toFailsafe(leg: SwitchLeg, former: string | null): void {
    if (!legs.delete(leg.id)) return;
    failsafe.push(leg.callId);
    letGo(leg);
    leg.owner = former;
    works.emit(leg, { type: 'LegEnded', legId: leg.id, cause: 'lost' });
  }

  const byHand = (legId: LegId, does: PartyStep['does']): void => {
    const leg = legs.get(legId);
    if (leg !== undefined) works.act(leg, does);
  };

  return {
    call(incoming) {
      callsSeen += 1;
      const id = `${name}-${callsSeen}`;
      const leg: SwitchLeg = {
        id, callId: id, takenBy: null, supervises: null, party: incoming.from, role: 'caller', createdAt: clock.now(), number: incoming.from, name: incoming.name ?? '',
        dialled: incoming.to, origin: incoming.phone === undefined ? 'trunk' : 'phone', phone: incoming.phone ?? null, state: 'ringing', owner: null, callMark: null, legMark: null, held: false, refers: false,
        bridge: null, prompts: [], hearsRinging: false, awaited: () => true, guard: nothing, ringLimit: nothing, script: new Set(),
      };
      legs.set(id, leg);
      works.setGuard(leg, guardMs);
      works.runScript(leg, incoming.script ?? []);
      broadcast(leg, false, 0);
      return id;
    },
    phone: (party, script) => void scripts.set(party, script),
    ring: (legId) => byHand(legId, 'ring'),
    answer: (legId) => byHand(legId, 'answer'),
    reject(legId, cause) {
      const leg = legs.get(legId);
      if (leg?.role === 'callee' && leg.state !== 'answered' && leg.state !== 'created') works.endLeg(leg, cause);
    },
    press: (legId, digit) => byHand(legId, { press: digit }),
    hangUp: (legId) => byHand(legId, 'hang-up'),
    hold: (legId) => byHand(legId, 'hold'),
    unhold: (legId) => byHand(legId, 'unhold'),
    refer: (legId, to, kind = 'blind') => byHand(legId, { refer: to, ...(kind === 'attended' ? { attended: true } : {}) }),
    breakMedia: (media) => void works.broken.add(media),

    driver: (instance) => createDriver(works, instance),
    stray(event) {
      const callId = callIdOf('legId' in event ? event.legId : event.recordingId);
      for (const instance of controllers.accepting()) controllers.link(instance)?.sendLate(1, (handlers) => handlers.onLegEvent(callId, event));
    },
    cut: (instance) => controllers.cut(instance),
    restore: (instance) => controllers.restore(instance),
    kill: (instance) => controllers.kill(instance),

    leg: (legId) => legs.get(legId),
    legs: () => [...legs.values()],
    bridgesOf: (callId) => [...bridges.values()].filter((bridge) => bridge.id.startsWith(`${callId}--`)).map((bridge) => ({ id: bridge.id, legIds: [...bridge.legIds] })),
    notices: () => notices,
    acts: () => acts,
    callRecordings: (callId) => [...recordings.values()].filter(({ id, legIds }) => legIds.length > 1 && callIdOf(id) === callId).map(({ id, legIds }) => ({ id, legIds })),
    callRecordingsMade: (callId) => works.callRecordingsMade.filter((id) => callIdOf(id) === callId),
    heard: (legId) => heard.get(legId) ?? [],
    keysHeard: (legId) => keysHeard.get(legId) ?? [],
    failsafe: () => failsafe,
    leftovers: () => ({
      legs: [...legs.keys()],
      bridges: [...bridges.keys()],
      prompts: [...legs.values()].flatMap((leg) => leg.prompts.map((prompt) => prompt.id)),
      recordings: [...recordings.keys()],
    }),
  };
}
