/** Q7: how well a queue's callers were served, by intervals of the past, from the records of their calls. */
import { z } from 'zod';
import { id as idField } from '../../configuration/fields.ts';
import type { ConfigObject } from '../../configuration/objects.ts';
import { allSentOn, countVisits, levelsOf, noLevels, type Interval, type ServiceFigures, type ServiceLevels } from '../../core/cdr/service-levels.ts';
import { hour, minute, second, type EpochMs, type Ms } from '../../core/time.ts';
import { intervalLengths, intervalsOf, type IntervalLength } from '../../hours/intervals.ts';
import { offsetMs } from '../../hours/local-time.ts';
import type { CdrStore } from '../../store/ports.ts';
import { timeQuery } from '../answers.ts';
import type { ApiDeps } from '../ports.ts';
import { HttpProblem, notFound } from '../problem.ts';
import { route, type Route } from '../route.ts';

const day: Ms = 24 * hour;
/** What can be asked for at once: a week, a month, a quarter of a year, and some more. */
const longest: Readonly<Record<IntervalLength, { readonly ms: Ms; readonly words: string }>> = { 'quarter-hour': { ms: 8 * day, words: '8 days' }, hour: { ms: 32 * day, words: '32 days' }, day: { ms: 93 * day, words: '93 days' } };
/** Calls go on between one page and the next. */
const visitsAtOnce = 500;

const n = z.int();
const at = n.meta({ description: 'Epoch ms.' });
const share = z.number().nullable();
const average = z.number().nullable();
const agentSchema = z.strictObject({
  agent: z.string().meta({ description: 'Id of the user.' }), offered: n.meta({ description: 'Offers of these callers, whatever became of them.' }), answered: n, answeredInTime: n, rejected: n.meta({ description: 'Declined, or busy.' }),
  missed: n.meta({ description: 'Rang its time, or the phones could not be reached.' }), averageWaitMs: average.meta({ description: 'Of those whom the agent answered.' }), longestWaitMs: n,
}).meta({ id: 'AgentService' });
const figures = {
  entered: n.meta({ description: 'answered + abandoned + sentOn + lost.' }), refused: n.meta({ description: 'Not let in: full, or nobody there. In nothing else here.' }),
  answered: n, answeredInTime: n.meta({ description: 'Both connected within the threshold of the join.' }),
  abandoned: n.meta({ description: 'Hung up while they waited; also who came back into the place within a minute.' }), abandonedInTime: n.meta({ description: 'Of the abandoned: within the threshold.' }), abandonedShort: n.meta({ description: 'Of the abandoned: before `shortSeconds`.' }),
  sentOn: n, sentOnBy: z.strictObject({ exitKey: n, callback: n.meta({ description: 'Hung up to be called back; the call that reached them is counted as any other.' }), maxWait: n, empty: n.meta({ description: 'Nobody was there any more.' }), full: n, closed: n.meta({ description: 'The queue was deleted.' }) }),
  lost: n.meta({ description: 'How it ended was not seen, as after a crash of everything: in no share and no wait.' }),
  averageWaitMs: average.meta({ description: 'Of the answered.' }), longestWaitMs: n.meta({ description: 'Of all who entered.' }),
  serviceLevel: share.meta({ description: 'answeredInTime ÷ (answered + abandoned + sentOn). From 0 to 1; null where there is nobody to count.' }),
  serviceLevelOfAnswered: share.meta({ description: 'answeredInTime ÷ answered: Asterisk’s ServicelevelPerf.' }),
  serviceLevelWithAbandons: share.meta({ description: '(answeredInTime + abandonedInTime) ÷ (answered + abandoned): Asterisk’s ServicelevelPerf2.' }),
};
const intervalSchema = z.strictObject({ from: at, to: at.meta({ description: 'Epoch ms: not in it any more.' }), ...figures, agents: z.array(agentSchema) }).meta({ id: 'ServiceInterval' });
const answer = z.strictObject({ queue: z.string(), account: z.string(), timezone: z.string(), serviceLevelMs: n, shortMs: n, items: z.array(intervalSchema), total: intervalSchema }).meta({ id: 'ServiceLevels' });

