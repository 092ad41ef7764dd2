/** What a run of the model varies: the plan, what each party does, what breaks and when. Plain JSON, so that it can be kept. */
import * as fc from 'fast-check';
import type { PlanExtension } from '../../control-plane/core/call/commands.ts';
import type { CallEvent } from '../../control-plane/core/call/events.ts';
import type { SettingChanger } from '../../control-plane/runtime/controller.ts';
import type { Clock } from '../../control-plane/runtime/clock.ts';
import type { Plan, Attempt, MenuStep, RingPattern, RingStep, Setting, Step } from '../../control-plane/core/routing/plan.ts';
import type { Media } from '../../control-plane/core/routing/config.ts';
import { seal } from '../../control-plane/core/routing/seal.ts';
import { supervisionModes, type SupervisionMode } from '../../control-plane/core/routing/supervision.ts';
import type { PartyAct, PartyStep } from '../../control-plane/media/simulated/parts.ts';

export type Break =
  | { readonly atMs: number; readonly does: 'link loss'; readonly forMs: number }
  /** The journal of the new controller: all, the first `keep` of each call's records, or none. */
  | { readonly atMs: number; readonly does: 'restart'; readonly forMs: number; readonly keep: 'all' | number }
  /** Timers that were armed once, and are not any more, fire; events of bridges and recordings of before come again. */
  | { readonly atMs: number; readonly does: 'late timer' };

export interface ScenarioPhone {
  readonly kind: 'device' | 'external';
  readonly screening: '' | 'any' | '1';
  readonly whisper: boolean;
  readonly ringMs: number;
  readonly script: readonly PartyStep[];
  /** Rings so much later than the others. */
  readonly delayMs?: number;
  /** Behind a switchboard. */
  readonly extension?: boolean;
  /** Of the same destination as the phone before it. */
  readonly together?: boolean;
}

/** `extensions`: who is dialled by them; with `as options` their first key is an option, too. */
export interface ScenarioMenu {
  readonly deep: number;
  readonly tries: number;
  readonly extensions: 'none' | 'apart' | 'as options';
  /** Nobody answered: back to it. */
  readonly again: boolean;
}

export interface ScenarioQueue {
  readonly patienceMs: number;
  readonly messages: boolean;
  /** Whether a caller who asks for it, with the key 1, is called back; `withheld`: one who shows no number. Absent: nobody is. */
  readonly callback?: 'kept' | 'not kept' | 'withheld';
}

/** Somebody hears the first call, from that moment on: `does` are keys of theirs, `asks` modes that are asked for elsewhere. */
export interface ScenarioSupervisor {
  readonly afterMs: number;
  readonly mode: SupervisionMode;
  /** Of the caller, or of whoever talks with them. */
  readonly of: 'caller' | 'agent';
  readonly does: readonly PartyStep[];
  readonly asks: readonly { readonly afterMs: number; readonly mode: SupervisionMode }[];
}

export interface Scenario {
  readonly announcement: boolean;
  /** Before the phones ring. Absent: none. */
  readonly menu?: ScenarioMenu;
  /** A code of the night switch, or of an agent, is dialled, and nothing else of this comes into it: how long setting it takes, and whether it is. */
  readonly code?: { readonly of: Setting['of']; readonly takesMs: number; readonly ok: boolean };
  /** Callers wait for the phones as agents, and leave with the key 2. Absent: none. */
  readonly queue?: ScenarioQueue;
  readonly voicemail: boolean;
  /** Nobody has called: this is a callback, and who is called back does this. Absent: somebody has. */
  readonly calledBack?: readonly PartyStep[];
  /** How the phones ring; absent: all at once. */
  readonly pattern?: RingPattern;
  /** Whether calls are recorded; `announced`: once both have heard so. Absent: not. */
  readonly recording?: 'off' | 'on' | 'announced';
  readonly ringMs: number;
  readonly phones: readonly ScenarioPhone[];
  readonly caller: readonly PartyStep[];
  /** What a phone does that a call is transferred to: `extensions`. Absent: rings, and nothing else. */
  readonly wanted?: readonly (readonly PartyStep[])[];
  /** The callers are phones too: they may transfer who they have called, and are rung again like others. */
  readonly phonesCall?: boolean;
  /** Other callers of the same number; they ring the same phones. */
  readonly more?: readonly { readonly afterMs: number; readonly caller: readonly PartyStep[] }[];
  readonly supervisor?: ScenarioSupervisor;
  readonly breaks: readonly Break[];
  /** Per cent of requests that fail, of events that come twice, of recordings that fail. */
  readonly faults: { readonly requests: number; readonly twice: number; readonly recordings: number; readonly prompts: boolean };
  /** Longest delay of a message, ms; with `seed` it decides every order. */
  readonly jitterMs: number;
  readonly seed: number;
}

