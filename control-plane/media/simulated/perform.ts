/** What each request does on the switch, and what it answers. */
import { callIdOf } from '../../core/ids.ts';
import type { MediaCommand } from '../../core/call/commands.ts';
import { digitsMs } from '../../core/call/digits.ts';
import type { CommandError } from '../../core/call/events.ts';
import { sipName } from '../../core/routing/sip-name.ts';
import type { CommandResult } from '../media-driver.ts';
import { nothing, type SwitchLeg, type SwitchRecording } from './parts.ts';
import { guardMs, type Works } from './works.ts';

type Originate = Extract<MediaCommand, { type: 'OriginateLeg' }>;
type Reply = (result: CommandResult) => void;

const done: CommandResult = { ok: true };

function refuse(error: CommandError, detail: string): CommandResult {
  return { ok: false, error, mayHaveReachedCarrier: false, detail };
}

const gone = (id: string): CommandResult => refuse('gone', `${id} is not on the switch`);

/** The controller that asks. A leg is made and dialled in two requests, between which it may go. */
export interface Maker {
  readonly instance: string;
  readonly linked: () => boolean;
  dialled: boolean;
}

export function perform(works: Works, maker: Maker, command: MediaCommand, reply: Reply): void {
  if (command.type === 'OriginateLeg') originate(works, maker, command, reply);
  else reply(carryOut(works, maker, command));
}

