import { callIdOf } from '../../core/ids.ts';
import type { SwitchSnapshot } from '../media-driver.ts';
import type { EslClient } from './esl/esl-client.ts';
import { inTurn, legAnswered, legEnded, legRang, wholeSeconds, type TellLeg } from './leg-events.ts';
import { legBridged } from './bridges.ts';
import { endDeed, unknownRun, type Leg, type Legs } from './legs.ts';
import { messageEnded } from './message.ts';
import { dumpOf, stateOf, tracksOn, type SwitchReading } from './read-switch.ts';
import { recordingFile } from './recordings.ts';
import { bridgeVariable, handVariable, phoneVariable } from './variables.ts';

/**
 * Remembers a call's legs, so that their events are this controller's, and then tells what changed since the snapshot, which no
 * event will. What another controller had begun to play is stopped: its end would be nobody's.
 */
export async function adoptCall(esl: EslClient, legs: Legs, call: SwitchSnapshot['calls'][number], { legs: seen }: SwitchReading, folder: string, tell: TellLeg): Promise<void> {
  const { callId } = call;
  const served = call.caller?.legId ?? callId;
  const legIds = [...(call.caller === null ? [] : [served]), ...call.legs.map(({ legId }) => legId)];

  for (const id of legIds) {
    const leg = legs.of(id);
    // Another may have had the leg since it was known here.
    endDeed(leg, 'joining');
    endDeed(leg, 'parking');
    leg.prompts.splice(0);
    Object.assign(leg, { callId, bridge: seen.get(id)?.bridge, peer: undefined, run: undefined, filled: false, recording: undefined, referred: undefined });
  }
  for (const { legId, state } of call.legs) {
    const leg = legs.of(legId);
    leg.rang ||= state === 'ringing';
    leg.answered ||= state === 'answered';
  }
  if (call.caller !== null) legs.of(served).answered ||= call.caller.answered;
  const recording = call.recordings.find((id) => id === call.caller?.mark?.recording);
  const recorded = call.caller === null ? undefined : legs.of(served);
  if (recorded !== undefined) recorded.recording = recording === undefined ? undefined : { id: recording, file: recordingFile(folder, recording) };

  await Promise.all(legIds.map(async (id) => {
    void esl.api('uuid_setvar', { leg: id, name: handVariable, value: legs.hand }, { order: callIdOf(id) });
    const dump = await dumpOf(esl, id);
    const leg = legs.get(id);
    if (leg === undefined) return;
    if (dump === undefined) {
      legEnded(legs, leg, 'lost', tell);
      return;
    }
    leg.mayTransfer = dump(`variable_${phoneVariable}`) !== undefined;
    const state = stateOf(dump);
    if (state === 'ringing' && id !== served) legRang(leg, tell);
    if (state === 'answered') legAnswered(leg, tell);
    if (leg.recording === undefined) void esl.api('uuid_break', { leg: id, all: 'all' }, { order: callIdOf(id) });
    else Object.assign(leg, { run: unknownRun, filled: true });
    const bridgeId = dump(`variable_${bridgeVariable}`);
    if (bridgeId !== undefined && bridgeId !== leg.bridge) legBridged(legs, id, bridgeId, tell);
    else if (bridgeId === undefined && leg.bridge !== undefined) {
      tell(leg.callId, { type: 'LegUnbridged', legId: id, bridgeId: leg.bridge });
      leg.bridge = undefined;
    }
  }));
  // After the end of its leg, if that was missed as well: else it would look as if the caller were there yet.
  if (recorded?.recording !== undefined) await messageAsItIs(esl, legs, recorded, recorded.recording, tell);
}

async function messageAsItIs(esl: EslClient, legs: Legs, leg: Leg, message: NonNullable<Leg['recording']>, tell: TellLeg): Promise<void> {
  // In this order: its length is written at its end.
  const [tracks, length] = await Promise.all([tracksOn(esl, leg.id), esl.api('uuid_getvar', { leg: leg.id, name: 'record_ms' }, { order: callIdOf(leg.id) })]);
  const runs = legs.get(leg.id) === leg && tracks?.includes(message.id) !== false;
  // An event has told of its end by now.
  if (runs || leg.recording !== message) return;
  messageEnded(esl, leg);
  const durationMs = length.ok && length.text !== '_undef_' ? wholeSeconds(Number(length.text)) : null;
  inTurn(legs, leg, () => { tell(callIdOf(message.id), { type: 'RecordingFinished', recordingId: message.id, durationMs }); });
}
