/**
 * Adoption: what the switch has of a call is set against what we know of it, after a time in which events may have
 * been missed. Missed ends, rings and answers go through the same handling as live ones; then the place the call is
 * in is taken up again: what it waits for is asked for once more.
 *
 * What we know may be nothing (no journal), behind the switch (the journal lost its last moments) or ahead of it
 * (commands that never arrived). The mark on the caller's leg is newer than what we know when its `n` is higher.
 */
import { isOffer, ordinalOf, ownedId, type LegId } from '../ids.ts';
import { enterAnnouncement } from '../steps/announcement.ts';
import { announced, callRecordingAsSeen, startCallRecording } from '../steps/call-recording.ts';
import { destinationsOf } from '../routing/destinations.ts';
import type { Step } from '../routing/plan.ts';
import { plainTarget } from '../routing/sip-name.ts';
import { waitForBoth } from '../steps/dial-extension.ts';
import { resumeMenu } from '../steps/menu.ts';
import { resumeSetting } from '../steps/setting.ts';
import { enterOrdering, isOrdered } from '../steps/ordering.ts';
import { visitAsSeen, visitOver } from '../steps/queue-service.ts';
import { resumeQueue, resumeService } from '../steps/queue.ts';
import { askAgain } from '../steps/screening.ts';
import { transferAsSeen } from '../steps/transfer.ts';
import { resumeSupervision, superviseAgain, supervisingByMark } from '../steps/supervise.ts';
import { enterVoicemail, startBeep } from '../steps/voicemail.ts';
import { goOnWhenNobodyIsLeft, walkAsSeen } from '../steps/walk.ts';
import { bridge, connected, startWhisper } from '../steps/whisper.ts';
import { recordMarginMs, recordTimer, roundTimer, legTimer } from './timers.ts';
import { cancelPlaceTimers, cancelTimer, change, command, fact, goTo, legOf, legsOf, moveLeg, ringStepOf, setLeg, startTimer, stepOf, type Draft } from './draft.ts';
import { endAnew } from './ending.ts';
import type { CallEvent, CallOnSwitch, LegOnSwitch } from './events.ts';
import { enterStep } from './flow.ts';
import { addSteps, askAgainForExtension } from './extend-plan.ts';
import { attemptOf, cancelLegTimers, dial, dismiss, endLeg, hangUp, isRung, isTrying } from './leg-life.ts';
import { markIsStale, markOf } from './mark-of.ts';
import type { Call, Leg } from './call.ts';
import type { CallMark } from './mark.ts';

type Handle = (draft: Draft, event: CallEvent) => void;

/** Numbers above those seen on the switch, for ids that may have been given and never seen. */
const spareIds = 50;

export function adopt(draft: Draft, { seen: found, steps }: Extract<CallEvent, { type: 'CallAdopted' }>, handle: Handle): void {
  if (steps !== undefined) addSteps(draft, steps);
  const seen = servedAsSeen(draft, found);
  const known = draft.call;
  const mark = seen.caller?.mark ?? null;
  change(draft, { n: Math.max(known.n, mark?.n ?? 0, ...[...seen.legs.map((leg) => leg.legId), ...seen.recordings].map(ordinalOf)) + spareIds });
  callerAsSeen(draft, seen);
  if (mark?.announced === true) announced(draft, known.caller.legId);
  // Before the place, which may be one that would begin another.
  callRecordingAsSeen(draft, seen);
  // Added to the plan: what it rang is not known any more, but where it led.
  if (mark?.otherwise !== undefined && stepOf(draft, mark.step) === undefined) {
    addSteps(draft, { [mark.step]: { kind: 'ring', pattern: 'simultaneous', attempts: [], ringMs: 0, taken: [], on: { noAnswer: mark.otherwise } } });
  }
  const unknown = seen.legs.filter((leg) => legOf(draft, leg.legId) === undefined);
  const behind = mark !== null && mark.n > known.n && known.phase !== 'ending';
  if (behind || unknown.length > 0 || (known.phase === 'offered' && seen.caller === null)) fact(draft, { type: 'CallReconstructed' });
  for (const leg of unknown) learn(draft, leg, leg.legId === mark?.winner);
  if (behind && markIsStale(markOf(known), mark)) {
    placeByMark(draft, mark, seen);
    if (!isSamePlace(known, draft.call)) transferAsSeen(draft);
  }
  if (behind || unknown.length > 0) walkAsSeen(draft, seen.legs);
  recordingAsSeen(draft, seen);
  if (onlyOneIsLeft(draft.call, seen)) connected(draft);
  const asked = draft.call;
  if (seen.caller === null) handle(draft, { type: 'LegEnded', legId: asked.caller.legId, cause: 'lost' });
  for (const leg of legsOf(draft)) catchUp(draft, leg.id, seen, handle);
  endStrayBridges(draft, seen);
  // What was caught up with may have led on already: to another place, or out of this one.
  if (draft.outcome === null && isSamePlace(asked, draft.call)) resume(draft, asked, seen);
}

