/**
 * Callers find their way by keys, on a real switch: menus in menus, keys typed at once or early, none, wrong ones,
 * extensions, and a controller that is killed meanwhile. Each prompt is a tone of its own.
 */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { answersAfter, rings } from '../support/behaviour.ts';
import { openClinic, PROMPTS, type Clinic, type ClinicPlan } from '../support/clinic.ts';
import { openSite, SITE_START_MS, type Caller, type Site } from '../support/site.ts';
import { isRingback } from '../support/tone.ts';
import { until } from '../support/until.ts';

const [MAIN, ANNOUNCED, QUICK, PATIENT] = ['+15550501', '+15550502', '+15550503', '+15550504'] as const;
const tones = {
  main: { hz: 1_600, seconds: 20 }, second: { hz: 1_750, seconds: 20 }, third: { hz: 1_900, seconds: 20 },
  quick: { hz: 2_050, seconds: 0.5 }, invalid: { hz: 2_200, seconds: 0.5 }, closed: { hz: 2_400, seconds: 0.5 }, patient: { hz: 2_600, seconds: 0.5 },
} as const;
const [ANN, BEN] = [700, 900];
const file = (name: keyof typeof tones): object => ({ file: `${name}.wav` });
const to = (target: 'menu' | 'user', id: string): object => ({ to: target, id });
const asks = (id: keyof typeof tones, options: object, more: object = {}): object => ({ id, name: id, prompt: file(id), invalidPrompt: file('invalid'), tries: 2, options, ...more });
const plan: ClinicPlan = {
  users: [{ id: 'ann', devices: [{ extension: '101' }] }, { id: 'ben', devices: [{ extension: '102' }] }],
  numbers: [
    { e164: MAIN, route: to('menu', 'main'), callConnect: 'off' },
    { e164: ANNOUNCED, route: to('menu', 'main'), callConnect: 'off', announcement: { file: 'announcement.wav' } },
    { e164: QUICK, route: to('menu', 'quick'), callConnect: 'off', voicemail: { greeting: { file: 'greeting.wav' } } },
    { e164: PATIENT, route: to('menu', 'patient'), callConnect: 'off' },
  ],
  menus: [
    asks('main', { 1: to('menu', 'second') }),
    asks('second', { 3: to('menu', 'third'), '*': to('menu', 'main') }),
    asks('third', { 2: to('user', 'ann') }, { dialByExtension: true, betweenKeysSeconds: 10 }),
    asks('quick', { 1: to('user', 'ann') }, { waitSeconds: 1, invalid: { to: 'message', message: file('closed') } }),
    asks('patient', { 1: to('menu', 'main') }, { waitSeconds: 60 }),
  ],
  tones,
};
let site: Site;
let clinic: Clinic;

beforeAll(async () => {
  site = await openSite();
  clinic = await openClinic(site, plan);
}, SITE_START_MS);
afterEach(() => site.afterTest());
afterAll(() => site.close());

const hears = (caller: Caller, what: keyof typeof tones | number): Promise<unknown> =>
  until(() => caller.call.hears(typeof what === 'number' ? what : tones[what].hz), { describe: `the caller hears ${what}`, within: 8_000 });
/** A caller who hears the menu, and presses these keys. */
const inMenu = async (number: string, first: keyof typeof tones | number, keys = ''): Promise<Caller> => {
  const caller = await clinic.call(number);
  await caller.call.connected();
  await hears(caller, first);
  await caller.call.press(keys);
  return caller;
};
const menusOf = async (caller: Caller): Promise<readonly string[]> => (await clinic.cdrOf(caller)).menus.map(({ step, keys, outcome, to: next }) => `${step} ${keys === '' ? '-' : keys} ${outcome} ${next ?? 'again'}`);
const promptsTo = async (caller: Caller): Promise<number> => (await clinic.journalOf(caller)).flatMap((record) => (record.kind === 'step' ? record.commands : [])).filter(({ type }) => type === 'PlayPrompt').length;

