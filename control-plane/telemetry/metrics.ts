/**
 * Numbers about the running process: plain counters, gauges that are asked when read, and times that somebody who
 * keeps them is told of. Names end in `_total` for what only grows. prometheus.ts shows them to the world. One object per controller, so that two in one process (as in tests) do not share numbers.
 */
import type { Ms } from '../core/time.ts';

const counterNames = [
  'calls_offered_total',
  'calls_adopted_total',
  'calls_ended_total',
  'calls_crashed_total',
  'calls_unroutable_total',
  'events_total',
  'events_unknown_call_total',
  'commands_total',
  'commands_failed_total',
  'commands_late_reply_total',
  'commands_refused_total',
  'guard_renewals_total',
  'guard_failures_total',
  'legs_reaped_total',
  'bridges_reaped_total',
  'recordings_reaped_total',
  'leases_doubted_total',
  'calls_let_go_total',
  'calls_taken_total',
  'calls_left_alone_total',
  'reconciles_total',
  'reconcile_failures_total',
  'replay_mismatches_total',
  'turns_counted_alone_total',
  'desks_begun_total',
  'desks_overtaken_total',
  'desks_failed_total',
  'callbacks_kept_total',
  'callbacks_tried_total',
  'callbacks_reached_total',
  'observer_errors_total',
  'live_journal_records_total',
  'live_journal_dropped_total',
  'live_journal_gaps_total',
  'live_journal_errors_total',
  'archive_bytes_total',
  'archive_dropped_total',
  'archive_errors_total',
  'cdrs_written_total',
  'cdrs_duplicate_total',
  'synthetic_calls_total',
  'synthetic_call_failures_total',
  'events_published_total',
  'events_dropped_total',
  'event_followers_dropped_total',
  'webhook_deliveries_total',
  'webhook_failures_total',
  'webhook_dead_letters_total',
  'webhooks_disabled_total',
] as const;

type CounterName = (typeof counterNames)[number];
/** How long something took. */
export type TimeName = 'ari_round_trip' | 'answer_to_bridge' | 'synthetic_call_setup';

export interface Metrics {
  readonly count: (name: CounterName, by?: number) => void;
  /** Asked at each read; a later gauge of the same name replaces the earlier. */
  readonly gauge: (name: string, value: () => number) => void;
  readonly time: (name: TimeName, ms: Ms) => void;
  readonly onTime: (told: (name: TimeName, ms: Ms) => void) => void;
  readonly get: (name: CounterName) => number;
  readonly read: () => Readonly<Record<string, number>>;
}

export function createMetrics(): Metrics {
  const counters = Object.fromEntries(counterNames.map((name) => [name, 0])) as Record<CounterName, number>;
  const listeners: ((name: TimeName, ms: Ms) => void)[] = [];
  const gauges = new Map<string, () => number>();
  return {
    count: (name, by = 1) => {
      counters[name] += by;
    },
    gauge: (name, value) => {
      gauges.set(name, value);
    },
    time: (name, ms) => {
      for (const told of listeners) told(name, ms);
    },
    onTime: (told) => { listeners.push(told); },
    get: (name) => counters[name],
    read: () => {
      const all: Record<string, number> = { ...counters };
      for (const [name, value] of gauges) all[name] = value();
      return all;
    },
  };
}