const seconds = (least: number, most: number) => z.coerce.number(`must be a whole number of seconds from ${least} to ${most}`).int(`must be a whole number of seconds from ${least} to ${most}`).min(least, `must be a whole number of seconds from ${least} to ${most}`).max(most, `must be a whole number of seconds from ${least} to ${most}`);
const query = z.strictObject({
  from: timeQuery.meta({ description: 'Epoch ms, in the first interval; a day before `to` where it is absent.' }), to: timeQuery.meta({ description: 'Epoch ms: the last interval has what is before it; now where it is absent.' }),
  interval: z.enum(intervalLengths, `must be one of: ${intervalLengths.join(', ')}`).default('hour').meta({ description: 'By the clock of the account’s time zone: the day that clocks are put forward has 23 hours, and an hour that comes twice is two.' }),
  serviceLevelSeconds: seconds(1, 3600).optional().meta({ description: 'Answered within this is answered in time; the queue’s own, as it is now, where it is absent.' }),
  shortSeconds: seconds(0, 60).default(5).meta({ description: 'Who hangs up sooner has hardly waited.' }),
});
type Query = z.output<typeof query>;

interface Found extends ServiceLevels {
  readonly intervals: readonly Interval[];
  readonly timezone: string;
  readonly serviceLevelMs: Ms;
  readonly shortMs: Ms;
}

export function serviceLevelRoutes({ configuration, cdrs, now }: Pick<ApiDeps, 'configuration' | 'cdrs' | 'now'>): readonly Route[] {
  const path = '/accounts/{account}/queues/{id}/service-levels';
  const common = { method: 'get', tag: 'Agents', role: 'read-only', scope: 'account', status: 200, params: z.strictObject({ account: idField, id: idField }), query } as const;

  const find = async (account: string, queue: ConfigObject<'queue'>, asked: Query): Promise<Found> => {
    const timezone = configuration.get({ account, kind: 'account', id: account })?.body.timezone;
    if (timezone === undefined) throw notFound();
    const to = asked.to ?? now();
    const from = asked.from ?? Math.max(0, to - day);
    if (to <= from) throw wrong('to', 'must be after `from`.');
    const { ms, words } = longest[asked.interval];
    if (to - from > ms) throw wrong('from', `may be ${words} before \`to\` with the interval ${asked.interval}. Ask for less at once${asked.interval === 'day' ? '' : ', or for longer intervals'}.`);
    const intervals = intervalsOf(asked.interval, timezone, from, to);
    const rule = { inTimeMs: (asked.serviceLevelSeconds ?? queue.body.serviceLevelSeconds) * second, shortMs: asked.shortSeconds * second };
    let levels = noLevels(intervals);
    for await (const visits of pagesOf(cdrs, { account, queue: queue.id, from: intervals[0]?.from ?? from, to: intervals.at(-1)?.to ?? to })) levels = countVisits(levels, intervals, visits, rule);
    return { ...levels, intervals, timezone, serviceLevelMs: rule.inTimeMs, shortMs: rule.shortMs };
  };
  const queueOf = (account: string, id: string): ConfigObject<'queue'> => {
    const queue = configuration.get({ account, kind: 'queue', id });
    if (queue === undefined) throw notFound();
    return queue;
  };

  return [
    route({
      ...common, path, summary: 'Get a queue’s service levels by intervals',
      description: 'Of the callers who joined within each interval: how long they waited and what became of them, from the records of their calls. A call counts once it is over and its record is in the database, so the last hours may still change; who waits or talks now is in the live queue. A caller who waited in several queues counts in each. Records that are no longer kept are not counted.',
      answer: { json: answer },
      handle: async ({ params: { account, id }, query: asked }) => {
        const { each, total, intervals, timezone, serviceLevelMs, shortMs } = await find(account, queueOf(account, id), asked);
        const whole = { from: intervals[0]?.from ?? 0, to: intervals.at(-1)?.to ?? 0 };
        const items = intervals.flatMap((interval, i) => (each[i] === undefined ? [] : [shownOf(interval, each[i])]));
        return { status: 200, body: { queue: id, account, timezone, serviceLevelMs, shortMs, items, total: shownOf(whole, total) } };
      },
    }),
    route({
      ...common, path: `${path}/export`, summary: 'Export a queue’s service levels',
      description: 'The same as CSV, a line for each interval; without agents.', answer: { types: ['text/csv'] },
      handle: async ({ params: { account, id }, query: asked }) => {
        const { each, intervals, timezone } = await find(account, queueOf(account, id), asked);
        const lines = [columns.map(([name]) => name), ...intervals.flatMap((interval, i) => {
          const service = each[i];
          return service === undefined ? [] : [columns.map(([, valueOf]) => valueOf(shownOf(interval, service), timezone) ?? '')];
        })];
        return {
          send: (_request, response) => {
            response.set({ 'content-type': 'text/csv; charset=utf-8; header=present', 'content-disposition': `attachment; filename="service-levels-${account}-${id}.csv"` });
            response.send(Buffer.from(lines.map((line) => `${line.join(',')}\r\n`).join('')));
            return Promise.resolve();
          },
        };
      },
    }),
  ];
}