const shortly = fc.integer({ min: 0, max: 4000 });

/** Extensions that a phone may transfer to: the first two are there. */
export const extensions = ['x0', 'x1'] as const;
const nobody = 'nobody';
const handOver: PartyStep['does'] = { refer: nobody, attended: true };
const refer: fc.Arbitrary<PartyStep['does']> = fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...extensions, ...extensions, nobody).map((to) => ({ refer: to })) }, { weight: 1, arbitrary: fc.constant(handOver) });

const talk: fc.Arbitrary<PartyStep> = fc.record({
  afterMs: shortly,
  does: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom('1', '2').map((press) => ({ press })) },
    { weight: 2, arbitrary: fc.constantFrom<PartyStep['does']>('hold', 'unhold') },
    { weight: 2, arbitrary: refer },
    { weight: 2, arbitrary: fc.constant<PartyStep['does']>('hang-up') },
  ),
});

/** One who keeps pressing everything but the end of the call. */
const fidget: fc.Arbitrary<PartyStep> = fc.record({ afterMs: fc.integer({ min: 0, max: 900 }), does: fc.oneof(fc.constantFrom<PartyStep['does']>('hold', 'unhold'), fc.constant({ refer: nobody })) });

const phoneScript: fc.Arbitrary<readonly PartyStep[]> = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(shortly, shortly, fc.array(talk, { maxLength: 5 })).map(([ring, answer, then]): PartyStep[] => [{ afterMs: ring, does: 'ring' }, { afterMs: answer, does: 'answer' }, ...then]) },
  { weight: 1, arbitrary: fc.tuple(shortly, fc.constantFrom<PartyStep['does']>('busy', 'decline')).map(([ms, does]): PartyStep[] => [{ afterMs: ms, does }]) },
  { weight: 1, arbitrary: fc.tuple(shortly, shortly).map(([ring, ms]): PartyStep[] => [{ afterMs: ring, does: 'ring' }, { afterMs: ms, does: 'decline' }]) },
  { weight: 1, arbitrary: shortly.map((ms): PartyStep[] => [{ afterMs: ms, does: 'ring' }]) },
  { weight: 1, arbitrary: fc.constant([]) },
);

const phone: fc.Arbitrary<ScenarioPhone> = fc.record({
  kind: fc.constantFrom('device', 'external'),
  screening: fc.constantFrom('', 'any', '1'),
  whisper: fc.boolean(),
  ringMs: fc.constantFrom(3000, 8000, 15_000),
  script: phoneScript,
  delayMs: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constantFrom(1, 2000, 9000) }),
  extension: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  together: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
});

const when = fc.integer({ min: 0, max: 25_000 });
const outage = fc.constantFrom(1, 50, 500, 3000, 9000);

const breaks: fc.Arbitrary<Break> = fc.oneof(
  fc.record({ atMs: when, does: fc.constant('link loss' as const), forMs: outage }),
  fc.record({ atMs: when, does: fc.constant('restart' as const), forMs: outage, keep: fc.oneof(fc.constant('all' as const), fc.integer({ min: 0, max: 40 })) }),
  fc.record({ atMs: when, does: fc.constant('late timer' as const) }),
);

/** Some keys lead on, some lead nowhere, some begin an extension. */
const key: fc.Arbitrary<PartyStep['does']> = fc.constantFrom('1', '1', '1', '2', '3', '4', '41', '419', '7', '#', '*').map((press) => ({ press }));
const chooses: fc.Arbitrary<PartyStep> = fc.record({ afterMs: shortly, does: fc.oneof({ weight: 6, arbitrary: key }, { weight: 1, arbitrary: fc.constant<PartyStep['does']>('hang-up') }) });
/** Who knows the way, or thinks so. */
const types: fc.Arbitrary<PartyStep> = fc.record({ afterMs: fc.integer({ min: 0, max: 400 }), does: key });

