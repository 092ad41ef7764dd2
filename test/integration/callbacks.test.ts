/** Callbacks on a real switch (Q6): a caller hangs up, is called back in turn, and what survives a controller's death. */
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Cdr } from '../../control-plane/core/cdr/cdr.ts';
import { firstKeyOf, openApi, type Api } from '../support/api.ts';
import { answersAfter, declines, rings } from '../support/behaviour.ts';
import { openClinic, type Clinic } from '../support/clinic.ts';
import { cdrsIn } from '../support/controller-data.ts';
import type { Controller } from '../support/controller.ts';
import type { Party } from '../support/sip-party.ts';
import { openSite, SITE_START_MS, type Caller, type Site } from '../support/site.ts';
import { stays, until } from '../support/until.ts';

const [FRONT, WITHHELD] = ['+12025550210', 'anonymous'];
const [MUSIC, ANN, PATIENT] = [440, 700, 900];
const queuePath = '/accounts/test-clinic/queues/front';
let site: Site;
let clinic: Clinic;
let controller: Controller;
let api: Api;

beforeAll(async () => {
  site = await openSite();
  clinic = await openClinic(site, {
    users: [{ id: 'ann', devices: [{ extension: '101' }] }],
    queues: [{
      id: 'front', name: 'front', strategy: 'longest-idle', agents: [{ user: 'ann' }], wrapUpSeconds: 0, noAnswerDelaySeconds: 1, joinNeeds: 'nobody', stayNeeds: 'nobody', music: { file: 'music.wav' },
      callback: { key: '2', attempts: 2, pauseSeconds: 10, ringSeconds: 20 },
    }],
    numbers: [{ e164: FRONT, route: { to: 'queue', id: 'front' }, users: [], callConnect: 'off', voicemail: 'off' }],
    tones: { music: { hz: MUSIC, seconds: 1 } },
  });
  ({ controller } = clinic);
  const key = firstKeyOf(controller);
  api = openApi(() => controller.httpUrl, key);
}, SITE_START_MS);
afterEach(async () => {
  await until(() => status('offline').then(() => true), { describe: 'the agent has gone home', within: 5_000 });
  for (const { id } of await callbacks(true)) await api.ask('DELETE', `${queuePath}/callbacks/${id}`);
  await site.afterTest();
});
afterAll(() => site.close());

interface Shown {
  readonly id: string;
  readonly number: string;
  readonly call: string | null;
  readonly state: string;
  readonly outcome: string | null;
  readonly tries: readonly { readonly call: string; readonly outcome: string | null }[];
}
const callbacks = async (open = false): Promise<readonly Shown[]> => (await api.get<{ items: readonly Shown[] }>(`${queuePath}/callbacks${open ? '?open=true' : ''}`)).items;
const callbackOf = async (caller: Caller): Promise<Shown> => (await callbacks()).find(({ number }) => number === numberOf(caller)) ?? expect.fail('it is not kept');
const status = (chosen: string): Promise<unknown> => api.write('PUT', '/accounts/test-clinic/agents/ann/status', { status: chosen });
const comes = async (): Promise<void> => {
  await api.write('PUT', '/accounts/test-clinic/agents/ann/devices', { devices: ['101'] });
  await status('available');
};
const numberOf = (caller: Caller): string => caller.call.callerId().number;
const line = async (): Promise<readonly string[]> => (await api.get<{ waiting: readonly { caller: string; callback: boolean }[] }>(`${queuePath}/live`)).waiting.map(({ caller, callback }) => `${caller}${callback ? ' is called back' : ''}`);
const lineIs = (...wanted: readonly string[]) => until(async () => JSON.stringify(await line()) === JSON.stringify(wanted), { describe: `the line is ${wanted.join(', ')}`, within: 14_000 });

let n = 0;
const joins = async (): Promise<Caller> => {
  n += 1;
  const caller = await clinic.call(FRONT, { from: `+1303558${String(1000 + n)}` });
  await until(async () => (await line()).includes(numberOf(caller)), { describe: 'the desk holds the place' });
  return caller;
};
/** Asks for it with the key, hears which number is called, and confirms. */
const asksToBeCalledBack = async (caller: Caller): Promise<void> => {
  await until(() => caller.call.hears(MUSIC), { describe: 'the caller hears music' });
  await caller.call.press('2');
  await until(() => !caller.call.hears(MUSIC) && !caller.call.hearsNothing(), { describe: 'the caller hears the number' });
  await until(async () => (await clinic.stateOf(caller)).visit?.callback !== undefined && !caller.call.hearsNothing(), { describe: 'it is asked' });
  await stays(() => !caller.call.hears(MUSIC), { describe: 'the question goes on', forMs: 900 });
  await caller.call.press('2');
  await caller.call.ended(12_000);
};
/** One who shows no number: hears so, and then the music again. */
const isToldThatItCannotBeDone = async (caller: Caller): Promise<void> => {
  await until(() => caller.call.hears(MUSIC), { describe: 'the caller without a number hears music' });
  await caller.call.press('2');
  await until(() => !caller.call.hears(MUSIC) && !caller.call.hearsNothing(), { describe: 'the caller hears that it cannot be done' });
  await until(() => caller.call.hears(MUSIC), { describe: 'the caller hears music again', within: 10_000 });
};
const cdrOfCall = (callId: string): Promise<Cdr> => until(() => cdrsIn(clinic.dataDir).find((cdr) => cdr.callId === callId), { describe: `call ${callId} has a record`, within: 5_000 });
/** Ann's phone rings, and the two talk. */
const annTalksWith = async (ann: Party, mobile: { hears(hz: number): boolean }): Promise<void> => {
  await (await ann.nextCall(8_000)).answer();
  await until(() => mobile.hears(ANN), { describe: 'the caller hears the agent', within: 5_000 });
};

