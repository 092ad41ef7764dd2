/** Asterisk's events as ours. Each fact about a leg is told once, whichever events it arrives by and in what order. */
import { callIdOf, type BridgeId, type CallId, type LegId } from '../../core/ids.ts';
import { deviceNamed } from '../../core/routing/sip-name.ts';
import type { LegEvent } from '../../core/call/events.ts';
import type { SwitchEvent } from './ari/decode-frame.ts';
import type { AriEvent, Channel, ChannelTransferEvent } from './ari/ari-types.generated.ts';
import { callerText } from '../caller-text.ts';
import { causeOfEnd, type SwitchEnd } from './hang-up-cause.ts';
import { recordingOfTrack } from './call-recording.ts';
import { catchesLateStop } from './late-stop.ts';
import type { Leg, Legs } from './legs.ts';
import { endpointOf, offeredAs } from './origin.ts';

/** `Dial` is not among them: a state change comes for each of its states that matters. */
export const eventFilter: readonly AriEvent['type'][] = [
  'StasisStart', 'StasisEnd', 'ChannelDestroyed', 'ChannelHangupRequest', 'ChannelStateChange', 'ChannelDtmfReceived', 'ChannelEnteredBridge', 'ChannelLeftBridge', 'ChannelHold',
  'ChannelUnhold', 'ChannelTransfer', 'PlaybackFinished', 'RecordingStarted', 'RecordingFinished', 'RecordingFailed',
];

export type TellLeg = (callId: CallId, event: LegEvent) => void;

export function translateEvent(event: SwitchEvent, legs: Legs, tellCall: TellLeg): void {
  if ('channel' in event && event.channel !== undefined && recordingOfTrack(event.channel.id) !== undefined) return;
  const tell = (legId: LegId, told: LegEvent): void => { tellCall(legs.callOf(legId), told); };
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- the others are filtered out at the switch, or are the driver's own
  switch (event.type) {
    case 'ChannelStateChange':
      if (event.channel.state === 'Ringing') legRang(legs, event.channel.id, tellCall);
      else if (event.channel.state === 'Up') legAnswered(legs, event.channel.id, tellCall);
      return;
    case 'ChannelDestroyed':
      legEnded(legs, event.channel, { cause: event.cause, techCause: event.tech_cause }, tellCall);
      return;
    case 'ChannelHangupRequest': {
      // A hang-up ends the leg's prompt or recording before the leg: told in that order it would look as if the leg
      // had heard the prompt out, and phones would ring for a caller who has left.
      const leg = legs.get(event.channel.id);
      if (leg === undefined) return;
      leg.afterEnd ??= [];
      if (event.cause !== undefined) leg.end = { cause: event.cause, techCause: event.tech_cause };
      return;
    }
    case 'ChannelDtmfReceived':
      tell(event.channel.id, { type: 'LegDigit', legId: event.channel.id, digit: event.digit });
      return;
    case 'ChannelEnteredBridge':
      if (event.channel !== undefined) legBridged(legs, event.channel.id, event.bridge.id, tellCall);
      return;
    case 'ChannelLeftBridge':
      legUnbridged(legs, event.channel.id, event.bridge.id, tellCall);
      return;
    case 'ChannelHold':
      tell(event.channel.id, { type: 'LegHeld', legId: event.channel.id });
      return;
    case 'ChannelUnhold':
      tell(event.channel.id, { type: 'LegUnheld', legId: event.channel.id });
      return;
    case 'ChannelTransfer': {
      // Told again with each answer to it, and with the end of a leg that was not answered.
      const legId = event.referred_by.source_channel.id;
      if (event.state !== undefined || legs.get(legId)?.afterEnd !== undefined) return;
      tell(legId, { type: 'TransferAsked', legId, ...referTo(event, legs) });
      return;
    }
    case 'PlaybackFinished': {
      // One for the whole list, with the last item's state; items before it end in PlaybackContinuing.
      const { id, state, target_uri: target } = event.playback;
      if (!target.startsWith('channel:') || catchesLateStop(id)) return;
      const legId = target.slice('channel:'.length);
      const leg = legs.get(legId);
      leg?.prompts.delete(id);
      inTurn(leg, () => { tellCall(callIdOf(id), { type: 'PromptFinished', legId, promptId: id, ok: state === 'done' }); });
      return;
    }
    case 'RecordingStarted':
      tellCall(callIdOf(event.recording.name), { type: 'RecordingStarted', recordingId: event.recording.name });
      return;
    case 'RecordingFinished':
    case 'RecordingFailed': {
      const { name, target_uri: target, duration } = event.recording;
      const leg = legs.get(target.replace(/^channel:/, ''));
      if (leg?.recording === name) leg.recording = undefined;
      inTurn(leg, () => {
        tellCall(callIdOf(name), event.type === 'RecordingFailed' ? { type: 'RecordingFailed', recordingId: name }
          : { type: 'RecordingFinished', recordingId: name, durationMs: (duration ?? 0) * 1000 });
      });
      return;
    }
    default:
  }
}

