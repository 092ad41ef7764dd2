/**
 * The story of a call: an event in, commands out. Total and pure: any event in any phase returns, never throws, and
 * the same call, event and time always give the same. What an event means is said here and in steps/; what follows
 * a step is the plan's word (flow.ts).
 */
import type { Cause } from '../cause.ts';
import { callIdOf, type LegId, type TimerId } from '../ids.ts';
import { announcementFinished } from '../steps/announcement.ts';
import { callRecordingEnded, callRecordingFailed, callRecordingStarted } from '../steps/call-recording.ts';
import { messageDue, musicAgain, queuePromptFinished } from '../steps/queue-hearing.ts';
import { settleQueue, tellCleared } from '../steps/queue-service.ts';
import { callbackKept, deskSaid, sayAgain } from '../steps/queue.ts';
import { destinationsOrdered, orderTimedOut } from '../steps/ordering.ts';
import { attemptEnded, extensionDialled, legAnswered, legDigit, legRinging, legTimedOut, roundTimedOut } from '../steps/ring.ts';
import { settingSettled, settingTimedOut } from '../steps/setting.ts';
import { callerDigit, menuExtensionPlanned, menuLeft, menuPromptFinished, menuTimedOut } from '../steps/menu.ts';
import { askAgain, screeningPromptFinished, screeningTimedOut } from '../steps/screening.ts';
import { bridgeSupervisor, changeMode, spyBridged, spyEnded, spyThere, spyUnbridged, superviseFailed, supervisionFailed } from '../steps/supervise.ts';
import { continuedElsewhere, settleTransfer, transferAsked, transferPlanned } from '../steps/transfer.ts';
import { recordingFailed, recordingFinished, recordingStarted, recordingTimedOut, voicemailPromptFinished } from '../steps/voicemail.ts';
import { delayOver, goOnWhenNobodyIsLeft } from '../steps/walk.ts';
import { bridge, bridgeRefused, connectFailed, legBridged, legUnbridged, whisperFinished, whisperTimedOut, winnerLost } from '../steps/whisper.ts';
import type { EpochMs } from '../time.ts';
import { adopt } from './adopt.ts';
import type { Call, Leg } from './call.ts';
import type { CallCommand } from './commands.ts';
import { command, draftOf, fact, forgetTimer, legOf, setLeg, startTimer, type Draft } from './draft.ts';
import { endAgain, endCall, finishWhenNothingIsLeft, routedTo, servedEnded } from './ending.ts';
import type { CallEvent } from './events.ts';
import { extendPlan } from './extend-plan.ts';
import type { CallFact } from './facts.ts';
import { enterStep, follow } from './flow.ts';
import { dismissedOver, endLeg, hangUp, hangUpAgain } from './leg-life.ts';
import { markIsStale, markOf } from './mark-of.ts';
import {
  connectTimer, delayedAttemptOf, deskTimer, endingTimer, guardAgainMs, legTimer, legTimerOf, maxCallTimer, menuTimer, messageTimer, musicTimer, orderTimer, promptTimer, recordTimer, roundTimer, settingTimer, whisperTimer,
  type LegTimer,
} from './timers.ts';

export interface Context {
  /** When the event happened. */
  readonly now: EpochMs;
}

export interface Transition {
  readonly call: Call;
  readonly commands: readonly CallCommand[];
  readonly facts: readonly CallFact[];
}

export function transition(call: Call, event: CallEvent, ctx: Context): Transition {
  if (call.phase === 'ended') return { call, commands: [], facts: [] };
  const draft = draftOf(call, ctx.now);
  handle(draft, event);
  follow(draft);
  settleTransfer(draft);
  settleQueue(draft);
  tellCleared(draft, call);
  finishWhenNothingIsLeft(draft);
  if (call.phase === 'offered' && draft.call.phase !== 'offered') {
    const { caller, dialled, origin } = call.offer;
    draft.facts.unshift({ type: 'CallStarted', caller, dialled, origin, startedAt: call.startedAt });
  }
  const mark = markOf(draft.call);
  // Adoption gives new numbers to ids: the switch must know of them should this controller's journal be lost too.
  if (mark !== null && (event.type === 'CallAdopted' || markIsStale(markOf(call), mark))) command(draft, { type: 'MarkCall', legId: draft.call.caller.legId, callId: call.id, mark });
  return { call: draft.call, commands: draft.commands, facts: draft.facts };
}

