/** Opening hours (M4): against tables of the days on which clocks change, and against a slow reading of the same document by the minute. */
import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { parseDocument } from '../../control-plane/configuration/check.ts';
import type { DocInput } from '../../control-plane/configuration/documents.ts';
import { hoursTag, openAt, weekdays, type OpenAnswer, type Schedule } from '../../control-plane/core/routing/schedule.ts';
import { localTime } from '../../control-plane/hours/local-time.ts';
import { nextChange, nextOpening } from '../../control-plane/hours/next-change.ts';
import { onNewYear } from '../../control-plane/hours/year-turn.ts';
import { scheduleOf } from '../../control-plane/hours/schedules.ts';

type Written = DocInput<'schedule'>;
const minute = 60_000;
const everyDay = [...weekdays];
const weekdaysOnly = weekdays.slice(0, 5);
const office: Written = { name: 'Office', week: [{ days: weekdaysOnly, from: '08:00', to: '17:30' }] };

const read = (document: Written, timezone = 'America/New_York', year = 2026): Schedule => {
  const parsed = parseDocument('schedule', document);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return scheduleOf('office', parsed.body, timezone, year);
};
const at = (schedule: Schedule, instant: string | number): OpenAnswer => openAt(schedule, localTime(schedule.timezone, new Date(instant).getTime()));
const why = (document: Written, instant: string, timezone?: string): string => at(read(document, timezone), instant).why;
const us = (except: unknown): Partial<Record<keyof Written, unknown>> => ({ holidays: { country: 'US', except } });
const refused = (change: Partial<Record<keyof Written, unknown>>): readonly string[] => {
  const parsed = parseDocument('schedule', { ...office, ...change });
  return parsed.ok ? [] : parsed.problems.map(({ path, message }) => `${path}: ${message}`);
};

describe('A schedule says of an instant', () => {
  const lunch: Written = { ...office, breaks: [{ days: weekdaysOnly, from: '12:00', to: '13:00', name: 'lunch' }, { days: ['fri'], from: '15:00', to: '15:30' }] };
  const nights: Written = { name: 'Nights', week: [{ days: ['wed', 'sun'], from: '22:00', to: '06:00' }, { days: ['fri'], from: '18:00', to: '24:00' }, { days: ['sat'], from: '00:00', to: '24:00' }] };

  it.each<readonly [string, Written, string, string]>([
    ['its hours', office, '2026-11-19T15:00:00-05:00', 'open: Thursday 08:00 to 17:30'],
    ['their first minute', office, '2026-11-19T08:00:00-05:00', 'open: Thursday 08:00 to 17:30'],
    ['the minute before', office, '2026-11-19T07:59:59.999-05:00', 'closed: Thursday is open 08:00 to 17:30'],
    ['the minute after', office, '2026-11-19T17:30:00-05:00', 'closed: Thursday is open 08:00 to 17:30'],
    ['a day without hours', office, '2026-11-22T12:00:00-05:00', 'closed: Sunday has no hours'],
    ['hours that a break ends', lunch, '2026-11-19T11:59:00-05:00', 'open: Thursday 08:00 to 12:00'],
    ['a break', lunch, '2026-11-19T12:00:00-05:00', 'closed: lunch 12:00 to 13:00'],
    ['a break without a name', lunch, '2026-11-20T15:29:00-05:00', 'closed: break 15:00 to 15:30'],
    ['hours after a break', lunch, '2026-11-20T15:30:00-05:00', 'open: Friday 15:30 to 17:30'],
    ['the evening of a night', nights, '2026-11-18T22:00:00-05:00', 'open: Wednesday 22:00 to 06:00'],
    ['its morning, by the day it began on', nights, '2026-11-19T05:59:00-05:00', 'open: Wednesday 22:00 to 06:00'],
    ['its end', nights, '2026-11-19T06:00:00-05:00', 'closed: Thursday has no hours'],
    ['the night from Sunday to Monday', nights, '2026-11-23T01:00:00-05:00', 'open: Sunday 22:00 to 06:00'],
    ['the end of a day', nights, '2026-11-20T23:59:00-05:00', 'open: Friday 18:00 to 24:00'],
    ['a whole day', nights, '2026-11-21T00:00:00-05:00', 'open: Saturday 00:00 to 24:00'],
  ])('%s', (_, document, instant, said) => {
    expect(why(document, instant)).toBe(said);
  });

  it('the time of its own zone, or the account’s', () => {
    expect(why({ ...office, timezone: 'Europe/Berlin' }, '2026-11-19T07:30:00Z')).toBe('open: Thursday 08:00 to 17:30');
    expect(why(office, '2026-11-19T07:30:00Z', 'Europe/Berlin')).toBe('open: Thursday 08:00 to 17:30');
    expect(why(office, '2026-11-19T07:30:00Z')).toBe('closed: Thursday is open 08:00 to 17:30');
  });

  it('a break of the night that begins after midnight is on the day it begins on', () => {
    const schedule = read({ name: 'Nights', week: [{ days: ['wed'], from: '22:00', to: '06:00' }], breaks: [{ days: ['thu'], from: '02:00', to: '02:30' }, { days: ['wed'], from: '23:45', to: '00:15' }] });
    const minutes = ['2026-11-18T23:44', '2026-11-18T23:45', '2026-11-19T00:14', '2026-11-19T00:15', '2026-11-19T02:00', '2026-11-19T02:29', '2026-11-19T02:30'];
    expect(minutes.map((local) => at(schedule, `${local}:00-05:00`).open)).toEqual([true, false, false, true, false, false, true]);
    expect(at(schedule, '2026-11-19T02:10:00-05:00').why).toBe('closed: break 02:00 to 02:30');
  });
});