function carryOut(works: Works, maker: Maker, command: Exclude<MediaCommand, Originate>): CommandResult {
  const { legs, bridges, recordings, clock } = works;
  switch (command.type) {
    case 'SuperviseLeg':
      return supervise(works, maker, command);
    case 'DestroyBridge': {
      const bridge = bridges.get(command.bridgeId);
      if (bridge === undefined) return gone(command.bridgeId);
      for (const leg of legs.values()) if (leg.bridge === bridge.id) works.unbridge(leg);
      bridges.delete(bridge.id);
      return done;
    }
    case 'BridgeLegs': {
      const bridge = bridges.get(command.bridgeId) ?? { id: command.bridgeId, legIds: new Set<string>() };
      bridges.set(bridge.id, bridge);
      const joining = command.legIds.map((legId) => legs.get(legId));
      // The bridge has been made by then, and stays, empty.
      if (joining.some((leg) => leg === undefined)) return gone(command.legIds.join(' or '));
      const recorded = joining.some((leg) => [...recordings.values()].some((recording) => leg !== undefined && isMessageOf(recording, leg)));
      for (const leg of joining) if (leg !== undefined) free(works, leg);
      // The recording's end and the bridge race.
      if (recorded && works.chance.pick(2) === 0) return refuse('rejected', 'a leg is being recorded');
      for (const leg of joining) {
        if (leg === undefined || leg.bridge === bridge.id) continue;
        works.unbridge(leg);
        leg.bridge = bridge.id;
        leg.hearsRinging = false;
        bridge.legIds.add(leg.id);
        works.emit(leg, { type: 'LegBridged', legId: leg.id, bridgeId: bridge.id });
        if (leg.callId === callIdOf(bridge.id)) continue;
        // Told to the call it was of, and to the one it has come to.
        leg.callId = callIdOf(bridge.id);
        if (leg.takenBy !== leg.callId) Object.assign(leg, { callMark: null, legMark: null });
        leg.takenBy = null;
        leg.owner = maker.instance;
        works.emit(leg, { type: 'LegBridged', legId: leg.id, bridgeId: bridge.id });
      }
      return done;
    }
    case 'StopPrompt': {
      const leg = [...legs.values()].find((each) => each.prompts.some((prompt) => prompt.id === command.promptId));
      if (leg === undefined) return gone(command.promptId);
      const queued = leg.prompts.find((prompt, at) => at > 0 && prompt.id === command.promptId);
      if (queued === undefined) works.endPrompt(leg, command.promptId, true);
      else queued.stopped = true;
      return done;
    }
    case 'StopRecording': {
      const recording = recordings.get(command.recordingId);
      if (recording === undefined) return gone(command.recordingId);
      works.endRecording(recording);
      return done;
    }
    case 'StartCallRecording': {
      const legIds = [command.caller, command.callee];
      const [caller] = legIds.map((legId) => legs.get(legId));
      if (caller === undefined || !legs.has(command.callee)) return gone(legIds.join(' or '));
      if (recordings.has(command.recordingId)) return refuse('rejected', 'id in use');
      record(works, caller, { id: command.recordingId, legIds, startedAt: clock.now(), speechMs: Infinity, limit: nothing });
      return done;
    }
    case 'AnswerLeg':
    case 'RingLeg':
    case 'HangUpLeg':
    case 'PlayPrompt':
    case 'SendDigits':
    case 'StartRecording':
    case 'SetGuard':
    case 'AnswerTransfer':
    case 'TakeLeg':
    case 'MarkCall': {
      const leg = legs.get(command.legId);
      if (leg !== undefined) return onLeg(works, leg, command);
      return command.type === 'HangUpLeg' ? done : gone(command.legId);
    }
  }

  function onLeg(
    works: Works,
    leg: SwitchLeg,
    command: Extract<MediaCommand, { type: 'AnswerLeg' | 'RingLeg' | 'HangUpLeg' | 'PlayPrompt' | 'SendDigits' | 'StartRecording' | 'SetGuard' | 'AnswerTransfer' | 'TakeLeg' | 'MarkCall' }>,
  ): CommandResult {
    switch (command.type) {
      case 'AnswerLeg':
        if (leg.state === 'answered') return done;
        free(works, leg);
        leg.state = 'answered';
        works.emit(leg, { type: 'LegAnswered', legId: leg.id });
        return done;
      case 'RingLeg':
        leg.hearsRinging = true;
        return done;
      case 'HangUpLeg':
        if (leg.supervises === null && leg.state === 'answered') works.notice(leg, 'bye');
        else if (leg.state !== 'answered' && leg.state !== 'created') works.notice(leg, command.cause === 'answered-elsewhere' ? 'completed-elsewhere' : 'cancel');
        works.endLeg(leg, command.cause, 'asked');
        return done;
      case 'PlayPrompt':
        if (leg.role === 'callee' && leg.state !== 'answered') return refuse('not-ready', 'the leg has not been answered');
        if ([...works.legs.values()].some((each) => each.prompts.some((prompt) => prompt.id === command.promptId))) return refuse('rejected', 'id in use');
        leg.hearsRinging = false;
        leg.prompts.push({ id: command.promptId, media: command.media, stopped: false, end: nothing });
        if (leg.prompts.length === 1) works.playNext(leg);
        return done;
      case 'SendDigits':
        if (leg.state !== 'answered') return refuse('not-ready', 'the leg has not been answered');
        sendDigits(works, leg, command);
        return done;
      case 'StartRecording': {
        if (works.recordings.has(command.recordingId)) return refuse('rejected', 'id in use');
        if (leg.state !== 'answered') return refuse('not-ready', 'the leg has not been answered');
        leg.hearsRinging = false;
        const recording = { id: command.recordingId, legIds: [leg.id], startedAt: clock.now(), speechMs: works.chance.speechMs(), limit: nothing };
        if (record(works, leg, recording)) {
          recording.limit = clock.setTimer(clock.now() + Math.min(command.maxMs, recording.speechMs + command.silenceMs), () => works.endRecording(recording));
        }
        return done;
      }
      case 'SetGuard':
        works.setGuard(leg, command.ms);
        return done;
      case 'AnswerTransfer':
        if (leg.refers) works.notice(leg, command.accepted ? 'transferred' : 'not-transferred');
        leg.refers = false;
        return done;
      case 'TakeLeg':
        leg.takenBy = command.callId;
        leg.legMark = command.mark;
        leg.callMark = null;
        return done;
      case 'MarkCall':
        // Of a call that another has taken the leg from, it is kept where nobody looks.
        if (command.callId === (leg.takenBy ?? leg.callId)) leg.callMark = command.mark;
        return done;
    }
  }
}