/** One who has somebody to talk with by then, and transfers them. */
const handOn: fc.Arbitrary<PartyStep> = fc.record({ afterMs: fc.integer({ min: 3000, max: 12_000 }), does: fc.constantFrom(...extensions).map((to) => ({ refer: to })) });

const anyCaller: fc.Arbitrary<readonly PartyStep[]> = fc.oneof(
  { weight: 2, arbitrary: fc.array(talk, { maxLength: 4 }) },
  { weight: 1, arbitrary: fc.array(fidget, { maxLength: 30 }) },
  { weight: 1, arbitrary: fc.tuple(handOn, fc.array(talk, { maxLength: 2 })).map(([first, then]) => [first, ...then]) },
);
const callerOfMenus: fc.Arbitrary<readonly PartyStep[]> = fc.oneof(
  { weight: 2, arbitrary: anyCaller },
  { weight: 2, arbitrary: fc.array(chooses, { maxLength: 8 }) },
  { weight: 1, arbitrary: fc.array(types, { maxLength: 12 }) },
).map((steps) => steps.flatMap(oneByOne));

/** One key a step: `41` is two. */
function oneByOne({ afterMs, does }: PartyStep): readonly PartyStep[] {
  if (typeof does !== 'object' || !('press' in does)) return [{ afterMs, does }];
  return does.press.split('').map((press, i) => ({ afterMs: i === 0 ? afterMs : 150, does: { press } }));
}

const menu: fc.Arbitrary<ScenarioMenu> = fc.record({
  deep: fc.integer({ min: 1, max: 3 }), tries: fc.integer({ min: 1, max: 3 }), extensions: fc.constantFrom('none', 'apart', 'as options'), again: fc.boolean(),
});

const queue: fc.Arbitrary<ScenarioQueue> = fc.record({ patienceMs: fc.constantFrom(2000, 15_000, 60_000), messages: fc.boolean(), callback: fc.constantFrom('kept', 'kept', 'not kept', 'withheld') });

/** In a queue: asks, and confirms once the question was heard, or before. */
const asksToBeCalledBack: fc.Arbitrary<readonly PartyStep[]> = fc.tuple(shortly, fc.integer({ min: 300, max: 5000 }), fc.array(talk, { maxLength: 2 })).map(([ask, confirm, then]) => [{ afterMs: ask, does: { press: '1' } }, { afterMs: confirm, does: { press: '1' } }, ...then]);

/** Who is called back, answers and presses the key, or not. */
const reached: fc.Arbitrary<readonly PartyStep[]> = fc.tuple(phoneScript, fc.boolean()).map(([script, presses]) => script.flatMap((one) => (one.does === 'answer' && presses ? [one, { afterMs: 1500, does: { press: '1' } }] : [one])));

const supervisor: fc.Arbitrary<ScenarioSupervisor> = fc.record({
  afterMs: fc.integer({ min: 0, max: 15_000 }), mode: fc.constantFrom(...supervisionModes), of: fc.constantFrom('caller', 'agent'),
  does: fc.array(fc.record({ afterMs: fc.integer({ min: 100, max: 3000 }), does: fc.constantFrom<PartyStep['does']>({ press: '4' }, { press: '5' }, { press: '6' }, { press: '7' }, 'hold', 'unhold', { refer: nobody }, 'hang-up') }), { maxLength: 6 }),
  asks: fc.array(fc.record({ afterMs: fc.integer({ min: 0, max: 6000 }), mode: fc.constantFrom(...supervisionModes) }), { maxLength: 3 }),
});
/** They pick up soon and talk for a while, so that there is something to hear. */
const talksOn: Pick<Scenario, 'phones' | 'caller'> = { caller: [], phones: [{ kind: 'device', screening: '', whisper: false, ringMs: 8000, script: [{ afterMs: 10, does: 'ring' }, { afterMs: 200, does: 'answer' }, { afterMs: 20_000, does: 'hang-up' }] }] };

