/**
 * Transfer: a phone hands on who it talks with. Blind: the phone is let go at once, and who is wanted is rung for the one
 * that stays, who hears ringing. Nobody there takes the call: the phone that transferred it is rung again, once; nobody
 * there either: the call goes its no-answer way. What cannot be done is refused, and the two go on talking.
 *
 *   connected ─> ring(extension) ─noAnswer─> ring(recall) ─noAnswer─> as the ring before would have led
 *
 * Attended: the phone has asked who is wanted, in another call. That one's leg comes over as if it had just been rung here
 * and accepted; the other call, which may be another controller's, learns by the bridge that it has lost it, and ends.
 *
 * Both may transfer. The caller's leg is let go like any other; the one they had called is then who is served.
 */
import type { CallIn, Leg, Transfer } from '../call/call.ts';
import { cancelPlaceTimers, change, command, fact, legOf, ringStepOf, setLeg, type Draft } from '../call/draft.ts';
import { endCall, servedEnded } from '../call/ending.ts';
import type { CallEvent, Consulted } from '../call/events.ts';
import { addSteps, askForExtension, noAnswerOf } from '../call/extend-plan.ts';
import { enterStep } from '../call/flow.ts';
import { attemptOf, cancelLegTimers, endLeg, hangUp } from '../call/leg-life.ts';
import { serveInstead } from '../call/served.ts';
import { guardMs, recallMs } from '../call/timers.ts';
import { callIdOf, type BridgeId, type LegId, type StepId } from '../ids.ts';
import type { Attempt } from '../routing/plan.ts';
import { deviceNamed, plainTarget, sipName } from '../routing/sip-name.ts';
import { stopCallRecording } from './call-recording.ts';
import { startConnecting } from './whisper.ts';

type Connected = CallIn<'connected'>;

export function transferAsked(draft: Draft, { legId, to, consulted }: Extract<CallEvent, { type: 'TransferAsked' }>): void {
  const { call } = draft;
  const kind = consulted === undefined ? 'blind' : 'attended';
  if (legId !== call.caller.legId && legOf(draft, legId) === undefined) return;
  const isOfTwo = call.phase === 'connected' && (legId === call.caller.legId || legId === call.winner);
  if (!isOfTwo || call.transfer?.phase === 'asked') {
    refuse(draft, { by: legId, kind, to }, isOfTwo ? 'another transfer is under way' : 'it talks with nobody');
    return;
  }
  if (to === '' || consulted?.callId === call.id) {
    refuse(draft, { by: legId, kind, to }, 'it names nobody else');
    return;
  }
  const recall = recallAttempt(draft, call, legId);
  if (recall?.target.kind === 'device' && recall.target.device === to) {
    refuse(draft, { by: legId, kind, to }, 'it is the phone itself');
    return;
  }
  const recallStep = recall === null ? null : `recall-${call.n + 1}`;
  const ring = askForExtension(draft, to, recallStep ?? noAnswerOf(call.plan, call.step), shownFor(draft, call, legId));
  change(draft, { transfer: { kind, by: legId, to, ...(consulted === undefined ? {} : { consulted }), phase: 'asked', ring, recall: recallStep } });
}

/** Where it leads is known, or that it leads nowhere. */
export function transferPlanned(draft: Draft, { request, first, why }: Extract<CallEvent, { type: 'ExtensionPlanned' }>): void {
  const { call } = draft;
  const { transfer } = call;
  if (transfer?.phase !== 'asked' || transfer.ring !== request) return;
  const { consulted } = transfer;
  const isThere = first !== null && (consulted === undefined || isOfPhone(ringStepOf(draft, first)?.attempts[0], consulted.phone));
  if (!isThere || call.phase !== 'connected') {
    change(draft, { transfer: { ...transfer, phase: 'over' } });
    refuse(draft, transfer, first === null ? why : isThere ? 'it talks with nobody' : `the extension ${transfer.to} is another phone`);
    return;
  }
  addRecall(draft, call, transfer);
  started(draft, transfer);
  stopCallRecording(draft);
  cancelPlaceTimers(draft);
  for (const legId of [call.caller.legId, call.winner]) cancelLegTimers(draft, legId);
  serveTheOther(draft, call, transfer.by);
  // Both are in the bridge before the phone hears yes, and hangs up both of its calls.
  if (consulted !== undefined) join(draft, first, consulted);
  letGo(draft, transfer.by);
  command(draft, { type: 'DestroyBridge', bridgeId: call.bridgeId });
  if (consulted !== undefined) return;
  // It has had that of a call that talks.
  command(draft, { type: 'SetGuard', legId: draft.call.caller.legId, ms: guardMs });
  enterStep(draft, first);
}

/** One of two who talk is in the bridge of another call: this one was the consultation of a transfer, and has done its part. */
export function continuedElsewhere(draft: Draft, legId: LegId, bridgeId: BridgeId): void {
  const { caller } = draft.call;
  const leg = legOf(draft, legId);
  if (legId !== caller.legId && leg === undefined) return;
  if (leg === undefined) servedEnded(draft, 'transferred');
  else endLeg(draft, leg, 'transferred');
  fact(draft, { type: 'CallContinued', legId, as: callIdOf(bridgeId) });
  endCall(draft, 'normal', 'answered', leg === undefined ? 'callee' : 'caller');
}