/** It is there a moment after it was asked for. */
function supervise(works: Works, maker: Maker, { legId, supervised, mark }: Extract<MediaCommand, { type: 'SuperviseLeg' }>): CommandResult {
  const { clock, legs } = works;
  if (!legs.has(supervised)) return gone(supervised);
  if (legs.has(legId)) return refuse('rejected', 'id in use');
  const leg: SwitchLeg = {
    id: legId, callId: callIdOf(legId), takenBy: null, supervises: supervised, party: '', role: 'callee', createdAt: clock.now(), number: '', name: '', dialled: '', origin: 'trunk', phone: null,
    state: 'answered', owner: maker.instance, callMark: null, legMark: mark, held: false, refers: false, bridge: null, prompts: [], hearsRinging: false, awaited: () => true, guard: nothing, ringLimit: nothing, script: new Set(),
  };
  legs.set(legId, leg);
  works.setGuard(leg, guardMs);
  leg.script.add(clock.setTimer(clock.now() + works.chance.delayMs('dial'), () => { works.emit(leg, { type: 'LegAnswered', legId }); }));
  return done;
}

/** One after the other, each when those before it and their pauses are over. */
function sendDigits(works: Works, leg: SwitchLeg, { digits, delayMs }: Extract<MediaCommand, { type: 'SendDigits' }>): void {
  const { clock } = works;
  for (const [i, digit] of Array.from(digits).entries()) {
    if (digit === 'w' || digit === 'W') continue;
    const at = clock.now() + delayMs + digitsMs(digits.slice(0, i));
    leg.script.add(clock.setTimer(at, () => works.hearKey(leg, digit)));
  }
}

/** Whether it began. */
function record(works: Works, teller: SwitchLeg, recording: SwitchRecording): boolean {
  if (works.chance.recordingFails()) {
    works.emit(teller, { type: 'RecordingFailed', recordingId: recording.id });
    return false;
  }
  works.recordings.set(recording.id, recording);
  if (recording.legIds.length > 1) works.callRecordingsMade.push(recording.id);
  works.emit(teller, { type: 'RecordingStarted', recordingId: recording.id });
  return true;
}

function isMessageOf({ legIds }: SwitchRecording, leg: SwitchLeg): boolean {
  return legIds.length === 1 && legIds[0] === leg.id;
}

/** A prompt or the recording of a message keeps a leg from being answered or bridged, so it is stopped first. */
function free(works: Works, leg: SwitchLeg): void {
  for (const recording of works.recordings.values()) if (isMessageOf(recording, leg)) works.endRecording(recording);
  for (const prompt of leg.prompts.slice()) works.endPrompt(leg, prompt.id, true);
}

/** A leg whose maker, or its link, went before the dial is ended, since nobody will dial it. */
export function endUndialled(works: Works, isMeant: (leg: SwitchLeg) => boolean): void {
  for (const leg of works.legs.values()) if (isMeant(leg) && leg.state === 'created' && !leg.awaited()) works.endLeg(leg, 'lost', 'asked');
}

/** Create, wait for the new leg to be ours, dial: a hang-up may come in between, and so may the controller's death. */
function originate(works: Works, maker: Maker, command: Originate, reply: Reply): void {
  const { clock, legs } = works;
  if (legs.has(command.legId)) {
    reply(refuse('rejected', 'id in use'));
    return;
  }
  const party = command.target.kind === 'device' ? sipName(command.target.sipPrefix, command.target.device) : command.target.number;
  const script = works.scriptOf(party);
  if (script === null) {
    reply(refuse('rejected', 'the phone is not there'));
    return;
  }
  const leg: SwitchLeg = {
    id: command.legId, callId: callIdOf(command.legId), takenBy: null, supervises: null, party, role: 'callee', createdAt: clock.now(), number: command.callerId.number,
    name: command.callerId.name, dialled: party, origin: 'trunk', phone: command.target.kind === 'device' ? party : null, state: 'created', owner: maker.instance, callMark: null, legMark: command.mark,
    held: false, refers: false, bridge: null, prompts: [], hearsRinging: false, awaited: maker.linked, guard: nothing, ringLimit: nothing, script: new Set(),
  };
  legs.set(leg.id, leg);
  works.setGuard(leg, guardMs);
  clock.setTimer(clock.now() + works.chance.delayMs('dial'), () => {
    if (!legs.has(leg.id)) {
      reply(gone(leg.id));
      return;
    }
    if (!maker.linked()) return;
    maker.dialled = true;
    leg.state = 'dialing';
    leg.ringLimit = clock.setTimer(clock.now() + command.ringMs, () => {
      works.notice(leg, 'cancel');
      works.endLeg(leg, 'no-answer');
    });
    works.runScript(leg, script);
    reply(done);
  });
}
