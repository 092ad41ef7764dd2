/** Whether a schedule is open, by the clock on the wall. It shares no code with control-plane, and must not. */
import type { PaperSchedule } from './clinic.ts';

const dayMs = 86_400_000;
const names = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;

export function isOpen(schedule: PaperSchedule, at: number): boolean {
  // 2026-11-21 22:05
  const [date = '', clock = ''] = new Date(at).toLocaleString('sv-SE', { timeZone: schedule.timezone }).split(' ');
  const midnight = Date.parse(`${date}T00:00Z`);
  const now = minutesOf(clock);
  return hoursOf(schedule, midnight, now) || hoursOf(schedule, midnight - dayMs, now + 24 * 60);
}

/** Hours belong to the day they begin on. */
function hoursOf({ days, from, to, closed }: PaperSchedule, midnight: number, minutes: number): boolean {
  const day = new Date(midnight);
  if (closed.includes(day.toISOString().slice(0, 10)) || !days.some((name) => name === names[day.getUTCDay()])) return false;
  const end = minutesOf(to) > minutesOf(from) ? minutesOf(to) : minutesOf(to) + 24 * 60;
  return minutes >= minutesOf(from) && minutes < end;
}

const minutesOf = (clock: string): number => Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3, 5));
