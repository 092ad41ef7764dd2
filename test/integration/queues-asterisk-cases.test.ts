/**
 * What the published tests of Asterisk's queues check (its test suite, tests/apps/queues), as scenes of a clinic: each is
 * named after the tests, or the settings, whose subject it has. Without a counterpart are:
 *
 * | their test | why |
 * | --- | --- |
 * | position_priority_maxlen: positions asked for | a place is a priority and a time of entry |
 * | ringinuse_and_pause: ringinuse=yes | who is in a call is never offered another |
 * | wrapup_time: shared_lastcall=no | an agent is one person in all queues, and so is the wrap-up |
 * | set_penalty: the command | tiers are configuration, and change as other configuration does |
 * | gosub_test | there is no dialplan; what an agent hears first is the whisper (queues.test.ts) |
 * | queue_transfer_callee | with the caller gone the call is over |
 * | queue_member_forward | a phone that diverts is not followed |
 * | reason_pause_ami | a break has no reason |
 * | transfer, redirect | as in any call (transfer.test.ts) |
 * | cdr/app_queue | each record says more than theirs, and is looked at in every scene |
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { firstKeyOf, openApi, type Api } from '../support/api.ts';
import { rings } from '../support/behaviour.ts';
import { openClinic, type Clinic } from '../support/clinic.ts';
import type { SipCall } from '../support/sip-call.ts';
import type { Party } from '../support/sip-party.ts';
import { openSite, SITE_START_MS, type Caller, type Site } from '../support/site.ts';
import { stays, until } from '../support/until.ts';

const agents = ['ann', 'bob', 'cat'] as const;
type Agent = (typeof agents)[number];
const queues = {
  baseline: { agents: ['ann'] },
  priority: { maxLength: 3, agents: ['ann'] },
  pause: { pauseAfterMissed: 1, ringSeconds: 5, agents: ['ann'] },
  wrapup: { wrapUpSeconds: 2, strategy: 'top-down', agents: ['ann', 'bob'] },
  shared: { wrapUpSeconds: 0, strategy: 'top-down', agents: ['ann', 'bob'] },
  member: { wrapUpSeconds: 1, strategy: 'top-down', agents: ['bob'], own: { bob: 3 } },
  penalty: { tiers: [['ann'], ['bob']], delaySeconds: 2, rejectDelaySeconds: 10, agents: [] },
  turns: { strategy: 'round-robin', agents: ['ann', 'bob', 'cat'] },
  least: { strategy: 'fewest-calls', agents: ['ann', 'bob', 'cat'] },
  paused: { ringSeconds: 5, maxWaitSeconds: 1, maxWait: { to: 'hang-up' }, agents: ['bob', 'cat'] },
  leaves: { joinNeeds: 'available', stayNeeds: 'available', staySeconds: 1, empty: { to: 'hang-up' }, agents: ['ann'] },
} as const;
type QueueName = keyof typeof queues;
const names = Object.keys(queues) as QueueName[];
const numberTo = (queue: QueueName): string => `+120255503${String(40 + names.indexOf(queue))}`;
const URGENT = '+12025550390';
let site: Site;
let clinic: Clinic;
let api: Api;

const queueOf = (id: QueueName) => {
  const { agents: listed, own = {}, tiers, delaySeconds = 0, ...more }: { readonly agents: readonly string[]; readonly own?: Readonly<Record<string, number>>; readonly tiers?: readonly (readonly string[])[]; readonly delaySeconds?: number } = queues[id];
  const entries = (users: readonly string[]) => users.map((user) => ({ user, ...(own[user] === undefined ? {} : { wrapUpSeconds: own[user] }) }));
  return {
    id, name: id, strategy: 'longest-idle', wrapUpSeconds: 0, rejectDelaySeconds: 1, noAnswerDelaySeconds: 1, busyDelaySeconds: 1, joinNeeds: 'nobody', stayNeeds: 'nobody',
    ...(tiers === undefined ? { agents: entries(listed) } : { tiers: tiers.map((tier) => ({ agents: entries(tier), delaySeconds })) }), ...more,
  };
};
const to = (id: string, e164: string, more: object = {}) => ({ e164, route: { to: 'queue', id, ...more }, users: [], callConnect: 'off' as const, voicemail: 'off' as const });

let phones: Record<Agent, Party>;
beforeAll(async () => {
  site = await openSite();
  clinic = await openClinic(site, {
    users: agents.map((id, i) => ({ id, devices: [{ extension: `50${i + 1}` }] })),
    queues: names.map(queueOf),
    numbers: [...names.map((id) => to(id, numberTo(id))), to('priority', URGENT, { priority: 5 })],
  });
  api = openApi(() => clinic.controller.httpUrl, firstKeyOf(clinic.controller));
}, SITE_START_MS);
const at = (agent: string): string => `/accounts/test-clinic/agents/${agent}`;
const choose = (agent: Agent, status: string): Promise<unknown> => api.write('PUT', `${at(agent)}/status`, { status });
const seen = (agent: Agent): Promise<{ readonly status: string; readonly state: string }> => api.get(at(agent));
/** Those are there, nobody in wrap-up; the others have gone home. */
const there = async (...present: readonly Agent[]): Promise<void> => {
  await Promise.all(agents.map(async (agent) => {
    await api.write('PUT', `${at(agent)}/devices`, {});
    await choose(agent, 'offline');
    await api.write('POST', `${at(agent)}/ready`);
  }));
  phones = Object.fromEntries(await Promise.all(agents.map(async (agent, i) => [agent, await site.phone(`50${i + 1}`, rings())] as const))) as Record<Agent, Party>;
  for (const agent of present) await choose(agent, 'available');
};
afterEach(async () => {
  await site.afterTest();
  await clinic.expectNothingLeft();
});
afterAll(() => site.close());

