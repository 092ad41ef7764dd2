/** `/metrics` as Prometheus scrapes it, while a call is up and after; and that what the documentation alerts on is there. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { firstKeyOf, openApi } from '../support/api.ts';
import { answersAfter } from '../support/behaviour.ts';
import { writePlan } from '../support/clinic-plan.ts';
import type { Controller } from '../support/controller.ts';
import { openSite, SITE_START_MS, type Site } from '../support/site.ts';
import { until } from '../support/until.ts';

const NUMBER = '+12025550160';
const CALLER = '+13035557300';
let site: Site;
let controller: Controller;

beforeAll(async () => {
  site = await openSite();
  controller = await site.startController({ planFile: writePlan(site, { file: 'plan.yaml', trunks: ['carrier'], numbers: [{ e164: NUMBER, rings: ['101'] }] }) });
  await openApi(() => controller.httpUrl, firstKeyOf(controller)).write('PATCH', '/accounts/clinic/trunks/carrier', { qualifySeconds: 1 });
}, SITE_START_MS);
afterAll(() => site.close());

interface Sample { readonly name: string; readonly labels: Readonly<Record<string, string>>; readonly value: number }
const sampleLine = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*",?)*)\})? ([-+]?(?:\d+(?:\.\d+)?(?:e[-+]?\d+)?|Inf)|NaN)$/;
const commentLine = /^# (?:HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) .+|TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram|summary|untyped))$/;

/** The text format, version 0.0.4, in full: a line that is not of it fails the test. */
const scrape = async (): Promise<readonly Sample[]> => {
  const response = await fetch(`${controller.httpUrl}/metrics`);
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
  const text = await response.text();
  expect(text.endsWith('\n')).toBe(true);
  const types = new Map<string, string>();
  const samples: Sample[] = [];
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const comment = commentLine.exec(line);
    if (comment !== null) {
      const [, , name, type] = comment;
      if (name !== undefined && type !== undefined) {
        if (types.has(name)) throw new Error(`${name} has two types`);
        types.set(name, type);
      }
      continue;
    }
    const sample = sampleLine.exec(line);
    if (sample === null) throw new Error(`This is no line of the format: ${line}`);
    const [, name = '', labels = '', value = ''] = sample;
    const typed = types.has(name) || types.get(name.replace(/_(bucket|sum|count)$/, '')) === 'histogram' || types.get(name.replace(/_(sum|count)$/, '')) === 'summary';
    if (!typed) throw new Error(`${name} has no type`);
    samples.push({ name, labels: Object.fromEntries([...labels.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g)].map(([, key = '', text = '']) => [key, text])), value: value === '+Inf' ? Infinity : Number(value) });
  }
  expect(new Set(samples.map(({ name, labels }) => `${name}${JSON.stringify(labels)}`)).size).toBe(samples.length);
  return samples;
};
const of = (samples: readonly Sample[], name: string, labels: Readonly<Record<string, string>> = {}): number | undefined =>
  samples.find((one) => one.name === `frontdesk_${name}` && Object.entries(labels).every(([key, value]) => one.labels[key] === value))?.value;

test('While nobody calls it says that all is well, and where it would not be', async () => {
  await until(async () => of(await scrape(), 'trunk_up') !== undefined || of(await scrape(), 'phone_registered') !== undefined, { describe: 'phones and trunks have been looked at', within: 10_000, everyMs: 100 });
  const samples = await scrape();
  for (const name of ['ready', 'switch_up', 'database_up', 'redis_up', 'lease_held', 'leads']) expect([name, of(samples, name)]).toEqual([name, 1]);
  expect(of(samples, 'controllers_others')).toBe(0);
  expect(of(samples, 'phone_registered', { account: 'clinic', extension: '101' })).toBe(0);
  await until(async () => (of(await scrape(), 'ari_round_trip_seconds_count') ?? 0) > 5, { describe: 'the switch has been asked things', within: 20_000, everyMs: 100 });
});

test('A call is counted by its phase, and its answer timed to the bridge', async () => {
  await site.carrier();
  await site.phone('101', answersAfter(100));
  const caller = await site.call({ from: CALLER, to: NUMBER });
  await caller.call.connected();
  await until(async () => of(await scrape(), 'calls', { phase: 'connected' }) === 1, { describe: 'the call is connected', everyMs: 50 });
  await until(async () => of(await scrape(), 'trunk_up', { account: 'clinic', trunk: 'carrier' }) === 1 && of(await scrape(), 'phone_registered', { extension: '101' }) === 1, { describe: 'the trunk is up and the phone registered', within: 40_000, everyMs: 200 });
  await caller.call.hangUp();
  await until(async () => of(await scrape(), 'calls_ended_total') === 1, { describe: 'the call has ended', everyMs: 50 });
  const samples = await scrape();
  expect(of(samples, 'answer_to_bridge_seconds_count')).toBe(1);
  const sum = of(samples, 'answer_to_bridge_seconds_sum') ?? NaN;
  expect(sum).toBeGreaterThan(0);
  expect(sum).toBeLessThan(2);
  const buckets = samples.filter(({ name }) => name === 'frontdesk_answer_to_bridge_seconds_bucket');
  expect(buckets.map(({ value }) => value)).toEqual(buckets.map(({ value }) => value).toSorted((a, b) => a - b));
  expect(buckets.at(-1)).toMatchObject({ labels: { le: '+Inf' }, value: 1 });
  const text = await (await fetch(`${controller.httpUrl}/metrics`)).text();
  for (const number of [CALLER, NUMBER]) expect(text).not.toContain(number.slice(1));
}, 90_000);

test('What the documentation alerts on is there', async () => {
  const documented = new Set(readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'operations.md'), 'utf8').match(/\bfrontdesk_[a-z0-9_]+/g));
  expect(documented.size).toBeGreaterThan(15);
  const api = openApi(() => controller.httpUrl, firstKeyOf(controller));
  await api.write('POST', '/accounts/clinic/queues', { name: 'Desk', strategy: 'longest-idle', agents: [{ user: 'u101' }] });
  const there = await until(async () => {
    const names = new Set((await scrape()).map(({ name }) => name));
    return names.has('frontdesk_queue_calls_waiting') ? names : undefined;
  }, { describe: 'the queue is run' });
  expect([...documented].filter((name) => !there.has(name))).toEqual([]);
});
