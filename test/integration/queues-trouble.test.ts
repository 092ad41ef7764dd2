/**
 * A queue whose controllers die and whose Redis goes: callers wait in the order in which they came, who talks goes on
 * talking, and agents are known again. Two controllers on one switch; Redis is reached by way of a link that can be cut.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { firstKeyOf, openApi, type Api } from '../support/api.ts';
import { rings } from '../support/behaviour.ts';
import { writePlan } from '../support/clinic-plan.ts';
import { cdrsIn } from '../support/controller-data.ts';
import type { Controller } from '../support/controller.ts';
import { startLinkProxy, type LinkProxy } from '../support/link-proxy.ts';
import type { SipCall } from '../support/sip-call.ts';
import type { Party } from '../support/sip-party.ts';
import { openSite, SITE_START_MS, type Caller, type Site } from '../support/site.ts';
import { stays, until } from '../support/until.ts';

const names = ['one', 'two'] as const;
type Name = (typeof names)[number];
const [DESK, OTHER] = ['+12025550320', '+12025550321'];
const extensions = ['401', '402', '403', '404', '405', '406'];
const [ann, bob, cat, dan, eve, fay] = extensions.map((extension) => `u${extension}`) as [string, string, string, string, string, string];
const everybody = [ann, bob, cat, dan, eve, fay];
let site: Site;
let redisLink: LinkProxy;
let planFile: string;
let controllers: Record<Name, Controller>;
let apis: Record<Name, Api>;
const phones = new Map<string, Party>();
let series = 0;

const dataDir = (name: Name): string => join(site.folder, name);
const start = (name: Name): Promise<Controller> => {
  mkdirSync(dataDir(name), { recursive: true });
  return site.startController({ planFile, instance: name, dataDir: dataDir(name), env: { REDIS_URL: redisLink.url } });
};
const toneOf = (agent: string): number => 440 + 60 * everybody.indexOf(agent);

const to = (id: string, e164: string) => ({ e164, route: { to: 'queue', id }, callConnect: 'off', voicemail: 'off' } as const);
const queue = (id: string, agents: readonly string[]) => ({ id, name: id, strategy: 'longest-idle', agents: agents.map((user) => ({ user })), wrapUpSeconds: 0, noAnswerDelaySeconds: 1, joinNeeds: 'nobody', stayNeeds: 'nobody', maxWaitSeconds: 0 });

beforeAll(async () => {
  site = await openSite();
  redisLink = await startLinkProxy(site.redisUrl);
  planFile = writePlan(site, { file: 'plan.yaml', trunks: ['carrier'], others: extensions, queues: [queue('desk', everybody.slice(0, 5)), queue('other', [fay])], numbers: [to('desk', DESK), to('other', OTHER)] });
  controllers = { one: await start('one'), two: await start('two') };
  const keys = { one: firstKeyOf(controllers.one), two: firstKeyOf(controllers.two) };
  apis = { one: openApi(() => controllers.one.httpUrl, keys.one), two: openApi(() => controllers.two.httpUrl, keys.two) };
  await Promise.all(everybody.map(async (agent, i) => phones.set(agent, await site.phone(extensions[i] ?? '', rings({ sound: toneOf(agent) })))));
}, SITE_START_MS);
afterEach(() => site.expectNothingLeft());
afterAll(async () => {
  await site.close();
  await redisLink.close();
});

/** At a controller whose desk may be on its way. */
const choose = (at: Name, agent: string, status: string): Promise<unknown> => until(async () => {
  await apis[at].write('PUT', `/accounts/clinic/agents/${agent}/status`, { status });
  return true;
}, { describe: `${agent} is ${status}`, within: 10_000 });
interface AgentSeen {
  readonly status: string;
  readonly state: string;
  readonly devices: readonly string[];
}
const seen = (at: Name, agent: string): Promise<AgentSeen> => apis[at].get(`/accounts/clinic/agents/${agent}`);
const lineOf = async (at: Name): Promise<readonly string[]> => (await apis[at].get<{ waiting: readonly { caller: string }[] }>('/accounts/clinic/queues/desk/live')).waiting.map(({ caller }) => caller);
const answeredOf = async (at: Name): Promise<number> => (await apis[at].get<{ figures: { answered: number } }>('/accounts/clinic/queues/desk/live')).figures.answered;
const numberOf = (caller: Caller): string => caller.call.callerId().number;
const nextAt = (agent: string): Promise<SipCall> => phones.get(agent)?.nextCall(10_000) ?? expect.fail(`${agent} has no phone`);
const talk = (caller: Caller, agent: string): Promise<unknown> => until(() => caller.call.hears(toneOf(agent)), { describe: `${numberOf(caller)} hears ${agent}`, within: 8_000 });

