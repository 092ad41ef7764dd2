/**
 * A steady load for a long time: does anything grow? Two controllers share it. Of each hundred calls seventy are answered
 * and talk, fifteen leave a message, and fifteen give up while it rings.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Ms } from '../../control-plane/core/time.ts';
import { until } from '../support/until.ts';
import { numbers, settled, type Clinic } from './clinic.ts';
import { inspect, type Inspector } from './inspector.ts';
import { openFiles, residentBytes } from './process-use.ts';
import { fixed, tableOf } from './table.ts';

type Sample = Readonly<Record<string, number>>;

export interface Series {
  readonly name: string;
  readonly firstQuarter: number;
  readonly lastQuarter: number;
  /** Of the straight line through all samples. */
  readonly perHour: number;
  readonly grew: boolean;
}

export interface Soak {
  readonly minutes: number;
  readonly rate: number;
  readonly calls: number;
  readonly failed: number;
  readonly cdrs: number;
  readonly series: readonly Series[];
  readonly samples: readonly Sample[];
  readonly faults: readonly string[];
}

export interface SoakOptions {
  readonly minutes: number;
  readonly rate: number;
  readonly say: (line: string) => void;
}

const everyMs: Ms = 30_000;
/** Before the first sample: code is compiled, caches and pools are filled. */
const warmUpMs: Ms = 120_000;
const callMs: Ms = 5000;
/** What must grow, and until when: see store/redis/ownership.ts. */
const overKeys = 'Redis keys of calls that are over';
const megabyte = 1024 * 1024;

export async function soak(clinic: Clinic, { minutes, rate, say }: SoakOptions): Promise<Soak> {
  const folder = clinic.folder('soak');
  const side = Math.max(1, Math.round(rate * 0.15));
  const seconds = minutes * 60 + warmUpMs / 1000;
  const phones = await clinic.startPhones(folder);
  const place = (name: string, perSecond: number, to: string, role: 'caller' | 'caller-gives-up' = 'caller') =>
    clinic.startCalls({ folder: `${folder}/${name}`, role, to, talkMs: callMs, count: Math.round(perSecond * seconds), perSecond });
  const inspectors = await Promise.all(clinic.seats.map(({ process }) => inspect(process?.pid ?? 0, () => process?.output() ?? '')));
  const callers = await Promise.all([place('answered', rate - 2 * side, numbers.frontdesk), place('voicemail', side, numbers.voicemail), place('gives-up', side, numbers.unanswered, 'caller-gives-up')]);
  const samples: Sample[] = [];
  try {
    await delay(warmUpMs);
    const began = performance.now();
    for (let n = 0; performance.now() - began < minutes * 60_000; n += 1) {
      await delay(Math.max(0, began + n * everyMs - performance.now()));
      const sample = { 'time in minutes': (performance.now() - began) / 60_000, ...(await sampleOf(clinic, inspectors)) };
      samples.push(sample);
      say(Object.entries(sample).map(([name, value]) => `${name} ${fixed(value, 1)}`).join(', '));
    }
  } finally {
    for (const inspector of inspectors) inspector.close();
  }
  await Promise.all(callers.map(({ finished }) => finished));
  const placed = await Promise.all(callers.map((caller) => caller.end(1000)));
  const left = await settled(clinic, 20_000);
  await Promise.all([phones.rings.end(3000), phones.answers.end(3000)]);
  const calls = placed.reduce((sum, { counts }) => sum + counts.calls, 0);
  await until(() => clinic.cdrs().length >= calls, { describe: 'every call has a record', within: 10_000, everyMs: 500 }).catch(() => undefined);
  const cdrs = clinic.cdrs();
  const failed = placed.reduce((sum, { counts }) => sum + counts.failed, 0);
  const faults = [
    ...(failed === 0 ? [] : [`${failed} calls failed: ${placed.flatMap(({ errors }) => errors)[0] ?? ''}`]),
    ...(cdrs.length === calls ? [] : [`${cdrs.length} CDRs of ${calls} calls`]),
    ...(new Set(cdrs).size === cdrs.length ? [] : [`${cdrs.length - new Set(cdrs).size} calls have more than one CDR`]),
    ...(left.length === 0 ? [] : [`${left.length} things left, such as ${left[0]}`]),
  ];
  return { minutes, rate, calls, failed, cdrs: cdrs.length, samples, series: seriesOf(samples), faults: faults.map((fault) => `${minutes} minutes: ${fault}`) };
}