describe('Closures, holidays and the week', () => {
  const holidays = { country: 'US', region: 'CA' };
  const closures = [
    { name: 'Christmas', from: '2026-12-24', to: '2026-12-26' },
    { name: 'Stocktaking', from: '2026-11-26', spans: [{ from: '10:00', to: '12:00' }] },
    { name: 'Late night', from: '2026-12-31', spans: [{ from: '20:00', to: '02:00' }] },
  ];

  it.each<readonly [string, Partial<Written>, string, string]>([
    ['a holiday beats the week', { holidays }, '2026-11-26T12:00:00-05:00', 'closed: Thanksgiving Day'],
    ['a closure beats a holiday', { holidays, closures }, '2026-11-26T11:00:00-05:00', 'open: Stocktaking 10:00 to 12:00'],
    ['and is closed outside its own hours', { holidays, closures }, '2026-11-26T09:00:00-05:00', 'closed: Stocktaking is open 10:00 to 12:00'],
    ['the first day of a closure', { closures }, '2026-12-24T00:00:00-05:00', 'closed: Christmas'],
    ['the last day of a closure', { closures }, '2026-12-26T23:59:00-05:00', 'closed: Christmas'],
    ['the day after', { closures }, '2026-12-28T08:00:00-05:00', 'open: Monday 08:00 to 17:30'],
    ['a closure’s night goes on', { closures }, '2027-01-01T01:00:00-05:00', 'open: Late night 20:00 to 02:00'],
    ['a holiday of a region', { holidays }, '2026-03-31T12:00:00-04:00', 'closed: César Chávez Day'],
    ['is none elsewhere', { holidays: { country: 'US' } }, '2026-03-31T12:00:00-04:00', 'open: Tuesday 08:00 to 17:30'],
    ['a holiday on a Saturday is moved', { holidays }, '2026-07-03T12:00:00-04:00', 'closed: Independence Day (substitute day)'],
    ['an exception by name', { holidays: { ...holidays, except: ['veterans day'] } }, '2026-11-11T12:00:00-05:00', 'open: Wednesday 08:00 to 17:30'],
    ['an exception by name takes the day it is moved to', { holidays: { ...holidays, except: ['Independence Day'] } }, '2026-07-03T12:00:00-04:00', 'open: Friday 08:00 to 17:30'],
    ['an exception by date', { holidays: { ...holidays, except: ['2026-11-11'] } }, '2026-11-11T12:00:00-05:00', 'open: Wednesday 08:00 to 17:30'],
    ['which is that year’s alone', { holidays: { ...holidays, except: ['2026-11-11'] } }, '2027-11-11T12:00:00-05:00', 'closed: Veterans Day'],
    ['an exception with hours', { holidays: { ...holidays, except: [{ name: 'Veterans Day', spans: [{ from: '09:00', to: '12:00' }] }] } }, '2026-11-11T11:00:00-05:00', 'open: Veterans Day 09:00 to 12:00'],
    ['a holiday of the year after next', { holidays }, '2028-12-25T12:00:00-05:00', 'closed: Christmas Day'],
    ['a holiday of last year', { holidays }, '2025-12-25T12:00:00-05:00', 'closed: Christmas Day'],
  ])('%s', (_, change, instant, said) => {
    expect(why({ ...office, ...change }, instant)).toBe(said);
  });

  it.each([
    ['begin at noon', 'IS', 'Atlantic/Reykjavik', '2026-12-24T11:00:00Z', 'open: Christmas Eve 08:00 to 13:00'],
    ['begin at noon', 'IS', 'Atlantic/Reykjavik', '2026-12-24T13:00:00Z', 'closed: Christmas Eve is open 08:00 to 13:00'],
    ['begin at sunset, and are known by the day after it', 'IL', 'Asia/Jerusalem', '2026-09-20T12:00:00+03:00', 'closed: Sunday has no hours'],
    ['begin at sunset, and are known by the day after it', 'IL', 'Asia/Jerusalem', '2026-09-21T12:00:00+03:00', 'closed: Day of Atonement (Yom Kippur)'],
    ['take three days', 'AE', 'Asia/Dubai', '2026-05-29T12:00:00+04:00', 'closed: Feast of the Sacrifice (Eid al-Adha)'],
    ['are those of a region', 'DE', 'Europe/Berlin', '2026-06-04T12:00:00+02:00', 'open: Thursday 08:00 to 17:30'],
  ])('holidays that %s: %s', (_, country, timezone, instant, said) => {
    expect(why({ ...office, timezone, holidays: { country } }, instant)).toBe(said);
  });

  it('hours belong to the day they begin on: the night before a closed day goes on, that of the closed day does not begin', () => {
    const nights = read({ name: 'Nights', week: [{ days: everyDay, from: '22:00', to: '06:00' }], closures: [{ name: 'Closed', from: '2026-11-19' }] });
    const instants = ['2026-11-19T05:00', '2026-11-19T06:00', '2026-11-19T23:00', '2026-11-20T05:00', '2026-11-20T22:00'];
    expect(instants.map((local) => at(nights, `${local}:00-05:00`).open)).toEqual([true, false, false, false, true]);
  });

  it('a call is tagged with what it came in', () => {
    const schedule = read({ ...office, holidays });
    expect(['2026-11-25T12:00:00-05:00', '2026-11-25T20:00:00-05:00', '2026-11-26T12:00:00-05:00'].map((instant) => hoursTag(at(schedule, instant)))).toEqual(['open-hours', 'after-hours', 'holiday']);
  });
});