const numberOf = (caller: Caller): string => caller.call.callerId().number;
const lineOf = async (queue: QueueName): Promise<readonly string[]> => (await api.get<{ waiting: readonly { caller: string }[] }>(`/accounts/test-clinic/queues/${queue}/live`)).waiting.map(({ caller }) => caller);
const waits = (queue: QueueName, caller: Caller) => until(async () => (await lineOf(queue)).includes(numberOf(caller)), { describe: `${numberOf(caller)} waits` });
const talks = async (caller: Caller, callee: SipCall): Promise<void> => {
  await callee.answer();
  await until(async () => (await clinic.stateOf(caller)).phase === 'connected', { describe: 'they talk' });
};
const free = (agent: Agent) => until(async () => (await seen(agent)).state === 'idle', { describe: `${agent} is free` });
/** A call from ring to end. Returns who had it. */
const served = async (queue: QueueName): Promise<Agent> => {
  const before = agents.map((agent) => phones[agent].calls.length);
  const caller = await clinic.call(numberTo(queue));
  const agent = await until(() => agents.find((one, i) => phones[one].calls.length > (before[i] ?? 0)), { describe: 'a phone rings' });
  await talks(caller, phones[agent].calls.at(-1) ?? expect.fail('no phone rings'));
  await caller.call.hangUp();
  await until(async () => (await seen(agent)).state !== 'on-call', { describe: `${agent} is in no call` });
  return agent;
};
const rangFor = (agent: Agent, caller: Caller): boolean => phones[agent].calls.some((call) => call.callerId().number === numberOf(caller));

