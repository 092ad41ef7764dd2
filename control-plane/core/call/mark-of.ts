/** The mark a call leaves on the switch in its present place; null where none is needed or the end is near. */
import type { StepId } from '../ids.ts';
import type { Call } from './call.ts';
import type { CallMark } from './mark.ts';
import { roundTimer } from './timers.ts';

export function markOf(call: Call): CallMark | null {
  const base = { v: 1, dialled: call.offer.dialled, plan: call.plan.hash, startedAt: call.startedAt, ...(call.announcedTo.includes(call.id) ? { announced: true as const } : {}), n: call.n } as const;
  switch (call.phase) {
    case 'announcing':
      return { ...base, step: call.step, place: 'announcing' };
    case 'menu':
      return { ...base, step: call.step, place: 'menu', tries: call.tries };
    case 'ordering':
      return { ...base, step: call.step, place: 'ringing' };
    case 'ringing':
      return { ...base, step: call.step, place: 'ringing', ...walkOf(call, call.step, call.next) };
    case 'connecting':
    case 'connected': {
      const winner = call.legs[call.winner];
      const winnerMark = winner === undefined ? {} : { winnerMark: { v: 1, step: winner.step, attempt: winner.attempt, trunk: winner.trunk } as const };
      return { ...base, step: call.step, place: 'connecting', winner: call.winner, bridge: call.bridgeId, ...winnerMark, ...(call.phase === 'connecting' && call.next.length > 0 ? walkOf(call, call.step, call.next) : {}) };
    }
    case 'greeting':
    case 'beeping':
      return { ...base, step: call.step, place: 'greeting' };
    case 'recording':
      return { ...base, step: call.step, place: 'recording', recording: call.recordingId };
    case 'offered':
    case 'ending':
    case 'ended':
      return null;
  }
}

function walkOf(call: Call, id: StepId, next: readonly number[]): Pick<CallMark, 'walk'> {
  const step = call.plan.steps[id];
  const until = call.timers[roundTimer];
  return until === undefined || step?.kind !== 'ring' || step.pattern === 'simultaneous' ? {} : { walk: { next, until } };
}

/** Whether the mark on the switch no longer tells the place the call is in. */
export function markIsStale(before: CallMark | null, after: CallMark | null): boolean {
  if (after === null) return false;
  if (before === null) return true;
  if (before.place !== after.place || before.step !== after.step || before.tries !== after.tries || before.winner !== after.winner || before.recording !== after.recording) return true;
  return after.place === 'ringing' && before.walk?.next.length !== after.walk?.next.length;
}