describe('On the days on which clocks change', () => {
  // early: 01:15 to 03:15; night: 23:00 to 02:15; gone: 02:10 to 02:20
  const early: Written = { name: 'Early', week: [{ days: everyDay, from: '01:15', to: '03:15' }] };
  const night: Written = { name: 'Night', week: [{ days: everyDay, from: '23:00', to: '02:15' }] };
  const short: Written = { name: 'Short', week: [{ days: everyDay, from: '01:40', to: '01:50' }] };
  const gone: Written = { name: 'Gone', week: [{ days: everyDay, from: '02:10', to: '02:20' }] };

  const cases: readonly (readonly [string, Written, string, string, readonly string[]])[] = [
    // spring: 02:00 is 03:00, or in Lord Howe 02:30
    ['America/New_York', early, 'goes on for an hour less', '2026-03-08T05:00Z', ['open 06:15', 'shut 07:15']],
    ['America/New_York', night, 'is over when 02:15 is skipped', '2026-03-08T03:30Z', ['open 04:00', 'shut 07:00']],
    ['America/New_York', gone, 'does not come', '2026-03-08T06:00Z', ['open 06:10 next', 'shut 06:20 next']],
    ['Europe/Berlin', early, 'goes on for an hour less', '2026-03-28T23:30Z', ['open 00:15 next', 'shut 01:15 next']],
    ['Europe/Berlin', night, 'is over when 02:15 is skipped', '2026-03-28T21:30Z', ['open 22:00', 'shut 01:00 next']],
    ['Australia/Lord_Howe', early, 'goes on for half an hour less', '2026-10-03T14:00Z', ['open 14:45', 'shut 16:15']],
    ['Australia/Lord_Howe', night, 'is over when 02:15 is skipped', '2026-10-03T12:00Z', ['open 12:30', 'shut 15:30']],
    ['Australia/Lord_Howe', gone, 'does not come', '2026-10-03T15:00Z', ['open 15:10 next', 'shut 15:20 next']],
    // autumn: 02:00 is 01:00 again, in Berlin 03:00 is 02:00, in Lord Howe 02:00 is 01:30
    ['America/New_York', early, 'goes on for an hour, but for the quarter before 01:15', '2026-11-01T04:00Z', ['open 05:15', 'shut 06:00', 'open 06:15', 'shut 08:15']],
    ['America/New_York', night, 'goes on for an hour more', '2026-11-01T02:00Z', ['open 03:00', 'shut 07:15']],
    ['America/New_York', short, 'comes twice', '2026-11-01T05:00Z', ['open 05:40', 'shut 05:50', 'open 06:40', 'shut 06:50']],
    ['Europe/Berlin', early, 'goes on for an hour more', '2026-10-24T22:30Z', ['open 23:15', 'shut 02:15 next']],
    ['Europe/Berlin', gone, 'comes twice', '2026-10-24T23:30Z', ['open 00:10 next', 'shut 00:20 next', 'open 01:10 next', 'shut 01:20 next']],
    ['Australia/Lord_Howe', early, 'goes on for half an hour more', '2026-04-04T14:00Z', ['open 14:15', 'shut 16:45']],
    ['Australia/Lord_Howe', short, 'comes twice', '2026-04-04T14:30Z', ['open 14:40', 'shut 14:50', 'open 15:10', 'shut 15:20']],
  ];

  it.each(cases.map(([timezone, document, what, from, expected]) => [timezone, document.name, what, document, from, expected] as const))('in %s “%s” %s', (timezone, _name, _what, document, from, expected) => {
    const schedule = read(document, timezone);
    let instant = Date.parse(from);
    const seen = expected.map(() => {
      instant = nextChange(schedule, instant) ?? Number.NaN;
      const time = new Date(instant).toISOString();
      return `${at(schedule, instant).open ? 'open' : 'shut'} ${time.slice(11, 16)}${time.slice(0, 10) === from.slice(0, 10) ? '' : ' next'}`;
    });
    expect(seen).toEqual(expected);
  });

  it.each([
    ['America/New_York', '2026-03-08T06:59:59.999Z', '2026-03-08 01:59 sun'], ['America/New_York', '2026-03-08T07:00Z', '2026-03-08 03:00 sun'],
    ['America/New_York', '2026-11-01T05:59Z', '2026-11-01 01:59 sun'], ['America/New_York', '2026-11-01T06:00Z', '2026-11-01 01:00 sun'],
    ['Europe/Berlin', '2026-03-29T00:59Z', '2026-03-29 01:59 sun'], ['Europe/Berlin', '2026-03-29T01:00Z', '2026-03-29 03:00 sun'],
    ['Europe/Berlin', '2026-10-25T00:59Z', '2026-10-25 02:59 sun'], ['Europe/Berlin', '2026-10-25T01:00Z', '2026-10-25 02:00 sun'],
    ['Australia/Lord_Howe', '2026-10-03T15:29Z', '2026-10-04 01:59 sun'], ['Australia/Lord_Howe', '2026-10-03T15:30Z', '2026-10-04 02:30 sun'],
    ['Australia/Lord_Howe', '2026-04-04T14:59Z', '2026-04-05 01:59 sun'], ['Australia/Lord_Howe', '2026-04-04T15:00Z', '2026-04-05 01:30 sun'],
    ['Pacific/Apia', '2011-12-30T09:59Z', '2011-12-29 23:59 thu'], ['Pacific/Apia', '2011-12-30T10:00Z', '2011-12-31 00:00 sat'],
  ])('in %s it is at %s the time %s', (timezone, instant, said) => {
    const { date, minutes, weekday } = localTime(timezone, Date.parse(instant));
    expect(`${date} ${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')} ${weekday}`).toBe(said);
  });
});

