/** The mark a call leaves on the switch in its present place; null where none is needed or the end is near. */
import type { StepId } from '../ids.ts';
import type { Call, CallIn } from './call.ts';
import { noAnswerOf } from './extend-plan.ts';
import type { CallMark } from './mark.ts';
import { roundTimer } from './timers.ts';

export function markOf(call: Call): CallMark | null {
  const base = { v: versionOf(call), dialled: call.offer.dialled, plan: call.plan.hash, startedAt: call.startedAt, ...(call.announcedTo.includes(call.caller.legId) ? { announced: true as const } : {}), ...addedOf(call), ...visitOf(call), n: call.n } as const;
  switch (call.phase) {
    case 'announcing':
      return { ...base, step: call.step, place: 'announcing' };
    case 'menu':
      return { ...base, step: call.step, place: 'menu', tries: call.tries };
    case 'queued':
      return { ...base, step: call.step, place: 'queued' };
    case 'ordering':
      return { ...base, step: call.step, place: 'ringing' };
    case 'ringing':
      return { ...base, step: call.step, place: 'ringing', ...walkOf(call, call.step, call.next), ...otherwiseOf(call) };
    case 'connecting':
    case 'connected': {
      const winner = call.legs[call.winner];
      const winnerMark = winner === undefined ? {} : { winnerMark: { v: 1, step: winner.step, attempt: winner.attempt, trunk: winner.trunk } as const };
      return { ...base, step: call.step, place: 'connecting', winner: call.winner, bridge: call.bridgeId, ...winnerMark, ...(call.phase === 'connecting' && call.next.length > 0 ? walkOf(call, call.step, call.next) : {}), ...otherwiseOf(call) };
    }
    case 'supervising':
      return { ...base, step: call.step, place: 'supervising', bridge: call.bridgeId, spy: call.spy };
    case 'greeting':
    case 'beeping':
      return { ...base, step: call.step, place: 'greeting' };
    case 'recording':
      return { ...base, step: call.step, place: 'recording', recording: call.recordingId };
    // Nothing comes before it: without a mark it is asked for from the start.
    case 'setting':
    case 'offered':
    case 'ending':
    case 'ended':
      return null;
  }
}

/** Where the call is in such a step. */
function addedOf(call: Call): Pick<CallMark, 'added'> {
  if (!('step' in call)) return {};
  const step = call.plan.steps[call.step];
  return step?.kind !== 'ring' || step.extension === undefined ? {} : { added: { extension: step.extension, noAnswer: noAnswerOf(call.plan, call.step) } };
}

function visitOf({ visit }: Call): Pick<CallMark, 'visit'> {
  if (visit === null) return {};
  const { n, step, queue, priority, enteredAt, joinedAt, number, sticky, service } = visit;
  return { visit: { n, step, queue, priority, enteredAt, joinedAt, number, sticky, ...(service === null ? {} : { service }) } };
}

/** A build that does not know such calls would drop them: they are left to one that does. */
function versionOf({ id, caller, transfer, visit, phase, plan }: Call): CallMark['v'] {
  if (visit !== null || phase === 'supervising' || plan.callback !== undefined) return 4;
  return caller.legId !== id || transfer !== null ? 3 : 1;
}

function walkOf(call: Call, id: StepId, next: readonly number[]): Pick<CallMark, 'walk'> {
  const step = call.plan.steps[id];
  const until = call.timers[roundTimer];
  return until === undefined || step?.kind !== 'ring' || step.pattern === 'simultaneous' ? {} : { walk: { next, until } };
}

function otherwiseOf({ plan, step, transfer }: CallIn<'ringing' | 'connecting' | 'connected'>): Pick<CallMark, 'otherwise'> {
  const one = plan.steps[step];
  return transfer !== null && one?.kind === 'ring' && one.added === true ? { otherwise: noAnswerOf(plan, step) } : {};
}

/** Whether the mark on the switch no longer tells the place the call is in. */
export function markIsStale(before: CallMark | null, after: CallMark | null): boolean {
  if (after === null) return false;
  if (before === null) return true;
  if (before.place !== after.place || before.step !== after.step || before.tries !== after.tries || before.winner !== after.winner || before.spy !== after.spy || before.recording !== after.recording || before.visit?.enteredAt !== after.visit?.enteredAt) return true;
  return after.place === 'ringing' && before.walk?.next.length !== after.walk?.next.length;
}