export function legEnded(legs: Legs, { id, state }: Pick<Channel, 'id' | 'state'>, end: Omit<SwitchEnd, 'answered'>, tell: TellLeg): void {
  const leg = legs.get(id);
  const callId = legs.callOf(id);
  // Of a caller it has been told by now.
  if (leg === undefined && callId === id) return;
  legs.delete(id);
  leg?.originate?.gone();
  tell(callId, { type: 'LegEnded', legId: id, cause: causeOfEnd({ ...end, answered: state === 'Up' }, leg?.asked) });
  for (const late of leg?.afterEnd ?? []) late();
}

/** In the bridge of another call it is that call's from now on; the one it was of learns by this that it has lost it. */
export function legBridged(legs: Legs, legId: LegId, bridgeId: BridgeId, tell: TellLeg): void {
  const callId = callIdOf(bridgeId);
  const leg = legs.get(legId);
  if (leg !== undefined) leg.bridge = bridgeId;
  const told: LegEvent = { type: 'LegBridged', legId, bridgeId };
  tell(legs.callOf(legId), told);
  if (callId === bridgeId || callId === legs.callOf(legId)) return;
  legs.of(legId).callId = callId;
  tell(callId, told);
}

export function legUnbridged(legs: Legs, legId: LegId, bridgeId: BridgeId, tell: TellLeg): void {
  const leg = legs.get(legId);
  if (leg?.bridge === bridgeId) leg.bridge = undefined;
  tell(legs.callOf(legId), { type: 'LegUnbridged', legId, bridgeId });
}

/** With Replaces there is no destination, but the phone's other call: whom it talks with there, or whom it has called. */
function referTo({ refer_to: { requested_destination: wanted, destination_channel: other, connected_channel: connected } }: ChannelTransferEvent, legs: Legs): Pick<Extract<LegEvent, { type: 'TransferAsked' }>, 'to' | 'consulted'> {
  if (other === undefined || connected === undefined) return { to: callerText((other === undefined ? wanted.destination : offeredAs(other).dialled) ?? '', 40) };
  const phone = endpointOf(connected) ?? '';
  return { to: deviceNamed(phone).device, consulted: { legId: connected.id, phone, by: other.id, callId: legs.callOf(other.id) } };
}

/** At once, or after the end of a leg that is ending. */
export function inTurn(leg: Leg | undefined, say: () => void): void {
  if (leg?.afterEnd === undefined) say();
  else leg.afterEnd.push(say);
}

export function legRang(legs: Legs, legId: string, tell: TellLeg): void {
  const leg = legs.of(legId);
  if (leg.rang || leg.answered) return;
  leg.rang = true;
  tell(leg.callId, { type: 'LegRinging', legId });
}

export function legAnswered(legs: Legs, legId: string, tell: TellLeg): void {
  const leg = legs.of(legId);
  if (leg.answered) return;
  leg.answered = true;
  tell(leg.callId, { type: 'LegAnswered', legId });
}