function once<A extends readonly unknown[], R>(work: (...given: A) => R): (...given: A) => R {
  const known = new Map<string, R>();
  return (...given) => {
    const key = given.join(' ');
    const result = known.get(key) ?? work(...given);
    known.set(key, result);
    return result;
  };
}

/** The same answer by reading the document anew for each minute, with dates and times as text. */
function slowly(document: Written, timezone: string): (instant: number) => boolean {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone: timezone, dateStyle: 'short', timeStyle: 'short' });
  const moved = once((date: string, days: number): string => {
    const day = new Date(`${date}T12:00:00Z`);
    day.setUTCDate(day.getUTCDate() + days);
    return day.toJSON().slice(0, 10);
  });
  const covers = (date: string, { from, to }: { readonly from: string; readonly to: string }, now: string): boolean =>
    `${date} ${from}` <= now && now < (to === '24:00' ? `${moved(date, 1)} 00:00` : `${to < from ? moved(date, 1) : date} ${to}`);
  const named = once((date: string) => new Date(`${date}T12:00:00Z`).toLocaleDateString('en-US', { weekday: 'short', timeZone: 'UTC' }).toLowerCase() as (typeof weekdays)[number]);
  return (instant) => {
    const now = format.format(instant);
    const today = now.slice(0, 10);
    const both = [today, moved(today, -1)];
    return both.some((date) => {
      const closed = (document.closures ?? []).find(({ from, to }) => from <= date && date <= (to ?? from));
      if (closed !== undefined) return (closed.spans ?? []).some((span) => covers(date, span, now));
      const resting = both.some((one) => (document.breaks ?? []).some((pause) => pause.days.includes(named(one)) && covers(one, pause, now)));
      return !resting && document.week.some((span) => span.days.includes(named(date)) && covers(date, span, now));
    });
  };
}