function handle(draft: Draft, event: CallEvent): void {
  switch (event.type) {
    case 'CallOffered':
      if (draft.call.phase === 'offered') enterStep(draft, draft.call.plan.first);
      return;
    case 'LegRinging':
      onLeg(draft, event.legId, legRinging);
      return;
    case 'LegAnswered':
      onLeg(draft, event.legId, draft.call.phase === 'supervising' ? spyThere : legAnswered);
      return;
    case 'LegDigit':
      if (event.legId === draft.call.caller.legId) callerDigit(draft, event.digit);
      else onLeg(draft, event.legId, (d, leg) => legDigit(d, leg, event.digit));
      return;
    case 'LegEnded':
      legEnded(draft, event.legId, event.cause);
      return;
    case 'LegHeld':
    case 'LegUnheld':
      legHeld(draft, event.legId, event.type === 'LegHeld');
      return;
    case 'TransferAsked':
      transferAsked(draft, event);
      return;
    case 'PromptFinished':
      promptFinished(draft, event.legId, event.promptId, event.ok);
      return;
    case 'LegBridged':
      if (callIdOf(event.bridgeId) === draft.call.id) legBridged(draft, event.legId, event.bridgeId);
      else continuedElsewhere(draft, event.legId, event.bridgeId);
      spyBridged(draft, event.legId, event.bridgeId);
      return;
    case 'LegUnbridged':
      legUnbridged(draft, event.legId, event.bridgeId);
      spyUnbridged(draft, event.legId, event.bridgeId);
      return;
    case 'RecordingStarted':
      recordingStarted(draft, event.recordingId);
      callRecordingStarted(draft, event.recordingId);
      return;
    case 'RecordingFinished':
      recordingFinished(draft, event.recordingId, event.durationMs);
      callRecordingEnded(draft, event.recordingId, event.durationMs);
      return;
    case 'RecordingFailed':
      recordingFailed(draft, event.recordingId);
      callRecordingFailed(draft, event.recordingId);
      return;
    case 'TimerFired':
      timerFired(draft, event.id);
      return;
    case 'DestinationsOrdered':
      destinationsOrdered(draft, event);
      return;
    case 'SettingSettled':
      settingSettled(draft, event);
      return;
    case 'ModeAsked':
      changeMode(draft, event.mode);
      return;
    case 'CallbackKept':
      callbackKept(draft, event);
      return;
    case 'SupervisionTold':
      // For the record: nothing of the call may hang on who hears it.
      if (draft.call.phase !== 'ended') fact(draft, { type: 'Supervised', supervision: event.supervision, by: event.by, mode: event.mode });
      return;
    case 'DeskSaid':
      deskSaid(draft, event.said);
      return;
    case 'CommandFailed':
      commandFailed(draft, event);
      return;
    case 'ExtensionPlanned':
      if (!extendPlan(draft, event)) return;
      menuExtensionPlanned(draft, event);
      transferPlanned(draft, event);
      return;
    case 'CallAdopted':
      adopt(draft, event, handle);
  }
}

/** A leg we do not know is none of ours: an event of it changes nothing. */
function onLeg(draft: Draft, legId: LegId, act: (draft: Draft, leg: Leg) => void): void {
  const leg = legOf(draft, legId);
  if (leg !== undefined) act(draft, leg);
}

function legEnded(draft: Draft, legId: LegId, cause: Cause): void {
  const { call } = draft;
  if (legId === call.caller.legId) {
    callerEnded(draft, cause);
    return;
  }
  const leg = legOf(draft, legId);
  if (leg === undefined || leg.phase === 'ended') return;
  if (call.phase === 'connecting' && call.winner === legId) {
    endLeg(draft, leg, cause);
    winnerLost(draft);
  } else if (call.phase === 'connected' && call.winner === legId) {
    endLeg(draft, leg, cause);
    endCall(draft, 'normal', 'answered', 'callee');
  } else if (call.phase === 'supervising') {
    spyEnded(draft, leg, cause);
  } else {
    attemptEnded(draft, leg, cause);
  }
}

