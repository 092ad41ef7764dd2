/** From the document of a schedule to what is read when a call comes: every special date of the years around, by its date. */
import { isNamed, yearsAround, type ScheduleDocument } from '../configuration/schedules.ts';
import { hoursOf, spanOf, weekOf, type LocalDate, type Schedule, type SpecialDay, type WrittenSpan } from '../core/routing/schedule.ts';
import { dateOf, dayNumber, weekdayOf } from './calendar.ts';
import { publicHolidays } from './holidays.ts';

/** `year`: of now. It must be made anew when the year turns. */
export function scheduleOf(id: string, document: ScheduleDocument, timezone: string, year: number): Schedule {
  const week = weekOf(document.week, document.breaks ?? []);
  return { id, name: document.name, timezone: document.timezone ?? timezone, week, special: new Map([...holidaysOf(document, week, year), ...closuresOf(document)]) };
}

type Dated = readonly [LocalDate, SpecialDay];

function closuresOf({ closures }: ScheduleDocument): readonly Dated[] {
  return closures.flatMap(({ name, from, to = from, spans }) => {
    const first = dayNumber(from) ?? 0;
    const length = (dayNumber(to) ?? first) - first + 1;
    const day: SpecialDay = { kind: 'closure', name, ...written(spans ?? []) };
    return Array.from({ length }, (_, i): Dated => [dateOf(first + i), day]);
  });
}

function holidaysOf({ holidays }: ScheduleDocument, week: Schedule['week'], year: number): readonly Dated[] {
  if (holidays === undefined) return [];
  const { except = [] } = holidays;
  const all = yearsAround(year).flatMap((one) => publicHolidays(holidays, one));
  // of two on one date the last has it: the one that takes more of the day, or else the first in the calendar
  return all.toReversed().toSorted((a, b) => (a.to - a.from) - (b.to - b.from)).flatMap((holiday): readonly Dated[] => {
    const { date, name, from, to } = holiday;
    const exception = except.find((one) => {
      const wanted = typeof one === 'string' ? one : (one.name ?? one.date ?? '');
      return wanted === date || isNamed(holiday, wanted);
    });
    if (typeof exception === 'string') return [];
    const hours = exception === undefined ? hoursOf(week[weekdayOf(dayNumber(date) ?? 0)].spans, [{ from, to: to === 24 * 60 ? 2 * to : to }]).spans : written(exception.spans).spans;
    return [[date, { kind: 'holiday', name, spans: hours, breaks: [] }]];
  });
}

function written(spans: readonly WrittenSpan[]): Pick<SpecialDay, 'spans' | 'breaks'> {
  return hoursOf(spans.map(spanOf), []);
}
