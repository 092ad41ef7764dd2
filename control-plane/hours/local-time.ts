/**
 * What clock and calendar say at an instant in a time zone. The rules of zones are those that come with Node (ICU); asking
 * it takes tens of microseconds and more, so a zone's offset is asked once for each quarter of an hour: no zone in use
 * changes its clocks at any other instant.
 */
import type { LocalTime } from '../core/routing/schedule.ts';
import { minute, type EpochMs, type Ms } from '../core/time.ts';
import { dateOf, day, weekdayOf } from './calendar.ts';

const quarter: Ms = 15 * minute;

interface Zone {
  readonly format: Intl.DateTimeFormat;
  /** The quarter that was asked for last, and the answer. */
  asked: number;
  offsetMs: Ms;
  /** Days since 1970 of the answer below. */
  days: number;
  dates: Pick<LocalTime, 'date' | 'yesterday' | 'weekday'>;
}

const zones = new Map<string, Zone>();

/** Throws a RangeError for a name that is no time zone. */
export function localTime(timezone: string, at: EpochMs): LocalTime {
  const zone = zoneOf(timezone);
  const local = at + offsetIn(zone, at);
  const days = Math.floor(local / day);
  if (days !== zone.days) {
    zone.days = days;
    zone.dates = { date: dateOf(days), yesterday: dateOf(days - 1), weekday: weekdayOf(days) };
  }
  const { date, yesterday, weekday } = zone.dates;
  return { date, yesterday, weekday, minutes: Math.floor((local - days * day) / minute) };
}

/** How much later the clock on the wall is than UTC. */
export function offsetMs(timezone: string, at: EpochMs): Ms {
  return offsetIn(zoneOf(timezone), at);
}

function zoneOf(timezone: string): Zone {
  let zone = zones.get(timezone);
  if (zone === undefined) {
    const format = new Intl.DateTimeFormat('en-US', { timeZone: timezone, hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit' });
    zone = { format, asked: Number.NaN, offsetMs: 0, days: Number.NaN, dates: { date: '', yesterday: '', weekday: 'mon' } };
    zones.set(timezone, zone);
  }
  return zone;
}

function offsetIn(zone: Zone, at: EpochMs): Ms {
  const asked = Math.floor(at / quarter);
  if (asked !== zone.asked) {
    const [month = 1, dayOfMonth = 1, year = 1970, hours = 0, minutes = 0, seconds = 0] = (zone.format.format(asked * quarter).match(/\d+/g) ?? []).map(Number);
    zone.offsetMs = Date.UTC(year, month - 1, dayOfMonth, hours, minutes, seconds) - asked * quarter;
    zone.asked = asked;
  }
  return zone.offsetMs;
}
