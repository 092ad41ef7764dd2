/**
 * A queue that is never empty, by Frontdesk and by Asterisk's own `Queue()`, on the same switch and alternately: how soon
 * an agent who has become free has the next caller. And calls straight to a phone, to see what a queue costs beside.
 */
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Redis } from 'ioredis';
import { second, type Ms } from '../../control-plane/core/time.ts';
import { openApi } from '../support/api.ts';
import type { Controller } from '../support/controller.ts';
import { firstKeyOf, openPremises, type Premises } from '../support/premises.ts';
import { until } from '../support/until.ts';
import { openParties, type Served } from './parties.ts';
import { cpuMs } from './process-use.ts';
import { redisUse, type RedisUse } from './redis-use.ts';
import { fixed, tableOf } from './table.ts';

export type QueueWay = 'native' | 'frontdesk' | 'straight';

export interface QueueFigures {
  readonly way: QueueWay;
  readonly calls: number;
  readonly perSecond: number;
  readonly rungMs: Quantiles;
  readonly connectedMs: Quantiles;
  readonly joinedMs: Quantiles;
  /** Against native. */
  readonly connectedRatio: { readonly p50: number; readonly p99: number } | null;
  readonly asteriskCpuMsPerCall: number;
  readonly controllerCpuMsPerCall: number | null;
  readonly loopDelayP99Ms: number | null;
  /** Carried out by Redis for a call, those inside scripts too, without what it does when nobody calls. */
  readonly redisPerCall: Readonly<Record<string, number>> | null;
  readonly problems: number;
}

