/**
 * Adoption: what the switch has of a call is set against what we know of it, after a time in which events may have
 * been missed. Missed ends, rings and answers go through the same handling as live ones; then the place the call is
 * in is taken up again: what it waits for is asked for once more.
 *
 * What we know may be nothing (no journal), behind the switch (the journal lost its last moments) or ahead of it
 * (commands that never arrived). The mark on the caller's leg is newer than what we know when its `n` is higher.
 */
import { ordinalOf, type LegId } from '../ids.ts';
import { enterAnnouncement } from '../steps/announcement.ts';
import { leaveWhenNobodyIsLeft } from '../steps/ring.ts';
import { askAgain } from '../steps/screening.ts';
import { enterVoicemail, startBeep } from '../steps/voicemail.ts';
import { bridge, connected, startWhisper, winnerLost } from '../steps/whisper.ts';
import { recordMarginMs, recordTimer, roundTimer, legTimer } from './timers.ts';
import { cancelAllTimers, cancelTimer, change, command, fact, goTo, legOf, legsOf, moveLeg, ringStepOf, setLeg, startTimer, stepOf, type Draft } from './draft.ts';
import { endAgain, endCall } from './ending.ts';
import type { CallEvent, CallOnSwitch, LegOnSwitch } from './events.ts';
import { enterStep } from './flow.ts';
import { dial, dismiss, endLeg, hangUp, isTrying } from './leg-life.ts';
import type { Leg } from './call.ts';
import type { CallMark } from './mark.ts';

type Handle = (draft: Draft, event: CallEvent) => void;

/** Numbers above those seen on the switch, for ids that may have been given and never seen. */
const spareIds = 50;

export function adopt(draft: Draft, seen: CallOnSwitch, handle: Handle): void {
  const known = draft.call;
  const mark = seen.caller?.mark ?? null;
  if (known.phase === 'offered') {
    const { caller, dialled, origin } = known.offer;
    fact(draft, { type: 'CallStarted', caller, dialled, origin, startedAt: known.startedAt });
  }
  change(draft, { n: Math.max(known.n, mark?.n ?? 0, ...seen.legs.map((leg) => ordinalOf(leg.legId))) + spareIds });
  callerAsSeen(draft, seen);
  const unknown = seen.legs.filter((leg) => legOf(draft, leg.legId) === undefined);
  const behind = mark !== null && mark.n > known.n && known.phase !== 'ending';
  if (behind || unknown.length > 0 || (known.phase === 'offered' && seen.caller === null)) fact(draft, { type: 'CallReconstructed' });
  for (const leg of unknown) learn(draft, leg);
  if (behind) placeByMark(draft, mark, seen);
  if (seen.caller === null) handle(draft, { type: 'LegEnded', legId: draft.call.id, cause: 'lost' });
  for (const leg of legsOf(draft)) catchUp(draft, leg.id, seen, handle);
  if (draft.outcome === null) resume(draft, seen);
}

function callerAsSeen(draft: Draft, seen: CallOnSwitch): void {
  const { caller, id } = draft.call;
  if (seen.caller === null) return;
  if (seen.caller.answered && caller.phase === 'waiting') {
    change(draft, { caller: { phase: 'answered' } });
    fact(draft, { type: 'CallerAnswered' });
  } else if (!seen.caller.answered && caller.phase === 'answered') {
    command(draft, { type: 'AnswerLeg', legId: id });
  }
}

/** A leg of this call whose dialling we have no record of: its mark says which attempt it is. */
function learn(draft: Draft, seen: LegOnSwitch): void {
  const { legId, mark } = seen;
  const attempt = mark === null ? undefined : ringStepOf(draft, mark.step)?.attempts[mark.attempt];
  const leg: Leg = { id: legId, step: mark?.step ?? '', attempt: mark?.attempt ?? -1, trunk: mark?.trunk ?? 0, held: false, phase: 'dialing' };
  setLeg(draft, leg);
  if (attempt === undefined) {
    hangUp(draft, leg, 'canceled');
    return;
  }
  fact(draft, { type: 'LegDialed', legId, user: attempt.user, label: attempt.label, target: attempt.target });
  startTimer(draft, legTimer('leg', legId), seen.createdAt + attempt.ringMs);
}

/** The switch knows of a later place than we do. */
function placeByMark(draft: Draft, mark: CallMark, seen: CallOnSwitch): void {
  const { step } = mark;
  const promptId = '';
  switch (mark.place) {
    case 'announcing':
    case 'greeting':
      cancelAllTimers(draft);
      goTo(draft, { phase: mark.place, step, promptId });
      return;
    case 'ringing': {
      const since = Math.min(draft.now, ...seen.legs.filter((leg) => leg.mark?.step === step).map((leg) => leg.createdAt));
      cancelTimer(draft, 'prompt');
      goTo(draft, { phase: 'ringing', step });
      startTimer(draft, roundTimer, since + (ringStepOf(draft, step)?.ringMs ?? 0));
      return;
    }
    case 'connecting': {
      if (mark.winner === undefined || mark.bridge === undefined) return;
      cancelAllTimers(draft);
      const winner = legOf(draft, mark.winner) ?? { id: mark.winner, step, attempt: -1, trunk: 0, held: false, phase: 'dialing' };
      moveLeg(draft, winner, { phase: 'accepted', promptId: null });
      fact(draft, { type: 'LegAccepted', legId: winner.id, won: true });
      goTo(draft, { phase: 'connecting', step, winner: winner.id, bridgeId: mark.bridge, joined: [] });
      // A caller in the bridge has talked: if the other is gone now, that was the end of a call that was answered.
      if (isIn(seen, mark.bridge, draft.call.id)) connected(draft);
      return;
    }
    case 'recording': {
      if (mark.recording === undefined) return;
      cancelAllTimers(draft);
      goTo(draft, { phase: 'recording', step, recordingId: mark.recording });
      change(draft, { recording: mark.recording });
      fact(draft, { type: 'VoicemailStarted', recordingId: mark.recording });
    }
  }
}