/** The longest takes longer than is waited for. */
const code = fc.record({ of: fc.constantFrom<Setting['of']>('night-switch', 'agent'), takesMs: fc.constantFrom(1, 40, 3000, 12_000, 60_000), ok: fc.boolean() });

const scenarioOf = (caller: fc.Arbitrary<readonly PartyStep[]>): fc.Arbitrary<Scenario> => fc.record({
  announcement: fc.boolean(),
  voicemail: fc.boolean(),
  pattern: fc.constantFrom<RingPattern>('simultaneous', 'simultaneous', 'sequential', 'round-robin', 'round-robin', 'round-robin', 'least-connected'),
  recording: fc.constantFrom('off', 'on', 'announced'),
  ringMs: fc.constantFrom(4000, 10_000, 15_000),
  phones: fc.array(phone, { minLength: 1, maxLength: 4 }),
  caller,
  wanted: fc.array(phoneScript, { minLength: extensions.length, maxLength: extensions.length }),
  phonesCall: fc.boolean(),
  more: fc.oneof({ weight: 4, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.array(fc.record({ afterMs: fc.integer({ min: 0, max: 12_000 }), caller }), { maxLength: 2 }) }),
  breaks: fc.oneof({ weight: 1, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.array(breaks, { maxLength: 3 }) }),
  faults: fc.oneof(
    { weight: 2, arbitrary: fc.constant({ requests: 0, twice: 0, recordings: 0, prompts: false }) },
    { weight: 1, arbitrary: fc.record({ requests: fc.constantFrom(0, 5, 20), twice: fc.constantFrom(0, 30), recordings: fc.constantFrom(0, 50), prompts: fc.boolean() }) },
  ),
  jitterMs: fc.constantFrom(1, 10, 60),
  seed: fc.nat(),
});

/** A phone has two calls, and transfers one of the callers to the other, who has a phone too. */
const handsOver: fc.Arbitrary<Scenario> = fc.tuple(scenarioOf(anyCaller), fc.record({
  ring: fc.nat(500), answer: fc.nat(800), after: fc.integer({ min: 1500, max: 5000 }), later: fc.array(talk, { maxLength: 2 }), second: fc.nat(1500), silent: fc.boolean(),
})).map(([rest, { ring, answer, after, later, second, silent }]) => ({
  ...rest, phonesCall: true, caller: silent ? [] : rest.caller, more: [{ afterMs: second, caller: [] }],
  phones: [{ kind: 'device', screening: '', whisper: false, ringMs: 8000, script: [{ afterMs: ring, does: 'ring' }, { afterMs: answer, does: 'answer' }, { afterMs: after, does: handOver }, ...later] }],
}));

export const scenario: fc.Arbitrary<Scenario> = fc.oneof(
  { weight: 24, arbitrary: scenarioOf(anyCaller) },
  { weight: 1, arbitrary: handsOver },
  { weight: 3, arbitrary: fc.tuple(code, scenarioOf(anyCaller)).map(([dialled, rest]) => ({ ...rest, code: dialled })) },
  { weight: 1, arbitrary: fc.tuple(supervisor, scenarioOf(anyCaller), fc.boolean()).map(([hears, rest, talks]) => ({ ...rest, ...(talks ? talksOn : {}), supervisor: hears })) },
  { weight: 6, arbitrary: fc.tuple(queue, scenarioOf(fc.oneof(anyCaller, asksToBeCalledBack))).map(([waits, rest]) => ({ ...rest, queue: waits })) },
  { weight: 3, arbitrary: fc.tuple(queue, reached, scenarioOf(fc.constant([]))).map(([waits, calledBack, rest]) => ({ ...rest, queue: waits, calledBack, phonesCall: false, more: [] })) },
  { weight: 6, arbitrary: fc.tuple(menu, scenarioOf(callerOfMenus)).map(([asks, rest]) => ({ ...rest, menu: asks })) },
);

/** What says that the call is recorded. */
export const recordedMedia: Media = 'sound:recorded';

