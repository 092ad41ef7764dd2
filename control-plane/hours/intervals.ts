/** A span of time cut at the quarters, hours or days of a clock on the wall, across changes of that clock. */
import { hour, minute, type EpochMs, type Ms } from '../core/time.ts';
import { day } from './calendar.ts';
import { localTime, offsetMs } from './local-time.ts';

export const intervalLengths = ['quarter-hour', 'hour', 'day'] as const;
export type IntervalLength = (typeof intervalLengths)[number];

/** No zone in use changes its clocks within one. */
const quarter: Ms = 15 * minute;
const lengths: Readonly<Record<IntervalLength, Ms>> = { 'quarter-hour': quarter, hour, day };

/**
 * The first has `from` in it and the last what is before `to`; they follow each other without a gap. A day on which clocks
 * are put forward has 23 hours, and an hour that comes twice is two. Empty when `to` is not after `from`.
 */
export function intervalsOf(length: IntervalLength, timezone: string, from: EpochMs, to: EpochMs): readonly { readonly from: EpochMs; readonly to: EpochMs }[] {
  const intervals: { readonly from: EpochMs; readonly to: EpochMs }[] = [];
  if (to <= from) return intervals;
  for (let start = startOf(length, timezone, from); start < to;) {
    const end = endOf(length, timezone, start);
    intervals.push({ from: start, to: end });
    start = end;
  }
  return intervals;
}

function startOf(length: IntervalLength, timezone: string, at: EpochMs): EpochMs {
  let start = Math.floor(at / quarter) * quarter;
  while (!begins(length, timezone, start)) start -= quarter;
  return start;
}

function endOf(length: IntervalLength, timezone: string, start: EpochMs): EpochMs {
  const whole = lengths[length];
  // A day that begins at midnight, and most hours, without a look at each quarter.
  if (offsetMs(timezone, start + whole) === offsetMs(timezone, start) && begins(length, timezone, start + whole) && localTime(timezone, start).minutes % (whole / minute) === 0) return start + whole;
  let end = start + quarter;
  while (!begins(length, timezone, end)) end += quarter;
  return end;
}

function begins(length: IntervalLength, timezone: string, at: EpochMs): boolean {
  if (length === 'quarter-hour') return true;
  const [before, now] = [localTime(timezone, at - quarter), localTime(timezone, at)];
  if (length === 'day') return before.date !== now.date;
  // A clock may be put forward past the beginning of an hour.
  return now.minutes % 60 === 0 || Math.floor(before.minutes / 60) !== Math.floor(now.minutes / 60);
}