function isIn(seen: CallOnSwitch, bridgeId: string, legId: LegId): boolean {
  return seen.bridges.some((one) => one.bridgeId === bridgeId && one.legIds.includes(legId));
}

/** Feeds one leg what it has missed. */
function catchUp(draft: Draft, legId: LegId, seen: CallOnSwitch, handle: Handle): void {
  const leg = legOf(draft, legId);
  if (leg === undefined) return;
  const now = seen.legs.find((one) => one.legId === legId);
  if (now === undefined) {
    catchUpGone(draft, leg, handle);
    return;
  }
  if (leg.phase === 'ending' || leg.phase === 'ended') {
    command(draft, { type: 'HangUpLeg', legId, cause: leg.cause });
    return;
  }
  const { call } = draft;
  if (isTrying(leg) && !(call.phase === 'ringing' && call.step === leg.step)) {
    dismiss(draft, leg);
    return;
  }
  if (now.state === 'ringing') handle(draft, { type: 'LegRinging', legId });
  if (now.state === 'answered') handle(draft, { type: 'LegAnswered', legId });
}

function catchUpGone(draft: Draft, leg: Leg, handle: Handle): void {
  const { call } = draft;
  if (leg.phase === 'ended') return;
  if (leg.phase === 'dialing' && call.phase === 'ringing' && call.step === leg.step && draft.outcome === null) {
    // Nothing of it was ever seen: the request may not have arrived.
    endLeg(draft, leg, 'lost');
    dial(draft, leg.step, leg.attempt, leg.trunk);
    return;
  }
  handle(draft, { type: 'LegEnded', legId: leg.id, cause: leg.phase === 'bridged' ? 'normal' : 'lost' });
}

/** Takes the place up again: commands may not have arrived, and the ends of prompts were not heard. */
function resume(draft: Draft, seen: CallOnSwitch): void {
  const { call } = draft;
  if ('promptId' in call && call.promptId !== '') command(draft, { type: 'StopPrompt', promptId: call.promptId });
  switch (call.phase) {
    case 'offered':
      enterStep(draft, call.plan.first);
      return;
    case 'announcing': {
      const step = stepOf(draft, call.step);
      if (step?.kind === 'announcement') enterAnnouncement(draft, call.step, step);
      return;
    }
    case 'ringing':
      resumeRinging(draft);
      return;
    case 'connecting':
      resumeConnecting(draft, seen);
      return;
    case 'connected':
      resumeConnected(draft, seen);
      return;
    case 'greeting': {
      const step = stepOf(draft, call.step);
      if (step?.kind === 'voicemail') enterVoicemail(draft, call.step, step);
      return;
    }
    case 'beeping':
      startBeep(draft, call.step);
      return;
    case 'recording':
      resumeRecording(draft, seen);
      return;
    case 'ending':
      if (call.recording !== null && !seen.recordings.includes(call.recording)) change(draft, { recording: null });
      if (seen.caller === null && call.caller.phase !== 'ended') change(draft, { caller: { phase: 'ended' } });
      endAgain(draft);
      return;
    case 'ended':
  }
}

function resumeRinging(draft: Draft): void {
  command(draft, { type: 'RingLeg', legId: draft.call.id });
  for (const leg of legsOf(draft)) {
    if (leg.phase !== 'screening') continue;
    if (leg.promptId !== null) command(draft, { type: 'StopPrompt', promptId: leg.promptId });
    askAgain(draft, leg);
  }
  leaveWhenNobodyIsLeft(draft);
}

function resumeConnecting(draft: Draft, seen: CallOnSwitch): void {
  const { call } = draft;
  if (call.phase !== 'connecting') return;
  const winner = legOf(draft, call.winner);
  if (winner?.phase !== 'accepted') winnerLost(draft);
  else if (isIn(seen, call.bridgeId, call.id) && isIn(seen, call.bridgeId, winner.id)) connected(draft);
  else if (winner.promptId !== null) {
    command(draft, { type: 'StopPrompt', promptId: winner.promptId });
    startWhisper(draft, winner);
  } else bridge(draft);
  if (draft.call.phase === 'connected') resumeConnected(draft, seen);
}

function resumeConnected(draft: Draft, seen: CallOnSwitch): void {
  const { call } = draft;
  if (call.phase !== 'connected') return;
  const winner = legOf(draft, call.winner);
  if (winner?.phase !== 'bridged') {
    endCall(draft, 'normal', 'answered', 'callee');
    return;
  }
  if (!isIn(seen, call.bridgeId, call.id) || !isIn(seen, call.bridgeId, winner.id)) {
    bridge(draft);
    return;
  }
  for (const legId of [call.id, winner.id]) command(draft, { type: 'SetGuard', legId, ms: call.plan.maxCallMs });
}

function resumeRecording(draft: Draft, seen: CallOnSwitch): void {
  const { call } = draft;
  if (call.phase !== 'recording') return;
  if (seen.recordings.includes(call.recordingId)) {
    const step = stepOf(draft, call.step);
    if (!(recordTimer in call.timers)) startTimer(draft, recordTimer, draft.now + (step?.kind === 'voicemail' ? step.maxMs : 0) + recordMarginMs);
    return;
  }
  // Never started, or its end was missed: the caller who is still there is asked again, by the beep.
  change(draft, { recording: null });
  cancelTimer(draft, recordTimer);
  startBeep(draft, call.step);
}
