/**
 * Public holidays of countries and their regions, from date-holidays. Its data is loaded when the first schedule asks for
 * holidays (a tenth of a second, 20 MB), and a year of a region is worked out once. Nothing of this is on the path of a
 * call: schedules are given the dates when the configuration is loaded.
 */
import { createRequire } from 'node:module';
import type DateHolidays from 'date-holidays';
import { dayMinutes, type LocalDate } from '../core/routing/schedule.ts';
import { minute } from '../core/time.ts';
import { dateOf, dayNumber } from './calendar.ts';

/** One date of a public holiday. */
export interface Holiday {
  readonly date: LocalDate;
  /** In English. */
  readonly name: string;
  /** All names that it goes by, without what tells that it is moved to this date. */
  readonly names: readonly string[];
  /** The part of the day that it takes, in minutes by the clock. */
  readonly from: number;
  readonly to: number;
}

/** ISO 3166-1 alpha-2; `region` as ISO 3166-2 has it behind the country, and one more step where the country has one: `BY`, `BY-A`. */
export interface HolidayRegion {
  readonly country: string;
  readonly region?: string | undefined;
}

const require = createRequire(import.meta.url);
let loaded: typeof DateHolidays | undefined;

function library(): typeof DateHolidays {
  loaded ??= require('date-holidays') as typeof DateHolidays;
  return loaded;
}

const years = new Map<string, readonly Holiday[]>();

/** Of one year, in order. Empty for a country or region that is not known. */
export function publicHolidays(where: HolidayRegion, year: number): readonly Holiday[] {
  const { country, region = '' } = where;
  const key = `${country} ${region} ${year}`;
  let known = years.get(key);
  if (known === undefined) {
    known = whyUnknown(where) === undefined ? holidaysOf(where, year) : [];
    years.set(key, known);
  }
  return known;
}

function holidaysOf({ country, region = '' }: HolidayRegion, year: number): readonly Holiday[] {
  const [state, part] = stepsOf(country, region);
  const options = { types: ['public' as const], timezone: 'UTC' };
  const Library = library();
  const holidays = state === undefined ? new Library(country, options) : part === undefined ? new Library(country, state, options) : new Library(country, state, part, options);
  const own = holidays.getHolidays(year);
  const english = holidays.getLanguages()[0]?.startsWith('en') === true ? own : holidays.getHolidays(year, 'en');
  return own.flatMap((holiday, i) => {
    const name = english[i]?.name ?? holiday.name;
    const names = [...new Set([name, holiday.name].flatMap((one) => [one, one.replace(/ \([^)]*\)$/, '')]))];
    return datesOf(holiday).map((date) => ({ ...date, name, names }));
  });
}

/** Days that begin at sunset are the days of the civil calendar that they are known by, as offices keep them. */
function datesOf({ date, start, end }: { readonly date: string; readonly start: Date; readonly end: Date }): readonly Pick<Holiday, 'date' | 'from' | 'to'>[] {
  const first = dayNumber(date.slice(0, 10)) ?? 0;
  const from = Number(date.slice(11, 13)) * 60 + Number(date.slice(14, 16));
  const to = from + (end.getTime() - start.getTime()) / minute;
  const days = Math.ceil(to / dayMinutes);
  return Array.from({ length: days }, (_, i) => ({
    date: dateOf(first + i),
    from: Math.max(0, from - i * dayMinutes),
    to: Math.min(dayMinutes, to - i * dayMinutes),
  }));
}

/** `US-CA` is written too, where `CA` is meant. */
function stepsOf(country: string, region: string): readonly string[] {
  const own = region.startsWith(`${country}-`) ? region.slice(country.length + 1) : region;
  return own === '' ? [] : own.split('-');
}

/** Undefined for a country and region whose holidays are known, or else which field is wrong, why, and the way out. */
export function whyUnknown({ country, region = '' }: HolidayRegion): { readonly field: 'country' | 'region'; readonly message: string; readonly wayOut: string } | undefined {
  const Library = library();
  const all = new Library();
  if (!Object.hasOwn(all.getCountries() ?? {}, country)) {
    return { field: 'country', message: `the holidays of ${country} are not known`, wayOut: 'Give another country, or write its holidays as closures.' };
  }
  let known: Readonly<Record<string, string>> | undefined = all.getStates(country);
  let of = country;
  for (const [i, step] of stepsOf(country, region).entries()) {
    if (known === undefined) return { field: 'region', message: `${of} has no regions with holidays of their own`, wayOut: i === 0 ? 'Leave it out.' : `Write ${of.slice(country.length + 1)}.` };
    if (!Object.hasOwn(known, step)) return { field: 'region', message: `${of} has no region ${step}`, wayOut: `Known: ${Object.keys(known).toSorted().join(', ')}.` };
    of = `${of}-${step}`;
    known = i === 0 ? all.getRegions(country, step) : undefined;
  }
  return undefined;
}