describe('As in Asterisk', () => {
  test('queue_baseline: a caller joins, the agent is rung, they talk, the call is over, and all of it is told', async () => {
    await there('ann');
    const caller = await clinic.call(numberTo('baseline'));
    const callee = await phones.ann.nextCall();
    expect((await seen('ann')).state).toBe('offered');
    await talks(caller, callee);
    expect((await seen('ann')).state).toBe('on-call');
    await callee.hangUp();
    await caller.call.ended();
    await free('ann');
    expect((await clinic.factsOf(caller)).map(({ type }) => type).filter((type) => ['QueueJoined', 'OfferMade', 'OfferEnded', 'QueueLeft'].includes(type))).toEqual(['QueueJoined', 'OfferMade', 'OfferEnded', 'QueueLeft']);
  });

  test('position_priority_maxlen: the urgent stand before the others, each in order of entry; with the line full the next one is not let in', async () => {
    await there();
    const [first, second] = [await clinic.call(numberTo('priority')), await clinic.call(URGENT)];
    await Promise.all([waits('priority', first), waits('priority', second)]);
    const third = await clinic.call(URGENT);
    await waits('priority', third);
    expect(await lineOf('priority')).toEqual([second, third, first].map(numberOf));
    const refused = await clinic.call(URGENT);
    await refused.call.ended();
    expect((await clinic.cdrOf(refused)).queues).toMatchObject([{ outcome: 'full', offers: [] }]);
    await choose('ann', 'available');
    expect((await phones.ann.nextCall()).callerId().number).toBe(numberOf(second));
    await Promise.all([first, second, third].map(({ call }) => call.hangUp()));
  });

  test('ringinuse_and_pause, queue_all_paused_no_answer, queue_one_paused_no_answer, queue_no_answer: who talks or has a break is not rung; who does not answer is put on a break, and the caller leaves', async () => {
    await there('ann');
    const [talking, waiting, nobody] = await Promise.all([clinic.call(numberTo('baseline')), clinic.call(numberTo('pause')), clinic.call(numberTo('paused'))]);
    // Ann may be given either first; who waits in `paused` has Bob and Cat, who are away
    const callee = await phones.ann.nextCall();
    const [first, second] = callee.callerId().number === numberOf(talking) ? [talking, waiting] : [waiting, talking];
    await talks(first, callee);
    await nobody.call.ended();
    expect((await clinic.cdrOf(nobody)).queues).toMatchObject([{ outcome: 'max-wait', offers: [] }]);
    expect(rangFor('ann', second)).toBe(false);
    expect((await seen('ann')).status).toBe('available');
    await second.call.hangUp();
    await first.call.hangUp();
    await free('ann');
    await choose('bob', 'available');
    await choose('cat', 'break');
    const [unheard, one] = await Promise.all([clinic.call(numberTo('pause')), clinic.call(numberTo('paused'))]);
    await until(async () => (await seen('ann')).status === 'break', { describe: 'Ann is on a break', within: 9_000 });
    await one.call.ended(9_000);
    await stays(() => phones.ann.calls.length === 2, { describe: 'and is not rung again', forMs: 1_200 });
    await unheard.call.hangUp();
    expect((await clinic.cdrOf(one)).queues).toMatchObject([{ outcome: 'max-wait', offers: [{ agent: 'bob', outcome: 'timed-out' }] }]);
    expect([phones.bob.calls.length, phones.cat.calls.length]).toEqual([1, 0]);
  });

  test('wrapup_time, wrapup_time_per_member: nobody is asked in wrap-up, of whichever queue the next call is; an agent’s own time holds', async () => {
    await there('ann', 'bob');
    // top-down: Bob is asked only because Ann is in wrap-up, which the other queue knows of
    expect(await served('wrapup')).toBe('ann');
    expect((await seen('ann')).state).toBe('wrap-up');
    const ended = performance.now();
    expect(await served('shared')).toBe('bob');
    await free('ann');
    expect(performance.now() - ended).toBeGreaterThan(1_500);
    expect(await served('shared')).toBe('ann');
    // the queue's own time is 1 s, Bob's in it 3
    expect(await served('member')).toBe('bob');
    const begun = performance.now();
    const caller = await clinic.call(numberTo('member'));
    await until(() => rangFor('bob', caller), { describe: 'Bob is rung' });
    expect(performance.now() - begun).toBeGreaterThan(2_300);
    await caller.call.hangUp();
  });

  test('set_penalty, queue_penalty_outside_range: the second tier is asked only when the delay is over, or nobody of the first is there', async () => {
    await there('ann', 'bob');
    const caller = await clinic.call(numberTo('penalty'));
    const [first, begun] = [await phones.ann.nextCall(), performance.now()];
    await first.reject('declined');
    await until(() => rangFor('bob', caller), { describe: 'Bob is rung' });
    expect(performance.now() - begun).toBeGreaterThan(1_200);
    await caller.call.hangUp();
    await choose('ann', 'break');
    const [other, soon] = [await clinic.call(numberTo('penalty')), performance.now()];
    await until(() => rangFor('bob', other), { describe: 'Bob is rung at once' });
    expect(performance.now() - soon).toBeLessThan(1_500);
    await other.call.hangUp();
  });

  test('strategy=rrmemory, strategy=fewestcalls: calls go round, and to who has had the fewest', async () => {
    await there(...agents);
    const had = [await served('turns'), await served('turns'), await served('turns'), await served('turns')];
    expect(had).toEqual(['ann', 'bob', 'cat', 'ann']);
    const counts = [await served('least'), await served('least'), await served('least')];
    expect(counts.toSorted()).toEqual([...agents]);
  });

  test('joinempty, leavewhenempty: nobody joins where nobody is, and who waits is sent on when the last has left', async () => {
    await there();
    const refused = await clinic.call(numberTo('leaves'));
    await refused.call.ended();
    await choose('ann', 'available');
    const caller = await clinic.call(numberTo('leaves'));
    await phones.ann.nextCall();
    await choose('ann', 'offline');
    await phones.ann.calls[0]?.ended();
    await caller.call.ended();
    expect([(await clinic.cdrOf(refused)).queues, (await clinic.cdrOf(caller)).queues]).toMatchObject([[{ outcome: 'empty', offers: [] }], [{ outcome: 'empty' }]]);
  });

  test('reload_queue_members: who is added to a queue is asked from then on, and who is taken out is not', async () => {
    await there('ann', 'bob');
    expect(await served('baseline')).toBe('ann');
    await api.write('PATCH', '/accounts/test-clinic/queues/baseline', { agents: [{ user: 'bob' }] });
    expect(await served('baseline')).toBe('bob');
    expect(await lineOf('baseline')).toEqual([]);
  });
});