let n = 0;
const call = (to: string): Promise<Caller> => {
  n += 1;
  return site.call({ to, from: `+1303558${series}${String(n).padStart(3, '0')}` });
};
const join3 = async (at: Name): Promise<readonly Caller[]> => {
  const callers: Caller[] = [];
  for (let i = 0; i < 3; i += 1) {
    const caller = await call(DESK);
    await until(async () => (await lineOf(at)).at(-1) === numberOf(caller), { describe: `${numberOf(caller)} waits as the last` });
    callers.push(caller);
  }
  return callers;
};

interface Scene {
  readonly talking: readonly Talk[];
  readonly waiting: readonly Caller[];
}
interface Talk {
  readonly caller: Caller;
  readonly callee: SipCall;
  readonly agent: string;
}
/** Ann and Bob talk, Cat has a break, Dan and Eve have gone home; three callers wait. */
const scene = async (at: Name): Promise<Scene> => {
  series += 1;
  await Promise.all(everybody.map(async (agent) => {
    await apis[at].write('PUT', `/accounts/clinic/agents/${agent}/devices`, {});
    await choose(at, agent, agent === cat ? 'break' : 'offline');
  }));
  const talking: Talk[] = [];
  for (const agent of [ann, bob]) {
    await choose(at, agent, 'available');
    const caller = await call(DESK);
    const callee = await nextAt(agent);
    await callee.answer();
    await talk(caller, agent);
    talking.push({ caller, callee, agent });
  }
  return { talking, waiting: await join3(at) };
};
const goOn = (talks: readonly Talk[]) => (): boolean => talks.every(({ caller, callee }) => caller.call.state() === 'connected' && callee.state() === 'connected');
/** Each of the agents comes, one after the other, and is given the next in line. */
const serve = async (at: Name, agents: readonly string[], waiting: readonly Caller[]): Promise<readonly Talk[]> => {
  const talks: Talk[] = [];
  for (const [i, agent] of agents.entries()) {
    await choose(at, agent, 'available');
    const callee = await nextAt(agent);
    const caller = waiting[i] ?? expect.fail('nobody waits any more');
    expect(callee.callerId().number, `${agent} is given who is first in line`).toBe(numberOf(caller));
    await callee.answer();
    await talk(caller, agent);
    talks.push({ caller, callee, agent });
  }
  return talks;
};
const cdrs = () => names.flatMap((name) => cdrsIn(dataDir(name)));
/** Everybody hangs up. Each call has one record, which says with whom, and no phone has rung for it twice. */
const finish = async (talks: readonly Talk[]): Promise<void> => {
  expect(goOn(talks)()).toBe(true);
  await Promise.all(talks.map(({ caller }) => caller.call.hangUp()));
  for (const { caller, agent } of talks) {
    await until(() => cdrs().some((cdr) => cdr.caller.number === numberOf(caller)), { describe: `the call of ${numberOf(caller)} has a record`, within: 8_000 });
    const own = cdrs().filter((cdr) => cdr.caller.number === numberOf(caller));
    expect(own).toMatchObject([{ disposition: 'answered', queues: [{ outcome: 'connected', agent }] }]);
    expect(phones.get(agent)?.calls.filter((one) => one.callerId().number === numberOf(caller))).toHaveLength(1);
  }
};

