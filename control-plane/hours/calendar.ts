/** Dates of the Gregorian calendar as text, and as days since 1970. */
import { weekdays, type LocalDate, type Weekday } from '../core/routing/schedule.ts';
import { hour, type Ms } from '../core/time.ts';

export const day: Ms = 24 * hour;

/** Undefined for what is in no calendar. */
export function dayNumber(date: string): number | undefined {
  const at = Date.parse(`${date}T00:00:00Z`);
  return Number.isNaN(at) || dateOf(at / day) !== date ? undefined : at / day;
}

export function dateOf(days: number): LocalDate {
  return new Date(days * day).toISOString().slice(0, 10);
}

export function weekdayOf(days: number): Weekday {
  return weekdays[(((days + 3) % 7) + 7) % 7] ?? 'mon';
}
