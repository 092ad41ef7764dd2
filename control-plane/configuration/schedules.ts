/** M4, the document of a schedule: a week, its breaks, public holidays, and closures of one time. */
import { z } from 'zod';
import { didYouMean, type Complaint } from '../core/complaint.ts';
import { idleBreaks, overlaps, overlapsOf, spanOf, weekdays, type WrittenHours, type WrittenSpan } from '../core/routing/schedule.ts';
import { publicHolidays, whyUnknown, type Holiday } from '../hours/holidays.ts';
import { dayNumber } from '../hours/calendar.ts';
import { yearOf } from '../hours/year-turn.ts';
import { countryCode, localDate, pattern, rule, timezone, words } from './fields.ts';

const mostSpans = 50;
const mostClosures = 200;
const longestClosureDays = 366;

const clock = pattern(/^([01]\d|2[0-3]):[0-5]\d$/, 'is not a time of day.', 'Write it as 08:30, from 00:00 to 23:59.', '08:00');
const clockEnd = pattern(/^(([01]\d|2[0-3]):[0-5]\d|24:00)$/, 'is not a time of day.', 'Write it as 17:30, from 00:00 to 24:00.', '17:30');
const days = rule(
  z.array(z.enum(weekdays, `must be one of: ${weekdays.join(', ')}`), 'must be a list of days').min(1, 'must name a day').max(7),
  (names) => new Set(names).size === names.length, 'names a day twice', 'Name each once.',
).meta({ example: ['mon', 'tue', 'wed', 'thu', 'fri'] });

function hours<S extends z.ZodType<WrittenSpan>>(schema: S): S {
  return rule(schema, ({ from, to }) => from !== to, 'begins when it ends', 'Write 00:00 to 24:00 for a whole day.');
}
const span = hours(z.strictObject({ from: clock, to: clockEnd }));
const spans = z.array(span, 'must be a list').min(1, 'must have hours').max(10, 'takes at most 10');
const until = 'Of the day; earlier than `from` it is of the next day.';

const exceptDay = z.union([
  words(60),
  rule(z.strictObject({ name: words(60).optional(), date: localDate.optional(), spans }), (day) => (day.name === undefined) !== (day.date === undefined), 'must have a name or a date, and not both', 'Write one of them.'),
], 'must be a name, a date, or an object with spans');

const holidays = z.strictObject({
  country: countryCode,
  region: z.string('must be text').regex(/^[A-Z0-9]{1,5}(-[A-Z0-9]{1,5}){0,2}$/, 'is not a region. Write it as in ISO 3166-2, such as CA.').optional().meta({ example: 'CA' }),
  except: z.array(exceptDay, 'must be a list').max(60, 'takes at most 60').optional().meta({
    description: 'Holidays by name or date that are days like others; with `spans`, they have these hours.', example: ['Columbus Day'],
  }),
}).meta({ description: 'Public holidays: closed.' });

const closure = z.strictObject({
  name: words(60),
  from: localDate,
  to: localDate.optional().meta({ description: 'The last day; the one day alone when absent.' }),
  spans: spans.optional().meta({ description: 'Open in these hours instead of closed, on each of its days.' }),
});

const bare = z.strictObject({
  name: words(60),
  timezone: timezone.optional().meta({ description: 'The account’s when absent.' }),
  week: z.array(hours(z.strictObject({ days, from: clock, to: clockEnd.meta({ description: until }) })), 'must be a list').max(mostSpans, `takes at most ${mostSpans}`)
    .meta({ description: 'Open hours. Those of a day may be several; nights go on into the next day.' }),
  breaks: z.array(hours(z.strictObject({ days, from: clock, to: clockEnd.meta({ description: until }), name: words(40).optional() })), 'must be a list').max(mostSpans, `takes at most ${mostSpans}`).optional()
    .meta({ description: 'Taken out of the week, on the days on which they begin.' }),
  holidays: holidays.optional(),
  closures: z.array(closure, 'must be a list').max(mostClosures, `takes at most ${mostClosures}`).default([])
    .meta({ description: 'They beat holidays, and both beat the week. Hours belong to the day they begin on: a night before goes on.' }),
});

export const schedule = bare.superRefine((value, context) => {
  for (const { path, message, wayOut } of complaints(value)) context.addIssue({ code: 'custom', path: [...path], message, params: { wayOut } });
});

export type ScheduleDocument = z.output<typeof schedule>;

