/**
 * A supervisor on a live switch: by tones it is heard who hears whom, in each mode, while the mode changes, while the
 * controller is dead, and when one of them leaves.
 */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Supervision } from '../../control-plane/http/ports.ts';
import { firstKeyOf, openApi, type Api, type ApiAnswer } from '../support/api.ts';
import { rings } from '../support/behaviour.ts';
import { openClinic, type Clinic } from '../support/clinic.ts';
import { cdrsIn } from '../support/controller-data.ts';
import type { SipCall } from '../support/sip-call.ts';
import type { Party } from '../support/sip-party.ts';
import { openSite, SITE_START_MS, type Caller, type Site } from '../support/site.ts';
import { until } from '../support/until.ts';

const DESK = '+15550150';
const path = '/accounts/test-clinic/supervisions';
const tones = { caller: 350, agent: 700, supervisor: 950 } as const;
type Voice = keyof typeof tones;
let site: Site;
let clinic: Clinic;
let api: Api;

const open = (instance: string): Promise<Clinic> => openClinic(site, {
    users: [{ id: 'ann', devices: [{ extension: '101' }] }, { id: 'sue', devices: [{ extension: '103' }] }, { id: 'joe', devices: [{ extension: '104' }] }],
    numbers: [{ e164: DESK, users: ['ann'], callConnect: 'off' }],
  }, {}, { FRONTDESK_INSTANCE: instance });

beforeAll(async () => {
  site = await openSite();
  clinic = await open('main');
  const agency = openApi(() => clinic.controller.httpUrl, firstKeyOf(clinic.controller));
  const made = await agency.write('POST', '/api-keys', { name: 'Sue', role: 'supervisor', account: 'test-clinic' });
  api = agency.as((made.json as { readonly secret: string }).secret);
}, SITE_START_MS);
afterEach(async () => {
  await site.afterTest();
  await clinic.expectNothingLeft();
});
afterAll(() => site.close());

interface Scene {
  readonly caller: Caller;
  readonly agent: SipCall;
  readonly callId: string;
  readonly suesPhone: Party;
}

/** A patient talks with Ann; Sue's phone is there. */
const talking = async (): Promise<Scene> => {
  const [annsPhone, suesPhone] = await Promise.all([site.phone('101', rings({ sound: tones.agent })), site.phone('103', rings({ sound: tones.supervisor }))]);
  const caller = await clinic.call(DESK, { sound: tones.caller });
  const agent = await annsPhone.nextCall();
  await agent.answer();
  await until(() => agent.hears(tones.caller) && caller.call.hears(tones.agent), { describe: 'the patient and Ann hear each other' });
  const [live] = (await api.get<{ readonly items: readonly { readonly callId: string }[] }>('/live-calls')).items;
  return { caller, agent, callId: live?.callId ?? '', suesPhone };
};

const ask = (body: object): Promise<ApiAnswer> => api.ask('POST', path, { phone: '103', mode: 'listen', ...body });
const begin = async ({ callId, suesPhone }: Scene, mode: Supervision['mode']): Promise<{ readonly sue: SipCall; readonly id: string }> => {
  const answer = await ask({ call: callId, mode });
  expect([answer.status, answer.json]).toMatchObject([201, { state: 'ringing', mode }]);
  const sue = await suesPhone.nextCall();
  await sue.answer();
  return { sue, id: (answer.json as Supervision).id };
};

const heardBy = (call: SipCall): readonly Voice[] => (Object.keys(tones) as Voice[]).filter((voice) => call.hears(tones[voice]));
/** Who hears whom. */
const hearing = (sue: SipCall, agent: SipCall, { call }: Caller, expected: { readonly agent: readonly Voice[]; readonly caller: readonly Voice[] }): Promise<unknown> => {
  const now = (): string => JSON.stringify([heardBy(sue), heardBy(agent), heardBy(call)]);
  const wanted = JSON.stringify([['caller', 'agent'], expected.agent, expected.caller]);
  // for longer than a tone of before is in the window
  let since: number | null = null;
  return until(() => {
    if (now() !== wanted) since = null;
    else since ??= performance.now();
    return since !== null && performance.now() - since > 250;
  }, { describe: `the supervisor, the agent and the caller hear ${wanted}`, everyMs: 20 });
};
const listens = { agent: ['caller'], caller: ['agent'] } as const;
const coaches = { agent: ['caller', 'supervisor'], caller: ['agent'] } as const;
const barges = { agent: ['caller', 'supervisor'], caller: ['agent', 'supervisor'] } as const;

/** Why it is refused. */
const said = async (body: object): Promise<string> => {
  const { status, json } = await ask(body);
  const { detail, problems } = json as { readonly detail: string; readonly problems: readonly { readonly path: string; readonly message: string }[] };
  return [status, problems.length === 0 ? detail : problems.map((one) => `${one.path} ${one.message}`).join()].join(' ');
};

const supervisionCdr = (id: string) => until(() => cdrsIn(clinic.dataDir).find(({ callId }) => callId === id), { describe: 'the record of the supervision is written' });

