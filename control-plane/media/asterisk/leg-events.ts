/** Asterisk's events as ours. Each fact about a leg is told once, whichever events it arrives by and in what order. */
import { callIdOf } from '../../core/ids.ts';
import type { CallId } from '../../core/ids.ts';
import type { LegEvent } from '../../core/call/events.ts';
import type { SwitchEvent } from './ari/decode-frame.ts';
import type { AriEvent } from './ari/ari-types.generated.ts';
import { causeOfEnd } from './hang-up-cause.ts';
import { recordingOfTrack } from './call-recording.ts';
import type { Leg, Legs } from './legs.ts';

/** `Dial` is not among them: a state change comes for each of its states that matters. */
export const eventFilter: readonly AriEvent['type'][] = [
  'StasisStart', 'ChannelDestroyed', 'ChannelHangupRequest', 'ChannelStateChange', 'ChannelDtmfReceived', 'ChannelEnteredBridge', 'ChannelLeftBridge', 'ChannelHold',
  'ChannelUnhold', 'ChannelTransfer', 'PlaybackFinished', 'RecordingStarted', 'RecordingFinished', 'RecordingFailed',
];

export type TellLeg = (callId: CallId, event: LegEvent) => void;

export function translateEvent(event: SwitchEvent, legs: Legs, tellCall: TellLeg): void {
  if ('channel' in event && event.channel !== undefined && recordingOfTrack(event.channel.id) !== undefined) return;
  const tell = (id: string, told: LegEvent): void => { tellCall(callIdOf(id), told); };
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- the others are filtered out at the switch, or are the driver's own
  switch (event.type) {
    case 'ChannelStateChange':
      if (event.channel.state === 'Ringing') legRang(legs, event.channel.id, tellCall);
      else if (event.channel.state === 'Up') legAnswered(legs, event.channel.id, tellCall);
      return;
    case 'ChannelDestroyed': {
      const legId = event.channel.id;
      const leg = legs.get(legId);
      legs.delete(legId);
      leg?.originate?.gone();
      tell(legId, { type: 'LegEnded', legId, cause: causeOfEnd({ cause: event.cause, techCause: event.tech_cause, answered: event.channel.state === 'Up' }, leg?.asked) });
      for (const late of leg?.afterEnd ?? []) late();
      return;
    }
    case 'ChannelHangupRequest': {
      // A hang-up ends the leg's prompt or recording before the leg: told in that order it would look as if the leg
      // had heard the prompt out, and phones would ring for a caller who has left.
      const leg = legs.get(event.channel.id);
      if (leg !== undefined) leg.afterEnd ??= [];
      return;
    }
    case 'ChannelDtmfReceived':
      tell(event.channel.id, { type: 'LegDigit', legId: event.channel.id, digit: event.digit });
      return;
    case 'ChannelEnteredBridge':
      if (event.channel !== undefined) tell(event.channel.id, { type: 'LegBridged', legId: event.channel.id, bridgeId: event.bridge.id });
      return;
    case 'ChannelLeftBridge':
      tell(event.channel.id, { type: 'LegUnbridged', legId: event.channel.id, bridgeId: event.bridge.id });
      return;
    case 'ChannelHold':
      tell(event.channel.id, { type: 'LegHeld', legId: event.channel.id });
      return;
    case 'ChannelUnhold':
      tell(event.channel.id, { type: 'LegUnheld', legId: event.channel.id });
      return;
    case 'ChannelTransfer': {
      const legId = event.refer_to.connected_channel?.id;
      if (legId !== undefined) tell(legId, { type: 'TransferRefused', legId });
      return;
    }
    case 'PlaybackFinished': {
      // One for the whole list, with the last item's state; items before it end in PlaybackContinuing.
      const { id, state, target_uri: target } = event.playback;
      if (!target.startsWith('channel:')) return;
      const legId = target.slice('channel:'.length);
      const leg = legs.get(legId);
      leg?.prompts.delete(id);
      inTurn(leg, () => { tell(legId, { type: 'PromptFinished', legId, promptId: id, ok: state === 'done' }); });
      return;
    }
    case 'RecordingStarted':
      tell(event.recording.name, { type: 'RecordingStarted', recordingId: event.recording.name });
      return;
    case 'RecordingFinished':
    case 'RecordingFailed': {
      const { name, target_uri: target, duration } = event.recording;
      const leg = legs.get(target.replace(/^channel:/, ''));
      if (leg?.recording === name) leg.recording = undefined;
      inTurn(leg, () => {
        tell(name, event.type === 'RecordingFailed' ? { type: 'RecordingFailed', recordingId: name }
          : { type: 'RecordingFinished', recordingId: name, durationMs: (duration ?? 0) * 1000 });
      });
      return;
    }
    default:
  }
}

/** At once, or after the end of a leg that is ending. */
function inTurn(leg: Leg | undefined, say: () => void): void {
  if (leg?.afterEnd === undefined) say();
  else leg.afterEnd.push(say);
}

export function legRang(legs: Legs, legId: string, tell: TellLeg): void {
  const leg = legs.of(legId);
  if (leg.rang || leg.answered) return;
  leg.rang = true;
  tell(callIdOf(legId), { type: 'LegRinging', legId });
}

export function legAnswered(legs: Legs, legId: string, tell: TellLeg): void {
  const leg = legs.of(legId);
  if (leg.answered) return;
  leg.answered = true;
  tell(callIdOf(legId), { type: 'LegAnswered', legId });
}