function complaints(value: z.output<typeof bare>): readonly Complaint[] {
  return [
    ...overlapping(value.week, 'week'),
    ...overlapping(value.breaks ?? [], 'breaks'),
    ...idleBreaks(value.week, value.breaks ?? []).map((index): Complaint => ({ path: ['breaks', index], message: 'is in no open hours', wayOut: 'Correct its days or times, or remove it.' })),
    ...closureComplaints(value.closures),
    ...(value.holidays === undefined ? [] : holidayComplaints(value.holidays)),
  ];
}

function overlapping(list: readonly WrittenHours[], field: string): readonly Complaint[] {
  return overlapsOf(list).map(({ first, second, words: [a, b] }): Complaint => (first === second
    ? { path: [field, second], message: `overlaps itself: ${a} and ${b}`, wayOut: 'Shorten it.' }
    : { path: [field, second], message: `${b} overlaps ${a} of ${field}[${first}]`, wayOut: 'Change or remove one of them.' }));
}

function closureComplaints(closures: readonly z.output<typeof closure>[]): readonly Complaint[] {
  const range = closures.map(({ from, to = from }) => ({ from: dayNumber(from) ?? 0, to: (dayNumber(to) ?? 0) + 1 }));
  return closures.flatMap((one, i): readonly Complaint[] => {
    const own = range[i] ?? { from: 0, to: 0 };
    if (own.to <= own.from) return [{ path: ['closures', i, 'to'], message: `is before ${one.from}`, wayOut: 'Correct one of the two.' }];
    if (own.to - own.from > longestClosureDays) return [{ path: ['closures', i, 'to'], message: `makes it longer than ${longestClosureDays} days`, wayOut: 'Change the week instead.' }];
    const other = range.findIndex((before, j) => j < i && overlaps(before, own));
    const spanned = spanComplaints(one.spans ?? [], ['closures', i, 'spans'], own.to - own.from > 1);
    if (other < 0) return spanned;
    return [...spanned, { path: ['closures', i], message: `“${one.name}” has days of “${closures[other]?.name ?? ''}” in closures[${other}]`, wayOut: 'Give each day to one of them.' }];
  });
}

/** `repeated`: on the next day too, into which a night goes on. */
function spanComplaints(list: readonly WrittenSpan[], path: Complaint['path'], repeated: boolean): readonly Complaint[] {
  const all = list.map((one) => ({ one, ...spanOf(one) }));
  return all.flatMap((own, i) => all.flatMap((other, j): readonly Complaint[] => {
    const later = { from: other.from + 24 * 60, to: other.to + 24 * 60 };
    const meets = (j < i && overlaps(own, other)) || (repeated && overlaps(own, later));
    return meets ? [{ path: [...path, i], message: `${own.one.from} to ${own.one.to} overlaps ${other.one.from} to ${other.one.to}`, wayOut: 'Change or remove one of them.' }] : [];
  }));
}

function holidayComplaints({ country: of, region, except = [] }: z.output<typeof holidays>): readonly Complaint[] {
  const where = { country: of, region };
  const unknown = whyUnknown(where);
  if (unknown !== undefined) return [{ path: ['holidays', unknown.field], message: unknown.message, wayOut: unknown.wayOut }];
  const year = yearOf(Date.now());
  const names = [...new Set(yearsAround(year).flatMap((one) => publicHolidays(where, one)).map(({ name }) => name))];
  return except.flatMap((one, i): readonly Complaint[] => {
    const spanned = typeof one === 'string' ? [] : spanComplaints(one.spans, ['holidays', 'except', i, 'spans'], false);
    const name = typeof one === 'string' ? one : (one.name ?? one.date ?? '');
    const isDate = dayNumber(name) !== undefined;
    const years = isDate ? [Number(name.slice(0, 4))] : yearsAround(year);
    if (years.some((one) => publicHolidays(where, one).some((holiday) => holiday.date === name || isNamed(holiday, name)))) return spanned;
    const meant = didYouMean(name, names);
    const wayOut = isDate ? 'Correct the date, or write it as a closure with hours.' : meant === undefined ? `Known: ${names.join(', ')}.` : `Did you mean “${meant}”?`;
    return [{ path: ['holidays', 'except', i], message: `“${name}” is no public holiday of ${[of, region].filter((part) => part !== undefined).join('-')}`, wayOut }];
  });
}

/** The years whose holidays a schedule has: of a call that comes now, and of plans for some time ahead. */
export function yearsAround(year: number): readonly number[] {
  return [year - 1, year, year + 1, year + 2];
}

/** By any of its names, whatever its letters’ case. */
export function isNamed({ names }: Holiday, name: string): boolean {
  return names.some((one) => one.toLowerCase() === name.toLowerCase());
}
