/**
 * How well the callers of a queue were served, folded from the records of their calls (Q7): of those who joined within
 * an interval, whenever their wait was over. Of a desk as it is, figures are in core/queue/figures.ts; these outlive it.
 *
 * Everybody whose wait is over:    answered + abandoned + sent on
 * Service level:                   answered in time ÷ everybody whose wait is over
 * Service level of the answered:   answered in time ÷ answered
 * Service level with the abandons: (answered in time + abandoned in time) ÷ (answered + abandoned)
 *
 * The last two are Asterisk's: ServicelevelPerf and ServicelevelPerf2 of app_queue. In time is within the threshold from
 * the join to both being connected, or to the hang-up. Who was not let in is counted apart; so is who was lost sight of.
 */
import type { QueueLeaveWhy } from '../call/facts.ts';
import type { AgentId } from '../queue/config.ts';
import type { EpochMs, Ms } from '../time.ts';
import type { CdrQueueVisit } from './cdr.ts';

/** Which figures a visit is counted in, and how. */
export interface ServiceRule {
  readonly inTimeMs: Ms;
  /** Who hangs up within this has hardly waited. */
  readonly shortMs: Ms;
}

/** By what the caller was sent on. */
type SentOnBy = Exclude<QueueLeaveWhy, 'connected' | 'abandoned' | 'lost'>;

export interface ServiceFigures {
  /** All below but `refused`. */
  readonly entered: number;
  readonly refused: number;
  readonly answered: number;
  readonly answeredInTime: number;
  readonly abandoned: number;
  readonly abandonedInTime: number;
  readonly abandonedShort: number;
  readonly sentOn: Readonly<Partial<Record<SentOnBy, number>>>;
  /** How it ended was not seen. */
  readonly lost: number;
  /** Of the answered. */
  readonly waitedMs: Ms;
  /** Of all who entered and were not lost. */
  readonly longestWaitMs: Ms;
  readonly agents: Readonly<Record<AgentId, AgentService>>;
}

/** Of the callers that are counted: what was offered to an agent, and what became of it. */
export interface AgentService {
  readonly offered: number;
  /** The two talked. */
  readonly answered: number;
  readonly answeredInTime: number;
  /** How long those had waited in all, and the longest. */
  readonly waitedMs: Ms;
  readonly longestWaitMs: Ms;
  readonly rejected: number;
  /** It rang its time, or the phones could not be reached. */
  readonly missed: number;
}

export const noService: ServiceFigures = {
  entered: 0, refused: 0, answered: 0, answeredInTime: 0, abandoned: 0, abandonedInTime: 0, abandonedShort: 0,
  sentOn: {}, lost: 0, waitedMs: 0, longestWaitMs: 0, agents: {},
};

const noAgentService: AgentService = { offered: 0, answered: 0, answeredInTime: 0, waitedMs: 0, longestWaitMs: 0, rejected: 0, missed: 0 };

/** Of a call in several queues, or in one several times, each visit is counted. */
export function countVisit(figures: ServiceFigures, visit: CdrQueueVisit, rule: ServiceRule): ServiceFigures {
  const { joinedAt, leftAt, outcome, refused } = visit;
  if (refused === true) return { ...figures, refused: figures.refused + 1 };
  const entered = { ...figures, entered: figures.entered + 1, agents: countOffers(figures.agents, visit, rule) };
  if (outcome === null || outcome === 'lost' || leftAt === null) return { ...entered, lost: figures.lost + 1 };
  const waitedMs = Math.max(0, leftAt - joinedAt);
  const over = { ...entered, longestWaitMs: Math.max(figures.longestWaitMs, waitedMs) };
  const inTime = waitedMs <= rule.inTimeMs ? 1 : 0;
  if (outcome === 'connected') return { ...over, answered: figures.answered + 1, answeredInTime: figures.answeredInTime + inTime, waitedMs: figures.waitedMs + waitedMs };
  if (outcome === 'abandoned') return { ...over, abandoned: figures.abandoned + 1, abandonedInTime: figures.abandonedInTime + inTime, abandonedShort: figures.abandonedShort + (waitedMs < rule.shortMs ? 1 : 0) };
  return { ...over, sentOn: { ...figures.sentOn, [outcome]: (figures.sentOn[outcome] ?? 0) + 1 } };
}