describe('A caller who asks to be called back', { timeout: 60_000 }, () => {
  test('hears the number and a goodbye, and is called before who came later; on the key the two talk. One without a number waits on', async () => {
    const ann = await site.phone('101', rings({ sound: ANN }));
    const caller = await joins();
    const later = await joins();
    const nobody = await clinic.call(FRONT, { from: WITHHELD });
    await Promise.all([asksToBeCalledBack(caller), isToldThatItCannotBeDone(nobody)]);
    await nobody.call.hangUp();
    await lineIs(`${numberOf(caller)} is called back`, numberOf(later));
    const own = await clinic.cdrOf(caller);
    const kept = await callbackOf(caller);
    expect(own.queues).toMatchObject([{ outcome: 'callback', callback: kept.id }]);

    const patient = await site.carrier(rings({ sound: PATIENT }));
    await comes();
    const rung = await patient.nextCall(8_000);
    expect(rung.callerId().number).toBe(FRONT);
    expect(await api.get('/accounts/test-clinic/agents/ann')).toMatchObject({ state: 'offered' });
    await rung.answer();
    await until(() => !rung.hearsNothing(), { describe: 'the patient hears who calls' });
    expect(ann.calls).toHaveLength(0);
    await rung.press('1');
    await annTalksWith(ann, rung);
    expect(await line()).toEqual([numberOf(later)]);
    await rung.hangUp();
    await annTalksWith(ann, later.call);
    await later.call.hangUp();

    const over = await callbackOf(caller);
    expect(over).toMatchObject({ call: own.callId, state: 'over', outcome: 'reached', tries: [{ outcome: 'reached' }] });
    expect(await cdrOfCall(over.tries[0]?.call ?? '')).toMatchObject({
      callback: { id: kept.id, of: own.callId, attempt: 1 }, caller: { number: numberOf(caller) }, dialled: FRONT, disposition: 'answered', queues: [{ outcome: 'connected', agent: 'ann' }],
    });
  });

  test('and does not take the call is tried again after a while; who came later is served meanwhile', async () => {
    const ann = await site.phone('101', rings({ sound: ANN }));
    const caller = await joins();
    await asksToBeCalledBack(caller);
    const declining = await site.carrier(declines);
    await comes();
    const later = await joins();
    await annTalksWith(ann, later.call);
    expect(declining.calls).toHaveLength(1);
    await later.call.hangUp();
    await declining.stop();
    const mailbox = await site.carrier(answersAfter(50, { sound: PATIENT }));
    // A mailbox presses no key, and no agent is rung for it.
    const talking = await mailbox.nextCall(14_000);
    await until(() => !talking.hearsNothing(), { describe: 'the mailbox hears who calls' });
    await talking.hangUp();
    await until(async () => (await callbackOf(caller)).outcome === 'unanswered' || undefined, { describe: 'it is given up', within: 4_000 });
    expect(ann.calls).toHaveLength(1);
    expect(await line()).toEqual([]);
    expect((await callbackOf(caller)).tries.map(({ outcome }) => outcome)).toEqual(['declined', expect.stringMatching(/^(declined|no-answer)$/)]);
  });

  test('is called once, whoever dies: the controller after the goodbye, with Redis’s memory, and again while the phone rings', async () => {
    const ann = await site.phone('101', rings({ sound: ANN }));
    const caller = await joins();
    await asksToBeCalledBack(caller);
    await controller.kill();
    await site.redis.empty();
    const start = async (): Promise<void> => {
      controller = await site.startController({ planFile: join(site.folder, 'clinic', 'plan.yaml'), dataDir: clinic.dataDir });
    };
    await start();
    await lineIs(`${numberOf(caller)} is called back`);

    const patient = await site.carrier(rings({ sound: PATIENT }));
    await until(() => comes().then(() => true), { describe: 'the agent is there', within: 5_000 });
    const rung = await patient.nextCall(8_000);
    // What is not in the journal yet nobody knows: then the try is over.
    await until(async () => (await site.redis.journals()).some((records) => records.some((text) => text.includes('LegRang'))) || undefined, { describe: 'the ringing is in the journal' });
    await controller.kill();
    await start();
    await rung.answer();
    await until(() => !rung.hearsNothing(), { describe: 'the patient hears who calls', within: 5_000 });
    await rung.press('1');
    await annTalksWith(ann, rung);
    await stays(() => patient.calls.length === 1, { describe: 'nobody is called twice', forMs: 1_000 });
    await rung.hangUp();
    await until(async () => (await callbackOf(caller)).outcome === 'reached' || undefined, { describe: 'it is over', within: 6_000 });
    expect((await callbackOf(caller)).tries).toHaveLength(1);
  });
});