/** Whether one that is under way has come to its end, and how. */
export function settleTransfer(draft: Draft): void {
  const { call } = draft;
  const { transfer } = call;
  if (transfer?.phase !== 'under-way') return;
  const isInHand = (step: string): boolean => step === transfer.ring || step === transfer.recall;
  if ((call.phase === 'ringing' || call.phase === 'connecting') && isInHand(call.step)) return;
  change(draft, { transfer: { ...transfer, phase: 'over' } });
  const answered = call.phase === 'connected' ? (call.step === transfer.recall ? 'returned' : 'answered') : null;
  fact(draft, { type: 'TransferEnded', outcome: answered ?? (call.phase === 'ending' && call.by === 'caller' ? 'canceled' : 'no-answer') });
}

/** The switch has gone on to another place than two who talk: what was asked for has been done, and part of it is not known. */
export function transferAsSeen(draft: Draft): void {
  const { transfer } = draft.call;
  if (transfer?.phase !== 'asked') return;
  change(draft, { planning: null });
  started(draft, { ...transfer, recall: null });
}

function started(draft: Draft, transfer: Transfer): void {
  const { by, kind, to, consulted } = transfer;
  change(draft, { transfer: { ...transfer, phase: 'under-way' } });
  fact(draft, { type: 'TransferStarted', legId: by, kind, to, ...(consulted === undefined ? {} : { consultation: consulted.callId }) });
}

function refuse(draft: Draft, { by, kind, to }: Pick<Transfer, 'by' | 'kind' | 'to'>, why: string): void {
  command(draft, { type: 'AnswerTransfer', legId: by, accepted: false });
  fact(draft, { type: 'TransferRefused', legId: by, kind, to, why });
}

/** The caller who transfers leaves like any other leg. */
function serveTheOther(draft: Draft, call: Connected, by: LegId): void {
  const winner = legOf(draft, call.winner);
  if (winner === undefined || by === winner.id) return;
  serveInstead(draft, winner);
}

function letGo(draft: Draft, by: LegId): void {
  const leg = legOf(draft, by);
  command(draft, { type: 'AnswerTransfer', legId: by, accepted: true });
  if (leg !== undefined) hangUp(draft, leg, 'transferred');
}

/** Who was consulted has the call. */
function join(draft: Draft, step: StepId, { legId, by, phone }: Consulted): void {
  const { id: callId, caller } = draft.call;
  const leg: Leg = { id: legId, step, attempt: 0, trunk: 0, held: false, phase: 'accepted', promptId: null };
  const { user = '', label = phone, target } = attemptOf(draft, leg) ?? {};
  fact(draft, { type: 'StepEntered', step, kind: 'ring' });
  fact(draft, { type: 'LegDialed', legId, user, label, target: plainTarget(target ?? deviceNamed(phone)) });
  fact(draft, { type: 'LegPickedUp', legId });
  fact(draft, { type: 'LegAccepted', legId, won: true });
  setLeg(draft, leg);
  command(draft, { type: 'TakeLeg', legId, callId, from: by, servedLeg: caller.legId, mark: { v: 1, step, attempt: 0, trunk: 0 } });
  startConnecting(draft, leg, []);
}

function isOfPhone(attempt: Attempt | undefined, phone: string): boolean {
  return attempt?.target.kind === 'device' && sipName(attempt.target.sipPrefix, attempt.target.device) === phone;
}

/** What the phone of the one who is wanted shows: who is on the line. */
function shownFor(draft: Draft, { winner, offer }: Connected, by: LegId): Attempt['callerId'] {
  const attempt = attemptOfLeg(draft, winner);
  if (by === winner) return attempt?.callerId ?? offer.caller;
  return attempt === undefined ? { number: '', name: '' } : { number: attempt.target.kind === 'device' ? attempt.target.device : attempt.target.number, name: attempt.label };
}

function attemptOfLeg(draft: Draft, legId: LegId): Attempt | undefined {
  const leg = legOf(draft, legId);
  return leg === undefined ? undefined : attemptOf(draft, leg);
}

function addRecall(draft: Draft, call: Connected, { by, recall }: Transfer): void {
  const attempt = recallAttempt(draft, call, by);
  if (recall === null || attempt === null) return;
  addSteps(draft, { [recall]: { kind: 'ring', pattern: 'simultaneous', attempts: [attempt], ringMs: recallMs, taken: [], on: { noAnswer: noAnswerOf(call.plan, call.step) } } });
}

/** One try of the phone that transferred; null where nobody knows how to ring it. */
function recallAttempt(draft: Draft, call: Connected, by: LegId): Attempt | null {
  const { caller, offer } = call;
  if (by === call.winner) {
    const attempt = attemptOfLeg(draft, by);
    return attempt === undefined ? null : { ...attempt, ringMs: recallMs };
  }
  const callerId = shownFor(draft, call, by);
  if (caller.attempt !== undefined) return { ...caller.attempt, callerId, ringMs: recallMs };
  return offer.phone === undefined ? null : { user: '', label: 'the phone that called', target: deviceNamed(offer.phone), ringMs: recallMs, callerId, whisper: [] };
}
