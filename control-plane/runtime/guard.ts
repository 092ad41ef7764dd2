/**
 * Renews the guard of calls that wait: the switch ends a leg by itself (a caller goes to the failsafe number) unless
 * told within 20 s that somebody still looks after it. A call that connects has had its guard raised to the longest
 * call by the core, and is left alone. Each call has its own rhythm, so renewals are spread as calls are.
 */
import type { Call } from '../core/call/call.ts';
import type { CallId, LegId } from '../core/ids.ts';
import { guardMs } from '../core/call/timers.ts';
import type { Ms } from '../core/time.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { CancelTimer, Clock } from './clock.ts';
import type { Executor } from './executor.ts';

const everyMs: Ms = 5000;
/** Calls taken over together are renewed together once, and then fall apart into this many groups. */
const groups = 20;

interface Guarded {
  readonly id: CallId;
  readonly call: Call;
  readonly held: boolean;
}

export interface Guard {
  /** The call changed: its rhythm starts if it needs one. */
  watch(runner: Guarded): void;
  /** Renews now: the time since the last renewal is unknown. */
  renewNow(runner: Guarded): void;
  forget(callId: CallId): void;
  stop(): void;
}

export function createGuard(options: { readonly clock: Clock; readonly executor: Executor; readonly metrics: Metrics }): Guard {
  const { clock, executor, metrics } = options;
  const rhythms = new Map<CallId, CancelTimer>();
  let adopted = 0;

  const renew = (runner: Guarded): void => {
    for (const legId of guardedLegs(runner.call)) {
      metrics.count('guard_renewals_total');
      // A leg that is gone, or not made yet, is no event for its call.
      executor.attempt({ type: 'SetGuard', legId, ms: guardMs }, () => { metrics.count('guard_failures_total'); });
    }
  };
  const beat = (runner: Guarded, inMs: Ms): void => {
    rhythms.set(runner.id, clock.setTimer(clock.now() + inMs, () => {
      rhythms.delete(runner.id);
      if (!waits(runner.call)) return;
      if (!runner.held) renew(runner);
      beat(runner, everyMs);
    }));
  };

  return {
    watch: (runner) => {
      if (!rhythms.has(runner.id) && waits(runner.call)) beat(runner, everyMs);
    },
    renewNow: (runner) => {
      if (!waits(runner.call)) return;
      renew(runner);
      rhythms.get(runner.id)?.();
      beat(runner, (everyMs / groups) * (1 + (adopted++ % groups)));
    },
    forget: (callId) => {
      rhythms.get(callId)?.();
      rhythms.delete(callId);
    },
    stop: () => {
      for (const cancel of rhythms.values()) cancel();
      rhythms.clear();
    },
  };
}

function waits(call: Call): boolean {
  return call.phase !== 'connecting' && call.phase !== 'connected' && call.phase !== 'ended';
}

function guardedLegs(call: Call): readonly LegId[] {
  const callees = Object.values(call.legs).filter((leg) => leg.phase !== 'ended').map((leg) => leg.id);
  return call.caller.phase === 'ended' ? callees : [call.caller.legId, ...callees];
}
