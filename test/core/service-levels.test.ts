import * as fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import type { CdrQueueVisit } from '../../control-plane/core/cdr/cdr.ts';
import { allSentOn, countVisit, countVisits, levelsOf, noLevels, noService, type Interval, type ServiceFigures } from '../../control-plane/core/cdr/service-levels.ts';
import { intervalLengths, intervalsOf } from '../../control-plane/hours/intervals.ts';

const rule = { inTimeMs: 20_000, shortMs: 5000 };
const visit = (over: Partial<CdrQueueVisit> = {}): CdrQueueVisit => ({ queue: 'desk', joinedAt: 0, leftAt: 10_000, outcome: 'connected', agent: 'mara', offers: [], ...over });
const offer = (agent: string, outcome: CdrQueueVisit['offers'][number]['outcome'], why = ''): CdrQueueVisit['offers'][number] => ({ offerId: 'c--o1.1', agent, at: 0, endedAt: 1, outcome, why });

const day = (...visits: readonly CdrQueueVisit[]): ServiceFigures => visits.reduce((figures, one) => countVisit(figures, one, rule), noService);

describe('A service level', () => {
  it('is the share of those answered in time: of all whose wait is over, of the answered, and with those who hung up in time', () => {
    const figures = day(
      visit(), visit({ leftAt: 20_000 }), visit({ leftAt: 20_001 }), visit({ leftAt: 90_000 }),
      visit({ outcome: 'abandoned', agent: null, leftAt: 4999 }), visit({ outcome: 'abandoned', agent: null, leftAt: 60_000 }), visit({ outcome: 'max-wait', agent: null, leftAt: 600_000 }), visit({ outcome: 'exit-key', agent: null }),
    );
    expect(levelsOf(figures)).toEqual({ serviceLevel: 2 / 8, serviceLevelOfAnswered: 2 / 4, serviceLevelWithAbandons: 3 / 6 });
    expect(figures).toMatchObject({ entered: 8, answered: 4, answeredInTime: 2, abandoned: 2, abandonedInTime: 1, abandonedShort: 1, sentOn: { 'max-wait': 1, 'exit-key': 1 }, waitedMs: 140_001, longestWaitMs: 600_000 });
  });

  it('is not known where nobody is to be counted', () => {
    expect(levelsOf(day(visit({ outcome: 'full', agent: null, refused: true }), visit({ outcome: 'lost', agent: null }), visit({ outcome: null, leftAt: null })))).toEqual({ serviceLevel: null, serviceLevelOfAnswered: null, serviceLevelWithAbandons: null });
  });

  it('does not suffer from who was not let in, and does from who waited until nobody was there any more', () => {
    const figures = day(visit(), visit({ outcome: 'empty', agent: null, refused: true }), visit({ outcome: 'empty', agent: null }));
    expect([figures.entered, figures.refused, figures.sentOn.empty, levelsOf(figures).serviceLevel]).toEqual([2, 1, 1, 1 / 2]);
  });
});

test('of an agent it is counted what was offered, and what became of it', () => {
  const { agents } = countVisit(noService, visit({ leftAt: 30_000, agent: 'noor', offers: [offer('mara', 'timed-out'), offer('mara', 'rejected', 'unreachable'), offer('mara', 'rejected', 'busy'), offer('mara', 'rescinded'), offer('noor', 'accepted')] }), rule);
  expect(agents).toEqual({
    mara: { offered: 4, answered: 0, answeredInTime: 0, waitedMs: 0, longestWaitMs: 0, rejected: 1, missed: 2 },
    noor: { offered: 1, answered: 1, answeredInTime: 0, waitedMs: 30_000, longestWaitMs: 30_000, rejected: 0, missed: 0 },
  });
});

const zones = ['America/New_York', 'Europe/Berlin', 'Australia/Lord_Howe', 'Asia/Kolkata', 'America/Havana', 'Asia/Beirut', 'Pacific/Apia', 'UTC'] as const;
/** 2025 and 2026. */
const anInstant = fc.integer({ min: 1_735_689_600_000, max: 1_798_761_600_000 });
const anOutcome = fc.constantFrom('connected', 'abandoned', 'exit-key', 'full', 'empty', 'max-wait', 'closed', 'lost', null);
const anOffer = fc.record({ offerId: fc.constant('o'), agent: fc.constantFrom('mara', 'noor'), at: fc.constant(0), endedAt: fc.constant(null), outcome: fc.constantFrom('accepted', 'rejected', 'timed-out', 'canceled', 'rescinded', 'lost', null), why: fc.constantFrom('busy', 'unreachable', null) });

/** What a clock on the wall shows: which interval an instant is in. */
function wallOf(zone: string): (at: number) => Readonly<Record<(typeof intervalLengths)[number], string>> {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' });
  return (at) => {
    const shown = format.format(at);
    return { 'quarter-hour': `${shown.slice(0, 14)}${Math.floor(Number(shown.slice(14, 16)) / 15)}`, hour: shown.slice(0, 13), day: shown.slice(0, 10) };
  };
}

const quarter = 900_000;
const dayHours = (date: string): readonly number[] => intervalsOf('day', 'America/New_York', Date.parse(`${date}T12:00Z`), Date.parse(`${date}T12:00Z`) + 1).map(({ from, to }) => (to - from) / 3_600_000);
const wait = ({ joinedAt, leftAt }: CdrQueueVisit): number => (leftAt ?? joinedAt) - joinedAt;