interface Quantiles {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export interface QueueReport {
  readonly switchName: string;
  readonly agents: number;
  /** Callers at any moment, those who talk among them. */
  readonly callers: number;
  readonly controllers: number;
  readonly figures: readonly QueueFigures[];
  readonly redisIdlePerSecond: number;
  readonly faults: readonly string[];
}

export interface QueueOptions {
  readonly agents: number;
  readonly controllers: 1 | 2;
  readonly seconds: number;
  readonly rounds: number;
  readonly say: (line: string) => void;
}

interface QueueRound {
  readonly way: QueueWay;
  readonly served: readonly Served[];
  readonly problems: readonly string[];
  readonly seconds: number;
  readonly asteriskCpuMs: number;
  readonly controllerCpuMs: number;
  readonly loopDelayP99Ms: number;
  readonly redis: RedisUse;
  readonly left: readonly string[];
}

const account = 'bench';
const queueNumber = '+12025550110';
const nativeNumber = '+12025550111';
const talkMs: Ms = second;
const warmUpMs: Ms = 3 * second;
const idleMs: Ms = 5 * second;
const extension = (i: number): string => String(301 + i);
const password = (i: number): string => `bench-agent-${i}-4711`;
const straightNumber = (i: number): string => `+1202557${String(i).padStart(4, '0')}`;

const plan = (carrierHost: string, agents: number): string => {
  const all = Array.from({ length: agents }, (_, i) => i);
  return `
account: { id: ${account}, name: Bench Dental }
trunks:
  - { id: carrier, host: ${carrierHost}, port: 5090 }
users:
${all.map((i) => `  - { id: agent-${i}, name: Agent ${i}, devices: [{ extension: "${extension(i)}", password: "${password(i)}" }] }`).join('\n')}
queues:
  - { id: desk, name: Front desk, strategy: longest-idle, wrapUpSeconds: 0, agents: [${all.map((i) => `{ user: agent-${i} }`).join(', ')}] }
numbers:
  - { e164: "${queueNumber}", name: Main line, route: { to: queue, id: desk }, callConnect: external }
${all.map((i) => `  - { e164: "${straightNumber(i)}", name: Line ${i}, users: [agent-${i}], timeoutSeconds: 30, callConnect: external }`).join('\n')}
`;
};

/** As quick as it can be: it looks for a free agent once a second, and no sooner. */
const nativeQueue = (agents: number): string => `[general]
persistentmembers = no
autofill = yes
[bench]
strategy = leastrecent
timeout = 15
retry = 1
wrapuptime = 0
autofill = yes
autopause = no
ringinuse = no
joinempty = yes
leavewhenempty = no
musicclass = default
${Array.from({ length: agents }, (_, i) => `member => PJSIP/${extension(i)},0,Agent ${i},PJSIP/${extension(i)}`).join('\n')}
`;

export async function measureQueue({ agents, controllers, seconds, rounds, say }: QueueOptions): Promise<QueueReport> {
  const premises = await openPremises('bench-queue', say);
  try {
    const floor = await furnish(premises, agents, controllers);
    for (const way of ways) await floor.play(way, 4);
    const idleBefore = await redisUse(floor.redis);
    await new Promise((resolve) => { setTimeout(resolve, idleMs); });
    const idle = (await redisUse(floor.redis)).since(idleBefore);
    const done: QueueRound[] = [];
    for (let again = 0; again < rounds; again += 1) {
      for (const way of ways) {
        const round = await floor.play(way, seconds);
        done.push(round);
        say(`${way}: ${round.served.length} calls in ${fixed(round.seconds, 1)} s, ${round.problems.length} problems${round.left.length > 0 ? `, ${round.left.length} things left` : ''}`);
        for (const problem of new Set(round.problems)) say(`  ${problem}`);
      }
    }
    return {
      agents, callers: 2 * agents, controllers, switchName: premises.switchName, redisIdlePerSecond: (idle.total() * second) / idleMs,
      figures: ways.map((way) => figuresOf(done.filter((round) => round.way === way), done.filter((round) => round.way === 'native'), idle)),
      faults: done.flatMap(({ way, left }) => (left.length === 0 ? [] : [`${way} queue: ${left.length} things left, such as ${left[0]}`])),
    };
  } finally {
    await premises.close();
  }
}

const ways: readonly QueueWay[] = ['native', 'frontdesk', 'straight'];

interface Floor {
  readonly redis: Redis;
  play(way: QueueWay, seconds: number): Promise<QueueRound>;
}

async function furnish(premises: Premises, agents: number, controllers: 1 | 2): Promise<Floor> {
  const { root, asterisk, remote, carrierHost } = premises;
  const planFile = join(root, 'plan.yaml');
  writeFileSync(planFile, plan(carrierHost, agents));
  const running: Controller[] = [];
  for (const instance of (['one', 'two'] as const).slice(0, controllers)) {
    running.push(await premises.startController({ planFile, dataDir: join(root, instance), instance, env: { NODE_OPTIONS: '--inspect-port=0', NODE_ENV: 'production' } }));
  }
  const [one] = running;
  if (one === undefined) throw new Error('There is no controller');
  const key = await until(() => firstKeyOf(running), { describe: 'the controller shows its first key' });
  await openNativeQueue(premises, agents);

  const phones = await premises.freeAddress();
  for (let i = 0; i < agents; i += 1) await premises.registerPhone(extension(i), password(i), phones);
  const api = openApi(() => one.httpUrl, key);
  for (let i = 0; i < agents; i += 1) {
    await api.write('PUT', `/accounts/${account}/agents/agent-${i}/devices`, { devices: [extension(i)] });
    await api.write('PUT', `/accounts/${account}/agents/agent-${i}/status`, { status: 'available' });
  }
  const redis = new Redis(premises.redis.url, { maxRetriesPerRequest: 2 });
  premises.atClose(() => { redis.disconnect(); });
  const controllerCpu = (): number => running.reduce((sum, { pid }) => sum + cpuMs(pid), 0);
  const loopDelay = async (): Promise<number> => Math.max(...await Promise.all(running.map(async ({ httpUrl }) => ((await (await fetch(`${httpUrl}/readyz`)).json()) as { readonly eventLoopDelayMs: { readonly p99: number } }).eventLoopDelayMs.p99)));

  return {
    redis,
    play: async (way, seconds) => {
      const calls = way === 'straight' ? Array.from({ length: agents }, (_, i) => straightNumber(i)) : Array.from({ length: 2 * agents }, () => (way === 'native' ? nativeNumber : queueNumber));
      const parties = await openParties({ remote, phones, carrierHost, calls, talkMs });
      await new Promise((resolve) => { setTimeout(resolve, warmUpMs); });
      const [from, began, redisBefore, asteriskBefore, controllerBefore] = [parties.served.length, performance.now(), await redisUse(redis), cpuMs(asterisk.pid), controllerCpu()];
      await new Promise((resolve) => { setTimeout(resolve, seconds * second); });
      const [served, took, redisNow] = [parties.served.slice(from), performance.now() - began, await redisUse(redis)];
      const used = { asteriskCpuMs: cpuMs(asterisk.pid) - asteriskBefore, controllerCpuMs: controllerCpu() - controllerBefore, redis: redisNow.since(redisBefore) };
      const loopDelayP99Ms = await loopDelay();
      await parties.end();
      let left: readonly string[] = [];
      await until(async () => {
        left = await premises.whatIsLeft();
        return left.length === 0;
      }, { describe: 'nothing of any call is left', within: 5000, everyMs: 50 }).catch(() => undefined);
      return { way, served, problems: parties.problems, seconds: took / second, ...used, loopDelayP99Ms, left };
    },
  };
}

async function openNativeQueue({ asterisk }: Premises, agents: number): Promise<void> {
  writeFileSync(join(dirname(dirname(asterisk.logFile)), 'etc', 'queues.conf'), nativeQueue(agents));
  await asterisk.cli('module load app_queue.so');
  await asterisk.cli(`dialplan add extension ${nativeNumber},1,Answer, into from-trunk`);
  await asterisk.cli(`dialplan add extension ${nativeNumber},2,Queue,bench into from-trunk`);
  const [shown, dialplan] = [await asterisk.cli('queue show bench'), await asterisk.cli(`dialplan show ${nativeNumber}@from-trunk`)];
  if (!shown.includes(extension(agents - 1)) || !dialplan.includes('Queue')) throw new Error(`The native queue could not be made:\n${shown}\n${dialplan}`);
}

function figuresOf(rounds: readonly QueueRound[], native: readonly QueueRound[], idle: RedisUse): QueueFigures {
  const served = rounds.flatMap((round) => round.served);
  const seconds = rounds.reduce((sum, round) => sum + round.seconds, 0);
  const sum = (value: (round: QueueRound) => number): number => rounds.reduce((total, round) => total + value(round), 0);
  const way = rounds[0]?.way ?? 'native';
  const connectedMs = quantiles(served.flatMap((one) => one.connectedMs ?? []));
  const theirs = quantiles(native.flatMap((round) => round.served.flatMap((one) => one.connectedMs ?? [])));
  const perCall: Record<string, number> = {};
  for (const name of new Set(rounds.flatMap(({ redis }) => [...redis.calls.keys()]))) {
    const net = sum(({ redis }) => redis.calls.get(name) ?? 0) - ((idle.calls.get(name) ?? 0) * seconds * second) / idleMs;
    if (net / served.length >= 0.05) perCall[name] = net / served.length;
  }
  return {
    way, calls: served.length, perSecond: served.length / seconds, connectedMs,
    rungMs: quantiles(served.flatMap(({ rungMs }) => rungMs ?? [])), joinedMs: quantiles(served.map(({ joinedMs }) => joinedMs)),
    connectedRatio: way === 'frontdesk' ? { p50: connectedMs.p50 / theirs.p50, p99: connectedMs.p99 / theirs.p99 } : null,
    asteriskCpuMsPerCall: sum((round) => round.asteriskCpuMs) / served.length,
    controllerCpuMsPerCall: way === 'native' ? null : sum((round) => round.controllerCpuMs) / served.length,
    loopDelayP99Ms: way === 'native' ? null : Math.max(...rounds.map((round) => round.loopDelayP99Ms)),
    redisPerCall: way === 'native' ? null : perCall,
    problems: sum(({ problems }) => problems.length),
  };
}

/** Nearest rank. */
export function quantiles(values: readonly number[]): Quantiles {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (q: number): number => sorted[Math.max(0, Math.ceil(sorted.length * q) - 1)] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

export const queueTable = ({ agents, callers, controllers, figures, redisIdlePerSecond }: QueueReport): readonly string[] => [
  `${agents} agents, ${callers} callers, ${controllers === 1 ? 'one controller' : 'two controllers'}; ms from an agent's hanging up; calls talk for ${talkMs / second} s. Redis without calls: ${fixed(redisIdlePerSecond, 0)} commands/s`,
  ...tableOf(
    ['way', 'calls', 'calls/s', 'rung p50', 'p99', 'connected p50', 'p99', 'max', '× native', 'p99', 'answer to heard p50', 'p99', 'Asterisk ms/call', 'controller ms/call', 'loop p99 ms', 'Redis commands', 'problems'],
    figures.map((one) => [
      one.way, String(one.calls), fixed(one.perSecond, 1), fixed(one.rungMs.p50, 0), fixed(one.rungMs.p99, 0), fixed(one.connectedMs.p50, 0), fixed(one.connectedMs.p99, 0), fixed(one.connectedMs.max, 0),
      fixed(one.connectedRatio?.p50 ?? null, 3), fixed(one.connectedRatio?.p99 ?? null, 3), fixed(one.joinedMs.p50, 0), fixed(one.joinedMs.p99, 0),
      fixed(one.asteriskCpuMsPerCall, 1), fixed(one.controllerCpuMsPerCall, 2), fixed(one.loopDelayP99Ms, 1), fixed(one.redisPerCall === null ? null : Object.values(one.redisPerCall).reduce((sum, n) => sum + n, 0), 1), String(one.problems),
    ]),
  ),
  ...figures.flatMap(({ way, redisPerCall }) => (redisPerCall === null ? [] : [`Redis for a call, ${way}: ${Object.entries(redisPerCall).sort(([, a], [, b]) => b - a).map(([name, n]) => `${name} ${fixed(n, 1)}`).join(', ')}`])),
];
