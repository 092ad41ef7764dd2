/**
 * Which mailbox an event belongs to. An event of no call that shows a living leg of ours is a leg nobody looks after:
 * it is hung up. Where there are other controllers it may be one of theirs: the switch goes on telling an application of
 * the calls that an earlier process of its name had, and others took. Then it is asked first whose the call is.
 * A caller's leg is never ended for being unknown; its guard leads it to the failsafe number.
 */
import type { CallId, LegId } from '../core/ids.ts';
import type { CallEvent, LegEvent } from '../core/call/events.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { CallRunner } from './call-runner.ts';
import type { Executor } from './executor.ts';

/** Ended calls remembered, to tell their last events from those of strangers. */
const rememberedCalls = 5000;

export interface Registry {
  get(callId: CallId): CallRunner | undefined;
  add(runner: CallRunner): void;
  /** The call has ended; it is remembered for a while as known. */
  remove(callId: CallId): void;
  /** Another controller has the call: its events, which may still come, are none of ours. */
  letGo(callId: CallId): void;
  endedLately(callId: CallId): boolean;
  /** From the switch. */
  route(callId: CallId, event: LegEvent): void;
  /** To a call that may have ended; false when it has. */
  deliver(callId: CallId, event: CallEvent): boolean;
  /** Events of unknown calls are kept, per call, until `settle`: calls are being found again. */
  keepUnknown(): void;
  /** What was kept for a call, for its mailbox. */
  takeKept(callId: CallId): readonly LegEvent[];
  /** What is still kept now is of calls that nobody knows. */
  settle(): void;
  all(): Iterable<CallRunner>;
  size(): number;
}

export interface RegistryOptions {
  readonly executor: Executor;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Asks whose the call is, which ends what is nobody's. Once a call. Absent: there is no other controller. */
  readonly onStranger?: (callId: CallId) => void;
}

export function createRegistry({ executor, log, metrics, onStranger }: RegistryOptions): Registry {
  const runners = new Map<CallId, CallRunner>();
  const ended = new Set<CallId>();
  const reaped = new Set<LegId>();
  const elsewhere = new Set<CallId>();
  const asked = new Set<CallId>();
  let kept: Map<CallId, LegEvent[]> | null = null;

  const strange = (callId: CallId, event: LegEvent): void => {
    if (elsewhere.has(callId)) return;
    const over = ended.has(callId);
    if (!over) metrics.count('events_unknown_call_total');
    const legId = livingLeg(event);
    if (legId === null) return;
    if (legId === callId) {
      if (!over) log.warn({ call: callId, event: event.type }, 'The switch reports a caller that no call is known for');
      return;
    }
    if (!over && onStranger !== undefined) {
      if (asked.has(callId)) return;
      remember(asked, callId);
      onStranger(callId);
      return;
    }
    if (reaped.has(legId)) return;
    remember(reaped, legId);
    metrics.count('legs_reaped_total');
    log.warn({ call: callId, leg: legId, event: event.type }, 'A leg of no live call was hung up');
    executor.attempt({ type: 'HangUpLeg', legId, cause: 'canceled' });
  };

  return {
    get: (callId) => runners.get(callId),
    add: (runner) => {
      elsewhere.delete(runner.id);
      runners.set(runner.id, runner);
    },
    remove: (callId) => {
      runners.delete(callId);
      remember(ended, callId);
    },
    letGo: (callId) => {
      runners.get(callId)?.abandon();
      runners.delete(callId);
      remember(elsewhere, callId);
    },
    endedLately: (callId) => ended.has(callId),
    route: (callId, event) => {
      const runner = runners.get(callId);
      if (runner !== undefined) {
        runner.deliver(event);
      } else if (kept !== null) {
        const list = kept.get(callId);
        if (list === undefined) kept.set(callId, [event]);
        else list.push(event);
      } else {
        strange(callId, event);
      }
    },
    deliver: (callId, event) => {
      const runner = runners.get(callId);
      runner?.deliver(event);
      return runner !== undefined;
    },
    keepUnknown: () => { kept ??= new Map(); },
    takeKept: (callId) => {
      const list = kept?.get(callId) ?? [];
      kept?.delete(callId);
      return list;
    },
    settle: () => {
      const left = kept;
      kept = null;
      for (const [callId, events] of left ?? []) for (const event of events) strange(callId, event);
    },
    all: () => runners.values(),
    size: () => runners.size,
  };
}

/** The leg that an event shows to be on the switch. */
function livingLeg(event: LegEvent): LegId | null {
  switch (event.type) {
    case 'LegRinging':
    case 'LegAnswered':
    case 'LegDigit':
    case 'LegHeld':
    case 'LegUnheld':
    case 'LegBridged':
    case 'TransferAsked':
      return event.legId;
    case 'LegEnded':
    case 'LegUnbridged':
    case 'PromptFinished':
    case 'RecordingStarted':
    case 'RecordingFinished':
    case 'RecordingFailed':
      return null;
  }
}

function remember(set: Set<string>, id: string): void {
  set.add(id);
  if (set.size <= rememberedCalls) return;
  const [oldest] = set;
  if (oldest !== undefined) set.delete(oldest);
}
