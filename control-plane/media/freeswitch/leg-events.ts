/** FreeSWITCH's events as ours. Each fact about a leg is told once, whichever events it arrives by and in what order. */
import type { Cause } from '../../core/cause.ts';
import { callIdOf, type CallId, type LegId, type RecordingId } from '../../core/ids.ts';
import type { LegEvent } from '../../core/call/events.ts';
import { second, type Ms } from '../../core/time.ts';
import { callerText } from '../caller-text.ts';
import { leaveBridge, legBridged, tellPartner } from './bridges.ts';
import type { CallRecordings } from './call-recording.ts';
import { headerOf, type EslEvent } from './esl/decode-frame.ts';
import type { EslClient } from './esl/esl-client.ts';
import { causeOfEnd, switchCause } from './hang-up-cause.ts';
import { endDeed, type Leg, type Legs } from './legs.ts';
import { runEnded, tellUnplayed } from './prompts.ts';
import { answerRefer, type Referred } from './answer-transfer.ts';
import { messageEnded } from './message.ts';
import { recordingOfFile } from './recordings.ts';
import { holdsSound } from './stored-recordings.ts';
import { readReplaces, replacedCall } from './replaced-call.ts';
import { bridgeVariable } from './variables.ts';

/** The switch is asked for these; an application's end and a leg's the client hears of anyway. */
export const events: readonly string[] = [
  'CHANNEL_CREATE', 'CHANNEL_PROGRESS', 'CHANNEL_PROGRESS_MEDIA', 'CHANNEL_ANSWER', 'CHANNEL_PARK', 'CHANNEL_BRIDGE', 'CHANNEL_HOLD', 'CHANNEL_UNHOLD', 'DTMF',
  'RECORD_START', 'RECORD_STOP',
];

export const offerEvent = 'frontdesk::offer';
export const referEvent = 'frontdesk::refer';
/** By a controller that has come, with its name. */
export const hereEvent = 'frontdesk::here';

export type TellLeg = (callId: CallId, event: LegEvent) => void;

export function translateEvent(esl: EslClient, event: EslEvent, legs: Legs, recordings: CallRecordings, tell: TellLeg): void {
  const id = headerOf(event, 'Unique-ID') ?? '';
  const leg = legs.get(id);
  switch (event.name) {
    case 'CHANNEL_BRIDGE': {
      const [first = '', second = ''] = [headerOf(event, 'Bridge-A-Unique-ID'), headerOf(event, 'Bridge-B-Unique-ID')];
      connected(esl, legs, first, second, tell);
      connected(esl, legs, second, first, tell);
      return;
    }
    case 'RECORD_START':
    case 'RECORD_STOP':
      recordingEvent(esl, event, legs, recordings, tell);
      return;
    case 'CUSTOM':
      if (headerOf(event, 'Event-Subclass') === referEvent) void referred(esl, event, id, legs, tell);
      return;
    default:
      if (leg !== undefined) legEvent(esl, event, leg, legs, tell);
  }
}

function legEvent(esl: EslClient, event: EslEvent, leg: Leg, legs: Legs, tell: TellLeg): void {
  const legId = leg.id;
  switch (event.name) {
    case 'CHANNEL_CREATE':
      leg.originate?.made();
      // The hang-up came before there was anything to hang up.
      if (leg.asked !== undefined) void esl.api('uuid_kill', { leg: legId, cause: switchCause(leg.asked) }, { order: callIdOf(legId) });
      return;
    case 'CHANNEL_PROGRESS':
    case 'CHANNEL_PROGRESS_MEDIA':
      if (!leg.isCaller) legRang(leg, tell);
      return;
    case 'CHANNEL_ANSWER':
      if (leg.isCaller) legAnswered(leg, tell);
      return;
    case 'CHANNEL_PARK':
      endDeed(leg, 'parking');
      // A leg that was called is the originate's until it is parked, and would be taken out of a bridge then.
      if (!leg.isCaller && headerOf(event, 'Answer-State') === 'answered') legAnswered(leg, tell);
      return;
    case 'CHANNEL_HOLD':
      tell(leg.callId, { type: 'LegHeld', legId });
      return;
    case 'CHANNEL_UNHOLD':
      tell(leg.callId, { type: 'LegUnheld', legId });
      return;
    case 'DTMF':
      tell(leg.callId, { type: 'LegDigit', legId, digit: headerOf(event, 'DTMF-Digit') ?? '' });
      return;
    case 'CHANNEL_EXECUTE_COMPLETE':
      // What a hang-up ends is told after the leg's own end: else it would look as if the leg had heard the prompt out.
      if (headerOf(event, 'Answer-State') === 'hangup') leg.afterEnd ??= [];
      else if (headerOf(event, 'Application-UUID') === leg.run) {
        runEnded(esl, legs.hand, leg, headerOf(event, 'Application-Response') === 'FILE PLAYED', tell);
      }
      return;
    case 'CHANNEL_HANGUP_COMPLETE':
      legEnded(legs, leg, causeOfEnd(headerOf(event, 'Hangup-Cause') ?? '', Number(headerOf(event, 'variable_hangup_cause_q850') ?? 0), leg.asked), tell);
      return;
    default:
  }
}

