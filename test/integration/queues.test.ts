/** Queues on a real switch: callers who wait, agents whose phones ring, and what each hears. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { firstKeyOf, openApi, type Api } from '../support/api.ts';
import { answersAfter, busy, declines, rings } from '../support/behaviour.ts';
import { openClinic, PROMPTS, type Clinic, type ClinicPlan } from '../support/clinic.ts';
import { openSite, SITE_START_MS, type Caller, type Site } from '../support/site.ts';
import { until } from '../support/until.ts';

const [FRONT, WARDS, FULL, EMPTY, KEY, LIMIT] = [0, 1, 2, 3, 4, 5].map((i) => `+1202555020${i}`) as [string, string, string, string, string, string];
const agents = ['ann', 'bob', 'cat'] as const;
const MUSIC = 440;
let site: Site;
let clinic: Clinic;
let api: Api;

const queue = (id: string, more: object = {}) => ({
  id, name: id, strategy: 'longest-idle', agents: agents.map((user) => ({ user })), wrapUpSeconds: 0, rejectDelaySeconds: 1, noAnswerDelaySeconds: 1, busyDelaySeconds: 1, music: { file: 'music.wav' }, ...more,
});
const to = (id: string, e164: string) => ({ e164, route: { to: 'queue', id }, users: [], callConnect: 'off' as const, voicemail: 'off' as const });

const plan: ClinicPlan = {
  users: agents.map((id, i) => ({ id, devices: [{ extension: `10${i + 1}` }] })),
  queues: [
    queue('front', { joinNeeds: 'nobody', stayNeeds: 'nobody', ringSeconds: 5 }),
    queue('wards', { whisper: { file: 'whisper.wav' }, callConnect: 'every', joinNeeds: 'nobody' }),
    queue('full', { maxLength: 1, joinNeeds: 'nobody', full: { to: 'hang-up' } }),
    queue('empty', { joinNeeds: 'available' }),
    queue('key', { joinNeeds: 'nobody', exit: { key: '1', target: { to: 'user', id: 'cat' } } }),
    queue('limit', { joinNeeds: 'nobody', maxWaitSeconds: 2, maxWait: { to: 'user', id: 'cat' } }),
  ],
  numbers: [to('front', FRONT), to('wards', WARDS), to('full', FULL), to('empty', EMPTY), to('key', KEY), to('limit', LIMIT)],
  tones: { music: { hz: MUSIC, seconds: 1 } },
};

beforeAll(async () => {
  site = await openSite();
  clinic = await openClinic(site, plan);
  api = openApi(() => clinic.controller.httpUrl, firstKeyOf(clinic.controller));
}, SITE_START_MS);
afterEach(async () => {
  for (const agent of agents) await api.ask('DELETE', `/accounts/test-clinic/agents/${agent}/devices`);
  await site.afterTest();
  await clinic.expectNothingLeft();
});
afterAll(() => site.close());

const at = (agent: string): string => `/accounts/test-clinic/agents/${agent}`;
const logIn = async (agent: (typeof agents)[number], status = 'available'): Promise<void> => {
  await api.write('PUT', `${at(agent)}/devices`, { devices: [`10${agents.indexOf(agent) + 1}`] });
  await api.write('PUT', `${at(agent)}/status`, { status });
};
const waits = (caller: Caller) => until(async () => (await clinic.stateOf(caller)).visit?.held === true || undefined, { describe: 'the desk holds the place' });
const talks = (caller: Caller) => until(async () => (await clinic.stateOf(caller)).phase === 'connected' || undefined, { describe: 'they talk' });

describe('A caller in a queue', () => {
  test('hears music until an agent answers; then the two talk, and the record says who', async () => {
    const ann = await site.phone('101', answersAfter(50, { sound: 700 }));
    const caller = await clinic.call(FRONT);
    await until(() => caller.call.hears(MUSIC), { describe: 'the caller hears music' });
    await waits(caller);
    await logIn('ann');
    await ann.nextCall();
    await until(() => caller.call.hears(700), { describe: 'the caller hears the agent' });
    await talks(caller);
    expect(await api.get(at('ann'))).toMatchObject({ state: 'on-call', status: 'available' });
    await caller.call.hangUp();
    expect(await clinic.cdrOf(caller)).toMatchObject({ disposition: 'answered', queues: [{ queue: 'front', outcome: 'connected', agent: 'ann', offers: [{ agent: 'ann', outcome: 'accepted' }] }] });
  });

  test('goes from an agent who declines to one who is busy, one who does not answer, and the first again', async () => {
    const ann = await site.phone('101', declines);
    await site.phone('102', busy);
    const cat = await site.phone('103', rings());
    for (const agent of agents) await logIn(agent);
    const caller = await clinic.call(FRONT);
    await ann.nextCall();
    const unheard = await cat.nextCall();
    await unheard.ended(8_000);
    await ann.nextCall();
    await caller.call.hangUp();
    const { queues: [visit] } = await clinic.cdrOf(caller);
    expect(visit?.offers.slice(0, 3).map(({ agent, outcome, why }) => `${agent} ${outcome} ${why}`)).toEqual(['ann rejected declined', 'bob rejected busy', 'cat timed-out no answer']);
    expect(visit).toMatchObject({ outcome: 'abandoned' });
  });

  test('whom an agent accepts by key after the whisper is connected; one who hangs up in it leaves the caller in the place', async () => {
    const ann = await site.phone('101', answersAfter(50));
    await logIn('ann');
    const caller = await clinic.call(WARDS);
    const first = await ann.nextCall();
    await until(() => first.hears(PROMPTS.whisper), { describe: 'the agent hears who calls' });
    await first.hangUp();
    const second = await ann.nextCall();
    await until(() => second.hears(PROMPTS.whisper), { describe: 'the agent is asked again' });
    await second.press('1');
    await talks(caller);
    await second.hangUp();
    await caller.call.ended();
    expect((await clinic.cdrOf(caller)).queues).toMatchObject([{ outcome: 'connected', agent: 'ann', offers: [{ outcome: 'rejected', why: 'declined' }, { outcome: 'accepted' }] }]);
  });

  test('is sent on: no room, nobody there, a key, too long', async () => {
    await site.phone('103', answersAfter(50));
    const [one, key, limit] = [await clinic.call(FULL), await clinic.call(KEY), await clinic.call(LIMIT)];
    await waits(one);
    await waits(key);
    const [two, nobody] = [await clinic.call(FULL), await clinic.call(EMPTY)];
    await Promise.all([two.call.ended(), nobody.call.ended()]);
    await key.call.press('1');
    await Promise.all([talks(key), talks(limit)]);
    await Promise.all([one, key, limit].map(({ call }) => call.hangUp()));
    const visits = await Promise.all([one, two, nobody, key, limit].map(async (caller) => (await clinic.cdrOf(caller)).queues.map(({ outcome }) => outcome)));
    expect(visits).toEqual([['abandoned'], ['full'], ['empty'], ['exit-key'], ['max-wait']]);
  });
});