describe('A controller is killed', () => {
  test.each([['that runs the queues', 'leads'], ['that has calls of them', 'follows']])('%s: who talks goes on, and who waits keeps the order', async (_what, role) => {
    const { talking, waiting } = await scene('two');
    const said = controllers.one.output();
    expect(said.lastIndexOf('This controller runs the queues') > said.lastIndexOf('Another controller runs the queues')).toBe(role === 'leads');
    const answered = await answeredOf('two');
    const killedAt = performance.now();
    await controllers.one.kill();
    await until(async () => (await lineOf('two')).join(' ') === waiting.map(numberOf).join(' '), { describe: 'there is one line, in order', within: 8_000 });
    console.log(`${role}: all are in line ${Math.round(performance.now() - killedAt)} ms after the kill`);
    expect([answered >= talking.length, await answeredOf('two')]).toEqual([true, answered]);
    const served = await serve('two', [cat, dan, eve], waiting);
    await finish([...talking, ...served]);
    controllers.one = await start('one');
  }, 60_000);
});

describe('Redis', () => {
  test('comes back empty: who waits keeps the order, and agents have the status that they chose', async () => {
    const { talking, waiting } = await scene('two');
    redisLink.cut();
    await site.redis.empty();
    redisLink.mend();
    const known = async (at: Name): Promise<boolean> => {
      const [first, second, third, fourth] = await Promise.all([ann, bob, cat, dan].map((agent) => seen(at, agent))) as [AgentSeen, AgentSeen, AgentSeen, AgentSeen];
      return first.state === 'on-call' && second.state === 'on-call' && third.status === 'break' && third.devices.length === 1 && fourth.status === 'offline' && (await lineOf(at)).length === 3;
    };
    await until(async () => (await known('one')) && (await known('two')), { describe: 'agents are known again', within: 10_000 });
    expect(await lineOf('one')).toEqual(waiting.map(numberOf));
    const served = await serve('one', [cat, dan, eve], waiting);
    await finish([...talking, ...served]);
  }, 60_000);

  test('is away: a caller who comes meanwhile is served; when it is back there is one line, and an agent is asked once', async () => {
    const { talking, waiting } = await scene('two');
    await choose('two', fay, 'available');
    await until(async () => (await seen('one', fay)).status === 'available', { describe: 'both know of it' });
    redisLink.cut();
    const meanwhile = await call(OTHER);
    const callee = await nextAt(fay);
    await callee.answer();
    await talk(meanwhile, fay);
    const last = await call(DESK);
    await last.call.connected();
    await stays(goOn(talking), { describe: 'who talks goes on talking', forMs: 500 });
    const before = { one: controllers.one.output().length, two: controllers.two.output().length };
    redisLink.mend();
    const all = [...waiting, last];
    await until(() => names.some((name) => /"complete":true,"waiting":4.*run here/.test(controllers[name].output().slice(before[name]).split('\n').filter((line) => !line.includes('"alone":true')).join('\n'))), { describe: 'one of them runs the queue, and has been told of all who wait', within: 15_000 });
    await until(async () => (await lineOf('one')).join(' ') === all.map(numberOf).join(' '), { describe: 'there is one line, in order', within: 15_000 });
    // who has told what there is does not begin anew for its own calls
    for (const name of names) expect(controllers[name].output().slice(before[name]).split('queues go on within').length).toBeLessThanOrEqual(2);
    // who was in the first talk is free, and so is one who comes: each is given one caller
    const [first, second] = talking as [Talk, Talk];
    await first.caller.call.hangUp();
    const again = await nextAt(ann);
    expect(again.callerId().number).toBe(numberOf(all[0] ?? first.caller));
    await again.answer();
    await talk(all[0] ?? first.caller, ann);
    const served = await serve('one', [cat, dan, eve], all.slice(1));
    await finish([second, { caller: meanwhile, callee, agent: fay }, { caller: all[0] ?? first.caller, callee: again, agent: ann }, ...served]);
  }, 60_000);
});
