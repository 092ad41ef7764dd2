/**
 * Supervision (Q8). The caller of this call is a supervisor; the switch gives it a leg that hears a party of another call,
 * and by its mode speaks to that one alone or to both who talk. Supervisor and that leg are bridged. Another mode is
 * another leg, and the old one is let go as the new one is there.
 *
 *   asked for ─there─> bridged ─4, 5, 6, or the API─> another asked for ─there─> bridged
 *       └─ the party is gone ─> over <─ the party is gone ─┘
 *
 * It ends with who is supervised, since the leg does, or with the supervisor. Neither end is heard by those who talk.
 */
import type { CallIn, Leg } from '../call/call.ts';
import { cancelTimer, change, command, fact, goTo, legOf, legsOf, moveLeg, newId, setLeg, startTimer, stepOf, type Draft } from '../call/draft.ts';
import { endCall } from '../call/ending.ts';
import type { CallOnSwitch, CommandError } from '../call/events.ts';
import { answerCaller, endLeg, hangUp, isTrying } from '../call/leg-life.ts';
import type { CallMark } from '../call/mark.ts';
import { connectLimitMs, connectTimer, legTimer, maxCallTimer, rejoinAfterMs } from '../call/timers.ts';
import type { Cause } from '../cause.ts';
import type { BridgeId, LegId, StepId } from '../ids.ts';
import type { SuperviseStep } from '../routing/plan.ts';
import { supervisionKeys, supervisionModes, type SupervisionMode } from '../routing/supervision.ts';

export function enterSupervise(draft: Draft, id: StepId, step: SuperviseStep): void {
  answerCaller(draft);
  asked(draft, step);
  ask(draft, id, step, newId(draft, 'b'), step.mode);
}

function asked(draft: Draft, { callId, legId, mode, by }: SuperviseStep): void {
  fact(draft, { type: 'SupervisionAsked', callId, legId, mode, by });
}

function ask(draft: Draft, id: StepId, step: SuperviseStep, bridgeId: BridgeId, mode: SupervisionMode): void {
  const legId = newId(draft, 'l');
  const attempt = supervisionModes.indexOf(mode);
  setLeg(draft, { id: legId, step: id, attempt, trunk: 0, held: false, phase: 'dialing' });
  goTo(draft, { phase: 'supervising', step: id, bridgeId, spy: legId });
  command(draft, { type: 'SuperviseLeg', legId, supervised: step.legId, mode, mark: { v: 1, step: id, attempt, trunk: 0 } });
  startTimer(draft, connectTimer, draft.now + connectLimitMs);
}

/** Nothing changes in the mode that it has, or that is asked for already. */
export function changeMode(draft: Draft, mode: SupervisionMode): void {
  const now = inSupervision(draft);
  const spy = now === undefined ? undefined : legOf(draft, now.call.spy);
  if (now !== undefined && spy !== undefined && modeOf(spy) !== mode) ask(draft, now.call.step, now.step, now.call.bridgeId, mode);
}

/** False: the key is not for a supervision. */
export function supervisorDigit(draft: Draft, digit: string): boolean {
  if (draft.call.phase !== 'supervising') return false;
  const mode = supervisionModes.find((one) => supervisionKeys[one] === digit);
  if (mode === undefined) return true;
  fact(draft, { type: 'KeyPressed', legId: draft.call.caller.legId, digit });
  changeMode(draft, mode);
  return true;
}

/** The switch has made it. */
export function spyThere(draft: Draft, leg: Leg): void {
  const { call } = draft;
  if (call.phase !== 'supervising' || !isTrying(leg)) return;
  if (leg.id !== call.spy) {
    hangUp(draft, leg, 'canceled');
    return;
  }
  const isBridged = bridgedSpy(draft) !== undefined;
  for (const other of legsOf(draft)) if (other.id !== leg.id) hangUp(draft, other, 'normal');
  moveLeg(draft, leg, { phase: 'accepted', promptId: null });
  command(draft, { type: 'BridgeLegs', bridgeId: call.bridgeId, legIds: isBridged ? [leg.id] : [call.caller.legId, leg.id] });
}

export function spyBridged(draft: Draft, legId: LegId, bridgeId: BridgeId): void {
  const { call } = draft;
  if (call.phase !== 'supervising' || call.bridgeId !== bridgeId) return;
  cancelTimer(draft, legTimer('rejoin', legId));
  const leg = legOf(draft, legId);
  if (legId !== call.spy || leg?.phase !== 'accepted') return;
  cancelTimer(draft, connectTimer);
  moveLeg(draft, leg, { phase: 'bridged' });
  const since = call.answeredAt ?? draft.now;
  if (call.answeredAt === null) change(draft, { answeredAt: since });
  // One that is taken over has lost it.
  if (!(maxCallTimer in call.timers)) startTimer(draft, maxCallTimer, since + call.plan.maxCallMs);
  fact(draft, { type: 'Supervising', legId, mode: modeOf(leg) });
}