type Shown = z.output<typeof intervalSchema>;

const columns: readonly (readonly [string, (shown: Shown, timezone: string) => string | number | null])[] = [
  ['from', ({ from }, timezone) => wallClock(from, timezone)], ['to', ({ to }, timezone) => wallClock(to, timezone)],
  ...(['entered', 'refused', 'answered', 'answeredInTime', 'abandoned', 'abandonedInTime', 'abandonedShort', 'sentOn'] as const).map((name) => [name, (shown: Shown) => shown[name]] as const),
  ...(['exitKey', 'callback', 'maxWait', 'empty', 'full', 'closed'] as const).map((name) => [`sentOn.${name}`, ({ sentOnBy }: Shown) => sentOnBy[name]] as const),
  ...(['lost', 'averageWaitMs', 'longestWaitMs', 'serviceLevel', 'serviceLevelOfAnswered', 'serviceLevelWithAbandons'] as const).map((name) => [name, (shown: Shown) => shown[name]] as const),
];

const two = (part: number): string => String(Math.floor(part)).padStart(2, '0');

/** `2026-11-22T08:00-05:00`. */
function wallClock(instant: EpochMs, timezone: string): string {
  const offset = offsetMs(timezone, instant);
  const ahead = Math.abs(offset) / minute;
  return `${new Date(instant + offset).toISOString().slice(0, 16)}${offset < 0 ? '-' : '+'}${two(ahead / 60)}:${two(ahead % 60)}`;
}

function shownOf({ from, to }: Interval, service: ServiceFigures): Shown {
  const { entered, refused, answered, answeredInTime, abandoned, abandonedInTime, abandonedShort, sentOn, lost, waitedMs, longestWaitMs } = service;
  return {
    from, to, entered, refused, answered, answeredInTime, abandoned, abandonedInTime, abandonedShort,
    sentOn: allSentOn(sentOn), sentOnBy: { exitKey: sentOn['exit-key'] ?? 0, callback: sentOn.callback ?? 0, maxWait: sentOn['max-wait'] ?? 0, empty: sentOn.empty ?? 0, full: sentOn.full ?? 0, closed: sentOn.closed ?? 0 },
    lost, averageWaitMs: answered === 0 ? null : waitedMs / answered, longestWaitMs, ...levelsOf(service),
    agents: Object.entries(service.agents).map(([agent, one]) => ({
      agent, offered: one.offered, answered: one.answered, answeredInTime: one.answeredInTime, rejected: one.rejected, missed: one.missed, averageWaitMs: one.answered === 0 ? null : one.waitedMs / one.answered, longestWaitMs: one.longestWaitMs,
    })),
  };
}

async function* pagesOf(cdrs: Pick<CdrStore, 'queueVisits'>, filter: Parameters<CdrStore['queueVisits']>[0]): AsyncGenerator<Awaited<ReturnType<CdrStore['queueVisits']>>['items']> {
  for (let cursor: { readonly cursor?: string } = {}; ;) {
    const { items, next } = await cdrs.queueVisits(filter, { ...cursor, limit: visitsAtOnce });
    yield items;
    if (next === null) return;
    cursor = { cursor: next };
  }
}

function wrong(field: string, message: string): HttpProblem {
  return new HttpProblem(400, 'The query cannot be accepted.', { problems: [{ path: field, message }] });
}