/** A bridge of an earlier winner, or of a call that is ending: the request to end it may not have arrived. */
function endStrayBridges(draft: Draft, seen: CallOnSwitch): void {
  const { call } = draft;
  for (const { bridgeId } of seen.bridges) {
    if (!('bridgeId' in call && call.bridgeId === bridgeId)) command(draft, { type: 'DestroyBridge', bridgeId });
  }
}

function isSamePlace(a: Call, b: Call): boolean {
  return a.phase === b.phase && ('step' in a ? a.step : '') === ('step' in b ? b.step : '');
}

function callerAsSeen(draft: Draft, seen: CallOnSwitch): void {
  const { caller } = draft.call;
  if (seen.caller === null) return;
  if (seen.caller.answered && caller.phase === 'waiting') {
    change(draft, { caller: { ...caller, phase: 'answered' } });
    fact(draft, { type: 'CallerAnswered' });
  } else if (!seen.caller.answered && caller.phase === 'answered') {
    command(draft, { type: 'AnswerLeg', legId: caller.legId });
  }
}

/** Whose leg is served: we may know of a transfer that the switch has no mark of, and the other way round. */
function servedAsSeen(draft: Draft, seen: CallOnSwitch): CallOnSwitch {
  const { caller, id } = draft.call;
  const marked = seen.caller === null ? null : seen.caller.legId ?? id;
  if (marked === caller.legId) return seen;
  if (marked === null || marked === id) {
    const served = seen.legs.find(({ legId }) => legId === caller.legId);
    const left: LegOnSwitch[] = marked === null ? [] : [{ legId: id, state: 'answered', createdAt: draft.now, mark: null }];
    return {
      ...seen, legs: [...seen.legs.filter((leg) => leg !== served), ...left],
      caller: served === undefined ? null : { legId: caller.legId, answered: served.state === 'answered', number: '', name: '', mark: seen.caller?.mark ?? null },
    };
  }
  const leg = legOf(draft, marked);
  const attempt = leg === undefined ? undefined : attemptOf(draft, leg);
  const { [marked]: _served, ...legs } = draft.call.legs;
  cancelLegTimers(draft, marked);
  change(draft, { legs, caller: { phase: 'answered', legId: marked, ...(attempt === undefined ? {} : { attempt }) } });
  // It had the call until then; its end is caught up with.
  if (caller.phase !== 'ended') setLeg(draft, { id: caller.legId, step: '', attempt: -1, trunk: 0, held: false, phase: 'bridged' });
  return seen;
}

/** A recording that runs has started; one that does not has ended while the call was unwatched, its length unknown. */
function recordingAsSeen(draft: Draft, seen: CallOnSwitch): void {
  const { recording } = draft.call;
  if (recording === null) return;
  if (seen.recordings.includes(recording)) fact(draft, { type: 'VoicemailStarted', recordingId: recording });
  else change(draft, { recording: null });
}

/** A leg of this call whose dialling we have no record of: its mark says which attempt it is. */
function learn(draft: Draft, seen: LegOnSwitch, hasTheCall: boolean): void {
  const { legId, mark } = seen;
  const attempt = mark === null ? undefined : ringStepOf(draft, mark.step)?.attempts[mark.attempt];
  const leg: Leg = { id: legId, step: mark?.step ?? '', attempt: mark?.attempt ?? -1, trunk: mark?.trunk ?? 0, held: false, phase: 'dialing' };
  setLeg(draft, leg);
  if (stepOf(draft, leg.step)?.kind === 'supervise') return;
  if (attempt === undefined) {
    // The plan may be another by now (its first compilation is lost): who talks goes on talking.
    if (!hasTheCall) hangUp(draft, leg, 'canceled');
    if (!hasTheCall && isOffer(leg.step)) command(draft, { type: 'TellDesk', message: { type: 'OfferCanceled', offerId: leg.step, left: false } });
    return;
  }
  const trunk = attempt.target.kind === 'external' ? attempt.target.trunks[leg.trunk] : undefined;
  const withTrunk = trunk === undefined ? {} : { trunk };
  fact(draft, { type: 'LegDialed', legId, user: attempt.user, label: attempt.label, target: plainTarget(attempt.target), ...withTrunk, ...(attempt.tags === undefined ? {} : { tags: attempt.tags }) });
  startTimer(draft, legTimer('leg', legId), seen.createdAt + attempt.ringMs);
}