test('keys typed at once lead three menus deep, also when they were typed during the announcement; one key stops a prompt', async () => {
  await site.phone('101', answersAfter(50, { sound: ANN }));
  const [typist, early, listener] = await Promise.all([inMenu(MAIN, 'main', '132'), inMenu(ANNOUNCED, PROMPTS.announcement, '132'), inMenu(MAIN, 'main', '1')]);
  await Promise.all([hears(typist, ANN), hears(early, ANN), hears(listener, 'second')]);
  expect([listener.call.hears(tones.main.hz), listener.call.hears(tones.second.hz)]).toEqual([false, true]);
  await listener.call.press('*');
  await hears(listener, 'main');
  await Promise.all([typist, early, listener].map(({ call }) => call.hangUp()));
  const way = ['menu.main 1 option menu.second', 'menu.second 3 option menu.third', 'menu.third 2 option user.ann'];
  expect([await menusOf(typist), await menusOf(early)]).toEqual([way, way]);
  expect(await clinic.cdrOf(typist)).toMatchObject({ disposition: 'answered' });
  // the announcement, and no menu
  expect(await promptsTo(early)).toBe(1);
  expect(await menusOf(listener)).toEqual(['menu.main 1 option menu.second', 'menu.second * option menu.main', 'menu.main - left again']);
});

test('without a key the menu is heard again and then left, and with wrong keys that is said first', async () => {
  const [silent, wrong] = await Promise.all([inMenu(QUICK, 'quick'), inMenu(QUICK, 'quick', '7')]);
  await Promise.all([
    hears(silent, PROMPTS.greeting),
    (async () => {
      await hears(wrong, 'invalid');
      await hears(wrong, 'quick');
      await wrong.call.press('8');
      await hears(wrong, 'closed');
      await wrong.call.ended();
    })(),
  ]);
  await silent.call.hangUp();
  expect(await menusOf(silent)).toEqual(['menu.quick - noKey again', 'menu.quick - noKey voicemail']);
  expect(await menusOf(wrong)).toEqual(['menu.quick 7 invalid again', 'menu.quick 8 invalid message']);
  expect(wrong.call.endedBy()).toBe('switch');
});

test('an extension that is dialled rings, and one that nobody has is asked for again', async () => {
  const desk = await site.phone('102', rings({ sound: BEN }));
  const [dials, misdials] = await Promise.all([inMenu(MAIN, 'main', '13102'), inMenu(MAIN, 'main', '13199')]);
  await Promise.all([
    until(() => isRingback(dials.call.audio()?.heard(200) ?? new Int16Array(0)), { describe: 'who dials hears ringing' })
      .then(async () => (await desk.nextCall()).answer()).then(() => hears(dials, BEN)),
    hears(misdials, 'invalid'),
  ]);
  await misdials.call.press('102');
  await (await desk.nextCall()).answer();
  await hears(misdials, BEN);
  await Promise.all([dials, misdials].map(({ call }) => call.hangUp()));
  expect((await menusOf(dials)).at(-1)).toMatch(/^menu\.third 102 extension extension-\d+$/);
  expect((await menusOf(misdials)).slice(2)).toEqual(['menu.third 199 invalid again', expect.stringMatching(/^menu\.third 102 extension/)]);
  expect((await clinic.cdrOf(misdials)).legs).toMatchObject([{ user: 'ben', disposition: 'answered' }]);
});

test('a controller is killed: who waits hears the prompt again, who was dialling an extension goes on', async () => {
  await site.phone('101', answersAfter(50, { sound: ANN }));
  await site.phone('102', answersAfter(50, { sound: BEN }));
  const [waits, dials] = await Promise.all([inMenu(PATIENT, 'patient'), inMenu(MAIN, 'main', '131')]);
  await until(async () => {
    const [one, other] = [await clinic.stateOf(waits), await clinic.stateOf(dials)];
    return one.phase === 'menu' && one.promptId === null && other.phase === 'menu' && other.digits === '1';
  }, { describe: 'one waits in silence, one is in the middle of an extension' });
  await clinic.controller.kill();
  await until(() => waits.call.hearsNothing(), { describe: 'who waits hears nothing' });
  // as soon as the controller is there, which is before it says so
  const heard = hears(waits, 'patient');
  clinic = await openClinic(site, plan);
  await Promise.all([
    heard.then(() => waits.call.press('1132')).then(() => hears(waits, ANN)),
    until(async () => (await clinic.liveJournalOf(dials)).some((record) => record.kind === 'step' && record.event.type === 'CallAdopted'), { describe: 'the call was taken over' })
      .then(() => dials.call.press('02')).then(() => hears(dials, BEN)),
  ]);
  await Promise.all([waits, dials].map(({ call }) => call.hangUp()));
  expect(await clinic.cdrOf(waits)).toMatchObject({ disposition: 'answered', reconstructed: false });
  expect((await menusOf(dials)).at(-1)).toMatch(/^menu\.third 102 extension/);
});
