/**
 * The whisper and the connection: the winner hears who is calling, then both are put in the bridge. Who hangs up
 * during the whisper has declined: who follows in the walk is rung, or routing goes on.
 */
import type { CallIn, Leg, Place } from '../call/call.ts';
import { cancelTimer, change, command, fact, goTo, legOf, moveLeg, newId, startTimer, type Draft } from '../call/draft.ts';
import { answerCaller, attemptOf, cancelLegTimers, hangUp } from '../call/leg-life.ts';
import { connectLimitMs, connectTimer, legTimer, maxCallTimer, rejoinAfterMs, roundTimer, whisperLimitMs, whisperTimer } from '../call/timers.ts';
import { callIdOf, type BridgeId, type LegId } from '../ids.ts';
import { announced, startCallRecording, stopCallRecording } from './call-recording.ts';
import { backToQueue, serviceConnected } from './queue-service.ts';
import { leaveRing, ringOn } from './walk.ts';

/** The leg has the call. Its siblings are already released; `next` are rung if it is lost. */
export function startConnecting(draft: Draft, leg: Leg, next: readonly number[]): void {
  goTo(draft, { phase: 'connecting', step: leg.step, winner: leg.id, bridgeId: newId(draft, 'b'), joined: [], next });
  const whisper = attemptOf(draft, leg)?.whisper ?? [];
  if (whisper.length === 0) {
    moveLeg(draft, leg, { phase: 'accepted', promptId: null });
    bridge(draft);
    return;
  }
  startWhisper(draft, leg);
}

export function startWhisper(draft: Draft, leg: Leg): void {
  const promptId = newId(draft, 'p');
  moveLeg(draft, leg, { phase: 'accepted', promptId });
  fact(draft, { type: 'WhisperStarted', legId: leg.id });
  command(draft, { type: 'PlayPrompt', legId: leg.id, promptId, media: attemptOf(draft, leg)?.whisper ?? [] });
  startTimer(draft, whisperTimer, draft.now + whisperLimitMs);
}

/** The whisper is over, or has failed: the caller has waited long enough either way. */
export function whisperFinished(draft: Draft, heard: boolean): void {
  const call = draft.call;
  if (call.phase !== 'connecting') return;
  const winner = call.legs[call.winner];
  if (winner?.phase !== 'accepted') return;
  cancelTimer(draft, whisperTimer);
  if (heard && attemptOf(draft, winner)?.recording?.announced === true) announced(draft, winner.id);
  if (winner.promptId !== null) moveLeg(draft, winner, { phase: 'accepted', promptId: null });
  bridge(draft);
}

export function whisperTimedOut(draft: Draft): void {
  const call = draft.call;
  const winner = call.phase === 'connecting' ? call.legs[call.winner] : undefined;
  if (winner?.phase === 'accepted' && winner.promptId !== null) command(draft, { type: 'StopPrompt', promptId: winner.promptId });
  whisperFinished(draft, false);
}

/** Puts both in the bridge. The guards go up first: the switch must not end a call that talks. */
export function bridge(draft: Draft): void {
  const call = draft.call;
  if (call.phase !== 'connecting' && call.phase !== 'connected') return;
  answerCaller(draft);
  for (const legId of [call.caller.legId, call.winner]) command(draft, { type: 'SetGuard', legId, ms: call.plan.maxCallMs });
  command(draft, { type: 'BridgeLegs', bridgeId: call.bridgeId, legIds: [call.caller.legId, call.winner] });
  if (call.phase === 'connecting') startTimer(draft, connectTimer, draft.now + connectLimitMs);
}

export function legBridged(draft: Draft, legId: LegId, bridgeId: BridgeId): void {
  const call = draft.call;
  // Asked for by a controller that died, and made after what it left was looked at.
  if (call.phase === 'ending') command(draft, { type: 'DestroyBridge', bridgeId });
  if ((call.phase !== 'connecting' && call.phase !== 'connected') || call.bridgeId !== bridgeId) return;
  cancelTimer(draft, legTimer('rejoin', legId));
  if (call.phase !== 'connecting') return;
  if (call.joined.includes(legId) || (legId !== call.caller.legId && legId !== call.winner)) return;
  const joined = [...call.joined, legId];
  goTo(draft, { ...placeOf(call), joined });
  if (joined.length === 2) connected(draft);
}

/** Both are in the bridge. */
export function connected(draft: Draft): void {
  const call = draft.call;
  if (call.phase !== 'connecting') return;
  const winner = legOf(draft, call.winner);
  if (winner === undefined) return;
  cancelTimer(draft, connectTimer);
  cancelTimer(draft, whisperTimer);
  cancelTimer(draft, roundTimer);
  moveLeg(draft, winner, { phase: 'bridged' });
  if (call.answeredAt === null) change(draft, { answeredAt: draft.now });
  goTo(draft, { phase: 'connected', step: call.step, winner: call.winner, bridgeId: call.bridgeId });
  serviceConnected(draft);
  fact(draft, { type: 'LegConnected', legId: call.winner, bridgeId: call.bridgeId });
  startTimer(draft, maxCallTimer, draft.now + call.plan.maxCallMs);
  startCallRecording(draft);
}

/** The switch has refused the bridge: a talking pair that came apart is tried again, a new one is given up. */
export function bridgeRefused(draft: Draft, bridgeId: BridgeId): void {
  const call = draft.call;
  if (call.phase === 'connected' && call.bridgeId === bridgeId) startTimer(draft, legTimer('rejoin', call.winner), draft.now + rejoinAfterMs);
  else if (call.phase === 'connecting' && call.bridgeId === bridgeId) connectFailed(draft);
}

/** The bridge could not be made, or not in time: the winner is released and routing goes on. */
export function connectFailed(draft: Draft): void {
  const call = draft.call;
  if (call.phase !== 'connecting') return;
  const winner = legOf(draft, call.winner);
  if (winner !== undefined) hangUp(draft, winner, 'temporary-failure');
  winnerLost(draft);
}

/** The winner left before the bridge. */
export function winnerLost(draft: Draft): void {
  const call = draft.call;
  if (call.phase !== 'connecting') return;
  cancelTimer(draft, connectTimer);
  cancelTimer(draft, whisperTimer);
  cancelLegTimers(draft, call.caller.legId);
  stopCallRecording(draft);
  command(draft, { type: 'DestroyBridge', bridgeId: call.bridgeId });
  if (!backToQueue(draft, call.winner) && !ringOn(draft)) leaveRing(draft, call.step);
}

/**
 * One who lives was taken out of the bridge: put back, unless its end follows within a moment. Before both have been
 * in it, the connect timer decides. Out of another bridge of this call, which a controller that is gone had asked for and
 * nobody knows of: it is ended, or it would stay.
 */
export function legUnbridged(draft: Draft, legId: LegId, bridgeId: BridgeId): void {
  const call = draft.call;
  if (call.phase !== 'connecting' && call.phase !== 'connected') return;
  if (call.bridgeId !== bridgeId) {
    if (callIdOf(bridgeId) === call.id) command(draft, { type: 'DestroyBridge', bridgeId });
    return;
  }
  if (legId !== call.caller.legId && legId !== call.winner) return;
  if (call.phase === 'connecting') goTo(draft, { ...placeOf(call), joined: call.joined.filter((joined) => joined !== legId) });
  else startTimer(draft, legTimer('rejoin', legId), draft.now + rejoinAfterMs);
}

function placeOf({ phase, step, winner, bridgeId, joined, next }: CallIn<'connecting'>): Extract<Place, { phase: 'connecting' }> {
  return { phase, step, winner, bridgeId, joined, next };
}