/** What a place is of. */
const kinds: { readonly [P in CallMark['place']]?: Step['kind'] } = { announcing: 'announcement', menu: 'menu', queued: 'queue', ringing: 'ring', supervising: 'supervise', greeting: 'voicemail' };

/** The switch knows of a later place than we do. */
function placeByMark(draft: Draft, mark: CallMark, seen: CallOnSwitch): void {
  const { step } = mark;
  // The plan may be another by now: then the call goes on from where it is known to have been.
  const kind = kinds[mark.place];
  if (kind !== undefined && stepOf(draft, step)?.kind !== kind) return;
  // The last id given before these places were marked is their prompt's: to be stopped before it is played anew.
  const promptId = ownedId(draft.call.id, 'p', mark.n);
  cancelPlaceTimers(draft);
  // Answered and taken on the way there.
  change(draft, { planning: null, typed: '' });
  if (mark.visit === undefined) visitOver(draft);
  else visitAsSeen(draft, mark.visit);
  switch (mark.place) {
    case 'announcing':
    case 'greeting':
      goTo(draft, { phase: mark.place, step, promptId });
      return;
    case 'menu':
      goTo(draft, { phase: 'menu', step, promptId, digits: '', tries: mark.tries ?? 0 });
      return;
    case 'queued':
      goTo(draft, { phase: 'queued', step, promptId, hears: 'music', toSay: [], said: 0 });
      return;
    case 'ringing':
      ringingByMark(draft, mark, seen);
      return;
    case 'supervising':
      supervisingByMark(draft, mark);
      return;
    case 'connecting': {
      if (mark.winner === undefined || mark.bridge === undefined) return;
      if (legOf(draft, mark.winner) === undefined && mark.winnerMark !== undefined) {
        learn(draft, { legId: mark.winner, state: 'dialing', createdAt: draft.now, mark: mark.winnerMark }, true);
      }
      const winner = legOf(draft, mark.winner) ?? { id: mark.winner, step, attempt: -1, trunk: 0, held: false, phase: 'dialing' };
      const hasWhisper = (attemptOf(draft, winner)?.whisper ?? []).length > 0;
      cancelTimer(draft, legTimer('leg', winner.id));
      moveLeg(draft, winner, { phase: 'accepted', promptId: hasWhisper ? promptId : null });
      fact(draft, { type: 'LegAccepted', legId: winner.id, won: true });
      goTo(draft, { phase: 'connecting', step, winner: winner.id, bridgeId: mark.bridge, joined: [], next: mark.walk?.next ?? [] });
      if (mark.walk !== undefined) startTimer(draft, roundTimer, mark.walk.until);
      return;
    }
    case 'recording': {
      if (mark.recording === undefined) return;
      goTo(draft, { phase: 'recording', step, recordingId: mark.recording });
      change(draft, { recording: mark.recording });
      fact(draft, { type: 'VoicemailStarted', recordingId: mark.recording });
    }
  }
}

/** Without a walk in the mark nobody had been rung, or all at once. */
function ringingByMark(draft: Draft, { step: id, walk }: CallMark, seen: CallOnSwitch): void {
  const step = ringStepOf(draft, id);
  const rung = seen.legs.filter((leg) => leg.mark?.step === id);
  const since = Math.min(draft.now, ...rung.map((leg) => leg.createdAt));
  const unordered = walk === undefined && step !== undefined && isOrdered(step) && rung.length === 0;
  const listed = step === undefined || step.pattern === 'simultaneous' ? [] : [...destinationsOf(step).keys()];
  goTo(draft, unordered ? { phase: 'ordering', step: id } : { phase: 'ringing', step: id, next: walk?.next ?? listed });
  startTimer(draft, roundTimer, walk?.until ?? since + (step?.ringMs ?? 0));
  // The mark was set after these were dialled: they have had their turn.
  const gone = legsOf(draft).filter((leg) => leg.step === id && isTrying(leg) && !rung.some(({ legId }) => legId === leg.id));
  if (walk !== undefined) for (const leg of gone) endLeg(draft, leg, 'lost');
}

function isIn(seen: CallOnSwitch, bridgeId: string, legId: LegId): boolean {
  return seen.bridges.some((one) => one.bridgeId === bridgeId && one.legIds.includes(legId));
}

