/**
 * A transition in the making: the call so far, and the commands and facts gathered. Only code under core/ sees it;
 * outside, a transition is a pure function of call, event and time.
 */
import { ownedId, type LegId, type OwnedKind, type StepId, type TimerId } from '../ids.ts';
import type { EpochMs } from '../time.ts';
import type { RingStep, Step } from '../routing/plan.ts';
import type { Call, CallBase, Leg, LegPlace, Place } from './call.ts';
import type { CallCommand } from './commands.ts';
import type { CallFact } from './facts.ts';
import { legTimerOf } from './timers.ts';

export interface Draft {
  call: Call;
  readonly now: EpochMs;
  readonly commands: CallCommand[];
  readonly facts: CallFact[];
  /** How the step in hand has ended; the plan then says which follows (flow.ts). */
  outcome: Outcome | null;
}

/** `to`: the step that the plan gives for the keys of a menu, or for what became of the night switch. */
export type Outcome = 'done' | 'noAnswer' | { readonly to: StepId };

export function draftOf(call: Call, now: EpochMs): Draft {
  return { call, now, commands: [], facts: [], outcome: null };
}

/** Moves the call to another place; what belonged to the old one is gone. */
export function goTo(draft: Draft, place: Place): void {
  const { version, id, plan, offer, startedAt, caller, legs, recording, callRecording, announcedTo, answeredAt, transfer, planning, visit, visits, typed, stepsTaken, timers, n } = draft.call;
  draft.call = { version, id, plan, offer, startedAt, caller, legs, recording, callRecording, announcedTo, answeredAt, transfer, planning, visit, visits, typed, stepsTaken, timers, n, ...place };
  draft.outcome = null;
}

/** Changes what every place has. */
export function change(draft: Draft, fields: Partial<CallBase>): void {
  draft.call = { ...draft.call, ...fields };
}

export function stepOf(draft: Draft, id: StepId): Step | undefined {
  return Object.hasOwn(draft.call.plan.steps, id) ? draft.call.plan.steps[id] : undefined;
}

export function ringStepOf(draft: Draft, id: StepId): RingStep | undefined {
  const step = stepOf(draft, id);
  return step?.kind === 'ring' ? step : undefined;
}

export function legOf(draft: Draft, id: LegId): Leg | undefined {
  return Object.hasOwn(draft.call.legs, id) ? draft.call.legs[id] : undefined;
}

export function legsOf(draft: Draft): readonly Leg[] {
  return Object.values(draft.call.legs);
}

export function setLeg(draft: Draft, leg: Leg): void {
  change(draft, { legs: { ...draft.call.legs, [leg.id]: leg } });
}

export function moveLeg(draft: Draft, leg: Leg, place: LegPlace): void {
  const { id, step, attempt, trunk, held } = leg;
  setLeg(draft, { id, step, attempt, trunk, held, ...place });
}

export function newId(draft: Draft, kind: OwnedKind): string {
  const n = draft.call.n + 1;
  change(draft, { n });
  return ownedId(draft.call.id, kind, n);
}

export function startTimer(draft: Draft, id: TimerId, at: EpochMs): void {
  change(draft, { timers: { ...draft.call.timers, [id]: at } });
  draft.commands.push({ type: 'StartTimer', id, at });
}

export function cancelTimer(draft: Draft, id: TimerId): void {
  if (!Object.hasOwn(draft.call.timers, id)) return;
  forgetTimer(draft, id);
  draft.commands.push({ type: 'CancelTimer', id });
}

/** Drops a timer that has fired. */
export function forgetTimer(draft: Draft, id: TimerId): void {
  const { [id]: _fired, ...timers } = draft.call.timers;
  change(draft, { timers });
}

export function cancelAllTimers(draft: Draft): void {
  for (const id of Object.keys(draft.call.timers)) cancelTimer(draft, id);
}

/** Those of the place the call is in; its legs keep theirs. */
export function cancelPlaceTimers(draft: Draft): void {
  for (const id of Object.keys(draft.call.timers)) {
    if (legTimerOf(id) === undefined) cancelTimer(draft, id);
  }
}

export function command(draft: Draft, value: CallCommand): void {
  draft.commands.push(value);
}

export function fact(draft: Draft, value: CallFact): void {
  draft.facts.push(value);
}