describe('However it is written', () => {
  const zones = ['America/New_York', 'Europe/Berlin', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'Pacific/Chatham', 'America/Havana'] as const;
  const clock = fc.tuple(fc.integer({ min: 0, max: 23 }), fc.constantFrom(0, 5, 10, 15, 30, 59)).map(([h, m]) => `${String(h).padStart(2, '0')}:${String(m).padStart(2, '0')}`);
  const small = fc.constantFrom('00:00', '00:30', '01:00', '01:30', '01:45', '02:00', '02:15', '02:45', '03:00', '23:00', '23:30');
  const times = fc.tuple(fc.oneof(clock, small), fc.oneof(clock, small, fc.constant('24:00'))).filter(([from, to]) => from !== to).map(([from, to]) => ({ from, to }));
  const someDays = fc.subarray([...weekdays], { minLength: 1 });
  // as the document takes them: the day before one of these nights or sundays is a change of clocks somewhere
  const changes = ['2026-03-08', '2026-03-29', '2026-04-05', '2026-09-27', '2026-10-04', '2026-10-25', '2026-11-01'];
  const date = fc.tuple(fc.constantFrom(...changes), fc.integer({ min: -2, max: 1 })).map(([day, by]) => new Date(Date.parse(`${day}T00:00Z`) + by * 1440 * minute).toISOString().slice(0, 10));
  const document: fc.Arbitrary<Written> = fc.record({
    name: fc.constant('Any'),
    week: fc.array(fc.tuple(someDays, times).map(([days, span]) => ({ days, ...span })), { maxLength: 3 }),
    breaks: fc.array(fc.tuple(someDays, times).map(([days, span]) => ({ days, ...span })), { maxLength: 2 }),
    closures: fc.array(fc.tuple(date, fc.array(times, { minLength: 1, maxLength: 1 })).map(([from, spans]) => ({ name: 'C', from, spans })), { maxLength: 1 }),
  }).filter((written) => parseDocument('schedule', written).ok);
  const instant = fc.tuple(fc.constantFrom(...changes), fc.integer({ min: -2 * 1440 * 60_000, max: 2 * 1440 * 60_000 })).map(([day, by]) => Date.parse(`${day}T12:00Z`) + by);

  it('an instant is open when a reading by the minute says so', () => {
    let [open, shut] = [0, 0];
    fc.assert(fc.property(document, fc.constantFrom(...zones), fc.array(instant, { minLength: 20, maxLength: 20 }), (written, timezone, instants) => {
      const [schedule, slow] = [read(written, timezone), slowly(written, timezone)];
      for (const one of instants) {
        const expected = slow(one);
        if (expected) open += 1;
        else shut += 1;
        expect([timezone, new Date(one).toISOString(), at(schedule, one).open]).toEqual([timezone, new Date(one).toISOString(), expected]);
      }
    }), { numRuns: 1500 });
    expect(Math.min(open, shut)).toBeGreaterThan(3000);
  });

  it('the next change is the first instant at which the answer is another', () => {
    let found = 0;
    fc.assert(fc.property(document, fc.constantFrom(...zones), instant, (written, timezone, from) => {
      const [schedule, slow] = [read(written, timezone), slowly(written, timezone)];
      const now = slow(from);
      const whole = Math.ceil((from + 1) / minute) * minute;
      const minutes = Array.from({ length: 1600 }, (_, i) => whole + i * minute);
      const first = minutes.find((one) => slow(one) !== now);
      const said = nextChange(schedule, from);
      if (first !== undefined) found += 1;
      expect(said === undefined || said > (minutes.at(-1) ?? 0) ? undefined : said).toBe(first);
    }), { numRuns: 150, examples: [[{ name: 'A break until after midnight', week: [{ days: ['sun'], from: '04:00', to: '03:00' }], breaks: [{ days: ['sun'], from: '03:00', to: '02:45' }] }, 'America/New_York', 1_772_971_200_000]] });
    // some seventy are expected
    expect(found).toBeGreaterThan(20);
  });
});

