import { callIdOf } from '../../core/ids.ts';
import type { SwitchSnapshot } from '../media-driver.ts';
import type { EslClient } from './esl/esl-client.ts';
import { legAnswered, legEnded, legRang, type TellLeg } from './leg-events.ts';
import { legBridged } from './bridges.ts';
import { endDeed, unknownRun, type Legs } from './legs.ts';
import { dumpOf, stateOf, type SwitchReading } from './read-switch.ts';
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
  if (call.caller !== null) legs.of(served).recording = recording === undefined ? undefined : { id: recording, file: recordingFile(folder, recording) };

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
}