test('hears both unheard, speaks to the agent alone, and to both; hangs up, and they talk on', async () => {
  const scene = await talking();
  const { agent, caller } = scene;
  const { sue, id } = await begin(scene, 'listen');
  expect(sue.callerId()).toMatchObject({ name: 'Supervision: listen' });
  await hearing(sue, agent, caller, listens);
  await sue.press('5');
  await hearing(sue, agent, caller, coaches);
  await sue.press('6');
  await hearing(sue, agent, caller, barges);
  expect(await api.get(path)).toMatchObject({ items: [{ id, call: scene.callId, mode: 'barge', phone: '103', state: 'on' }] });
  expect((await api.write('PATCH', `${path}/${id}`, { mode: 'listen' })).status).toBe(200);
  await hearing(sue, agent, caller, listens);
  await sue.hangUp();
  const cdr = await supervisionCdr(id);
  expect(cdr).toMatchObject({ account: 'test-clinic', disposition: 'answered', endedBy: 'caller', caller: { number: '103' }, legs: [], supervision: { callId: scene.callId, legId: `${scene.callId}--l1` } });
  expect(cdr.supervision?.periods.map(({ mode }) => mode)).toEqual(['listen', 'coach', 'barge', 'listen']);
  await until(() => agent.hears(tones.caller) && caller.call.hears(tones.agent), { describe: 'the patient and Ann talk on' });
  await caller.call.hangUp();
  await agent.ended();
  const { supervisedBy } = await clinic.cdrOf(caller);
  expect(supervisedBy).toMatchObject([{ supervision: id, by: expect.any(String), periods: [{ mode: 'listen' }, { mode: 'coach' }, { mode: 'barge' }, { mode: 'listen' }] }]);
  expect(supervisedBy[0]?.periods.map(({ from, to }, i) => Math.abs(from - (cdr.supervision?.periods[i]?.from ?? 0)) < 500 && Math.abs((to ?? 0) - (cdr.supervision?.periods[i]?.to ?? 0)) < 500)).toEqual([true, true, true, true]);
  const audit = openApi(() => clinic.controller.httpUrl, firstKeyOf(clinic.controller));
  const { items } = await audit.get<{ readonly items: readonly { readonly action: string; readonly actor: string; readonly details: { readonly mode?: string; readonly call?: string } }[] }>('/audit-log?account=test-clinic');
  const entries = items.filter(({ action }) => action.startsWith('supervision.')).toReversed();
  expect(entries.map(({ action, details }) => `${action} ${details.mode ?? ''}`.trim())).toEqual([
    'supervision.rung listen', 'supervision.start listen', 'supervision.began listen', 'supervision.changed coach', 'supervision.changed barge', 'supervision.change listen', 'supervision.changed listen', 'supervision.ended',
  ]);
  expect(new Set(entries.map(({ actor }) => actor)).size).toBe(1);
});

test('goes on while the controller is dead and with another, and ends with the agent', async () => {
  const scene = await talking();
  const { agent, caller } = scene;
  const { sue, id } = await begin(scene, 'coach');
  await hearing(sue, agent, caller, coaches);
  await clinic.controller.kill();
  await hearing(sue, agent, caller, coaches);
  clinic = await open('second');
  // a key that is pressed while nobody is there is heard by nobody
  await until(async () => (await api.get<{ readonly items: readonly Supervision[] }>(path)).items.some((one) => one.id === id && one.state === 'on'), { describe: 'the other controller has the supervision' });
  await hearing(sue, agent, caller, coaches);
  await sue.press('6');
  await hearing(sue, agent, caller, barges);
  await agent.hangUp();
  await Promise.all([sue.ended(), caller.call.ended()]);
  expect((await supervisionCdr(id)).supervision?.periods.map(({ mode }) => mode)).toEqual(['coach', 'barge']);
  expect((await clinic.cdrOf(caller)).supervisedBy.map((one) => [one.supervision, one.periods.map(({ mode }) => mode)])).toEqual([[id, ['coach', 'barge']]]);
});

test('is refused with the way out: who may not, what is not there, what is not connected, and who hears already', async () => {
  const scene = await talking();
  const { callId, agent, caller } = scene;
  expect(await said({ call: 'nobody.1' })).toMatch(/^422 call there is no such call/);
  expect(await said({ call: callId, mode: 'shout' })).toBe('422 mode must be one of: listen, coach, barge.');
  expect(await said({ call: callId, phone: '199' })).toMatch(/^422 phone is no phone of this account/);
  expect(await said({ call: callId, phone: '104' })).toMatch(/^409 Phone 104 is not registered/);
  expect(await said({ call: callId, phone: '101' })).toMatch(/^409 Phone 101 is in this call itself/);
  expect(await said({ call: callId, agent: 'joe' })).toMatch(/^422 agent is not in this call/);
  expect(await said({ call: callId, leg: `${callId}--l9` })).toMatch(/^422 leg is not one of the two/);
  const { sue, id } = await begin(scene, 'listen');
  await hearing(sue, agent, caller, listens);
  expect(await said({ call: id })).toMatch(/^409 The call is a supervision itself/);
  expect((await api.ask('PATCH', `${path}/fdsupervision-0.main`, { mode: 'coach' })).status).toBe(404);
  expect((await api.ask('DELETE', `${path}/${id}`)).status).toBe(204);
  await sue.ended();
  const other = await clinic.call(DESK, { sound: tones.caller });
  await until(async () => (await said({ call: (await api.get<{ readonly items: readonly { readonly callId: string }[] }>('/live-calls')).items.find((one) => one.callId !== callId)?.callId ?? '' })).startsWith('409 The call is ringing'), { describe: 'a call that rings is refused' });
  await other.call.hangUp();
  await caller.call.hangUp();
  await agent.ended();
});