describe('The next change', () => {
  it('is looked for over a year, and over closures', () => {
    const closed = read({ ...office, closures: [{ name: 'Rebuilding', from: '2026-11-20', to: '2027-06-30' }] });
    expect(new Date(nextChange(closed, Date.parse('2026-11-20T12:00Z')) ?? 0).toISOString()).toBe('2027-07-01T12:00:00.000Z');
    expect(nextChange(read({ name: 'Never', week: [] }), Date.parse('2026-11-20T12:00Z'))).toBeUndefined();
    expect(nextChange(read({ name: 'Always', week: [{ days: everyDay, from: '00:00', to: '24:00' }] }), Date.parse('2026-11-20T12:00Z'))).toBeUndefined();
  });

  it('an appointment is made for now while it is open, or else for when it opens', () => {
    const now = Date.parse('2026-11-20T12:00:30Z');
    expect(nextOpening(read(office), now + 3600_000)).toBe(now + 3600_000);
    expect(nextOpening(read(office), now)).toBe(Date.parse('2026-11-20T13:00:00Z'));
  });
});

it('holidays are laid out anew within an hour of a new year', () => {
  vi.useFakeTimers({ now: Date.parse('2026-12-31T12:30Z') });
  try {
    let turned = 0;
    const stop = onNewYear(() => { turned += 1; });
    vi.advanceTimersByTime(11 * 60 * minute);
    expect(turned).toBe(0);
    vi.advanceTimersByTime(60 * minute);
    expect(turned).toBe(1);
    vi.advanceTimersByTime(48 * 60 * minute);
    expect(turned).toBe(1);
    stop();
    vi.advanceTimersByTime(400 * 24 * 60 * minute);
    expect(turned).toBe(1);
  } finally {
    vi.useRealTimers();
  }
});

