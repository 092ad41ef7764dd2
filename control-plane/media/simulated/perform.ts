/** What each request does on the switch, and what it answers. */
import { callIdOf } from '../../core/ids.ts';
import type { MediaCommand } from '../../core/call/commands.ts';
import type { CommandError } from '../../core/call/events.ts';
import type { CommandResult } from '../media-driver.ts';
import { nothing, type SwitchLeg } from './parts.ts';
import { guardMs, type Works } from './works.ts';

type Originate = Extract<MediaCommand, { type: 'OriginateLeg' }>;
type Reply = (result: CommandResult) => void;

const done: CommandResult = { ok: true };

function refuse(error: CommandError, detail: string): CommandResult {
  return { ok: false, error, mayHaveReachedCarrier: false, detail };
}

const gone = (id: string): CommandResult => refuse('gone', `${id} is not on the switch`);

export function perform(works: Works, instance: string, command: MediaCommand, reply: Reply): void {
  if (command.type === 'OriginateLeg') originate(works, instance, command, reply);
  else reply(carryOut(works, command));
}

function carryOut(works: Works, command: Exclude<MediaCommand, Originate>): CommandResult {
  const { legs, bridges, recordings, clock } = works;
  switch (command.type) {
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
      for (const leg of joining) {
        if (leg === undefined || leg.bridge === bridge.id) continue;
        works.unbridge(leg);
        leg.bridge = bridge.id;
        leg.hearsRinging = false;
        bridge.legIds.add(leg.id);
        works.emit(leg, { type: 'LegBridged', legId: leg.id, bridgeId: bridge.id });
      }
      return done;
    }
    case 'StopPrompt': {
      const leg = [...legs.values()].find((each) => each.prompts.some((prompt) => prompt.id === command.promptId));
      if (leg === undefined) return gone(command.promptId);
      works.endPrompt(leg, command.promptId, true);
      return done;
    }
    case 'StopRecording': {
      const recording = recordings.get(command.recordingId);
      if (recording === undefined) return gone(command.recordingId);
      works.endRecording(recording);
      return done;
    }
    case 'AnswerLeg':
    case 'RingLeg':
    case 'HangUpLeg':
    case 'PlayPrompt':
    case 'StartRecording':
    case 'SetGuard':
    case 'MarkCall': {
      const leg = legs.get(command.legId);
      if (leg !== undefined) return onLeg(works, leg, command);
      return command.type === 'HangUpLeg' ? done : gone(command.legId);
    }
  }

  function onLeg(
    works: Works,
    leg: SwitchLeg,
    command: Extract<MediaCommand, { type: 'AnswerLeg' | 'RingLeg' | 'HangUpLeg' | 'PlayPrompt' | 'StartRecording' | 'SetGuard' | 'MarkCall' }>,
  ): CommandResult {
    switch (command.type) {
      case 'AnswerLeg':
        if (leg.state !== 'answered') {
          leg.state = 'answered';
          works.emit(leg, { type: 'LegAnswered', legId: leg.id });
        }
        return done;
      case 'RingLeg':
        leg.hearsRinging = true;
        return done;
      case 'HangUpLeg':
        if (leg.state === 'answered') works.notice(leg, 'bye');
        else works.notice(leg, command.cause === 'answered-elsewhere' ? 'completed-elsewhere' : 'cancel');
        works.endLeg(leg, command.cause);
        return done;
      case 'PlayPrompt':
        if (leg.role === 'callee' && leg.state !== 'answered') return refuse('not-ready', 'the leg has not been answered');
        if ([...works.legs.values()].some((each) => each.prompts.some((prompt) => prompt.id === command.promptId))) return refuse('rejected', 'id in use');
        leg.hearsRinging = false;
        leg.prompts.push({ id: command.promptId, media: command.media, end: nothing });
        if (leg.prompts.length === 1) works.playNext(leg);
        return done;
      case 'StartRecording': {
        if (works.recordings.has(command.recordingId)) return refuse('rejected', 'id in use');
        if (leg.state !== 'answered') return refuse('not-ready', 'the leg has not been answered');
        if (works.chance.recordingFails()) {
          works.emit(leg, { type: 'RecordingFailed', recordingId: command.recordingId });
          return done;
        }
        const recording = { id: command.recordingId, legId: leg.id, startedAt: clock.now(), limit: nothing };
        recording.limit = clock.setTimer(clock.now() + command.maxMs, () => works.endRecording(recording));
        works.recordings.set(recording.id, recording);
        works.emit(leg, { type: 'RecordingStarted', recordingId: recording.id });
        return done;
      }
      case 'SetGuard':
        works.setGuard(leg, command.ms);
        return done;
      case 'MarkCall':
        leg.callMark = command.mark;
        return done;
    }
  }
}

/** Create, wait for the new leg to be ours, dial: a hang-up may come in between, and so may the controller's death. */
function originate(works: Works, instance: string, command: Originate, reply: Reply): void {
  const { clock, legs } = works;
  if (legs.has(command.legId)) {
    reply(refuse('rejected', 'id in use'));
    return;
  }
  const party = command.target.kind === 'device' ? command.target.device : command.target.number;
  const leg: SwitchLeg = {
    id: command.legId, callId: callIdOf(command.legId), party, role: 'callee', createdAt: clock.now(), number: command.callerId.number,
    name: command.callerId.name, dialled: party, origin: 'trunk', state: 'created', owner: instance, callMark: null, legMark: command.mark,
    held: false, bridge: null, prompts: [], hearsRinging: false, guard: nothing, ringLimit: nothing, script: new Set(),
  };
  legs.set(leg.id, leg);
  works.setGuard(leg, command.ringMs + guardMs);
  clock.setTimer(clock.now() + works.chance.delayMs('dial'), () => {
    if (!legs.has(leg.id)) {
      reply(gone(leg.id));
      return;
    }
    leg.state = 'dialing';
    leg.ringLimit = clock.setTimer(clock.now() + command.ringMs, () => {
      works.notice(leg, 'cancel');
      works.endLeg(leg, 'no-answer');
    });
    works.runScript(leg, works.scriptOf(party));
    reply(done);
  });
}
