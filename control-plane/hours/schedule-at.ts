/** What a schedule says of an instant, for people who ask. */
import { clockText, openAt, type Schedule } from '../core/routing/schedule.ts';
import type { EpochMs } from '../core/time.ts';
import { localTime } from './local-time.ts';
import { nextChange } from './next-change.ts';

export interface ScheduleAt {
  readonly open: boolean;
  readonly why: string;
  /** The first instant at which it is otherwise; null when that is more than a year away. */
  readonly until: EpochMs | null;
  /** The holiday, or the closure, that decides. */
  readonly holiday: string | null;
  readonly closure: string | null;
  /** By the clock in `timezone`: `2026-11-26T08:00`. */
  readonly localTime: string;
  readonly timezone: string;
}

export function scheduleAt(schedule: Schedule, at: EpochMs): ScheduleAt {
  const local = localTime(schedule.timezone, at);
  const { open, why, special } = openAt(schedule, local);
  const named = (kind: 'holiday' | 'closure'): string | null => (special?.kind === kind ? special.name : null);
  return {
    open, why, until: nextChange(schedule, at) ?? null, holiday: named('holiday'), closure: named('closure'),
    localTime: `${local.date}T${clockText(local.minutes)}`, timezone: schedule.timezone,
  };
}