describe('A schedule is refused', () => {
  const monday = { days: ['mon'], from: '08:00', to: '12:00' };

  it.each<readonly [string, Partial<Record<keyof Written, unknown>>, unknown]>([
    ['whose hours overlap', { week: [monday, { days: ['sun', 'mon'], from: '11:00', to: '13:00' }] }, 'week[1]: Monday 11:00 to 13:00 overlaps Monday 08:00 to 12:00 of week[0]. Change or remove one of them.'],
    ['whose night goes on into the hours of the day after', { week: [{ days: ['mon'], from: '05:00', to: '09:00' }, { days: ['sun'], from: '22:00', to: '06:00' }] }, 'week[1]: Sunday 22:00 to 06:00 overlaps Monday 05:00 to 09:00 of week[0]. Change or remove one of them.'],
    ['whose breaks overlap', { breaks: [{ days: ['mon'], from: '09:00', to: '10:00' }, { days: ['mon'], from: '09:30', to: '11:00' }] }, 'breaks[1]: Monday 09:30 to 11:00 overlaps Monday 09:00 to 10:00 of breaks[0]. Change or remove one of them.'],
    ['with a break in no open hours', { breaks: [{ days: ['sat'], from: '09:00', to: '10:00' }] }, 'breaks[0]: is in no open hours. Correct its days or times, or remove it.'],
    ['in a time zone that there is not', { timezone: 'America/Nowhere' }, 'timezone: is not a time zone. Use an IANA name such as America/Chicago.'],
    ['with hours of no length', { week: [{ days: ['mon'], from: '08:00', to: '08:00' }] }, 'week[0]: begins when it ends. Write 00:00 to 24:00 for a whole day.'],
    ['with a time that is none', { week: [{ days: ['mon'], from: '24:00', to: '03:00' }] }, 'week[0].from: is not a time of day. Write it as 08:30, from 00:00 to 23:59.'],
    ['with a day that is none', { week: [{ days: ['monday'], from: '08:00', to: '09:00' }] }, 'week[0].days[0]: must be one of: mon, tue, wed, thu, fri, sat, sun.'],
    ['with a day twice', { week: [{ days: ['mon', 'mon'], from: '08:00', to: '09:00' }] }, 'week[0].days: names a day twice. Name each once.'],
    ['with a date that is none', { closures: [{ name: 'X', from: '2026-02-30' }] }, 'closures[0].from: is not in the calendar. Correct the day or the month.'],
    ['with a closure that ends before it begins', { closures: [{ name: 'X', from: '2026-12-26', to: '2026-12-24' }] }, 'closures[0].to: is before 2026-12-26. Correct one of the two.'],
    ['with a closure of years', { closures: [{ name: 'X', from: '2026-12-26', to: '2028-12-24' }] }, 'closures[0].to: makes it longer than 366 days. Change the week instead.'],
    ['with two closures of one day', { closures: [{ name: 'X', from: '2026-12-24', to: '2026-12-26' }, { name: 'Y', from: '2026-12-26' }] }, 'closures[1]: “Y” has days of “X” in closures[0]. Give each day to one of them.'],
    ['with a closure whose hours overlap', { closures: [{ name: 'X', from: '2026-12-24', spans: [{ from: '08:00', to: '10:00' }, { from: '09:00', to: '11:00' }] }] }, 'closures[0].spans[1]: 09:00 to 11:00 overlaps 08:00 to 10:00. Change or remove one of them.'],
    ['of a country whose holidays are not known', { holidays: { country: 'XX' } }, 'holidays.country: the holidays of XX are not known. Give another country, or write its holidays as closures.'],
    ['of a region that there is not', { holidays: { country: 'CH', region: 'XX' } }, expect.stringMatching(/^holidays\.region: CH has no region XX\. Known: AG, AI, .*ZH\.$/)],
    ['of a region of a country that has none', { holidays: { country: 'JP', region: 'XX' } }, 'holidays.region: JP has no regions with holidays of their own. Leave it out.'],
    ['with an exception that is no holiday', us(['Columbus Dy']), 'holidays.except[0]: “Columbus Dy” is no public holiday of US. Did you mean “Columbus Day”?'],
    ['with an exception on a date that is no holiday', us(['2026-11-12']), 'holidays.except[0]: “2026-11-12” is no public holiday of US. Correct the date, or write it as a closure with hours.'],
    ['with an exception that has a name and a date', us([{ name: 'Columbus Day', date: '2026-10-12', spans: [{ from: '08:00', to: '09:00' }] }]), 'holidays.except[0]: must have a name or a date, and not both. Write one of them.'],
    ['with a field that is not known', { hours: [] } as never, 'hours: is not a known field. Remove it, or correct its name.'],
  ])('%s', (_, change, problem) => {
    expect(refused(change)).toEqual([problem]);
  });

  it('but not for hours that touch, or a closure’s night before a day of its own', () => {
    expect(refused({ week: [monday, { days: ['mon'], from: '12:00', to: '24:00' }, { days: ['tue'], from: '00:00', to: '08:00' }] })).toEqual([]);
    expect(refused({ closures: [{ name: 'X', from: '2026-12-24', spans: [{ from: '22:00', to: '06:00' }] }, { name: 'Y', from: '2026-12-25' }] })).toEqual([]);
  });
});