/** External numbers have two trunks each. */
function attemptsOf(of: Scenario): readonly Attempt[] {
  const { pattern = 'simultaneous' } = of;
  return of.phones.map((one, i) => ({
    user: `u${i}`, label: `phone ${i}`, ringMs: one.ringMs, callerId: { number: '+15550100', name: 'Ann' },
    target: one.kind === 'device' ? { kind: 'device', device: partyOf(of, i) } : { kind: 'external', number: partyOf(of, i), trunks: ['t1', 't2'] },
    whisper: [...(one.whisper ? ['sound:whisper' as const] : []), ...(of.recording === 'announced' ? [recordedMedia] : [])],
    ...(of.recording === 'on' || of.recording === 'announced' ? { recording: { announced: of.recording === 'announced' } } : {}),
    ...(one.screening === '' ? {} : { screening: { key: one.screening, prompt: ['sound:press'], waitMs: 6000 } }),
    ...(pattern === 'simultaneous' ? {} : { destination: `d${of.phones.findLastIndex(({ together }, at) => at <= i && (together !== true || at === 0))}` }),
    ...(one.delayMs === undefined || one.delayMs === 0 ? {} : { delayMs: one.delayMs }),
    ...(one.extension === true ? { dialExtension: { digits: '2w04', delayMs: 300 } } : {}),
  }));
}

export function planOf(of: Scenario): Plan {
  if (of.code !== undefined) return codePlans[of.code.of];
  const { pattern = 'simultaneous' } = of;
  const after = of.voicemail ? 'voicemail' : 'bye';
  const begin = of.queue !== undefined ? 'queue' : of.menu === undefined ? 'ring' : 'menu';
  const steps: Record<string, Step> = {
    ring: {
      kind: 'ring', pattern, ...(pattern === 'round-robin' || pattern === 'least-connected' ? { group: 'front' } : {}), attempts: attemptsOf(of), ringMs: of.ringMs, taken: ['sound:taken'],
      on: { noAnswer: of.menu?.again === true ? 'menu' : after },
    },
    bye: { kind: 'hang-up', cause: 'no-answer' },
  };
  for (let n = 0; n < (of.menu?.deep ?? 0); n++) if (of.menu !== undefined) steps[menuId(n)] = menuStep(of.menu, n, after);
  if (of.queue !== undefined) {
    const { callback } = of.queue;
    if (callback !== undefined) steps['goodbye'] = saying('sound:goodbye');
    steps['queue'] = {
      kind: 'queue', queue: 'front', priority: 0, sticky: false, greeting: ['sound:welcome'], music: ['sound:music'], exitKey: '2',
      ...(callback === undefined ? {} : { callback: { key: '1', number: callback === 'withheld' ? null : '+15550100', asks: ['sound:asks'], sorry: ['sound:sorry'] } }),
      ...(of.queue.messages ? { messages: { everyMs: 4000, media: [['sound:patience'], ['sound:soon']] } } : {}),
      on: { ...(callback === undefined ? {} : { callback: 'goodbye' }), exitKey: after, full: after, empty: after, maxWait: 'ring', closed: after },
    };
  }
  const announces = of.recording === 'announced';
  const said: Media[] = [...(of.announcement ? ['sound:hello' as const] : []), ...(announces ? [recordedMedia] : [])];
  if (said.length > 0) steps['announcement'] = { kind: 'announcement', media: said, ...(announces ? { announcesRecording: true as const } : {}), on: { done: begin } };
  if (of.voicemail) steps['voicemail'] = { kind: 'voicemail', greeting: ['sound:greeting'], maxMs: 20_000, silenceMs: 5000, on: { done: 'bye' } };
  const opens = said.length > 0 ? 'announcement' : begin;
  if (of.calledBack !== undefined) steps['callback'] = { kind: 'ring', pattern: 'simultaneous', attempts: [calledBackAttempt], ringMs: 15_000, taken: [], serve: opens, on: { noAnswer: 'bye' } };
  const first = of.calledBack === undefined ? opens : 'callback';
  return seal({ account: { id: 'a', name: 'Clinic' }, number: { e164: '+15550001', label: 'main' }, first, last: after, steps, reasons: [], maxCallMs: 600_000 });
}

const calledBackAttempt: Attempt = {
  user: '', label: 'who is called back', ringMs: 8000, callerId: { number: '+15550001', name: '' }, target: { kind: 'external', number: '+15550100', trunks: ['t1', 't2'] }, whisper: [],
  screening: { key: '1', prompt: ['sound:press'], waitMs: 6000 },
};