function callerEnded(draft: Draft, cause: Cause): void {
  const { call } = draft;
  if (call.caller.phase === 'ended') return;
  servedEnded(draft, cause);
  menuLeft(draft);
  if (call.phase === 'connected') endCall(draft, 'normal', 'answered', 'caller');
  else if (call.phase === 'greeting' || call.phase === 'beeping' || call.phase === 'recording') endCall(draft, cause, routedTo(draft), 'caller');
  else endCall(draft, cause, 'canceled', 'caller');
}

function legHeld(draft: Draft, legId: LegId, held: boolean): void {
  const leg = legOf(draft, legId);
  if (leg !== undefined) {
    if (leg.held === held || leg.phase !== 'bridged') return;
    setLeg(draft, { ...leg, held });
  } else if (legId !== draft.call.caller.legId) {
    return;
  }
  fact(draft, { type: held ? 'LegHeld' : 'LegUnheld', legId });
}

function promptFinished(draft: Draft, legId: LegId, promptId: string, ok: boolean): void {
  const { call } = draft;
  if (legId === call.caller.legId) {
    if (!('promptId' in call) || call.promptId !== promptId) return;
    callerPromptOver(draft, ok);
    return;
  }
  const leg = legOf(draft, legId);
  if (leg === undefined || !('promptId' in leg) || leg.promptId !== promptId) return;
  if (leg.phase === 'screening') screeningPromptFinished(draft, leg, ok);
  else if (leg.phase === 'accepted') whisperFinished(draft, ok);
  else dismissedOver(draft, leg);
}

function callerPromptOver(draft: Draft, ok: boolean): void {
  const { phase } = draft.call;
  if (phase === 'announcing') announcementFinished(draft, ok);
  else if (phase === 'menu') menuPromptFinished(draft);
  else if (phase === 'queued') queuePromptFinished(draft, ok);
  else voicemailPromptFinished(draft);
}

function timerFired(draft: Draft, id: TimerId): void {
  const at = Object.hasOwn(draft.call.timers, id) ? draft.call.timers[id] : undefined;
  if (at === undefined) return;
  if (at > draft.now) {
    // Fired for an earlier deadline, before it was armed anew: this one is still to come.
    startTimer(draft, id, at);
    return;
  }
  forgetTimer(draft, id);
  const ofLeg = legTimerOf(id);
  if (ofLeg !== undefined) {
    legTimerFired(draft, ofLeg.legId, ofLeg.kind);
    return;
  }
  const delayed = delayedAttemptOf(id);
  if (delayed !== undefined) {
    delayOver(draft, delayed);
    return;
  }
  switch (id) {
    case roundTimer:
      roundTimedOut(draft);
      return;
    case orderTimer:
      orderTimedOut(draft);
      return;
    case deskTimer:
      sayAgain(draft);
      return;
    case messageTimer:
      messageDue(draft);
      return;
    case musicTimer:
      musicAgain(draft);
      return;
    case settingTimer:
      settingTimedOut(draft);
      return;
    case promptTimer:
      if ('promptId' in draft.call && draft.call.promptId !== null) command(draft, { type: 'StopPrompt', promptId: draft.call.promptId });
      callerPromptOver(draft, false);
      return;
    case menuTimer:
      menuTimedOut(draft);
      return;
    case whisperTimer:
      whisperTimedOut(draft);
      return;
    case connectTimer:
      connectFailed(draft);
      supervisionFailed(draft);
      return;
    case maxCallTimer:
      endCall(draft, 'normal', 'answered', 'frontdesk');
      return;
    case recordTimer:
      recordingTimedOut(draft);
      return;
    case endingTimer:
      endAgain(draft);
  }
}