export function legEnded(legs: Legs, leg: Leg, cause: Cause, tell: TellLeg): void {
  leaveBridge(leg, undefined, tell);
  endDeed(leg, 'parking');
  legs.delete(leg.id);
  leg.originate?.made();
  tell(leg.callId, { type: 'LegEnded', legId: leg.id, cause });
  tellUnplayed(leg, tell);
  for (const late of leg.afterEnd ?? []) late();
}

export function legRang(leg: Leg, tell: TellLeg): void {
  if (leg.rang || leg.answered) return;
  leg.rang = true;
  tell(leg.callId, { type: 'LegRinging', legId: leg.id });
}

export function legAnswered(leg: Leg, tell: TellLeg): void {
  if (leg.answered) return;
  leg.answered = true;
  tell(leg.callId, { type: 'LegAnswered', legId: leg.id });
}

/** Two hear each other now: those we have connected, or one whom another controller has taken to a call of its own. */
function connected(esl: EslClient, legs: Legs, legId: LegId, other: LegId, tell: TellLeg): void {
  const leg = legs.get(legId);
  if (leg === undefined) return;
  if (leg.joining !== undefined && leg.bridge !== undefined) {
    tellPartner(esl, leg, other);
    legBridged(legs, legId, leg.bridge, tell);
    return;
  }
  void esl.api('uuid_getvar', { leg: legId, name: bridgeVariable }, { order: callIdOf(legId) }).then((reply) => {
    if (!reply.ok || reply.text === '_undef_' || legs.get(legId) !== leg || leg.joining !== undefined || leg.bridge === reply.text) return;
    legBridged(legs, legId, reply.text, tell);
  });
}

/** The dialplan has a phone's question wait for its answer: `waiting` is the leg in which it does. */
async function referred(esl: EslClient, event: EslEvent, waiting: LegId, legs: Legs, tell: TellLeg): Promise<void> {
  const asked = headerOf(event, 'variable_fd_asked');
  const replaces = asked === undefined ? undefined : readReplaces(asked);
  const phone = legs.get(replaces?.legId ?? headerOf(event, 'variable_blind_transfer_uuid') ?? '');
  if (phone === undefined || phone.afterEnd !== undefined) return;
  const question: Referred = { waiting, replaces: replaces !== undefined, by: phone.id };
  if (!phone.mayTransfer) {
    void answerRefer(esl, question, false);
    return;
  }
  const to = replaces === undefined ? { to: callerText(headerOf(event, 'Caller-Destination-Number') ?? '', 40) } : await replacedCall(esl, replaces).catch(() => undefined);
  // The dialplan says no to who is not answered.
  if (to === undefined || legs.get(phone.id) !== phone || phone.afterEnd !== undefined) return;
  phone.referred = question;
  tell(phone.callId, { type: 'TransferAsked', legId: phone.id, ...to });
}

function recordingEvent(esl: EslClient, event: EslEvent, legs: Legs, recordings: CallRecordings, tell: TellLeg): void {
  const file = headerOf(event, 'Record-File-Path') ?? '';
  const track = recordingOfFile(file);
  if (track === undefined) return;
  const { recordingId, side } = track;
  const leg = side === undefined ? legs.recorded(recordingId) : undefined;
  if (event.name === 'RECORD_START') {
    if (side !== undefined) recordings.started(recordingId, side);
    else if (leg !== undefined) tell(callIdOf(recordingId), { type: 'RecordingStarted', recordingId });
    return;
  }
  if (leg !== undefined) {
    if (headerOf(event, 'Answer-State') === 'hangup') leg.afterEnd ??= [];
    messageEnded(esl, leg);
  }
  const ended = (durationMs: Ms | null): void => {
    if (side !== undefined) recordings.closed(esl, recordingId, side, durationMs);
    else if (leg !== undefined) inTurn(legs, leg, () => { tell(callIdOf(recordingId), messageEnd(recordingId, durationMs)); });
  };
  const durationMs = Number(headerOf(event, 'variable_record_ms') ?? 0);
  // It could not be written on: what was before is kept.
  if (headerOf(event, 'Record-Completion-Cause') === 'uri-failure') void holdsSound(file).then((some) => { ended(some ? durationMs : null); });
  else ended(durationMs);
}

function messageEnd(recordingId: RecordingId, durationMs: Ms | null): LegEvent {
  return durationMs === null ? { type: 'RecordingFailed', recordingId } : { type: 'RecordingFinished', recordingId, durationMs: wholeSeconds(durationMs) };
}

/** As other switches know the lengths of messages. */
export function wholeSeconds(durationMs: Ms): Ms {
  return Math.floor(durationMs / second) * second;
}

/** At once, or after the end of a leg that is ending. */
export function inTurn(legs: Legs, leg: Leg, say: () => void): void {
  if (leg.afterEnd === undefined || legs.get(leg.id) !== leg) say();
  else leg.afterEnd.push(say);
}