/** How agent `i` is rung for an offer: as the phone of that number is. */
export function offerRing(of: Scenario, i: number): RingStep {
  return { kind: 'ring', pattern: 'simultaneous', attempts: attemptsOf({ ...of, pattern: 'simultaneous' }).slice(i, i + 1), ringMs: 8000, taken: ['sound:taken'], on: { noAnswer: 'queue' } };
}

const saying = (media: Media): Step => ({ kind: 'announcement', media: [media], on: { done: 'bye' } });
const codePlan = (dialled: string, setting: Setting): Plan => seal({
  account: { id: 'a', name: 'Clinic' }, number: { e164: dialled, label: 'code' }, first: setting.of, reasons: [], maxCallMs: 600_000,
  steps: { [setting.of]: { kind: 'setting', setting, note: 'dialled', on: { set: 'set', notSet: 'not-set' } }, set: saying('sound:set'), 'not-set': saying('sound:not-set'), bye: { kind: 'hang-up', cause: 'normal' } },
});
const codePlans: Readonly<Record<Setting['of'], Plan>> = {
  'night-switch': codePlan('*28', { of: 'night-switch', to: 'closed' }),
  agent: codePlan('*41', { of: 'agent', action: 'logIn', agent: 'u0', phone: 'd0' }),
};

/** As slow as the scenario says. */
export function changerOf({ code }: Scenario, clock: Pick<Clock, 'now' | 'setTimer'>): SettingChanger {
  return () => new Promise((resolve) => { clock.setTimer(clock.now() + (code?.takesMs ?? 0), () => { resolve({ ok: code?.ok === true, why: 'as drawn' }); }); });
}

function menuId(n: number): string {
  return n === 0 ? 'menu' : `menu-${n}`;
}

/** 1 leads deeper and at last to the phones, 2 to where nobody answers, 3 back to the first. */
function menuStep({ deep, tries, extensions }: ScenarioMenu, n: number, after: string): MenuStep {
  return {
    kind: 'menu', prompt: ['sound:menu'], invalid: ['sound:invalid'], options: { 1: n + 1 < deep ? menuId(n + 1) : 'ring', 2: after, 3: 'menu' },
    ...(extensions === 'none' ? {} : { extensions: { firstDigits: extensions === 'apart' ? '4' : '14', shortest: 2, longest: 3 } }),
    tries, waitMs: 3000, betweenKeysMs: 1000, on: { noKey: 'ring', invalid: after, noAnswer: 'menu' },
  };
}

/** As the configuration would have it: 41 is the first phone; and those that phones transfer to. */
export function extensionOf(of: Scenario, { request, extension, callerId = { number: '+15550100', name: 'Ann' }, noAnswer }: PlanExtension, stepsTaken: number): Extract<CallEvent, { type: 'ExtensionPlanned' }> {
  // A phone that has called has itself for its extension.
  const wanted = extensions.some((one) => one === extension) || /^c\d+$/.test(extension);
  // Two who transfer to each other would go on until one has had enough.
  if ((extension !== '41' && !wanted) || (wanted && stepsTaken > 6)) return { type: 'ExtensionPlanned', request, steps: {}, first: null, why: `there is no extension ${extension}` };
  const ringMs = wanted ? 8000 : of.ringMs;
  const attempts: readonly Attempt[] = wanted ? [{ user: extension, label: extension, target: { kind: 'device', device: extension }, ringMs, callerId, whisper: [] }] : attemptsOf({ ...of, recording: 'off' }).slice(0, 1);
  return { type: 'ExtensionPlanned', request, steps: { [request]: { kind: 'ring', pattern: 'simultaneous', attempts, ringMs, taken: [], extension, on: { noAnswer } } }, first: request, why: `extension ${extension}` };
}

/** Whether this is the wish for a transfer that can be. */
export function isTransferring({ did }: PartyAct): boolean {
  return typeof did === 'object' && 'refer' in did && (did.refer !== nobody || did.attended === true);
}

/** Whether who did this leaves who they talk with, by their own will. */
export function isLeaving(act: PartyAct): boolean {
  return act.did === 'hang-up' || isTransferring(act);
}

export function partyOf(of: Scenario, i: number): string {
  return of.phones[i]?.kind === 'external' ? `+1555020${i}` : `d${i}`;
}