async function sampleOf({ seats, admin, switchPid, redisInfo, ask }: Clinic, inspectors: readonly Inspector[]): Promise<Sample> {
  const sample: Record<string, number> = {};
  for (const [index, { name, process }] of seats.entries()) {
    const inspector = inspectors[index];
    if (process === null || inspector === undefined) continue;
    sample[`heap of ${name}, MB`] = (await inspector.liveBytes()) / megabyte;
    sample[`resident of ${name}, MB`] = residentBytes(process.pid) / megabyte;
    sample[`open files of ${name}`] = openFiles(process.pid);
    sample[`handles and timers of ${name}`] = await inspector.handles();
  }
  const over = await keysLike(ask, 'fd:over:*');
  const [one] = over;
  // Of one as of all, which differ in a few characters; and the tables of all keys, most of which are these.
  const bytesOver = one === undefined ? 0 : over.length * Number(await ask.memory('USAGE', one)) + (await tableBytes(ask));
  sample[overKeys] = over.length;
  sample['other Redis keys'] = (await ask.dbsize()) - over.length;
  sample['Redis memory but for these, MB'] = (Number((await redisInfo('memory')).get('used_memory')) - bytesOver) / megabyte;
  sample['resident of the switch, MB'] = residentBytes(switchPid()) / megabyte;
  sample['open files of the switch'] = openFiles(switchPid());
  sample['channels'] = (await admin.channels()).length;
  return sample;
}

async function keysLike(redis: Clinic['ask'], pattern: string): Promise<readonly string[]> {
  const found = new Set<string>();
  let cursor = '0';
  do {
    const [next, keys] = await redis.scan(cursor, 'MATCH', pattern, 'COUNT', 10_000);
    for (const key of keys) found.add(key);
    cursor = next;
  } while (cursor !== '0');
  return [...found];
}

async function tableBytes(redis: Clinic['ask']): Promise<number> {
  const stats = (await redis.call('MEMORY', 'STATS')) as readonly unknown[];
  const tables = stats[stats.indexOf('db.0') + 1];
  return Array.isArray(tables) ? tables.reduce<number>((sum, part) => sum + (typeof part === 'number' ? part : 0), 0) : 0;
}

/** It grew when the last quarter is a tenth above the first, and by more than the samples differ from each other anyway. */
function seriesOf(samples: readonly Sample[]): readonly Series[] {
  const [first] = samples;
  const quarter = Math.max(1, Math.floor(samples.length / 4));
  const hours = samples.map((sample) => (sample['time in minutes'] ?? 0) / 60);
  return Object.keys(first ?? {}).filter((name) => name !== 'time in minutes').map((name) => {
    const values = samples.map((sample) => sample[name] ?? Number.NaN);
    const [firstQuarter, lastQuarter] = [mean(values.slice(0, quarter)), mean(values.slice(-quarter))];
    const noise = 2 * Math.max(deviation(values.slice(0, quarter)), deviation(values.slice(-quarter)));
    const grew = name !== overKeys && lastQuarter - firstQuarter > Math.max(0.1 * firstQuarter, noise);
    return { name, firstQuarter, lastQuarter, perHour: slope(hours, values), grew };
  });
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const deviation = (values: readonly number[]): number => Math.sqrt(mean(values.map((value) => (value - mean(values)) ** 2)));

/** By least squares. */
function slope(xs: readonly number[], ys: readonly number[]): number {
  const [x, y] = [mean(xs), mean(ys)];
  return xs.reduce((sum, one, i) => sum + (one - x) * ((ys[i] ?? y) - y), 0) / xs.reduce((sum, one) => sum + (one - x) ** 2, 0);
}

export function soakTable({ minutes, rate, calls, failed, cdrs, series }: Soak): readonly string[] {
  const grown = series.filter(({ grew }) => grew).map(({ name }) => name);
  return [
    `${minutes} minutes of ${rate} calls/s by two controllers: ${calls} calls, ${failed} failed, ${cdrs} CDRs`,
    ...tableOf(['', 'first quarter', 'last quarter', 'per hour'], series.map((one) => [one.name, fixed(one.firstQuarter, 1), fixed(one.lastQuarter, 1), fixed(one.perHour, 1)])),
    grown.length === 0 ? `no growth (${overKeys} are meant to: each is kept for a day)` : `GREW: ${grown.join('; ')}`,
  ];
}