function legTimerFired(draft: Draft, legId: LegId, kind: LegTimer): void {
  switch (kind) {
    case 'leg':
      onLeg(draft, legId, legTimedOut);
      return;
    case 'extension':
      onLeg(draft, legId, extensionDialled);
      return;
    case 'screening':
      onLeg(draft, legId, screeningTimedOut);
      goOnWhenNobodyIsLeft(draft);
      return;
    case 'ask-again':
      onLeg(draft, legId, askAgain);
      return;
    case 'dismissed':
      onLeg(draft, legId, dismissedOver);
      return;
    case 'hang-up':
      onLeg(draft, legId, hangUpAgain);
      return;
    case 'guard':
      raiseGuard(draft, legId);
      return;
    case 'rejoin':
      bridge(draft);
      bridgeSupervisor(draft);
  }
}

/** A guard that could not be raised would cut a talking call short: asked for until it is. */
function raiseGuard(draft: Draft, legId: LegId): void {
  if (isTalking(draft.call, legId)) command(draft, { type: 'SetGuard', legId, ms: draft.call.plan.maxCallMs });
}

function isTalking(call: Call, legId: LegId): boolean {
  return (call.phase === 'connecting' || call.phase === 'connected') && (legId === call.caller.legId || legId === call.winner);
}

function commandFailed(draft: Draft, event: Extract<CallEvent, { type: 'CommandFailed' }>): void {
  const { command: failed, error } = event;
  switch (failed.type) {
    case 'OriginateLeg':
      onLeg(draft, failed.legId, (d, leg) => originateFailed(d, leg, event));
      return;
    case 'PlayPrompt':
      // With the link down the prompt may well be playing: adoption looks again. The end of a leg that is gone is on
      // its way, and nobody is to be rung until then. A timer is armed meanwhile.
      if (error !== 'unreachable' && error !== 'gone') promptFinished(draft, failed.legId, failed.promptId, false);
      return;
    case 'BridgeLegs':
      if (error === 'unreachable' || error === 'gone') return;
      bridgeRefused(draft, failed.bridgeId);
      supervisionFailed(draft);
      return;
    case 'SuperviseLeg':
      onLeg(draft, failed.legId, (d, leg) => superviseFailed(d, leg, error));
      return;
    case 'StartRecording':
      if (error !== 'unreachable') recordingFailed(draft, failed.recordingId);
      return;
    case 'StartCallRecording':
      if (error === 'unreachable') return;
      // It may have begun all the same.
      if (error === 'timeout') command(draft, { type: 'StopRecording', recordingId: failed.recordingId });
      callRecordingFailed(draft, failed.recordingId);
      return;
    case 'SetGuard':
      if (error !== 'gone' && isTalking(draft.call, failed.legId)) {
        startTimer(draft, legTimer('guard', failed.legId), draft.now + guardAgainMs);
      }
      return;
    case 'TakeLeg':
      // Gone while it was with its old call, which alone heard of that.
      if (error === 'gone' && draft.call.phase === 'connecting') legEnded(draft, failed.legId, 'lost');
      return;
    case 'AnswerLeg':
    case 'RingLeg':
    case 'HangUpLeg':
    case 'StopPrompt':
    case 'SendDigits':
    case 'DestroyBridge':
    case 'StopRecording':
    case 'MarkCall':
    case 'AnswerTransfer':
      // The end of a leg is an event of its own; what else these would have done, a timer or adoption mends.
      return;
  }
}

function originateFailed(draft: Draft, leg: Leg, event: Extract<CallEvent, { type: 'CommandFailed' }>): void {
  // A leg that has rung or answered exists, whatever became of the reply: its end is an event of its own.
  if (leg.phase !== 'dialing' && leg.phase !== 'ending') return;
  if (event.error === 'unreachable') return; // adoption dials it again, or finds it
  if (event.error === 'timeout') {
    // It may exist: asked to end, and not tried elsewhere.
    hangUp(draft, leg, 'temporary-failure');
    goOnWhenNobodyIsLeft(draft);
    return;
  }
  attemptEnded(draft, leg, event.mayHaveReachedCarrier ? 'interworking' : 'temporary-failure');
}
