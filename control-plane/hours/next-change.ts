/** When a schedule's answer changes next. Looks ahead day by day: for admins and appointments, not for the path of a call. */
import { dayBefore, dayMinutes, openAt, type Schedule } from '../core/routing/schedule.ts';
import { minute, type EpochMs, type Ms } from '../core/time.ts';
import { localTime, offsetMs } from './local-time.ts';

/** What does not change in this time is taken to stay as it is. */
const farthest: Ms = 400 * dayMinutes * minute;

/** The first instant after `at` at which the answer is another; undefined when there is none for more than a year. */
export function nextChange(schedule: Schedule, at: EpochMs): EpochMs | undefined {
  const isOpen = (instant: EpochMs): boolean => openAt(schedule, localTime(schedule.timezone, instant)).open;
  const now = isOpen(at);
  for (let instant = at; instant < at + farthest;) {
    instant = nextTurn(schedule, instant);
    if (isOpen(instant) !== now) return instant;
  }
  return undefined;
}

/** The first instant from `at` on at which it is open. */
export function nextOpening(schedule: Schedule, at: EpochMs): EpochMs | undefined {
  return openAt(schedule, localTime(schedule.timezone, at)).open ? at : nextChange(schedule, at);
}

/** The next instant at which something may change: hours begin or end, a day begins, clocks are changed. */
function nextTurn({ timezone, special, week }: Schedule, at: EpochMs): EpochMs {
  const local = localTime(timezone, at);
  const today = special.get(local.date) ?? week[local.weekday];
  const lastNight = special.get(local.yesterday) ?? week[dayBefore(local.weekday)];
  const turns = [
    dayMinutes, ...today.spans.flatMap(({ from, to }) => [from, to]), ...lastNight.spans.flatMap(({ from, to }) => [from - dayMinutes, to - dayMinutes]),
  ].filter((minutes) => minutes > local.minutes && minutes <= dayMinutes);
  const next = at + (Math.min(...turns) - local.minutes) * minute - intoMinute(timezone, at);
  const offset = offsetMs(timezone, at);
  return offsetMs(timezone, next) === offset ? next : clockChange(timezone, at, next, offset);
}

function intoMinute(timezone: string, at: EpochMs): Ms {
  return (((at + offsetMs(timezone, at)) % minute) + minute) % minute;
}

/** The first instant in (from, to] that has another offset. */
function clockChange(timezone: string, from: EpochMs, to: EpochMs, offset: Ms): EpochMs {
  let [before, after] = [from, to];
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (offsetMs(timezone, middle) === offset) before = middle;
    else after = middle;
  }
  return after;
}