/** Put back after a moment, unless it ends. */
export function spyUnbridged(draft: Draft, legId: LegId, bridgeId: BridgeId): void {
  const { call } = draft;
  if (call.phase !== 'supervising' || call.bridgeId !== bridgeId) return;
  if (legId === call.caller.legId || legId === call.spy) startTimer(draft, legTimer('rejoin', legId), draft.now + rejoinAfterMs);
}

export function bridgeSupervisor(draft: Draft): void {
  const { call } = draft;
  const spy = call.phase === 'supervising' ? legOf(draft, call.spy) : undefined;
  if (call.phase !== 'supervising' || (spy?.phase !== 'accepted' && spy?.phase !== 'bridged')) return;
  command(draft, { type: 'BridgeLegs', bridgeId: call.bridgeId, legIds: [call.caller.legId, call.spy] });
}

/** It ends with who is supervised, and so does the supervision. */
export function spyEnded(draft: Draft, leg: Leg, cause: Cause): void {
  endLeg(draft, leg, cause);
  if (draft.call.phase === 'supervising' && leg.id === draft.call.spy) endCall(draft, 'normal', 'failed', 'callee');
}

export function superviseFailed(draft: Draft, leg: Leg, error: CommandError): void {
  if ((!isTrying(leg) && leg.phase !== 'ending') || error === 'unreachable') return;
  // It may have been made.
  if (error === 'timeout') hangUp(draft, leg, 'temporary-failure');
  else endLeg(draft, leg, error === 'gone' ? 'lost' : 'temporary-failure');
  if (draft.call.phase !== 'supervising' || leg.id !== draft.call.spy) return;
  if (error === 'gone') endCall(draft, 'normal', 'failed', 'callee');
  else asBefore(draft);
}

/** It did not come into the bridge in time, or the switch has refused that. */
export function supervisionFailed(draft: Draft): void {
  const { call } = draft;
  const spy = call.phase === 'supervising' ? legOf(draft, call.spy) : undefined;
  if (spy === undefined) return;
  if (spy.phase === 'bridged') {
    startTimer(draft, legTimer('rejoin', spy.id), draft.now + rejoinAfterMs);
    return;
  }
  hangUp(draft, spy, 'temporary-failure');
  asBefore(draft);
}

/** The mode is not to be had: the one before goes on, where there is one. */
function asBefore(draft: Draft): void {
  const now = inSupervision(draft);
  const before = bridgedSpy(draft);
  if (now === undefined) return;
  if (before === undefined) {
    endCall(draft, 'temporary-failure', 'failed', 'frontdesk');
    return;
  }
  cancelTimer(draft, connectTimer);
  // One that was asked for in between may be on its way.
  for (const other of legsOf(draft)) if (other.id !== before.id) hangUp(draft, other, 'canceled');
  goTo(draft, { phase: 'supervising', step: now.call.step, bridgeId: now.call.bridgeId, spy: before.id });
}

/** The switch knows of a later place. */
export function supervisingByMark(draft: Draft, { step: id, bridge, spy }: CallMark): void {
  const step = stepOf(draft, id);
  if (step?.kind !== 'supervise' || bridge === undefined || spy === undefined) return;
  asked(draft, step);
  goTo(draft, { phase: 'supervising', step: id, bridgeId: bridge, spy });
  // Gone since: it is asked for again, and is refused where the party is gone too.
  if (legOf(draft, spy) === undefined) setLeg(draft, { id: spy, step: id, attempt: supervisionModes.indexOf(step.mode), trunk: 0, held: false, phase: 'dialing' });
}

/** Nothing of it was ever seen: the request may not have arrived. */
export function superviseAgain(draft: Draft, leg: Leg): void {
  const now = inSupervision(draft);
  endLeg(draft, leg, 'lost');
  if (now?.call.spy === leg.id) ask(draft, now.call.step, now.step, now.call.bridgeId, modeOf(leg));
}

export function resumeSupervision(draft: Draft, seen: CallOnSwitch): void {
  const { call } = draft;
  const spy = call.phase === 'supervising' ? legOf(draft, call.spy) : undefined;
  if (call.phase !== 'supervising' || spy === undefined) return;
  if (!(connectTimer in call.timers) && spy.phase !== 'bridged') startTimer(draft, connectTimer, draft.now + connectLimitMs);
  const inBridge = seen.bridges.find(({ bridgeId }) => bridgeId === call.bridgeId)?.legIds ?? [];
  if (inBridge.includes(call.caller.legId) && inBridge.includes(spy.id)) spyBridged(draft, spy.id, call.bridgeId);
  else bridgeSupervisor(draft);
}

function modeOf({ attempt }: Leg): SupervisionMode {
  return supervisionModes[attempt] ?? 'listen';
}

function bridgedSpy(draft: Draft): Leg | undefined {
  return legsOf(draft).find(({ phase }) => phase === 'bridged');
}

function inSupervision({ call }: Draft): { readonly call: CallIn<'supervising'>; readonly step: SuperviseStep } | undefined {
  const step = call.phase === 'supervising' ? call.plan.steps[call.step] : undefined;
  return call.phase === 'supervising' && step?.kind === 'supervise' ? { call, step } : undefined;
}