/** Of two who were to be connected one is in the bridge and the other is gone: they have talked, and that one has hung up. */
function onlyOneIsLeft(call: Call, seen: CallOnSwitch): boolean {
  if (call.phase !== 'connecting') return false;
  const callee = seen.legs.some(({ legId }) => legId === call.winner);
  return (seen.caller !== null) !== callee && isIn(seen, call.bridgeId, callee ? call.winner : call.caller.legId);
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
  const { call } = draft;
  if (leg.phase === 'ending' || leg.phase === 'ended') {
    // A call that is ending asks for all its legs at once (endAnew).
    if (leg.phase === 'ended' || call.phase !== 'ending') command(draft, { type: 'HangUpLeg', legId, cause: leg.cause });
    return;
  }
  if (call.phase === 'supervising') {
    handle(draft, { type: 'LegAnswered', legId });
    return;
  }
  const taken = call.phase === 'connecting' || call.phase === 'connected';
  if (isTrying(leg) && !isRung(call, leg)) {
    if (taken) dismiss(draft, leg);
    else hangUp(draft, leg, 'no-answer');
    return;
  }
  if ((leg.phase === 'accepted' || leg.phase === 'bridged') && !(taken && call.winner === legId) && !isRung(call, leg)) {
    // It had the call once; the switch has gone on without it.
    hangUp(draft, leg, 'not-accepted');
    return;
  }
  if (now.state === 'ringing') handle(draft, { type: 'LegRinging', legId });
  if (now.state !== 'answered') return;
  handle(draft, { type: 'LegAnswered', legId });
  const extension = attemptOf(draft, leg)?.dialExtension;
  if (leg.phase !== 'extending' && legOf(draft, legId)?.phase === 'extending' && extension !== undefined) waitForBoth(draft, leg, extension);
}

function catchUpGone(draft: Draft, leg: Leg, handle: Handle): void {
  const { call } = draft;
  if (leg.phase === 'ended') return;
  if (leg.phase === 'dialing' && call.phase === 'supervising') {
    superviseAgain(draft, leg);
    return;
  }
  if (leg.phase === 'dialing' && isRung(call, leg) && draft.outcome === null) {
    // Nothing of it was ever seen: the request may not have arrived.
    endLeg(draft, leg, 'lost');
    dial(draft, leg.step, leg.attempt, leg.trunk);
    return;
  }
  handle(draft, { type: 'LegEnded', legId: leg.id, cause: leg.phase === 'bridged' ? 'normal' : 'lost' });
}

/** Takes the place up again: commands may not have arrived, and the ends of prompts were not heard. */
function resume(draft: Draft, asked: Call, seen: CallOnSwitch): void {
  const { call } = draft;
  if ('promptId' in call && call.promptId !== null) command(draft, { type: 'StopPrompt', promptId: call.promptId });
  askAgainForExtension(draft);
  switch (call.phase) {
    case 'offered':
      enterStep(draft, call.plan.first);
      return;
    case 'announcing': {
      const step = stepOf(draft, call.step);
      if (step?.kind === 'announcement') enterAnnouncement(draft, call.step, step);
      return;
    }
    case 'menu':
      resumeMenu(draft);
      return;
    case 'queued':
      resumeQueue(draft);
      return;
    case 'setting':
      resumeSetting(draft);
      return;
    case 'ordering': {
      command(draft, { type: 'RingLeg', legId: call.caller.legId });
      const step = ringStepOf(draft, call.step);
      if (step !== undefined) enterOrdering(draft, call.step, step);
      return;
    }
    case 'ringing':
      resumeRinging(draft, asked);
      return;
    case 'connecting':
      resumeService(draft);
      resumeConnecting(draft, seen);
      return;
    case 'connected':
      resumeService(draft);
      resumeConnected(draft, seen);
      startCallRecording(draft);
      return;
    case 'supervising':
      resumeSupervision(draft, seen);
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
      endAnew(draft);
      return;
    case 'ended':
  }
}

function resumeRinging(draft: Draft, asked: Call): void {
  command(draft, { type: 'RingLeg', legId: draft.call.caller.legId });
  for (const leg of legsOf(draft)) {
    // One that is asked only now, having answered unseen, need not be asked again.
    if (leg.phase !== 'screening' || asked.legs[leg.id]?.phase !== 'screening') continue;
    if (leg.promptId !== null) command(draft, { type: 'StopPrompt', promptId: leg.promptId });
    askAgain(draft, leg);
  }
  goOnWhenNobodyIsLeft(draft);
}

function resumeConnecting(draft: Draft, seen: CallOnSwitch): void {
  const { call } = draft;
  if (call.phase !== 'connecting') return;
  const winner = legOf(draft, call.winner);
  if (winner?.phase !== 'accepted') return;
  if (isIn(seen, call.bridgeId, call.caller.legId) && isIn(seen, call.bridgeId, winner.id)) connected(draft);
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
  if (winner === undefined) return;
  if (!isIn(seen, call.bridgeId, call.caller.legId) || !isIn(seen, call.bridgeId, winner.id)) {
    bridge(draft);
    return;
  }
  for (const legId of [call.caller.legId, winner.id]) command(draft, { type: 'SetGuard', legId, ms: call.plan.maxCallMs });
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
  cancelTimer(draft, recordTimer);
  startBeep(draft, call.step);
}