function countOffers(agents: ServiceFigures['agents'], { joinedAt, leftAt, outcome, agent, offers }: CdrQueueVisit, rule: ServiceRule): ServiceFigures['agents'] {
  const counted: Record<AgentId, AgentService> = { ...agents };
  const of = (id: AgentId): AgentService => counted[id] ?? noAgentService;
  for (const offer of offers) {
    const one = of(offer.agent);
    const isMissed = offer.outcome === 'timed-out' || offer.why === 'unreachable';
    counted[offer.agent] = { ...one, offered: one.offered + 1, missed: one.missed + (isMissed ? 1 : 0), rejected: one.rejected + (offer.outcome === 'rejected' && !isMissed ? 1 : 0) };
  }
  if (outcome !== 'connected' || agent === null || leftAt === null) return counted;
  const one = of(agent);
  const waitedMs = Math.max(0, leftAt - joinedAt);
  counted[agent] = { ...one, answered: one.answered + 1, answeredInTime: one.answeredInTime + (waitedMs <= rule.inTimeMs ? 1 : 0), waitedMs: one.waitedMs + waitedMs, longestWaitMs: Math.max(one.longestWaitMs, waitedMs) };
  return counted;
}

export interface Levels {
  readonly serviceLevel: number | null;
  readonly serviceLevelOfAnswered: number | null;
  readonly serviceLevelWithAbandons: number | null;
}

/** Each null where nobody is to be counted. */
export function levelsOf({ answered, answeredInTime, abandoned, abandonedInTime, sentOn }: ServiceFigures): Levels {
  return {
    serviceLevel: share(answeredInTime, answered + abandoned + allSentOn(sentOn)),
    serviceLevelOfAnswered: share(answeredInTime, answered),
    serviceLevelWithAbandons: share(answeredInTime + abandonedInTime, answered + abandoned),
  };
}

export function allSentOn(sentOn: ServiceFigures['sentOn']): number {
  return Object.values(sentOn).reduce((sum, n) => sum + n, 0);
}

function share(part: number, all: number): number | null {
  return all === 0 ? null : part / all;
}

/** From `from` until before `to`. */
export interface Interval {
  readonly from: EpochMs;
  readonly to: EpochMs;
}

export interface ServiceLevels {
  /** As the intervals are. */
  readonly each: readonly ServiceFigures[];
  /** Of all of them together. */
  readonly total: ServiceFigures;
}

export function noLevels(intervals: readonly Interval[]): ServiceLevels {
  return { each: intervals.map(() => noService), total: noService };
}

/** After further visits. The intervals follow each other without a gap; who joined in none of them is not counted. */
export function countVisits({ each, total }: ServiceLevels, intervals: readonly Interval[], visits: readonly CdrQueueVisit[], rule: ServiceRule): ServiceLevels {
  const counted = [...each];
  let sum = total;
  for (const visit of visits) {
    const index = intervalOf(intervals, visit.joinedAt);
    const figures = counted[index];
    if (figures === undefined) continue;
    counted[index] = countVisit(figures, visit, rule);
    sum = countVisit(sum, visit, rule);
  }
  return { each: counted, total: sum };
}

/** -1 where there is none. */
function intervalOf(intervals: readonly Interval[], at: EpochMs): number {
  let [low, high] = [0, intervals.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const interval = intervals[middle];
    if (interval === undefined) return -1;
    if (at < interval.from) high = middle - 1;
    else if (at >= interval.to) low = middle + 1;
    else return middle;
  }
  return -1;
}
