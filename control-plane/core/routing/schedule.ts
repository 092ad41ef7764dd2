/**
 * M4: opening hours. A schedule is read by the clock and calendar on the wall, in its own time zone; so nothing here knows
 * of zones, and a day on which clocks change needs no rule: what is skipped does not come, what comes twice counts twice.
 *
 * Hours belong to the day they begin on. A night of Wednesday from 22:00 to 06:00 goes on into Thursday whatever day that
 * is, and does not begin on a Wednesday that is a closure. A closure beats a holiday, and both beat the week.
 */

export const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export type Weekday = (typeof weekdays)[number];
/** `2026-11-26`, of the Gregorian calendar. */
export type LocalDate = string;

/** What clock and calendar say at an instant in one time zone. */
export interface LocalTime {
  readonly date: LocalDate;
  readonly yesterday: LocalDate;
  readonly weekday: Weekday;
  /** Since midnight by the clock, 0 to 1439. */
  readonly minutes: number;
}

/** Minutes by the clock since the midnight with which a day begins; beyond 1440 they are of the next day. `to` is the first after it. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export interface Break extends Span {
  readonly name?: string;
}

/** The hours that begin on one day. */
export interface DayHours {
  /** Open, in order, none touching another, breaks taken out. */
  readonly spans: readonly Span[];
  readonly breaks: readonly Break[];
}

/** A date with hours of its own, or none. */
export interface SpecialDay extends DayHours {
  readonly kind: 'closure' | 'holiday';
  readonly name: string;
}

export interface Schedule {
  readonly id: string;
  readonly name: string;
  /** IANA name. */
  readonly timezone: string;
  readonly week: Readonly<Record<Weekday, DayHours>>;
  readonly special: ReadonlyMap<LocalDate, SpecialDay>;
}

export interface OpenAnswer {
  readonly open: boolean;
  /** A sentence: `closed: Thanksgiving Day`. */
  readonly why: string;
  /** The closure or holiday that decided. */
  readonly special?: { readonly kind: SpecialDay['kind']; readonly name: string };
}

export const dayMinutes = 1440;

const longNames: Readonly<Record<Weekday, string>> = { mon: 'Monday', tue: 'Tuesday', wed: 'Wednesday', thu: 'Thursday', fri: 'Friday', sat: 'Saturday', sun: 'Sunday' };

/** What applies at a time in the schedule's own zone. */
export function openAt(schedule: Schedule, { date, yesterday, weekday, minutes }: LocalTime): OpenAnswer {
  const before = dayBefore(weekday);
  const today = dayOf(schedule, date, weekday);
  const lastNight = dayOf(schedule, yesterday, before);
  const begun = within(today.spans, minutes);
  if (begun !== undefined) return answer(true, today, `${nameOf(today, weekday)} ${spanText(begun)}`);
  const goesOn = within(lastNight.spans, minutes + dayMinutes);
  if (goesOn !== undefined) return answer(true, lastNight, `${nameOf(lastNight, before)} ${spanText(goesOn)}`);
  const pause = within(today.breaks, minutes) ?? within(lastNight.breaks, minutes + dayMinutes);
  if (pause !== undefined) return { open: false, why: `closed: ${pause.name ?? 'break'} ${spanText(pause)}` };
  const others = today.spans.map(spanText).join(' and ');
  if (isSpecial(today)) return answer(false, today, others === '' ? today.name : `${today.name} is open ${others}`);
  return answer(false, today, others === '' ? `${longNames[weekday]} has no hours` : `${longNames[weekday]} is open ${others}`);
}

/** D5: what a call is tagged with, by the hours it came in. */
export function hoursTag({ open, special }: OpenAnswer): 'open-hours' | 'after-hours' | 'holiday' {
  if (open) return 'open-hours';
  return special === undefined ? 'after-hours' : 'holiday';
}

function answer(open: boolean, day: DayHours, what: string): OpenAnswer {
  const why = `${open ? 'open' : 'closed'}: ${what}`;
  return isSpecial(day) ? { open, why, special: { kind: day.kind, name: day.name } } : { open, why };
}

function dayOf({ special, week }: Schedule, date: LocalDate, weekday: Weekday): DayHours {
  return special.get(date) ?? week[weekday];
}

function isSpecial(day: DayHours): day is SpecialDay {
  return 'kind' in day;
}

function nameOf(day: DayHours, weekday: Weekday): string {
  return isSpecial(day) ? day.name : longNames[weekday];
}

function within<S extends Span>(spans: readonly S[], minutes: number): S | undefined {
  return spans.find(({ from, to }) => from <= minutes && minutes < to);
}

export function dayBefore(weekday: Weekday): Weekday {
  return weekdays[(weekdays.indexOf(weekday) + 6) % 7] ?? weekday;
}

function dayAfter(weekday: Weekday): Weekday {
  return weekdays[(weekdays.indexOf(weekday) + 1) % 7] ?? weekday;
}