describe('Intervals', () => {
  it.each(zones)('of %s follow each other without a gap, and are what the clock on the wall shows', (zone) => {
    const wall = wallOf(zone);
    fc.assert(fc.property(fc.constantFrom(...intervalLengths), anInstant, fc.integer({ min: 1, max: 4 * 86_400_000 }), (length, from, ms) => {
      const intervals = intervalsOf(length, zone, from, from + ms);
      const [first, last] = [intervals[0], intervals.at(-1)];
      expect(first !== undefined && last !== undefined && first.from <= from && from < first.to && last.from < from + ms && from + ms <= last.to).toBe(true);
      expect(intervals.slice(1).map((one) => one.from)).toEqual(intervals.slice(0, -1).map(({ to }) => to));
      for (const { from: start, to } of intervals) {
        const inIt = Array.from({ length: (to - start) / quarter }, (_, i) => wall(start + i * quarter)[length]);
        // An hour that comes twice is two where the clock is put back by an hour, and one where by less.
        expect([new Set(inIt).size, wall(start - 1)[length] === inIt[0] && wall(start - 1).hour !== wall(start).hour, wall(to)[length] === inIt[0] && length !== 'hour']).toEqual([1, false, false]);
      }
    }), { numRuns: 60 });
  });

  it('of a day on which clocks are put forward are 23 hours, and an hour that comes twice is two', () => {
    expect(['2026-03-08', '2026-11-01', '2026-06-01'].map(dayHours)).toEqual([[23], [25], [24]]);
    expect(intervalsOf('hour', 'America/New_York', Date.parse('2026-11-01T05:00Z'), Date.parse('2026-11-01T07:00Z'))).toHaveLength(2);
  });

  it('of no time are none', () => {
    expect(intervalsOf('day', 'UTC', 5, 5)).toEqual([]);
  });
});

test('the figures of intervals are what a look through all visits, once for each figure, finds', () => {
  const aVisit = fc.record({ joinedAt: fc.integer({ min: 0, max: 100_000 }), waits: fc.integer({ min: 0, max: 60_000 }), outcome: anOutcome, agent: fc.constantFrom('mara', 'noor'), offers: fc.array(anOffer, { maxLength: 3 }), refused: fc.boolean() });
  fc.assert(fc.property(fc.array(aVisit, { maxLength: 40 }), fc.uniqueArray(fc.integer({ min: 1, max: 110_000 }), { minLength: 2, maxLength: 8 }), fc.nat({ max: 40 }), (drawn, cuts, split) => {
    const visits = drawn.map(({ joinedAt, waits, outcome, agent, offers, refused }): CdrQueueVisit => ({
      queue: 'desk', joinedAt, leftAt: outcome === null ? null : joinedAt + waits, outcome, agent: outcome === 'connected' ? agent : null, offers, ...(refused && (outcome === 'full' || outcome === 'empty') ? { refused } : {}),
    }));
    const edges = cuts.toSorted((a, b) => a - b);
    const intervals = edges.slice(1).map((to, i): Interval => ({ from: edges[i] ?? 0, to }));
    const levels = countVisits(countVisits(noLevels(intervals), intervals, visits.slice(0, split), rule), intervals, visits.slice(split), rule);
    const whole = { from: edges[0] ?? 0, to: edges.at(-1) ?? 0 };
    for (const [interval, figures] of [...intervals.map((one, i) => [one, levels.each[i]] as const), [whole, levels.total] as const]) {
      const joined = visits.filter(({ joinedAt }) => joinedAt >= interval.from && joinedAt < interval.to);
      const entered = joined.filter(({ refused }) => refused !== true);
      const ended = (...outcomes: readonly (string | null)[]): readonly CdrQueueVisit[] => entered.filter(({ outcome }) => outcomes.includes(outcome));
      const inTime = (some: readonly CdrQueueVisit[]): number => some.filter((one) => wait(one) <= 20_000).length;
      const [answered, abandoned] = [ended('connected'), ended('abandoned')];
      expect(figures).toMatchObject({
        entered: entered.length, refused: joined.length - entered.length, answered: answered.length, answeredInTime: inTime(answered), abandoned: abandoned.length, abandonedInTime: inTime(abandoned), abandonedShort: abandoned.filter((one) => wait(one) < 5000).length,
        lost: ended('lost', null).length, waitedMs: answered.reduce((sum, one) => sum + wait(one), 0), longestWaitMs: Math.max(0, ...entered.filter(({ outcome }) => outcome !== 'lost' && outcome !== null).map(wait)),
      });
      for (const why of ['exit-key', 'max-wait', 'empty', 'full', 'closed'] as const) expect(figures?.sentOn[why] ?? 0).toBe(ended(why).length);
      expect(figures && answered.length + abandoned.length + allSentOn(figures.sentOn) + figures.lost).toBe(entered.length);
      for (const agent of ['mara', 'noor']) {
        const [own, theirs] = [entered.flatMap(({ offers }) => offers).filter((one) => one.agent === agent), answered.filter((one) => one.agent === agent)];
        const missed = own.filter(({ outcome, why }) => outcome === 'timed-out' || why === 'unreachable').length;
        const expected = { offered: own.length, answered: theirs.length, answeredInTime: inTime(theirs), waitedMs: theirs.reduce((sum, one) => sum + wait(one), 0), longestWaitMs: Math.max(0, ...theirs.map(wait)), missed, rejected: own.filter(({ outcome, why }) => outcome === 'rejected' && why !== 'unreachable').length };
        expect(figures?.agents[agent] ?? { offered: 0, answered: 0, answeredInTime: 0, waitedMs: 0, longestWaitMs: 0, missed: 0, rejected: 0 }).toEqual(expected);
      }
    }
  }), { numRuns: 300 });
});