/** Hours as they are written: `from` later than `to` goes on into the next day; `24:00` is the end of a day. */
export interface WrittenSpan {
  readonly from: string;
  readonly to: string;
}

export interface WrittenHours extends WrittenSpan {
  readonly days: readonly Weekday[];
  /** Of a break. */
  readonly name?: string | undefined;
}

/** A week as it is written, breaks taken out of its hours. A break is on the days that it begins on. */
export function weekOf(hours: readonly WrittenHours[], breaks: readonly WrittenHours[]): Schedule['week'] {
  const of = (day: Weekday): DayHours => {
    const whole = hours.filter(({ days }) => days.includes(day)).map(spanOf);
    const near = ([[dayBefore(day), -dayMinutes], [day, 0], [dayAfter(day), dayMinutes]] as const).flatMap(([on, by]) => breaks
      .filter(({ days }) => days.includes(on))
      .map((one): Break => ({ ...shifted(spanOf(one), by), ...(one.name === undefined ? {} : { name: one.name }) })));
    return hoursOf(whole, near);
  };
  return { mon: of('mon'), tue: of('tue'), wed: of('wed'), thu: of('thu'), fri: of('fri'), sat: of('sat'), sun: of('sun') };
}

/** Breaks are kept as far as they take something out. */
export function hoursOf(whole: readonly Span[], breaks: readonly Break[]): DayHours {
  return {
    spans: joined(breaks.reduce<readonly Span[]>((left, pause) => left.flatMap((span) => without(span, pause)), whole)),
    breaks: breaks.flatMap((pause) => whole.flatMap((span) => {
      const [from, to] = [Math.max(span.from, pause.from), Math.min(span.to, pause.to)];
      return from < to ? [{ ...pause, from, to }] : [];
    })),
  };
}

function without({ from, to }: Span, taken: Span): readonly Span[] {
  if (taken.to <= from || to <= taken.from) return [{ from, to }];
  return [{ from, to: taken.from }, { from: taken.to, to }].filter((part) => part.from < part.to);
}

/** In order; those that touch are one. */
function joined(spans: readonly Span[]): readonly Span[] {
  const all: Span[] = [];
  for (const span of spans.toSorted((a, b) => a.from - b.from)) {
    const last = all.at(-1);
    if (last !== undefined && span.from <= last.to) all.splice(-1, 1, { from: last.from, to: Math.max(last.to, span.to) });
    else all.push(span);
  }
  return all;
}

function shifted({ from, to }: Span, by: number): Span {
  return { from: from + by, to: to + by };
}

export function spanOf({ from, to }: WrittenSpan): Span {
  const [begins, ends] = [clockMinutes(from), clockMinutes(to)];
  return { from: begins, to: ends <= begins ? ends + dayMinutes : ends };
}

/** Of `08:30`. */
export function clockMinutes(text: string): number {
  return Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5));
}

export function clockText(minutes: number): string {
  const inDay = minutes > dayMinutes ? minutes - dayMinutes : minutes;
  return `${String(Math.floor(inDay / 60)).padStart(2, '0')}:${String(inDay % 60).padStart(2, '0')}`;
}

/** `Thursday 07:12`. */
export function dayAndTime({ weekday, minutes }: LocalTime): string {
  return `${longNames[weekday]} ${clockText(minutes)}`;
}

function spanText({ from, to }: Span): string {
  return `${clockText(from)} to ${clockText(to)}`;
}

/** Two of the written hours that are open at the same time, by their places in the list, and in words. */
export interface Overlap {
  readonly first: number;
  readonly second: number;
  readonly words: readonly [string, string];
}

/** Each pair once. */
export function overlapsOf(hours: readonly WrittenHours[]): readonly Overlap[] {
  const all = hours.flatMap((one, index) => [...new Set(one.days)].map((day) => ({
    index, span: shifted(spanOf(one), weekdays.indexOf(day) * dayMinutes), text: `${longNames[day]} ${one.from} to ${one.to}`,
  })));
  const found = new Map<string, Overlap>();
  all.forEach((a, i) => {
    for (const b of all.slice(i + 1)) {
      const pair = `${a.index} ${b.index}`;
      // a night of Sunday goes on into Monday
      const meets = [-7, 0, 7].some((days) => overlaps(a.span, shifted(b.span, days * dayMinutes)));
      if (meets && !found.has(pair)) found.set(pair, { first: a.index, second: b.index, words: [a.text, b.text] });
    }
  });
  return [...found.values()];
}

export function overlaps(a: Span, b: Span): boolean {
  return a.from < b.to && b.from < a.to;
}

/** Places in the list of breaks that fall into no hours at all. */
export function idleBreaks(hours: readonly WrittenHours[], breaks: readonly WrittenHours[]): readonly number[] {
  return breaks.flatMap((one, index) => (weekdays.some((day) => weekOf(hours, [one])[day].breaks.length > 0) ? [] : [index]));
}
